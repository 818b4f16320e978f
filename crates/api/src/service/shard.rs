//! Stepping the engine, writing down what happened, and giving each thing that comes out of a step to who wants it.

use std::collections::{BTreeMap, VecDeque};

use stepwell_asl::ResourceKind;
use stepwell_engine::{ExecutionId, Input, Outbox};
use stepwell_interpreter::{Chance, Command, Moment, TaskKey, TaskRequest};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::shapes::MapRunStatus;
use stepwell_spec::{Event, Record};

use super::journal::KeptError;
use super::notices::take_notices;
use super::own_calls::is_own_call;
use super::residents::{Child, Run};
use super::{Outs, Service, ServiceRead, ServiceTask, ServiceWrite, TestCase};

/// Bursts in one input, and so in one frame, when nobody else is waiting to go on.
const BURSTS_PER_INPUT: usize = 8;

/// Bursts that one execution has before another one that never stops moving has its own. A history is full by then: many that
/// took turns after each burst would come and go from memory with all they have. Express ones have no such end.
const BURSTS_IN_A_ROW_MAX: u32 = 32;

/// Timers that fire in one input. More that are due wait for the next, so that a flood of them does not keep callers
/// waiting, and a frame stays small.
const TIMERS_PER_TICK: usize = 256;

impl Service {
    /// Gives one execution a command.
    pub(super) fn command(&mut self, execution: ExecutionId, command: Command, at: Moment, outs: &mut Outs) {
        self.run(Input::Command(execution, command), at, outs);
    }

    /// Fires what is due by now.
    pub(super) fn pass_time(&mut self, at: Moment, outs: &mut Outs) {
        let chance = Chance::new(at);
        self.go_on(drawn(at, &chance), outs);
        for _ in 0..TIMERS_PER_TICK {
            if self.engine.next_awake(at.now).is_none() || self.fault.is_some() {
                break;
            }
            self.run(Input::Tick, drawn(at, &chance), outs);
        }
        self.end_polls(at.now, outs);
    }

    /// One of those that never stop moving has a turn, of one burst when there are others, and then whoever asks for something else.
    fn go_on(&mut self, at: Moment, outs: &mut Outs) {
        let Some(id) = self.yielded.pop_front() else { return };
        self.run(Input::Command(id, Command::Continue), at, outs);
        self.bursts_in_a_row += 1;
        if self.yielded.back() == Some(&id) && self.bursts_in_a_row < BURSTS_IN_A_ROW_MAX {
            self.yielded.rotate_right(1);
        } else {
            self.bursts_in_a_row = 0;
        }
    }

    /// Steps the engine, and again for whatever that leads to inside the shard.
    pub(super) fn run(&mut self, input: Input, at: Moment, outs: &mut Outs) {
        self.note_cause(&input, at.now);
        self.process(VecDeque::from([input]), None, at, outs);
    }

    /// Takes what came of a step of the engine.
    pub(super) fn take(&mut self, outbox: Outbox, at: Moment, outs: &mut Outs) {
        self.process(VecDeque::new(), Some(outbox), at, outs);
    }

    fn process(&mut self, mut inputs: VecDeque<Input>, mut stepped: Option<Outbox>, at: Moment, outs: &mut Outs) {
        let chance = Chance::new(at);
        let mut bursts = 0;
        loop {
            if self.fault.is_some() {
                return;
            }
            let outbox = match stepped.take() {
                Some(outbox) => outbox,
                None => {
                    let Some(input) = inputs.pop_front() else { return };
                    match self.step(input, drawn(at, &chance)) {
                        Ok(outbox) => outbox,
                        Err(fault) => return self.fault = Some(fault),
                    }
                }
            };
            if let Err(fault) = self.write_down(&outbox, at, outs) {
                return self.fault = Some(fault);
            }
            for (id, key) in outbox.cancelled {
                self.close_task(id, key);
                outs.tasks.retain(|task| (task.execution, task.request.key) != (id, key));
                outs.reads.retain(|read| (read.task.execution, read.request.task.key) != (id, key));
                outs.writes.retain(|write| (write.task.execution, write.request.task.key) != (id, key));
                outs.cancelled.push((id, key));
            }
            inputs.extend(outbox.absent.into_iter().map(|(id, command)| Input::Command(id, command)));
            for (id, request) in outbox.tasks {
                self.dispatch(id, request, &mut inputs, outs);
            }
            for (id, request) in outbox.reads {
                let Some(task) = self.sent(id, &request.task) else { continue };
                outs.reads.push(ServiceRead { task, request });
            }
            for (id, request, results) in outbox.writes {
                let Some(task) = self.sent(id, &request.task) else { continue };
                outs.writes.push(ServiceWrite { task, request, results });
            }
            for id in outbox.yielded {
                bursts += 1;
                if bursts < BURSTS_PER_INPUT && self.yielded.is_empty() {
                    inputs.push_back(Input::Command(id, Command::Continue));
                } else {
                    self.yielded.push_back(id);
                }
            }
            for id in outbox.ended {
                self.execution_ended(id, &mut inputs, outs);
            }
        }
    }

