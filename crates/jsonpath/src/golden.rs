//! Golden cases of paths: what Jayway JsonPath 2.9 was observed to answer, and what this crate answers alike.
//!
//! `golden/*.txt` has one case a line, tabs between: a document (JSON, or a name from `documents.txt`), a path, how it
//! ends, and in what:
//!
//! - `one`: the path is definite and has this value,
//! - `list`: it is indefinite and has this list,
//! - `error`: it compiles, but reading fails with these words,
//! - `refused`: it does not compile, for this reason.
//!
//! Where Jayway names Java classes in its words, the files have the kind of the JSON value.

use std::collections::BTreeMap;

use stepwell_json::Json;

use crate::Path;

fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn documents() -> BTreeMap<&'static str, &'static str> {
    lines(include_str!("golden/documents.txt")).map(|line| line.split_once('\t').expect("a name and JSON")).collect()
}

fn outcome(path: &str, document: &Json) -> (&'static str, String) {
    let path = match Path::parse(path) {
        Ok(path) => path,
        Err(error) => return ("refused", error.message),
    };
    match path.read(document) {
        Ok(value) if path.is_definite() => ("one", value.to_string()),
        Ok(value) => ("list", value.to_string()),
        Err(error) => ("error", error.message),
    }
}

fn check(file: &'static str) {
    let documents = documents();
    let mut wrong = Vec::new();
    for line in lines(file) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [document, path, end, expected] = fields[..] else { panic!("not a case: {line}") };
        let document = Json::parse(documents.get(document).unwrap_or(&document)).expect(line);
        let (found, value) = outcome(path, &document);
        if (found, &*value) != (end, expected) {
            wrong.push(format!("{path}\n    {found} {value}\n    instead of {end} {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn steps() {
    check(include_str!("golden/steps.txt"));
}

#[test]
fn filters() {
    check(include_str!("golden/filters.txt"));
}

#[test]
fn functions() {
    check(include_str!("golden/functions.txt"));
}

#[test]
fn faults() {
    check(include_str!("golden/faults.txt"));
}

#[test]
fn every_operator_and_function_has_golden_cases() {
    let filters = include_str!("golden/filters.txt");
    for (operator, _) in crate::condition::OPERATORS {
        assert!(filters.contains(&format!(" {operator} ")), "{operator}");
    }
    let functions = include_str!("golden/functions.txt");
    for (function, _) in crate::function::FUNCTIONS {
        assert!(functions.contains(&format!("{function}(")), "{function}");
    }
}
