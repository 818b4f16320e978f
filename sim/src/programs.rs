//! Random programs through crashes: whatever happens on the way, they end as the reference interpreter says (I7).
//!
//! Here nobody stops anything and every task is answered in time, so that only the faults of disk and process, duplicate answers and the
//! order of things are chance.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_api::{Call, Outs, Refusal, Retention, ServiceTask};
use stepwell_interpreter::{Command, Moment};
use stepwell_json::Json;
use stepwell_programs::reference::{self, Cause, Outcome, Verdict};
use stepwell_programs::{Program, worker};
use stepwell_spec::shapes::{
    CreateActivityInput, CreateStateMachineInput, ExecutionStatus, GetActivityTaskInput, SendTaskFailureInput,
    SendTaskSuccessInput, StartExecutionInput,
};
use stepwell_spec::{Request, Response, Text, Timestamp};

use crate::calls;
use crate::history::{self, Event};
use crate::machines::{ACCOUNT, REGION, ROLE};
use crate::shell::{Leaving, Shell, Written};
use crate::tally::Tally;
use crate::trace::Trace;
use crate::world::place;
use stepwell_sim_disk::{Fault, Random, SimDisk};

const BEGINNING: i64 = 1_790_000_000_000;

/// Steps after which a program that has not ended never will.
const STEPS_MAX: u64 = 20_000;

/// Programs that loop over more events than this are left to others: their histories make a seed slow.
const MACHINE: &str = "program";

/// A program and its world.
pub(crate) struct Trial {
    random: Random,
    program: Program,
    verdict: Verdict,
    /// Names of the activities it has tasks for.
    activities: BTreeSet<&'static str>,
    disk: SimDisk,
    shell: Option<Shell>,
    wall: i64,
    calls: u64,
    polls: BTreeMap<u64, &'static str>,
    /// Calls that must be answered, and are asked again until they are.
    waiting: BTreeMap<u64, Request>,
    tasks: Vec<(ServiceTask, u64)>,
    /// Tasks of activities that somebody has: the name, the input, and the token.
    taken: Vec<(&'static str, Json, Text)>,
    pub(crate) trace: Trace,
    tally: Tally,
    pub(crate) step: u64,
    crash_percent: u64,
    percent_twice: u64,
}

impl Trial {
    pub(crate) fn new(seed: u64) -> Trial {
        let mut random = Random::new(seed);
        let program = Program::random(random.draw() >> 1);
        let verdict = reference::run(&program);
        let is_used = |name: &&&str| program.definition.contains(&format!(":activity:{name}\""));
        let activities = worker::NAMES.iter().filter(is_used).copied().collect();
        let disk = SimDisk::new(random.fork());
        let (crash_percent, percent_twice) = ([1, 3, 6][random.below(3)], [0, 20][random.below(2)]);
        Trial {
            random,
            program,
            verdict,
            activities,
            disk,
            shell: None,
            wall: BEGINNING,
            calls: 0,
            polls: BTreeMap::new(),
            waiting: BTreeMap::new(),
            tasks: Vec::new(),
            taken: Vec::new(),
            trace: Trace::new(),
            tally: Tally { seeds: 1, programs: 1, ..Tally::default() },
            step: 0,
            crash_percent,
            percent_twice,
        }
    }

    pub(crate) fn take_tally(&mut self) -> Tally {
        let mut tally = std::mem::take(&mut self.tally);
        (tally.disk, tally.steps, tally.executions) = (self.disk.tally(), self.step, 1);
        tally
    }

    /// From its start to its end, and whether it may end so.
    pub(crate) fn live(&mut self) -> Result<(), String> {
        self.trace
            .say(format!("program {}: {} with {}", self.program.seed, self.program.definition, self.program.input));
        self.open()?;
        for name in self.activities.clone() {
            self.insist(Request::CreateActivity(CreateActivityInput {
                name: name.into(),
                tags: None,
                encryption_configuration: None,
            }))?;
        }
        self.insist(Request::CreateStateMachine(CreateStateMachineInput {
            name: MACHINE.into(),
            definition: self.program.definition.as_str().into(),
            role_arn: ROLE.into(),
            kind: None,
            logging_configuration: None,
            tags: None,
            tracing_configuration: None,
            publish: None,
            version_description: None,
            encryption_configuration: None,
        }))?;
        self.insist(Request::StartExecution(StartExecutionInput {
            state_machine_arn: format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{MACHINE}").into(),
            name: Some("one".into()),
            input: Some(self.program.input.as_str().into()),
            trace_header: None,
        }))?;
        self.live_on()
    }

