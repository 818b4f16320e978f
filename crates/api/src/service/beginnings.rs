//! How an execution began: the note its log begins with, and what the log amounts to.

use std::ops::ControlFlow;
use std::sync::Arc;

use stepwell_asl::{Definition, WorkflowId};
use stepwell_engine::{ChildOf, ExecutionId};
use stepwell_interpreter::{Execution, Settings, Start, TaskKey, ThreadId, Tokens};
use stepwell_json::Json;
use stepwell_spec::{FieldSink, FieldSource, Record, Stored, Text, Timestamp};
use stepwell_store::{Decoder, Index, Kind, Order};

use super::SHARD;
use super::journal::KeptError;
use super::kept_identity::KeptIdentity;
use super::nested::ParentTask;
use super::redrives::RedriveToken;
use super::registry::MachineRow;
use super::residents::Child;

/// Kinds of notes. What they mean never changes.
pub(super) const BEGINNING: u16 = 1;
pub(super) const WAITED_FOR: u16 = 2;
pub(super) const REDRIVEN: u16 = 3;

/// Frames of one log that are read at a time.
const FRAMES_PER_READ: usize = 256;

/// What an execution's events do not say about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Beginning {
    /// Number of the revision it was started from.
    pub(super) revision: u64,
    pub(super) workflow: u32,
    pub(super) express: bool,
    pub(super) started_at: Timestamp,
    pub(super) identity: KeptIdentity,
    pub(super) input: Json,
    pub(super) input_text: Option<Text>,
    pub(super) trace_header: Option<Text>,
    pub(super) test_case: Option<Arc<str>>,
    /// The task that waits for its end.
    pub(super) parent: Option<ParentTask>,
    /// The Map Run it belongs to.
    pub(super) child_of: Option<Child>,
}

impl Beginning {
    /// The execution as it was before its first record.
    pub(super) fn execution(&self, machine: &MachineRow, definition: Arc<Definition>, tokens: Tokens) -> Execution {
        let start = Start {
            definition,
            workflow: WorkflowId(self.workflow),
            identity: Arc::new(self.identity.clone().whole(machine)),
            settings: if self.express { Settings::express() } else { Settings::standard() },
            tokens,
            input: self.input.clone(),
            input_text: self.input_text.clone(),
        };
        Execution::new(start, self.started_at)
    }
}

/// One thing a log says.
#[derive(Debug)]
pub(super) enum LogEntry {
    /// How the execution began.
    Beginning(Box<Beginning>),
    /// What happened.
    Record(Record),
    /// Another task waits for its end.
    WaitedFor(ParentTask),
    /// It was redriven under a client token.
    Redriven(RedriveToken),
}

/// Reads the log of an execution, if there is one.
pub(super) fn read_log(
    index: &dyn Index,
    id: ExecutionId,
    mut each: impl FnMut(LogEntry) -> Result<(), KeptError>,
) -> Result<(), KeptError> {
    let unreadable = |error| KeptError::Frame(id.0, error);
    let mut past = None;
    loop {
        let frames = index.history(SHARD, id.0, Order::Ascending, past, FRAMES_PER_READ)?;
        for kept in &frames {
            let frame = kept.frame();
            past = Some(frame.sequence);
            let mut decoder = Decoder::new(frame.payload).map_err(unreadable)?;
            while let Some(entry) = decoder.next_entry().map_err(unreadable)? {
                if entry.execution != id.0 {
                    continue;
                }
                each(match entry.kind {
                    Kind::Event(_) => LogEntry::Record(entry.record().map_err(unreadable)?),
                    Kind::Note(BEGINNING) => LogEntry::Beginning(Box::new(entry.note().map_err(unreadable)?)),
                    Kind::Note(WAITED_FOR) => LogEntry::WaitedFor(entry.note().map_err(unreadable)?),
                    Kind::Note(REDRIVEN) => LogEntry::Redriven(entry.note().map_err(unreadable)?),
                    Kind::Note(kind) => return Err(KeptError::Missing(format!("the meaning of notes of kind {kind}"))),
                })?;
            }
        }
        if frames.len() < FRAMES_PER_READ {
            return Ok(());
        }
    }
}

