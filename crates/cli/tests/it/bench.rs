//! `stepwell bench`: every workload measures something, errors are never work, and nothing is left behind.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use stepwell_json::Json;

use crate::serving::{Server, address, ask};
use crate::{Scratch, stepwell};

/// The lines of JSON that a run wrote.
fn lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| Json::parse(line).expect(line)).collect()
}

fn number(line: &Json, member: &str) -> f64 {
    line.get(member).and_then(Json::as_f64).unwrap_or_else(|| panic!("no {member} in {line}"))
}

fn text<'a>(line: &'a Json, member: &str) -> &'a str {
    line.get(member).and_then(Json::as_str).unwrap_or_default()
}

/// A folder with nothing in it but a file, and what else is in it.
fn left_in(folder: &Scratch) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.0.parent().expect("a folder")).expect("it can be read");
    entries.map(|entry| entry.expect("an entry").path()).filter(|path| *path != folder.0).collect()
}

fn folder_of(scratch: &Scratch) -> &str {
    scratch.0.parent().and_then(|folder| folder.to_str()).expect("UTF-8")
}

#[test]
fn every_workload_measures_something_and_leaves_nothing() {
    let scratch = Scratch::new("unused", "");
    let ran =
        stepwell(&["bench", "--seconds", "0.5", "--clients", "1,3", "--data", folder_of(&scratch), "--json", "-"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let lines = lines(&ran.stdout);
    for line in &lines {
        assert!(number(line, "count") > 0.0 && number(line, "errors") == 0.0, "{line}");
        assert!(line.get("latency_us").is_some_and(|latency| number(latency, "p50") > 0.0), "{line}");
    }
    let expected = [
        "sync", "sync", "baseline", "baseline", "chain", "chain", "express", "express", "map", "map", "map", "map",
        "loop", "loop", "jsonata", "jsonata", "activity", "activity", "callback", "callback", "history", "start",
        "waiting", "disk",
    ];
    assert_eq!(lines.iter().map(|line| text(line, "workload")).collect::<Vec<_>>(), expected);
    let first = |workload: &str| lines.iter().find(|line| text(line, "workload") == workload).expect("a line");
    assert!(number(first("chain"), "ratio_to_baseline") > 0.0);
    assert!(number(first("history"), "events") > 4_000.0);
    if cfg!(target_os = "linux") {
        assert!(number(first("express"), "server_cpu_us_per_operation") > 0.0);
        assert!(number(first("chain"), "p50_in_syncs") > 0.0);
        assert!(number(first("start"), "server_resident_bytes") > 1e6);
        assert!(number(first("disk"), "bytes_per_execution") > 100.0);
    }
    assert!(ran.stderr.contains("workload") && ran.stderr.contains("of baseline"), "no table: {}", ran.stderr);
    assert_eq!(left_in(&scratch), Vec::<PathBuf>::new());
}

/// What a server says of itself.
fn metrics(endpoint: &str) -> String {
    let head = "GET /_stepwell/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    ask(endpoint.trim_start_matches("http://"), head)
}

fn metric(metrics: &str, name: &str) -> u64 {
    let found = metrics.lines().find_map(|line| line.strip_prefix(name));
    found.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

/// A server that is not the run's own, and that asks for signatures: AWS would not be asked otherwise.
#[test]
fn an_endpoint_gets_signed_requests_and_is_left_as_it_was() {
    let keys = "[one]\naws_access_key_id = AKIDONE\naws_secret_access_key = secret\naws_account_id = 111111111111\n";
    let file = Scratch::new("keys", keys);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).expect("a mode");
    }
    let mut server = Server::start(&file, &["--memory", "--listen", "127.0.0.1:0", "--credentials", file.path()]);
    let endpoint = format!("http://{}", address(&server.line()));
    let bench = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = Command::new(env!("CARGO_BIN_EXE_stepwell"))
            .args(["bench", "--endpoint", &endpoint, "--seconds", "0.3", "--clients", "2", "--json", "-"])
            .args(arguments)
            .env_remove("AWS_SESSION_TOKEN")
            .envs(variables.iter().copied())
            .output()
            .expect("stepwell ends");
        (output.status.code(), lines(&String::from_utf8(output.stdout).expect("UTF-8")))
    };
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDONE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let (code, unsigned) = bench(&["chain"], &keys);
    assert_eq!(code, Some(1));
    assert!(unsigned.iter().all(|line| number(line, "count") == 0.0), "{unsigned:?}");
    let (code, signed) = bench(&["--sign", "chain", "express", "activity", "callback"], &keys);
    assert_eq!(code, Some(0), "{signed:?}");
    assert!(signed.iter().all(|line| number(line, "count") > 0.0), "{signed:?}");
    let metrics = metrics(&endpoint);
    let metric = |name: &str| metric(&metrics, name);
    let times = |action: &str| metric(&format!("stepwell_request_seconds_count{{action=\"{action}\"}}"));
    assert_eq!(times("CreateStateMachine"), times("DeleteStateMachine"));
    assert_eq!(times("CreateActivity"), times("DeleteActivity"));
    assert_eq!(metric("stepwell_executions_running{type=\"STANDARD\"}"), 0);
}

