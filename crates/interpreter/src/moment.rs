//! Time and chance of one input: the only door they come in by.

use std::cell::Cell;

use stepwell_spec::Timestamp;

/// The time an input arrived at and the entropy it may draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When it is.
    pub now: Timestamp,
    /// Seed of everything the input draws.
    pub entropy: u64,
}

/// Draws made from one moment's entropy: the same moment gives the same draws.
#[derive(Debug)]
pub struct Chance(Cell<u64>);

impl Chance {
    /// The draws of this moment.
    pub fn new(at: Moment) -> Chance {
        Chance(Cell::new(at.entropy))
    }

    /// The next 64 bits, each as likely as any other (SplitMix64, public domain).
    pub fn draw(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, 1.
    pub fn fraction(&self) -> f64 {
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        self.uuid_of(4, self.draw())
    }

    /// A version 7 UUID: those of later times come later, and so stand together wherever they are kept in order.
    pub fn uuid_at(&self, now: Timestamp) -> String {
        self.uuid_of(7, (now.0 as u64) << 16 | self.draw() >> 48)
    }

    fn uuid_of(&self, version: u64, high: u64) -> String {
        let high = high & !0xF000 | version << 12;
        let low = self.draw() & !(0b11 << 62) | 0b10 << 62;
        let digits = format!("{high:016x}{low:016x}");
        [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
    }

    /// So many characters of a token that cannot be guessed when the entropy cannot.
    pub fn token(&self, characters: usize) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..characters).map(|_| char::from(ALPHABET[(self.draw() >> 58) as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_always_draws_the_same() {
        let at = Moment { now: Timestamp(0), entropy: 7 };
        let (a, b) = (Chance::new(at), Chance::new(at));
        assert_eq!((a.draw(), a.fraction(), a.token(8)), (b.draw(), b.fraction(), b.token(8)));
        assert!((0.0..1.0).contains(&a.fraction()));
    }
    #[test]
    fn uuids_have_their_versions_and_those_of_times_their_order() {
        let chance = Chance::new(Moment { now: Timestamp(0), entropy: 7 });
        let uuid = chance.uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"), "{uuid}");
        let at = |ms: i64| chance.uuid_at(Timestamp(ms));
        let (one, next, far) = (at(1_700_000_000_000), at(1_700_000_000_001), at(1_900_000_000_000));
        assert!(one < next && next < far, "{one} {next} {far}");
        assert_eq!((one.get(..14), one.get(14..15)), (Some("018bcfe5-6800-"), Some("7")));
        assert!("89ab".contains(&one[19..20]), "{one}");
    }
}
