//! The only entrance: one input, one moment, one outbox.

use std::collections::{BTreeMap, VecDeque};

use stepwell_interpreter::{Chance, Command, Decision, Effect, Execution, Moment, Start, TaskKey, TaskRequest};
use stepwell_spec::{Record, Timestamp};

use crate::map_runs::{MapRuns, Next};
use crate::timers::Timers;

/// Names an execution inside one engine. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(pub u64);

/// What can come in.
#[derive(Clone, Debug)]
pub enum Input {
    /// A new execution, under a name from [`Engine::reserve_id`].
    Start(ExecutionId, Box<Start>),
    /// A command for an execution. One for an execution that is gone changes nothing.
    Command(ExecutionId, Command),
    /// Time has passed: fires one timer that is due, if there is one.
    Tick,
}

/// What one input led to. All of it is one frame.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// Records by execution, in order.
    pub records: Vec<(ExecutionId, Record)>,
    /// Tasks to dispatch once the records are kept.
    pub tasks: Vec<(ExecutionId, TaskRequest)>,
    /// Tasks whose answers are no longer wanted.
    pub cancelled: Vec<(ExecutionId, TaskKey)>,
    /// Executions that have more to do: each wants `Command::Continue`, after others had their turn.
    pub yielded: Vec<ExecutionId>,
    /// Executions that ended.
    pub ended: Vec<ExecutionId>,
}

/// All executions of one shard.
#[derive(Debug, Default)]
pub struct Engine {
    executions: BTreeMap<ExecutionId, Execution>,
    timers: Timers,
    map_runs: MapRuns,
    next_execution: u64,
    /// Time never goes back, whatever the clock does.
    now: Timestamp,
}

/// What one input makes the executions of a shard do to one another: a parent's Map Run starts children, a child's end
/// goes back to its parent.
enum Turn {
    Start(ExecutionId, Box<Start>),
    Command(ExecutionId, Command),
}

/// Starts and commands inside one step before a Map Run waits for the next one: a bound of the frame, not of the run.
const TURNS_PER_STEP: usize = 1_000;

impl Engine {
    /// An engine without executions.
    pub fn new() -> Engine {
        Engine::default()
    }

    /// Takes one input and runs what it moves until that waits for the outside world.
    pub fn step(&mut self, input: Input, at: Moment) -> Outbox {
        self.now = self.now.max(at.now);
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
        let mut taken = 0;
        while let Some(turn) = turns.pop_front() {
            taken += 1;
            let (id, decision) = self.take(turn, Moment { now: self.now, entropy: chance.draw() });
            let turns_left = TURNS_PER_STEP.saturating_sub(taken + turns.len());
            self.deliver(id, decision, &chance, turns_left, &mut turns, &mut outbox);
        }
        outbox
    }

    /// A name for an execution that is about to start.
    pub fn reserve_id(&mut self) -> ExecutionId {
        let id = ExecutionId(self.next_execution);
        self.next_execution += 1;
        id
    }

    /// An execution, running or ended.
    pub fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.executions.get(&id)
    }

    /// Lets an execution go that has ended and that nobody will ask for.
    pub fn forget(&mut self, id: ExecutionId) {
        if self.executions.get(&id).is_some_and(|execution| !execution.is_running()) {
            self.executions.remove(&id);
        }
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.next_due()
    }

    fn take(&mut self, turn: Turn, at: Moment) -> (ExecutionId, Decision) {
        match turn {
            Turn::Start(id, start) => {
                let (execution, decision) = Execution::start(*start, at);
                self.executions.insert(id, execution);
                (id, decision)
            }
            Turn::Command(id, command) => {
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
                    outbox.cancelled.push((id, task));
                }
                Effect::SetTimer(timer, due) => self.timers.set(id, timer, due),
                Effect::CancelTimer(timer) => self.timers.cancel(id, timer),
                Effect::Continue => outbox.yielded.push(id),
                Effect::StartMapRun(request) => {
                    if let Some(parent) = self.executions.get(&id) {
                        let next = self.map_runs.start(id, parent, request);
                        self.move_on(next, chance, turns_left, turns, outbox);
                    }
                }
                Effect::StopMapRun(key) => {
                    let children = self.map_runs.stop(id, key);
                    turns.extend(children.into_iter().map(|child| Turn::Command(child, MapRuns::stop_command())));
                }
                Effect::ExecutionEnded => {
                    self.timers.cancel_all(id);
                    outbox.ended.push(id);
                    if let Some(next) = self.executions.get(&id).and_then(|child| self.map_runs.child_ended(id, child))
                    {
                        self.executions.remove(&id);
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
            Next::StartChildren(run) => {
                for _ in 0..turns_left.max(1) {
                    let Some(start) = self.map_runs.next_child(run, &chance.uuid()) else { return };
                    let child = self.reserve_id();
                    self.map_runs.child_started(run, child);
                    turns.push_back(Turn::Start(child, Box::new(start)));
                }
                outbox.yielded.push(run.0);
            }
            Next::End { parent, command, stop } => {
                turns.extend(stop.into_iter().map(|child| Turn::Command(child, MapRuns::stop_command())));
                turns.push_back(Turn::Command(parent, command));
            }
        }
    }
}
