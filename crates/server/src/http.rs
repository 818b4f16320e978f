//! From an HTTP request to its answer: the gate, the server's own pages, the API, and the services beside it.

mod services;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use stepwell_api::{
    BODY_BYTES_MAX, Call, Caller, Encoding, Head, Place, Refusal, SERVICE, Signature, check, decode, is_region, reply,
    route,
};
use stepwell_interpreter::{Chance, Moment};
use stepwell_protocol::account_of_access_key;
use stepwell_spec::{Action, ProtocolError, Timestamp};

use crate::body::{self, BodyFault};
use crate::clock;
use crate::credentials::{Keyring, is_account};
use crate::gate::Gate;
use crate::local::{Local, Streamed, whole};
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::settings::Settings;
use crate::shard::{Answer, Door};
use crate::throttle::Throttle;

const OWN_PAGES: &str = "/_stepwell/";

/// An answer: whole, or in pieces.
pub(crate) type Page = Response<Streamed>;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Front {
    gate: Gate,
    /// Without one, every request is from whoever it says.
    keyring: Option<Keyring>,
    clock_skew_ms: u64,
    throttle: Throttle,
    queue: Queue,
    door: Door,
    local: Local,
    metrics: Arc<Metrics>,
    account: String,
    region: String,
    seed: u64,
    /// Requests so far; names the next one.
    requests: AtomicU64,
}

/// A connection that is there as long as the value is.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Front>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.metrics.disconnected();
    }
}

/// A request of the API, and what came of it.
struct Answered {
    action: Option<Action>,
    place: Option<Place>,
    answer: Answer,
}

impl Answered {
    /// Before it was known what is asked, and by whom.
    fn refused(refusal: Refusal) -> Answered {
        Answered { action: None, place: None, answer: Err(refusal) }
    }
}

impl Front {
    /// The front of this service. The seed is what request ids are drawn from.
    pub(crate) fn new(
        settings: &Settings,
        keyring: Option<Keyring>,
        door: Door,
        local: Local,
        metrics: Arc<Metrics>,
        seed: u64,
    ) -> Front {
        Front {
            gate: Gate::new(settings.listen, &settings.allowed_hosts),
            keyring,
            clock_skew_ms: settings.clock_skew_minutes * 60_000,
            throttle: Throttle::new(settings.throttling.clone()),
            queue: Queue::new(),
            door,
            local,
            metrics,
            account: settings.account.clone(),
            region: settings.region.clone(),
            seed,
            requests: AtomicU64::new(0),
        }
    }

    /// Counts a connection for as long as the value is kept.
    pub(crate) fn connected(self: &Arc<Front>) -> Connected {
        self.metrics.connected();
        Connected(self.clone())
    }

    /// Answers one request.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Page
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Error + Send + Sync + 'static,
    {
        let (parts, body) = request.into_parts();
        let authority = parts.uri.authority().map(|authority| authority.as_str());
        if let Err(foreign) = self.gate.check(authority, &parts.headers) {
            return self.refused(StatusCode::FORBIDDEN, foreign.name(), foreign.reason());
        }
        match parts.uri.path().strip_prefix(OWN_PAGES) {
            Some(page) => self.own_page(&parts.method, page),
            None => self.api(&parts, body).await,
        }
    }

    /// The answer of a request that made this program panic.
    pub(crate) fn broken_off(&self, because: &str) -> Page {
        self.metrics.panicked();
        tracing::error!(because, "a panic in a request; please report this");
        let id = self.request_id(self.requests.fetch_add(1, Ordering::Relaxed));
        page(&Err(Refusal::silent(ProtocolError::InternalFailure)), Encoding::Json10, &id, true)
    }

    /// What is refused before it is known to be a request of the API.
    fn refused(&self, status: StatusCode, name: &'static str, reason: &str) -> Page {
        self.metrics.count_refusal(name);
        tracing::info!(status = status.as_u16(), outcome = name, "refused");
        text(status, reason)
    }

