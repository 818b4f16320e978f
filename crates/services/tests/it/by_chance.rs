//! Hundreds of calls by chance: whatever was asked in whatever order, services opened anew say what others say, and every
//! message that was acknowledged is there until it is deleted, moved or too old.

use std::collections::BTreeMap;

use stepwell_interpreter::{Chance, Moment};
use stepwell_json::Json;
use stepwell_spec::Timestamp;

use crate::world::{World, both, text};

const URL: &str = "http://localhost:8083/000000000000/";
const SQS: &str = "arn:aws:sqs:us-east-1:000000000000:";
const SNS: &str = "arn:aws:sns:us-east-1:000000000000:";

/// Queues, with where their dead letters go.
const QUEUES: [(&str, &str); 4] = [
    ("dead", "{}"),
    (
        "q",
        r#"{"VisibilityTimeout":"2","RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead\",\"maxReceiveCount\":3}"}"#,
    ),
    ("slow", r#"{"DelaySeconds":"3"}"#),
    ("f.fifo", r#"{"FifoQueue":"true","ContentBasedDeduplication":"true","VisibilityTimeout":"4"}"#),
];

/// Long enough for messages to be buried and moved back; what reopens reads everything each time.
const STEPS: u64 = 400;

fn any<'a>(chance: &Chance, from: &[&'a str]) -> &'a str {
    from[(chance.draw() % from.len() as u64) as usize]
}

fn calls(world: &mut World, seed: u64) {
    let chance = Chance::new(Moment { now: Timestamp(0), entropy: seed });
    for (name, attributes) in QUEUES {
        let input = format!(r#"{{"QueueName":"{name}","Attributes":{attributes}}}"#);
        world.ask("sqs", "CreateQueue", &input).expect("a queue");
    }
    for (topic, attributes, queue) in [("t", "{}", "q"), ("t.fifo", r#"{"FifoTopic":"true"}"#, "f.fifo")] {
        let input = format!(r#"{{"Name":"{topic}","Attributes":{attributes}}}"#);
        world.ask("sns", "CreateTopic", &input).expect("a topic");
        let input = format!(
            r#"{{"TopicArn":"{SNS}{topic}","Protocol":"sqs","Endpoint":"{SQS}{queue}","Attributes":{{"RawMessageDelivery":"true"}}}}"#
        );
        world.ask("sns", "Subscribe", &input).expect("a subscription");
    }
    // The messages that must be somewhere, by body.
    let mut there: BTreeMap<String, u64> = BTreeMap::new();
    let mut receipts: Vec<(&str, String, String)> = Vec::new();
    for step in 0..STEPS {
        let queue = any(&chance, &["q", "slow", "f.fifo", "dead"]);
        match chance.draw() % 10 {
            0..3 => {
                let order =
                    if queue == "f.fifo" { format!(r#","MessageGroupId":"g{}""#, step % 3) } else { String::new() };
                let input = format!(r#"{{"QueueUrl":"{URL}{queue}","MessageBody":"m{step}"{order}}}"#);
                world.ask("sqs", "SendMessage", &input).expect("sent");
                *there.entry(format!("m{step}")).or_default() += 1;
            }
            3 => {
                let (topic, more) = match step % 2 {
                    0 => ("t", ""),
                    _ => ("t.fifo", r#","MessageGroupId":"g","MessageDeduplicationId":"same""#),
                };
                let input = format!(r#"{{"TopicArn":"{SNS}{topic}","Message":"m{step}"{more}}}"#);
                world.ask("sns", "Publish", &input).expect("published");
                if topic == "t" {
                    *there.entry(format!("m{step}")).or_default() += 1;
                }
            }
            4..7 => {
                let input =
                    format!(r#"{{"QueueUrl":"{URL}{queue}","MaxNumberOfMessages":{}}}"#, 1 + chance.draw() % 10);
                let output = world.ask("sqs", "ReceiveMessage", &input).expect("a receive");
                for message in output.get("Messages").and_then(Json::as_array).iter().flat_map(|list| list.iter()) {
                    let (body, receipt) = (text(message, &["Body"]), text(message, &["ReceiptHandle"]));
                    receipts.push((queue, receipt.to_string(), body.to_string()));
                }
            }
            7 | 8 if !receipts.is_empty() => {
                let (queue, receipt, body) = receipts.swap_remove((chance.draw() % receipts.len() as u64) as usize);
                let input =
                    format!(r#"{{"QueueUrl":"{URL}{queue}","ReceiptHandle":"{receipt}","VisibilityTimeout":1}}"#);
                if chance.draw().is_multiple_of(2) {
                    // A receipt of a queue in order may have ended meanwhile, and a message may have moved.
                    let before = count(world, queue);
                    let outcome = world.ask("sqs", "DeleteMessage", &input);
                    if outcome.is_ok() && count(world, queue) < before {
                        there.remove(&body);
                    }
                } else {
                    let _ = world.ask("sqs", "ChangeMessageVisibility", &input);
                }
            }
            _ => {
                world.pass_ms(chance.draw() % 1_500);
                if step.is_multiple_of(50) {
                    let _ = world.ask("sqs", "StartMessageMoveTask", &format!(r#"{{"SourceArn":"{SQS}dead"}}"#));
                }
            }
        }
    }
    let kept: u64 = QUEUES.iter().map(|(queue, _)| count(world, queue)).sum();
    // One of the messages with the same id is there beside them, until it is deleted.
    let same = kept - there.values().sum::<u64>();
    assert!(same <= 1, "{kept} kept, {} expected", there.len());
}

/// All messages of a queue, wherever they stand.
fn count(world: &mut World, queue: &str) -> u64 {
    let input = format!(r#"{{"QueueUrl":"{URL}{queue}","AttributeNames":["All"]}}"#);
    let output = world.ask("sqs", "GetQueueAttributes", &input).expect("attributes");
    ["", "NotVisible", "Delayed"]
        .iter()
        .map(|of| {
            text(&output, &["Attributes", &format!("ApproximateNumberOfMessages{of}")])
                .parse::<u64>()
                .expect("a number")
        })
        .sum()
}

#[test]
fn services_opened_anew_say_what_others_say() {
    for scenario in
        [|world: &mut World| calls(world, 1), |world: &mut World| calls(world, 2), |world: &mut World| calls(world, 3)]
    {
        both(scenario);
    }
}
