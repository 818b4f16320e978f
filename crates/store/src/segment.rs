//! A segment's bytes: a header, then batches of frames, each batch closed by a mark, then zeroes.
//!
//! ```text
//! segment  header | (frame+ | mark)* | zeroes up to the segment's size
//! header   "STEPWELL" | version u32 | checksum u32 | log u64 | number u64 | size u64 | end of the one before u64 |
//!          number of the first segment that is needed u64 | zeroes
//! frame    checksum u32 | body length u32 | body checksum u32 | batch start u32 | shard u32 | origin u32 | epoch u64 |
//!          sequence u64 | body | zeroes up to a multiple of 8
//! mark     "BTCH" | batch start u32 | 0 u32 | checksum u32
//! ```
//!
//! Numbers are little-endian, everything starts at a multiple of 8. The checksums of headers and marks take in where
//! they stand — the log, the segment, the offset — so that bytes of another place never look right in this one.
//!
//! **Batch start** is what tells a torn write from damage. A batch is written only when all before it is durable.
//! So whoever finds bytes that do not check out, and behind them a frame or mark whose batch starts later, knows that
//! they were durable once. And a batch that has its mark and misses no sector was written whole.
//!
//! **The first segment that is needed** is the log's word that those before it may go: what was alive in them has been
//! carried forward, which is the origin of such frames. Version 1 had neither.
//!
//! This file reads and writes bytes in memory. It opens no file.

use crate::frame::put_body;
use crate::{Append, Tail};
use stepwell_planted::{self as planted, Bug};

/// Version of everything in a segment.
pub(crate) const VERSION: u32 = 2;

/// Bytes of a segment's header, and the offset of its first frame.
pub(crate) const HEADER_BYTES: u32 = 64;

/// Bytes before a frame's body.
pub(crate) const FRAME_HEADER_BYTES: usize = 40;

/// Bytes of the mark that closes a batch.
pub(crate) const MARK_BYTES: usize = 16;

/// What a disk writes whole or not at all. Larger ones only make fewer cases.
const SECTOR_BYTES: usize = 512;

const MAGIC: &[u8; 8] = b"STEPWELL";
const MARK_MAGIC: &[u8; 4] = b"BTCH";

/// Where a frame starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The segment's number.
    pub(crate) segment: u64,
    /// Bytes from the segment's beginning.
    pub(crate) offset: u32,
}

/// Which segment of which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) log: u64,
    pub(crate) number: u64,
}

impl Place {
    /// A checksum that holds only here.
    pub(crate) fn checksum(self, offset: u32, bytes: &[u8]) -> u32 {
        let mut seed = [0; 20];
        if planted::is(Bug::MisplacedFrame) {
            return crc32fast::hash(bytes);
        }
        seed[..8].copy_from_slice(&self.log.to_le_bytes());
        seed[8..16].copy_from_slice(&self.number.to_le_bytes());
        seed[16..].copy_from_slice(&offset.to_le_bytes());
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&seed);
        hasher.update(bytes);
        hasher.finalize()
    }
}

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) place: Place,
    /// Bytes of the file.
    pub(crate) size: u32,
    /// Where the segment before this one ends; 0 when there was none.
    pub(crate) end_before: u32,
    /// The number of the first segment that was needed when this one began.
    pub(crate) first: u64,
}

/// Why a segment's header is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    Newer(u32),
    Broken,
}

