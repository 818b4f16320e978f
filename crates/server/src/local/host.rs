//! Who answers for a service: something that takes calls, or something that speaks HTTP by itself.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Response};
use stepwell_protocol::{HttpAnswer, HttpRequest, Peers, Place};

use super::pure::Pure;

/// A body that comes or goes in pieces.
pub(crate) type Streamed = UnsyncBoxBody<Bytes, StreamFault>;

/// Why a body broke off.
#[derive(Debug)]
pub(crate) struct StreamFault(Box<dyn Error + Send + Sync>);

impl StreamFault {
    pub(crate) fn new(fault: impl Into<Box<dyn Error + Send + Sync>>) -> StreamFault {
        StreamFault(fault.into())
    }
}

impl fmt::Display for StreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for StreamFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// The answer to a request, some day.
pub(crate) type Responding = Pin<Box<dyn Future<Output = Response<Streamed>> + Send>>;

/// Marks a request that a client sent, not this process: its signature counts, where signatures do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FromOutside;

/// A service whose bodies are too large to be held whole.
pub(crate) trait HttpHost: Send + Sync {
    /// Answers a request, as somebody of the place.
    fn answer(&self, place: &Place, request: Request<Streamed>) -> Responding;
}

/// Who answers for a service.
pub(crate) enum Host {
    /// Is pure, and knows a service from a client.
    Pure(Arc<Pure>),
    /// Takes calls; the bytes around them are read and written for it.
    Calls(Arc<dyn Peers>),
    /// Speaks HTTP by itself.
    #[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "S3 is the one that does"))]
    Http(Arc<dyn HttpHost>),
}

/// A body that is there.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Streamed {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// The answer to a request whose body is there, with its own body whole.
pub(super) async fn answer_whole(host: &dyn HttpHost, place: &Place, request: HttpRequest) -> HttpAnswer {
    let mut built = Request::builder().method(request.method.as_str()).uri(request.target());
    for (name, value) in &request.headers {
        built = built.header(name, value);
    }
    let request = match built.body(whole(request.body)) {
        Ok(request) => request,
        Err(fault) => return failed(400, &fault),
    };
    let (parts, body) = host.answer(place, request).await.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(fault) => return failed(500, &fault),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers =
        parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
    HttpAnswer { status: parts.status.as_u16(), headers, body }
}

/// An answer that could not be made, in plain words.
fn failed(status: u16, fault: &impl std::fmt::Display) -> HttpAnswer {
    HttpAnswer { status, headers: Vec::new(), body: fault.to_string().into_bytes() }
}
