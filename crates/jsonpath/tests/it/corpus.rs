//! What Jayway JsonPath returns for some hundred selectors, recorded from the library itself.
//!
//! The recordings are not part of this repository: `STEPWELL_CORPUS` names the folder that has `jsonpath-jayway.json`.
//! A case agrees when the outcome is the same (a value or an error), the values are equal, and the path is called
//! definite or not alike. Cases we answer differently on purpose are listed in `deviations.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use stepwell_json::Json;
use stepwell_jsonpath::Path;

/// Selectors answered differently on purpose: a reason on a line with `#`, and below it one selector a line.
const DEVIATIONS: &str = include_str!("deviations.txt");

#[test]
fn jayway_corpus() {
    let Some(folder) = std::env::var_os("STEPWELL_CORPUS") else {
        println!("STEPWELL_CORPUS is not set: nothing compared");
        return;
    };
    let file = PathBuf::from(folder).join("jsonpath-jayway.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let corpus = Json::parse(&text).expect("the corpus is JSON");
    let documents = corpus.get("documents").expect("documents");
    let cases = corpus.get("cases").and_then(Json::as_array).expect("cases");

    let listed: BTreeSet<&str> =
        DEVIATIONS.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect();
    let mut unlisted = Vec::new();
    let mut deviating = BTreeSet::new();
    let mut messages: BTreeMap<String, String> = BTreeMap::new();
    let (mut agreed, mut same_message, mut errors) = (0, 0, 0);
    for case in cases.iter() {
        let selector = case.get("selector").and_then(Json::as_str).expect("selector");
        let document = match case.get("doc").and_then(Json::as_str) {
            Some(name) => documents.get(name).expect("a named document"),
            None => case.get("document").expect("a document"),
        };
        match compare(selector, document, case) {
            Ok(ours) => {
                agreed += 1;
                if let (Some(theirs), Some(ours)) = (case.get("message").and_then(Json::as_str), ours) {
                    errors += 1;
                    if is_same_message(theirs, &ours) {
                        same_message += 1;
                    } else {
                        messages.insert(selector.chars().take(80).collect(), format!("{theirs}\n      {ours}"));
                    }
                }
            }
            Err(difference) if listed.contains(selector) => {
                deviating.insert(selector);
                println!("deviates as listed: {selector}: {difference}");
            }
            Err(difference) => unlisted.push(format!("{selector}: {difference}")),
        }
    }
    println!("corpus: jsonpath {agreed}/{}, {same_message} of {errors} error messages the same", cases.len());
    for (selector, texts) in &messages {
        println!("  words differ: {selector}\n      {texts}");
    }
    assert!(unlisted.is_empty(), "{} cases differ:\n{}", unlisted.len(), unlisted.join("\n"));
    assert!(agreed * 100 >= cases.len() * 97, "fewer than 97 % agree");
}

/// Our error message, if the case is one where both fail; what differs otherwise.
fn compare(selector: &str, document: &Json, case: &Json) -> Result<Option<String>, String> {
    let outcome = match Path::parse(selector) {
        Ok(path) => path.read(document).map(|value| (value, path.is_definite())).map_err(|error| error.message),
        Err(error) => Err(error.message),
    };
    match (outcome, case.get("result")) {
        (Ok((value, is_definite)), Some(expected)) => {
            if !same_value(&value, expected, selector) {
                return Err(format!("{value} instead of {expected}"));
            }
            match case.get("definite").and_then(Json::as_bool) {
                Some(expected) if expected != is_definite => Err(format!("definite is {is_definite}")),
                _ => Ok(None),
            }
        }
        (Ok((value, _)), None) => Err(format!("{value} instead of the error {:?}", case.get("message"))),
        (Err(message), None) => Ok(Some(message)),
        (Err(message), Some(expected)) => Err(format!("{message} instead of {expected}")),
    }
}

/// Lists that come out of `..` or of `*` on an object have no order to rely on.
fn same_value(ours: &Json, theirs: &Json, selector: &str) -> bool {
    if ours == theirs {
        return true;
    }
    let (Some(ours), Some(theirs)) = (ours.as_array(), theirs.as_array()) else {
        return false;
    };
    let sorted = |items: &[Json]| {
        let mut texts: Vec<String> = items.iter().map(Json::to_string).collect();
        texts.sort();
        texts
    };
    (selector.contains("..") || selector.contains('*')) && sorted(ours) == sorted(theirs)
}

/// The same words, the Java classes Jayway names left aside.
fn is_same_message(theirs: &str, ours: &str) -> bool {
    match (theirs.split_once(" but found '"), ours.split_once(" but found '")) {
        (Some((theirs, _)), Some((ours, _))) => theirs == ours,
        _ => theirs == ours,
    }
}
