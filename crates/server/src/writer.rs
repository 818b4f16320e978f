//! The thread that owns the store: what the service did becomes durable, and only then leaves.
//!
//! While one sync is in flight the next batch gathers, so that a busy server pays one sync for many callers and an idle one
//! waits for nothing. The index follows on a thread of its own.

mod index_keeper;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use stepwell_api::{Keeper, NewFrame, NotKept, Notice, SHARD, ServiceRead, ServiceTask, ServiceWrite};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::TaskKey;
use stepwell_protocol::AwsAnswer;
use stepwell_services::Delivery;
use stepwell_store::Store;
use tokio::runtime::Handle;

use crate::calls::Calls;
use crate::carrier::Carrier;
use crate::jobs::Pace;
use crate::listener::Listener;
use crate::local::Local;
use crate::shard::{Answer, Answers, AwsCaller, Caller};
use crate::transport::{Carried, Done, Transport};

use index_keeper::IndexKeeper;

/// Outcomes of inputs that may wait for the writer: past it the service waits too, and with it its callers.
const QUEUE_MAX: usize = 1_024;

/// Frames of one batch: the cost of a sync is shared by then, and the first caller need not wait for more.
const BATCH_MAX: usize = 1_024;

/// How long to wait for room on a full disk before the same batch is tried again.
const ROOM_AGAIN: Duration = Duration::from_millis(250);

/// How long nothing has to come before the index is brought up to date.
const STILL: Duration = Duration::from_secs(5);

/// What one input led to.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// What is to be kept first, and in which shard of the store.
    pub(crate) frame: Option<(u32, NewFrame)>,
    /// Answers, and who waits for them.
    pub(crate) replies: Vec<(Caller, Answer)>,
    /// Answers of local services, and who waits for them.
    pub(crate) aws_answers: Vec<(AwsCaller, AwsAnswer)>,
    /// What local services send out.
    pub(crate) deliveries: Vec<Delivery>,
    /// Tasks to be done.
    pub(crate) tasks: Vec<ServiceTask>,
    /// Items to be read.
    pub(crate) reads: Vec<ServiceRead>,
    /// Results to be written.
    pub(crate) writes: Vec<ServiceWrite>,
    /// Tasks, reads and writes whose answers are no longer wanted, some of them just given.
    pub(crate) cancelled: Vec<(ExecutionId, TaskKey)>,
    /// What listeners are told.
    pub(crate) notices: Vec<Notice>,
}

/// What tasks and notices go to.
pub(crate) struct Outside {
    pub(crate) transport: Transport,
    /// What carries calls, and on what.
    pub(crate) runtime: Handle,
    pub(crate) carrier: Carrier,
    /// How often jobs are asked for.
    pub(crate) pace: Pace,
    /// What answers calls here, and sends out what its services deliver.
    pub(crate) local: Local,
    pub(crate) listeners: Vec<Box<dyn Listener>>,
}

/// The way to the writer. It ends when this is dropped, after what was given to it.
#[derive(Debug)]
pub(crate) struct Writer {
    sender: SyncSender<Outcomes>,
    kept: Arc<Kept>,
    thread: JoinHandle<()>,
    /// Frames given to it.
    given: u64,
}

/// How many frames are durable.
#[derive(Debug, Default)]
struct Kept {
    /// Of executions.
    executions: AtomicU64,
    /// Of everything.
    all: AtomicU64,
}

impl Writer {
    /// Gives a store a thread. Answers to tasks go to `answers`.
    pub(crate) fn start(store: Box<dyn Store>, outside: Outside, answers: Answers) -> std::io::Result<Writer> {
        let (sender, outcomes) = sync_channel(QUEUE_MAX);
        let kept = Arc::<Kept>::default();
        let calls = Calls::new(outside.runtime.clone(), answers.clone(), outside.carrier.clone(), outside.pace);
        let work = Work { store, outside, calls, answers, kept: kept.clone(), outcomes };
        let thread = std::thread::Builder::new().name("stepwell-writer".to_owned()).spawn(move || work.run())?;
        Ok(Writer { sender, kept, thread, given: 0 })
    }

    /// Gives it what an input led to. `false` when the writer has broken off.
    pub(crate) fn give(&mut self, outcomes: Outcomes) -> bool {
        self.given += u64::from(outcomes.frame.is_some());
        self.sender.send(outcomes).is_ok()
    }

