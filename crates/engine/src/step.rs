//! The only entrance: one input, one moment, one outbox.

use std::collections::{BTreeMap, VecDeque};

use stepwell_interpreter::{
    Chance, ChildResult, Command, Decision, Effect, Execution, ItemsRequest, Moment, ResultsRequest, Start, TaskKey,
    TaskRequest, TimerKey,
};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{Record, Timestamp};

use crate::map_runs::{Child, ChildOf, MapRunCounts, MapRunLimits, MapRuns, Next, StoppedRun};
use crate::timers::Timers;

/// Names an execution inside one engine. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(pub u64);

/// What can come in.
#[derive(Clone, Debug)]
pub enum Input {
    /// A new execution, under a name from [`Engine::reserve_id`].
    Start(ExecutionId, Box<Start>),
    /// A command for an execution. One for an execution that is not in memory changes nothing and comes out again.
    Command(ExecutionId, Command),
    /// Time has passed: fires one timer that is due, if there is one.
    Tick,
}

/// What one input led to. All of it is one frame.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// Executions that Map Runs started: each before its first record.
    pub children: Vec<(ExecutionId, ChildOf)>,
    /// Records by execution, in order.
    pub records: Vec<(ExecutionId, Record)>,
    /// Tasks to dispatch once the records are kept.
    pub tasks: Vec<(ExecutionId, TaskRequest)>,
    /// Items of Map Runs to be read once the records are kept.
    pub reads: Vec<(ExecutionId, ItemsRequest)>,
    /// Results of Map Runs to be written.
    pub writes: Vec<(ExecutionId, ResultsRequest, Vec<ChildResult>)>,
    /// Tasks, reads and writes whose answers are no longer wanted.
    pub cancelled: Vec<(ExecutionId, TaskKey)>,
    /// Executions that have more to do: each wants `Command::Continue`, after others had their turn.
    pub yielded: Vec<ExecutionId>,
    /// Map Runs that are over, and how they stood: by their execution and their place there.
    pub map_runs_ended: Vec<(ExecutionId, TaskKey, MapRunCounts)>,
    /// Commands for executions that were released: to be given again once those are in memory.
    pub absent: Vec<(ExecutionId, Command)>,
    /// Executions that ended.
    pub ended: Vec<ExecutionId>,
}

/// The executions of one shard that are in memory, and the timers of all of them.
///
/// An execution that waits may be [released](Engine::release) and [adopted](Engine::adopt) again before its next command:
/// what remains of it meanwhile are its timers.
#[derive(Debug, Default)]
pub struct Engine {
    executions: BTreeMap<ExecutionId, Execution>,
    timers: Timers,
    map_runs: MapRuns,
    next_execution: u64,
    /// Time never goes back, whatever the clock does.
    now: Timestamp,
    /// The execution whose turn it is.
    last_turn: Option<ExecutionId>,
}

/// What one input makes the executions of a shard do to one another: a parent's Map Run starts children, a child's end
/// goes back to its parent.
enum Turn {
    Start(ExecutionId, Box<Start>),
    Command(ExecutionId, Command),
}

/// Starts and commands inside one step before a Map Run waits for the next one: a bound of the frame, not of the run.
const TURNS_PER_STEP: usize = 64;

impl Engine {
    /// An engine without executions.
    pub fn new() -> Engine {
        Engine::default()
    }

    /// Takes one input and runs what it moves until that waits for the outside world.
    pub fn step(&mut self, input: Input, at: Moment) -> Outbox {
        self.last_turn = None;
        self.now = if planted::is(Bug::ClockGoesBack) { at.now } else { self.now.max(at.now) };
        let chance = Chance::new(Moment { now: self.now, ..at });
        let mut outbox = Outbox::default();
        let mut turns = VecDeque::new();
        match input {
            Input::Start(id, start) => turns.push_back(Turn::Start(id, start)),
            Input::Command(id, Command::Continue) => {
                turns.push_back(Turn::Command(id, Command::Continue));
                for run in self.map_runs.unfilled(id) {
                    self.move_on(Next::StartChildren(run), &chance, TURNS_PER_STEP, &mut turns, &mut outbox);
                }
            }
            Input::Command(id, command) => turns.push_back(Turn::Command(id, command)),
            Input::Tick => {
                if let Some((id, timer)) = self.timers.take_due(self.now) {
                    turns.push_back(Turn::Command(id, Command::TimerFired(timer)));
                }
            }
        }
        self.turn(turns, outbox, &chance)
    }

    /// The execution whose turn it is in this step: after a panic in it, the one to blame. The engine itself is of no use any more
    /// then. Nobody between two steps: what panics there is not about whoever moved before.
    pub fn last_turn(&self) -> Option<ExecutionId> {
        self.last_turn
    }

    /// A name for an execution that is about to start.
    pub fn reserve_id(&mut self) -> ExecutionId {
        let id = ExecutionId(self.next_execution);
        self.next_execution += 1;
        id
    }

    /// Names below this one are taken.
    pub fn reserve_ids_below(&mut self, next: ExecutionId) {
        self.next_execution = self.next_execution.max(next.0);
    }

