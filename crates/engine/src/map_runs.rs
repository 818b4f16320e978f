//! Map Runs: the child executions of distributed Map states, how many run at once, and how many may fail.
//!
//! Free slots are what the concurrency leaves over the children that run: derived, never counted apart. Items may come
//! while children run; a run whose results are written outside stays until they are.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_asl::{Definition, StateId};
use stepwell_interpreter::{
    ChildResult, Command, Execution, Failure, Identity, MapRunRequest, ResultKind, Settings, Start, Status, TaskKey,
    Tokens,
};
use stepwell_json::Json;
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{error, quota};

use crate::results::{ResultShape, pending_child};
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
    /// These children are to be stopped; it goes on when they have ended.
    Stop(Vec<ExecutionId>),
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
    /// By index: what the children came to.
    results: Vec<Option<ChildResult>>,
    /// How the results are shown.
    shape: ResultShape,
    counts: MapRunCounts,
    /// Whether children may start: not before that is asked for, and not while the results are written.
    is_open: bool,
    /// Why it has failed, while children that were stopped have not ended yet.
    failure: Option<Failure>,
}

impl MapRuns {
    /// Takes a Map Run in. One that is known already is only asked for again, after a recovery.
    pub(crate) fn start(&mut self, parent_id: ExecutionId, parent: &Execution, request: MapRunRequest) -> Next {
        let id = (parent_id, request.key);
        match self.runs.entry(id) {
            Entry::Vacant(place) => place.insert(MapRun::new(parent, request)).is_open = true,
            Entry::Occupied(run) => run.into_mut().extend(request),
        }
        self.go_on(id)
    }

    /// What a Map Run wants next: more children, or its end.
    fn go_on(&mut self, id: RunId) -> Next {
        let Some(run) = self.runs.get_mut(&id) else { return Next::Nothing };
        if run.failure.is_none() && run.is_beyond_tolerance() {
            let cause = "The specified tolerated failure threshold was exceeded";
            run.failure = Some(Failure::new(error::EXCEED_TOLERATED_FAILURE_THRESHOLD, cause));
            if run.shape.is_written && !run.running.is_empty() {
                // What becomes of them is among the results.
                return Next::Stop(run.running.iter().copied().collect());
            }
        }
        let outcome = match &run.failure {
            Some(_) if run.shape.is_written && !run.running.is_empty() => return Next::Nothing,
            Some(failure) => Err(failure.clone()),
            None if run.is_done() => Ok(run.outcome()),
            None => return Next::StartChildren(id),
        };
        run.is_open = false;
        let is_written = run.shape.is_written;
        let stopped = if is_written { None } else { self.stop(id.0, id.1) };
        Next::End { parent: id.0, key: id.1, command: Command::MapRunEnded { map_run: id.1, outcome }, stopped }
    }

