//! What listeners are told of executions: written down, and held against what AWS wrote to CloudWatch Logs.
//!
//! ```text
//! # what is shown
//! run {…}            a state machine's type, logging configuration and definition, and the input of an execution
//! log {…}            a message for its log group
//! change {…}         a change of its status, as the detail of the event
//! ```
//!
//! `STEPWELL_GOLDEN=update` writes what is told now: read the difference like code.

use std::fmt::Write;
use std::path::PathBuf;

use stepwell_api::{Heard, Notice};
use stepwell_json::{Json, ObjectBuilder};

use crate::conformance::{files, filled};
use crate::world::World;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/notices.txt");

const GROUP: &str = "arn:aws:logs:us-east-1:000000000000:log-group:g:*";

#[test]
fn what_happens_is_told_as_written_down() {
    let text = std::fs::read_to_string(FILE).expect("the cases");
    let (mut actual, mut count) = (String::new(), 0);
    for line in text.lines() {
        let Some(case) = line.strip_prefix("run ") else {
            if !line.starts_with("log ") && !line.starts_with("change ") {
                writeln!(actual, "{line}").expect("a string takes text");
            }
            continue;
        };
        writeln!(actual, "{line}").expect("a string takes text");
        for notice in run(&Json::parse(case).expect(line), Heard { log_events: true, status_changes: true }) {
            let told = match notice {
                Notice::LogEvent(event) => {
                    assert_eq!(&*event.log_group_arn, GROUP);
                    assert_eq!(event.log_stream_name, "states/m/2023-11-14-22-13/00000000");
                    let timestamp = event.message.get("event_timestamp").and_then(Json::as_str);
                    assert_eq!(timestamp, Some(event.timestamp.0.to_string().as_str()));
                    format!("log {}", event.message)
                }
                Notice::StatusChange(change) => format!("change {}", change.detail),
            };
            writeln!(actual, "{told}").expect("a string takes text");
        }
        count += 1;
    }
    if std::env::var("STEPWELL_GOLDEN").is_ok_and(|wish| wish == "update") {
        std::fs::write(FILE, &actual).expect("the cases can be written");
    } else {
        for (is, ought) in actual.lines().zip(text.lines()) {
            assert_eq!(is, ought);
        }
        assert_eq!(actual, text);
    }
    assert!(count >= 12, "{count}");
}

/// Creates a state machine `m`, runs an execution `e` of it to its end, and gives back what was told.
fn run(case: &Json, heard: Heard) -> Vec<Notice> {
    let mut world = World::heard_by(heard, false);
    let get = |key: &str| case.get(key).cloned();
    let member = |key: &str| get(key).unwrap_or_else(|| panic!("no {key} in {case}"));
    let mut creation = ObjectBuilder::new();
    creation.insert("name", Json::from("m"));
    creation.insert("roleArn", Json::from("arn:aws:iam::000000000000:role/r"));
    creation.insert("type", get("type").unwrap_or_else(|| Json::from("STANDARD")));
    creation.insert("definition", Json::from(member("definition").to_string()));
    if let Some(Json::Object(logging)) = get("logging") {
        let group = Json::object([("logGroupArn", Json::from(GROUP))]);
        let destination = Json::object([("cloudWatchLogsLogGroup", group)]);
        let logging = logging.with("destinations", Json::array(vec![destination]));
        creation.insert("loggingConfiguration", Json::Object(logging));
    }
    world.call("CreateStateMachine", &Json::Object(creation.build()).to_string()).expect("created");
    let input = get("input").unwrap_or_else(Json::empty_object).to_string();
    let start = Json::object([
        ("stateMachineArn", Json::from("arn:aws:states:us-east-1:000000000000:stateMachine:m")),
        ("name", Json::from("e")),
        ("input", Json::from(input)),
    ]);
    let how = get("start").unwrap_or_else(|| Json::from("StartExecution"));
    world.call(how.as_str().expect("an action"), &start.to_string()).expect("started");
    let execution = r#"{"executionArn":"arn:aws:states:us-east-1:000000000000:execution:m:e"}"#;
    for action in get("then").as_ref().and_then(Json::as_array).into_iter().flat_map(|then| then.iter()) {
        world.turn();
        world.call(action.as_str().expect("an action"), execution).expect("done");
    }
    world.turn();
    world.notices
}

#[test]
fn what_nobody_listens_to_is_not_made() {
    let case = r#"{"logging":{"level":"ALL"},"definition":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}}"#;
    let case = Json::parse(case).expect("JSON");
    let count = |log_events: bool, status_changes: bool| {
        let notices = run(&case, Heard { log_events, status_changes });
        let logged = notices.iter().filter(|notice| matches!(notice, Notice::LogEvent(_))).count();
        (logged, notices.len() - logged)
    };
    assert_eq!(count(true, true), (4, 2));
    assert_eq!(count(true, false), (4, 0));
    assert_eq!(count(false, true), (0, 2));
    assert_eq!(count(false, false), (0, 0));
}

