//! One connection and what goes over it: requests that were prepared, answers whose bytes are kept and not read.
//!
//! Knows HTTP and nothing of AWS's actions. A server that closes connections between requests is connected to again; one
//! that breaks off in the midst of a request has erred.

use std::sync::{Arc, OnceLock};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use stepwell_protocol::{HttpRequest, Payload, Scope, sign};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::clock;
use crate::endpoint::{Endpoint, Service, Signing};

const AWS_JSON: &str = "application/x-amz-json-1.0";
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// A request, made once and sent often.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    service: Service,
    action: &'static str,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Prepared {
    /// The same request with another body.
    pub(crate) fn with_body(&self, body: impl Into<Bytes>) -> Prepared {
        Prepared { body: body.into(), ..self.clone() }
    }

    pub(crate) fn action(&self) -> &'static str {
        self.action
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// Whom connections are made to.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) endpoint: Endpoint,
    pub(crate) signing: Signing,
}

impl Place {
    /// A request for an action with this body.
    pub(crate) fn prepare(
        &self,
        service: Service,
        action: &'static str,
        body: impl Into<Bytes>,
    ) -> Result<Prepared, String> {
        let unusable = |fault: &dyn std::fmt::Display| format!("cannot make a request for {action}: {fault}");
        let value = |text: String| HeaderValue::try_from(text).map_err(|fault| unusable(&fault));
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(HOST, value(self.endpoint.host_header(service))?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(AWS_JSON));
        headers.insert(TARGET, value(format!("{}.{action}", service.target_prefix()))?);
        if let Signing::Constant { region } = &self.signing {
            headers.insert(AUTHORIZATION, value(Signing::constant_header(region, service))?);
        }
        Ok(Prepared { service, action, uri: Uri::from_static("/"), headers, body: body.into() })
    }

    /// The headers of a request as it is sent now.
    fn headers(&self, request: &Prepared) -> Result<HeaderMap, String> {
        let Signing::Keys { keys, region } = &self.signing else { return Ok(request.headers.clone()) };
        let said = request
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let mut signed = HttpRequest {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: said.collect(),
            body: request.body.to_vec(),
            ..HttpRequest::default()
        };
        let timestamp = clock::basic_time();
        let service = request.service.signing_name();
        let scope = Scope { region, service, timestamp: &timestamp, payload: Payload::Signed };
        sign(&mut signed, &self.endpoint.host_header(request.service), keys, &scope);
        let mut headers = HeaderMap::with_capacity(signed.headers.len());
        for (name, value) in &signed.headers {
            let name = HeaderName::try_from(name).map_err(|fault| fault.to_string())?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|fault| fault.to_string())?);
        }
        Ok(headers)
    }
}

/// A connection that is kept, to the host of one service at a time.
pub(crate) struct Connection {
    place: Arc<Place>,
    open: Option<(Service, SendRequest<Full<Bytes>>)>,
}

impl Connection {
    pub(crate) fn new(place: Arc<Place>) -> Connection {
        Connection { place, open: None }
    }

    /// Sends a request and takes the whole answer. What goes wrong on the way is said with the action.
    pub(crate) async fn send(&mut self, prepared: &Prepared) -> Result<Answer, String> {
        let action = prepared.action;
        match self.exchange(prepared).await {
            Ok(answer) => Ok(answer),
            Err(fault) => {
                self.open = None;
                Err(format!("{action}: {fault}"))
            }
        }
    }

    /// Opens the connection this service's requests will take, so that it is not measured.
    pub(crate) async fn open(&mut self, service: Service) -> Result<(), String> {
        self.sender(service).await.map(drop)
    }

    async fn exchange(&mut self, prepared: &Prepared) -> Result<Answer, String> {
        let headers = self.place.headers(prepared)?;
        let mut request = Request::new(Full::new(prepared.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = prepared.uri.clone();
        *request.headers_mut() = headers;
        let sender = self.sender(prepared.service).await?;
        let answer = sender.send_request(request).await.map_err(|fault| told(&fault))?;
        let status = answer.status().as_u16();
        let body = whole(answer.into_body()).await.map_err(|fault| told(&fault))?;
        Ok(Answer { status, body })
    }

    async fn sender(&mut self, service: Service) -> Result<&mut SendRequest<Full<Bytes>>, String> {
        let endpoint = &self.place.endpoint;
        let is_same_host = |open: Service| open == service || endpoint.of(open) == endpoint.of(service);
        let usable = match &mut self.open {
            // Ready at once unless the other side has closed it, or is about to say whether it has.
            Some((of, sender)) if is_same_host(*of) => sender.ready().await.is_ok(),
            _ => false,
        };
        if !usable {
            self.open = Some((service, connect(&self.place.endpoint, service).await?));
        }
        match &mut self.open {
            Some((_, sender)) => Ok(sender),
            None => Err("there is no connection".to_owned()),
        }
    }
}

async fn connect(endpoint: &Endpoint, service: Service) -> Result<SendRequest<Full<Bytes>>, String> {
    let (host, port) = endpoint.of(service);
    let failed = |fault: &dyn std::fmt::Display| format!("cannot connect to {host}:{port}: {fault}");
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|fault| failed(&fault))?;
    stream.set_nodelay(true).map_err(|fault| failed(&fault))?;
    if !endpoint.is_secure {
        return shake_hands(TokioIo::new(stream)).await;
    }
    let name = ServerName::try_from(host.clone()).map_err(|fault| failed(&fault))?;
    let connector = TlsConnector::from(tls()?);
    let stream = connector.connect(name, stream).await.map_err(|fault| failed(&fault))?;
    shake_hands(TokioIo::new(stream)).await
}

async fn shake_hands<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, String>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(stream).await.map_err(|fault| told(&fault))?;
    // What breaks the connection is told to whoever waits for an answer on it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// The authorities of this machine, read once.
fn tls() -> Result<Arc<ClientConfig>, String> {
    static CONFIG: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
    CONFIG.get_or_init(read_tls).clone()
}

fn read_tls() -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("this machine trusts no authority: install certificates".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| fault.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The bytes of a body. One that comes in a single piece is not copied.
async fn whole(mut body: Incoming) -> Result<Bytes, hyper::Error> {
    let mut first = Bytes::new();
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { return Ok(first) };
        let Ok(data) = frame?.into_data() else { continue };
        if !first.is_empty() {
            let rest = body.collect().await?.to_bytes();
            return Ok([&first[..], &data[..], &rest[..]].concat().into());
        }
        first = data;
    }
    Ok(first)
}

/// What hyper says, and what it says lies behind it.
fn told(fault: &hyper::Error) -> String {
    match std::error::Error::source(fault) {
        Some(source) => format!("{fault}: {source}"),
        None => fault.to_string(),
    }
}
