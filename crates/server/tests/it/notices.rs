//! Listeners of a running server, and its counts of executions.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use stepwell_api::{Heard, Notice};
use stepwell_json::Json;
use stepwell_server::{Listener, Settings, Time};

use crate::Running;

/// Passes on what it hears.
struct Ear(Heard, Sender<Notice>);

impl Listener for Ear {
    fn hears(&self) -> Heard {
        self.0
    }

    fn hear(&mut self, notice: &Notice) {
        // A test that has ended hears nothing more.
        let _ = self.1.send(notice.clone());
    }
}

fn heard_by(heard: Heard) -> (Running, Receiver<Notice>) {
    let (sender, notices) = channel();
    let settings = Settings { time: Time::Skip, ..Settings::default() };
    (Running::listened_to(settings, Some(Box::new(Ear(heard, sender)))), notices)
}

fn create(server: &Running, name: &str, kind: &str, definition: &str) -> String {
    let logging = r#"{"level":"ALL","destinations":[{"cloudWatchLogsLogGroup":{"logGroupArn":"arn:aws:logs:us-east-1:000000000000:log-group:g:*"}}]}"#;
    let definition = Json::from(definition);
    let body = format!(
        r#"{{"name":"{name}","type":"{kind}","roleArn":"arn:aws:iam::000000000000:role/r","definition":{definition},"loggingConfiguration":{logging}}}"#
    );
    assert_eq!(server.call("CreateStateMachine", &body).status, 200);
    format!(r#"{{"stateMachineArn":"arn:aws:states:us-east-1:000000000000:stateMachine:{name}"}}"#)
}

/// The next notices in short: until this one.
fn heard(notices: &Receiver<Notice>, last: &str) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.last().is_none_or(|short: &String| short != last) {
        let notice =
            notices.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("{heard:?} and no {last}"));
        let text = |json: &Json, key: &str| json.get(key).and_then(Json::as_str).expect(key).to_owned();
        heard.push(match notice {
            Notice::LogEvent(event) => text(&event.message, "type"),
            Notice::StatusChange(change) => text(&change.detail, "status"),
        });
    }
    heard
}

const WAIT: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":9,"End":true}}}"#;
const PASS: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;

#[test]
fn listeners_hear_what_they_listen_to() {
    let (server, notices) = heard_by(Heard { log_events: true, status_changes: true });
    let machine = create(&server, "m", "STANDARD", WAIT);
    assert_eq!(server.call("StartExecution", &machine).status, 200);
    assert_eq!(
        heard(&notices, "SUCCEEDED"),
        ["ExecutionStarted", "RUNNING", "WaitStateEntered", "WaitStateExited", "ExecutionSucceeded", "SUCCEEDED"]
    );
    let (server, notices) = heard_by(Heard { log_events: false, status_changes: true });
    let machine = create(&server, "m", "STANDARD", WAIT);
    assert_eq!(server.call("StartExecution", &machine).status, 200);
    assert_eq!(heard(&notices, "SUCCEEDED"), ["RUNNING", "SUCCEEDED"]);
}

#[test]
fn a_synchronous_execution_is_heard_of_although_it_is_not_kept() {
    let (server, notices) = heard_by(Heard { log_events: true, status_changes: true });
    let machine = create(&server, "x", "EXPRESS", PASS);
    for action in ["StartSyncExecution", "StartExecution", "StartSyncExecution"] {
        assert_eq!(server.call(action, &machine).status, 200);
        assert_eq!(
            heard(&notices, "ExecutionSucceeded"),
            ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
        );
    }
}

fn counts(server: &Running) -> Vec<String> {
    let metrics = server.get("/_stepwell/metrics").body;
    let counts = metrics.lines().filter_map(|line| line.strip_prefix("stepwell_executions_"));
    counts.map(str::to_owned).collect()
}

#[test]
fn executions_are_counted_and_those_that_run_still_run_when_the_server_comes_back() {
    let data: PathBuf = std::env::temp_dir().join(format!("stepwell-{}-counts", std::process::id()));
    let settings = Settings { data: Some(data.clone()), ..Settings::default() };
    let server = Running::with(settings.clone());
    let waiting = create(&server, "w", "STANDARD", &WAIT.replace('9', "99999"));
    let done = create(&server, "x", "EXPRESS", PASS);
    for (action, machine) in [("StartExecution", &waiting), ("StartExecution", &waiting), ("StartSyncExecution", &done)]
    {
        assert_eq!(server.call(action, machine).status, 200);
    }
    assert_eq!(
        counts(&server),
        [
            r#"started_total{type="STANDARD"} 2"#,
            r#"started_total{type="EXPRESS"} 1"#,
            r#"ended_total{type="STANDARD"} 0"#,
            r#"ended_total{type="EXPRESS"} 1"#,
            r#"running{type="STANDARD"} 2"#,
            r#"running{type="EXPRESS"} 0"#,
        ]
    );
    server.end().expect("ends well");
    let server = Running::with(settings);
    assert_eq!(
        counts(&server),
        [
            r#"started_total{type="STANDARD"} 0"#,
            r#"started_total{type="EXPRESS"} 0"#,
            r#"ended_total{type="STANDARD"} 0"#,
            r#"ended_total{type="EXPRESS"} 0"#,
            r#"running{type="STANDARD"} 2"#,
            r#"running{type="EXPRESS"} 0"#,
        ]
    );
    server.end().expect("ends well");
    std::fs::remove_dir_all(data).expect("a directory");
}
