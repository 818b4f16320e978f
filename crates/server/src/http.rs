//! From an HTTP request to its answer: the gate, the server's own pages, and the API.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use stepwell_api::{
    BODY_BYTES_MAX, Call, Caller, Encoding, Head, Place, Refusal, Signature, check, decode, reply, route,
};
use stepwell_interpreter::{Chance, Moment};
use stepwell_spec::{Action, ProtocolError, Timestamp};

use crate::body;
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::shard::{Answer, Door};

const OWN_PAGES: &str = "/_stepwell/";

pub(crate) type Page = Response<Full<Bytes>>;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Front {
    gate: Gate,
    door: Door,
    metrics: Metrics,
    account: String,
    region: String,
    seed: u64,
    /// Requests so far; names the next one.
    requests: AtomicU64,
}

impl Front {
    /// The front of this service. The seed is what request ids are drawn from.
    pub(crate) fn new(settings: &Settings, door: Door, seed: u64) -> Front {
        Front {
            gate: Gate::new(settings.listen, &settings.allowed_hosts),
            door,
            metrics: Metrics::new(),
            account: settings.account.clone(),
            region: settings.region.clone(),
            seed,
            requests: AtomicU64::new(0),
        }
    }

    /// Answers one request.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Page
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (parts, body) = request.into_parts();
        let authority = parts.uri.authority().map(|authority| authority.as_str());
        if let Err(reason) = self.gate.check(authority, &parts.headers) {
            return text(StatusCode::FORBIDDEN, reason);
        }
        match parts.uri.path().strip_prefix(OWN_PAGES) {
            Some(page) => self.own_page(&parts.method, page),
            None => self.api(&parts, body).await,
        }
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
        B: Body<Data = Bytes> + Unpin,
    {
        let began = Instant::now();
        let Some(headers) = read_headers(parts) else {
            return text(StatusCode::BAD_REQUEST, "a header of the request is not UTF-8 text");
        };
        let Ok(body) = body::read(body).await else {
            return text(StatusCode::REQUEST_TIMEOUT, "the body of the request did not come whole and in time");
        };
        let query = parts.uri.query().unwrap_or_default();
        let head = Head { method: parts.method.as_str(), path: parts.uri.path(), query, headers: &headers };
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let request_id = self.request_id(id);
        let action = route(&head);
        let caller = Signature::claimed_caller(&head);
        let answer = match &action {
            Ok(action) => self.act(id, *action, &caller, &body).await,
            Err(refusal) => Err(refusal.clone()),
        };
        let action = action.ok();
        self.metrics.count(action, &answer);
        tracing::debug!(
            request_id,
            action = action.map_or("none", |action| action.facts().name),
            outcome = answer.as_ref().map_or_else(Refusal::name, |_| "ok"),
            elapsed_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        page(&answer, Encoding::of(&head), &request_id, body.len() > BODY_BYTES_MAX)
    }

    async fn act(&self, id: u64, action: Action, caller: &Caller, body: &[u8]) -> Answer {
        let request = decode(action, body)?;
        check(&request)?;
        let call = Call { id, place: self.place(caller), request };
        let gone = || Err(Refusal::silent(ProtocolError::ServiceUnavailableException));
        self.door.call(call).await.unwrap_or_else(gone)
    }

    /// Whose resources are meant: an access key that is an account id says so itself.
    fn place(&self, caller: &Caller) -> Place {
        let is_account = caller.account == caller.access_key_id;
        // It becomes a part of ARNs, and may be anything a client wrote into its signature.
        let region = caller.region.as_ref().filter(|region| is_region(region));
        Place {
            account: if is_account { &caller.account } else { &self.account }.clone(),
            region: region.unwrap_or(&self.region).clone(),
        }
    }

    fn request_id(&self, id: u64) -> String {
        Chance::new(Moment { now: Timestamp(0), entropy: self.seed.wrapping_add(id) }).uuid()
    }
}

/// Whether the text is such as AWS's regions are: `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(is_part)
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
    let mut page = Response::new(Full::new(Bytes::from(reply.body)));
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
    let mut page = Response::new(Full::new(Bytes::from(body)));
    *page.status_mut() = status;
    page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    page.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    page
}