#[test]
fn a_change_of_status_is_an_event_for_rules() {
    let case = r#"{"definition":{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E","Cause":"secret"}}},"input":"secret"}"#;
    let notices = run(&Json::parse(case).expect("JSON"), Heard { log_events: false, status_changes: true });
    let [Notice::StatusChange(started), Notice::StatusChange(failed)] = notices.as_slice() else {
        panic!("{notices:?}")
    };
    assert_ne!(started.id, failed.id);
    let event = failed.to_event().to_string();
    let (before, detail) = event.split_once(r#","detail":"#).expect("a detail");
    let expected = format!(
        concat!(
            r#"{{"version":"0","id":"{}","detail-type":"Step Functions Execution Status Change","source":"aws.states","#,
            r#""account":"000000000000","time":"2023-11-14T22:13:20Z","region":"us-east-1","#,
            r#""resources":["arn:aws:states:us-east-1:000000000000:execution:m:e"]"#
        ),
        failed.id
    );
    assert_eq!(before, expected);
    assert_eq!(detail.matches("secret").count(), 2);
    let bare = failed.without_data().detail;
    assert!(!bare.to_string().contains("secret"), "{bare}");
    assert_eq!(bare.get("inputDetails").map(Json::to_string).as_deref(), Some(r#"{"included":false}"#));
    assert_eq!((bare.get("outputDetails"), bare.get("output")), (Some(&Json::Null), Some(&Json::Null)));
    assert_eq!(bare.get("error").and_then(Json::as_str), Some("E"));
}

#[test]
fn recorded_log_events_are_written_as_aws_wrote_them() {
    let Some(folder) = std::env::var_os("STEPWELL_CONFORMANCE").map(PathBuf::from) else { return };
    let (mut compared, mut silent, mut wrong) = (0, 0, Vec::new());
    for file in files(&folder.join("logging")) {
        let text = std::fs::read_to_string(&file).expect("a readable case");
        let case = Json::parse(&text).expect("JSON");
        let Some((level, messages)) = replay(&case) else { continue };
        let expected = |key: &str| case.get("expected").and_then(|expected| expected.get(key));
        let mut check = |actual: &Json, recorded: &Json| {
            compared += 1;
            if !is_as_recorded(actual, recorded) {
                wrong.push(format!("{}:\n  {actual}\n  {recorded}", file.display()));
            }
        };
        if let Some(recorded) = expected("logged_execution_events").and_then(Json::as_array) {
            assert_eq!(messages.len(), recorded.len(), "{}: {messages:?}", file.display());
            messages.iter().zip(recorded.iter()).for_each(|(actual, recorded)| check(actual, recorded));
        } else if let Some(recorded) = expected("end_event") {
            check(messages.last().expect("a last event"), recorded);
        } else if level != "ALL" {
            assert!(messages.is_empty(), "{}: {messages:?}", file.display());
            silent += 1;
        }
    }
    println!("{compared} events compared, {silent} cases without any, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 0, "no log events in {}", folder.display());
}

/// Does what a recording did, as far as it is about state machines: the logging level, and the messages that were written.
/// `None` when AWS refused the state machine or nothing was started.
fn replay(case: &Json) -> Option<(String, Vec<Json>)> {
    let mut world = World::new(false);
    let (mut level, mut machine, mut starts) = (String::new(), None, 0);
    for step in case.get("steps").and_then(Json::as_array).expect("steps").iter() {
        let Json::Object(mut params) = filled(step.get("params").unwrap_or(&Json::Null)) else { continue };
        let configuration = params.get("loggingConfiguration").and_then(|logging| logging.get("level")).cloned();
        if let Some(given) = configuration.as_ref().and_then(Json::as_str) {
            level = given.to_owned();
        }
        if let Some(machine) = &machine {
            params = params.with("stateMachineArn", Json::clone(machine));
        }
        match step.get("call").and_then(Json::as_str).unwrap_or_default() {
            "stepfunctions.CreateStateMachine" => {
                if step.get("error").and_then(Json::as_bool) == Some(true) {
                    return None;
                }
                let created = world.call("CreateStateMachine", &Json::Object(params).to_string()).expect("created");
                machine = created.get("stateMachineArn").cloned();
            }
            "stepfunctions.UpdateStateMachine" => {
                world.call("UpdateStateMachine", &Json::Object(params).to_string()).expect("updated");
            }
            "stepfunctions.StartExecution" => {
                starts += 1;
                if params.contains_key("name") {
                    params = params.with("name", Json::from(format!("e{starts}")));
                }
                world.call("StartExecution", &Json::Object(params).to_string()).expect("started");
                world.turn();
            }
            _ => {}
        }
    }
    let message = |notice: &Notice| match notice {
        Notice::LogEvent(event) => Some(event.message.clone()),
        Notice::StatusChange(_) => None,
    };
    (starts > 0).then(|| (level, world.notices.iter().filter_map(message).collect()))
}

/// Whether a message is the recorded one: payloads are compared as JSON, and what the recording has put a name in the place
/// of may be anything of its kind.
fn is_as_recorded(actual: &Json, recorded: &Json) -> bool {
    match (actual, recorded) {
        (Json::Object(actual), Json::Object(recorded)) => {
            actual.len() == recorded.len()
                && recorded.iter().all(|(key, recorded)| {
                    actual.get(key).is_some_and(|actual| match (&**key, actual, recorded) {
                        ("event_timestamp", Json::String(actual), _) => actual.parse::<i64>().is_ok(),
                        ("roleArn", Json::String(actual), _) => actual.starts_with("arn:aws:iam::"),
                        ("execution_arn", Json::String(actual), Json::String(recorded)) => {
                            let is_express = |arn: &str| arn.contains(":express:");
                            is_express(actual) == is_express(recorded)
                                && actual.split(':').count() == recorded.split(':').count()
                        }
                        _ => is_as_recorded(actual, recorded),
                    })
                })
        }
        (Json::String(text), Json::Object(_) | Json::Array(_)) => {
            Json::parse(text).is_ok_and(|actual| actual == *recorded)
        }
        (actual, recorded) => actual == recorded,
    }
}
