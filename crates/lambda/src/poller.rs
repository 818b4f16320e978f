//! Queues that are read for functions: one task for each mapping that is enabled.
//!
//! A batch whose function fails is left in its queue, which shows its messages again when their time has come.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stepwell_json::{Json, Object};
use stepwell_protocol::{AwsCall, AwsError, Place};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::clock;
use crate::core::Core;
use crate::destinations::queue_url;
use crate::input::members;
use crate::invoke::{self, Call};
use crate::mapping::Mapping;
use crate::pattern;
use crate::process::Outcome;

/// Messages of one receive.
const RECEIVED_MAX: i64 = 10;

/// How long a receive waits for messages, in seconds.
const WAIT_SECONDS: i64 = 5;

/// How long to wait between two receives that do not wait themselves.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How long to wait when the queue or the function is not there.
const PAUSE: Duration = Duration::from_secs(2);

/// Messages of one batch may come to this.
const BATCH_BYTES_MAX: usize = 6 * 1024 * 1024 - 64 * 1024;

/// Who reads for which mapping.
#[derive(Default)]
pub(crate) struct Pollers(Mutex<BTreeMap<Arc<str>, Reader>>);

/// What somebody reads for, and how to stop it.
type Reader = (Arc<Mapping>, AbortHandle);

impl Pollers {
    /// Starts and stops readers, so that there is one for each mapping as it is now.
    pub(crate) fn refresh(&self, core: &Arc<Core>) {
        let mappings = core.book.mappings();
        let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|_, (of, reader)| {
            let is_current = mappings.iter().any(|mapping| Arc::ptr_eq(mapping, of) && mapping.enabled);
            if !is_current {
                reader.abort();
            }
            is_current
        });
        for mapping in mappings.into_iter().filter(|mapping| mapping.enabled) {
            readers.entry(mapping.id.clone()).or_insert_with(|| {
                let reader = core.runtime.spawn(read(Arc::downgrade(core), mapping.clone()));
                (mapping, reader.abort_handle())
            });
        }
    }

    /// Stops all of them.
    pub(crate) fn close(&self) {
        let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.values().for_each(|(_, reader)| reader.abort());
        readers.clear();
    }
}

/// Whose queue a mapping reads.
fn place_of(arn: &str) -> Place {
    let part = |number: usize| arn.split(':').nth(number).unwrap_or_default();
    Place { region: part(3).into(), account: part(4).into() }
}

