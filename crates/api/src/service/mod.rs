//! The inner half of the API: what exists, and what each action does to it. Pure: moments come in, replies and tasks go out.
//!
//! One [`Service`] is one shard. A call is answered in the step it comes in, or in a later one when it waits for an
//! execution's end or for an activity's task; the caller knows its call by the id it gave.

mod activities;
mod beginnings;
mod callbacks;
mod executions;
mod journal;
mod keeper;
mod kept_identity;
mod listings;
mod map_runs;
mod nested;
mod notices;
mod own_calls;
mod panics;
mod quarantine;
mod recovery;
mod redrives;
mod registry;
mod residents;
mod retention;
mod shard;
mod test_state;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use stepwell_engine::{Engine, ExecutionId};
use stepwell_interpreter::{
    Chance, ChildResult, Command, Execution, Identity, ItemsRequest, Moment, ResultsRequest, Settings, TaskKey,
    TaskRequest, TimerKey,
};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{Request, Response, Text, Timestamp};
use stepwell_store::Index;

use crate::definitions::validate_definition;
use crate::pages::PageSeal;
use crate::refusal::Refusal;
use crate::tokens::TokenSeal;

use activities::ActivityQueues;
use journal::Journal;
use own_calls::OwnCalls;
use quarantine::{AtWork, Quarantine};
use residents::{Resting, Run};
use retention::Forgetting;
use test_state::Tests;

pub use journal::{KeptError, NewFrame};
pub use keeper::{Keeper, NotKept};
pub use notices::{Heard, LogEvent, Notice, StatusChange};
pub use panics::{said, told_after_panic};
pub use quarantine::{Laid, Ward};
pub use registry::{MachineRow, Registry, Resolved};
pub use retention::Retention;
pub use stepwell_store::RowChange;
pub use stepwell_store::json_rows::RowError;
pub use test_state::{HttpAnswered, HttpAsked, HttpExchange, is_test};

/// Who a request's resources belong to, and where they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
}

/// One request of one caller.
#[derive(Clone, Debug)]
pub struct Call {
    /// What the caller knows it by.
    pub id: u64,
    /// Whose resources it means.
    pub place: Place,
    /// What it asks for.
    pub request: Request,
}

/// The shard of the store that everything is kept in.
pub const SHARD: u32 = 0;

/// What one input led to. Nothing of it may leave before the frame is durable, and all frames before it.
#[derive(Debug, Default)]
pub struct Outs {
    /// What is to be kept; nothing, when nothing changed.
    pub frame: Option<NewFrame>,
    /// What is kept could not be read, or something could not be written: the service has broken off in the middle of
    /// this input and must be opened again.
    pub fault: Option<KeptError>,
    /// Executions that began.
    pub started: ByType,
    /// Executions that run again: taken up when the service was opened, or redriven.
    pub resumed: ByType,
    /// Executions that ended.
    pub ended: ByType,
    /// Answers, by the id of their calls.
    pub replies: Vec<(u64, Result<Response, Refusal>)>,
    /// Tasks to be done outside, whose answers come back by [`Service::complete`].
    pub tasks: Vec<ServiceTask>,
    /// Items of Map Runs to be read outside.
    pub reads: Vec<ServiceRead>,
    /// Results of Map Runs to be written outside.
    pub writes: Vec<ServiceWrite>,
    /// Tasks, reads and writes that were given before and whose answers are no longer wanted. They are given up first: what a
    /// Map Run writes has the name of what it read.
    pub cancelled: Vec<(ExecutionId, TaskKey)>,
    /// What listeners are told, in the order it happened.
    pub notices: Vec<Notice>,
}

impl Outs {
    /// Whether the answers may leave at once: nothing is to be kept or done, and everything they may tell of is durable
    /// (`is_even`).
    pub fn says_nothing_new(&self, is_even: bool) -> bool {
        let moves_nothing = self.reads.is_empty() && self.writes.is_empty();
        let asks_nothing =
            self.tasks.is_empty() && moves_nothing && self.cancelled.is_empty() && self.notices.is_empty();
        self.frame.is_none() && asks_nothing && (is_even || planted::is(Bug::ReadsBeforeDurable))
    }
}

