//! The world of one seed: who does something next, and what goes wrong with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stepwell_api::{Call, NewFrame, Outs, Place, Refusal, Retention, SHARD, ServiceTask};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::{Command, Moment, TaskKey};
use stepwell_json::Json;
use stepwell_spec::{Response, Text};
use stepwell_store::StoreError;

use crate::audit::Mirror;
use crate::calls::Ask;
use crate::express::Express;
use crate::history::Event;
use crate::latency::Slow;
use crate::ledger::{Fact, Ledger};
use crate::local::Local;
use crate::machines::{ACCOUNT, AT_ONCE, KINDS, Kind, REGION};
use crate::objects::Objects;
use crate::poison::Poison;
use crate::shell::{LOCAL_SHARD, Leaving, NotOpened, Shell, Written};
use crate::tally::Tally;
use crate::trace::{Trace, hash_of};
use crate::workers::{Outside, Token};
use stepwell_sim_disk::{DiskTally, Fault, Random, SimDisk};

/// When everything begins: a time in 2026.
const BEGINNING: i64 = 1_790_000_000_000;

/// The furthest that jumps bring the clock ahead in all: before the year of an execution's life and the redrivable days are over.
const AHEAD_MS_MAX: i64 = 10 * 86_400_000;

/// Openings that may fail because of the disk before it is left in peace.
const OPENINGS_AT_MOST: u64 = 6;

/// What is on its way to the service.
#[derive(Debug)]
pub(crate) enum Mail {
    Call(u64),
    Answer(ExecutionId, Command),
    Gone(u64),
    /// The same of local services.
    Local(u64),
    LocalGone(u64),
}

/// How a seed treats its world: each has its own mix of faults.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    pub(crate) segment_bytes: u32,
    pub(crate) kinds: Vec<Kind>,
    /// Turns out of a hundred in which somebody asks a local service; none, and there are none.
    pub(crate) local_percent: u64,
    pub(crate) crash_percent: u64,
    pub(crate) window_percent: u64,
    pub(crate) power_percent: u64,
    pub(crate) disk_percent: u64,
    pub(crate) clock_percent: u64,
    pub(crate) race_percent: u64,
    pub(crate) worker_fault_percent: u64,
    pub(crate) write_percent: u64,
    pub(crate) batch: usize,
    pub(crate) steps: u64,
    /// Batches that the disk takes its time for.
    pub(crate) slow_percent: u64,
    /// Executions that panic.
    pub(crate) poison_percent: u64,
    /// How long executions stay after their end; 90 days, or so short that they go while the seed lives.
    pub(crate) retention: Retention,
}

impl Knobs {
    fn draw(random: &mut Random) -> Knobs {
        let local_percent = [0, 0, 10, 40][random.below(4)];
        let mut kinds: Vec<Kind> = KINDS.into_iter().filter(|_| random.percent(45)).collect();
        kinds.retain(|kind| local_percent > 0 || !kind.needs_queues());
        if kinds.is_empty() {
            kinds.push(Kind::Loop);
        }
        // Long histories cost more than anything else.
        if random.once_in(60) {
            kinds = vec![Kind::Long];
        } else if random.once_in(10) {
            kinds.push(Kind::Large);
        }
        let mut some = |choices: &[u64]| choices[random.below(choices.len())];
        Knobs {
            segment_bytes: some(&[4_096, 8_192, 16_384, 65_536]) as u32,
            kinds,
            local_percent,
            crash_percent: some(&[0, 1, 2, 4]),
            window_percent: some(&[2, 5, 10]),
            power_percent: some(&[30, 60, 90]),
            disk_percent: some(&[0, 1, 2]),
            clock_percent: some(&[0, 1, 3]),
            race_percent: some(&[5, 15, 30]),
            worker_fault_percent: some(&[5, 15, 35]),
            write_percent: some(&[10, 25, 50]),
            batch: some(&[1, 3, 16]) as usize,
            steps: some(&[150, 300, 500]),
            slow_percent: some(&[0, 5, 20]),
            poison_percent: some(&[0, 0, 10]),
            retention: match some(&[0, 1, 2, 3, 4]) {
                0 => Retention(std::time::Duration::from_secs(600)),
                _ => Retention::default(),
            },
        }
    }
}

