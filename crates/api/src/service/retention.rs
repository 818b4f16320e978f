//! Executions whose end is long ago are forgotten: they are not there any more, their names are free again, and the store
//! may take its room back.
//!
//! Every input forgets a few, the oldest first, so that nobody waits for it. A child of a Map Run stays as long as the Map
//! Run, and that as long as its execution: as long as it runs, or can be redriven, it needs to know what its children did.

use std::collections::BTreeMap;
use std::time::Duration;

use stepwell_engine::ExecutionId;
use stepwell_spec::Timestamp;
use stepwell_store::HISTORIES;

use super::Service;
use super::journal::KeptError;
use super::listings::{self, ENDED, EXECUTIONS, Ended, LISTING};
use stepwell_store::RowChange;

/// How long an execution is there after its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention(pub Duration);

impl Default for Retention {
    /// 90 days, as long as AWS keeps the history of a Standard execution.
    fn default() -> Retention {
        Retention(Duration::from_hours(90 * 24))
    }
}

/// Executions forgotten in one input: more than one input ends, so that their number does not grow.
const FORGOTTEN_PER_INPUT: usize = 16;

/// When an execution that could not go is looked at again: a day later.
const LOOK_AGAIN_MS: u64 = 86_400_000;

/// What is about to be forgotten.
#[derive(Debug)]
pub(super) struct Forgetting {
    retention_ms: u64,
    /// Nothing is due before.
    next_look: Timestamp,
    /// The key of the last end looked at, when there may be more behind it.
    past: Option<Vec<u8>>,
    /// Executions that are forgotten, while the index still knows them: each with the frame that says so.
    forgotten: BTreeMap<ExecutionId, u64>,
}

impl Forgetting {
    pub(super) fn after(retention: Retention) -> Forgetting {
        let retention_ms = u64::try_from(retention.0.as_millis()).unwrap_or(u64::MAX);
        Forgetting { retention_ms, next_look: Timestamp(i64::MIN), past: None, forgotten: BTreeMap::new() }
    }

    /// Whether an execution is there no more, whatever the index says.
    pub(super) fn has_forgotten(&self, id: ExecutionId) -> bool {
        self.forgotten.contains_key(&id)
    }

    /// Everything up to this frame is durable.
    pub(super) fn kept(&mut self, frame: u64) {
        self.forgotten.retain(|_, forgotten_in| *forgotten_in > frame);
    }

    /// Nothing more is due now: the next that is known ended at this time.
    fn rest(&mut self, now: Timestamp, next: Timestamp) {
        self.next_look = self.due(next).min(now.plus_ms(LOOK_AGAIN_MS));
        self.past = None;
    }

    fn due(&self, ended: Timestamp) -> Timestamp {
        ended.plus_ms(self.retention_ms)
    }
}

impl Service {
    /// Forgets some of the executions that ended long enough ago.
    pub(super) fn forget_old(&mut self, now: Timestamp) -> Result<(), KeptError> {
        if now < self.forgetting.next_look {
            return Ok(());
        }
        let page = listings::ended(&*self.index, self.forgetting.past.as_deref(), FORGOTTEN_PER_INPUT)?;
        let may_be_more = page.len() == FORGOTTEN_PER_INPUT;
        for ended in page {
            if self.forgetting.due(ended.since) > now {
                self.forgetting.rest(now, ended.since);
                return Ok(());
            }
            self.forgetting.past = Some(ended.key());
            if !self.forgetting.has_forgotten(ended.id) {
                self.forget_one(ended, now)?;
            }
        }
        if !may_be_more {
            self.forgetting.rest(now, now);
        }
        Ok(())
    }

    fn forget_one(&mut self, ended: Ended, now: Timestamp) -> Result<(), KeptError> {
        self.journal.row(RowChange { table: ENDED, key: ended.key(), value: None });
        let Some(listed) = listings::listed(&*self.index, &ended.listing_key)? else { return Ok(()) };
        // One that was redriven has another end, or none.
        let runs_again = self.engine.execution(ended.id).is_some_and(|execution| execution.is_running());
        if runs_again || listed.stopped_at != Some(ended.stopped_at) {
            return Ok(());
        }
        let is_needed = match &listed.map_run_arn {
            Some(map_run) => self.has_map_run(map_run)?,
            None => false,
        };
        if is_needed || self.runs.contains_key(&ended.id) && !self.release(ended.id) {
            let since = now.plus_ms(LOOK_AGAIN_MS).0.saturating_sub_unsigned(self.forgetting.retention_ms);
            self.write_end(&Ended { since: Timestamp(since), ..ended });
            return Ok(());
        }
        let arn = listed.identity.arn(&*self.revision(listed.revision)?);
        self.forget_map_runs(&arn)?;
        let id = ended.id.0.to_be_bytes().to_vec();
        let gone = [(EXECUTIONS, listings::execution_key(&arn)), (LISTING, ended.listing_key), (HISTORIES, id)];
        for (table, key) in gone {
            self.journal.row(RowChange { table, key, value: None });
        }
        self.leave_quarantine(ended.id);
        self.forgetting.forgotten.insert(ended.id, self.journal.frame());
        Ok(())
    }

    /// Notes that an execution has ended.
    pub(super) fn write_end(&mut self, ended: &Ended) {
        self.journal.row(RowChange { table: ENDED, key: ended.key(), value: Some(ended.value()) });
    }
}
