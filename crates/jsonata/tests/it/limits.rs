//! No expression hangs or kills: each bomb ends in its error, on a stack of 2 MiB.

use stepwell_json::Json;
use stepwell_jsonata::{Environment, Error, Expression, Limits, Outcome};

/// What a thread of the engine has, and what debug builds must do with as well.
const STACK_BYTES: usize = 2 << 20;

fn run(text: &str, limits: Limits) -> Result<Outcome, Error> {
    let text = text.to_owned();
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let expression = Expression::parse(&text)?;
        let environment = Environment { input: None, variables: &|_| None, now_ms: 0, draw: &|| 7, limits };
        expression.evaluate(&environment)
    });
    thread.expect("a thread").join().expect("no panic and no overflow")
}

/// Runs a bomb and expects one of these codes, separated by `|`.
fn check(text: &str, codes: &str) {
    let shown: String = text.chars().take(80).collect();
    let start = std::time::Instant::now();
    match run(text, Limits::default()) {
        Err(error) => {
            assert!(codes.split('|').any(|code| code == error.code), "{shown}: {error}, not {codes}");
            println!("{:>6} ms  {}  {shown}", start.elapsed().as_millis(), error.code);
        }
        Ok(outcome) => {
            let outcome: String = format!("{outcome:?}").chars().take(80).collect();
            panic!("{shown}: {outcome}, not {codes}")
        }
    }
}

#[test]
fn recursion_without_end_is_too_deep() {
    for text in [
        "($f := function($n) { 1 + $f($n) }; $f(1))",
        "($f := function($n) { [$f($n)] }; $f(1))",
        "($f := function($n) { {'a': $f($n)} }; $f(1))",
        "($f := function($n) { ($f($n); 1) }; $f(1))",
        "($f := function($n) { $n.($f($n)).a }; $f({'a': 1}))",
        "($f := function($n) { [1][$f($n)] }; $f(1))",
        "($f := function($n) { $n{'a': $f($n)} }; $f(1))",
        "($f := function($n) { [1, 2]^($f($n)) }; $f(1))",
        "($f := function($n) { [1, 2]@$x.($f($x)) }; $f(1))",
        "($f := function($n) { $map([1], $f) & '' }; $f(1))",
        "($f := function($n) { $map([1], function($x) { $f($x) & '' }) & '' }; $f(1))",
        "($f := function($n) { $filter([1], $f) & '' }; $f(1))",
        "($f := function($n, $m) { $reduce([1, 2], $f) & '' }; $f(1, 2))",
        "($f := function($n) { $sort([1, 2], $f) & '' }; $f(1))",
        "($f := function($n) { $each({'a': 1}, $f) & '' }; $f(1))",
        "($f := function($n) { $sift({'a': 1}, $f) & '' }; $f(1))",
        "($f := function($n) { $single([1], $f) & '' }; $f(1))",
        "($f := function($n) { $replace('a', /a/, $f) & '' }; $f(1))",
        "($f := function($n) { $contains('a', $f) & '' }; $f(1))",
        "($f := function($n) { ({'a': 1} ~> |$|{'b': $f($n)}|) & '' }; $f(1))",
        "($f := function($n) { ($n ~> $f) & '' }; $f(1))",
        "($f := function($n) { ($f(?))($n) & '' }; $f(1))",
        "($f := function($n) { $n ? ($f($n) ? 1 : 2) : 3 }; $f(1))",
        "($f := function($n) { $n.a.b.(%.($f($$))) & '' }; $f({'a': {'b': 1}}))"
            .replace("$$", "{'a': {'b': 1}}")
            .as_str(),
        "($f := function($n) { $f($n) ?? 1 }; $f(1))",
        "($f := function($n) { -$f($n) }; $f(1))",
    ] {
        check(text, "D1011");
    }
}

#[test]
fn values_without_end_are_too_deep() {
    for text in [
        "($f := function($x, $n) { $n = 0 ? $x : $f([[$x], [$x]], $n - 1) }; $f(1, 5000))",
        "($f := function($x, $n) { $n = 0 ? $x : $f({'a': $x}, $n - 1) }; $f(1, 5000))",
        "($f := function($x, $n) { $n = 0 ? $x : $f({'a': $x, 'f': $sum}, $n - 1) }; $f(1, 5000))",
        "($f := function($x, $n) { $n = 0 ? $x : $f($x ~> $string, $n - 1) }; $f($string, 5000))",
        "($f := function($x, $n) { $n = 0 ? $x : $f($x(?), $n - 1) }; $f($string, 5000))",
        "($f := function($x, $n) { $n = 0 ? $x : $f($append([[$x]], [[$x]]), $n - 1) }; $f(1, 5000))",
        "($f := function($x, $n) { $n = 0 ? $x : $f($zip([$x], [$x]), $n - 1) }; $f(1, 5000))",
        "($f := function($x, $n) { $n = 0 ? $x : $f($x.(function($y) { 1 }), $n - 1) }; $f({'a': $sum}, 5000))",
    ] {
        // Doubling what it holds, a value is also soon too large to be written out.
        check(text, "D1011|D1013");
    }
}

