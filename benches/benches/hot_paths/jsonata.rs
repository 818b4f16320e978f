//! The nine expressions that `jsonata-reference/measure.mjs` measures with the reference, over the same `$states`.

use divan::{Bencher, black_box};
use stepwell_benches::{expressions, states};
use stepwell_jsonata::{Environment, Expression, Limits};

const NAMES: [&str; 9] =
    ["path", "condition", "sum", "object", "map-merge", "text", "filter-sort", "dates", "fibonacci"];

fn text_of(name: &str) -> String {
    let found = expressions().into_iter().find(|(known, _)| known == name);
    found.map(|(_, text)| text).expect("the name is one of expressions.json")
}

#[divan::bench(args = NAMES)]
fn compile(bencher: Bencher<'_, '_>, name: &str) {
    let text = text_of(name);
    bencher.bench_local(|| Expression::parse(black_box(&text)));
}

#[divan::bench(args = NAMES)]
fn evaluate(bencher: Bencher<'_, '_>, name: &str) {
    let expression = Expression::parse(&text_of(name)).expect("the expression is right");
    let states = states();
    bencher.bench_local(|| {
        black_box(&expression).evaluate(&Environment {
            input: None,
            variables: &|name| (name == "states").then(|| states.clone()),
            now_ms: 1_793_614_500_000,
            draw: &|| 0,
            limits: Limits::default(),
        })
    });
}