#[test]
fn what_takes_long_is_done_when_it_is_asked_for() {
    let scratch = Scratch::new("unused", "");
    let data = folder_of(&scratch);
    let ran =
        stepwell(&["bench", "linear", "--long", "--seconds", "0.3", "--clients", "2", "--data", data, "--json", "-"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let lines = lines(&ran.stdout);
    let linear: Vec<&Json> = lines.iter().filter(|line| text(line, "workload") == "linear").collect();
    assert_eq!(linear.len(), 3, "{}", ran.stdout);
    assert!(linear.iter().all(|line| number(line, "count") > 0.0 && number(line, "errors") == 0.0), "{}", ran.stdout);
    assert!(linear[1..].iter().all(|line| number(line, "ratio_to_empty") > 0.0), "{}", ran.stdout);
    assert!(text(linear[2], "variant").ends_with("+100"), "{}", linear[2]);
}

/// An endpoint that gives each action the answer this says: a status and a body.
fn endpoint(answer: fn(&str, &Json) -> (u16, String)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A client that goes away ends the thread, which is all there is to do about it.
            std::thread::spawn(move || serve(stream, answer).unwrap_or_default());
        }
    });
    format!("http://{address}")
}

fn serve(stream: TcpStream, answer: fn(&str, &Json) -> (u16, String)) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut action, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(target) = line.strip_prefix("x-amz-target:") {
                action = target.trim().rsplit('.').next().unwrap_or_default().to_owned();
            } else if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let body = Json::parse(&String::from_utf8_lossy(&body)).unwrap_or(Json::Null);
        let (status, answer) = answer(&action, &body);
        let answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
        stream.get_mut().write_all(answer.as_bytes())?;
    }
}

/// Runs workloads at an endpoint; every line must be without work and with such an error.
fn check_no_work(endpoint: &str, workloads: &[&str], says: &str) {
    let mut arguments = vec!["bench", "--endpoint", endpoint, "--seconds", "0.2", "--clients", "1,2", "--json", "-"];
    arguments.extend(workloads);
    let ran = stepwell(&arguments);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let lines = lines(&ran.stdout);
    assert!(!lines.is_empty());
    for line in &lines {
        assert!(number(line, "count") == 0.0 && number(line, "rate_per_s") == 0.0, "{line}");
        assert!(number(line, "errors") > 0.0, "{line}");
        assert!(line.get("error_samples").is_some_and(|samples| samples.to_string().contains(says)), "{line}");
    }
    assert!(ran.stderr.contains("errors, which are not counted as work"), "{}", ran.stderr);
}

