//! One request on a connection of its own, to addresses that were judged before. Redirects are not followed.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::ext::ReasonPhrase;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use stepwell_integrations::{Address, WEB_BODY_BYTES_MAX, WebAnswer, WebFault, WebOutput};
use stepwell_protocol::HttpRequest;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::carrier::{CONNECT_TIME, headers_of, reason};

/// What of an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Its body too, as long as a payload may be.
    All,
    /// Its status and headers.
    Head,
}

/// Connects to the first of these that lets us, sends the request and reads the answer.
pub(crate) async fn exchange(
    trusted: impl FnOnce() -> Result<Arc<ClientConfig>, WebFault>,
    places: &[SocketAddr],
    at: &Address,
    host: &str,
    target: &str,
    request: HttpRequest,
    wanted: Wanted,
) -> WebAnswer {
    let socket = |fault: &(dyn std::error::Error + 'static), is_connecting: bool| {
        WebFault::Socket(reason(fault, &at.authority, is_connecting))
    };
    let connecting = tokio::time::timeout(CONNECT_TIME, TcpStream::connect(places)).await;
    let stream = connecting
        .map_err(|_| WebFault::Socket(format!("Connect to {} failed: connect timed out", at.authority)))?
        .map_err(|fault| socket(&fault, true))?;
    // Small requests are not held back to be sent together; a socket that cannot promise it still works.
    let _ = stream.set_nodelay(true);
    let mut sent = Request::builder().method(request.method.as_str()).uri(target).header("Host", host);
    for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
        sent = sent.header(name, value);
    }
    let sent = sent.body(Full::new(Bytes::from(request.body))).map_err(|fault| WebFault::Refused(fault.to_string()))?;
    if !at.is_secure {
        return talk(stream, sent, at, wanted).await;
    }
    let config = trusted()?;
    let name = host_name(&at.authority);
    let name = ServerName::try_from(name.to_owned()).map_err(|fault| WebFault::Refused(fault.to_string()))?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|fault| socket(&fault, true))?;
    talk(stream, sent, at, wanted).await
}

/// `host` of `host:port`, and an address of IPv6 without its brackets.
fn host_name(authority: &str) -> &str {
    let (rest, end) = match authority.strip_prefix('[') {
        Some(rest) => (rest, ']'),
        None => (authority, ':'),
    };
    rest.split(end).next().unwrap_or(rest)
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
    at: &Address,
    wanted: Wanted,
) -> WebAnswer {
    let socket = |fault: &(dyn std::error::Error + 'static)| WebFault::Socket(reason(fault, &at.authority, false));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|fault| socket(&fault))?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(|fault| socket(&fault))?;
        let status = answer.status();
        let phrase = answer.extensions().get::<ReasonPhrase>();
        let status_text = match phrase {
            Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
            None => status.canonical_reason().unwrap_or_default().to_owned(),
        };
        let headers = headers_of(&answer);
        if wanted == Wanted::Head {
            return Ok(WebOutput { status: status.as_u16(), status_text, headers, body: Vec::new() });
        }
        let body = Limited::new(answer.into_body(), WEB_BODY_BYTES_MAX)
            .collect()
            .await
            .map_err(|fault| if fault.is::<LengthLimitError>() { WebFault::TooLarge } else { socket(&*fault) })?;
        Ok(WebOutput { status: status.as_u16(), status_text, headers, body: body.to_bytes().to_vec() })
    };
    tokio::pin!(exchange, connection);
    tokio::select! {
        answer = &mut exchange => answer,
        // The connection ends before the answer is read when it ends with it.
        _ = &mut connection => exchange.await,
    }
}
