//! Map Runs: the child executions of distributed Map states, how many run at once, and how many may fail.
//!
//! Free slots are what the concurrency leaves over the children that run: derived, never counted apart.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_asl::{Definition, MapMode, StateKind};
use stepwell_interpreter::{
    Command, Execution, Failure, Identity, MapRunRequest, Settings, Start, Status, TaskKey, Tokens,
};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::{error, quota};

use crate::step::ExecutionId;

/// Names a Map Run by its parent execution and its place there.
pub(crate) type RunId = (ExecutionId, TaskKey);

/// Where a child execution belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildOf {
    /// The execution whose Map Run it belongs to.
    pub parent: ExecutionId,
    /// The Map Run there.
    pub map_run: TaskKey,
    /// The item's place, from 0.
    pub index: usize,
}

/// Children of a Map Run, or the items they were given, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not started.
    pub pending: u64,
    /// Started and not ended.
    pub running: u64,
    /// Ended well.
    pub succeeded: u64,
    /// Failed.
    pub failed: u64,
    /// Ran out of time.
    pub timed_out: u64,
    /// Stopped, or never started because the run was over.
    pub aborted: u64,
    /// Ended without success, and will run again.
    pub pending_redrive: u64,
}

impl Counts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.pending
            + self.running
            + self.succeeded
            + self.failed
            + self.timed_out
            + self.aborted
            + self.pending_redrive
    }

    fn of_state(&mut self, state: ChildState) -> &mut u64 {
        match state {
            ChildState::Pending => &mut self.pending,
            ChildState::Running => &mut self.running,
            ChildState::Succeeded => &mut self.succeeded,
            ChildState::Failed => &mut self.failed,
            ChildState::TimedOut => &mut self.timed_out,
            ChildState::Aborted => &mut self.aborted,
            ChildState::PendingRedrive => &mut self.pending_redrive,
        }
    }
}

/// How a Map Run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapRunCounts {
    /// Child executions.
    pub executions: Counts,
    /// The items they were given: one each, or a batch.
    pub items: Counts,
}

/// What of a Map Run may be changed while it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapRunLimits {
    /// Children at once at most; 0 for no limit of its own.
    pub max_concurrency: u64,
    /// How many may fail.
    pub tolerated_failure_count: Option<u64>,
    /// What share may fail, 0 to 100.
    pub tolerated_failure_percentage: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChildState {
    Pending,
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    PendingRedrive,
}

/// What a child does that did not succeed before its Map Run was redriven.
#[derive(Clone, Copy, Debug)]
enum Again {
    /// It goes on from where it failed.
    Redrive(ExecutionId),
    /// Another execution takes its place: Express executions are not redriven.
    Start,
}

/// The next child of a Map Run.
pub(crate) enum Child {
    /// A new one.
    New(ChildOf, Box<Start>),
    /// One that is redriven.
    Old(ExecutionId),
}

/// What a Map Run wants next.
pub(crate) enum Next {
    Nothing,
    /// Its free slots are to be filled.
    StartChildren(RunId),
    /// Its parent is to be told, and these children are to be stopped.
    End {
        parent: ExecutionId,
        key: TaskKey,
        command: Command,
        stopped: Option<Box<StoppedRun>>,
    },
}

/// What a Map Run that is over leaves behind.
#[derive(Debug, Default)]
pub(crate) struct StoppedRun {
    /// Children that run and are to be stopped.
    pub(crate) children: Vec<ExecutionId>,
    /// With those children counted as stopped.
    pub(crate) counts: MapRunCounts,
}

/// The Map Runs of one shard.
#[derive(Debug, Default)]
pub(crate) struct MapRuns {
    runs: BTreeMap<RunId, MapRun>,
    /// Which run a child belongs to, and its place there.
    children: BTreeMap<ExecutionId, (RunId, usize)>,
    /// Children that wait for their redrive.
    again: BTreeSet<ExecutionId>,
}

#[derive(Debug)]
struct MapRun {
    request: MapRunRequest,
    definition: Arc<Definition>,
    parent: Arc<Identity>,
    tokens: Tokens,
    /// Index of the next child to start.
    next: usize,
    running: BTreeSet<ExecutionId>,
    /// By index: what did not succeed before the redrive.
    again: BTreeMap<usize, Again>,
    outputs: Vec<Option<Json>>,
    counts: MapRunCounts,
}

