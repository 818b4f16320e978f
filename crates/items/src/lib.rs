//! Items out of files: JSON, JSON Lines and CSV, packed or not, read piece by piece.
//!
//! ```text
//! bytes of the file -> [Unpacking] -> Decoder -> items, and the place in the file behind the last one
//! ```
//!
//! A file is never in memory as a whole: a piece comes in, the items that are complete come out, and what is left waits for
//! the next piece. Reading goes on from the place behind any item as if it had never stopped. What comes from outside is
//! not trusted: an item, a line of headers and what a packed file unpacks to have bounds. Knows no service and no socket.

mod csv;
mod decoder;
mod fault;
mod format;
mod json;
mod lines;
mod manifest;
mod unpacking;

pub use decoder::Decoder;
pub use fault::ItemsFault;
pub use format::{Format, Headers, format_of};
pub use manifest::{DataFile, Manifest, ManifestKind};
pub use unpacking::Unpacking;

use std::sync::Arc;

use stepwell_json::Json;

/// Bytes that one item may have.
///
/// Source: Developer Guide, "Service quotas": an item becomes the input of a child execution, which has 256 KiB at most.
pub const ITEM_BYTES_MAX: usize = stepwell_spec::quota::PAYLOAD_BYTES_MAX;

/// Bytes that the headers of a CSV file may have.
///
/// Source: Developer Guide, "ItemReader (Map)": "CSV headers of up to 10 KiB".
pub const CSV_HEADER_BYTES_MAX: usize = 10 * 1024;

/// One item of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The member's name, where the items are an object's members.
    pub key: Option<Arc<str>>,
    /// The item.
    pub value: Json,
}

impl Item {
    fn plain(value: Json) -> Item {
        Item { key: None, value }
    }
}