    fn arn() -> Text {
        format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:{MACHINE}:one").into()
    }

    fn shell(&mut self) -> &mut Shell {
        self.shell.as_mut().expect("a process runs between two steps")
    }

    fn moment(&mut self) -> Moment {
        let wall = self.wall;
        self.shell().moment(wall)
    }

    fn turn(&mut self) -> Result<(), String> {
        if self.random.percent(self.crash_percent) {
            return self.crash();
        }
        match self.random.below(10) {
            0..4 => self.write(),
            4..7 => self.answer(),
            7 => self.complete(),
            _ => self.pass_time(),
        }
    }

    fn ask(&mut self, request: Request) -> Result<u64, String> {
        self.calls += 1;
        self.tally.inputs += 1;
        let (id, at) = (self.calls, self.moment());
        let outs = self.shell().service.call(Call { id, place: place(), request }, at);
        self.settle(outs)?;
        Ok(id)
    }

    /// Asks until there is an answer.
    fn insist(&mut self, request: Request) -> Result<(), String> {
        let mut id = 0;
        while id == 0 || self.waiting.contains_key(&id) {
            if id == 0 || self.random.once_in(20) {
                self.waiting.remove(&id);
                let next = self.calls + 1;
                self.waiting.insert(next, request.clone());
                id = self.ask(request.clone())?;
            }
            self.write()?;
        }
        Ok(())
    }

    fn settle(&mut self, mut outs: Outs) -> Result<(), String> {
        if let Some(fault) = outs.fault.take() {
            return match self.disk.has_died() {
                true => self.crash(),
                false => Err(format!("the service broke off: {fault}")),
            };
        }
        self.tally.frames += u64::from(outs.frame.is_some());
        for (id, reply) in &outs.replies {
            if let Some(name) = self.polls.remove(id)
                && let Ok(Response::GetActivityTask(output)) = reply
                && let (Some(token), Some(input)) = (&output.task_token, &output.input)
            {
                let input = Json::parse(input).map_err(|_| "an activity's input is not JSON".to_owned())?;
                self.taken.push((name, input, token.clone()));
            }
        }
        match self.shell().deliver(outs) {
            Some(leaving) => self.let_go(leaving),
            None => Ok(()),
        }
    }

