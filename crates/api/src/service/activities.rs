//! Activities: tasks wait for workers, workers wait for tasks.

use std::collections::{BTreeMap, VecDeque};

use stepwell_engine::{ExecutionId, Input};
use stepwell_interpreter::{Command, Moment, TaskKey, TaskRequest};
use stepwell_spec::shapes::{GetActivityTaskInput, GetActivityTaskOutput};
use stepwell_spec::{Response, Text, Timestamp};

use super::{Outs, Place, Service};
use crate::arns::ActivityRef;
use crate::refusal::Refusal;

/// How long a poll waits for a task.
const POLL_MS: u64 = 60_000;

/// Tasks and polls of every activity. Of one activity only one of the two can be waiting.
#[derive(Debug, Default)]
pub(super) struct ActivityQueues {
    tasks: BTreeMap<Text, VecDeque<WaitingTask>>,
    polls: BTreeMap<Text, VecDeque<Poll>>,
}

#[derive(Debug)]
struct WaitingTask {
    execution: ExecutionId,
    key: TaskKey,
    token: Text,
    input: Text,
}

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
        self.polls.values_mut().for_each(|polls| polls.retain(|poll| poll.call != call));
    }

    pub(super) fn cancel(&mut self, execution: ExecutionId, key: TaskKey) {
        self.tasks.values_mut().for_each(|tasks| tasks.retain(|task| (task.execution, task.key) != (execution, key)));
    }
}

impl WaitingTask {
    fn into_output(self) -> GetActivityTaskOutput {
        GetActivityTaskOutput { task_token: Some(self.token), input: Some(self.input) }
    }

    fn started(&self, worker_name: Option<Text>) -> Command {
        Command::ActivityStarted { task: self.key, worker_name }
    }
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
        let task = WaitingTask {
            execution,
            key: request.key,
            token: request.token.unwrap_or_else(|| "".into()),
            input: request.input.to_string().into(),
        };
        match self.activities.polls.get_mut(&arn).and_then(VecDeque::pop_front) {
            Some(poll) => {
                inputs.push_back(Input::Command(execution, task.started(poll.worker_name)));
                outs.replies.push((poll.call, Ok(Response::GetActivityTask(task.into_output()))));
            }
            None => self.activities.tasks.entry(arn).or_default().push_back(task),
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
        match self.activities.tasks.get_mut(&arn).and_then(VecDeque::pop_front) {
            Some(task) => {
                self.command(task.execution, task.started(input.worker_name), at, outs);
                Some(Ok(task.into_output()))
            }
            None => {
                let until = at.now.plus_ms(POLL_MS);
                let poll = Poll { call, worker_name: input.worker_name, until };
                self.activities.polls.entry(arn).or_default().push_back(poll);
                None
            }
        }
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
