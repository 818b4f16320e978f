//! The segments of a log as anybody may read them: by number, whichever file they stand in. Knows no index and writes
//! nothing.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::disk::{Disk, DiskFile};
use crate::error::StoreError;
use crate::frame::KeptFrame;
use crate::packed::PackedFile;
use crate::segment::{FRAME_HEADER_BYTES, FrameHeader, MARK_BYTES, Place, Position, read_mark};
use stepwell_planted::{self as planted, Bug};

/// Ending of the names of files to be.
pub(crate) const SPARE_ENDING: &str = ".spare";

/// Ending of the names of segments as they were written.
pub(crate) const SEGMENT_ENDING: &str = ".log";

/// Ending of the names of segments that were packed since.
pub(crate) const PACKED_ENDING: &str = ".packed";

/// The name of a segment as it was written: its number in hexadecimal, so that names sort as numbers do.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{number:016x}{SEGMENT_ENDING}")
}

/// The name of a packed segment.
pub(crate) fn packed_name(number: u64) -> String {
    format!("{number:016x}{PACKED_ENDING}")
}

/// The number of the segment that has this name, with this ending.
pub(crate) fn segment_number(name: &str, ending: &str) -> Option<u64> {
    let digits = name.strip_suffix(ending)?;
    (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok())?
}

/// The segments as anybody may read them.
pub(crate) struct Segments {
    pub(crate) disk: Arc<dyn Disk>,
    /// The log's own number, in every checksum.
    pub(crate) log: u64,
    poisoned: OnceLock<String>,
    files: Mutex<Files>,
    /// Segments before this one are gone, or about to be.
    first: AtomicU64,
}

/// Which files segments stand in.
#[derive(Default)]
struct Files {
    /// Those read last, newest last.
    open: VecDeque<(u64, Arc<dyn DiskFile>)>,
    /// The segments that are packed.
    packed: BTreeSet<u64>,
}

/// Segments kept open for reading. Histories that are read are mostly young.
const FILES_MAX: usize = 16;

/// Bytes read at first where a frame begins: enough for most of them to need no second read.
const FIRST_READ_BYTES: usize = 2_048;

impl Segments {
    pub(crate) fn new(disk: Arc<dyn Disk>, log: u64) -> Segments {
        Segments { disk, log, poisoned: OnceLock::new(), files: Mutex::default(), first: AtomicU64::new(1) }
    }

