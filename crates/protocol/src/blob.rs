//! Bytes as the trees carry them: base64.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as base64.
pub fn blob_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().zip([16, 8, 0]).fold(0u32, |bits, (byte, shift)| bits | u32::from(*byte) << shift);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = usize::try_from(bits >> shift & 63).unwrap_or_default();
            text.push(if place > chunk.len() { '=' } else { char::from(DIGITS[digit]) });
        }
    }
    text
}

/// The bytes that base64 stands for; `None` when the text is none. Padding may be left out.
pub fn blob_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    if text.len() - digits.len() > 2 || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let mut bits = 0u32;
        for (digit, shift) in chunk.iter().zip([18, 12, 6, 0]) {
            bits |= value_of(*digit)? << shift;
        }
        let [_, all @ ..] = bits.to_be_bytes();
        bytes.extend(&all[..chunk.len() - 1]);
    }
    Some(bytes)
}

fn value_of(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_there_and_back() {
        // The first seven are those of RFC 4648.
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("\u{fb}\u{ff}?>", "w7vDvz8+"),
        ] {
            assert_eq!(blob_text(bytes.as_bytes()), text);
            assert_eq!(blob_bytes(text).as_deref(), Some(bytes.as_bytes()), "{text}");
            assert_eq!(blob_bytes(text.trim_end_matches('=')).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(blob_bytes(&blob_text(&every)), Some(every));
    }

    #[test]
    fn what_is_no_base64_is_nothing() {
        for text in ["A", "AAAAA", "A===", "Zg==Zg==", "Z g=", "Zm9v\n", "ä"] {
            assert_eq!(blob_bytes(text), None, "{text}");
        }
    }
}
