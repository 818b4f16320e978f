//! Asynchronous invocations: kept when they are accepted, tried up to three times, and gone when somebody was told.

use std::sync::Arc;
use std::time::Duration;

use stepwell_json::Json;
use stepwell_protocol::{blob_bytes, blob_text};
use stepwell_spec::Timestamp;
use tokio::sync::Semaphore;

use crate::clock;
use crate::core::Core;
use crate::destinations;
use crate::function::Function;
use crate::input::members;
use crate::invoke::{self, Call, Ran};
use crate::ledger::Row;
use crate::names::{LATEST, Target};
use crate::refusal::Refusal;

/// Events that run at a time. More wait, in the order they came, and leave room to those who wait for their answers.
const RUNNING_MAX: usize = 100;

/// How often an event is tried again unless something else was said.
const RETRIES: i64 = 2;

/// How old an event becomes unless something else was said, in seconds.
const AGE_SECONDS_MAX: i64 = 6 * 60 * 60;

/// How long an event waits that was throttled; twice as long each time, up to the longest.
const THROTTLED: Duration = Duration::from_secs(1);
const THROTTLED_MAX: Duration = Duration::from_secs(300);

/// Events that were accepted and are not done.
#[derive(Debug)]
pub(crate) struct Events {
    running: Arc<Semaphore>,
}

/// One of them.
#[derive(Clone, Debug)]
struct Event {
    call: Call,
    accepted: Timestamp,
    /// How often it was tried.
    tries: i64,
}

impl Events {
    pub(crate) fn new() -> Events {
        Events { running: Arc::new(Semaphore::new(RUNNING_MAX)) }
    }

    /// Keeps an event, and runs it some day.
    pub(crate) async fn accept(&self, core: &Arc<Core>, call: Call) -> Result<(), Refusal> {
        let event = Event { call, accepted: clock::wall(), tries: 0 };
        core.book.ledger().write(vec![event.row()]).await?;
        self.run(core, event);
        Ok(())
    }

    /// Goes on with an event that was kept; false when the row is none.
    pub(crate) fn resume(&self, core: &Arc<Core>, row: &str, json: &Json) -> bool {
        let Some(event) = row.strip_prefix("event/").and_then(|id| Event::of_json(id, json)) else { return false };
        self.run(core, event);
        true
    }

    fn run(&self, core: &Arc<Core>, event: Event) {
        let (weak, running) = (Arc::downgrade(core), self.running.clone());
        let at_work = core.at_work.begin();
        core.runtime.spawn(async move {
            let _at_work = at_work;
            let mut event = event;
            let mut pause = None;
            loop {
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
                // Nobody closes the semaphore.
                let _turn = running.acquire().await;
                let Some(core) = weak.upgrade() else { return };
                pause = event.attempt(&core).await;
                if pause.is_none() {
                    return;
                }
            }
        });
    }
}

/// How an invocation without anybody who waits for it ended.
struct Ended<'a> {
    condition: &'static str,
    ran: Option<&'a Ran>,
}

impl Event {
    fn row(&self) -> Row {
        let value = members([
            ("function", Some(Json::from(self.call.target.to_string()))),
            ("account", Some(Json::string(self.call.target.key.place.account.clone()))),
            ("region", Some(Json::string(self.call.target.key.place.region.clone()))),
            ("payload", Some(Json::from(blob_text(&self.call.event)))),
            ("clientContext", self.call.client_context.clone().map(Json::from)),
            ("accepted", Some(Json::from(self.accepted.0))),
            ("tries", Some(Json::from(self.tries))),
        ]);
        Row { key: format!("event/{}", self.call.request_id), value: Some(value) }
    }

    fn of_json(id: &str, json: &Json) -> Option<Event> {
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let place = stepwell_protocol::Place { account: text("account")?.into(), region: text("region")?.into() };
        let call = Call {
            target: Target::read(&place, text("function")?, None).ok()?,
            request_id: id.into(),
            event: blob_bytes(text("payload")?)?.into(),
            client_context: text("clientContext").map(Arc::from),
        };
        Some(Event { call, accepted: Timestamp(json.get("accepted")?.as_i64()?), tries: json.get("tries")?.as_i64()? })
    }