async fn read(core: std::sync::Weak<Core>, mapping: Arc<Mapping>) {
    let batches = Arc::new(Semaphore::new(mapping.concurrency()));
    loop {
        // Nobody closes the semaphore.
        let Ok(turn) = batches.clone().acquire_owned().await else { return };
        let Some(core) = core.upgrade() else { return };
        match gather(&core, &mapping).await {
            Ok(batch) if batch.is_empty() => {}
            Ok(batch) => {
                let (mapping, runtime) = (mapping.clone(), core.runtime.clone());
                let at_work = core.at_work.begin();
                runtime.spawn(async move {
                    deliver(&core, &mapping, batch).await;
                    drop((turn, at_work));
                });
            }
            Err(error) => {
                tracing::debug!(queue = %mapping.source, code = %error.code, "a queue could not be read");
                drop(core);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn ask(core: &Core, mapping: &Mapping, action: &str, input: Json) -> Result<Json, AwsError> {
    let call = AwsCall { service: "sqs".into(), action: action.into(), input };
    core.peers.ask(&place_of(&mapping.source), call).await.map(|answer| answer.output)
}

/// Messages of one batch: as many as it may have, or as come within its window.
async fn gather(core: &Arc<Core>, mapping: &Mapping) -> Result<Vec<Json>, AwsError> {
    let url = queue_url(core, &mapping.source).await?;
    let window = Duration::from_secs(u64::try_from(mapping.window_seconds()).unwrap_or(0));
    let (mut batch, mut bytes, mut ends): (Vec<Json>, usize, Option<Instant>) = (Vec::new(), 0, None);
    loop {
        let left = ends.map(|ends: Instant| ends.saturating_duration_since(Instant::now()));
        let wait = left.map_or(WAIT_SECONDS, |left| i64::try_from(left.as_secs()).unwrap_or(0).min(WAIT_SECONDS));
        let wait = if core.settings.long_polls { wait } else { 0 };
        let missing = mapping.batch_size() - i64::try_from(batch.len()).unwrap_or(i64::MAX);
        let input = members([
            ("QueueUrl", Some(url.clone())),
            ("MaxNumberOfMessages", Some(Json::from(missing.clamp(1, RECEIVED_MAX)))),
            ("WaitTimeSeconds", Some(Json::from(wait))),
            ("MessageSystemAttributeNames", Some(Json::array(vec![Json::from("All")]))),
            ("MessageAttributeNames", Some(Json::array(vec![Json::from("All")]))),
        ]);
        let received = ask(core, mapping, "ReceiveMessage", input).await?;
        let messages = received.get("Messages").and_then(Json::as_array).map(|all| all.to_vec()).unwrap_or_default();
        let is_empty = messages.is_empty();
        bytes += messages.iter().map(Json::serialized_bytes).sum::<usize>();
        batch.extend(messages);
        let is_full =
            i64::try_from(batch.len()).unwrap_or(i64::MAX) >= mapping.batch_size() || bytes >= BATCH_BYTES_MAX;
        if batch.is_empty() && wait == 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        if batch.is_empty() || is_full || window.is_zero() {
            return Ok(batch);
        }
        let ends = *ends.get_or_insert_with(|| Instant::now() + window);
        if Instant::now() >= ends {
            return Ok(batch);
        }
        if is_empty {
            // A receive that does not wait is not made without end.
            tokio::time::sleep_until(ends.min(Instant::now() + LOOK_AGAIN)).await;
        }
    }
}

/// Gives a batch to the function, and takes from the queue what is done.
async fn deliver(core: &Arc<Core>, mapping: &Mapping, batch: Vec<Json>) {
    let filters = mapping.filters();
    let chosen = |message: &Json| {
        filters.is_empty() || filters.iter().any(|filter| pattern::matches(filter, &filtered(message)))
    };
    let (mut done, chosen): (Vec<Json>, Vec<Json>) = {
        let (chosen, rest) = batch.into_iter().partition(chosen);
        // What no filter wants is done.
        (rest, chosen)
    };
    if !chosen.is_empty() {
        let records: Vec<Json> = chosen.iter().map(|message| record(mapping, message)).collect();
        let event = Json::object([("Records", Json::array(records))]);
        let call = Call {
            target: mapping.function.clone(),
            request_id: clock::uuid().into(),
            event: event.to_string().into(),
            client_context: None,
        };
        match invoke::run(core, &call).await {
            Ok(ran) => done.extend(succeeded(mapping, chosen, &ran.outcome)),
            Err(refusal) => {
                tracing::debug!(function = %mapping.function, code = refusal.code, "a batch is left in its queue");
            }
        }
    }
    for messages in done.chunks(10) {
        let entry = |(number, message): (usize, &Json)| {
            let receipt = message.get("ReceiptHandle").cloned();
            members([("Id", Some(Json::from(number.to_string()))), ("ReceiptHandle", receipt)])
        };
        let entries = messages.iter().enumerate().map(entry).collect();
        let Ok(url) = queue_url(core, &mapping.source).await else { return };
        let input = members([("QueueUrl", Some(url)), ("Entries", Some(Json::array(entries)))]);
        if let Err(error) = ask(core, mapping, "DeleteMessageBatch", input).await {
            tracing::warn!(queue = %mapping.source, code = %error.code, "messages come again that were done");
        }
    }
}

/// Messages that the function is done with. One that says which failed is believed as far as it makes sense.
fn succeeded(mapping: &Mapping, batch: Vec<Json>, outcome: &Outcome) -> Vec<Json> {
    if outcome.is_error {
        return Vec::new();
    }
    if !mapping.reports_failures() {
        return batch;
    }
    let answer = Json::parse(&String::from_utf8_lossy(&outcome.payload)).unwrap_or(Json::Null);
    let failures = match answer.get("batchItemFailures") {
        None | Some(Json::Null) => return batch,
        Some(Json::Array(failures)) => failures.clone(),
        // Whoever answers something else has failed altogether.
        Some(_) => return Vec::new(),
    };
    let id = |message: &Json| message.get("MessageId").and_then(Json::as_str).map(str::to_owned);
    let failed: Option<Vec<&str>> =
        failures.iter().map(|failure| failure.get("itemIdentifier")?.as_str().filter(|id| !id.is_empty())).collect();
    let Some(failed) = failed else { return Vec::new() };
    let known: Vec<Option<String>> = batch.iter().map(id).collect();
    if failed.iter().any(|failed| !known.iter().any(|id| id.as_deref() == Some(failed))) {
        return Vec::new();
    }
    let is_failed = |message: &Json| id(message).is_some_and(|id| failed.contains(&&*id));
    // In a queue that keeps its order nothing after the first failure counts.
    let is_fifo = mapping.source.ends_with(".fifo");
    let first = batch.iter().position(is_failed).unwrap_or(batch.len());
    let taken = if is_fifo { first } else { batch.len() };
    batch.into_iter().take(taken).filter(|message| !is_failed(message)).collect()
}

/// `ApproximateReceiveCount` and its like under the names functions see.
fn lower_first(name: &str) -> String {
    crate::input::lower_first(name)
}

/// A message as a function sees it.
fn record(mapping: &Mapping, message: &Json) -> Json {
    let member = |name: &str| message.get(name).cloned();
    let attribute = |(name, attribute): (&Arc<str>, &Json)| {
        let mut shown: Vec<(String, Json)> = Vec::new();
        for (member, value) in attribute.as_object().into_iter().flatten() {
            shown.push((lower_first(member), value.clone()));
        }
        for list in ["stringListValues", "binaryListValues"] {
            if !shown.iter().any(|(name, _)| name == list) {
                shown.push((list.to_owned(), Json::array(Vec::new())));
            }
        }
        (name.clone(), Json::object(shown))
    };
    let attributes: Vec<_> = message
        .get("MessageAttributes")
        .and_then(Json::as_object)
        .map(Object::iter)
        .into_iter()
        .flatten()
        .map(attribute)
        .collect();
    members([
        ("messageId", member("MessageId")),
        ("receiptHandle", member("ReceiptHandle")),
        ("body", member("Body")),
        ("attributes", member("Attributes").or_else(|| Some(Json::empty_object()))),
        ("messageAttributes", Some(Json::object(attributes))),
        ("md5OfMessageAttributes", member("MD5OfMessageAttributes")),
        ("md5OfBody", member("MD5OfBody")),
        ("eventSource", Some(Json::from("aws:sqs"))),
        ("eventSourceARN", Some(Json::string(mapping.source.clone()))),
        ("awsRegion", Some(Json::string(place_of(&mapping.source).region))),
    ])
}

/// A message as filters see it: a body that is JSON is looked into.
fn filtered(message: &Json) -> Json {
    let body = message.get("Body").and_then(Json::as_str).unwrap_or_default();
    let body = Json::parse(body).ok().filter(|json| json.as_object().is_some()).unwrap_or_else(|| Json::from(body));
    members([
        ("body", Some(body)),
        ("messageId", message.get("MessageId").cloned()),
        ("attributes", message.get("Attributes").cloned()),
        ("messageAttributes", message.get("MessageAttributes").cloned()),
    ])
}
