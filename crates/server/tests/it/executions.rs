//! State machines and executions over HTTP: from create to history, with mocks, under skipped time, and with clients that
//! wait.

use std::io::{Read, Write};
use std::path::Path;

use stepwell_json::Json;
use stepwell_server::{Settings, Time};

use crate::{Answer, Running};

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

fn skipping() -> Running {
    Running::with(Settings { time: Time::Skip, ..Settings::default() })
}

pub(crate) fn json(answer: &Answer) -> Json {
    assert_eq!(answer.status, 200, "{answer:?}");
    Json::parse(&answer.body).expect("JSON")
}

pub(crate) fn text(json: &Json, key: &str) -> String {
    json.get(key).and_then(Json::as_str).unwrap_or_else(|| panic!("no {key} in {json}")).to_owned()
}

pub(crate) fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// The ARN of a new state machine.
pub(crate) fn create(server: &Running, name: &str, kind: &str, definition: &str) -> String {
    let body = format!(r#"{{"name":"{name}","type":"{kind}","roleArn":"{ROLE}","definition":{}}}"#, quoted(definition));
    text(&json(&server.call("CreateStateMachine", &body)), "stateMachineArn")
}

pub(crate) fn start(server: &Running, machine: &str) -> String {
    text(&json(&server.call("StartExecution", &format!(r#"{{"stateMachineArn":"{machine}"}}"#))), "executionArn")
}

/// The execution once it has ended, as `DescribeExecution` shows it.
pub(crate) fn ended(server: &Running, execution: &str) -> Json {
    loop {
        let shown = json(&server.call("DescribeExecution", &format!(r#"{{"executionArn":"{execution}"}}"#)));
        if text(&shown, "status") != "RUNNING" {
            return shown;
        }
        std::thread::yield_now();
    }
}

#[test]
fn from_create_to_history() {
    let server = Running::start();
    let machine =
        create(&server, "m", "STANDARD", r#"{"StartAt":"P","States":{"P":{"Type":"Pass","Result":7,"End":true}}}"#);
    assert_eq!(machine, "arn:aws:states:us-east-1:000000000000:stateMachine:m");
    let execution = start(&server, &machine);
    assert_eq!(text(&ended(&server, &execution), "output"), "7");
    let history = json(&server.call("GetExecutionHistory", &format!(r#"{{"executionArn":"{execution}"}}"#)));
    let events = history.get("events").and_then(Json::as_array).expect("events");
    let types: Vec<String> = events.iter().map(|event| text(event, "type")).collect();
    assert_eq!(types, ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]);
}

#[test]
fn a_year_passes_at_once_when_time_is_skipped() {
    let server = skipping();
    let wait = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":31000000,"End":true}}}"#;
    let machine = create(&server, "m", "STANDARD", wait);
    let shown = ended(&server, &start(&server, &machine));
    let seconds = |key: &str| shown.get(key).and_then(Json::as_f64).expect("a time");
    assert!(seconds("stopDate") - seconds("startDate") >= 31_000_000.0, "{shown}");
}

#[test]
fn a_test_case_answers_its_tasks_and_time_goes_on_behind_them() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("executions-mocks.json");
    let mocks = r#"{"StateMachines":{"m":{"TestCases":{"c":{"T":"R"}}}},
        "MockedResponses":{"R":{"0":{"Throw":{"Error":"E","Cause":"C"}},"1":{"Return":{"Payload":"done"}}}}}"#;
    std::fs::write(&file, mocks).expect("a file");
    let server = Running::with(Settings { time: Time::Skip, mocks: Some(file), ..Settings::default() });
    let definition = r#"{"StartAt":"T","States":{
        "T":{"Type":"Task","Resource":"arn:aws:states:::glue:startJobRun","Parameters":{"JobName":"j"},
             "Retry":[{"ErrorEquals":["E"],"IntervalSeconds":3600}],"OutputPath":"$.Payload","Next":"W"},
        "W":{"Type":"Wait","Seconds":3600,"End":true}}}"#;
    let machine = create(&server, "m", "STANDARD", definition);
    let shown = ended(&server, &start(&server, &format!("{machine}#c")));
    assert_eq!((text(&shown, "status"), text(&shown, "output")), ("SUCCEEDED".to_owned(), "\"done\"".to_owned()));
    let shown = ended(&server, &start(&server, &machine));
    assert_eq!((text(&shown, "status"), text(&shown, "error")), ("FAILED".to_owned(), "States.TaskFailed".to_owned()));
    assert!(text(&shown, "cause").contains("no service is configured"), "{shown}");
}

#[test]
fn a_synchronous_execution_is_answered_when_it_ends() {
    let server = skipping();
    let wait = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":200,"End":true}}}"#;
    let machine = create(&server, "m", "EXPRESS", wait);
    let answer = json(&server.call("StartSyncExecution", &format!(r#"{{"stateMachineArn":"{machine}"}}"#)));
    assert_eq!(text(&answer, "status"), "SUCCEEDED");
}

/// A worker that left must not be given the task: it goes to the one that comes after.
#[test]
fn a_worker_that_leaves_loses_its_place() {
    let server = Running::start();
    let activity = text(&json(&server.call("CreateActivity", r#"{"name":"a"}"#)), "activityArn");
    let poll = format!(r#"{{"activityArn":"{activity}"}}"#);
    let mut left = server.connect();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: \
         AWSStepFunctions.GetActivityTask\r\nContent-Length: {}\r\n\r\n{poll}",
        poll.len()
    );
    left.write_all(head.as_bytes()).expect("the request is taken");
    drop(left);
    let definition =
        format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{activity}","End":true}}}}}}"#);
    let machine = create(&server, "m", "STANDARD", &definition);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| json(&server.call("GetActivityTask", &poll)));
        let execution = start(&server, &machine);
        let token = text(&worker.join().expect("no panic"), "taskToken");
        let done = format!(r#"{{"taskToken":{},"output":"1"}}"#, quoted(&token));
        assert_eq!(server.call("SendTaskSuccess", &done).status, 200);
        assert_eq!(text(&ended(&server, &execution), "output"), "1");
    });
}

#[test]
fn a_state_is_tested_without_a_trace() {
    let server = Running::start();
    let state = r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","ResultPath":"$.sent","Next":"Then"}"#;
    let mock = r#"{"result":"{\"MessageId\":\"m\"}"}"#;
    let body = format!(r#"{{"definition":{},"input":"{{\"n\":1}}","mock":{mock}}}"#, quoted(state));
    let answer = json(&server.call("TestState", &body));
    assert_eq!(text(&answer, "output"), r#"{"n":1,"sent":{"MessageId":"m"}}"#);
    assert_eq!((text(&answer, "status"), text(&answer, "nextState")), ("SUCCEEDED".to_owned(), "Then".to_owned()));
    let machines = json(&server.call("ListStateMachines", "{}"));
    assert!(machines.get("stateMachines").and_then(Json::as_array).is_some_and(|list| list.is_empty()));
}

/// What is being answered when the server is asked to end is answered, and nothing new is.
#[test]
fn the_end_waits_for_answers() {
    let server = Running::start();
    let wait = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"End":true}}}"#;
    let machine = create(&server, "m", "EXPRESS", wait);
    let body = format!(r#"{{"stateMachineArn":"{machine}"}}"#);
    let mut waiting = server.connect();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: \
         AWSStepFunctions.StartSyncExecution\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    waiting.write_all(head.as_bytes()).expect("the head is taken");
    // The server asks for the body, so the request is being answered.
    let mut go_on = [0; 25];
    waiting.read_exact(&mut go_on).expect("an answer");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let address = server.address;
    let ending = std::thread::spawn(move || server.end());
    while std::net::TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    waiting.write_all(body.as_bytes()).expect("the body is taken");
    let answer = Answer::read(waiting);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("SUCCEEDED"), "{answer:?}");
    assert_eq!(ending.join().expect("no panic"), Ok(()));
}
