//! One process that runs a function, from its start to its end: what it is told, what it answers, how long it may take.
//!
//! A task tends it. Words of the runtime, orders of the pool, lines of the log and the end of the process all come to this one
//! place, one after the other.

mod api;
mod bootstraps;
mod environment;
mod fence;
mod launch;
mod limits;
mod log;
mod nursery;
mod orphans;
mod sandbox;
mod strays;

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use stepwell_json::Json;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

pub(crate) use environment::{MARKER, Surroundings};
pub(crate) use fence::Fences;
pub(crate) use launch::Launch;
pub(crate) use nursery::Nursery;
pub(crate) use orphans::end_below;
pub(crate) use sandbox::Sandbox;

use crate::clock;
use crate::function::Version;
use crate::names::Key;
use crate::pools::Pools;
use log::Log;

/// How long a runtime may take to become ready, before the time of the invocation begins to count. As on AWS.
const INIT_TIME: Duration = Duration::from_secs(10);

/// How long whoever waits leaves a process that has answered to ask for more, before another one is started.
const TARRY: Duration = Duration::from_millis(50);

/// How often a working process's memory is looked at.
const LOOK_AT_MEMORY: Duration = Duration::from_millis(100);

/// An answer of a function; AWS gives the hundred bytes more.
pub(crate) const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024 + 100;

/// An invocation on its way through a process.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: Arc<str>,
    pub(crate) event: Bytes,
    /// As the caller named it.
    pub(crate) function_arn: Arc<str>,
    pub(crate) client_context: Option<Arc<str>>,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

/// What came of an invocation.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) payload: Bytes,
    /// Whether the payload is the document of an error.
    pub(crate) is_error: bool,
    /// The last of what was logged, with the lines of Lambda around it.
    pub(crate) log_tail: Vec<u8>,
}

/// What comes to whoever tends a process.
#[derive(Debug)]
pub(crate) enum Message {
    /// An invocation to run. Only ready processes get one.
    Invoke(Box<Invocation>),
    /// The end, after what is running.
    Retire,
    /// The end, at once.
    Kill,
    /// The runtime asks for an event.
    Next(oneshot::Sender<Event>),
    /// The runtime answers an invocation; told back is whether it was its turn.
    Answer { request_id: String, answer: Answer, accepted: oneshot::Sender<bool> },
    /// The runtime could not start.
    InitError(Bytes),
}

/// What a runtime says of an invocation.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(Bytes),
    Error(Bytes),
    /// More than an answer may have, and how much.
    TooLarge(u64),
}

/// An event as a runtime gets it.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) request_id: Arc<str>,
    pub(crate) body: Bytes,
    pub(crate) function_arn: Arc<str>,
    pub(crate) client_context: Option<Arc<str>>,
    pub(crate) deadline_ms: i64,
}

/// The document of an error that no runtime made.
pub(crate) fn error_document(error_type: &str, message: &str) -> Bytes {
    let document = Json::object([("errorType", Json::from(error_type)), ("errorMessage", Json::from(message))]);
    Bytes::from(document.to_string())
}

struct Running {
    invocation: Invocation,
    began: Instant,
    is_delivered: bool,
}

/// One process and everything that is known of it.
struct Tended {
    pools: Pools,
    id: u64,
    launch: Arc<Launch>,
    inbox: mpsc::UnboundedReceiver<Message>,
    log: Log,
    group: Option<u32>,
    started: Instant,
    /// How long it took to ask for its first event.
    init: Option<Duration>,
    init_reported: bool,
    init_error: Option<Bytes>,
    polling: Option<oneshot::Sender<Event>>,
    running: Option<Running>,
    deadline: Option<Instant>,
    /// Until when it should have asked for more.
    expected: Option<Instant>,
    is_retiring: bool,
    peak_bytes: u64,
}

/// Why a process is at its end.
enum End {
    Exited(String),
    TimedOut,
    Retired,
}

/// Starts a process and tends it until it is gone.
pub(crate) async fn tend(
    pools: Pools,
    id: u64,
    launch: Arc<Launch>,
    sender: mpsc::UnboundedSender<Message>,
    inbox: mpsc::UnboundedReceiver<Message>,
) {
    let started = Instant::now();
    let mut begun = match launch::begin(&pools, id, &launch, sender).await {
        Ok(begun) => begun,
        Err(reason) => {
            tracing::warn!(function = %launch.key.name, %reason, "a process could not be started");
            let document =
                error_document("Runtime.InvalidEntrypoint", &format!("RequestId: {} Error: {reason}", clock::uuid()));
            pools.failed_to_start(id, document);
            pools.gone(id);
            return;
        }
    };
    let mut tended = Tended {
        log: Log::new(begun.output, &launch.key, &launch.version),
        group: begun.child.id(),
        deadline: Some(started + INIT_TIME + launch.version.timeout()),
        pools,
        id,
        launch,
        inbox,
        started,
        init: None,
        init_reported: false,
        init_error: None,
        polling: None,
        running: None,
        expected: None,
        is_retiring: false,
        peak_bytes: 0,
    };
    let end = tended.run(&mut begun.child).await;
    tended.finish(&mut begun.child, end).await;
    begun.api.abort();
    orphans::end_group(tended.group, begun.held, &begun.private).await;
    tended.pools.gone(id);
}

