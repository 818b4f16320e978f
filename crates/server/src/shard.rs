//! The thread that owns the service, and the local services that are pure: one message, one answer, one timer at a time.
//!
//! Messages come from connections, answers from what does the tasks, timers from the clock. Whatever comes of them goes
//! to the writer, which lets it go when it is durable. Knows no HTTP.

mod full;
mod reopening;
mod ways;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

use stepwell_api::{Heard, NewFrame, Notice, Outs, SHARD, Service, ServiceSettings, StatusChange};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::Command;
use stepwell_protocol::Place as AwsPlace;
use stepwell_services::{LogLine, Services, ServicesOuts, ServicesSettings};
use stepwell_spec::{Action, Timestamp};
use stepwell_store::Store;
use tokio::sync::oneshot;

use crate::awake::Awake;
use crate::clock::Clock;
use crate::local::Local;
use crate::metrics::Metrics;
use crate::server::StartError;
use crate::writer::{Outcomes, Outside, Writer};
use reopening::{AtHand, Ground, Opened};
use ways::Message;

pub(crate) use ways::{Answer, Answers, AwsCaller, Caller, Door, LocalCall, Mailbox, SideDoor};

/// How long to wait before it is looked again whether skipped time may go on.
const HELD: Duration = Duration::from_millis(20);

/// Messages that are taken before what is due has its turn again, executions that never stop moving among it.
const MESSAGES_PER_TURN: usize = 16;

/// The shard of the store that local services are kept in: theirs are rows alone, and no frame of an execution.
const SERVICES_SHARD: u32 = 1;

/// A service that runs.
#[derive(Debug)]
pub(crate) struct Running {
    /// The way in.
    pub(crate) door: Door,
    /// Resolves when the thread has ended.
    pub(crate) ended: oneshot::Receiver<()>,
    /// The thread.
    pub(crate) thread: JoinHandle<()>,
}

/// What a shard is made of, beside what it is told of outside.
pub(crate) struct Parts {
    pub(crate) store: Box<dyn Store>,
    pub(crate) settings: ServiceSettings,
    pub(crate) services: ServicesSettings,
    pub(crate) clock: Clock,
    pub(crate) awake: Awake,
    pub(crate) metrics: Arc<Metrics>,
}

/// Opens the services over a store and gives all of them a thread.
pub(crate) fn start(parts: Parts, mailbox: Mailbox, outside: Outside) -> Result<Running, StartError> {
    let refused = |fault: std::io::Error| StartError::Refused(format!("cannot start: {fault}"));
    let unreadable =
        |fault: &dyn std::fmt::Display| StartError::Refused(format!("what was kept cannot be taken up: {fault}"));
    let Parts { store, settings, services, clock, awake, metrics } = parts;
    let heard = settings.heard;
    let mut ground = Ground::new(store.index(), settings, services, clock.clone(), metrics.clone());
    let Opened { service, services, outs, rows } = ground.open().map_err(|fault| unreadable(&fault))?;
    let (door, answers, messages) = mailbox.open();
    let (alive, ended) = oneshot::channel();
    let local = outside.local.clone();
    let writer = Writer::start(store, outside, answers, awake.clone()).map_err(refused)?;
    let mut shard = Shard {
        service,
        services,
        local,
        clock,
        awake,
        writer,
        metrics,
        messages,
        heard,
        waiting: BTreeMap::new(),
        asking: BTreeMap::new(),
        answers: VecDeque::new(),
        kept: 0,
        kept_before: 0,
        at_hand: AtHand::Own,
        ground,
    };
    shard.deliver(outs);
    shard.deliver_local(ServicesOuts { rows, ..ServicesOuts::default() });
    let thread = std::thread::Builder::new()
        .name("stepwell-shard".to_owned())
        .spawn(move || {
            // Dropped however the thread ends.
            let _alive = alive;
            shard.run();
        })
        .map_err(refused)?;
    Ok(Running { door, ended, thread })
}

struct Shard {
    service: Service,
    services: Services,
    local: Local,
    clock: Clock,
    awake: Awake,
    writer: Writer,
    metrics: Arc<Metrics>,
    messages: Receiver<Message>,
    /// What listeners outside hear.
    heard: Heard,
    /// Who waits for which call, and what was asked.
    waiting: BTreeMap<u64, (Action, Caller)>,
    /// Who waits for which call of a local service.
    asking: BTreeMap<u64, AwsCaller>,
    /// Answers to tasks on their way back.
    answers: VecDeque<(ExecutionId, Command)>,
    /// Frames the service knows to be durable, of those since it was opened.
    kept: u64,
    /// Frames that were durable when it was opened.
    kept_before: u64,
    /// What is being done, in case it panics.
    at_hand: AtHand,
    /// What the services are opened again with.
    ground: Ground,
}