    /// One step of the engine, with the execution that it is for in memory.
    fn step(&mut self, input: Input, at: Moment) -> Result<Outbox, KeptError> {
        let started = match &input {
            Input::Start(id, _) => {
                self.at_work.on(*id);
                Some(*id)
            }
            Input::Command(id, command) if self.is_left_alone(*id, command)? => return Ok(Outbox::default()),
            // One that is gone is told nothing.
            Input::Command(id, _) if !self.wake(*id)? => return Ok(Outbox::default()),
            Input::Command(id, command) => {
                self.at_work.on(*id);
                self.task_answered(*id, command);
                None
            }
            Input::Tick => {
                if let Some(id) = self.engine.next_awake(at.now) {
                    self.at_work.on(id);
                    self.wake(id)?;
                }
                None
            }
        };
        let outbox = self.engine.step(input, at);
        if let Some(id) = started {
            self.write_beginning(id)?;
        }
        Ok(outbox)
    }

    /// An answer to a task ends it, whoever gives it: a service, a worker, or this very API. What is left of a submitted one
    /// is a callback's to do, which may be years away.
    fn task_answered(&mut self, execution: ExecutionId, command: &Command) {
        match command {
            Command::TaskSucceeded { task, .. } | Command::TaskFailed { task, .. } => self.close_task(execution, *task),
            // A job goes on to be asked for.
            Command::TaskSubmitted { task, .. } if self.is_job(execution, *task) => {}
            Command::TaskSubmitted { task: key, .. }
            | Command::ItemsRead { map_run: key, .. }
            | Command::ItemsFailed { map_run: key, .. }
            | Command::ResultsWritten { map_run: key, .. } => drop(self.dispatched.remove(&(execution, *key))),
            Command::Continue
            | Command::TimerFired(_)
            | Command::ActivityStarted { .. }
            | Command::TaskHeartbeat { .. }
            | Command::MapRunEnded { .. }
            | Command::Stop { .. }
            | Command::Redrive => {}
        }
    }

    fn is_job(&self, execution: ExecutionId, task: TaskKey) -> bool {
        let execution = self.engine.execution(execution);
        execution
            .and_then(|execution| execution.open_tasks().find(|open| open.key == task))
            .is_some_and(TaskRequest::is_job)
    }

    /// Puts everything that happened into the frame of this input, and makes the notices of it.
    fn write_down(&mut self, outbox: &Outbox, at: Moment, outs: &mut Outs) -> Result<(), KeptError> {
        for &(id, of) in &outbox.children {
            self.give_names_up_to(id);
            let parent = self.engine.execution(of.parent);
            let map_run = parent.and_then(|parent| parent.open_map_runs().find(|request| request.key == of.map_run));
            let map_run_arn = map_run.map(|request| request.arn.clone());
            let (Some(child), Some(run)) = (self.engine.execution(id), self.runs.get(&of.parent)) else { continue };
            // A run that is over by the end of the step is found by what is known of it.
            let map_run_arn = map_run_arn.or_else(|| run.map_runs.get(&of.map_run).map(|row| row.arn.clone()));
            let Some(map_run_arn) = map_run_arn.or_else(|| started_map_run(outbox, of.parent, of.map_run)) else {
                continue;
            };
            let run = Run::new(
                run.machine.clone(),
                child.input.to_string().into(),
                None,
                None,
                Some(Child { of, map_run_arn }),
            );
            self.arns.insert(child.identity.arn.clone(), id);
            self.house(id, run);
            self.write_beginning(id)?;
        }
        let mut ends = BTreeMap::new();
        for records in outbox.records.chunk_by(|one, next| one.0 == next.0) {
            self.write_records(records, at, outs, &mut ends)?;
        }
        for &(parent, key, counts) in &outbox.map_runs_ended {
            // One whose execution ended without a word about it was aborted with it.
            let status = ends.get(&(parent, key.thread.0)).copied().unwrap_or(MapRunStatus::Aborted);
            let at = outbox.records.last().map(|(_, record)| record.timestamp).unwrap_or_default();
            self.map_run_ended(parent, key, counts, status, at)?;
        }
        Ok(())
    }

    /// Puts what happened to one execution into the frame, and makes the notices of it.
    fn write_records(
        &mut self,
        records: &[(ExecutionId, Record)],
        at: Moment,
        outs: &mut Outs,
        ends: &mut BTreeMap<(ExecutionId, u32), MapRunStatus>,
    ) -> Result<(), KeptError> {
        let Some(&(id, _)) = records.first() else { return Ok(()) };
        let (Some(run), Some(execution)) = (self.runs.get(&id), self.engine.execution(id)) else { return Ok(()) };
        let entropy = at.entropy ^ id.0.rotate_left(32);
        for (_, record) in records {
            match record.event {
                Event::ExecutionStarted(_) => outs.started.count(execution),
                Event::ExecutionRedriven(_) => outs.resumed.count(execution),
                _ => {}
            }
            take_notices(self.heard, &run.machine, execution, record, entropy, &mut outs.notices);
            if run.is_kept {
                self.journal.record(id, record)?;
            }
        }
        if run.is_kept {
            self.touched.insert(id);
            records.iter().try_for_each(|(_, record)| self.follow_map_run(id, record, ends))?;
        }
        Ok(())
    }

