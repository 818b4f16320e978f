//! AWS Signature Version 4 in the `Authorization` header: who calls, and whether they hold the key.
//!
//! Owns the parsing and the verification, over the bytes that were received. Where credentials come from, and what time
//! it is, are the caller's to say. Pre-signed URLs and bodies in signed chunks are other services' and are refused.

use std::borrow::Cow;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use stepwell_spec::{ProtocolError, Timestamp};
use subtle::ConstantTimeEq;

use crate::base64;
use crate::protocol::Head;
use crate::refusal::Refusal;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Step Functions' name in the scope of a signature.
pub const SERVICE: &str = "states";

/// What every credential scope ends with.
const TERMINATOR: &str = "aws4_request";

const HOST: &str = "host";

/// The account of callers whose access key is no account id.
const UNKNOWN_ACCOUNT: &str = "000000000000";

/// Headers that must be signed when they are there: they say what is asked of whom, when, and for whom.
const SIGNED_HEADERS: [&str; 5] = [HOST, "x-amz-date", "x-amz-target", "content-type", "x-amz-security-token"];

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The access key id; empty when the request is not signed.
    pub access_key_id: String,
    /// The account whose resources are meant.
    pub account: String,
    /// The region whose resources are meant; none when the request does not say.
    pub region: Option<String>,
}

/// What is known of an access key.
#[derive(Clone)]
pub struct Credential {
    /// The secret it signs with.
    pub secret_access_key: String,
    /// The token of temporary credentials, which must come with every request.
    pub session_token: Option<String>,
    /// The account it belongs to.
    pub account: String,
    /// When temporary credentials end.
    pub expires: Option<Timestamp>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Where credentials are looked up.
pub trait Credentials {
    /// What is known of this access key id, or what it would have to be when it came with this token.
    fn find(&self, access_key_id: &str, session_token: Option<&str>) -> Option<Cow<'_, Credential>>;
}

/// A signature as it stands in the `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    access_key_id: &'a str,
    /// `20150830`
    date: &'a str,
    region: &'a str,
    service: &'a str,
    /// `aws4_request`
    terminator: &'a str,
    /// Names in the order they are signed.
    signed_headers: Vec<&'a str>,
    /// 64 hexadecimal digits.
    signature: &'a str,
}

impl<'a> Signature<'a> {
    /// Takes the header apart. `Ok(None)` when there is none.
    ///
    /// Refuses other algorithms, missing parts, two headers, and a signature that is also in the query.
    pub fn parse(head: &Head<'a>) -> Result<Option<Signature<'a>>, Refusal> {
        let mut headers = head.values("authorization");
        let in_query = head.query.split('&').any(|pair| pair.split('=').next() == Some("X-Amz-Algorithm"));
        let Some(text) = headers.next() else {
            return match in_query {
                true => Err(invalid("Signatures in the query string are not supported.")),
                false => Ok(None),
            };
        };
        if in_query {
            return Err(invalid(
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
            ));
        }
        if headers.next().is_some() {
            return Err(incomplete("The request has more than one Authorization header.", text));
        }
        let Some(parts) = text.strip_prefix(ALGORITHM).filter(|rest| rest.starts_with(' ')) else {
            return Err(incomplete(&format!("Unsupported AWS 'algorithm': '{}'.", algorithm_of(text)), text));
        };
        let mut found = [None; 3];
        const NAMES: [&str; 3] = ["Credential", "Signature", "SignedHeaders"];
        for part in parts.split(',') {
            let Some((name, value)) = part.trim().split_once('=') else { continue };
            let Some(place) = NAMES.iter().position(|known| *known == name) else { continue };
            if found[place].replace(value).is_some() {
                return Err(incomplete(&format!("Authorization header has '{name}' twice."), text));
            }
        }
        let missing: Vec<String> = NAMES
            .iter()
            .zip(found)
            .filter(|(_, value)| value.is_none_or(str::is_empty))
            .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
            .collect();
        let [Some(credential), Some(signature), Some(signed_headers)] = found else {
            return Err(incomplete(&missing.join(" "), text));
        };
        if !missing.is_empty() {
            return Err(incomplete(&missing.join(" "), text));
        }
        // Access key ids have no slash, but the last four parts are sure.
        let mut scope = credential.rsplitn(5, '/');
        let (end, service, region, date, access_key_id) =
            (scope.next(), scope.next(), scope.next(), scope.next(), scope.next());
        let (Some(terminator), Some(service), Some(region), Some(date), Some(access_key_id)) =
            (end, service, region, date, access_key_id)
        else {
            let message = format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
                 '{credential}'"
            );
            return Err(incomplete(&message, text));
        };
        let signed_headers = signed_headers.split(';').collect();
        Ok(Some(Signature { access_key_id, date, region, service, terminator, signed_headers, signature }))
    }

