//! Data in JSONata states: expressions wherever they stand, `Output`, and `Assign` beside it.

use stepwell_json::Json;
use stepwell_jsonata::{Environment, Expression, Limits, Outcome};

use super::data::{Exit, Visit};
use super::faults::{Failure, Failures, QUERY_EVALUATION_ERROR};
use super::thread::Thread;

/// What `$states` has beside the input and the context.
#[derive(Clone, Copy)]
pub(super) enum Also<'a> {
    Nothing,
    Result(&'a Json),
    Error(&'a Json),
}

/// A field's value: what stands in `{% … %}` is evaluated, everything else is as it is written.
pub(super) fn value(field: &Json, visit: &Visit<'_>, thread: &Thread, also: Also<'_>) -> Result<Json, Failure> {
    match field {
        Json::String(text) => match expression_in(text) {
            Some(expression) => evaluate(expression, visit, thread, also),
            None => Ok(field.clone()),
        },
        Json::Array(items) => {
            let items: Result<Vec<Json>, Failure> = items.iter().map(|item| value(item, visit, thread, also)).collect();
            Ok(Json::array(items?))
        }
        Json::Object(members) => {
            let members: Result<Vec<(String, Json)>, Failure> = members
                .iter()
                .map(|(name, member)| Ok((name.to_string(), value(member, visit, thread, also)?)))
                .collect();
            Ok(Json::object(members?))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(field.clone()),
    }
}

/// Leaves by `Output`, or with this where there is none.
pub(super) fn leave(
    fields: &Json,
    visit: &Visit<'_>,
    thread: &Thread,
    also: Also<'_>,
    otherwise: &Json,
) -> Result<Exit, Failures> {
    let output = match fields.get("Output") {
        Some(output) => value(output, visit, thread, also)?,
        None => otherwise.clone(),
    };
    let assigned = match fields.get("Assign") {
        Some(assign) => value(assign, visit, thread, also)?,
        None => Json::empty_object(),
    };
    let assigned = assigned.as_object().expect("Assign is an object");
    Ok(Exit { output, assigned: assigned.iter().map(|(name, value)| (name.to_string(), value.clone())).collect() })
}

/// A whole number that is not negative.
pub(super) fn whole_number(field: &Json, visit: &Visit<'_>, thread: &Thread) -> Result<u64, Failure> {
    let value = value(field, visit, thread, Also::Nothing)?;
    let number = value.as_number().and_then(|number| number.as_integral());
    number.and_then(|number| u64::try_from(number).ok()).ok_or_else(wrong)
}

/// A failure of the language.
pub(super) fn wrong() -> Failure {
    Failure::of_executor(QUERY_EVALUATION_ERROR)
}

fn expression_in(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}")
}

fn evaluate(text: &str, visit: &Visit<'_>, thread: &Thread, also: Also<'_>) -> Result<Json, Failure> {
    let expression = Expression::parse(text.trim()).expect("a valid expression");
    let context = visit.context(thread);
    let mut states = vec![("input", visit.input.clone()), ("context", context)];
    match also {
        Also::Nothing => {}
        Also::Result(result) => states.push(("result", result.clone())),
        Also::Error(error) => states.push(("errorOutput", error.clone())),
    }
    let states = Json::object(states);
    let outcome = expression.evaluate(&Environment {
        input: None,
        variables: &|name| if name == "states" { Some(states.clone()) } else { thread.variable(name) },
        // Programs ask for neither time nor chance.
        now_ms: 0,
        draw: &|| 0,
        limits: Limits::default(),
    });
    match outcome {
        Ok(Outcome::Value(value)) => Ok(value),
        Ok(Outcome::Undefined | Outcome::Function) | Err(_) => Err(wrong()),
    }
}
