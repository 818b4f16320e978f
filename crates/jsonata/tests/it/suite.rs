//! The reference implementation's own cases, when the environment says where they are.
//!
//! `STEPWELL_CORPUS` names a folder with `jsonata-suite.json`: `datasets` by name, and `cases` of an expression, its
//! data, and what it must give. Without it this test says so and passes. The cases known to differ, each with its
//! reason, are in `suite_deviations.txt`; a case there that passes fails the test, so that the list can only shrink.

use std::cell::Cell;
use std::collections::BTreeMap;

use stepwell_json::Json;
use stepwell_jsonata::{Environment, Error, Expression, Limits, Outcome};

const DEVIATIONS: &str = include_str!("suite_deviations.txt");

#[test]
fn corpus_of_the_reference() {
    let Ok(folder) = std::env::var("STEPWELL_CORPUS") else {
        println!("STEPWELL_CORPUS is not set: the reference suite is not run");
        return;
    };
    let text = std::fs::read_to_string(format!("{folder}/jsonata-suite.json")).expect("the suite is readable");
    let suite = Json::parse(&text).expect("the suite is JSON");
    let deviations: BTreeMap<&str, &str> =
        DEVIATIONS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect();
    let cases = suite.get("cases").and_then(Json::as_array).expect("cases");
    let mut failures = Vec::new();
    let mut passed = 0;
    for case in cases.iter() {
        let id = case.get("id").and_then(Json::as_str).expect("id");
        let outcome = check(case, &suite);
        match (outcome, deviations.contains_key(id)) {
            (Ok(()), false) => passed += 1,
            (Err(_), true) => {}
            (Ok(()), true) => failures.push(format!("{id}: passes, take it off the list")),
            (Err(why), false) => failures.push(format!("{id}: {why}")),
        }
    }
    println!("corpus: jsonata {passed}/{}, {} known to differ", cases.len(), deviations.len());
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

fn check(case: &Json, suite: &Json) -> Result<(), String> {
    let text = case.get("expr").and_then(Json::as_str).expect("expr");
    let input = case.get("data").or_else(|| {
        case.get("dataset")
            .and_then(Json::as_str)
            .and_then(|name| suite.get("datasets").and_then(|sets| sets.get(name)))
    });
    let outcome = evaluate(text, input, case);
    let shown = || match &outcome {
        Ok(outcome) => format!("{text} gives {outcome:?}"),
        Err(error) => format!("{text} gives {error} at {}", error.position),
    };
    if let Some(expected) = case.get("result") {
        return match &outcome {
            Ok(Outcome::Value(value)) if same(value, expected, case.get("unordered").is_some()) => Ok(()),
            _ => Err(format!("{}, not {expected}", shown())),
        };
    }
    if case.get("undefined").is_some() {
        return if outcome == Ok(Outcome::Undefined) { Ok(()) } else { Err(format!("{}, not undefined", shown())) };
    }
    let expected = case.get("error").unwrap_or(case);
    let Err(error) = &outcome else { return Err(format!("{}, not {expected}", shown())) };
    let matches = |member: &str, found: Option<&str>| {
        expected.get(member).and_then(Json::as_str).is_none_or(|wanted| found == Some(wanted))
    };
    let code =
        if expected.get("code").and_then(Json::as_str) == Some("U1001") { suite_code(error) } else { error.code };
    let message = case.get("error").is_none() || matches("message", Some(&error.message));
    if matches("code", Some(code)) && matches("token", error.token.as_deref()) && message {
        Ok(())
    } else {
        Err(format!("{}, not {expected}", shown()))
    }
}

/// The suite's harness raises U1001 for its own bounds on time and depth, which it puts around the evaluator; the
/// evaluator's own bounds are D1012 and D1011.
fn suite_code(error: &Error) -> &'static str {
    match error.code {
        "D1011" | "D1012" => "U1001",
        code => code,
    }
}

fn evaluate(text: &str, input: Option<&Json>, case: &Json) -> Result<Outcome, Error> {
    let expression = Expression::parse(text)?;
    let bindings = case.get("bindings");
    let variables = |name: &str| bindings.and_then(|bindings| bindings.get(name)).cloned();
    let state = Cell::new(1u64);
    let draw = || {
        state.set(state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        state.get() ^ state.get() >> 32
    };
    // A limit in milliseconds is taken as so many thousands of steps: what the reference does in that time.
    let mut limits = Limits::default();
    if let Some(timelimit) = case.get("timelimit").and_then(Json::as_i64) {
        limits.steps = timelimit.unsigned_abs() * 1000;
        limits.value_bytes = 1 << 30;
        limits.array_items = 10_000_000;
    }
    if let Some(depth) = case.get("depth").and_then(Json::as_i64) {
        limits.depth = u32::try_from(depth).expect("a small depth");
    }
    let now_ms = 1_700_000_000_000;
    expression.evaluate(&Environment { input, variables: &variables, now_ms, draw: &draw, limits })
}

/// Deep equality with numbers by value; `unordered` compares arrays as sets.
fn same(value: &Json, expected: &Json, unordered: bool) -> bool {
    match (value, expected) {
        (Json::Array(value), Json::Array(expected)) if unordered => {
            value.len() == expected.len()
                && expected.iter().all(|item| value.iter().any(|other| same(other, item, false)))
        }
        (Json::Array(value), Json::Array(expected)) => {
            value.len() == expected.len() && value.iter().zip(expected.iter()).all(|(a, b)| same(a, b, false))
        }
        (Json::Object(value), Json::Object(expected)) => {
            value.len() == expected.len()
                && expected.iter().all(|(key, item)| value.get(key).is_some_and(|other| same(other, item, false)))
        }
        (Json::Number(value), Json::Number(expected)) => value.as_f64() == expected.as_f64(),
        _ => value == expected,
    }
}