    /// Who a request says it is from, unverified: for servers that only their own machine can reach.
    ///
    /// The account is the access key id when that has twelve digits, else `000000000000`. Whatever cannot be read counts
    /// as not there.
    pub fn claimed_caller(head: &Head<'_>) -> Caller {
        let Ok(Some(signature)) = Signature::parse(head) else {
            return Caller { access_key_id: String::new(), account: UNKNOWN_ACCOUNT.to_owned(), region: None };
        };
        let id = signature.access_key_id;
        let is_account = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        Caller {
            access_key_id: id.to_owned(),
            account: if is_account { id } else { UNKNOWN_ACCOUNT }.to_owned(),
            region: Some(signature.region).filter(|region| !region.is_empty()).map(str::to_owned),
        }
    }

    /// Refuses what no body and no key could make right, so that the body of a request that is not signed need not be read.
    ///
    /// `service` is the name of who is asked, as a scope has it: [`SERVICE`] for Step Functions.
    pub fn check_head(head: &Head<'_>, service: &str, now: Timestamp, skew_ms: u64) -> Result<(), Refusal> {
        Signature::check(head, service, now, skew_ms).map(drop)
    }

    /// The signature, and the moment it was made as the request says it.
    fn check(
        head: &Head<'a>,
        service: &str,
        now: Timestamp,
        skew_ms: u64,
    ) -> Result<(Signature<'a>, &'a str), Refusal> {
        let Some(signature) = Signature::parse(head)? else {
            let error = ProtocolError::MissingAuthenticationTokenException;
            return Err(Refusal::protocol(error, "Missing Authentication Token"));
        };
        let (date_text, date) = check_date(head)?;
        signature.check_headers(head)?;
        signature.check_scope(service, date_text)?;
        check_clock(date_text, date, now, skew_ms)?;
        Ok((signature, date_text))
    }

