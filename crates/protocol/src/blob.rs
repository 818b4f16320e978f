//! Bytes as the trees carry them: base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// Services differ in whether they pad, and in what their spare bits are.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bytes as base64.
pub fn blob_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes that base64 stands for; `None` when the text is none. Padding may be left out.
pub fn blob_bytes(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text).ok()
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
