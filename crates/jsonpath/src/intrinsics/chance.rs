//! From random bits to random things. The bits are drawn by the scope, or come from a seed.

/// A number below `span` from 64 random bits, as evenly as so many bits allow.
pub(super) fn below(bits: u64, span: u64) -> u64 {
    let product = u128::from(bits) * u128::from(span);
    (product >> 64) as u64
}

/// 64 bits that look random, the same for the same seed: one step of SplitMix64.
pub(super) fn spread(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A UUID of version 4 from 128 random bits.
pub(super) fn uuid(high: u64, low: u64) -> String {
    let bits = u128::from(high) << 64 | u128::from(low);
    let bits = bits & !(0xF << 76) | 4 << 76;
    let bits = bits & !(0b11 << 62) | 0b10 << 62;
    let digits = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_below_the_span() {
        assert_eq!(below(0, 10), 0);
        assert_eq!(below(u64::MAX, 10), 9);
        assert_eq!(below(u64::MAX, 1), 0);
        assert_eq!(below(1 << 63, 10), 5);
    }

    #[test]
    fn uuids_have_version_and_variant() {
        assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u64::MAX, u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
