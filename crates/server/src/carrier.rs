//! What brings a call to its service: to one of this process, to an endpoint, or to AWS itself.
//!
//! Owns the clients, the keys requests are signed with, and how an answer that did not come is worded. Which task a call
//! belongs to, and what becomes of its answer, is not known here.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use stepwell_interpreter::{Chance, Moment};
use stepwell_json::Json;
use stepwell_protocol::{
    AwsAnswer, AwsCall, AwsError, Fault, HttpAnswer, HttpRequest, Keys, Operation, Payload, Place, Scope, Service,
    add_checksum, decode_response, encode_request, sign,
};
use stepwell_spec::Timestamp;

use crate::clock;
use crate::egress::Egress;
use crate::endpoints::{Destination, Endpoint, Endpoints};
use crate::keys::KeyChain;
use crate::local::Local;
use crate::tls::Tls;

/// How long a connection may take to come about, as AWS's own client has it.
pub(crate) const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long an answer may take: no function runs for more than fifteen minutes.
const ANSWER_TIME: Duration = Duration::from_secs(15 * 60 + 30);

/// The largest answer that is read. Lambda has none beyond 6 MB, and no task may have a result of a twentieth of that.
const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024 + 64 * 1024;

/// Brings calls to services. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Carrier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    plain: Client<HttpConnector, Full<Bytes>>,
    /// Made when the first call needs it: reading the roots takes a moment.
    secure: OnceLock<Client<HttpsConnector<HttpConnector>, Full<Bytes>>>,
    tls: Arc<Tls>,
    egress: Egress,
    endpoints: Endpoints,
    local: Local,
    chain: KeyChain,
}

/// Whose keys sign a call.
#[derive(Clone, Copy)]
enum Signer<'a> {
    /// Those that the asker has where the call goes.
    Asker,
    Keys(&'a Keys),
    Nobody,
}

/// Who makes a call.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// Whose resources are meant.
    pub(crate) place: Place,
    /// The role that is to be assumed for it, where a service is AWS's own.
    pub(crate) role_arn: Option<Arc<str>>,
    /// Draws the same idempotency tokens when the task is asked for again.
    pub(crate) entropy: u64,
}

impl Carrier {
    pub(crate) fn new(endpoints: Endpoints, local: Local, tls: Arc<Tls>, egress: Egress) -> Carrier {
        Carrier::with_keys(KeyChain::new(), endpoints, local, tls, egress)
    }

