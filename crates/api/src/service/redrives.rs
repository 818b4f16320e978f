//! Redrives: whether an execution can be redriven, asking twice, and the Map Runs that come back with it.

use std::collections::{BTreeSet, VecDeque};

use stepwell_engine::ExecutionId;
use stepwell_interpreter::{Command, Execution, Moment, Status};
use stepwell_spec::shapes::{ExecutionStatus, RedriveExecutionInput, RedriveExecutionOutput};
use stepwell_spec::{Exception, FieldSink, FieldSource, Stored, Text, Timestamp, quota};

use super::beginnings::REDRIVEN;
use super::executions::status_of;
use super::journal::KeptError;
use super::listings::{self, LISTED_STATUSES};
use super::map_runs::MapRunRow;
use super::residents::Child;
use super::{Outs, Place, Service};
use crate::refusal::Refusal;

/// Days after its end that an execution can be redriven.
const REDRIVE_DAYS: u64 = 14;

/// Client tokens that are remembered, and for how long.
///
/// Source: API reference, `RedriveExecution`: "the last 10 client tokens", "valid for up to 15 minutes".
const TOKENS_MAX: usize = 10;
const TOKEN_LIFE_MS: u64 = 15 * 60_000;

/// Rows of children read at a time.
const ROWS_PER_READ: usize = 1_024;

/// A redrive that was asked for under a client token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RedriveToken {
    token: Text,
    at: Timestamp,
}

impl RedriveToken {
    /// Remembers it among the others.
    pub(super) fn remember(self, tokens: &mut VecDeque<RedriveToken>) {
        tokens.push_back(self);
        if tokens.len() > TOKENS_MAX {
            tokens.pop_front();
        }
    }
}

