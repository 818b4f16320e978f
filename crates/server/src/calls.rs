//! Calls of services on their way: each a task of the runtime, none a thread.
//!
//! How long a task may take is the engine's affair, which takes back the calls of tasks that ran out of time. Whoever is
//! asked and never answers is given up at last all the same.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwell_api::{ServiceTask, is_test};
use stepwell_asl::ResourceKind;
use stepwell_engine::ExecutionId;
use stepwell_integrations::{Task, WebCall, WebKind, outcome_of, place_of, waits_for_job, web_outcome_of};
use stepwell_interpreter::{Chance, Command, Moment, TaskKey};
use stepwell_protocol::AwsCall;
use stepwell_spec::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;

use crate::carrier::{Asker, Carrier};
use crate::endpoints::Destination;
use crate::jobs::{Ended, Pace, Watch};
use crate::shard::Answers;
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
    answers: Answers,
    pace: Pace,
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
        Calls { runtime, carrier, places: BTreeMap::new(), open: Arc::default(), answers, pace }
    }

    /// Makes a task's call.
    pub(crate) fn begin(&mut self, task: ServiceTask, call: AwsCall, destination: Destination) {
        if waits_for_job(Task { request: &task.request, execution: &task.identity }) {
            return self.watch(task, Some((call, destination)));
        }
        let (carrier, asker, key) = (self.carrier.clone(), asker_of(&task), key_of(&task));
        let service = call.service.clone();
        self.spawn(&service, key, async move {
            let answer = carrier.carry(&destination, &call, &asker).await;
            outcome_of(Task { request: &task.request, execution: &task.identity }, answer)
        });
    }

    /// Asks the address a task names.
    pub(crate) fn visit(&mut self, task: ServiceTask, call: WebCall) {
        let (carrier, asker, key) = (self.carrier.clone(), asker_of(&task), key_of(&task));
        let service = match call.kind {
            WebKind::ApiGateway => "apigateway",
            WebKind::Http => "http",
        };
        let answers = self.answers.clone();
        self.spawn(service, key, async move {
            let mut exchange = None;
            let answer = web::visit(&carrier, &call, &asker, &mut exchange).await;
            if let Some(exchange) = exchange.filter(|_| is_test(task.execution)) {
                answers.exchanged(task.execution, exchange);
            }
            web_outcome_of(Task { request: &task.request, execution: &task.identity }, answer)
        });
    }

    /// Starts a task's job, or goes on to ask for one that was started before.
    pub(crate) fn watch(&mut self, task: ServiceTask, start: Option<(AwsCall, Destination)>) {
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
            let ended = watch.run(start).await;
            open.lock().remove(&key);
            match ended {
                Ended::Told(command) => answers.send(execution, vec![command]),
                Ended::Cancelled => {}
            }
        });
    }

    fn places_of(&mut self, service: &str) -> Arc<Semaphore> {
        self.places.entry(service.into()).or_insert_with(|| Arc::new(Semaphore::new(CALLS_MAX))).clone()
    }

    /// Does a task's work when its service has a place for it, and tells its execution what came of it.
    fn spawn(&mut self, service: &str, key: Key, work: impl Future<Output = Command> + Send + 'static) {
        let places = self.places_of(service);
        let (answers, open) = (self.answers.clone(), self.open.clone());
        let work = async move {
            // The semaphore is never closed.
            let place = places.acquire_owned().await;
            let outcome = work.await;
            drop(place);
            open.lock().remove(&key);
            answers.send(key.0, vec![outcome]);
        };
        // Noted before it can end.
        let mut open = self.open.lock();
        open.insert(key, GiveUp::Abort(self.runtime.spawn(work).abort_handle()));
    }

    /// Gives a call up: nobody wants its answer.
    pub(crate) fn cancel(&self, execution: ExecutionId, task: TaskKey) {
        match self.open.lock().remove(&(execution, task)) {
            Some(GiveUp::Abort(call)) => call.abort(),
            // Kept until the job knows.
            Some(GiveUp::Stop(job)) => job.notify_one(),
            None => {}
        }
    }
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
