//! What clients, workers and tasks ask of local services, and the places they ask it of.

use stepwell_json::Json;
use stepwell_protocol::{AwsCall, Place};
use stepwell_spec::Text;

use crate::machines::{ACCOUNT, REGION};

/// What a queue is like from the day it is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) name: &'static str,
    pub(super) is_fifo: bool,
    /// Seconds.
    pub(super) visibility: i64,
    pub(super) delay: i64,
    pub(super) retention: i64,
    /// Where messages go, and after how many receives. That queue is made first.
    pub(super) dead_letters: Option<(usize, u64)>,
}

const STANDARD: Rules =
    Rules { name: "", is_fifo: false, visibility: 30, delay: 0, retention: 345_600, dead_letters: None };

/// The queues. Their order is the one they are made in.
pub(super) const QUEUES: [Rules; 6] = [
    Rules { name: "dead", ..STANDARD },
    Rules { name: "dead.fifo", is_fifo: true, ..STANDARD },
    // Where tasks send their tokens.
    Rules { name: "work", dead_letters: Some((0, 4)), ..STANDARD },
    // What is in it may not be received at once, and is soon too old.
    Rules { name: "later", visibility: 10, delay: 15, retention: 120, ..STANDARD },
    Rules { name: "ordered.fifo", is_fifo: true, visibility: 20, dead_letters: Some((1, 2)), ..STANDARD },
    // What is published and put on the bus.
    Rules { name: "heard", visibility: 5, dead_letters: Some((0, 3)), ..STANDARD },
];

pub(super) const WORK: usize = 2;
pub(super) const LATER: usize = 3;
pub(super) const ORDERED: usize = 4;
pub(super) const HEARD: usize = 5;

/// What is made behind the queues, step by step.
pub(super) const TOPIC: usize = QUEUES.len();
pub(super) const SUBSCRIPTION: usize = TOPIC + 1;
pub(super) const RAW_SUBSCRIPTION: usize = TOPIC + 2;
pub(super) const RULE: usize = TOPIC + 3;
pub(super) const TARGET: usize = TOPIC + 4;
pub(super) const STEPS: usize = TOPIC + 5;

/// Where queues are, for whoever asks.
pub(crate) const ENDPOINT: &str = "http://localhost:8083";

/// One thing that is asked.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// A queue, the topic, a subscription, a rule or its target is made.
    Make(usize),
    Send {
        queue: usize,
        text: Text,
        delay: Option<i64>,
        group: Option<Text>,
        id: Option<Text>,
    },
    /// Several messages at once.
    SendAll {
        queue: usize,
        texts: Vec<Text>,
    },
    Publish(Text),
    Put(Text),
    Receive {
        queue: usize,
        most: usize,
        /// How long to wait for a message, and how long what is received stays hidden: seconds.
        wait: i64,
        hidden: Option<i64>,
    },
    Delete {
        queue: usize,
        handle: Text,
    },
    Hide {
        queue: usize,
        handle: Text,
        seconds: i64,
    },
    Count(usize),
    Purge(usize),
    /// A queue is deleted.
    Drop(usize),
    /// Dead letters go back to where they came from.
    MoveBack(usize),
}

/// Whose everything is.
pub(super) fn place() -> Place {
    Place { account: ACCOUNT.into(), region: REGION.into() }
}

/// The URL of a queue.
pub(super) fn url(queue: usize) -> String {
    format!("{ENDPOINT}/{ACCOUNT}/{}", QUEUES[queue].name)
}

/// The queue a URL names.
pub(super) fn queue_of(url: &str) -> Option<usize> {
    let name = url.rsplit('/').next()?;
    QUEUES.iter().position(|rules| rules.name == name)
}

fn arn(service: &str, name: &str) -> Json {
    Json::from(place().arn(service, name))
}