#[test]
fn a_long_chain_of_closures_is_dropped_in_a_loop() {
    let chain = "($f := function($g, $n) { $n = 0 ? 1 : $f(function() { $g() }, $n - 1) }; $f($sum, 20000))";
    assert_eq!(run(chain, Limits::default()), Ok(Outcome::Value(Json::from(1))));
}

#[test]
fn loops_without_end_take_too_many_steps() {
    for text in [
        "($f := function() { $f() }; $f())",
        "($f := function($n) { $n > 0 ? $f($n) : $g($n) }; $g := function($n) { $f($n) }; $f(1))",
        "($n := [1..10000]; $n[$ in $n])",
        "($s := $pad('', 100000, 'a'); [1..100000].$contains($s, /a*b/))",
        "($s := $pad('', 100000, 'a'); $match($s, /a.*?b|a/))",
        "($s := $pad('', 1000000, 'ab'); $replace($s, /(a|b)(a|b){1000}c/, ''))",
        "($s := $pad('', 1000000, 'ab'); [1..100000].$length($s))",
        "($s := $pad('', 1000000, 'ab'); [1..100000].$contains($s, 'abb'))",
    ] {
        check(text, "D1012");
    }
}

#[test]
fn large_values_take_too_much_memory() {
    for text in [
        "$pad('x', 500000000)",
        "$pad('x', 1e300)",
        "$range(1, 1e12, 1)",
        "$range(0, 1, 1e-300)",
        "[[1..9999999], 1]",
        "$reverse([1..9999999])",
        "$formatInteger(1e300, 'I')",
        "($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f('0123456789', 60))",
        "($f := function($s, $n) { $n = 0 ? $s : $f($append($s, $s), $n - 1) }; $f([1, 2, 3], 60))",
        "($f := function($s, $n) { $n = 0 ? $s : $f($join([$s, $s], $s), $n - 1) }; $f('0123456789', 60))",
        "($f := function($s, $n) { $n = 0 ? $s : $f($replace($s, '0', $s), $n - 1) }; $f('0123456789000', 60))",
    ] {
        check(text, "D1013");
    }
}

