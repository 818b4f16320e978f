//! What an action knows of its request beside its input: who asks, when, and what came behind the body.

use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use s3s::TrailingHeaders;
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;

use crate::checksums::{ALGORITHMS, Algorithm};
use crate::chunks::Trailers;
use crate::refusal::Refusal;

#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) place: Place,
    pub(crate) now: Timestamp,
    pub(crate) request_id: Arc<str>,
    pub(crate) host_id: Arc<str>,
    /// The checksum that comes behind the body, as its headers announce.
    pub(crate) announced: Option<Algorithm>,
    /// Where we read the coding of the body.
    trailers: Trailers,
    /// Where s3s did.
    signed_trailers: Option<TrailingHeaders>,
    /// Why the action was not done, for the answer.
    refusal: Arc<Mutex<Option<Refusal>>>,
}

impl Asker {
    pub(crate) fn new(
        place: &Place,
        now: Timestamp,
        (request_id, host_id): (Arc<str>, Arc<str>),
        headers: &HeaderMap,
        trailers: Trailers,
    ) -> Asker {
        let announced = headers.get("x-amz-trailer").and_then(|names| names.to_str().ok()).and_then(|names| {
            let named = |header: &str| names.split(',').any(|name| name.trim().eq_ignore_ascii_case(header));
            ALGORITHMS.iter().find(|(_, _, header)| named(header)).map(|(algorithm, _, _)| *algorithm)
        });
        Asker {
            place: place.clone(),
            now,
            request_id,
            host_id,
            announced,
            trailers,
            signed_trailers: None,
            refusal: Arc::default(),
        }
    }

    pub(crate) fn with_signed_trailers(mut self, trailers: Option<TrailingHeaders>) -> Asker {
        self.signed_trailers = trailers;
        self
    }

    /// A header that came behind the body, which has been read.
    pub(crate) fn trailer(&self, name: &str) -> Option<String> {
        let text = |headers: &HeaderMap| headers.get(name)?.to_str().ok().map(str::to_owned);
        let own = text(&self.trailers.lock().unwrap_or_else(PoisonError::into_inner));
        own.or_else(|| self.signed_trailers.as_ref()?.read(text)?)
    }

    pub(crate) fn refuse(&self, refusal: Refusal) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
    }

    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
