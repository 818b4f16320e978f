//! What the index does not have on disk yet: where executions' frames stand, which executions are forgotten, changed
//! rows, and how far shards have come.

use std::collections::{BTreeMap, BTreeSet};

use crate::bytes::{fold_sign, put_number, take_number, unfold_sign};
use crate::frame::{forgotten_by, put_full_key};
use crate::segment::{Origin, Position};
use crate::{Append, Frame, Tail};

/// A frame of an execution: its number in the shard, and where it stands.
pub(crate) type FrameAt = (u64, Position);

/// An execution's name: its shard and its number.
pub(crate) type Name = (u32, u64);

/// News of consecutive frames of the log, to be written in one go.
#[derive(Default)]
pub(crate) struct Gathered {
    /// Frames that were appended, in order.
    pub(crate) appended: BTreeMap<Name, Vec<FrameAt>>,
    /// Frames that were carried forward, by number: they stand elsewhere now.
    pub(crate) carried: BTreeMap<Name, BTreeMap<u64, Position>>,
    /// Executions of which nothing counts but what is in here.
    pub(crate) forgotten: BTreeSet<Name>,
    /// By table and key: the newest value, or that there is none any more, and the frame that says so.
    pub(crate) rows: BTreeMap<Vec<u8>, (Position, Option<Vec<u8>>)>,
    /// How far shards have come that these frames are of, at least.
    pub(crate) tails: BTreeMap<u32, Tail>,
    /// What the frames taken in have in them, by segment.
    pub(crate) things: BTreeMap<u64, Things>,
    /// The last frame taken in.
    pub(crate) last: Position,
    /// Positions so far.
    count: usize,
    /// Bytes of rows so far.
    row_bytes: usize,
    /// Bytes of payloads so far, which are not in here but in the log.
    payload_bytes: usize,
}

/// What stands in a segment, counted: one for each execution of each frame, and one for each row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Things {
    /// All that was written.
    pub(crate) all: u64,
    /// Those of forgotten executions, rows that were changed since, and what has been carried forward.
    pub(crate) dead: u64,
}

/// So many positions are worth a transaction of the index: what a frame's share of it costs is small by then, and
/// reading them again from the log takes a moment.
const COUNT_MAX: usize = 32_768;

/// So many bytes of rows are, for the same reasons.
const ROW_BYTES_MAX: usize = 8 * 1024 * 1024;