/// These meet one limit or the other, whichever comes first.
#[test]
fn work_without_end_ends() {
    for text in [
        "($f := function($n) { ($x := $n + 1; $f($x)) }; $f(1))",
        "($n := [1..100000]; $n.($n))",
        "[1..10000000].($ + 1)",
        "$sum([1..10000000])",
        "$string([1..10000000])",
        "$join([1..10000000].$string())",
        "$distinct([1..10000000])",
        "$shuffle([1..10000000])",
        "$zip([1..10000000], [1..10000000])",
        "$partition([1..10000000], 1)",
        "$spread([1..10000000].{'a': $})",
        "$keys([1..10000000].{'a': $})",
        "$merge([1..1000000].{$string($): $})",
        "[1..1000000]{$string($): $}",
        "[1..1000000]^(>$)",
        "$sort([1..1000000], function($a, $b) { $a < $b })",
        "[1..10000000][$ = 0]",
        "[1..10000000][[1..10000000]]",
        "$map([1..1000000], function($x) { $map([1..1000000], function($y) { $y }) })",
        "$reduce([1..1000000], function($x, $y) { $append($x, $y) })",
        "$reduce([1..1000000], function($x, $y) { $x & $string($y) })",
        "($a := [1..100000].{'a': $}; $a[$ in $a])",
        "($a := [1..1000].{'a': $}; $a@$x.$a@$y.$a@$z[$x = $z].$y)",
        "($a := [1..1000].{'a': $}; $a ~> |**|{'b': $$}|; $a ~> |$|{'b': [1..1000].$a}|)",
        "($f := function($s, $n) { $n = 0 ? $s : $f([$s, $s], $n - 1) }; $f([1, 2, 3], 60)) ~> $string()",
        "($f := function($s, $n) { $n = 0 ? $s : $f({'a': $s, 'b': $s}, $n - 1) }; $f({'x': 1}, 60)) ~> $string()",
        "($f := function($s, $n) { $n = 0 ? $s : $f({'a': $s, 'b': $s}, $n - 1) }; $f({'x': 1}, 60)).**",
        "($f := function($s, $n) { $n = 0 ? $s : $f({'a': $s, 'b': $s}, $n - 1) }; $f({'x': 1}, 60)) ~> |**|{'c': 1}|",
        "($f := function($s, $n) { $n = 0 ? $s : $f({'a': $s, 'b': $s}, $n - 1) }; $f({'x': 1}, 60) = $f({'x': 1}, 60))",
        "($f := function($s, $n) { $n = 0 ? $s : $f([[$s], [$s]], $n - 1) }; $boolean($f([0], 60)))",
        "($f := function($s, $n) { $n = 0 ? $s : $f([[$s], [$s]], $n - 1) }; $distinct([$f([0], 60), $f([0], 60)]))",
        "($f := function($s, $n) { $n = 0 ? $s : $f([[$s], [$s]], $n - 1) }; {'a': $f([0], 60)})",
        "($f := function($s, $n) { $n = 0 ? $s : $f([[$s], [$s]], $n - 1) }; $f([0], 60))",
        "$fromMillis(0, '[Y,1000]') & $pad('', 1e9)",
        "$formatNumber(1, $pad('', 1000000, '0'))",
        "[1..100000].$formatNumber(1, $pad('', 10000, '0'))",
        "[1..1000000].$toMillis('2020', '[Y]')",
        "[1..1000000].$fromMillis($, '[Y] [MNn] [D] [FNn]')",
        "[1..1000000].$formatInteger($, 'w')",
        "[1..1000000].$hash($string($), 'SHA-512')",
        "[1..1000000].$uuid()",
        "[1..1000000].$parse('[1,2,3]')",
        "($s := '[' & $join([1..100000].$string(), ',') & ']'; [1..100000].$parse($s))",
        "($s := $pad('', 1000000, 'ab'); [1..1000].$hash($s, 'SHA-512'))",
        "($s := $pad('', 1000000, 'ab'); [1..1000].$uppercase($s))",
        "($s := $pad('', 1000000, 'ab'); $split($s, ''))",
        "($s := $pad('', 1000000, 'ab'); [1..1000].$base64encode($s))",
        "($s := $pad('', 1000000, '+'); [1..1000].$encodeUrlComponent($s))",
    ] {
        check(text, "D1011|D1012|D1013");
    }
}

#[test]
fn text_too_long_or_nested_too_deeply_is_refused() {
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
    for text in [
        nested("(", ")"),
        nested("[", "]"),
        nested("{'a':", "}"),
        nested("$f(", ")"),
        nested("function(){", "}"),
        nested("-", ""),
        nested("1 + (", ")"),
        nested("a[", "]"),
        nested("$x ? ", ""),
        nested("$x := ", ""),
        nested("|a|", "|"),
        nested("a ?? ", ""),
        format!("1{}", " + 1".repeat(20_000)),
        format!("a{}", ".a".repeat(20_000)),
        format!("a{}", "[0]".repeat(20_000)),
        format!("$f{}", "()".repeat(20_000)),
        format!("'{}'", "x".repeat(300_000)),
    ] {
        check(&text, "U1002");
    }
    check(&"(".repeat(100_000), "U1002");
}

#[test]
fn as_deep_as_the_parser_allows_runs() {
    // Without optimization the stack ends before the parser's own bound.
    let share = if cfg!(debug_assertions) { 4 } else { 1 };
    let nested = |open: &str, close: &str, times: usize| {
        format!("{}1{}", open.repeat(times / share), close.repeat(times / share))
    };
    for text in [
        nested("(", ")", 250),
        nested("[", "]", 250),
        nested("{'a':", "}", 250),
        nested("1 + (", ")", 125),
        nested("$string(", ")", 250),
        nested("function(){", "}", 250),
        nested("-", "", 250),
        nested("a ?? ", "", 250),
    ] {
        let outcome = run(&text, Limits::default());
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

#[test]
fn large_patterns_are_refused() {
    for text in ["$match('a', /(a{1000}){1000}/)".to_owned(), format!("$match('a', /{}/)", "a".repeat(5000))] {
        check(&text, "S0304");
    }
    for text in ["/a(?=b)/", "/(?<!a)b/", "/(a)\\1/"] {
        check(text, "S0303");
    }
}

#[test]
fn limits_are_counted_alike_every_time() {
    // The fewest steps with which an expression ends are the same for every run.
    let text = "$sum($map([1..50], function($x) { $x * $x })) & $join(['a', 'b'], '-')";
    let enough = |steps| run(text, Limits { steps, ..Limits::default() }).is_ok();
    let fewest = (1..10_000).find(|steps| enough(*steps)).expect("it ends");
    for _ in 0..5 {
        assert!(enough(fewest) && !enough(fewest - 1));
    }
}
