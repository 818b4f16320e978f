//! Which processes there are, what each does, and who waits for one.
//!
//! A process runs one invocation at a time. It is started when more wait for its version than are already starting, while
//! there is room; where there is none, the process that was idle for the longest time makes room. What no process is free for
//! waits, in the order it came.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::function::Function;
use crate::names::Key;
use crate::process::{self, Invocation, Launch, Message, Outcome, PoolId, error_document};
use crate::settings::LambdaSettings;

/// How long all processes together may take to end.
const SHUT_DOWN_TIME: Duration = Duration::from_secs(20);

/// Every process of a server.
#[derive(Clone)]
pub(crate) struct Pools(Arc<Inner>);

struct Inner {
    runtime: Handle,
    processes_max: usize,
    starting_max: usize,
    idle: Duration,
    state: Mutex<State>,
    /// Told whenever a process is gone.
    gone: Notify,
}

#[derive(Default)]
struct State {
    pools: BTreeMap<PoolId, Pool>,
    processes: BTreeMap<u64, Process>,
    /// Numbers processes and invocations, in the order they come.
    next: u64,
    is_closed: bool,
}

struct Pool {
    launch: Arc<Launch>,
    waiting: VecDeque<(u64, Invocation)>,
    /// Free processes; the last one worked last.
    idle: Vec<u64>,
    is_retired: bool,
}

#[derive(Debug)]
struct Process {
    pool: PoolId,
    inbox: mpsc::UnboundedSender<Message>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Idle(Instant),
    Busy,
    /// It has answered, and will ask for more at once.
    Answered,
    Ending,
}

