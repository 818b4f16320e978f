//! Calls of services on their way: each a task of the runtime, none a thread.
//!
//! How long a task may take is the engine's affair, which takes back the calls of tasks that ran out of time. Whoever is
//! asked and never answers is given up at last all the same.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use stepwell_api::{ServiceRead, ServiceTask, ServiceWrite};
use stepwell_engine::ExecutionId;
use stepwell_integrations::{Progress, Reading, Task, Writing, outcome_of};
use stepwell_interpreter::{Chance, Command, Failure, Moment, TaskKey};
use stepwell_json::Json;
use stepwell_protocol::{
    AwsAnswer, AwsCall, AwsError, Fault, HttpAnswer, Keys, Operation, Payload, Scope, Service, decode_response,
    encode_request, sign,
};
use stepwell_spec::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use crate::clock;
use crate::endpoints::Endpoint;
use crate::shard::Answers;

/// Calls of one service at a time; more wait. Each has a connection, and of the 1,024 descriptors that a process may
/// usually have, clients need the most. By service, so that one which hangs keeps nobody out of another.
const CALLS_MAX: usize = 256;

/// How long a connection may take to come about, as AWS's own client has it.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long an answer may take: no function runs for more than fifteen minutes.
const ANSWER_TIME: Duration = Duration::from_secs(15 * 60 + 30);

/// The largest answer that is read. Lambda has none beyond 6 MB, and no task may have a result of a twentieth of that.
const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024 + 64 * 1024;

/// Which call.
type Key = (ExecutionId, TaskKey);

/// Calls that are on their way.
#[derive(Debug)]
pub(crate) struct Calls {
    runtime: Handle,
    client: Client<HttpConnector, Full<Bytes>>,
    places: BTreeMap<Arc<str>, Arc<Semaphore>>,
    open: Arc<Open>,
    readings: Arc<Readings>,
    answers: Answers,
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
struct Open(Mutex<BTreeMap<Key, AbortHandle>>);

impl Open {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, AbortHandle>> {
        // Whoever broke off in the middle left the map whole: it does one thing with it at a time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    /// Calls that a runtime makes, and whose answers go this way.
    pub(crate) fn new(runtime: Handle, answers: Answers) -> Calls {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIME));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Calls { runtime, client, places: BTreeMap::new(), open: Arc::default(), readings: Arc::default(), answers }
    }

    /// Makes a task's call.
    pub(crate) fn begin(&mut self, task: ServiceTask, call: AwsCall, endpoint: Endpoint) {
        let key = (task.execution, task.request.key);
        let places = self.places_of(&call.service);
        let (client, answers, open) = (self.client.clone(), self.answers.clone(), self.open.clone());
        let asker = Asker::of(&task);
        let work = async move {
            // The semaphore is never closed.
            let place = places.acquire_owned().await;
            let answer = carry(&client, &endpoint, &call, &asker).await;
            drop(place);
            let outcome = outcome_of(Task { request: &task.request, execution: &task.identity }, answer);
            open.lock().remove(&key);
            answers.send(task.execution, vec![outcome]);
        };
        self.spawn(key, work);
    }

    /// Reads the next items of a Map Run.
    pub(crate) fn read(&mut self, read: ServiceRead, endpoint: Endpoint) {
        let ServiceRead { task, request } = read;
        let key = (task.execution, task.request.key);
        let places = self.places_of("s3");
        let (client, answers, open) = (self.client.clone(), self.answers.clone(), self.open.clone());
        let readings = self.readings.clone();
        let kept = self.readings.lock().remove(&key).filter(|kept| kept.is_at(request.from.as_ref()));
        let asker = Asker::of(&task);
        let work = async move {
            let map_run = request.task.key;
            let part = async {
                let mut reading = match kept {
                    Some(kept) => kept,
                    None => Reading::new(&request)?,
                };
                loop {
                    match reading.read_on() {
                        Progress::Asks(call) => {
                            // The semaphore is never closed.
                            let place = places.clone().acquire_owned().await;
                            let answer = carry_again(&client, &endpoint, &call, &asker).await;
                            drop(place);
                            reading.take(answer)?;
                        }
                        Progress::Part { items, next } => {
                            if next.is_some() {
                                readings.lock().insert(key, reading);
                            }
                            return Ok((items, next));
                        }
                        Progress::Failed(failure) => return Err(failure),
                    }
                }
            };
            let command = match part.await {
                Ok((items, next)) => Command::ItemsRead { map_run, from: request.from.clone(), items, next },
                Err(Failure { error, cause, .. }) => Command::ItemsFailed { map_run, error, cause },
            };
            open.lock().remove(&key);
            answers.send(task.execution, vec![command]);
        };
        self.spawn(key, work);
    }