impl Service {
    pub(super) fn redrive_execution(
        &mut self,
        place: &Place,
        input: &RedriveExecutionInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<RedriveExecutionOutput, Refusal> {
        let id = self.find(place, &input.execution_arn)?;
        self.quarantine.admit(id)?;
        let (Some(execution), Some(run)) = (self.engine.execution(id), self.runs.get(&id)) else {
            return Err(Refusal::execution_does_not_exist(&input.execution_arn));
        };
        let known = run.redrives.iter().find(|known| {
            input.client_token.as_ref() == Some(&known.token) && at.now <= known.at.plus_ms(TOKEN_LIFE_MS)
        });
        if let Some(known) = known {
            return Ok(RedriveExecutionOutput { redrive_date: known.at });
        }
        if let Some(reason) = not_redrivable(execution, at.now) {
            return Err(Refusal::new(Exception::ExecutionNotRedrivable, reason));
        }
        if run.child_of.is_some() {
            let message = "The execution belongs to a Map Run; redrive the execution that the Map Run belongs to";
            return Err(Refusal::new(Exception::ExecutionNotRedrivable, message));
        }
        // What its Map Runs have done is read from what is durable. Whoever asks again in a moment finds it there.
        if run.last_frame > self.kept && execution.redrivable_map_runs().next().is_some() {
            return Err(Refusal::throttled());
        }
        if let Err(fault) = self.take_up_map_runs(id, at.now) {
            self.put_down_map_runs(id);
            return Err(fault.into());
        }
        if let Some(token) = &input.client_token {
            let token = RedriveToken { token: token.clone(), at: at.now };
            self.journal.note(id, REDRIVEN, &token)?;
            if let Some(run) = self.runs.get_mut(&id) {
                token.remember(&mut run.redrives);
            }
        }
        self.command(id, Command::Redrive, at, outs);
        Ok(RedriveExecutionOutput { redrive_date: at.now })
    }

    /// The Map Runs that a redrive takes up again, with their children.
    fn take_up_map_runs(&mut self, parent: ExecutionId, now: Timestamp) -> Result<(), KeptError> {
        let Some(execution) = self.engine.execution(parent) else { return Ok(()) };
        let arns: Vec<Text> = execution.redrivable_map_runs().map(|request| request.arn.clone()).collect();
        for arn in arns {
            let row = self.map_run_row(&arn)?.ok_or_else(|| KeptError::Missing(format!("the Map Run {arn}")))?;
            self.restore_map_run(row, Some(now))?;
        }
        Ok(())
    }

    /// The Map Runs of an execution that is not redriven after all are as they were: over.
    fn put_down_map_runs(&mut self, parent: ExecutionId) {
        self.engine.put_down_map_runs(parent);
        if let Some(run) = self.runs.get_mut(&parent) {
            run.map_runs.clear();
        }
    }

    /// A Map Run and the children it has started so far, whether they run or have ended. Those that did not succeed and
    /// ended before the last redrive run again.
    pub(super) fn restore_map_run(&mut self, row: MapRunRow, redriven_at: Option<Timestamp>) -> Result<(), KeptError> {
        if !self.wake(row.parent)? {
            return Err(KeptError::Missing(format!("the log of execution {}", row.parent.0)));
        }
        self.engine.update_map_run(row.parent, row.key, row.limits);
        let mut children = Vec::new();
        for status in LISTED_STATUSES {
            let mut before = None;
            loop {
                let rows = listings::page(&*self.index, status, &row.arn, before, ROWS_PER_READ)?;
                children.extend(rows.iter().map(|child| child.place.id));
                match rows.last() {
                    Some(row) => before = Some(row.place),
                    None => break,
                }
            }
        }
        let redriven_at = redriven_at.or(row.redriven_at);
        // Of an item whose Express execution was followed by another, the last one counts: it comes first here.
        children.sort_unstable_by(|one, other| other.cmp(one));
        let mut seen = BTreeSet::new();
        for id in children {
            let Some((run, execution)) = self.load(id)? else {
                return Err(KeptError::Missing(format!("the log of execution {}", id.0)));
            };
            let Some(Child { of, .. }) = run.child_of else { continue };
            if !seen.insert(of.index) {
                continue;
            }
            let is_redriven = redriven_at.is_some_and(|at| ended_before(&execution, at));
            self.engine.restore_child(id, of, &execution, is_redriven);
            if is_redriven && !self.runs.contains_key(&id) {
                self.reside(id, run, execution);
            }
        }
        if let Some(run) = self.runs.get_mut(&row.parent) {
            run.map_runs.insert(row.key, row);
        }
        Ok(())
    }
}

/// Whether an execution ended without success, and has not been redriven since this time.
fn ended_before(execution: &Execution, redriven_at: Timestamp) -> bool {
    let has_failed = matches!(execution.status, Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_));
    has_failed
        && execution.stopped_at.is_some_and(|at| at <= redriven_at)
        && execution.redriven_at.is_none_or(|at| at < redriven_at)
}

/// Why an execution that has this status cannot be redriven, however early that is asked. Both texts are recorded.
pub(super) fn not_redrivable_as(status: ExecutionStatus, last_event_id: u64) -> Option<String> {
    if matches!(status, ExecutionStatus::Running | ExecutionStatus::Succeeded) {
        return Some(format!("Execution is {} and cannot be redriven", status.text()));
    }
    (last_event_id >= quota::HISTORY_EVENTS_MAX - 1).then(|| "Execution history event limit exceeded".to_owned())
}

/// Why an execution cannot be redriven; `None` when it can. The texts are documented.
pub(super) fn not_redrivable(execution: &Execution, now: Timestamp) -> Option<String> {
    if let Some(reason) = not_redrivable_as(status_of(execution), execution.last_event_id) {
        return Some(reason);
    }
    if now > execution.started_at.plus_ms(quota::STANDARD_EXECUTION_SECONDS_MAX * 1_000) {
        return Some("Execution has exceeded the max execution time".to_owned());
    }
    let stopped_at = execution.stopped_at.unwrap_or(now);
    let is_late = now > stopped_at.plus_ms(REDRIVE_DAYS * 86_400_000);
    is_late.then(|| "Execution redrivable period exceeded".to_owned())
}

impl Stored for RedriveToken {
    fn store(&self, sink: &mut impl FieldSink) {
        self.token.store(sink);
        self.at.store(sink);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        Ok(RedriveToken { token: source.text()?, at: source.time()? })
    }
}
