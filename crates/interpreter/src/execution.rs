//! The state of one execution: what its log amounts to so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_asl::{Definition, StateId, WorkflowId};
use stepwell_json::Json;
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{Payload, Text, Timestamp};

use crate::effect::{
    Effect, ItemsRequest, MapRunRequest, ResultsRequest, TaskKey, TaskRequest, TimerKey, TimerPurpose,
};
use crate::failure::Failure;
use crate::settings::Settings;
use crate::tokens::Tokens;

/// Names a thread of control: 0 is the execution's own; each branch and each iteration has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub u32);

impl ThreadId {
    /// The execution's own thread.
    pub const ROOT: ThreadId = ThreadId(0);
}

/// Who an execution is: what never changes while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The execution's ARN.
    pub arn: Text,
    /// Its name.
    pub name: Text,
    /// The role it runs under.
    pub role_arn: Text,
    /// ARN of its state machine, unqualified.
    pub state_machine_arn: Text,
    /// Name of its state machine.
    pub state_machine_name: Text,
    /// ARN of the version it was started with, if one.
    pub state_machine_version_arn: Option<Text>,
    /// ARN of the alias it was started with, if one.
    pub state_machine_alias_arn: Option<Text>,
    /// The region it runs in.
    pub region: Text,
}

/// What an execution is started with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The definition it belongs to.
    pub definition: Arc<Definition>,
    /// What of it runs: the machine itself, or the item processor of a distributed Map state.
    pub workflow: WorkflowId,
    /// Who it is.
    pub identity: Arc<Identity>,
    /// What it may use.
    pub settings: Settings,
    /// Where its task tokens come from.
    pub tokens: Tokens,
    /// Its input.
    pub input: Json,
    /// The text the input came in as, which histories show; none when it was never text.
    pub input_text: Option<Text>,
}

/// How an execution stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// It runs.
    Running,
    /// It ended well, with this output.
    Succeeded(Json),
    /// It failed.
    Failed(Failure),
    /// It took longer than it may.
    TimedOut(Failure),
    /// It was stopped.
    Aborted(Failure),
}

impl Status {
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub fn name(&self) -> &'static str {
        match self {
            Status::Running => "RUNNING",
            Status::Succeeded(_) => "SUCCEEDED",
            Status::Failed(_) => "FAILED",
            Status::TimedOut(_) => "TIMED_OUT",
            Status::Aborted(_) => "ABORTED",
        }
    }
}

/// One execution. Changed by its own records only.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The definition it belongs to.
    pub definition: Arc<Definition>,
    /// What of it runs: the machine, or for a child of a Map Run the Map state's item processor.
    pub workflow: WorkflowId,
    /// Who it is.
    pub identity: Arc<Identity>,
    /// What it may use.
    pub settings: Settings,
    /// Where its task tokens come from.
    pub tokens: Tokens,
    /// How it stands.
    pub status: Status,
    /// What it was started with.
    pub input: Json,
    /// The text the input came in as.
    pub input_text: Option<Text>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
    /// Id of the last event in its history.
    pub last_event_id: u64,
    pub(crate) timeout_at: Option<Timestamp>,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// When it was last redriven.
    pub redriven_at: Option<Timestamp>,
    pub(crate) threads: BTreeMap<ThreadId, Thread>,
    pub(crate) next_thread: u32,
}

/// One thread of control.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Thread {
    /// The thread whose Parallel or Map state this one belongs to.
    pub(crate) parent: Option<ThreadId>,
    /// Its place among its siblings: the branch's or item's index.
    pub(crate) index: usize,
    /// The item, for iterations.
    pub(crate) item: Option<Item>,
    /// Variables assigned in this thread. Outer ones are found through `parent`.
    pub(crate) variables: Vec<(Text, Json)>,
    /// Id of the event that the thread's next one follows.
    pub(crate) previous_event_id: u64,
    /// Failed or aborted: nothing moves it any more, unless the execution is redriven.
    pub(crate) stopped: bool,
    pub(crate) phase: Phase,
}

/// What an iteration works on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) index: u64,
    pub(crate) value: Json,
    /// The member's name, when the items are an object's members.
    pub(crate) key: Option<Text>,
    /// Where it was read from, when it was.
    pub(crate) source: Option<Text>,
}

/// Where a thread stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    /// About to enter a state.
    Ready { state: StateId, input: Json },
    /// In a state.
    In(Active),
    /// Its workflow has ended; what is left is for its parent to take.
    Ended(Json),
}

/// A state that was entered and not left.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Active {
    pub(crate) state: StateId,
    pub(crate) input: Json,
    pub(crate) entered_at: Timestamp,
    pub(crate) entered_event_id: u64,
    /// What the `…StateEntered` event followed.
    pub(crate) before_event_id: u64,
    /// Retries so far, per entry of `Retry`; empty until the first one.
    pub(crate) retries: Vec<u64>,
    pub(crate) work: Work,
}

