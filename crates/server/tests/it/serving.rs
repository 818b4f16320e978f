//! The server's own pages, its connections and its end.

use std::io::{Read, Write};

use crate::Running;

#[test]
fn health_and_metrics() {
    let server = Running::start();
    let health = server.get("/_stepwell/health");
    assert_eq!((health.status, health.header("content-type")), (200, Some("application/json")));
    assert!(health.body.starts_with(r#"{"status":"ok""#), "{health:?}");
    server.call("Fly", "{}");
    let metrics = server.get("/_stepwell/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("stepwell_requests_total{action=\"none\",status=\"400\"} 1\n"), "{metrics:?}");
    assert!(metrics.body.contains("\nstepwell_uptime_seconds "), "{metrics:?}");
    assert_eq!(server.get("/_stepwell/nothing").status, 404);
    assert_eq!(server.ask("POST", "/_stepwell/health", &[("Host", "localhost")], b"").status, 405);
}

#[test]
fn a_connection_serves_many_requests_each_with_its_own_id() {
    let server = Running::start();
    let mut stream = server.connect();
    let request = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: \
                   AWSStepFunctions.Fly\r\nContent-Length: 2\r\n\r\n{}";
    let mut ids = Vec::new();
    for _ in 0..3 {
        stream.write_all(request.as_bytes()).expect("the request is taken");
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).expect("an answer");
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        let id = text.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: ")).expect("an id").to_owned();
        ids.push(id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let server = Running::start();
    let mut idle = server.connect();
    idle.write_all(b"GET /_stepwell/health HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the request is taken");
    let mut bytes = [0; 4096];
    assert!(idle.read(&mut bytes).expect("an answer") > 0);
    assert_eq!(server.end(), Ok(()));
    assert_eq!(idle.read(&mut bytes).expect("an end"), 0);
}
