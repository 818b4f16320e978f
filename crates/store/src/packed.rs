//! A packed segment's bytes: those of a segment, in blocks that are each made smaller. Who reads it sees the segment.
//!
//! ```text
//! packed  header | entry for each block | blocks
//! header  "STEPPACK" | version u32 | checksum u32 | log u64 | number u64 | bytes of the segment u32 |
//!         bytes of a block u32
//! entry   bytes u32 | checksum u32
//! ```
//!
//! Numbers are little-endian. A block is so many bytes of the segment, the last one what is left, by LZ4; one that would
//! not become smaller stands as it is, and has as many bytes. The header's checksum takes in the entries. As everywhere in
//! a log, checksums also take in where they stand.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::DiskFile;
use crate::segment::Place;

/// Version of everything in it.
const VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"STEPPACK";

/// Bytes of the header.
const HEADER_BYTES: usize = 40;

/// Bytes of a block's entry.
const ENTRY_BYTES: usize = 8;

/// Bytes of a block: few enough that one frame is soon found, enough that what frames have in common is in it.
pub(crate) const BLOCK_BYTES: u32 = 32 * 1024;

/// Blocks of the largest segment that there could be.
const BLOCKS_MAX: u32 = u32::MAX / BLOCK_BYTES + 1;

/// A block as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    bytes: u32,
    checksum: u32,
}

/// What comes before the blocks, while they are made.
#[derive(Debug)]
pub(crate) struct Contents {
    place: Place,
    segment_bytes: u32,
    entries: Vec<Entry>,
    /// Where the next block goes.
    end: u64,
}

impl Contents {
    /// Of a segment with so many bytes.
    pub(crate) fn new(place: Place, segment_bytes: u32) -> Contents {
        let end = first_block_at(segment_bytes.div_ceil(BLOCK_BYTES));
        Contents { place, segment_bytes, entries: Vec::new(), end }
    }

    /// Which bytes of the segment come next; none when all are there.
    pub(crate) fn next(&self) -> std::ops::Range<u32> {
        let start = (self.entries.len() as u64 * u64::from(BLOCK_BYTES)).min(self.segment_bytes.into()) as u32;
        start..start.saturating_add(BLOCK_BYTES).min(self.segment_bytes)
    }

    /// Adds the next block, with these bytes of the segment: what is to be written, and where.
    pub(crate) fn add(&mut self, block: &[u8]) -> io::Result<(u64, Vec<u8>)> {
        let mut packed = lz4_flex::block::compress(block);
        if packed.len() >= block.len() {
            packed = block.to_vec();
        } else if unpacked(&packed, block.len()).as_deref() != Some(block) {
            // Nobody may lose anything to a fault of the library.
            return Err(invalid("a block does not become again what it was"));
        }
        let checksum = self.place.checksum(self.entries.len() as u32, &packed);
        self.entries.push(Entry { bytes: packed.len() as u32, checksum });
        let at = self.end;
        self.end += packed.len() as u64;
        Ok((at, packed))
    }

    /// What stands before the blocks, once all of them are there.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.place.log.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.place.number.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.segment_bytes.to_le_bytes());
        bytes[36..40].copy_from_slice(&BLOCK_BYTES.to_le_bytes());
        for entry in &self.entries {
            bytes.extend(entry.bytes.to_le_bytes());
            bytes.extend(entry.checksum.to_le_bytes());
        }
        let checksum = self.place.checksum(0, &bytes);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }
}

/// The file of a packed segment, read as if it were the segment.
#[derive(Debug)]
pub(crate) struct PackedFile {
    file: Arc<dyn DiskFile>,
    place: Place,
    segment_bytes: u32,
    block_bytes: u32,
    /// Where each block stands, and its checksum.
    blocks: Vec<(u64, Entry)>,
    /// The block read last: the frames of an execution are often neighbours.
    last: Mutex<Option<(usize, Arc<[u8]>)>>,
}

