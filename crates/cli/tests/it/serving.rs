//! `stepwell serve` as it is started: its settings file, its banner, and its log.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use stepwell_json::Json;

use crate::{Scratch, stepwell};

/// Stands for whatever nobody may read in a log.
const CANARY: &str = "cAnArY7";

/// A server in the folder of a file, stopped when the value is dropped.
pub(crate) struct Server {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Server {
    pub(crate) fn start(beside: &Scratch, args: &[&str]) -> Server {
        Server::start_in(&[], beside, args)
    }

    /// With these environment variables.
    fn start_in(variables: &[(&str, &str)], beside: &Scratch, args: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
            .arg("serve")
            .args(args)
            .envs(variables.iter().copied())
            .current_dir(beside.0.parent().expect("a folder"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("stepwell starts");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        Server { child, log }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).expect("a line");
        line
    }

    /// Stops it and returns the rest of what it wrote.
    fn stop(mut self) -> String {
        self.child.kill().expect("it runs");
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).expect("text");
        rest
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been stopped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line of the banner.
pub(crate) fn address(line: &str) -> String {
    let (_, rest) = line.split_once("http://").unwrap_or_else(|| panic!("no address in {line}"));
    rest.split(' ').next().expect("an address").to_owned()
}

pub(crate) fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(request.as_bytes()).expect("the request is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn settings_come_from_the_file_beside_it_unless_a_flag_says_otherwise() {
    let file = Scratch::new("stepwell.toml", "[serve]\nmemory = true\nlisten = '127.0.0.1:0'\nregion = 'eu-west-9'\n");
    let mut server = Server::start(&file, &[]);
    let listening = address(&server.line());
    assert!(server.line().contains("any credentials are accepted"));
    let create = |address: &str| {
        let body = r#"{"name":"a"}"#;
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \
                    application/x-amz-json-1.0\r\nX-Amz-Target: AWSStepFunctions.CreateActivity";
        ask(address, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    };
    assert!(create(&listening).contains(":eu-west-9:"), "{}", create(&listening));
    drop(server);
    let variables = [("STEPWELL_REGION", "sa-east-9")];
    let mut server = Server::start_in(&variables, &file, &[]);
    let listening = address(&server.line());
    assert!(create(&listening).contains(":sa-east-9:"), "{}", create(&listening));
    let mut server = Server::start_in(&variables, &file, &["--region", "ap-south-9"]);
    let listening = address(&server.line());
    assert!(create(&listening).contains(":ap-south-9:"), "{}", create(&listening));
}

#[test]
fn a_settings_file_that_cannot_be_meant_is_one_line_and_exit_2() {
    let check = |text: &str, expected: &str| {
        let file = Scratch::new("other.toml", text);
        let ran = stepwell(&["serve", "--config", file.path()]);
        let told = format!("stepwell: {}:{expected}", file.path());
        assert!(ran.code == 2 && ran.stderr.starts_with(&told) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    };
    check("[serve]\nregoin = 'a'", "2:1: [serve] has no setting 'regoin'; did you mean 'region'?");
    check("[serve]\nlisten = 'x'", "2:10: 'listen' cannot be 'x': ");
    check("[serve", "1:");
    let ran = stepwell(&["serve", "--config", "not-there.toml"]);
    assert_eq!((ran.code, ran.stderr.starts_with("stepwell: cannot read not-there.toml: ")), (2, true));
}

/// Everything a client may send that is nobody's business, in every place a request has, with every way to be refused.
#[test]
fn the_log_holds_no_secrets() {
    let keys = format!(
        "[one]\naws_access_key_id = AKIDONE\naws_secret_access_key = {CANARY}\naws_session_token = {CANARY}\n\
         aws_account_id = 111111111111\n"
    );
    let file = Scratch::new("keys", &keys);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).expect("a mode");
    }
    let open = ["--memory", "--listen", "127.0.0.1:0", "--log", "trace", "--log-format", "json"];
    let locked = [&open[..], &["--credentials", file.path()]].concat();
    for args in [&open[..], &locked] {
        let mut server = Server::start(&file, args);
        let first = server.line();
        let listening = address(&first);
        let body = format!(r#"{{"stateMachineArn":"{CANARY}","input":"{CANARY}","taskToken":"{CANARY}"}}"#);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDONE/20260915/{CANARY}/states/aws4_request, SignedHeaders=host;x-{CANARY}, \
             Signature={CANARY}"
        );
        let heads = [
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AWSStepFunctions.StartExecution".to_owned(),
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AWSStepFunctions.SendTaskSuccess".to_owned(),
            format!("Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AWSStepFunctions.{CANARY}"),
            format!("Content-Type: {CANARY}"),
            format!("Origin: http://{CANARY}"),
            format!("Host: {CANARY}"),
            format!("{CANARY}: \u{1}{CANARY}"),
        ];
        for head in &heads {
            let rest = format!(
                "Connection: close\r\nAuthorization: {authorization}\r\nX-Amz-Security-Token: {CANARY}\r\nCookie: \
                 {CANARY}\r\nX-Amz-Date: {CANARY}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let answer =
                ask(&listening, &format!("POST /{CANARY}?{CANARY} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n{rest}"));
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
        let rest = format!("{first}{}", server.stop());
        assert!(!rest.contains(CANARY), "{rest}");
        let lines: Vec<Json> = rest.lines().map(|line| Json::parse(line).expect(line)).collect();
        let answered = |line: &&Json| line.get("message").and_then(Json::as_str) == Some("answered");
        let line = lines.iter().find(answered).expect("a line for a request");
        for member in ["time", "level", "target", "request_id", "action", "status", "outcome", "elapsed_us"] {
            assert!(line.get(member).is_some(), "no {member} in {line}");
        }
        assert!(lines.iter().filter(answered).count() >= 4, "{rest}");
    }
}

/// A state machine that logs at this level, an execution of it, and the log lines about it: targets and what they say.
fn told(log: &str, logging: &str) -> Vec<(String, Json)> {
    let file = Scratch::new("unused.toml", "");
    let mut server =
        Server::start(&file, &["--memory", "--listen", "127.0.0.1:0", "--log", log, "--log-format", "json"]);
    let listening = address(&server.line());
    let call = |action: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: AWSStepFunctions.{action}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let answer = ask(&listening, &request);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    let definition = Json::from(format!(r#"{{"StartAt":"F","States":{{"F":{{"Type":"Fail","Cause":"{CANARY}"}}}}}}"#));
    let group = r#"{"cloudWatchLogsLogGroup":{"logGroupArn":"arn:aws:logs:us-east-1:000000000000:log-group:g:*"}}"#;
    call(
        "CreateStateMachine",
        &format!(
            r#"{{"name":"m","roleArn":"arn:aws:iam::000000000000:role/r","definition":{definition},
                "loggingConfiguration":{{{logging},"destinations":[{group}]}}}}"#
        ),
    );
    let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    call("StartExecution", &format!(r#"{{"stateMachineArn":"{machine}","input":"\"{CANARY}\""}}"#));
    // Its notices leave before this is answered.
    call("DeleteStateMachine", &format!(r#"{{"stateMachineArn":"{machine}"}}"#));
    let mut told = Vec::new();
    for line in server.stop().lines().map(|line| Json::parse(line).expect(line)) {
        let text = |key: &str| line.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        if ["stepwell::log_events", "stepwell::status_changes"].contains(&text("target").as_str()) {
            told.push((text("target"), Json::parse(&text("message")).expect("JSON")));
        }
    }
    told
}

#[test]
fn log_events_and_changes_of_status_stand_in_the_log_and_data_only_where_it_was_asked_for() {
    let shown = |told: &[(String, Json)]| -> Vec<String> {
        let text = |json: &Json, key: &str| json.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let one = |(target, message): &(String, Json)| match target.as_str() {
            "stepwell::log_events" => text(message, "type"),
            _ => text(message.get("detail").expect("a detail"), "status"),
        };
        told.iter().map(one).collect()
    };
    let with_data = told("info", r#""level":"ALL","includeExecutionData":true"#);
    assert_eq!(shown(&with_data), ["ExecutionStarted", "RUNNING", "FailStateEntered", "ExecutionFailed", "FAILED"]);
    for (target, message) in &with_data {
        let is_asked_for = target == "stepwell::log_events";
        assert_eq!(message.to_string().contains(CANARY), is_asked_for, "{message}");
    }
    let bare = told("info", r#""level":"ALL""#);
    assert_eq!(shown(&bare), shown(&with_data));
    // The cause of a failure is no execution data: AWS logs it all the same.
    let with_canary: Vec<&str> = bare
        .iter()
        .filter(|(_, message)| message.to_string().contains(CANARY))
        .filter_map(|(_, message)| message.get("type")?.as_str())
        .collect();
    assert_eq!(with_canary, ["ExecutionFailed"]);
    assert_eq!(shown(&told("info", r#""level":"OFF""#)), ["RUNNING", "FAILED"]);
    assert_eq!(shown(&told("warn", r#""level":"ALL""#)), [""; 0]);
}
