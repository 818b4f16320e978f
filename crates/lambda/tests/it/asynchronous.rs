//! Invocations nobody waits for: tried three times, and told of.

use stepwell_json::Json;

use crate::own_runtime::echo;
use crate::room::{Room, has, until};

const FAILS: &str = "def handler(event, context):\n    raise ValueError('never')\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_tried_three_times_and_ends_in_a_queue() {
    if !has("python3") {
        return;
    }
    let room = Room::new();
    let letters = r#","DeadLetterConfig":{"TargetArn":"arn:aws:sqs:us-east-1:123456789012:letters"}"#;
    room.function("f", "python3.12", "app.handler", ("app.py", FAILS), letters).await;
    let config = r#"{"FunctionName":"f","DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:123456789012:failed"}}}"#;
    room.ask("PutFunctionEventInvokeConfig", config).await.expect("done");
    let output = room.invoke_whole("f", r#"{"n":1}"#, r#","InvocationType":"Event""#).await.expect("accepted");
    assert_eq!(output.to_string(), r#"{"StatusCode":202}"#);
    until("two messages", || room.others.inputs("SendMessage").len() == 2).await;
    let told = room.others.inputs("SendMessage");
    let record = Json::parse(told[0].get("MessageBody").and_then(Json::as_str).expect("a body")).expect("JSON");
    let context = record.get("requestContext").expect("a context");
    assert_eq!(context.get("condition").and_then(Json::as_str), Some("RetriesExhausted"));
    assert_eq!(context.get("approximateInvokeCount"), Some(&Json::from(3)));
    assert_eq!(record.get("requestPayload").map(Json::to_string).as_deref(), Some(r#"{"n":1}"#));
    assert_eq!(
        record.get("responsePayload").and_then(|of| of.get("errorType")).and_then(Json::as_str),
        Some("ValueError")
    );
    assert_eq!(told[1].get("MessageBody").and_then(Json::as_str), Some(r#"{"n":1}"#));
    let message =
        told[1].get("MessageAttributes").and_then(|of| of.get("ErrorMessage")).and_then(|of| of.get("StringValue"));
    assert_eq!(message.and_then(Json::as_str), Some("never"));
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_is_told_of_once() {
    let room = Room::new();
    echo(&room, "f", "").await;
    let config = r#"{"FunctionName":"f","MaximumRetryAttempts":0,"DestinationConfig":{"OnSuccess":{"Destination":"arn:aws:sns:us-east-1:123456789012:done"}}}"#;
    room.ask("PutFunctionEventInvokeConfig", config).await.expect("done");
    room.invoke_whole("f", r#"{"n":1}"#, r#","InvocationType":"Event""#).await.expect("accepted");
    until("a message", || room.others.inputs("Publish").len() == 1).await;
    let told = &room.others.inputs("Publish")[0];
    assert!(told.to_string().contains(r#"\"condition\":\"Success\""#), "{told}");
    let dry = room.invoke_whole("f", "1", r#","InvocationType":"DryRun""#).await.expect("fine");
    assert_eq!(dry.to_string(), r#"{"StatusCode":204}"#);
    room.close().await;
}