    fn own_page(&self, method: &Method, page: &str) -> Page {
        match (page, method) {
            ("health", &Method::GET | &Method::HEAD) => {
                let body = format!(r#"{{"status":"ok","version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
                of_type(StatusCode::OK, "application/json", body)
            }
            ("metrics", &Method::GET | &Method::HEAD) => {
                of_type(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", self.metrics.to_text())
            }
            ("health" | "metrics", _) => text(StatusCode::METHOD_NOT_ALLOWED, "GET this page"),
            _ => text(StatusCode::NOT_FOUND, "there is no such page; there are health and metrics"),
        }
    }

    async fn api<B>(&self, parts: &Parts, body: B) -> Page
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Error + Send + Sync + 'static,
    {
        let began = Instant::now();
        let Some(headers) = read_headers(parts) else {
            return self.refused(StatusCode::BAD_REQUEST, "Headers", "a header of the request is not UTF-8 text");
        };
        let query = parts.uri.query().unwrap_or_default();
        let head = Head { method: parts.method.as_str(), path: parts.uri.path(), query, headers: &headers };
        let meant = self.meant(&head);
        if let Some(service) = meant.service {
            return self.service(service, &meant, parts, &head, body).await;
        }
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let request_id = self.request_id(id);
        let room = self.check_head(&head).and_then(|()| self.queue.room(body.size_hint().exact(), BODY_BYTES_MAX));
        let (answered, is_last) = match room {
            // There is room for the body until it has been answered.
            Ok(_room) => match body::read(body, BODY_BYTES_MAX).await {
                Ok(body) => {
                    // What is signed by nobody may say in a form which service it is for.
                    if let Some((service, meant)) = self.meant_by_form(&head, &body) {
                        return self.service(service, &meant, parts, &head, Full::new(Bytes::from(body))).await;
                    }
                    (self.act(id, &head, &body).await, false)
                }
                Err(BodyFault::Large) => (Answered::refused(Refusal::request_too_large()), true),
                Err(fault @ (BodyFault::Late | BodyFault::Broken)) => {
                    let reason = "the body of the request did not come whole and in time";
                    return self.refused(StatusCode::REQUEST_TIMEOUT, fault.name(), reason);
                }
            },
            Err(refusal) => {
                body::discard(body).await;
                (Answered::refused(refusal), false)
            }
        };
        let Answered { action, place, answer } = answered;
        let elapsed = began.elapsed();
        self.metrics.count(action, &answer, elapsed);
        // Neither messages nor ids of what was asked about: both may repeat what a client sent.
        tracing::info!(
            request_id,
            action = action.map_or("none", |action| action.facts().name),
            account = place.as_ref().map(|place| place.account.as_str()),
            region = place.as_ref().map(|place| place.region.as_str()),
            status = answer.as_ref().map_or_else(Refusal::status, |_| 200),
            outcome = answer.as_ref().map_or_else(Refusal::name, |_| "ok"),
            elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        page(&answer, Encoding::of(&head), &request_id, is_last)
    }

    /// Refuses what cannot be verified, whatever its body is.
    fn check_head(&self, head: &Head<'_>) -> Result<(), Refusal> {
        match &self.keyring {
            Some(_) => Signature::check_head(head, SERVICE, clock::wall(), self.clock_skew_ms),
            None => Ok(()),
        }
    }

    /// Who calls comes before what is asked: nobody learns anything here who has no key.
    async fn act(&self, id: u64, head: &Head<'_>, body: &[u8]) -> Answered {
        let place = match self.caller(head, SERVICE, body) {
            Ok(caller) => self.place(caller),
            Err(refusal) => return Answered::refused(refusal),
        };
        match route(head) {
            Ok(action) => {
                let answer = self.call(id, action, place.clone(), body).await;
                Answered { action: Some(action), place: Some(place), answer }
            }
            Err(refusal) => Answered { action: None, place: Some(place), answer: Err(refusal) },
        }
    }

    fn caller(&self, head: &Head<'_>, service: &str, body: &[u8]) -> Result<Caller, Refusal> {
        match &self.keyring {
            Some(keyring) => Signature::verify(head, service, body, keyring, clock::wall(), self.clock_skew_ms),
            None => Ok(Signature::claimed_caller(head)),
        }
    }

    async fn call(&self, id: u64, action: Action, place: Place, body: &[u8]) -> Answer {
        self.throttle.admit(&place, action)?;
        let request = decode(action, body)?;
        check(&request)?;
        let place_in_line = self.queue.enter(action)?;
        let gone = || Err(Refusal::silent(ProtocolError::ServiceUnavailableException));
        self.door.call(Call { id, place, request }, place_in_line).await.unwrap_or_else(gone)
    }

    /// Whose resources are meant: the account of the key or, where nobody proves anything, an access key that is an account
    /// id says so itself.
    fn place(&self, caller: Caller) -> Place {
        let account = match self.keyring.is_some() || is_account(&caller.access_key_id) {
            true => caller.account,
            // Keys that STS and IAM give away say whose they are, here as on AWS.
            false => account_of_access_key(&caller.access_key_id).unwrap_or_else(|| self.account.clone()),
        };
        // It becomes a part of ARNs, and may be anything a client wrote into its signature.
        let region = caller.region.filter(|region| is_region(region));
        Place { account, region: region.unwrap_or_else(|| self.region.clone()) }
    }

    fn request_id(&self, id: u64) -> String {
        Chance::new(Moment { now: Timestamp(0), entropy: self.seed.wrapping_add(id) }).uuid()
    }
}

/// Names and values; `None` when a value is no text.
fn read_headers(parts: &Parts) -> Option<Vec<(&str, &str)>> {
    parts
        .headers
        .iter()
        .map(|(name, value)| Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?)))
        .collect()
}

fn page(answer: &Answer, encoding: Encoding, request_id: &str, is_last: bool) -> Page {
    let reply = reply(answer, encoding, request_id);
    let mut page = Response::new(whole(reply.body));
    *page.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            page.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    if is_last {
        page.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    page
}

fn text(status: StatusCode, says: &str) -> Page {
    of_type(status, "text/plain; charset=utf-8", format!("{says}\n"))
}

fn of_type(status: StatusCode, content_type: &'static str, body: String) -> Page {
    let mut page = Response::new(whole(body));
    *page.status_mut() = status;
    page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    page.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    page
}
