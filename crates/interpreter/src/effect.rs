//! What an execution asks of the world.

use stepwell_asl::{Pattern, ReaderConfig, Resource, ResourceKind, StateId, WorkflowId};
use stepwell_json::{Array, Json};
use stepwell_spec::{Text, Timestamp};

use crate::command::Command;
use crate::execution::ThreadId;
use crate::failure::Failure;

/// Asked of the world, once the records that caused it are durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Do a task's work and answer with a command.
    RunTask(TaskRequest),
    /// A task's answer is no longer wanted.
    CancelTask(TaskKey),
    /// Run child executions and answer with [`crate::Command::MapRunEnded`].
    StartMapRun(MapRunRequest),
    /// A Map Run is over: its children are to be stopped, and nobody waits for its end.
    StopMapRun(TaskKey),
    /// Read the next items of a Map Run and answer with [`crate::Command::ItemsRead`] or [`crate::Command::ItemsFailed`].
    ReadItems(Box<ItemsRequest>),
    /// Write the results of a Map Run and answer with [`crate::Command::ResultsWritten`].
    WriteResults(Box<ResultsRequest>),
    /// Answer with [`crate::Command::TimerFired`] at this time.
    SetTimer(TimerKey, Timestamp),
    /// A timer is no longer wanted.
    CancelTimer(TimerKey),
    /// The burst yielded: answer with [`crate::Command::Continue`].
    Continue,
    /// The execution has ended.
    ExecutionEnded,
}

/// Names one attempt of one task of an execution. The same after recovery, so that a target can tell a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    /// The thread of control the task belongs to.
    pub thread: ThreadId,
    /// Id of its `…Scheduled` event, which is the attempt's own.
    pub scheduled_event_id: u64,
}

impl TaskKey {
    /// No key of an execution comes before it.
    pub const FIRST: TaskKey = TaskKey { thread: ThreadId::ROOT, scheduled_event_id: 0 };
    /// No key of an execution comes after it.
    pub const LAST: TaskKey = TaskKey { thread: ThreadId(u32::MAX), scheduled_event_id: u64::MAX };
}

/// Names one timer of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerKey {
    /// The thread of control it wakes.
    pub thread: ThreadId,
    /// Id of the event it belongs to: a timer of an older attempt has an older id.
    pub event_id: u64,
    /// What it is for.
    pub purpose: TimerPurpose,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerPurpose {
    /// The end of a Wait state.
    Wait,
    /// The next attempt of a failed state.
    Retry,
    /// `TimeoutSeconds` of a Task state.
    TaskTimeout,
    /// `HeartbeatSeconds` of a Task state.
    Heartbeat,
    /// `TimeoutSeconds` of the machine.
    ExecutionTimeout,
}

/// The work of a Task state, as a transport gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRequest {
    /// Which attempt of which task.
    pub key: TaskKey,
    /// The Task state's name.
    pub state_name: Text,
    /// What to call.
    pub resource: Resource,
    /// `Parameters` or `Arguments`, evaluated.
    pub input: Json,
    /// The token that completes the task, where there is one: it waits for it, or for a job which may come before.
    pub token: Option<Text>,
    /// `Credentials.RoleArn`, evaluated.
    pub role_arn: Option<Text>,
    /// Retries so far: 0 in the first attempt.
    pub retry_count: u64,
    /// Somebody has taken it already: a worker, or a service that runs it as a job. After a recovery such a task is asked
    /// for again only where somebody has to look after the job.
    pub taken: bool,
    /// What its service answered when it took the job, by which the job is found again.
    pub submitted: Option<Json>,
}

impl TaskRequest {
    /// Whether a service runs it as a job whose end somebody has to ask for.
    pub fn is_job(&self) -> bool {
        match &self.resource.kind {
            ResourceKind::Integration(integration) => match integration.pattern {
                Pattern::Sync | Pattern::Sync2 => true,
                Pattern::RequestResponse | Pattern::WaitForTaskToken => false,
            },
            ResourceKind::LambdaFunction | ResourceKind::Activity => false,
        }
    }
}

impl TaskRequest {
    /// Whether nothing but its token, a worker's or anybody's, completes it.
    pub fn is_called_back(&self) -> bool {
        match &self.resource.kind {
            ResourceKind::Activity => true,
            ResourceKind::LambdaFunction => false,
            ResourceKind::Integration(integration) => integration.pattern == Pattern::WaitForTaskToken,
        }
    }
}

/// The children of a distributed Map state.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRunRequest {
    /// The thread whose Map state it is, and the id of its `MapRunStarted` event.
    pub key: TaskKey,
    /// The Map Run's ARN.
    pub arn: Text,
    /// The Map state.
    pub state: StateId,
    /// What each child runs: a workflow of the same definition.
    pub processor: WorkflowId,
    /// Whether the children are Express executions.
    pub express: bool,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// Their inputs so far, in order.
    pub inputs: Inputs,
    /// Whether no others will come.
    pub is_complete: bool,
    /// Children at once at most; 0 for no limit of its own.
    pub max_concurrency: u64,
    /// How many may fail; when both are absent, none.
    pub tolerated_failure_count: Option<u64>,
    /// What share may fail, 0 to 100.
    pub tolerated_failure_percentage: Option<f64>,
}

/// The inputs of a Map Run's children. They come in parts, which everybody who has them shares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    parts: Vec<Array>,
    /// How many there are up to the end of each part.
    ends: Vec<usize>,
}

impl Inputs {
    /// Adds a part.
    pub(crate) fn push(&mut self, part: Array) {
        if !part.is_empty() {
            self.ends.push(self.len() + part.len());
            self.parts.push(part);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The input of the child with this index.
    pub fn get(&self, index: usize) -> Option<&Json> {
        let part = self.ends.partition_point(|end| *end <= index);
        let start = if part == 0 { 0 } else { self.ends[part - 1] };
        self.parts.get(part)?.get(index - start)
    }

    /// From the child with this index on.
    pub fn iter_from(&self, index: usize) -> impl Iterator<Item = &Json> {
        (index..self.len()).filter_map(|index| self.get(index))
    }
}

/// The next items of a Map Run, which are outside.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemsRequest {
    /// What is called, with which arguments. Its key is that of the Map Run.
    pub task: TaskRequest,
    /// What is in the file.
    pub config: ReaderConfig,
    /// How many items more are wanted; none for all there are.
    pub max_items: Option<u64>,
    /// Where they are, as whoever read the ones before has said. None for the first ones.
    pub from: Option<Json>,
}

/// The results of a Map Run on their way out.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultsRequest {
    /// What is called, with which arguments. Its key is that of the Map Run.
    pub task: TaskRequest,
    /// The Map Run's ARN.
    pub map_run_arn: Text,
    /// `WriterConfig.OutputType`: whether each result is a line of its own.
    pub as_lines: bool,
    /// There are no results yet: whether they could be written is to be tried.
    pub is_trial: bool,
    /// How often the Map Run was redriven.
    pub redrive_count: u64,
}

impl ResultsRequest {
    /// What its execution is told when they are written, or why they are not.
    pub fn written(&self, outcome: Result<(), Failure>) -> Command {
        let ResultsRequest { is_trial, redrive_count, .. } = *self;
        Command::ResultsWritten { map_run: self.task.key, is_trial, redrive_count, outcome }
    }
}

/// What one child came to.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildResult {
    /// Which list it belongs to.
    pub kind: ResultKind,
    /// The child's output, or the execution as the API describes it.
    pub value: Json,
}

/// The lists of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResultKind {
    /// It did not end well.
    Failed,
    /// It was not started.
    Pending,
    /// It ended well.
    Succeeded,
}
