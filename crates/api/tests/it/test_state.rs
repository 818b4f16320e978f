//! TestState: requests and what they are answered, one of each a line.
//!
//! ```text
//! = Name {…}          a definition
//! + Name with {…}     the same as the definition before it, with these fields as well
//! # what is shown
//! Name {…}            a request for it; members that hold JSON as text are written as JSON
//! {…}                 the answer, in which texts that hold an object are opened; or a refusal
//! ```
//!
//! `STEPWELL_GOLDEN=update` writes the answers there are now: read the difference like code.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use stepwell_api::{Call, Place, Service, ServiceSettings, check, decode};
use stepwell_interpreter::{Command, Moment};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::{Action, Timestamp};
use stepwell_store::{MemoryStore, Store};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/test_state.txt");

/// Members of a request that hold JSON as text.
const TEXTS: [&str; 5] = ["input", "variables", "context", "result", "mapItemReaderData"];

#[test]
fn states_are_tested_as_written_down() {
    let text = std::fs::read_to_string(FILE).expect("the cases");
    let (mut definitions, mut actual, mut count) = (BTreeMap::new(), String::new(), 0);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        writeln!(actual, "{line}").expect("a string takes text");
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "#" => {}
            "=" => {
                let (name, definition) = rest.split_once(' ').expect(line);
                definitions.insert(name.to_owned(), Json::parse(definition).expect(line));
            }
            "+" => {
                let (name, more) = rest.split_once(" with ").expect(line);
                let (base, name) = name.split_once(' ').expect(line);
                let extended = extended(&definitions[base], &Json::parse(more).expect(line));
                definitions.insert(name.to_owned(), extended);
            }
            name => {
                let definition = definitions.get(name).unwrap_or_else(|| panic!("no definition: {line}"));
                writeln!(actual, "{}", ask(definition, &Json::parse(rest).expect(line))).expect("a string takes text");
                lines.next();
                count += 1;
            }
        }
    }
    if std::env::var("STEPWELL_GOLDEN").is_ok_and(|wish| wish == "update") {
        std::fs::write(FILE, &actual).expect("the answers can be written");
    } else {
        for (is, ought) in actual.lines().zip(text.lines()) {
            assert_eq!(is, ought);
        }
        assert_eq!(actual, text);
    }
    assert!(count >= 70, "{count}");
}

/// Every state of the golden cases, nested ones included, with a result, with an error, and with neither: a state that may be
/// tested so comes to an end, whatever its input lacks.
#[test]
fn every_state_there_is_can_be_tested() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden");
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for file in definitions_below(&golden) {
        let text = std::fs::read_to_string(&file).expect("a readable definition");
        let definition = Json::parse(&text).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        for (name, branches) in states_of(&definition) {
            let result = format!("[{}]", vec!["1"; branches].join(","));
            for mock in [
                format!(r#","mock":{{"result":"{result}","fieldValidationMode":"NONE"}}"#),
                r#","mock":{"errorOutput":{"error":"E","cause":"c"}}"#.to_owned(),
                r#","roleArn":"arn:aws:iam::123456789012:role/r""#.to_owned(),
            ] {
                let name = Json::from(name.as_str());
                let request = format!(r#"{{"stateName":{name},"inspectionLevel":"TRACE","input":{{"a":1}}{mock}}}"#);
                let said = ask(&definition, &Json::parse(&request).expect("a request"));
                let status =
                    Json::parse(&said).ok().and_then(|answer| Some(answer.get("status")?.as_str()?.to_owned()));
                let outcome = status.unwrap_or_else(|| said.split(':').next().unwrap_or_default().to_owned());
                let may_be_refused = ["ValidationException", "InvalidDefinition"].contains(&&*outcome);
                assert!(!may_be_refused || said.contains("upport") || said.contains("must be"), "{name}: {said}");
                *counts.entry(outcome).or_default() += 1;
            }
        }
    }
    let outcomes: Vec<&str> = counts.keys().map(String::as_str).collect();
    let all = ["CAUGHT_ERROR", "FAILED", "InvalidDefinition", "RETRIABLE", "SUCCEEDED", "ValidationException"];
    assert_eq!(outcomes, all, "{counts:?}");
}

fn definitions_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(definitions_below(&path));
        } else if path.ends_with("definition.asl.json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Names of all states, each with its number of branches.
fn states_of(value: &Json) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    match value {
        Json::Object(members) => {
            for (name, state) in members.get("States").and_then(Json::as_object).into_iter().flatten() {
                let branches = state.get("Branches").and_then(Json::as_array).map_or(0, |branches| branches.len());
                found.push((name.to_string(), branches));
            }
            found.extend(members.iter().flat_map(|(_, inner)| states_of(inner)));
        }
        Json::Array(items) => found.extend(items.iter().flat_map(states_of)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    found
}

fn extended(base: &Json, more: &Json) -> Json {
    let mut fields = base.as_object().expect("an object").to_builder();
    for (name, value) in more.as_object().expect("an object") {
        fields.insert(name.clone(), value.clone());
    }
    Json::Object(fields.build())
}

/// What is said to a request for this definition, from the bytes on.
fn ask(definition: &Json, request: &Json) -> String {
    let mut request = as_texts(request).as_object().expect("an object").to_builder();
    request.insert("definition", Json::from(definition.to_string()));
    let body = Json::Object(request.build()).to_string();
    let request = match decode(Action::TestState, body.as_bytes()) {
        Ok(request) => request,
        Err(refusal) => return refusal.to_string(),
    };
    if let Err(refusal) = check(&request) {
        return refusal.to_string();
    }
    let index = MemoryStore::new().index();
    let place = Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
    let at = Moment { now: Timestamp(1_700_000_000_000), entropy: 7 };
    let (mut service, _) = Service::open(&ServiceSettings::default(), index, at).expect("opens");
    let mut outs = service.call(Call { id: 1, place, request }, at);
    // Without a mock a task is done outside. Whoever does it here answers with what it was asked.
    if let Some(task) = outs.tasks.pop() {
        assert!(outs.replies.is_empty() && !service.is_idle());
        let output = Json::object([("Asked", task.request.input)]);
        outs = service.complete(task.execution, Command::TaskSucceeded { task: task.request.key, output }, at);
        assert!(service.is_idle());
    }
    let [(1, outcome)] = &*outs.replies else { panic!("one reply at once: {:?}", outs.replies) };
    match outcome {
        Ok(response) => opened(&response.to_json()).to_string(),
        Err(refusal) => refusal.to_string(),
    }
}

fn as_texts(request: &Json) -> Json {
    let Json::Object(members) = request else { return request.clone() };
    let mut written = ObjectBuilder::new();
    for (name, value) in members {
        let value = match value {
            Json::String(_) => value.clone(),
            value if TEXTS.contains(&&**name) => Json::from(value.to_string()),
            value => as_texts(value),
        };
        written.insert(name.clone(), value);
    }
    Json::Object(written.build())
}

fn opened(answer: &Json) -> Json {
    match answer {
        Json::Object(members) => Json::object(members.iter().map(|(name, value)| (name.clone(), opened(value)))),
        Json::String(text) if text.starts_with('{') => Json::parse(text).unwrap_or_else(|_| answer.clone()),
        other => other.clone(),
    }
}
