//! Executions that a fault of this program makes panic: each is given a few more chances, and is then left alone until
//! another version of the program takes it up. Nobody else is concerned.
//!
//! A panic ends the [`Service`] it happens in, whatever state that is in. Its owner lays it to an execution
//! ([`Ward::lay`]), and opens the service again from what is durable. What is in quarantine is kept as it was: it can be
//! read and stopped, and everything else that reaches it is refused or dropped. Its timers are not set and its tasks are
//! not asked for.
//!
//! ```text
//! quarantine  execution -> the version that met the fault, what it said, and when
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_engine::{ExecutionId, Input};
use stepwell_interpreter::{Command, Moment};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{ProtocolError, Text, Timestamp};
use stepwell_store::json_rows::{RowWriter, each_row};
use stepwell_store::{Index, Order, RowChange, StoreError};

use super::journal::KeptError;
use super::map_runs::open_map_runs;
use super::{SHARD, Service};
use crate::refusal::Refusal;

const QUARANTINE: &str = "quarantine";
const FORMAT: u64 = 1;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Panics of an execution until it is left alone: a fault that comes and goes should be gone by then.
const STRIKES_MAX: u32 = 3;

/// Panics one after the other that are laid to nobody and that no caller asked for: what panics so will do so for ever.
const BLAMELESS_MAX: u32 = 5;

/// Panics of one until it is not even read any more: by then reading it is what makes it panic.
const READS_MAX: u32 = 6;

/// The error name that the description of an execution in quarantine shows.
pub(super) const QUARANTINED: &str = "Stepwell.Quarantined";

/// Who is at work, for whoever finds the service broken: written by it alone, and read after a panic.
#[derive(Debug)]
pub(super) struct AtWork {
    /// The execution that the input, or the part of it, is for.
    cause: AtomicU64,
    /// The execution that is being stepped or read.
    now: AtomicU64,
    /// The revision of a state machine of which an execution is being started, which nothing durable tells of yet.
    revision: AtomicU64,
    /// Executions that have left quarantine: what they did before is forgotten.
    released: Mutex<Vec<ExecutionId>>,
}

const NOBODY: u64 = u64::MAX;

impl Default for AtWork {
    fn default() -> AtWork {
        let [cause, now, revision] = [const { AtomicU64::new(NOBODY) }; 3];
        AtWork { cause, now, revision, released: Mutex::default() }
    }
}

impl AtWork {
    /// An input begins: nobody is at work yet.
    pub(super) fn clear(&self) {
        for place in [&self.cause, &self.now, &self.revision] {
            place.store(NOBODY, Ordering::Relaxed);
        }
    }

    pub(super) fn because_of(&self, id: ExecutionId) {
        self.cause.store(id.0, Ordering::Relaxed);
    }

    pub(super) fn on(&self, id: ExecutionId) {
        self.now.store(id.0, Ordering::Relaxed);
    }