    fn follow_map_run(
        &mut self,
        id: ExecutionId,
        record: &Record,
        ends: &mut BTreeMap<(ExecutionId, u32), MapRunStatus>,
    ) -> Result<(), KeptError> {
        let thread = stepwell_interpreter::ThreadId(record.thread);
        let status = match &record.event {
            Event::MapRunStarted(started) => {
                let key = TaskKey { thread, scheduled_event_id: record.id };
                return self.map_run_started(id, key, started, record.timestamp);
            }
            Event::MapRunRedriven(redriven) => return self.map_run_redriven(id, redriven, record.timestamp),
            Event::MapRunSucceeded => MapRunStatus::Succeeded,
            Event::MapRunFailed(_) => MapRunStatus::Failed,
            Event::MapRunAborted => MapRunStatus::Aborted,
            _ => return Ok(()),
        };
        ends.insert((id, record.thread), status);
        Ok(())
    }

    fn dispatch(&mut self, id: ExecutionId, request: TaskRequest, inputs: &mut VecDeque<Input>, outs: &mut Outs) {
        if request.is_called_back() {
            self.awaited.insert((id, request.key));
        }
        match &request.resource.kind {
            ResourceKind::Activity => self.schedule_activity(id, request, inputs, outs),
            ResourceKind::Integration(integration) if self.test_case(id).is_none() && is_own_call(integration) => {
                // An execution that was started already says itself when it ends.
                if !request.taken {
                    self.own_calls.ask(id, request);
                }
            }
            ResourceKind::Integration(_) | ResourceKind::LambdaFunction => {
                outs.tasks.extend(self.sent(id, &request));
            }
        }
    }

    /// A request that leaves for the outside, from where an answer will come.
    fn sent(&mut self, id: ExecutionId, request: &TaskRequest) -> Option<ServiceTask> {
        let identity = self.engine.execution(id)?.identity.clone();
        self.dispatched.insert((id, request.key));
        Some(ServiceTask { execution: id, identity, test_case: self.test_case(id), request: request.clone() })
    }

    /// The mock case of an execution: its own, or that of the execution whose Map Run it belongs to.
    fn test_case(&self, id: ExecutionId) -> Option<TestCase> {
        let mut execution = id;
        let mut run = self.runs.get(&execution)?;
        // While a child runs, those it belongs to are in memory.
        while let Some(child) = &run.child_of {
            execution = child.of.parent;
            run = self.runs.get(&execution)?;
        }
        run.test_case.clone().map(|name| TestCase { execution, name })
    }

    /// Whoever waits for an execution's end is told.
    fn execution_ended(&mut self, id: ExecutionId, inputs: &mut VecDeque<Input>, outs: &mut Outs) {
        if let Some(execution) = self.engine.execution(id) {
            outs.ended.count(execution);
        }
        self.close_tasks_of(id);
        self.leave_quarantine(id);
        if let Some(call) = self.waiting_for_end.remove(&id) {
            outs.replies.push((call, self.sync_outcome(id)));
            if planted::is(Bug::SyncAnsweredTwice) {
                outs.replies.push((call, self.sync_outcome(id)));
            }
        }
        inputs.extend(self.nested_ended(id));
        if self.runs.get(&id).is_some_and(|run| !run.is_kept) {
            self.release(id);
        }
    }

    /// Ends an input: what tasks asked of this API is done, and what has changed is put into the input's frame.
    pub(super) fn finish(&mut self, at: Moment, outs: &mut Outs) {
        self.take_own_calls(Moment { now: at.now, entropy: Chance::new(at).draw() }, outs);
        for change in self.registry.take_changes() {
            self.journal.row(change);
        }
        for id in std::mem::take(&mut self.touched) {
            self.at_work.on(id);
            if let Err(fault) = self.write_listing(id) {
                self.fault.get_or_insert(fault);
            }
        }
        self.close_quarantine();
        // What follows is about nobody.
        self.at_work.clear();
        if let Err(fault) = self.forget_old(at.now) {
            self.fault.get_or_insert(fault);
        }
        outs.frame = self.journal.finish();
        outs.fault = self.fault.take();
        // Who only reads makes nothing durable, and brings executions into memory all the same.
        self.make_room();
    }
}

/// The ARN of a Map Run that began in this very step.
fn started_map_run(outbox: &Outbox, parent: ExecutionId, key: TaskKey) -> Option<stepwell_spec::Text> {
    outbox.records.iter().find_map(|(id, record)| match &record.event {
        Event::MapRunStarted(started) if *id == parent && record.id == key.scheduled_event_id => {
            Some(started.map_run_arn.clone())
        }
        _ => None,
    })
}

pub(super) fn drawn(at: Moment, chance: &Chance) -> Moment {
    Moment { now: at.now, entropy: chance.draw() }
}
