//! A request as it comes from a socket: who signed it, which action it means, and what it asks for.

use std::borrow::Cow;

use stepwell_api::{Credential, Credentials, Encoding, Head, Refusal, SERVICE, Signature, check, decode, reply, route};
use stepwell_json::Json;
use stepwell_spec::Timestamp;

use crate::{Behaviour, gist};

/// Pieces of heads, signatures and bodies.
#[rustfmt::skip]
pub const DICTIONARY: &[&str] = &[
    "POST /", "GET /", "?", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "&", "%2F", "%", "\n", "\n\n", ": ", ",", ";", "/",
    "Host: localhost", "Content-Type: application/x-amz-json-1.0", "Content-Type: application/x-www-form-urlencoded",
    "X-Amz-Target: AWSStepFunctions.", "StartExecution", "CreateStateMachine", "TestState", "ListExecutions",
    "X-Amz-Date: 20260915T000000Z", "20260915", "20260230T250000Z", "X-Amz-Security-Token: T",
    "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD", "Authorization: AWS4-HMAC-SHA256 ", "Authorization: Basic dGVzdA==",
    "Credential=AKIDEXAMPLE/20260915/us-east-1/states/aws4_request", "SignedHeaders=content-type;host;x-amz-date",
    "Signature=00", "é", "\u{0}", "{}", "{\"", "\":", "\"stateMachineArn\"", "\"input\"", "\"maxResults\"", "null",
    "1e999", "\"\\ud800\"", "arn:aws:states:us-east-1:123456789012:stateMachine:m",
];

struct OneKey(Credential);

impl Credentials for OneKey {
    fn find(&self, access_key_id: &str, _: Option<&str>) -> Option<Cow<'_, Credential>> {
        (access_key_id == "AKIDEXAMPLE").then_some(Cow::Borrowed(&self.0))
    }
}

/// Takes the first line for method and path, lines for headers, and what follows an empty line for the body.
pub fn run(input: &[u8]) -> Behaviour {
    let split = input
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .map_or((input, &b""[..]), |at| (&input[..at], &input[at + 2..]));
    let (head, body) = split;
    let Ok(text) = std::str::from_utf8(head) else { return Behaviour::of("no text") };
    let mut lines = text.lines();
    let (method, path) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let head = Head { method, path, query, headers: &headers };

    let key = OneKey(Credential {
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: None,
        account: "123456789012".to_owned(),
        expires: None,
    });
    // 2026-09-15T00:00:00Z
    let now = Timestamp(1_789_430_400_000);
    let caller = Signature::verify(&head, SERVICE, body, &key, now, 300_000);
    if let Err(refusal) = Signature::check_head(&head, SERVICE, now, 300_000) {
        assert_eq!(caller.as_ref().err(), Some(&refusal), "what the head alone decides stays decided");
    }
    let claimed = Signature::claimed_caller(&head);
    if let Ok(caller) = &caller {
        assert_eq!(caller.account, "123456789012");
        assert_eq!((&claimed.access_key_id, &claimed.region), (&caller.access_key_id, &caller.region));
    }
    let action = route(&head);
    let asked = action.clone().and_then(|action| {
        let request = decode(action, body)?;
        check(&request)
    });
    if let Err(refusal) = &asked {
        let answer = reply(&Err(refusal.clone()), Encoding::Json10, "id");
        assert!(answer.status >= 400 && Json::parse(&answer.body).is_ok(), "{answer:?}");
    }
    let told = |refusal: &Refusal| (refusal.name(), refusal.message().map(gist));
    Behaviour::of((
        caller.as_ref().err().map(told),
        action.ok().map(|action| action.facts().name),
        asked.as_ref().err().map(told),
        claimed.region.is_some(),
    ))
}