impl PackedFile {
    /// Reads what a file says of itself that should be the segment of this place. What is not as it was written is
    /// [`io::ErrorKind::InvalidData`], here and in everything that is read of it.
    pub(crate) fn open(file: Arc<dyn DiskFile>, place: Place) -> io::Result<PackedFile> {
        let length = file.length()?;
        if length < HEADER_BYTES as u64 {
            return Err(invalid("the file ends within its header"));
        }
        let mut head = vec![0; HEADER_BYTES];
        file.read_at(0, &mut head)?;
        let number = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        if head[..8] != *MAGIC {
            return Err(invalid("not the header of a packed segment"));
        }
        let (version, checksum) = (number(&head, 8), number(&head, 12));
        if version > VERSION {
            return Err(invalid(format!("version {version}; this program knows those up to {VERSION}")));
        }
        let (segment_bytes, block_bytes) = (number(&head, 32), number(&head, 36));
        let count = if block_bytes == 0 { u32::MAX } else { segment_bytes.div_ceil(block_bytes) };
        if count > BLOCKS_MAX || first_block_at(count) > length {
            return Err(invalid("a header that does not fit its file"));
        }
        head.resize(first_block_at(count) as usize, 0);
        file.read_at(HEADER_BYTES as u64, &mut head[HEADER_BYTES..])?;
        let mut unsigned = head.clone();
        unsigned[12..16].fill(0);
        if place.checksum(0, &unsigned) != checksum {
            return Err(invalid("not the header of this segment"));
        }
        let mut at = first_block_at(count);
        let mut blocks = Vec::with_capacity(count as usize);
        for entry in head[HEADER_BYTES..].chunks_exact(ENTRY_BYTES) {
            let entry = Entry { bytes: number(entry, 0), checksum: number(entry, 4) };
            blocks.push((at, entry));
            at += u64::from(entry.bytes);
        }
        if at != length {
            return Err(invalid(format!("the file has {length} bytes and should have {at}")));
        }
        Ok(PackedFile { file, place, segment_bytes, block_bytes, blocks, last: Mutex::default() })
    }

    /// The bytes of a block.
    fn block(&self, number: usize) -> io::Result<Arc<[u8]>> {
        if let Some((last, block)) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner)
            && *last == number
        {
            return Ok(block.clone());
        }
        let &(at, entry) = self.blocks.get(number).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut packed = vec![0; entry.bytes as usize];
        self.file.read_at(at, &mut packed)?;
        if self.place.checksum(number as u32, &packed) != entry.checksum {
            return Err(invalid(format!("block {number}, at byte {at} of the file, is not as it was written")));
        }
        let start = number as u64 * u64::from(self.block_bytes);
        let bytes = (u64::from(self.segment_bytes) - start).min(self.block_bytes.into()) as usize;
        let block = match packed.len() == bytes {
            true => packed,
            false => unpacked(&packed, bytes).ok_or_else(|| invalid(format!("block {number} cannot be unpacked")))?,
        };
        let block: Arc<[u8]> = block.into();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, block.clone()));
        Ok(block)
    }
}

