//! Conversations recorded from AWS, held against our server: how many agree, and that they never become fewer.
//!
//! The recordings and their runner are not part of the repository. This file starts the server, runs the runner with an
//! unmodified AWS SDK for Python, stops the server, and compares the count with the floor.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::options::Options;
use crate::python::{python_with, target};
use crate::run::{capture, program, root, show_and_run};

/// Cases that passed, and may never become fewer.
const FLOOR: &str = include_str!("../conformance-floor.txt");

/// What cases may need beside Step Functions: nothing, or answers from a mock file.
const NEEDS: [&str; 2] = ["none", "mock-config"];

/// How long the server may take to answer its first question.
const START: Duration = Duration::from_secs(10);

pub(crate) fn command(options: &mut Options) -> Outcome {
    let given = options.value("--cases")?;
    let filter = options.value("--filter")?;
    options.done()?;
    let folder = find_recordings(given)?;
    let python = python_with("boto3")?;
    show_and_run(program("cargo", &["build", "--quiet", "--release", "--bin", "stepwell"]))?;
    let mocks = target("conformance-mocks.json");
    std::fs::write(&mocks, "{\"StateMachines\":{},\"MockedResponses\":{}}").map_err(|error| error.to_string())?;
    let server = Server::start(&mocks)?;
    let runner = folder.join("run.py");
    let (runner, mocks) = (runner.to_string_lossy(), mocks.to_string_lossy());
    let mut passed = 0;
    for needs in NEEDS {
        let results = target(&format!("conformance-{needs}.jsonl"));
        let results = results.to_string_lossy();
        let mut words = vec![&*runner, "--endpoint", &server.url, "--needs", needs, "--mock-config-file", &*mocks];
        words.extend(["--timeout", "20", "--jobs", "1", "--json", &*results]);
        if let Some(filter) = &filter {
            words.extend(["--filter", filter]);
        }
        let said = capture(program(&python.to_string_lossy(), &words))?;
        print!("{}", said.stdout);
        passed += count_passed(&said.stdout).ok_or("the runner did not say how many passed")?;
    }
    drop(server);
    let floor: u32 = FLOOR.lines().find_map(|line| line.trim().parse().ok()).unwrap_or(0);
    println!("conformance {passed} pass; the floor is {floor}");
    if filter.is_none() && passed < floor { Err(format!("{passed} cases pass, {floor} did before")) } else { Ok(()) }
}

fn find_recordings(given: Option<String>) -> Result<PathBuf, String> {
    let place = given.map_or_else(|| root().join("../shared/conformance"), PathBuf::from);
    place
        .canonicalize()
        .map_err(|_| format!("no recordings at {}; name their folder with --cases DIR", place.display()))
}

/// The first number of the last line: `180 passed, 4 failed, 0 skipped`.
fn count_passed(said: &str) -> Option<u32> {
    let line = said.lines().rev().find(|line| line.contains(" passed, "))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A server of ours, stopped when the value is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(mocks: &Path) -> Result<Server, String> {
        let address = free_address()?;
        let child = Command::new(target("release/stepwell"))
            .args(["serve", "--memory", "--listen", &address, "--mocks", &mocks.to_string_lossy()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("the server did not start: {error}"))?;
        let server = Server { child, url: format!("http://{address}") };
        let started = Instant::now();
        while !is_ready(&address) {
            if started.elapsed() > START {
                return Err("the server does not answer".to_owned());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
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
fn free_address() -> Result<String, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        assert_eq!(count_passed("1 passed, x\nnoise\n180 passed, 4 failed, 0 skipped\n"), Some(180));
        assert_eq!(count_passed("nothing"), None);
    }
}