    pub(crate) fn with_keys(
        chain: KeyChain,
        endpoints: Endpoints,
        local: Local,
        tls: Arc<Tls>,
        egress: Egress,
    ) -> Carrier {
        let plain = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector());
        let secure = OnceLock::new();
        Carrier(Arc::new(Inner { plain, secure, tls, egress, endpoints, local, chain }))
    }

    /// What connections over TLS are made with.
    pub(crate) fn tls(&self) -> &Tls {
        &self.0.tls
    }

    /// Which addresses tasks may ask.
    pub(crate) fn egress(&self) -> &Egress {
        &self.0.egress
    }

    /// Where calls of a service go; `None` when nobody is configured to answer them.
    pub(crate) fn destination(&self, service: &str) -> Option<Destination> {
        match self.0.endpoints.get(service) {
            Some(Destination::Here) | None => self.0.local.serves(service).then_some(Destination::Here),
            Some(elsewhere) => Some(elsewhere.clone()),
        }
    }

    /// Asks a service wherever it is.
    pub(crate) async fn ask(&self, call: &AwsCall, asker: &Asker) -> AwsAnswer {
        match self.destination(&call.service) {
            Some(destination) => self.carry(&destination, call, asker).await,
            None => {
                let service = &call.service;
                let reason =
                    format!("no service is configured to answer it; start the server with --endpoint {service}=URL");
                Err(unreached(&reason))
            }
        }
    }

    /// Makes one call, to its end.
    pub(crate) async fn carry(&self, destination: &Destination, call: &AwsCall, asker: &Asker) -> AwsAnswer {
        self.carry_signed(destination, call, asker, Signer::Asker).await
    }

    /// Asks one of AWS's services, where it is or stands in for it, for keys: with keys that are there already, or without.
    pub(crate) async fn ask_aws(&self, call: &AwsCall, place: &Place, keys: Option<&Keys>) -> AwsAnswer {
        let elsewhere = self.0.endpoints.get(&call.service).filter(|found| matches!(found, Destination::At(_)));
        let destination = elsewhere.cloned().unwrap_or(Destination::Aws);
        let asker = Asker { place: place.clone(), role_arn: None, entropy: 0 };
        self.carry_signed(&destination, call, &asker, keys.map_or(Signer::Nobody, Signer::Keys)).await
    }

    async fn carry_signed(
        &self,
        destination: &Destination,
        call: &AwsCall,
        asker: &Asker,
        signer: Signer<'_>,
    ) -> AwsAnswer {
        let Some((service, operation)) = operation_of(call) else {
            let message = format!("{} has no operation {}", call.service, call.action);
            return Err(refused("UnknownOperationException", &message));
        };
        let tokens = Chance::new(Moment { now: Timestamp(0), entropy: asker.entropy });
        let mut request = encode_request(service, operation, &call.input, &mut || tokens.uuid())
            .map_err(|unfit| refused("ValidationException", &unfit.to_string()))?;
        add_checksum(service, operation, &mut request);
        let signer = if operation.anonymous { Signer::Nobody } else { signer };
        let answering = async {
            let (endpoint, region, is_aws) = match destination {
                Destination::Here => {
                    return Ok(self.0.local.answer_task(&service.names.name, &asker.place, request).await);
                }
                Destination::At(endpoint) => (endpoint.clone(), asker.place.region.clone(), endpoint.is_aws()),
                Destination::Aws => {
                    let prefix = request.host_prefix.as_deref();
                    let (endpoint, region) = Endpoint::of_aws(service.names, &asker.place.region, prefix);
                    (endpoint, region, true)
                }
            };
            let keys = match signer {
                Signer::Nobody => None,
                Signer::Keys(keys) => Some(keys.clone()),
                Signer::Asker if is_aws => Some(self.keys_for_aws(asker).await?),
                Signer::Asker => Some(self.0.chain.emulated(&asker.place)),
            };
            self.send(&endpoint, service, request, keys.as_ref(), &region).await
        };
        match tokio::time::timeout(ANSWER_TIME, answering).await {
            Ok(Ok(answer)) => decode_response(service, operation, &answer),
            Ok(Err(reason)) => Err(unreached(&reason)),
            Err(_) => Err(unreached("Read timed out")),
        }
    }

    /// The keys for AWS itself: the server's, or those of the role that is assumed with them.
    pub(crate) async fn keys_for_aws(&self, asker: &Asker) -> Result<Keys, String> {
        let own = self.0.chain.own(self, &asker.place).await?;
        let Some(role_arn) = &asker.role_arn else { return Ok(own) };
        if let Some(keys) = self.0.chain.assumed(role_arn) {
            return Ok(keys);
        }
        let input = Json::object([("RoleArn", Json::from(&**role_arn)), ("RoleSessionName", Json::from("stepwell"))]);
        let call = AwsCall { service: "sts".into(), action: "AssumeRole".into(), input };
        let answer = Box::pin(self.ask_aws(&call, &asker.place, Some(&own))).await;
        let answer = answer.map_err(|fault| {
            let said = fault.message.as_deref().unwrap_or_default();
            format!("{role_arn} cannot be assumed: {}: {said}", fault.code)
        })?;
        self.0.chain.assume(role_arn, &answer.output)
    }

    /// The keys for whoever is asked at an endpoint.
    pub(crate) fn keys_for_endpoint(&self, asker: &Asker) -> Keys {
        self.0.chain.emulated(&asker.place)
    }

    /// Asks an address that whoever started the server named, as it stands.
    pub(crate) async fn fetch(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        time: Duration,
    ) -> Result<HttpAnswer, String> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::default()).map_err(|fault| fault.to_string())?;
        let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let is_secure = request.uri().scheme_str() == Some("https");
        let exchanging = self.exchange(&authority, is_secure, request);
        let answer = tokio::time::timeout(time, exchanging).await;
        answer.unwrap_or_else(|_| Err(format!("{authority} did not answer within {} ms", time.as_millis())))
    }

    /// Signs a request, if anybody does, and sends it.
    async fn send(
        &self,
        endpoint: &Endpoint,
        service: &Service,
        mut wire: HttpRequest,
        keys: Option<&Keys>,
        region: &str,
    ) -> Result<HttpAnswer, String> {
        // S3 asks for the body's digest in a header.
        let payload = if &*service.names.name == "s3" { Payload::SignedInHeader } else { Payload::Signed };
        let timestamp = basic_time(clock::wall());
        let scope = Scope { region, service: &service.names.signing_name, timestamp: &timestamp, payload };
        if let Some(keys) = keys {
            sign(&mut wire, &endpoint.authority, keys, &scope);
        }
        let mut request = Request::builder()
            .method(wire.method.as_str())
            .uri(endpoint.url(&wire.target()))
            .header("User-Agent", concat!("stepwell/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &wire.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(wire.body))).map_err(|fault| fault.to_string())?;
        self.exchange(&endpoint.authority, endpoint.is_secure, request).await
    }

    /// Sends a request and reads its answer, or says why there is none.
    async fn exchange(
        &self,
        authority: &str,
        is_secure: bool,
        request: Request<Full<Bytes>>,
    ) -> Result<HttpAnswer, String> {
        let answer = match is_secure {
            false => self.0.plain.request(request).await,
            true => self.secure()?.request(request).await,
        };
        let answer = answer.map_err(|fault| reason(&fault, authority, fault.is_connect()))?;
        let (status, headers) = (answer.status().as_u16(), headers_of(&answer));
        let body =
            Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(|fault| match fault
                .is::<LengthLimitError>(
            ) {
                true => format!("the answer has more than {ANSWER_BYTES_MAX} bytes"),
                false => reason(&*fault, authority, false),
            })?;
        Ok(HttpAnswer { status, headers, body: body.to_bytes().to_vec() })
    }

    fn secure(&self) -> Result<&Client<HttpsConnector<HttpConnector>, Full<Bytes>>, String> {
        if let Some(client) = self.0.secure.get() {
            return Ok(client);
        }
        let config = self.0.tls.config()?;
        let mut http = connector();
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new().with_tls_config((*config).clone()).https_only();
        let https = https.enable_http1().wrap_connector(http);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https);
        // Whoever was first made one that is as good.
        Ok(self.0.secure.get_or_init(|| client))
    }
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_TIME));
    connector.set_nodelay(true);
    connector
}

