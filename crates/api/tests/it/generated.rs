//! Ten thousand altered requests per action: each is granted or refused as AWS would, and none is our fault.

use stepwell_api::{BODY_BYTES_MAX, Encoding, reply};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::{Action, Exception, ProtocolError, Request};

use crate::ask;
use crate::samples::{Chance, full};

/// Altered requests per action.
const ROUNDS: usize = 10_000;

#[test]
fn bad_requests_are_refused_in_awss_words() {
    let (mut refused, mut granted) = (0, 0);
    let mut names: Vec<&str> = Vec::new();
    for (seed, &action) in Action::ALL.iter().enumerate() {
        let mut chance = Chance::new(seed as u64 + 101);
        for _ in 0..ROUNDS {
            let body = altered_request(action, &mut chance);
            match ask(action, &body) {
                Ok(_) => granted += 1,
                Err(refusal) => {
                    refused += 1;
                    if !names.contains(&refusal.name()) {
                        names.push(refusal.name());
                    }
                    let is_declared = match refusal.exception() {
                        Some(exception) => {
                            exception == Exception::ValidationException || action.facts().throws.contains(&exception)
                        }
                        None => ProtocolError::ALL.iter().any(|error| error.name() == refusal.name()),
                    };
                    assert!(is_declared, "{} answers {refusal}", action.name());
                    check_answer(&reply(&Err(refusal), Encoding::Json10, "id"));
                }
            }
        }
    }
    println!("{refused} refused, {granted} granted");
    // The alterations reach every layer.
    assert!(refused > granted / 2 && granted > 0, "{refused} refused, {granted} granted");
    for name in ["SerializationException", "ValidationException", "InvalidArn", "InvalidName", "InvalidExecutionInput"]
    {
        assert!(names.contains(&name), "{name} never came: {names:?}");
    }
}

fn check_answer(answer: &stepwell_api::Reply) {
    assert!((400..500).contains(&answer.status), "{}", answer.body);
    let body = Json::parse(&answer.body).expect("JSON");
    let kind = body.get("__type").and_then(Json::as_str).expect("a type");
    let (namespace, name) = kind.split_once('#').expect("a namespace");
    assert!(namespace.starts_with("com.amazon") && !name.is_empty(), "{kind}");
    assert!(answer.body.len() <= 4 * BODY_BYTES_MAX, "{} bytes", answer.body.len());
}

/// A valid request with one to three alterations.
fn altered_request(action: Action, chance: &mut Chance) -> Vec<u8> {
    let mut json = full(action.facts().request, chance);
    if chance.one_in(3) {
        // Members that are not required often refuse each other; without them the rest is reached.
        json = only_required(action, &json, chance);
    }
    debug_assert!(Request::from_json(action, &json).is_some());
    for _ in 0..=chance.below(3) {
        json = altered(&json, chance);
    }
    let mut bytes = json.to_string().into_bytes();
    if chance.one_in(10) {
        break_text(&mut bytes, chance);
    }
    bytes
}

fn only_required(action: Action, json: &Json, chance: &mut Chance) -> Json {
    let members = action.facts().request.members().iter();
    let kept = members.filter(|member| member.required || chance.one_in(4));
    Json::object(kept.filter_map(|member| Some((member.name, json.get(member.name)?.clone()))))
}

/// The value with one thing changed, somewhere inside.
fn altered(json: &Json, chance: &mut Chance) -> Json {
    match json {
        Json::Object(object) if !object.is_empty() && !chance.one_in(12) => {
            let place = chance.below(object.len());
            let mut out = ObjectBuilder::new();
            for (at, (name, value)) in object.iter().enumerate() {
                match (at == place, chance.below(8)) {
                    (true, 0) => {}
                    (true, 1) => out.insert(format!("{name}x"), value.clone()),
                    (true, _) => out.insert(name.clone(), altered(value, chance)),
                    (false, _) => out.insert(name.clone(), value.clone()),
                }
            }
            Json::Object(out.build())
        }
        Json::Array(array) if !array.is_empty() && !chance.one_in(4) => {
            let mut items = array.to_vec();
            let place = chance.below(items.len());
            match chance.below(4) {
                0 => items.extend(array.to_vec()),
                1 => drop(items.remove(place)),
                _ => items[place] = altered(&items[place], chance),
            }
            Json::array(items)
        }
        Json::String(text) if !chance.one_in(3) => Json::from(altered_text(text, chance)),
        _ => strange(chance),
    }
}

fn altered_text(text: &str, chance: &mut Chance) -> String {
    let strange = ["", " ", "é", "\u{0}", "<", "$", "{", "not json", "a b", ":", "/", "arn:", "\u{10ffff}", "[1", "#"];
    let mut characters: Vec<char> = text.chars().collect();
    let place = chance.below(characters.len());
    match chance.below(8) {
        0 => return String::new(),
        1 => return (*chance.pick(&strange)).to_owned(),
        2 if !characters.is_empty() => drop(characters.remove(place)),
        3 => characters.truncate(place),
        4 => return text.repeat(1 + chance.below(40)),
        5 if chance.one_in(40) => return "x".repeat(1 + chance.below(1_100_000)),
        5 => return "y".repeat(chance.below(2_500)),
        6 => return text.replace(':', ""),
        _ => characters.splice(place..place, chance.pick(&strange).chars()).for_each(drop),
    }
    characters.into_iter().collect()
}

fn strange(chance: &mut Chance) -> Json {
    let texts = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1",
        "1.5",
        "1001",
        "4294967296",
        "1e400",
        "-0",
        "9223372036854775808",
        "\"\"",
        "\"BOGUS\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        "{\"a\":1}",
        "[1,\"a\"]",
    ];
    let text: &str = texts[chance.below(texts.len())];
    Json::parse(text).expect("a value")
}

fn break_text(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let place = chance.below(bytes.len());
    match chance.below(6) {
        0 => bytes.truncate(place),
        1 => bytes[place] ^= 1 << chance.below(8),
        2 => bytes.insert(place, 0xff),
        3 => drop(bytes.remove(place)),
        4 => bytes.splice(place..place, *b"\\ud800").for_each(drop),
        _ => bytes.splice(0..0, std::iter::repeat_n(b'[', 600)).for_each(drop),
    }
}
