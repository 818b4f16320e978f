//! The log: segments of one directory, written at the end of the last one.
//!
//! Everything that can fail without harm is done before the first byte of a batch is written: frames are laid out, and
//! the segments they will need stand ready, zeroed and synced. From then on a failure poisons the log, with one
//! exception: a write that found no room is taken back by writing zeroes over it.
//!
//! How a log is opened again is `recovery.rs`. What frames mean is not known here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::disk::DiskFile;
use crate::error::{StoreError, is_full};
use crate::frame::body_bytes_max;
use crate::segment::{Batch, HEADER_BYTES, MARK_BYTES, Origin, Place, Position, SegmentHeader};
use crate::segments::{SPARE_ENDING, Segments, segment_name};
use crate::{Append, FRAME_BYTES_MAX, Outcome, Tail};
use stepwell_planted::{self as planted, Bug};

/// The log as its writer has it.
pub(crate) struct Log {
    pub(crate) segments: Arc<Segments>,
    pub(crate) segment_bytes: u32,
    /// The segment that is written.
    pub(crate) open: OpenSegment,
    /// Where each segment before the open one ends, by number.
    pub(crate) sealed: BTreeMap<u64, u32>,
    /// The first segment that something alive stands in. The next segment's header says so, and with that those before
    /// it may go.
    pub(crate) needed_from: u64,
    pub(crate) tails: BTreeMap<u32, Tail>,
    /// Bytes of appended frames in this run.
    pub(crate) appended_bytes: u64,
    pub(crate) spares: VecDeque<Spare>,
    /// Names for spares are never used twice in one run: what a failed one left behind is in nobody's way.
    pub(crate) spares_made: u64,
    /// Where the frames of a batch go, one for each segment it touches. Kept for its buffers.
    parts: Vec<Part>,
}

/// The last segment.
pub(crate) struct OpenSegment {
    pub(crate) number: u64,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) size: u32,
    /// Where the next batch begins.
    pub(crate) end: u32,
    /// The first segment that is needed, as its header says.
    pub(crate) first: u64,
}

/// A segment to be: zeroed, and synced once `ready_bytes` reaches `size`.
pub(crate) struct Spare {
    name: String,
    file: Arc<dyn DiskFile>,
    size: u32,
    ready_bytes: u32,
}

/// The stretch of one segment that a batch fills.
#[derive(Default)]
struct Part {
    /// 0 for the open segment, then one for each new one.
    segments_ahead: u64,
    start: u32,
    batch: Batch,
}

/// A frame that has been written: where, and which append of the batch it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) position: Position,
    pub(crate) index_in_batch: usize,
}

/// Bytes of zeroes that are written and synced at once when a segment is made ready: one slice of [`Log::prepare`].
const ZEROES_AT_ONCE: usize = 1024 * 1024;

impl Log {
    pub(crate) fn new(
        segments: Arc<Segments>,
        segment_bytes: u32,
        open: OpenSegment,
        sealed: BTreeMap<u64, u32>,
        tails: BTreeMap<u32, Tail>,
    ) -> Log {
        let (spares, parts, needed_from) = (VecDeque::new(), Vec::new(), open.first);
        let (appended_bytes, spares_made) = (0, 0);
        Log { segments, segment_bytes, open, sealed, needed_from, tails, appended_bytes, spares, spares_made, parts }
    }

    pub(crate) fn tail(&self, shard: u32) -> Tail {
        self.tails.get(&shard).copied().unwrap_or_default()
    }