    /// Who a request is from, proved by its signature.
    ///
    /// The hash of the body is taken from the body, never from a header. `skew_ms` is how far the caller's clock may be
    /// from ours: AWS grants five minutes. An unknown key costs as much time as a known one.
    pub fn verify(
        head: &Head<'_>,
        service: &str,
        body: &[u8],
        credentials: &impl Credentials,
        now: Timestamp,
        skew_ms: u64,
    ) -> Result<Caller, Refusal> {
        let (signature, date_text) = Signature::check(head, service, now, skew_ms)?;
        let token = head.header("x-amz-security-token");
        let known = credentials.find(signature.access_key_id, token);
        let known = known.as_deref();
        let secret = known.map_or("no such key", |credential| credential.secret_access_key.as_str());
        let expected = signature.calculate(head, body, secret, date_text);
        // A hash in the header is never taken for the body's, so `UNSIGNED-PAYLOAD` is none; one that is wrong is refused.
        let claims_body = head.values("x-amz-content-sha256").all(|hash| hash == hexadecimal(&Sha256::digest(body)));
        let is_right = bool::from(expected.as_bytes().ct_eq(signature.signature.as_bytes())) && claims_body;
        let wanted = known.and_then(|credential| credential.session_token.as_deref());
        let has_token = match (token, wanted) {
            (Some(token), Some(wanted)) => bool::from(token.as_bytes().ct_eq(wanted.as_bytes())),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        match known {
            Some(Credential { expires: Some(expires), .. }) if is_right && has_token && *expires <= now => {
                let message = "The security token included in the request is expired";
                Err(Refusal::protocol(ProtocolError::ExpiredTokenException, message))
            }
            Some(credential) if is_right && has_token => Ok(Caller {
                access_key_id: signature.access_key_id.to_owned(),
                account: credential.account.clone(),
                region: Some(signature.region.to_owned()),
            }),
            Some(_) if has_token => Err(invalid(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            )),
            Some(_) | None => {
                let message = "The security token included in the request is invalid.";
                Err(Refusal::protocol(ProtocolError::UnrecognizedClientException, message))
            }
        }
    }

    /// What decides the request must be signed, and stand there once.
    fn check_headers(&self, head: &Head<'_>) -> Result<(), Refusal> {
        for name in SIGNED_HEADERS {
            let count = head.values(name).count();
            if count > 1 {
                return Err(invalid(&format!("The request has more than one '{name}' header.")));
            }
            if (count == 1 || name == HOST) && !self.signed_headers.contains(&name) {
                let name = if name == HOST { "'Host' or ':authority'".to_owned() } else { format!("'{name}'") };
                return Err(invalid(&format!("{name} must be a 'SignedHeader' in the AWS Authorization.")));
            }
        }
        let is_sorted = self.signed_headers.is_sorted_by(|a, b| a < b);
        if !is_sorted || self.signed_headers.iter().any(|name| head.values(name).next().is_none()) {
            return Err(invalid("SignedHeaders must be sorted, distinct, and headers of the request."));
        }
        Ok(())
    }

    /// Refuses a signature made for something else than this service on that day, with everything that is wrong.
    fn check_scope(&self, service: &str, date_text: &str) -> Result<(), Refusal> {
        let mut faults = String::new();
        if !is_region(self.region) {
            faults.push_str("Credential should be scoped to a valid region. ");
        }
        if self.service != service {
            faults.push_str(&format!("Credential should be scoped to correct service: '{service}'. "));
        }
        if self.terminator != TERMINATOR {
            faults.push_str(&format!("Credential should be scoped with a valid terminator: '{TERMINATOR}'. "));
        }
        let day = date_text.get(..8).unwrap_or_default();
        if self.date != day {
            faults.push_str(&format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
                 '{day}', from '{date_text}'.",
                self.date
            ));
        }
        if faults.is_empty() { Ok(()) } else { Err(invalid(&faults)) }
    }

