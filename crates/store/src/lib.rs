//! What must outlive the process: frames in a log, and an index of what is found otherwise than by position.
//!
//! The log is the truth. A frame is everything one input caused — records, and rows of named tables — and is kept whole
//! or not at all. [`Store`] is the writing half, owned by one thread: it takes batches of conditional appends and
//! answers each when the whole batch is durable. [`Index`] is the reading half, shared by everybody: histories by
//! execution, rows by key. It can be lost and is made again from the log.
//!
//! [`MemoryStore`] forgets when it is dropped; [`EmbeddedStore`] is a directory. One suite (`tests/it/suite.rs`) holds
//! for both. What a frame's payload means is its writer's affair; [`Encoder`] and [`Decoder`] make payloads of the
//! records that executions are folded from. No time, no chance and no thread in here.
//!
//! Executions can be forgotten, by a row like any other ([`HISTORIES`]). What nobody can ask for any more goes from the
//! oldest end of the log, segment by segment, and what is alive there is carried forward to the other end before.

mod bytes;
mod cleaning;
mod database_file;
mod disk;
mod embedded;
mod encoding;
mod error;
mod frame;
mod gathered;
mod index;
pub mod json_rows;
mod log;
mod memory;
mod packed;
mod packing;
mod recovery;
mod rows;
mod segment;
mod segments;
mod values;

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

pub use disk::{Directory, Disk, DiskFile};
pub use embedded::{Check, EmbeddedStore, Options};
pub use encoding::{DecodeError, Decoder, Encoded, Encoder, Entry, Kind, TooDeep, decode};
pub use error::StoreError;
pub use frame::{Frame, HISTORIES, KeptFrame, Row};
pub use memory::MemoryStore;
pub use rows::RowChange;
use stepwell_planted::{self as planted, Bug};

/// A frame on its way into the log.
#[derive(Clone, Copy, Debug)]
pub struct Append<'a> {
    /// The shard it belongs to.
    pub shard: u32,
    /// The writer's epoch in this shard. A writer of a lower epoch than the shard has seen writes nothing any more.
    pub epoch: u64,
    /// The number the frame will have: one more than the shard's last, from 1.
    pub sequence: u64,
    /// The executions it has records of, each once: where [`Index::history`] finds it.
    pub executions: &'a [u64],
    /// What changes in the tables, in this order.
    pub rows: &'a [Row<'a>],
    /// The rest, as its writer encodes it.
    pub payload: &'a [u8],
}

/// What became of one append of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is durable, under this number.
    Appended {
        /// The frame's number in its shard.
        sequence: u64,
    },
    /// Nothing of it was written: the shard does not stand where the writer thinks, or belongs to another writer.
    Conflict(Tail),
    /// Nothing of it was written: the frame has more bytes than [`FRAME_BYTES_MAX`].
    TooLarge,
}

/// How far a shard has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The highest epoch seen; 0 before the first frame.
    pub epoch: u64,
    /// The last frame's number; 0 before the first.
    pub sequence: u64,
}

impl Tail {
    /// The one of two that is further on. Frames that are carried forward are read behind later ones.
    pub(crate) fn max_by_sequence(self, other: Tail) -> Tail {
        if other.sequence > self.sequence { other } else { self }
    }

    /// Whether a frame may follow, and what the shard's tail is then.
    fn followed_by(self, epoch: u64, sequence: u64) -> Option<Tail> {
        let is_of_this = epoch >= self.epoch || planted::is(Bug::EpochUnchecked);
        (is_of_this && self.sequence.checked_add(1) == Some(sequence)).then_some(Tail { epoch, sequence })
    }
}

/// Bytes one frame may have. A payload of AWS's largest size is a two-thousandth of it; a Map Run's list of inputs is
/// what may come near.
pub const FRAME_BYTES_MAX: usize = 512 * 1024 * 1024;

/// In which order a page is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the first to the last.
    Ascending,
    /// From the last to the first.
    Descending,
}

/// Keys of a table, between two bounds.
pub type Keys<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// All keys of a table.
pub const ALL_KEYS: Keys<'static> = (Bound::Unbounded, Bound::Unbounded);

/// A key and its value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// The writing half: one owner, no lock.
pub trait Store: Send {
    /// Appends every frame whose shard stands where the writer thinks, and makes them durable together.
    ///
    /// `outcomes` gets one for each append, in order. A frame sees those before it in the batch. On an error nothing is
    /// acknowledged: after [`StoreError::Poisoned`] nobody knows what was written, and every later call fails; after any
    /// other nothing was, and the same batch may be tried again.
    fn append_batch(&mut self, batch: &[Append<'_>], outcomes: &mut Vec<Outcome>) -> Result<(), StoreError>;

    /// How far a shard has come.
    fn tail(&self, shard: u32) -> Tail;

    /// The shards that have frames, in order.
    fn shards(&self) -> Vec<u32>;

    /// Gives the frames of a shard in their order, those after the number `after`.
    ///
    /// Those that only forgotten executions have a part in, and whose rows were all changed since, may be there or not;
    /// of others there may be only what is alive, and they may come more than once.
    fn read_shard(
        &self,
        shard: u32,
        after: u64,
        each: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// The reading half.
    fn index(&self) -> Arc<dyn Index>;

    /// Does a bounded piece of what would otherwise delay a later batch: makes room for the next segment, and moves what is
    /// alive out of what can go. Call it between batches, after the replies have left.
    fn tend(&mut self) -> Result<(), StoreError>;

    /// Whether the last [`Store::tend`] found room for what it makes ready. Without, there is room for a while yet, and then
    /// appends fail with [`StoreError::Full`].
    fn has_room(&self) -> bool {
        true
    }
}

/// The reading half: shared by pointer, from any thread. It shows what is durable, and all of it.
pub trait Index: Send + Sync {
    /// The value of a key.
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Up to `limit` keys of a table with their values, in the order of their bytes or against it.
    fn scan(&self, table: &str, keys: Keys<'_>, order: Order, limit: usize) -> Result<Vec<KeyValue>, StoreError>;

    /// Up to `limit` frames that have records of an execution: those after the number `past` in this order, or from the
    /// order's beginning.
    fn history(
        &self,
        shard: u32,
        execution: u64,
        order: Order,
        past: Option<u64>,
        limit: usize,
    ) -> Result<Vec<KeptFrame>, StoreError>;

    /// Whether so much is only in memory that [`Index::catch_up`] is worth it.
    fn is_behind(&self) -> bool;

    /// Writes down what is only in memory so far, so that the next opening need not read it from the log again. It takes a
    /// while, during which the store can be written and read: call it from a thread of its own. When nobody does,
    /// [`Store::append_batch`] does it at last.
    fn catch_up(&self) -> Result<(), StoreError>;

    /// Does some milliseconds of making smaller what nobody writes to any more, all but the youngest `leave` segments of it; `false`
    /// when there is nothing of that. It may be read meanwhile, and is the same. Call it from a thread of its own, as often as
    /// there is time.
    fn pack_some(&self, _leave: u64) -> Result<bool, StoreError> {
        Ok(false)
    }
}