/// How many executions, of each type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByType {
    /// Of Standard ones.
    pub standard: u64,
    /// Of Express ones.
    pub express: u64,
}

impl ByType {
    /// One more of this execution's type.
    fn count(&mut self, execution: &Execution) {
        let number = if execution.settings == Settings::express() { &mut self.express } else { &mut self.standard };
        *number += 1;
    }
}

/// A task on its way to what does it.
#[derive(Clone, Debug)]
pub struct ServiceTask {
    /// The execution it belongs to, by the engine's name for it.
    pub execution: ExecutionId,
    /// The same execution, by AWS's.
    pub identity: Arc<Identity>,
    /// The case of the mock file that answers it, when its execution was started with one.
    pub test_case: Option<TestCase>,
    /// The work.
    pub request: TaskRequest,
}

/// The next items of a Map Run on their way in.
#[derive(Clone, Debug)]
pub struct ServiceRead {
    /// Who asks, and what of whom.
    pub task: ServiceTask,
    /// Which items.
    pub request: ItemsRequest,
}

/// The results of a Map Run on their way out.
#[derive(Clone, Debug)]
pub struct ServiceWrite {
    /// Who asks, and what of whom.
    pub task: ServiceTask,
    /// Where they go.
    pub request: ResultsRequest,
    /// What each child came to; none while that is only tried.
    pub results: Vec<ChildResult>,
}

/// A case of the mock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCase {
    /// The execution that was started with it: the children of its Map Runs draw on the same answers.
    pub execution: ExecutionId,
    /// Its name.
    pub name: Arc<str>,
}

/// How a service is set up.
#[derive(Clone, Debug, Default)]
pub struct ServiceSettings {
    /// Seals page tokens. Whoever knows it can make them.
    pub key: [u8; 32],
    /// How long executions are there after their end.
    pub retention: Retention,
    /// What somebody listens to.
    pub heard: Heard,
}

/// One shard of the service: what exists, what runs, and who waits for what.
pub struct Service {
    registry: Registry,
    seal: PageSeal,
    tokens: Arc<TokenSeal>,
    engine: Engine,
    /// What is durable.
    index: Arc<dyn Index>,
    /// What is to be.
    journal: Journal,
    /// Names of executions below this one may have been given away.
    names_given: u64,
    /// Executions in memory.
    runs: BTreeMap<ExecutionId, Run>,
    /// The same, by ARN.
    arns: BTreeMap<Text, ExecutionId>,
    /// Bytes of their inputs, all together.
    input_bytes: usize,
    /// Executions in memory in the order they may leave it.
    resting: Resting,
    activities: ActivityQueues,
    /// Calls that wait for the end of an execution.
    waiting_for_end: BTreeMap<ExecutionId, u64>,
    /// Executions that yielded and go on with the next tick.
    yielded: VecDeque<ExecutionId>,
    /// Bursts that the first of them has had one after the other.
    bursts_in_a_row: u32,
    /// Tasks that are being done outside, and answered by [`Service::complete`].
    dispatched: BTreeSet<(ExecutionId, TaskKey)>,
    /// What tasks ask of this very API.
    own_calls: OwnCalls,
    /// Tests of states whose tasks are being done outside.
    tests: Tests,
    /// Open tasks with a token, which somebody outside will complete.
    awaited: BTreeSet<(ExecutionId, TaskKey)>,
    /// The last frame that is known to be durable.
    kept: u64,
    /// Executions that are on their way out.
    forgetting: Forgetting,
    /// Executions that this input has changed.
    touched: BTreeSet<ExecutionId>,
    /// What somebody listens to.
    heard: Heard,
    /// Executions that are left alone.
    quarantine: Quarantine,
    /// Whom a panic would be laid to.
    at_work: Arc<AtWork>,
    /// Why this input broke off.
    fault: Option<KeptError>,
}

