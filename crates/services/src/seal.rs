//! Numbers given away that come back as they were: sealed with a key, so that one nobody gave is told from one that is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the seal that are written. A guess is right once in 2^96.
const SEAL_BYTES: usize = 12;

/// Seals with a key that outlives the process.
#[derive(Clone)]
pub(crate) struct Seal(Hmac<Sha256>);

impl Seal {
    pub(crate) fn new(key: &[u8; 32]) -> Seal {
        Seal(Hmac::new_from_slice(key).expect("an HMAC takes a key of any length"))
    }

    /// The numbers as one text, good for this purpose alone.
    pub(crate) fn close<const N: usize>(&self, purpose: &str, numbers: [u64; N]) -> String {
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        let seal = self.over(purpose, &bytes);
        bytes.extend_from_slice(&seal[..SEAL_BYTES]);
        STANDARD.encode(bytes)
    }

    /// The numbers of a text that was given for this purpose.
    pub(crate) fn open<const N: usize>(&self, purpose: &str, text: &str) -> Option<[u64; N]> {
        let bytes = STANDARD.decode(text).ok()?;
        let (content, seal) = bytes.split_at_checked(N * 8)?;
        // Compared in an order of its own time: the stand-in guards against mistakes, not against its own users.
        if seal != &self.over(purpose, content)[..SEAL_BYTES] {
            return None;
        }
        let mut numbers = [0; N];
        for (number, bytes) in numbers.iter_mut().zip(content.as_chunks::<8>().0) {
            *number = u64::from_be_bytes(*bytes);
        }
        Some(numbers)
    }

    fn over(&self, purpose: &str, content: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(content);
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_nothing_else_does() {
        let seal = Seal::new(&[1; 32]);
        let text = seal.close("receipt", [7, 8]);
        assert_eq!(seal.open("receipt", &text), Some([7, 8]));
        assert_eq!(seal.open::<2>("task", &text), None);
        assert_eq!(seal.open::<1>("receipt", &text), None);
        assert_eq!(Seal::new(&[2; 32]).open::<2>("receipt", &text), None);
        for wrong in ["", "AAAA", "no base64!"] {
            assert_eq!(seal.open::<2>("receipt", wrong), None, "{wrong}");
        }
    }
}