impl SegmentHeader {
    pub(crate) fn write(&self) -> [u8; HEADER_BYTES as usize] {
        let mut bytes = [0; HEADER_BYTES as usize];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.place.log.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.place.number.to_le_bytes());
        bytes[32..40].copy_from_slice(&u64::from(self.size).to_le_bytes());
        bytes[40..48].copy_from_slice(&u64::from(self.end_before).to_le_bytes());
        bytes[48..56].copy_from_slice(&self.first.to_le_bytes());
        let checksum = self.place.checksum(0, &bytes);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the header of a segment that should stand at this place.
    pub(crate) fn read(place: Place, bytes: &[u8; HEADER_BYTES as usize]) -> Result<SegmentHeader, HeaderFault> {
        if bytes[..8] != *MAGIC {
            return Err(HeaderFault::Broken);
        }
        let version = u32_at(bytes, 8);
        if version > VERSION {
            return Err(HeaderFault::Newer(version));
        }
        let mut unsigned = *bytes;
        unsigned[12..16].fill(0);
        if place.checksum(0, &unsigned) != u32_at(bytes, 12) {
            return Err(HeaderFault::Broken);
        }
        let (Ok(size), Ok(end_before)) = (u32::try_from(u64_at(bytes, 32)), u32::try_from(u64_at(bytes, 40))) else {
            return Err(HeaderFault::Broken);
        };
        let first = if version == 1 { 1 } else { u64_at(bytes, 48) };
        if !(1..=place.number).contains(&first) {
            return Err(HeaderFault::Broken);
        }
        Ok(SegmentHeader { place, size, end_before, first })
    }
}

/// How a frame came to stand where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was appended: it is the next of its shard.
    Appended,
    /// It is what is alive of a frame that stands, or stood, further ahead.
    Carried,
}

impl Origin {
    fn number(self) -> u32 {
        match self {
            Origin::Appended => 0,
            Origin::Carried => 1,
        }
    }

    fn of_number(number: u32) -> Option<Origin> {
        [Origin::Appended, Origin::Carried].into_iter().find(|origin| origin.number() == number)
    }
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) body_bytes: u32,
    body_checksum: u32,
    pub(crate) batch_start: u32,
    pub(crate) shard: u32,
    pub(crate) origin: Origin,
    pub(crate) tail: Tail,
}

impl FrameHeader {
    /// Reads the header at this place; `None` when the bytes are none.
    pub(crate) fn read(place: Place, offset: u32, bytes: &[u8]) -> Option<FrameHeader> {
        let bytes = bytes.get(..FRAME_HEADER_BYTES)?;
        if place.checksum(offset, &bytes[4..]) != u32_at(bytes, 0) {
            return None;
        }
        let origin = Origin::of_number(u32_at(bytes, 20))?;
        Some(FrameHeader {
            body_bytes: u32_at(bytes, 4),
            body_checksum: u32_at(bytes, 8),
            batch_start: u32_at(bytes, 12),
            shard: u32_at(bytes, 16),
            origin,
            tail: Tail { epoch: u64_at(bytes, 24), sequence: u64_at(bytes, 32) },
        })
    }

    /// Bytes of the whole frame, with the zeroes that fill it up.
    pub(crate) fn frame_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + padded(self.body_bytes as usize)
    }

    /// The body in the bytes of a frame; `None` when they are too few or not what was written.
    pub(crate) fn body<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8]> {
        let padded = frame.get(FRAME_HEADER_BYTES..self.frame_bytes())?;
        (crc32fast::hash(padded) == self.body_checksum || planted::is(Bug::FrameUnchecked))
            .then(|| &padded[..self.body_bytes as usize])
    }
}

fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(8)
}

/// Frames for one stretch of a segment, to be written in one go.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
}

impl Batch {
    /// Adds a frame's body without its header; answers where the frame begins in `bytes`.
    pub(crate) fn stage(&mut self, append: &Append<'_>, origin: Origin) -> usize {
        let start = self.bytes.len();
        self.bytes.resize(start + FRAME_HEADER_BYTES, 0);
        put_body(append, &mut self.bytes);
        let body_bytes = self.bytes.len() - start - FRAME_HEADER_BYTES;
        self.bytes.resize(start + FRAME_HEADER_BYTES + padded(body_bytes), 0);
        let body_checksum = crc32fast::hash(&self.bytes[start + FRAME_HEADER_BYTES..]);
        let header = &mut self.bytes[start..start + FRAME_HEADER_BYTES];
        header[4..8].copy_from_slice(&(body_bytes as u32).to_le_bytes());
        header[8..12].copy_from_slice(&body_checksum.to_le_bytes());
        header[16..20].copy_from_slice(&append.shard.to_le_bytes());
        header[20..24].copy_from_slice(&origin.number().to_le_bytes());
        header[24..32].copy_from_slice(&append.epoch.to_le_bytes());
        header[32..40].copy_from_slice(&append.sequence.to_le_bytes());
        start
    }

