//! Conversations recorded with AWS, as far as no state is needed.
//!
//! The recordings are not part of the repository: `STEPWELL_CONFORMANCE` names their folder, and without it nothing is
//! checked. Requests AWS granted must pass; where we refuse one, AWS must have refused it in the same words.

use std::path::{Path, PathBuf};

use stepwell_json::Json;
use stepwell_spec::Action;

use crate::ask;

#[test]
fn recorded_requests_are_judged_as_aws_judged_them() {
    let Some(folder) = std::env::var_os("STEPWELL_CONFORMANCE").map(PathBuf::from) else { return };
    let (mut passed, mut refused, mut answered, mut wrong) = (0, 0, 0, Vec::new());
    for file in files(&folder) {
        let text = std::fs::read_to_string(&file).expect("a readable case");
        let case = Json::parse(&text).expect("JSON");
        for step in case.get("steps").and_then(Json::as_array).expect("steps").iter() {
            let call = step.get("call").and_then(Json::as_str).unwrap_or_default();
            let Some(action) = call.strip_prefix("stepfunctions.").and_then(Action::of) else { continue };
            let params = filled(step.get("params").unwrap_or(&Json::Null));
            let expected = step
                .get("expect")
                .and_then(Json::as_array)
                .and_then(|expects| expects.first())
                .and_then(|expect| expect.get("key")?.as_str())
                .and_then(|key| case.get("expected")?.get(key));
            let is_error = step.get("error").and_then(Json::as_bool) == Some(true);
            let mut wrong_because = |why: String| wrong.push(format!("{}: {call}: {why}", file.display()));
            match ask(action, params.to_string().as_bytes()) {
                Ok(None) => passed += 1,
                Ok(Some(response)) => {
                    answered += 1;
                    let Some(Json::Object(expected)) = expected else { continue };
                    let mut expected = expected.to_builder();
                    expected.remove("ResponseMetadata");
                    let expected = Json::Object(expected.build());
                    if response.to_json() != expected {
                        wrong_because(format!("answered {}\n  not {expected}", response.to_json()));
                    }
                }
                Err(refusal) if !is_error => wrong_because(format!("refused: {refusal}")),
                Err(refusal) => {
                    refused += 1;
                    let message = expected.and_then(message_of).unwrap_or_default();
                    let said = refusal.message().unwrap_or_default();
                    let name = expected.and_then(name_of).unwrap_or_else(|| refusal.name().to_owned());
                    if !fits(said, &message) || refusal.name() != name {
                        wrong_because(format!("said {refusal}\n  not {name}: {message}"));
                    }
                }
            }
        }
    }
    println!("{passed} pass, {refused} refused, {answered} answered, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(passed > 0, "no cases in {}", folder.display());
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false if path.extension().is_some_and(|extension| extension == "json") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

/// The parameters with values in the place of names: what they are does not matter here, only their form.
pub(crate) fn filled(params: &Json) -> Json {
    match params {
        Json::Object(object) if object.len() == 1 && object.contains_key("$json") => {
            Json::from(filled(object.get("$json").unwrap_or(&Json::Null)).to_string())
        }
        Json::Object(object) => Json::object(object.iter().map(|(name, value)| (name.clone(), filled(value)))),
        Json::Array(array) => Json::array(array.iter().map(filled).collect()),
        Json::String(text) => Json::from(filled_text(text)),
        other => other.clone(),
    }
}

fn filled_text(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(&value_of(name));
        rest = behind;
    }
    out + rest
}

fn value_of(name: &str) -> String {
    let here = "arn:aws:states:us-east-1:123456789012";
    let (step, field) = name.split_once('.').unwrap_or(("", name));
    match field.rsplit('.').next().unwrap_or_default() {
        "account" => "123456789012".to_owned(),
        "region" => "us-east-1".to_owned(),
        "stateMachineArn" => format!("{here}:stateMachine:machine"),
        "stateMachineVersionArn" => format!("{here}:stateMachine:machine:{}", step.trim_start_matches('s')),
        "stateMachineAliasArn" => format!("{here}:stateMachine:machine:PROD"),
        "executionArn" => format!("{here}:execution:machine:{step}"),
        "mapRunArn" => format!("{here}:mapRun:machine/label:{step}"),
        "activityArn" => format!("{here}:activity:activity"),
        "arn" if field.starts_with("logGroups") => "arn:aws:logs:us-east-1:123456789012:log-group:group:*".to_owned(),
        role if role.starts_with("role") => format!("arn:aws:iam::123456789012:role/{role}"),
        other => other.replace(' ', "-"),
    }
}

fn name_of(expected: &Json) -> Option<String> {
    let code = expected.get("Error").and_then(|error| error.get("Code"));
    code.or(expected.get("exception_typename")).and_then(Json::as_str).map(str::to_owned)
}

fn message_of(expected: &Json) -> Option<String> {
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let value = expected.get("exception_value").and_then(text).or_else(|| text(expected));
    let spoken = |value: String| value.split_once(" operation: ").map(|(_, said)| said.to_owned()).unwrap_or(value);
    expected
        .get("message")
        .and_then(text)
        .or_else(|| expected.get("Error")?.get("Message").and_then(text))
        .or(value.map(spoken))
}

/// Whether a message is the recorded one; placeholders in `<>` stand for anything.
fn fits(said: &str, recorded: &str) -> bool {
    let mut rest = said;
    let mut parts = recorded.split('<');
    let Some(tail) = parts.next().and_then(|start| rest.strip_prefix(start)) else { return false };
    rest = tail;
    for part in parts {
        let fixed = part.split_once('>').map_or(part, |(_, fixed)| fixed);
        match rest.find(fixed) {
            Some(at) => rest = &rest[at + fixed.len()..],
            None => return fixed.contains("111111111111"),
        }
    }
    true
}
