//! Every action of the local services driven by boto3, against our server, or against moto's.
//!
//! What is asked, and what has to be answered, stands in `xtask/services/test_*.py`, one file for each service. The same
//! tests run against another implementation of AWS's services, so that they hold of AWS and not of us. This file starts
//! the one or the other, runs the tests of each service, and counts.

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::options::Options;
use crate::python::python_with;
use crate::run::{capture, program, root};
use crate::server::{Build, Server, free_address};

/// How long moto's server may take to listen: it loads a hundred services.
const START: Duration = Duration::from_secs(30);

pub(crate) fn command(options: &mut Options) -> Outcome {
    let only = options.value("--service")?;
    let is_moto = options.flag("--moto");
    let url = options.value("--url")?;
    options.done()?;
    let services = chosen(only.as_deref(), tested()?)?;
    let python = python_with(if is_moto { &["boto3", "moto[server]"] } else { &["boto3"] })?;
    let python = python.to_string_lossy();
    let running = match url {
        Some(url) => Running::Elsewhere(url),
        None if is_moto => Running::Moto(Moto::start(&python)?),
        None => Running::Ours(Server::start_of(Build::Debug, &["--memory"])?),
    };
    let mut faults = Vec::new();
    for service in services {
        let mut line = program(&python, &["-B", "run.py", &service]);
        line.current_dir(root().join("xtask/services"))
            .env("STEPWELL_TEST_URL", running.url())
            .env("STEPWELL_TEST_SERVER", if is_moto { "moto" } else { "stepwell" });
        let said = capture(line)?;
        match said.stdout.lines().last() {
            Some(line) => println!("{line}"),
            None => println!("{service}: its tests did not run"),
        }
        if !said.succeeded {
            faults.push(service);
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("tests failed: {}", faults.join(", "))) }
}

/// What the tests talk to, stopped when dropped.
enum Running {
    Ours(Server),
    Moto(Moto),
    Elsewhere(String),
}

impl Running {
    fn url(&self) -> String {
        match self {
            Running::Ours(server) => format!("http://{}", server.address()),
            Running::Moto(moto) => format!("http://{}", moto.address),
            Running::Elsewhere(url) => url.clone(),
        }
    }
}

/// A server of moto's, stopped when the value is dropped.
struct Moto {
    child: Child,
    address: String,
}

impl Moto {
    fn start(python: &str) -> Result<Moto, String> {
        let address = free_address()?;
        let port = address.rsplit(':').next().unwrap_or_default();
        let child = program(python, &["-m", "moto.server", "-H", "127.0.0.1", "-p", port])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("moto did not start: {error}"))?;
        let mut moto = Moto { child, address };
        let started = Instant::now();
        while TcpStream::connect(&moto.address).is_err() {
            if started.elapsed() > START || !matches!(moto.child.try_wait(), Ok(None)) {
                return Err("moto's server does not answer".to_owned());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(moto)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // One that is gone already needs no stopping.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The services that have tests, in the order of their names.
fn tested() -> Result<Vec<String>, String> {
    let folder = root().join("xtask/services");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_prefix("test_")?.strip_suffix(".py")?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// The services that are named, or all.
fn chosen(named: Option<&str>, tested: Vec<String>) -> Result<Vec<String>, String> {
    let Some(named) = named else { return Ok(tested) };
    let named: Vec<String> = named.split(',').map(str::to_owned).collect();
    match named.iter().find(|name| !tested.contains(name)) {
        Some(name) => Err(format!("there are no tests of `{name}`; there are {}", tested.join(", "))),
        None => Ok(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_services_are_chosen_and_unknown_ones_refused() {
        let all = || vec!["sns".to_owned(), "sqs".to_owned()];
        assert_eq!(chosen(None, all()), Ok(all()));
        assert_eq!(chosen(Some("sqs"), all()), Ok(vec!["sqs".to_owned()]));
        assert_eq!(chosen(Some("sqs,s4"), all()), Err("there are no tests of `s4`; there are sns, sqs".to_owned()));
    }
}