/// Everything.
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) knobs: Knobs,
    pub(crate) disk: SimDisk,
    /// None before the first opening.
    pub(crate) shell: Option<Shell>,
    pub(crate) wall: i64,
    pub(crate) mail: Vec<Mail>,
    /// Calls that are not answered, by id.
    pub(crate) asked: BTreeMap<u64, Ask>,
    /// Callers that left before their calls were answered.
    pub(crate) gone: BTreeSet<u64>,
    calls: u64,
    pub(crate) ledger: Ledger,
    /// Facts whose answers have not left: by call, and by task.
    facts: BTreeMap<u64, usize>,
    task_facts: BTreeMap<(Text, TaskKey), VecDeque<usize>>,
    pub(crate) mirror: Mirror,
    /// Tasks this process has asked the world for.
    pub(crate) outside: Vec<Outside>,
    /// Answers that were given to tasks, by execution and event: well, badly.
    pub(crate) answers: BTreeMap<(Text, u64), (bool, bool)>,
    pub(crate) tokens: Vec<Token>,
    /// What was read of histories so far.
    pub(crate) seen: BTreeMap<Text, Vec<Event>>,
    pub(crate) map_runs: BTreeSet<Text>,
    pub(crate) local: Local,
    pub(crate) objects: Objects,
    /// Executions by the keys they are kept under.
    arns: BTreeMap<Vec<u8>, Text>,
    pub(crate) names: u64,
    pub(crate) marks: u64,
    pub(crate) calm: bool,
    pub(crate) trace: Trace,
    pub(crate) tally: Tally,
    pub(crate) step: u64,
    max_room: bool,
    /// What had gone wrong with the disk when this process began.
    began_with: DiskTally,
    /// Frames of the last batch that was written.
    pub(crate) last_batch: u64,
    /// What the disk is busy with.
    pub(crate) slow: Option<Slow>,
    pub(crate) poison: Poison,
    pub(crate) express: Express,
}