    /// Fails when the store is poisoned.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.poisoned.get() {
            None => Ok(()),
            Some(because) => Err(StoreError::Poisoned { because: because.clone() }),
        }
    }

    pub(crate) fn poison(&self, doing: &'static str, name: &str, error: io::Error) -> StoreError {
        let because = format!("cannot {doing} {}: {error}", self.disk.describe(name));
        // The first reason stays.
        let _ = self.poisoned.set(because.clone());
        StoreError::Poisoned { because }
    }

    pub(crate) fn poisoner(&self, doing: &'static str, name: &str) -> impl FnOnce(io::Error) -> StoreError {
        move |error| self.poison(doing, name, error)
    }

    pub(crate) fn failed(&self, doing: &'static str, name: &str) -> impl FnOnce(io::Error) -> StoreError + use<> {
        StoreError::io(doing, self.disk.describe(name))
    }

    /// Reads a frame of this shard and number, which should be at this position.
    pub(crate) fn read_frame(&self, position: Position, shard: u32, sequence: u64) -> Result<KeptFrame, StoreError> {
        self.check()?;
        let (name, file) = self.file(position.segment)?;
        let length = file.length().map_err(self.failed("measure", &name))?;
        let place = Place { log: self.log, number: position.segment };
        let damaged = |what| StoreError::damaged(&self.disk.describe(&name), position.offset.into(), what);
        let left = length.saturating_sub(position.offset.into());
        let mut bytes = vec![0; FIRST_READ_BYTES.min(left as usize)];
        file.read_at(position.offset.into(), &mut bytes).map_err(self.unread(&name, position.offset))?;
        let header = FrameHeader::read(place, position.offset, &bytes);
        let header = header.filter(|header| {
            header.shard == shard && header.tail.sequence == sequence || planted::is(Bug::MisplacedFrame)
        });
        let header = header.ok_or_else(|| damaged("not the frame that should be here"))?;
        let whole = header.frame_bytes();
        if whole > bytes.len() {
            if whole as u64 > left {
                return Err(damaged("a frame that is longer than its segment"));
            }
            let read = bytes.len();
            bytes.resize(whole, 0);
            file.read_at(u64::from(position.offset) + read as u64, &mut bytes[read..])
                .map_err(self.unread(&name, position.offset))?;
        }
        let body = header.body(&bytes).ok_or_else(|| damaged("a frame whose bytes do not match their checksum"))?;
        KeptFrame::read(shard, header.tail, body.to_vec()).ok_or_else(|| damaged("a frame that cannot be read"))
    }

    /// The first segment that is there.
    pub(crate) fn first(&self) -> u64 {
        self.first.load(Ordering::Acquire)
    }

    /// Segments before this one are going away.
    pub(crate) fn close_below(&self, first: u64) {
        self.close(&mut self.files(), first);
    }

    /// This segment and those before it are going away; answers the name of the file that it stands in.
    pub(crate) fn close_through(&self, number: u64) -> String {
        let mut files = self.files();
        let name = files.name_of(number);
        self.close(&mut files, number + 1);
        name
    }

    fn close(&self, files: &mut Files, first: u64) {
        self.first.store(first, Ordering::Release);
        files.open.retain(|(number, _)| *number >= first);
        files.packed = files.packed.split_off(&first);
    }

    /// These segments are packed.
    pub(crate) fn set_packed(&self, packed: BTreeSet<u64>) {
        self.files().packed = packed;
    }

    /// This segment is packed from now on. `false` when it is gone, or about to be.
    pub(crate) fn add_packed(&self, number: u64) -> bool {
        let mut files = self.files();
        let is_there = number >= self.first();
        if is_there {
            files.packed.insert(number);
            files.open.retain(|(known, _)| *known != number);
        }
        is_there
    }

    pub(crate) fn is_packed(&self, number: u64) -> bool {
        self.files().packed.contains(&number)
    }

    /// The name of the file that a segment stands in.
    pub(crate) fn name_of(&self, number: u64) -> String {
        self.files().name_of(number)
    }

    /// The frames of a sealed segment within the next `bytes_max` bytes from `at` on, at least one of them, each with its
    /// offset; and where the next one begins.
    pub(crate) fn read_some(
        &self,
        number: u64,
        at: u32,
        end: u32,
        bytes_max: u32,
    ) -> Result<(Vec<(u32, KeptFrame)>, u32), StoreError> {
        let (name, file) = self.file(number)?;
        let place = Place { log: self.log, number };
        let damaged = |at: u32, what| StoreError::damaged(&self.disk.describe(&name), at.into(), what);
        let bytes_max = bytes_max.max((MARK_BYTES + FRAME_HEADER_BYTES) as u32);
        let mut bytes = vec![0; (end - at).min(bytes_max) as usize];
        file.read_at(at.into(), &mut bytes).map_err(self.unread(&name, at))?;
        let (mut frames, mut taken) = (Vec::new(), 0);
        while taken < bytes.len() {
            let offset = at + taken as u32;
            if read_mark(place, offset, &bytes[taken..]).is_some() {
                taken += MARK_BYTES;
                continue;
            }
            let is_cut = |needed: usize| taken + needed > bytes.len() && at as usize + bytes.len() < end as usize;
            let header = FrameHeader::read(place, offset, &bytes[taken..]);
            if header.is_none() && is_cut(FRAME_HEADER_BYTES) && !frames.is_empty() {
                break;
            }
            let header = header.ok_or_else(|| damaged(offset, "no frame where one should begin"))?;
            if is_cut(header.frame_bytes()) {
                if !frames.is_empty() {
                    break;
                }
                // One that is longer than what is read at a time is read whole.
                let whole = (taken + header.frame_bytes()).min((end - at) as usize);
                bytes.resize(whole, 0);
                file.read_at(at.into(), &mut bytes).map_err(self.unread(&name, at))?;
            }
            let body = header.body(&bytes[taken..]);
            let body = body.ok_or_else(|| damaged(offset, "a frame whose bytes do not match their checksum"))?;
            let frame = KeptFrame::read(header.shard, header.tail, body.to_vec());
            let frame = frame.ok_or_else(|| damaged(offset, "a frame that cannot be read"))?;
            frames.push((offset, frame));
            taken += header.frame_bytes();
        }
        Ok((frames, at + taken as u32))
    }

    /// All bytes of a segment up to `end`, into a buffer that is used again and again.
    pub(crate) fn read_whole(&self, number: u64, end: u32, bytes: &mut Vec<u8>) -> Result<(), StoreError> {
        let (name, file) = self.file(number)?;
        bytes.clear();
        bytes.resize(end as usize, 0);
        file.read_at(0, bytes).map_err(self.unread(&name, 0))
    }

    /// The file of a segment, and its name.
    pub(crate) fn file(&self, number: u64) -> Result<(String, Arc<dyn DiskFile>), StoreError> {
        let mut files = self.files();
        let name = files.name_of(number);
        if let Some((_, file)) = files.open.iter().find(|(known, _)| *known == number) {
            return Ok((name, file.clone()));
        }
        // One that is about to go must not be kept open, or its bytes would stay on the disk.
        if number < self.first() {
            return Err(self.failed("open", &name)(io::ErrorKind::NotFound.into()));
        }
        let mut file = self.disk.open(&name).map_err(self.failed("open", &name))?;
        if files.packed.contains(&number) {
            let place = Place { log: self.log, number };
            file = Arc::new(PackedFile::open(file, place).map_err(self.unread(&name, 0))?);
        }
        if files.open.len() == FILES_MAX {
            files.open.pop_front();
        }
        files.open.push_back((number, file.clone()));
        Ok((name, file))
    }

    /// What it means that bytes from this offset on cannot be read.
    pub(crate) fn unread(&self, name: &str, offset: u32) -> impl FnOnce(io::Error) -> StoreError + use<> {
        let file = self.disk.describe(name);
        move |error| match error.kind() {
            io::ErrorKind::InvalidData => StoreError::damaged(&file, offset.into(), error.to_string()),
            _ => StoreError::io("read", file)(error),
        }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn name_of(&self, number: u64) -> String {
        if self.packed.contains(&number) { packed_name(number) } else { segment_name(number) }
    }
}

const _: () = assert!(FIRST_READ_BYTES >= FRAME_HEADER_BYTES);
