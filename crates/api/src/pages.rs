//! Pages of listings: how many entries one holds, and the token that leads to the next.
//!
//! A token holds the place to go on from. It is signed together with whose listing it is and what was asked for, so that
//! nobody can make one up, alter one, or use one of another account, listing or filter.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use stepwell_spec::{Action, Timestamp};
use subtle::ConstantTimeEq;

use crate::base64;
use crate::refusal::Refusal;

/// Entries of a page when the request does not say, or says zero.
const DEFAULT_SIZE: usize = 100;

/// How long a token is good for.
///
/// Source: API reference, `nextToken`: "Each pagination token expires after 24 hours."
const TOKEN_LIFE_MS: u64 = 24 * 3_600_000;

/// The first byte of a token: the way it is made.
const FORMAT: u8 = 1;

/// Bytes of the signature a token keeps: 128 bits are beyond guessing, and tokens stay short.
const TAG_BYTES: usize = 16;

/// Entries a page may hold. `max_results` has been held against the model: 0 to 1,000.
pub fn page_size(max_results: Option<i64>) -> usize {
    match max_results.and_then(|size| usize::try_from(size).ok()) {
        None | Some(0) => DEFAULT_SIZE,
        Some(size) => size,
    }
}

/// Which listing a token belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// Whose listing it is.
    pub account: &'a str,
    /// Where.
    pub region: &'a str,
    /// What lists.
    pub action: Action,
    /// What was asked for beside the page: ARNs and filters, in an order of the caller's choice.
    pub arguments: &'a [&'a str],
}

/// Makes and reads page tokens.
pub struct PageSeal {
    key: Hmac<Sha256>,
}

impl PageSeal {
    /// Seals with this key. Whoever knows it can make tokens.
    pub fn new(key: &[u8; 32]) -> PageSeal {
        // A key of any length fits an HMAC; ours has one length.
        PageSeal { key: Hmac::new_from_slice(key).expect("an HMAC takes a key of any length") }
    }

    /// A token that leads to `position`, made at `now`. Positions of up to 700 bytes fit the 1,024 characters AWS allows.
    pub fn seal(&self, listing: &Listing<'_>, position: &str, now: Timestamp) -> String {
        let mut bytes = vec![FORMAT];
        bytes.extend(now.0.to_be_bytes());
        bytes.extend(position.as_bytes());
        let tag = self.tag(listing, &bytes);
        bytes.extend(tag);
        base64::encode(&bytes)
    }

    /// The position a token leads to. Refuses with `InvalidToken` what was not made for this listing within 24 hours.
    pub fn open(&self, listing: &Listing<'_>, token: &str, now: Timestamp) -> Result<String, Refusal> {
        self.read(listing, token, now).ok_or_else(Refusal::invalid_token)
    }

    fn read(&self, listing: &Listing<'_>, token: &str, now: Timestamp) -> Option<String> {
        let bytes = base64::decode(token)?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
        if !bool::from(self.tag(listing, signed).ct_eq(tag)) {
            return None;
        }
        let (&format, rest) = signed.split_first()?;
        let (made, position) = rest.split_first_chunk::<8>()?;
        let expires = Timestamp(i64::from_be_bytes(*made)).plus_ms(TOKEN_LIFE_MS);
        (format == FORMAT && now <= expires).then(|| String::from_utf8(position.to_vec()).ok())?
    }

    /// The length of every part is signed before it, so that no two listings sign the same bytes.
    fn tag(&self, listing: &Listing<'_>, bytes: &[u8]) -> [u8; TAG_BYTES] {
        let mut mac = self.key.clone();
        let names = [listing.account, listing.region, listing.action.name()];
        for part in names.into_iter().chain(listing.arguments.iter().copied()).map(str::as_bytes).chain([bytes]) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_BYTES]);
        tag
    }
}

impl std::fmt::Debug for PageSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageSeal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: Listing<'static> = Listing {
        account: "123456789012",
        region: "eu-west-1",
        action: Action::ListExecutions,
        arguments: &["arn", "RUNNING"],
    };

    #[test]
    fn tokens_lead_back_to_their_position() {
        let seal = PageSeal::new(&[7; 32]);
        let now = Timestamp(1_700_000_000_000);
        for position in ["", "a", "2026-01-01T00:00:00.000Z/é", &"x".repeat(700)] {
            let token = seal.seal(&LISTING, position, now);
            assert!(token.len() <= 1_024, "{}", token.len());
            assert_eq!(seal.open(&LISTING, &token, now).as_deref(), Ok(position));
        }
    }

    #[test]
    fn tokens_of_others_are_refused() {
        let seal = PageSeal::new(&[7; 32]);
        let now = Timestamp(1_700_000_000_000);
        let token = seal.seal(&LISTING, "position", now);
        let refused = |seal: &PageSeal, listing: &Listing<'_>, token: &str, now| {
            assert_eq!(seal.open(listing, token, now), Err(Refusal::invalid_token()), "{token}");
        };
        refused(&PageSeal::new(&[8; 32]), &LISTING, &token, now);
        refused(&seal, &Listing { account: "000000000000", ..LISTING }, &token, now);
        refused(&seal, &Listing { region: "us-east-1", ..LISTING }, &token, now);
        refused(&seal, &Listing { action: Action::ListMapRuns, ..LISTING }, &token, now);
        refused(&seal, &Listing { arguments: &["arn", "FAILED"], ..LISTING }, &token, now);
        refused(&seal, &Listing { arguments: &["arnRUNNING"], ..LISTING }, &token, now);
        assert!(seal.open(&LISTING, &token, now.plus_ms(TOKEN_LIFE_MS)).is_ok());
        refused(&seal, &LISTING, &token, now.plus_ms(TOKEN_LIFE_MS + 1));
        for bad in ["", "x", "AAAA", &"A".repeat(1_024)] {
            refused(&seal, &LISTING, bad, now);
        }
    }

    #[test]
    fn no_altered_token_is_accepted() {
        let seal = PageSeal::new(&[7; 32]);
        let now = Timestamp(1_700_000_000_000);
        let token = seal.seal(&LISTING, "position", now);
        for place in 0..token.len() {
            for letter in ['A', 'z', '0', '-', '=', ' '] {
                let mut other = token.clone();
                other.replace_range(place..=place, letter.encode_utf8(&mut [0; 4]));
                assert_eq!(seal.open(&LISTING, &other, now).is_ok(), other == token, "{other}");
            }
            assert!(seal.open(&LISTING, &token[..place], now).is_err());
        }
    }

    #[test]
    fn zero_and_nothing_mean_a_hundred() {
        assert_eq!([page_size(None), page_size(Some(0)), page_size(Some(5))], [100, 100, 5]);
    }
}
