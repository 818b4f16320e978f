//! Where an engine is known to say something else than ours, and why that is no fault of ours.
//!
//! A row holds for a case that has been made small, so that it shows one thing. Every row has an example, which must
//! still show it: the lists may only shrink.

use stepwell_json::Json;

use crate::engines::{Core, Engine, Reference, ours};

/// One way in which another engine differs.
pub(crate) struct Deviation {
    /// Texts that a small expression with it has, all of them.
    marks: &'static [&'static str],
    /// An expression and its input that show it.
    example: (&'static str, &'static str),
    reason: &'static str,
}

const fn row(marks: &'static [&'static str], example: (&'static str, &'static str), reason: &'static str) -> Deviation {
    Deviation { marks, example, reason }
}

/// Where jsonata-core departs from the reference. Each example was judged by jsonata-js 2.2.2, which agrees with us or
/// fails with an error of JavaScript.
pub(crate) const OF_CORE: &[Deviation] = &[
    row(&["$formatNumber("], ("$formatNumber(1, '0e')", "null"), "pictures with an exponent, faults in them"),
    row(&["$formatNumber("], ("$formatNumber(12, '#e0')", "null"), "mantissas without a mandatory digit"),
    row(&["$formatInteger("], ("$formatInteger(1e21, '000')", "null"), "integers beyond 64 bits"),
    row(&["$formatBase("], ("$formatBase(2.5)", "null"), "halves are not rounded to even; integers beyond 64 bits"),
    row(&["$parseInteger("], ("$parseInteger('x', 'w')", "null"), "what says no number is an error or 0"),
    row(&["$round("], ("$round(1, 1.5)", "null"), "a fraction of a decimal place is taken for a whole one"),
    row(&["$toMillis("], ("$toMillis('2018-13-01')", "null"), "a well-formed timestamp of no moment is refused"),
    row(&["$toMillis("], ("$toMillis('03/12/21', '[D01]/[M01]/[Y01]')", "null"), "years of two digits"),
    row(&["$fromMillis("], ("$fromMillis(1, '[q1]')", "null"), "unknown components of a moment"),
    row(&["$base64encode("], ("$base64encode('\\u00e9')", "null"), "encodes UTF-8 where JavaScript takes bytes"),
    row(&["$encodeUrl"], ("$encodeUrl(' ')", "null"), "which characters are escaped"),
    row(
        &["$reduce("],
        ("$reduce([], function($a, $b) { 1 })", "null"),
        "nothing to reduce gives null; undefined to begin with",
    ),
    row(&["$replace("], ("$replace('a', /a/, missing)", "null"), "the code for a replacement that is undefined"),
    row(&["$split("], ("$split('', missing)", "null"), "a separator that is undefined"),
    row(&["$sort("], ("$sort(1, missing)", "null"), "a comparator that is undefined"),
    row(&["$spread("], ("$spread([[1], 2])", "null"), "arrays in arrays are not spread"),
    row(&["$keys("], ("$keys(o)", r#"{"o":[[{"a":1}]]}"#), "arrays in arrays have no keys"),
    row(&["$clone("], ("$clone()", "{}"), "takes no context"),
    row(&["$exists("], ("$exists($)", "false"), "false is taken for missing"),
    row(&["$number("], ("$number()", "{}"), "the code for a context of the wrong type"),
    row(&["~> /"], ("missing ~> /u/", "{}"), "a regular expression called with what is no text"),
    row(&["~> |"], ("$ ~> |1|1|", "[]"), "an update that is no object, where nothing can be updated"),
    row(&["].$"], ("[1..5][2].$floor()", "null"), "a path from an array constructor with a predicate"),
    row(&[".."], ("[n..1]", r#"{"n":null}"#), "null as the end of a range"),
    row(&["{", "#$"], ("a{1: 1}.b#$v", "{}"), "grouping nothing that could be bound"),
    row(&["{", "@$"], ("a{1: 1}.b@$v", "{}"), "grouping nothing that could be bound"),
    row(&["{", "%"], ("a{1: 1}.b.%", "{}"), "grouping nothing that could be bound"),
    row(&["%.%"], ("$contains(a.%.%).s", "[]"), "a `%` that finds no step, where the reference forgets it"),
    row(&["*@$"], ("*@$v[o].s", r#"[{"o":false},{"s":"abc","o":1}]"#), "predicates on what a wildcard binds"),
    row(&["^(", "#$"], ("[].os#$v^(n)", "null"), "ordering nothing that could be bound; a predicate behind it"),
    row(&["^(", "%"], ("os.%^(s)[os]", r#"{"os":[1,{}]}"#), "a predicate behind an order-by of what is bound"),
    row(&["]^("], ("[]^(n).os", "null"), "ordering an empty array"),
    row(&[")["], ("(a)[[] < 1]", "null"), "a predicate on what is undefined"),
    row(&["*.", "["], ("*.os[[0.1, 0.2]]", r#"["a"]"#), "a predicate on what is undefined"),
    row(&["a["], ("a['x'].{}", "null"), "a predicate on what is undefined"),
    row(&["\"["], ("\"\"[$assert()].s", "[]"), "a predicate on a name in quotes"),
    row(&["% 0"], ("(2 % 0) ~> $boolean()", "null"), "the remainder of a division by zero counts as true"),
    row(&["$map($"], ("$map($sum, /b*/)", "null"), "a function where a text is due"),
    row(&["$@$"], ("$@$v.*", "[0]"), "a path that binds its context"),
    row(&[" < "], ("'\u{ffee}' < '\u{1f600}'", "null"), "texts are not compared by their UTF-16 units"),
    row(
        &["$f()"],
        ("($x := 5; $f := function() { $x }; $x := 6; $f())", "null"),
        "a function sees variables as they were",
    ),
    row(&["\\d"], ("$contains('\u{663}', /\\d/)", "null"), "digits of all scripts"),
    row(&["$decodeUrl("], ("$decodeUrl('%zz')", "null"), "malformed escapes; escapes of what a URL is made of"),
    row(&["//"], ("$match('a', //)", "null"), "the code for an empty regular expression"),
    row(&["/a"], ("/a", "null"), "the code for a regular expression without an end"),
    row(&["function() {", "{'n'"], ("(function() { $count(a){'n': $} })()", "null"), "grouping behind a last call"),
    row(&["a.b["], ("a.b[true]", r#"{"a":[{"b":1},{},{"b":2}]}"#), "a predicate on what is undefined"),
    row(&["}][0]."], ("[{'n': 1}][0].n", "null"), "a path from an array constructor with a predicate"),
];

/// Where we depart from the reference on purpose, because what it does is no more than an accident.
/// docs/decisions/0003-own-jsonata.md says more.
pub(crate) const OF_REFERENCE: &[Deviation] = &[
    row(&["?"], ("$map('x', $power(?, 2))", "null"), "a function with some arguments given does not check them"),
    row(&["(/"], ("(/a/)", "null"), "a regular expression behind a bracket is a division"),
    row(&["] /"], ("1[] / 3", "null"), "a division behind an empty predicate is a regular expression"),
    row(
        &["^(", "["],
        ("a#$v^(n)[n > 1]", r#"{"a":[{"n":1},{"n":2}]}"#),
        "a predicate behind an order-by of what is bound",
    ),
    row(
        &["^(", "{"],
        ("a#$v^(n){'k': n}", r#"{"a":[{"n":1},{"n":2}]}"#),
        "a grouping behind an order-by of what is bound",
    ),
    row(&["{", "#$"], ("a#$v{'x': n, 'y': n}", r#"{"a":{"n":1}}"#), "the second key of a grouping of what is bound"),
    row(
        &["{", "@$"],
        ("a{'x': n, 'y': n}.b@$v", r#"{"a":{"n":1,"b":1}}"#),
        "the second key of a grouping of what is bound",
    ),
    row(
        &["{", "%"],
        ("a.b.%{'x': n, 'y': n}", r#"{"a":{"n":1,"b":1}}"#),
        "the second key of a grouping of what is bound",
    ),
    row(&["{", "$$"], ("a{'x': $$}", r#"{"a":[]}"#), "grouping an empty array puts an item into the input"),
    row(
        &["function() {"],
        ("(function() { ($count(a))[$ = 0] })()", r#"{"n":1}"#),
        "predicates behind a last call are applied to a thunk",
    ),
    row(&["$base64"], ("$base64encode('𝄞')", "null"), "bytes of what base64 cannot take"),
    row(&["$fromMillis("], ("$fromMillis(1e21)", "null"), "a moment that there is none of"),
    row(&["~> $spread"], ("$keys ~> $spread()", "null"), "a function is an object with members"),
    row(&["$map($"], ("$map($count, /a/)", "null"), "a function has its source for a text"),
    row(
        &["$replace(", "function"],
        ("$replace('a', 'a', function($x) { 0 })", "null"),
        "a function has its source for a text",
    ),
    row(&["/"], ("$replace('𝄞', /[^a]/, 'x')", "null"), "half a character is a character"),
];

impl Deviation {
    /// Whether a small expression is one of these.
    pub(crate) fn holds(&self, expression: &str) -> bool {
        self.marks.iter().all(|mark| expression.contains(mark))
    }
}

fn check(rows: &[Deviation], other: &mut dyn Engine) {
    for row in rows {
        let (expression, input) = row.example;
        let input = Json::parse(input).expect("an input of the list is JSON");
        let (mine, theirs) = (ours(expression, Some(&input)), other.evaluate(expression, Some(&input)));
        assert!(row.holds(expression), "{expression} does not have the marks of its row: {}", row.reason);
        assert!(!mine.agrees(&theirs), "{expression}: both say {mine}, take it off the list: {}", row.reason);
    }
}

#[test]
fn what_is_known_to_differ_does() {
    check(OF_CORE, &mut Core);
    if let Some(mut reference) = Reference::at_hand() {
        check(OF_REFERENCE, &mut reference);
        for row in OF_CORE {
            let (expression, input) = row.example;
            let input = Json::parse(input).expect("an input of the list is JSON");
            let (mine, theirs) = (ours(expression, Some(&input)), reference.evaluate(expression, Some(&input)));
            // Where we depart from the reference, others may side with it.
            let on_purpose = OF_REFERENCE.iter().any(|row| row.holds(expression));
            assert!(
                on_purpose || mine.agrees(&theirs),
                "{expression}: ours {mine}, the reference {theirs}: {}",
                row.reason
            );
        }
    }
}
