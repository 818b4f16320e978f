//! The door of time and chance: the wall, and ids that nobody can guess.

use std::time::{SystemTime, UNIX_EPOCH};

use stepwell_spec::Timestamp;

/// The time on the wall, which deadlines of functions are told in.
pub(crate) fn wall() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// `2026-01-02T03:04:05.678+0000`, as Lambda writes when something was modified.
pub(crate) fn modified_text(time: Timestamp) -> String {
    let text = time.to_string();
    let text = text.trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "000"));
    format!("{seconds}.{fraction:0<3}+0000")
}

/// Bytes by chance. A system without any cannot keep a secret, and says so before it does anything.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// A random id in the form of a UUID of version 4.
pub(crate) fn uuid() -> String {
    let mut bytes: [u8; 16] = random();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let text = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// A number from 0 up to 1.
pub(crate) fn fraction() -> f64 {
    f64::from(u32::from_le_bytes(random())) / (f64::from(u32::MAX) + 1.0)
}

/// Bytes in small hexadecimal letters.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use stepwell_spec::Timestamp;

    #[test]
    fn times_are_written_as_lambda_writes_them() {
        assert_eq!(super::modified_text(Timestamp(0)), "1970-01-01T00:00:00.000+0000");
        assert_eq!(super::modified_text(Timestamp(1_500)), "1970-01-01T00:00:01.500+0000");
    }

    #[test]
    fn ids_are_uuids_and_differ() {
        let (one, other) = (super::uuid(), super::uuid());
        assert_ne!(one, other);
        assert_eq!(one.len(), 36);
        assert_eq!(&one[14..15], "4");
    }
}
