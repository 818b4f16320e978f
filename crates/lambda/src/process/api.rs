//! The Lambda Runtime API of one process: HTTP on a port of its own, which is how it is known whose questions these are.
//!
//! A runtime may say anything here; whatever it says, it says of its own invocation.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::process::{ANSWER_BYTES_MAX, Answer, Event, Message};

const API: &str = "/2018-06-01/runtime/";

/// Connections a process may have at a time.
const CONNECTIONS_MAX: usize = 64;

/// What is read of an answer that is too large, so that its runtime learns of that instead of a broken connection.
const READ_BYTES_MAX: u64 = 256 * 1024 * 1024;

type Inbox = mpsc::UnboundedSender<Message>;
type Answered = Response<Full<Bytes>>;

/// Answers until it is aborted, and all of its connections with it.
pub(crate) async fn serve(listener: TcpListener, inbox: Inbox) {
    let mut connections = JoinSet::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a runtime could not be answered");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS_MAX {
            continue;
        }
        // An answer that waits for more to send costs 40 ms each time.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection of a runtime ended");
            continue;
        }
        let inbox = inbox.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let inbox = inbox.clone();
                async move { Ok::<_, Infallible>(answer(request, &inbox).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection of a runtime ended");
            }
        });
    }
}

async fn answer(request: Request<Incoming>, inbox: &Inbox) -> Answered {
    let path = request.uri().path().to_owned();
    let Some(what) = path.strip_prefix(API) else { return not_found() };
    let parts: Vec<&str> = what.split('/').collect();
    match (request.method().clone(), &parts[..]) {
        (Method::GET, ["invocation", "next"]) => next(inbox).await,
        (Method::POST, ["invocation", id, "response"]) => {
            let id = (*id).to_owned();
            let answer = match read(request.into_body()).await {
                Ok(Read::Whole(body)) => Answer::Response(body),
                Ok(Read::TooLarge(bytes)) => Answer::TooLarge(bytes),
                Err(broken) => return broken,
            };
            say(inbox, id, answer).await
        }
        (Method::POST, ["invocation", id, "error"]) => {
            let id = (*id).to_owned();
            let answer = match read(request.into_body()).await {
                Ok(Read::Whole(body)) => Answer::Error(body),
                Ok(Read::TooLarge(bytes)) => Answer::TooLarge(bytes),
                Err(broken) => return broken,
            };
            say(inbox, id, answer).await
        }
        (Method::POST, ["init", "error"]) => match read(request.into_body()).await {
            Ok(Read::Whole(body)) => match inbox.send(Message::InitError(body)) {
                Ok(()) => accepted(),
                Err(_) => ending(),
            },
            Ok(Read::TooLarge(_)) => {
                refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the error is too large")
            }
            Err(broken) => broken,
        },
        _ => not_found(),
    }
}

async fn next(inbox: &Inbox) -> Answered {
    let (asker, event) = oneshot::channel();
    if inbox.send(Message::Next(asker)).is_err() {
        return ending();
    }
    match event.await {
        Ok(event) => delivered(event),
        // Another question took its place, or the process is at its end.
        Err(_) => ending(),
    }
}

fn delivered(event: Event) -> Answered {
    let trace =
        format!("Root=1-00000000-{};Sampled=0", event.request_id.replace('-', "").get(..24).unwrap_or_default());
    let deadline = event.deadline_ms.to_string();
    let mut answer = Response::new(Full::new(event.body));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", Some(&*event.request_id)),
        ("lambda-runtime-deadline-ms", Some(&*deadline)),
        ("lambda-runtime-invoked-function-arn", Some(&*event.function_arn)),
        ("lambda-runtime-trace-id", Some(&*trace)),
        ("lambda-runtime-client-context", event.client_context.as_deref()),
    ] {
        // A client context that is no header is left out, as it can hardly be sent in one.
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
    answer
}

async fn say(inbox: &Inbox, request_id: String, answer: Answer) -> Answered {
    let too_large = matches!(answer, Answer::TooLarge(_));
    let (accepted_by, is_accepted) = oneshot::channel();
    if inbox.send(Message::Answer { request_id, answer, accepted: accepted_by }).is_err() {
        return ending();
    }
    match is_accepted.await {
        Ok(true) if too_large => {
            let says = format!("Exceeded maximum allowed payload size ({ANSWER_BYTES_MAX} bytes).");
            refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &says)
        }
        Ok(true) => accepted(),
        Ok(false) => refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        Err(_) => ending(),
    }
}

enum Read {
    Whole(Bytes),
    TooLarge(u64),
}

async fn read(mut body: Incoming) -> Result<Read, Answered> {
    let (mut whole, mut bytes) = (Vec::new(), 0_u64);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| refusal(StatusCode::BAD_REQUEST, "InvalidRequest", "the body is broken"))?;
        let Ok(piece) = frame.into_data() else { continue };
        bytes += piece.len() as u64;
        match bytes <= ANSWER_BYTES_MAX as u64 {
            true => whole.extend_from_slice(&piece),
            false => whole.clear(),
        }
        if bytes > READ_BYTES_MAX {
            break;
        }
    }
    match bytes > ANSWER_BYTES_MAX as u64 {
        true => Ok(Read::TooLarge(bytes)),
        false => Ok(Read::Whole(whole.into())),
    }
}

fn accepted() -> Answered {
    plain(StatusCode::ACCEPTED, "{\"status\":\"OK\"}\n".to_owned())
}

fn not_found() -> Answered {
    refusal(StatusCode::NOT_FOUND, "NotFound", "the Runtime API has no such path")
}

/// The process is at its end, or has asked twice.
fn ending() -> Answered {
    refusal(StatusCode::GONE, "Gone", "there is nothing more to run")
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Answered {
    let quoted = stepwell_json::quoted;
    plain(status, format!("{{\"errorMessage\":{},\"errorType\":{}}}", quoted(message), quoted(error_type)))
}

fn plain(status: StatusCode, body: String) -> Answered {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
