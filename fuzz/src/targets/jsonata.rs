//! A JSONata expression over the sample, under limits tight enough that nothing may take long.

use std::cell::Cell;

use stepwell_json::Json;
use stepwell_jsonata::{Environment, Error, Expression, Limits, Outcome};

use crate::{Behaviour, magnitude};

/// Pieces of JSONata.
#[rustfmt::skip]
pub const DICTIONARY: &[&str] = &[
    "$", "$$", "$states", "$states.input", "$states.context", "$x", ".", "[", "]", "(", ")", "{", "}", "; ", ":",
    ", ", " := ", " = ", " != ", " < ", " >= ", " and ", " or ", " in ", " & ", " ~> ", " ? ", " ?: ", " ?? ", "*",
    "**", "%", "%.%", "@$i", "#$p", "^(>price)", "^(", "[0]", "[-1]", "[[0..2]]", "..", "[1..10]", "[1..1e7]",
    "function($a){", "λ($a, $b){", "<n-n:n>", "<a<s>s?:s>", "|items|{}|", "/[a-z]+/i", "/(a|b)*c/", "`order id`",
    "\"text\"", "'\\u0041'", "1e308", "-1", "0.1", "null", "true", "items", "price", "qty", "sku", "$sum(", "$map(",
    "$filter(", "$reduce(", "$sort(", "$each(", "$sift(", "$spread(", "$merge(", "$append(", "$zip(", "$join(",
    "$split(", "$replace(", "$match(", "$contains(", "$pad(", "$substring(", "$string(", "$number(", "$formatNumber(",
    "$formatBase(", "$formatInteger(", "$parseInteger(", "$toMillis(", "$fromMillis(", "$now()", "$random()",
    "$shuffle(", "$uuid()", "$hash(", "$partition(", "$range(", "$parse(", "$lookup(", "$keys(", "$distinct(",
    "$reverse(", "$assert(", "$error(", "$single(", "$round(", "$power(", "$sqrt(", "$base64decode(", "$encodeUrl(",
    "$decodeUrlComponent(", "$type(", "$exists(", "$eval(", "\"#,##0.00\"", "\"[Y0001]-[M01]-[D01]\"", "\"w\"",
    "\"SHA-256\"", "/* note */",
];

/// Tight, so that an expression is refused long before a watchdog would look.
const LIMITS: Limits =
    Limits { steps: 100_000, depth: 300, value_bytes: 16 << 20, string_bytes: 1 << 20, array_items: 100_000 };

/// Parses and evaluates, twice: the same moment gives the same outcome.
pub fn run(input: &[u8]) -> Behaviour {
    let Ok(text) = std::str::from_utf8(input) else { return Behaviour::of("no text") };
    let expression = match Expression::parse(text) {
        Ok(expression) => expression,
        Err(error) => {
            assert_well_formed(&error, text);
            return Behaviour::of(("parse", error.code));
        }
    };
    assert_eq!(expression.text(), text);
    let outcome = evaluate(&expression);
    assert_eq!(outcome, evaluate(&expression), "the same moment gives the same outcome");
    match outcome {
        Ok(Outcome::Value(value)) => {
            Behaviour::of((value.kind().name(), magnitude(value.serialized_bytes()), expression.variables().len()))
        }
        Ok(Outcome::Undefined) => Behaviour::of(("undefined", expression.variables().len())),
        Ok(Outcome::Function) => Behaviour::of("function"),
        Err(error) => {
            assert_well_formed(&error, text);
            Behaviour::of((error.code, error.index))
        }
    }
}

fn evaluate(expression: &Expression) -> Result<Outcome, Error> {
    let sample = super::sample::input();
    let states = Json::object([("input", sample.clone()), ("context", sample.clone())]);
    let drawn = Cell::new(0u64);
    expression.evaluate(&Environment {
        input: Some(&sample),
        variables: &|name| match name {
            "states" => Some(states.clone()),
            name => sample.get(name).cloned(),
        },
        now_ms: 1_793_614_500_000,
        draw: &|| {
            drawn.set(drawn.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
            drawn.get()
        },
        limits: LIMITS,
    })
}

fn assert_well_formed(error: &Error, text: &str) {
    assert!(error.position <= text.encode_utf16().count(), "{error} is at {}", error.position);
    assert!(error.code.starts_with(['S', 'T', 'D', 'U']), "{error}");
    let _ = error.to_string();
}
