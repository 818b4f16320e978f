//! A server with keys: every request must be signed with one of them, whatever it asks for.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use stepwell_server::{Settings, Throttling};
use stepwell_spec::{Action, Bucket, Timestamp};

use crate::{Answer, Running, signing};

pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A credentials file of this test's own.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("credentials-{name}"));
    std::fs::write(&path, text).expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    }
    path
}

fn settings(name: &str) -> Settings {
    let keys = format!(
        "[one]\naws_access_key_id = AKIDONE\naws_secret_access_key = {SECRET}\naws_account_id = 111111111111\n\
         [two]\naws_access_key_id = 222222222222\naws_secret_access_key = {SECRET}2\n\
         [old]\naws_access_key_id = AKIDOLD\naws_secret_access_key = {SECRET}\naws_session_token = T\n\
         expiration = 2020-01-01T00:00:00Z\n"
    );
    Settings { credentials: Some(file(name, &keys)), ..Settings::default() }
}

pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp(i64::try_from(since_epoch.as_millis()).expect("a time"))
}

/// A call, signed with this key at this time.
fn call(server: &Running, key: (&str, &str), action: &str, body: &str, at: Timestamp) -> Answer {
    let target = format!("AWSStepFunctions.{action}");
    let mut headers = vec![
        ("Host".to_owned(), "localhost".to_owned()),
        ("Content-Type".to_owned(), "application/x-amz-json-1.0".to_owned()),
        ("X-Amz-Target".to_owned(), target),
    ];
    signing::sign(&mut headers, key, "eu-west-1", body, at);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    server.ask("POST", "/", &headers, body.as_bytes())
}

#[test]
fn nothing_is_answered_without_a_signature() {
    let server = Running::with(settings("nothing"));
    let refused = |answer: Answer, of: &str| {
        assert_eq!(answer.status, 400, "{of}: {answer:?}");
        assert_eq!(
            answer.body,
            r#"{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Missing Authentication Token"}"#,
            "{of}"
        );
        assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36));
    };
    for action in Action::ALL {
        let name = action.facts().name;
        refused(server.call(name, "{}"), name);
    }
    // Nor is it told what there is.
    refused(server.call("Fly", "{}"), "no action");
    refused(server.call("ListStateMachines", "no JSON"), "no JSON");
    for path in ["/", "/bucket/key", "/2015-03-31/functions", "/_stepwell", "/_stepwel/health"] {
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = server.ask(method, path, &[("Host", "localhost")], b"");
            // Each service says it in its own protocol, and S3 has a word of its own for it.
            let statuses: &[u16] = if path.starts_with("/2015") { &[403] } else { &[400, 403] };
            assert!(statuses.contains(&answer.status), "{method} {path}: {answer:?}");
            let is_s3s = answer.body.contains("<Code>AccessDenied</Code>");
            let says = answer.body.contains("MissingAuthenticationToken")
                || answer.head.contains("MissingAuthenticationToken");
            assert!(says || is_s3s, "{method} {path}: {answer:?}");
        }
    }
    // Whether it is well may be asked by what starts it.
    assert_eq!(server.get("/_stepwell/health").status, 200);
}

