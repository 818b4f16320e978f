//! What the tasks of random programs do: determined by the function's name and the task's input, and by nothing else.
//!
//! A function knows no attempt but the one its input tells, so the answer of attempt *k* is the same however often it is
//! asked, whoever asks, and whatever was lost on the way.

use stepwell_json::Json;

/// A task that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error's name.
    pub error: String,
    /// What happened, for people.
    pub cause: String,
}

impl Failure {
    fn new(error: impl Into<String>, cause: impl Into<String>) -> Failure {
        Failure { error: error.into(), cause: cause.into() }
    }
}

/// Every function there is.
pub const NAMES: &[&str] = &["echo", "add", "shape", "total", "fail-if", "flaky", "ladder", "never"];

/// Whether nobody ever answers this function's tasks. Every task of such a function has a timeout of its own, and ends by
/// it: `States.Timeout`, or `States.HeartbeatTimeout` where a heartbeat comes first. An activity's task is taken by a worker
/// all the same, who is not heard of again: heartbeats are expected of workers only.
pub fn stays_silent(name: &str) -> bool {
    name == "never"
}

/// The longest a task may be left without an answer before the outcome of a program may become another one: 12 hours.
///
/// Tasks of functions that answer have timeouts of a day or more, or none.
pub const LATENESS_MAX_SECONDS: u64 = 43_200;

/// The answer of the function of this name to this input.
///
/// | name | answers |
/// | --- | --- |
/// | `echo` | its input |
/// | `add` | `{"sum": a + b}`; `BadInput` when one is no whole number |
/// | `shape` | `{"kind", "size", "value"}` of its whole input |
/// | `total` | `{"total", "count"}` of the whole numbers in `list`; `BadInput` when there is no list |
/// | `fail-if` | fails with `error` and `cause` when `when` is true, and has `{"value": …}` otherwise |
/// | `flaky` | fails with `error` while `attempt` is less than `failures`, and then has `{"value", "attempt"}` |
/// | `ladder` | fails with `errors[attempt]`, and has `{"value", "attempt"}` when there is none |
///
/// A function of another name fails with `Lambda.ResourceNotFoundException`; so does one that [stays silent](stays_silent)
/// when it is asked nevertheless.
pub fn answer(name: &str, input: &Json) -> Result<Json, Failure> {
    let whole = |member: &str| input.get(member).and_then(Json::as_i64);
    let value = || input.get("value").cloned().unwrap_or(Json::Null);
    let text = |member: &str, absent: &str| {
        input.get(member).and_then(Json::as_str).map_or_else(|| absent.to_owned(), str::to_owned)
    };
    let attempt = usize::try_from(whole("attempt").unwrap_or(0)).unwrap_or(0);
    let done = || Ok(Json::object([("value", value()), ("attempt", Json::from(attempt as u64))]));
    match name {
        "echo" => Ok(input.clone()),
        "add" => match (whole("a"), whole("b")) {
            (Some(a), Some(b)) => Ok(Json::object([("sum", Json::from(a.wrapping_add(b)))])),
            _ => Err(Failure::new("BadInput", "add wants two whole numbers")),
        },
        "shape" => Ok(Json::object([
            ("kind", Json::from(input.kind().name())),
            ("size", Json::from(size(input))),
            ("value", input.clone()),
        ])),
        "total" => match input.get("list").and_then(Json::as_array) {
            Some(list) => {
                let total = list.iter().filter_map(Json::as_i64).fold(0_i64, i64::wrapping_add);
                Ok(Json::object([("total", Json::from(total)), ("count", Json::from(list.len() as u64))]))
            }
            None => Err(Failure::new("BadInput", "total wants a list")),
        },
        "fail-if" if input.get("when") == Some(&Json::Bool(true)) => {
            Err(Failure::new(text("error", "Refused"), text("cause", "it was to fail")))
        }
        "fail-if" => Ok(Json::object([("value", value())])),
        "flaky" => {
            let failures = usize::try_from(whole("failures").unwrap_or(0)).unwrap_or(0);
            if attempt < failures {
                return Err(Failure::new(text("error", "Flaky"), format!("attempt {attempt} of {failures} that fail")));
            }
            done()
        }
        "ladder" => match input.get("errors").and_then(Json::as_array).and_then(|errors| errors.get(attempt)) {
            Some(error) => Err(Failure::new(error.as_str().unwrap_or("Ladder"), format!("step {attempt}"))),
            None => done(),
        },
        unknown => Err(Failure::new(
            "Lambda.ResourceNotFoundException",
            format!("Function not found: arn:aws:lambda:us-east-1:123456789012:function:{unknown}"),
        )),
    }
}

/// Items of a list, members of an object, letters of a text; 0 of everything else.
fn size(value: &Json) -> u64 {
    let size = match value {
        Json::Array(items) => items.len(),
        Json::Object(members) => members.len(),
        Json::String(text) => text.chars().count(),
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    };
    size as u64
}

#[cfg(test)]
mod tests {
    use super::{NAMES, answer, stays_silent};
    use stepwell_json::Json;

    #[test]
    fn answers() {
        for (name, input, expected) in [
            ("echo", "[1]", Ok("[1]")),
            ("add", r#"{"a":1,"b":-3}"#, Ok(r#"{"sum":-2}"#)),
            ("add", r#"{"a":1,"b":"x"}"#, Err("BadInput")),
            ("shape", r#"{"a":1}"#, Ok(r#"{"kind":"object","size":1,"value":{"a":1}}"#)),
            ("total", r#"{"list":[1,2,"x"]}"#, Ok(r#"{"total":3,"count":3}"#)),
            ("total", "{}", Err("BadInput")),
            ("fail-if", r#"{"when":true,"error":"E"}"#, Err("E")),
            ("fail-if", r#"{"when":false,"value":2}"#, Ok(r#"{"value":2}"#)),
            ("flaky", r#"{"attempt":1,"failures":2,"error":"E"}"#, Err("E")),
            ("flaky", r#"{"attempt":2,"failures":2,"value":7}"#, Ok(r#"{"value":7,"attempt":2}"#)),
            ("ladder", r#"{"attempt":1,"errors":["A","B"]}"#, Err("B")),
            ("ladder", r#"{"attempt":2,"errors":["A","B"]}"#, Ok(r#"{"value":null,"attempt":2}"#)),
            ("nobody", "{}", Err("Lambda.ResourceNotFoundException")),
        ] {
            let answered = answer(name, &Json::parse(input).expect("JSON"));
            let answered = answered.as_ref().map(Json::to_string).map_err(|failure| failure.error.as_str());
            assert_eq!(answered.as_deref().map_err(|error| *error), expected, "{name} {input}");
        }
    }

    #[test]
    fn who_does_not_answer() {
        assert_eq!(NAMES.iter().filter(|name| stays_silent(name)).count(), 1);
    }
}