impl Tended {
    async fn run(&mut self, child: &mut Child) -> End {
        let mut look = tokio::time::interval(LOOK_AT_MEMORY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let deadline = self.deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
            let expected = self.expected.unwrap_or(deadline);
            let is_working = self.running.is_some() || self.init.is_none();
            tokio::select! {
                biased;
                message = self.inbox.recv() => {
                    if let Some(end) = message.and_then(|message| self.take(message)) {
                        return end;
                    }
                }
                status = child.wait() => return End::Exited(exit_text(status)),
                () = tokio::time::sleep_until(deadline), if self.deadline.is_some() => return End::TimedOut,
                () = tokio::time::sleep_until(expected), if self.expected.is_some() => {
                    self.expected = None;
                    self.pools.tarries(self.id);
                }
                _ = look.tick(), if is_working => {
                    if let Some(end) = self.look_at_memory() {
                        return end;
                    }
                }
                // The last, for whoever writes without end keeps it ready.
                () = self.log.read() => {}
            }
        }
    }

    /// Takes one message; the end when it is one.
    fn take(&mut self, message: Message) -> Option<End> {
        match message {
            Message::Kill => return Some(End::Retired),
            Message::Retire => {
                self.is_retiring = true;
                if self.running.is_none() && self.init.is_some() {
                    return Some(End::Retired);
                }
            }
            Message::InitError(document) => self.init_error = Some(document),
            Message::Invoke(invocation) => {
                let now = Instant::now();
                self.deadline = Some(now + self.launch.version.timeout());
                self.log.begin(&invocation.request_id);
                self.running = Some(Running { invocation: *invocation, began: now, is_delivered: false });
                self.deliver();
            }
            Message::Next(asker) => return self.next(asker),
            Message::Answer { request_id, answer, accepted } => {
                let is_due = self.running.as_ref().is_some_and(|running| *running.invocation.request_id == *request_id);
                if is_due {
                    let (payload, is_error) = match answer {
                        Answer::Response(payload) => (payload, false),
                        Answer::Error(document) => (document, true),
                        Answer::TooLarge(bytes) => (too_large(bytes), true),
                    };
                    self.answer(payload, is_error, "");
                }
                // Whoever asked may be gone, and then nobody needs to know.
                let _ = accepted.send(is_due);
            }
        }
        None
    }

    fn next(&mut self, asker: oneshot::Sender<Event>) -> Option<End> {
        if self.init.is_none() {
            self.init = Some(self.started.elapsed());
        }
        self.polling = Some(asker);
        self.expected = None;
        if self.running.as_ref().is_some_and(|running| running.is_delivered) {
            // It asks for more and has not answered: it never will.
            let id = self.running.as_ref().map(|running| running.invocation.request_id.clone()).unwrap_or_default();
            let message =
                format!("RequestId: {id} Error: Runtime asked for the next event without an answer to this one");
            self.answer(error_document("Runtime.InvalidStateTransition", &message), true, "");
        }
        if self.running.is_some() {
            self.deliver();
            return None;
        }
        self.deadline = None;
        if self.is_retiring {
            return Some(End::Retired);
        }
        self.pools.ready(self.id);
        None
    }

    /// Hands the event over, when somebody waits for it. Whoever went away asks again.
    fn deliver(&mut self) {
        let (Some(running), Some(asker)) = (&mut self.running, self.polling.take()) else { return };
        let left = self.launch.version.timeout().saturating_sub(running.began.elapsed());
        let event = Event {
            request_id: running.invocation.request_id.clone(),
            body: running.invocation.event.clone(),
            function_arn: running.invocation.function_arn.clone(),
            client_context: running.invocation.client_context.clone(),
            deadline_ms: clock::wall().0.saturating_add(i64::try_from(left.as_millis()).unwrap_or(i64::MAX)),
        };
        running.is_delivered = asker.send(event).is_ok();
    }

