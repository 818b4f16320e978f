//! AWS's published examples, requests signed by an AWS SDK, and every way to alter them.

use std::borrow::Cow;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A signature over these headers in this scope, as [`Signature::calculate`] needs it.
fn signature<'a>(region: &'a str, service: &'a str, signed_headers: &[&'a str]) -> Signature<'a> {
    Signature {
        access_key_id: "AKIDEXAMPLE",
        date: "20150830",
        region,
        service,
        terminator: "aws4_request",
        signed_headers: signed_headers.to_vec(),
        signature: "",
    }
}

#[test]
fn the_documented_example_is_calculated_step_by_step() {
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("Host", "iam.amazonaws.com"),
        ("X-Amz-Date", "20150830T123600Z"),
    ];
    let head = Head { method: "GET", path: "/", query: "Action=ListUsers&Version=2010-05-08", headers: &headers };
    let signed_headers = ["content-type", "host", "x-amz-date"];
    let request = canonical_request(&head, b"", &signed_headers);
    assert_eq!(
        hexadecimal(&Sha256::digest(&request)),
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    );
    let calculated = signature("us-east-1", "iam", &signed_headers).calculate(&head, b"", SECRET, "20150830T123600Z");
    assert_eq!(calculated, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

#[test]
fn the_test_suite_of_aws_is_calculated() {
    let check = |method: &str, path: &str, query: &str, more: &[(&str, &str)], body: &str, expected: &str| {
        let mut headers = vec![("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")];
        headers.extend(more);
        let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let head = Head { method, path, query, headers: &headers };
        let calculated =
            signature("us-east-1", "service", &names).calculate(&head, body.as_bytes(), SECRET, "20150830T123600Z");
        assert_eq!(calculated, expected, "{method} {path} {query}");
    };
    check("GET", "/", "", &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    check("POST", "/", "", &[], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    check(
        "GET",
        "/",
        "Param2=value2&Param1=value1",
        &[],
        "",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    );
    check(
        "POST",
        "/",
        "",
        &[("Content-Type", "application/x-www-form-urlencoded")],
        "Param1=value1",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    );
}

struct Keys(Vec<(&'static str, Credential)>);

impl Credentials for Keys {
    fn find(&self, access_key_id: &str, _: Option<&str>) -> Option<Cow<'_, Credential>> {
        self.0.iter().find(|(id, _)| *id == access_key_id).map(|(_, credential)| Cow::Borrowed(credential))
    }
}

fn keys(session_token: Option<&str>) -> Keys {
    let credential = Credential {
        secret_access_key: SECRET.to_owned(),
        session_token: session_token.map(str::to_owned),
        account: "123456789012".to_owned(),
        expires: None,
    };
    Keys(vec![("AKIDEXAMPLE", credential)])
}

/// Target, body, session token and signature, as the AWS SDK for Python signed them for 127.0.0.1:4566.
const SIGNED: [(&str, &str, Option<&str>, &str); 3] = [
    ("ListStateMachines", "{}", None, "e5059a130cdb7b82b45debaf9fdf5a6e5baad0b112976fd40340bde85152334e"),
    (
        "StartExecution",
        r#"{"stateMachineArn":"arn:aws:states:eu-central-1:123456789012:stateMachine:m","input":"{\"a\": \"é\"}"}"#,
        None,
        "197837b3b2a9215d7918b14c2757519355939fbb5abac76747b07131a55b2b54",
    ),
    (
        "DescribeExecution",
        r#"{"executionArn": "x"}"#,
        Some("SESSION/TOKEN+=="),
        "7735a3b5cd40a992cd2ab34b8ef45c955eca84b7d54a58aee3c5d18c23ff0daf",
    ),
];

const MINUTE_MS: u64 = 60_000;

/// 2026-09-15T00:00:00Z
const SIGNED_AT: Timestamp = Timestamp(1_789_430_400_000);

fn headers_of(target: &str, token: Option<&str>, signature: &str) -> Vec<(String, String)> {
    let security = if token.is_some() { "x-amz-security-token;" } else { "" };
    let mut headers = vec![
        ("Host", "127.0.0.1:4566".to_owned()),
        ("Content-Type", "application/x-amz-json-1.0".to_owned()),
        ("X-Amz-Target", format!("AWSStepFunctions.{target}")),
        ("X-Amz-Date", "20260915T000000Z".to_owned()),
        (
            "Authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260915/eu-central-1/states/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;{security}x-amz-target, Signature={signature}"
            ),
        ),
    ];
    headers.extend(token.map(|token| ("X-Amz-Security-Token", token.to_owned())));
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn verify_at(headers: &[(String, String)], body: &[u8], keys: &Keys, now: Timestamp) -> Result<Caller, Refusal> {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let head = Head { method: "POST", path: "/", query: "", headers: &headers };
    Signature::verify(&head, SERVICE, body, keys, now, 5 * MINUTE_MS)
}

#[test]
fn requests_signed_by_an_sdk_are_verified() {
    for (target, body, token, signature) in SIGNED {
        let caller = verify_at(&headers_of(target, token, signature), body.as_bytes(), &keys(token), SIGNED_AT);
        let caller = caller.expect(target);
        assert_eq!((caller.account.as_str(), caller.region.as_deref()), ("123456789012", Some("eu-central-1")));
        assert_eq!(caller.access_key_id, "AKIDEXAMPLE");
    }
}

#[test]
fn no_altered_request_is_verified() {
    let mut tried = 0;
    for (target, body, token, signature) in SIGNED {
        let (headers, keys) = (headers_of(target, token, signature), keys(token));
        for place in 0..body.len() * 8 {
            let mut altered = body.as_bytes().to_vec();
            altered[place / 8] ^= 1 << (place % 8);
            assert!(verify_at(&headers, &altered, &keys, SIGNED_AT).is_err(), "bit {place} of the body");
            tried += 1;
        }
        for (at, (name, value)) in headers.iter().enumerate() {
            for place in 0..value.len() * 7 {
                let mut altered = value.clone().into_bytes();
                altered[place / 7] ^= 1 << (place % 7);
                let altered = String::from_utf8(altered).expect("ASCII");
                // A blank more or less is none: both sides fold them away.
                if folded(&altered) == folded(value) || altered.split([',', ' ']).eq(value.split([',', ' '])) {
                    continue;
                }
                let mut headers = headers.clone();
                headers[at].1 = altered.clone();
                assert!(verify_at(&headers, body.as_bytes(), &keys, SIGNED_AT).is_err(), "{name}: {altered}");
                tried += 1;
            }
        }
    }
    assert!(tried > 5_000, "{tried}");
}

#[test]
fn the_clocks_may_be_five_minutes_apart() {
    let (target, body, token, signature) = SIGNED[0];
    let headers = headers_of(target, token, signature);
    let at = |ms: i64| {
        let result = verify_at(&headers, body.as_bytes(), &keys(None), Timestamp(SIGNED_AT.0 + ms));
        result.err().map(|refusal| refusal.message().unwrap_or_default().to_owned())
    };
    assert_eq!([at(0), at(300_000), at(300_999), at(-300_000)], [None, None, None, None]);
    assert_eq!(
        at(360_000).as_deref(),
        Some("Signature expired: 20260915T000000Z is now earlier than 20260915T000100Z (20260915T000600Z - 5 min.)")
    );
    assert_eq!(
        at(-360_000).as_deref(),
        Some(
            "Signature not yet current: 20260915T000000Z is still later than 20260914T235900Z (20260914T235400Z + 5 min.)"
        )
    );
}

#[test]
fn what_decides_a_request_must_be_signed_once() {
    let (target, body, token, signature) = SIGNED[0];
    let good = headers_of(target, token, signature);
    let told = |headers: &[(String, String)], keys: &Keys| {
        verify_at(headers, body.as_bytes(), keys, SIGNED_AT).expect_err("refused").name()
    };
    let with = |name: &str, value: &str| {
        let mut headers = good.clone();
        headers.retain(|(of, _)| of != name);
        headers.push((name.to_owned(), value.to_owned()));
        headers
    };
    let without = |name: &str| {
        let mut headers = good.clone();
        headers.retain(|(of, _)| of != name);
        headers
    };
    let authorization = |text: &str| told(&with("Authorization", text), &keys(None));
    assert_eq!(told(&without("Authorization"), &keys(None)), "MissingAuthenticationTokenException");
    assert_eq!(told(&without("X-Amz-Date"), &keys(None)), "IncompleteSignatureException");
    assert_eq!(told(&without("Host"), &keys(None)), "InvalidSignatureException");
    assert_eq!(told(&without("X-Amz-Target"), &keys(None)), "InvalidSignatureException");
    for (name, _) in &good {
        let mut headers = good.clone();
        headers.push((name.to_ascii_lowercase(), "again".to_owned()));
        assert!(verify_at(&headers, body.as_bytes(), &keys(None), SIGNED_AT).is_err(), "two of {name}");
    }
    assert_eq!(told(&with("X-Amz-Security-Token", "t"), &keys(None)), "InvalidSignatureException");
    assert_eq!(told(&good, &keys(Some("t"))), "UnrecognizedClientException");
    assert_eq!(told(&good, &Keys(Vec::new())), "UnrecognizedClientException");
    let scope = "Credential=AKIDEXAMPLE/20260915/eu-central-1/states/aws4_request";
    let rest = "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=00";
    assert_eq!(authorization(""), "IncompleteSignatureException");
    assert_eq!(authorization("Bearer abc"), "IncompleteSignatureException");
    assert_eq!(authorization(&format!("AWS4-HMAC-SHA512 {scope}, {rest}")), "IncompleteSignatureException");
    assert_eq!(authorization(&format!("AWS4-HMAC-SHA256 {rest}")), "IncompleteSignatureException");
    assert_eq!(authorization(&format!("AWS4-HMAC-SHA256 {scope}, {scope}, {rest}")), "IncompleteSignatureException");
    assert_eq!(authorization(&format!("AWS4-HMAC-SHA256 Credential=a/b/c, {rest}")), "IncompleteSignatureException");
    assert_eq!(
        authorization(&format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host;x-amz-date, Signature=00")),
        "InvalidSignatureException"
    );
    let other = scope.replace("states", "dynamodb");
    assert_eq!(authorization(&format!("AWS4-HMAC-SHA256 {other}, {rest}")), "InvalidSignatureException");
    let other = scope.replace("20260915", "20260914");
    assert_eq!(authorization(&format!("AWS4-HMAC-SHA256 {other}, {rest}")), "InvalidSignatureException");
    assert_eq!(authorization(&format!("AWS4-HMAC-SHA256 {scope}, {rest}")), "InvalidSignatureException");
}

/// One request of `signed.txt`.
struct Sent<'a> {
    name: &'a str,
    path: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a str,
}

/// Blocks of a name after `==`, method and path, headers, an empty line, and the body on one line.
fn sent() -> Vec<Sent<'static>> {
    let (_, blocks) = include_str!("signed.txt").split_once("\n== ").expect("blocks");
    let read = |block: &'static str| {
        let mut lines = block.lines();
        let (name, request) = (lines.next().expect("a name"), lines.next().expect("a request line"));
        let path = request.strip_prefix("POST ").expect("a POST");
        let headers = lines.by_ref().take_while(|line| !line.is_empty());
        let headers = headers.map(|line| line.split_once(": ").expect("a header")).collect();
        Sent { name, path, headers, body: lines.next().expect("a body") }
    };
    blocks.split("\n== ").map(read).collect()
}

#[test]
fn whatever_boto3_sends_is_verified_and_no_other_bit_is() {
    let mut tried = 0;
    for Sent { name, path, headers, body } in sent() {
        let token = headers.iter().find(|(of, _)| *of == "X-Amz-Security-Token").map(|(_, token)| *token);
        let keys = keys(token);
        let verify = |headers: &[(&str, &str)], path: &str, body: &[u8]| {
            let head = Head { method: "POST", path, query: "", headers };
            Signature::verify(&head, SERVICE, body, &keys, SIGNED_AT, 5 * MINUTE_MS)
        };
        let caller = verify(&headers, path, body.as_bytes()).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!((caller.access_key_id.as_str(), caller.account.as_str()), ("AKIDEXAMPLE", "123456789012"));
        // Of a large body every 61st bit, or the test takes seconds.
        for place in (0..body.len() * 8).step_by(if body.len() > 500 { 61 } else { 1 }) {
            let mut altered = body.as_bytes().to_vec();
            altered[place / 8] ^= 1 << (place % 8);
            assert!(verify(&headers, path, &altered).is_err(), "{name}: bit {place} of the body");
            tried += 1;
        }
        for (at, (of, value)) in headers.iter().enumerate() {
            let is_signed = !["User-Agent", "Content-Length"].contains(of) && !of.starts_with("amz-sdk");
            for place in (0..value.len() * 7).filter(|_| is_signed) {
                let mut altered = value.as_bytes().to_vec();
                altered[place / 7] ^= 1 << (place % 7);
                let altered = String::from_utf8(altered).expect("ASCII");
                let mut changed = headers.clone();
                changed[at].1 = &altered;
                let words = |text: &str| text.split([',', ' ']).map(str::to_owned).collect::<Vec<_>>();
                assert!(
                    verify(&changed, path, body.as_bytes()).is_err() || words(&altered) == words(value),
                    "{name}: {of}: {altered}"
                );
                tried += 1;
            }
        }
        assert!(verify(&headers, "/other", body.as_bytes()).is_err(), "{name}");
    }
    assert!(tried > 15_000, "{tried}");
}

/// A request for `DescribeExecution` with this credential scope and these further headers, signed as it should be.
fn answer_to(scope: &str, signed_at: &str, more: &[(&str, &str)], keys: &Keys, now: Timestamp) -> Result<(), Refusal> {
    let mut headers = vec![
        ("Host", "localhost"),
        ("Content-Type", "application/x-amz-json-1.0"),
        ("X-Amz-Target", "AWSStepFunctions.DescribeExecution"),
        ("X-Amz-Date", signed_at),
    ];
    headers.extend(more);
    let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    let names = names.join(";");
    let unsigned = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature=");
    let head = Head { method: "POST", path: "/", query: "", headers: &[("authorization", &format!("{unsigned}0"))] };
    let signature = Signature::parse(&head).expect("it can be read").expect("it is there");
    let head = Head { headers: &headers, ..head };
    let authorization = format!("{unsigned}{}", signature.calculate(&head, b"{}", SECRET, signed_at));
    let mut headers = headers.clone();
    headers.push(("authorization", &authorization));
    Signature::verify(&Head { headers: &headers, ..head }, SERVICE, b"{}", keys, now, 5 * MINUTE_MS).map(drop)
}

#[test]
fn a_scope_must_be_that_of_step_functions_today() {
    let check = |scope: &str, expected: Option<&str>| {
        let scope = format!("AKIDEXAMPLE/{scope}");
        let answer = answer_to(&scope, "20260915T000000Z", &[], &keys(None), SIGNED_AT);
        let told = answer.err().map(|refusal| {
            assert_eq!(refusal.name(), "InvalidSignatureException");
            refusal.message().expect("a message").to_owned()
        });
        assert_eq!(told.as_deref(), expected, "{scope}");
    };
    check("20260915/eu-west-1/states/aws4_request", None);
    let region = "Credential should be scoped to a valid region. ";
    check("20260915//states/aws4_request", Some(region));
    check("20260915/eu west/states/aws4_request", Some(region));
    check("20260915/eu:west/states/aws4_request", Some(region));
    let service = "Credential should be scoped to correct service: 'states'. ";
    check("20260915/eu-west-1/sts/aws4_request", Some(service));
    check("20260915/EU/sts/aws4_request", Some(&format!("{region}{service}")));
    let terminator = "Credential should be scoped with a valid terminator: 'aws4_request'. ";
    check("20260915/eu-west-1/states/aws5_request", Some(terminator));
    let day = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260914' != \
               '20260915', from '20260915T000000Z'.";
    check("20260914/eu-west-1/states/aws4_request", Some(day));
}

#[test]
fn temporary_credentials_end() {
    let check = |token: &str, ends: i64, expected: Option<&str>| {
        let mut keys = keys(Some("T/+="));
        keys.0[0].1.expires = Some(Timestamp(ends));
        let scope = "AKIDEXAMPLE/20260915/eu-west-1/states/aws4_request";
        let answer = answer_to(scope, "20260915T000000Z", &[("X-Amz-Security-Token", token)], &keys, SIGNED_AT);
        assert_eq!(answer.err().map(|refusal| refusal.to_string()).as_deref(), expected, "{token} {ends}");
    };
    let expired = "ExpiredTokenException: The security token included in the request is expired";
    let invalid = "UnrecognizedClientException: The security token included in the request is invalid.";
    check("T/+=", SIGNED_AT.0 + 1, None);
    check("T/+=", SIGNED_AT.0, Some(expired));
    // Whoever has not the token is not told that it has ended.
    check("other", SIGNED_AT.0, Some(invalid));
}

/// `UNSIGNED-PAYLOAD` and the hash of something else are no hash of this body, even when they are signed.
#[test]
fn a_hash_in_the_header_is_held_against_the_body() {
    let check = |hash: &str, expected: bool| {
        let scope = "AKIDEXAMPLE/20260915/eu-west-1/states/aws4_request";
        let more = [("X-Amz-Content-Sha256", hash)];
        let answer = answer_to(scope, "20260915T000000Z", &more, &keys(None), SIGNED_AT);
        assert_eq!(answer.is_ok(), expected, "{hash}: {answer:?}");
    };
    check("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", true);
    check("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false);
    check("UNSIGNED-PAYLOAD", false);
    check("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", false);
    check("", false);
}

#[test]
fn refusals_are_in_the_words_of_aws() {
    let told = |headers: &[(&str, &str)], keys: &Keys| {
        let head = Head { method: "POST", path: "/", query: "", headers };
        Signature::verify(&head, SERVICE, b"{}", keys, SIGNED_AT, 5 * MINUTE_MS).expect_err("refused").to_string()
    };
    let check = |headers: &[(&str, &str)], expected: &str| assert_eq!(told(headers, &keys(None)), expected);
    check(&[], "MissingAuthenticationTokenException: Missing Authentication Token");
    let date = ("X-Amz-Date", "20260915T000000Z");
    let signed = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260915/eu-west-1/states/aws4_request, \
                  SignedHeaders=x-amz-date, Signature=00";
    check(
        &[("Authorization", signed), date, ("Host", "localhost")],
        "InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
    let whole = signed.replace("=x-amz-date", "=host;x-amz-date");
    let headers = [("Authorization", whole.as_str()), date, ("Host", "localhost")];
    check(
        &headers,
        "InvalidSignatureException: The request signature we calculated does not match the signature you provided. \
         Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    );
    assert_eq!(
        told(&headers, &Keys(Vec::new())),
        "UnrecognizedClientException: The security token included in the request is invalid."
    );
    let missing = told(&[("Authorization", whole.as_str()), ("Host", "localhost")], &keys(None));
    let expected = "IncompleteSignatureException: Authorization header requires existence of either a 'X-Amz-Date' or a \
                    'Date' header. ";
    assert!(missing.starts_with(expected), "{missing}");
}

#[test]
fn a_signature_stands_in_the_header_only() {
    let headers = headers_of(SIGNED[0].0, None, SIGNED[0].3);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0";
    let both = Head { method: "POST", path: "/", query, headers: &headers };
    assert!(Signature::parse(&both).expect_err("both").to_string().contains("Found both"));
    assert!(Signature::parse(&Head { headers: &[], ..both }).is_err());
    assert_eq!(Signature::parse(&Head { headers: &[], query: "", ..both }), Ok(None));
}

#[test]
fn claims_are_taken_as_they_come() {
    let claim = |authorization: Option<&str>| {
        let headers: Vec<(&str, &str)> = authorization.map(|text| ("authorization", text)).into_iter().collect();
        let caller = Signature::claimed_caller(&Head { method: "POST", path: "/", query: "", headers: &headers });
        (caller.account, caller.region)
    };
    let signed = |id: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/20260915/eu-west-1/states/aws4_request, SignedHeaders=host, Signature=0"
        )
    };
    let unknown = "000000000000".to_owned();
    let here = Some("eu-west-1".to_owned());
    assert_eq!(claim(Some(&signed("123456789012"))), ("123456789012".to_owned(), here.clone()));
    assert_eq!(claim(Some(&signed("test"))), (unknown.clone(), here.clone()));
    assert_eq!(claim(Some(&signed("12345678901x"))), (unknown.clone(), here));
    for text in [None, Some(""), Some("Basic dGVzdA=="), Some("AWS4-HMAC-SHA256 Credential=1")] {
        assert_eq!(claim(text), (unknown.clone(), None), "{text:?}");
    }
}