/// What a state is waiting for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Work {
    /// Nothing: it is being decided.
    None,
    /// The end of a Wait state.
    Until { at: Timestamp },
    /// The next attempt.
    Retry { at: Timestamp, event_id: u64 },
    /// A task's answer.
    Task(Box<TaskWork>),
    /// Branches or iterations.
    Children(Box<Children>),
    /// Child executions.
    MapRun(Box<MapRunWork>),
    /// Nothing: its child executions ended without success. A redrive of the execution takes them up again.
    MapRunOver(Box<MapRunWork>),
}

/// A Map Run and what it waits for beside its children.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MapRunWork {
    pub(crate) request: MapRunRequest,
    pub(crate) stage: Stage,
    /// The state's input as its selector and batcher see it.
    pub(crate) effective_input: Json,
    /// How far its items are read, where they come from outside.
    pub(crate) reading: Option<Reading>,
    /// How its results are written, where they go outside.
    pub(crate) results: Option<ResultsRequest>,
}

/// How far a Map Run is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Whether its results could be written is being tried. There are no children yet.
    Trying,
    /// Its children run. Meanwhile more items may be read.
    Running,
    /// Its children have ended, with this failure if any, and their results are being written.
    Writing { failure: Option<Failure> },
}

/// How far the items of a Map Run are read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// For the next items.
    pub(crate) request: ItemsRequest,
    /// How many were read.
    pub(crate) read: u64,
    /// Items that wait for their batch to be full.
    pub(crate) open: Vec<Json>,
}

/// An open task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TaskWork {
    pub(crate) request: TaskRequest,
    pub(crate) timeout_at: Option<Timestamp>,
    pub(crate) heartbeat_at: Option<Timestamp>,
    pub(crate) heartbeat_seconds: Option<u64>,
}

/// Open branches or iterations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Children {
    /// Results so far, in order of branch or item.
    pub(crate) results: Vec<Option<Json>>,
    /// How many are done.
    pub(crate) done: usize,
    /// How many run now. For a Map it never exceeds `max_concurrency`.
    pub(crate) running: usize,
    /// What a Map iterates over.
    pub(crate) map: Option<MapItems>,
}

/// What a Map state iterates over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MapItems {
    pub(crate) items: Json,
    pub(crate) effective_input: Json,
    pub(crate) max_concurrency: u64,
    /// Index of the next item to start.
    pub(crate) next: usize,
}

impl MapItems {
    /// Number of items of an array or an object.
    pub(crate) fn count(items: &Json) -> usize {
        items.as_array().map(|array| array.len()).or_else(|| items.as_object().map(|object| object.len())).unwrap_or(0)
    }

    /// The item at this index; an object's member comes as its value with its name.
    pub(crate) fn item(&self, index: usize) -> Option<Item> {
        let index_number = index as u64;
        match &self.items {
            Json::Array(items) => items.get(index).map(|value| Item {
                index: index_number,
                value: value.clone(),
                key: None,
                source: None,
            }),
            Json::Object(members) => members.at(index).map(|(key, value)| Item {
                index: index_number,
                value: value.clone(),
                key: Some(key.clone()),
                source: None,
            }),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
        }
    }
}

