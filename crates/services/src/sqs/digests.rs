//! Digests by which a client sees that SQS got what it sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use stepwell_json::{Json, Object};

/// MD5 of a body, in hexadecimal digits.
pub(super) fn of_body(body: &str) -> String {
    hexadecimal(&Md5::digest(body.as_bytes()))
}

/// MD5 of message attributes: in the order of their names, each name, type and value after its length in four bytes, the
/// value after 1 for a text and 2 for bytes.
///
/// Source: SQS's developer guide, "Calculating the MD5 message digest for message attributes".
pub(super) fn of_attributes(attributes: &Object) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut sorted: Vec<_> = attributes.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(b.0));
    let mut digest = Md5::new();
    for (name, value) in sorted {
        with_length(&mut digest, name.as_bytes());
        with_length(&mut digest, text(value, "DataType").as_bytes());
        match value.get("BinaryValue") {
            Some(Json::String(encoded)) => {
                digest.update([2]);
                with_length(&mut digest, &STANDARD.decode(&**encoded).unwrap_or_default());
            }
            _ => {
                digest.update([1]);
                with_length(&mut digest, text(value, "StringValue").as_bytes());
            }
        }
    }
    Some(hexadecimal(&digest.finalize()))
}

fn text<'a>(value: &'a Json, name: &str) -> &'a str {
    value.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn with_length(digest: &mut Md5, bytes: &[u8]) {
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_digested_in_the_order_of_their_names() {
        let attributes = r#"{
            "b":{"DataType":"Binary","BinaryValue":"AQI="},
            "a":{"DataType":"String","StringValue":"v"},
            "n":{"DataType":"Number.int","StringValue":"7"}}"#;
        let attributes = Json::parse(attributes).expect("JSON");
        let digest = of_attributes(attributes.as_object().expect("an object"));
        assert_eq!(digest.as_deref(), Some("e9074ddf20f935d7a7919f5317edf570"));
        assert_eq!(of_attributes(Json::empty_object().as_object().expect("an object")), None);
    }
}