    /// Writes the results of a Map Run.
    pub(crate) fn write(&mut self, write: ServiceWrite, endpoint: Endpoint) {
        let ServiceWrite { task, request, results } = write;
        let key = (task.execution, task.request.key);
        let places = self.places_of("s3");
        let (client, answers, open) = (self.client.clone(), self.answers.clone(), self.open.clone());
        let asker = Asker::of(&task);
        let work = async move {
            let mut writing = Writing::new(request, results);
            let mut outcome = Ok(());
            while outcome.is_ok()
                && let Some(call) = writing.next_call()
            {
                let place = places.clone().acquire_owned().await;
                let answer = carry_again(&client, &endpoint, &call, &asker).await;
                drop(place);
                outcome = writing.take(answer);
            }
            open.lock().remove(&key);
            answers.send(task.execution, vec![Command::ResultsWritten { map_run: key.1, outcome }]);
        };
        self.spawn(key, work);
    }

    fn places_of(&mut self, service: &str) -> Arc<Semaphore> {
        self.places.entry(service.into()).or_insert_with(|| Arc::new(Semaphore::new(CALLS_MAX))).clone()
    }

    fn spawn(&self, key: Key, work: impl Future<Output = ()> + Send + 'static) {
        // Noted before it can end.
        let mut open = self.open.lock();
        open.insert(key, self.runtime.spawn(work).abort_handle());
    }

    /// Gives a call up: nobody wants its answer.
    pub(crate) fn cancel(&self, execution: ExecutionId, task: TaskKey) {
        self.readings.lock().remove(&(execution, task));
        if let Some(call) = self.open.lock().remove(&(execution, task)) {
            call.abort();
        }
    }
}

/// Who makes a call.
#[derive(Debug)]
struct Asker {
    region: Arc<str>,
    keys: Keys,
    /// Draws the same idempotency tokens when the task is asked for again.
    entropy: u64,
}

impl Asker {
    /// The keys are those of the environment. Without any, the access key id is the account of the execution, which is how
    /// emulators tell accounts apart.
    fn of(task: &ServiceTask) -> Asker {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let keys = match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key_id), Some(secret_access_key)) => {
                Keys { access_key_id, secret_access_key, session_token: variable("AWS_SESSION_TOKEN") }
            }
            _ => {
                let account = task.identity.arn.split(':').nth(4).unwrap_or_default().to_owned();
                Keys { access_key_id: account, secret_access_key: "stepwell".to_owned(), session_token: None }
            }
        };
        let TaskKey { thread, scheduled_event_id } = task.request.key;
        let entropy = [task.execution.0, u64::from(thread.0), scheduled_event_id]
            .into_iter()
            .fold(0, |seed, number| Chance::new(Moment { now: Timestamp(0), entropy: seed ^ number }).draw());
        Asker { region: task.identity.region.clone(), keys, entropy }
    }
}

