//! The thread that owns the service, and the local services that are pure: one message, one answer, one timer at a time.
//!
//! Messages come from connections, answers from what does the tasks, timers from the clock. Whatever comes of them goes
//! to the writer, which lets it go when it is durable. Knows no HTTP.

mod full;
mod reopening;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

use stepwell_api::{
    Call, Heard, HttpExchange, NewFrame, Notice, Outs, Refusal, SHARD, Service, ServiceSettings, StatusChange,
};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::Command;
use stepwell_protocol::{AwsAnswer, AwsCall, Place as AwsPlace};
use stepwell_services::{Asker, LogLine, Services, ServicesOuts, ServicesSettings};
use stepwell_spec::{Action, Response, Timestamp};
use stepwell_store::Store;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::clock::Clock;
use crate::local::Local;
use crate::metrics::Metrics;
use crate::server::StartError;
use crate::writer::{Outcomes, Outside, Writer};
use reopening::{AtHand, Ground, Opened};

/// How long to wait before it is looked again whether skipped time may go on.
const HELD: Duration = Duration::from_millis(20);

/// The shard of the store that local services are kept in: theirs are rows alone, and no frame of an execution.
const SERVICES_SHARD: u32 = 1;

/// What came of a call.
pub(crate) type Answer = Result<Response, Refusal>;

enum Message {
    Call(Box<Call>, Caller),
    /// A call of a local service.
    Ask(Box<LocalCall>, AwsCaller),
    /// Nobody waits for this call's answer any more.
    Forget(u64),
    /// Nor for this one's, of a local service.
    ForgetAsked(u64),
    /// What came of a task.
    Answers(ExecutionId, Vec<Command>),
    /// What the task of a test asked of an address.
    Exchanged(ExecutionId, Box<HttpExchange>),
    /// Nobody can ask any more, or nothing can be kept.
    End,
}

/// Who waits for the answer of a call, and the place that the call has in line. A caller that has left keeps it until the
/// service has heard of that, so that calls which nobody waits for do not pile up either.
#[derive(Debug)]
pub(crate) struct Caller {
    sender: oneshot::Sender<Answer>,
    _place: OwnedSemaphorePermit,
}

impl Caller {
    pub(crate) fn answer(self, answer: Answer) {
        // Whoever went away in this very moment wants no answer.
        let _ = self.sender.send(answer);
    }
}

/// A call of a local service.
#[derive(Debug)]
pub(crate) struct LocalCall {
    pub(crate) id: u64,
    pub(crate) asker: Asker,
    pub(crate) place: AwsPlace,
    pub(crate) call: AwsCall,
}

/// Who waits for the answer of a local service.
#[derive(Debug)]
pub(crate) struct AwsCaller(oneshot::Sender<AwsAnswer>);

impl AwsCaller {
    pub(crate) fn answer(self, answer: AwsAnswer) {
        // Whoever went away in this very moment wants no answer.
        let _ = self.0.send(answer);
    }
}

/// The way to the service, for connections. The thread ends when nobody has one.
#[derive(Clone, Debug)]
pub(crate) struct Door(Arc<Way>);

#[derive(Debug)]
struct Way(Sender<Message>);

impl Drop for Way {
    fn drop(&mut self) {
        // A service that is gone has ended already.
        let _ = self.0.send(Message::End);
    }
}

/// The way back for answers to tasks.
#[derive(Clone, Debug)]
pub(crate) struct Answers(Sender<Message>);

impl Answers {
    /// A way that leads nowhere.
    #[cfg(test)]
    pub(crate) fn unread() -> Answers {
        Answers(std::sync::mpsc::channel().0)
    }

    /// A way, and what has been said on it.
    #[cfg(test)]
    pub(crate) fn heard() -> (Answers, impl Fn() -> Vec<String>) {
        let (sender, messages) = std::sync::mpsc::channel();
        (Answers(sender), move || messages.try_iter().map(|message| format!("{message:?}")).collect())
    }

