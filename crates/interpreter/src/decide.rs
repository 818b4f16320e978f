//! Deciding: from a command to records and effects.
//!
//! One command is decided until nothing more can move without the outside world: a run of pure states is one burst and
//! becomes one frame. Threads take turns, one transition each, in the order they became ready.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use stepwell_asl::{Definition, State, StateKind};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{
    EvaluationFailed, Event, ExecutionAborted, ExecutionFailed, ExecutionRedriven, ExecutionStarted,
    ExecutionSucceeded, ExecutionTimedOut, MapIterationAborted, MapIterationFailed, Onward, Record, RetryScheduled,
    StateEntered, StateExited, Text, Timestamp, error,
};

use crate::catch;
use crate::command::Command;
use crate::data_flow::Leaving;
use crate::effect::{Effect, TaskKey, TimerKey, TimerPurpose};
use crate::execution::{Execution, Item, MapRunWork, Phase, Start, Status, ThreadId, Work};
use crate::failure::Failure;
use crate::moment::{Chance, Moment};
use crate::rehearsal::Rehearsal;
use crate::retry;
use crate::scope::Surroundings;
use crate::states;

/// What one command led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// What happened, in order. Already folded into the execution that decided.
    pub records: Vec<Record>,
    /// What it asks of the world, once the records are durable.
    pub effects: Vec<Effect>,
}

impl Execution {
    /// An execution that has not started: what replaying a log begins with.
    pub fn new(start: Start, started_at: Timestamp) -> Self {
        let Start { definition, workflow, identity, settings, tokens, input, input_text } = start;
        Execution {
            definition,
            workflow,
            identity,
            settings,
            tokens,
            status: Status::Running,
            input,
            input_text,
            started_at,
            stopped_at: None,
            last_event_id: 0,
            timeout_at: None,
            redrive_count: 0,
            redriven_at: None,
            threads: BTreeMap::new(),
            next_thread: 0,
        }
    }

    /// Starts an execution and runs it until it waits for the outside world.
    pub fn start(start: Start, at: Moment) -> (Self, Decision) {
        let mut execution = Execution::new(start, at.now);
        let timeout_at = execution.timeout_from(at.now);
        let mut burst = Burst::new(&mut execution, at);
        let identity = burst.execution.identity.clone();
        let started = ExecutionStarted {
            input: burst.execution.shown_input(),
            role_arn: identity.role_arn.clone(),
            state_machine_alias_arn: identity.state_machine_alias_arn.clone(),
            state_machine_version_arn: identity.state_machine_version_arn.clone(),
            timeout_at,
        };
        burst.record(ThreadId::ROOT, 0, Event::ExecutionStarted(started));
        if let Some(at) = timeout_at {
            burst.effect(Effect::SetTimer(TimerKey::execution_timeout(), at));
        }
        burst.ready.push_back(ThreadId::ROOT);
        burst.run();
        let decision = burst.finish();
        (execution, decision)
    }

    /// Decides a command: what happens, and what that asks of the world. The records are already folded in when it
    /// returns.
    pub fn decide(&mut self, command: Command, at: Moment) -> Decision {
        let is_possible = match (&command, &self.status) {
            (Command::Redrive, Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_)) => true,
            (Command::Redrive, Status::Running | Status::Succeeded(_)) => false,
            (Command::Stop { .. }, _) if planted::is(Bug::StopAfterEnd) => true,
            (_, status) => *status == Status::Running,
        };
        if !is_possible {
            return Decision::default();
        }
        let mut burst = Burst::new(self, at);
        burst.decide(command);
        burst.run();
        burst.finish()
    }
}

/// One command being decided.
pub(crate) struct Burst<'a> {
    pub(crate) execution: &'a mut Execution,
    pub(crate) at: Moment,
    pub(crate) chance: Chance,
    decision: Decision,
    /// Set while a state is only tested.
    pub(crate) rehearsal: Option<&'a Rehearsal>,
    /// Threads about to enter a state, in the order they take turns.
    ready: VecDeque<ThreadId>,
}

