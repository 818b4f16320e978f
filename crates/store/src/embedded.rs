//! A store in a directory: the log, its index, and the file that says what the directory is.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::cleaning::Cleaning;
use crate::disk::{Directory, Disk};
use crate::error::StoreError;
use crate::frame::Frame;
use crate::index::EmbeddedIndex;
use crate::log::{Log, Written};
use crate::recovery::{Survey, check_log, open_log, read_shard};
use crate::segment::{HEADER_BYTES, Origin, Position};
use crate::segments::{SEGMENT_ENDING, Segments};
use crate::{Append, Index, Outcome, Store, Tail};
use stepwell_planted::{self as planted, Bug};

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of a new segment. Smaller ones make a smaller directory, larger ones rarer changes of segment.
    pub segment_bytes: u32,
    /// Chance, for the name of a new log: tells it from every other one.
    pub entropy: u64,
    /// How much of the log is checked when it is opened.
    pub check: Check,
}

/// How much of a log is checked when it is opened. What is not is checked when it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// What came after the last frame the index knows, and the rest of the segments these frames stand in: whether the log
    /// ends where it should. Takes the same time however large the log is.
    #[default]
    Tail,
    /// Every frame of every segment.
    Everything,
}

/// Large enough that a busy log changes segments about once a second, small enough to be given back one by one.
const SEGMENT_BYTES: u32 = 64 * 1024 * 1024;

/// No room for a frame in less.
const SEGMENT_BYTES_MIN: u32 = 4 * HEADER_BYTES;

impl Options {
    /// Segments of 64 MiB, and a look at the log's end.
    pub fn new(entropy: u64) -> Options {
        Options { segment_bytes: SEGMENT_BYTES, entropy, check: Check::Tail }
    }
}

/// A store in a directory. Its frames outlive the process, the power supply and a full disk.
pub struct EmbeddedStore {
    log: Log,
    index: Arc<EmbeddedIndex>,
    written: Vec<Written>,
    cleaning: Cleaning,
    /// Whether there was no room for the next segment.
    lacks_room: bool,
}

impl fmt::Debug for EmbeddedStore {
    /// Nothing of what is kept: it is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").field("tails", &self.log.tails).finish_non_exhaustive()
    }
}

/// The file that says what the directory is.
const FORMAT: &str = "FORMAT";
const NEW_FORMAT: &str = "FORMAT.new";

/// Version of the directory's layout. What is in the files has versions of its own.
const FORMAT_VERSION: u64 = 1;

impl EmbeddedStore {
    /// Opens the store in this directory, or makes one: mode 0700, its files 0600, locked while it is open.
    ///
    /// Reads and checks as much of the log as the options say. Refuses a directory that is in use, that is something else,
    /// in which damage is found, or that a newer version wrote.
    pub fn open(directory: &Path, options: Options) -> Result<EmbeddedStore, StoreError> {
        let disk = Directory::open(directory, FORMAT, is_ours)?;
        EmbeddedStore::open_on(Arc::new(disk), options)
    }

    /// As [`EmbeddedStore::open`], on a disk that nobody else uses.
    pub fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<EmbeddedStore, StoreError> {
        let log = read_format(&*disk, options.entropy)?;
        let segments = Arc::new(Segments::new(disk, log));
        let survey = Survey::make(&segments)?;
        let index = EmbeddedIndex::open(segments.clone(), survey.first())?;
        let known = index.ask_known(Clone::clone);
        let (last_indexed, mut last) = (known.last, Position::default());
        let mut is_first = last_indexed != Position::default();
        let segment_bytes = options.segment_bytes.max(SEGMENT_BYTES_MIN);
        let each = &mut |position: Position, origin: Origin, frame: &Frame<'_>| {
            // What is in the last segment may not be durable yet, and must not be written down before it is.
            if position.segment != last.segment && index.ask_gathered(|gathered| gathered.is_large()) {
                index.catch_up()?;
            }
            last = position;
            if position > last_indexed && !(planted::is(Bug::SnapshotOneShort) && std::mem::take(&mut is_first)) {
                index.gather(|gathered| gathered.add_frame(position, origin, frame));
            }
            Ok(())
        };
        let log = open_log(segments, &survey, segment_bytes, known, options.check, each)?;
        let (written, cleaning) = (Vec::new(), Cleaning::default());
        Ok(EmbeddedStore { log, index: Arc::new(index), written, cleaning, lacks_room: false })
    }

    /// Reads every frame of the log and checks it, as opening with [`Check::Everything`] does; answers how many there are.
    pub fn check(&self) -> Result<u64, StoreError> {
        check_log(&self.log)
    }
}

