//! Publish and PublishBatch: a message goes to every subscription whose filter takes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use stepwell_json::{Json, Object, ObjectBuilder};

use super::attributes::{self, CONTENT_BASED, FILTER, RAW, REDRIVE};
use super::filter::{self, FilterPolicy};
use super::notifications::{Addresses, Notification};
use super::subscriptions::{Protocol, Subscription};
use super::topics::{Accepted, Topic};
use super::{Outcome, Sns, invalid, not_found};
use crate::answers::{Refusal, members, query_code};
use crate::input::Input;
use crate::services::Request;
use crate::sqs::{Draft, Sqs};

/// Bytes of a message with its attributes, and of a batch together.
///
/// Source: SNS's API reference, Publish.
const BYTES_MAX: usize = 262_144;

const ENTRIES_MAX: usize = 10;

/// How long an id is remembered.
const REMEMBERED_MS: u64 = 5 * 60 * 1_000;

/// Where the numbers of messages in order begin.
const SEQUENCE_BASE: u64 = 10_000_000_000_000_000_000;

/// Attributes a message in a queue may have.
const RAW_ATTRIBUTES_MAX: usize = 10;

/// A message as it was published, checked.
struct Published {
    /// The text of each protocol that has one of its own.
    texts: Option<Object>,
    message: Arc<str>,
    subject: Option<Arc<str>>,
    attributes: Object,
    group: Option<Arc<str>>,
    deduplication: Option<Arc<str>>,
    bytes: usize,
}

impl Sns {
    pub(super) fn publish(&mut self, sqs: &mut Sqs, request: &Request<'_>, input: Input<'_>) -> Outcome {
        if input.text("PhoneNumber")?.is_some() {
            return Err(invalid("PhoneNumber Reason: Publish to a phone number is not available in the local service"));
        }
        let parameter = if input.member("TopicArn").is_some() { "TopicArn" } else { "TargetArn" };
        if input.text(parameter)?.is_none() {
            return Err(invalid("TopicArn or TargetArn Reason: no value for required parameter"));
        }
        let arn = self.topic(input, parameter)?.arn.clone();
        let published = read(input)?;
        if published.bytes > BYTES_MAX {
            return Err(invalid("Message too long"));
        }
        self.send(sqs, request, &arn, &published)
    }

    pub(super) fn publish_batch(&mut self, sqs: &mut Sqs, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let arn = self.topic(input, "TopicArn")?.arn.clone();
        let entries = input.list("PublishBatchRequestEntries")?;
        let entries = entries.filter(|entries| !entries.is_empty()).ok_or_else(|| {
            Refusal::new("EmptyBatchRequestException", "The batch request doesn't contain any entries.")
        })?;
        if entries.len() > ENTRIES_MAX {
            let message = "The batch request contains more entries than permissible.";
            return Err(Refusal::new("TooManyEntriesInBatchRequestException", message));
        }
        let mut ids = BTreeSet::new();
        for entry in entries.iter().map(Input) {
            let id = entry.required("Id")?;
            let is_spelled = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            if id.is_empty() || id.len() > 80 || !is_spelled {
                let message = "The Id of a batch entry in a batch request doesn't abide by the specification.";
                return Err(Refusal::new("InvalidBatchEntryIdException", message));
            }
            if !ids.insert(id.clone()) {
                let message = "Two or more batch entries in the request have the same Id.";
                return Err(Refusal::new("BatchEntryIdsNotDistinctException", message));
            }
        }
        let published: Vec<_> = entries.iter().map(|entry| read(Input(entry))).collect();
        if published.iter().flatten().map(|published| published.bytes).sum::<usize>() > BYTES_MAX {
            let message = "The length of all the batch messages put together is more than the limit.";
            return Err(Refusal::new("BatchRequestTooLongException", message));
        }
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for (entry, published) in entries.iter().zip(published) {
            let id = Input(entry).required("Id")?.clone();
            match published.and_then(|published| self.send(sqs, request, &arn, &published)) {
                Ok(output) => done.push(members([
                    ("Id", Some(id.into())),
                    ("MessageId", output.get("MessageId").cloned()),
                    ("SequenceNumber", output.get("SequenceNumber").cloned()),
                ])),
                Err(refusal) => failed.push(members([
                    ("Id", Some(id.into())),
                    ("Code", Some(query_code("sns", refusal.code).into())),
                    ("Message", Some(refusal.message.into())),
                    ("SenderFault", Some(Json::Bool(refusal.status < 500))),
                ])),
            }
        }
        Ok(Json::object([("Successful", Json::array(done)), ("Failed", Json::array(failed))]))
    }

