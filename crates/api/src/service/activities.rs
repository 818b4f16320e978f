//! Activities: tasks wait for workers, workers wait for tasks.

use std::collections::{BTreeMap, VecDeque};

use stepwell_engine::{ExecutionId, Input};
use stepwell_interpreter::{Command, Moment, TaskKey, TaskRequest};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::shapes::{GetActivityTaskInput, GetActivityTaskOutput};
use stepwell_spec::{Response, Text, Timestamp};

use super::journal::KeptError;
use super::{Outs, Place, Service};
use crate::arns::ActivityRef;
use crate::refusal::Refusal;

/// How long a poll waits for a task.
const POLL_MS: u64 = 60_000;

/// Tasks and polls of every activity. Of one activity only one of the two can be waiting.
#[derive(Debug, Default)]
pub(super) struct ActivityQueues {
    /// In the order they came.
    tasks: BTreeMap<Text, BTreeMap<u64, WaitingTask>>,
    /// Where each of them waits.
    places: BTreeMap<WaitingTask, (Text, u64)>,
    /// Tasks so far.
    count: u64,
    polls: BTreeMap<Text, VecDeque<Poll>>,
}

/// A task nobody has taken. What it is about is its execution's to say.
type WaitingTask = (ExecutionId, TaskKey);

#[derive(Debug)]
struct Poll {
    call: u64,
    worker_name: Option<Text>,
    until: Timestamp,
}

impl ActivityQueues {
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.polls.values().flatten().map(|poll| poll.until).min()
    }

    pub(super) fn forget(&mut self, call: u64) {
        if planted::is(Bug::PollOfTheGone) {
            return;
        }
        self.polls.values_mut().for_each(|polls| polls.retain(|poll| poll.call != call));
    }

    pub(super) fn cancel(&mut self, execution: ExecutionId, key: TaskKey) {
        let Some((arn, place)) = self.places.remove(&(execution, key)) else { return };
        if let Some(tasks) = self.tasks.get_mut(&arn) {
            tasks.remove(&place);
            if tasks.is_empty() {
                self.tasks.remove(&arn);
            }
        }
    }

    fn add(&mut self, arn: Text, task: WaitingTask) {
        self.count += 1;
        self.places.insert(task, (arn.clone(), self.count));
        self.tasks.entry(arn).or_default().insert(self.count, task);
    }

    fn first(&self, arn: &str) -> Option<WaitingTask> {
        self.tasks.get(arn)?.first_key_value().map(|(_, task)| *task)
    }
}

/// A task as a worker gets it.
fn output(request: &TaskRequest) -> GetActivityTaskOutput {
    GetActivityTaskOutput { task_token: request.token.clone(), input: Some(request.input.to_string().into()) }
}

impl Service {
    /// A task for a worker: taken at once when one waits.
    pub(super) fn schedule_activity(
        &mut self,
        execution: ExecutionId,
        request: TaskRequest,
        inputs: &mut VecDeque<Input>,
        outs: &mut Outs,
    ) {
        let arn = request.resource.arn.clone();
        let task = request.key;
        match self.activities.polls.get_mut(&arn).and_then(VecDeque::pop_front) {
            Some(Poll { worker_name, call, .. }) => {
                inputs.push_back(Input::Command(execution, Command::ActivityStarted { task, worker_name }));
                outs.replies.push((call, Ok(Response::GetActivityTask(output(&request)))));
            }
            None => self.activities.add(arn, (execution, task)),
        }
    }

    /// A worker asks for a task. `None` when it waits for one.
    pub(super) fn get_activity_task(
        &mut self,
        call: u64,
        place: &Place,
        input: GetActivityTaskInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Option<Result<GetActivityTaskOutput, Refusal>> {
        let arn = match ActivityRef::parse(&input.activity_arn) {
            Ok(activity) if place.owns(&activity.region, &activity.account) => input.activity_arn,
            Ok(_) => return Some(Err(Refusal::activity_does_not_exist(&input.activity_arn))),
            Err(refusal) => return Some(Err(refusal)),
        };
        if !self.registry.has_activity(&arn) {
            return Some(Err(Refusal::activity_does_not_exist(&arn)));
        }
        match self.take_activity_task(&arn) {
            Ok(Some((execution, request))) => {
                let started = Command::ActivityStarted { task: request.key, worker_name: input.worker_name };
                self.command(execution, started, at, outs);
                Some(Ok(output(&request)))
            }
            Ok(None) => {
                let until = at.now.plus_ms(POLL_MS);
                let poll = Poll { call, worker_name: input.worker_name, until };
                self.activities.polls.entry(arn).or_default().push_back(poll);
                None
            }
            Err(fault) => Some(Err(fault.into())),
        }
    }

    /// The task of an activity that has waited longest: it waits no more.
    fn take_activity_task(&mut self, arn: &str) -> Result<Option<(ExecutionId, TaskRequest)>, KeptError> {
        while let Some((id, key)) = self.activities.first(arn) {
            self.wake(id)?;
            if !planted::is(Bug::ActivityGivenTwice) {
                self.activities.cancel(id, key);
            }
            let open =
                self.engine.execution(id).and_then(|execution| execution.open_tasks().find(|task| task.key == key));
            if let Some(request) = open {
                return Ok(Some((id, request.clone())));
            }
        }
        Ok(None)
    }

    /// Polls that have waited long enough get an answer without a task.
    pub(super) fn end_polls(&mut self, now: Timestamp, outs: &mut Outs) {
        for polls in self.activities.polls.values_mut() {
            while let Some(poll) = polls.pop_front_if(|poll| poll.until <= now) {
                let nothing = GetActivityTaskOutput { task_token: None, input: None };
                outs.replies.push((poll.call, Ok(Response::GetActivityTask(nothing))));
            }
        }
    }
}
