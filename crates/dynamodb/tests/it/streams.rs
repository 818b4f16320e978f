//! Streams of changes, read by their own service.

use stepwell_json::Json;

use crate::world::{BEGIN, World};

#[test]
fn a_stream_tells_what_changed() {
    let mut world = World::in_memory();
    let table = r#"{"TableName":"tab","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST",
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#;
    assert!(world.ask("CreateTable", table).starts_with('{'));
    let put = |value: u32| format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"1"}},"v":{{"N":"{value}"}}}}}}"#);
    world.play(&[
        ("PutItem", &put(1), "{}"),
        ("PutItem", &put(2), "{}"),
        ("DeleteItem", r#"{"TableName":"tab","Key":{"k":{"S":"1"}}}"#, "{}"),
    ]);
    let text = |value: &Json, path: &[&str]| {
        let found = path.iter().try_fold(value, |value, name| value.get(name));
        found.and_then(Json::as_str).unwrap_or_else(|| panic!("{path:?} in {value}")).to_owned()
    };
    let listed = world.answer("ListStreams", r#"{"TableName":"tab"}"#).expect("streams").output;
    let stream = listed.get("Streams").and_then(Json::as_array).and_then(|streams| streams.iter().next()).expect("one");
    let arn = text(stream, &["StreamArn"]);
    assert!(arn.starts_with("arn:aws:dynamodb:us-east-1:123456789012:table/tab/stream/"), "{arn}");
    let described = world.answer("DescribeStream", &format!(r#"{{"StreamArn":"{arn}"}}"#)).expect("a stream").output;
    let description = described.get("StreamDescription").expect("a description");
    assert_eq!(text(description, &["StreamArn"]), arn);
    let shard =
        description.get("Shards").and_then(Json::as_array).and_then(|shards| shards.iter().next()).expect("one");
    let asked = format!(
        r#"{{"StreamArn":"{arn}","ShardId":"{}","ShardIteratorType":"TRIM_HORIZON"}}"#,
        text(shard, &["ShardId"])
    );
    let iterator = world.answer("GetShardIterator", &asked).expect("an iterator").output;
    let asked = format!(r#"{{"ShardIterator":"{}"}}"#, text(&iterator, &["ShardIterator"]));
    let read = world.answer("GetRecords", &asked).expect("records").output;
    let records = read.get("Records").and_then(Json::as_array).expect("records");
    let told: Vec<String> = records
        .iter()
        .map(|record| {
            let change = record.get("dynamodb").expect("a change");
            assert_eq!(text(record, &["awsRegion"]), "us-east-1");
            assert_eq!(change.get("ApproximateCreationDateTime").and_then(Json::as_f64), Some(BEGIN as f64));
            let image = |name| change.get(name).map_or("-".to_owned(), |image| text(image, &["v", "N"]));
            format!("{} {} {}", text(record, &["eventName"]), image("OldImage"), image("NewImage"))
        })
        .collect();
    assert_eq!(told, ["INSERT - 1", "MODIFY 1 2", "REMOVE 2 -"]);

    // A day later they are gone, and what comes then is read from the place where reading stopped.
    let next = format!(r#"{{"ShardIterator":"{}"}}"#, text(&read, &["NextShardIterator"]));
    world.now += 24 * 60 * 60 + 1;
    let count = |read: &Json| read.get("Records").and_then(Json::as_array).expect("records").len();
    assert_eq!(count(&world.answer("GetRecords", &asked).expect("records").output), 0);
    world.play(&[("PutItem", &put(3), "{}")]);
    for iterator in [&asked, &next] {
        assert_eq!(count(&world.answer("GetRecords", iterator).expect("records").output), 1);
    }
}