pub(crate) fn place() -> Place {
    Place { account: ACCOUNT.to_owned(), region: REGION.to_owned() }
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let knobs = Knobs::draw(&mut random);
        let disk = SimDisk::new(random.fork());
        let local = Local::new(knobs.local_percent > 0);
        World {
            random,
            knobs,
            disk,
            shell: None,
            wall: BEGINNING,
            mail: Vec::new(),
            asked: BTreeMap::new(),
            gone: BTreeSet::new(),
            calls: 0,
            ledger: Ledger::default(),
            facts: BTreeMap::new(),
            task_facts: BTreeMap::new(),
            mirror: Mirror::default(),
            outside: Vec::new(),
            answers: BTreeMap::new(),
            tokens: Vec::new(),
            seen: BTreeMap::new(),
            map_runs: BTreeSet::new(),
            local,
            objects: Objects::default(),
            arns: BTreeMap::new(),
            names: 0,
            marks: 0,
            calm: false,
            trace: Trace::new(),
            tally: Tally { seeds: 1, ..Tally::default() },
            step: 0,
            max_room: false,
            began_with: DiskTally::default(),
            last_batch: 0,
            slow: None,
            poison: Poison::default(),
            express: Express::default(),
        }
    }

    pub(crate) fn take_tally(&mut self) -> Tally {
        let mut tally = std::mem::take(&mut self.tally);
        tally.disk = self.disk.tally();
        tally.executions = (self.ledger.executions.len() + self.ledger.express.len()) as u64;
        tally.steps = self.step;
        tally
    }

    /// The whole course: faults, then calm, then the verdict.
    pub(crate) fn live(&mut self) -> Result<(), String> {
        self.trace.say(format!("{:?}", self.knobs));
        self.open()?;
        self.found_local();
        self.ask(Ask::Activity);
        for kind in self.knobs.kinds.clone() {
            self.ask(Ask::Create(kind));
        }
        if self.knobs.kinds.contains(&Kind::Nested) {
            self.ask(Ask::Create(Kind::Wait));
        }
        while self.step < self.knobs.steps {
            self.step += 1;
            self.turn()?;
            if self.disk.has_died() {
                self.crash("the process died in the background")?;
            }
            if self.step.is_multiple_of(8) {
                self.note_state();
            }
        }
        self.calm_down()?;
        self.final_audit()?;
        self.drain_local()
    }

    pub(crate) fn shell(&mut self) -> &mut Shell {
        self.shell.as_mut().expect("a process runs between two steps")
    }

    /// One thing happens.
    fn turn(&mut self) -> Result<(), String> {
        if self.random.percent(self.knobs.crash_percent) {
            return self.crash("between two steps");
        }
        if self.random.percent(self.knobs.disk_percent) {
            self.disturb_disk();
        }
        if self.random.percent(self.knobs.clock_percent) {
            self.disturb_clock();
        }
        if self.random.percent(self.knobs.write_percent) {
            return self.write();
        }
        if self.random.percent(self.knobs.local_percent) {
            self.local_turn();
        }
        if self.objects.is_asked() && self.random.once_in(3) {
            self.objects_turn();
        }
        match self.random.below(100) {
            0..45 if !self.mail.is_empty() => self.deliver_mail(),
            0..62 => {
                self.clients_turn();
                Ok(())
            }
            62..83 => {
                self.workers_turn();
                Ok(())
            }
            83..84 => {
                self.flush()?;
                if self.shell().is_even() { self.check_timers() } else { Ok(()) }
            }
            84..85 => {
                self.tally.zombies += 1;
                let shard = [SHARD, LOCAL_SHARD][self.random.below(2)];
                match self.shell().writes_as_a_zombie(shard) {
                    true => Err("I13: a writer of an epoch that is over has written".to_owned()),
                    false => Ok(()),
                }
            }
            _ => {
                self.pass_time();
                self.tick()
            }
        }
    }

    // Time.

    fn disturb_clock(&mut self) {
        let jump = match self.random.below(5) {
            0 => -(self.random.between(1, 1_000) as i64),
            1 => -(self.random.between(1_000, 86_400_000) as i64),
            2 => self.random.between(1_000, 60_000) as i64,
            3 => self.random.between(60_000, 86_400_000) as i64,
            _ => self.random.between(1, 5) as i64,
        };
        if self.wall + jump <= BEGINNING + AHEAD_MS_MAX {
            self.wall += jump;
            self.tally.clock_jumps += 1;
            self.trace.say(format!("the clock jumps by {jump} ms"));
        }
    }

    fn pass_time(&mut self) {
        let now = self.shell().now().0;
        let due = [self.shell().service.next_due(), self.shell().services.next_due()];
        let due = due.into_iter().flatten().map(|due| due.0).min();
        let choice = self.random.below(10);
        match (choice, due) {
            (0..3, _) => self.wall += self.random.between(1, 50) as i64,
            (3..6, _) => self.wall += self.random.between(50, 5_000) as i64,
            // To the very millisecond that something is due, or the one before.
            (6..9, Some(due)) if due > now && due < now + 7_200_000 => {
                self.wall = self.wall.max(due - i64::from(choice == 6));
            }
            _ => self.wall += self.random.between(1, 300_000) as i64,
        }
    }

    pub(crate) fn moment(&mut self) -> Moment {
        let wall = self.wall;
        self.shell().moment(wall)
    }

    /// What is due by now happens. I10: and is not due any more.
    pub(crate) fn tick(&mut self) -> Result<(), String> {
        for round in 0.. {
            let at = self.moment();
            if self.shell().service.next_due().is_none_or(|due| due > at.now) {
                match self.tick_local(at)? {
                    true if round <= 400 => continue,
                    true => {}
                    false => return Ok(()),
                }
            }
            if round > 400 {
                return Err("I10: time passes, and what is due stays due".to_owned());
            }
            if !self.take_in(None, |service, at| service.tick(at))? {
                return Ok(());
            }
        }
        Ok(())
    }

    // Calls.

    /// Somebody asks for something.
    pub(crate) fn ask(&mut self, ask: Ask) -> u64 {
        self.calls += 1;
        let id = self.calls;
        self.asked.insert(id, ask);
        self.mail.push(Mail::Call(id));
        id
    }

    fn deliver_mail(&mut self) -> Result<(), String> {
        // Mostly in order; sometimes another way was shorter.
        let place = if self.random.percent(70) { 0 } else { self.random.below(self.mail.len()) };
        self.tick()?;
        if place >= self.mail.len() {
            return Ok(());
        }
        let mail = self.mail.remove(place);
        self.take_mail(mail)
    }

    pub(crate) fn take_mail(&mut self, mail: Mail) -> Result<(), String> {
        self.tally.inputs += 1;
        let now = self.shell().now().0.max(self.wall);
        match mail {
            Mail::Call(id) => {
                let Some(ask) = self.asked.get(&id).cloned() else { return Ok(()) };
                self.trace.say(format!("{now} call {id}: {}", ask.line()));
                self.poison.hear(&ask);
                let request = ask.request();
                if let Err(refusal) = stepwell_api::check(&request) {
                    return Err(format!("a client's request is refused: {refusal}"));
                }
                let call = Call { id, place: place(), request };
                self.take_in(Some(id), |service, at| service.call(call, at)).map(drop)
            }
            Mail::Answer(execution, command) => {
                self.trace.say(format!("{now} answer to {}: {command:?}", execution.0));
                self.take_in(None, |service, at| service.complete(execution, command, at)).map(drop)
            }
            Mail::Gone(id) => {
                if self.asked.remove(&id).is_some() {
                    self.trace.say(format!("caller {id} is gone"));
                    self.tally.gone_callers += 1;
                    self.gone.insert(id);
                    self.shell().service.forget_call(id);
                }
                Ok(())
            }
            Mail::Local(id) => {
                let at = self.moment();
                self.take_local(id, at)
            }
            Mail::LocalGone(id) => {
                self.local_caller_leaves(id);
                Ok(())
            }
        }
    }

    /// Takes what an input led to. `false` when the process has ended over it.
    pub(crate) fn settle(&mut self, mut outs: Outs, call: Option<u64>) -> Result<bool, String> {
        if let Some(fault) = outs.fault.take() {
            if !self.is_disturbed() {
                return Err(format!("the service broke off: {fault}"));
            }
            self.crash(&format!("the service broke off: {fault}"))?;
            return Ok(false);
        }
        for task in &outs.tasks {
            self.express.note_task(task)?;
        }
        if let Some(frame) = &outs.frame {
            self.express.check_frame(frame)?;
            self.mirror.push(frame);
        }
        let frame = self.mirror.last();
        for (id, reply) in &outs.replies {
            if self.gone.contains(id) && Some(*id) != call {
                return Err(format!("I9: call {id} is answered, whose caller is gone"));
            }
            let Some(ask) = self.asked.get(id).cloned() else { continue };
            if let Some(fact) = self.fact_of(&ask, reply)? {
                if let (Fact::Started { arn, .. } | Fact::Begun { arn, .. }, Some(frame)) = (&fact, &outs.frame)
                    && !self.ledger.executions.contains_key(arn)
                {
                    // A start's own row comes first.
                    let row = frame.rows.iter().find(|row| row.table == "executions");
                    self.arns.extend(row.map(|row| (row.key.clone(), arn.clone())));
                    self.express.note_id(arn, row.and_then(|row| row.value.as_deref()));
                }
                let place = self.ledger.note(frame, fact)?;
                self.facts.insert(*id, place);
            }
        }
        // An input forgets what is old when all else is done.
        if let Some(frame) = &outs.frame {
            self.note_forgotten(frame)?;
        }
        let frame = self.mirror.last();
        let moved = outs.reads.iter().map(|read| &read.task).chain(outs.writes.iter().map(|write| &write.task));
        for task in outs.tasks.iter().chain(moved) {
            let (arn, key) = (task.identity.arn.clone(), task.request.key);
            let place = self.ledger.note(frame, Fact::Dispatched { arn: arn.clone(), key })?;
            self.task_facts.entry((arn, key)).or_default().push_back(place);
        }
        if let Some(leaving) = self.shell().deliver(outs) {
            self.let_go(leaving)?;
        }
        Ok(true)
    }

    /// Notes whom a frame forgets that is on its way to the store.
    pub(crate) fn note_forgotten(&mut self, frame: &NewFrame) -> Result<(), String> {
        self.tally.frames += 1;
        for row in &frame.rows {
            if row.table == "executions" && row.value.is_none() {
                let Some(arn) = self.arns.get(&row.key).cloned() else { continue };
                if self.knobs.retention == Retention::default() {
                    return Err(format!("I1: {arn} is forgotten before its time"));
                }
                self.seen.remove(&arn);
                self.ledger.note(self.mirror.last(), Fact::Forgotten { arn })?;
            }
        }
        Ok(())
    }

    /// What an answer says has happened, and whether it may say so.
    fn fact_of(&self, ask: &Ask, reply: &Result<Response, Refusal>) -> Result<Option<Fact>, String> {
        let machine = |kind: &Kind| self.ledger.machines.get(kind);
        let known = |arn: &Text| self.ledger.executions.get(arn);
        let refused = reply.as_ref().err().map(Refusal::name);
        if refused == Some("InternalFailure") {
            // What cannot be read is said to be so, and who is left alone.
            return match self.is_disturbed() || self.poison.excuses(ask) {
                true => Ok(None),
                false => Err(format!("{}: {reply:?}", ask.line())),
            };
        }
        Ok(match (ask, reply) {
            (Ask::Create(kind), Ok(_)) => Some(Fact::Machine { kind: *kind, exists: true, revision: None }),
            (Ask::Update(kind, _), Ok(Response::UpdateStateMachine(output))) => {
                Some(Fact::Machine { kind: *kind, exists: true, revision: output.revision_id.clone() })
            }
            (Ask::Delete(kind), Ok(_)) => Some(Fact::Machine { kind: *kind, exists: false, revision: None }),
            (Ask::DescribeMachine(kind), Ok(Response::DescribeStateMachine(output))) => {
                let known = machine(kind).cloned().unwrap_or_default();
                if known.0 && known.1.is_some() && known.1 != output.revision_id {
                    return Err(format!("I17: {} is at {:?}, not {:?}", kind.name(), output.revision_id, known.1));
                }
                None
            }
            (Ask::DescribeMachine(kind) | Ask::Update(kind, _), Err(_)) => {
                if machine(kind).is_some_and(|(exists, _)| *exists) {
                    return Err(format!("I1: state machine {} is not there: {refused:?}", kind.name()));
                }
                None
            }
            (Ask::Start { kind, input, .. }, Ok(Response::StartExecution(output))) if kind.is_express() => {
                Some(Fact::Begun { kind: *kind, arn: output.execution_arn.clone(), input: input.clone() })
            }
            (Ask::Start { kind, input, text, .. }, Ok(Response::StartExecution(output))) => Some(Fact::Started {
                kind: *kind,
                arn: output.execution_arn.clone(),
                input: input.clone(),
                text: text.clone(),
                at: output.start_date,
            }),
            (Ask::Start { kind, name, .. } | Ask::StartSync { kind, name, .. }, Err(refusal)) => {
                let arn: Text = kind.execution_arn(name).into();
                match refusal.name() {
                    "ExecutionAlreadyExists" if known(&arn).is_none() => {
                        return Err(format!("I16: {arn} was never started and exists"));
                    }
                    "StateMachineDoesNotExist" if machine(kind).is_some_and(|(exists, _)| *exists) => {
                        return Err(format!("I1: state machine {} is not there for a start", kind.name()));
                    }
                    _ => None,
                }
            }
            (Ask::Stop(arn), Ok(_)) => Some(Fact::Stopped { arn: arn.clone() }),
            (Ask::Redrive { arn, .. }, Ok(_)) => Some(Fact::Redriven { arn: arn.clone() }),
            (Ask::Describe(arn), Ok(Response::DescribeExecution(output))) => {
                self.check_left_alone(arn, output)?;
                if let Some(known) = known(arn)
                    && (known.at != output.start_date || output.input.as_deref() != Some(&*known.text))
                {
                    return Err(format!(
                        "I16: {arn} was said to begin at {} and began at {}",
                        known.at, output.start_date
                    ));
                }
                None
            }
            (Ask::Stop(arn) | Ask::Describe(arn) | Ask::History { arn, .. }, Err(refusal)) => {
                if known(arn).is_some() && refusal.name() == "ExecutionDoesNotExist" && self.is_durable(arn) {
                    return Err(format!("I1: {arn} is not there"));
                }
                None
            }
            (Ask::Complete { token, mark, is_good: true, .. }, Ok(_)) => {
                Some(Fact::Completed { token: *token, mark: mark.clone() })
            }
            (Ask::Complete { token, mark, is_good: false, .. }, Ok(_)) => {
                Some(Fact::Completed { token: *token, mark: format!("!{mark}").into() })
            }
            (Ask::Forged(_), Ok(_)) => return Err("I8: a token that nobody gave out is taken".to_owned()),
            (Ask::DescribeMapRun(_), Ok(Response::DescribeMapRun(output))) => {
                let counts = &output.execution_counts;
                let sum = counts.pending
                    + counts.running
                    + counts.succeeded
                    + counts.failed
                    + counts.timed_out
                    + counts.aborted
                    + counts.pending_redrive.unwrap_or(0);
                if sum != counts.total || counts.running > AT_ONCE {
                    return Err(format!("I12: {}", Response::DescribeMapRun(output.clone()).to_json()));
                }
                None
            }
            _ => None,
        })
    }

    /// Whether something has gone wrong with the disk in the life of this process.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.disk.has_died() || self.disk.tally() != self.began_with
    }

    /// Whether the beginning of an execution is durable: histories show what is.
    fn is_durable(&self, arn: &Text) -> bool {
        let Some(shell) = &self.shell else { return false };
        shell.is_even() && self.ledger.executions.contains_key(arn)
    }

    /// Answers reach who waits for them, tasks who does them.
    pub(crate) fn let_go(&mut self, leaving: Leaving) -> Result<(), String> {
        for (id, reply) in leaving.replies {
            if let Some(place) = self.facts.remove(&id) {
                self.ledger.hear(place);
            }
            match self.asked.remove(&id) {
                Some(ask) => self.heard(ask, reply)?,
                None if id <= self.calls && !self.gone.contains(&id) => {
                    return Err(format!("I22: call {id} is answered twice"));
                }
                None => {}
            }
        }
        for (execution, key) in leaving.cancelled {
            for outside in &mut self.outside {
                outside.is_cancelled |= outside.task.execution == execution && outside.task.request.key == key;
            }
            self.objects.cancel(execution, key);
        }
        for task in leaving.tasks {
            self.dispatch(task)?;
        }
        self.move_objects(leaving.reads, leaving.writes)?;
        self.local_answers(leaving.aws_answers)
    }

    /// What was asked of the world is asked once its frame is durable.
    pub(crate) fn hear_dispatch(&mut self, task: &ServiceTask) {
        let of_task = self.task_facts.get_mut(&(task.identity.arn.clone(), task.request.key));
        if let Some(place) = of_task.and_then(VecDeque::pop_front) {
            self.ledger.hear(place);
        }
    }

    fn dispatch(&mut self, task: ServiceTask) -> Result<(), String> {
        let (arn, key) = (task.identity.arn.clone(), task.request.key);
        self.trace.say(format!("task {} of {arn}", key.scheduled_event_id));
        self.hear_dispatch(&task);
        // By the engine's name: a name that was forgotten may be another execution's.
        let again =
            self.outside.iter().any(|known| (known.task.execution, known.task.request.key) == (task.execution, key));
        if again {
            return Err(format!("I9: the task of event {} of {arn} is asked for twice", key.scheduled_event_id));
        }
        if task.request.is_called_back()
            && let Some(text) = task.request.input.get("token").and_then(Json::as_str)
        {
            self.take_token(text.into(), String::new());
        }
        self.outside.push(Outside { task, answered: 0, is_cancelled: false });
        Ok(())
    }

    pub(crate) fn heard(&mut self, ask: Ask, reply: Result<Response, Refusal>) -> Result<(), String> {
        self.trace.say(match &reply {
            Ok(_) => format!("heard: {}", ask.line()),
            Err(refusal) => format!("refused: {}: {}", ask.line(), refusal.name()),
        });
        match (ask, reply) {
            (Ask::History { arn, page, events, .. }, Ok(Response::GetExecutionHistory(output))) => {
                let mut events = events;
                events.extend(output.events.iter().filter_map(Event::read));
                self.read_prefix(&arn, &events)?;
                if let Some(next) = output.next_token {
                    self.ask(Ask::History { arn, page, events, next: Some(next) });
                }
            }
            (Ask::Poll { worker }, Ok(Response::GetActivityTask(output))) => {
                if let Some(text) = output.task_token {
                    self.take_token(text, worker);
                }
            }
            // Whoever wanted to make it may have left.
            (Ask::Poll { .. }, Err(refusal)) if refusal.name() == "ActivityDoesNotExist" => {
                self.ask(Ask::Activity);
            }
            (Ask::MapRuns(_), Ok(Response::ListMapRuns(output))) => {
                self.map_runs.extend(output.map_runs.into_iter().map(|run| run.map_run_arn));
            }
            (Ask::StartSync { kind, name, input, text }, Ok(Response::StartSyncExecution(output))) => {
                self.check_sync_answer((kind, &name, &input, &text), &output)?;
            }
            (Ask::Complete { token, .. }, reply) => {
                self.tokens[token].is_spent |= reply.is_ok();
                // Of one that is left alone no token is taken any more.
                let is_over = |refusal: Refusal| {
                    let is_left_alone = refusal.message().is_some_and(|message| message.contains("left alone"));
                    refusal.name() == "TaskTimedOut" || is_left_alone
                };
                self.tokens[token].is_over |= reply.is_err_and(is_over);
            }
            _ => {}
        }
        Ok(())
    }

    /// I3: what was read once is what is read ever after.
    pub(crate) fn read_prefix(&mut self, arn: &Text, events: &[Event]) -> Result<(), String> {
        self.tally.histories += 1;
        let seen = self.seen.entry(arn.clone()).or_default();
        for (before, now) in seen.iter().zip(events) {
            if before.json != now.json {
                return Err(format!("I3: {arn} had {} and has {}", before.json, now.json));
            }
        }
        if let Some((event, place)) = events.iter().zip(1..).find(|(event, place)| event.id != *place) {
            return Err(format!("I2: the {place}. event of {arn} that is read has the id {}", event.id));
        }
        if events.len() > seen.len() {
            *seen = events.to_vec();
        }
        Ok(())
    }

    // The disk and the process.

    fn disturb_disk(&mut self) {
        match self.random.below(6) {
            0 | 1 => self.disk.plan_instead(self.random.between(1, 12), Fault::Fails),
            2 => self.disk.plan_instead(self.random.between(1, 40), Fault::Dies),
            3 => {
                let room = self.random.below(60_000);
                self.disk.set_room(Some(room));
                self.max_room = true;
            }
            4 => self.disk.fail_next_read(),
            _ => {
                self.disk.set_room(None);
                self.max_room = false;
            }
        }
    }

    /// Makes some of what happened durable.
    pub(crate) fn write_some(&mut self, most: usize) -> Written {
        let before = self.shell().frames();
        let written = self.shell().write(most);
        let kept = self.shell().frames() - before;
        if kept > 0 {
            self.last_batch = kept;
        }
        written
    }

    /// The writer's turn.
    fn write(&mut self) -> Result<(), String> {
        let Some(most) = self.next_batch() else { return Ok(()) };
        let aims = self.shell().waiting() > 0 && self.random.percent(self.knobs.window_percent);
        if aims {
            // The write, or the sync behind it.
            self.disk.plan_instead(self.random.between(1, 2), Fault::Dies);
        }
        match self.write_some(most) {
            Written::Leaves(all) => {
                for leaving in all {
                    self.let_go(leaving)?;
                }
            }
            Written::NoRoom => {
                self.trace.say("no room".to_owned());
                return Ok(());
            }
            Written::Broken(why) => {
                self.tally.crashes_in_window += u64::from(self.disk.has_died());
                return self.crash(&why);
            }
        }
        if self.random.once_in(2)
            && let Err(fault) = self.shell().tend()
        {
            return self.crash(&fault.to_string());
        }
        // One that failed is written the next time; after a failed sync the store has stopped, and the server with it.
        if self.random.once_in(12)
            && let Err(fault) = self.shell().store_catches_up()
            && (self.disk.has_died() || matches!(fault, StoreError::Poisoned { .. }))
        {
            return self.crash("while the index was brought up to date");
        }
        Ok(())
    }

    /// The process ends here and now, and another begins.
    pub(crate) fn crash(&mut self, why: &str) -> Result<(), String> {
        self.tally.crashes += 1;
        self.trace.say(format!("crash: {why}"));
        self.die_in_a_slow_write();
        self.shell = None;
        if self.random.percent(self.knobs.power_percent) {
            self.disk.lose_power();
        } else {
            self.disk.restart_process();
        }
        if self.random.once_in(10) {
            self.tally.indexes_lost += 1;
            self.disk.remove_file("index.redb");
        }
        self.outside.clear();
        self.mail.clear();
        (self.facts, self.task_facts) = Default::default();
        let asked = std::mem::take(&mut self.asked);
        let asked_local = self.lose_local();
        self.objects.lose();
        self.gone.clear();
        if self.random.once_in(3) {
            self.disturb_clock();
        }
        self.open()?;
        self.ask_local_again(asked_local);
        // Clients do not know what became of their calls; some ask again.
        for (_, ask) in asked {
            let repeats = match &ask {
                Ask::Create(_) | Ask::Activity => true,
                Ask::Poll { .. } => false,
                _ => self.random.percent(50),
            };
            if repeats {
                self.tally.repeated_calls += 1;
                self.ask(ask);
            }
        }
        Ok(())
    }

    /// A process begins over what is there.
    fn open(&mut self) -> Result<(), String> {
        for attempt in 0.. {
            if !self.calm && attempt < OPENINGS_AT_MOST && self.random.once_in(4) {
                let fault = if self.random.once_in(3) { Fault::Fails } else { Fault::Dies };
                self.disk.plan_instead(self.random.between(1, 30), fault);
            }
            if attempt > 0 {
                self.disk.set_room(None);
            }
            let before = self.disk.tally();
            let retention = self.knobs.retention;
            let wall = self.wall;
            let at = Moment { now: stepwell_spec::Timestamp(wall), entropy: self.random.draw() };
            let opened = Shell::open(&self.disk, self.knobs.segment_bytes, retention, at);
            let tally = self.disk.tally();
            let disturbed = tally.planned > before.planned
                || tally.failed_reads > before.failed_reads
                || tally.no_room > before.no_room;
            match opened {
                Ok((shell, outs)) if !self.disk.has_died() => {
                    self.disk.forget_plan();
                    self.tally.reopenings += 1;
                    self.shell = Some(shell);
                    self.began_with = self.disk.tally();
                    return self.recovered(outs);
                }
                Ok(_) => {}
                Err(NotOpened::Store(fault)) if disturbed && !matches!(fault, StoreError::Damaged { .. }) => {
                    self.tally.refused_openings += 1;
                }
                Err(NotOpened::Service(_) | NotOpened::Local(_)) if disturbed => self.tally.refused_openings += 1,
                Err(fault) => return Err(format!("I1: what is kept is not opened again: {fault}")),
            }
            self.trace.say("not opened".to_owned());
            if self.random.percent(self.knobs.power_percent) {
                self.disk.lose_power();
            } else {
                self.disk.restart_process();
            }
        }
        Ok(())
    }

    fn recovered(&mut self, outs: Outs) -> Result<(), String> {
        let tail = self.shell().kept;
        self.trace.say(format!("opened behind frame {tail}"));
        self.ledger.recover(tail)?;
        self.mirror.recover(tail)?;
        self.poison.recover(tail);
        self.express.lose();
        self.take_opening_panics()?;
        self.recover_local()?;
        self.check_store()?;
        self.settle(outs, None)?;
        self.begin_local()?;
        self.sample_executions()
    }

    /// Notes the abstract state: what kinds of things are open.
    fn note_state(&mut self) {
        let mut text = String::new();
        for kind in self.ledger.machines.keys() {
            let of_kind = self.ledger.executions.values().filter(|known| known.kind == *kind);
            let (all, stopped) =
                of_kind.fold((0, 0), |(all, stopped), known| (all + 1, stopped + usize::from(known.is_stopped)));
            text.push_str(&format!("{kind:?}{}.{} ", all.min(4), stopped.min(2)));
        }
        let open = self.outside.iter().filter(|outside| outside.answered == 0).count();
        let tokens = self.tokens.iter().filter(|token| !token.is_spent && !token.is_over).count();
        let shell = self.shell.as_ref().expect("a process runs between two steps");
        text.push_str(&self.local.state());
        text.push_str(&self.objects.state());
        let (waiting, mail) = (shell.waiting().min(4), self.mail.len().min(4));
        text.push_str(&format!("{} {} {waiting} {mail} {}", open.min(6), tokens.min(6), self.max_room));
        self.tally.states.insert(hash_of(0xCBF2_9CE4_8422_2325, text.as_bytes()));
    }
}
