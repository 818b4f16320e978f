//! Data in JSONPath states: InputPath, Parameters, ResultSelector, ResultPath, OutputPath, in this order; and Assign.

use stepwell_json::Json;
use stepwell_jsonpath::{EvaluationError, EvaluationErrorKind, Path, ReferencePath, Template, ValueExpression};

use super::data::{Exit, Visit};
use super::faults::{Failure, Failures, INTRINSIC_FAILURE, RESULT_PATH_MATCH_FAILURE, RUNTIME};
use super::thread::{Sight, Thread};

/// The state's input, or the part of it that `InputPath` names.
pub(super) fn effective_input(visit: &Visit<'_>, thread: &Thread) -> Result<Json, Failure> {
    filtered("InputPath", visit, thread, visit.input)
}

/// A document behind `InputPath` or `OutputPath`.
fn filtered(field: &str, visit: &Visit<'_>, thread: &Thread, document: &Json) -> Result<Json, Failure> {
    match visit.field(field) {
        None => Ok(document.clone()),
        Some(Json::Null) => Ok(Json::empty_object()),
        Some(path) if path.as_str() == Some("$") => Ok(document.clone()),
        Some(path) => read(path.as_str().expect("a path is text"), visit, thread, document),
    }
}

/// The value at a path, where `$` is this document.
pub(super) fn read(path: &str, visit: &Visit<'_>, thread: &Thread, document: &Json) -> Result<Json, Failure> {
    let path = Path::parse(path).expect("a valid path");
    path.read_in(&sight(visit, thread, document)).map_err(|_| Failure::of_executor(RUNTIME))
}

/// The value of a path or an intrinsic function, where `$` is this document.
pub(super) fn expression(text: &str, visit: &Visit<'_>, thread: &Thread, document: &Json) -> Result<Json, Failure> {
    let expression = ValueExpression::parse(text).expect("a valid path or call");
    expression.evaluate(&sight(visit, thread, document)).map_err(|error| failure_of(&error))
}

/// A payload template, filled in, where `$` is this document.
pub(super) fn template(template: &Json, visit: &Visit<'_>, thread: &Thread, document: &Json) -> Result<Json, Failure> {
    let template = Template::compile(template).expect("a valid template");
    template.evaluate(&sight(visit, thread, document)).map_err(|error| failure_of(&error))
}

pub(super) fn sight<'a>(visit: &Visit<'_>, thread: &'a Thread, document: &'a Json) -> Sight<'a> {
    Sight { input: document, context: visit.context(thread), thread }
}

fn failure_of(error: &EvaluationError) -> Failure {
    Failure::of_executor(match error.kind {
        EvaluationErrorKind::Intrinsic => INTRINSIC_FAILURE,
        EvaluationErrorKind::PathNotFound
        | EvaluationErrorKind::PathInvalid
        | EvaluationErrorKind::NullDocument
        | EvaluationErrorKind::UndefinedVariable
        | EvaluationErrorKind::TooExpensive => RUNTIME,
    })
}

/// Leaves with a result: it is selected from, placed into the state's raw input, and filtered. In `Assign`, `$` is the result.
pub(super) fn leave_with(visit: &Visit<'_>, thread: &Thread, result: Json) -> Result<Exit, Failures> {
    let output = || {
        let selected = match visit.field("ResultSelector") {
            Some(selector) => template(selector, visit, thread, &result)?,
            None => result.clone(),
        };
        filtered("OutputPath", visit, thread, &place(visit.state, visit.input, selected)?)
    };
    let (output, assigned) = Failures::both(output(), assigned(visit.state, visit, thread, &result))?;
    Ok(Exit { output, assigned })
}

/// Leaves a state without a result. In `Assign`, `$` is the effective input.
pub(super) fn leave(visit: &Visit<'_>, fields: &Json, thread: &Thread) -> Result<Exit, Failures> {
    let effective = effective_input(visit, thread)?;
    let output = filtered("OutputPath", visit, thread, &effective);
    let (output, assigned) = Failures::both(output, assigned(fields, visit, thread, &effective))?;
    Ok(Exit { output, assigned })
}

/// Leaves by a Catcher. In its `Assign`, `$` is what it passes on.
pub(super) fn leave_caught(visit: &Visit<'_>, catcher: &Json, thread: &Thread, told: Json) -> Result<Exit, Failures> {
    let assigned = assigned(catcher, visit, thread, &told);
    let (output, assigned) = Failures::both(place(catcher, visit.input, told), assigned)?;
    Ok(Exit { output, assigned })
}

/// A result at the place that `ResultPath` names.
fn place(fields: &Json, input: &Json, result: Json) -> Result<Json, Failure> {
    match fields.get("ResultPath") {
        None => Ok(result),
        Some(Json::Null) => Ok(input.clone()),
        Some(path) => {
            let path = ReferencePath::parse(path.as_str().expect("a path is text")).expect("a valid reference path");
            path.put(input, result).map_err(|_| Failure::of_executor(RESULT_PATH_MATCH_FAILURE))
        }
    }
}

fn assigned(
    fields: &Json,
    visit: &Visit<'_>,
    thread: &Thread,
    document: &Json,
) -> Result<Vec<(String, Json)>, Failure> {
    let Some(assign) = fields.get("Assign") else { return Ok(Vec::new()) };
    let values = template(assign, visit, thread, document)?;
    let values = values.as_object().expect("Assign is an object");
    Ok(values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
}
