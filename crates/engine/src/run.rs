//! Driving an engine until an execution has ended: dispatch, wait, and again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use stepwell_interpreter::{Command, ItemsRequest, Moment, Start, TaskKey, TaskRequest};
use stepwell_spec::{Record, Timestamp};

use crate::ports::{Answer, Clock, Dispatch, Transport};
use crate::step::{Engine, ExecutionId, Input, Outbox};

/// Told of every record as soon as it is there.
pub type Observer<'a> = &'a mut dyn FnMut(ExecutionId, &Record);

/// Why a run did not get to its execution's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The transport cannot serve a task: the state's name and the reason.
    Refused(String, String),
    /// Nothing is left that could move the execution: it waits for an answer nobody will give, in these states.
    Stuck(Vec<String>),
    /// The clock gave up waiting.
    Interrupted,
}

/// How long work is waited for before somebody may have given up.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Time that passes only when somebody waits: a wait of a year ends at once.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    now: Timestamp,
    entropy: u64,
}

impl VirtualClock {
    /// A clock that starts at this moment; its entropy seeds all that is drawn.
    pub fn new(start: Moment) -> VirtualClock {
        VirtualClock { now: start.now, entropy: start.entropy }
    }
}

impl Clock for VirtualClock {
    fn moment(&mut self) -> Moment {
        let chance = stepwell_interpreter::Chance::new(Moment { now: self.now, entropy: self.entropy });
        self.entropy = chance.draw();
        Moment { now: self.now, entropy: chance.draw() }
    }

    fn wait_until(&mut self, time: Timestamp) -> bool {
        self.now = self.now.max(time);
        true
    }

    /// Time stands still while work is done.
    fn patience(&mut self, _: Option<Timestamp>) -> Option<Duration> {
        Some(LOOK_AGAIN)
    }

    /// A second: what AWS needs for so many transitions is more. So a loop without waits meets its timeout.
    fn yielded(&mut self) -> bool {
        self.now = self.now.plus_ms(1_000);
        true
    }
}

/// Starts an execution and drives the engine until it has ended.
///
/// Fails when it cannot end: a task nobody serves, an answer nobody gives, a clock that gave up.
pub fn run_to_end(
    engine: &mut Engine,
    start: Start,
    transport: &mut dyn Transport,
    clock: &mut dyn Clock,
    observer: Observer<'_>,
) -> Result<ExecutionId, Stopped> {
    let mut run = Run {
        engine,
        transport,
        observer,
        inputs: VecDeque::new(),
        open: Vec::new(),
        late: BTreeMap::new(),
        reads: BTreeMap::new(),
        ended: Vec::new(),
    };
    let id = run.engine.reserve_id();
    run.inputs.push_back(Input::Start(id, Box::new(start)));
    loop {
        let at = clock.moment();
        let timer_is_due = run.engine.next_due().is_some_and(|due| due <= at.now);
        // A timer that is due goes first, so that an execution that never stops moving still meets its timeout.
        let input = if timer_is_due { Some(Input::Tick) } else { run.inputs.pop_front() };
        let Some(input) = input else {
            if !run.late.is_empty() {
                let Some(patience) = clock.patience(run.engine.next_due()) else { return Err(Stopped::Interrupted) };
                run.hear(patience)?;
                continue;
            }
            let Some(due) = run.engine.next_due() else { return Err(Stopped::Stuck(run.open_states())) };
            if !clock.wait_until(due) {
                return Err(Stopped::Interrupted);
            }
            continue;
        };
        let outbox = run.engine.step(input, at);
        if !outbox.yielded.is_empty() && !clock.yielded() {
            return Err(Stopped::Interrupted);
        }
        run.take(outbox)?;
        for ended in std::mem::take(&mut run.ended) {
            if ended == id {
                return Ok(id);
            }
            run.engine.release(ended);
        }
    }
}

struct Run<'a> {
    engine: &'a mut Engine,
    transport: &'a mut dyn Transport,
    observer: Observer<'a>,
    inputs: VecDeque<Input>,
    /// Tasks nobody has answered.
    open: Vec<(ExecutionId, TaskRequest)>,
    /// Tasks that are being worked on, by their tickets.
    late: BTreeMap<u64, (ExecutionId, TaskRequest)>,
    /// Those of them that read items.
    reads: BTreeMap<(ExecutionId, TaskKey), ItemsRequest>,
    ended: Vec<ExecutionId>,
}

