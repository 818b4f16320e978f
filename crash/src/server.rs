//! The real server as a child process: started, killed without warning, started again.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::client::Client;

/// How long it may take to be ready again, with everything that is open.
const START: Duration = Duration::from_secs(60);

/// How long it may take to end when it is asked to.
const END: Duration = Duration::from_secs(30);

/// The address, the same for every start; and that of a server beside it.
static ADDRESSES: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];

/// How a server is started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) binary: PathBuf,
    /// Where it keeps its data.
    pub(crate) data: PathBuf,
    /// Where what it says on stderr goes.
    pub(crate) log: PathBuf,
    /// A command of the shell that sets limits before it: `ulimit -n 64`.
    pub(crate) limits: Option<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Whether it runs beside another one, at an address of its own.
    pub(crate) is_beside: bool,
}

impl Launch {
    /// A server in this directory.
    pub(crate) fn new(binary: &Path, directory: &Path) -> Launch {
        let (data, log) = (directory.join("data"), directory.join("server.log"));
        Launch { binary: binary.to_owned(), data, log, limits: None, environment: Vec::new(), is_beside: false }
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(&self) -> Result<Server, String> {
        let mut server = self.spawn()?;
        let began = Instant::now();
        while !Client::new(server.address()).is_ready() {
            if let Some(status) = server.ended()? {
                return Err(format!("the server ended at its start, {status}: {}", self.last_words()));
            }
            if began.elapsed() > START {
                return Err(format!("the server is not ready after {} s: {}", START.as_secs(), self.last_words()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(server)
    }

    /// Starts it, and lets it become ready or end.
    pub(crate) fn spawn(&self) -> Result<Server, String> {
        let address = address(self.is_beside)?;
        let open = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = open.map_err(|error| format!("cannot write {}: {error}", self.log.display()))?;
        let mut command = match &self.limits {
            Some(limits) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("{limits} && exec \"$@\"")).arg("sh").arg(&self.binary);
                shell
            }
            None => Command::new(&self.binary),
        };
        command.args(["serve", "--listen", address, "--data"]).arg(&self.data);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).env("RUST_BACKTRACE", "0");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.map_err(|error| format!("cannot start {}: {error}", self.binary.display()))?;
        Ok(Server { child, address, began: Instant::now() })
    }

    /// The last lines it said.
    pub(crate) fn last_words(&self) -> String {
        let said = std::fs::read(&self.log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().rev().take(4).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }

    /// How many lines of what it said contain this.
    pub(crate) fn said(&self, words: &str) -> usize {
        let said = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&said).lines().filter(|line| line.contains(words)).count()
    }
}

/// A server that runs. It is killed with this value.
pub(crate) struct Server {
    child: Child,
    address: &'static str,
    began: Instant,
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(crate) fn address(&self) -> &'static str {
        self.address
    }

    /// How long it has run.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, String> {
        self.child.try_wait().map_err(|error| error.to_string())
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait_for_end(&mut self, at_most: Duration) -> Result<Option<ExitStatus>, String> {
        let began = Instant::now();
        loop {
            match self.ended()? {
                None if began.elapsed() < at_most => std::thread::sleep(Duration::from_millis(1)),
                ended => return Ok(ended),
            }
        }
    }

    /// What it holds in memory, as the system counts it.
    pub(crate) fn resident_bytes(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        kilobytes.map(|kilobytes| kilobytes * 1024).ok_or_else(|| format!("{path} does not say VmRSS"))
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) -> Result<(), String> {
        if let Some(status) = self.ended()? {
            return Err(format!("the server ended by itself: {status}"));
        }
        self.child.kill().and_then(|()| self.child.wait()).map(drop).map_err(|error| error.to_string())
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) -> Result<(), String> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().map_err(|error| error.to_string())?;
        if sent.success() { Ok(()) } else { Err(format!("kill -{name} {id}: {sent}")) }
    }

    /// Ends it as a user would.
    pub(crate) fn end(mut self) -> Result<(), String> {
        self.signal("TERM")?;
        match self.wait_for_end(END)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("asked to end, the server answered {status}")),
            None => Err(format!("asked to end, the server has not after {} s", END.as_secs())),
        }
    }
}

fn address(is_beside: bool) -> Result<&'static str, String> {
    let place = &ADDRESSES[usize::from(is_beside)];
    if let Some(address) = place.get() {
        return Ok(address);
    }
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?.to_string();
    Ok(place.get_or_init(|| address))
}