#[test]
fn a_signature_of_a_known_key_acts_for_its_account() {
    let server = Running::with(settings("accounts"));
    let (one, secret) = (("AKIDONE", SECRET), format!("{SECRET}2"));
    let two = ("222222222222", secret.as_str());
    let made = call(&server, one, "CreateActivity", r#"{"name":"a"}"#, now());
    assert_eq!(made.status, 200, "{made:?}");
    assert!(made.body.contains("arn:aws:states:eu-west-1:111111111111:activity:a"), "{made:?}");
    let made = call(&server, two, "CreateActivity", r#"{"name":"b"}"#, now());
    assert!(made.body.contains("arn:aws:states:eu-west-1:222222222222:activity:b"), "{made:?}");
    let listed = call(&server, one, "ListActivities", "{}", now());
    assert!(listed.body.contains("activity:a") && !listed.body.contains("activity:b"), "{listed:?}");
    let foreign = r#"{"activityArn":"arn:aws:states:eu-west-1:222222222222:activity:b"}"#;
    let missing = r#"{"activityArn":"arn:aws:states:eu-west-1:222222222222:activity:none"}"#;
    let told = |body: &str| call(&server, one, "DescribeActivity", body, now()).body.replace("none", "b");
    assert_eq!(told(foreign), told(missing));
}

#[test]
fn wrong_signatures_are_refused_in_the_words_of_aws() {
    let server = Running::with(settings("wrong"));
    let check = |key: (&str, &str), minutes: i64, expected: &str| {
        let at = Timestamp(now().0 + minutes * 60_000);
        let answer = call(&server, key, "ListStateMachines", "{}", at);
        assert_eq!(answer.status, if expected.is_empty() { 200 } else { 400 }, "{answer:?}");
        assert!(answer.body.contains(expected), "{answer:?}");
    };
    let key = ("AKIDONE", SECRET);
    check(key, 0, "");
    check(key, -4, "");
    check(key, 4, "");
    check(key, -6, "InvalidSignatureException\",\"message\":\"Signature expired: ");
    check(key, 6, "InvalidSignatureException\",\"message\":\"Signature not yet current: ");
    check(
        ("AKIDONE", "wrong"),
        0,
        "InvalidSignatureException\",\"message\":\"The request signature we calculated does",
    );
    check(("AKIDNONE", SECRET), 0, "UnrecognizedClientException\",\"message\":\"The security token included");
    check(("AKIDOLD", SECRET), 0, "UnrecognizedClientException");
    let metrics = server.get("/_stepwell/metrics").body;
    assert!(metrics.contains("stepwell_refusals_total{reason=\"InvalidSignatureException\"} 3\n"), "{metrics}");
    assert!(metrics.contains("stepwell_refusals_total{reason=\"UnrecognizedClientException\"} 2\n"), "{metrics}");
}

#[test]
fn the_clocks_may_be_further_apart_when_it_is_said() {
    let server = Running::with(Settings { clock_skew_minutes: 15, ..settings("skew") });
    let at = |minutes: i64| {
        let at = Timestamp(now().0 + minutes * 60_000);
        call(&server, ("AKIDONE", SECRET), "ListStateMachines", "{}", at).status
    };
    assert_eq!([at(-16), at(-14), at(14), at(16)], [400, 200, 200, 400]);
}

/// A large body of somebody without a key is not even read into memory, and the answer arrives all the same.
#[test]
fn a_large_body_without_a_signature_is_answered() {
    let server = Running::with(settings("large"));
    let answer = server.call("StartExecution", &" ".repeat(3_000_000));
    assert!(answer.body.contains("MissingAuthenticationTokenException"), "{answer:?}");
    let answer = call(&server, ("AKIDONE", SECRET), "StartExecution", &" ".repeat(1_048_577), now());
    assert_eq!(answer.status, 413, "{answer:?}");
}

#[test]
fn who_calls_too_often_is_told_so() {
    let bucket = Bucket { size: 3, refill_per_second: 1 };
    let throttling = Throttling { actions: [(Action::ListActivities, bucket)].into(), ..Throttling::default() };
    let server = Running::with(Settings { throttling, ..settings("often") });
    let began = std::time::Instant::now();
    let list = |key: (&str, &str)| call(&server, key, "ListActivities", "{}", now());
    let answers: Vec<Answer> = (0..20).map(|_| list(("AKIDONE", SECRET))).collect();
    let admitted = answers.iter().filter(|answer| answer.status == 200).count();
    // On a machine that is busy a second or two may pass.
    let most = 3 + usize::try_from(began.elapsed().as_secs()).expect("not long") + 1;
    assert!((3..=most).contains(&admitted), "{admitted} of at most {most}");
    let refused = answers.last().expect("an answer");
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.body,
        r#"{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate exceeded"}"#
    );
    // Another account has a bucket of its own, and so has another action.
    assert_eq!(list(("222222222222", &format!("{SECRET}2"))).status, 200);
    assert_eq!(call(&server, ("AKIDONE", SECRET), "ListStateMachines", "{}", now()).status, 200);
}

#[test]
fn a_file_that_says_nothing_of_use_stops_the_start() {
    let started = |path: PathBuf| {
        let listen = "127.0.0.1:0".parse().expect("an address");
        stepwell_server::Server::bind(Settings { listen, credentials: Some(path), ..Settings::default() })
            .map(drop)
            .map_err(|fault| fault.to_string())
    };
    let empty = started(file("empty", "")).expect_err("refused");
    assert!(empty.contains("it has no key"), "{empty}");
    assert!(started(PathBuf::from("/nowhere/keys")).is_err());
    let open = file("open", "[p]\naws_access_key_id=A\naws_secret_access_key=S\n");
    assert!(started(open.clone()).is_ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        let refused = started(open).expect_err("refused");
        assert!(refused.contains("chmod 600"), "{refused}");
    }
}