    /// Tries once. Gives how long to wait for the next time, or nothing when there is none.
    async fn attempt(&mut self, core: &Arc<Core>) -> Option<Duration> {
        let Some(function) = core.book.find(&self.call.target.key) else {
            // The function was deleted, and its events with it.
            self.forget(core).await;
            return None;
        };
        let config = self.config(&function);
        let number = |name: &str| config.get(name).and_then(Json::as_i64);
        let age_max_ms = number("MaximumEventAgeInSeconds").unwrap_or(AGE_SECONDS_MAX).saturating_mul(1000);
        let retries = number("MaximumRetryAttempts").unwrap_or(RETRIES);
        let is_old = || clock::wall().0.saturating_sub(self.accepted.0) > age_max_ms;
        if self.tries > 0 && is_old() {
            self.end(core, &function, &config, Ended { condition: "EventAgeExceeded", ran: None }).await;
            return None;
        }
        match invoke::run(core, &self.call).await {
            Ok(ran) if !ran.outcome.is_error => {
                self.tries += 1;
                self.end(core, &function, &config, Ended { condition: "Success", ran: Some(&ran) }).await;
                None
            }
            Ok(ran) => {
                self.tries += 1;
                if self.tries > retries {
                    self.end(core, &function, &config, Ended { condition: "RetriesExhausted", ran: Some(&ran) }).await;
                    return None;
                }
                self.keep(core).await;
                let delays = &core.settings.retry_delays;
                let which = usize::try_from(self.tries - 1).unwrap_or_default().min(delays.len() - 1);
                Some(delays[which])
            }
            // No try of the function: it waits until there is room.
            Err(refusal) if refusal.code == "TooManyRequestsException" => {
                match is_old() || function.reserved == Some(0) {
                    true => {
                        let condition = if is_old() { "EventAgeExceeded" } else { "ZeroReservedConcurrency" };
                        self.end(core, &function, &config, Ended { condition, ran: None }).await;
                        None
                    }
                    false => {
                        let waited =
                            Duration::from_millis(u64::try_from(clock::wall().0 - self.accepted.0).unwrap_or(0));
                        Some(waited.clamp(THROTTLED, THROTTLED_MAX))
                    }
                }
            }
            Err(refusal) => {
                tracing::warn!(function = %self.call.target, code = refusal.code, reason = %refusal.message, "an event is given up");
                self.end(core, &function, &config, Ended { condition: "RetriesExhausted", ran: None }).await;
                None
            }
        }
    }

    fn config(&self, function: &Function) -> Json {
        let qualifier = self.call.target.qualifier.as_deref().unwrap_or(LATEST);
        function.invoke_configs.get(qualifier).cloned().unwrap_or_else(Json::empty_object)
    }

    /// Tells who wanted to know, and forgets the event.
    async fn end(&self, core: &Arc<Core>, function: &Function, config: &Json, ended: Ended<'_>) {
        let is_success = ended.condition == "Success";
        let which = if is_success { "OnSuccess" } else { "OnFailure" };
        let destination =
            config.get("DestinationConfig").and_then(|of| of.get(which)).and_then(|of| of.get("Destination"));
        let place = &function.key.place;
        if let Some(arn) = destination.and_then(Json::as_str).filter(|arn| !arn.is_empty()) {
            self.told(core, arn, destinations::tell(core, place, arn, &self.record(&ended).to_string(), &[]).await);
        }
        if !is_success && let Some(arn) = function.latest.dead_letters() {
            let body = String::from_utf8_lossy(&self.call.event).into_owned();
            let said = ended.ran.map(|ran| Json::parse(&String::from_utf8_lossy(&ran.outcome.payload)));
            let message = said.and_then(Result::ok);
            let message = message.as_ref().and_then(|json| json.get("errorMessage")).and_then(Json::as_str);
            let attributes = [
                ("RequestID", "String", self.call.request_id.to_string()),
                ("ErrorCode", "Number", "200".to_owned()),
                ("ErrorMessage", "String", message.unwrap_or(ended.condition).chars().take(1_024).collect()),
            ];
            // A text attribute must not be empty.
            let attributes: Vec<_> = attributes.into_iter().filter(|(_, _, value)| !value.is_empty()).collect();
            self.told(core, arn, destinations::tell(core, place, arn, &body, &attributes).await);
        }
        self.forget(core).await;
    }

    fn told(&self, _core: &Arc<Core>, arn: &str, told: Result<(), stepwell_protocol::AwsError>) {
        if let Err(error) = told {
            let reason = error.message.as_deref().unwrap_or_default();
            tracing::warn!(function = %self.call.target, %arn, code = %error.code, reason, "a destination was not told");
        }
    }

    /// What a destination gets.
    fn record(&self, ended: &Ended<'_>) -> Json {
        let json = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            Json::parse(&text).unwrap_or_else(|_| Json::from(text.into_owned()))
        };
        let target = &self.call.target;
        let qualifier = target.qualifier.as_deref().unwrap_or(LATEST);
        let context = |ran: &Ran| {
            members([
                ("statusCode", Some(Json::from(200))),
                ("executedVersion", Some(Json::string(ran.version.clone()))),
                ("functionError", ran.outcome.is_error.then(|| Json::from("Unhandled"))),
            ])
        };
        members([
            ("version", Some(Json::from("1.0"))),
            ("timestamp", Some(Json::from(clock::wall().to_string()))),
            (
                "requestContext",
                Some(members([
                    ("requestId", Some(Json::string(self.call.request_id.clone()))),
                    ("functionArn", Some(Json::from(target.key.qualified_arn(qualifier)))),
                    ("condition", Some(Json::from(ended.condition))),
                    ("approximateInvokeCount", Some(Json::from(self.tries))),
                ])),
            ),
            ("requestPayload", Some(json(&self.call.event))),
            ("responseContext", ended.ran.map(context)),
            ("responsePayload", ended.ran.map(|ran| json(&ran.outcome.payload))),
        ])
    }

    async fn keep(&self, core: &Arc<Core>) {
        self.write(core, self.row()).await;
    }

    async fn forget(&self, core: &Arc<Core>) {
        self.write(core, Row { value: None, ..self.row() }).await;
    }

    /// What is not written here is tried once more after a restart; AWS delivers at least once as well.
    async fn write(&self, core: &Arc<Core>, row: Row) {
        if let Err(refusal) = core.book.ledger().write(vec![row]).await {
            tracing::warn!(function = %self.call.target, reason = %refusal.message, "an event's end is not kept");
        }
    }
}