impl Pools {
    pub(crate) fn new(runtime: Handle, settings: &LambdaSettings) -> Pools {
        let pools = Pools(Arc::new(Inner {
            runtime,
            processes_max: settings.processes_max.max(1),
            starting_max: settings.starting_max.max(1),
            idle: settings.idle,
            state: Mutex::default(),
            gone: Notify::new(),
        }));
        let weak = Arc::downgrade(&pools.0);
        let pause = (settings.idle / 4).clamp(Duration::from_millis(50), Duration::from_secs(30));
        pools.0.runtime.spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                match weak.upgrade() {
                    Some(inner) => Pools(inner).end_idle(),
                    None => return,
                }
            }
        });
        pools
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    /// Runs an invocation on a process of this pool, as soon as one is free.
    pub(crate) fn invoke(&self, id: PoolId, launch: impl FnOnce() -> Arc<Launch>, invocation: Invocation) {
        let mut state = self.lock();
        if state.is_closed {
            return refuse(invocation);
        }
        state.next += 1;
        let number = state.next;
        let pool = state.pools.entry(id.clone()).or_insert_with(|| Pool {
            launch: launch(),
            waiting: VecDeque::new(),
            idle: Vec::new(),
            is_retired: false,
        });
        pool.waiting.push_back((number, invocation));
        self.settle(&mut state, &id);
    }

    /// Whether a pool of this name is there: whoever asks need not find out how to start one.
    pub(crate) fn launch_of(&self, id: &PoolId) -> Option<Arc<Launch>> {
        self.lock().pools.get(id).map(|pool| pool.launch.clone())
    }

    /// A process asks for work.
    pub(crate) fn ready(&self, process: u64) {
        let mut state = self.lock();
        let Some(entry) = state.processes.get_mut(&process) else { return };
        if entry.phase == Phase::Ending {
            return;
        }
        entry.phase = Phase::Idle(Instant::now());
        let id = entry.pool.clone();
        if let Some(pool) = state.pools.get_mut(&id) {
            pool.idle.push(process);
        }
        self.settle(&mut state, &id);
        let retired = state.pools.get(&id).is_none_or(|pool| pool.is_retired);
        if retired && state.is_idle(process) {
            state.end(process);
        }
    }

    /// A process has answered. Who comes now waits for it rather than for a new one.
    pub(crate) fn answered(&self, process: u64) {
        if let Some(entry) = self.lock().processes.get_mut(&process).filter(|entry| entry.phase == Phase::Busy) {
            entry.phase = Phase::Answered;
        }
    }

    /// A process has answered and does not ask for more: it is not waited for any longer.
    pub(crate) fn tarries(&self, process: u64) {
        let mut state = self.lock();
        let Some(entry) = state.processes.get_mut(&process).filter(|entry| entry.phase == Phase::Answered) else {
            return;
        };
        entry.phase = Phase::Busy;
        let id = entry.pool.clone();
        self.settle(&mut state, &id);
    }

    /// A process ended without having taken this.
    pub(crate) fn again(&self, process: u64, invocation: Invocation) {
        let mut state = self.lock();
        let Some(id) = state.processes.get(&process).map(|entry| entry.pool.clone()) else { return refuse(invocation) };
        if state.is_closed {
            return refuse(invocation);
        }
        if let Some(pool) = state.pools.get_mut(&id) {
            pool.waiting.push_front((0, invocation));
        }
        // Another one starts when this one is gone.
    }

    /// A process did not come as far as asking for work. Who waited when it began gets to know why; who came since may have
    /// more luck with the next.
    pub(crate) fn failed_to_start(&self, process: u64, document: Bytes) {
        let mut state = self.lock();
        let Some(id) = state.processes.get(&process).map(|entry| entry.pool.clone()) else { return };
        let Some(pool) = state.pools.get_mut(&id) else { return };
        let (waited, since): (VecDeque<_>, VecDeque<_>) =
            pool.waiting.drain(..).partition(|(number, _)| *number < process);
        pool.waiting = since;
        drop(state);
        for (_, invocation) in waited {
            let outcome = Outcome { payload: document.clone(), is_error: true, log_tail: Vec::new() };
            // Whoever asked may be gone.
            let _ = invocation.answer.send(outcome);
        }
    }

    /// A process is gone, and everything that was its.
    pub(crate) fn gone(&self, process: u64) {
        let mut state = self.lock();
        if let Some(entry) = state.processes.remove(&process) {
            if let Some(pool) = state.pools.get_mut(&entry.pool) {
                pool.idle.retain(|idle| *idle != process);
            }
            self.settle(&mut state, &entry.pool);
            state.forget_empty(&entry.pool);
        }
        drop(state);
        self.0.gone.notify_waiters();
    }

    /// Ends the processes of versions a function does not have any more, when they have done what they do.
    pub(crate) fn keep_only(&self, key: &Key, function: Option<&Function>) {
        let is_current = |id: &PoolId| {
            let version = function.and_then(|function| function.version(&id.version));
            version.is_some_and(|version| version.revision == id.revision)
        };
        self.retire(|id| id.key == *key && !is_current(id));
    }

    /// Ends the processes of pools, when they have done what they do.
    pub(crate) fn retire(&self, is_retired: impl Fn(&PoolId) -> bool) {
        let mut state = self.lock();
        let ids: Vec<PoolId> = state.pools.keys().filter(|id| is_retired(id)).cloned().collect();
        for id in ids {
            if let Some(pool) = state.pools.get_mut(&id) {
                pool.is_retired = true;
            }
            let of_pool: Vec<u64> =
                state.processes.iter().filter(|(_, entry)| entry.pool == id).map(|(id, _)| *id).collect();
            for process in of_pool {
                if state.is_idle(process) {
                    state.end(process);
                }
            }
        }
    }

    /// How many processes live.
    pub(crate) fn count(&self) -> usize {
        self.lock().processes.len()
    }

    /// Ends every process, and waits until none is left.
    pub(crate) async fn shut_down(&self) {
        {
            let mut state = self.lock();
            state.is_closed = true;
            let waiting: Vec<_> = state.pools.values_mut().flat_map(|pool| pool.waiting.drain(..)).collect();
            for entry in state.processes.values_mut() {
                entry.phase = Phase::Ending;
                // One that does not listen any more is ending.
                let _ = entry.inbox.send(Message::Kill);
            }
            drop(state);
            waiting.into_iter().for_each(|(_, invocation)| refuse(invocation));
        }
        let all_gone = async {
            loop {
                let gone = self.0.gone.notified();
                tokio::pin!(gone);
                gone.as_mut().enable();
                if self.count() == 0 {
                    return;
                }
                gone.await;
            }
        };
        if tokio::time::timeout(SHUT_DOWN_TIME, all_gone).await.is_err() {
            tracing::warn!(left = self.count(), "processes of functions do not end");
        }
    }

    fn end_idle(&self) {
        let mut state = self.lock();
        let limit = self.0.idle;
        let is_old = |entry: &Process| matches!(entry.phase, Phase::Idle(since) if since.elapsed() >= limit);
        let old: Vec<u64> = state.processes.iter().filter(|(_, entry)| is_old(entry)).map(|(id, _)| *id).collect();
        old.into_iter().for_each(|process| state.end(process));
    }

    /// Hands work of a pool to its free processes, and starts what is missing, here and wherever else somebody waits.
    fn settle(&self, state: &mut State, id: &PoolId) {
        state.hand_over(id);
        while !state.is_closed {
            let starting = state.processes.values().filter(|entry| entry.phase == Phase::Starting).count();
            let Some(id) = state.most_urgent() else { return };
            let has_none = !state.processes.values().any(|entry| entry.pool == id && entry.phase != Phase::Ending);
            if starting >= self.0.starting_max && !has_none {
                return;
            }
            if state.processes.len() >= self.0.processes_max {
                let is_ending = state.processes.values().any(|entry| entry.phase == Phase::Ending);
                if !is_ending || has_none {
                    state.end_longest_idle();
                }
                // A pool without any process gets one even where there is no room: the others may be waiting for it.
                if !has_none {
                    return;
                }
            }
            self.start(state, id);
        }
    }

    fn start(&self, state: &mut State, pool: PoolId) {
        let Some(launch) = state.pools.get(&pool).map(|pool| pool.launch.clone()) else { return };
        state.next += 1;
        let id = state.next;
        let (sender, inbox) = mpsc::unbounded_channel();
        state.processes.insert(id, Process { pool, inbox: sender.clone(), phase: Phase::Starting });
        self.0.runtime.spawn(process::tend(self.clone(), id, launch, sender, inbox));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What is done under it is whole steps, and none of them panics on what a function does.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_idle(&self, process: u64) -> bool {
        self.processes.get(&process).is_some_and(|entry| matches!(entry.phase, Phase::Idle(_)))
    }

    fn hand_over(&mut self, id: &PoolId) {
        let Some(pool) = self.pools.get_mut(id) else { return };
        while !pool.waiting.is_empty() {
            let Some(process) = pool.idle.pop() else { return };
            let Some(entry) = self.processes.get_mut(&process) else { continue };
            let Some((number, invocation)) = pool.waiting.pop_front() else { return };
            entry.phase = Phase::Busy;
            // One that ended meanwhile does not take it.
            if let Err(mpsc::error::SendError(Message::Invoke(invocation))) =
                entry.inbox.send(Message::Invoke(Box::new(invocation)))
            {
                entry.phase = Phase::Ending;
                pool.waiting.push_front((number, *invocation));
            }
        }
    }

    /// The pool where more wait than will soon be free and the first has waited for the longest time.
    fn most_urgent(&self) -> Option<PoolId> {
        let soon = |id: &PoolId| {
            let is_soon =
                |entry: &&Process| matches!(entry.phase, Phase::Starting | Phase::Answered) && entry.pool == *id;
            self.processes.values().filter(is_soon).count()
        };
        let waits = |(id, pool): &(&PoolId, &Pool)| !pool.waiting.is_empty() && pool.waiting.len() > soon(id);
        let longest =
            self.pools.iter().filter(waits).min_by_key(|(_, pool)| pool.waiting.front().map(|(number, _)| *number));
        longest.map(|(id, _)| id.clone())
    }

    fn end_longest_idle(&mut self) {
        let since = |entry: &Process| match entry.phase {
            Phase::Idle(since) => Some(since),
            Phase::Starting | Phase::Busy | Phase::Answered | Phase::Ending => None,
        };
        let idle = self.processes.iter().filter_map(|(id, entry)| Some((since(entry)?, *id)));
        if let Some((_, process)) = idle.min() {
            self.end(process);
        }
    }

    /// Ends a process that is free.
    fn end(&mut self, process: u64) {
        let Some(entry) = self.processes.get_mut(&process) else { return };
        entry.phase = Phase::Ending;
        // One that does not listen any more is ending.
        let _ = entry.inbox.send(Message::Retire);
        if let Some(pool) = self.pools.get_mut(&entry.pool) {
            pool.idle.retain(|idle| *idle != process);
        }
    }

    fn forget_empty(&mut self, id: &PoolId) {
        let is_empty = self.pools.get(id).is_some_and(|pool| pool.waiting.is_empty());
        if is_empty && !self.processes.values().any(|entry| entry.pool == *id) {
            self.pools.remove(id);
        }
    }
}

/// Tells whoever asked that there is no Lambda any more.
fn refuse(invocation: Invocation) {
    let message = format!("RequestId: {} Error: Lambda is shutting down", invocation.request_id);
    let payload = error_document("Runtime.ExitError", &message);
    let _ = invocation.answer.send(Outcome { payload, is_error: true, log_tail: Vec::new() });
}
