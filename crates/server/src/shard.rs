//! The thread that owns the service: one message, one answer, one timer at a time.
//!
//! Messages come from connections, answers from what does the tasks, timers from the clock. Whatever comes of them goes
//! to the writer, which lets it go when it is durable. Knows no HTTP.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::JoinHandle;

use stepwell_api::{Call, Outs, Refusal, Service, ServiceSettings};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::Command;
use stepwell_spec::Response;
use stepwell_store::Store;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::server::StartError;
use crate::writer::{Outcomes, Outside, Writer};

/// What came of a call.
pub(crate) type Answer = Result<Response, Refusal>;

enum Message {
    Call(Box<Call>, Caller),
    /// Nobody waits for this call's answer any more.
    Forget(u64),
    /// What came of a task.
    Answers(ExecutionId, Vec<Command>),
    /// Nobody can ask any more.
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

    /// What an execution is to be told, in order.
    pub(crate) fn send(&self, execution: ExecutionId, commands: Vec<Command>) {
        if !commands.is_empty() {
            // A service that is gone asks again when it comes back.
            let _ = self.0.send(Message::Answers(execution, commands));
        }
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Message::Call(call, _) => write!(f, "Call({})", call.id),
            Message::Forget(id) => write!(f, "Forget({id})"),
            Message::Answers(execution, _) => write!(f, "Answers({})", execution.0),
            Message::End => f.write_str("End"),
        }
    }
}

impl Door {
    /// Asks the service and waits for its answer, however long that takes. `None` when the service is gone.
    ///
    /// A caller that stops waiting takes its call back.
    pub(crate) async fn call(&self, call: Call, place: OwnedSemaphorePermit) -> Option<Answer> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = Waiting { door: self, id: call.id, is_over: false };
        self.0.0.send(Message::Call(Box::new(call), Caller { sender, _place: place })).ok()?;
        let answer = receiver.await;
        waiting.is_over = true;
        answer.ok()
    }
}

/// A call that is being waited for.
struct Waiting<'a> {
    door: &'a Door,
    id: u64,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // A service that is gone has forgotten everything.
            let _ = self.door.0.0.send(Message::Forget(self.id));
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

/// Opens the service over a store and gives both a thread.
pub(crate) fn start(
    store: Box<dyn Store>,
    settings: &ServiceSettings,
    mut clock: Clock,
    outside: Outside,
    metrics: Arc<Metrics>,
) -> Result<Running, StartError> {
    let refused = |fault: std::io::Error| StartError::Refused(format!("cannot start: {fault}"));
    let (service, outs) = Service::open(settings, store.index(), clock.moment())
        .map_err(|fault| StartError::Refused(format!("what was kept cannot be taken up: {fault}")))?;
    let (sender, messages) = std::sync::mpsc::channel();
    let (alive, ended) = oneshot::channel();
    let writer = Writer::start(store, outside, Answers(sender.clone())).map_err(refused)?;
    let waiting = BTreeMap::new();
    let mut shard = Shard { service, clock, writer, metrics, messages, waiting, answers: VecDeque::new(), kept: 0 };
    shard.deliver(outs);
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
    clock: Clock,
    writer: Writer,
    metrics: Arc<Metrics>,
    messages: Receiver<Message>,
    /// Who waits for which call.
    waiting: BTreeMap<u64, Caller>,
    /// Answers to tasks on their way back.
    answers: VecDeque<(ExecutionId, Command)>,
    /// Frames the service knows to be durable.
    kept: u64,
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
        while self.turn() {}
        self.writer.end();
    }

    /// One timer, one answer, one message. `false` when there is nothing more to do here.
    fn turn(&mut self) -> bool {
        let at = self.clock.moment();
        // A timer that is due goes first, so that an execution that never stops moving still meets its timeout.
        if self.service.next_due().is_some_and(|due| due <= at.now) {
            let outs = self.service.tick(at);
            if !self.deliver(outs) {
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
        match self.next_message() {
            Next::Message(Message::Call(call, caller)) => {
                self.waiting.insert(call.id, caller);
                let at = self.clock.moment();
                let outs = self.service.call(*call, at);
                self.deliver(outs)
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
            Next::Other => true,
            Next::Message(Message::End) | Next::End => false,
        }
    }

    /// Waits for a message as long as nothing else is to be done.
    fn next_message(&mut self) -> Next {
        let due = self.service.next_due();
        let may_jump = self.clock.skips() && self.service.is_idle();
        if !self.answers.is_empty() || may_jump && due.is_some() {
            return match self.messages.try_recv() {
                Ok(message) => Next::Message(message),
                Err(TryRecvError::Disconnected) => Next::End,
                Err(TryRecvError::Empty) => {
                    if let (true, Some(due)) = (self.answers.is_empty(), due) {
                        self.clock.jump_to(due);
                    }
                    Next::Other
                }
            };
        }
        let Some(due) = due else { return self.messages.recv().map_or(Next::End, Next::Message) };
        match self.messages.recv_timeout(self.clock.sleep_towards(due)) {
            Ok(message) => Next::Message(message),
            Err(RecvTimeoutError::Timeout) => Next::Other,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// Gives what an input led to out of hand. `false` when the service or the writer has broken off.
    fn deliver(&mut self, outs: Outs) -> bool {
        if let Some(fault) = outs.fault {
            tracing::error!(%fault, "the service has broken off");
            return false;
        }
        self.metrics.count_executions(&outs);
        let mut replies = Vec::with_capacity(outs.replies.len());
        for (id, answer) in outs.replies {
            if let Some(caller) = self.waiting.remove(&id) {
                replies.push((caller, answer));
            }
        }
        let kept = self.writer.kept();
        if kept > self.kept {
            self.kept = kept;
            self.service.kept(kept);
        }
        let moves_nothing = outs.reads.is_empty() && outs.writes.is_empty();
        let asks_nothing =
            outs.tasks.is_empty() && moves_nothing && outs.cancelled.is_empty() && outs.notices.is_empty();
        let says_nothing_new = outs.frame.is_none() && asks_nothing && self.writer.is_even();
        if says_nothing_new {
            for (caller, answer) in replies {
                caller.answer(answer);
            }
            return true;
        }
        let Outs { frame, tasks, reads, writes, cancelled, notices, .. } = outs;
        self.writer.give(Outcomes { frame, replies, tasks, reads, writes, cancelled, notices })
    }
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
