//! Jobs that tasks wait for: a fake of AWS Batch, and what its clients see of `.sync`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stepwell_json::Json;
use stepwell_server::{Endpoints, Settings, Time};

use crate::Running;
use crate::executions::{create, ended, json, start, text};
use crate::outward::{self, Fake};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Batch whose jobs are running for so many questions, and then have this state.
fn batch(questions: usize, last: &'static str) -> Fake {
    let asked = Arc::new(AtomicUsize::new(0));
    Fake::start(move |request| match request.split(' ').nth(1) {
        Some("/v1/submitjob") => outward::json(r#"{"jobArn":"arn:j","jobName":"n","jobId":"j-1"}"#),
        Some("/v1/describejobs") => {
            let is_over = asked.fetch_add(1, Ordering::Relaxed) >= questions;
            let state = if is_over { last } else { "RUNNING" };
            outward::json(&format!(
                r#"{{"jobs":[{{"jobId":"j-1","jobName":"n","status":"{state}","createdAt":1700000000123}}]}}"#
            ))
        }
        _ => outward::json("{}"),
    })
}

fn settings(fake: &Fake) -> Settings {
    let mut endpoints = Endpoints::default();
    endpoints.set("batch", &format!("http://{}", fake.address)).expect("a URL");
    Settings { endpoints, ..Settings::default() }
}

fn begin(server: &Running, more: &str) -> String {
    let definition = format!(
        r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"arn:aws:states:::batch:submitJob.sync","Parameters":{{"JobName":"n","JobQueue":"q","JobDefinition":"d"}}{more},"End":true}}}}}}"#
    );
    start(server, &create(server, "m", "STANDARD", &definition))
}

/// The path of the next request.
fn path(fake: &Fake) -> String {
    fake.next().split(' ').nth(1).unwrap_or_default().to_owned()
}

fn events(server: &Running, execution: &str) -> Vec<String> {
    let history = json(&server.call("GetExecutionHistory", &format!(r#"{{"executionArn":"{execution}"}}"#)));
    let events = history.get("events").and_then(Json::as_array).expect("events").clone();
    events.iter().map(|event| text(event, "type")).collect()
}

fn wait_until_submitted(server: &Running, execution: &str) {
    let began = Instant::now();
    while !events(server, execution).contains(&"TaskSubmitted".to_owned()) {
        assert!(began.elapsed() < PATIENCE, "it is submitted");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("jobs-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    path
}

#[test]
fn a_job_is_started_once_and_asked_for_until_it_is_over() {
    let fake = batch(2, "SUCCEEDED");
    let server = Running::with(Settings { time: Time::Skip, ..settings(&fake) });
    // An hour would pass at once, if anything but the job were waited for.
    let execution = begin(&server, r#","TimeoutSeconds":3600"#);
    let output = text(&ended(&server, &execution), "output");
    assert_eq!(output, r#"{"JobId":"j-1","JobName":"n","Status":"SUCCEEDED","CreatedAt":1700000000123}"#);
    assert_eq!(path(&fake), "/v1/submitjob");
    for _ in 0..3 {
        assert_eq!(path(&fake), "/v1/describejobs");
    }
    fake.was_not_asked();
    let expected = ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited"];
    assert_eq!(events(&server, &execution)[2..7], expected);
}

#[test]
fn a_job_that_failed_fails_its_task_with_all_that_is_known_of_it() {
    let fake = batch(0, "FAILED");
    let server = Running::with(Settings { time: Time::Skip, ..settings(&fake) });
    let ended = ended(&server, &begin(&server, ""));
    assert_eq!(text(&ended, "error"), "States.TaskFailed");
    let cause = r#"{"JobId":"j-1","JobName":"n","Status":"FAILED","CreatedAt":1700000000123}"#;
    assert_eq!(text(&ended, "cause"), cause);
}

#[test]
fn an_execution_that_is_stopped_stops_its_job() {
    let fake = batch(usize::MAX, "");
    let server = Running::with(settings(&fake));
    let execution = begin(&server, "");
    assert_eq!(path(&fake), "/v1/submitjob");
    wait_until_submitted(&server, &execution);
    assert_eq!(server.call("StopExecution", &format!(r#"{{"executionArn":"{execution}"}}"#)).status, 200);
    loop {
        let asked = fake.next();
        if asked.starts_with("POST /v1/terminatejob ") {
            let body = r#"{"jobId":"j-1","reason":"Job was stopped by AWS Step Functions."}"#;
            assert!(asked.ends_with(body), "{asked}");
            break;
        }
        assert!(asked.starts_with("POST /v1/describejobs "), "{asked}");
    }
    assert_eq!(text(&ended(&server, &execution), "status"), "ABORTED");
}

#[test]
fn a_task_that_runs_out_of_time_stops_its_job() {
    let fake = batch(usize::MAX, "");
    let server = Running::with(settings(&fake));
    let execution = begin(&server, r#","TimeoutSeconds":1"#);
    assert_eq!(text(&ended(&server, &execution), "error"), "States.Timeout");
    let began = Instant::now();
    while path(&fake) != "/v1/terminatejob" {
        assert!(began.elapsed() < PATIENCE, "it is stopped");
    }
}

#[test]
fn a_job_goes_on_to_be_asked_for_after_a_restart_and_is_not_started_again() {
    let fake = batch(2, "SUCCEEDED");
    let data = directory("restart");
    let kept = || Settings { data: Some(data.clone()), ..settings(&fake) };
    let first = Running::with(kept());
    let execution = begin(&first, "");
    assert_eq!(path(&fake), "/v1/submitjob");
    wait_until_submitted(&first, &execution);
    first.end().expect("it ends");
    let second = Running::with(kept());
    assert_eq!(text(&ended(&second, &execution), "status"), "SUCCEEDED");
    let submitted = events(&second, &execution).iter().filter(|event| *event == "TaskSubmitted").count();
    assert_eq!(submitted, 1);
    second.end().expect("it ends");
    // Whatever else was asked, no second job was.
    while let Some(asked) = fake.try_next() {
        assert!(asked.starts_with("POST /v1/describejobs "), "{asked}");
    }
}
