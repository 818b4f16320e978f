//! Events: what is put into streams, and how much of it is held.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Timestamp;
use stepwell_store::RowChange;

use super::kept::{event_row, gone_event};
use super::streams::{self, LogStream, sequence_token};
use super::{Logs, Outcome, invalid, no_group, no_stream};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::services::Request;

/// Bytes that all events together may have, as CloudWatch Logs counts them.
const HELD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What an event takes beside its message. Source: CloudWatch Logs' API reference, PutLogEvents; as the numbers below.
const EVENT_BYTES: usize = 26;
const BATCH_EVENTS_MAX: usize = 10_000;
const BATCH_BYTES_MAX: usize = 1_048_576;
const BATCH_SPAN_MS: i64 = 24 * HOUR_MS;
const TOO_OLD_MS: i64 = 14 * 24 * HOUR_MS;
const TOO_NEW_MS: i64 = 2 * HOUR_MS;
const HOUR_MS: i64 = 3_600_000;

/// An event that the engine writes. It reaches its group when there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// The group's ARN, with or without `:*`.
    pub log_group_arn: Arc<str>,
    /// The stream in it, which is made when it is not there.
    pub log_stream_name: Arc<str>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What happened.
    pub message: Arc<str>,
}

/// An event that is held.
pub(super) struct Event {
    /// The number of its stream.
    pub(super) stream: u64,
    pub(super) timestamp: Timestamp,
    pub(super) ingested: Timestamp,
    pub(super) message: Arc<str>,
}

impl Event {
    fn bytes(&self) -> usize {
        self.message.len() + EVENT_BYTES
    }
}

/// All events, by number: in the order in which they came.
#[derive(Default)]
pub(super) struct Events {
    by_number: BTreeMap<u64, Event>,
    bytes: usize,
    /// ARNs of streams, by number.
    streams: BTreeMap<u64, Arc<str>>,
}

impl Events {
    pub(super) fn get(&self, number: u64) -> Option<&Event> {
        self.by_number.get(&number)
    }

    pub(super) fn add_stream(&mut self, number: u64, arn: Arc<str>) {
        self.streams.insert(number, arn);
    }

    pub(super) fn forget_stream(&mut self, number: u64) {
        self.streams.remove(&number);
    }

    pub(super) fn stream_of(&self, event: &Event) -> Option<&Arc<str>> {
        self.streams.get(&event.stream)
    }

    pub(super) fn add(&mut self, number: u64, event: Event) {
        self.bytes += event.bytes();
        self.by_number.insert(number, event);
    }

    pub(super) fn remove(&mut self, number: u64, rows: &mut Vec<RowChange>) {
        if let Some(event) = self.by_number.remove(&number) {
            self.bytes -= event.bytes();
            rows.push(gone_event(number));
        }
    }

    /// The event that came first, when there is more than is held.
    fn surplus(&self) -> Option<(u64, &Event)> {
        let (number, event) = self.by_number.first_key_value()?;
        (self.bytes > HELD_BYTES_MAX).then_some((*number, event))
    }
}

impl Logs {
    pub(super) fn put_log_events(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let group = self.group_of(request, input)?;
        let name = input.required("logStreamName")?;
        streams::check_name(name)?;
        let arn = streams::arn_of(&group, name);
        let token = sequence_token(self.streams.get(&arn).ok_or_else(no_stream)?);
        let batch = read_batch(input)?;
        let expired = self.groups.get(&group).ok_or_else(no_group)?.expired_before(request.now).0;
        let now = request.now.0;
        let old = batch.partition_point(|(time, _)| *time < now - TOO_OLD_MS);
        let expired = batch.partition_point(|(time, _)| *time < expired);
        let new = batch.partition_point(|(time, _)| *time <= now + TOO_NEW_MS);
        let taken = batch.get(old.max(expired)..new).unwrap_or_default();
        if let (Some((first, _)), Some((last, _))) = (taken.first(), taken.last())
            && last - first > BATCH_SPAN_MS
        {
            return Err(invalid(
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
            ));
        }
        for (time, message) in taken {
            self.add_event(&arn, Timestamp(*time), (*message).clone(), request.now);
        }
        self.drop_surplus();
        let place = |at: usize, is: bool| is.then(|| Json::from(at as u64));
        let rejected = members([
            ("tooNewLogEventStartIndex", place(new, new < batch.len())),
            ("tooOldLogEventEndIndex", place(old, old > 0)),
            ("expiredLogEventEndIndex", place(expired, expired > old)),
        ]);
        let rejected = rejected.as_object().is_some_and(|object| !object.is_empty()).then_some(rejected);
        Ok(members([("nextSequenceToken", Some(Json::from(token))), ("rejectedLogEventsInfo", rejected)]))
    }

