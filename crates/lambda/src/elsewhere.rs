//! Functions that somebody else serves: the event goes to a URL as it is, and what comes back is the result.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::clock;
use crate::core::Core;
use crate::function::Version;
use crate::invoke::Call;
use crate::process::{ANSWER_BYTES_MAX, Outcome, error_document};

const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Client<HttpConnector, Full<Bytes>>);

impl Caller {
    pub(crate) fn new() -> Caller {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIME));
        connector.set_nodelay(true);
        Caller(Client::builder(TokioExecutor::new()).build(connector))
    }
}

/// Whether events can be passed on to a URL.
pub(crate) fn is_url(url: &str) -> bool {
    let parsed = url.parse::<hyper::Uri>();
    parsed.is_ok_and(|parsed| parsed.scheme_str() == Some("http") && parsed.host().is_some_and(|host| !host.is_empty()))
}

/// Passes an event on. Whatever goes wrong on the way is an error of the function.
pub(crate) async fn ask(core: &Core, url: &str, version: &Version, call: &Call) -> Outcome {
    let timeout = version.timeout();
    let id = &call.request_id;
    let asked = tokio::time::timeout(timeout, exchange(core, url, timeout, call)).await;
    let (payload, is_error) = match asked {
        Ok(Ok(answered)) => answered,
        Ok(Err(reason)) => {
            let message = format!("RequestId: {id} Error: the function at {url} did not answer: {reason}");
            (error_document("Function.Unreachable", &message), true)
        }
        Err(_) => {
            let seconds = timeout.as_secs_f64();
            let message = format!("{} {id} Task timed out after {seconds:.2} seconds", clock::wall());
            (error_document("Sandbox.Timedout", &message), true)
        }
    };
    Outcome { payload, is_error, log_tail: Vec::new() }
}

async fn exchange(core: &Core, url: &str, timeout: Duration, call: &Call) -> Result<(Bytes, bool), String> {
    let deadline = clock::wall().plus_ms(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
    let request = Request::post(url)
        .header("Content-Type", "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", &*call.request_id)
        .header("Lambda-Runtime-Deadline-Ms", deadline.0.to_string())
        .header("Lambda-Runtime-Invoked-Function-Arn", call.target.to_string())
        .body(Full::new(call.event.clone()))
        .map_err(|error| error.to_string())?;
    let answer = core.caller.0.request(request).await.map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        source.unwrap_or_else(|| error.to_string())
    })?;
    let status = answer.status();
    // As Lambda itself tells of it, and as emulators of one function do.
    let says_error = answer.headers().contains_key("x-amz-function-error");
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    match status.is_success() {
        true => Ok((body, says_error)),
        // A document of an error is one; anything else becomes one.
        false if says_error || body.starts_with(b"{\"error") => Ok((body, true)),
        false => {
            let text: String = String::from_utf8_lossy(&body).chars().take(1_000).collect();
            Ok((error_document("Function.HttpStatus", &format!("{status}: {text}")), true))
        }
    }
}