    /// How many of the frames of executions given to it are durable.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.executions.load(Ordering::Acquire)
    }

    /// Whether everything given to it is durable: what says nothing new may leave at once.
    pub(crate) fn is_even(&self) -> bool {
        self.kept.all.load(Ordering::Acquire) == self.given
    }

    /// Waits until everything given is durable and has left.
    pub(crate) fn end(self) {
        drop(self.sender);
        // That it broke off was said when it did.
        let _ = self.thread.join();
    }
}

struct Work {
    store: Box<dyn Store>,
    outside: Outside,
    calls: Calls,
    answers: Answers,
    kept: Arc<Kept>,
    outcomes: Receiver<Outcomes>,
}

impl Work {
    fn run(mut self) {
        let mut frame_keeper = Keeper::default();
        let mut is_still = true;
        let index = self.store.index();
        let keeper = match IndexKeeper::start(index.clone()) {
            Ok(keeper) => keeper,
            Err(fault) => {
                tracing::error!(%fault, "the index cannot follow the log; nothing is answered");
                return;
            }
        };
        loop {
            let wait = if is_still { Duration::MAX } else { STILL };
            let first = match self.outcomes.recv_timeout(wait) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    is_still = true;
                    keeper.wake();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            is_still = false;
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX {
                let Ok(next) = self.outcomes.try_recv() else { break };
                batch.push(next);
            }
            let frames: Vec<&(u32, NewFrame)> = batch.iter().filter_map(|outcomes| outcomes.frame.as_ref()).collect();
            if let Err(fault) = self.keep(&frames, &mut frame_keeper) {
                tracing::error!(%fault, "what happened cannot be kept; nothing more is answered");
                return;
            }
            let of_executions = frames.iter().filter(|(shard, _)| *shard == SHARD).count();
            self.kept.executions.fetch_add(of_executions as u64, Ordering::Release);
            self.kept.all.fetch_add(frames.len() as u64, Ordering::Release);
            for outcomes in batch {
                self.let_go(outcomes);
            }
            if let Err(fault) = self.store.tend() {
                tracing::error!(%fault, "the store cannot be tended; nothing more is answered");
                return;
            }
            if index.is_behind() {
                keeper.wake();
            }
        }
        keeper.end();
    }

    /// Makes frames durable, each at the end of its shard. Waits for room when the disk is full.
    fn keep(&mut self, frames: &[&(u32, NewFrame)], keeper: &mut Keeper) -> Result<(), String> {
        let mut has_waited = false;
        loop {
            match keeper.keep(&mut *self.store, frames) {
                Ok(()) => break,
                Err(NotKept::Full(fault)) => {
                    if !std::mem::replace(&mut has_waited, true) {
                        tracing::error!(%fault, "waiting for room on the disk; callers wait too");
                    }
                    std::thread::sleep(ROOM_AGAIN);
                }
                Err(NotKept::Broken(fault)) => return Err(fault),
            }
        }
        if has_waited {
            tracing::warn!("there is room on the disk again");
        }
        Ok(())
    }

    /// Everything before it is durable: answers leave, tasks are done, listeners are told.
    fn let_go(&mut self, outcomes: Outcomes) {
        for (caller, answer) in outcomes.replies {
            caller.answer(answer);
        }
        for (caller, answer) in outcomes.aws_answers {
            caller.answer(answer);
        }
        for delivery in outcomes.deliveries {
            self.outside.local.deliver(delivery);
        }
        for task in outcomes.tasks {
            match self.outside.transport.run(&task) {
                Done::Told(commands) => self.answers.send(task.execution, commands),
                Done::Asks(call, destination) => self.calls.begin(task, call, destination),
                Done::Watches => self.calls.watch(task),
                Done::Visits(call) => self.calls.visit(task, *call),
            }
        }
        for read in outcomes.reads {
            match self.outside.transport.read(&read) {
                Carried::Told(command) => self.answers.send(read.task.execution, command.into_iter().collect()),
                Carried::Goes(destination) => self.calls.read(read, destination),
            }
        }
        for write in outcomes.writes {
            match self.outside.transport.write(&write) {
                Carried::Told(command) => self.answers.send(write.task.execution, command.into_iter().collect()),
                Carried::Goes(destination) => self.calls.write(write, destination),
            }
        }
        for (execution, task) in outcomes.cancelled {
            self.calls.cancel(execution, task);
        }
        for notice in &outcomes.notices {
            for listener in self.outside.listeners.iter_mut().filter(|listener| listener.hears().covers(notice)) {
                listener.hear(notice);
            }
        }
    }
}