fn call(service: &str, action: &str, input: Vec<(&'static str, Json)>) -> AwsCall {
    AwsCall { service: service.into(), action: action.into(), input: Json::object(input) }
}

impl Question {
    /// As a call.
    pub(super) fn call(&self) -> AwsCall {
        let of = |queue: &usize| ("QueueUrl", Json::from(url(*queue)));
        let text = |text: &Text| Json::String(text.clone());
        match self {
            Question::Make(step) => make(*step),
            Question::Send { queue, text: body, delay, group, id } => {
                let mut input = vec![of(queue), ("MessageBody", text(body))];
                input.extend(delay.map(|delay| ("DelaySeconds", Json::from(delay))));
                input.extend(group.as_ref().map(|group| ("MessageGroupId", text(group))));
                input.extend(id.as_ref().map(|id| ("MessageDeduplicationId", text(id))));
                call("sqs", "SendMessage", input)
            }
            Question::SendAll { queue, texts } => {
                let entry = |(place, body): (usize, &Text)| {
                    Json::object([("Id", Json::from(format!("n{place}"))), ("MessageBody", text(body))])
                };
                let entries = Json::array(texts.iter().enumerate().map(entry).collect());
                call("sqs", "SendMessageBatch", vec![of(queue), ("Entries", entries)])
            }
            Question::Publish(body) => {
                call("sns", "Publish", vec![("TopicArn", arn("sns", "news")), ("Message", text(body))])
            }
            Question::Put(body) => {
                let detail = Json::object([("text", text(body))]).to_string();
                let entry = Json::object([
                    ("Source", Json::from("sim")),
                    ("DetailType", Json::from("said")),
                    ("Detail", Json::from(detail)),
                ]);
                call("events", "PutEvents", vec![("Entries", Json::array(vec![entry]))])
            }
            Question::Receive { queue, most, wait, hidden } => {
                let mut input = vec![
                    of(queue),
                    ("MaxNumberOfMessages", Json::from(*most as u64)),
                    ("WaitTimeSeconds", Json::from(*wait)),
                    ("MessageSystemAttributeNames", Json::array(vec![Json::from("All")])),
                ];
                input.extend(hidden.map(|seconds| ("VisibilityTimeout", Json::from(seconds))));
                call("sqs", "ReceiveMessage", input)
            }
            Question::Delete { queue, handle } => {
                call("sqs", "DeleteMessage", vec![of(queue), ("ReceiptHandle", text(handle))])
            }
            Question::Hide { queue, handle, seconds } => {
                let seconds = ("VisibilityTimeout", Json::from(*seconds));
                call("sqs", "ChangeMessageVisibility", vec![of(queue), ("ReceiptHandle", text(handle)), seconds])
            }
            Question::Count(queue) => {
                let names = Json::array(vec![Json::from("All")]);
                call("sqs", "GetQueueAttributes", vec![of(queue), ("AttributeNames", names)])
            }
            Question::Purge(queue) => call("sqs", "PurgeQueue", vec![of(queue)]),
            Question::Drop(queue) => call("sqs", "DeleteQueue", vec![of(queue)]),
            Question::MoveBack(queue) => {
                call("sqs", "StartMessageMoveTask", vec![("SourceArn", arn("sqs", QUEUES[*queue].name))])
            }
        }
    }

    /// In a line of a trace. A receipt is as long as it means nothing.
    pub(super) fn line(&self) -> String {
        match self {
            Question::Delete { queue, .. } => format!("delete from {}", QUEUES[*queue].name),
            Question::Hide { queue, seconds, .. } => format!("hide for {seconds} s in {}", QUEUES[*queue].name),
            other => format!("{other:?}"),
        }
    }
}

fn make(step: usize) -> AwsCall {
    match step {
        TOPIC => call("sns", "CreateTopic", vec![("Name", Json::from("news"))]),
        SUBSCRIPTION => subscribe(HEARD, false),
        RAW_SUBSCRIPTION => subscribe(LATER, true),
        RULE => {
            let pattern = Json::from(r#"{"source":["sim"]}"#);
            call("events", "PutRule", vec![("Name", Json::from("said")), ("EventPattern", pattern)])
        }
        TARGET => {
            let target = Json::object([("Id", Json::from("queue")), ("Arn", arn("sqs", QUEUES[HEARD].name))]);
            call("events", "PutTargets", vec![("Rule", Json::from("said")), ("Targets", Json::array(vec![target]))])
        }
        queue => create(&QUEUES[queue]),
    }
}

fn subscribe(queue: usize, is_raw: bool) -> AwsCall {
    let mut input = vec![
        ("TopicArn", arn("sns", "news")),
        ("Protocol", Json::from("sqs")),
        ("Endpoint", arn("sqs", QUEUES[queue].name)),
    ];
    if is_raw {
        input.push(("Attributes", Json::object([("RawMessageDelivery", Json::from("true"))])));
    }
    call("sns", "Subscribe", input)
}

fn create(rules: &Rules) -> AwsCall {
    let number = |number: i64| Json::from(number.to_string());
    let mut attributes = vec![
        ("VisibilityTimeout", number(rules.visibility)),
        ("DelaySeconds", number(rules.delay)),
        ("MessageRetentionPeriod", number(rules.retention)),
    ];
    if rules.is_fifo {
        attributes.push(("FifoQueue", Json::from("true")));
        attributes.push(("ContentBasedDeduplication", Json::from("true")));
    }
    if let Some((target, receives)) = rules.dead_letters {
        let target = ("deadLetterTargetArn", arn("sqs", QUEUES[target].name));
        let policy = Json::object([target, ("maxReceiveCount", Json::from(receives))]);
        attributes.push(("RedrivePolicy", Json::from(policy.to_string())));
    }
    let attributes = Json::object(attributes);
    call("sqs", "CreateQueue", vec![("QueueName", Json::from(rules.name)), ("Attributes", attributes)])
}