impl Service {
    /// Takes a request that was read, and judged by [`crate::check`]. Its reply comes now or with a later input.
    pub fn call(&mut self, call: Call, at: Moment) -> Outs {
        let at = self.not_before(at);
        let mut outs = Outs::default();
        self.at_work.clear();
        let id = call.id;
        if let Some(outcome) = self.answer(call, at, &mut outs) {
            outs.replies.push((id, outcome));
        }
        self.finish(at, &mut outs);
        outs
    }

    /// Somebody listens to these from now on.
    pub fn hear(&mut self, heard: Heard) {
        self.heard = heard;
    }

    /// Takes the answer of a task that was done outside.
    pub fn complete(&mut self, execution: ExecutionId, command: Command, at: Moment) -> Outs {
        let at = self.not_before(at);
        let mut outs = Outs::default();
        self.at_work.clear();
        if self.test_answered(execution, &command, at, &mut outs) {
            return outs;
        }
        self.command(execution, command, at, &mut outs);
        self.finish(at, &mut outs);
        outs
    }

    /// Lets time pass: fires what is due, ends polls that waited long enough, and lets executions go on that yielded.
    pub fn tick(&mut self, at: Moment) -> Outs {
        let at = self.not_before(at);
        let mut outs = Outs::default();
        self.at_work.clear();
        self.pass_time(at, &mut outs);
        self.finish(at, &mut outs);
        outs
    }

    /// When [`Service::tick`] has something to do.
    pub fn next_due(&self) -> Option<Timestamp> {
        if !self.yielded.is_empty() || self.own_calls.has_more() {
            return Some(Timestamp(i64::MIN));
        }
        self.engine.next_due().into_iter().chain(self.activities.next_deadline()).min()
    }

    /// Every timer that is set: whose, which, and when it is due.
    pub fn timers(&self) -> Vec<(ExecutionId, TimerKey, Timestamp)> {
        self.engine.timers().collect()
    }

    /// Whether nothing is being done that takes real time, neither by a service nor by whoever has a task's token: virtual
    /// time may jump to what is due next.
    pub fn is_idle(&self) -> bool {
        let nothing_outside = self.dispatched.is_empty() && self.tests.is_empty();
        nothing_outside && self.yielded.is_empty() && !self.own_calls.has_more() && self.awaited.is_empty()
    }

    /// The moment, at the time that has been reached if the clock is behind it: what an answer says is what is recorded.
    fn not_before(&self, at: Moment) -> Moment {
        Moment { now: at.now.max(self.engine.now()), ..at }
    }

    /// The client of a call is gone: nobody waits for its reply.
    pub fn forget_call(&mut self, id: u64) {
        self.activities.forget(id);
        self.tests.forget(id);
        self.waiting_for_end.retain(|_, waiting| *waiting != id);
    }

