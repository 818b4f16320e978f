//! AWS Signature Version 4: signs a request of [`crate::encode_request`] for the host it goes to.
//!
//! What time it is, and where credentials come from, are the caller's to say. Verifying is the API's.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::http::HttpRequest;
use crate::percent;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What S3 takes in place of the body's digest.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Headers that proxies change, and which therefore stay out of the signature.
const UNSIGNED_HEADERS: [&str; 4] = ["user-agent", "expect", "x-amzn-trace-id", "authorization"];

/// Keys to sign with.
#[derive(Clone)]
pub struct Keys {
    /// The id of the access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// The token of temporary credentials.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// What a signature is for.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// `us-east-1`
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
    /// The moment: `20150830T123600Z`.
    pub timestamp: &'a str,
    /// What of the body is signed.
    pub payload: Payload,
}

/// What of the body is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Its digest, which stays out of the headers.
    Signed,
    /// Its digest, and a header with it. S3 asks for one of this and the next.
    SignedInHeader,
    /// Nothing, and a header that says so.
    Unsigned,
}

/// Adds date, token and `Authorization` to a request. `host` is what its `Host` header will say.
pub fn sign(request: &mut HttpRequest, host: &str, keys: &Keys, scope: &Scope<'_>) {
    let digest = match scope.payload {
        Payload::Unsigned => UNSIGNED.to_owned(),
        Payload::Signed | Payload::SignedInHeader => hex(&Sha256::digest(&request.body)),
    };
    replace(request, "Host", host);
    replace(request, "X-Amz-Date", scope.timestamp);
    if let Some(token) = &keys.session_token {
        replace(request, "X-Amz-Security-Token", token);
    }
    if scope.payload != Payload::Signed {
        replace(request, "X-Amz-Content-SHA256", &digest);
    }
    let (signed, signature) = signature(request, &digest, keys, scope);
    let (id, credential_scope) = (&keys.access_key_id, credential_scope(scope));
    let value =
        format!("{ALGORITHM} Credential={id}/{credential_scope}, SignedHeaders={signed}, Signature={signature}");
    replace(request, "Authorization", &value);
}

/// Signs a request without a body in its query, so that its URL alone, with the headers it has, is good for so many seconds.
pub fn presign(request: &mut HttpRequest, host: &str, keys: &Keys, scope: &Scope<'_>, seconds: u32) {
    replace(request, "Host", host);
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    let mut add = |name: &str, value: String| request.query.push((name.to_owned(), value));
    add("X-Amz-Algorithm", ALGORITHM.to_owned());
    add("X-Amz-Credential", format!("{}/{}", keys.access_key_id, credential_scope(scope)));
    add("X-Amz-Date", scope.timestamp.to_owned());
    add("X-Amz-Expires", seconds.to_string());
    if let Some(token) = &keys.session_token {
        add("X-Amz-Security-Token", token.clone());
    }
    add("X-Amz-SignedHeaders", names.join(";"));
    let (_, signature) = signature(request, &hex(&Sha256::digest([])), keys, scope);
    request.query.push(("X-Amz-Signature".to_owned(), signature));
}

fn credential_scope(scope: &Scope<'_>) -> String {
    format!("{}/{}/{}/aws4_request", date_of(scope), scope.region, scope.service)
}

fn date_of<'a>(scope: &Scope<'a>) -> &'a str {
    scope.timestamp.get(..8).unwrap_or(scope.timestamp)
}

/// The names of the signed headers, and the signature of a request whose body has this digest.
fn signature(request: &HttpRequest, digest: &str, keys: &Keys, scope: &Scope<'_>) -> (String, String) {
    let (signed, canonical) = canonical_request(request, scope.service, digest);
    let canonical = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("{ALGORITHM}\n{}\n{}\n{canonical}", scope.timestamp, credential_scope(scope));
    let secret = format!("AWS4{}", keys.secret_access_key);
    let key = [date_of(scope), scope.region, scope.service, "aws4_request"]
        .into_iter()
        .fold(secret.into_bytes(), |key, part| keyed(&key, part));
    (signed, hex(&keyed(&key, &to_sign)))
}

fn replace(request: &mut HttpRequest, name: &str, value: &str) {
    request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    request.headers.push((name.to_owned(), value.to_owned()));
}

/// The names of the signed headers, and the text whose digest is signed.
fn canonical_request(request: &HttpRequest, service: &str, digest: &str) -> (String, String) {
    let path = match service {
        // S3's keys may look like anything, and are taken as they are.
        "s3" | "s3express" | "s3-outposts" | "s3-object-lambda" => request.path.clone(),
        _ => percent::encode(&normal(&request.path), b"/"),
    };
    let mut query: Vec<(String, String)> =
        request.query.iter().map(|(name, value)| (percent::encode(name, &[]), percent::encode(value, &[]))).collect();
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        match headers.iter_mut().find(|(known, _)| *known == name) {
            _ if UNSIGNED_HEADERS.contains(&name.as_str()) => {}
            Some((_, several)) => {
                several.push(',');
                several.push_str(&value);
            }
            None => headers.push((name, value)),
        }
    }
    headers.sort();
    let signed: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let signed = signed.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical =
        [&request.method, &path, &query.join("&"), &lines, &signed, digest].map(|part| part.to_owned()).join("\n");
    (signed, canonical)
}

/// A path without `.`, `..` and doubled slashes.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length will do, so there is no other arm to take.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
