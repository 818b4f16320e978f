//! What is kept of SQS: rows of queues, messages, receives, ids that were accepted, tasks and deleted names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_json::{Json, Object};
use stepwell_planted::{self as planted, Bug};
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;
use stepwell_store::{Index, RowChange};

use super::Sqs;
use super::duplicates::Accepted;
use super::message::{Message, Seen};
use super::move_tasks::MoveTask;
use super::queue::Queue;
use crate::answers::texts;
use crate::rows::{RowError, RowReader, each_row, key, new_row, removal};
use crate::seal::Seal;
use crate::services::{ServicesOuts, ServicesSettings};

/// By the queue's number.
const QUEUES: &str = "sqs_queues";
/// What was sent. By the queue's number and the message's.
const MESSAGES: &str = "sqs_messages";
/// Where receives stand, when a message was received or delayed. By the same.
const RECEIVES: &str = "sqs_receives";
/// Ids that were accepted. By the queue's number and a digest.
const ACCEPTED: &str = "sqs_accepted";
/// By number.
const MOVE_TASKS: &str = "sqs_move_tasks";
/// When queues were deleted. By ARN.
const DELETED: &str = "sqs_deleted";
/// The next number to give: one row.
const NUMBERS: &str = "sqs_numbers";

impl Sqs {
    /// SQS with everything that was kept.
    pub(crate) fn open(settings: &ServicesSettings, seal: Seal, index: &dyn Index) -> Result<Sqs, RowError> {
        let mut sqs = Sqs {
            endpoint: settings.endpoint.clone(),
            minute_rules: settings.minute_rules,
            seal,
            queues: BTreeMap::new(),
            names: BTreeMap::new(),
            arns: BTreeMap::new(),
            deleted: BTreeMap::new(),
            tasks: BTreeMap::new(),
            polls: Vec::new(),
            next: 1,
            next_kept: 1,
            touched: BTreeSet::new(),
            touched_tasks: BTreeSet::new(),
            rows: Vec::new(),
        };
        each_row(index, NUMBERS, |row| {
            sqs.next = if planted::is(Bug::NumbersAgain) { sqs.next } else { row.number("next")? };
            Ok(())
        })?;
        sqs.next_kept = sqs.next;
        each_row(index, QUEUES, |row| {
            let queue = read_queue(row)?;
            sqs.names.insert((queue.place.clone(), queue.name.clone()), queue.number);
            sqs.arns.insert(queue.arn.clone(), queue.number);
            sqs.queues.insert(queue.number, queue);
            Ok(())
        })?;
        let mut seen: BTreeMap<[u64; 2], Seen> = BTreeMap::new();
        each_row(index, RECEIVES, |row| {
            seen.insert(row.key_numbers()?, read_seen(row)?);
            Ok(())
        })?;
        each_row(index, MESSAGES, |row| {
            let [queue, number] = row.key_numbers()?;
            let seen = seen.remove(&[queue, number]).filter(|_| !planted::is(Bug::ReceivesForgotten));
            let message = read_message(row, seen)?;
            let queue = sqs.queues.get_mut(&queue).ok_or_else(|| row.broken("its queue is not there"))?;
            // Nothing is due yet: who looks first lets time pass.
            queue.restore(number, message, Timestamp(i64::MIN));
            Ok(())
        })?;
        each_row(index, ACCEPTED, |row| {
            if planted::is(Bug::AcceptedForgotten) {
                return Ok(());
            }
            let [queue] = row.key_numbers()?;
            let digest = row.key_rest(1).try_into().map_err(|_| row.broken("its key ends in no digest"))?;
            let accepted = Accepted {
                message_id: row.text("message_id")?,
                number: row.number("number")?,
                until: row.time("until")?,
            };
            let queue = sqs.queues.get_mut(&queue).ok_or_else(|| row.broken("its queue is not there"))?;
            queue.accepted_until.insert((accepted.until, digest));
            queue.accepted.insert(digest, accepted);
            Ok(())
        })?;
        each_row(index, MOVE_TASKS, |row| {
            let [number] = row.key_numbers()?;
            sqs.tasks.insert(number, read_task(row)?);
            Ok(())
        })?;
        each_row(index, DELETED, |row| {
            sqs.deleted.insert(row.text("arn")?, row.time("at")?);
            Ok(())
        })?;
        Ok(sqs)
    }

    /// Writes down what changed since the last time.
    pub(super) fn write_rows(&mut self, outs: &mut ServicesOuts) {
        outs.rows.append(&mut self.rows);
        for number in std::mem::take(&mut self.touched) {
            if let Some(queue) = self.queues.get_mut(&number) {
                outs.rows.extend(rows_of(queue));
            }
        }
        for number in std::mem::take(&mut self.touched_tasks) {
            outs.rows.push(match self.tasks.get(&number) {
                Some(task) => task_row(number, task),
                None => removal(MOVE_TASKS, key([number])),
            });
        }
        if self.next != self.next_kept {
            self.next_kept = self.next;
            outs.rows.push(new_row().number("next", self.next).change(NUMBERS, key([0])));
        }
    }
}

