//! Signatures as botocore makes them. xtask/src/vectors.py wrote them.

use stepwell_json::Json;
use stepwell_protocol::{HttpRequest, Keys, Payload, Scope, sign};

use crate::vectors::{bytes, headers, text, vectors};

#[test]
fn signatures_are_those_of_botocore() {
    let mut count = 0;
    for vector in vectors() {
        let Some(wanted) = vector.get("signed") else { continue };
        let mut request =
            HttpRequest::received(text(wanted, "method"), text(wanted, "target"), headers(wanted), bytes(wanted))
                .expect("a request");
        let keys = Keys {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: wanted.get("token").and_then(Json::as_str).map(str::to_owned),
        };
        let service = text(wanted, "service");
        let payload = if service == "s3" { Payload::SignedInHeader } else { Payload::Signed };
        let scope = Scope { region: text(wanted, "region"), service, timestamp: "20150830T123600Z", payload };
        sign(&mut request, text(wanted, "host"), &keys, &scope);
        assert_eq!(request.header("authorization"), Some(text(wanted, "authorization")), "{wanted}");
        assert!(!format!("{keys:?}").contains("EXAMPLEKEY"));
        count += 1;
    }
    assert!(count >= 5, "{count} signatures");
}

#[test]
fn signing_again_replaces_what_was_signed() {
    let keys = Keys { access_key_id: "A".to_owned(), secret_access_key: "s".to_owned(), session_token: None };
    let scope = |payload| Scope { region: "r", service: "s3", timestamp: "20150830T123600Z", payload };
    let mut request = HttpRequest { method: "GET".to_owned(), path: "/k".to_owned(), ..HttpRequest::default() };
    sign(&mut request, "host", &keys, &scope(Payload::Unsigned));
    let first = request.clone();
    assert_eq!(first.header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
    sign(&mut request, "host", &keys, &scope(Payload::Unsigned));
    assert_eq!(request.header("authorization"), first.header("authorization"));
    assert_eq!(request.headers.len(), first.headers.len());
    sign(&mut request, "host", &keys, &scope(Payload::SignedInHeader));
    assert_ne!(request.header("authorization"), first.header("authorization"));
}
