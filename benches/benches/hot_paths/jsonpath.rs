//! Paths, reference paths, intrinsic functions and templates over a payload of 1.1 KB.

use divan::{Bencher, black_box};
use stepwell_benches::states;
use stepwell_json::Json;
use stepwell_jsonpath::{Path, ReferencePath, Scope, Template, ValueExpression};

const PATHS: [&str; 5] = [
    "$.input.orderId",
    "$.input.items[2].price",
    "$.input.items[*].sku",
    "$.input.items[?(@.price > 20 && @.qty < 4)].sku",
    "$..name",
];

const INTRINSICS: [&str; 3] = [
    "States.Format('order-{}-{}', $.input.orderId, $.context.State.RetryCount)",
    "States.ArrayLength($.input.items)",
    "States.Hash($.input.customer.email, 'SHA-256')",
];

const TEMPLATE: &str = r#"{
    "FunctionName": "charge-card",
    "Payload": {
        "order.$": "$.input.orderId",
        "customer.$": "$.input.customer",
        "started.$": "$$.Execution.StartTime",
        "key.$": "States.Format('{}/{}', $.input.orderId, $$.State.RetryCount)"
    }
}"#;

struct States(Json);

impl Scope for States {
    fn input(&self) -> &Json {
        &self.0
    }

    fn context(&self) -> Json {
        self.0.get("context").cloned().unwrap_or(Json::Null)
    }

    fn variable(&self, name: &str) -> Option<Json> {
        self.0.get(name).cloned()
    }

    fn draw(&self) -> u64 {
        0
    }
}

#[divan::bench(args = PATHS)]
fn parse(path: &str) -> Path {
    Path::parse(black_box(path)).expect("the path is right")
}

#[divan::bench(args = PATHS)]
fn read(bencher: Bencher<'_, '_>, path: &str) {
    let document = states();
    let path = Path::parse(path).expect("the path is right");
    bencher.bench_local(|| black_box(&path).read(&document));
}

#[divan::bench]
fn put(bencher: Bencher<'_, '_>) {
    let document = states();
    let place = ReferencePath::parse("$.input.customer.address.city").expect("the path is right");
    bencher.bench_local(|| black_box(&place).put(&document, Json::Null));
}

#[divan::bench(args = INTRINSICS)]
fn intrinsic(bencher: Bencher<'_, '_>, text: &str) {
    let scope = States(states());
    let expression = ValueExpression::parse(text).expect("the expression is right");
    bencher.bench_local(|| black_box(&expression).evaluate(&scope));
}

#[divan::bench]
fn compile_template(bencher: Bencher<'_, '_>) {
    let source = Json::parse(TEMPLATE).expect("the template is JSON");
    bencher.bench_local(|| Template::compile(black_box(&source)));
}

#[divan::bench]
fn evaluate_template(bencher: Bencher<'_, '_>) {
    let scope = States(states());
    let source = Json::parse(TEMPLATE).expect("the template is JSON");
    let template = Template::compile(&source).expect("the template is right");
    bencher.bench_local(|| black_box(&template).evaluate(&scope));
}
