//! Definition text to compiled definition.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use stepwell_asl::{Options, Source, compile};

const NAMES: [&str; 4] = ["JSONPath, 5 KB", "JSONata, 6 KB", "YAML, 3 KB", "JSON, 1 MB"];

fn text_of(name: &str) -> String {
    match name {
        "JSONPath, 5 KB" => include_str!("../../../examples/expense-approval/workflow.asl.json").to_owned(),
        "JSONata, 6 KB" => include_str!("../../../examples/order-fulfilment/workflow.asl.json").to_owned(),
        "YAML, 3 KB" => include_str!("../../../examples/report-polling/workflow.asl.yaml").to_owned(),
        _ => large_definition(),
    }
}

/// As many states as fit into the quota of one million characters.
fn large_definition() -> String {
    const STATES: usize = 4_000;
    let states: Vec<String> = (0..STATES)
        .map(|at| {
            format!(
                r#""State{at}": {{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {{"FunctionName": "f{at}", "Payload": {{"id.$": "$.order.id"}}}},
                "ResultPath": "$.r{at}", "Next": "State{}"}}"#,
                at + 1
            )
        })
        .collect();
    let end = format!(r#""State{STATES}": {{"Type": "Succeed"}}"#);
    format!(r#"{{"StartAt": "State0", "States": {{{},{end}}}}}"#, states.join(","))
}

#[divan::bench(args = NAMES)]
fn compile_text(bencher: Bencher<'_, '_>, name: &str) {
    let text = text_of(name);
    let read = |text: &str| if name.starts_with("YAML") { Source::yaml(text) } else { Source::json(text) };
    assert!(compile(&read(&text), &Options::default()).definition.is_some(), "the definition is right");
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| compile(&read(black_box(&text)), &Options::default()));
}