    fn send(&mut self, sqs: &mut Sqs, request: &Request<'_>, arn: &Arc<str>, published: &Published) -> Outcome {
        let topic = self.topics.get(arn).ok_or_else(|| not_found("Topic does not exist"))?;
        let (is_fifo, deduplication) = (topic.is_fifo(), deduplication_id(topic, published)?);
        let message_id: Arc<str> = request.chance.uuid().into();
        let mut sequence = None;
        if is_fifo && let Some(topic) = self.topic_mut(arn) {
            topic.forget_accepted(request);
            let key = topic.accepted_key(deduplication.as_deref().unwrap_or_default(), published.group.as_deref());
            if let Some(first) = topic.accepted.get(&key) {
                let sequence = shown_sequence(first.sequence);
                return Ok(members([
                    ("MessageId", Some(first.message_id.clone().into())),
                    ("SequenceNumber", Some(sequence.into())),
                ]));
            }
            topic.published += 1;
            let until = request.now.plus_ms(REMEMBERED_MS);
            let accepted = Accepted { message_id: message_id.clone(), sequence: topic.published, until };
            topic.accepted.insert(key.clone(), accepted);
            topic.touched_accepted.insert(key);
            sequence = Some(shown_sequence(topic.published));
        }
        let mut deliveries = Vec::new();
        let addresses = Addresses { endpoint: &self.endpoint, seal: &self.seal };
        for to in self.subscriptions_of(arn).filter(|to| !to.is_pending && to.takes(published)) {
            let is_raw = attributes::is_set(&to.attributes, RAW) && to.protocol != Protocol::Lambda;
            let notification = Notification {
                message_id: &message_id,
                topic: arn,
                subject: published.subject.as_deref(),
                message: published.text_for(to.protocol),
                sequence: sequence.as_deref(),
                attributes: &published.attributes,
                timestamp: request.now.to_string(),
            };
            if to.protocol != Protocol::Sqs {
                deliveries.push(notification.delivery(to, is_raw, &addresses));
                continue;
            }
            let body =
                if is_raw { notification.message.into() } else { notification.document(&to.arn, &addresses).into() };
            let attributes = if is_raw { published.attributes.clone() } else { ObjectBuilder::new().build() };
            let draft = Draft {
                body,
                attributes,
                trace_header: None,
                group: published.group.clone(),
                deduplication: deduplication.clone(),
                delay_seconds: None,
            };
            deliver(sqs, to, &draft, request);
        }
        self.deliveries.append(&mut deliveries);
        Ok(members([("MessageId", Some(message_id.into())), ("SequenceNumber", sequence.map(Json::from))]))
    }
}

/// Puts a message into a subscribed queue, or into the one for what cannot be delivered.
fn deliver(sqs: &mut Sqs, to: &Subscription, draft: &Draft, request: &Request<'_>) {
    // What has too many attributes is nothing a queue takes.
    let first = Some(to.endpoint.clone()).filter(|_| draft.attributes.len() <= RAW_ATTRIBUTES_MAX);
    let second = to.attributes.get(REDRIVE).and_then(|text| attributes::redrive_target(text));
    for arn in first.into_iter().chain(second) {
        // A queue that is not in order knows no ids.
        let is_fifo = sqs.is_fifo_queue(&arn) == Some(true);
        let draft = Draft { deduplication: draft.deduplication.clone().filter(|_| is_fifo), ..draft.clone() };
        if sqs.deliver(&arn, &draft, request.now, request.chance).is_some() {
            return;
        }
    }
}

impl Topic {
    fn accepted_key(&self, id: &str, group: Option<&str>) -> Arc<str> {
        let group =
            group.filter(|_| self.attributes.get(attributes::SCOPE).is_some_and(|scope| &**scope == "MessageGroup"));
        format!("{}\0{id}", group.unwrap_or_default()).into()
    }

    fn forget_accepted(&mut self, request: &Request<'_>) {
        let old: Vec<_> = self
            .accepted
            .iter()
            .filter(|(_, accepted)| accepted.until <= request.now)
            .map(|(key, _)| key.clone())
            .collect();
        for key in old {
            self.accepted.remove(&key);
            self.touched_accepted.insert(key);
        }
    }
}

