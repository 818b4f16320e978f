//! A server of ours on a free port, for programs that talk to one: started, waited for, and stopped when dropped.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::python::target;
use crate::run::{program, show_and_run};

/// How long the server may take to answer its first question.
const START: Duration = Duration::from_secs(10);

/// How the server is compiled.
#[derive(Clone, Copy)]
pub(crate) enum Build {
    /// Soon ready, and checked for overflows.
    Debug,
    Release,
}

/// A server of ours, stopped when the value is dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Builds the command for release and starts `stepwell serve` with these words.
    pub(crate) fn start(words: &[&str]) -> Result<Server, String> {
        Server::start_of(Build::Release, words)
    }

    /// Builds the command so and starts `stepwell serve` with these words.
    pub(crate) fn start_of(build: Build, words: &[&str]) -> Result<Server, String> {
        let (profile, binary) = match build {
            Build::Debug => ("dev", "debug/stepwell"),
            Build::Release => ("release", "release/stepwell"),
        };
        show_and_run(program("cargo", &["build", "--quiet", "--profile", profile, "--bin", "stepwell"]))?;
        let address = free_address()?;
        let child = Command::new(target(binary))
            .args(["serve", "--listen", &address, "--egress-allow", "127.0.0.0/8"])
            .args(words)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("the server did not start: {error}"))?;
        let mut server = Server { child, address };
        let started = Instant::now();
        while !is_ready(&server.address) {
            if started.elapsed() > START || !server.is_running() {
                return Err("the server does not answer".to_owned());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Where it listens: `127.0.0.1:1234`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that is gone already needs no stopping.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback address nobody listens on.
pub(crate) fn free_address() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.to_string()).map_err(|error| error.to_string())
}

fn is_ready(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let request = format!("GET /_stepwell/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}