/// Reads the public events of an execution's log, from the frame with this number on, until it is told to stop. Each comes
/// with the number of its frame.
pub(super) fn read_history(
    index: &dyn Index,
    id: ExecutionId,
    order: Order,
    mut past: Option<u64>,
    frames_per_read: usize,
    mut each: impl FnMut(u64, &Record) -> ControlFlow<()>,
) -> Result<(), KeptError> {
    let unreadable = |error| KeptError::Frame(id.0, error);
    let mut records = Vec::new();
    loop {
        let frames = index.history(SHARD, id.0, order, past, frames_per_read)?;
        for kept in &frames {
            let frame = kept.frame();
            past = Some(frame.sequence);
            records.clear();
            let mut decoder = Decoder::new(frame.payload).map_err(unreadable)?;
            while let Some(entry) = decoder.next_entry().map_err(unreadable)? {
                if entry.execution == id.0 && matches!(entry.kind, Kind::Event(_)) {
                    records.push(entry.record().map_err(unreadable)?);
                }
            }
            records.retain(|record| record.id > 0);
            if order == Order::Descending {
                records.reverse();
            }
            for record in &records {
                if each(frame.sequence, record).is_break() {
                    return Ok(());
                }
            }
        }
        if frames.len() < frames_per_read {
            return Ok(());
        }
    }
}

impl Stored for Beginning {
    fn store(&self, sink: &mut impl FieldSink) {
        let Beginning {
            revision,
            workflow,
            express,
            started_at,
            identity,
            input,
            input_text,
            trace_header,
            test_case,
            parent,
            child_of,
        } = self;
        revision.store(sink);
        workflow.store(sink);
        u64::from(*express).store(sink);
        started_at.store(sink);
        identity.store(sink);
        input.store(sink);
        for text in [input_text, trace_header, test_case] {
            text.store(sink);
        }
        u64::from(parent.is_some()).store(sink);
        if let Some(parent) = parent {
            parent.store(sink);
        }
        u64::from(child_of.is_some()).store(sink);
        if let Some(Child { of: ChildOf { parent, map_run, index }, map_run_arn }) = child_of {
            parent.0.store(sink);
            store_key(*map_run, sink);
            (*index as u64).store(sink);
            map_run_arn.store(sink);
        }
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        let revision = source.number()?;
        let workflow = u32::restore(source)?;
        let express = source.number()? != 0;
        let started_at = source.time()?;
        let identity = KeptIdentity::restore(source)?;
        let input = source.json()?;
        let (input_text, trace_header, test_case) =
            (Option::restore(source)?, Option::restore(source)?, Option::restore(source)?);
        let parent = match source.number()? {
            0 => None,
            _ => Some(ParentTask::restore(source)?),
        };
        let child_of = match source.number()? {
            0 => None,
            _ => {
                let (parent, map_run) = (ExecutionId(source.number()?), restore_key(source)?);
                let index = source.number()?;
                let index = usize::try_from(index).map_err(|_| source.out_of_range(index))?;
                Some(Child { of: ChildOf { parent, map_run, index }, map_run_arn: source.text()? })
            }
        };
        Ok(Beginning {
            revision,
            workflow,
            express,
            started_at,
            identity,
            input,
            input_text,
            trace_header,
            test_case,
            parent,
            child_of,
        })
    }
}

impl Stored for ParentTask {
    fn store(&self, sink: &mut impl FieldSink) {
        self.execution.0.store(sink);
        store_key(self.key, sink);
        u64::from(self.as_json).store(sink);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        Ok(ParentTask {
            execution: ExecutionId(source.number()?),
            key: restore_key(source)?,
            as_json: source.number()? != 0,
        })
    }
}

fn store_key(key: TaskKey, sink: &mut impl FieldSink) {
    key.thread.0.store(sink);
    key.scheduled_event_id.store(sink);
}

fn restore_key<S: FieldSource>(source: &mut S) -> Result<TaskKey, S::Error> {
    Ok(TaskKey { thread: ThreadId(u32::restore(source)?), scheduled_event_id: source.number()? })
}