    /// Ends the invocation that runs.
    fn answer(&mut self, payload: Bytes, is_error: bool, last_words: &str) {
        let Some(Running { invocation, began, .. }) = self.running.take() else { return };
        if let Some(group) = self.group {
            self.peak_bytes = self.peak_bytes.max(limits::peak_bytes(group));
        }
        self.log.drain();
        if !last_words.is_empty() {
            self.log.say(last_words);
        }
        let init = self.init.filter(|_| !std::mem::replace(&mut self.init_reported, true));
        let version = &self.launch.version;
        let log_tail = self.log.end(&report(&invocation.request_id, began.elapsed(), init, version, self.peak_bytes));
        self.expected = Some(Instant::now() + TARRY);
        self.pools.answered(self.id);
        // Whoever asked may be gone.
        let _ = invocation.answer.send(Outcome { payload, is_error, log_tail });
    }

    fn look_at_memory(&mut self) -> Option<End> {
        let limit = limits::resident_bytes_max(&self.launch.version);
        let taken = limits::taken(self.group?);
        self.peak_bytes = self.peak_bytes.max(taken.bytes);
        let is_too_much = taken.bytes > limit || taken.processes > fence::PROCESSES_MAX;
        is_too_much.then(|| End::Exited("signal: killed".to_owned()))
    }

    /// Tells whoever waits, and ends what is left of the process.
    async fn finish(&mut self, child: &mut Child, end: End) {
        orphans::kill_group(self.group);
        // Reaped here, and killed when even that fails and it is dropped.
        if let Err(error) = child.wait().await {
            tracing::warn!(%error, "a process could not be waited for");
        }
        self.log.drain();
        let id = match &self.running {
            Some(running) => running.invocation.request_id.clone(),
            None => clock::uuid().into(),
        };
        let timeout = self.launch.version.timeout().as_secs_f64();
        let document = match &end {
            End::TimedOut => error_document(
                "Sandbox.Timedout",
                &format!("{} {id} Task timed out after {timeout:.2} seconds", clock::wall()),
            ),
            End::Exited(how) => self.init_error.clone().unwrap_or_else(|| {
                error_document("Runtime.ExitError", &format!("RequestId: {id} Error: Runtime exited with error: {how}"))
            }),
            End::Retired => {
                error_document("Runtime.ExitError", &format!("RequestId: {id} Error: Lambda is shutting down"))
            }
        };
        let last_words = match &end {
            End::TimedOut => format!("{} {id} Task timed out after {timeout:.2} seconds", clock::wall()),
            End::Exited(how) => format!("RequestId: {id} Error: Runtime exited with error: {how}\nRuntime.ExitError"),
            End::Retired => String::new(),
        };
        match (&self.running, self.init) {
            (Some(_), _) => self.answer(document, true, &last_words),
            (None, None) if !matches!(end, End::Retired) => self.pools.failed_to_start(self.id, document),
            (None, _) => {}
        }
        // What was given to it between its end and this belongs to the next process.
        self.inbox.close();
        while let Ok(message) = self.inbox.try_recv() {
            if let Message::Invoke(invocation) = message {
                self.pools.again(self.id, *invocation);
            }
        }
    }
}

fn too_large(bytes: u64) -> Bytes {
    let limit = ANSWER_BYTES_MAX;
    error_document(
        "Function.ResponseSizeTooLarge",
        &format!("Response payload size ({bytes} bytes) exceeded maximum allowed payload size ({limit} bytes)."),
    )
}

/// The line Lambda logs after each invocation.
fn report(id: &str, took: Duration, init: Option<Duration>, version: &Version, peak_bytes: u64) -> String {
    let milliseconds = took.as_secs_f64() * 1000.0;
    let init = init.map(|init| format!("Init Duration: {:.2} ms\t", init.as_secs_f64() * 1000.0)).unwrap_or_default();
    format!(
        "REPORT RequestId: {id}\tDuration: {milliseconds:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory \
         Used: {} MB\t{init}",
        milliseconds.ceil(),
        version.memory_megabytes(),
        peak_bytes.div_ceil(1024 * 1024)
    )
}

fn exit_text(status: std::io::Result<std::process::ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(0), _) => "exit status 0".to_owned(),
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("signal: {}", signal_name(signal)),
            (None, None) => "unknown".to_owned(),
        },
        Err(error) => error.to_string(),
    }
}

/// Signals as Lambda names them.
fn signal_name(signal: i32) -> String {
    let known = [
        (4, "illegal instruction"),
        (6, "aborted"),
        (7, "bus error"),
        (8, "floating point exception"),
        (9, "killed"),
        (11, "segmentation fault"),
        (15, "terminated"),
        (25, "file size limit exceeded"),
    ];
    let name = known.iter().find(|(number, _)| *number == signal);
    name.map_or_else(|| signal.to_string(), |(_, name)| (*name).to_owned())
}

/// The pool a process belongs to: a version at a revision, and which state of its directory it saw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PoolId {
    pub(crate) key: Key,
    pub(crate) version: Arc<str>,
    pub(crate) revision: Arc<str>,
    pub(crate) generation: u64,
}