impl Store for EmbeddedStore {
    fn append_batch(&mut self, batch: &[Append<'_>], outcomes: &mut Vec<Outcome>) -> Result<(), StoreError> {
        if self.index.ask_gathered(|gathered| gathered.is_too_large()) {
            self.index.catch_up()?;
        }
        self.log.append_batch(batch, outcomes, &mut self.written)?;
        if !self.written.is_empty() {
            self.index.gather(|gathered| {
                for written in &self.written {
                    gathered.add(written.position, Origin::Appended, &batch[written.index_in_batch]);
                }
            });
        }
        Ok(())
    }

    fn tail(&self, shard: u32) -> Tail {
        self.log.tail(shard)
    }

    fn shards(&self) -> Vec<u32> {
        self.log.tails.keys().copied().collect()
    }

    fn read_shard(
        &self,
        shard: u32,
        after: u64,
        each: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        read_shard(&self.log, shard, after, each)
    }

    fn index(&self) -> Arc<dyn Index> {
        self.index.clone()
    }

    fn tend(&mut self) -> Result<(), StoreError> {
        self.log.remove_one();
        self.lacks_room = match self.log.prepare() {
            // Nobody needs the room yet. Who does will say that there is none.
            Err(error) if error.is_full() => true,
            prepared => prepared.map(|()| false)?,
        };
        match self.cleaning.go_on(&mut self.log, &self.index, &mut self.written) {
            // What is alive can be carried forward when there is room again.
            Err(error) if error.is_full() => Ok(()),
            cleaned => cleaned,
        }
    }

    fn has_room(&self) -> bool {
        !self.lacks_room && !self.index.lacks_room()
    }
}

/// Whether a store may have a file of this name before it has its `FORMAT`.
fn is_ours(name: &str) -> bool {
    name == NEW_FORMAT
}

/// Reads which log this is; makes the file in a directory that has none.
fn read_format(disk: &dyn Disk, entropy: u64) -> Result<u64, StoreError> {
    let failed = |doing, name: &str| StoreError::io(doing, disk.describe(name));
    let names = disk.list().map_err(failed("read", ""))?;
    if !names.iter().any(|name| name == FORMAT) {
        if let Some(segment) = names.iter().find(|name| name.ends_with(SEGMENT_ENDING)) {
            let what = format!("the file {FORMAT} is missing beside it");
            return Err(StoreError::damaged(&disk.describe(segment), 0, what));
        }
        if names.iter().any(|name| name == NEW_FORMAT) {
            disk.remove(NEW_FORMAT).map_err(failed("remove", NEW_FORMAT))?;
        }
        let file = disk.create(NEW_FORMAT).map_err(failed("make", NEW_FORMAT))?;
        let text = format_text(entropy);
        file.write_at(0, text.as_bytes()).and_then(|()| file.sync()).map_err(failed("write", NEW_FORMAT))?;
        disk.rename(NEW_FORMAT, FORMAT).map_err(failed("name", FORMAT))?;
        disk.sync_names().map_err(failed("sync the name of", FORMAT))?;
        return Ok(entropy);
    }
    let file = disk.open(FORMAT).map_err(failed("open", FORMAT))?;
    let length = file.length().map_err(failed("measure", FORMAT))?;
    // The file is a few lines of text, whatever version wrote it.
    let mut bytes = vec![0; length.min(1_024) as usize];
    file.read_at(0, &mut bytes).map_err(failed("read", FORMAT))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.split_ascii_whitespace();
    let version = words.by_ref().skip_while(|&word| word != "format").nth(1).and_then(|word| word.parse::<u64>().ok());
    match version {
        Some(found) if found > FORMAT_VERSION => {
            Err(StoreError::Newer { file: disk.describe(FORMAT), found, known: FORMAT_VERSION })
        }
        _ => {
            let log = words.by_ref().skip_while(|&word| word != "log").nth(1);
            let log = log.and_then(|word| u64::from_str_radix(word, 16).ok());
            let log = log.filter(|&log| format_text(log) == text);
            log.ok_or_else(|| StoreError::damaged(&disk.describe(FORMAT), 0, "not what it was written as"))
        }
    }
}

/// What the file says about a directory of this version.
fn format_text(log: u64) -> String {
    let text = format!("stepwell store\nformat {FORMAT_VERSION}\nlog {log:016x}\n");
    let checksum = crc32fast::hash(text.as_bytes());
    format!("{text}check {checksum:08x}\n")
}