impl Subscription {
    /// Whether its filter takes a message.
    fn takes(&self, published: &Published) -> bool {
        let Some(text) = self.attributes.get(FILTER) else { return true };
        let is_of_body = attributes::is_of_body(&self.attributes);
        // It was checked when it was set.
        let Ok(policy) = FilterPolicy::parse(text, is_of_body) else { return false };
        if !is_of_body {
            return policy.matches(&filter::of_attributes(&published.attributes));
        }
        let body = Json::parse(published.text_for(self.protocol)).ok().filter(|body| body.as_object().is_some());
        body.is_some_and(|body| policy.matches(&body))
    }
}

impl Published {
    fn text_for(&self, protocol: Protocol) -> &str {
        let own = self.texts.as_ref().and_then(|texts| texts.get(protocol.name())).and_then(Json::as_str);
        own.unwrap_or(&self.message)
    }
}

fn shown_sequence(number: u64) -> String {
    (SEQUENCE_BASE + number * 1_000).to_string()
}

/// What tells a message of a topic in order from others.
fn deduplication_id(topic: &Topic, published: &Published) -> Result<Option<Arc<str>>, Refusal> {
    if !topic.is_fifo() {
        return match published.deduplication {
            Some(_) => Err(invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter \
                                    that is not valid for this topic type",
            )),
            None => Ok(None),
        };
    }
    if published.group.is_none() {
        return Err(invalid("The MessageGroupId parameter is required for FIFO topics"));
    }
    match &published.deduplication {
        Some(id) => Ok(Some(id.clone())),
        None if attributes::is_set(&topic.attributes, CONTENT_BASED) => {
            let digest = Sha256::digest(published.message.as_bytes());
            Ok(Some(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()))
        }
        None => Err(invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                             provided explicitly",
        )),
    }
}

fn read(input: Input<'_>) -> Result<Published, Refusal> {
    let message = input.required("Message")?;
    if message.is_empty() {
        return Err(invalid("Empty message"));
    }
    let subject = input.text("Subject")?.cloned();
    if subject.as_ref().is_some_and(|subject| {
        subject.is_empty() || subject.chars().count() > 100 || subject.chars().any(char::is_control)
    }) {
        return Err(invalid("Subject"));
    }
    let attributes = input.object("MessageAttributes")?.cloned().unwrap_or_else(|| ObjectBuilder::new().build());
    let mut bytes = message.len();
    for (name, value) in attributes.iter() {
        bytes += name.len() + check_attribute(name, Input(value))?;
    }
    let texts = match input.text("MessageStructure")?.map(|structure| &**structure) {
        None | Some("") => None,
        Some("json") => Some(texts_of(message)?),
        Some(_) => return Err(invalid("MessageStructure")),
    };
    let default = texts.as_ref().and_then(|texts| texts.get("default")).and_then(Json::as_str).map(Arc::from);
    let message = default.unwrap_or_else(|| message.clone());
    Ok(Published {
        texts,
        message,
        subject,
        attributes,
        group: input.text("MessageGroupId")?.cloned(),
        deduplication: input.text("MessageDeduplicationId")?.cloned(),
        bytes,
    })
}

/// The texts of a message that has one for each protocol.
fn texts_of(message: &str) -> Result<Object, Refusal> {
    let parsed = Json::parse(message).ok();
    let texts = parsed.as_ref().and_then(Json::as_object);
    let texts = texts.ok_or_else(|| invalid("Message Structure - JSON message body failed to parse"))?;
    match texts.get("default") {
        Some(Json::String(_)) => Ok(texts.clone()),
        _ => Err(invalid("Message Structure - No default entry in JSON message body")),
    }
}

/// Checks an attribute, and gives the bytes of its type and value.
fn check_attribute(name: &str, value: Input<'_>) -> Result<usize, Refusal> {
    let refused =
        |what: &str| Refusal::new("InvalidParameterValueException", format!("The message attribute '{name}' {what}"));
    let data_type = value.text("DataType")?.filter(|data_type| !data_type.is_empty());
    let data_type = data_type.ok_or_else(|| refused("must contain non-empty message attribute type."))?;
    let (text, binary) = (value.text("StringValue")?, value.text("BinaryValue")?);
    let content = match data_type.split('.').next() {
        Some("String" | "Number") => text,
        Some("Binary") => binary,
        _ => {
            return Err(refused(
                "has an invalid message attribute type, the set of supported type prefixes is Binary, \
                                Number, and String.",
            ));
        }
    };
    let content = content.filter(|content| !content.is_empty());
    let content = content.ok_or_else(|| refused("must contain non-empty message attribute value."))?;
    if &**data_type == "String.Array" && !Json::parse(content).is_ok_and(|json| json.as_array().is_some()) {
        return Err(refused("is no JSON array although its type is String.Array."));
    }
    Ok(data_type.len() + content.len())
}
