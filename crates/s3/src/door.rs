//! From a request to its answer: what AWS does before and after an action, whichever it is.
//!
//! Every answer has the two ids of a request; an error says them too, and what it is about. Who signed a request is asked
//! only where there are keys; otherwise signatures are taken off, and only what they say of time counts.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use s3s::Body;
use stepwell_protocol::HttpRequest;
use stepwell_spec::Timestamp;

use crate::actions::ACTIONS;
use crate::chunks::{Trailers, Unchunked};
use crate::names::bucket_of_host;
use crate::refusal::{self, Refusal};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const SHA256: &str = "x-amz-content-sha256";
const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
/// An error of s3s is read up to here; it is a few hundred bytes.
const ERROR_MAX: usize = 64 * 1024;

/// Bucket and key of a request, still as its path says them.
pub(crate) struct Target {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// Path and query.
    pub(crate) resource: String,
}

impl Target {
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Target {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.host());
        let path = uri.path().trim_start_matches('/');
        let (bucket, key) = match host.and_then(bucket_of_host) {
            Some(bucket) => (bucket.to_owned(), path),
            None => match path.split_once('/') {
                Some((bucket, key)) => (bucket.to_owned(), key),
                None => (path.to_owned(), ""),
            },
        };
        let resource = if key.is_empty() { format!("/{bucket}") } else { format!("/{bucket}/{key}") };
        Target { bucket, key: key.to_owned(), resource }
    }
}

/// Refuses actions that are S3's and not ours, naming them. s3s knows fewer actions than AWS has, and would take some of the
/// others for those it knows: a `DELETE` of a setting of a bucket for one of the bucket.
pub(crate) fn check_action(method: &Method, target: &Target, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(query) = uri.query() else { return Ok(()) };
    let texts =
        headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let path = format!("{}?{query}", target.resource);
    let request = HttpRequest::received(method.as_str(), &path, texts.collect(), Vec::new());
    let request = request.ok_or_else(|| Refusal::of(refusal::INVALID_URI).with("URI", &path))?;
    let Some(service) = stepwell_protocol::service("s3") else { return Ok(()) };
    match stepwell_protocol::asked_operation(service, &request) {
        Some(operation) if !ACTIONS.contains(&&*operation.name) => Err(not_implemented(&operation.name)),
        _ => Ok(()),
    }
}

pub(crate) fn not_implemented(action: &str) -> Refusal {
    Refusal::of(refusal::NOT_IMPLEMENTED).saying(format!("{action} is not implemented"))
}

/// Says no to a presigned URL whose time is over.
pub(crate) fn check_expiry(uri: &Uri, now: Timestamp) -> Result<(), Refusal> {
    let value = |name: &str| pairs(uri).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let now_seconds = now.0.div_euclid(1000);
    let ends = match (value("X-Amz-Date"), value("X-Amz-Expires"), value("Expires")) {
        (Some(date), Some(expires), _) => {
            let begins = Timestamp::parse(&extended(date).unwrap_or_default()).map_err(|_| {
                let sentence = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"";
                Refusal::of(("AuthorizationQueryParametersError", 400, sentence))
            })?;
            let expires = expires.parse::<i64>().ok().filter(|seconds| (0..=604_800).contains(seconds));
            let expires = expires.ok_or_else(|| {
                let sentence = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds";
                Refusal::of(("AuthorizationQueryParametersError", 400, sentence))
            })?;
            begins.0.div_euclid(1000) + expires
        }
        (_, _, Some(expires)) if value("Signature").is_some() => expires.parse().unwrap_or(0),
        _ => return Ok(()),
    };
    if now_seconds > ends {
        return Err(Refusal::of(refusal::ACCESS_DENIED).saying("Request has expired").with("Expires", ends));
    }
    Ok(())
}

