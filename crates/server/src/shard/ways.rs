//! The ways to a shard's thread, and back out of it for whoever asked.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use stepwell_api::{Call, HttpExchange, Refusal};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::Command;
use stepwell_protocol::{AwsAnswer, AwsCall, Place as AwsPlace};
use stepwell_services::Asker;
use stepwell_spec::Response;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What came of a call.
pub(crate) type Answer = Result<Response, Refusal>;

/// What a shard is told.
pub(super) enum Message {
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

    /// What the task of a test asked of an address, before its answer.
    pub(crate) fn exchanged(&self, execution: ExecutionId, exchange: HttpExchange) {
        // A service that is gone has no tests any more.
        let _ = self.0.send(Message::Exchanged(execution, Box::new(exchange)));
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

    /// The ways in and back, and where they lead.
    pub(super) fn open(self) -> (Door, Answers, Receiver<Message>) {
        (Door(Arc::new(Way(self.sender.clone()))), Answers(self.sender), self.messages)
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
