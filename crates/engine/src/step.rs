//! The only entrance: one input, one moment, one outbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_asl::Definition;
use stepwell_interpreter::{Command, Decision, Effect, Execution, Identity, Moment, Settings, TaskKey, TaskRequest};
use stepwell_json::Json;
use stepwell_spec::{Record, Timestamp};

use crate::timers::Timers;

/// Names an execution inside one engine. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(pub u64);

/// What an execution is started with.
#[derive(Clone, Debug)]
pub struct Start {
    /// What it runs.
    pub definition: Arc<Definition>,
    /// Who it is.
    pub identity: Arc<Identity>,
    /// What it may use.
    pub settings: Settings,
    /// Its input.
    pub input: Json,
}

/// What can come in.
#[derive(Clone, Debug)]
pub enum Input {
    /// A new execution.
    Start(Box<Start>),
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
    next_execution: u64,
    /// Time never goes back, whatever the clock does.
    now: Timestamp,
}

impl Engine {
    /// An engine without executions.
    pub fn new() -> Engine {
        Engine::default()
    }

    /// Takes one input and runs what it moves until that waits for the outside world.
    pub fn step(&mut self, input: Input, at: Moment) -> Outbox {
        self.now = self.now.max(at.now);
        let at = Moment { now: self.now, ..at };
        let mut outbox = Outbox::default();
        match input {
            Input::Start(start) => {
                let id = ExecutionId(self.next_execution);
                self.next_execution += 1;
                let Start { definition, identity, settings, input } = *start;
                let (execution, decision) = Execution::start(definition, identity, settings, input, at);
                self.executions.insert(id, execution);
                self.deliver(id, decision, &mut outbox);
            }
            Input::Command(id, command) => self.command(id, command, at, &mut outbox),
            Input::Tick => {
                if let Some((id, timer)) = self.timers.take_due(at.now) {
                    self.command(id, Command::TimerFired(timer), at, &mut outbox);
                }
            }
        }
        outbox
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

    fn command(&mut self, id: ExecutionId, command: Command, at: Moment, outbox: &mut Outbox) {
        if let Some(execution) = self.executions.get_mut(&id) {
            let decision = execution.decide(command, at);
            self.deliver(id, decision, outbox);
        }
    }

    fn deliver(&mut self, id: ExecutionId, decision: Decision, outbox: &mut Outbox) {
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
                Effect::ExecutionEnded => {
                    self.timers.cancel_all(id);
                    outbox.ended.push(id);
                }
            }
        }
    }
}