impl Execution {
    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        self.status == Status::Running
    }

    /// Whether both stand exactly alike: what replaying a log must give.
    pub fn is_same_state(&self, other: &Execution) -> bool {
        self.status == other.status
            && self.stopped_at == other.stopped_at
            && self.last_event_id == other.last_event_id
            && self.timeout_at == other.timeout_at
            && self.redrive_count == other.redrive_count
            && self.redriven_at == other.redriven_at
            && self.next_thread == other.next_thread
            && self.threads == other.threads
    }

    /// What is open: every timer and task the execution waits for. After recovery these are asked for again, with the
    /// same keys.
    pub fn obligations(&self) -> Vec<Effect> {
        if !self.is_running() {
            return Vec::new();
        }
        let mut effects = Vec::new();
        if let Some(at) = self.timeout_at {
            effects.push(Effect::SetTimer(TimerKey::execution_timeout(), at));
        }
        let mut ready = false;
        for (&id, thread) in self.threads.iter().filter(|(_, thread)| !thread.stopped) {
            match &thread.phase {
                Phase::Ready { .. } => ready = true,
                Phase::In(active) => active.obligations(id, &mut effects),
                Phase::Ended(_) => {}
            }
        }
        if ready {
            effects.push(Effect::Continue);
        }
        effects
    }

    /// The tasks that are open: asked for, and not answered.
    pub fn open_tasks(&self) -> impl Iterator<Item = &TaskRequest> {
        let running = self.is_running();
        self.threads.values().filter(move |thread| running && !thread.stopped).filter_map(|thread| {
            match &thread.phase {
                Phase::In(Active { work: Work::Task(task), .. }) => Some(&task.request),
                Phase::In(_) | Phase::Ready { .. } | Phase::Ended(_) => None,
            }
        })
    }

    /// The Map Runs that are open.
    pub fn open_map_runs(&self) -> impl Iterator<Item = &MapRunRequest> {
        let running = self.is_running();
        self.threads.values().filter(move |thread| running && !thread.stopped).filter_map(|thread| {
            match &thread.phase {
                Phase::In(Active { work: Work::MapRun(run), .. }) => Some(&run.request),
                Phase::In(_) | Phase::Ready { .. } | Phase::Ended(_) => None,
            }
        })
    }

    /// The Map Runs that a redrive of this execution, which has ended, takes up again.
    pub fn redrivable_map_runs(&self) -> impl Iterator<Item = &MapRunRequest> {
        let ended = !self.is_running();
        self.threads.values().filter(move |_| ended).filter_map(|thread| match &thread.phase {
            Phase::In(Active { work: Work::MapRun(run) | Work::MapRunOver(run), .. }) => Some(&run.request),
            Phase::In(_) | Phase::Ready { .. } | Phase::Ended(_) => None,
        })
    }

    /// When an execution that starts to run now runs out of time: by its definition, or by what any may take.
    pub(crate) fn timeout_from(&self, now: Timestamp) -> Option<Timestamp> {
        let own = (self.workflow == WorkflowId::ROOT).then_some(self.definition.timeout_seconds).flatten();
        let seconds = [own, self.settings.execution_seconds_max].into_iter().flatten().min()?;
        Some(now.plus_ms(seconds.saturating_mul(1000)))
    }

    /// The input as histories show it.
    pub(crate) fn shown_input(&self) -> Payload {
        Payload { value: self.input.clone(), text: self.input_text.clone() }
    }

    pub(crate) fn thread(&self, id: ThreadId) -> &Thread {
        self.threads.get(&id).unwrap_or_else(|| panic!("I14: thread {} is open while it is decided", id.0))
    }

    pub(crate) fn active(&self, id: ThreadId) -> &Active {
        match &self.thread(id).phase {
            Phase::In(active) => active,
            Phase::Ready { .. } | Phase::Ended(_) => panic!("I7: thread {} is in a state while it is decided", id.0),
        }
    }

    /// The execution's own thread, for a test that sets the scene for one state.
    pub(crate) fn root_mut(&mut self) -> &mut Thread {
        self.threads.get_mut(&ThreadId::ROOT).unwrap_or_else(|| panic!("I14: a started execution has its own thread"))
    }

    /// The active state of a thread that may be gone or stopped.
    pub(crate) fn find_active(&self, id: ThreadId) -> Option<&Active> {
        self.threads.get(&id).filter(|thread| !thread.stopped)?.active()
    }

    /// The state a thread is in, also one that failed and that a Catcher is about to leave.
    pub(crate) fn find_entered(&self, id: ThreadId) -> Option<&Active> {
        self.threads.get(&id)?.active()
    }

    pub(crate) fn open_task(&self, key: TaskKey) -> Option<&TaskWork> {
        match &self.find_active(key.thread)?.work {
            Work::Task(task) if task.request.key == key || planted::is(Bug::AttemptUnchecked) => Some(task),
            Work::Task(_)
            | Work::None
            | Work::Until { .. }
            | Work::Retry { .. }
            | Work::Children(_)
            | Work::MapRun(_)
            | Work::MapRunOver(_) => None,
        }
    }

    pub(crate) fn open_map_run(&self, key: TaskKey) -> Option<&MapRunWork> {
        match &self.find_active(key.thread)?.work {
            Work::MapRun(run) if run.request.key == key => Some(run),
            Work::MapRun(_)
            | Work::None
            | Work::Until { .. }
            | Work::Retry { .. }
            | Work::Task(_)
            | Work::Children(_)
            | Work::MapRunOver(_) => None,
        }
    }

    /// The threads of a Parallel or Map state's branches or iterations, in the order they started.
    pub(crate) fn children(&self, parent: ThreadId) -> Vec<ThreadId> {
        let later = self.threads.range(parent..);
        later.filter(|(_, thread)| thread.parent == Some(parent)).map(|(&id, _)| id).collect()
    }

    /// The thread that was added last.
    pub(crate) fn newest_thread(&self) -> ThreadId {
        ThreadId(self.next_thread - 1)
    }

    /// The value of a variable as seen from a thread: its own, or one of an enclosing scope.
    pub(crate) fn variable(&self, from: ThreadId, name: &str) -> Option<&Json> {
        let mut thread = Some(from);
        while let Some(id) = thread {
            let scope = self.threads.get(&id)?;
            if let Some((_, value)) = scope.variables.iter().find(|(own, _)| &**own == name) {
                return Some(value);
            }
            thread = scope.parent;
        }
        None
    }

    /// The item of the innermost iteration a thread runs in.
    pub(crate) fn item(&self, from: ThreadId) -> Option<&Item> {
        let mut thread = Some(from);
        while let Some(id) = thread {
            let scope = self.threads.get(&id)?;
            if scope.item.is_some() {
                return scope.item.as_ref();
            }
            thread = scope.parent;
        }
        None
    }
}