    /// Completes the header of the frame that begins at `start`, of a batch that will stand at `batch_start`.
    pub(crate) fn seal_frame(&mut self, start: usize, place: Place, batch_start: u32) -> u32 {
        let offset = batch_start + start as u32;
        let header = &mut self.bytes[start..start + FRAME_HEADER_BYTES];
        header[12..16].copy_from_slice(&batch_start.to_le_bytes());
        let checksum = place.checksum(offset, &header[4..]);
        header[..4].copy_from_slice(&checksum.to_le_bytes());
        offset
    }

    /// Closes the batch.
    pub(crate) fn seal(&mut self, place: Place, batch_start: u32) {
        let offset = batch_start + self.bytes.len() as u32;
        let mut mark = [0; MARK_BYTES];
        mark[..4].copy_from_slice(MARK_MAGIC);
        mark[4..8].copy_from_slice(&batch_start.to_le_bytes());
        let checksum = place.checksum(offset, &mark[..12]);
        mark[12..].copy_from_slice(&checksum.to_le_bytes());
        self.bytes.extend_from_slice(&mark);
    }
}

/// The batch start a mark tells, if there is one at this offset.
pub(crate) fn read_mark(place: Place, offset: u32, bytes: &[u8]) -> Option<u32> {
    let bytes = bytes.get(..MARK_BYTES)?;
    let is_mark = bytes[..4] == *MARK_MAGIC && place.checksum(offset, &bytes[..12]) == u32_at(bytes, 12);
    is_mark.then(|| u32_at(bytes, 4))
}

/// Walks over a segment's frames.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    place: Place,
    bytes: &'a [u8],
    /// Where the next frame or mark should begin.
    pub(crate) at: usize,
    /// Where the batch of the next frame began; `at` when it is the first of its batch.
    batch_start: usize,
    /// Where the batch of the last frame began.
    pub(crate) last_batch_start: usize,
}