/// `20150830T123600Z` -> `2015-08-30T12:36:00Z`
fn extended(date: &str) -> Option<String> {
    let part = |range| date.get(range);
    (date.len() == 16).then_some(())?;
    Some(format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(9..11)?,
        part(11..13)?,
        part(13..15)?
    ))
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (&str, &str)> {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Who a request says signed it.
pub(crate) struct ClaimedKey {
    pub(crate) access_key_id: String,
    pub(crate) token: Option<String>,
}

/// Who a request says signed it, if anybody. Refuses one that says so in two ways, since the account would be one's and the
/// signature the other's.
pub(crate) fn claimed_key(uri: &Uri, headers: &HeaderMap) -> Result<Option<ClaimedKey>, Refusal> {
    let all = |name: &str| -> Vec<String> {
        let named = pairs(uri).filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.replace("%2F", "/").replace("%2f", "/")).collect()
    };
    let (credentials, ids) = (all("X-Amz-Credential"), all("AWSAccessKeyId"));
    let signed: Vec<&HeaderValue> = headers.get_all(AUTHORIZATION).iter().collect();
    let (access_key_id, token) = match (&signed[..], &credentials[..], &ids[..]) {
        ([], [], []) => return Ok(None),
        ([header], [], []) => {
            let text = header.to_str().unwrap_or_default();
            let scope = text.split([' ', ',']).find_map(|part| part.trim().strip_prefix("Credential="));
            let version_2 = || text.strip_prefix("AWS ")?.split(':').next();
            let id = scope.and_then(|scope| scope.split('/').next()).or_else(version_2).unwrap_or_default();
            let token = headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
            (id.to_owned(), token.map(str::to_owned))
        }
        ([], [credential], []) => {
            let id = credential.split('/').next().unwrap_or_default().to_owned();
            (id, all("X-Amz-Security-Token").pop().map(|token| decoded(&token)))
        }
        ([], [], [id]) => (id.clone(), all("x-amz-security-token").pop().map(|token| decoded(&token))),
        _ => {
            let sentence = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified";
            return Err(Refusal::argument("Authorization", "", sentence));
        }
    };
    Ok(Some(ClaimedKey { access_key_id, token }))
}

/// A value of a query string; itself where it is not encoded as it should be.
fn decoded(text: &str) -> String {
    crate::tagging::decoded(text).unwrap_or_else(|| text.to_owned())
}

/// Query parameters that are a signature's, in both ways to sign a URL.
const SIGNATURE_PARAMETERS: [&str; 10] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "AWSAccessKeyId",
    "Signature",
    "Expires",
];

/// Takes a signature off a request, and the coding off its body.
pub(crate) fn unsigned<B>(request: Request<B>, trailers: Trailers) -> Request<Body>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let (mut parts, body) = request.into_parts();
    let signed_url = pairs(&parts.uri).any(|(name, _)| name == "X-Amz-Signature" || name == "Signature");
    if signed_url {
        let kept: Vec<String> = pairs(&parts.uri)
            .filter(|(name, _)| !SIGNATURE_PARAMETERS.contains(name))
            .map(|(name, value)| if value.is_empty() { name.to_owned() } else { format!("{name}={value}") })
            .collect();
        let path = parts.uri.path();
        let target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
        let mut uri = parts.uri.clone().into_parts();
        uri.path_and_query = target.parse().ok().or(uri.path_and_query);
        if let Ok(uri) = Uri::from_parts(uri) {
            parts.uri = uri;
        }
    }
    parts.headers.remove(AUTHORIZATION);
    let digest = parts.headers.remove(SHA256);
    let chunked = digest.is_some_and(|digest| digest.as_bytes().starts_with(b"STREAMING-"))
        || parts.headers.get(CONTENT_ENCODING).is_some_and(|coding| coding.as_bytes().starts_with(b"aws-chunked"))
            && parts.headers.contains_key(DECODED_LENGTH);
    if !chunked {
        return Request::from_parts(parts, boxed(body));
    }
    match parts.headers.remove(DECODED_LENGTH) {
        Some(length) => drop(parts.headers.insert(CONTENT_LENGTH, length)),
        None => drop(parts.headers.remove(CONTENT_LENGTH)),
    }
    Request::from_parts(parts, boxed(Unchunked::new(body, trailers)))
}

pub(crate) fn boxed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    use http_body_util::BodyExt as _;
    Body::http_body_unsync(body.map_err(Into::<BoxError>::into))
}

/// The ids of a request, and what it is about.
pub(crate) struct About<'a> {
    pub(crate) request_id: &'a Arc<str>,
    pub(crate) host_id: &'a Arc<str>,
    pub(crate) target: &'a Target,
    pub(crate) head: bool,
    /// Whether it asks for the attributes of an object.
    pub(crate) attributes: bool,
}

/// The answer that says no.
pub(crate) fn refused(refusal: &Refusal, about: &About<'_>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(headers) = &refusal.headers {
        response.headers_mut().clone_from(headers);
    }
    let silent = about.head || refusal.status == 304;
    if !silent {
        let message = escaped(&refusal.message);
        let members: String =
            refusal.members.iter().map(|(name, value)| format!("<{name}>{}</{name}>", escaped(value))).collect();
        write_error(&mut response, refusal.code, &message, &members, about);
    }
    finish(response, about)
}

