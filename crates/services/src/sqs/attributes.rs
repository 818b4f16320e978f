//! Attributes of queues: which there are, what they may be, and what a queue without one has.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_protocol::Place;

use super::dead_letters::RedrivePolicy;
use super::{Done, Sqs, invalid_value};
use crate::answers::{Refusal, members, texts};
use crate::input::Input;
use crate::services::Request;

/// Attributes by name, as they were given.
pub(super) type Attributes = BTreeMap<Arc<str>, Arc<str>>;

pub(super) const VISIBILITY_TIMEOUT: &str = "VisibilityTimeout";
pub(super) const MAXIMUM_MESSAGE_SIZE: &str = "MaximumMessageSize";
pub(super) const RETENTION: &str = "MessageRetentionPeriod";
pub(super) const DELAY: &str = "DelaySeconds";
pub(super) const WAIT_TIME: &str = "ReceiveMessageWaitTimeSeconds";
pub(super) const POLICY: &str = "Policy";
pub(super) const REDRIVE_POLICY: &str = "RedrivePolicy";
pub(super) const REDRIVE_ALLOW_POLICY: &str = "RedriveAllowPolicy";
pub(super) const FIFO: &str = "FifoQueue";
pub(super) const CONTENT_BASED: &str = "ContentBasedDeduplication";
pub(super) const SCOPE: &str = "DeduplicationScope";
const THROUGHPUT: &str = "FifoThroughputLimit";

/// What the value of an attribute may be.
enum Values {
    Number(u64, u64),
    Flag,
    OneOf(&'static [&'static str]),
    /// A JSON object, or nothing.
    Document,
    Text,
    /// Only told.
    Told,
}

struct Attribute {
    name: &'static str,
    values: Values,
    default: Option<&'static str>,
    /// Only queues whose messages are in order have it.
    fifo: bool,
}

const fn row(name: &'static str, values: Values, default: Option<&'static str>, fifo: bool) -> Attribute {
    Attribute { name, values, default, fifo }
}

/// Source: SQS's API reference, CreateQueue and GetQueueAttributes.
const ATTRIBUTES: &[Attribute] = &[
    row("QueueArn", Values::Told, None, false),
    row("ApproximateNumberOfMessages", Values::Told, None, false),
    row("ApproximateNumberOfMessagesNotVisible", Values::Told, None, false),
    row("ApproximateNumberOfMessagesDelayed", Values::Told, None, false),
    row("CreatedTimestamp", Values::Told, None, false),
    row("LastModifiedTimestamp", Values::Told, None, false),
    row(VISIBILITY_TIMEOUT, Values::Number(0, 43_200), Some("30"), false),
    row(MAXIMUM_MESSAGE_SIZE, Values::Number(1_024, 1_048_576), Some("1048576"), false),
    row(RETENTION, Values::Number(60, 1_209_600), Some("345600"), false),
    row(DELAY, Values::Number(0, 900), Some("0"), false),
    row(WAIT_TIME, Values::Number(0, 20), Some("0"), false),
    row(POLICY, Values::Document, None, false),
    row(REDRIVE_POLICY, Values::Document, None, false),
    row(REDRIVE_ALLOW_POLICY, Values::Document, None, false),
    row("KmsMasterKeyId", Values::Text, None, false),
    row("KmsDataKeyReusePeriodSeconds", Values::Number(60, 86_400), None, false),
    row("SqsManagedSseEnabled", Values::Flag, Some("true"), false),
    row(FIFO, Values::Flag, None, true),
    row(CONTENT_BASED, Values::Flag, Some("false"), true),
    row(SCOPE, Values::OneOf(&["messageGroup", "queue"]), Some("queue"), true),
    row(THROUGHPUT, Values::OneOf(&["perQueue", "perMessageGroupId"]), Some("perQueue"), true),
];

fn find(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|attribute| attribute.name == name)
}

/// The value a queue has, given or by default.
pub(super) fn value<'a>(given: &'a Attributes, name: &str) -> Option<&'a str> {
    match given.get(name) {
        Some(value) => Some(value),
        None => find(name).and_then(|attribute| attribute.default),
    }
}

