//! Conversations recorded with the service itself, beside the corpus: what it accepted, what it said to the rest, and
//! which variables it found.

use std::path::{Path, PathBuf};
use std::{env, fs};

use stepwell_asl::{
    AwsVoice, Compilation, MachineType, Options, Source, compile, invalid_definition_message, variable_references,
};
use stepwell_json::Json;

/// Cases whose definition we refuse although the service took it, with the reason.
const REFUSED: &[(&str, &str)] = &[];

fn cases() -> Option<Vec<PathBuf>> {
    let folder = Path::new(&env::var_os("STEPWELL_CORPUS")?).join("../conformance/cases");
    let mut files = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()? {
            let path = entry.ok()?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Some(files)
}

/// A text with the names of things made earlier in the conversation filled in.
fn filled(text: &str) -> String {
    let mut parts = text.split("{{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((name, rest)) = part.split_once("}}") else { return text.to_owned() };
        out.push_str(match name {
            "account" => "123456789012",
            "region" => "us-east-1",
            _ if name.ends_with("activityArn") => "arn:aws:states:us-east-1:123456789012:activity:made-here",
            _ if name.ends_with("Arn") => "arn:aws:states:us-east-1:123456789012:stateMachine:made-here",
            _ => "made-here",
        });
        out.push_str(rest);
    }
    out
}

fn string<'j>(json: &'j Json, name: &str) -> Option<&'j str> {
    json.get(name).and_then(Json::as_str)
}

/// The definition of a call, compiled as the call has it.
fn compiled(params: &Json) -> Option<Compilation> {
    let definition = params.get("definition")?;
    let text = match definition.get("$json") {
        Some(json) => json.to_string(),
        None => definition.as_str()?.to_owned(),
    };
    let machine_type =
        if string(params, "type") == Some("EXPRESS") { MachineType::Express } else { MachineType::Standard };
    Some(compile(&Source::json(filled(&text)), &Options { machine_type }))
}

#[test]
fn corpus_of_recordings_agrees() {
    let Some(cases) = cases() else { return };
    let (mut agreeing, mut total, mut surprises) = (0, 0, Vec::new());
    for file in cases {
        let case = Json::parse(&fs::read_to_string(&file).expect("a file")).expect("JSON");
        let expected = case.get("expected").cloned().unwrap_or(Json::Null);
        let (mut last, mut complaints) = (None, Vec::new());
        for step in case.get("steps").and_then(Json::as_array).into_iter().flat_map(|steps| steps.iter()) {
            let Some(params) = step.get("params") else { continue };
            let key = step.get("expect").and_then(Json::as_array).and_then(|e| string(e.iter().next()?, "key"));
            let answer = key.and_then(|key| expected.get(key));
            match string(step, "call").unwrap_or_default() {
                "stepfunctions.CreateStateMachine" | "stepfunctions.UpdateStateMachine" => {
                    let Some(compilation) = compiled(params) else { continue };
                    complaints.extend(disagreement(&compilation, step, answer));
                    total += 1;
                    last = compilation.definition.or(last);
                }
                "stepfunctions.ValidateStateMachineDefinition" => {
                    let Some(compilation) = compiled(params) else { continue };
                    let ours: Vec<Json> =
                        compilation.diagnostics.iter().filter_map(|d| d.aws.as_ref()).map(voice).collect();
                    let theirs = answer.and_then(|answer| answer.get("diagnostics")).cloned().unwrap_or(Json::Null);
                    total += 1;
                    if Json::array(ours.clone()) != theirs {
                        complaints.push(format!("{} instead of {theirs}", Json::array(ours)));
                    }
                }
                "stepfunctions.DescribeStateMachine" => {
                    let (Some(definition), Some(answer)) = (&last, answer) else { continue };
                    let ours: Vec<(String, Json)> = variable_references(definition)
                        .into_iter()
                        .map(|(state, names)| {
                            (state.to_string(), Json::array(names.into_iter().map(Json::String).collect()))
                        })
                        .collect();
                    let theirs = answer.get("variableReferences").cloned().unwrap_or_else(Json::empty_object);
                    if string(&case, "id").is_some_and(|id| id.contains("variable_references")) {
                        total += 1;
                        if Json::object(ours.clone()) != theirs {
                            complaints.push(format!("{} instead of {theirs}", Json::object(ours)));
                        }
                    }
                }
                _ => {}
            }
        }
        let id = string(&case, "id").unwrap_or_default();
        let is_known = REFUSED.iter().any(|(known, _)| id == *known);
        if complaints.is_empty() == is_known {
            surprises.push(format!("{id}: {complaints:?}"));
        }
        agreeing += usize::from(complaints.is_empty());
    }
    println!("corpus: recorded {agreeing} conversations agree, in {total} places");
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

fn disagreement(compilation: &Compilation, step: &Json, answer: Option<&Json>) -> Option<String> {
    let was_refused = step.get("error").and_then(Json::as_bool) == Some(true);
    let message = answer.and_then(|answer| string(answer, "message").or_else(|| string(answer, "exception_value")));
    let is_about_definition = message.is_some_and(|message| message.contains("Invalid State Machine Definition"));
    if was_refused && is_about_definition {
        let ours = invalid_definition_message(&compilation.diagnostics).replace("arn:aws:", "arn:<partition>:");
        let theirs = message.unwrap_or_default();
        return (!theirs.ends_with(&ours)).then(|| format!("{ours} instead of {theirs}"));
    }
    if compilation.definition.is_none() && !was_refused {
        let faults: Vec<String> = compilation.diagnostics.iter().map(|d| format!("{d} at {}", d.pointer)).collect();
        return Some(format!("refused: {}", faults.join("; ")));
    }
    None
}

fn voice(voice: &AwsVoice) -> Json {
    let mut members = vec![("code", Json::from(voice.code))];
    if let Some(location) = &voice.location {
        members.push(("location", Json::from(location.as_str())));
    }
    members.push(("message", Json::from(voice.message.as_str())));
    members.push(("severity", Json::from("ERROR")));
    Json::object(members)
}
