//! `stepwell run --function`: a workflow with its real functions, in Python, and no server.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::{Ran, Scratch, stepwell};

/// Greets, takes its time, or breaks.
const FUNCTION: &str = "import time\n\nclass Broken(Exception):\n    pass\n\n\
    def lambda_handler(event, context):\n    if event.get('break'):\n        raise Broken(event['break'])\n    \
    time.sleep(event.get('seconds', 0))\n    return {'greeting': 'hello ' + event.get('name', '')}\n";

/// A workflow of one state and a function beside it; both are gone with the value.
struct Case {
    workflow: Scratch,
    function: Scratch,
}

impl Case {
    fn new(definition: &str) -> Case {
        let workflow = Scratch::new("workflow.asl.json", definition);
        Case { workflow, function: Scratch::new("lambda_function.py", FUNCTION) }
    }

    fn directory(&self) -> PathBuf {
        self.function.0.parent().expect("a folder").to_owned()
    }

    fn run(&self, args: &[&str]) -> Ran {
        let function = format!("greet={}", self.directory().display());
        stepwell(&[&["run", self.workflow.path(), "--function", &function], args].concat())
    }
}

fn invoke(name: &str, payload: &str) -> String {
    format!(
        r#"{{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{{"FunctionName":"{name}","Payload":{payload}}},"OutputPath":"$.Payload","End":true}}"#
    )
}

fn one(state: &str) -> String {
    format!(r#"{{"StartAt":"S","States":{{"S":{state}}}}}"#)
}

#[test]
fn a_task_gets_what_its_function_returns() {
    let by_arn = r#"{"Type":"Task","Resource":"arn:aws:lambda:eu-west-1:123456789012:function:greet","End":true}"#;
    for state in [&invoke("greet", r#"{"name":"Ada"}"#), by_arn] {
        let ran = Case::new(&one(state)).run(&["--input", r#"{"name":"Ada"}"#]);
        assert_eq!((ran.code, ran.stdout.trim()), (0, r#"{"greeting":"hello Ada"}"#), "{}", ran.stderr);
    }
}

#[test]
fn an_exception_is_an_error_to_catch_and_retries_take_no_time() {
    let state = r#"{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"greet","Payload":{"break":"no well"}},
        "Retry":[{"ErrorEquals":["Broken"],"IntervalSeconds":3600,"MaxAttempts":2}],"End":true}"#;
    let began = Instant::now();
    let ran = Case::new(&one(state)).run(&[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("FAILED Broken: {"), "{}", ran.stderr);
    assert!(ran.stderr.contains("no well"), "{}", ran.stderr);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn branches_call_functions_at_the_same_time() {
    let call = invoke("greet", r#"{"name":"all","seconds":2}"#);
    let branch = |name: &str| format!(r#"{{"StartAt":"{name}","States":{{"{name}":{call}}}}}"#);
    let branches = ["A", "B", "C", "D"].map(branch).join(",");
    let state = format!(r#"{{"Type":"Parallel","Branches":[{branches}],"End":true}}"#);
    let began = Instant::now();
    let ran = Case::new(&one(&state)).run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.matches("hello all").count(), 4);
    // One after the other they would take eight seconds; how long a start takes is the machine's affair.
    let sooner = began.elapsed();
    assert!(sooner < Duration::from_secs(60), "{sooner:?}");
}

#[test]
fn what_no_function_answers_is_for_the_mocks_or_refused() {
    let ran = Case::new(&one(&invoke("other", "{}"))).run(&[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("it has no mock"), "{}", ran.stderr);
    let token =
        invoke("greet", r#"{"token.$":"$$.Task.Token"}"#).replace("lambda:invoke", "lambda:invoke.waitForTaskToken");
    let ran = Case::new(&one(&token)).run(&[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("stepwell serve"), "{}", ran.stderr);
    let none = Scratch::new("read.me", "nothing to run");
    let folder = format!("greet={}", none.0.parent().expect("a folder").display());
    let ran = stepwell(&["run", Case::new(&one(&invoke("greet", "{}"))).workflow.path(), "--function", &folder]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("lambda_function.py"), "{}", ran.stderr);
}
