//! The reference itself, held against recorded conversations: executions of AWS that need no service but Step Functions.
//!
//! The recordings are not part of the repository: `STEPWELL_CONFORMANCE` names their folder, and without it nothing is
//! compared.

use std::path::{Path, PathBuf};

use stepwell_json::Json;
use stepwell_programs::reference::{self, ANY, Cause, Outcome};

#[test]
fn the_reference_ends_as_aws_did() {
    let Some(folder) = std::env::var_os("STEPWELL_CONFORMANCE").map(PathBuf::from) else { return };
    let (mut compared, mut faults) = (0, Vec::new());
    for file in files(&folder.join("asl")) {
        let text = std::fs::read_to_string(&file).expect("a recording is readable");
        let case = Json::parse(&text).expect("a recording is JSON");
        let Some((definition, input, outcome)) = recorded(&case) else { continue };
        compared += 1;
        // Who waits for AWS's words knows them; here only the name of an error is told.
        let outcome = match outcome {
            Outcome::Failed { error, .. } if error.as_deref().is_some_and(|error| error.starts_with("States.")) => {
                Outcome::Failed { error, cause: Cause::Any }
            }
            other => other,
        };
        let verdict = reference::run_json(&definition, &input);
        let allows = verdict.runs.iter().any(|run| outcome.allows(&run.outcome) || run.outcome.allows(&outcome));
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !allows && !KNOWN.contains(&&*name) {
            let told: Vec<String> = verdict.runs.iter().map(|run| run.outcome.to_string()).collect();
            faults.push(format!("{name}: AWS {outcome}, the reference {}", told.join(" or ")));
        }
    }
    eprintln!("{compared} recordings");
    assert!(compared > 100, "only {compared} recordings");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Recordings of what no program has: a wait until the day of the recording, and a payload beyond the limit.
const KNOWN: &[&str] =
    &["assign_reference_variables_reference_assign_BASE_REFERENCE_IN_WAIT", "states_errors_start_large_input"];

/// Definition, input and end of a recorded execution, where these say it all.
fn recorded(case: &Json) -> Option<(Json, Json, Outcome)> {
    let definition = case.get("definition")?;
    let whole = definition.to_string();
    // Time and chance are AWS's own.
    if ["\"Task\"", "States.UUID", "MathRandom", "$uuid", "$random", "$now", "$millis", "ItemReader"]
        .iter()
        .any(|word| whole.contains(word))
    {
        return None;
    }
    let input = case.get("input")?.clone();
    let expected = case.get("expected")?.as_object()?;
    let events = expected.values().find_map(|answer| answer.get("events").and_then(Json::as_array))?;
    let last = events.last()?;
    let details = |name: &str| last.get(name);
    let text = |of: &Json, name: &str| of.get(name).and_then(Json::as_str).map(str::to_owned);
    let outcome = match last.get("type").and_then(Json::as_str)? {
        "ExecutionSucceeded" => {
            let output = details("executionSucceededEventDetails")?.get("output")?;
            // Objects were kept as JSON, everything else as its text.
            let output = output.as_str().and_then(|text| Json::parse(text).ok()).unwrap_or_else(|| output.clone());
            Outcome::Succeeded(open(&output))
        }
        "ExecutionFailed" => {
            let empty = Json::empty_object();
            let failed = details("executionFailedEventDetails").unwrap_or(&empty);
            let cause = text(failed, "cause");
            let is_masked = cause.as_ref().is_some_and(|cause| cause.starts_with('<'));
            let cause = if is_masked { Cause::Any } else { Cause::Is(cause) };
            Outcome::Failed { error: text(failed, "error"), cause }
        }
        "ExecutionTimedOut" => Outcome::TimedOut,
        _ => return None,
    };
    Some((definition.clone(), input, outcome))
}

/// What was masked may be anything.
fn open(value: &Json) -> Json {
    match value {
        Json::String(text)
            if text.contains("<ArnPart")
                || text.starts_with('<')
                || text.ends_with("-time")
                || text.contains("_role_arn")
                || &**text == "timestamp"
                || &**text == "date" =>
        {
            Json::from(ANY)
        }
        Json::Array(items) => Json::array(items.iter().map(open).collect()),
        Json::Object(members) => Json::object(members.iter().map(|(name, member)| (name.clone(), open(member)))),
        other => other.clone(),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of recordings") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}
