//! What one input writes down: records and notes of executions, and rows of tables. All of it is one frame.

use std::fmt;
use std::mem;

use stepwell_engine::ExecutionId;
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{ProtocolError, Record, Stored, Text};
use stepwell_store::{DecodeError, Encoder, StoreError, TooDeep};

use crate::refusal::Refusal;
use stepwell_store::RowChange;
use stepwell_store::json_rows::RowError;

/// A frame that is to be kept before anything of what the same input led to leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFrame {
    /// The executions it has entries of, each once.
    pub executions: Vec<u64>,
    /// What changes in the tables, in this order.
    pub rows: Vec<RowChange>,
    /// Records and notes.
    pub payload: Vec<u8>,
}

/// What is kept and cannot be read, or is to be kept and cannot be written.
#[derive(Debug)]
pub enum KeptError {
    /// The store failed.
    Store(StoreError),
    /// A frame of an execution is not what this program writes.
    Frame(u64, DecodeError),
    /// A row of a table is not, or the store failed when rows were read.
    Row(RowError),
    /// A definition that was valid when it was stored does not compile any more.
    Definition(String),
    /// Something that is kept leads to something that is not.
    Missing(String),
    /// All of it was written by a version of the program that wrote other rows.
    Format {
        /// The format found.
        found: u64,
        /// The one this program reads.
        known: u64,
    },
    /// A value nests deeper than can be kept.
    TooDeep(TooDeep),
    /// It is what makes this program panic.
    Quarantined(Text),
}

impl fmt::Display for KeptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeptError::Store(error) => error.fmt(f),
            KeptError::Frame(execution, error) => write!(f, "the log of execution {execution} cannot be read: {error}"),
            KeptError::Row(error) => error.fmt(f),
            KeptError::Definition(what) => f.write_str(what),
            KeptError::Missing(what) => write!(f, "{what} is not in the store, although something there leads to it"),
            KeptError::Format { found, known } => write!(
                f,
                "it was written by {} version of stepwell (its format is {found}, this one reads {known}); use that version, \
                 or begin with an empty directory",
                if found < known { "an older" } else { "a newer" }
            ),
            KeptError::TooDeep(error) => error.fmt(f),
            KeptError::Quarantined(because) => {
                write!(f, "it cannot be read without a fault of this program: {because}")
            }
        }
    }
}

impl std::error::Error for KeptError {}

impl From<StoreError> for KeptError {
    fn from(error: StoreError) -> KeptError {
        KeptError::Store(error)
    }
}

impl From<RowError> for KeptError {
    fn from(error: RowError) -> KeptError {
        KeptError::Row(error)
    }
}

/// Who asks is told as much as who runs the server: it is mostly the same person.
impl From<KeptError> for Refusal {
    fn from(error: KeptError) -> Refusal {
        Refusal::protocol(ProtocolError::InternalFailure, error.to_string())
    }
}

/// The frame of the input that is being taken.
#[derive(Debug, Default)]
pub(super) struct Journal {
    encoder: Encoder,
    row_encoder: Encoder,
    rows: Vec<RowChange>,
    has_entries: bool,
    /// Frames so far, this one not counted.
    frames: u64,
}

impl Journal {
    /// Writes a record of an execution down.
    pub(super) fn record(&mut self, id: ExecutionId, record: &Record) -> Result<(), KeptError> {
        self.has_entries = true;
        self.encoder.record(id.0, record).map_err(KeptError::TooDeep)
    }

    /// Writes a note of an execution down.
    pub(super) fn note(&mut self, id: ExecutionId, kind: u16, note: &impl Stored) -> Result<(), KeptError> {
        self.has_entries = true;
        self.encoder.note(id.0, kind, note).map_err(KeptError::TooDeep)
    }

    /// Changes a row.
    pub(super) fn row(&mut self, row: RowChange) {
        self.rows.push(row);
    }

    /// Something as the value of a row: a payload of one note.
    pub(super) fn value_of(&mut self, kind: u16, note: &impl Stored) -> Result<Vec<u8>, KeptError> {
        self.row_encoder.note(0, kind, note).map_err(KeptError::TooDeep)?;
        Ok(self.row_encoder.finish().bytes.to_vec())
    }

    /// The number the frame has that is being written, from 1.
    pub(super) fn frame(&self) -> u64 {
        self.frames + 1
    }

    /// The frame, if anything was written.
    pub(super) fn finish(&mut self) -> Option<NewFrame> {
        let has_entries = mem::take(&mut self.has_entries);
        if !has_entries && self.rows.is_empty() {
            return None;
        }
        self.frames += 1;
        let encoded = self.encoder.finish();
        let (executions, payload) = (encoded.executions.to_vec(), encoded.bytes.to_vec());
        self.encoder.clear();
        let is_late = has_entries && planted::is(Bug::RowsOneFrameLate);
        let rows = if is_late { Vec::new() } else { mem::take(&mut self.rows) };
        Some(NewFrame { executions, rows, payload })
    }
}
