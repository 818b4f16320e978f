//! Queues that are read for functions.

use stepwell_json::Json;

use crate::own_runtime::echo;
use crate::room::{Room, has, until};

const PARTLY: &str = "
def handler(event, context):
    return {'batchItemFailures': [{'itemIdentifier': record['messageId']} for record in event['Records'] if 'bad' in record['body']]}
";

fn message(id: &str, body: &str) -> Json {
    Json::object([
        ("MessageId", Json::from(id)),
        ("ReceiptHandle", Json::from(format!("receipt-{id}"))),
        ("Body", Json::from(body)),
    ])
}

/// Receipts of messages that were taken out of the queue.
fn deleted(room: &Room) -> Vec<String> {
    let mut receipts = Vec::new();
    for input in room.others.inputs("DeleteMessageBatch") {
        for entry in input.get("Entries").and_then(Json::as_array).expect("entries").iter() {
            receipts.push(entry.get("ReceiptHandle").and_then(Json::as_str).expect("a receipt").to_owned());
        }
    }
    receipts
}

async fn map(room: &Room, more: &str) -> String {
    let input = format!(r#"{{"FunctionName":"f","EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:q"{more}}}"#);
    let mapping = room.ask("CreateEventSourceMapping", &input).await.expect("a mapping");
    assert_eq!(mapping.get("State").and_then(Json::as_str), Some("Creating"));
    mapping.get("UUID").and_then(Json::as_str).expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_done_are_deleted() {
    let room = Room::new();
    echo(&room, "f", "").await;
    let id = map(&room, r#","BatchSize":5"#).await;
    *room.others.messages.lock().expect("a list") = (0..7).map(|number| message(&number.to_string(), "b")).collect();
    until("seven deleted messages", || deleted(&room).len() == 7).await;
    let again = r#"{"FunctionName":"f","EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:q"}"#;
    assert_eq!(room.refused("CreateEventSourceMapping", again).await, "ResourceConflictException");
    let named = format!(r#"{{"UUID":"{id}"}}"#);
    let shown = room.ask("GetEventSourceMapping", &named).await.expect("a mapping");
    assert_eq!(shown.get("State").and_then(Json::as_str), Some("Enabled"));
    room.ask("DeleteEventSourceMapping", &named).await.expect("done");
    assert_eq!(room.refused("GetEventSourceMapping", &named).await, "ResourceNotFoundException");
    let asked = room.others.inputs("ReceiveMessage").len();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(room.others.inputs("ReceiveMessage").len() <= asked + 1, "nobody reads any more");
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_failed_stay() {
    if !has("python3") {
        return;
    }
    let room = Room::new();
    room.function("f", "python3.12", "app.handler", ("app.py", PARTLY), "").await;
    map(&room, r#","FunctionResponseTypes":["ReportBatchItemFailures"]"#).await;
    *room.others.messages.lock().expect("a list") =
        vec![message("1", "good"), message("2", "bad"), message("3", "good")];
    until("two deleted messages", || deleted(&room).len() == 2).await;
    assert_eq!(deleted(&room), ["receipt-1", "receipt-3"]);
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_chooses() {
    let room = Room::new();
    echo(&room, "f", "").await;
    let pattern = r#","FilterCriteria":{"Filters":[{"Pattern":"{\"body\":{\"kind\":[\"order\"]}}"}]}"#;
    map(&room, pattern).await;
    let messages = vec![message("1", r#"{"kind":"order"}"#), message("2", r#"{"kind":"other"}"#)];
    *room.others.messages.lock().expect("a list") = messages;
    // What no filter wants is done as well.
    until("two deleted messages", || deleted(&room).len() == 2).await;
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_mapped_is_refused() {
    let room = Room::new();
    echo(&room, "f", "").await;
    let arn = "arn:aws:sqs:us-east-1:123456789012:q";
    for (input, code) in [
        (format!(r#"{{"FunctionName":"g","EventSourceArn":"{arn}"}}"#), "ResourceNotFoundException"),
        (
            format!(r#"{{"FunctionName":"f","EventSourceArn":"{arn}","BatchSize":11}}"#),
            "InvalidParameterValueException",
        ),
        (
            format!(r#"{{"FunctionName":"f","EventSourceArn":"{arn}.fifo","MaximumBatchingWindowInSeconds":1}}"#),
            "InvalidParameterValueException",
        ),
        (
            r#"{"FunctionName":"f","EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:missing"}"#.to_owned(),
            "InvalidParameterValueException",
        ),
        (
            r#"{"FunctionName":"f","EventSourceArn":"arn:aws:kinesis:us-east-1:123456789012:stream/s"}"#.to_owned(),
            "InvalidParameterValueException",
        ),
        (
            format!(
                r#"{{"FunctionName":"f","EventSourceArn":"{arn}","FilterCriteria":{{"Filters":[{{"Pattern":"no"}}]}}}}"#
            ),
            "InvalidParameterValueException",
        ),
    ] {
        assert_eq!(room.refused("CreateEventSourceMapping", &input).await, code, "{input}");
    }
    room.close().await;
}
