//! Opening a log: every frame is read and checked, a torn tail is cut, and anything else that is not as it was written
//! refuses to open, with file and offset.
//!
//! What counts as torn: bytes in the last segment that do not check out and of which nothing proves that they were ever
//! durable (`segment.rs` says what proves it). They are zeroed before anything is written behind them. The last batch
//! that does check out is written again: after a failed sync the system may show bytes that the disk does not have.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Tail;
use crate::error::StoreError;
use crate::frame::Frame;
use crate::log::{Log, OpenSegment, SEGMENT_ENDING, SPARE_ENDING, Segments, segment_name};
use crate::segment::{HEADER_BYTES, HeaderFault, Place, Position, SegmentHeader, Step, TailVerdict, VERSION, Walk};

/// Takes each frame of the log with its position, in the order they were written.
pub(crate) type EachFrame<'f> = dyn FnMut(Position, &Frame<'_>) -> Result<(), StoreError> + 'f;

/// Opens the log on these segments' disk, or begins one. `each` gets every frame.
pub(crate) fn open_log(
    segments: Arc<Segments>,
    segment_bytes: u32,
    each: &mut EachFrame<'_>,
) -> Result<Log, StoreError> {
    let mut numbers = Vec::new();
    for name in segments.disk.list().map_err(segments.failed("read", ""))? {
        if name.ends_with(SPARE_ENDING) {
            segments.disk.remove(&name).map_err(segments.failed("remove", &name))?;
        } else if let Some(number) = segment_number(&name) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    let Some(&last) = numbers.last() else { return begin_log(segments, segment_bytes) };
    for (&number, expected) in numbers.iter().zip(1..) {
        if number != expected {
            let file = segments.disk.describe(&segment_name(expected));
            return Err(StoreError::damaged(&file, 0, "the file is missing, and there are later ones"));
        }
    }
    let headers = numbers.iter().map(|&number| read_header(&segments, number)).collect::<Result<Vec<_>, _>>()?;
    let mut reading = Reading { segments: &segments, tails: BTreeMap::new(), bytes: Vec::new(), each };
    let mut sealed = BTreeMap::new();
    for (header, next) in headers.iter().zip(&headers[1..]) {
        reading.sealed_segment(header, next.end_before)?;
        sealed.insert(header.place.number, next.end_before);
    }
    let size = headers[headers.len() - 1].size;
    let end = reading.last_segment(last, size)?;
    let tails = reading.tails;
    let file = segments.disk.open(&segment_name(last)).map_err(segments.failed("open", &segment_name(last)))?;
    // What the system shows may never have reached the disk: names, too.
    segments.disk.sync_names().map_err(segments.failed("sync", ""))?;
    Ok(Log::new(segments.clone(), segment_bytes, OpenSegment { number: last, file, size, end }, sealed, tails))
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

/// The first segment of a new log.
fn begin_log(segments: Arc<Segments>, segment_bytes: u32) -> Result<Log, StoreError> {
    let place = Place { log: segments.log, number: 1 };
    let header = SegmentHeader { place, size: segment_bytes, end_before: 0 };
    let (name, spare) = (segment_name(1), format!("first{SPARE_ENDING}"));
    let file = segments.disk.create(&spare).map_err(segments.failed("make", &spare))?;
    let mut bytes = vec![0; segment_bytes as usize];
    bytes[..HEADER_BYTES as usize].copy_from_slice(&header.write());
    file.write_at(0, &bytes).and_then(|()| file.sync()).map_err(segments.failed("write", &spare))?;
    segments.disk.rename(&spare, &name).map_err(segments.failed("name", &name))?;
    segments.disk.sync_names().map_err(segments.failed("sync the name of", &name))?;
    let open = OpenSegment { number: 1, file, size: segment_bytes, end: HEADER_BYTES };
    Ok(Log::new(segments, segment_bytes, open, BTreeMap::new(), BTreeMap::new()))
}

fn read_header(segments: &Segments, number: u64) -> Result<SegmentHeader, StoreError> {
    let name = segment_name(number);
    let file = segments.disk.open(&name).map_err(segments.failed("open", &name))?;
    let length = file.length().map_err(segments.failed("measure", &name))?;
    if length < HEADER_BYTES.into() {
        return Err(damaged_at(segments, number, length, "the file ends within its header"));
    }
    let mut bytes = [0; HEADER_BYTES as usize];
    file.read_at(0, &mut bytes).map_err(segments.failed("read", &name))?;
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
    tails: BTreeMap<u32, Tail>,
    bytes: Vec<u8>,
    each: &'r mut EachFrame<'f>,
}

impl Reading<'_, '_> {
    /// A segment that another follows: every byte up to its end is as it was written.
    fn sealed_segment(&mut self, header: &SegmentHeader, end: u32) -> Result<(), StoreError> {
        let number = header.place.number;
        if !(HEADER_BYTES..=header.size).contains(&end) {
            return Err(damaged_at(self.segments, number + 1, 40, "the end of the segment before is out of range"));
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        self.segments.read_whole(number, end, &mut bytes)?;
        let mut walk = Walk::new(header.place, &bytes);
        if let Some(what) = self.frames(&mut walk)? {
            return Err(damaged_at(self.segments, number, walk.at as u64, what));
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
        if let TailVerdict::Torn { end: torn_end } = verdict {
            write("cut", end, &vec![0; torn_end - end])?;
        }
        // Without its mark while it is written again: torn in the middle of that it would look damaged.
        let start = walk.last_batch_start;
        let (frames, mark) = bytes[start..end].split_at(walk.last_batch_bytes());
        write("write", start + frames.len(), &vec![0; mark.len()])?;
        write("write", start, frames)?;
        write("write", start + frames.len(), mark)?;
        Ok(end as u32)
    }

    /// Goes through the frames there are; says why there are no more, unless the bytes end.
    fn frames(&mut self, walk: &mut Walk<'_>) -> Result<Option<&'static str>, StoreError> {
        loop {
            match walk.step() {
                Step::End => return Ok(None),
                Step::Nothing(what) => return Ok(Some(what)),
                Step::Frame { offset, header, body } => {
                    let number = walk.place().number;
                    let tail = self.tails.get(&header.shard).copied().unwrap_or_default();
                    if tail.followed_by(header.tail.epoch, header.tail.sequence).is_none() {
                        let what = format!(
                            "frame {} of shard {} in epoch {} does not follow frame {} in epoch {}",
                            header.tail.sequence, header.shard, header.tail.epoch, tail.sequence, tail.epoch,
                        );
                        return Err(damaged_at(self.segments, number, offset.into(), what));
                    }
                    let frame = Frame::of_body(header.shard, header.tail, body)
                        .ok_or_else(|| damaged_frame(self.segments, number, offset.into()))?;
                    (self.each)(Position { segment: number, offset }, &frame)?;
                    self.tails.insert(header.shard, header.tail);
                }
            }
        }
    }
}

fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SEGMENT_ENDING)?;
    (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok())?
}

fn damaged_frame(segments: &Segments, number: u64, offset: u64) -> StoreError {
    damaged_at(segments, number, offset, "a frame that cannot be read")
}

fn damaged_at(segments: &Segments, number: u64, offset: u64, what: impl Into<String>) -> StoreError {
    StoreError::damaged(&segments.disk.describe(&segment_name(number)), offset, what)
}