    /// An execution that is in memory, running or ended.
    pub fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.executions.get(&id)
    }

    /// Executions in memory.
    pub fn len(&self) -> usize {
        self.executions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.executions.is_empty()
    }

    /// Takes an execution out of memory. Its timers stay. One whose Map Run is open stays too, and one that waits for its
    /// redrive: answers `false`.
    pub fn release(&mut self, id: ExecutionId) -> bool {
        let may_go = !self.map_runs.has_open(id) && !self.map_runs.is_pending_redrive(id);
        if may_go {
            self.executions.remove(&id);
        }
        may_go
    }

    /// What happened at this time is kept: time does not go back behind it.
    pub fn not_before(&mut self, time: Timestamp) {
        if !planted::is(Bug::ClockGoesBack) {
            self.now = self.now.max(time);
        }
    }

    /// The time that has been reached.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Takes an execution into memory that was folded from its log: one that was released, or one that
    /// [`Engine::resume`] will be called for.
    pub fn adopt(&mut self, id: ExecutionId, execution: Execution) {
        #[cfg(feature = "poison")]
        crate::poison::at_load(&execution.identity.name);
        self.executions.insert(id, execution);
    }

    /// Takes a child of a Map Run up again, as far as its log has brought it: before [`Engine::resume`] is called for the
    /// parent, which was adopted, or before the parent is redriven.
    ///
    /// `is_redriven` says that a child which did not succeed runs again; if it is not an Express execution, it is to be
    /// adopted. A running child is adopted and resumed by itself.
    pub fn restore_child(&mut self, child: ExecutionId, of: ChildOf, execution: &Execution, is_redriven: bool) {
        if let Some(parent) = self.executions.get(&of.parent) {
            self.map_runs.restore_child(child, of, execution, is_redriven, parent);
        }
    }

    /// Forgets the Map Runs of an execution that were taken up for a redrive which does not come.
    pub fn put_down_map_runs(&mut self, parent: ExecutionId) {
        self.map_runs.put_down(parent);
    }

    /// Whether an execution is a child of an open Map Run and waits for its redrive.
    pub fn is_pending_redrive(&self, id: ExecutionId) -> bool {
        self.map_runs.is_pending_redrive(id)
    }

    /// Asks again for everything an adopted execution waits for, under the same names: once, after a recovery.
    pub fn resume(&mut self, id: ExecutionId, at: Moment) -> Outbox {
        self.now = self.now.max(at.now);
        let mut effects = self.executions.get(&id).map(Execution::obligations).unwrap_or_default();
        effects.retain(|effect| match effect {
            Effect::SetTimer(..) => !planted::is(Bug::TimersNotRearmed),
            Effect::RunTask(_) => !planted::is(Bug::TasksNotResumed),
            Effect::ReadItems(_) => !planted::is(Bug::ReadsNotResumed),
            Effect::WriteResults(_) => !planted::is(Bug::WritesNotResumed),
            _ => true,
        });
        let chance = Chance::new(Moment { now: self.now, ..at });
        let (mut turns, mut outbox) = (VecDeque::new(), Outbox::default());
        let decision = Decision { records: Vec::new(), effects };
        self.deliver(id, decision, &chance, TURNS_PER_STEP, &mut turns, &mut outbox);
        self.turn(turns, outbox, &chance)
    }

    /// How an open Map Run stands.
    pub fn map_run_counts(&self, parent: ExecutionId, map_run: TaskKey) -> Option<MapRunCounts> {
        self.map_runs.counts(parent, map_run)
    }

    /// Changes what an open Map Run of an execution in memory may do. More children start with the execution's next
    /// `Continue`.
    pub fn update_map_run(&mut self, parent: ExecutionId, map_run: TaskKey, limits: MapRunLimits) {
        if let Some(execution) = self.executions.get(&parent) {
            self.map_runs.update(execution, (parent, map_run), limits);
        }
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.next_due()
    }

    /// Every timer that is set, in the order of their keys.
    pub fn timers(&self) -> impl Iterator<Item = (ExecutionId, TimerKey, Timestamp)> {
        self.timers.iter()
    }

    /// The execution that [`Input::Tick`] would wake by now.
    pub fn next_awake(&self, now: Timestamp) -> Option<ExecutionId> {
        self.timers.first_due(self.now.max(now))
    }

    /// Takes turns until none is left.
    fn turn(&mut self, mut turns: VecDeque<Turn>, mut outbox: Outbox, chance: &Chance) -> Outbox {
        let mut taken = 0;
        while let Some(turn) = turns.pop_front() {
            taken += 1;
            let at = Moment { now: self.now, entropy: chance.draw() };
            let (id, decision) = match turn {
                Turn::Command(id, command) if !self.executions.contains_key(&id) => {
                    outbox.absent.push((id, command));
                    continue;
                }
                turn => self.take(turn, at),
            };
            let turns_left = TURNS_PER_STEP.saturating_sub(taken + turns.len());
            self.deliver(id, decision, chance, turns_left, &mut turns, &mut outbox);
        }
        if !planted::is(Bug::BlameTheLast) {
            self.last_turn = None;
        }
        outbox
    }

    fn take(&mut self, turn: Turn, at: Moment) -> (ExecutionId, Decision) {
        match turn {
            Turn::Start(id, start) => {
                self.last_turn = Some(id);
                #[cfg(feature = "poison")]
                crate::poison::at_start(&start.identity.name);
                let (execution, decision) = Execution::start(*start, at);
                self.executions.insert(id, execution);
                (id, decision)
            }
            Turn::Command(id, command) => {
                self.last_turn = Some(id);
                #[cfg(feature = "poison")]
                if let Some(execution) = self.executions.get(&id) {
                    crate::poison::at_command(&execution.identity.name, &command);
                }
                let decision = self.executions.get_mut(&id).map(|execution| execution.decide(command, at));
                (id, decision.unwrap_or_default())
            }
        }
    }

    fn deliver(
        &mut self,
        id: ExecutionId,
        decision: Decision,
        chance: &Chance,
        turns_left: usize,
        turns: &mut VecDeque<Turn>,
        outbox: &mut Outbox,
    ) {
        outbox.records.extend(decision.records.into_iter().map(|record| (id, record)));
        for effect in decision.effects {
            match effect {
                Effect::RunTask(request) => outbox.tasks.push((id, request)),
                Effect::CancelTask(task) => {
                    // One that was to be dispatched in this very frame never leaves.
                    outbox.tasks.retain(|(owner, request)| *owner != id || request.key != task);
                    outbox.reads.retain(|(owner, request)| *owner != id || request.task.key != task);
                    outbox.writes.retain(|(owner, request, _)| *owner != id || request.task.key != task);
                    outbox.cancelled.push((id, task));
                }
                Effect::SetTimer(timer, due) => self.timers.set(id, timer, due),
                Effect::CancelTimer(_) if planted::is(Bug::StopLeavesTimers) => {}
                Effect::CancelTimer(timer) => self.timers.cancel(id, timer),
                Effect::Continue => outbox.yielded.push(id),
                Effect::StartMapRun(request) => {
                    if let Some(parent) = self.executions.get(&id) {
                        let next = self.map_runs.start(id, parent, request);
                        self.move_on(next, chance, turns_left, turns, outbox);
                    }
                }
                Effect::StopMapRun(key) => {
                    // One whose children were never asked for is over all the same.
                    let stopped = self.map_runs.stop(id, key).unwrap_or_default();
                    end_map_run(id, key, Some(stopped), turns, outbox);
                }
                Effect::ReadItems(request) => outbox.reads.push((id, *request)),
                Effect::WriteResults(request) => {
                    let results =
                        if request.is_trial { Vec::new() } else { self.map_runs.results(id, request.task.key) };
                    outbox.writes.push((id, *request, results));
                }
                Effect::ExecutionEnded => {
                    if !planted::is(Bug::StopLeavesTimers) {
                        self.timers.cancel_all(id);
                    }
                    outbox.ended.push(id);
                    if let Some(next) = self.executions.get(&id).and_then(|child| self.map_runs.child_ended(id, child))
                    {
                        self.move_on(next, chance, turns_left, turns, outbox);
                    }
                }
            }
        }
    }

    /// Does what a Map Run wants next: starts children while it has free slots, or tells its parent that it has ended.
    fn move_on(
        &mut self,
        next: Next,
        chance: &Chance,
        turns_left: usize,
        turns: &mut VecDeque<Turn>,
        outbox: &mut Outbox,
    ) {
        match next {
            Next::Nothing => {}
            Next::Stop(children) => {
                turns.extend(children.into_iter().map(|child| Turn::Command(child, MapRuns::stop_command())));
            }
            Next::StartChildren(run) => {
                for _ in 0..turns_left.max(1) {
                    let new = ExecutionId(self.next_execution);
                    match self.map_runs.next_child(run, new, &chance.uuid_at(self.now)) {
                        Some(Child::New(of, start)) => {
                            self.next_execution += 1;
                            outbox.children.push((new, of));
                            turns.push_back(Turn::Start(new, start));
                        }
                        Some(Child::Old(child)) => turns.push_back(Turn::Command(child, Command::Redrive)),
                        None => return,
                    }
                }
                outbox.yielded.push(run.0);
            }
            Next::End { parent, key, command, stopped } => {
                end_map_run(parent, key, stopped, turns, outbox);
                turns.push_back(Turn::Command(parent, command));
            }
        }
    }
}

/// A Map Run is over: its children stop, and it is told how it stood.
fn end_map_run(
    parent: ExecutionId,
    key: TaskKey,
    stopped: Option<Box<StoppedRun>>,
    turns: &mut VecDeque<Turn>,
    outbox: &mut Outbox,
) {
    let Some(stopped) = stopped else { return };
    let StoppedRun { children, counts } = *stopped;
    turns.extend(children.into_iter().map(|child| Turn::Command(child, MapRuns::stop_command())));
    outbox.map_runs_ended.push((parent, key, counts));
}