/// Headers as text.
pub(crate) fn headers_of(answer: &Response<Incoming>) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    answer.headers().iter().map(|(name, value)| (text(name.as_str().as_bytes()), text(value.as_bytes()))).collect()
}

/// `20160818T173300Z`, as signatures have it.
pub(crate) fn basic_time(time: Timestamp) -> String {
    let seconds = time.to_string();
    let seconds = seconds.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

/// The operation of a service's model that a call means.
pub(crate) fn operation_of(call: &AwsCall) -> Option<(&'static Service, &'static Operation)> {
    let service = stepwell_protocol::service(&call.service)?;
    Some((service, service.operation(&call.action)?))
}

/// Why there is no answer, as AWS's client would say it.
pub(crate) fn reason(fault: &(dyn Error + 'static), authority: &str, is_connecting: bool) -> String {
    let (mut chain, mut next) = (Vec::new(), Some(fault));
    while let Some(fault) = next {
        chain.push(fault);
        next = fault.source();
    }
    let said = chain.last().map(ToString::to_string).unwrap_or_default();
    let kind = chain.iter().find_map(|fault| fault.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    let is_silent = |fault: &hyper::Error| fault.is_incomplete_message();
    let is_silent = chain.iter().filter_map(|fault| fault.downcast_ref()).any(is_silent);
    match (is_connecting, kind) {
        (true, Some(std::io::ErrorKind::ConnectionRefused)) => {
            format!("Connect to {authority} failed: Connection refused")
        }
        (true, Some(std::io::ErrorKind::TimedOut)) => format!("Connect to {authority} failed: connect timed out"),
        (true, _) => format!("Connect to {authority} failed: {said}"),
        (false, Some(std::io::ErrorKind::ConnectionReset)) => "Connection reset".to_owned(),
        (false, _) if is_silent => format!("{authority} failed to respond"),
        (false, _) => said,
    }
}

/// A call that never left.
fn refused(code: &str, message: &str) -> AwsError {
    AwsError {
        code: code.into(),
        message: Some(message.into()),
        status: 400,
        fault: Fault::Client,
        request_id: "".into(),
        members: Json::empty_object(),
    }
}

fn unreached(reason: &str) -> AwsError {
    AwsError {
        code: "SdkClientException".into(),
        message: Some(format!("Unable to execute HTTP request: {reason}").into()),
        status: 0,
        fault: Fault::Unreached,
        request_id: "".into(),
        members: Json::empty_object(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc::channel;

    use super::*;

    /// What was asked of an STS that answers with these keys, and a carrier that asks it.
    #[test]
    fn a_role_is_assumed_once_for_as_long_as_its_keys_are_good() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut request = vec![0; 16 * 1024];
                let length = stream.read(&mut request).expect("a request");
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let body = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId>\
                            <SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>\
                            <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).expect("it is taken");
                sender.send(request).expect("somebody listens");
            }
        });
        let mut endpoints = Endpoints::default();
        endpoints.set("sts", &format!("http://{address}")).expect("a URL");
        let chain = KeyChain::of(|name| name.starts_with("AWS_").then(|| "OWN".to_owned()));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let carrier = Carrier::with_keys(chain, endpoints, Local::nowhere(), Arc::default(), Egress::default());
        let place = Place { account: "222222222222".into(), region: "eu-west-1".into() };
        let role_arn = Some(Arc::from("arn:aws:iam::222222222222:role/r"));
        let asker = Asker { place, role_arn, entropy: 1 };
        for _ in 0..2 {
            let keys = runtime.block_on(carrier.keys_for_aws(&asker)).expect("keys");
            assert_eq!((keys.access_key_id.as_str(), keys.session_token.as_deref()), ("ROLE", Some("T")));
        }
        let request = asked.recv().expect("it is asked");
        assert!(request.contains("Credential=OWN/") && request.contains("/eu-west-1/sts/aws4_request"), "{request}");
        assert!(request.contains("Action=AssumeRole") && request.contains("role%2Fr"), "{request}");
        assert!(asked.try_recv().is_err(), "it is asked once");
        let own = runtime.block_on(carrier.keys_for_aws(&Asker { role_arn: None, ..asker })).expect("keys");
        assert_eq!(own.access_key_id, "OWN");
    }
}
