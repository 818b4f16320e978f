//! What queues, tables and buckets acknowledge under the same kills: it must be there in the end.

use std::collections::BTreeSet;

use stepwell_json::Json;

use crate::Chance;
use crate::client::{Client, Said, object};
use crate::ledger::{Ledger, Service};
use crate::load::Kind;

const SQS: &str = "AmazonSQS";
const DYNAMODB: &str = "DynamoDB_20120810";

/// The queue's URL: only its path counts.
const QUEUE: &str = "http://localhost/000000000000/kept";
const TABLE: &str = "kept";
const BUCKET: &str = "kept";

/// How often an empty answer must come before a queue counts as empty.
const EMPTY_ENOUGH: u32 = 3;

/// Makes the queue, the table and the bucket.
pub(crate) fn create(client: &mut Client) -> Result<(), String> {
    client.insist_of(SQS, "CreateQueue", &object(&[("QueueName", "kept")]))?;
    let table = r#"{"TableName":"kept","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}"#;
    let table = Json::parse(table).map_err(|fault| fault.to_string())?;
    client.insist_of(DYNAMODB, "CreateTable", &table)?;
    match client.put_object(&format!("/{BUCKET}"), "") {
        Some(200) => Ok(()),
        said => Err(format!("the bucket was not made: {said:?}")),
    }
}

/// The states of an execution that leaves something in each of them and ends with its input.
pub(crate) fn states() -> String {
    // On a full disk they are refused for a while, as every service may.
    let retry = r#""Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":60,"BackoffRate":1.0}]"#;
    format!(
        r#"{{"StartAt":"Item","States":{{
        "Item":{{"Type":"Task","Resource":"arn:aws:states:::dynamodb:putItem","ResultPath":null,"Next":"Object",{retry},
            "Parameters":{{"TableName":"{TABLE}","Item":{{"id":{{"S.$":"$.id"}}}}}}}},
        "Object":{{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:s3:putObject","ResultPath":null,"Next":"Message",{retry},
            "Parameters":{{"Bucket":"{BUCKET}","Key.$":"$.id","Body.$":"$.id"}}}},
        "Message":{{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","ResultPath":null,"End":true,{retry},
            "Parameters":{{"QueueUrl":"{QUEUE}","MessageBody.$":"$.id"}}}}}}}}"#
    )
}

/// A client leaves something in one of them. What is not acknowledged may be there or not.
pub(crate) fn leave(client: &mut Client, chance: &mut Chance, name: &str, ledger: &Ledger) {
    let (service, said) = match chance.next() % 3 {
        0 => {
            let message = object(&[("QueueUrl", QUEUE), ("MessageBody", name)]);
            (Service::Queue, client.ask_of(SQS, "SendMessage", &message))
        }
        1 => {
            let item = Json::object([("id", object(&[("S", name)]))]);
            let put = Json::object([("TableName", Json::from(TABLE)), ("Item", item)]);
            (Service::Table, client.ask_of(DYNAMODB, "PutItem", &put))
        }
        _ => {
            let said = match client.put_object(&format!("/{BUCKET}/{name}"), name) {
                Some(200) => Said::Yes(Json::Null),
                Some(status) => Said::No(status.to_string()),
                None => Said::Nothing,
            };
            (Service::Bucket, said)
        }
    };
    match said {
        Said::Yes(_) => ledger.left(service, name),
        Said::No(fault) => ledger.fault(format!("{name} was refused by the {service:?}: {fault}")),
        Said::Again(_) | Said::Nothing => {}
    }
}

/// Faults: whatever was acknowledged, to a client or to an execution that ended, and is not there. And how much is.
pub(crate) fn judge(client: &mut Client, ledger: &Ledger) -> (usize, Vec<String>) {
    for started in ledger.started().into_iter().filter(|started| started.kind == Kind::Services) {
        for service in [Service::Queue, Service::Table, Service::Bucket] {
            ledger.left(service, &started.name);
        }
    }
    judge_kept(client, ledger)
}

/// The same of what was acknowledged to clients.
pub(crate) fn judge_kept(client: &mut Client, ledger: &Ledger) -> (usize, Vec<String>) {
    let mut faults = Vec::new();
    let messages = match drain(client) {
        Ok(messages) => messages,
        Err(fault) => return (0, vec![format!("the queue cannot be read: {fault}")]),
    };
    let kept = ledger.kept();
    for (service, name) in &kept {
        let is_there = match service {
            Service::Queue => Ok(messages.contains(name)),
            Service::Table => has_item(client, name),
            // A task's text is put as JSON, in quotes.
            Service::Bucket => {
                let object = client.get_object(&format!("/{BUCKET}/{name}"));
                Ok(object.is_some_and(|object| object.trim_matches('"') == name))
            }
        };
        match is_there {
            Ok(true) => {}
            Ok(false) => faults.push(format!("{name} was acknowledged by the {service:?} and is not there")),
            Err(fault) => faults.push(format!("{name} cannot be read: {fault}")),
        }
    }
    (kept.len(), faults)
}

fn drain(client: &mut Client) -> Result<BTreeSet<String>, String> {
    let wanted = Json::object([
        ("QueueUrl", Json::from(QUEUE)),
        ("MaxNumberOfMessages", Json::from(10_u64)),
        ("VisibilityTimeout", Json::from(3_600_u64)),
    ]);
    let (mut messages, mut empty) = (BTreeSet::new(), 0);
    while empty < EMPTY_ENOUGH {
        let answer = client.insist_of(SQS, "ReceiveMessage", &wanted)?;
        let received = answer.get("Messages").and_then(Json::as_array);
        let bodies =
            received.into_iter().flat_map(|list| list.iter()).filter_map(|message| message.get("Body")?.as_str());
        let before = messages.len();
        messages.extend(bodies.map(str::to_owned));
        empty = if messages.len() == before { empty + 1 } else { 0 };
    }
    Ok(messages)
}

fn has_item(client: &mut Client, name: &str) -> Result<bool, String> {
    let key = Json::object([("id", object(&[("S", name)]))]);
    let asked = Json::object([("TableName", Json::from(TABLE)), ("Key", key), ("ConsistentRead", Json::from(true))]);
    Ok(client.insist_of(DYNAMODB, "GetItem", &asked)?.get("Item").is_some())
}
