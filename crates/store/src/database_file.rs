//! A file of ours as the index's database wants it, which notes what the database does not say when it fails: whether it
//! was for want of room, or a sync. Knows nothing of what is in it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;

use crate::disk::DiskFile;
use crate::error::is_full;

/// Why databases failed: shared by the files of one after the other.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// There was no room.
    room: AtomicBool,
    /// A sync failed.
    sync: AtomicBool,
}

impl Failures {
    /// Whether there was no room since this was asked last.
    pub(crate) fn take_room(&self) -> bool {
        self.room.swap(false, Ordering::Relaxed)
    }

    /// Whether a sync has ever failed.
    pub(crate) fn has_sync(&self) -> bool {
        self.sync.load(Ordering::Relaxed)
    }
}

/// A file as the database wants it.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    file: Arc<dyn DiskFile>,
    failures: Arc<Failures>,
}

impl DatabaseFile {
    pub(crate) fn new(file: Arc<dyn DiskFile>, failures: Arc<Failures>) -> DatabaseFile {
        DatabaseFile { file, failures }
    }

    /// Notes what the database does not say when it fails.
    fn noted<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if done.as_ref().is_err_and(is_full) {
            self.failures.room.store(true, Ordering::Relaxed);
        }
        done
    }
}

impl StorageBackend for DatabaseFile {
    fn len(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.noted(self.file.set_length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        let synced = self.file.sync();
        if synced.is_err() {
            self.failures.sync.store(true, Ordering::Relaxed);
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.noted(self.file.write_at(offset, data))
    }
}