impl Thread {
    fn active(&self) -> Option<&Active> {
        match &self.phase {
            Phase::In(active) => Some(active),
            Phase::Ready { .. } | Phase::Ended(_) => None,
        }
    }
}

impl Active {
    /// Retries so far, all entries of `Retry` together.
    pub(crate) fn retry_count(&self) -> u64 {
        self.retries.iter().sum()
    }

    /// Timers and tasks this state waits for.
    pub(crate) fn obligations(&self, thread: ThreadId, effects: &mut Vec<Effect>) {
        match &self.work {
            Work::None | Work::Children(_) | Work::MapRunOver(_) => {}
            Work::Until { at } => {
                effects.push(Effect::SetTimer(TimerKey::wait(thread, self.entered_event_id), *at));
            }
            Work::Retry { at, event_id } => effects.push(Effect::SetTimer(TimerKey::retry(thread, *event_id), *at)),
            Work::Task(task) => {
                task.timers(|timer, at| effects.push(Effect::SetTimer(timer, at)));
                if !task.request.taken || task.request.is_job() {
                    effects.push(Effect::RunTask(task.request.clone()));
                }
            }
            Work::MapRun(run) => run.obligations(effects),
        }
    }
}

impl MapRunWork {
    /// Whether more items are read.
    pub(crate) fn is_reading(&self) -> bool {
        self.stage == Stage::Running && self.reading.is_some() && !self.request.is_complete
    }

    /// Whether its results are written, or that is tried, since this redrive.
    pub(crate) fn is_writing(&self, is_trial: bool, redrive_count: u64) -> bool {
        let is_this = match &self.stage {
            Stage::Trying => is_trial,
            Stage::Writing { .. } => !is_trial,
            Stage::Running => false,
        };
        is_this && self.request.redrive_count == redrive_count
    }

    fn obligations(&self, effects: &mut Vec<Effect>) {
        let redrive_count = self.request.redrive_count;
        let results = |is_trial| {
            let request = self.results.iter().cloned();
            let request = request.map(move |request| ResultsRequest { is_trial, redrive_count, ..request });
            request.map(|request| Effect::WriteResults(Box::new(request)))
        };
        match &self.stage {
            Stage::Trying => effects.extend(results(true)),
            Stage::Writing { .. } => effects.extend(results(false)),
            Stage::Running => {
                effects.push(Effect::StartMapRun(self.request.clone()));
                if let Some(reading) = self.reading.as_ref().filter(|_| self.is_reading()) {
                    effects.push(Effect::ReadItems(Box::new(reading.request.clone())));
                }
            }
        }
    }
}

impl TaskWork {
    /// Calls back with each timer that watches over the task.
    pub(crate) fn timers(&self, mut each: impl FnMut(TimerKey, Timestamp)) {
        let key = self.request.key;
        if let Some(at) = self.timeout_at {
            each(TimerKey::task(key, TimerPurpose::TaskTimeout), at);
        }
        if let Some(at) = self.heartbeat_at {
            each(TimerKey::task(key, TimerPurpose::Heartbeat), at);
        }
    }
}

impl TimerKey {
    pub(crate) fn execution_timeout() -> TimerKey {
        TimerKey { thread: ThreadId::ROOT, event_id: 1, purpose: TimerPurpose::ExecutionTimeout }
    }

    pub(crate) fn wait(thread: ThreadId, entered_event_id: u64) -> TimerKey {
        TimerKey { thread, event_id: entered_event_id, purpose: TimerPurpose::Wait }
    }

    pub(crate) fn retry(thread: ThreadId, event_id: u64) -> TimerKey {
        TimerKey { thread, event_id, purpose: TimerPurpose::Retry }
    }

    pub(crate) fn task(task: TaskKey, purpose: TimerPurpose) -> TimerKey {
        TimerKey { thread: task.thread, event_id: task.scheduled_event_id, purpose }
    }
}
