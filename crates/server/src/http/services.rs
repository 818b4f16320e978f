//! Requests of the services beside Step Functions, on the same port.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::Instant;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use stepwell_api::{Caller, Head, Refusal};
use stepwell_json::Json;
use stepwell_protocol::{AwsError, Fault, HttpAnswer, Place, Protocol};
use tokio::sync::SemaphorePermit;

use super::{Front, Page};
use crate::body::{self, BodyFault};
use crate::local::{FromOutside, Meant, StreamFault, meant, refusal, request_of, whole};

/// Bytes the body of a request may have, where a service takes more than [`BYTES_MAX`].
///
/// Source: Lambda quotas, 50 MB for a zipped deployment package, which JSON carries as base64; DynamoDB quotas, 16 MB for a
/// request. A little more, for what is around them.
const BYTES_MAX_OF: [(&str, usize); 2] = [("lambda", 72 * 1024 * 1024), ("dynamodb", 17 * 1024 * 1024)];

/// Bytes of any other. SQS takes a megabyte of message, which JSON may spell in twice as many.
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// What a body is read within.
fn bytes_max(service: &str) -> usize {
    BYTES_MAX_OF.iter().find(|(name, _)| *name == service).map_or(BYTES_MAX, |(_, bytes)| *bytes)
}

impl Front {
    /// What a request means by its head.
    pub(super) fn meant<'a>(&self, head: &Head<'a>) -> Meant<'a> {
        meant(head, &|service| self.local.serves(service))
    }

    /// The service a form names that nobody signed, with all it says.
    pub(super) fn meant_by_form<'a>(&self, head: &Head<'a>, body: &[u8]) -> Option<(&'static str, Meant<'a>)> {
        let kind = head.header("content-type")?;
        let form = std::str::from_utf8(body).ok().filter(|_| kind.starts_with("application/x-www-form-urlencoded"))?;
        let service = self.meant(&Head { query: form, ..*head }).service?;
        Some((service, Meant { service: Some(service), ..Meant::default() }))
    }

    /// Answers a request of a service.
    pub(super) async fn service<B>(
        &self,
        service: &'static str,
        meant: &Meant<'_>,
        parts: &Parts,
        head: &Head<'_>,
        body: B,
    ) -> Page
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Error + Send + Sync + 'static,
    {
        let began = Instant::now();
        let page = match self.local.http(service) {
            Some(host) => {
                let caller = self.claimed(meant);
                let mut request = Request::from_parts(parts.clone(), body.map_err(StreamFault::new).boxed_unsync());
                request.extensions_mut().clear();
                request.extensions_mut().insert(FromOutside);
                host.answer(&aws_place(self.place(caller)), request).await
            }
            None => self.call_service(service, meant, head, body).await,
        };
        let status = page.status().as_u16();
        self.metrics.count_service(service, status);
        tracing::info!(
            service,
            target = head.header("x-amz-target"),
            method = head.method,
            region = meant.region,
            status,
            elapsed_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        page
    }

    /// Reads the body and asks the service.
    async fn call_service<B>(&self, service: &'static str, meant: &Meant<'_>, head: &Head<'_>, body: B) -> Page
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let (_in_line, _room) = match self.admit(service, body.size_hint().exact()) {
            Ok(admitted) => admitted,
            Err(error) => {
                body::discard(body).await;
                return page(refusal(service, &error));
            }
        };
        let body = match body::read(body, bytes_max(service)).await {
            Ok(body) => body,
            Err(BodyFault::Large) => {
                let message = format!("Request size exceeded {} bytes", bytes_max(service));
                return page(refusal(service, &self.error("RequestEntityTooLargeException", &message, 413)));
            }
            Err(fault @ (BodyFault::Late | BodyFault::Broken)) => {
                let reason = "the body of the request did not come whole and in time";
                return self.refused(StatusCode::REQUEST_TIMEOUT, fault.name(), reason);
            }
        };
        let place = match self.prove(service, meant, head, &body) {
            Ok(place) => place,
            Err(unproved) => {
                let message = unproved.message().unwrap_or_default();
                let status = unproved_status(service, &unproved);
                return page(refusal(service, &self.error(unproved.name(), message, status)));
            }
        };
        match request_of(head, body) {
            Some(request) => page(self.local.answer(service, &place, request).await),
            None => page(refusal(service, &self.error("SerializationException", "the query string is no text", 400))),
        }
    }

    /// A place in line and room for the body, or why there is none.
    fn admit(
        &self,
        service: &str,
        announced: Option<u64>,
    ) -> Result<(SemaphorePermit<'_>, SemaphorePermit<'_>), AwsError> {
        let throttled = || self.error("ThrottlingException", "Rate exceeded", 400);
        let in_line = self.queue.enter_local().ok_or_else(throttled)?;
        let room = self.queue.room(announced, bytes_max(service)).map_err(|_| throttled())?;
        Ok((in_line, room))
    }

    /// Whose resources are meant, proved by the signature where that is asked for.
    fn prove(&self, service: &str, meant: &Meant<'_>, head: &Head<'_>, body: &[u8]) -> Result<Place, Refusal> {
        if self.keyring.is_none() {
            return Ok(aws_place(self.place(self.claimed(meant))));
        }
        let signing_name = stepwell_protocol::service(service).map_or(service, |model| &model.names.signing_name);
        self.caller(head, signing_name, body).map(|caller| aws_place(self.place(caller)))
    }

    /// Who a request says it is from.
    fn claimed(&self, meant: &Meant<'_>) -> Caller {
        let access_key_id = meant.access_key_id.unwrap_or_default().to_owned();
        Caller { account: access_key_id.clone(), access_key_id, region: meant.region.map(str::to_owned) }
    }

    fn error(&self, code: &str, message: &str, status: u16) -> AwsError {
        let request_id = self.request_id(self.requests.fetch_add(1, Ordering::Relaxed));
        AwsError {
            code: code.into(),
            message: Some(message.into()),
            status,
            fault: if status < 500 { Fault::Client } else { Fault::Server },
            request_id: request_id.into(),
            members: Json::empty_object(),
        }
    }
}

fn aws_place(place: stepwell_api::Place) -> Place {
    Place { account: place.account.into(), region: place.region.into() }
}

fn page(answer: HttpAnswer) -> Page {
    let mut page = Response::new(whole(answer.body));
    *page.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            page.headers_mut().append(name, value);
        }
    }
    page
}

/// The status of a refusal to believe who asks. Services with paths and verbs, as Lambda is, say what HTTP has for it, and those that
/// are asked as Step Functions is say it as Step Functions does.
fn unproved_status(service: &str, unproved: &Refusal) -> u16 {
    let protocol = stepwell_protocol::service(service).map(|model| model.names.protocol());
    match protocol {
        Some(Protocol::RestJson | Protocol::RestXml) if unproved.status() < 500 => 403,
        _ => unproved.status(),
    }
}
