//! Opening a log: what the index does not know yet is read and checked, a torn tail is cut, and anything else that is not
//! as it was written refuses to open, with file and offset.
//!
//! Read is every segment from the one on that holds the last frame the index knows, and in any case the last one; or all
//! of them, when that is asked for or when the index knows nothing. What a segment before those holds is checked when it
//! is read: no frame is given to anybody whose checksum is wrong.
//!
//! What counts as torn: bytes in the last segment that do not check out and of which nothing proves that they were ever
//! durable (`segment.rs` says what proves it). They are zeroed before anything is written behind them. The last batch
//! that does check out is written again: after a failed sync the system may show bytes that the disk does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Tail;
use crate::embedded::Check;
use crate::error::StoreError;
use crate::frame::Frame;
use crate::index::Known;
use crate::log::{Log, OpenSegment};
use crate::segment::{
    Batch, HEADER_BYTES, HeaderFault, Origin, Place, Position, SegmentHeader, Step, TailVerdict, VERSION, Walk,
};
use crate::segments::{
    PACKED_ENDING, SEGMENT_ENDING, SPARE_ENDING, Segments, packed_name, segment_name, segment_number,
};
use stepwell_planted::{self as planted, Bug};

/// Takes each frame of the log that is read, with its position, in the order they were written.
pub(crate) type EachFrame<'f> = dyn FnMut(Position, Origin, &Frame<'_>) -> Result<(), StoreError> + 'f;

/// The segments a directory has, by their headers. All of them are there, in the sizes they should have.
pub(crate) struct Survey {
    headers: Vec<SegmentHeader>,
}

impl Survey {
    /// Looks at the directory, and removes from it what nobody needs any more.
    pub(crate) fn make(segments: &Segments) -> Result<Survey, StoreError> {
        let remove = |name: &str| segments.disk.remove(name).map_err(segments.failed("remove", name));
        let (mut numbers, mut packed) = (BTreeSet::new(), BTreeSet::new());
        for name in segments.disk.list().map_err(segments.failed("read", ""))? {
            if name.ends_with(SPARE_ENDING) {
                remove(&name)?;
            } else if let Some(number) = segment_number(&name, SEGMENT_ENDING) {
                numbers.insert(number);
            } else if let Some(number) = segment_number(&name, PACKED_ENDING) {
                packed.insert(number);
            }
        }
        // Whoever packed it did not come to its end: what was written first is what counts.
        for &number in packed.intersection(&numbers) {
            remove(&packed_name(number))?;
        }
        packed.retain(|number| !numbers.contains(number));
        numbers.extend(&packed);
        let Some(&last) = numbers.last() else { return Ok(Survey { headers: Vec::new() }) };
        if packed.contains(&last) {
            let file = segments.disk.describe(&packed_name(last));
            return Err(StoreError::damaged(&file, 0, "what was written after this segment is missing"));
        }
        segments.set_packed(packed);
        let first = read_header(segments, last)?.first;
        let needed = numbers.split_off(&first);
        if !numbers.is_empty() {
            // The name of the segment that says so must be as durable as their absence.
            segments.disk.sync_names().map_err(segments.failed("sync", ""))?;
        }
        for number in numbers {
            remove(&segments.name_of(number))?;
        }
        segments.close_below(first);
        for (&number, expected) in needed.iter().zip(first..) {
            if number != expected {
                let file = segments.disk.describe(&segment_name(expected));
                return Err(StoreError::damaged(&file, 0, "the file is missing, and there are later ones"));
            }
        }
        let headers = needed.iter().map(|&number| read_header(segments, number)).collect::<Result<_, _>>()?;
        Ok(Survey { headers })
    }

    /// The first segment that is needed.
    pub(crate) fn first(&self) -> u64 {
        self.headers.last().map_or(1, |header| header.first)
    }
}

