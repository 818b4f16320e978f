//! What the index does not have on disk yet: where executions' frames stand, and changed rows.

use std::collections::BTreeMap;

use crate::bytes::{put_number, take_number};
use crate::frame::put_full_key;
use crate::segment::Position;
use crate::{Append, Frame};

/// A frame of an execution: its number in the shard, and where it stands.
pub(crate) type FrameAt = (u64, Position);

/// News of consecutive frames of the log, to be written in one go.
#[derive(Default)]
pub(crate) struct Gathered {
    /// By shard and execution, in order.
    pub(crate) positions: BTreeMap<(u32, u64), Vec<FrameAt>>,
    /// By table and key: the newest value, or that there is none any more.
    pub(crate) rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// The last frame taken in.
    pub(crate) last: Position,
    /// Positions so far.
    count: usize,
    /// Bytes of rows so far.
    row_bytes: usize,
}

/// So many positions are worth a transaction of the index: what a frame's share of it costs is small by then, and
/// reading them again from the log takes a moment.
const COUNT_MAX: usize = 32_768;

/// So many bytes of rows are, for the same reasons.
const ROW_BYTES_MAX: usize = 8 * 1024 * 1024;

impl Gathered {
    /// Whether it should be written down when there is time.
    pub(crate) fn is_large(&self) -> bool {
        self.count >= COUNT_MAX || self.row_bytes >= ROW_BYTES_MAX
    }

    /// Whether it must be written down before more comes.
    pub(crate) fn is_too_large(&self) -> bool {
        self.count >= 4 * COUNT_MAX || self.row_bytes >= 4 * ROW_BYTES_MAX
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.last == Position::default()
    }

    /// Takes in a frame that was appended.
    pub(crate) fn add(&mut self, position: Position, append: &Append<'_>) {
        self.add_positions(position, append.shard, append.sequence, append.executions.iter().copied());
        for row in append.rows {
            let mut key = Vec::with_capacity(row.table.len() + 1 + row.key.len());
            put_full_key(row.table, row.key, &mut key);
            self.add_row(key, row.value);
        }
    }

    /// Takes in a frame that was read.
    pub(crate) fn add_frame(&mut self, position: Position, frame: &Frame<'_>) {
        self.add_positions(position, frame.shard, frame.sequence, frame.executions());
        for (key, value) in frame.keyed_rows() {
            self.add_row(key.to_vec(), value);
        }
    }

    fn add_positions(&mut self, position: Position, shard: u32, sequence: u64, executions: impl Iterator<Item = u64>) {
        for execution in executions {
            self.positions.entry((shard, execution)).or_default().push((sequence, position));
            self.count += 1;
        }
        self.last = position;
    }

    fn add_row(&mut self, key: Vec<u8>, value: Option<&[u8]>) {
        self.row_bytes += key.len() + value.map_or(0, <[u8]>::len);
        self.rows.insert(key, value.map(<[u8]>::to_vec));
    }
}

/// Entries as bytes: each as its distance from the one before, three small numbers.
pub(crate) fn pack(entries: &[FrameAt], out: &mut Vec<u8>) {
    let mut before = (0, Position::default());
    for &(sequence, position) in entries {
        let segments_on = position.segment - before.1.segment;
        let offset_before = if segments_on == 0 { before.1.offset } else { 0 };
        put_number(out, sequence - before.0);
        put_number(out, segments_on);
        put_number(out, u64::from(position.offset - offset_before) / 8);
        before = (sequence, position);
    }
}

/// The inverse of [`pack`]; `None` when the bytes are something else.
pub(crate) fn unpack(mut bytes: &[u8]) -> Option<Vec<FrameAt>> {
    let mut entries = Vec::new();
    let mut before = (0u64, Position::default());
    while !bytes.is_empty() {
        let sequence = before.0.checked_add(take_number(&mut bytes)?)?;
        let segments_on = take_number(&mut bytes)?;
        let offset_before = if segments_on == 0 { before.1.offset } else { 0 };
        let segment = before.1.segment.checked_add(segments_on)?;
        let offset = u32::try_from(take_number(&mut bytes)?.checked_mul(8)?).ok()?.checked_add(offset_before)?;
        before = (sequence, Position { segment, offset });
        entries.push(before);
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back() {
        let at = |segment, offset| Position { segment, offset };
        let entries = [(1, at(1, 64)), (2, at(1, 128)), (900, at(7, 64)), (901, at(7, u32::MAX - 7))];
        let mut bytes = Vec::new();
        pack(&entries, &mut bytes);
        assert_eq!(unpack(&bytes).as_deref(), Some(&entries[..]));
        assert_eq!(unpack(&bytes[..bytes.len() - 1]), None);
    }
}