impl<'a> Burst<'a> {
    pub(crate) fn new(execution: &'a mut Execution, at: Moment) -> Burst<'a> {
        Burst {
            execution,
            at,
            chance: Chance::new(at),
            decision: Decision::default(),
            rehearsal: None,
            ready: VecDeque::new(),
        }
    }

    pub(crate) fn finish(self) -> Decision {
        self.decision
    }

    /// The one place where a command meets what is open.
    pub(crate) fn decide(&mut self, command: Command) {
        match command {
            Command::Continue => {
                let threads = self.execution.threads.iter();
                let ready =
                    threads.filter(|(_, thread)| matches!(thread.phase, Phase::Ready { .. })).map(|(&id, _)| id);
                self.ready.extend(ready.collect::<Vec<_>>());
            }
            Command::TimerFired(timer) => self.fire(timer),
            Command::ActivityStarted { task, worker_name } => {
                if self.execution.open_task(task).is_some_and(|task| !task.request.taken) {
                    states::task::started_by_worker(self, task, worker_name);
                }
            }
            Command::TaskSubmitted { task, output } => {
                if self.execution.open_task(task).is_some_and(|task| !task.request.taken) {
                    states::task::submitted(self, task, output);
                }
            }
            Command::TaskHeartbeat { task } => {
                if self.execution.open_task(task).is_some() {
                    states::task::heartbeat(self, task);
                }
            }
            Command::TaskSucceeded { task, output } => {
                if self.execution.open_task(task).is_some() {
                    states::task::succeeded(self, task, output);
                }
            }
            Command::TaskFailed { task, error, cause } => {
                if self.execution.open_task(task).is_some() {
                    states::task::failed(self, task, Failure { error, cause, ..Failure::default() });
                }
            }
            Command::MapRunEnded { map_run, outcome } => {
                if self.execution.open_map_run(map_run).is_some() {
                    states::map_run::children_ended(self, map_run.thread, outcome);
                }
            }
            Command::ItemsRead { map_run, from, items, next } => {
                let awaits = |run: &MapRunWork| {
                    run.is_reading()
                        && run.reading.as_ref().is_some_and(|it| it.request.from == from || planted::is(Bug::PartTwice))
                };
                if self.execution.open_map_run(map_run).is_some_and(awaits) {
                    states::map_run::items_read(self, map_run.thread, &items, next);
                }
            }
            Command::ItemsFailed { map_run, error, cause } => {
                if self.execution.open_map_run(map_run).is_some_and(MapRunWork::is_reading) {
                    states::map_run::fail(self, map_run.thread, Failure { error, cause, ..Failure::default() });
                }
            }
            Command::ResultsWritten { map_run, is_trial, redrive_count, outcome } => {
                let awaits = |run: &MapRunWork| run.is_writing(is_trial, redrive_count);
                if self.execution.open_map_run(map_run).is_some_and(awaits) {
                    states::map_run::results_written(self, map_run.thread, outcome);
                }
            }
            Command::Redrive => self.redrive(),
            Command::Stop { error, cause } => self.stop(Event::ExecutionAborted(ExecutionAborted { error, cause })),
        }
    }

    fn fire(&mut self, timer: TimerKey) {
        let thread = timer.thread;
        match timer.purpose {
            TimerPurpose::ExecutionTimeout => {
                let timed_out = ExecutionTimedOut { error: Some(error::TIMEOUT.into()), cause: None };
                self.stop(Event::ExecutionTimedOut(timed_out));
            }
            TimerPurpose::TaskTimeout | TimerPurpose::Heartbeat => {
                let task = TaskKey { thread, scheduled_event_id: timer.event_id };
                if self.execution.open_task(task).is_some() {
                    states::task::timed_out(self, task, timer.purpose);
                }
            }
            TimerPurpose::Wait => {
                let Some(active) = self.execution.find_active(thread) else { return };
                if matches!(active.work, Work::Until { .. }) && active.entered_event_id == timer.event_id {
                    states::wait::resume(self, thread);
                }
            }
            TimerPurpose::Retry => {
                let Some(active) = self.execution.find_active(thread) else { return };
                if matches!(active.work, Work::Retry { event_id, .. } if event_id == timer.event_id) {
                    states::begin(self, thread);
                }
            }
        }
    }

    /// Lets threads take turns until none is ready, the execution has ended, or the burst has run long enough.
    fn run(&mut self) {
        self.enforce_history_quota(0);
        let mut transitions = 0;
        while self.execution.is_running()
            && let Some(thread) = self.ready.pop_front()
        {
            if transitions == self.execution.settings.transitions_per_burst {
                self.effect(Effect::Continue);
                return;
            }
            transitions += 1;
            // A turn may have ended a thread that was still in line.
            let scope = self.execution.threads.get(&thread);
            if scope.is_some_and(|scope| !scope.stopped && matches!(scope.phase, Phase::Ready { .. })) {
                let effects = self.decision.effects.len();
                self.enter(thread);
                self.enforce_history_quota(effects);
            }
        }
    }

    fn enter(&mut self, thread: ThreadId) {
        self.record_entry(thread);
        states::begin(self, thread);
    }

    /// `…StateEntered` of the state the thread is about to enter.
    #[inline(always)]
    pub(crate) fn record_entry(&mut self, thread: ThreadId) {
        let scope = self.execution.thread(thread);
        let Phase::Ready { state, input } = &scope.phase else { return };
        let (state, input, previous) = (*state, input.clone(), scope.previous_event_id);
        let definition = self.execution.definition.clone();
        let row = definition.state(state);
        // Seen on AWS: the first state's input is shown to the letter as the execution's was given.
        let is_first = self.execution.last_event_id == 1;
        let input = if is_first { self.execution.shown_input() } else { input.into() };
        let entered = StateEntered { name: row.name.clone(), input, state: state.0 };
        self.record(
            thread,
            previous,
            match row.kind {
                StateKind::Pass(_) => Event::PassStateEntered(entered),
                StateKind::Task(_) => Event::TaskStateEntered(entered),
                StateKind::Choice(_) => Event::ChoiceStateEntered(entered),
                StateKind::Wait(_) => Event::WaitStateEntered(entered),
                StateKind::Succeed => Event::SucceedStateEntered(entered),
                StateKind::Fail(_) => Event::FailStateEntered(entered),
                StateKind::Parallel(_) => Event::ParallelStateEntered(entered),
                StateKind::Map(_) => Event::MapStateEntered(entered),
            },
        );
    }

    /// Leaves the thread's state, or fails it when its output could not be made.
    pub(crate) fn leave(&mut self, thread: ThreadId, leaving: Result<Leaving, Failure>) {
        match leaving {
            Ok(leaving) => self.exit(thread, leaving),
            Err(failure) => self.fail(thread, failure),
        }
    }

    fn exit(&mut self, thread: ThreadId, leaving: Leaving) {
        let definition = self.execution.definition.clone();
        let state = definition.state(self.execution.active(thread).state);
        let scope = self.execution.thread(thread);
        let (previous, parent) = (scope.previous_event_id, scope.parent);
        let exited = StateExited {
            name: state.name.clone(),
            output: leaving.output.clone().into(),
            assigned_variables: leaving.assigned,
            onward: leaving.onward,
        };
        let event = match state.kind {
            StateKind::Pass(_) => Event::PassStateExited(exited),
            StateKind::Task(_) => Event::TaskStateExited(exited),
            StateKind::Choice(_) => Event::ChoiceStateExited(exited),
            StateKind::Wait(_) => Event::WaitStateExited(exited),
            StateKind::Succeed => Event::SucceedStateExited(exited),
            StateKind::Parallel(_) => Event::ParallelStateExited(exited),
            StateKind::Map(_) => Event::MapStateExited(exited),
            StateKind::Fail(_) => panic!("a Fail state is never left"),
        };
        let exit_id = self.record(thread, previous, event);
        match (leaving.onward, parent) {
            (Onward::State(_), _) => self.ready.push_back(thread),
            (Onward::End, None) => {
                let succeeded = ExecutionSucceeded { output: leaving.output.into() };
                self.end(exit_id, Event::ExecutionSucceeded(succeeded));
            }
            (Onward::End, Some(parent)) => match self.child_kind(parent) {
                ChildKind::Branch => states::parallel::branch_ended(self, parent),
                ChildKind::Iteration => states::map::iteration_ended(self, parent, thread),
            },
        }
    }

    /// A state failed: tries again, goes to a Catcher's state, or fails what the state is part of.
    pub(crate) fn fail(&mut self, thread: ThreadId, failure: Failure) {
        self.record_evaluation(thread, &failure);
        let previous = self.execution.thread(thread).previous_event_id;
        self.fail_after(thread, previous, failure);
    }

    /// As [`Burst::fail`], where what follows hangs on this event: a failed branch's last one.
    fn fail_after(&mut self, thread: ThreadId, previous: u64, failure: Failure) {
        if let Some(rehearsal) = self.rehearsal {
            rehearsal.observe(|seen| seen.failure = Some(failure.clone()));
        }
        let definition = self.execution.definition.clone();
        let active = self.execution.active(thread);
        let state = definition.state(active.state);
        if let Some(next) = retry::next_attempt(state.retriers(), &active.retries, &failure, &self.chance) {
            self.abort_children(thread);
            let at = self.at.now.plus_ms(next.delay_ms);
            let scheduled = RetryScheduled { retrier: next.retrier as u32, at };
            self.record(thread, previous, Event::RetryScheduled(scheduled));
            let timer = TimerKey::retry(thread, self.execution.last_event_id);
            self.effect(Effect::SetTimer(timer, at));
            return;
        }
        self.fail_children_state(thread, state, previous, &failure);
        let caught = catch::caught(&self.around(thread), state, &failure);
        match caught {
            Some(Ok(leaving)) => self.exit(thread, leaving),
            Some(Err(second)) => {
                self.record_evaluation(thread, &second);
                self.fail_thread(thread, second);
            }
            None => self.fail_thread(thread, failure),
        }
    }

    /// `EvaluationFailed`, before anything else is said of a failed expression.
    fn record_evaluation(&mut self, thread: ThreadId, failure: &Failure) {
        let Some(site) = &failure.evaluation else { return };
        let definition = self.execution.definition.clone();
        let active = self.execution.active(thread);
        let state = definition.state(active.state);
        let previous = self.execution.thread(thread).previous_event_id;
        // Seen on AWS: an expression that fails in the step that entered the state hangs on what the entry followed. A
        // Wait state evaluates in a step of its own.
        let same_step = previous == active.entered_event_id && !matches!(state.kind, StateKind::Wait(_));
        let previous = if same_step { active.before_event_id } else { previous };
        let event = EvaluationFailed {
            error: failure.error.clone(),
            cause: failure.cause.clone(),
            location: site.location.clone(),
            state: state.name.clone(),
        };
        self.record(thread, previous, Event::EvaluationFailed(event));
    }

    /// Ends a Parallel or Map state's children and says that the state failed, unless it could not even be processed.
    fn fail_children_state(&mut self, thread: ThreadId, state: &State, previous: u64, failure: &Failure) {
        let event = match state.kind {
            StateKind::Parallel(_) => Event::ParallelStateFailed,
            StateKind::Map(_) => Event::MapStateFailed,
            StateKind::Pass(_)
            | StateKind::Task(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_) => return,
        };
        self.abort_children(thread);
        if !failure.own_runtime {
            self.record(thread, previous, event);
        }
    }

    /// A thread cannot go on: so what it is part of fails, in the end the execution.
    fn fail_thread(&mut self, thread: ThreadId, failure: Failure) {
        let scope = self.execution.thread(thread);
        let (previous, parent, index) = (scope.previous_event_id, scope.parent, scope.index);
        let Some(parent) = parent else {
            let failed = ExecutionFailed { error: failure.error, cause: failure.cause };
            self.end(previous, Event::ExecutionFailed(failed));
            return;
        };
        let failure = Failure { evaluation: None, own_runtime: false, ..failure };
        match self.child_kind(parent) {
            ChildKind::Branch => {
                // Seen on AWS: the failed branch's own Task state is aborted as well.
                let state = self.execution.active(thread).state;
                if matches!(self.execution.definition.state(state).kind, StateKind::Task(_)) {
                    self.abort_state(thread);
                }
                let last = self.execution.thread(thread).previous_event_id;
                self.fail_after(parent, last, Failure { of_branch: true, ..failure });
            }
            ChildKind::Iteration => {
                let name = self.execution.definition.state(self.execution.active(parent).state).name.clone();
                let event = MapIterationFailed { name, index: index as u64 };
                self.record(thread, previous, Event::MapIterationFailed(event));
                self.fail(parent, failure);
            }
        }
    }

    /// Aborts every branch or iteration of a thread's Parallel or Map state that still runs.
    fn abort_children(&mut self, thread: ThreadId) {
        if planted::is(Bug::SiblingsGoOn) {
            return;
        }
        let definition = self.execution.definition.clone();
        let state = definition.state(self.execution.active(thread).state);
        let is_map = matches!(state.kind, StateKind::Map(_));
        for child in self.execution.children(thread) {
            if self.execution.thread(child).stopped {
                continue;
            }
            self.abort_state(child);
            if is_map {
                let index = self.execution.thread(child).index as u64;
                let event = MapIterationAborted { name: state.name.clone(), index };
                self.record_next(child, Event::MapIterationAborted(event));
            }
        }
    }

    /// Aborts the state a thread is in, with all that is below it, and gives up what it waits for.
    fn abort_state(&mut self, thread: ThreadId) {
        let Some(active) = self.execution.find_active(thread) else { return };
        let kind = &self.execution.definition.state(active.state).kind;
        let event = match kind {
            StateKind::Task(_) => Event::TaskStateAborted,
            StateKind::Wait(_) => Event::WaitStateAborted,
            StateKind::Parallel(_) => Event::ParallelStateAborted,
            StateKind::Map(_) => Event::MapStateAborted,
            StateKind::Pass(_) | StateKind::Choice(_) | StateKind::Succeed | StateKind::Fail(_) => return,
        };
        let has_children = matches!(active.work, Work::Children(_));
        self.give_up(thread);
        if has_children {
            self.abort_children(thread);
        }
        self.record_next(thread, event);
    }

    /// Takes back what a thread's state asked of the world.
    fn give_up(&mut self, thread: ThreadId) {
        let mut open = Vec::new();
        let active = self.execution.active(thread);
        active.obligations(thread, &mut open);
        // Also one that somebody has taken, which is not asked for any more.
        let (task, map_run) = match &active.work {
            Work::Task(task) => (Some(task.request.key), None),
            Work::MapRun(run) => (None, Some(run.request.key)),
            Work::None | Work::Until { .. } | Work::Retry { .. } | Work::Children(_) | Work::MapRunOver(_) => {
                (None, None)
            }
        };
        if let Some(task) = task {
            open.retain(|effect| !matches!(effect, Effect::RunTask(_)));
            open.push(Effect::CancelTask(task));
        }
        for effect in open {
            match effect {
                Effect::SetTimer(timer, _) => self.effect(Effect::CancelTimer(timer)),
                Effect::CancelTask(task) => self.effect(Effect::CancelTask(task)),
                Effect::ReadItems(request) => self.effect(Effect::CancelTask(request.task.key)),
                Effect::WriteResults(request) => self.effect(Effect::CancelTask(request.task.key)),
                Effect::StartMapRun(_)
                | Effect::RunTask(_)
                | Effect::StopMapRun(_)
                | Effect::CancelTimer(_)
                | Effect::Continue
                | Effect::ExecutionEnded => {}
            }
        }
        if let Some(map_run) = map_run {
            self.effect(Effect::StopMapRun(map_run));
            self.record_next(thread, Event::MapRunAborted);
        }
    }

    /// Goes on from what failed: the same states with the same inputs, their retries before them again. What succeeded
    /// stays as it is.
    fn redrive(&mut self) {
        let timeout_at = self.execution.timeout_from(self.at.now);
        let redrive_count = self.execution.redrive_count + u64::from(!planted::is(Bug::RedriveUncounted));
        let last = self.execution.last_event_id;
        let redriven = ExecutionRedriven { redrive_count, timeout_at };
        self.record(ThreadId::ROOT, last, Event::ExecutionRedriven(redriven));
        if let Some(at) = timeout_at {
            self.effect(Effect::SetTimer(TimerKey::execution_timeout(), at));
        }
        let threads: Vec<ThreadId> = self.execution.threads.keys().copied().collect();
        for thread in threads {
            // One that is resumed may fail at once and stop the others, or end the execution.
            let scope = self.execution.threads.get(&thread).filter(|scope| !scope.stopped);
            if !self.execution.is_running() {
                return;
            }
            match scope.map(|scope| &scope.phase) {
                Some(Phase::Ready { .. }) => self.ready.push_back(thread),
                Some(Phase::In(active)) => match &active.work {
                    Work::Children(_) => states::resume_children(self, thread),
                    Work::MapRunOver(_) => states::map_run::redrive(self, thread),
                    Work::None | Work::Until { .. } | Work::Retry { .. } | Work::Task(_) | Work::MapRun(_) => {
                        states::begin(self, thread);
                    }
                },
                Some(Phase::Ended(_)) | None => {}
            }
        }
    }

    /// Ends the execution from outside its states: stopped, or out of time.
    fn stop(&mut self, event: Event) {
        self.abort_state(ThreadId::ROOT);
        let previous = self.execution.thread(ThreadId::ROOT).previous_event_id;
        self.end(previous, event);
    }

    fn end(&mut self, previous: u64, event: Event) {
        if self.execution.timeout_at.is_some() {
            self.effect(Effect::CancelTimer(TimerKey::execution_timeout()));
        }
        self.record(ThreadId::ROOT, previous, event);
        self.effect(Effect::ExecutionEnded);
    }

    /// Fails the execution when its history has become too long: the failure is the last event the history can hold.
    ///
    /// `effects` is how many effects there were before the turn that overran: what came after is not asked for.
    fn enforce_history_quota(&mut self, effects: usize) {
        let Some(max) = self.execution.settings.history_events_max else { return };
        let max = max + u64::from(planted::is(Bug::EventTooMany));
        let ended_in_time = !self.execution.is_running() && self.execution.last_event_id <= max;
        if self.execution.last_event_id < max || ended_in_time {
            return;
        }
        let records = &mut self.decision.records;
        while records.last().is_some_and(|record| record.id == 0 || record.id >= max) {
            records.pop();
        }
        self.decision.effects.truncate(effects);
        self.execution.last_event_id = max - 1;
        self.execution.status = Status::Running;
        let failed = ExecutionFailed {
            error: Some(error::RUNTIME.into()),
            cause: Some(format!("The execution reached the maximum number of history events ({max}).").into()),
        };
        self.end(max - 1, Event::ExecutionFailed(failed));
    }

    /// Writes one record, folds it in, and answers its id.
    pub(crate) fn record(&mut self, thread: ThreadId, previous_event_id: u64, event: Event) -> u64 {
        let public = event.row().public;
        let id = if public { self.execution.last_event_id + 1 } else { 0 };
        let record = Record { id, previous_event_id, timestamp: self.at.now, thread: thread.0, event };
        self.execution.evolve(&record);
        self.decision.records.push(record);
        id
    }

    /// Writes one record that follows the thread's last event.
    pub(crate) fn record_next(&mut self, thread: ThreadId, event: Event) -> u64 {
        let previous = self.execution.thread(thread).previous_event_id;
        self.record(thread, previous, event)
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.decision.effects.push(effect);
    }

    /// Puts a thread in line for its next turn.
    pub(crate) fn make_ready(&mut self, thread: ThreadId) {
        self.ready.push_back(thread);
    }

    pub(crate) fn definition(&self) -> Arc<Definition> {
        self.execution.definition.clone()
    }

    /// What the expressions of the thread's state see.
    pub(crate) fn around(&self, thread: ThreadId) -> Surroundings<'_> {
        Surroundings {
            execution: self.execution,
            thread,
            now: self.at.now,
            chance: &self.chance,
            token: None,
            item: None,
            rehearsal: self.rehearsal,
        }
    }

    /// The same, with a task's token.
    pub(crate) fn around_with_token<'b>(&'b self, thread: ThreadId, token: Option<&'b Text>) -> Surroundings<'b> {
        Surroundings { token, ..self.around(thread) }
    }

    /// The same, with the item of an iteration being prepared.
    pub(crate) fn around_with_item<'b>(&'b self, thread: ThreadId, item: Option<&'b Item>) -> Surroundings<'b> {
        Surroundings { item, ..self.around(thread) }
    }

    fn child_kind(&self, parent: ThreadId) -> ChildKind {
        match self.execution.definition.state(self.execution.active(parent).state).kind {
            StateKind::Parallel(_) => ChildKind::Branch,
            StateKind::Map(_) => ChildKind::Iteration,
            StateKind::Pass(_)
            | StateKind::Task(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_) => panic!("I11: only Parallel and Map states have children"),
        }
    }
}

enum ChildKind {
    Branch,
    Iteration,
}