/// Opens the log on these segments' disk, or begins one. `each` gets every frame that is read.
pub(crate) fn open_log(
    segments: Arc<Segments>,
    survey: &Survey,
    segment_bytes: u32,
    known: Known,
    check: Check,
    each: &mut EachFrame<'_>,
) -> Result<Log, StoreError> {
    let headers = &survey.headers;
    let Some(last) = headers.last() else {
        return match known.last == Position::default() {
            true => begin_log(segments, segment_bytes),
            false => Err(lost(&segments, known.last)),
        };
    };
    if known.last.segment > last.place.number {
        return Err(lost(&segments, known.last));
    }
    let from = match check {
        Check::Everything => 0,
        Check::Tail => known.last.segment,
    };
    let mut sealed = BTreeMap::new();
    for (header, next) in headers.iter().zip(&headers[1..]) {
        if !(HEADER_BYTES..=header.size).contains(&next.end_before) {
            let what = "the end of the segment before is out of range";
            return Err(damaged_at(&segments, next.place.number, 40, what));
        }
        sealed.insert(header.place.number, next.end_before);
    }
    let mut reading = Reading::new(&segments, known, from, each);
    for (&number, &end) in sealed.range(from..) {
        reading.sealed_segment(Place { log: segments.log, number }, end)?;
    }
    let end = reading.last_segment(last.place.number, last.size)?;
    let tails = reading.tails()?;
    let name = segment_name(last.place.number);
    let file = segments.disk.open(&name).map_err(segments.failed("open", &name))?;
    // What the system shows may never have reached the disk: names, too.
    segments.disk.sync_names().map_err(segments.failed("sync", ""))?;
    let open = OpenSegment { number: last.place.number, file, size: last.size, end, first: last.first };
    Ok(Log::new(segments, segment_bytes, open, sealed, tails))
}

/// Reads every frame of an open log and checks it; answers how many there are.
pub(crate) fn check_log(log: &Log) -> Result<u64, StoreError> {
    log.segments.check()?;
    let mut count = 0;
    let mut each = |_: Position, _: Origin, _: &Frame<'_>| {
        count += 1;
        Ok(())
    };
    let mut reading = Reading::new(&log.segments, Known::default(), 0, &mut each);
    let ends = log.sealed.iter().map(|(&number, &end)| (number, end));
    for (number, end) in ends.chain([(log.open.number, log.open.end)]) {
        reading.sealed_segment(Place { log: log.segments.log, number }, end)?;
    }
    let found = reading.tails()?;
    if found != log.tails {
        let what = "its frames do not end where its shards do";
        return Err(damaged_at(&log.segments, log.open.number, log.open.end.into(), what));
    }
    Ok(count)
}

