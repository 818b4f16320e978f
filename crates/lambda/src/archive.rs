//! Zip files of functions: read without trusting a word of them, and unpacked into one directory and nowhere else.

mod inflate;
mod listing;
mod paths;
mod unpack;

use std::fmt;

pub(crate) use unpack::unpack;

/// What a zip may unpack to, as on AWS.
pub(crate) const UNPACKED_BYTES_MAX: u64 = 262_144_000;

/// Entries of one zip. AWS publishes no number; without zip64, which no function needs, no zip has more.
pub(crate) const ENTRIES_MAX: usize = 65_535;

/// How much larger than the zip its content may be, beyond [`RATIO_FREE_BYTES`]. Deflate ends at 1,032; text and code are
/// seldom beyond 20.
const RATIO_MAX: u64 = 100;

/// Content up to this is not held against the ratio: a few files of zeros are no bomb.
const RATIO_FREE_BYTES: u64 = 16 * 1024 * 1024;

/// Why a zip is refused.
#[derive(Debug, PartialEq)]
pub(crate) enum ZipFault {
    /// There is nothing in it.
    Empty,
    /// It is no zip, or a damaged or an unusual one.
    Unreadable(&'static str),
    /// An entry would not stay inside.
    Outside(String),
    /// It is larger than a function may be.
    TooLarge,
    /// It has too many entries.
    TooMany,
    /// A bomb: far more comes out than went in.
    Bomb,
    /// The disk did not take it.
    Disk(String),
}

impl fmt::Display for ZipFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retry = "Could not unzip uploaded file. Please check your file, then try to upload again.";
        match self {
            ZipFault::Empty => f.write_str("Uploaded file must be a non-empty zip"),
            ZipFault::Unreadable(reason) => write!(f, "{retry} ({reason})"),
            ZipFault::Outside(name) => write!(f, "{retry} (the entry {name:?} leads out of the function's directory)"),
            ZipFault::TooLarge => write!(f, "Unzipped size must be smaller than {UNPACKED_BYTES_MAX} bytes"),
            ZipFault::TooMany => write!(f, "{retry} (it has more than {ENTRIES_MAX} entries)"),
            ZipFault::Bomb => write!(f, "{retry} (it unpacks to more than {RATIO_MAX} times its size)"),
            ZipFault::Disk(reason) => write!(f, "The code could not be kept: {reason}"),
        }
    }
}
