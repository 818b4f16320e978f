//! Moving dead letters back: StartMessageMoveTask, CancelMessageMoveTask, ListMessageMoveTasks.

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Timestamp;

use super::queue::Queue;
use super::receive::within;
use super::{Done, Sqs};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::services::Request;

/// What a task's handle is sealed for.
const TASK: &str = "move task";

/// Messages moved each second: AWS's most, and as many when no number was asked for.
const PER_SECOND_MAX: u64 = 500;

/// Tasks remembered of each queue: as many as a list can show.
const TASKS_KEPT: usize = 10;

/// One moving of a queue's messages.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MoveTask {
    pub(super) source: Arc<str>,
    /// Where they go; back to where each came from when there is none.
    pub(super) destination: Option<Arc<str>>,
    pub(super) per_second: Option<u64>,
    pub(super) started_at: Timestamp,
    pub(super) next_at: Timestamp,
    pub(super) moved: u64,
    pub(super) to_move: u64,
    pub(super) status: Arc<str>,
    pub(super) failure: Option<Arc<str>>,
}

const RUNNING: &str = "RUNNING";

impl MoveTask {
    pub(super) fn due(&self) -> Option<Timestamp> {
        (&*self.status == RUNNING).then_some(self.next_at)
    }

    fn end(&mut self, status: &str, failure: Option<&str>) {
        self.status = status.into();
        self.failure = failure.map(Arc::from);
    }
}

fn no_resource(parameter: &str) -> Refusal {
    let message = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
    Refusal::new("ResourceNotFoundException", message).with_status(404)
}

impl Sqs {
    pub(super) fn start_message_move_task(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let source = input.required("SourceArn")?;
        let destination = input.text("DestinationArn")?;
        let per_second = within(input, "MaxNumberOfMessagesPerSecond", 1, PER_SECOND_MAX)?;
        let number = self.number_of_arn(source).ok_or_else(|| no_resource("SourceArn"))?;
        if destination.is_some_and(|arn| self.number_of_arn(arn).is_none()) {
            return Err(no_resource("DestinationArn"));
        }
        let is_target = |queue: &Queue| queue.redrive().is_some_and(|policy| policy.target == *source);
        if !self.queues.values().any(is_target) {
            let message = "Source queue must be configured as a Dead Letter Queue.";
            return Err(Refusal::new("InvalidParameterValueException", message));
        }
        if self.tasks.values().any(|task| task.source == *source && &*task.status == RUNNING) {
            let message = "There is already a task running. Only one active task is allowed for a source queue arn at a \
                           given time.";
            return Err(Refusal::new("UnsupportedOperation", message));
        }
        let is_other_type = |arn: &Arc<str>| self.is_fifo_queue(arn) != self.is_fifo_queue(source);
        if destination.is_some_and(is_other_type) {
            let message = "The source and the destination must be queues of the same type.";
            return Err(Refusal::new("InvalidParameterValueException", message));
        }
        if let Some(queue) = self.queue_mut(number) {
            queue.settle(request.now);
        }
        let task = MoveTask {
            source: source.clone(),
            destination: destination.cloned(),
            per_second,
            started_at: request.now,
            next_at: request.now,
            moved: 0,
            to_move: self.queue(number)?.counts().ready as u64,
            status: RUNNING.into(),
            failure: None,
        };
        let id = self.number();
        self.tasks.insert(id, task);
        self.touched_tasks.insert(id);
        self.forget_tasks(source);
        self.move_due(request.now);
        Ok(Done::Output(Json::object([("TaskHandle", Json::from(self.seal.close(TASK, [id])))])))
    }

    fn forget_tasks(&mut self, source: &str) {
        let of_source: Vec<u64> =
            self.tasks.iter().filter(|(_, task)| &*task.source == source).map(|(id, _)| *id).collect();
        for id in of_source.iter().rev().skip(TASKS_KEPT) {
            self.tasks.remove(id);
            self.touched_tasks.insert(*id);
        }
    }