enum Next {
    Message(Message),
    /// No message yet, and something else to do.
    Other,
    /// Nobody can ask any more.
    End,
}

impl Shard {
    fn run(mut self) {
        loop {
            // What panics leaves the services as they may be: they are thrown away and opened again.
            let goes_on = match catch_unwind(AssertUnwindSafe(|| self.turn())) {
                Ok(goes_on) => goes_on,
                Err(panic) => self.reopen(&*panic),
            };
            if !goes_on {
                break;
            }
        }
        self.writer.end();
    }

    /// What is due, then answers and messages, one of each at a time. `false` when there is nothing more to do here.
    fn turn(&mut self) -> bool {
        self.at_hand = AtHand::Own;
        if self.writer.is_full() {
            return self.turn_while_full();
        }
        let at = self.clock.moment();
        // A timer that is due goes first, so that an execution that never stops moving still meets its timeout.
        if self.service.next_due().is_some_and(|due| due <= at.now) {
            let outs = self.service.tick(at);
            if !self.deliver(outs) {
                return false;
            }
        }
        if self.services.next_due().is_some_and(|due| due <= at.now) {
            let outs = self.services.tick(at);
            if !self.deliver_local(outs) {
                return false;
            }
        }
        for taken in 0..MESSAGES_PER_TURN {
            self.at_hand = AtHand::Own;
            if let Some((execution, command)) = self.answers.pop_front() {
                let at = self.clock.moment();
                let outs = self.service.complete(execution, command, at);
                if !self.deliver(outs) {
                    return false;
                }
            }
            let next = match taken {
                0 => self.next_message(),
                _ if self.writer.is_full() => break,
                _ => match self.messages.try_recv() {
                    Ok(message) => Next::Message(message),
                    Err(_) => break,
                },
            };
            self.tell_kept();
            if !self.take(next) {
                return false;
            }
        }
        true
    }

    /// One message, or none. `false` when there is nothing more to do here.
    fn take(&mut self, next: Next) -> bool {
        match next {
            Next::Message(Message::Call(call, caller)) => {
                self.at_hand = AtHand::Call(call.id);
                self.waiting.insert(call.id, (call.request.action(), caller));
                let at = self.clock.moment();
                let outs = self.service.call(*call, at);
                self.deliver(outs)
            }
            Next::Message(Message::Ask(asked, caller)) => {
                let LocalCall { id, asker, place, call } = *asked;
                self.at_hand = AtHand::Ask(id);
                self.asking.insert(id, caller);
                let outs = self.services.call(asker, &place, &call, id, self.clock.moment());
                self.deliver_local(outs)
            }
            Next::Message(Message::ForgetAsked(id)) => {
                self.asking.remove(&id);
                self.services.forget_call(id);
                true
            }
            Next::Message(Message::Forget(id)) => {
                self.waiting.remove(&id);
                self.service.forget_call(id);
                true
            }
            Next::Message(Message::Answers(execution, commands)) => {
                self.answers.extend(commands.into_iter().map(|command| (execution, command)));
                true
            }
            Next::Message(Message::Exchanged(execution, exchange)) => {
                self.service.exchanged(execution, *exchange);
                true
            }
            Next::Other => true,
            Next::Message(Message::End) | Next::End => false,
        }
    }

    /// Tells the service how much of what it has done is durable.
    fn tell_kept(&mut self) {
        let kept = self.writer.kept() - self.kept_before;
        if kept > self.kept {
            self.kept = kept;
            self.service.kept(kept);
        }
    }

