//! The thread that owns the store: what the service did becomes durable, and only then leaves.
//!
//! While one sync is in flight the next batch gathers, so that a busy server pays one sync for many callers and an idle one
//! waits for nothing.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use stepwell_api::{NewFrame, Notice, SHARD, ServiceRead, ServiceTask, ServiceWrite};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::TaskKey;
use stepwell_store::{Append, Outcome, Row, RowChange, Store, StoreError};
use tokio::runtime::Handle;

use crate::calls::Calls;
use crate::listener::Listener;
use crate::shard::{Answer, Answers, Caller};
use crate::transport::{Carried, Done, Transport};

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
    /// What is to be kept first.
    pub(crate) frame: Option<NewFrame>,
    /// Answers, and who waits for them.
    pub(crate) replies: Vec<(Caller, Answer)>,
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
    /// What carries calls.
    pub(crate) runtime: Handle,
    pub(crate) listeners: Vec<Box<dyn Listener>>,
}

/// The way to the writer. It ends when this is dropped, after what was given to it.
#[derive(Debug)]
pub(crate) struct Writer {
    sender: SyncSender<Outcomes>,
    kept: Arc<AtomicU64>,
    thread: JoinHandle<()>,
    /// Frames given to it.
    given: u64,
}

impl Writer {
    /// Gives a store a thread. Answers to tasks go to `answers`.
    pub(crate) fn start(store: Box<dyn Store>, outside: Outside, answers: Answers) -> std::io::Result<Writer> {
        let (sender, outcomes) = sync_channel(QUEUE_MAX);
        let kept = Arc::new(AtomicU64::new(0));
        let calls = Calls::new(outside.runtime.clone(), answers.clone());
        let work = Work { store, outside, calls, answers, kept: kept.clone(), outcomes };
        let thread = std::thread::Builder::new().name("stepwell-writer".to_owned()).spawn(move || work.run())?;
        Ok(Writer { sender, kept, thread, given: 0 })
    }

    /// Gives it what an input led to. `false` when the writer has broken off.
    pub(crate) fn give(&mut self, outcomes: Outcomes) -> bool {
        self.given += u64::from(outcomes.frame.is_some());
        self.sender.send(outcomes).is_ok()
    }

    /// How many of the frames given to it are durable.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Acquire)
    }

    /// Whether all of them are: what says nothing new may leave at once.
    pub(crate) fn is_even(&self) -> bool {
        self.kept() == self.given
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
    kept: Arc<AtomicU64>,
    outcomes: Receiver<Outcomes>,
}

impl Work {
    fn run(mut self) {
        let tail = self.store.tail(SHARD);
        let (epoch, mut sequence) = (tail.epoch + 1, tail.sequence);
        let mut is_still = true;
        loop {
            let wait = if is_still { Duration::MAX } else { STILL };
            let first = match self.outcomes.recv_timeout(wait) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    is_still = true;
                    self.catch_up();
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
            let frames: Vec<&NewFrame> = batch.iter().filter_map(|outcomes| outcomes.frame.as_ref()).collect();
            if let Err(fault) = self.keep(&frames, epoch, sequence) {
                tracing::error!(%fault, "what happened cannot be kept; nothing more is answered");
                return;
            }
            sequence += frames.len() as u64;
            self.kept.fetch_add(frames.len() as u64, Ordering::Release);
            for outcomes in batch {
                self.let_go(outcomes);
            }
            if let Err(fault) = self.store.tend() {
                tracing::error!(%fault, "the store cannot be tended; nothing more is answered");
                return;
            }
        }
        self.catch_up();
    }

    /// Makes frames durable. Waits for room when the disk is full.
    fn keep(&mut self, frames: &[&NewFrame], epoch: u64, sequence: u64) -> Result<(), String> {
        if frames.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<Row<'_>>> = frames.iter().map(|frame| rows_of(frame)).collect();
        let appends: Vec<Append<'_>> = frames
            .iter()
            .zip(&rows)
            .zip(sequence + 1..)
            .map(|((frame, rows), sequence)| Append {
                shard: SHARD,
                epoch,
                sequence,
                executions: &frame.executions,
                rows,
                payload: &frame.payload,
            })
            .collect();
        let mut outcomes = Vec::with_capacity(appends.len());
        let mut has_waited = false;
        loop {
            match self.store.append_batch(&appends, &mut outcomes) {
                Ok(()) => break,
                Err(fault @ StoreError::Full { .. }) => {
                    if !std::mem::replace(&mut has_waited, true) {
                        tracing::error!(%fault, "waiting for room on the disk; callers wait too");
                    }
                    std::thread::sleep(ROOM_AGAIN);
                }
                Err(fault) => return Err(fault.to_string()),
            }
        }
        if has_waited {
            tracing::warn!("there is room on the disk again");
        }
        match outcomes.iter().find(|outcome| !matches!(outcome, Outcome::Appended { .. })) {
            None => Ok(()),
            Some(outcome) => Err(format!("the store refused a frame: {outcome:?}")),
        }
    }

    /// Everything before it is durable: answers leave, tasks are done, listeners are told.
    fn let_go(&mut self, outcomes: Outcomes) {
        for (caller, answer) in outcomes.replies {
            caller.answer(answer);
        }
        for task in outcomes.tasks {
            match self.outside.transport.run(&task) {
                Done::Told(commands) => self.answers.send(task.execution, commands),
                Done::Asks(call, endpoint) => self.calls.begin(task, call, endpoint),
            }
        }
        for read in outcomes.reads {
            match self.outside.transport.read(&read) {
                Carried::Told(command) => self.answers.send(read.task.execution, command.into_iter().collect()),
                Carried::Goes(endpoint) => self.calls.read(read, endpoint),
            }
        }
        for write in outcomes.writes {
            match self.outside.transport.write(&write) {
                Carried::Told(command) => self.answers.send(write.task.execution, command.into_iter().collect()),
                Carried::Goes(endpoint) => self.calls.write(write, endpoint),
            }
        }
        for (execution, task) in outcomes.cancelled {
            self.calls.cancel(execution, task);
        }
        for notice in &outcomes.notices {
            for listener in &mut self.outside.listeners {
                listener.hear(notice);
            }
        }
    }

    fn catch_up(&self) {
        if let Err(fault) = self.store.index().catch_up() {
            tracing::warn!(%fault, "the index is behind the log; opening will take longer");
        }
    }
}

fn rows_of(frame: &NewFrame) -> Vec<Row<'_>> {
    frame.rows.iter().map(RowChange::row).collect()
}
