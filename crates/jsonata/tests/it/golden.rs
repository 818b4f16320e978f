//! Our own cases, as data: `golden/*.json`, one file per area.
//!
//! A case is `[expression, expected]` or `[expression, expected, data]`. Expected is the value; or
//! `{"undefined": true}`, `{"function": true}`, or `{"code": …, "position": …, "token": …}` for an error. The present is
//! 2026-11-21T02:26:57.123Z, chance counts up from 1, and `$states` is bound to an order.

use std::cell::Cell;

use stepwell_json::Json;
use stepwell_jsonata::{Environment, Error, Expression, Limits, Outcome, function_names};

const FILES: [(&str, &str); 10] = [
    ("syntax", include_str!("golden/syntax.json")),
    ("operators", include_str!("golden/operators.json")),
    ("paths", include_str!("golden/paths.json")),
    ("functions", include_str!("golden/functions.json")),
    ("strings", include_str!("golden/strings.json")),
    ("numbers", include_str!("golden/numbers.json")),
    ("arrays", include_str!("golden/arrays.json")),
    ("objects", include_str!("golden/objects.json")),
    ("dates", include_str!("golden/dates.json")),
    ("aws", include_str!("golden/aws.json")),
];

const STATES: &str =
    r#"{"input": {"id": "o-1", "items": [{"sku": "A", "price": 2.5, "qty": 2}, {"sku": "B", "price": 4, "qty": 1}]}}"#;

pub(crate) fn evaluate(text: &str, input: Option<&Json>) -> Result<Outcome, Error> {
    let expression = Expression::parse(text)?;
    let variables = |name: &str| (name == "states").then(|| Json::parse(STATES).expect("JSON"));
    let drawn = Cell::new(0);
    let draw = || {
        drawn.set(drawn.get() + 1);
        drawn.get()
    };
    let now_ms = 1_795_228_017_123;
    expression.evaluate(&Environment { input, variables: &variables, now_ms, draw: &draw, limits: Limits::default() })
}

/// Whether an outcome is what a case expects.
fn fits(outcome: &Result<Outcome, Error>, expected: &Json) -> bool {
    match outcome {
        Ok(Outcome::Undefined) => expected.get("undefined").is_some(),
        Ok(Outcome::Function) => expected.get("function").is_some(),
        Ok(Outcome::Value(value)) => value == expected,
        Err(error) => {
            expected.get("code").and_then(Json::as_str) == Some(error.code)
                && expected.get("position").and_then(Json::as_i64).is_none_or(|at| at == error.position as i64)
                && expected
                    .get("token")
                    .and_then(Json::as_str)
                    .is_none_or(|token| error.token.as_deref() == Some(token))
        }
    }
}

fn cases() -> impl Iterator<Item = (&'static str, Json)> {
    FILES.iter().flat_map(|(name, text)| {
        let cases = Json::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let cases = cases.as_array().expect("an array").to_vec();
        cases.into_iter().map(move |case| (*name, case))
    })
}

fn expression(case: &Json) -> String {
    case.as_array().and_then(|case| case.first()).and_then(Json::as_str).expect("an expression").to_owned()
}

#[test]
fn every_case_gives_what_it_says() {
    let mut failures = Vec::new();
    for (file, case) in cases() {
        let text = expression(&case);
        let parts = case.as_array().expect("a case is an array");
        let outcome = evaluate(&text, parts.get(2));
        if !fits(&outcome, &parts[1]) {
            failures.push(format!("{file}: {text}\n  gives   {outcome:?}\n  expects {}", parts[1]));
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_function_of_the_language_has_a_case() {
    let texts: Vec<String> = cases().map(|(_, case)| expression(&case)).collect();
    for name in function_names() {
        let call = format!("${name}(");
        assert!(texts.iter().any(|text| text.contains(&call)), "{call} has no case");
    }
}
