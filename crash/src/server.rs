//! The real server as a child process: started, killed without warning, started again.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::client::Client;

/// How long it may take to be ready again, with everything that is open.
const START: Duration = Duration::from_secs(30);

/// The address, the same for every start.
static ADDRESS: OnceLock<String> = OnceLock::new();

/// A server that runs.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    pub(crate) fn start(binary: &str, directory: &str) -> Result<Server, String> {
        let address = address()?;
        let mut child = Command::new(binary)
            .args(["serve", "--listen", address, "--data", directory])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {binary}: {error}"))?;
        let said = child.stderr.take().ok_or("the server has no stderr")?;
        std::thread::spawn(move || {
            let lines = BufReader::new(said).lines().map_while(Result::ok);
            lines.filter(|line| !line.contains("listening on")).for_each(|line| eprintln!("server: {line}"));
        });
        let began = Instant::now();
        while !Client::new(address).is_ready() {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("the server ended at its start: {status}"));
            }
            if began.elapsed() > START {
                return Err(format!("the server is not ready after {} s", START.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(Server { child })
    }

    pub(crate) fn address(&self) -> &'static str {
        ADDRESS.get().map_or("", String::as_str)
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
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(format!("the server ended by itself: {status}"));
        }
        self.child.kill().and_then(|()| self.child.wait()).map(drop).map_err(|error| error.to_string())
    }

    /// Ends it as a user would.
    pub(crate) fn end(mut self) -> Result<(), String> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().map_err(|error| error.to_string())?;
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("asked to end, the server answered {status}")) }
    }
}

fn address() -> Result<&'static str, String> {
    if let Some(address) = ADDRESS.get() {
        return Ok(address);
    }
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?.to_string();
    Ok(ADDRESS.get_or_init(|| address))
}
