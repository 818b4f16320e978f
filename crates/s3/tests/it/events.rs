//! Who is told of what happens to objects.

use std::sync::atomic::Ordering;

use stepwell_json::Json;

use crate::house::{Folder, House};

fn configuration(inner: &str) -> String {
    format!("<NotificationConfiguration>{inner}</NotificationConfiguration>")
}

fn queue(name: &str) -> String {
    format!(
        "<QueueConfiguration><Id>q</Id><Queue>arn:aws:sqs:us-east-1:111122223333:{name}</Queue>\
         <Event>s3:ObjectCreated:*</Event></QueueConfiguration>"
    )
}

/// Texts of this member of calls of this action, once there are so many.
async fn heard(house: &House, action: &str, member: &str, count: usize) -> Vec<String> {
    for _ in 0..10_000 {
        let calls = house.listeners.heard();
        let of_action = calls.iter().filter(|call| &*call.action == action);
        let texts: Vec<String> = of_action
            .filter_map(|call| {
                call.input.get(member).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            })
            .collect();
        if texts.len() >= count {
            return texts;
        }
        tokio::task::yield_now().await;
    }
    panic!("{action} was not asked for {count} times")
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_functions_and_eventbridge_are_told() {
    let house = House::in_memory();
    house.must("PUT", "/bucket", "").await;
    let function = "<CloudFunctionConfiguration><Id>f</Id><CloudFunction>arn:aws:lambda:us-east-1:111122223333:function:f</CloudFunction>\
                    <Event>s3:ObjectCreated:*</Event></CloudFunctionConfiguration>";
    let body = configuration(&format!("{}{function}<EventBridgeConfiguration/>", queue("q")));
    house.must("PUT", "/bucket?notification", body).await;
    house.must("PUT", "/bucket/a%20b", "hello").await;
    let messages = heard(&house, "SendMessage", "MessageBody", 2).await;
    assert!(messages[0].contains("s3:TestEvent"), "{messages:?}");
    let record = Json::parse(&messages[1]).expect("JSON");
    let text = record.to_string();
    for expected in [
        r#""eventName":"ObjectCreated:Put""#,
        r#""eventTime":"2026-03-01T12:00:00.000Z""#,
        r#""key":"a+b""#,
        r#""arn":"arn:aws:s3:::bucket""#,
        r#""eTag":"5d41402abc4b2a76b9719d911017c592""#,
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    heard(&house, "Invoke", "Payload", 1).await;
    let entries = heard(&house, "PutEvents", "Entries", 1).await;
    assert!(entries[0].contains("Object Created") && entries[0].contains("aws.s3"), "{entries:?}");
}

#[tokio::test]
async fn a_target_that_is_not_there_is_refused() {
    let house = House::in_memory();
    house.must("PUT", "/bucket", "").await;
    let told = house.ask("PUT", "/bucket?notification", configuration(&queue("none"))).await;
    assert_eq!(told.code(), "InvalidArgument");
    assert!(told.text().contains("Unable to validate the following destination configurations"), "{}", told.text());
}

#[tokio::test]
async fn an_event_is_told_again_to_a_service_that_was_not_well() {
    for (unwell, expected) in [(2, 3), (9, 3)] {
        let house = House::in_memory();
        house.must("PUT", "/bucket", "").await;
        house.must("PUT", "/bucket?notification", configuration(&queue("q"))).await;
        // What asked whether the queue is there does not count.
        let before = heard(&house, "SendMessage", "MessageBody", 1).await.len();
        house.listeners.unwell.store(unwell, Ordering::Relaxed);
        house.must("PUT", "/bucket/k", "hello").await;
        assert_eq!(heard(&house, "SendMessage", "MessageBody", before + expected).await.len(), before + expected);
        let left = house.listeners.unwell.load(Ordering::Relaxed);
        assert_eq!(left, unwell.saturating_sub(expected), "as often as there are pauses, and once more");
    }
}

#[test]
fn an_event_that_was_not_told_is_told_by_the_next_process() {
    let folder = Folder::new("outbox");
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
    let first = runtime();
    let house = House::open(Some(folder.path()), None);
    first.block_on(async {
        house.must("PUT", "/bucket", "").await;
        house.must("PUT", "/bucket?notification", configuration(&queue("q"))).await;
        // From here on nobody answers.
        house.listeners.deaf.store(true, Ordering::Relaxed);
        house.must("PUT", "/bucket/k", "hello").await;
    });
    first.shutdown_timeout(std::time::Duration::from_secs(5));
    drop(house);
    let house = House::open(Some(folder.path()), None);
    runtime().block_on(house.s3.deliver_waiting_events());
    let messages = runtime().block_on(heard(&house, "SendMessage", "MessageBody", 1));
    assert!(messages[0].contains("ObjectCreated:Put"), "{messages:?}");
    // Once told it is struck off.
    let before = house.listeners.heard().len();
    runtime().block_on(house.s3.deliver_waiting_events());
    assert_eq!(house.listeners.heard().len(), before);
}
