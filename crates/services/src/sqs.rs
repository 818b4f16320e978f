//! SQS: queues, their messages, who waits for one, and what of it is kept.
//!
//! A message is in memory with its body. What is kept of it is two rows: what was sent, and where its receives stand, so
//! that a receive does not write the body again. Everything that depends on time follows from rows.

mod actions;
mod attributes;
mod batches;
mod dead_letters;
mod deletion;
mod digests;
mod duplicates;
mod kept;
mod lists;
mod message;
mod move_tasks;
mod permissions;
mod queue;
mod queues;
mod receive;
mod send;
mod tags;
mod visibility;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_interpreter::Chance;
use stepwell_json::Json;
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;
use stepwell_store::RowChange;

use crate::answers::{Refusal, answer};
use crate::input::Input;
use crate::seal::Seal;
use crate::services::{Request, ServicesOuts};

pub(crate) use message::Draft;
use move_tasks::MoveTask;
use queue::Queue;
use receive::Poll;

/// The local SQS.
pub(crate) struct Sqs {
    endpoint: Arc<str>,
    minute_rules: bool,
    seal: Seal,
    queues: BTreeMap<u64, Queue>,
    /// By place and name.
    names: BTreeMap<(Place, Arc<str>), u64>,
    arns: BTreeMap<Arc<str>, u64>,
    /// When queues were deleted whose names rest, by ARN.
    deleted: BTreeMap<Arc<str>, Timestamp>,
    tasks: BTreeMap<u64, MoveTask>,
    polls: Vec<Poll>,
    /// The next number of a queue, message or task.
    next: u64,
    next_kept: u64,
    touched: BTreeSet<u64>,
    touched_tasks: BTreeSet<u64>,
    rows: Vec<RowChange>,
}

/// What an action comes to.
pub(crate) enum Done {
    Output(Json),
    /// The answer comes with a later input.
    Later,
}

impl Sqs {
    pub(crate) fn call(&mut self, request: &Request<'_>, outs: &mut ServicesOuts) {
        let outcome = match actions::of(&request.call.action) {
            Some(action) => action(self, request, Input(&request.call.input)),
            None => Err(Refusal::unknown_action("sqs", &request.call.action)),
        };
        match outcome {
            Ok(Done::Later) => {}
            Ok(Done::Output(output)) => outs.replies.push((request.id, answer(Ok(output), request.chance))),
            Err(refusal) => outs.replies.push((request.id, answer(Err(refusal), request.chance))),
        }
    }

    /// Time has passed: tasks go on. Who waits is served by [`Sqs::finish`].
    pub(crate) fn tick(&mut self, now: Timestamp) {
        self.move_due(now);
    }

    /// Serves who waits, and writes down what changed.
    pub(crate) fn finish(&mut self, now: Timestamp, chance: &Chance, outs: &mut ServicesOuts) {
        self.serve_polls(now, chance, outs);
        self.write_rows(outs);
    }

    /// The next moment somebody waits for: the end of a long poll, a message for it, a task's next step.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let of_polls = self.polls.iter().flat_map(|poll| {
            let wakes = self.queues.get(&poll.queue).and_then(Queue::next_wake);
            [Some(poll.until), wakes].into_iter().flatten()
        });
        of_polls.chain(self.tasks.values().filter_map(MoveTask::due)).min()
    }

    /// The next moment at which a delayed message comes to somebody who waits for one.
    pub(crate) fn next_jump(&self) -> Option<Timestamp> {
        let waited_for = self.polls.iter().filter_map(|poll| self.queues.get(&poll.queue));
        waited_for.filter_map(Queue::next_delayed).min()
    }

    pub(crate) fn forget_call(&mut self, id: u64) {
        self.polls.retain(|poll| poll.id != id);
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// A queue that may change: what does is written at the end of the input.
    fn queue_mut(&mut self, number: u64) -> Option<&mut Queue> {
        self.touched.insert(number);
        self.queues.get_mut(&number)
    }

    fn queue(&self, number: u64) -> Result<&Queue, Refusal> {
        self.queues.get(&number).ok_or_else(no_queue)
    }

    /// The queue a URL names, with its messages where they belong now.
    ///
    /// Only the path counts, `/ACCOUNT/NAME`, and the region where the host tells it: clients reach the same server under
    /// several names.
    fn queue_of(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<u64, Refusal> {
        let url = input.required("QueueUrl")?;
        let number = self.number_of_url(request.place, url).ok_or_else(no_queue)?;
        if let Some(queue) = self.queue_mut(number) {
            queue.settle(request.now);
        }
        Ok(number)
    }

    fn number_of_url(&self, place: &Place, url: &str) -> Option<u64> {
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let (name, account) = (parts.next()?, parts.next()?);
        let host = url.split_once("://").map_or("", |(_, rest)| rest).split('/').next().unwrap_or_default();
        let told = host.strip_prefix("sqs.").and_then(|rest| rest.split_once('.')).map(|(region, _)| region);
        let told = told.filter(|region| region.contains('-'));
        let region = told.map_or_else(|| place.region.clone(), Arc::from);
        self.names.get(&(Place { account: account.into(), region }, name.into())).copied()
    }

    fn number_of_arn(&self, arn: &str) -> Option<u64> {
        self.arns.get(arn).copied()
    }

    /// Whether there is a queue with this ARN.
    pub(crate) fn is_fifo_queue(&self, arn: &str) -> Option<bool> {
        self.arns.get(arn).and_then(|number| self.queues.get(number)).map(Queue::is_fifo)
    }

    fn url_of(&self, queue: &Queue) -> String {
        format!("{}/{}/{}", self.endpoint, queue.place.account, queue.name)
    }
}

fn no_queue() -> Refusal {
    Refusal::new("QueueDoesNotExist", "The specified queue does not exist.")
}

/// A value that a parameter must not have.
fn invalid_value(value: &str, parameter: &str, reason: &str) -> Refusal {
    let message = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
    Refusal::new("InvalidParameterValueException", message)
}
