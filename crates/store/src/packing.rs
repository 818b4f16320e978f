//! Sealed segments are packed, one after the other and each in steps: nobody writes to them any more, and what they hold is
//! mostly alike.
//!
//! ```text
//! blocks, then the head, into a spare | sync | name it | sync the names | remove the segment as it was written
//! ```
//!
//! A crash at any point leaves the segment as it was written, or the packed one whole: when both are there the first one
//! counts, and it is packed again. Only what the index knows all of is packed, so that whatever is read again at an opening
//! is there as it was written.

use std::sync::Arc;

use crate::disk::DiskFile;
use crate::error::StoreError;
use crate::packed::Contents;
use crate::segment::Place;
use crate::segments::{SPARE_ENDING, Segments, packed_name, segment_name};
use stepwell_planted::{self as planted, Bug};

/// Blocks packed in one step: some milliseconds of work.
const BLOCKS_AT_ONCE: usize = 64;

/// The segment that is being packed, if one is.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    open: Option<Begun>,
    /// Segments before this one are packed.
    at: u64,
    /// Names for spares are never used twice in one run.
    spares_made: u64,
    /// It failed, and is not tried again in this run.
    has_failed: bool,
}

/// A segment that is packed in part.
#[derive(Debug)]
struct Begun {
    number: u64,
    source: Arc<dyn DiskFile>,
    spare: String,
    file: Arc<dyn DiskFile>,
    contents: Contents,
}

impl Packing {
    /// Does the next step for the segments before this one. `false` when there is nothing to do, or no room to do it.
    pub(crate) fn go_on(&mut self, segments: &Segments, below: u64) -> Result<bool, StoreError> {
        if self.has_failed {
            return Ok(false);
        }
        let done = self.step(segments, below);
        if done.is_err()
            && let Some(begun) = self.open.take()
        {
            // Whether the name goes or stays changes nothing: opening removes what has this ending.
            let _ = segments.disk.remove(&begun.spare);
        }
        match done {
            Err(fault) if fault.is_full() => Ok(false),
            Err(fault) => {
                self.has_failed = true;
                Err(fault)
            }
            done => done,
        }
    }

    fn step(&mut self, segments: &Segments, below: u64) -> Result<bool, StoreError> {
        let begun = match &mut self.open {
            // It is needed no more.
            Some(begun) if begun.number < segments.first() => {
                let _ = segments.disk.remove(&begun.spare);
                self.open = None;
                return Ok(true);
            }
            Some(begun) => begun,
            None => {
                self.at = self.at.max(segments.first());
                while self.at < below && segments.is_packed(self.at) {
                    self.at += 1;
                }
                if self.at >= below {
                    return Ok(false);
                }
                let begun = self.begin(segments, self.at)?;
                self.open.insert(begun)
            }
        };
        if begun.some_blocks(segments)? {
            return Ok(true);
        }
        begun.finish(segments)?;
        self.open = None;
        Ok(true)
    }

    fn begin(&mut self, segments: &Segments, number: u64) -> Result<Begun, StoreError> {
        let (name, source) = segments.file(number)?;
        let bytes = source.length().map_err(segments.failed("measure", &name))?;
        let too_large = |_| StoreError::damaged(&segments.disk.describe(&name), 0, "larger than any segment");
        let bytes = u32::try_from(bytes).map_err(too_large)?;
        let spare = format!("p{}{SPARE_ENDING}", self.spares_made);
        self.spares_made += 1;
        let file = segments.disk.create(&spare).map_err(segments.failed("make", &spare))?;
        let contents = Contents::new(Place { log: segments.log, number }, bytes);
        Ok(Begun { number, source, spare, file, contents })
    }
}

impl Begun {
    /// Packs some blocks. `false` when all are.
    fn some_blocks(&mut self, segments: &Segments) -> Result<bool, StoreError> {
        let mut block = Vec::new();
        for _ in 0..BLOCKS_AT_ONCE {
            let next = self.contents.next();
            if next.is_empty() {
                return Ok(false);
            }
            block.resize(next.len(), 0);
            let unread = segments.failed("read", &segment_name(self.number));
            self.source.read_at(next.start.into(), &mut block).map_err(unread)?;
            let unwritten = segments.failed("write", &self.spare);
            let (at, packed) =
                self.contents.add(&block).map_err(segments.failed("pack", &segment_name(self.number)))?;
            self.file.write_at(at, &packed).map_err(unwritten)?;
        }
        Ok(true)
    }

    /// Makes the packed segment the one there is.
    fn finish(&self, segments: &Segments) -> Result<(), StoreError> {
        self.file.write_at(0, &self.contents.head()).map_err(segments.failed("write", &self.spare))?;
        if !planted::is(Bug::PackedNotSynced) {
            self.file.sync().map_err(segments.poisoner("sync", &self.spare))?;
        }
        let name = packed_name(self.number);
        segments.disk.rename(&self.spare, &name).map_err(segments.failed("name", &name))?;
        segments.disk.sync_names().map_err(segments.poisoner("sync the name of", &name))?;
        // One that went meanwhile went under its other name.
        let left = if segments.add_packed(self.number) { segment_name(self.number) } else { name };
        // Whether the file goes or stays changes nothing: opening removes what is not needed.
        let _ = segments.disk.remove(&left);
        Ok(())
    }
}