/// A number a queue has; all that have one have a default.
pub(super) fn number(given: &Attributes, name: &str) -> u64 {
    value(given, name).and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Whether a queue's attribute is `true`.
pub(super) fn flag(given: &Attributes, name: &str) -> bool {
    value(given, name) == Some("true")
}

fn invalid(name: &str) -> Refusal {
    Refusal::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

impl Sqs {
    /// The attributes of a call, checked. An empty document takes the attribute away.
    pub(super) fn checked_attributes(
        &self,
        given: &[(&Arc<str>, &Arc<str>)],
        place: &Place,
        name: &str,
        is_fifo: bool,
    ) -> Result<Attributes, Refusal> {
        let mut checked = Attributes::new();
        for (key, value) in given {
            let unknown = || Refusal::new("InvalidAttributeName", format!("Unknown Attribute {key}."));
            let attribute = find(key).ok_or_else(unknown)?;
            if attribute.fifo && !is_fifo {
                return Err(unknown());
            }
            let is_valid = match &attribute.values {
                Values::Number(least, most) => {
                    value.parse::<u64>().is_ok_and(|number| (*least..=*most).contains(&number))
                }
                Values::Flag => matches!(&***value, "true" | "false"),
                Values::OneOf(allowed) => allowed.contains(&&***value),
                Values::Document => value.is_empty() || Json::parse(value).is_ok_and(|json| json.as_object().is_some()),
                Values::Text => true,
                Values::Told => return Err(unknown()),
            };
            if !is_valid {
                return Err(invalid(key));
            }
            let kept = match attribute.name {
                REDRIVE_POLICY if !value.is_empty() => self.checked_redrive(value, place, name, is_fifo)?.into(),
                REDRIVE_ALLOW_POLICY if !value.is_empty() => {
                    super::dead_letters::check_allow_policy(value)?;
                    (*value).clone()
                }
                _ => (*value).clone(),
            };
            checked.insert((*key).clone(), kept);
        }
        Ok(checked)
    }

    fn checked_redrive(&self, text: &str, place: &Place, name: &str, is_fifo: bool) -> Result<String, Refusal> {
        let invalid = |reason: &str| invalid_value(text, REDRIVE_POLICY, reason);
        let policy = RedrivePolicy::parse(text)
            .ok_or_else(|| invalid("It needs deadLetterTargetArn and a maxReceiveCount from 1 to 1000."))?;
        let target = self.number_of_arn(&policy.target).ok_or_else(|| invalid("Dead letter target does not exist."))?;
        let target = self.queue(target)?;
        if target.is_fifo() != is_fifo {
            return Err(invalid("Dead-letter queue must be same type of queue as the source."));
        }
        let arn = place.arn("sqs", name);
        if &target.place != place || !super::dead_letters::allows(target, &arn) {
            return Err(invalid("Dead letter target does not allow this source queue."));
        }
        Ok(policy.text())
    }

    pub(super) fn get_queue_attributes(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let names = input.texts("AttributeNames")?;
        let queue = self.queue(number)?;
        for name in &names {
            if &***name != "All" && find(name).is_none() {
                return Err(Refusal::new("InvalidAttributeName", format!("Unknown Attribute {name}.")));
            }
        }
        let is_asked = |name: &str| names.iter().any(|asked| &***asked == "All" || &***asked == name);
        let told = ATTRIBUTES.iter().filter(|attribute| is_asked(attribute.name)).filter_map(|attribute| {
            let value = match attribute.name {
                "QueueArn" => Some(queue.arn.to_string()),
                "ApproximateNumberOfMessages" => Some(queue.counts().ready.to_string()),
                "ApproximateNumberOfMessagesNotVisible" => Some(queue.counts().in_flight.to_string()),
                "ApproximateNumberOfMessagesDelayed" => Some(queue.counts().delayed.to_string()),
                "CreatedTimestamp" => Some((queue.created_at.0 / 1000).to_string()),
                "LastModifiedTimestamp" => Some((queue.modified_at.0 / 1000).to_string()),
                _ if attribute.fifo && !queue.is_fifo() => None,
                name => value(&queue.attributes, name).map(str::to_owned),
            };
            value.map(|value| (attribute.name, value))
        });
        let told: Vec<_> = told.collect();
        let attributes = (!told.is_empty()).then(|| texts(told));
        Ok(Done::Output(members([("Attributes", attributes)])))
    }

    pub(super) fn set_queue_attributes(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let given = input.text_map("Attributes")?;
        if given.is_empty() {
            return Err(Refusal::missing("Attribute.Name"));
        }
        let queue = self.queue(number)?;
        if given.iter().any(|(name, value)| &***name == FIFO && flag(&queue.attributes, FIFO) != (&***value == "true"))
        {
            return Err(Refusal::new(
                "InvalidAttributeValue",
                "Invalid value for the parameter FifoQueue. Reason: You cannot change it.",
            ));
        }
        let checked = self.checked_attributes(&given, &queue.place, &queue.name, queue.is_fifo())?;
        let mut all = queue.attributes.clone();
        merge(&mut all, checked);
        check_together(&all)?;
        if let Some(queue) = self.queue_mut(number) {
            queue.attributes = all;
            queue.modified_at = request.now;
            queue.about_changed();
            queue.settle(request.now);
        }
        Ok(Done::Output(Json::empty_object()))
    }
}

/// Puts attributes over others; an empty text takes one away.
pub(super) fn merge(all: &mut Attributes, changes: Attributes) {
    for (name, value) in changes {
        if value.is_empty() {
            all.remove(&name);
        } else {
            all.insert(name, value);
        }
    }
}

/// What holds between attributes.
pub(super) fn check_together(all: &Attributes) -> Result<(), Refusal> {
    if value(all, THROUGHPUT) == Some("perMessageGroupId") && value(all, SCOPE) != Some("messageGroup") {
        return Err(Refusal::new(
            "InvalidAttributeValue",
            "Invalid value for the parameter FifoThroughputLimit. Reason: DeduplicationScope must be set to messageGroup \
             when FifoThroughputLimit is set to perMessageGroupId.",
        ));
    }
    Ok(())
}