/// `20160818T173300Z`, as signatures have it.
fn basic_time(time: Timestamp) -> String {
    let seconds = time.to_string();
    let seconds = seconds.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

/// The operation of a service's model that a call means.
pub(crate) fn operation_of(call: &AwsCall) -> Option<(&'static Service, &'static Operation)> {
    let service = stepwell_protocol::service(&call.service)?;
    Some((service, service.operation(&call.action)?))
}

/// Makes one call of many: what fails on the way, or at a service that is not well, is asked for again, as AWS's own client
/// does. Nothing of what is asked here does harm when it is done twice.
async fn carry_again(
    client: &Client<HttpConnector, Full<Bytes>>,
    endpoint: &Endpoint,
    call: &AwsCall,
    asker: &Asker,
) -> AwsAnswer {
    let mut wait = Duration::from_millis(100);
    for _ in 1..TIMES_ASKED {
        match carry(client, endpoint, call, asker).await {
            Err(AwsError { fault: Fault::Unreached | Fault::Server, .. }) => tokio::time::sleep(wait).await,
            answer => return answer,
        }
        wait *= 2;
    }
    carry(client, endpoint, call, asker).await
}

/// How often one call of many is made at most.
const TIMES_ASKED: u32 = 3;

/// Makes one call, to its end.
async fn carry(
    client: &Client<HttpConnector, Full<Bytes>>,
    endpoint: &Endpoint,
    call: &AwsCall,
    asker: &Asker,
) -> AwsAnswer {
    let Some((service, operation)) = operation_of(call) else {
        return Err(refused(
            "UnknownOperationException",
            &format!("{} has no operation {}", call.service, call.action),
        ));
    };
    let tokens = Chance::new(Moment { now: Timestamp(0), entropy: asker.entropy });
    let mut wire = encode_request(service, operation, &call.input, &mut || tokens.uuid())
        .map_err(|unfit| refused("ValidationException", &unfit.to_string()))?;
    // S3 asks for the body's digest in a header.
    let payload = if &*service.names.name == "s3" { Payload::SignedInHeader } else { Payload::Signed };
    let timestamp = basic_time(clock::wall());
    let scope = Scope { region: &asker.region, service: &service.names.signing_name, timestamp: &timestamp, payload };
    sign(&mut wire, &endpoint.authority, &asker.keys, &scope);
    let mut request = Request::builder()
        .method(wire.method.as_str())
        .uri(endpoint.url(&wire.target()))
        .header("User-Agent", concat!("stepwell/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &wire.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(wire.body))).map_err(|fault| unreached(&fault.to_string()))?;
    match tokio::time::timeout(ANSWER_TIME, ask(client, endpoint, request)).await {
        Ok(Ok(answer)) => decode_response(service, operation, &answer),
        Ok(Err(reason)) => Err(unreached(&reason)),
        Err(_) => Err(unreached("Read timed out")),
    }
}

/// Sends a request and reads its answer, or says why there is none.
async fn ask(
    client: &Client<HttpConnector, Full<Bytes>>,
    endpoint: &Endpoint,
    request: Request<Full<Bytes>>,
) -> Result<HttpAnswer, String> {
    let answer = client.request(request).await.map_err(|fault| reason(&fault, endpoint, fault.is_connect()))?;
    let status = answer.status().as_u16();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers =
        answer.headers().iter().map(|(name, value)| (text(name.as_str().as_bytes()), text(value.as_bytes()))).collect();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(|fault| {
        match fault.is::<LengthLimitError>() {
            true => format!("the answer has more than {ANSWER_BYTES_MAX} bytes"),
            false => reason(&*fault, endpoint, false),
        }
    })?;
    Ok(HttpAnswer { status, headers, body: body.to_bytes().to_vec() })
}

/// Why there is no answer, as AWS's client would say it.
fn reason(fault: &(dyn Error + 'static), endpoint: &Endpoint, is_connecting: bool) -> String {
    let (mut chain, mut next) = (Vec::new(), Some(fault));
    while let Some(fault) = next {
        chain.push(fault);
        next = fault.source();
    }
    let said = chain.last().map(ToString::to_string).unwrap_or_default();
    let kind = chain.iter().find_map(|fault| fault.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    let is_silent = |fault: &hyper::Error| fault.is_incomplete_message();
    let is_silent = chain.iter().filter_map(|fault| fault.downcast_ref()).any(is_silent);
    let authority = &endpoint.authority;
    match (is_connecting, kind) {
        (true, Some(std::io::ErrorKind::ConnectionRefused)) => {
            format!("Connect to {authority} failed: Connection refused")
        }
        (true, Some(std::io::ErrorKind::TimedOut)) => format!("Connect to {authority} failed: connect timed out"),
        (true, _) => format!("Connect to {authority} failed: {said}"),
        (false, Some(std::io::ErrorKind::ConnectionReset)) => "Connection reset".to_owned(),
        (false, _) if is_silent => format!("{authority} failed to respond"),
        (false, _) => said,
    }
}

/// A call that never left.
fn refused(code: &str, message: &str) -> AwsError {
    AwsError {
        code: code.into(),
        message: Some(message.into()),
        status: 400,
        fault: Fault::Client,
        request_id: "".into(),
        members: Json::empty_object(),
    }
}

fn unreached(reason: &str) -> AwsError {
    AwsError {
        code: "SdkClientException".into(),
        message: Some(format!("Unable to execute HTTP request: {reason}").into()),
        status: 0,
        fault: Fault::Unreached,
        request_id: "".into(),
        members: Json::empty_object(),
    }
}
