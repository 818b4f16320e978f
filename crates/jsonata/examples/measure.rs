//! Times the expressions of the decision record: `cargo run --release -p stepwell-jsonata --example measure`.

#![expect(clippy::disallowed_methods, reason = "it measures time, which the crate itself must not")]

use std::hint::black_box;
use std::time::Instant;

use stepwell_json::Json;
use stepwell_jsonata::{Environment, Expression, Limits};

const STATES: &str = r#"{
  "input": {
    "orderId": "o-2026-000123", "status": "OK", "attempts": 2, "customer": {"name": "Ada", "city": "London", "vip": true},
    "items": [
      {"sku": "A-1", "price": 10.5, "qty": 2, "tags": ["x", "y"], "title": "A thing of some length to read"},
      {"sku": "B-2", "price": 3.25, "qty": 10, "tags": ["z"], "title": "Another thing of some length to read"},
      {"sku": "C-3", "price": 99.0, "qty": 1, "tags": ["x"], "title": "A third thing of some length to read"},
      {"sku": "D-4", "price": 7.75, "qty": 4, "tags": [], "title": "A fourth thing of some length to read"}
    ],
    "created": "2026-11-21T02:26:57.000Z"
  },
  "context": {
    "Execution": {"Id": "arn:aws:states:us-east-1:123456789012:execution:orders:run-1", "Name": "run-1",
      "StartTime": "2026-11-21T02:26:57.000Z", "RoleArn": "arn:aws:iam::123456789012:role/StepFunctionsRole"},
    "State": {"Name": "Price", "EnteredTime": "2026-11-21T02:26:58.000Z", "RetryCount": 0},
    "StateMachine": {"Id": "arn:aws:states:us-east-1:123456789012:stateMachine:orders", "Name": "orders"}
  }
}"#;

/// Each with what jsonata-js takes to evaluate it, in microseconds.
const EXPRESSIONS: [(&str, f64); 9] = [
    ("$states.input.orderId", 5.8),
    (r#"$states.input.status = "OK" and $states.input.attempts < 3"#, 15.0),
    ("$sum($states.input.items.(price * qty))", 34.0),
    (
        r#"{"id": $states.input.orderId, "total": $sum($states.input.items.(price * qty)), "count": $count($states.input.items)}"#,
        72.0,
    ),
    ("$merge($map($states.input.items, function($i) { {$i.sku: $i.price * $i.qty} }))", 166.0),
    (r#""order-" & $states.input.orderId & "-" & $string($states.input.attempts + 1)"#, 20.0),
    (r#"$states.input.items["x" in tags]^(>price)[0].sku"#, 28.0),
    ("$toMillis($states.input.created) ~> $fromMillis()", 18.0),
    ("($fib := function($n) { $n < 2 ? $n : $fib($n - 1) + $fib($n - 2) }; $fib(12))", 4_978.0),
];

fn main() {
    let states = Json::parse(STATES).expect("the sample is JSON");
    println!(
        "{:>10} {:>10} {:>8} {:>10}  expression ({} bytes of data)",
        "eval µs",
        "js µs",
        "times",
        "parse µs",
        states.serialized_bytes()
    );
    for (text, javascript) in EXPRESSIONS {
        let variables = |name: &str| (name == "states").then(|| states.clone());
        let environment =
            Environment { input: None, variables: &variables, now_ms: 0, draw: &|| 4, limits: Limits::default() };
        let expression = Expression::parse(text).expect(text);
        let evaluate = time(|| drop(black_box(expression.evaluate(&environment).expect(text))));
        let parse = time(|| drop(black_box(Expression::parse(text).expect(text))));
        println!("{evaluate:>10.3} {javascript:>10.1} {:>8.1} {parse:>10.2}  {text}", javascript / evaluate);
    }
}

/// Microseconds of one run: the best of several rounds, each of some ten milliseconds.
fn time(mut run: impl FnMut()) -> f64 {
    let mut rounds = 1u32;
    loop {
        let start = Instant::now();
        (0..rounds).for_each(|_| run());
        if start.elapsed().as_millis() >= 10 {
            break;
        }
        rounds *= 2;
    }
    let round = |_| {
        let start = Instant::now();
        (0..rounds).for_each(|_| run());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
    };
    (0..9).map(round).fold(f64::INFINITY, f64::min)
}
