//! SendMessage and SendMessageBatch.

use std::sync::Arc;

use stepwell_interpreter::Chance;
use stepwell_json::Json;
use stepwell_spec::Timestamp;

use super::attributes::{self, CONTENT_BASED, DELAY, MAXIMUM_MESSAGE_SIZE};
use super::duplicates::{Accepted, REMEMBERED_MS, content_id};
use super::message::{Draft, Message, Seen};
use super::{Done, Sqs, batches, digests, invalid_value};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::services::Request;

/// Bytes of all messages of a batch together.
///
/// Source: SQS's API reference, SendMessageBatch (1 MiB since August 2025).
const BATCH_BYTES_MAX: usize = 1_048_576;

/// Where the numbers of messages in order begin: twenty digits, as AWS's have.
const SEQUENCE_BASE: u128 = 18_850_000_000_000_000_000;

/// The number a client sees of a message in order.
pub(super) fn sequence_number(number: u64) -> String {
    format!("{:020}", SEQUENCE_BASE + u128::from(number) * 256)
}

impl Sqs {
    pub(super) fn send_message(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let draft = Draft::read(input)?;
        let output = self.send(number, &draft, &request.place.account, request.now, request.chance)?;
        Ok(Done::Output(output))
    }

    pub(super) fn send_message_batch(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let entries = batches::entries(input, "SendMessage")?;
        let drafts: Vec<_> = entries.iter().map(|(_, entry)| Draft::read(*entry)).collect();
        let bytes: usize = drafts.iter().flatten().map(Draft::bytes).sum();
        if bytes > BATCH_BYTES_MAX {
            let message =
                format!("Batch requests cannot be longer than {BATCH_BYTES_MAX} bytes. You have sent {bytes} bytes.");
            return Err(Refusal::new("BatchRequestTooLong", message));
        }
        let outcomes = drafts.into_iter().zip(&entries).map(|(draft, (id, _))| {
            let sent =
                draft.and_then(|draft| self.send(number, &draft, &request.place.account, request.now, request.chance));
            (id.clone(), sent)
        });
        let outcomes = outcomes.collect();
        Ok(Done::Output(batches::output(outcomes)))
    }

    /// Sends a message on behalf of another service. None when there is no such queue.
    pub(crate) fn deliver(&mut self, arn: &str, draft: &Draft, now: Timestamp, chance: &Chance) -> Option<()> {
        let number = self.number_of_arn(arn)?;
        if let Some(queue) = self.queue_mut(number) {
            queue.settle(now);
        }
        self.send(number, draft, "sns.amazonaws.com", now, chance).ok().map(|_| ())
    }

    /// Sends a message, and says what SendMessage answers.
    fn send(&mut self, to: u64, draft: &Draft, sender: &str, now: Timestamp, chance: &Chance) -> Result<Json, Refusal> {
        let queue = self.queue(to)?;
        let (bytes, bytes_max) = (draft.bytes(), attributes::number(&queue.attributes, MAXIMUM_MESSAGE_SIZE));
        if bytes as u64 > bytes_max {
            let message =
                format!("One or more parameters are invalid. Reason: Message must be shorter than {bytes_max} bytes.");
            return Err(Refusal::new("InvalidParameterValueException", message));
        }
        let (is_fifo, deduplication) = (queue.is_fifo(), deduplication_id(queue, draft)?);
        let delay = draft.delay_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let delay = delay.unwrap_or_else(|| attributes::number(&queue.attributes, DELAY));
        let key = match (&deduplication, &draft.group) {
            (Some(id), Some(group)) => Some(queue.duplicate_key(id, group)),
            _ => None,
        };
        let repeated = key.and_then(|key| queue.repeated(&key)).map(|first| (first.message_id.clone(), first.number));
        let (message_id, number) = match repeated {
            Some(first) => first,
            None => {
                let (id, number): (Arc<str>, u64) = (chance.uuid().into(), self.number());
                let message = Message {
                    id: id.clone(),
                    body: draft.body.clone(),
                    attributes: draft.attributes.clone(),
                    trace_header: draft.trace_header.clone(),
                    sender: sender.into(),
                    sent_at: now,
                    group: draft.group.clone(),
                    deduplication,
                    dead_letter_source: None,
                    seen: Seen::not_yet(now.plus_ms(delay * 1_000)),
                };
                if let Some(queue) = self.queue_mut(to) {
                    if let Some(key) = key {
                        let until = now.plus_ms(REMEMBERED_MS);
                        queue.remember(key, Accepted { message_id: id.clone(), number, until });
                    }
                    queue.add(number, message, now);
                }
                (id, number)
            }
        };
        let of_system = draft.trace_header.as_ref().and_then(|header| {
            let value =
                members([("DataType", Some(Json::from("String"))), ("StringValue", Some(header.clone().into()))]);
            Json::object([("AWSTraceHeader", value)]).as_object().and_then(digests::of_attributes)
        });
        Ok(members([
            ("MD5OfMessageBody", Some(digests::of_body(&draft.body).into())),
            ("MD5OfMessageAttributes", digests::of_attributes(&draft.attributes).map(Json::from)),
            ("MD5OfMessageSystemAttributes", of_system.map(Json::from)),
            ("MessageId", Some(message_id.into())),
            ("SequenceNumber", is_fifo.then(|| sequence_number(number).into())),
        ]))
    }
}

/// What holds only in a queue in order, and the id by which its messages are told apart.
fn deduplication_id(queue: &super::queue::Queue, draft: &Draft) -> Result<Option<Arc<str>>, Refusal> {
    const OTHER_TYPE: &str = "The request include parameter that is not valid for this queue type";
    if !queue.is_fifo() {
        return match &draft.deduplication {
            Some(id) => Err(invalid_value(id, "MessageDeduplicationId", OTHER_TYPE)),
            None => Ok(None),
        };
    }
    if draft.group.is_none() {
        return Err(Refusal::missing("MessageGroupId"));
    }
    if let Some(seconds) = draft.delay_seconds.filter(|seconds| *seconds > 0) {
        return Err(invalid_value(&seconds.to_string(), "DelaySeconds", OTHER_TYPE));
    }
    match &draft.deduplication {
        Some(id) => Ok(Some(id.clone())),
        None if attributes::flag(&queue.attributes, CONTENT_BASED) => Ok(Some(content_id(&draft.body))),
        None => Err(Refusal::new(
            "InvalidParameterValueException",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        )),
    }
}
