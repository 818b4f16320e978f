//! What a store kept of executions: bytes that are read again at every start and for every history.

use stepwell_store::{Encoder, decode};

use crate::{Behaviour, gist, magnitude};

/// Pieces of payloads: versions, numbers of every length, texts with their lengths, ends of entries.
#[rustfmt::skip]
pub const DICTIONARY: &[&str] = &[
    "01", "02", "00", "7f", "80", "8001", "ff01", "ffffffffffffffffff01", "ffffffff0f", "f8a1abfef962", "047b22", "7b7d",
    "026e756c6c", "04c328c328", "0161", "2201", "00000000",
];

/// Hexadecimal digits, two for a byte; whatever else stands between them is passed over.
pub fn run(input: &[u8]) -> Behaviour {
    let digits: Vec<u8> =
        input.iter().filter_map(|&byte| char::from(byte).to_digit(16)).map(|digit| digit as u8).collect();
    let payload: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    let records = match decode(&payload) {
        Ok(records) => records,
        Err(fault) => return Behaviour::of(gist(&fault.to_string())),
    };
    let mut encoder = Encoder::new();
    let is_written = records.iter().try_for_each(|(execution, record)| encoder.record(*execution, record)).is_ok();
    assert!(is_written, "what was read is too deep to be written");
    let again = decode(encoder.finish().bytes).expect("what was written is read");
    assert_eq!(format!("{again:?}"), format!("{records:?}"));
    let kinds: Vec<_> = records.iter().map(|(_, record)| std::mem::discriminant(&record.event)).collect();
    Behaviour::of((kinds, magnitude(payload.len())))
}
