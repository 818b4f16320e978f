//! Numbers of variable length: the one way this crate writes counts, lengths and ids inside of a frame.

/// Appends a number: seven bits a byte, lowest first, the top bit set on all but the last.
pub(crate) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number off the front. `None` when the bytes end inside of it, or when it does not fit in 64 bits.
pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for place in 0..10 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if place == 9 && bits > 1 {
            return None;
        }
        value |= bits << (7 * place);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Takes a number that says how many bytes follow, and those bytes.
pub(crate) fn take_counted<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = usize::try_from(take_number(bytes)?).ok()?;
    take(bytes, count)
}

/// Takes so many bytes off the front.
pub(crate) fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

/// A signed number with its sign in the lowest bit, so that small ones are short on both sides of zero.
pub(crate) fn fold_sign(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// The inverse of [`fold_sign`].
pub(crate) fn unfold_sign(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, value);
            let mut rest = &bytes[..];
            assert_eq!(take_number(&mut rest), Some(value));
            assert!(rest.is_empty());
            for end in 0..bytes.len() {
                assert_eq!(take_number(&mut &bytes[..end]), None, "{value} cut at {end}");
            }
        }
        assert_eq!(take_number(&mut &[0xff; 11][..]), None);
        for value in [0, 1, -1, 63, -64, i64::MAX, i64::MIN] {
            assert_eq!(unfold_sign(fold_sign(value)), value);
        }
    }
}
