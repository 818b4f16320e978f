//! What is refused before any action: foreign names and pages, bad framing, too much and too slow.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};

use stepwell_server::{Server, Settings, StartError};

use crate::{Answer, Running};

#[test]
fn requests_under_a_foreign_name_or_from_a_page_are_refused() {
    let server = Running::with(Settings { allowed_hosts: vec!["steps".to_owned()], ..Settings::default() });
    let check = |path: &str, headers: &[(&str, &str)], expected: u16| {
        let answer = server.ask("GET", path, headers, b"");
        assert_eq!(answer.status, expected, "{headers:?}: {answer:?}");
        assert!(answer.header("access-control-allow-origin").is_none());
    };
    let health = "/_stepwell/health";
    check(health, &[("Host", "localhost:4566")], 200);
    check(health, &[("Host", "steps")], 200);
    check(health, &[("Host", "evil.test")], 403);
    check(health, &[("Host", "localhost.")], 403);
    check(health, &[("Host", "localhost"), ("Host", "evil.test")], 403);
    check(health, &[], 403);
    check("http://evil.test/_stepwell/health", &[("Host", "localhost")], 403);
    check(health, &[("Host", "localhost"), ("Origin", "http://localhost:3000")], 403);
    check("/", &[("Host", "evil.test")], 403);
}

#[test]
fn what_is_no_aws_json_does_nothing() {
    let server = Running::start();
    let json = ("Content-Type", "application/x-amz-json-1.0");
    let target = ("X-Amz-Target", "AWSStepFunctions.ListStateMachines");
    let host = ("Host", "localhost");
    let check = |method: &str, headers: &[(&str, &str)], body: &[u8], status: u16, says: &str| {
        let answer = server.ask(method, "/", headers, body);
        assert_eq!(answer.status, status, "{method} {headers:?}: {answer:?}");
        assert!(answer.body.contains(says), "{answer:?}");
        assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36));
    };
    check("POST", &[host, json, ("X-Amz-Target", "AWSStepFunctions.Fly")], b"{}", 400, "UnknownOperationException");
    check("POST", &[host, json, ("X-Amz-Target", "Kinesis_20131202.PutRecord")], b"{}", 400, "UnknownOperation");
    check("POST", &[host, json], b"{}", 400, "UnknownOperationException");
    check("POST", &[host, ("Content-Type", "text/plain"), target], b"{}", 404, "UnknownOperationException");
    check("POST", &[host, ("Content-Type", "text/plain")], b"{}", 403, "AccessDeniedException");
    check("GET", &[host], b"", 403, "AccessDeniedException");
    check("OPTIONS", &[host], b"", 403, "AccessDeniedException");
    check("POST", &[host, json, target], b"{", 400, "SerializationException");
    check("POST", &[host, json, target], b"", 400, "SerializationException");
    check("POST", &[host, json, target], b"{\"maxResults\":\"many\"}", 400, "SerializationException");
    check("POST", &[host, json, target], b"{\"maxResults\":5000}", 400, "ValidationException");
    // Nothing is unpacked, so nothing can be larger than it came. These are the bytes of `{}`.
    let packed = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 171, 174, 5, 0, 67, 191, 166, 163, 2, 0, 0, 0];
    check("POST", &[host, json, target, ("Content-Encoding", "gzip")], &packed, 400, "SerializationException");
}

#[test]
fn bodies_beyond_a_megabyte_are_refused_however_they_come() {
    let server = Running::start();
    let mut body = b"{}".to_vec();
    body.resize(1_048_576, b' ');
    let send = |body: &[u8]| server.call("ListStateMachines", std::str::from_utf8(body).expect("text"));
    assert_ne!(send(&body).status, 413);
    body.push(b' ');
    let answer = send(&body);
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.body.contains("RequestEntityTooLargeException"), "{answer:?}");
    body.resize(5_000_000, b' ');
    assert_eq!(send(&body).status, 413);

    let mut stream = server.connect();
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: \
                AWSStepFunctions.ListStateMachines\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("the head is taken");
    for _ in 0..20 {
        stream.write_all(format!("10000\r\n{}\r\n", " ".repeat(0x10000)).as_bytes()).expect("a chunk is taken");
    }
    stream.write_all(b"0\r\n\r\n").expect("the end is taken");
    let answer = Answer::read(stream);
    assert_eq!(answer.status, 413, "{answer:?}");
}

#[test]
fn heads_are_bounded() {
    let server = Running::start();
    let large = "x".repeat(40_000);
    let answer = server.ask("GET", "/_stepwell/health", &[("Host", "localhost"), ("X-Large", &large)], b"");
    assert_eq!(answer.status, 431, "{answer:?}");
}

#[test]
fn a_body_that_breaks_off_leaves_the_server_well() {
    let server = Running::start();
    let mut stream = server.connect();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        .expect("the beginning is taken");
    stream.shutdown(Shutdown::Write).expect("an end");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(server.get("/_stepwell/health").status, 200);
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let server = Running::start();
    let Err(fault) = Server::bind(Settings { listen: server.address, ..Settings::default() }) else {
        panic!("two servers on one port")
    };
    let expected = format!("cannot listen on {}: the port is in use; choose another with --listen", server.address);
    assert_eq!(fault, StartError::Refused(expected));
}

#[test]
fn nobody_else_is_let_in_by_mistake() {
    let everywhere: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    let refused = Server::bind(Settings { listen: everywhere, ..Settings::default() });
    assert!(matches!(refused, Err(StartError::Unusable(reason)) if reason.contains("--insecure")));
    assert!(Server::bind(Settings { listen: everywhere, insecure: true, ..Settings::default() }).is_ok());
}
