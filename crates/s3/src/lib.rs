//! A local S3: buckets and objects in a folder, or in memory, over S3's own protocol.
//!
//! Owns what S3 does and keeps. s3s reads requests and writes answers; what AWS does around that (ids, errors, presigned
//! URLs, names of buckets in hosts) is in `door`. Does not know of sockets, of the clock, or who its peers are.
//!
//! ```text
//! request -> door -> s3s -> actions -> store: metadata (redb, one writer) + bodies (files)
//! answer  <- door <- s3s <----'  '--> events -> peers
//! ```

mod actions;
mod asker;
mod checksums;
mod chunks;
mod conditions;
mod convert;
mod core;
mod door;
mod events;
mod intake;
mod names;
mod percent;
mod reading;
mod refusal;
mod s3;
mod store;
mod tagging;
mod unread;
mod versions;

pub use s3::{Key, KeyRing, OpenError, S3, S3Settings};
pub use s3s::Body;
