//! Whole executions in an engine in memory, to tell what one transition costs.
//!
//! A machine is a chain of 100 states of one kind and a Succeed state, over a payload of 1.1 KB; tasks are answered at once
//! and time is virtual. A hundredth of the time and of the allocations is one transition. `nothing` is a machine of a
//! Succeed state alone: what starting and ending an execution costs.

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use stepwell_asl::{Definition, Options, Source, WorkflowId, compile};
use stepwell_benches::{compact_states, states};
use stepwell_engine::{Answer, Dispatch, Engine, Transport, VirtualClock, run_to_end};
use stepwell_interpreter::{Identity, Moment, Settings, Start, Status, Tokens};
use stepwell_json::Json;
use stepwell_spec::Timestamp;

const TRANSITIONS: usize = 100;

const KINDS: [&str; 12] = [
    "nothing",
    "Pass",
    "Pass, path and template",
    "Pass, JSONata",
    "Choice",
    "Choice, JSONata",
    "Wait",
    "Task",
    "Task, JSONata",
    "Parallel of two",
    "Map of five",
    "Assign",
];

/// The fields of one state of the chain, without its `Next`.
fn fields_of(kind: &str) -> &'static str {
    match kind {
        "Pass" => r#""Type": "Pass""#,
        "Pass, path and template" => {
            r#""Type": "Pass", "InputPath": "$.input", "ResultPath": "$.chosen",
               "Parameters": {"id.$": "$.orderId", "fixed": {"a": 1}}"#
        }
        "Pass, JSONata" => {
            r#""Type": "Pass", "QueryLanguage": "JSONata",
               "Output": {"input": "{% $states.input.input %}", "context": "{% $states.input.context %}"}"#
        }
        "Wait" => r#""Type": "Wait", "Seconds": 60"#,
        "Task" => {
            r#""Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "ResultPath": "$.answer",
               "Parameters": {"FunctionName": "f", "Payload": {"id.$": "$.input.orderId"}}"#
        }
        "Task, JSONata" => {
            r#""Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "QueryLanguage": "JSONata",
               "Arguments": {"FunctionName": "f", "Payload": {"id": "{% $states.input.input.orderId %}"}},
               "Output": "{% $states.input %}""#
        }
        "Parallel of two" => {
            r#""Type": "Parallel", "ResultPath": null, "Branches": [
               {"StartAt": "L#", "States": {"L#": {"Type": "Pass", "End": true}}},
               {"StartAt": "R#", "States": {"R#": {"Type": "Pass", "End": true}}}]"#
        }
        "Map of five" => {
            r#""Type": "Map", "ItemsPath": "$.input.items", "ResultPath": "$.each",
               "ItemProcessor": {"StartAt": "I#", "States": {"I#": {"Type": "Pass", "End": true}}}"#
        }
        "Assign" => r#""Type": "Pass", "Assign": {"id.$": "$.input.orderId", "first.$": "$.input.items[0]"}"#,
        other => unreachable!("{other} is no kind of KINDS"),
    }
}

fn definition_of(kind: &str) -> String {
    let state = |at: usize| {
        let next = format!("S{}", at + 1);
        let fields = match kind {
            "Choice" => format!(
                r#""Type": "Choice", "Default": "S0", "Choices": [
                   {{"Variable": "$.input.status", "StringEquals": "NO", "Next": "S0"}},
                   {{"Variable": "$.input.items[0].price", "NumericGreaterThan": 3, "Next": "{next}"}}]"#
            ),
            "Choice, JSONata" => format!(
                r#""Type": "Choice", "QueryLanguage": "JSONata", "Default": "S0", "Choices": [
                   {{"Condition": "{{% $states.input.input.status = 'NO' %}}", "Next": "S0"}},
                   {{"Condition": "{{% $states.input.input.items[0].price > 3 %}}", "Next": "{next}"}}]"#
            ),
            // State names are unique in the whole machine, so those inside carry the number of the state around them.
            kind => format!(r#"{}, "Next": "{next}""#, fields_of(kind).replace('#', &at.to_string())),
        };
        format!(r#""S{at}": {{{fields}}}"#)
    };
    let length = if kind == "nothing" { 0 } else { TRANSITIONS };
    let end = format!(r#""S{length}": {{"Type": "Succeed"}}"#);
    let states: Vec<String> = (0..length).map(state).chain([end]).collect();
    format!(r#"{{"StartAt": "S0", "States": {{{}}}}}"#, states.join(",\n"))
}

struct AnswersAtOnce(Json);

impl Transport for AnswersAtOnce {
    fn run(&mut self, _: &Dispatch<'_>) -> Answer {
        Answer::Succeeded(self.0.clone())
    }
}

fn compiled(text: &str) -> Arc<Definition> {
    let compilation = compile(&Source::json(text), &Options::default());
    match compilation.definition {
        Some(definition) => Arc::new(definition),
        None => panic!("the definition is right: {:?}", compilation.diagnostics),
    }
}

fn start(definition: Arc<Definition>) -> Start {
    Start {
        definition,
        workflow: WorkflowId::ROOT,
        identity: Arc::new(Identity {
            arn: "arn:aws:states:us-east-1:123456789012:execution:bench:run".into(),
            name: "run".into(),
            role_arn: "arn:aws:iam::123456789012:role/bench".into(),
            state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:bench".into(),
            state_machine_name: "bench".into(),
            state_machine_version_arn: None,
            state_machine_alias_arn: None,
            region: "us-east-1".into(),
        }),
        settings: Settings::standard(),
        tokens: Tokens::default(),
        input: states(),
        input_text: Some(compact_states().into()),
    }
}

#[divan::bench(args = KINDS)]
fn chain(bencher: Bencher<'_, '_>, kind: &str) {
    let start = start(compiled(&definition_of(kind)));
    let answer = Json::object([("Payload", Json::string("done"))]);
    let began = Moment { now: Timestamp(1_793_614_500_000), entropy: 7 };
    let transitions: usize = if kind == "nothing" { 1 } else { TRANSITIONS };
    bencher.counter(ItemsCount::new(transitions)).bench_local(|| {
        let mut engine = Engine::new();
        let mut clock = VirtualClock::new(began);
        let mut transport = AnswersAtOnce(answer.clone());
        let mut observer = |_, record: &stepwell_spec::Record| {
            black_box(record);
        };
        let ended = run_to_end(&mut engine, start.clone(), &mut transport, &mut clock, &mut observer);
        let execution = ended.ok().and_then(|id| engine.execution(id));
        assert!(execution.is_some_and(|execution| matches!(execution.status, Status::Succeeded(_))), "it succeeds");
    });
}
