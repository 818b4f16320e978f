//! What callers rely on beside values: variables, sharing, determinism.

use stepwell_json::Json;
use stepwell_jsonata::{Environment, Expression, Limits, Outcome};

fn parse(text: &str) -> Expression {
    Expression::parse(text).expect(text)
}

#[test]
fn free_variables_are_found() {
    for (text, expected) in [
        ("$states.input.id", "states"),
        ("$a + $b * $a", "a b"),
        ("$ & $$", ""),
        ("$sum($x) + $count([1])", "x"),
        ("($x := $y; $x + $z)", "y z"),
        ("($x := $x; $x)", "x"),
        ("function($p) { $p + $q }", "q"),
        ("($f := function($n) { $n > 0 ? $f($n - 1) : $g }; $f(3))", "g"),
        ("($even := function($n) { $n = 0 or $odd($n - 1) }; $odd := function($n) { $even($n) }; $even(2))", ""),
        ("($x := 1); $x", ""),
        ("items@$i#$n.($i.price * $n + $k)", "k"),
        ("(items#$n.$n) + $n", "n"),
        ("items[$limit < price]^($order){$key: $value}", "key limit order value"),
        ("$x ~> |a|{'b': $y}, $z|", "x y z"),
        ("$unknown(1)", "unknown"),
        ("$map([1], function($v, $i) { $v + $i + $w })", "w"),
    ] {
        match Expression::parse(text) {
            Ok(expression) => assert_eq!(expression.variables().join(" "), expected, "{text}"),
            Err(error) => assert_eq!(error.code, "S0201", "{text}: {error}"),
        }
    }
}

#[test]
fn members_read_are_found() {
    for (text, input, context) in [
        ("$states.input.id", true, false),
        ("$states.context.Execution.Id & $states.input.id", true, true),
        ("$states", true, true),
        ("$states.*", true, true),
        ("$states.(input)", true, true),
        ("$states.`context`", false, true),
        ("$states.\"input\"[0]", true, false),
        ("$states[0].input", true, true),
        ("$keys($states)", true, true),
        ("($s := $states; $s.input)", true, true),
        ("$states.input@$i.x", true, false),
        ("($states := {'input': 1}; $states.input)", false, false),
        ("1 + 1", false, false),
    ] {
        let expression = parse(text);
        assert_eq!(expression.may_read("states", "input"), input, "{text}");
        assert_eq!(expression.may_read("states", "context"), context, "{text}");
    }
}

#[test]
fn expressions_are_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let expression = std::sync::Arc::new(parse("$sum(items.price)"));
    shared(&expression);
    let input = Json::parse(r#"{"items": [{"price": 1}, {"price": 2}]}"#).expect("JSON");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (expression, input) = (expression.clone(), input.clone());
            std::thread::spawn(move || {
                let environment = Environment {
                    input: Some(&input),
                    variables: &|_| None,
                    now_ms: 0,
                    draw: &|| 0,
                    limits: Limits::default(),
                };
                expression.evaluate(&environment)
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), Ok(Outcome::Value(Json::from(3))));
    }
}

#[test]
fn the_same_moment_and_chance_give_the_same_bytes() {
    let expression = parse("{'now': $now(), 'ms': $millis(), 'id': $uuid(), 'r': $random(), 's': $shuffle([1..20])}");
    let run = || {
        let state = std::cell::Cell::new(42u64);
        let draw = || {
            state.set(state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            state.get()
        };
        let environment =
            Environment { input: None, variables: &|_| None, now_ms: 7, draw: &draw, limits: Limits::default() };
        match expression.evaluate(&environment) {
            Ok(Outcome::Value(value)) => value.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(run(), run());
    assert!(run().starts_with(r#"{"now":"1970-01-01T00:00:00.007Z","ms":7,"id":""#), "{}", run());
}

#[test]
fn what_is_passed_through_is_shared_and_keeps_its_text() {
    let input = Json::parse(r#"{"big": 12345678901234567890, "one": 1.0, "list": [1e2]}"#).expect("JSON");
    let run = |text: &str| {
        let environment = Environment {
            input: Some(&input),
            variables: &|_| None,
            now_ms: 0,
            draw: &|| 0,
            limits: Limits::default(),
        };
        match parse(text).evaluate(&environment) {
            Ok(Outcome::Value(value)) => value,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(run("$").to_string(), input.to_string());
    assert_eq!(run("[big, one, list]").to_string(), "[12345678901234567890,1.0,1e2]");
    assert_eq!(run("{'a': big}").to_string(), r#"{"a":12345678901234567890}"#);
    match (run("$"), &input) {
        (Json::Object(result), Json::Object(input)) => assert!(result.is_same(input)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_variable_hides_a_function_of_the_same_name() {
    let variables = |name: &str| (name == "count").then(|| Json::from(5));
    let environment =
        Environment { input: None, variables: &variables, now_ms: 0, draw: &|| 0, limits: Limits::default() };
    assert_eq!(parse("$count + 1").evaluate(&environment), Ok(Outcome::Value(Json::from(6))));
}
