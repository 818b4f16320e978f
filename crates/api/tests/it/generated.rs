//! Ten thousand altered requests per action: each is granted or refused as AWS would, and none is our fault.

use stepwell_api::{BODY_BYTES_MAX, Encoding, reply};
use stepwell_json::Json;
use stepwell_spec::{Action, Exception, ProtocolError, Request};

use crate::alterations::altered;
use crate::ask;
use crate::chance::Chance;
use crate::samples::full;

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
        break_bytes(&mut bytes, chance);
    }
    bytes
}

fn only_required(action: Action, json: &Json, chance: &mut Chance) -> Json {
    let members = action.facts().request.members().iter();
    let kept = members.filter(|member| member.required || chance.one_in(4));
    Json::object(kept.filter_map(|member| Some((member.name, json.get(member.name)?.clone()))))
}

fn break_bytes(bytes: &mut Vec<u8>, chance: &mut Chance) {
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
