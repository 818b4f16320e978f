//! Functions that bring their own runtime, and those that somebody else serves.

use std::path::PathBuf;
use std::time::Duration;

use stepwell_json::Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::room::{Room, place, write};

/// The runtime that the example of this crate is; tests build it beside themselves.
pub(crate) fn echo_runtime() -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    own.parent().and_then(|deps| deps.parent()).expect("a directory").join("examples/echo_runtime")
}

pub(crate) async fn echo(room: &Room, name: &str, more: &str) {
    let directory = room.home.join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::copy(echo_runtime(), directory.join("bootstrap")).expect("the example is built");
    let path = directory.display();
    let input = format!(
        r#"{{"FunctionName":"{name}","Runtime":"provided.al2023","Handler":"none","Role":"arn:aws:iam::123456789012:role/r",
        "Code":{{"S3Bucket":"hot-reload","S3Key":"{path}"}}{more}}}"#
    );
    room.ask("CreateFunction", &input).await.expect("a function");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_of_its_own_answers() {
    let room = Room::new();
    echo(&room, "f", "").await;
    assert_eq!(room.invoke("f", r#"{"a":[1]}"#).await.0.to_string(), r#"{"a":[1]}"#);
    let large = format!("\"{}\"", "x".repeat(5_000_000));
    assert_eq!(room.invoke("f", &large).await.0.to_string().len(), large.len());
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_runtime_api_hurts_nobody_else() {
    let room = Room::new();
    echo(&room, "f", "").await;
    // What is no JSON is passed on as it is.
    assert_eq!(room.invoke("f", "\"garbage\"").await, (Json::from("{not json"), false));
    assert_eq!(room.invoke("f", "1").await, (Json::from(1), false));
    // One that never answers is told of as such.
    let (document, is_error) = room.invoke("f", "\"again\"").await;
    assert!(is_error, "{document}");
    assert_eq!(document.get("errorType").and_then(Json::as_str), Some("Runtime.InvalidStateTransition"));
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_script_is_a_runtime_and_what_is_missing_is_said() {
    let room = Room::new();
    room.function("gone", "provided.al2023", "x", ("readme", ""), "").await;
    let (document, is_error) = room.invoke("gone", "{}").await;
    assert!(is_error);
    assert_eq!(document.get("errorType").and_then(Json::as_str), Some("Runtime.InvalidEntrypoint"));
    room.function("plain", "provided.al2023", "x", ("readme", ""), "").await;
    std::fs::write(room.home.join("plain/bootstrap"), "no program").expect("a file");
    let (document, _) = room.invoke("plain", "{}").await;
    assert!(document.to_string().contains("permission denied"), "{document}");
    room.function("ends", "provided.al2023", "x", ("bootstrap", "#!/bin/sh\nexit 9\n"), "").await;
    let (document, _) = room.invoke("ends", "{}").await;
    assert!(document.to_string().contains("Runtime exited with error: exit status 9"), "{document}");
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_a_function() {
    let room = Room::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let served = tokio::spawn(async move {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{\"a\":1}",
            "HTTP/1.1 200 OK\r\nX-Amz-Function-Error: Unhandled\r\nContent-Length: 18\r\nConnection: close\r\n\r\n{\"errorType\":\"No\"}",
            "HTTP/1.1 500 Oh\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbang",
        ] {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut read = vec![0; 4096];
            let bytes = stream.read(&mut read).await.expect("a request");
            let asked = String::from_utf8_lossy(&read[..bytes]).to_lowercase();
            assert!(asked.starts_with("post /call http/1.1\r\n") && asked.ends_with("{\"x\":1}"), "{asked}");
            assert!(asked.contains("lambda-runtime-aws-request-id: "), "{asked}");
            stream.write_all(answer.as_bytes()).await.expect("an answer");
        }
    });
    room.lambda.register_url(&place(), "away", &format!("http://127.0.0.1:{port}/call")).expect("a function");
    assert_eq!(room.invoke("away", r#"{"x":1}"#).await.0.to_string(), r#"{"a":1}"#);
    assert_eq!(room.invoke("away", r#"{"x":1}"#).await, (Json::parse(r#"{"errorType":"No"}"#).expect("JSON"), true));
    let (document, is_error) = room.invoke("away", r#"{"x":1}"#).await;
    assert_eq!((is_error, document.get("errorType").and_then(Json::as_str)), (true, Some("Function.HttpStatus")));
    served.await.expect("three requests");
    let (document, is_error) = room.invoke("away", "{}").await;
    assert_eq!((is_error, document.get("errorType").and_then(Json::as_str)), (true, Some("Function.Unreachable")));
    assert!(room.lambda.register_url(&place(), "away", "ftp://somewhere").is_err());
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_processes_end() {
    let settings = stepwell_lambda::LambdaSettings { idle: Duration::from_millis(200), ..crate::room::settings() };
    let room = Room::with(settings);
    echo(&room, "f", "").await;
    room.invoke("f", "1").await;
    assert_eq!(room.lambda.processes(), 1);
    crate::room::until("the end of an idle process", || room.lambda.processes() == 0).await;
    assert_eq!(room.invoke("f", "1").await.0, Json::from(1));
    write(&room.home.join("f/other"), "");
    room.close().await;
}
