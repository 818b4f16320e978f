//! Golden cases: a definition, a script, and the history they give, to the event.
//!
//! `golden/<area>/<case>/definition.asl.json`, `script.json`, `history.txt`. The history is one event a line, so that a
//! change reads like a change of code. `cargo xtask golden --update` writes what the engine now gives.

use std::fs;
use std::path::{Path, PathBuf};

use stepwell_json::Json;
use stepwell_spec::{ERRORS, EVENTS, Place, Record, fields_of};

use crate::invariants;
use crate::script::{self, START};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden")
}

fn cases() -> Vec<PathBuf> {
    let mut cases = Vec::new();
    for area in fs::read_dir(root()).expect("the golden folder").flatten() {
        for case in fs::read_dir(area.path()).into_iter().flatten().flatten() {
            if case.path().join("definition.asl.json").exists() {
                cases.push(case.path());
            }
        }
    }
    cases.sort();
    cases
}

/// One line: id, what it follows, milliseconds since the start, type, details.
fn line(record: &Record) -> String {
    let ms = record.timestamp.0 - START.0;
    let details = record.event.details(true).map_or_else(String::new, |(_, details)| format!(" {details}"));
    format!("{} <- {} +{ms} {}{details}\n", record.id, record.previous_event_id, record.event.row().name)
}

fn history(case: &Path) -> String {
    let name = case.display().to_string();
    let definition = fs::read_to_string(case.join("definition.asl.json")).expect("a definition");
    let script = fs::read_to_string(case.join("script.json")).unwrap_or_else(|_| "{}".to_owned());
    let script = Json::parse(&script).unwrap_or_else(|fault| panic!("{name}/script.json: {fault}"));
    let outcome = script::run(&definition, &script);
    invariants::check(&name, &outcome);
    outcome.records.iter().filter(|record| record.id > 0).map(line).collect()
}

#[test]
fn golden() {
    let update = std::env::var("STEPWELL_GOLDEN").is_ok_and(|wish| wish == "update");
    let cases = cases();
    assert!(!cases.is_empty(), "there are golden cases");
    let mut wrong = Vec::new();
    for case in &cases {
        let actual = history(case);
        let file = case.join("history.txt");
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if actual != expected {
            if update {
                fs::write(&file, &actual).expect("the history can be written");
            } else {
                wrong.push(format!("{}\n--- expected\n{expected}--- actual\n{actual}", case.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Events that need a service or a server to happen: a redrive, a request that could not be made.
const NOT_HERE: &[&str] = &[
    "ExecutionRedriven",
    "MapRunRedriven",
    "LambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed",
    "ActivityScheduleFailed",
    "TaskStartFailed",
    "TaskSubmitFailed",
];

#[test]
fn every_event_type_that_needs_no_service_has_a_case() {
    let all: String = cases().iter().filter_map(|case| fs::read_to_string(case.join("history.txt")).ok()).collect();
    let seen: Vec<&str> = all.lines().filter_map(|line| line.split(' ').nth(4)).collect();
    let missing: Vec<&str> = EVENTS
        .iter()
        .filter(|row| row.public && !NOT_HERE.contains(&row.name) && !seen.contains(&row.name))
        .map(|row| row.name)
        .collect();
    assert!(missing.is_empty(), "no golden case has {missing:?}");
}

#[test]
fn every_error_name_of_the_language_has_a_case() {
    let read = |case: &PathBuf| {
        let files = ["definition.asl.json", "history.txt"];
        files.iter().filter_map(|file| fs::read_to_string(case.join(file)).ok()).collect::<String>()
    };
    let all: String = cases().iter().map(read).collect();
    let missing: Vec<&str> = ERRORS.iter().map(|row| row.name).filter(|name| !all.contains(name)).collect();
    assert!(missing.is_empty(), "no golden case has {missing:?}");
}

#[test]
fn every_field_of_the_language_has_a_case() {
    /// Fields of services that are not here: readers and writers of files.
    const NOT_HERE: &[Place] = &[Place::ItemReader, Place::ReaderConfig, Place::ResultWriter, Place::WriterConfig];
    let read = |case: &PathBuf| fs::read_to_string(case.join("definition.asl.json")).ok();
    let all: String = cases().iter().filter_map(read).collect();
    let mut missing = Vec::new();
    for place in Place::ALL.into_iter().filter(|place| !NOT_HERE.contains(place)) {
        for field in fields_of(place) {
            let needs_files = matches!(field.name, "ItemReader" | "ResultWriter");
            if !needs_files && !all.contains(&format!("\"{}\"", field.name)) {
                missing.push(field.name);
            }
        }
    }
    assert!(missing.is_empty(), "no golden case has {missing:?}");
}