impl MapRuns {
    /// Takes a Map Run in. One that is known already is only asked for again, after a recovery.
    pub(crate) fn start(&mut self, parent_id: ExecutionId, parent: &Execution, request: MapRunRequest) -> Next {
        let run = (parent_id, request.key);
        if request.inputs.is_empty() {
            let command = Command::MapRunEnded { map_run: request.key, outcome: Ok(Json::array(Vec::new())) };
            let stopped = Some(Box::default());
            return Next::End { parent: parent_id, key: request.key, command, stopped };
        }
        self.runs.entry(run).or_insert_with(|| MapRun::new(parent, request));
        Next::StartChildren(run)
    }

    /// Takes a child up again that was started before a recovery or a redrive.
    pub(crate) fn restore_child(
        &mut self,
        child: ExecutionId,
        of: ChildOf,
        execution: &Execution,
        is_redriven: bool,
        parent: &Execution,
    ) {
        let Some(request) = request_of(parent, of.map_run) else { return };
        let id = (of.parent, of.map_run);
        let run = self.runs.entry(id).or_insert_with(|| MapRun::new(parent, request.clone()));
        run.started(of.index, child, ChildState::Pending);
        match execution.status {
            Status::Running => {
                self.children.insert(child, (id, of.index));
            }
            Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_) if is_redriven => {
                run.running.remove(&child);
                run.recount(of.index, ChildState::Running, ChildState::PendingRedrive);
                let again = if run.request.express { Again::Start } else { Again::Redrive(child) };
                run.again.insert(of.index, again);
                if let Again::Redrive(child) = again {
                    self.again.insert(child);
                }
            }
            Status::Succeeded(_) | Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_) => {
                run.ended(of.index, child, execution);
            }
        }
    }

    /// Whether a child of an open Map Run waits for its redrive.
    pub(crate) fn is_pending_redrive(&self, child: ExecutionId) -> bool {
        self.again.contains(&child)
    }

    /// Whether a Map Run of this execution is open.
    pub(crate) fn has_open(&self, parent: ExecutionId) -> bool {
        self.runs.range((parent, TaskKey::FIRST)..=(parent, TaskKey::LAST)).next().is_some()
    }

    /// Lets a Map Run go; answers the children to stop.
    pub(crate) fn stop(&mut self, parent: ExecutionId, key: TaskKey) -> Option<Box<StoppedRun>> {
        let run = self.runs.remove(&(parent, key))?;
        for again in run.again.values() {
            if let Again::Redrive(child) = again {
                self.again.remove(child);
            }
        }
        let mut counts = run.counts;
        for counts in [&mut counts.executions, &mut counts.items] {
            counts.aborted += std::mem::take(&mut counts.running) + std::mem::take(&mut counts.pending);
            counts.failed += std::mem::take(&mut counts.pending_redrive);
        }
        Some(Box::new(StoppedRun { children: run.running.into_iter().collect(), counts }))
    }

    /// How an open Map Run stands.
    pub(crate) fn counts(&self, parent: ExecutionId, key: TaskKey) -> Option<MapRunCounts> {
        self.runs.get(&(parent, key)).map(|run| run.counts)
    }

    /// Changes what an open Map Run may do. What that leads to comes with its parent's next `Continue`.
    pub(crate) fn update(&mut self, parent: &Execution, id: RunId, limits: MapRunLimits) {
        let request = request_of(parent, id.1).cloned();
        let run = match (self.runs.entry(id), request) {
            (Entry::Occupied(run), _) => run.into_mut(),
            (Entry::Vacant(place), Some(request)) => place.insert(MapRun::new(parent, request)),
            (Entry::Vacant(_), None) => return,
        };
        run.request.max_concurrency = limits.max_concurrency;
        run.request.tolerated_failure_count = limits.tolerated_failure_count;
        run.request.tolerated_failure_percentage = limits.tolerated_failure_percentage;
    }

    /// Runs of this execution that have free slots and children to fill them.
    pub(crate) fn unfilled(&self, parent: ExecutionId) -> Vec<RunId> {
        let unfilled = |(id, run): (&RunId, &MapRun)| (id.0 == parent && run.has_free_slot()).then_some(*id);
        self.runs.iter().filter_map(unfilled).collect()
    }

    /// The next child, if there is a free slot: one that runs again, or a new one under this id and with `name` as its
    /// execution's name.
    pub(crate) fn next_child(&mut self, id: RunId, new: ExecutionId, name: &str) -> Option<Child> {
        let run = self.runs.get_mut(&id).filter(|run| run.has_free_slot())?;
        let (index, old, before) = match run.again.pop_first() {
            Some((index, Again::Redrive(child))) => (index, Some(child), ChildState::PendingRedrive),
            Some((index, Again::Start)) => (index, None, ChildState::PendingRedrive),
            None => (run.next, None, ChildState::Pending),
        };
        let child = old.unwrap_or(new);
        self.children.insert(child, (id, index));
        self.again.remove(&child);
        run.started(index, child, before);
        if old.is_some() {
            return Some(Child::Old(child));
        }
        let settings = if run.request.express { Settings::express() } else { Settings::standard() };
        let start = Start {
            definition: run.definition.clone(),
            workflow: run.request.processor,
            identity: Arc::new(run.child_identity(name)),
            settings,
            tokens: run.tokens.of(child.0),
            input: run.request.inputs[index].clone(),
            input_text: None,
        };
        Some(Child::New(ChildOf { parent: id.0, map_run: id.1, index }, Box::new(start)))
    }

    /// What follows from the end of an execution; `None` when it was nobody's child.
    pub(crate) fn child_ended(&mut self, child: ExecutionId, execution: &Execution) -> Option<Next> {
        let (id, index) = self.children.remove(&child)?;
        // A run that was stopped or has failed waits for nobody.
        let Some(run) = self.runs.get_mut(&id) else { return Some(Next::Nothing) };
        run.ended(index, child, execution);
        let outcome = if run.is_beyond_tolerance() {
            let cause = "The specified tolerated failure threshold was exceeded";
            Err(Failure::new(error::EXCEED_TOLERATED_FAILURE_THRESHOLD, cause))
        } else if run.is_done() {
            Ok(Json::Array(run.outputs.iter().flatten().cloned().collect()))
        } else {
            return Some(Next::StartChildren(id));
        };
        let stopped = self.stop(id.0, id.1);
        Some(Next::End { parent: id.0, key: id.1, command: Command::MapRunEnded { map_run: id.1, outcome }, stopped })
    }

    /// What a child is told when its Map Run is over before it is.
    pub(crate) fn stop_command() -> Command {
        Command::Stop { error: None, cause: None }
    }
}

