//! ReceiveMessage, and those who wait for a message.

use std::sync::Arc;

use stepwell_interpreter::Chance;
use stepwell_json::{Json, Object, ObjectBuilder};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::Timestamp;

use super::attributes::{self, VISIBILITY_TIMEOUT, WAIT_TIME};
use super::message::Message;
use super::{Done, Sqs, digests, invalid_value, no_queue, send};
use crate::answers::{Refusal, answer, members, texts};
use crate::input::Input;
use crate::services::{Request, ServicesOuts};

/// What a receipt handle is sealed for.
const RECEIPT: &str = "receipt";

/// Attributes of the system that can be asked for, as [`system_attribute`] gives them.
const SYSTEM_ATTRIBUTES: [&str; 9] = [
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

/// Somebody who waits for a message.
pub(super) struct Poll {
    pub(super) id: u64,
    pub(super) queue: u64,
    pub(super) until: Timestamp,
    wanted: Wanted,
}

/// What a receive asks for.
struct Wanted {
    messages_max: usize,
    visibility_seconds: Option<u64>,
    system_attributes: Vec<Arc<str>>,
    attributes: Vec<Arc<str>>,
}

/// What a receipt handle says.
pub(super) struct Receipt {
    pub(super) queue: u64,
    pub(super) message: u64,
    /// Which receive of the message it is, from 1.
    pub(super) receive: u64,
}

impl Sqs {
    pub(super) fn receive_message(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let wanted = wanted(input)?;
        let wait = within(input, "WaitTimeSeconds", 0, 20)?;
        let queue = self.queue(number)?;
        if let Some(id) = input.text("ReceiveRequestAttemptId")?.filter(|_| !queue.is_fifo()) {
            let reason = "The request include parameter that is not valid for this queue type";
            return Err(invalid_value(id, "ReceiveRequestAttemptId", reason));
        }
        let wait = wait.unwrap_or_else(|| attributes::number(&queue.attributes, WAIT_TIME));
        // A short poll of a queue in order gives nothing instead of an error, and so does every long poll.
        if wait == 0 && !queue.is_fifo() && queue.is_full() {
            let message = "There are too many messages in flight for the queue.";
            return Err(Refusal::new("OverLimit", message).with_status(403));
        }
        let received = self.receive(number, &wanted, request.now, request.chance);
        if received.is_empty() && wait > 0 {
            let until = request.now.plus_ms(wait * 1_000);
            self.polls.push(Poll { id: request.id, queue: number, until, wanted });
            return Ok(Done::Later);
        }
        Ok(Done::Output(output(received)))
    }

    /// Answers everybody who waits and need not any more, in the order in which they came. Only queues are looked at that
    /// this input touched or time did. A dead letter may wake somebody who came earlier, so it is looked again until
    /// nothing happens.
    pub(super) fn serve_polls(&mut self, now: Timestamp, chance: &Chance, outs: &mut ServicesOuts) {
        loop {
            let (mut has_served, next) = (false, self.next);
            for poll in std::mem::take(&mut self.polls) {
                let outcome = match self.queues.get_mut(&poll.queue) {
                    None => Err(no_queue()),
                    Some(queue) => {
                        let is_due = poll.until <= now;
                        let is_stirred = self.touched.contains(&poll.queue) && !planted::is(Bug::PollsNotServed)
                            || queue.next_wake().is_some_and(|at| at <= now);
                        if !is_due && !is_stirred {
                            self.polls.push(poll);
                            continue;
                        }
                        queue.settle(now);
                        self.touched.insert(poll.queue);
                        let received = self.receive(poll.queue, &poll.wanted, now, chance);
                        if received.is_empty() && !is_due {
                            self.polls.push(poll);
                            continue;
                        }
                        Ok(output(received))
                    }
                };
                outs.replies.push((poll.id, answer(outcome, chance)));
                has_served = true;
            }
            // What was moved has a new number.
            if !has_served && self.next == next {
                return;
            }
        }
    }

    /// Receives messages of a queue, moving those that were received too often.
    fn receive(&mut self, from: u64, wanted: &Wanted, now: Timestamp, chance: &Chance) -> Vec<Json> {
        let Some(queue) = self.queues.get(&from) else { return Vec::new() };
        if !queue.has_ready() {
            return Vec::new();
        }
        let redrive = queue.redrive().and_then(|policy| self.number_of_arn(&policy.target));
        let taken = queue.choose(wanted.messages_max, redrive.is_some());
        if let Some(target) = redrive {
            for message in taken.dead {
                self.bury(from, message, target, now);
            }
        }
        let mut received = Vec::with_capacity(taken.received.len());
        let seal = self.seal.clone();
        let Some(queue) = self.queue_mut(from) else { return Vec::new() };
        let seconds = attributes::number(&queue.attributes, VISIBILITY_TIMEOUT);
        let visible_at = now.plus_ms(wanted.visibility_seconds.unwrap_or(seconds) * 1_000);
        for number in taken.received {
            queue.see(number, now, |seen| {
                seen.receives += 1;
                seen.first_received_at = seen.first_received_at.or(Some(now));
                seen.received_at = Some(now);
                seen.visible_at = visible_at;
            });
            if let Some(message) = queue.messages.get(&number) {
                let handle = seal.close(RECEIPT, [from, number, message.seen.receives, chance.draw()]);
                received.push(shown(number, message, queue.is_fifo(), handle, wanted));
            }
        }
        received
    }

    /// What a receipt handle says, when it is one of this queue's.
    pub(super) fn receipt(&self, queue: u64, handle: &str) -> Result<Receipt, Refusal> {
        match self.seal.open::<4>(RECEIPT, handle) {
            Some([of, message, receive, _]) if of == queue => Ok(Receipt { queue, message, receive }),
            _ => {
                let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
                Err(Refusal::new("ReceiptHandleIsInvalid", message).with_status(404))
            }
        }
    }
}

fn wanted(input: Input<'_>) -> Result<Wanted, Refusal> {
    let messages_max = within(input, "MaxNumberOfMessages", 1, 10)?.unwrap_or(1);
    let visibility_seconds = within(input, "VisibilityTimeout", 0, 43_200)?;
    let mut system_attributes = Vec::new();
    for list in ["AttributeNames", "MessageSystemAttributeNames"] {
        for name in input.texts(list)? {
            // The older list is of the attributes of queues, too.
            if &**name != "All" && !SYSTEM_ATTRIBUTES.contains(&&**name) {
                return Err(Refusal::new("InvalidAttributeName", format!("Unknown Attribute {name}.")));
            }
            system_attributes.push(name.clone());
        }
    }
    let attributes = input.texts("MessageAttributeNames")?.into_iter().cloned().collect();
    let messages_max = usize::try_from(messages_max).unwrap_or(1);
    Ok(Wanted { messages_max, visibility_seconds, system_attributes, attributes })
}

/// A number of the input that must be within bounds.
pub(super) fn within(input: Input<'_>, name: &str, least: u64, most: u64) -> Result<Option<u64>, Refusal> {
    let Some(given) = input.integer(name)? else { return Ok(None) };
    match u64::try_from(given) {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => {
            let reason = format!("Must be >= {least} and <= {most}, if provided.");
            Err(invalid_value(&given.to_string(), name, &reason))
        }
    }
}

fn output(received: Vec<Json>) -> Json {
    members([("Messages", (!received.is_empty()).then(|| Json::array(received)))])
}

fn shown(number: u64, message: &Message, is_fifo: bool, handle: String, wanted: &Wanted) -> Json {
    let is_asked = |name: &str| wanted.system_attributes.iter().any(|asked| &**asked == "All" || &**asked == name);
    let system = SYSTEM_ATTRIBUTES.iter().filter(|name| is_asked(name));
    let system: Vec<_> = system
        .filter_map(|name| system_attribute(name, number, message, is_fifo).map(|value| (*name, value)))
        .collect();
    let attributes = chosen(&message.attributes, &wanted.attributes);
    members([
        ("MessageId", Some(message.id.clone().into())),
        ("ReceiptHandle", Some(handle.into())),
        ("MD5OfBody", Some(digests::of_body(&message.body).into())),
        ("Body", Some(message.body.clone().into())),
        ("Attributes", (!system.is_empty()).then(|| texts(system))),
        ("MD5OfMessageAttributes", digests::of_attributes(&attributes).map(Json::from)),
        ("MessageAttributes", (!attributes.is_empty()).then_some(Json::Object(attributes))),
    ])
}

fn system_attribute(name: &str, number: u64, message: &Message, is_fifo: bool) -> Option<Arc<str>> {
    match name {
        "SenderId" => Some(message.sender.clone()),
        "SentTimestamp" => Some(message.sent_at.0.to_string().into()),
        "ApproximateReceiveCount" => Some(message.seen.receives.to_string().into()),
        "ApproximateFirstReceiveTimestamp" => message.seen.first_received_at.map(|at| at.0.to_string().into()),
        "SequenceNumber" => is_fifo.then(|| send::sequence_number(number).into()),
        "MessageDeduplicationId" => message.deduplication.clone(),
        "MessageGroupId" => message.group.clone(),
        "AWSTraceHeader" => message.trace_header.clone(),
        "DeadLetterQueueSourceArn" => message.dead_letter_source.clone(),
        _ => None,
    }
}

/// The attributes somebody asked for: by name, by the beginning of a name (`foo.*`), or all (`All`, `.*`).
fn chosen(attributes: &Object, asked: &[Arc<str>]) -> Object {
    let is_asked = |name: &str| {
        asked.iter().any(|pattern| match &**pattern {
            "All" | ".*" => true,
            pattern => pattern.strip_suffix(".*").map_or(name == pattern, |start| name.starts_with(start)),
        })
    };
    let mut object = ObjectBuilder::new();
    for (name, value) in attributes.iter().filter(|(name, _)| is_asked(name)) {
        object.insert(name.clone(), value.clone());
    }
    object.build()
}
