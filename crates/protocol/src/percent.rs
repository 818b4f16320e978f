//! Percent encoding as AWS's signatures ask for it: everything but letters, digits and `-_.~`.

use std::fmt::Write;

/// Encodes a text; `keep` names what else stays as it is, such as `/`.
pub fn encode(text: &str, keep: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keep.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Decodes a text; with `form`, `+` is a space. None when what comes out is not UTF-8; a stray `%` stays one.
pub fn decode(text: &str, form: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = match byte {
            b'%' => bytes.get(at + 1..at + 3).and_then(hex_pair),
            _ => None,
        };
        match (byte, escaped) {
            (_, Some(escaped)) => {
                decoded.push(escaped);
                at += 2;
            }
            (b'+', None) if form => decoded.push(b' '),
            (byte, None) => decoded.push(*byte),
        }
        at += 1;
    }
    String::from_utf8(decoded).ok()
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    match digits {
        [high, low] => Some(value(*high)? << 4 | value(*low)?),
        _ => None,
    }
}

/// The pairs of a query string or a form, decoded. A name without `=` has an empty value.
pub(crate) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

/// The query string or form of these pairs.
pub(crate) fn joined(pairs: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(&encode(name, &[]));
        text.push('=');
        text.push_str(&encode(value, &[]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, joined, pairs};

    #[test]
    fn what_is_encoded_is_decoded() {
        for (text, keep, encoded) in [
            ("a b/c", &b""[..], "a%20b%2Fc"),
            ("a b/c", b"/", "a%20b/c"),
            ("é~-_.", b"", "%C3%A9~-_."),
            ("100%", b"", "100%25"),
        ] {
            assert_eq!(encode(text, keep), encoded);
            assert_eq!(decode(encoded, false).as_deref(), Some(text));
        }
        assert_eq!(decode("a+b%2B", true).as_deref(), Some("a b+"));
        assert_eq!(decode("a+b", false).as_deref(), Some("a+b"));
        assert_eq!(decode("50%", false).as_deref(), Some("50%"));
        assert_eq!(decode("%zz%4", false).as_deref(), Some("%zz%4"));
        assert_eq!(decode("%ff", false), None);
    }

    #[test]
    fn pairs_survive() {
        let several = vec![("a".to_owned(), "1 &=".to_owned()), ("b".to_owned(), String::new())];
        assert_eq!(joined(&several), "a=1%20%26%3D&b=");
        assert_eq!(pairs(&joined(&several)), Some(several));
        assert_eq!(pairs("acl&&x=1"), Some(vec![("acl".into(), "".into()), ("x".into(), "1".into())]));
    }
}
