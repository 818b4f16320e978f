//! Frames on their way into a store: each at the end of its shard, all of them of one epoch.

use std::collections::BTreeMap;

use stepwell_planted::{self as planted, Bug};
use stepwell_store::{Append, Outcome, Row, RowChange, Store, StoreError, Tail};

use super::{NewFrame, SHARD};

/// Who writes the frames of one run of a server: how far it has come in each shard.
#[derive(Debug, Default)]
pub struct Keeper {
    ends: BTreeMap<u32, Tail>,
}

/// Why frames are not kept.
#[derive(Debug)]
pub enum NotKept {
    /// There is no room. Nothing was written; the same frames may be given again.
    Full(StoreError),
    /// Nobody knows what was written, or the shard belongs to somebody else: nothing may leave any more.
    Broken(String),
}

impl Keeper {
    /// Makes frames durable together, each with the shard it belongs to. What they caused may leave when this is `Ok`, and
    /// not before.
    pub fn keep(&mut self, store: &mut dyn Store, frames: &[&(u32, NewFrame)]) -> Result<(), NotKept> {
        if frames.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<Row<'_>>> =
            frames.iter().map(|(_, frame)| frame.rows.iter().map(RowChange::row).collect()).collect();
        let mut ends = self.ends.clone();
        let mut appends = Vec::with_capacity(frames.len());
        for ((shard, frame), rows) in frames.iter().zip(&rows) {
            let end = ends.entry(*shard).or_insert_with(|| {
                let tail = store.tail(*shard);
                let is_counted = *shard == SHARD || !planted::is(Bug::EpochOfTheLast);
                Tail { epoch: tail.epoch + u64::from(is_counted), ..tail }
            });
            end.sequence += 1;
            appends.push(Append {
                shard: *shard,
                epoch: end.epoch,
                sequence: end.sequence,
                executions: &frame.executions,
                rows,
                payload: &frame.payload,
            });
        }
        let mut outcomes = Vec::with_capacity(appends.len());
        store.append_batch(&appends, &mut outcomes).map_err(|fault| match fault.is_full() {
            true => NotKept::Full(fault),
            false => NotKept::Broken(fault.to_string()),
        })?;
        match outcomes.iter().find(|outcome| !matches!(outcome, Outcome::Appended { .. })) {
            None => {
                self.ends = ends;
                Ok(())
            }
            Some(outcome) => Err(NotKept::Broken(format!("the store refused a frame: {outcome:?}"))),
        }
    }
}
