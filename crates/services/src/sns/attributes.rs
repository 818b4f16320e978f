//! Attributes of topics and subscriptions that can be set, and what they may be.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_json::Json;

use super::{filter, invalid};
use crate::answers::Refusal;
use crate::sqs::Sqs;

pub(super) type Attributes = BTreeMap<Arc<str>, Arc<str>>;

pub(super) const FIFO: &str = "FifoTopic";
pub(super) const CONTENT_BASED: &str = "ContentBasedDeduplication";
pub(super) const SCOPE: &str = "FifoThroughputScope";
pub(super) const RAW: &str = "RawMessageDelivery";
pub(super) const FILTER: &str = "FilterPolicy";
pub(super) const FILTER_SCOPE: &str = "FilterPolicyScope";
pub(super) const REDRIVE: &str = "RedrivePolicy";

/// What the value of an attribute may be. An empty text takes any away.
enum Values {
    OneOf(&'static [&'static str]),
    Document,
    Text,
    /// A queue for what cannot be delivered.
    Redrive,
    /// A filter policy; checked with its scope.
    Filter,
}

/// Source: SNS's API reference, SetTopicAttributes.
const OF_TOPICS: &[(&str, Values)] = &[
    ("DisplayName", Values::Text),
    ("Policy", Values::Document),
    ("DeliveryPolicy", Values::Document),
    ("TracingConfig", Values::OneOf(&["PassThrough", "Active"])),
    ("KmsMasterKeyId", Values::Text),
    ("SignatureVersion", Values::OneOf(&["1", "2"])),
    (CONTENT_BASED, Values::OneOf(&["true", "false"])),
    (SCOPE, Values::OneOf(&["Topic", "MessageGroup"])),
];

/// Source: SNS's API reference, SetSubscriptionAttributes.
const OF_SUBSCRIPTIONS: &[(&str, Values)] = &[
    ("DeliveryPolicy", Values::Document),
    (FILTER, Values::Filter),
    (FILTER_SCOPE, Values::OneOf(&["MessageAttributes", "MessageBody"])),
    (RAW, Values::OneOf(&["true", "false"])),
    (REDRIVE, Values::Redrive),
    ("SubscriptionRoleArn", Values::Text),
];

pub(super) fn check_of_topic(name: &str, value: &str) -> Result<(), Refusal> {
    check(OF_TOPICS, name, value, None)
}

pub(super) fn check_of_subscription(name: &str, value: &str, sqs: &Sqs) -> Result<(), Refusal> {
    check(OF_SUBSCRIPTIONS, name, value, Some(sqs))
}

fn check(table: &[(&str, Values)], name: &str, value: &str, sqs: Option<&Sqs>) -> Result<(), Refusal> {
    let Some((_, values)) = table.iter().find(|(known, _)| *known == name) else {
        return Err(invalid("AttributeName"));
    };
    let object = || Json::parse(value).ok().filter(|json| json.as_object().is_some());
    let is_valid = value.is_empty()
        || match values {
            Values::OneOf(allowed) => allowed.contains(&value),
            Values::Document => object().is_some(),
            Values::Text | Values::Filter => true,
            Values::Redrive => {
                let target = redrive_target(value);
                let target = target.ok_or_else(|| invalid("RedrivePolicy: deadLetterTargetArn must be an SQS ARN"))?;
                sqs.is_none_or(|sqs| sqs.is_fifo_queue(&target).is_some())
            }
        };
    if is_valid { Ok(()) } else { Err(invalid(format_args!("{name}: invalid value [{value}]"))) }
}

/// The queue for what cannot be delivered.
pub(super) fn redrive_target(text: &str) -> Option<Arc<str>> {
    let json = Json::parse(text).ok()?;
    json.get("deadLetterTargetArn").and_then(Json::as_str).map(Arc::from)
}

/// Checks a subscription's filter policy against its scope.
pub(super) fn check_filter(attributes: &Attributes) -> Result<(), Refusal> {
    match attributes.get(FILTER) {
        Some(text) => filter::FilterPolicy::parse(text, is_of_body(attributes)).map(|_| ()),
        None => Ok(()),
    }
    .map_err(|what| invalid(format_args!("FilterPolicy: {what}")))
}

pub(super) fn is_of_body(attributes: &Attributes) -> bool {
    attributes.get(FILTER_SCOPE).is_some_and(|scope| &**scope == "MessageBody")
}

pub(super) fn is_set(attributes: &Attributes, name: &str) -> bool {
    attributes.get(name).is_some_and(|value| &**value == "true")
}

/// Sets one; an empty text takes it away.
pub(super) fn set(attributes: &mut Attributes, name: &Arc<str>, value: &Arc<str>) {
    if value.is_empty() {
        attributes.remove(name);
    } else {
        attributes.insert(name.clone(), value.clone());
    }
}