/// So many bytes of payloads are: opening would have to read them again.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Gathered {
    /// Whether it should be written down when there is time.
    pub(crate) fn is_large(&self) -> bool {
        self.is_large_by(1)
    }

    /// Whether it must be written down before more comes.
    pub(crate) fn is_too_large(&self) -> bool {
        self.is_large_by(4)
    }

    fn is_large_by(&self, times: usize) -> bool {
        self.count >= times * COUNT_MAX
            || self.row_bytes >= times * ROW_BYTES_MAX
            || self.payload_bytes >= times * PAYLOAD_BYTES_MAX
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.last == Position::default()
    }

    /// Takes in a frame that was written.
    pub(crate) fn add(&mut self, position: Position, origin: Origin, append: &Append<'_>) {
        let tail = Tail { epoch: append.epoch, sequence: append.sequence };
        self.payload_bytes += append.payload.len();
        self.add_positions(position, origin, append.shard, tail, append.executions.iter().copied());
        for row in append.rows {
            let mut key = Vec::with_capacity(row.table.len() + 1 + row.key.len());
            put_full_key(row.table, row.key, &mut key);
            self.add_row(position, append.shard, key, row.value);
        }
    }

    /// Takes in a frame that was read.
    pub(crate) fn add_frame(&mut self, position: Position, origin: Origin, frame: &Frame<'_>) {
        let tail = Tail { epoch: frame.epoch, sequence: frame.sequence };
        self.payload_bytes += frame.payload.len();
        self.add_positions(position, origin, frame.shard, tail, frame.executions());
        for (key, value) in frame.keyed_rows() {
            self.add_row(position, frame.shard, key.to_vec(), value);
        }
    }

    fn add_positions(
        &mut self,
        position: Position,
        origin: Origin,
        shard: u32,
        tail: Tail,
        executions: impl Iterator<Item = u64>,
    ) {
        for execution in executions {
            let name = (shard, execution);
            self.things.entry(position.segment).or_default().all += 1;
            self.count += 1;
            match origin {
                Origin::Appended => self.appended.entry(name).or_default().push((tail.sequence, position)),
                Origin::Carried => {
                    let before = self.carried.entry(name).or_default().insert(tail.sequence, position);
                    self.died(before);
                }
            }
        }
        // A frame that is carried may be the only one of its shard that is left.
        let known = self.tails.entry(shard).or_default();
        *known = known.max_by_sequence(tail);
        self.last = position;
    }

    fn add_row(&mut self, position: Position, shard: u32, key: Vec<u8>, value: Option<&[u8]>) {
        let things = self.things.entry(position.segment).or_default();
        things.all += 1;
        // That there is nothing any more need not be said again once all before it is gone.
        things.dead += u64::from(value.is_none());
        self.row_bytes += key.len() + value.map_or(0, <[u8]>::len);
        if let Some(execution) = forgotten_by(&key).filter(|_| value.is_none()) {
            return self.forget((shard, execution));
        }
        let before = self.rows.insert(key, (position, value.map(<[u8]>::to_vec)));
        self.died(before.and_then(|(position, value)| value.map(|_| position)));
    }

    fn forget(&mut self, name: Name) {
        let appended = self.appended.remove(&name).unwrap_or_default().into_iter().map(|entry| entry.1);
        let carried = self.carried.remove(&name).unwrap_or_default().into_values();
        self.died(appended.chain(carried));
        self.forgotten.insert(name);
    }

    fn died(&mut self, positions: impl IntoIterator<Item = Position>) {
        for position in positions {
            self.things.entry(position.segment).or_default().dead += 1;
        }
    }
}

/// Entries as bytes: each as its distance from the one before, three small numbers. Numbers only grow; a frame that was
/// carried forward may stand behind the next.
pub(crate) fn pack(entries: &[FrameAt], out: &mut Vec<u8>) {
    let mut before = (0, Position::default());
    for &(sequence, position) in entries {
        let segments_on = position.segment.wrapping_sub(before.1.segment) as i64;
        let offset_before = if segments_on == 0 { before.1.offset } else { 0 };
        put_number(out, sequence - before.0);
        put_number(out, fold_sign(segments_on));
        put_number(out, fold_sign((i64::from(position.offset) - i64::from(offset_before)) / 8));
        before = (sequence, position);
    }
}

/// The inverse of [`pack`]; `None` when the bytes are something else.
pub(crate) fn unpack(mut bytes: &[u8]) -> Option<Vec<FrameAt>> {
    let mut entries = Vec::new();
    let mut before = (0u64, Position::default());
    while !bytes.is_empty() {
        let sequence = before.0.checked_add(take_number(&mut bytes)?)?;
        let segments_on = unfold_sign(take_number(&mut bytes)?);
        let offset_before = if segments_on == 0 { before.1.offset } else { 0 };
        let segment = before.1.segment.checked_add_signed(segments_on)?;
        let offset_on = unfold_sign(take_number(&mut bytes)?).checked_mul(8)?;
        let offset = u32::try_from(i64::from(offset_before).checked_add(offset_on)?).ok()?;
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
        let entries = [
            (1, at(9, 640)),
            (2, at(1, 64)),
            (3, at(1, 128)),
            (900, at(7, 64)),
            (901, at(7, u32::MAX - 7)),
            (902, at(7, 0)),
        ];
        let mut bytes = Vec::new();
        pack(&entries, &mut bytes);
        assert_eq!(unpack(&bytes).as_deref(), Some(&entries[..]));
        assert_eq!(unpack(&bytes[..bytes.len() - 1]), None);
    }
}