    /// Appends what may be appended and makes it durable. `written` gets the frames that are, in order.
    pub(crate) fn append_batch(
        &mut self,
        batch: &[Append<'_>],
        outcomes: &mut Vec<Outcome>,
        written: &mut Vec<Written>,
    ) -> Result<(), StoreError> {
        self.segments.check()?;
        outcomes.clear();
        written.clear();
        let mut tails = TailChanges { of: &mut self.tails, before: Vec::new() };
        let mut parts =
            Parts::new(&mut self.parts, self.open.number, self.open.end, self.open.size, self.segment_bytes);
        for (index_in_batch, append) in batch.iter().enumerate() {
            let tail = tails.of.get(&append.shard).copied().unwrap_or_default();
            let outcome = match tail.followed_by(append.epoch, append.sequence) {
                None => Outcome::Conflict(tail),
                Some(_) if body_bytes_max(append) > FRAME_BYTES_MAX => Outcome::TooLarge,
                Some(next) => {
                    tails.set(append.shard, tail, next);
                    let position = parts.place(append, Origin::Appended, self.segments.log);
                    written.push(Written { position, index_in_batch });
                    Outcome::Appended { sequence: append.sequence }
                }
            };
            outcomes.push(outcome);
        }
        let count = parts.close(self.segments.log);
        let before = std::mem::take(&mut tails.before);
        let done = if written.is_empty() { Ok(()) } else { self.write(count) };
        self.appended_bytes += self.parts[..count].iter().map(|part| part.batch.bytes.len() as u64).sum::<u64>();
        if done.is_err() {
            self.tails.extend(before.into_iter().rev());
            outcomes.clear();
            written.clear();
        }
        done
    }

    /// Writes down once more what is alive of frames that stand further ahead, and makes it durable. `written` gets where.
    pub(crate) fn carry(&mut self, alive: &[Append<'_>], written: &mut Vec<Written>) -> Result<(), StoreError> {
        self.segments.check()?;
        written.clear();
        let mut parts =
            Parts::new(&mut self.parts, self.open.number, self.open.end, self.open.size, self.segment_bytes);
        for (index_in_batch, append) in alive.iter().enumerate() {
            let position = parts.place(append, Origin::Carried, self.segments.log);
            written.push(Written { position, index_in_batch });
        }
        let count = parts.close(self.segments.log);
        if alive.is_empty() { Ok(()) } else { self.write(count) }
    }

    /// Removes a segment that is not needed any more, if there is one.
    pub(crate) fn remove_one(&mut self) {
        let Some(number) = self.sealed.keys().next().copied().filter(|number| *number < self.open.first) else {
            return;
        };
        self.sealed.remove(&number);
        let name = self.segments.close_through(number);
        // Whether the file goes or stays changes nothing: opening removes what is not needed.
        let _ = self.segments.disk.remove(&name);
    }

    /// Writes the first `count` parts.
    fn write(&mut self, count: usize) -> Result<(), StoreError> {
        let parts = std::mem::take(&mut self.parts);
        let done = self.write_parts(&parts[..count]);
        self.parts = parts;
        done
    }

    fn write_parts(&mut self, parts: &[Part]) -> Result<(), StoreError> {
        let new = parts.iter().filter(|part| part.segments_ahead > 0);
        let sizes: Vec<u32> = new.map(|part| segment_size(self.segment_bytes, part.batch.bytes.len())).collect();
        self.make_spares(&sizes)?;
        for (done, part) in parts.iter().enumerate() {
            if part.segments_ahead > 0 {
                self.begin_segment(part)?;
                continue;
            }
            let name = segment_name(self.open.number);
            if let Err(error) = self.open.file.write_at(part.start.into(), &part.batch.bytes) {
                return Err(self.take_back(part, error, done == 0, &name));
            }
            let synced = match planted::is(Bug::AckBeforeSync) {
                true => Ok(()),
                false => self.open.file.sync(),
            };
            let synced = if planted::is(Bug::SyncAgain) { synced.or_else(|_| self.open.file.sync()) } else { synced };
            synced.map_err(|error| self.segments.poison("sync", &name, error))?;
            self.open.end += part.batch.bytes.len() as u32;
        }
        Ok(())
    }

    /// What a failed write means. One that found no room, and that zeroes could be written over, means nothing.
    fn take_back(&self, part: &Part, error: std::io::Error, is_first: bool, name: &str) -> StoreError {
        if is_first && is_full(&error) {
            // Its mark goes first: a batch that is half zeroed and has one would look like a damaged one.
            let zeroes = vec![0; part.batch.bytes.len()];
            let mark_at = zeroes.len() - MARK_BYTES;
            let zero_from = |from: usize| {
                self.open.file.write_at(part.start as u64 + from as u64, &zeroes[from..])?;
                self.open.file.sync()
            };
            if zero_from(mark_at).and_then(|()| zero_from(0)).is_ok() {
                return StoreError::Full { file: self.segments.disk.describe(name) };
            }
        }
        self.segments.poison("write", name, error)
    }

    /// Turns a spare into the open segment, with its first batch in it. All before it is durable.
    fn begin_segment(&mut self, part: &Part) -> Result<(), StoreError> {
        let spare = self.spares.pop_front().expect("a spare was made ready for every part");
        let place = Place { log: self.segments.log, number: self.open.number + 1 };
        let header = SegmentHeader { place, size: spare.size, end_before: self.open.end, first: self.needed_from };
        let name = segment_name(place.number);
        let poison = |doing| self.segments.poisoner(doing, &name);
        spare.file.write_at(0, &header.write()).map_err(poison("write"))?;
        spare.file.write_at(part.start.into(), &part.batch.bytes).map_err(poison("write"))?;
        spare.file.sync().map_err(poison("sync"))?;
        self.segments.disk.rename(&spare.name, &name).map_err(poison("name"))?;
        if !planted::is(Bug::NamesNotSynced) {
            self.segments.disk.sync_names().map_err(poison("sync the name of"))?;
        }
        self.sealed.insert(self.open.number, self.open.end);
        let end = part.start + part.batch.bytes.len() as u32;
        self.open = OpenSegment { number: place.number, file: spare.file, size: spare.size, end, first: header.first };
        Ok(())
    }

    /// Has a spare of each of these sizes at the front, in this order.
    fn make_spares(&mut self, sizes: &[u32]) -> Result<(), StoreError> {
        for (place, &size) in sizes.iter().enumerate() {
            let fits = self.spares.get(place).is_some_and(|spare| spare.size == size);
            if !fits {
                let spare = self.new_spare(size)?;
                self.spares.insert(place, spare);
            }
            while !self.is_ready(place) {
                self.prepare_slice(place)?;
            }
        }
        Ok(())
    }

    /// Makes the next segment ready in step with the open one: it is when that is half full.
    pub(crate) fn prepare(&mut self) -> Result<(), StoreError> {
        self.segments.check()?;
        if self.spares.is_empty() {
            let spare = self.new_spare(self.segment_bytes)?;
            self.spares.push_back(spare);
        }
        let (filled, size) = (u64::from(self.open.end) * 2, u64::from(self.open.size));
        let is_behind = |spare: &Spare| {
            let wanted = (u64::from(spare.size) * filled / size).min(spare.size.into());
            u64::from(spare.ready_bytes) < wanted
        };
        while self.spares.front().is_some_and(is_behind) {
            self.prepare_slice(0)?;
        }
        Ok(())
    }

    fn is_ready(&self, place: usize) -> bool {
        self.spares.get(place).is_some_and(|spare| spare.ready_bytes == spare.size)
    }

    fn new_spare(&mut self, size: u32) -> Result<Spare, StoreError> {
        let name = format!("{}{}", self.spares_made, SPARE_ENDING);
        self.spares_made += 1;
        let file = self.segments.disk.create(&name).map_err(self.segments.failed("make", &name))?;
        Ok(Spare { name, file, size, ready_bytes: 0 })
    }

    /// Zeroes and syncs some of a spare. One that cannot be had is thrown away: nobody has written to it.
    fn prepare_slice(&mut self, place: usize) -> Result<(), StoreError> {
        let spare = &mut self.spares[place];
        let count = ((spare.size - spare.ready_bytes) as usize).min(ZEROES_AT_ONCE);
        let zeroes = vec![0; count];
        let done = spare.file.write_at(spare.ready_bytes.into(), &zeroes).and_then(|()| spare.file.sync());
        match done {
            Ok(()) => {
                spare.ready_bytes += count as u32;
                Ok(())
            }
            Err(error) => {
                let name = spare.name.clone();
                self.spares.remove(place);
                // Whether the name goes or stays changes nothing: opening removes what has this ending.
                let _ = self.segments.disk.remove(&name);
                Err(self.segments.failed("zero", &name)(error))
            }
        }
    }
}

/// Lays the frames of a batch out in segments.
struct Parts<'p> {
    parts: &'p mut Vec<Part>,
    /// How many of them are in use.
    count: usize,
    open_number: u64,
    /// Bytes of the segment the last part is in.
    size: u32,
    segment_bytes: u32,
}

impl<'p> Parts<'p> {
    fn new(parts: &'p mut Vec<Part>, open_number: u64, open_end: u32, open_size: u32, segment_bytes: u32) -> Parts<'p> {
        let mut laid_out = Parts { parts, count: 0, open_number, size: open_size, segment_bytes };
        laid_out.begin(0, open_end);
        laid_out
    }

    fn begin(&mut self, segments_ahead: u64, start: u32) {
        if self.parts.len() == self.count {
            self.parts.push(Part::default());
        }
        let part = &mut self.parts[self.count];
        self.count += 1;
        (part.segments_ahead, part.start) = (segments_ahead, start);
        part.batch.bytes.clear();
    }

    /// Adds a frame, to a new segment if there is no room in this one.
    fn place(&mut self, append: &Append<'_>, origin: Origin, log: u64) -> Position {
        let part = &mut self.parts[self.count - 1];
        let begins = part.batch.stage(append, origin);
        let end = u64::from(part.start) + part.batch.bytes.len() as u64 + MARK_BYTES as u64;
        if end <= u64::from(self.size) {
            return self.seal_frame(begins, log);
        }
        let frame = part.batch.bytes.split_off(begins);
        let ahead = part.segments_ahead + 1;
        if begins > 0 {
            self.seal(log);
        } else {
            self.count -= 1;
        }
        self.size = segment_size(self.segment_bytes, frame.len() + MARK_BYTES);
        self.begin(ahead, HEADER_BYTES);
        self.parts[self.count - 1].batch.bytes.extend_from_slice(&frame);
        self.seal_frame(0, log)
    }

    fn seal_frame(&mut self, begins: usize, log: u64) -> Position {
        let part = &mut self.parts[self.count - 1];
        let place = Place { log, number: self.open_number + part.segments_ahead };
        let offset = part.batch.seal_frame(begins, place, part.start);
        Position { segment: place.number, offset }
    }

    fn seal(&mut self, log: u64) {
        let part = &mut self.parts[self.count - 1];
        part.batch.seal(Place { log, number: self.open_number + part.segments_ahead }, part.start);
    }

    /// Closes the last part; answers how many there are.
    fn close(mut self, log: u64) -> usize {
        self.seal(log);
        self.count
    }
}

/// Changes of tails that can be taken back.
struct TailChanges<'t> {
    of: &'t mut BTreeMap<u32, Tail>,
    before: Vec<(u32, Tail)>,
}

impl TailChanges<'_> {
    fn set(&mut self, shard: u32, before: Tail, after: Tail) {
        self.before.push((shard, before));
        self.of.insert(shard, after);
    }
}

/// Bytes a segment has that begins with a batch of so many: as always, or as many as a very large frame needs.
fn segment_size(usual: u32, batch_bytes: usize) -> u32 {
    let needed = HEADER_BYTES + u32::try_from(batch_bytes).expect("a part is one segment's at most");
    usual.max(needed)
}