fn write_error(response: &mut Response<Body>, code: &str, message: &str, members: &str, about: &About<'_>) {
    let resource = escaped(&about.target.resource);
    let of_resource = if members.is_empty() { format!("<Resource>{resource}</Resource>") } else { String::new() };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{members}\
         {of_resource}<RequestId>{}</RequestId><HostId>{}</HostId></Error>",
        about.request_id, about.host_id
    );
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    *response.body_mut() = Body::from(text);
}

/// An answer of s3s with what AWS adds.
pub(crate) async fn answered(response: Response<Body>, refusal: Option<Refusal>, about: &About<'_>) -> Response<Body> {
    let status = response.status();
    if let Some(refusal) = refusal {
        return refused(&refusal, about);
    }
    if !status.is_client_error() && !status.is_server_error() {
        return finish(without_quotes(response, about), about);
    }
    // s3s itself said no: its words, under our letterhead.
    let (parts, mut body) = response.into_parts();
    let text = body.store_all_limited(ERROR_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner.to_owned())
    };
    let code = element("Code").unwrap_or_else(|| "InternalError".to_owned());
    let own = refusal::sentence(&code).map(escaped);
    let message = element("Message").or(own).unwrap_or_default();
    let member = match code.as_str() {
        "InvalidBucketName" => Some(("BucketName", about.target.bucket.clone())),
        "InvalidURI" => Some(("URI", about.target.resource.clone())),
        "KeyTooLongError" => Some(("MaxSizeAllowed", "1024".to_owned())),
        _ => None,
    };
    let mut members: String =
        member.iter().map(|(name, value)| format!("<{name}>{}</{name}>", escaped(value))).collect();
    if code == "KeyTooLongError" {
        members.insert_str(0, &format!("<Size>{}</Size>", about.target.key.len()));
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = parts.status;
    if !about.head {
        write_error(&mut response, &code, &message, &members, about);
    }
    finish(response, about)
}

/// AWS says ETags in quotes everywhere but among the attributes of an object.
fn without_quotes(mut response: Response<Body>, about: &About<'_>) -> Response<Body> {
    if about.attributes
        && let Some(text) = response.body().bytes()
    {
        let text = String::from_utf8_lossy(&text).replace("<ETag>\"", "<ETag>").replace("\"</ETag>", "</ETag>");
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = Body::from(text);
    }
    response
}

fn finish(mut response: Response<Body>, about: &About<'_>) -> Response<Body> {
    let headers = response.headers_mut();
    for (name, value) in [("x-amz-request-id", about.request_id), ("x-amz-id-2", about.host_id)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert("server", HeaderValue::from_static("AmazonS3"));
    let silent = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if !silent
        && !response.headers().contains_key(CONTENT_LENGTH)
        && let Some(length) = response.body().size_hint().exact()
    {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Nothing else below a space may stand in XML, not even escaped.
            '\t' | '\n' | '\r' => out.push(character),
            character if character < ' ' => out.push('\u{fffd}'),
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use http::Uri;
    use stepwell_spec::Timestamp;

    use super::check_expiry;

    #[test]
    fn presigned_urls_end() {
        let check = |query: &str, now: &str, expected: Option<&str>| {
            let uri: Uri = format!("/b/k?{query}").parse().expect("a target");
            let now = Timestamp::parse(now).expect("a time");
            assert_eq!(check_expiry(&uri, now).err().map(|refusal| refusal.code), expected, "{query} at {now:?}");
        };
        let v4 = "X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-Signature=00";
        check(v4, "2015-08-30T12:36:59Z", None);
        check(v4, "2015-08-30T12:37:00Z", None);
        check(v4, "2015-08-30T12:37:01Z", Some("AccessDenied"));
        check("X-Amz-Date=now&X-Amz-Expires=60", "2015-08-30T12:36:59Z", Some("AuthorizationQueryParametersError"));
        check(
            "X-Amz-Date=20150830T123600Z&X-Amz-Expires=604801",
            "2015-08-30T12:36:59Z",
            Some("AuthorizationQueryParametersError"),
        );
        check("Expires=1440938160&Signature=x", "2015-08-30T12:36:00Z", None);
        check("Expires=1440938160&Signature=x", "2015-08-30T12:36:01Z", Some("AccessDenied"));
        check("list-type=2", "2015-08-30T12:36:59Z", None);
    }
}
