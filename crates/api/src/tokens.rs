//! Task tokens: made here, told from every other text, and led back to the execution whose task they complete.
//!
//! A token says nothing about which task it is for: the execution knows, and only its open task has the very same token.
//! So a token is good once, for one attempt, and nothing has to be kept of those that were spent.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use stepwell_interpreter::{Chance, TokenIssuer};
use stepwell_spec::Text;
use subtle::ConstantTimeEq;

use crate::base64;

/// The first byte of a token: the way it is made.
const FORMAT: u8 = 1;

/// Bytes of a token before its signature: format, execution, nonce.
const SIGNED_BYTES: usize = 1 + 8 + 16;

/// Bytes of the signature a token keeps: 128 bits are beyond guessing.
const TAG_BYTES: usize = 16;

/// What the key signs here, so that nothing else signed by it can pass for a token.
const PURPOSE: &[u8] = b"stepwell task token";

/// Makes and reads task tokens.
pub(crate) struct TokenSeal {
    key: Hmac<Sha256>,
}

impl TokenSeal {
    /// Seals with this key. Whoever knows it can make tokens.
    pub(crate) fn new(key: &[u8; 32]) -> TokenSeal {
        let mut key: Hmac<Sha256> = Hmac::new_from_slice(key).expect("an HMAC takes a key of any length");
        key.update(PURPOSE);
        TokenSeal { key }
    }

    /// The number of the execution a token was issued for; `None` when it was not issued here.
    pub(crate) fn open(&self, token: &str) -> Option<u64> {
        // Far below the 2,048 characters a caller may send: nothing longer is worth decoding.
        if token.len() > 2 * (SIGNED_BYTES + TAG_BYTES) {
            return None;
        }
        let bytes = base64::decode(token)?;
        let (signed, tag) = bytes.split_first_chunk::<SIGNED_BYTES>()?;
        if !bool::from(self.tag(signed).ct_eq(tag)) || signed[0] != FORMAT {
            return None;
        }
        signed[1..].first_chunk().map(|number| u64::from_be_bytes(*number))
    }

    fn tag(&self, signed: &[u8; SIGNED_BYTES]) -> [u8; TAG_BYTES] {
        let mut mac = self.key.clone();
        mac.update(signed);
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_BYTES]);
        tag
    }
}

impl TokenIssuer for TokenSeal {
    fn issue(&self, execution: u64, chance: &Chance) -> Text {
        let mut signed = [0; SIGNED_BYTES];
        signed[0] = FORMAT;
        signed[1..9].copy_from_slice(&execution.to_be_bytes());
        signed[9..17].copy_from_slice(&chance.draw().to_be_bytes());
        signed[17..].copy_from_slice(&chance.draw().to_be_bytes());
        let tag = self.tag(&signed);
        base64::encode(&[&signed[..], &tag].concat()).into()
    }
}

impl fmt::Debug for TokenSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSeal")
    }
}

#[cfg(test)]
mod tests {
    use stepwell_interpreter::Moment;
    use stepwell_spec::Timestamp;

    use super::*;

    #[test]
    fn tokens_lead_to_their_execution_and_no_other_text_does() {
        let seal = TokenSeal::new(&[7; 32]);
        let chance = Chance::new(Moment { now: Timestamp(0), entropy: 1 });
        for execution in [0, 1, u64::MAX] {
            let token = seal.issue(execution, &chance);
            assert_eq!(seal.open(&token), Some(execution));
            assert_ne!(seal.issue(execution, &chance), token);
            assert_eq!(TokenSeal::new(&[8; 32]).open(&token), None);
            for place in 0..token.len() {
                for letter in ['A', 'z', '0', '-', '=', ' '] {
                    let mut other = token.to_string();
                    other.replace_range(place..=place, letter.encode_utf8(&mut [0; 4]));
                    assert_eq!(seal.open(&other).is_some(), other == *token, "{other}");
                }
                assert_eq!(seal.open(&token[..place]), None);
            }
            assert_eq!(seal.open(&format!("{token}{token}")), None);
        }
        assert_eq!(seal.open(&"A".repeat(2_048)), None);
    }
}