impl DiskFile for PackedFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.segment_bytes.into())
    }

    fn read_at(&self, mut offset: u64, mut bytes: &mut [u8]) -> io::Result<()> {
        if offset + bytes.len() as u64 > u64::from(self.segment_bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while !bytes.is_empty() {
            let block = self.block((offset / u64::from(self.block_bytes)) as usize)?;
            let from = (offset % u64::from(self.block_bytes)) as usize;
            let count = bytes.len().min(block.len() - from);
            let (now, later) = bytes.split_at_mut(count);
            now.copy_from_slice(&block[from..from + count]);
            (offset, bytes) = (offset + count as u64, later);
        }
        Ok(())
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn set_length(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

fn first_block_at(blocks: u32) -> u64 {
    HEADER_BYTES as u64 + u64::from(blocks) * ENTRY_BYTES as u64
}

/// So many bytes again; `None` when these are not they.
fn unpacked(packed: &[u8], bytes: usize) -> Option<Vec<u8>> {
    lz4_flex::block::decompress(packed, bytes).ok().filter(|unpacked| unpacked.len() == bytes)
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const PLACE: Place = Place { log: 3, number: 5 };

    #[derive(Debug, Default)]
    struct InMemory(Mutex<Vec<u8>>);

    impl InMemory {
        fn of(bytes: Vec<u8>) -> Arc<dyn DiskFile> {
            Arc::new(InMemory(Mutex::new(bytes)))
        }
    }

    impl DiskFile for InMemory {
        fn length(&self) -> io::Result<u64> {
            Ok(self.0.lock().expect("bytes").len() as u64)
        }

        fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
            let all = self.0.lock().expect("bytes");
            let there = all.get(offset as usize..offset as usize + bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            bytes.copy_from_slice(there);
            Ok(())
        }

        fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn sync(&self) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn set_length(&self, _: u64) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// A segment that is alike in some places and in others is not.
    fn segment() -> Vec<u8> {
        let mut state = 7u64;
        let mut bytes: Vec<u8> = b"the same again, ".repeat(3_000);
        bytes.extend((0..50_000).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        }));
        bytes.resize(3 * BLOCK_BYTES as usize + 100, 0);
        bytes
    }

    fn packed(segment: &[u8]) -> Vec<u8> {
        let mut contents = Contents::new(PLACE, segment.len() as u32);
        let mut blocks = Vec::new();
        loop {
            let next = contents.next();
            if next.is_empty() {
                break;
            }
            let (at, block) = contents.add(&segment[next.start as usize..next.end as usize]).expect("a block");
            assert_eq!(at, first_block_at(4) + blocks.len() as u64);
            blocks.extend(block);
        }
        [contents.head(), blocks].concat()
    }

    #[test]
    fn what_is_packed_reads_as_what_it_was() {
        let segment = segment();
        let bytes = packed(&segment);
        assert!(bytes.len() < segment.len() * 2 / 3);
        let file = PackedFile::open(InMemory::of(bytes), PLACE).expect("a packed segment");
        assert_eq!(file.length().expect("a length"), segment.len() as u64);
        for (offset, length) in
            [(0, segment.len()), (0, 1), (32_767, 2), (32_768, 40_000), (segment.len() - 1, 1), (5, 0)]
        {
            let mut read = vec![0; length];
            file.read_at(offset as u64, &mut read).expect("bytes");
            assert_eq!(read, segment[offset..offset + length], "{length} from {offset} on");
        }
        let past = file.read_at(segment.len() as u64 - 1, &mut [0; 2]).expect_err("past the end");
        assert_eq!(past.kind(), io::ErrorKind::UnexpectedEof);
        assert!(file.write_at(0, &[1]).is_err());
    }

    #[test]
    fn no_byte_can_be_another() {
        let segment = segment();
        let good = packed(&segment);
        let read = |bytes: Vec<u8>, place: Place| {
            let mut read = vec![0; segment.len()];
            PackedFile::open(InMemory::of(bytes), place).and_then(|file| file.read_at(0, &mut read)).map(|()| read)
        };
        assert_eq!(read(good.clone(), PLACE).expect("good"), segment);
        let is_refused = |bytes: Vec<u8>, place: Place, what: &str| {
            let fault = read(bytes, place).expect_err(what);
            assert_eq!(fault.kind(), io::ErrorKind::InvalidData, "{what}: {fault}");
        };
        for place in [Place { log: 4, ..PLACE }, Place { number: 6, ..PLACE }] {
            is_refused(good.clone(), place, "another place");
        }
        for at in (0..HEADER_BYTES + 4 * ENTRY_BYTES).chain((0..good.len()).step_by(97)) {
            for bit in 0..8 {
                let mut bytes = good.clone();
                bytes[at] ^= 1 << bit;
                is_refused(bytes, PLACE, &format!("bit {bit} of byte {at}"));
            }
        }
        for length in (0..good.len()).step_by(61) {
            is_refused(good[..length].to_vec(), PLACE, &format!("cut at {length}"));
        }
        is_refused([good.as_slice(), &[0]].concat(), PLACE, "longer");
    }
}
