//! Executions that make the program panic, by planted panics: who asked is told, nobody else notices, and after three
//! times such an execution is left alone, whatever becomes of the process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stepwell_json::Json;
use stepwell_server::{Settings, Time};

use crate::executions::{create, ended, json, quoted, text};
use crate::{Answer, Running};

const WAIT: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"End":true}}}"#;
const CALLBACK: &str = r#"{"StartAt":"T","States":{"T":{"Type":"Task","End":true,
    "Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters":{"QueueUrl":"http://localhost/000000000000/q","MessageBody.$":"$$.Task.Token"}}}}"#;

/// An empty data directory of this name.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

fn kept_in(directory: &Path) -> Running {
    Running::with(Settings { data: Some(directory.to_owned()), ..Settings::default() })
}

fn start(server: &Running, machine: &str, name: &str) -> Answer {
    server.call("StartExecution", &format!(r#"{{"stateMachineArn":"{machine}","name":"{name}"}}"#))
}

fn started(server: &Running, machine: &str, name: &str) -> String {
    text(&json(&start(server, machine, name)), "executionArn")
}

fn describe(server: &Running, execution: &str) -> Answer {
    server.call("DescribeExecution", &format!(r#"{{"executionArn":"{execution}"}}"#))
}

fn metric(server: &Running, name: &str) -> u64 {
    let page = server.get("/_stepwell/metrics").body;
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).expect(name);
    line.parse().expect("a number")
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_quarantined(server: &Running, execution: &str) -> bool {
    let shown = json(&describe(server, execution));
    assert_eq!(text(&shown, "status"), "RUNNING");
    shown.get("error").and_then(Json::as_str) == Some("Stepwell.Quarantined")
}

#[test]
fn one_that_panics_at_its_timer_is_left_alone_after_three_times_and_others_go_on() {
    let directory = directory("poison-timer");
    let server = kept_in(&directory);
    let machine = create(&server, "m", "STANDARD", WAIT);
    let healthy = started(&server, &machine, "healthy");
    let poison = started(&server, &machine, "poison-timer");
    assert_eq!(text(&ended(&server, &healthy), "status"), "SUCCEEDED");
    wait_until("it is left alone", || is_quarantined(&server, &poison));
    assert_eq!(metric(&server, "stepwell_quarantined_executions"), 1);
    assert_eq!(metric(&server, "stepwell_panics_total"), 3);
    let cause = text(&json(&describe(&server, &poison)), "cause");
    assert!(cause.contains("poison-timer is poison"), "{cause}");
    let after = started(&server, &machine, "after");
    assert_eq!(text(&ended(&server, &after), "status"), "SUCCEEDED");
    assert_eq!(metric(&server, "stepwell_panics_total"), 3);
    server.end().expect("ends well");

    // Another process of the same version leaves it alone too, until it is stopped.
    let server = kept_in(&directory);
    assert!(is_quarantined(&server, &poison));
    assert_eq!(metric(&server, "stepwell_panics_total"), 0);
    let history = json(&server.call("GetExecutionHistory", &format!(r#"{{"executionArn":"{poison}"}}"#)));
    assert_eq!(history.get("events").and_then(Json::as_array).map(|list| list.len()), Some(2));
    json(&server.call("StopExecution", &format!(r#"{{"executionArn":"{poison}","error":"E"}}"#)));
    let shown = json(&describe(&server, &poison));
    assert_eq!((&*text(&shown, "status"), &*text(&shown, "error")), ("ABORTED", "E"));
    assert_eq!(metric(&server, "stepwell_quarantined_executions"), 0);
    server.end().expect("ends well");
    let server = kept_in(&directory);
    assert_eq!(metric(&server, "stepwell_quarantined_executions"), 0);
    assert_eq!(text(&json(&describe(&server, &poison)), "status"), "ABORTED");
}

#[test]
fn a_panic_that_does_not_come_again_costs_nothing() {
    let server = Running::start();
    let machine = create(&server, "m", "STANDARD", WAIT);
    let execution = started(&server, &machine, "poison-twice-here");
    assert_eq!(text(&ended(&server, &execution), "status"), "SUCCEEDED");
    assert_eq!(metric(&server, "stepwell_panics_total"), 2);
    assert_eq!(metric(&server, "stepwell_quarantined_executions"), 0);
}

#[test]
fn whoever_starts_one_is_told_and_starts_that_only_panic_are_refused_at_last() {
    let server = Running::start();
    let machine = create(&server, "m", "STANDARD", WAIT);
    for number in 0..5 {
        let answer = start(&server, &machine, &format!("poison-start-{number}"));
        assert_eq!(answer.status, 500, "{answer:?}");
        assert!(answer.body.contains("InternalFailure"), "{answer:?}");
    }
    assert_eq!(metric(&server, "stepwell_panics_total"), 3);
    assert_eq!(start(&server, &machine, "healthy").status, 500);
    let other = create(&server, "n", "STANDARD", WAIT);
    let healthy = started(&server, &other, "healthy");
    assert_eq!(text(&ended(&server, &healthy), "status"), "SUCCEEDED");
    // An update is another revision.
    let body = format!(r#"{{"stateMachineArn":"{machine}","definition":{}}}"#, quoted(&WAIT.replace("\"W\"", "\"V\"")));
    json(&server.call("UpdateStateMachine", &body));
    assert_eq!(text(&ended(&server, &started(&server, &machine, "updated")), "status"), "SUCCEEDED");
}

#[test]
fn one_whose_answers_panic_refuses_its_token_at_last() {
    let server = Running::start();
    let queue = [("Host", "localhost"), ("X-Amz-Target", "AmazonSQS.CreateQueue")];
    assert_eq!(server.ask("POST", "/", &queue, br#"{"QueueName":"q"}"#).status, 200);
    let machine = create(&server, "m", "STANDARD", CALLBACK);
    let poison = started(&server, &machine, "poison-answer");
    let receive = [("Host", "localhost"), ("X-Amz-Target", "AmazonSQS.ReceiveMessage")];
    let received = json(&server.ask(
        "POST",
        "/",
        &receive,
        br#"{"QueueUrl":"http://localhost/000000000000/q","WaitTimeSeconds":20}"#,
    ));
    let message = received.get("Messages").and_then(Json::as_array).expect("a message")[0].clone();
    let answer = format!(r#"{{"taskToken":{},"output":"1"}}"#, quoted(&text(&message, "Body")));
    for _ in 0..5 {
        assert_eq!(server.call("SendTaskSuccess", &answer).status, 500);
    }
    assert_eq!(metric(&server, "stepwell_panics_total"), 3);
    assert!(is_quarantined(&server, &poison));
    assert!(server.call("SendTaskSuccess", &answer).body.contains("left alone"), "it says why");
}

#[test]
fn one_that_cannot_be_read_does_not_keep_the_server_from_starting() {
    let directory = directory("poison-load");
    let server = kept_in(&directory);
    let machine =
        create(&server, "m", "STANDARD", r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":9000,"End":true}}}"#);
    let (poison, healthy) = (started(&server, &machine, "poison-load"), started(&server, &machine, "healthy"));
    server.end().expect("ends well");
    let server = kept_in(&directory);
    assert_eq!(metric(&server, "stepwell_panics_total"), 3);
    assert_eq!(metric(&server, "stepwell_quarantined_executions"), 1);
    assert_eq!(text(&json(&describe(&server, &healthy)), "status"), "RUNNING");
    for _ in 0..5 {
        assert_eq!(describe(&server, &poison).status, 500);
    }
    assert_eq!(metric(&server, "stepwell_panics_total"), 6);
    let listed = json(&server.call("ListExecutions", &format!(r#"{{"stateMachineArn":"{machine}"}}"#)));
    assert_eq!(listed.get("executions").and_then(Json::as_array).map(|list| list.len()), Some(2));
}

#[test]
fn workers_and_others_that_wait_go_on() {
    let server = Running::start();
    let activity = text(&json(&server.call("CreateActivity", r#"{"name":"a"}"#)), "activityArn");
    let machine = create(&server, "m", "STANDARD", WAIT);
    std::thread::scope(|scope| {
        let poll = scope.spawn(|| server.call("GetActivityTask", &format!(r#"{{"activityArn":"{activity}"}}"#)));
        let poison = started(&server, &machine, "poison-timer-beside");
        let answer = poll.join().expect("no panic");
        assert_eq!(answer.status, 200, "{answer:?}");
        wait_until("it is left alone", || is_quarantined(&server, &poison));
    });
}

#[test]
fn children_end_without_a_parent_that_is_left_alone_and_it_stops_with_its_map_run() {
    let directory = directory("poison-parent");
    let server = kept_in(&directory);
    let map = r#"{"StartAt":"M","States":{"M":{"Type":"Map","Label":"run","MaxConcurrency":2,"ItemsPath":"$.items","End":true,
        "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"C",
        "States":{"C":{"Type":"Wait","Seconds":2,"End":true}}}}}}"#;
    let wait = WAIT;
    let machine = create(
        &server,
        "m",
        "STANDARD",
        &format!(r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","End":true,"Branches":[{wait},{map}]}}}}}}"#),
    );
    let body =
        format!(r#"{{"stateMachineArn":"{machine}","name":"poison-timer-parent","input":"{{\"items\":[1,2,3,4]}}"}}"#);
    let poison = text(&json(&server.call("StartExecution", &body)), "executionArn");
    wait_until("it is left alone", || is_quarantined(&server, &poison));
    let runs = json(&server.call("ListMapRuns", &format!(r#"{{"executionArn":"{poison}"}}"#)));
    let run = text(&runs.get("mapRuns").and_then(Json::as_array).expect("a run")[0], "mapRunArn");
    let children = |status: &str| {
        let listed = server.call("ListExecutions", &format!(r#"{{"mapRunArn":"{run}","statusFilter":"{status}"}}"#));
        json(&listed).get("executions").and_then(Json::as_array).map_or(0, |list| list.len())
    };
    wait_until("two children have ended", || children("SUCCEEDED") == 2);
    // It has started no more of them, and knows of none when it is stopped.
    assert_eq!(children("RUNNING"), 0);
    json(&server.call("StopExecution", &format!(r#"{{"executionArn":"{poison}"}}"#)));
    assert_eq!(text(&json(&describe(&server, &poison)), "status"), "ABORTED");
    let shown = json(&server.call("DescribeMapRun", &format!(r#"{{"mapRunArn":"{run}"}}"#)));
    assert_eq!(text(&shown, "status"), "ABORTED", "{shown}");
    assert_eq!(metric(&server, "stepwell_quarantined_executions"), 0);
    assert_eq!(metric(&server, "stepwell_panics_total"), 3);
    server.end().expect("ends well");
    let server = kept_in(&directory);
    assert_eq!(text(&json(&describe(&server, &poison)), "status"), "ABORTED");
}

#[test]
fn one_that_was_stopped_is_not_left_alone_again_when_another_panics() {
    let server = Running::start();
    let machine = create(&server, "m", "STANDARD", WAIT);
    let poison = started(&server, &machine, "poison-timer-stopped");
    wait_until("it is left alone", || is_quarantined(&server, &poison));
    json(&server.call("StopExecution", &format!(r#"{{"executionArn":"{poison}","error":"E"}}"#)));
    assert_eq!(start(&server, &machine, "poison-start-after").status, 500);
    let shown = json(&describe(&server, &poison));
    assert_eq!((&*text(&shown, "status"), &*text(&shown, "error")), ("ABORTED", "E"));
    assert_eq!(metric(&server, "stepwell_quarantined_executions"), 0);
}

#[test]
fn synchronous_executions_that_panic_are_gone_and_end_no_server() {
    let server = Running::with(Settings { time: Time::Skip, ..Settings::default() });
    let machine = create(&server, "m", "EXPRESS", WAIT);
    let wait_for = |name: &str| {
        server.call("StartSyncExecution", &format!(r#"{{"stateMachineArn":"{machine}","name":"{name}"}}"#))
    };
    for number in 0..7 {
        let answer = wait_for(&format!("poison-timer-{number}"));
        assert_eq!(answer.status, 500, "{answer:?}");
        assert!(answer.body.contains("InternalFailure"), "{answer:?}");
    }
    assert_eq!(metric(&server, "stepwell_panics_total"), 7);
    assert_eq!(text(&json(&wait_for("healthy")), "status"), "SUCCEEDED");
}

#[test]
fn one_that_panics_behind_its_end_shows_its_end_and_is_not_redriven() {
    let server = Running::start();
    let child = create(&server, "child", "STANDARD", WAIT);
    let parent = format!(
        r#"{{"StartAt":"N","States":{{"N":{{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2",
        "Parameters":{{"StateMachineArn":"{child}"}},"End":true}}}}}}"#
    );
    let parent = create(&server, "parent", "STANDARD", &parent);
    let poison = started(&server, &parent, "poison-answer-parent");
    json(&server.call("StopExecution", &format!(r#"{{"executionArn":"{poison}","error":"E"}}"#)));
    // Its child ends and tells it.
    wait_until("it has panicked three times", || metric(&server, "stepwell_panics_total") == 3);
    let shown = json(&describe(&server, &poison));
    assert_eq!((&*text(&shown, "status"), &*text(&shown, "error")), ("ABORTED", "E"));
    let redriven = server.call("RedriveExecution", &format!(r#"{{"executionArn":"{poison}"}}"#));
    assert!(redriven.status == 500 && redriven.body.contains("left alone"), "{redriven:?}");
}