    pub(super) fn cancel_message_move_task(
        &mut self,
        _request: &Request<'_>,
        input: Input<'_>,
    ) -> Result<Done, Refusal> {
        let handle = input.required("TaskHandle")?;
        let [id] = self.seal.open::<1>(TASK, handle).ok_or_else(|| {
            Refusal::new("InvalidParameterValueException", "Value for parameter TaskHandle is invalid.")
        })?;
        let running = self.tasks.get_mut(&id).filter(|task| &*task.status == RUNNING);
        let task = running
            .ok_or_else(|| Refusal::new("ResourceNotFoundException", "Task does not exist.").with_status(404))?;
        task.end("CANCELLED", None);
        let moved = task.moved;
        self.touched_tasks.insert(id);
        Ok(Done::Output(Json::object([("ApproximateNumberOfMessagesMoved", Json::from(moved))])))
    }

    pub(super) fn list_message_move_tasks(
        &mut self,
        _request: &Request<'_>,
        input: Input<'_>,
    ) -> Result<Done, Refusal> {
        let source = input.required("SourceArn")?;
        self.number_of_arn(source).ok_or_else(|| no_resource("SourceArn"))?;
        let limit = within(input, "MaxResults", 1, 10)?.unwrap_or(1);
        let newest = self.tasks.iter().rev().filter(|(_, task)| task.source == *source);
        let shown = newest.take(usize::try_from(limit).unwrap_or(1)).map(|(id, task)| {
            let handle = (&*task.status == RUNNING).then(|| Json::from(self.seal.close(TASK, [*id])));
            members([
                ("TaskHandle", handle),
                ("Status", Some(task.status.clone().into())),
                ("SourceArn", Some(task.source.clone().into())),
                ("DestinationArn", task.destination.clone().map(Json::from)),
                ("MaxNumberOfMessagesPerSecond", task.per_second.map(Json::from)),
                ("ApproximateNumberOfMessagesMoved", Some(task.moved.into())),
                ("ApproximateNumberOfMessagesToMove", Some(task.to_move.into())),
                ("FailureReason", task.failure.clone().map(Json::from)),
                ("StartedTimestamp", Some(task.started_at.0.into())),
            ])
        });
        Ok(Done::Output(Json::object([("Results", Json::array(shown.collect()))])))
    }

    /// Every task whose time has come moves as many messages as it may in a second.
    pub(super) fn move_due(&mut self, now: Timestamp) {
        let is_due = |task: &MoveTask| task.due().is_some_and(|due| due <= now);
        let due: Vec<u64> = self.tasks.iter().filter(|(_, task)| is_due(task)).map(|(id, _)| *id).collect();
        for id in due {
            let Some(mut task) = self.tasks.remove(&id) else { continue };
            self.move_some(&mut task, now);
            self.tasks.insert(id, task);
            self.touched_tasks.insert(id);
        }
    }

    fn move_some(&mut self, task: &mut MoveTask, now: Timestamp) {
        let source = self.number_of_arn(&task.source);
        let Some((number, queue)) = source.and_then(|number| Some((number, self.queue_mut(number)?))) else {
            task.end("FAILED", Some("AWS.SimpleQueueService.NonExistentQueue"));
            return;
        };
        queue.settle(now);
        let left = task.to_move.saturating_sub(task.moved);
        let limit = task.per_second.unwrap_or(PER_SECOND_MAX).min(left);
        let chosen = queue.first_ready(usize::try_from(limit).unwrap_or_default());
        let is_short = (chosen.len() as u64) < limit;
        for message in chosen {
            let source = self.queues.get(&number).and_then(|queue| queue.messages.get(&message));
            let origin = source.and_then(|message| message.dead_letter_source.clone());
            let target = task.destination.clone().or(origin).and_then(|arn| self.number_of_arn(&arn));
            let Some(target) = target else {
                task.end("FAILED", Some("CouldNotDetermineMessageSource"));
                return;
            };
            self.move_back(number, message, target, now);
            task.moved += 1;
        }
        if task.moved >= task.to_move || is_short {
            task.end("COMPLETED", None);
        } else {
            task.next_at = now.plus_ms(1_000);
        }
    }

    /// A message that is moved back counts as sent anew.
    fn move_back(&mut self, source: u64, message: u64, target: u64, now: Timestamp) {
        let Some(mut message) = self.queue_mut(source).and_then(|queue| queue.remove(message)) else { return };
        message.sent_at = now;
        message.dead_letter_source = None;
        message.seen = super::message::Seen::not_yet(now);
        let number = self.number();
        if let Some(queue) = self.queue_mut(target) {
            queue.add(number, message, now);
        }
    }
}
