//! Making room: what is alive in the oldest segment is carried forward to the end of the log, and then the segment goes.
//!
//! ```text
//! carried forward   a frame's payload, for the executions whose histories have it; rows that have their value from it;
//!                   the last frame of a shard, since it says how far the shard has come
//! left behind       frames of forgotten executions; rows that were changed since; that there is no row any more
//! ```
//!
//! Only ever the oldest: with everything before a segment gone, no older value of a row can come back when a newer word
//! about it is left behind, and a forgotten execution has no frame left when the word that it is forgotten goes.
//!
//! A crash at any point leaves both copies or one. The log is read in its order, so that the later copy counts; both say
//! the same, since what is carried is asked of the index in the moment it is written. The segment goes when the header of a
//! later one, which is durable, says that it is not needed.

use crate::error::StoreError;
use crate::frame::{Frame, KeptFrame};
use crate::index::{Alive, EmbeddedIndex, Known};
use crate::log::{Log, Written};
use crate::segment::{HEADER_BYTES, Origin, Position};
use crate::{Append, Row, Tail};
use stepwell_planted::{self as planted, Bug};

/// Bytes of the oldest segment that are looked at for each byte that was appended since the last look: enough to gain on a
/// writer whose half is alive when it becomes old.
const PACE: u64 = 4;

/// Bytes that are looked at when little was appended: less than a millisecond of work.
const BYTES_AT_LEAST: u32 = 64 * 1024;

/// Segments that are smaller than usual are emptied in steps, too.
const STEPS: u32 = 16;

/// The segment that is being emptied, if one is.
#[derive(Debug, Default)]
pub(crate) struct Cleaning {
    open: Option<Emptied>,
    /// What the index knew when no segment was worth it: until it knows more, none is.
    looked_at: Position,
    /// Bytes that had been appended by the last look.
    appended_bytes: u64,
}

/// How far a segment has been emptied.
#[derive(Clone, Copy, Debug)]
struct Emptied {
    segment: u64,
    end: u32,
    at: u32,
}

impl Cleaning {
    /// Does the next bounded piece, if there is anything to do.
    pub(crate) fn go_on(
        &mut self,
        log: &mut Log,
        index: &EmbeddedIndex,
        written: &mut Vec<Written>,
    ) -> Result<(), StoreError> {
        let emptied = match self.open {
            Some(emptied) => emptied,
            None => match self.next(log, index) {
                Some(emptied) => {
                    self.appended_bytes = log.appended_bytes;
                    emptied
                }
                None => return Ok(()),
            },
        };
        if emptied.at < emptied.end {
            let appended = log.appended_bytes - self.appended_bytes.min(log.appended_bytes);
            self.appended_bytes = log.appended_bytes;
            let at_least = BYTES_AT_LEAST.min(emptied.end / STEPS);
            let bytes = u32::try_from(appended.saturating_mul(PACE)).unwrap_or(u32::MAX).max(at_least);
            let at = carry_some(emptied, bytes, log, index, written)?;
            self.open = Some(Emptied { at, ..emptied });
            return Ok(());
        }
        log.needed_from = emptied.segment + 1;
        (self.open, self.looked_at) = (None, Position::default());
        Ok(())
    }

    /// The oldest segment, if emptying it is worth it.
    fn next(&mut self, log: &Log, index: &EmbeddedIndex) -> Option<Emptied> {
        let (&segment, &end) = log.sealed.range(log.needed_from..).next()?;
        let is_worth_it = index.ask_known(|known| {
            let has_news = known.last != self.looked_at;
            self.looked_at = known.last;
            // What is alive is asked of the index: all of the segment must be in there.
            has_news && known.last.segment > segment && is_mostly_dead(known, segment)
        });
        is_worth_it.then_some(Emptied { segment, end, at: HEADER_BYTES })
    }
}

/// Whether half of a segment is dead, or half of everything: so that neither one long life keeps a segment, nor one full
/// segment keeps all behind it, and what is carried is never more than what has died.
fn is_mostly_dead(known: &Known, segment: u64) -> bool {
    let mut needed = known.things.range(segment..).map(|(_, things)| *things);
    let oldest = known.things.get(&segment).copied().unwrap_or_default();
    let dead_of_all = needed.try_fold((0u64, 0u64), |(all, dead), things| {
        Some((all.checked_add(things.all)?, dead.checked_add(things.dead)?))
    });
    oldest.dead * 2 >= oldest.all || dead_of_all.is_some_and(|(all, dead)| dead * 2 >= all)
}

/// Carries forward what is alive in the next so many bytes of a segment; answers where the rest begins.
fn carry_some(
    emptied: Emptied,
    bytes: u32,
    log: &mut Log,
    index: &EmbeddedIndex,
    written: &mut Vec<Written>,
) -> Result<u32, StoreError> {
    let Emptied { segment, end, at } = emptied;
    let (kept, next) = log.segments.read_some(segment, at, end, bytes)?;
    let placed: Vec<(Position, &KeptFrame)> =
        kept.iter().map(|(offset, frame)| (Position { segment, offset: *offset }, frame)).collect();
    let alive = index.alive(&placed)?;
    let frames: Vec<Frame<'_>> = kept.iter().map(|(_, frame)| frame.frame()).collect();
    let rows: Vec<Vec<Row<'_>>> = frames.iter().zip(&alive).map(|(frame, alive)| alive_rows(frame, alive)).collect();
    let mut carried = Vec::new();
    for ((frame, alive), rows) in frames.iter().zip(&alive).zip(&rows) {
        let is_last = log.tail(frame.shard) == Tail { epoch: frame.epoch, sequence: frame.sequence };
        if alive.executions.is_empty() && rows.is_empty() && !is_last {
            continue;
        }
        carried.push(Append {
            shard: frame.shard,
            epoch: frame.epoch,
            sequence: frame.sequence,
            executions: &alive.executions,
            rows,
            payload: if alive.executions.is_empty() { &[] } else { frame.payload },
        });
    }
    log.carry(&carried, written)?;
    index.gather(|gathered| {
        for written in &*written {
            gathered.add(written.position, Origin::Carried, &carried[written.index_in_batch]);
        }
    });
    Ok(next)
}

/// The rows of a frame that have their value from it, with that value.
fn alive_rows<'a>(frame: &Frame<'a>, alive: &'a Alive) -> Vec<Row<'a>> {
    if planted::is(Bug::CarriedWithoutRows) {
        return Vec::new();
    }
    let rows = frame.keyed_rows().zip(&alive.rows);
    rows.filter_map(|((key, _), value)| Row::of_full_key(key, Some(value.as_ref()?))).collect()
}