fn created() -> (u16, String) {
    (200, r#"{"stateMachineArn":"arn:sm","activityArn":"arn:a","QueueUrl":"http://q","creationDate":1}"#.to_owned())
}

#[test]
fn an_endpoint_that_errs_has_done_nothing() {
    let all = ["chain", "express", "map", "loop", "jsonata", "activity", "callback", "history"];
    check_no_work(&endpoint(|_, _| (500, "broken".to_owned())), &all, "status 500: broken");
}

#[test]
fn an_endpoint_that_refuses_what_is_measured_has_done_nothing() {
    let url = endpoint(|action, _| match action {
        "createstatemachine" | "deletestatemachine" => created(),
        "listexecutions" => (200, r#"{"executions":[]}"#.to_owned()),
        _ => (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#.to_owned()),
    });
    check_no_work(&url, &["chain", "express", "jsonata"], "ThrottlingException");
}

#[test]
fn executions_that_have_not_succeeded_are_no_work() {
    let started = |action: &str, _: &Json| match action {
        "createstatemachine" | "deletestatemachine" => created(),
        "startsyncexecution" => (200, r#"{"executionArn":"arn:e","status":"FAILED","error":"E"}"#.to_owned()),
        "startexecution" => (200, r#"{"executionArn":"arn:e","startDate":1}"#.to_owned()),
        "describeexecution" => (200, r#"{"executionArn":"arn:e","status":"FAILED","error":"E"}"#.to_owned()),
        // Acknowledged and never heard of again.
        "listexecutions" => (200, r#"{"executions":[]}"#.to_owned()),
        _ => (400, "{}".to_owned()),
    };
    check_no_work(&endpoint(started), &["express"], "the execution has not succeeded");
    check_no_work(&endpoint(started), &["chain"], "execution");
}

#[test]
fn what_would_cost_money_or_makes_no_sense_is_refused_before_anything_is_asked() {
    let check = |arguments: &[&str], says: &str| {
        let ran = stepwell(&[&["bench"], arguments].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    };
    check(&["--endpoint", "https://states.us-east-1.amazonaws.com", "chain"], "--accept-charges");
    check(&["--endpoint", "https://states.us-east-1.amazonaws.com", "chain", "--accept-charges"], "--role-arn");
    check(&["chian"], "there is no workload 'chian'");
    check(&["chain", "--seconds=-1"], "--seconds");
    check(&["chain", "--clients", "0"], "--clients");
    check(&["start", "--endpoint", "http://127.0.0.1:1"], "leave --endpoint out");
    check(&["linear"], "--long");
}

#[cfg(unix)]
#[test]
fn asked_to_end_it_ends_its_servers_and_leaves_nothing() {
    use std::process::Stdio;
    let scratch = Scratch::new("unused", "");
    let mut child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
        .args(["bench", "chain", "--seconds", "60", "--data", folder_of(&scratch)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("stepwell starts");
    let mut progress = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    progress.read_line(&mut line).expect("a line");
    assert!(line.starts_with("chain: 1 clients"), "{line}");
    while left_in(&scratch).is_empty() {
        std::thread::yield_now();
    }
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(asked.success());
    let mut rest = String::new();
    progress.read_to_string(&mut rest).expect("text");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130), "{rest}");
    assert!(rest.contains("ended before it was over"), "{rest}");
    assert_eq!(left_in(&scratch), Vec::<PathBuf>::new());
}

#[cfg(unix)]
#[test]
fn asked_to_end_at_an_endpoint_it_stops_and_deletes_what_it_made() {
    use std::process::Stdio;
    let file = Scratch::new("unused", "");
    let mut server = Server::start(&file, &["--memory", "--listen", "127.0.0.1:0"]);
    let endpoint = format!("http://{}", address(&server.line()));
    let mut child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
        .args(["bench", "activity", "--endpoint", &endpoint, "--seconds", "60", "--clients", "2"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("stepwell starts");
    let running = "stepwell_executions_running{type=\"STANDARD\"}";
    while metric(&metrics(&endpoint), running) == 0 {
        std::thread::yield_now();
    }
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(asked.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let metrics = metrics(&endpoint);
    assert_eq!(metric(&metrics, running), 0);
    for action in ["DeleteStateMachine", "DeleteActivity"] {
        assert_eq!(metric(&metrics, &format!("stepwell_request_seconds_count{{action=\"{action}\"}}")), 1, "{action}");
    }
}
