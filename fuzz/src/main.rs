//! `cargo run -p stepwell-fuzz -- TARGET`: the mutation loop on the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use stepwell_fuzz::drive::{Finding, Plan, run, run_once};
use stepwell_fuzz::targets::{TARGETS, Target};

const USAGE: &str = "\
usage: stepwell-fuzz TARGET [--seconds N] [--seed N]   mutate seeds for N seconds (default 60, seed 1)
       stepwell-fuzz TARGET --input FILE               run one input, such as a kept one
       stepwell-fuzz --list                            the targets
";

enum Task {
    List,
    Fuzz(&'static Target, u64, u64),
    Repeat(&'static Target, PathBuf),
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match understand(&words) {
        Some(Task::List) => {
            for target in TARGETS {
                println!("{}", target.name);
            }
            ExitCode::SUCCESS
        }
        Some(Task::Fuzz(target, seconds, seed)) => fuzz(target, seconds, seed),
        Some(Task::Repeat(target, file)) => repeat(target, &file),
        None => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn understand(words: &[&str]) -> Option<Task> {
    let (name, mut options) = words.split_first()?;
    if *name == "--list" {
        return Some(Task::List);
    }
    let target = TARGETS.iter().find(|target| target.name == *name)?;
    let (mut seconds, mut seed) = (60, 1);
    while let [option, value, rest @ ..] = options {
        match *option {
            "--seconds" => seconds = value.parse().ok()?,
            "--seed" => seed = value.parse().ok()?,
            "--input" if rest.is_empty() => return Some(Task::Repeat(target, PathBuf::from(value))),
            _ => return None,
        }
        options = rest;
    }
    options.is_empty().then_some(Task::Fuzz(target, seconds, seed))
}

fn fuzz(target: &Target, seconds: u64, seed: u64) -> ExitCode {
    let artifacts = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/artifacts"));
    let plan = Plan { seconds, seed, artifacts: artifacts.clone() };
    match run(target, &plan) {
        Ok(report) => {
            let (inputs, behaviours, slowest) = (report.inputs, report.behaviours, report.slowest_ms);
            println!("{}: {inputs} inputs, {behaviours} behaviours, slowest {slowest} ms, nothing found", target.name);
            ExitCode::SUCCESS
        }
        Err(finding) => {
            let kept = artifacts.join(format!("{}-panic", target.name));
            tell(target, &finding);
            match std::fs::write(&kept, &finding.input) {
                Ok(()) => println!("kept in {}", kept.display()),
                Err(error) => println!("not kept: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

fn repeat(target: &Target, file: &std::path::Path) -> ExitCode {
    let input = match std::fs::read(file) {
        Ok(input) => input,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    match run_once(target, &input) {
        Ok(behaviour) => {
            println!("{}: {behaviour:?}", target.name);
            ExitCode::SUCCESS
        }
        Err(finding) => {
            tell(target, &finding);
            ExitCode::FAILURE
        }
    }
}

fn tell(target: &Target, finding: &Finding) {
    println!("{}: {}\ninput: {}", target.name, finding.says, String::from_utf8_lossy(&finding.input));
    println!("as a literal: b\"{}\"", finding.input.escape_ascii());
}