/// Reads the frames of a shard of an open log, those after the number `after`.
pub(crate) fn read_shard(
    log: &Log,
    shard: u32,
    after: u64,
    each: &mut dyn FnMut(&Frame<'_>) -> std::ops::ControlFlow<()>,
) -> Result<(), StoreError> {
    let segments = &log.segments;
    segments.check()?;
    let mut bytes = Vec::new();
    let ends = log.sealed.iter().map(|(&number, &end)| (number, end));
    for (number, end) in ends.chain([(log.open.number, log.open.end)]) {
        segments.read_whole(number, end, &mut bytes)?;
        let mut walk = Walk::new(Place { log: segments.log, number }, &bytes);
        loop {
            match walk.step() {
                Step::Frame { header, .. } if header.shard != shard || header.tail.sequence <= after => {}
                Step::Frame { offset, header, body } => {
                    let damaged = || damaged_frame(segments, number, offset.into());
                    let frame = Frame::of_body(shard, header.tail, body).ok_or_else(damaged)?;
                    if each(&frame).is_break() {
                        return Ok(());
                    }
                }
                Step::End => break,
                Step::Nothing(what) => return Err(damaged_at(segments, number, walk.at as u64, what)),
            }
        }
    }
    Ok(())
}

/// Bytes of the first segment of a log at most: whoever opens a new store waits until it is zeroed.
const FIRST_SEGMENT_BYTES_MAX: u32 = 2 * 1024 * 1024;

/// The first segment of a new log.
fn begin_log(segments: Arc<Segments>, segment_bytes: u32) -> Result<Log, StoreError> {
    let place = Place { log: segments.log, number: 1 };
    let size = segment_bytes.min(FIRST_SEGMENT_BYTES_MAX);
    let header = SegmentHeader { place, size, end_before: 0, first: 1 };
    let (name, spare) = (segment_name(1), format!("first{SPARE_ENDING}"));
    let file = segments.disk.create(&spare).map_err(segments.failed("make", &spare))?;
    let mut bytes = vec![0; size as usize];
    bytes[..HEADER_BYTES as usize].copy_from_slice(&header.write());
    file.write_at(0, &bytes).and_then(|()| file.sync()).map_err(segments.failed("write", &spare))?;
    segments.disk.rename(&spare, &name).map_err(segments.failed("name", &name))?;
    segments.disk.sync_names().map_err(segments.failed("sync the name of", &name))?;
    let open = OpenSegment { number: 1, file, size, end: HEADER_BYTES, first: 1 };
    Ok(Log::new(segments, segment_bytes, open, BTreeMap::new(), BTreeMap::new()))
}

fn read_header(segments: &Segments, number: u64) -> Result<SegmentHeader, StoreError> {
    let (name, file) = segments.file(number)?;
    let length = file.length().map_err(segments.failed("measure", &name))?;
    if length < HEADER_BYTES.into() {
        return Err(damaged_at(segments, number, length, "the file ends within its header"));
    }
    let mut bytes = [0; HEADER_BYTES as usize];
    file.read_at(0, &mut bytes).map_err(segments.unread(&name, 0))?;
    let header = match SegmentHeader::read(Place { log: segments.log, number }, &bytes) {
        Ok(header) => header,
        Err(HeaderFault::Broken) => return Err(damaged_at(segments, number, 0, "not the header of this segment")),
        Err(HeaderFault::Newer(version)) => {
            let file = segments.disk.describe(&name);
            return Err(StoreError::Newer { file, found: version.into(), known: VERSION.into() });
        }
    };
    if length != u64::from(header.size) {
        let what = format!("the file has {length} bytes and should have {}", header.size);
        return Err(damaged_at(segments, number, length.min(header.size.into()), what));
    }
    Ok(header)
}

/// Reads segment after segment.
struct Reading<'r, 'f> {
    segments: &'r Segments,
    /// The frames the index knows must be there.
    known: Known,
    has_met_known: bool,
    /// Whether the log is read from its very first frame on.
    is_from_birth: bool,
    /// The last frame appended to each shard.
    appended: BTreeMap<u32, Tail>,
    /// The last frame of each shard of those that were carried forward. Where nothing of a shard was appended since, it is
    /// the shard's last.
    carried: BTreeMap<u32, Tail>,
    bytes: Vec<u8>,
    each: &'r mut EachFrame<'f>,
}

impl<'r, 'f> Reading<'r, 'f> {
    /// Begins at the segment `from`, or the first there is.
    fn new(segments: &'r Segments, known: Known, from: u64, each: &'r mut EachFrame<'f>) -> Reading<'r, 'f> {
        let has_met_known = known.last == Position::default();
        let is_from_birth = from.max(segments.first()) == 1;
        let (appended, carried, bytes) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Reading { segments, known, has_met_known, is_from_birth, appended, carried, bytes, each }
    }

    /// How far the shards have come by the frames read and those the index knew.
    fn tails(self) -> Result<BTreeMap<u32, Tail>, StoreError> {
        if !self.has_met_known {
            return Err(lost(self.segments, self.known.last));
        }
        let mut tails = self.carried;
        tails.extend(self.appended);
        Ok(tails)
    }

    /// A segment whose end is known: every byte up to there is as it was written.
    fn sealed_segment(&mut self, place: Place, end: u32) -> Result<(), StoreError> {
        let mut bytes = std::mem::take(&mut self.bytes);
        self.segments.read_whole(place.number, end, &mut bytes)?;
        let mut walk = Walk::new(place, &bytes);
        if let Some(what) = self.frames(&mut walk)? {
            return Err(damaged_at(self.segments, place.number, walk.at as u64, what));
        }
        self.bytes = bytes;
        Ok(())
    }

    /// The segment that was being written; answers where it ends.
    fn last_segment(&mut self, number: u64, size: u32) -> Result<u32, StoreError> {
        let mut bytes = std::mem::take(&mut self.bytes);
        self.segments.read_whole(number, size, &mut bytes)?;
        let place = Place { log: self.segments.log, number };
        let mut walk = Walk::new(place, &bytes);
        let why = self.frames(&mut walk)?;
        let end = walk.at;
        let verdict = walk.judge_tail();
        if let TailVerdict::Damaged(proof) = verdict {
            let what = why.unwrap_or("more than the segment's frames");
            return Err(damaged_at(self.segments, number, end as u64, format!("{what}; {proof}")));
        }
        let name = segment_name(number);
        let failed = |doing| self.segments.failed(doing, &name);
        let file = self.segments.disk.open(&name).map_err(failed("open"))?;
        let write = |doing, offset: usize, bytes: &[u8]| match bytes {
            [] => Ok(()),
            _ => file.write_at(offset as u64, bytes).and_then(|()| file.sync()).map_err(failed(doing)),
        };
        if let TailVerdict::Torn { end: torn_end } = verdict
            && !planted::is(Bug::TailNotCut)
        {
            write("cut", end, &vec![0; torn_end - end])?;
        }
        // Without its mark while it is written again: torn in the middle of that it would look damaged.
        if planted::is(Bug::TailNotRewritten) {
            return Ok(end as u32);
        }
        let start = walk.last_batch_start;
        let frames_bytes = walk.last_batch_bytes();
        if frames_bytes == 0 {
            return Ok(end as u32);
        }
        // A batch that was torn behind its last whole frame gets the mark it never had, for which it left room: from here on it is
        // durable, and damage to it must not look like that again.
        let mut batch = Batch { bytes: bytes[start..start + frames_bytes].to_vec() };
        batch.seal(place, start as u32);
        let (frames, mark) = batch.bytes.split_at(frames_bytes);
        write("write", start + frames_bytes, &vec![0; mark.len()])?;
        write("write", start, frames)?;
        write("write", start + frames_bytes, mark)?;
        let end = start + batch.bytes.len();
        Ok(end as u32)
    }

    /// Goes through the frames there are; says why there are no more, unless the bytes end.
    fn frames(&mut self, walk: &mut Walk<'_>) -> Result<Option<&'static str>, StoreError> {
        loop {
            match walk.step() {
                Step::End => return Ok(None),
                Step::Nothing(what) => return Ok(Some(what)),
                Step::Frame { offset, header, body } => {
                    let position = Position { segment: walk.place().number, offset };
                    self.follow(position, header.origin, header.shard, header.tail)?;
                    let frame = Frame::of_body(header.shard, header.tail, body)
                        .ok_or_else(|| damaged_frame(self.segments, position.segment, offset.into()))?;
                    (self.each)(position, header.origin, &frame)?;
                    if position == self.known.last {
                        self.meet_known()?;
                    }
                }
            }
        }
    }

    /// Takes note of a frame, which must be one that can stand here.
    fn follow(&mut self, position: Position, origin: Origin, shard: u32, tail: Tail) -> Result<(), StoreError> {
        let appended = self.appended.get(&shard).copied();
        let carried = self.carried.get(&shard).copied();
        let follows = match (origin, appended) {
            (Origin::Appended, Some(before)) => before.followed_by(tail.epoch, tail.sequence).is_some(),
            (Origin::Appended, None) if self.is_from_birth => {
                Tail::default().followed_by(tail.epoch, tail.sequence).is_some()
            }
            (Origin::Appended, None) => carried.is_none_or(|carried| carried.sequence < tail.sequence),
            (Origin::Carried, Some(before)) => tail.sequence <= before.sequence,
            (Origin::Carried, None) => !self.is_from_birth,
        };
        if !follows {
            let before = appended.or(carried).unwrap_or_default();
            let what = format!(
                "frame {} of shard {} in epoch {} does not follow frame {} in epoch {}",
                tail.sequence, shard, tail.epoch, before.sequence, before.epoch,
            );
            return Err(damaged_at(self.segments, position.segment, position.offset.into(), what));
        }
        match origin {
            Origin::Appended => drop(self.appended.insert(shard, tail)),
            Origin::Carried if carried.is_none_or(|carried| carried.sequence < tail.sequence) => {
                self.carried.insert(shard, tail);
            }
            Origin::Carried => {}
        }
        Ok(())
    }

    /// The last frame that the index knows has been read: from here on the index says how far every shard has come.
    fn meet_known(&mut self) -> Result<(), StoreError> {
        self.has_met_known = true;
        let is_other = self.appended.iter().any(|(shard, tail)| self.known.tails.get(shard) != Some(tail));
        if is_other {
            return Err(lost(self.segments, self.known.last));
        }
        self.appended.extend(self.known.tails.iter().map(|(&shard, &tail)| (shard, tail)));
        Ok(())
    }
}

/// The log does not have what it had when the index was written.
fn lost(segments: &Segments, last: Position) -> StoreError {
    let what = "the log ends before a frame that was durable: the index knows it";
    damaged_at(segments, last.segment, last.offset.into(), what)
}

fn damaged_frame(segments: &Segments, number: u64, offset: u64) -> StoreError {
    damaged_at(segments, number, offset, "a frame that cannot be read")
}

fn damaged_at(segments: &Segments, number: u64, offset: u64, what: impl Into<String>) -> StoreError {
    StoreError::damaged(&segments.disk.describe(&segments.name_of(number)), offset, what)
}
