//! Calls of services on their way: each a task of the runtime, none a thread.
//!
//! How long a task may take is the engine's affair, which takes back the calls of tasks that ran out of time. Whoever is
//! asked and never answers is given up at last all the same.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stepwell_api::{ServiceRead, ServiceTask, ServiceWrite, is_test};
use stepwell_asl::ResourceKind;
use stepwell_engine::ExecutionId;
use stepwell_integrations::{
    Question, ReadOn, Reading, Seeking, Sought, Task, WebCall, WebKind, Writing, outcome_of, place_of, waits_for_job,
    web_outcome_of,
};
use stepwell_interpreter::{Chance, Command, Failure, Moment, TaskKey};
use stepwell_protocol::{AwsAnswer, AwsCall, AwsError, Fault};
use stepwell_spec::{Timestamp, error};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;

use crate::carrier::{Asker, Carrier};
use crate::endpoints::Destination;
use crate::jobs::{Ended, Pace, Start, Watch};
use crate::shard::Answers;
use crate::shield::shielded;
use crate::web;

/// Calls of one service at a time; more wait. Each has a connection, and of the 1,024 descriptors that a process may
/// usually have, clients need the most. By service, so that one which hangs keeps nobody out of another.
const CALLS_MAX: usize = 256;

/// Which call.
type Key = (ExecutionId, TaskKey);

/// Calls that are on their way.
#[derive(Debug)]
pub(crate) struct Calls {
    runtime: Handle,
    carrier: Carrier,
    places: BTreeMap<Arc<str>, Arc<Semaphore>>,
    open: Arc<Open>,
    readings: Arc<Readings>,
    answers: Answers,
    pace: Pace,
}

/// Items of Map Runs of which a part was read: where the next part is looked for first. What is not there is begun anew at
/// its place.
#[derive(Debug, Default)]
struct Readings(Mutex<BTreeMap<Key, Reading>>);

