//! Calls of addresses on their way: judged, resolved once, and made on a connection of their own.
//!
//! Redirects are not followed. An API that `--endpoint apigateway=URL` stands for is asked there, under its own name.

use std::net::SocketAddr;
use std::time::Duration;

use stepwell_api::{HttpAnswered, HttpAsked, HttpExchange};
use stepwell_integrations::{
    Address, Authorization, Connection, ConnectionFault, TokenRequest, WEB_BODY_BYTES_MAX, WebAnswer, WebCall,
    WebFault, WebKind, bearer_token, connection_of, describe_connection, read_secret, with_token,
};
use stepwell_protocol::{AwsError, HttpRequest, Payload, Scope, sign};

use crate::carrier::{Asker, Carrier, basic_time};
use crate::clock;
use crate::dial::{Wanted, exchange};
use crate::egress::Unresolved;
use crate::endpoints::{Destination, Endpoint};
use crate::tls::Tls;

/// How long a call may take in all. Source: Developer Guide, "Call HTTPS APIs".
const TIME: Duration = Duration::from_secs(60);

/// The service that API Gateway's signatures are for.
const EXECUTE_API: &str = "execute-api";

/// Makes a task's call. What an HTTP Task asked and saw is left in `seen`.
pub(crate) async fn visit(
    carrier: &Carrier,
    call: &WebCall,
    asker: &Asker,
    seen: &mut Option<HttpExchange>,
) -> WebAnswer {
    let visiting = async {
        let authorization = match &call.connection {
            Some(arn) => authorize(carrier, arn, asker).await?,
            None => Authorization::default(),
        };
        let mut request = call.request(&authorization).map_err(WebFault::Misfit)?;
        if request.body.len() > WEB_BODY_BYTES_MAX {
            let reason = format!("the request is larger than the {WEB_BODY_BYTES_MAX} bytes that a payload may have");
            return Err(WebFault::Refused(reason));
        }
        let stand_in = match (call.kind, carrier.destination("apigateway")) {
            (WebKind::ApiGateway, Some(Destination::At(endpoint))) => Some(endpoint),
            _ => None,
        };
        if call.signed {
            let keys = match &stand_in {
                Some(_) => carrier.keys_for_endpoint(asker),
                None => carrier.keys_for_aws(asker).await.map_err(WebFault::Refused)?,
            };
            let timestamp = basic_time(clock::wall());
            let region = &*asker.place.region;
            let scope = Scope { region, service: EXECUTE_API, timestamp: &timestamp, payload: Payload::Signed };
            sign(&mut request, &call.address.authority, &keys, &scope);
        }
        let mut trusts = None;
        if let Some(cluster) = &call.cluster {
            // A cluster that an emulator of EKS has made knows its keys alone.
            let keys = match carrier.destination("eks") {
                Some(Destination::At(endpoint)) if !endpoint.is_aws() => carrier.keys_for_endpoint(asker),
                Some(_) | None => carrier.keys_for_aws(asker).await.map_err(WebFault::Refused)?,
            };
            let token = bearer_token(&cluster.name, &asker.place.region, &keys, &basic_time(clock::wall()));
            request.headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
            trusts = Some(cluster.certificate_authority.as_str());
        }
        if call.kind == WebKind::Http {
            let plain = call.request(&Authorization::default()).map_err(WebFault::Misfit)?;
            *seen = Some(HttpExchange {
                protocol: if call.address.is_secure { "https" } else { "http" },
                plain: asked(&call.address, &plain),
                revealed: asked(&call.address, &request),
                answer: None,
            });
        }
        match stand_in {
            Some(endpoint) => ask_stand_in(carrier, &endpoint, &call.address, request).await,
            None => ask(carrier, &call.address, trusts, request).await,
        }
    };
    let answer = tokio::time::timeout(TIME, visiting).await;
    let answer = answer.unwrap_or_else(|_| Err(WebFault::Socket("Read timed out".to_owned())));
    if let (Some(exchange), Ok(answer)) = (seen, &answer) {
        exchange.answer = Some(HttpAnswered {
            status: answer.status,
            status_text: answer.status_text.clone(),
            headers: answer.headers.clone(),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        });
    }
    answer
}