impl Run<'_> {
    fn open_states(&self) -> Vec<String> {
        self.open.iter().map(|(_, task)| task.state_name.to_string()).collect()
    }

    fn take(&mut self, outbox: Outbox) -> Result<(), Stopped> {
        for (id, record) in &outbox.records {
            (self.observer)(*id, record);
        }
        for (id, cancelled) in outbox.cancelled {
            self.open.retain(|(owner, task)| *owner != id || task.key != cancelled);
            for (ticket, _) in self.late.extract_if(.., |_, (owner, task)| *owner == id && task.key == cancelled) {
                self.transport.give_up(ticket);
            }
        }
        for (id, request) in outbox.tasks {
            self.dispatch(id, request)?;
        }
        for (id, request) in outbox.reads {
            let task = request.task.clone();
            self.reads.insert((id, task.key), request);
            self.dispatch(id, task)?;
        }
        // There is nowhere to write to: the results are as good as written.
        self.inputs
            .extend(outbox.writes.into_iter().map(|(id, request, _)| Input::Command(id, request.written(Ok(())))));
        self.inputs.extend(outbox.yielded.into_iter().map(|id| Input::Command(id, Command::Continue)));
        self.ended.extend(outbox.ended);
        Ok(())
    }

    fn dispatch(&mut self, id: ExecutionId, request: TaskRequest) -> Result<(), Stopped> {
        let Some(execution) = self.engine.execution(id) else { return Ok(()) };
        let task = request.key;
        if matches!(request.resource.kind, stepwell_asl::ResourceKind::Activity) {
            self.inputs.push_back(Input::Command(id, Command::ActivityStarted { task, worker_name: None }));
        }
        let answer = self.transport.run(&Dispatch { execution: &execution.identity, request: &request });
        self.answered(id, request, answer)
    }

    /// Waits for work that is being done.
    fn hear(&mut self, patience: Duration) -> Result<(), Stopped> {
        let Some((ticket, answer)) = self.transport.next_answer(patience) else { return Ok(()) };
        match self.late.remove(&ticket) {
            Some((id, request)) => self.answered(id, request, answer),
            None => Ok(()),
        }
    }

    fn items_answered(&mut self, id: ExecutionId, request: ItemsRequest, answer: Answer) -> Result<(), Stopped> {
        if let Answer::Later(ticket) = answer {
            let task = request.task.clone();
            self.reads.insert((id, task.key), request);
            self.late.insert(ticket, (id, task));
            return Ok(());
        }
        let state = request.task.state_name.to_string();
        match answer.of_items(&request).map_err(|reason| Stopped::Refused(state, reason))? {
            Some(command) => self.inputs.push_back(Input::Command(id, command)),
            None => self.open.push((id, request.task)),
        }
        Ok(())
    }

    fn answered(&mut self, id: ExecutionId, request: TaskRequest, answer: Answer) -> Result<(), Stopped> {
        let task = request.key;
        if let Some(items) = self.reads.remove(&(id, task)) {
            return self.items_answered(id, items, answer);
        }
        match answer {
            Answer::Succeeded(output) => {
                self.inputs.push_back(Input::Command(id, Command::TaskSucceeded { task, output }));
            }
            Answer::SubmittedAndSucceeded { submitted, output } => {
                self.inputs.push_back(Input::Command(id, Command::TaskSubmitted { task, output: submitted }));
                self.inputs.push_back(Input::Command(id, Command::TaskSucceeded { task, output }));
            }
            Answer::Failed { error, cause } => {
                self.inputs.push_back(Input::Command(id, Command::TaskFailed { task, error, cause }));
            }
            Answer::Later(ticket) => {
                self.late.insert(ticket, (id, request));
            }
            Answer::Silence => self.open.push((id, request)),
            Answer::Refused(reason) => return Err(Stopped::Refused(request.state_name.to_string(), reason)),
        }
        Ok(())
    }
}
