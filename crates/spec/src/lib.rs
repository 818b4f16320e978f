//! What AWS published about Step Functions, as tables: one row, many readers.
//!
//! History events, error names and quotas are data here, with the JSON keys, texts and numbers AWS gave them. Nothing
//! in this crate decides anything.

mod errors;
mod events;
mod quotas;
mod timestamp;

pub use errors::{ERRORS, ErrorRow, error};
pub use events::*;
pub use quotas::{QUOTAS, Quota, quota};
pub use timestamp::{Timestamp, TimestampError};