    /// What the children of a Map Run came to, and the inputs of those that were not started.
    pub(crate) fn results(&self, parent: ExecutionId, key: TaskKey) -> Vec<ChildResult> {
        let Some(run) = self.runs.get(&(parent, key)) else { return Vec::new() };
        let ended = run.results.iter().flatten();
        let ended =
            ended.flat_map(|result| run.shape.parts_of(result).map(|value| ChildResult { kind: result.kind, value }));
        let from = run.next.saturating_sub(usize::from(planted::is(Bug::ResultTwice)));
        let pending = run.request.inputs.iter_from(from);
        let pending = pending.map(|input| pending_child(&run.child_identity(""), input));
        ended.chain(pending.map(|value| ChildResult { kind: ResultKind::Pending, value })).collect()
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
        if planted::is(Bug::MapChildTwice) {
            run.started(of.index, child, ChildState::Pending);
        }
        match execution.status {
            Status::Running => {
                self.children.insert(child, (id, of.index));
            }
            Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_) if is_redriven => {
                run.running.remove(&child);
                run.results[of.index] = Some(run.shape.result(execution));
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

    /// Lets all Map Runs of an execution go, none of whose children runs.
    pub(crate) fn put_down(&mut self, parent: ExecutionId) {
        let keys: Vec<TaskKey> =
            self.runs.range((parent, TaskKey::FIRST)..=(parent, TaskKey::LAST)).map(|(id, _)| id.1).collect();
        for key in keys {
            self.stop(parent, key);
        }
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
            input: run.request.inputs.get(index).cloned().unwrap_or(Json::Null),
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
        Some(self.go_on(id))
    }

    /// What a child is told when its Map Run is over before it is.
    pub(crate) fn stop_command() -> Command {
        Command::Stop { error: None, cause: None }
    }
}

/// A Map Run of an execution: an open one, or one that a redrive takes up.
fn request_of(parent: &Execution, key: TaskKey) -> Option<&MapRunRequest> {
    parent.open_map_runs().chain(parent.redrivable_map_runs()).find(|request| request.key == key)
}

impl MapRun {
    fn new(parent: &Execution, request: MapRunRequest) -> MapRun {
        let mut counts = MapRunCounts::default();
        counts.executions.pending = request.inputs.len() as u64;
        counts.items.pending =
            request.inputs.iter_from(0).map(|input| items_in(&parent.definition, request.state, input)).sum();
        MapRun {
            results: vec![None; request.inputs.len()],
            shape: ResultShape::of(&parent.definition, &request),
            request,
            definition: parent.definition.clone(),
            parent: parent.identity.clone(),
            tokens: parent.tokens.clone(),
            next: 0,
            running: BTreeSet::new(),
            again: BTreeMap::new(),
            counts,
            is_open: false,
            failure: None,
        }
    }

    /// Takes the inputs that have come since.
    fn extend(&mut self, request: MapRunRequest) {
        let inputs = request.inputs.iter_from(self.results.len());
        let items: u64 = inputs.map(|input| items_in(&self.definition, request.state, input)).sum();
        self.counts.items.pending += items;
        self.counts.executions.pending += (request.inputs.len() - self.results.len()) as u64;
        self.results.resize(request.inputs.len(), None);
        self.request.inputs = request.inputs;
        self.request.is_complete = request.is_complete;
        self.is_open = true;
    }

    /// All results, as the state sees them.
    fn outcome(&self) -> Json {
        // They are written outside, from here.
        if self.shape.is_written {
            return Json::Null;
        }
        let values = self.results.iter().flatten();
        let values = values.flat_map(|result| self.shape.parts_of(result));
        match self.shape.as_lines {
            true => Json::from(values.map(|value| format!("{value}\n")).collect::<String>()),
            false => Json::Array(values.collect()),
        }
    }

    fn started(&mut self, index: usize, child: ExecutionId, before: ChildState) {
        self.next = self.next.max(index + 1);
        self.running.insert(child);
        self.recount(index, before, ChildState::Running);
    }

    /// How a child ended.
    fn ended(&mut self, index: usize, child: ExecutionId, execution: &Execution) {
        let state = match &execution.status {
            Status::Running => return,
            Status::Succeeded(_) => ChildState::Succeeded,
            Status::Failed(_) => ChildState::Failed,
            Status::TimedOut(_) => ChildState::TimedOut,
            Status::Aborted(_) => ChildState::Aborted,
        };
        if state != ChildState::Succeeded || !planted::is(Bug::MapSlotLeak) {
            self.running.remove(&child);
        }
        self.results[index] = Some(self.shape.result(execution));
        self.recount(index, ChildState::Running, state);
    }

    fn recount(&mut self, index: usize, from: ChildState, to: ChildState) {
        let items = match self.request.inputs.get(index) {
            Some(input) => items_in(&self.definition, self.request.state, input),
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
        self.request.is_complete && pending + running + pending_redrive == 0
    }

    fn has_free_slot(&self) -> bool {
        let asked = usize::try_from(self.request.max_concurrency).unwrap_or(usize::MAX);
        let most = if asked == 0 { quota::DISTRIBUTED_MAP_CONCURRENCY_MAX } else { asked };
        let has_more = self.next < self.results.len() || !self.again.is_empty();
        self.is_open
            && self.failure.is_none()
            && has_more
            && self.running.len()
                < most.min(quota::DISTRIBUTED_MAP_CONCURRENCY_MAX) + usize::from(planted::is(Bug::MapOneTooMany))
    }

    /// Either threshold breaks the run; with neither given, the first failure does.
    fn is_beyond_tolerance(&self) -> bool {
        let Counts { failed, timed_out, aborted, .. } = self.counts.executions;
        let failed = failed + timed_out + aborted;
        // What share of all that is cannot be said before all of them are here.
        let all = if self.request.is_complete { self.results.len() as f64 } else { f64::INFINITY };
        let share = failed as f64 * 100.0 / all.max(1.0);
        match (self.request.tolerated_failure_count, self.request.tolerated_failure_percentage) {
            (None, None) => failed > 0,
            (count, percentage) => {
                count.is_some_and(|count| failed > count + u64::from(planted::is(Bug::ToleranceOffByOne)))
                    || percentage.is_some_and(|percentage| share > percentage)
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

/// How many items the child of a Map state is given: a batch, or one.
pub fn items_in(definition: &Definition, state: StateId, input: &Json) -> u64 {
    let Some((_, distributed)) = definition.state(state).kind.distributed_map() else { return 1 };
    match (&distributed.item_batcher, input.get("Items").and_then(Json::as_array)) {
        (Some(_), Some(items)) => items.len() as u64,
        (_, None) | (None, _) => 1,
    }
}