    fn let_go(&mut self, leaving: Leaving) -> Result<(), String> {
        for (id, reply) in leaving.replies {
            if self.waiting.remove(&id).is_some()
                && let Err(refusal) = reply
                && refusal.name() != "ExecutionAlreadyExists"
            {
                return Err(format!("a valid program is refused: {refusal}"));
            }
        }
        for task in leaving.tasks {
            self.trace.say(format!("task {} of {}", task.request.key.scheduled_event_id, task.identity.arn));
            self.tasks.push((task, 0));
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), String> {
        if self.shell().waiting() > 0 && self.random.percent(self.crash_percent * 2) {
            let fault = if self.random.once_in(5) { Fault::Fails } else { Fault::Dies };
            self.disk.plan_instead(self.random.between(1, 2), fault);
        }
        let most = 1 + self.random.below(8);
        match self.shell().write(most) {
            Written::Leaves(all) => all.into_iter().try_for_each(|leaving| self.let_go(leaving))?,
            Written::NoRoom => {}
            Written::Broken(_) => {
                self.tally.crashes_in_window += u64::from(self.disk.has_died());
                return self.crash();
            }
        }
        self.disk.forget_plan();
        match self.shell().tend() {
            Ok(()) => Ok(()),
            Err(_) => self.crash(),
        }
    }

    fn crash(&mut self) -> Result<(), String> {
        self.tally.crashes += 1;
        self.trace.say("crash".to_owned());
        self.shell = None;
        if self.random.once_in(2) {
            self.disk.lose_power();
        } else {
            self.disk.restart_process();
        }
        if self.random.once_in(10) {
            self.tally.indexes_lost += 1;
            self.disk.remove_file("index.redb");
        }
        (self.tasks, self.polls) = Default::default();
        self.open()?;
        let waiting = std::mem::take(&mut self.waiting);
        for (_, request) in waiting {
            self.waiting.insert(self.calls + 1, request.clone());
            self.ask(request)?;
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        self.tally.reopenings += 1;
        let at = Moment { now: Timestamp(self.wall), entropy: self.random.draw() };
        // Longer than any program takes.
        let retention = Retention(std::time::Duration::from_hours(24 * 4_000));
        let opened = Shell::open(&self.disk, 16_384, retention, at);
        let (shell, outs) = opened.map_err(|fault| format!("I1: what is kept is not opened again: {fault}"))?;
        if let Some((panic, _)) = shell.panics.first() {
            return Err(format!("I24: panic: {panic}"));
        }
        self.shell = Some(shell);
        self.settle(outs)
    }

    /// Whether nobody ever answers this task.
    fn is_silent(task: &ServiceTask) -> bool {
        worker::stays_silent(function(&task.request.resource.arn))
    }

    fn answer(&mut self) -> Result<(), String> {
        let open: Vec<usize> = (0..self.tasks.len()).filter(|at| !Trial::is_silent(&self.tasks[*at].0)).collect();
        let Some(&at) = self.random.one_of(&open) else { return Ok(()) };
        let (task, times) = &mut self.tasks[at];
        if *times > 0 {
            if !self.random.percent(self.percent_twice) {
                return Ok(());
            }
            self.tally.duplicates += 1;
        }
        *times += 1;
        let (key, execution) = (task.request.key, task.execution);
        let command = match worker::answer(function(&task.request.resource.arn), &task.request.input) {
            Ok(output) => Command::TaskSucceeded { task: key, output },
            Err(failure) => {
                let (error, cause) = (Some(failure.error.into()), Some(failure.cause.into()));
                Command::TaskFailed { task: key, error, cause }
            }
        };
        self.trace.say(format!("answer to {}: {command:?}", execution.0));
        self.tally.inputs += 1;
        let at = self.moment();
        let outs = self.shell().service.complete(execution, command, at);
        self.settle(outs)
    }

    fn complete(&mut self) -> Result<(), String> {
        let open: Vec<usize> = (0..self.taken.len()).filter(|at| !worker::stays_silent(self.taken[*at].0)).collect();
        let Some(&at) = self.random.one_of(&open) else { return Ok(()) };
        let (name, input, token) = self.taken[at].clone();
        let request = match worker::answer(name, &input) {
            Ok(output) => {
                Request::SendTaskSuccess(SendTaskSuccessInput { task_token: token, output: output.to_string().into() })
            }
            Err(failure) => Request::SendTaskFailure(SendTaskFailureInput {
                task_token: token,
                error: Some(failure.error.into()),
                cause: Some(failure.cause.into()),
            }),
        };
        let before = self.tally.crashes;
        self.ask(request)?;
        self.flush()?;
        // What came of it before a crash nobody knows, so that it is said again.
        if self.tally.crashes == before {
            self.taken.remove(at);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        let before = self.tally.crashes;
        while self.shell().waiting() > 0 && self.tally.crashes == before {
            self.write()?;
        }
        Ok(())
    }

    /// A little while tasks are open; else to the next thing that is due.
    fn pass_time(&mut self) -> Result<(), String> {
        let is_open = |(task, times): &(ServiceTask, u64)| *times == 0 && !Trial::is_silent(task);
        let is_busy = self.tasks.iter().any(is_open)
            || self.taken.iter().any(|(name, ..)| !worker::stays_silent(name))
            || self.shell().waiting() > 0;
        if is_busy {
            self.wall += self.random.between(0, 3) as i64;
            return self.tick();
        }
        // Workers take all there is before time passes, silent ones too: only of what was taken a heartbeat is expected.
        loop {
            let taken = self.taken.len();
            self.poll()?;
            if self.taken.len() <= taken {
                break;
            }
        }
        // That they did is durable before.
        if self.shell().waiting() > 0 {
            return Ok(());
        }
        if !self.taken.is_empty() && self.taken.iter().any(|(name, ..)| !worker::stays_silent(name)) {
            return Ok(());
        }
        for id in std::mem::take(&mut self.polls).into_keys() {
            self.shell().service.forget_call(id);
        }
        if let Some(due) = self.shell().service.next_due() {
            self.wall = self.wall.max(due.0);
        }
        self.tick()
    }

    fn poll(&mut self) -> Result<(), String> {
        for name in self.activities.clone() {
            if self.polls.values().any(|polled| *polled == name) {
                continue;
            }
            self.polls.insert(self.calls + 1, name);
            let activity_arn = format!("arn:aws:states:{REGION}:{ACCOUNT}:activity:{name}").into();
            self.ask(Request::GetActivityTask(GetActivityTaskInput { activity_arn, worker_name: None }))?;
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), String> {
        for round in 0.. {
            let at = self.moment();
            if self.shell().service.next_due().is_none_or(|due| due > at.now) {
                return Ok(());
            }
            if round > 2_000 {
                return Err("I10: time passes, and what is due stays due".to_owned());
            }
            let outs = self.shell().service.tick(at);
            self.settle(outs)?;
        }
        Ok(())
    }

    fn call_now(&mut self, request: Request) -> Result<Response, Refusal> {
        let at = self.moment();
        let id = 1 << 40;
        let mut outs = self.shell().service.call(Call { id, place: place(), request }, at);
        let reply = outs.replies.iter().position(|(of, _)| *of == id).map(|at| outs.replies.swap_remove(at));
        drop(self.shell().deliver(outs));
        reply.map_or_else(|| Err(Refusal::throttled()), |(_, reply)| reply)
    }

    fn has_ended(&mut self) -> Result<bool, String> {
        match self.call_now(calls::describe(&Trial::arn())) {
            Ok(Response::DescribeExecution(output)) => Ok(output.status != ExecutionStatus::Running),
            Ok(_) => Err("an answer to something else".to_owned()),
            Err(refusal) => Err(format!("I1: the program is not there: {refusal}")),
        }
    }

    /// The end, in a process of its own that has read everything back.
    fn judge(&mut self) -> Result<(), String> {
        self.flush()?;
        self.crash()?;
        if !self.has_ended()? {
            // The end was not durable yet.
            return self.live_on();
        }
        let Ok(Response::DescribeExecution(ended)) = self.call_now(calls::describe(&Trial::arn())) else {
            return Err("I1: the program is not there".to_owned());
        };
        let output = ended.output.as_deref().and_then(|text| Json::parse(text).ok());
        let text = |text: Option<Text>| text.map(|text| text.to_string());
        let outcome = match ended.status {
            ExecutionStatus::Succeeded => Outcome::Succeeded(output.unwrap_or(Json::Null)),
            ExecutionStatus::TimedOut => Outcome::TimedOut,
            _ => Outcome::Failed { error: text(ended.error), cause: Cause::Is(text(ended.cause)) },
        };
        self.verdict.judge(&outcome).map_err(|expected| format!("I7: it ended as {outcome}: {expected}"))?;
        let (mut events, mut next) = (Vec::new(), None);
        loop {
            match self.call_now(calls::history(&Trial::arn(), 1_000, next.take())) {
                Ok(Response::GetExecutionHistory(page)) => {
                    events.extend(page.events.iter().filter_map(Event::read));
                    next = page.next_token;
                }
                _ => return Err("I1: the history cannot be read".to_owned()),
            }
            if next.is_none() {
                break;
            }
        }
        self.tally.histories += 1;
        history::check_any(&events, ended.status.text())
    }

    /// Turn after turn, until the program has ended for good.
    fn live_on(&mut self) -> Result<(), String> {
        while self.step < STEPS_MAX {
            self.step += 1;
            self.turn()?;
            if self.step.is_multiple_of(16) && self.has_ended()? {
                return self.judge();
            }
        }
        Err("I14: the program has not ended".to_owned())
    }
}

/// The name at the end of an ARN.
fn function(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}
