//! The disk under the data: folders that are gone when the run is over, what they take, and what a sync costs.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::histogram::Histogram;
use crate::report::SyncTimes;

/// A folder of this run's own, removed with what is in it when the value is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new one in this folder.
    pub(crate) fn new(parent: &Path) -> Result<Folder, String> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let failed = |fault: std::io::Error| format!("cannot make a folder in {}: {fault}", parent.display());
        let parent = parent.canonicalize().map_err(failed)?;
        let own = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!(".stepwell-bench-{}-{own}", std::process::id()));
        std::fs::create_dir(&path).map_err(failed)?;
        Ok(Folder(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(fault) = std::fs::remove_dir_all(&self.0) {
            eprintln!("stepwell bench: {} is left: {fault}", self.0.display());
        }
    }
}

/// What the files of a folder take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Their lengths.
    pub(crate) bytes: u64,
    /// What the file system has given them, which for files that grow is more.
    pub(crate) allocated: u64,
}

/// What a folder and those in it take.
pub(crate) fn taken(folder: &Path) -> std::io::Result<Taken> {
    let mut taken = Taken::default();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        let more = match about.is_dir() {
            true => self::taken(&entry.path())?,
            false => Taken { bytes: about.len(), allocated: allocated(&about) },
        };
        taken.bytes += more.bytes;
        taken.allocated += more.allocated;
    }
    Ok(taken)
}

#[cfg(unix)]
fn allocated(about: &std::fs::Metadata) -> u64 {
    // The unit is the same on every file system.
    std::os::unix::fs::MetadataExt::blocks(about) * 512
}

#[cfg(not(unix))]
fn allocated(about: &std::fs::Metadata) -> u64 {
    about.len()
}

/// One write of a small commit.
const PIECE: [u8; 4096] = [0x5A; 4096];

/// The first of them pay for the file's first blocks.
const WARM_UP: usize = 5;

const SYNCS_MAX: usize = 500;

/// What a write of 4 KiB and its `fdatasync` take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Syncs {
    /// When the file grows by it, so that the file system has its own books to write too.
    pub(crate) append: Histogram,
    /// When it goes where the file already has its blocks.
    pub(crate) rewrite: Histogram,
}

impl Syncs {
    pub(crate) fn times(&self) -> SyncTimes {
        SyncTimes { append_us: self.append.quantile_us(0.5), rewrite_us: self.rewrite.quantile_us(0.5) }
    }
}

/// Times syncs in this folder's file system, for at most twice this time.
pub(crate) fn time_syncs(folder: &Path, time: Duration) -> Result<Syncs, String> {
    let path = folder.join("syncs");
    let failed = |fault: std::io::Error| format!("cannot write to {}: {fault}", path.display());
    let mut file = File::create(&path).map_err(failed)?;
    let append = timed(&mut file, time, SYNCS_MAX).map_err(failed)?;
    file.rewind().map_err(failed)?;
    // No further than what was appended.
    let rewrite = timed(&mut file, time, append.count() as usize + WARM_UP).map_err(failed)?;
    drop(file);
    std::fs::remove_file(&path).map_err(failed)?;
    Ok(Syncs { append, rewrite })
}

fn timed(file: &mut File, time: Duration, syncs_max: usize) -> std::io::Result<Histogram> {
    let mut histogram = Histogram::default();
    let began = Instant::now();
    for number in 0..syncs_max {
        let before = Instant::now();
        file.write_all(&PIECE)?;
        file.sync_data()?;
        if number >= WARM_UP {
            histogram.record(before.elapsed());
        }
        if began.elapsed() >= time && !histogram.is_empty() {
            break;
        }
    }
    Ok(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_measured_and_gone_afterwards() {
        let folder = Folder::new(&std::env::temp_dir()).expect("a folder");
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).expect("a folder");
        std::fs::write(folder.path().join("one"), [0; 100]).expect("a file");
        std::fs::write(inner.join("two"), [0; 5_000]).expect("a file");
        let taken = taken(folder.path()).expect("it can be read");
        assert_eq!(taken.bytes, 5_100);
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn syncs_are_timed_and_leave_nothing() {
        let folder = Folder::new(&std::env::temp_dir()).expect("a folder");
        let syncs = time_syncs(folder.path(), Duration::from_millis(20)).expect("a disk");
        assert!(!syncs.append.is_empty() && !syncs.rewrite.is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn where_no_folder_can_be_it_is_said() {
        let fault = Folder::new(Path::new("/not/there")).expect_err("no folder");
        assert!(fault.contains("/not/there"), "{fault}");
    }
}