/// What stands in the place of the output of a child that failed and was tolerated: the execution, as the API describes it.
///
/// Source: Developer Guide, "ResultWriter", transformation COMPACT.
fn failed_child(execution: &Execution, failure: &Failure) -> Json {
    let identity = &execution.identity;
    let mut child = ObjectBuilder::new();
    if let Some(cause) = &failure.cause {
        child.insert("Cause", Json::String(cause.clone()));
    }
    if let Some(error) = &failure.error {
        child.insert("Error", Json::String(error.clone()));
    }
    child.insert("ExecutionArn", Json::String(identity.arn.clone()));
    child.insert("Input", Json::from(execution.input.to_string()));
    child.insert("InputDetails", Json::object([("Included", Json::Bool(true))]));
    child.insert("Name", Json::String(identity.name.clone()));
    child.insert("RedriveCount", Json::from(execution.redrive_count));
    child.insert("StartDate", Json::from(execution.started_at.to_string()));
    child.insert("StateMachineArn", Json::String(identity.state_machine_arn.clone()));
    child.insert("Status", Json::from(execution.status.name()));
    if let Some(at) = execution.stopped_at {
        child.insert("StopDate", Json::from(at.to_string()));
    }
    Json::Object(child.build())
}

/// A Map Run of an execution: an open one, or one that a redrive takes up.
fn request_of(parent: &Execution, key: TaskKey) -> Option<&MapRunRequest> {
    parent.open_map_runs().chain(parent.redrivable_map_runs()).find(|request| request.key == key)
}