    /// Writes what the engine has to say.
    pub(crate) fn log(&mut self, lines: &[LogLine], now: Timestamp) {
        for line in lines {
            let group: Arc<str> = line.log_group_arn.trim_end_matches(":*").into();
            // Whoever deleted the group did not want to hear it.
            if !self.groups.contains(&group) {
                continue;
            }
            let arn = streams::arn_of(&group, &line.log_stream_name);
            if !self.streams.contains(&arn) {
                self.add_stream(&group, &line.log_stream_name, now);
            }
            self.add_event(&arn, line.timestamp, line.message.clone(), now);
        }
        self.drop_surplus();
    }

    fn add_event(&mut self, arn: &str, timestamp: Timestamp, message: Arc<str>, now: Timestamp) {
        let number = self.number();
        let Some(stream) = self.streams.get_mut(arn) else { return };
        stream.events.insert((timestamp, number));
        stream.last_ingested = Some(now);
        let event = Event { stream: stream.number, timestamp, ingested: now, message };
        self.rows.push(event_row(number, &event));
        self.events.add(number, event);
    }

    fn drop_surplus(&mut self) {
        while let Some((number, event)) = self.events.surplus() {
            let (arn, at) = (self.events.stream_of(event).cloned(), event.timestamp);
            if let Some(stream) = arn.and_then(|arn| self.streams.get_mut(&arn)) {
                stream.events.remove(&(at, number));
            }
            self.events.remove(number, &mut self.rows);
        }
    }

    /// Drops what a group's retention has let expire.
    pub(super) fn expire(&mut self, group: &str, now: Timestamp) {
        let Some(before) = self.groups.get(group).map(|group| group.expired_before(now)) else { return };
        let is_past = |stream: &LogStream| stream.events.first().is_some_and(|(time, _)| *time < before);
        let streams: Vec<_> =
            self.streams_of(group).filter(|(_, stream)| is_past(stream)).map(|(arn, _)| arn.clone()).collect();
        for arn in streams {
            let Some(stream) = self.streams.get_mut(&arn) else { continue };
            let left = stream.events.split_off(&(before, 0));
            for (_, number) in std::mem::replace(&mut stream.events, left) {
                self.events.remove(number, &mut self.rows);
            }
        }
    }

    pub(super) fn stored_bytes(&self, group: &str) -> u64 {
        let events = self.streams_of(group).flat_map(|(_, stream)| stream.events.iter());
        events.filter_map(|(_, number)| self.events.get(*number)).map(|event| event.bytes() as u64).sum()
    }
}

/// Times and messages of a batch that can be one.
fn read_batch<'a>(input: Input<'a>) -> Result<Vec<(i64, &'a Arc<str>)>, Refusal> {
    let events = input.list("logEvents")?.ok_or_else(|| Refusal::missing("logEvents"))?;
    if events.is_empty() || events.len() > BATCH_EVENTS_MAX {
        let count = events.len();
        return Err(invalid(format!("A batch has from 1 to {BATCH_EVENTS_MAX} log events, not {count}.")));
    }
    let mut batch: Vec<(i64, &Arc<str>)> = Vec::with_capacity(events.len());
    let mut bytes = 0;
    for event in events.iter().map(Input) {
        let time = event.integer("timestamp")?.ok_or_else(|| Refusal::missing("timestamp"))?;
        let message = event.required("message")?;
        if message.is_empty() {
            return Err(invalid("A log event's message has at least one character."));
        }
        if time < 0 {
            return Err(invalid("A log event's timestamp is not negative."));
        }
        if batch.last().is_some_and(|(last, _)| *last > time) {
            return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
        }
        bytes += message.len() + EVENT_BYTES;
        batch.push((time, message));
    }
    if bytes > BATCH_BYTES_MAX {
        return Err(invalid(format!("Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}")));
    }
    Ok(batch)
}
