//! What AWS published about Step Functions, as tables: one row, many readers.
//!
//! History events, error names, quotas, the fields of the language, its operators and its service integrations are data
//! here, with the names, JSON keys, texts and numbers AWS gave them. Nothing in this crate decides anything.

mod errors;
mod events;
mod operators;
mod quotas;
mod timestamp;

pub use errors::{ERRORS, ErrorRow, error};
pub use events::*;
pub use operators::{OperandType, Operator, Relation, Trait};
pub use quotas::{QUOTAS, Quota, quota};
pub use timestamp::{Timestamp, TimestampError};