impl Readings {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How to give up each of them.
#[derive(Debug, Default)]
struct Open(Mutex<BTreeMap<Key, GiveUp>>);

/// How one call is given up.
#[derive(Debug)]
enum GiveUp {
    /// Its answer is not waited for.
    Abort(AbortHandle),
    /// The job it began is stopped.
    Stop(Arc<Notify>),
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, GiveUp>> {
        // Whoever broke off in the middle left the map whole: it does one thing with it at a time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    /// Calls that a runtime makes, and whose answers go this way.
    pub(crate) fn new(runtime: Handle, answers: Answers, carrier: Carrier, pace: Pace) -> Calls {
        Calls {
            runtime,
            carrier,
            places: BTreeMap::new(),
            open: Arc::default(),
            readings: Arc::default(),
            answers,
            pace,
        }
    }

    /// Makes a task's call.
    pub(crate) fn begin(&mut self, task: ServiceTask, call: AwsCall, destination: Destination) {
        if waits_for_job(Task { request: &task.request, execution: &task.identity }) {
            return self.begin_watch(task, Start::Asks(Question::Service(call), Some(destination)));
        }
        let (carrier, asker, key) = (self.carrier.clone(), asker_of(&task), key_of(&task));
        let service = call.service.clone();
        self.spawn(
            &service,
            key,
            async move {
                let answer = make(&carrier, &destination, call, &asker).await;
                outcome_of(Task { request: &task.request, execution: &task.identity }, answer)
            },
            task_failed,
        );
    }

    /// Asks the address a task names.
    pub(crate) fn visit(&mut self, task: ServiceTask, call: WebCall) {
        if waits_for_job(Task { request: &task.request, execution: &task.identity }) {
            return self.begin_watch(task, Start::Asks(Question::Address(Box::new(call)), None));
        }
        let (carrier, asker, key) = (self.carrier.clone(), asker_of(&task), key_of(&task));
        let service = match call.kind {
            WebKind::ApiGateway => "apigateway",
            WebKind::Http => "http",
            WebKind::Kubernetes => "eks",
        };
        let answers = self.answers.clone();
        self.spawn(
            service,
            key,
            async move {
                let mut exchange = None;
                let answer = web::visit(&carrier, &call, &asker, &mut exchange).await;
                if let Some(exchange) = exchange.filter(|_| is_test(task.execution)) {
                    answers.exchanged(task.execution, exchange);
                }
                web_outcome_of(Task { request: &task.request, execution: &task.identity }, answer)
            },
            task_failed,
        );
    }

    /// Goes on to ask for a job that was started before.
    pub(crate) fn watch(&mut self, task: ServiceTask) {
        self.begin_watch(task, Start::Begun);
    }

    fn begin_watch(&mut self, task: ServiceTask, start: Start) {
        let key = key_of(&task);
        let service = match &task.request.resource.kind {
            ResourceKind::Integration(integration) => integration.resource_type.clone(),
            ResourceKind::LambdaFunction | ResourceKind::Activity => "lambda".into(),
        };
        let cancelled = Arc::new(Notify::new());
        if let Entry::Vacant(place) = self.open.lock().entry(key) {
            place.insert(GiveUp::Stop(cancelled.clone()));
        } else {
            // An execution that came back from the store has its job asked for already.
            return;
        }
        let watch = Watch {
            asker: asker_of(&task),
            task,
            carrier: self.carrier.clone(),
            places: self.places_of(&service),
            answers: self.answers.clone(),
            cancelled,
            pace: self.pace,
        };
        let (open, answers, execution) = (self.open.clone(), self.answers.clone(), watch.execution());
        self.runtime.spawn(async move {
            let ended = shielded(watch.run(start)).await;
            open.lock().remove(&key);
            match ended {
                Ok(Ended::Told(command)) => answers.send(execution, vec![command]),
                Ok(Ended::Cancelled) => {}
                Err(because) => answers.send(execution, vec![task_failed(key.1, failure_of_ours(&because))]),
            }
        });
    }

    /// Reads the next items of a Map Run.
    pub(crate) fn read(&mut self, read: ServiceRead, destination: Destination) {
        let ServiceRead { task, request } = read;
        let (carrier, asker, key) = (self.carrier.clone(), asker_of(&task), key_of(&task));
        let readings = self.readings.clone();
        self.begin_anew(key);
        let kept = self.readings.lock().remove(&key).filter(|kept| kept.is_at(request.from.as_ref()));
        self.spawn(
            "s3",
            key,
            async move {
                let map_run = request.task.key;
                let part = async {
                    let mut reading = match kept {
                        Some(kept) => kept,
                        None => Reading::new(&request)?,
                    };
                    loop {
                        match reading.read_on() {
                            ReadOn::Asks(call) => {
                                reading.take(carry_again(&carrier, &destination, &call, &asker).await)?;
                            }
                            ReadOn::Part { items, next } => {
                                if next.is_some() {
                                    readings.lock().insert(key, reading);
                                }
                                return Ok((items, next));
                            }
                            ReadOn::Failed(failure) => return Err(failure),
                        }
                    }
                };
                match part.await {
                    Ok((items, next)) => Command::ItemsRead { map_run, from: request.from.clone(), items, next },
                    Err(Failure { error, cause, .. }) => Command::ItemsFailed { map_run, error, cause },
                }
            },
            |map_run, Failure { error, cause, .. }| Command::ItemsFailed { map_run, error, cause },
        );
    }

    /// Writes the results of a Map Run.
    pub(crate) fn write(&mut self, write: ServiceWrite, destination: Destination) {
        let ServiceWrite { task, request, results } = write;
        let (carrier, asker, key) = (self.carrier.clone(), asker_of(&task), key_of(&task));
        let broken_off = request.clone();
        self.begin_anew(key);
        self.spawn(
            "s3",
            key,
            async move {
                let mut writing = Writing::new(request.clone(), results);
                let mut outcome = Ok(());
                while outcome.is_ok()
                    && let Some(call) = writing.next_call()
                {
                    outcome = writing.take(carry_again(&carrier, &destination, &call, &asker).await);
                }
                request.written(outcome)
            },
            move |_, failure| broken_off.written(Err(failure)),
        );
    }

    /// Gives up what is being read or written under this name: what is asked for now is what is waited for, and after a service was
    /// opened again that may be another part. It does no harm to begin it twice.
    fn begin_anew(&self, key: Key) {
        if let Some(GiveUp::Abort(call)) = self.open.lock().remove(&key) {
            call.abort();
        }
    }

    fn places_of(&mut self, service: &str) -> Arc<Semaphore> {
        self.places.entry(service.into()).or_insert_with(|| Arc::new(Semaphore::new(CALLS_MAX))).clone()
    }

    /// Does a task's work when its service has a place for it, and tells its execution what came of it.
    /// `broken_off` is what it is told when the work panics.
    fn spawn(
        &mut self,
        service: &str,
        key: Key,
        work: impl Future<Output = Command> + Send + 'static,
        broken_off: impl FnOnce(TaskKey, Failure) -> Command + Send + 'static,
    ) {
        let places = self.places_of(service);
        let (answers, open) = (self.answers.clone(), self.open.clone());
        let work = async move {
            // The semaphore is never closed.
            let place = places.acquire_owned().await;
            let outcome = shielded(work).await.unwrap_or_else(|because| broken_off(key.1, failure_of_ours(&because)));
            drop(place);
            open.lock().remove(&key);
            answers.send(key.0, vec![outcome]);
        };
        // Noted before it can end.
        let mut open = self.open.lock();
        // A service that was opened again asks again for what is on its way.
        if open.contains_key(&key) {
            return;
        }
        open.insert(key, GiveUp::Abort(self.runtime.spawn(work).abort_handle()));
    }

    /// Gives a call up: nobody wants its answer.
    pub(crate) fn cancel(&self, execution: ExecutionId, task: TaskKey) {
        self.readings.lock().remove(&(execution, task));
        match self.open.lock().remove(&(execution, task)) {
            Some(GiveUp::Abort(call)) => call.abort(),
            // Kept until the job knows.
            Some(GiveUp::Stop(job)) => job.notify_one(),
            None => {}
        }
    }
}

/// Makes a call, and before it what has to be asked for it.
async fn make(carrier: &Carrier, destination: &Destination, call: AwsCall, asker: &Asker) -> AwsAnswer {
    let mut seeking = Seeking::new(call);
    loop {
        match seeking.next_call() {
            Sought::Ready(call) => return carrier.carry(destination, &call, asker).await,
            Sought::Asks(call) => seeking.take(carrier.carry(destination, &call, asker).await)?,
        }
    }
}

/// How often one call of many is made at most.
const TIMES_ASKED: u32 = 3;

/// Makes one call of many: what fails on the way, or at a service that is not well, is asked for again, as AWS's own client
/// does. Nothing of what is asked here does harm when it is done twice.
async fn carry_again(carrier: &Carrier, destination: &Destination, call: &AwsCall, asker: &Asker) -> AwsAnswer {
    let mut wait = Duration::from_millis(100);
    for _ in 1..TIMES_ASKED {
        match carrier.carry(destination, call, asker).await {
            Err(AwsError { fault: Fault::Unreached | Fault::Server, .. }) => tokio::time::sleep(wait).await,
            answer => return answer,
        }
        wait *= 2;
    }
    carrier.carry(destination, call, asker).await
}

/// What a task comes to when what does it here panics.
fn failure_of_ours(because: &str) -> Failure {
    tracing::error!(because, "a panic in a task's call; please report this");
    let cause = format!("A fault of Stepwell was met when this was done: {because}");
    Failure::new(error::TASK_FAILED, cause)
}

fn task_failed(task: TaskKey, failure: Failure) -> Command {
    Command::TaskFailed { task, error: failure.error, cause: failure.cause }
}

fn key_of(task: &ServiceTask) -> Key {
    (task.execution, task.request.key)
}

/// Who makes a task's call.
fn asker_of(task: &ServiceTask) -> Asker {
    let TaskKey { thread, scheduled_event_id } = task.request.key;
    let entropy = [task.execution.0, u64::from(thread.0), scheduled_event_id]
        .into_iter()
        .fold(0, |seed, number| Chance::new(Moment { now: Timestamp(0), entropy: seed ^ number }).draw());
    let place = place_of(Task { request: &task.request, execution: &task.identity });
    Asker { place, role_arn: task.request.role_arn.clone(), entropy }
}
