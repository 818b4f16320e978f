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

use stepwell_api::{Call, Place, Service, ServiceSettings, check, decode};
use stepwell_interpreter::Moment;
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
    let outs = service.call(Call { id: 1, place, request }, at);
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