/// What a walk comes upon.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A frame.
    Frame { offset: u32, header: FrameHeader, body: &'a [u8] },
    /// The end of the bytes.
    End,
    /// No frame, and why.
    Nothing(&'static str),
}

impl<'a> Walk<'a> {
    /// Begins at the first frame. `bytes` are those of the segment up to its end, its header too.
    pub(crate) fn new(place: Place, bytes: &'a [u8]) -> Walk<'a> {
        let at = HEADER_BYTES as usize;
        Walk { place, bytes, at, batch_start: at, last_batch_start: at }
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Bytes of the last frame's batch up to here, without its mark.
    pub(crate) fn last_batch_bytes(&self) -> usize {
        let is_marked = self.batch_start == self.at && self.last_batch_start < self.at;
        self.at - self.last_batch_start - if is_marked { MARK_BYTES } else { 0 }
    }

    /// The next frame. After anything else than a frame it comes upon the same again.
    pub(crate) fn step(&mut self) -> Step<'a> {
        if self.batch_start < self.at && self.mark_at(self.at) == Some(self.batch_start) {
            self.at += MARK_BYTES;
            self.batch_start = self.at;
        }
        if self.at >= self.bytes.len() {
            return Step::End;
        }
        let offset = self.at as u32;
        let rest = &self.bytes[self.at..];
        let Some(header) = FrameHeader::read(self.place, offset, rest) else {
            return Step::Nothing("no frame where one should begin");
        };
        // After a cut a new batch begins behind frames whose mark was never written.
        if header.batch_start as usize != self.batch_start && header.batch_start != offset {
            return Step::Nothing("a frame of another batch");
        }
        let Some(body) = header.body(rest) else {
            return Step::Nothing("a frame whose bytes do not match their checksum");
        };
        self.batch_start = header.batch_start as usize;
        self.last_batch_start = self.batch_start;
        self.at += header.frame_bytes();
        Step::Frame { offset, header, body }
    }

    fn mark_at(&self, at: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..)?;
        read_mark(self.place, at as u32, bytes).map(|start| start as usize)
    }

    /// What to make of the rest of the last segment, once the walk has come upon no frame: the bytes from `at` on that
    /// are to be zeroed, or the proof that they were durable and are damaged.
    pub(crate) fn judge_tail(&self) -> TailVerdict {
        let rest = &self.bytes[self.at..];
        let Some(last) = rest.iter().rposition(|&byte| byte != 0) else { return TailVerdict::Clean };
        let end = self.at + last + 1;
        for at in (self.at..end).step_by(8) {
            let bytes = &self.bytes[at..];
            let header = FrameHeader::read(self.place, at as u32, bytes).map(|header| header.batch_start as usize);
            let mark = self.mark_at(at);
            if header.or(mark).is_some_and(|start| start > self.at) {
                return TailVerdict::Damaged("what follows was written after these bytes were durable");
            }
            if mark.is_some_and(|start| start <= self.at && self.has_every_sector(start, at)) {
                return TailVerdict::Damaged("the batch was written whole and does not check out");
            }
        }
        TailVerdict::Torn { end }
    }

    /// Whether no sector from `start` up to a mark is still as it was before anything was written. The one that the mark begins
    /// in is not: what stands before the mark there may be nothing but zeroes.
    fn has_every_sector(&self, start: usize, mark: usize) -> bool {
        let mut at = start;
        while at / SECTOR_BYTES < mark / SECTOR_BYTES {
            let sector_end = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
            if self.bytes[at..sector_end].iter().all(|&byte| byte == 0) {
                return false;
            }
            at = sector_end;
        }
        true
    }
}

/// What the end of the last segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TailVerdict {
    /// Nothing but zeroes.
    Clean,
    /// Part of a batch that was never durable, up to `end`.
    Torn { end: usize },
    /// Bytes that were durable and are not as they were written, and how that is known.
    Damaged(&'static str),
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { log: 1, number: 2 };

    /// A segment of these batches, each of frames with bodies of so many bytes.
    fn segment(batches: &[&[usize]]) -> Vec<u8> {
        let header = SegmentHeader { place: PLACE, size: 8_192, end_before: 0, first: 1 };
        let (mut bytes, mut sequence) = (header.write().to_vec(), 0);
        for bodies in batches {
            let (mut batch, start) = (Batch::default(), bytes.len() as u32);
            for &body in *bodies {
                sequence += 1;
                let payload = vec![0xAA; body];
                let append = Append { shard: 0, epoch: 1, sequence, executions: &[], rows: &[], payload: &payload };
                let begins = batch.stage(&append, Origin::Appended);
                batch.seal_frame(begins, PLACE, start);
            }
            batch.seal(PLACE, start);
            bytes.extend_from_slice(&batch.bytes);
        }
        bytes.resize(8_192, 0);
        bytes
    }

    /// Walks to the end of the frames; how many there are, where they end, and what the rest is.
    fn walk(bytes: &[u8]) -> (usize, usize, TailVerdict) {
        let mut walk = Walk::new(PLACE, bytes);
        let mut frames = 0;
        while let Step::Frame { .. } = walk.step() {
            frames += 1;
        }
        (frames, walk.at, walk.judge_tail())
    }

    #[test]
    fn what_is_right_in_one_place_is_wrong_in_any_other() {
        let bytes = segment(&[&[10]]);
        let frame = &bytes[HEADER_BYTES as usize..];
        assert!(FrameHeader::read(PLACE, HEADER_BYTES, frame).is_some());
        assert!(FrameHeader::read(PLACE, HEADER_BYTES + 8, frame).is_none());
        for place in [Place { log: 9, ..PLACE }, Place { number: 9, ..PLACE }] {
            assert!(FrameHeader::read(place, HEADER_BYTES, frame).is_none());
            let header = bytes[..HEADER_BYTES as usize].try_into().expect("a header");
            assert_eq!(SegmentHeader::read(place, header), Err(HeaderFault::Broken));
        }
        let mark = HEADER_BYTES as usize + FRAME_HEADER_BYTES + 16;
        assert_eq!(read_mark(PLACE, mark as u32, &bytes[mark..]), Some(HEADER_BYTES));
        assert_eq!(read_mark(PLACE, mark as u32 + 8, &bytes[mark..]), None);
    }

    #[test]
    fn a_torn_batch_is_told_from_damage() {
        let good = segment(&[&[100, 100], &[600, 600, 600]]);
        let (frames, end, verdict) = walk(&good);
        assert_eq!((frames, verdict), (5, TailVerdict::Clean));
        let frame = |body: usize| FRAME_HEADER_BYTES + padded(body + 2);
        let second = HEADER_BYTES as usize + 2 * frame(100) + MARK_BYTES;
        assert_eq!(end, second + 3 * frame(600) + MARK_BYTES);
        let check = |what: &str, change: &dyn Fn(&mut [u8]), frames: usize, expected: Option<TailVerdict>| {
            let mut bytes = good.clone();
            change(&mut bytes);
            let (found, _, verdict) = walk(&bytes);
            assert_eq!(found, frames, "{what}");
            match expected {
                Some(expected) => assert_eq!(verdict, expected, "{what}"),
                None => assert!(matches!(verdict, TailVerdict::Damaged(_)), "{what}: {verdict:?}"),
            }
        };
        let torn_to = |end| Some(TailVerdict::Torn { end });
        check("nothing of it arrived", &|bytes| bytes[second..].fill(0), 2, Some(TailVerdict::Clean));
        check("its last byte did not", &|bytes| bytes[end - 1] = 0, 5, torn_to(end - 1));
        check("its first sector did not", &|bytes| bytes[second..512].fill(0), 2, torn_to(end));
        check("a sector in it did not", &|bytes| bytes[1024..1536].fill(0), 3, torn_to(end));
        check("a bit of it is another", &|bytes| bytes[1500] ^= 1, 3, None);
        check("a bit of a length is another", &|bytes| bytes[second + 5] ^= 1, 2, None);
        check("a bit of the batch before is another", &|bytes| bytes[150] ^= 1, 0, None);
        check("a sector of the batch before is gone", &|bytes| bytes[64..second].fill(0), 0, None);
    }

    #[test]
    fn what_ends_with_zeroes_is_told_from_what_never_arrived() {
        // One frame, of which no more than its last eight bytes are in the sector of its mark: zeroes.
        let (mut batch, start) = (Batch::default(), HEADER_BYTES);
        let mut payload = vec![0xAA; 1_024 + 8 - HEADER_BYTES as usize - FRAME_HEADER_BYTES - 2];
        let zeroes = payload.len() - 8;
        payload[zeroes..].fill(0);
        let append = Append { shard: 0, epoch: 1, sequence: 1, executions: &[], rows: &[], payload: &payload };
        let begins = batch.stage(&append, Origin::Appended);
        batch.seal_frame(begins, PLACE, start);
        let mark = start as usize + batch.bytes.len();
        batch.seal(PLACE, start);
        let header = SegmentHeader { place: PLACE, size: 8_192, end_before: 0, first: 1 };
        let mut bytes = [&header.write()[..], &batch.bytes].concat();
        bytes.resize(8_192, 0);
        assert_eq!((mark, &bytes[1_024..mark]), (1_032, &[0; 8][..]));
        assert_eq!(walk(&bytes), (1, mark + MARK_BYTES, TailVerdict::Clean));
        bytes[300] ^= 1;
        assert!(matches!(walk(&bytes), (0, _, TailVerdict::Damaged(_))), "{:?}", walk(&bytes));
    }
}
