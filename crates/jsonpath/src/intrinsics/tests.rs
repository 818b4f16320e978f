//! Golden cases for every intrinsic function, `recorded` where AWS was seen to answer so.

use std::cell::Cell;

use stepwell_json::Json;

use super::{all, find};
use crate::{EvaluationErrorKind, Scope, ValueExpression};

const INPUT: &str = r#"{
    "a": [1, 2, 3, 4, 5], "n": 7, "half": 1.5, "text": "Hello, World", "nothing": null, "yes": true,
    "o": {"Arg1": 1, "Arg2": []}, "template": "{} and {}", "json": "{\"k\":[1, 2.50]}", "empty": [], "blank": "",
    "mixed": [null, null, true, false, 1, 1, 1.1, 1.0, "x", "x", [], [], [null], {"a": 1, "b": 2}, {"b": 2, "a": 1}],
    "big": 2147483647, "fst": {"a": {"a1": 1, "a2": 2}, "b": 2, "d": 3}, "snd": {"a": {"a3": 1, "a4": 2}, "c": 3, "d": 4}
}"#;

struct TestScope {
    input: Json,
    draws: Cell<u64>,
}

impl Scope for TestScope {
    fn input(&self) -> &Json {
        &self.input
    }

    fn context(&self) -> Json {
        Json::parse(r#"{"StateMachine":{"Name":"my-state-machine"}}"#).expect("JSON")
    }

    fn variable(&self, name: &str) -> Option<Json> {
        (name == "v").then(|| Json::from(40))
    }

    fn draw(&self) -> u64 {
        self.draws.set(self.draws.get() + 1);
        0x0123_4567_89ab_cdef_u64.wrapping_mul(self.draws.get())
    }
}

fn evaluate(expression: &str) -> Result<Json, (EvaluationErrorKind, String)> {
    let scope = TestScope { input: Json::parse(INPUT).expect("JSON"), draws: Cell::new(0) };
    let compiled = ValueExpression::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    compiled.evaluate(&scope).map_err(|error| (error.kind, error.message))
}

/// Expressions and the JSON text of their values.
const VALUES: &[(&str, &str)] = &[
    ("States.Array()", "[]"),
    (
        "States.Array(1, 'a', null, true, -1.50, $.o, $v, $$.StateMachine.Name)",
        r#"[1,"a",null,true,-1.50,{"Arg1":1,"Arg2":[]},40,"my-state-machine"]"#,
    ),
    ("States.Array($.nothing, $.nothing)", "[null,null]"), // recorded
    ("States.ArrayContains($.a, 3)", "true"),
    ("States.ArrayContains($.a, '3')", "false"),
    ("States.ArrayContains($.empty, null)", "false"), // recorded
    ("States.ArrayContains(States.Array(States.Array(1, 2, 3), 2), States.Array(1, 2, 3))", "true"), // recorded
    ("States.ArrayContains($.mixed, States.StringToJson('{\"b\":2,\"a\":1}'))", "true"),
    ("States.ArrayContains($.a, 3.0)", "false"),
    ("States.ArrayGetItem($.a, 0)", "1"),
    ("States.ArrayGetItem($.a, 4)", "5"),
    ("States.ArrayGetItem(States.StringSplit($$.StateMachine.Name, '-'), 0)", r#""my""#), // recorded
    (
        "States.ArrayGetItem(States.StringSplit($$.StateMachine.Name, '-'), States.MathAdd(States.ArrayLength(States.StringSplit($$.StateMachine.Name, '-')), -1))", // recorded
        r#""machine""#,
    ),
    ("States.ArrayLength($.a)", "5"),
    ("States.ArrayLength($.empty)", "0"),
    ("States.ArrayLength($.mixed[?(@ == 1)])", "3"),
    ("States.ArrayPartition($.a, 2)", "[[1,2],[3,4],[5]]"),
    ("States.ArrayPartition($.a, 9)", "[[1,2,3,4,5]]"),
    ("States.ArrayPartition($.empty, 1)", "[]"),
    ("States.ArrayPartition($.a, 1.6)", "[[1,2],[3,4],[5]]"),
    ("States.ArrayRange(0, 9, 3)", "[0,3,6,9]"),   // recorded
    ("States.ArrayRange(0, 10, 3)", "[0,3,6,9]"),  // recorded
    ("States.ArrayRange(1, 9, 9)", "[1]"),         // recorded
    ("States.ArrayRange(1, 9, 2)", "[1,3,5,7,9]"), // recorded
    ("States.ArrayRange(5, 1, -2)", "[5,3,1]"),
    ("States.ArrayRange(1, 5, -1)", "[]"),
    ("States.ArrayRange(0.5, 2.4, 1)", "[1,2]"),
    ("States.ArrayLength(States.ArrayRange(1, 1000, 1))", "1000"),
    ("States.ArrayUnique($.mixed)", r#"[null,true,false,1,1.1,1.0,"x",[],[null],{"a":1,"b":2}]"#),
    ("States.ArrayUnique($.empty)", "[]"),
    ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", r#""Data to encode""#),
    ("States.Base64Decode('RGF0YSB0byBlbmNvZGU')", r#""Data to encode""#),
    ("States.Base64Decode('/w==')", "\"\u{fffd}\""),
    ("States.Base64Decode('')", r#""""#),
    ("States.Base64Encode('Data to encode')", r#""RGF0YSB0byBlbmNvZGU=""#),
    ("States.Base64Encode('Zürich')", r#""WsO8cmljaA==""#),
    ("States.Format('no holes')", r#""no holes""#),
    ("States.Format('{} {} {} {} {}', 'a', 1, null, true, 1.1)", r#""a 1 null true 1.1""#), // recorded
    ("States.Format('fst={}.', $.o)", r#""fst={Arg1=1, Arg2=[]}.""#),                       // recorded
    ("States.Format('{}', $.mixed[0:9])", r#""[null, null, true, false, 1, 1, 1.1, 1.0, x]""#),
    ("States.Format($.template, 1, $.text)", r#""1 and Hello, World""#),
    (r"States.Format('\{\} {} \'{}\' \\', 1, 2)", r#""{} 1 '2' \\""#),
    (r#"States.Format('\{"id":"{}"\}', $.n)"#, r#""{\"id\":\"7\"}""#),
    ("States.Format('{ } {}', 1)", r#""{ } 1""#),
    ("States.Format  (  'spaces {}'  ,  1  )  ", r#""spaces 1""#),
    ("States.Format('{}', States.Format('{}', '{}'))", r#""{}""#),
    ("States.Hash('input data', 'MD5')", r#""812f45842bc6d66ee14572ce20db8e86""#),
    ("States.Hash('input data', 'SHA-1')", r#""aaff4a450a104cd177d28d18d74485e8cae074b7""#),
    ("States.Hash('', 'SHA-256')", r#""e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#),
    (
        "States.Hash('', 'SHA-384')",
        r#""38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b""#,
    ),
    (
        "States.Hash('', 'SHA-512')",
        r#""cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e""#,
    ),
    ("States.JsonMerge($.fst, $.snd, false)", r#"{"a":{"a3":1,"a4":2},"b":2,"d":4,"c":3}"#), // recorded
    ("States.JsonToString($.o)", r#""{\"Arg1\":1,\"Arg2\":[]}""#),                           // recorded
    ("States.JsonToString($.text)", r#""\"Hello, World\"""#),                                // recorded
    ("States.JsonToString($.nothing)", r#""null""#),                                         // recorded
    ("States.JsonToString($.half)", r#""1.5""#),                                             // recorded
    ("States.MathAdd(-9, 3)", "-6"),                                                         // recorded
    ("States.MathAdd(1.49, 1.5)", "3"),                                                      // recorded
    ("States.MathAdd(1.5, 1.51)", "4"),                                                      // recorded
    ("States.MathAdd(-1.49, -1.5)", "-2"),                                                   // recorded
    ("States.MathAdd(-1.5, -1.51)", "-3"),                                                   // recorded
    ("States.MathAdd(-0.5, 0.5)", "1"),                                                      // recorded
    ("States.MathAdd(-2.5, 0)", "-2"),                                                       // recorded
    ("States.MathAdd($.big, -1)", "2147483646"),
    ("States.MathRandom(5, 6)", "5"),
    ("States.MathRandom(0, 1000)", "4"),
    ("States.MathRandom(1, 1000, 42)", "741"),
    ("States.StringSplit(' ', ',')", r#"[" "]"#),             // recorded
    ("States.StringSplit(', , ,', ',')", r#"[" "," "]"#),     // recorded
    ("States.StringSplit(',,,,', ',')", "[]"),                // recorded
    ("States.StringSplit('1,2,3', ',')", r#"["1","2","3"]"#), // recorded
    ("States.StringSplit('This.is+a,test=string', '.+,=')", r#"["This","is","a","test","string"]"#), // recorded
    ("States.StringSplit('Hello\nWorld', '\n')", r#"["Hello","World"]"#), // recorded
    ("States.StringSplit($.text, '')", r#"["Hello, World"]"#),
    ("States.StringSplit($.blank, ',')", "[]"),
    ("States.StringToJson($.json)", r#"{"k":[1,2.50]}"#),
    ("States.StringToJson('null')", "null"),
    ("States.UUID()", r#""01234567-89ab-4def-8246-8acf13579bde""#),
];

#[test]
fn values() {
    for (expression, expected) in VALUES {
        match evaluate(expression) {
            Ok(value) => {
                let expected = Json::parse(expected).expect(expected);
                assert!(value.is_identical(&expected), "{expression}: {value} instead of {expected}");
            }
            Err(error) => panic!("{expression}: {error:?}"),
        }
    }
}

/// Expressions that compile but have no value, the kind of failure, and part of the message.
const FAILURES: &[(&str, EvaluationErrorKind, &str)] = &[
    ("States.Array($.missing)", EvaluationErrorKind::PathNotFound, "No results for path: $['missing']"),
    ("States.Array($missing)", EvaluationErrorKind::UndefinedVariable, "The variable '$missing' is not defined"),
    (
        "States.ArrayContains($.n, 1)",
        EvaluationErrorKind::Intrinsic,
        "Argument 1 must be an array, but is of type number",
    ),
    ("States.ArrayGetItem($.a, 5)", EvaluationErrorKind::Intrinsic, "Index 5 is outside an array of 5 items"),
    ("States.ArrayGetItem($.a, -1)", EvaluationErrorKind::Intrinsic, "Index -1 is outside"),
    (
        "States.ArrayGetItem($.a, '0')",
        EvaluationErrorKind::Intrinsic,
        "Argument 2 must be an integer, but is of type string",
    ),
    ("States.ArrayLength($.text)", EvaluationErrorKind::Intrinsic, "Argument 1 must be an array"),
    ("States.ArrayPartition($.a, 0)", EvaluationErrorKind::Intrinsic, "must be a positive integer, not 0"),
    ("States.ArrayPartition($.a, -2)", EvaluationErrorKind::Intrinsic, "must be a positive integer, not -2"),
    ("States.ArrayRange(1, 5, 0)", EvaluationErrorKind::Intrinsic, "must not be 0"),
    ("States.ArrayRange(1, 1001, 1)", EvaluationErrorKind::Intrinsic, "at most 1000 items, not 1001"),
    (
        "States.ArrayRange(-9223372036854775808, 9223372036854775807, 1)",
        EvaluationErrorKind::Intrinsic,
        "at most 1000 items",
    ),
    ("States.ArrayRange(1, 1e300, 1)", EvaluationErrorKind::Intrinsic, "out of range"),
    ("States.ArrayUnique(null)", EvaluationErrorKind::Intrinsic, "Argument 1 must be an array, but is of type null"),
    ("States.Base64Decode('***')", EvaluationErrorKind::Intrinsic, "The text is not Base64"),
    ("States.Base64Encode(1)", EvaluationErrorKind::Intrinsic, "Argument 1 must be a string"),
    ("States.Format('{} {}', 1)", EvaluationErrorKind::Intrinsic, "2 occurrences of {}, but 1 values"),
    (r"States.Format('\{\}', 1)", EvaluationErrorKind::Intrinsic, "0 occurrences of {}, but 1 values"),
    ("States.Format($.n)", EvaluationErrorKind::Intrinsic, "Argument 1 must be a string"),
    ("States.Hash('x', 'SHA-3')", EvaluationErrorKind::Intrinsic, "not SHA-3"),
    ("States.JsonMerge($.fst, $.snd, true)", EvaluationErrorKind::Intrinsic, "argument 3 must be false"),
    ("States.JsonMerge($.fst, $.a, false)", EvaluationErrorKind::Intrinsic, "Argument 2 must be an object"),
    ("States.JsonToString($.a[9])", EvaluationErrorKind::PathNotFound, "No results for path: $['a'][9]"),
    ("States.MathAdd($.big, 1)", EvaluationErrorKind::Intrinsic, "out of range"),
    ("States.MathAdd(2147483648, 0)", EvaluationErrorKind::Intrinsic, "Argument 1 must be an integer of 32 bits"),
    ("States.MathAdd($.text, 1)", EvaluationErrorKind::Intrinsic, "Argument 1 must be an integer"),
    ("States.MathRandom(5, 5)", EvaluationErrorKind::Intrinsic, "must be above its start"),
    ("States.MathRandom(6, 5)", EvaluationErrorKind::Intrinsic, "must be above its start"),
    ("States.StringSplit(1, ',')", EvaluationErrorKind::Intrinsic, "Argument 1 must be a string"),
    ("States.StringToJson($.text)", EvaluationErrorKind::Intrinsic, "The text is not JSON"),
    ("States.StringToJson($.o)", EvaluationErrorKind::Intrinsic, "Argument 1 must be a string"),
    ("States.Array(States.UUID(), $.nope)", EvaluationErrorKind::PathNotFound, "$['nope']"),
];

#[test]
fn failures() {
    for (expression, kind, message) in FAILURES {
        match evaluate(expression) {
            Ok(value) => panic!("{expression}: {value}"),
            Err((found, text)) => {
                assert_eq!(found, *kind, "{expression}: {text}");
                assert!(text.contains(message), "{expression}: {text}");
            }
        }
    }
}

/// Texts that are no call, where the fault is, and part of the message.
const REFUSED: &[(&str, usize, &str)] = &[
    ("", 0, "Expected a path or an intrinsic function call"),
    ("something else    ", 0, "Unknown intrinsic function 'something'"),
    ("  States.UUID()", 0, "Expected a path or"),
    ("States.Xyz($.a)", 0, "Unknown intrinsic function 'States.Xyz'"),
    ("states.uuid()", 0, "Unknown intrinsic function"),
    ("JsonToString($)", 0, "Unknown intrinsic function"),
    ("States. ", 0, "Unknown intrinsic function"),
    ("States\nJsonToString($)", 0, "Unknown intrinsic function"),
    ("States.UUID", 11, "Expected '('"),
    ("States.StringToJson $.a)", 20, "Expected '('"),
    ("States.JsonToString($", 21, "Expected ',' or ')'"),
    ("States.UUID() x", 14, "Nothing may follow"),
    ("States.UUID()[0]", 13, "Nothing may follow"),
    ("States.UUID(1)", 0, "States.UUID takes no arguments, not 1"),
    ("States.Array(States.ArrayLength())", 13, "States.ArrayLength takes 1 argument, not 0"),
    ("States.MathRandom(1)", 0, "takes 2 to 3 arguments, not 1"),
    ("States.Format()", 0, "takes at least 1 argument, not 0"),
    ("States.Array(1 2)", 15, "Expected ',' or ')'"),
    ("States.Array(1,)", 15, "Expected a path, a string"),
    ("States.Array(01)", 13, "Expected a number"),
    ("States.Array(\"a\")", 13, "Expected a path, a string in single quotes"),
    ("States.Array('a)", 13, "Expected a closing '"),
    (r"States.Array('a\", 15, "A backslash stands only before"),
    (r#"States.Format('He said, \"Hello, {}!\"', 'x')"#, 24, "A backslash stands only before"), // recorded
    (r"States.Array('\n')", 14, "A backslash stands only before"),
    ("States.Array($.)", 14, "Path must not end with a '.' or '..'"),
    ("States.Array(1, $.a[x])", 19, "Could not parse token"),
    ("States.Array($$23)", 15, "Illegal character at position 2"),
];

#[test]
fn refused_texts() {
    for (text, offset, message) in REFUSED {
        match ValueExpression::parse(text) {
            Ok(_) => panic!("{text} compiles"),
            Err(error) => {
                assert!(error.message.contains(message), "{text}: {error}");
                assert_eq!(error.offset, *offset, "{text}: {error}");
            }
        }
    }
}

#[test]
fn every_row_has_golden_cases() {
    for row in all() {
        let is_of = |expression: &str| {
            expression.starts_with(row.name) && !expression[row.name.len()..].starts_with(char::is_alphanumeric)
        };
        let values = VALUES.iter().filter(|(expression, _)| is_of(expression)).count();
        let failures = FAILURES.iter().filter(|(expression, ..)| is_of(expression)).count();
        assert!(values >= 1, "{} has no case with a value", row.name);
        assert!(failures >= 1 || row.arguments_max == Some(0), "{} has no case that fails", row.name);
    }
}

#[test]
fn the_table_is_sorted_and_whole() {
    assert_eq!(all().len(), 18);
    assert!(all().is_sorted_by_key(|row| row.name));
    assert_eq!(find("States.Hash").map(|row| row.arguments_min), Some(2));
    assert!(find("States.Nope").is_none());
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}1{}", "States.Array(".repeat(depth), ")".repeat(depth));
    assert!(ValueExpression::parse(&nested(10)).is_ok());
    assert!(ValueExpression::parse(&nested(11)).is_err());
    assert!(ValueExpression::parse(&nested(100_000)).is_err());
}

#[test]
fn long_texts_are_refused() {
    let check = |call: &str, length: usize| {
        let scope = TestScope { input: Json::object([("t", Json::from("é".repeat(length)))]), draws: Cell::new(0) };
        ValueExpression::parse(call).expect(call).evaluate(&scope).is_ok()
    };
    for call in ["States.Hash($.t, 'MD5')", "States.Base64Encode($.t)"] {
        assert!(check(call, 10_000), "{call}");
        assert!(!check(call, 10_001), "{call}");
    }
    let many = format!("States.Format('{}'{})", "{}".repeat(100), ", $.t".repeat(100));
    assert!(check(&many, 10_000));
    assert!(!check(&many, 100_000));
}

#[test]
fn seeds_decide_and_draws_do_not_repeat() {
    assert_eq!(evaluate("States.MathRandom(0, 1000000, 7)"), evaluate("States.MathRandom(0, 1000000, 7)"));
    assert_ne!(evaluate("States.MathRandom(0, 1000000, 7)"), evaluate("States.MathRandom(0, 1000000, 8)"));
    let both = evaluate("States.Array(States.UUID(), States.UUID())").expect("two");
    let both = both.as_array().expect("an array");
    assert_ne!(both[0], both[1]);
}
