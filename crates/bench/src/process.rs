//! Servers as child processes of the benchmark, and what the system says of them.
//!
//! They are in a process group of their own, so that Ctrl-C reaches the benchmark alone and it ends them in order. Whatever
//! happens, none is left: dropping the value kills the process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::baseline::LISTENING;

/// How long a server may take to say where it listens, and to be ready.
const START: Duration = Duration::from_secs(60);

/// How long it may take to end when it is asked to.
const END: Duration = Duration::from_secs(15);

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(2);

/// A server of ours that runs.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// `127.0.0.1:4566`
    pub(crate) address: String,
    /// When it was started.
    began: Instant,
    kind: Kind,
}

/// What a process is: it decides where it says that it listens, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `stepwell serve`: it says so on stderr, and SIGTERM ends it.
    Server,
    /// The baseline: it says so on stdout, and ends with its stdin.
    Baseline,
}

impl Process {
    /// Starts one in this folder, without any setting of the environment, and waits until it says where it listens.
    pub(crate) fn start(binary: &Path, arguments: &[&str], folder: &Path, kind: Kind) -> Result<Process, String> {
        let failed = |fault: &dyn std::fmt::Display| format!("cannot start {}: {fault}", binary.display());
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars_os() {
            let is_setting =
                name.to_str().is_some_and(|name| name.starts_with("STEPWELL_") || name == "SFN_MOCK_CONFIG");
            if is_setting {
                command.env_remove(name);
            }
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.args(arguments).current_dir(folder).stdin(Stdio::piped());
        match kind {
            Kind::Baseline => command.stdout(Stdio::piped()).stderr(Stdio::inherit()),
            Kind::Server => command.stdout(Stdio::null()).stderr(Stdio::piped()),
        };
        let began = Instant::now();
        let mut child = command.spawn().map_err(|fault| failed(&fault))?;
        let said: Option<Box<dyn Read + Send>> = match kind {
            Kind::Baseline => child.stdout.take().map(|pipe| Box::new(pipe) as _),
            Kind::Server => child.stderr.take().map(|pipe| Box::new(pipe) as _),
        };
        let mut process = Process { child, address: String::new(), began, kind };
        let said = said.ok_or_else(|| failed(&"it has no pipe"))?;
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || listen(said, &tell));
        process.address = match told.recv_timeout(START) {
            Ok(address) => address,
            Err(_) => return Err(failed(&"it does not say where it listens")),
        };
        Ok(process)
    }

    /// Waits until it is ready to serve; answers how long that took from its start.
    pub(crate) fn wait_until_ready(&self) -> Result<Duration, String> {
        let failed = |fault: std::io::Error| format!("the server is not ready: {fault}");
        let mut stream = TcpStream::connect(&self.address).map_err(failed)?;
        stream.set_read_timeout(Some(START)).map_err(failed)?;
        let head = format!("GET /_stepwell/health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(head.as_bytes()).map_err(failed)?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).map_err(failed)?;
        let took = self.began.elapsed();
        match &status == b"HTTP/1.1 200" {
            true => Ok(took),
            false => Err(format!("the server is not ready: it answers {}", String::from_utf8_lossy(&status))),
        }
    }

    /// What the system says of it.
    pub(crate) fn usage(&self) -> Usage {
        Usage::of(&self.child.id().to_string())
    }

    fn terminate(&self) -> rustix::io::Result<()> {
        // The child has not been waited for, so that its id is still its own.
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        id.map_or(Err(rustix::io::Errno::SRCH), |id| rustix::process::kill_process(id, Signal::TERM))
    }

    /// Ends it as a user would, and waits until it is gone.
    pub(crate) fn end(mut self) -> Result<(), String> {
        drop(self.child.stdin.take());
        let asked = match self.kind {
            Kind::Baseline => Ok(()),
            Kind::Server => self.terminate(),
        };
        asked.map_err(|fault| format!("cannot end a server: {fault}"))?;
        let began = Instant::now();
        while began.elapsed() < END {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("asked to end, a server answered {status}")),
                Ok(None) => std::thread::sleep(LOOK),
                Err(fault) => return Err(format!("cannot end a server: {fault}")),
            }
        }
        Err(format!("a server did not end within {} s", END.as_secs()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells where the server listens, and passes the rest on.
fn listen(said: impl Read, tell: &mpsc::Sender<String>) {
    for line in BufReader::new(said).lines().map_while(Result::ok) {
        match line.split_once(LISTENING) {
            Some((_, rest)) => {
                let address = rest.split(' ').next().unwrap_or_default();
                // Nobody waits any longer when it took too long.
                let _ = tell.send(address.to_owned());
            }
            None if line.contains("any credentials are accepted") => {}
            None => eprintln!("server: {line}"),
        }
    }
}

/// What a process has used and holds. Unknown where the system does not say it the way Linux does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: Option<f64>,
    pub(crate) resident_bytes: Option<u64>,
}

impl Usage {
    /// Of this process.
    pub(crate) fn own() -> Usage {
        Usage::of("self")
    }

    /// Of the process with this id.
    pub(crate) fn of(process: &str) -> Usage {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}")).ok();
        Usage {
            cpu_seconds: read("stat").and_then(|stat| cpu_ticks(&stat)).map(|ticks| ticks as f64 / ticks_per_second()),
            resident_bytes: read("status").and_then(|status| resident_bytes(&status)),
        }
    }
}

fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

/// Time in the process and in the system for it. The name before it may hold anything, brackets too.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    // The state is the third field; these are the 14th and the 15th.
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let (own, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(own + system)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("nonsense"), None);
        assert_eq!(resident_bytes("VmPeak:\t 1 kB\nVmRSS:\t    2048 kB\n"), Some(2 * 1024 * 1024));
        assert_eq!(resident_bytes("VmPeak:\t 1 kB\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_something() {
        let own = Usage::own();
        assert!(own.cpu_seconds.is_some() && own.resident_bytes.is_some_and(|bytes| bytes > 100_000), "{own:?}");
    }

    #[test]
    fn a_server_that_ends_at_once_is_told_of() {
        let fault = Process::start(Path::new("/bin/true"), &[], Path::new("/"), Kind::Baseline).expect_err("no server");
        assert!(fault.contains("does not say where it listens"), "{fault}");
        let fault = Process::start(Path::new("/not/there"), &[], Path::new("/"), Kind::Baseline).expect_err("no file");
        assert!(fault.contains("cannot start /not/there"), "{fault}");
    }
}