    /// Whoever keeps what happens has ended, and nothing can be kept any more.
    pub(crate) fn end(&self) {
        // A service that is gone has ended already.
        let _ = self.0.send(Message::End);
    }

    /// What an execution is to be told, in order.
    pub(crate) fn send(&self, execution: ExecutionId, commands: Vec<Command>) {
        if !commands.is_empty() {
            // A service that is gone asks again when it comes back.
            let _ = self.0.send(Message::Answers(execution, commands));
        }
    }
}

/// The way for services of this process, to the local ones on the shard's thread and to the service itself. It holds no
/// thread alive.
#[derive(Clone, Debug)]
pub(crate) struct SideDoor(Sender<Message>);

impl SideDoor {
    /// As [`Door::call`].
    pub(crate) async fn call(&self, call: Call, place: OwnedSemaphorePermit) -> Option<Answer> {
        call_through(&self.0, call, place).await
    }

    /// Asks a local service and waits for its answer. `None` when the thread has ended.
    ///
    /// A caller that stops waiting takes its call back.
    pub(crate) async fn ask(&self, call: LocalCall) -> Option<AwsAnswer> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = Asking { door: self, id: call.id, is_over: false };
        self.0.send(Message::Ask(Box::new(call), AwsCaller(sender))).ok()?;
        let answer = receiver.await;
        waiting.is_over = true;
        answer.ok()
    }
}

/// A call of a local service that is being waited for.
struct Asking<'a> {
    door: &'a SideDoor,
    id: u64,
    is_over: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // A thread that is gone has forgotten everything.
            let _ = self.door.0.send(Message::ForgetAsked(self.id));
        }
    }
}

/// Messages to a shard that is not there yet.
pub(crate) struct Mailbox {
    sender: Sender<Message>,
    messages: Receiver<Message>,
}

impl Mailbox {
    pub(crate) fn new() -> Mailbox {
        let (sender, messages) = std::sync::mpsc::channel();
        Mailbox { sender, messages }
    }

    pub(crate) fn side_door(&self) -> SideDoor {
        SideDoor(self.sender.clone())
    }
}

impl Answers {
    /// What the task of a test asked of an address, before its answer.
    pub(crate) fn exchanged(&self, execution: ExecutionId, exchange: HttpExchange) {
        // A service that is gone has no tests any more.
        let _ = self.0.send(Message::Exchanged(execution, Box::new(exchange)));
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Message::Call(call, _) => write!(f, "Call({})", call.id),
            Message::Ask(asked, _) => write!(f, "Ask({}, {}.{})", asked.id, asked.call.service, asked.call.action),
            Message::Forget(id) => write!(f, "Forget({id})"),
            Message::ForgetAsked(id) => write!(f, "ForgetAsked({id})"),
            Message::Answers(execution, _) => write!(f, "Answers({})", execution.0),
            Message::Exchanged(execution, _) => write!(f, "Exchanged({})", execution.0),
            Message::End => f.write_str("End"),
        }
    }
}

impl Door {
    /// Asks the service and waits for its answer, however long that takes. `None` when the service is gone.
    ///
    /// A caller that stops waiting takes its call back.
    pub(crate) async fn call(&self, call: Call, place: OwnedSemaphorePermit) -> Option<Answer> {
        call_through(&self.0.0, call, place).await
    }
}

async fn call_through(way: &Sender<Message>, call: Call, place: OwnedSemaphorePermit) -> Option<Answer> {
    let (sender, receiver) = oneshot::channel();
    let mut waiting = Waiting { way, id: call.id, is_over: false };
    way.send(Message::Call(Box::new(call), Caller { sender, _place: place })).ok()?;
    let answer = receiver.await;
    waiting.is_over = true;
    answer.ok()
}

/// A call that is being waited for.
struct Waiting<'a> {
    way: &'a Sender<Message>,
    id: u64,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // A service that is gone has forgotten everything.
            let _ = self.way.send(Message::Forget(self.id));
        }
    }
}

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
    pub(crate) metrics: Arc<Metrics>,
}