/// A request as a test shows it.
fn asked(address: &Address, request: &HttpRequest) -> HttpAsked {
    let scheme = if address.is_secure { "https" } else { "http" };
    HttpAsked {
        method: request.method.clone(),
        url: format!("{scheme}://{}{}", address.authority, request.target()),
        headers: request.headers.clone(),
        body: String::from_utf8_lossy(&request.body).into_owned(),
    }
}

/// What a connection adds to a request.
async fn authorize(carrier: &Carrier, arn: &str, asker: &Asker) -> Result<Authorization, WebFault> {
    let refused = |fault: ConnectionFault, reason: String| {
        WebFault::Connection(fault, format!("The connection {arn} cannot be used: {reason}"))
    };
    let unread = |error: AwsError| {
        let said = format!("{}: {}", error.code, error.message.as_deref().unwrap_or_default());
        refused(ConnectionFault::of(&error), said)
    };
    let described = carrier.ask(&describe_connection(arn), asker).await.map_err(unread)?.output;
    if let Some(fault) = ConnectionFault::of_state(&described) {
        return Err(refused(fault, "it is not authorized".to_owned()));
    }
    let secret = match read_secret(&described) {
        Some(call) => Some(carrier.ask(&call, asker).await.map_err(unread)?.output),
        None => None,
    };
    let invalid = |reason: String| refused(ConnectionFault::InvalidConnectionState, reason);
    match connection_of(&described, secret.as_ref()).map_err(invalid)? {
        Connection::Ready(authorization) => Ok(authorization),
        Connection::Token(TokenRequest { address, request }, added) => {
            let answer = ask(carrier, &address, None, request).await?;
            if !(200..300).contains(&answer.status) {
                return Err(invalid(format!("the authorization endpoint answered {}", answer.status)));
            }
            with_token(added, &answer.body).map_err(invalid)
        }
    }
}

/// Asks an address that tasks may ask, and that this authority trusts or, without one, those that the server trusts.
async fn ask(carrier: &Carrier, address: &Address, authority: Option<&str>, request: HttpRequest) -> WebAnswer {
    let places = carrier.egress().resolve(&address.authority, address.is_secure).await;
    let places = places.map_err(|fault| match fault {
        Unresolved::Refused(reason) => WebFault::Refused(reason),
        Unresolved::Unknown(reason) => WebFault::Socket(reason),
    })?;
    let target = request.target();
    let trusted = || match authority {
        Some(authority) => Tls::trusting(authority).map_err(WebFault::Refused),
        None => carrier.tls().config().map_err(WebFault::Socket),
    };
    exchange(trusted, &places, address, &address.authority, &target, request, Wanted::All).await
}

/// Asks whoever stands in for API Gateway: it is told by the name of the host which API is meant.
async fn ask_stand_in(carrier: &Carrier, endpoint: &Endpoint, api: &Address, request: HttpRequest) -> WebAnswer {
    let url = endpoint.url(&request.target());
    let (at, _) = Address::parse(&url).map_err(WebFault::Refused)?;
    let default = if at.is_secure { ":443" } else { ":80" };
    let host = if at.authority.rsplit(']').next().is_some_and(|rest| rest.contains(':')) {
        at.authority.clone()
    } else {
        format!("{}{default}", at.authority)
    };
    let places: Vec<SocketAddr> =
        tokio::net::lookup_host(host).await.map_err(|fault| WebFault::Socket(fault.to_string()))?.collect();
    // What follows host and port in the URL.
    let target = url.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap_or_default();
    let trusted = || carrier.tls().config().map_err(WebFault::Socket);
    exchange(trusted, &places, &at, &api.authority, &target, request, Wanted::All).await
}
