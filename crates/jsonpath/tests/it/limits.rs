//! Hostile paths, templates and documents: refused or bounded, never a crash, never a long wait.

use std::time::{Duration, Instant};

use stepwell_json::Json;
use stepwell_jsonpath::{Path, PathErrorKind, Template, ValueExpression};

/// Generous: these run unoptimized, on busy machines.
const PATIENCE: Duration = Duration::from_secs(10);

fn in_time<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let taken = start.elapsed();
    assert!(taken < PATIENCE, "{what} took {taken:?}");
    result
}

fn nested_array(depth: usize) -> Json {
    Json::parse(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).expect("JSON")
}

#[test]
fn long_texts_are_read_or_refused_quickly() {
    let size = 100_000;
    for piece in [
        "$",
        "$.",
        "$[",
        "$.a",
        ".a",
        "[",
        "[0]",
        "['a']",
        "['a',",
        "[?(",
        "[?(@",
        "[?(@.a)]",
        "(",
        "@",
        "..",
        "*",
        "'",
        "\"",
        "\\",
        "/",
        "$.sum(",
        "$.sum($.a,",
        "[?((",
        "[?(!",
        "[?(!(",
        "[?(@.a==1&&",
        "[?(@.a in [",
        "[?(@.a =~ /(",
        "[1,",
        "[1:",
        " ",
        "é",
        "States.Array(",
        "{",
        "{'a':",
        "[?(@.a=={",
        "[?(@[",
        "[?(@.a(",
        "||",
        "&&(",
        "]]",
        "))",
        ")]",
    ] {
        for start in ["$", "$.a", "$.a[?(", "$.a[?(@.b == ", "$.sum(", "States.Format('", "States.Array("] {
            let text = format!("{start}{}", piece.repeat(size / piece.len()));
            in_time(&format!("{start} and many {piece}"), || {
                drop(Path::parse(&text));
                drop(ValueExpression::parse(&text));
            });
        }
    }
}

#[test]
fn a_megabyte_of_text_is_read_or_refused_quickly() {
    for (start, piece) in [
        ("$", ".a"),
        ("$", "['a']"),
        ("$.a[?(@.b == ", "["),
        ("$.a[?(@.b", " && @.b"),
        ("$.sum(", "$.a,"),
        ("States.Array(", "1,"),
    ] {
        let text = format!("{start}{}", piece.repeat(1_000_000 / piece.len()));
        in_time(&format!("{start} and many {piece}"), || {
            drop(Path::parse(&text));
            drop(ValueExpression::parse(&text));
        });
    }
}

#[test]
fn steps_and_nesting_are_bounded() {
    assert!(Path::parse(&format!("${}", ".a".repeat(256))).is_ok());
    assert!(Path::parse(&format!("${}", ".a".repeat(257))).is_err());
    let nested = |depth: usize| format!("$.a{}@.b{}", "[?(".repeat(depth), ")]".repeat(depth));
    assert!(Path::parse("$.a[?(@.b[?(@.c[?(@.d)])])]").is_ok());
    assert!(Path::parse(&nested(100)).is_err());
    // Comparisons beside one another are not nested.
    let many = format!("$.a[?({}@.b)]", "@.b == 1 || ".repeat(5_000));
    assert!(Path::parse(&many).is_ok());
    // Steps inside filters come on top of those outside.
    let inner = |outside: usize| format!("${}[?(@{})]", ".a".repeat(outside), ".b".repeat(200));
    assert!(Path::parse(&inner(55)).is_ok());
    assert!(Path::parse(&inner(56)).is_err());
    let parentheses = |depth: usize| format!("$.a[?({}@.b{})]", "(".repeat(depth), ")".repeat(depth));
    assert!(Path::parse(&parentheses(10)).is_ok());
    assert!(Path::parse(&parentheses(1_000)).is_err());
    let negations = |depth: usize| format!("$.a[?({}@.b)]", "!".repeat(depth));
    assert!(Path::parse(&negations(10)).is_ok());
    assert!(Path::parse(&negations(100_000)).is_err());
}

#[test]
fn regular_expressions_are_bounded() {
    for pattern in
        ["(a{1000}){1000}".to_owned(), "a".repeat(5_000), r"(a)\1".to_owned(), "(?=a)".to_owned(), "(".repeat(2_000)]
    {
        let text = format!("$[?(@ =~ /{pattern}/)]");
        assert!(in_time("compiling", || Path::parse(&text)).is_err(), "{pattern}");
    }
    let path = Path::parse("$[?(@ =~ /(a+)+b/)]").expect("a path");
    let document = Json::array(vec![Json::from("a".repeat(100_000))]);
    assert_eq!(in_time("matching", || path.read(&document)), Ok(Json::array(Vec::new())));
}

