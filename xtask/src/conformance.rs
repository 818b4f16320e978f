//! Conversations recorded from AWS, held against our server: how many agree, and that they never become fewer.
//!
//! The recordings and their runner are not part of the repository. This file starts the server, runs the runner with an
//! unmodified AWS SDK for Python, stops the server, and compares the count with the floor.

use std::path::PathBuf;

use crate::Outcome;
use crate::options::Options;
use crate::python::{python_with, target};
use crate::run::{capture, program, root};
use crate::server::{Server, free_address};

/// Cases that passed, and may never become fewer.
const FLOOR: &str = include_str!("../conformance-floor.txt");

pub(crate) fn command(options: &mut Options) -> Outcome {
    let given = options.value("--cases")?;
    let filter = options.value("--filter")?;
    options.done()?;
    let folder = find_recordings(given)?;
    let python = python_with(&["boto3"])?;
    let mocks = target("conformance-mocks.json");
    std::fs::write(&mocks, "{\"StateMachines\":{},\"MockedResponses\":{}}").map_err(|error| error.to_string())?;
    let runner = folder.join("run.py");
    let (runner, mocks) = (runner.to_string_lossy(), mocks.to_string_lossy());
    let functions = free_address()?;
    let endpoint = format!("lambda=http://{functions}");
    let port = functions.rsplit(':').next().unwrap_or_default();
    let server = Server::start(&["--memory", "--mocks", &*mocks, "--endpoint", &endpoint])?;
    let url = format!("http://{}", server.address());
    // Every other service is ours as well, and a second account needs nothing but to be named.
    let others = format!("*={url}");
    let results = target("conformance.jsonl");
    let results = results.to_string_lossy();
    let mut words = vec![&*runner, "--endpoint", &url, "--service", &others, "--all", "--mock-config-file", &*mocks];
    words.extend(["--timeout", "45", "--jobs", "2", "--json", &*results, "--lambda-port", port]);
    if let Some(filter) = &filter {
        words.extend(["--filter", filter]);
    }
    let said = capture(program(&python.to_string_lossy(), &words))?;
    drop(server);
    let whole = target("conformance.txt");
    std::fs::write(&whole, &said.stdout).map_err(|error| format!("cannot write {}: {error}", whole.display()))?;
    let floor: u32 = FLOOR.lines().find_map(|line| line.trim().parse().ok()).unwrap_or(0);
    let passed = count_passed(&said.stdout);
    if filter.is_none() && passed.is_some_and(|passed| passed >= floor) {
        // As many agree as did before: what differs is known.
        print!("{}", without_differences(&said.stdout));
        println!("what differs is in {}", whole.display());
    } else {
        print!("{}", said.stdout);
    }
    let passed = passed.ok_or("the runner did not say how many passed")?;
    println!("conformance {passed} pass; the floor is {floor}");
    if filter.is_none() && passed < floor { Err(format!("{passed} cases pass, {floor} did before")) } else { Ok(()) }
}

/// The counts alone, which follow on the last empty line.
fn without_differences(said: &str) -> &str {
    said.rsplit_once("\n\n").map_or(said, |(_, counts)| counts)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        assert_eq!(count_passed("1 passed, x\nnoise\n180 passed, 4 failed, 0 skipped\n"), Some(180));
        assert_eq!(count_passed("nothing"), None);
        assert_eq!(
            without_differences("FAIL a\n  want 1\n\nasl passed 1\n1 passed, 1 failed\n"),
            "asl passed 1\n1 passed, 1 failed\n"
        );
        assert_eq!(without_differences("2 passed, 0 failed\n"), "2 passed, 0 failed\n");
    }
}
