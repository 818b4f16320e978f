//! Every action driven by SDKs that AWS publishes, as they come from their registries, against our server.
//!
//! Every request is signed and every signature is checked. What is asked, and what has to be answered, stands in the programs of `xtask/sdk/`, one for each SDK. This file gets the
//! SDKs and a server, runs the programs, and sees to it that none leaves out an action.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::options::Options;
use crate::python::{python_with, target};
use crate::run::{capture, program, root, show_and_run};
use crate::server::Server;

/// The facts of AWS's service model: a line `action NAME …` for every action.
const FACTS: &str = include_str!("../../crates/spec/tests/it/model.txt");

/// A program that drives every action.
struct Driver {
    name: &'static str,
    /// Its command line but for the endpoint, which comes last; everything it needs is installed then.
    prepare: fn() -> Result<Command, String>,
}

const DRIVERS: &[Driver] = &[
    Driver { name: "boto3", prepare: with_boto3 },
    Driver { name: "cli", prepare: with_cli },
    Driver { name: "node", prepare: with_node },
];

pub(crate) fn command(options: &mut Options) -> Outcome {
    let only = options.value("--with")?;
    let skip_missing = options.flag("--skip-missing");
    options.done()?;
    if let Some(only) = only.as_ref().filter(|only| DRIVERS.iter().all(|driver| driver.name != **only)) {
        return Err(format!("there is no program `{only}`; there are boto3, cli and node"));
    }
    let mut ready = Vec::new();
    for driver in DRIVERS.iter().filter(|driver| only.as_ref().is_none_or(|only| only == driver.name)) {
        match (driver.prepare)() {
            Ok(line) => ready.push((driver.name, line)),
            Err(reason) if skip_missing => println!("skipped: {}: {reason}", driver.name),
            Err(reason) => return Err(reason),
        }
    }
    if ready.is_empty() { Ok(()) } else { drive(ready) }
}

/// The keys that requests are signed with: each program has an account, which is also its access key id.
const KEYS: &str = "[boto3]
aws_access_key_id = 111111111111
aws_secret_access_key = stepwell-sdk-boto3-secret
[node]
aws_access_key_id = 222222222222
aws_secret_access_key = stepwell-sdk-node-secret
[cli]
aws_access_key_id = 333333333333
aws_secret_access_key = stepwell-sdk-cli-secret
";

/// Runs the programs, all at once, each with an account of its own.
fn drive(programs: Vec<(&'static str, Command)>) -> Outcome {
    let data = target("sdk-data");
    if data.exists() {
        std::fs::remove_dir_all(&data).map_err(|error| format!("{}: {error}", data.display()))?;
    }
    let keys = target("sdk-keys");
    write_keys(&keys).map_err(|error| format!("{}: {error}", keys.display()))?;
    let words = ["--data", &*data.to_string_lossy(), "--credentials", &*keys.to_string_lossy()];
    let mut server = Server::start(&words)?;
    // By name, so that SDKs put `sync-` before it.
    let endpoint = format!("http://{}", server.address().replace("127.0.0.1", "localhost"));
    let run = |(name, mut line): (&'static str, Command)| {
        line.arg(&endpoint);
        (name, std::thread::spawn(move || capture(line)))
    };
    let running: Vec<_> = programs.into_iter().map(run).collect();
    let mut faults = Vec::new();
    for (name, thread) in running {
        let said = thread.join().map_err(|_| format!("{name} could not be run"))??;
        match judge(&said.stdout) {
            Ok(line) if said.succeeded => println!("{line}"),
            Ok(_) => faults.push(format!("{name} failed")),
            Err(reason) => faults.push(format!("{name}: {reason}")),
        }
    }
    if !server.is_running() {
        faults.push("the server ended by itself".to_owned());
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// Writes the keys where only their owner reads them, as the server wants it.
fn write_keys(file: &Path) -> std::io::Result<()> {
    std::fs::write(file, KEYS)?;
    #[cfg(unix)]
    std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}

/// One line about a program that did all there is to do. Its first line is what it drives; each `called ACTION` is an action
/// that was answered well.
fn judge(said: &str) -> Result<String, String> {
    let called: BTreeSet<&str> = said.lines().filter_map(|line| line.strip_prefix("called ")).collect();
    let missing: Vec<&str> = actions().filter(|action| !called.contains(action)).collect();
    if !missing.is_empty() {
        return Err(format!("{} of {} actions; missing: {}", called.len(), actions().count(), missing.join(", ")));
    }
    let driven = said.lines().next().unwrap_or_default();
    Ok(format!("{} of {} actions by {driven}", called.len(), actions().count()))
}

fn actions() -> impl Iterator<Item = &'static str> {
    FACTS.lines().filter_map(|line| line.strip_prefix("action ")?.split(' ').next())
}

/// A program of `xtask/sdk/`.
fn program_of_ours(name: &str) -> String {
    root().join("xtask/sdk").join(name).to_string_lossy().into_owned()
}

/// The Python both Python programs run in.
fn python() -> Result<PathBuf, String> {
    python_with(&["boto3", "awscli"])
}

fn with_boto3() -> Result<Command, String> {
    Ok(program(&python()?.to_string_lossy(), &[&program_of_ours("with_boto3.py")]))
}

fn with_cli() -> Result<Command, String> {
    let python = python()?;
    let aws = python.with_file_name("aws");
    Ok(program(&python.to_string_lossy(), &[&program_of_ours("with_cli.py"), &aws.to_string_lossy()]))
}

fn with_node() -> Result<Command, String> {
    let folder = target("client-sfn");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // A folder of its own, or npm would install into one further up.
    std::fs::write(folder.join("package.json"), "{\"private\":true}\n").map_err(|error| error.to_string())?;
    let mut npm = program("npm", &["install", "--silent", "--no-audit", "--no-fund", "@aws-sdk/client-sfn@3"]);
    npm.current_dir(&folder);
    show_and_run(npm)?;
    let mut node = program("node", &[&program_of_ours("with_node.mjs")]);
    node.current_dir(&folder);
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_leaves_out_an_action_is_told_which() {
        let all: String = actions().map(|action| format!("called {action}\n")).collect();
        assert_eq!(judge(&format!("boto3 1\n{all}")), Ok("37 of 37 actions by boto3 1".to_owned()));
        let less = all.replace("called TestState\n", "");
        assert_eq!(judge(&less), Err("36 of 37 actions; missing: TestState".to_owned()));
    }
}