    /// Waits for a message as long as nothing else is to be done.
    fn next_message(&mut self) -> Next {
        let jump = self.next_jump();
        if !self.answers.is_empty() || jump.is_some() {
            return match self.messages.try_recv() {
                Ok(message) => Next::Message(message),
                Err(TryRecvError::Disconnected) => Next::End,
                Err(TryRecvError::Empty) => {
                    if let (true, Some(due)) = (self.answers.is_empty(), jump) {
                        self.clock.jump_to(due);
                    }
                    Next::Other
                }
            };
        }
        let due = [self.service.next_due(), self.services.next_due()].into_iter().flatten().min();
        let sleep = match due.map(|due| self.clock.sleep_towards(due)) {
            // Nobody says when what holds the clock is done.
            Some(sleep) if self.clock.skips() => sleep.min(HELD),
            Some(sleep) => sleep,
            None => Duration::MAX,
        };
        match self.awake.receive(&self.messages, sleep) {
            Ok(message) => Next::Message(message),
            Err(RecvTimeoutError::Timeout) => Next::Other,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// Where the clock may go at once, when it may and nothing is at work.
    fn next_jump(&self) -> Option<Timestamp> {
        if !self.clock.skips() || !self.service.is_idle() || self.local.is_busy() {
            return None;
        }
        [self.service.next_due(), self.services.next_jump()].into_iter().flatten().min()
    }

    /// Gives what an input of a local service led to out of hand. `false` when the writer has broken off.
    fn deliver_local(&mut self, outs: ServicesOuts) -> bool {
        // A rule that was made or enabled may want to know.
        let status_changes = self.heard.status_changes || self.services.hears();
        self.service.hear(Heard { status_changes, ..self.heard });
        let says_nothing_new = outs.says_nothing_new(self.writer.is_even());
        let ServicesOuts { replies, rows, deliveries } = outs;
        let mut aws_answers = Vec::with_capacity(replies.len());
        for (id, answer) in replies {
            if let Some(caller) = self.asking.remove(&id) {
                aws_answers.push((caller, answer));
            }
        }
        if says_nothing_new {
            for (caller, answer) in aws_answers {
                caller.answer(answer);
            }
            return true;
        }
        let has_rows = !rows.is_empty();
        let frame = NewFrame { executions: Vec::new(), rows, payload: Vec::new() };
        let frame = has_rows.then_some((SERVICES_SHARD, frame));
        self.writer.give(Outcomes { frame, aws_answers, deliveries, ..Outcomes::default() })
    }

    /// Gives what an input led to out of hand. `false` when the service or the writer has broken off.
    fn deliver(&mut self, outs: Outs) -> bool {
        if let Some(fault) = outs.fault {
            tracing::error!(%fault, "the service has broken off");
            return false;
        }
        self.metrics.count_executions(&outs);
        let says_nothing_new = outs.says_nothing_new(self.writer.is_even());
        let mut replies = Vec::with_capacity(outs.replies.len());
        for (id, answer) in outs.replies {
            if let Some((_, caller)) = self.waiting.remove(&id) {
                replies.push((caller, answer));
            }
        }
        self.metrics.quarantine(self.service.quarantined());
        if says_nothing_new {
            for (caller, answer) in replies {
                caller.answer(answer);
            }
            return true;
        }
        let Outs { frame, tasks, reads, writes, cancelled, notices, .. } = outs;
        let frame = frame.map(|frame| (SHARD, frame));
        let lines: Vec<LogLine> = notices.iter().filter_map(log_line).collect();
        let changes: Vec<StatusChange> = notices.iter().filter_map(status_change).cloned().collect();
        // What is said of an event is kept behind the event.
        self.writer.give(Outcomes { frame, replies, tasks, reads, writes, cancelled, notices, ..Outcomes::default() })
            && self.tell_logs(&lines)
            && self.tell_rules(&changes)
    }

    /// Writes what executions have to say to log groups. `false` when the writer has broken off.
    fn tell_logs(&mut self, lines: &[LogLine]) -> bool {
        if lines.is_empty() {
            return true;
        }
        let outs = self.services.log(lines, self.clock.moment());
        self.deliver_local(outs)
    }

    /// Raises changes of status on default buses. `false` when the writer has broken off.
    fn tell_rules(&mut self, changes: &[StatusChange]) -> bool {
        changes.iter().all(|change| {
            let outs = self.services.hear(&place_of(change), &change.to_event(), self.clock.moment());
            self.deliver_local(outs)
        })
    }
}

fn status_change(notice: &Notice) -> Option<&StatusChange> {
    match notice {
        Notice::StatusChange(change) => Some(change),
        Notice::LogEvent(_) => None,
    }
}

fn place_of(change: &StatusChange) -> AwsPlace {
    AwsPlace { account: change.account.as_str().into(), region: change.region.clone() }
}

fn log_line(notice: &Notice) -> Option<LogLine> {
    let Notice::LogEvent(event) = notice else { return None };
    Some(LogLine {
        log_group_arn: event.log_group_arn.clone(),
        log_stream_name: event.log_stream_name.as_str().into(),
        timestamp: event.timestamp,
        message: event.message.to_string().into(),
    })
}