    /// The one place where a request meets what it is about. `None` when the reply comes later.
    fn answer(&mut self, call: Call, at: Moment, outs: &mut Outs) -> Option<Result<Response, Refusal>> {
        let Call { id, place, request } = call;
        let (place, now) = (&place, at.now);
        let chance = &Chance::new(at);
        let registry = &mut self.registry;
        Some(match request {
            Request::CreateStateMachine(input) => {
                registry.create_state_machine(place, input, now).map(Response::CreateStateMachine)
            }
            Request::UpdateStateMachine(input) => {
                registry.update_state_machine(place, input, now, chance).map(Response::UpdateStateMachine)
            }
            Request::DescribeStateMachine(input) => {
                registry.describe_state_machine(place, &input).map(Response::DescribeStateMachine)
            }
            Request::ListStateMachines(input) => {
                registry.list_state_machines(place, &input, &self.seal, now).map(Response::ListStateMachines)
            }
            Request::DeleteStateMachine(input) => {
                registry.delete_state_machine(place, &input).map(Response::DeleteStateMachine)
            }
            Request::ValidateStateMachineDefinition(input) => {
                Ok(Response::ValidateStateMachineDefinition(validate_definition(&input)))
            }
            Request::PublishStateMachineVersion(input) => {
                registry.publish_state_machine_version(place, input, now).map(Response::PublishStateMachineVersion)
            }
            Request::ListStateMachineVersions(input) => registry
                .list_state_machine_versions(place, &input, &self.seal, now)
                .map(Response::ListStateMachineVersions),
            Request::DeleteStateMachineVersion(input) => {
                registry.delete_state_machine_version(place, &input).map(Response::DeleteStateMachineVersion)
            }
            Request::CreateStateMachineAlias(input) => {
                registry.create_state_machine_alias(place, input, now).map(Response::CreateStateMachineAlias)
            }
            Request::UpdateStateMachineAlias(input) => {
                registry.update_state_machine_alias(place, input, now).map(Response::UpdateStateMachineAlias)
            }
            Request::DescribeStateMachineAlias(input) => {
                registry.describe_state_machine_alias(place, &input).map(Response::DescribeStateMachineAlias)
            }
            Request::ListStateMachineAliases(input) => registry
                .list_state_machine_aliases(place, &input, &self.seal, now)
                .map(Response::ListStateMachineAliases),
            Request::DeleteStateMachineAlias(input) => {
                registry.delete_state_machine_alias(place, &input).map(Response::DeleteStateMachineAlias)
            }
            Request::CreateActivity(input) => registry.create_activity(place, input, now).map(Response::CreateActivity),
            Request::DescribeActivity(input) => {
                registry.describe_activity(place, &input).map(Response::DescribeActivity)
            }
            Request::ListActivities(input) => {
                registry.list_activities(place, &input, &self.seal, now).map(Response::ListActivities)
            }
            Request::DeleteActivity(input) => registry.delete_activity(place, &input).map(Response::DeleteActivity),
            Request::TagResource(input) => registry.tag_resource(place, input).map(Response::TagResource),
            Request::UntagResource(input) => registry.untag_resource(place, &input).map(Response::UntagResource),
            Request::ListTagsForResource(input) => {
                registry.list_tags_for_resource(place, &input).map(Response::ListTagsForResource)
            }

            Request::StartExecution(input) => {
                self.start_execution(place, &input, at, outs).map(Response::StartExecution)
            }
            Request::StartSyncExecution(input) => match self.start_sync_execution(id, place, &input, at, outs) {
                Ok(()) => return None,
                Err(refusal) => Err(refusal),
            },
            Request::StopExecution(input) => self.stop_execution(place, &input, at, outs).map(Response::StopExecution),
            Request::RedriveExecution(input) => {
                self.redrive_execution(place, &input, at, outs).map(Response::RedriveExecution)
            }
            Request::DescribeExecution(input) => {
                self.describe_execution(place, &input, now).map(Response::DescribeExecution)
            }
            Request::DescribeStateMachineForExecution(input) => {
                self.describe_state_machine_for_execution(place, &input).map(Response::DescribeStateMachineForExecution)
            }
            Request::ListExecutions(input) => self.list_executions(place, &input, now).map(Response::ListExecutions),
            Request::GetExecutionHistory(input) => {
                self.get_execution_history(place, &input, now).map(Response::GetExecutionHistory)
            }

            Request::GetActivityTask(input) => match self.get_activity_task(id, place, input, at, outs) {
                Some(outcome) => outcome.map(Response::GetActivityTask),
                None => return None,
            },
            Request::SendTaskSuccess(input) => self.send_task_success(&input, at, outs).map(Response::SendTaskSuccess),
            Request::SendTaskFailure(input) => self.send_task_failure(input, at, outs).map(Response::SendTaskFailure),
            Request::SendTaskHeartbeat(input) => {
                self.send_task_heartbeat(&input, at, outs).map(Response::SendTaskHeartbeat)
            }

            Request::DescribeMapRun(input) => self.describe_map_run(place, &input).map(Response::DescribeMapRun),
            Request::ListMapRuns(input) => self.list_map_runs(place, &input, now).map(Response::ListMapRuns),
            Request::UpdateMapRun(input) => self.update_map_run(place, &input, at, outs).map(Response::UpdateMapRun),
            Request::TestState(input) => match self.test_state(id, place, &input, at, outs) {
                Some(outcome) => outcome.map(Response::TestState),
                None => return None,
            },
        })
    }
}