    /// The first one that starts in an input is the one that was asked for; it may start others.
    pub(super) fn starting(&self, revision: u64) {
        // One that is noted stays.
        let _ = self.revision.compare_exchange(NOBODY, revision, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn release(&self, id: ExecutionId) {
        self.released.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    fn take_released(&self) -> Vec<ExecutionId> {
        std::mem::take(&mut *self.released.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whose panic it may be, the nearest first.
    fn suspects(&self, last_turn: Option<ExecutionId>) -> impl Iterator<Item = ExecutionId> {
        let known = [&self.now, &self.cause].map(|place| place.load(Ordering::Relaxed));
        let known = known.into_iter().filter(|id| *id != NOBODY).map(ExecutionId);
        last_turn.into_iter().chain(known)
    }
}

/// What panics were laid to. It outlives the service, which does not outlive a panic.
#[derive(Debug, Default)]
pub struct Ward {
    pub(super) at_work: Arc<AtWork>,
    cases: BTreeMap<ExecutionId, Case>,
    /// Revisions of state machines whose executions panic when they start, before anything of them is durable.
    revisions: BTreeMap<u64, u32>,
    /// Panics in a row that nobody is to blame for.
    blameless: u32,
}

#[derive(Debug)]
struct Case {
    strikes: u32,
    because: Text,
}

/// Whom a panic was laid to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Laid {
    /// To an execution, which has so many now.
    To {
        /// The execution.
        execution: ExecutionId,
        /// Its panics in this process.
        strikes: u32,
        /// Whether it is in quarantine once the service has been opened again.
        is_quarantined: bool,
    },
    /// To the start of an execution, of a revision of a state machine that has so many now.
    ToStart {
        /// Panics of starts of this revision in this process.
        strikes: u32,
        /// Whether it is started no more.
        is_refused: bool,
    },
    /// To an execution of which nothing is durable and that is gone with the service: a synchronous Express one.
    ToTheGone(ExecutionId),
    /// To nobody: it was not about an execution.
    ToNobody,
}

impl Ward {
    /// Lays a panic to whoever was at work. `last_turn` is [`Service::last_turn`], where there is a service; `somebody_asked` says that
    /// it met the call of somebody.
    pub fn lay(
        &mut self,
        last_turn: Option<ExecutionId>,
        index: &dyn Index,
        because: &str,
        somebody_asked: bool,
    ) -> Result<Laid, StoreError> {
        for id in self.at_work.take_released() {
            self.cases.remove(&id);
        }
        let laid = self.find(last_turn, index, because)?;
        self.blameless = if laid == Laid::ToNobody && !somebody_asked { self.blameless + 1 } else { 0 };
        Ok(laid)
    }

    /// Whether there is reason to go on: not when what panics is nobody's, again and again.
    pub fn sees_a_way_on(&self) -> bool {
        self.blameless < BLAMELESS_MAX
    }

    fn find(&mut self, last_turn: Option<ExecutionId>, index: &dyn Index, because: &str) -> Result<Laid, StoreError> {
        let mut gone = None;
        for execution in self.at_work.suspects(last_turn) {
            // One that began with this very input is gone with it, as is one that is never written down.
            if index.history(SHARD, execution.0, Order::Ascending, None, 1)?.is_empty() {
                gone = gone.or(Some(execution));
                continue;
            }
            let case = self.cases.entry(execution).or_insert(Case { strikes: 0, because: Text::default() });
            case.strikes += 1;
            case.because = because.into();
            let is_quarantined = case.strikes >= STRIKES_MAX && !planted::is(Bug::PoisonStalls);
            return Ok(Laid::To { execution, strikes: case.strikes, is_quarantined });
        }
        match (self.at_work.revision.load(Ordering::Relaxed), gone) {
            (NOBODY, Some(execution)) => Ok(Laid::ToTheGone(execution)),
            (NOBODY, None) => Ok(Laid::ToNobody),
            (revision, _) => {
                let strikes = self.revisions.entry(revision).or_default();
                *strikes += 1;
                Ok(Laid::ToStart { strikes: *strikes, is_refused: *strikes >= STRIKES_MAX })
            }
        }
    }

    fn refused_revisions(&self) -> BTreeSet<u64> {
        let refused = self.revisions.iter().filter(|(_, strikes)| **strikes >= STRIKES_MAX);
        refused.map(|(revision, _)| *revision).collect()
    }
}

/// Who is left alone.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    inmates: BTreeMap<ExecutionId, Inmate>,
    refused_revisions: BTreeSet<u64>,
}

#[derive(Debug)]
struct Inmate {
    because: Text,
    is_unreadable: bool,
}

impl Quarantine {
    /// Those that are in quarantine by what is kept and by this ward, and the rows that change with that: what another
    /// version had to leave alone is tried again.
    pub(super) fn open(
        index: &dyn Index,
        ward: &Ward,
        now: Timestamp,
    ) -> Result<(Quarantine, Vec<RowChange>), KeptError> {
        let mut inmates = BTreeMap::new();
        let mut changes = Vec::new();
        each_row(index, QUARANTINE, FORMAT, |row| {
            let [id] = row.key_numbers()?;
            if &*row.text("version")? == VERSION {
                inmates.insert(ExecutionId(id), Inmate { because: row.text("because")?, is_unreadable: false });
            } else {
                changes.push(RowChange { table: QUARANTINE, key: row.key().to_vec(), value: None });
            }
            Ok(())
        })?;
        for (&id, case) in &ward.cases {
            let is_left_alone = case.strikes >= STRIKES_MAX && !planted::is(Bug::PoisonStalls);
            if !is_left_alone && !inmates.contains_key(&id) {
                continue;
            }
            if !planted::is(Bug::QuarantineForgotten) {
                changes.push(row_of(id, &case.because, now));
            }
            let is_unreadable = case.strikes >= READS_MAX;
            inmates.insert(id, Inmate { because: case.because.clone(), is_unreadable });
        }
        Ok((Quarantine { inmates, refused_revisions: ward.refused_revisions() }, changes))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inmates.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.inmates.len()
    }

    pub(super) fn has(&self, id: ExecutionId) -> bool {
        self.inmates.contains_key(&id)
    }

    /// What a description says of one: its cause.
    pub(super) fn cause(&self, id: ExecutionId) -> Option<Text> {
        let Inmate { because, .. } = self.inmates.get(&id)?;
        Some(
            format!(
                "A fault of Stepwell {VERSION} was met again and again when this execution was to go on, which is left \
                 alone therefore: {because}. It can be stopped. Another version takes it up again. Please report this."
            )
            .into(),
        )
    }

    /// Refuses what would move one.
    pub(super) fn admit(&self, id: ExecutionId) -> Result<(), Refusal> {
        match self.cause(id) {
            None => Ok(()),
            Some(cause) => Err(Refusal::protocol(ProtocolError::InternalFailure, cause.to_string())),
        }
    }

    /// Refuses starts that only panic.
    pub(super) fn admit_start(&self, revision: u64) -> Result<(), Refusal> {
        if !self.refused_revisions.contains(&revision) {
            return Ok(());
        }
        let message = "A fault of Stepwell was met again and again when executions of this state machine were started. \
                       They are refused until it is updated or the server is started again. Please report this.";
        Err(Refusal::protocol(ProtocolError::InternalFailure, message))
    }

    /// Refuses to read one whose log is what panics.
    pub(super) fn admit_read(&self, id: ExecutionId) -> Result<(), KeptError> {
        match self.inmates.get(&id) {
            Some(inmate) if inmate.is_unreadable => Err(KeptError::Quarantined(inmate.because.clone())),
            Some(_) | None => Ok(()),
        }
    }
}

fn row_of(id: ExecutionId, because: &Text, now: Timestamp) -> RowChange {
    let row = RowWriter::row(FORMAT).text("version", &VERSION.into()).text("because", because).time("since", now);
    row.change(QUARANTINE, id.0.to_be_bytes().to_vec())
}

impl Service {
    /// The execution whose turn it was last. All else that a service which panicked may still be asked for is
    /// [`Service::arn_of`].
    pub fn last_turn(&self) -> Option<ExecutionId> {
        self.engine.last_turn()
    }

    /// The ARN of an execution in memory.
    pub fn arn_of(&self, id: ExecutionId) -> Option<Text> {
        self.engine.execution(id).map(|execution| execution.identity.arn.clone())
    }

    /// How many executions are in quarantine.
    pub fn quarantined(&self) -> usize {
        self.quarantine.len()
    }

    /// Whether a command is for one in quarantine and nothing comes of it. What it is stopped with it takes.
    pub(super) fn is_left_alone(&mut self, id: ExecutionId, command: &Command) -> Result<bool, KeptError> {
        if !self.quarantine.has(id) {
            return Ok(false);
        }
        if !matches!(command, Command::Stop { .. }) || self.quarantine.admit_read(id).is_err() {
            return Ok(true);
        }
        // Its children are to stop with it.
        for row in open_map_runs(&*self.index.clone())?.into_iter().filter(|row| row.parent == id) {
            self.restore_map_run(row, None)?;
        }
        Ok(false)
    }

    /// One that has ended is in nobody's way any more.
    pub(super) fn leave_quarantine(&mut self, id: ExecutionId) {
        if self.quarantine.inmates.remove(&id).is_some() {
            self.at_work.release(id);
            self.journal.row(RowChange { table: QUARANTINE, key: id.0.to_be_bytes().to_vec(), value: None });
        }
    }

    /// Those that were read for somebody leave memory again, so that nothing reaches them there.
    pub(super) fn close_quarantine(&mut self) {
        if self.quarantine.is_empty() {
            return;
        }
        let read: Vec<ExecutionId> =
            self.quarantine.inmates.keys().copied().filter(|id| self.runs.contains_key(id)).collect();
        for id in read {
            self.release(id);
        }
    }

    /// One whose Map Run cannot be taken up is left alone with it.
    pub(super) fn quarantine_with_child(&mut self, id: ExecutionId, because: Text, at: Moment) {
        self.journal.row(row_of(id, &because, at.now));
        self.quarantine.inmates.insert(id, Inmate { because, is_unreadable: false });
    }

    /// Notes which execution an input is for.
    pub(super) fn note_cause(&self, input: &Input, now: Timestamp) {
        match input {
            Input::Command(id, _) => self.at_work.because_of(*id),
            Input::Tick => self.engine.next_awake(now).into_iter().for_each(|id| self.at_work.because_of(id)),
            // Nothing durable tells of it yet: whoever asked for it is noted.
            Input::Start(..) => {}
        }
    }
}

impl fmt::Display for Laid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Laid::To { execution, strikes, is_quarantined } => {
                write!(f, "execution {} has panicked {strikes} times", execution.0)?;
                if *is_quarantined { f.write_str(" and is in quarantine") } else { Ok(()) }
            }
            Laid::ToStart { strikes, is_refused } => {
                write!(f, "starts of this revision of a state machine have panicked {strikes} times")?;
                if *is_refused { f.write_str(" and are refused") } else { Ok(()) }
            }
            Laid::ToTheGone(execution) => {
                write!(f, "execution {} has panicked, of which nothing is kept; it is gone", execution.0)
            }
            Laid::ToNobody => f.write_str("no execution is to blame"),
        }
    }
}
