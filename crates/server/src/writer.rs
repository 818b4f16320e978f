//! The thread that owns the store: what the service did becomes durable, and only then leaves.
//!
//! While one sync is in flight the next batch gathers, so that a busy server pays one sync for many callers and an idle one
//! waits for nothing. The index follows on a thread of its own.

mod index_keeper;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

use crate::awake::Awake;
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

/// How long to wait before it is looked again whether all that was given is durable.
const SETTLE_AGAIN: Duration = Duration::from_micros(200);

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
    /// Tasks, reads and writes that were given before and whose answers are no longer wanted.
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
    /// Whether there is no room for more.
    is_full: AtomicBool,
}

impl Writer {
    /// Gives a store a thread. Answers to tasks go to `answers`.
    pub(crate) fn start(
        store: Box<dyn Store>,
        outside: Outside,
        answers: Answers,
        awake: Awake,
    ) -> std::io::Result<Writer> {
        let (sender, outcomes) = sync_channel(QUEUE_MAX);
        let kept = Arc::<Kept>::default();
        let calls = Calls::new(outside.runtime.clone(), answers.clone(), outside.carrier.clone(), outside.pace);
        let work = Work { store, outside, calls, answers, awake, kept: kept.clone(), outcomes };
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

    /// Whether there is no room on the disk. What was given before finds room as a rule: some is always kept ready.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.is_full.load(Ordering::Relaxed)
    }

    /// Waits until everything given is durable. `false` when the writer has broken off.
    pub(crate) fn settle(&self) -> bool {
        while !self.is_even() {
            if self.thread.is_finished() {
                return false;
            }
            std::thread::sleep(SETTLE_AGAIN);
        }
        true
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
    awake: Awake,
    kept: Arc<Kept>,
    outcomes: Receiver<Outcomes>,
}

impl Work {
    fn run(mut self) {
        let _farewell = Farewell(self.answers.clone());
        let mut keeper = Keeper::default();
        let mut is_still = true;
        let index = self.store.index();
        let index_keeper = match IndexKeeper::start(index.clone(), self.answers.clone()) {
            Ok(index_keeper) => index_keeper,
            Err(fault) => {
                tracing::error!(%fault, "the index cannot follow the log; nothing is answered");
                return;
            }
        };
        loop {
            let wait = match (self.is_full(), is_still) {
                (true, _) => ROOM_AGAIN,
                (false, false) => STILL,
                (false, true) => Duration::MAX,
            };
            let first = match self.awake.receive(&self.outcomes, wait) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) if self.is_full() => {
                    index_keeper.wake();
                    if !self.tend() {
                        return;
                    }
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {
                    is_still = true;
                    index_keeper.rest(true);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if std::mem::take(&mut is_still) {
                index_keeper.rest(false);
            }
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX {
                let Ok(next) = self.outcomes.try_recv() else { break };
                batch.push(next);
            }
            let frames: Vec<&(u32, NewFrame)> = batch.iter().filter_map(|outcomes| outcomes.frame.as_ref()).collect();
            if let Err(fault) = self.keep(&frames, &mut keeper) {
                tracing::error!(%fault, "what happened cannot be kept; nothing more is answered");
                return;
            }
            let of_executions = frames.iter().filter(|(shard, _)| *shard == SHARD).count();
            self.kept.executions.fetch_add(of_executions as u64, Ordering::Release);
            self.kept.all.fetch_add(frames.len() as u64, Ordering::Release);
            for outcomes in batch {
                self.let_go(outcomes);
            }
            if !self.tend() {
                return;
            }
            if index.is_behind() {
                index_keeper.wake();
            }
        }
        index_keeper.end();
    }

    /// Makes frames durable, each at the end of its shard. Waits for room when the disk is full.
    fn keep(&mut self, frames: &[&(u32, NewFrame)], keeper: &mut Keeper) -> Result<(), String> {
        loop {
            match keeper.keep(&mut *self.store, frames) {
                Ok(()) => break,
                Err(NotKept::Full(_)) => {
                    self.set_full(true);
                    std::thread::sleep(ROOM_AGAIN);
                }
                Err(NotKept::Broken(fault)) => return Err(fault),
            }
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
        // First: what a Map Run reads is given up under the name under which its results are written.
        for (execution, task) in outcomes.cancelled {
            self.calls.cancel(execution, task);
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
        for notice in &outcomes.notices {
            for listener in self.outside.listeners.iter_mut().filter(|listener| listener.hears().covers(notice)) {
                listener.hear(notice);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.kept.is_full.load(Ordering::Relaxed)
    }

    fn set_full(&self, is_full: bool) {
        if self.kept.is_full.swap(is_full, Ordering::Relaxed) == is_full {
            return;
        }
        match is_full {
            true => tracing::error!("there is no room on the disk: what would write is refused until there is"),
            false => tracing::warn!("there is room on the disk again"),
        }
    }

    /// Looks after the store, and whether it has room. `false` when it has failed.
    fn tend(&mut self) -> bool {
        if let Err(fault) = self.store.tend() {
            tracing::error!(%fault, "the store cannot be tended; nothing more is answered");
            return false;
        }
        self.set_full(!self.store.has_room());
        true
    }
}

/// Tells the service when the writer has ended, however that came about: one that is idle would not notice.
struct Farewell(Answers);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.end();
    }
}