#[test]
fn evaluations_are_bounded() {
    let many = Json::array((0..40_000).map(Json::from).collect());
    let wide = Json::object([("items", many.clone()), ("list", many)]);
    let deep = nested_array(512);
    for (text, document) in [
        ("$..*..*..*", &deep),
        ("$.items[?(@ in $.list)]", &wide),
        ("$.items[?($.items == $.list)]", &wide),
        ("$.items[?(@ == $.concat($.list))]", &wide),
    ] {
        let path = Path::parse(text).expect(text);
        match in_time(text, || path.read(document)) {
            Err(error) => assert_eq!(error.kind, PathErrorKind::TooExpensive, "{text}: {error}"),
            Ok(value) => panic!("{text} has a value of {} bytes", value.serialized_bytes()),
        }
    }
}

#[test]
fn large_payloads_are_no_problem() {
    let items: Vec<Json> =
        (0..10_000).map(|n| Json::object([("n", Json::from(n)), ("even", Json::from(n % 2 == 0))])).collect();
    let document = Json::object([("items", Json::array(items))]);
    for (text, count) in [
        ("$..*", 30_001),
        ("$..n", 10_000),
        ("$.items[?(@.even == true && @.n >= 5000)].n", 2_500),
        ("$.items[?(@.n < $.items.length())]", 10_000),
    ] {
        let value = in_time(text, || Path::parse(text).expect(text).read(&document)).expect(text);
        assert_eq!(value.as_array().map(|items| items.len()), Some(count), "{text}");
    }
}

#[test]
fn deep_documents_do_not_exhaust_a_small_stack() {
    // Making them takes more stack than reading in them.
    let arrays = nested_array(512);
    let objects = Json::parse(&format!("{}1{}", r#"{"a":"#.repeat(512), "}".repeat(512))).expect("JSON");
    let template = Json::parse(&format!("{}{{\"a.$\":\"$\"}}{}", "[".repeat(511), "]".repeat(511))).expect("JSON");
    let work = move || {
        for (text, document) in [
            (format!("$..*{}", "[?(@)]".repeat(80)), &arrays),
            (format!("${}", "[?(@..a)]".repeat(60)), &objects),
            (format!("${}", ".a".repeat(256)), &objects),
            (format!("${}", "['a','a']".repeat(255)), &objects),
            (format!("${}", ".*".repeat(256)), &arrays),
            ("$..[?(@ == $)]".to_owned(), &arrays),
            ("$.concat($)".to_owned(), &arrays),
            ("$[0].a".to_owned(), &arrays),
        ] {
            let path = Path::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            drop(path.read(document));
        }
        drop(Template::compile(&template));
    };
    // Half of what Rust gives a thread.
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).expect("a thread").join().expect("no overflow");
}

/// Texts made at random from the pieces of the grammar, from a fixed seed.
#[test]
fn random_texts_do_not_panic() {
    let pieces = [
        "$",
        "@",
        ".",
        "..",
        "[",
        "]",
        "(",
        ")",
        "?",
        "*",
        "'",
        "\"",
        ",",
        ":",
        "0",
        "-1",
        "9",
        "a",
        "items",
        "length()",
        "sum(",
        "==",
        "!=",
        "=~",
        "/a/i",
        " ",
        "in",
        "contains",
        "size",
        "empty",
        "true",
        "null",
        "&&",
        "||",
        "!",
        "{",
        "}",
        "\\",
        "é",
        "[?(@.",
        ")]",
        "['a']",
        "[0]",
        "[1:2]",
        "$.a",
        "@.a",
        "States.Format(",
        "States.Array(",
        "{}",
        "first()",
        "index(",
    ];
    let document = Json::parse(r#"{"a":[1,"a",{"a":[null,true]},[]],"items":[{"a":1},{"a":"é"}]}"#).expect("JSON");
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut read = 0;
    for _ in 0..60_000 {
        let mut text = ["$", "$.a", "$.items[?(@.a", "States.Array("][next(4)].to_owned();
        for _ in 0..next(8) {
            text.push_str(pieces[next(pieces.len())]);
        }
        if let Ok(path) = Path::parse(&text) {
            read += 1;
            drop(path.read(&document));
        }
        drop(ValueExpression::parse(&text));
    }
    assert!(read > 1_000, "only {read} texts were paths");
}
