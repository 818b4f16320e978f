//! What an execution asks of the world.

use stepwell_asl::{Pattern, Resource, ResourceKind, StateId, WorkflowId};
use stepwell_json::{Array, Json};
use stepwell_spec::{Text, Timestamp};

use crate::execution::ThreadId;

/// Asked of the world, once the records that caused it are durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Do a task's work and answer with a command.
    RunTask(TaskRequest),
    /// A task's answer is no longer wanted.
    CancelTask(TaskKey),
    /// Run child executions and answer with [`crate::Command::MapRunEnded`].
    StartMapRun(MapRunRequest),
    /// A Map Run's children are to be stopped; nobody waits for its end.
    StopMapRun(TaskKey),
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
    /// Their inputs, in order.
    pub inputs: Array,
    /// Children at once at most; 0 for no limit of its own.
    pub max_concurrency: u64,
    /// How many may fail; when both are absent, none.
    pub tolerated_failure_count: Option<u64>,
    /// What share may fail, 0 to 100.
    pub tolerated_failure_percentage: Option<f64>,
}