/// The rows of what changed in a queue.
fn rows_of(queue: &mut Queue) -> Vec<RowChange> {
    let mut rows = Vec::new();
    let changed = std::mem::take(&mut queue.changed);
    if changed.about {
        rows.push(queue_row(queue));
    }
    for number in &changed.messages {
        match queue.messages.get(number) {
            Some(message) => rows.push(message_row(queue.number, *number, message)),
            None => {
                if !planted::is(Bug::DeletedComesBack) {
                    rows.push(removal(MESSAGES, key([queue.number, *number])));
                }
                rows.push(removal(RECEIVES, key([queue.number, *number])));
            }
        }
    }
    for number in &changed.seen {
        if let Some(message) = queue.messages.get(number)
            && !(changed.messages.contains(number) && message.seen == Seen::not_yet(message.sent_at))
        {
            rows.push(seen_row(queue.number, *number, &message.seen));
        }
    }
    for digest in &changed.accepted {
        let mut at = key([queue.number]);
        at.extend_from_slice(digest);
        rows.push(match queue.accepted.get(digest) {
            Some(accepted) => new_row()
                .text("message_id", &accepted.message_id)
                .number("number", accepted.number)
                .time("until", accepted.until)
                .change(ACCEPTED, at),
            None => removal(ACCEPTED, at),
        });
    }
    rows
}

/// The rows of a queue that is gone with everything in it.
pub(super) fn rows_of_gone(queue: &mut Queue) -> Vec<RowChange> {
    queue.changed.about = false;
    let mut rows = rows_of(queue);
    rows.push(removal(QUEUES, key([queue.number])));
    rows
}

pub(super) fn deleted(arn: &Arc<str>, at: Timestamp) -> RowChange {
    new_row().text("arn", arn).time("at", at).change(DELETED, arn.as_bytes().to_vec())
}

pub(super) fn not_deleted(arn: &str) -> RowChange {
    removal(DELETED, arn.as_bytes().to_vec())
}

fn queue_row(queue: &Queue) -> RowChange {
    let map = |map: &BTreeMap<Arc<str>, Arc<str>>| texts(map.iter().map(|(key, value)| (key.clone(), value.clone())));
    new_row()
        .text("account", &queue.place.account)
        .text("region", &queue.place.region)
        .text("name", &queue.name)
        .time("created_at", queue.created_at)
        .time("modified_at", queue.modified_at)
        .time_if_any("purged_at", queue.purged_at)
        .json("attributes", map(&queue.attributes))
        .json("tags", map(&queue.tags))
        .change(QUEUES, key([queue.number]))
}

fn read_queue(row: &RowReader<'_>) -> Result<Queue, RowError> {
    let [number] = row.key_numbers()?;
    let place = Place { account: row.text("account")?, region: row.text("region")? };
    let mut queue = Queue::new(number, place, row.text("name")?, row.time("created_at")?);
    queue.modified_at = row.time("modified_at")?;
    queue.purged_at = row.time_if_any("purged_at")?;
    queue.attributes = row.text_map("attributes")?;
    queue.tags = row.text_map("tags")?;
    Ok(queue)
}

fn message_row(queue: u64, number: u64, message: &Message) -> RowChange {
    new_row()
        .text("id", &message.id)
        .text("body", &message.body)
        .json("attributes", Json::Object(message.attributes.clone()))
        .text("sender", &message.sender)
        .time("sent_at", message.sent_at)
        .text_if_any("trace_header", message.trace_header.as_ref())
        .text_if_any("group", message.group.as_ref())
        .text_if_any("deduplication", message.deduplication.as_ref())
        .text_if_any("dead_letter_source", message.dead_letter_source.as_ref())
        .change(MESSAGES, key([queue, number]))
}

fn read_message(row: &RowReader<'_>, seen: Option<Seen>) -> Result<Message, RowError> {
    let attributes: Option<Object> = row.json("attributes")?.as_object().cloned();
    let sent_at = row.time("sent_at")?;
    Ok(Message {
        id: row.text("id")?,
        body: row.text("body")?,
        attributes: attributes.ok_or_else(|| row.broken("its `attributes` is no object"))?,
        trace_header: row.text_if_any("trace_header")?,
        sender: row.text("sender")?,
        sent_at,
        group: row.text_if_any("group")?,
        deduplication: row.text_if_any("deduplication")?,
        dead_letter_source: row.text_if_any("dead_letter_source")?,
        seen: seen.unwrap_or_else(|| Seen::not_yet(sent_at)),
    })
}

fn seen_row(queue: u64, number: u64, seen: &Seen) -> RowChange {
    new_row()
        .time("visible_at", seen.visible_at)
        .number("receives", seen.receives)
        .time_if_any("first_received_at", seen.first_received_at)
        .time_if_any("received_at", seen.received_at)
        .change(RECEIVES, key([queue, number]))
}

fn read_seen(row: &RowReader<'_>) -> Result<Seen, RowError> {
    Ok(Seen {
        visible_at: row.time("visible_at")?,
        receives: row.number("receives")?,
        first_received_at: row.time_if_any("first_received_at")?,
        received_at: row.time_if_any("received_at")?,
    })
}

fn task_row(number: u64, task: &MoveTask) -> RowChange {
    let row = new_row()
        .text("source", &task.source)
        .text_if_any("destination", task.destination.as_ref())
        .time("started_at", task.started_at)
        .time("next_at", task.next_at)
        .number("moved", task.moved)
        .number("to_move", task.to_move)
        .text("status", &task.status)
        .text_if_any("failure", task.failure.as_ref())
        .flag("has_rate", task.per_second.is_some());
    row.number("per_second", task.per_second.unwrap_or_default()).change(MOVE_TASKS, key([number]))
}

fn read_task(row: &RowReader<'_>) -> Result<MoveTask, RowError> {
    Ok(MoveTask {
        source: row.text("source")?,
        destination: row.text_if_any("destination")?,
        per_second: if row.flag("has_rate")? { Some(row.number("per_second")?) } else { None },
        started_at: row.time("started_at")?,
        next_at: row.time("next_at")?,
        moved: row.number("moved")?,
        to_move: row.number("to_move")?,
        status: row.text("status")?,
        failure: row.text_if_any("failure")?,
    })
}
