//! Services of the server itself: clients and tasks reach them through the same port, and what they acknowledged stays.

use std::path::PathBuf;
use std::time::Duration;

use stepwell_json::Json;
use stepwell_server::{Endpoints, Settings};

use crate::executions::{create, ended, json, quoted, start, text};
use crate::{Answer, Running};

/// A call of SQS in JSON, as SDKs send it.
fn sqs(server: &Running, action: &str, body: &str) -> Answer {
    let target = format!("AmazonSQS.{action}");
    let headers = [("Host", "localhost"), ("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", &target)];
    server.ask("POST", "/", &headers, body.as_bytes())
}

fn queue(server: &Running, name: &str) -> String {
    text(&json(&sqs(server, "CreateQueue", &format!(r#"{{"QueueName":"{name}"}}"#))), "QueueUrl")
}

fn bodies(server: &Running, queue: &str) -> Vec<String> {
    let answer = json(&sqs(server, "ReceiveMessage", &format!(r#"{{"QueueUrl":"{queue}","WaitTimeSeconds":1}}"#)));
    let messages = answer.get("Messages").and_then(Json::as_array);
    messages.map(|messages| messages.iter()).into_iter().flatten().map(|message| text(message, "Body")).collect()
}

/// A state that sends a message and ends.
fn sends(queue: &str) -> String {
    format!(
        r#"{{"StartAt":"S","States":{{"S":{{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{{"QueueUrl":"{queue}","MessageBody":"from a task"}},"End":true}}}}}}"#
    )
}

#[test]
fn a_task_reaches_the_queue_a_client_made_and_sees_what_it_would_see_of_any() {
    let server = Running::start();
    let queue = queue(&server, "q");
    let execution = start(&server, &create(&server, "m", "STANDARD", &sends(&queue)));
    let end = ended(&server, &execution);
    assert_eq!(text(&end, "status"), "SUCCEEDED", "{end}");
    let output = Json::parse(&text(&end, "output")).expect("JSON");
    let headers = output.get("SdkHttpMetadata").and_then(|metadata| metadata.get("HttpHeaders")).expect("headers");
    for header in ["Content-Length", "Content-Type", "Date", "x-amzn-RequestId"] {
        assert!(headers.get(header).is_some(), "{header} of {headers}");
    }
    assert_eq!(bodies(&server, &queue), ["from a task"]);
}

#[test]
fn a_queue_that_is_not_there_fails_the_task_by_the_name_aws_has() {
    let server = Running::start();
    let machine = create(&server, "m", "STANDARD", &sends("http://localhost/000000000000/none"));
    let end = ended(&server, &start(&server, &machine));
    assert_eq!(text(&end, "error"), "SQS.QueueDoesNotExistException", "{end}");
}

#[test]
fn a_callback_travels_through_a_queue_and_back_through_the_api() {
    let server = Running::start();
    let queue = queue(&server, "q");
    let definition = format!(
        r#"{{"StartAt":"S","States":{{"S":{{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{{"QueueUrl":"{queue}","MessageBody.$":"$$.Task.Token"}},"End":true}}}}}}"#
    );
    let execution = start(&server, &create(&server, "m", "STANDARD", &definition));
    let token = bodies(&server, &queue).pop().expect("a token");
    let done = server.call("SendTaskSuccess", &format!(r#"{{"taskToken":{},"output":"7"}}"#, quoted(&token)));
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(text(&ended(&server, &execution), "output"), "7");
}

#[test]
fn what_a_queue_acknowledged_is_there_after_a_restart() {
    let data: PathBuf = std::env::temp_dir().join(format!("stepwell-{}-queue", std::process::id()));
    let settings = || Settings { data: Some(data.clone()), ..Settings::default() };
    let server = Running::with(settings());
    let url = queue(&server, "q");
    let sent = sqs(&server, "SendMessage", &format!(r#"{{"QueueUrl":"{url}","MessageBody":"kept"}}"#));
    assert_eq!(sent.status, 200, "{sent:?}");
    server.end().expect("a good end");
    let server = Running::with(settings());
    assert_eq!(bodies(&server, &url), ["kept"]);
    server.end().expect("a good end");
    std::fs::remove_dir_all(data).expect("a directory");
}

#[test]
fn the_query_protocol_is_answered_in_xml() {
    let server = Running::start();
    let form = [("Host", "localhost"), ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];
    let made = server.ask("POST", "/", &form, b"Action=CreateTopic&Version=2010-03-31&Name=t");
    assert_eq!(made.status, 200, "{made:?}");
    assert!(made.body.contains("<TopicArn>arn:aws:sns:us-east-1:000000000000:t</TopicArn>"), "{made:?}");
    let none = server.ask(
        "POST",
        "/",
        &form,
        b"Action=Publish&Version=2010-03-31&Message=m&TopicArn=arn:aws:sns:us-east-1:000000000000:u",
    );
    assert_eq!(none.status, 404, "{none:?}");
    assert!(none.body.contains("<Code>NotFound</Code>"), "{none:?}");
}

#[test]
fn a_service_that_is_said_to_be_elsewhere_is_not_asked_here() {
    let mut endpoints = Endpoints::default();
    // A port nobody listens on.
    endpoints.set("sqs", "http://127.0.0.1:9").expect("a URL");
    let server = Running::with(Settings { endpoints, ..Settings::default() });
    let queue = queue(&server, "q");
    let end = ended(&server, &start(&server, &create(&server, "m", "STANDARD", &sends(&queue))));
    assert_eq!(text(&end, "error"), "SQS.SdkClientException", "{end}");
}

#[test]
fn a_long_poll_does_not_make_virtual_time_run_away() {
    let server = Running::with(Settings { time: stepwell_server::Time::Skip, ..Settings::default() });
    let queue = queue(&server, "q");
    let sent =
        sqs(&server, "SendMessage", &format!(r#"{{"QueueUrl":"{queue}","MessageBody":"late","DelaySeconds":900}}"#));
    assert_eq!(sent.status, 200, "{sent:?}");
    let began = std::time::Instant::now();
    // The delay is skipped, since somebody waits for its end.
    let poll = format!(r#"{{"QueueUrl":"{queue}","WaitTimeSeconds":20}}"#);
    let mut received = json(&sqs(&server, "ReceiveMessage", &poll));
    if received.get("Messages").is_none() {
        received = json(&sqs(&server, "ReceiveMessage", &poll));
    }
    assert!(received.get("Messages").is_some(), "{received}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}