/// Opens the services over a store and gives all of them a thread.
pub(crate) fn start(parts: Parts, mailbox: Mailbox, outside: Outside) -> Result<Running, StartError> {
    let refused = |fault: std::io::Error| StartError::Refused(format!("cannot start: {fault}"));
    let unreadable =
        |fault: &dyn std::fmt::Display| StartError::Refused(format!("what was kept cannot be taken up: {fault}"));
    let Parts { store, settings, services, clock, metrics } = parts;
    let heard = settings.heard;
    let mut ground = Ground::new(store.index(), settings, services, clock.clone(), metrics.clone());
    let Opened { service, services, outs, rows } = ground.open().map_err(|fault| unreadable(&fault))?;
    let Mailbox { sender, messages } = mailbox;
    let (alive, ended) = oneshot::channel();
    let local = outside.local.clone();
    let writer = Writer::start(store, outside, Answers(sender.clone())).map_err(refused)?;
    let mut shard = Shard {
        service,
        services,
        local,
        clock,
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
    Ok(Running { door: Door(Arc::new(Way(sender))), ended, thread })
}

struct Shard {
    service: Service,
    services: Services,
    local: Local,
    clock: Clock,
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

    /// One timer, one answer, one message. `false` when there is nothing more to do here.
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
        if let Some((execution, command)) = self.answers.pop_front() {
            let at = self.clock.moment();
            let outs = self.service.complete(execution, command, at);
            if !self.deliver(outs) {
                return false;
            }
        }
        let next = self.next_message();
        self.tell_kept();
        self.take(next)
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
        let Some(due) = due else { return self.messages.recv().map_or(Next::End, Next::Message) };
        let sleep = self.clock.sleep_towards(due);
        // Nobody says when what holds the clock is done.
        let sleep = if self.clock.skips() { sleep.min(HELD) } else { sleep };
        match self.messages.recv_timeout(sleep) {
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

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Waker};

    use stepwell_api::Place;
    use stepwell_spec::{ProtocolError, Request, shapes::ListActivitiesInput};

    use super::*;

    fn place() -> OwnedSemaphorePermit {
        Arc::new(tokio::sync::Semaphore::new(1)).try_acquire_owned().expect("a place")
    }

    fn call(id: u64) -> Call {
        let place = Place { account: "000000000000".to_owned(), region: "us-east-1".to_owned() };
        let request = Request::ListActivities(ListActivitiesInput { max_results: None, next_token: None });
        Call { id, place, request }
    }

    #[test]
    fn a_caller_that_goes_away_takes_its_call_back() {
        let (sender, messages) = std::sync::mpsc::channel();
        let door = Door(Arc::new(Way(sender)));
        let mut waiting = Box::pin(door.call(call(7), place()));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(waiting);
        let said: Vec<String> = messages.try_iter().map(|message| format!("{message:?}")).collect();
        assert_eq!(said, ["Call(7)", "Forget(7)"]);
    }

    #[test]
    fn a_caller_that_was_answered_says_no_more() {
        let (sender, messages) = std::sync::mpsc::channel();
        let door = Door(Arc::new(Way(sender)));
        let mut waiting = Box::pin(door.call(call(7), place()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        let Ok(Message::Call(_, answer)) = messages.recv() else { panic!("a call") };
        answer.answer(Err(Refusal::silent(ProtocolError::InternalFailure)));
        assert!(waiting.as_mut().poll(&mut context).is_ready());
        drop(waiting);
        drop(door);
        let said: Vec<String> = messages.try_iter().map(|message| format!("{message:?}")).collect();
        assert_eq!(said, ["End"]);
    }

    #[test]
    fn a_service_that_is_gone_is_said_to_be() {
        let (sender, messages) = std::sync::mpsc::channel();
        drop(messages);
        let door = Door(Arc::new(Way(sender)));
        let mut waiting = Box::pin(door.call(call(7), place()));
        let outcome = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(outcome, std::task::Poll::Ready(None)));
    }
}