impl MapRun {
    fn new(parent: &Execution, request: MapRunRequest) -> MapRun {
        let mut counts = MapRunCounts::default();
        counts.executions.pending = request.inputs.len() as u64;
        counts.items.pending = request.inputs.iter().map(|input| items_in(&parent.definition, &request, input)).sum();
        MapRun {
            outputs: vec![None; request.inputs.len()],
            request,
            definition: parent.definition.clone(),
            parent: parent.identity.clone(),
            tokens: parent.tokens.clone(),
            next: 0,
            running: BTreeSet::new(),
            again: BTreeMap::new(),
            counts,
        }
    }

    fn started(&mut self, index: usize, child: ExecutionId, before: ChildState) {
        self.next = self.next.max(index + 1);
        self.running.insert(child);
        self.recount(index, before, ChildState::Running);
    }

    /// How a child ended.
    fn ended(&mut self, index: usize, child: ExecutionId, execution: &Execution) {
        let (state, output) = match &execution.status {
            Status::Running => return,
            Status::Succeeded(output) => (ChildState::Succeeded, output.clone()),
            Status::Failed(failure) => (ChildState::Failed, failed_child(execution, failure)),
            Status::TimedOut(failure) => (ChildState::TimedOut, failed_child(execution, failure)),
            Status::Aborted(failure) => (ChildState::Aborted, failed_child(execution, failure)),
        };
        self.running.remove(&child);
        self.outputs[index] = Some(output);
        self.recount(index, ChildState::Running, state);
    }

    fn recount(&mut self, index: usize, from: ChildState, to: ChildState) {
        let items = match self.request.inputs.get(index) {
            Some(input) => items_in(&self.definition, &self.request, input),
            None => 0,
        };
        for (counts, count) in [(&mut self.counts.executions, 1), (&mut self.counts.items, items)] {
            let left = counts.of_state(from);
            *left = left.saturating_sub(count);
            *counts.of_state(to) += count;
        }
    }

    fn is_done(&self) -> bool {
        let Counts { pending, running, pending_redrive, .. } = self.counts.executions;
        pending + running + pending_redrive == 0
    }

    fn has_free_slot(&self) -> bool {
        let asked = usize::try_from(self.request.max_concurrency).unwrap_or(usize::MAX);
        let most = if asked == 0 { quota::DISTRIBUTED_MAP_CONCURRENCY_MAX } else { asked };
        let has_more = self.next < self.outputs.len() || !self.again.is_empty();
        has_more && self.running.len() < most.min(quota::DISTRIBUTED_MAP_CONCURRENCY_MAX)
    }

    /// Either threshold breaks the run; with neither given, the first failure does.
    fn is_beyond_tolerance(&self) -> bool {
        let Counts { failed, timed_out, aborted, .. } = self.counts.executions;
        let failed = failed + timed_out + aborted;
        let share = failed as f64 * 100.0 / self.outputs.len() as f64;
        match (self.request.tolerated_failure_count, self.request.tolerated_failure_percentage) {
            (None, None) => failed > 0,
            (count, percentage) => {
                count.is_some_and(|count| failed > count) || percentage.is_some_and(|percentage| share > percentage)
            }
        }
    }

    /// `…:stateMachine:NAME/LABEL` and `…:execution:NAME/LABEL:EXECUTION`.
    fn child_identity(&self, name: &str) -> Identity {
        let label = self.request.arn.rsplit('/').next().and_then(|part| part.split(':').next()).unwrap_or_default();
        let state_machine_arn = format!("{}/{label}", self.parent.state_machine_arn);
        Identity {
            arn: format!("{}:{name}", state_machine_arn.replacen(":stateMachine:", ":execution:", 1)).into(),
            name: name.into(),
            role_arn: self.parent.role_arn.clone(),
            state_machine_name: format!("{}/{label}", self.parent.state_machine_name).into(),
            state_machine_arn: state_machine_arn.into(),
            state_machine_version_arn: None,
            state_machine_alias_arn: None,
            region: self.parent.region.clone(),
        }
    }
}

/// How many items a child is given: a batch, or one.
fn items_in(definition: &Definition, request: &MapRunRequest, input: &Json) -> u64 {
    let StateKind::Map(map) = &definition.state(request.state).kind else { return 1 };
    let MapMode::Distributed(distributed) = &map.mode else { return 1 };
    match (&distributed.item_batcher, input.get("Items").and_then(Json::as_array)) {
        (Some(_), Some(items)) => items.len() as u64,
        (_, None) | (None, _) => 1,
    }
}