    /// The signature this request must have: 64 hexadecimal digits.
    fn calculate(&self, head: &Head<'_>, body: &[u8], secret: &str, date_text: &str) -> String {
        let scope = format!("{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service);
        let request = hexadecimal(&Sha256::digest(canonical_request(head, body, &self.signed_headers)));
        let signed = format!("{ALGORITHM}\n{date_text}\n{scope}\n{request}");
        let mut key = sign(format!("AWS4{secret}").as_bytes(), self.date);
        for part in [self.region, self.service, TERMINATOR] {
            key = sign(&key, part);
        }
        hexadecimal(&sign(&key, &signed))
    }
}

/// Whether the text is such as AWS's regions are: `us-gov-west-1`. It becomes a part of ARNs.
pub fn is_region(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(is_part)
}

/// When the request says it was signed.
fn check_date<'h>(head: &Head<'h>) -> Result<(&'h str, Timestamp), Refusal> {
    let mut dates = head.values("x-amz-date");
    let Some(text) = dates.next() else {
        let message = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
        return Err(incomplete(message, head.header("authorization").unwrap_or_default()));
    };
    if dates.next().is_some() {
        return Err(invalid("The request has more than one 'x-amz-date' header."));
    }
    read_date(text).map(|date| (text, date)).ok_or_else(|| {
        incomplete_bare(&format!(
            "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ))
    })
}

/// The request in the one form both sides agree on.
fn canonical_request(head: &Head<'_>, body: &[u8], signed_headers: &[&str]) -> String {
    let mut query: Vec<(String, String)> = head
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(&decoded(name), false), encoded(&decoded(value), false)))
        .collect();
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = if head.path.is_empty() { "/".to_owned() } else { encoded(head.path.as_bytes(), true) };
    let headers: String = signed_headers
        .iter()
        .map(|name| {
            let values: Vec<String> = head.values(name).map(folded).collect();
            format!("{name}:{}\n", values.join(","))
        })
        .collect();
    let names = signed_headers.join(";");
    let hash = hexadecimal(&Sha256::digest(body));
    format!("{}\n{path}\n{}\n{headers}\n{names}\n{hash}", head.method, query.join("&"))
}

/// Without blanks around it, and with single ones inside.
fn folded(value: &str) -> String {
    value.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Percent-encodes all but the unreserved characters.
fn encoded(bytes: &[u8], is_path: bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(byte)),
            b'/' if is_path => text.push('/'),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// Undoes percent-encoding; what is none stays as it is.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digit = |place: usize| bytes.get(place).and_then(|&digit| char::from(digit).to_digit(16));
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (other, _, _) => {
                out.push(other);
                at += 1;
            }
        }
    }
    out
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("an HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `20150830T123600Z`
fn read_date(text: &str) -> Option<Timestamp> {
    let digits = |range: std::ops::Range<usize>| text.get(range);
    if text.len() != 16 || digits(8..9) != Some("T") || digits(15..16) != Some("Z") {
        return None;
    }
    let parts = [digits(0..4)?, digits(4..6)?, digits(6..8)?, digits(9..11)?, digits(11..13)?, digits(13..15)?];
    let [year, month, day, hour, minute, second] = parts;
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

/// `20150830T123600Z`
fn write_date(moment: Timestamp) -> String {
    let text = moment.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

fn check_clock(date_text: &str, date: Timestamp, now: Timestamp, skew_ms: u64) -> Result<(), Refusal> {
    let skew = i64::try_from(skew_ms).unwrap_or(i64::MAX);
    let minutes = skew_ms / 60_000;
    let earliest = Timestamp(now.0.saturating_sub(skew));
    let latest = now.plus_ms(skew_ms);
    // The header has whole seconds, so the bounds are taken in whole seconds, to the caller's favour.
    if date.0.div_euclid(1_000) < earliest.0.div_euclid(1_000) {
        return Err(invalid(&format!(
            "Signature expired: {date_text} is now earlier than {} ({} - {minutes} min.)",
            write_date(earliest),
            write_date(now)
        )));
    }
    if date > latest {
        return Err(invalid(&format!(
            "Signature not yet current: {date_text} is still later than {} ({} + {minutes} min.)",
            write_date(latest),
            write_date(now)
        )));
    }
    Ok(())
}

fn algorithm_of(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

fn invalid(message: &str) -> Refusal {
    Refusal::protocol(ProtocolError::InvalidSignatureException, message)
}

/// The header itself is not repeated, only its hash: enough to compare it with what was sent.
fn incomplete(message: &str, authorization: &str) -> Refusal {
    let hash = base64::encode(&Sha256::digest(authorization));
    incomplete_bare(&format!("{message} (Hashed with SHA-256 and encoded with Base64) Authorization={hash}"))
}

fn incomplete_bare(message: &str) -> Refusal {
    Refusal::protocol(ProtocolError::IncompleteSignatureException, message)
}

#[cfg(test)]
mod tests;
