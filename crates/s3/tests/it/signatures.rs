//! Who may ask where there are keys, and until when a URL holds.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use stepwell_protocol::{HttpRequest, Keys, Payload, Scope, sign};
use stepwell_s3::Key;

use crate::house::{House, Told, at};

/// s3s holds the time of a signature against the machine's clock, so that is what these requests are signed at.
fn today() -> String {
    let output = std::process::Command::new("date").args(["-u", "+%Y%m%dT%H%M%SZ"]).output().expect("a date");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn moment(date: &str) -> String {
    format!("{}-{}-{}T{}:{}:{}Z", &date[..4], &date[4..6], &date[6..8], &date[9..11], &date[11..13], &date[13..15])
}

fn keys() -> Vec<Key> {
    let key = |id: &str, account: &str| Key {
        id: id.to_owned(),
        secret: format!("secret of {id}"),
        token: None,
        expires: None,
        account: account.to_owned(),
    };
    vec![key("AKIAONE", "111122223333"), key("AKIATWO", "444455556666")]
}

async fn send(house: &House, method: &str, path: &str, key: &str, secret: &str, body: &str) -> Told {
    let date = today();
    let mut request = HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        body: body.as_bytes().to_vec(),
        ..HttpRequest::default()
    };
    let keys = Keys { access_key_id: key.to_owned(), secret_access_key: secret.to_owned(), session_token: None };
    let scope = Scope { region: "us-east-1", service: "s3", timestamp: &date, payload: Payload::SignedInHeader };
    sign(&mut request, "localhost:4566", &keys, &scope);
    let mut built = Request::builder().method(method).uri(request.target());
    for (name, value) in &request.headers {
        built = built.header(name, value);
    }
    let built = built.header("content-length", body.len());
    house.send(built.body(Full::new(Bytes::from(request.body))).expect("a request"), at(&moment(&date))).await
}

#[tokio::test]
async fn only_who_signed_gets_in() {
    let house = House::open(None, Some(keys()));
    let told = send(&house, "PUT", "/bucket", "AKIAONE", "secret of AKIAONE", "").await;
    assert_eq!(told.status, 200, "{}", told.text());
    let told = send(&house, "PUT", "/bucket/k", "AKIAONE", "secret of AKIAONE", "hello").await;
    assert_eq!(told.status, 200, "{}", told.text());
    let told = send(&house, "GET", "/bucket/k", "AKIAONE", "secret of AKIAONE", "").await;
    assert_eq!(told.body, "hello");
    for (key, secret, code) in [
        ("AKIAONE", "wrong", "SignatureDoesNotMatch"),
        ("AKIANONE", "any", "InvalidAccessKeyId"),
        ("AKIATWO", "secret of AKIATWO", "AccessDenied"),
    ] {
        let told = send(&house, "GET", "/bucket/k", key, secret, "").await;
        assert_eq!((told.status.as_u16(), told.code().as_str()), (403, code), "{key}");
    }
    let told = house.ask("GET", "/bucket/k", "").await;
    assert_eq!((told.status.as_u16(), told.code().as_str()), (403, "AccessDenied"));
    // Two ways to sign at once: the account would be one's and the signature the other's.
    let both = "/bucket/k?X-Amz-Credential=AKIATWO%2F20260301%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0";
    let request = Request::get(both).header("authorization", "AWS4-HMAC-SHA256 Credential=AKIAONE/x, Signature=0");
    let told = house.send(request.body(Full::default()).expect("a request"), at(crate::house::NOW)).await;
    assert_eq!(told.code(), "InvalidArgument");
}

#[tokio::test]
async fn a_url_in_the_old_way_to_sign_has_its_token_signed() {
    let mut ring = keys();
    let session = Key { id: "ASIATHREE".to_owned(), secret: "secret of ASIATHREE".to_owned(), ..ring[0].clone() };
    ring.push(Key { token: Some("to/ken".to_owned()), ..session });
    let house = House::open(None, Some(ring));
    for (path, body) in [("/bucket", ""), ("/bucket/k", "hello")] {
        let told = send(&house, "PUT", path, "AKIAONE", "secret of AKIAONE", body).await;
        assert_eq!(told.status, 200, "{}", told.text());
    }
    // As botocore makes them for keys of a session.
    let signature = "pvQ4%2FxCKYYjgCk9xFQTJFpWU70s%3D";
    for (token, status) in [("&x-amz-security-token=to%2Fken", 200), ("", 400), ("&x-amz-security-token=other", 400)] {
        let url = format!("/bucket/k?AWSAccessKeyId=ASIATHREE&Signature={signature}&Expires=4102444800{token}");
        let told = house.send(Request::get(url).body(Full::default()).expect("a request"), at(&moment(&today()))).await;
        assert_eq!(told.status, status, "{token}: {}", told.text());
    }
}

#[tokio::test]
async fn without_keys_any_signature_does_until_its_time_is_over() {
    let house = House::in_memory();
    house.must("PUT", "/bucket", "").await;
    house.must("PUT", "/bucket/k", "hello").await;
    let url = "/bucket/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=111122223333%2F20260301%2Fus-east-1%2Fs3%2Faws4_request\
               &X-Amz-Date=20260301T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    for (now, status) in [("2026-03-01T12:00:59Z", 200), ("2026-03-01T12:01:01Z", 403)] {
        let request = Request::get(url).body(Full::default()).expect("a request");
        let told = house.send(request, at(now)).await;
        assert_eq!(told.status, status, "{now}: {}", told.text());
    }
    let request = Request::get("/bucket/k").header(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=111122223333/20260301/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
    );
    let told = house.send(request.body(Full::default()).expect("a request"), at(crate::house::NOW)).await;
    assert_eq!(told.status, 200);
}
