//! The local DynamoDB: clients and tasks share its tables, and what it acknowledged stays.

use std::path::PathBuf;

use stepwell_server::{Settings, Time};

use crate::executions::{create, ended, json, start, text};
use crate::{Answer, Running};

/// A call, as SDKs send it.
fn ask(server: &Running, action: &str, body: &str) -> Answer {
    let target = format!("DynamoDB_20120810.{action}");
    let headers = [("Host", "localhost"), ("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", &target)];
    server.ask("POST", "/", &headers, body.as_bytes())
}

fn table(server: &Running, name: &str) {
    let made = ask(
        server,
        "CreateTable",
        &format!(
            r#"{{"TableName":"{name}","KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}],
                "AttributeDefinitions":[{{"AttributeName":"id","AttributeType":"S"}}],"BillingMode":"PAY_PER_REQUEST"}}"#
        ),
    );
    assert_eq!(made.status, 200, "{made:?}");
}

/// A state machine of one task that hands its input on.
fn task(resource: &str) -> String {
    format!(
        r#"{{"StartAt":"S","QueryLanguage":"JSONata","States":{{"S":{{"Type":"Task","Resource":"arn:aws:states:::{resource}","Arguments":"{{% $states.input %}}","End":true}}}}}}"#
    )
}

fn run(server: &Running, name: &str, resource: &str, input: &str) -> stepwell_json::Json {
    let machine = create(server, name, "STANDARD", &task(resource));
    let started = server.call(
        "StartExecution",
        &format!(r#"{{"stateMachineArn":"{machine}","input":{}}}"#, crate::executions::quoted(input)),
    );
    ended(server, &text(&json(&started), "executionArn"))
}

#[test]
fn tasks_and_clients_see_the_same_items() {
    let server = Running::start();
    table(&server, "tab");
    let put = run(&server, "put", "dynamodb:putItem", r#"{"TableName":"tab","Item":{"id":{"S":"1"},"v":{"N":"7"}}}"#);
    assert_eq!(text(&put, "status"), "SUCCEEDED", "{put}");
    let output = stepwell_json::Json::parse(&text(&put, "output")).expect("JSON");
    let headers = output.get("SdkHttpMetadata").and_then(|metadata| metadata.get("HttpHeaders")).expect("headers");
    // An empty object's checksum and length.
    assert_eq!(text(headers, "x-amz-crc32"), "2745614147", "{headers}");
    assert_eq!(text(headers, "Content-Length"), "2", "{headers}");
    assert_eq!(text(headers, "Content-Type"), "application/x-amz-json-1.0", "{headers}");
    assert!(headers.get("Date").is_some() && headers.get("x-amzn-RequestId").is_some(), "{headers}");

    let got = ask(&server, "GetItem", r#"{"TableName":"tab","Key":{"id":{"S":"1"}}}"#);
    assert_eq!(got.body, r#"{"Item":{"id":{"S":"1"},"v":{"N":"7"}}}"#);

    let query =
        r#"{"TableName":"tab","KeyConditionExpression":"id = :id","ExpressionAttributeValues":{":id":{"S":"1"}}}"#;
    let found = run(&server, "query", "aws-sdk:dynamodb:query", query);
    let output = stepwell_json::Json::parse(&text(&found, "output")).expect("JSON");
    let expected = r#"{"Count":1,"Items":[{"id":{"S":"1"},"v":{"N":"7"}}],"ScannedCount":1}"#;
    assert_eq!(output, stepwell_json::Json::parse(expected).expect("JSON"));
}

#[test]
fn tasks_fail_by_the_names_aws_has() {
    let server = Running::start();
    table(&server, "tab");
    let none = run(&server, "none", "dynamodb:getItem", r#"{"TableName":"none","Key":{"id":{"S":"1"}}}"#);
    assert_eq!(text(&none, "error"), "DynamoDB.ResourceNotFoundException", "{none}");
    let null = run(&server, "null", "dynamodb:putItem", r#"{"TableName":"tab","Item":null}"#);
    assert_eq!(text(&null, "error"), "DynamoDB.AmazonDynamoDBException", "{null}");
    let cause = text(&null, "cause");
    let observed = "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null \
                    (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException; Request ID: ";
    assert!(cause.starts_with(observed), "{cause}");
    let only_new = r#"{"TableName":"tab","Item":{"id":{"S":"1"}},"ConditionExpression":"attribute_not_exists(id)"}"#;
    assert_eq!(text(&run(&server, "new", "dynamodb:putItem", only_new), "status"), "SUCCEEDED");
    let refused = start(
        &server,
        &create(&server, "again", "STANDARD", &task("dynamodb:putItem").replace("\"{% $states.input %}\"", only_new)),
    );
    let refused = ended(&server, &refused);
    assert_eq!(text(&refused, "error"), "DynamoDB.ConditionalCheckFailedException", "{refused}");
}

#[test]
fn errors_have_the_shape_of_the_service() {
    let server = Running::start();
    let unknown = ask(&server, "CreateBackup", r#"{"TableName":"tab","BackupName":"name"}"#);
    assert_eq!(unknown.status, 400, "{unknown:?}");
    assert!(unknown.body.contains("UnknownOperationException") && unknown.body.contains("CreateBackup"), "{unknown:?}");
    let mistyped = ask(&server, "GetItem", r#"{"TableName":"tab","Key":7}"#);
    assert!(mistyped.status == 400 && mistyped.body.contains("SerializationException"), "{mistyped:?}");
    let nested = format!(r#"{{"TableName":"tab","Item":{{"id":{}1{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let nested = ask(&server, "PutItem", &nested);
    assert!(nested.status == 400 && nested.body.contains("SerializationException"), "{nested:?}");
}

#[test]
fn tables_and_items_are_there_after_a_restart() {
    let data: PathBuf = std::env::temp_dir().join(format!("stepwell-{}-tables", std::process::id()));
    let settings = || Settings { data: Some(data.clone()), ..Settings::default() };
    let server = Running::with(settings());
    table(&server, "tab");
    let put = ask(&server, "PutItem", r#"{"TableName":"tab","Item":{"id":{"S":"1"}}}"#);
    assert_eq!((put.status, put.body.as_str()), (200, "{}"));
    server.end().expect("a good end");
    let server = Running::with(settings());
    let got = ask(&server, "GetItem", r#"{"TableName":"tab","Key":{"id":{"S":"1"}}}"#);
    assert_eq!(got.body, r#"{"Item":{"id":{"S":"1"}}}"#);
    server.end().expect("a good end");
    std::fs::remove_dir_all(data).expect("a directory");
}

#[test]
fn items_expire_while_an_execution_waits_in_virtual_time() {
    let server = Running::with(Settings { time: Time::Skip, ..Settings::default() });
    table(&server, "tab");
    let on = r#"{"TableName":"tab","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ttl"}}"#;
    assert_eq!(ask(&server, "UpdateTimeToLive", on).status, 200);
    let task = |resource: &str, arguments: &str, next: &str| {
        format!(r#"{{"Type":"Task","Resource":"arn:aws:states:::{resource}","Arguments":{arguments},{next}}}"#)
    };
    let put = |id: &str, seconds: u32, next: &str| {
        let ttl = format!("{{% $string($floor($millis() / 1000) + {seconds}) %}}");
        let item = format!(r#"{{"TableName":"tab","Item":{{"id":{{"S":"{id}"}},"ttl":{{"N":"{ttl}"}}}}}}"#);
        task("dynamodb:putItem", &item, &format!(r#""Next":"{next}""#))
    };
    let definition = format!(
        r#"{{"StartAt":"A","QueryLanguage":"JSONata","States":{{"A":{},"B":{},"W":{{"Type":"Wait","Seconds":3600,"Next":"S"}},"S":{}}}}}"#,
        put("short", 60, "B"),
        put("long", 7200, "W"),
        task("aws-sdk:dynamodb:scan", r#"{"TableName":"tab","ProjectionExpression":"id"}"#, r#""End":true"#),
    );
    let end = ended(&server, &start(&server, &create(&server, "m", "STANDARD", &definition)));
    let output = stepwell_json::Json::parse(&text(&end, "output")).expect("JSON");
    assert_eq!(output.get("Items").map(ToString::to_string).as_deref(), Some(r#"[{"id":{"S":"long"}}]"#), "{end}");
}
