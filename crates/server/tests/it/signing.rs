//! A client's half of Signature Version 4, written from its description rather than with what verifies it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use stepwell_spec::Timestamp;

/// Adds the date and the signature of a `POST /` to its headers.
pub(crate) fn sign(
    headers: &mut Vec<(String, String)>,
    (id, secret): (&str, &str),
    region: &str,
    body: &str,
    at: Timestamp,
) {
    let text = at.to_string();
    let date = format!("{}Z", text.split('.').next().unwrap_or_default().replace(['-', ':'], ""));
    headers.push(("X-Amz-Date".to_owned(), date.clone()));
    let mut signed: Vec<(String, &str)> =
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect();
    signed.sort();
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let request = format!("POST\n/\n\n{lines}\n{names}\n{}", hexadecimal(&Sha256::digest(body)));
    let scope = format!("{}/{region}/states/aws4_request", &date[..8]);
    let statement = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hexadecimal(&Sha256::digest(request)));
    let key = [&date[..8], region, "states", "aws4_request"]
        .into_iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
    let signature = hexadecimal(&hmac(&key, &statement));
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    headers.push(("Authorization".to_owned(), authorization));
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
