//! What can go wrong with a store, in words for whoever runs it.

use std::{fmt, io};

/// Why a store did not do what it was asked.
#[derive(Debug)]
pub enum StoreError {
    /// Another process has the data directory open.
    InUse {
        /// The directory.
        directory: String,
    },
    /// A directory with files in it that are not a store's.
    NotAStore {
        /// The directory.
        directory: String,
        /// One of the files.
        file: String,
    },
    /// Written by a newer version of this program.
    Newer {
        /// The file that says so.
        file: String,
        /// Its version.
        found: u64,
        /// The newest version known here.
        known: u64,
    },
    /// Something durable is not as it was written. Nothing was changed.
    Damaged {
        /// The file.
        file: String,
        /// Where in the file, in bytes.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// No room on the disk. Nothing was written; once there is room the same call may succeed.
    Full {
        /// The file that could not grow.
        file: String,
    },
    /// An earlier write or sync failed, so that nothing can be promised any more. Open the store again.
    Poisoned {
        /// What failed.
        because: String,
    },
    /// The operating system failed a call.
    Io {
        /// What was to be done.
        doing: &'static str,
        /// With which file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The index could not be read or written. The log is unharmed, and the index can be made again from it.
    Index {
        /// What the database said.
        what: String,
    },
}

impl StoreError {
    /// Whether nothing was changed and the same call may succeed later.
    pub fn is_full(&self) -> bool {
        matches!(self, StoreError::Full { .. })
    }

    pub(crate) fn io(doing: &'static str, file: impl Into<String>) -> impl FnOnce(io::Error) -> StoreError {
        let file = file.into();
        move |source| match is_full(&source) {
            true => StoreError::Full { file },
            false => StoreError::Io { doing, file, source },
        }
    }

    pub(crate) fn damaged(file: &str, offset: u64, what: impl Into<String>) -> StoreError {
        StoreError::Damaged { file: file.to_owned(), offset, what: what.into() }
    }

    pub(crate) fn index(error: impl fmt::Display) -> StoreError {
        StoreError::Index { what: error.to_string() }
    }
}

/// Whether the system says that there is no room, for anybody or for this user.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::InUse { directory } => {
                write!(f, "the data directory {directory} is in use by another process")
            }
            StoreError::NotAStore { directory, file } => {
                write!(f, "{directory} is not a data directory: {file} in it is none of ours")
            }
            StoreError::Newer { file, found, known } => {
                write!(f, "{file} has format {found}, written by a newer version; this one knows formats up to {known}")
            }
            StoreError::Damaged { file, offset, what } => write!(f, "{file} is damaged at byte {offset}: {what}"),
            StoreError::Full { file } => write!(f, "the disk is full: no room for {file}"),
            StoreError::Poisoned { because } => {
                write!(f, "the store stopped after a failure and must be opened again: {because}")
            }
            StoreError::Io { doing, file, source } => write!(f, "cannot {doing} {file}: {source}"),
            StoreError::Index { what } => write!(f, "the index failed: {what}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Io { source, .. } => Some(source),
            StoreError::InUse { .. }
            | StoreError::NotAStore { .. }
            | StoreError::Newer { .. }
            | StoreError::Damaged { .. }
            | StoreError::Full { .. }
            | StoreError::Poisoned { .. }
            | StoreError::Index { .. } => None,
        }
    }
}
