//! Map Runs as resources: what is kept of them, and the actions that show and change them.
//!
//! ```text
//! map_runs       ARN -> how it stands; while it is open its counts are the engine's
//! map_runs_of    ARN of the execution, 0, start, event -> ARN
//! map_runs_open  execution, thread, event -> ARN; what a recovery takes up first
//! ```

use std::ops::Bound;

use stepwell_engine::{Counts, ExecutionId, MapRunCounts, MapRunLimits};
use stepwell_interpreter::{Command, Moment, TaskKey, ThreadId};
use stepwell_spec::shapes::{
    DescribeMapRunInput, DescribeMapRunOutput, ListMapRunsInput, ListMapRunsOutput, MapRunExecutionCounts,
    MapRunItemCounts, MapRunListItem, MapRunStatus, UpdateMapRunInput, UpdateMapRunOutput,
};
use stepwell_spec::{Action, FieldSink, FieldSource, MapRunRedriven, MapRunStarted, Stored, Text, Timestamp};
use stepwell_store::{Decoder, Index, Order};

use super::journal::KeptError;
use super::{Outs, Place, Service};
use crate::arns::{ExecutionRef, MapRunRef};
use crate::pages::{Listing, page_size};
use crate::refusal::Refusal;
use stepwell_store::RowChange;
use stepwell_store::json_rows::RowError;

const MAP_RUNS: &str = "map_runs";
const MAP_RUNS_OF: &str = "map_runs_of";
const MAP_RUNS_OPEN: &str = "map_runs_open";

/// The kind of the note that a row's value is.
const MAP_RUN: u16 = 2;

/// Open Map Runs read at a time.
const ROWS_PER_READ: usize = 256;

/// What is kept of a Map Run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MapRunRow {
    pub(super) arn: Text,
    pub(super) parent: ExecutionId,
    pub(super) key: TaskKey,
    execution_arn: Text,
    state_machine_arn: Text,
    status: MapRunStatus,
    started_at: Timestamp,
    stopped_at: Option<Timestamp>,
    pub(super) limits: MapRunLimits,
    /// How it stood in the end.
    counts: MapRunCounts,
    redrive_count: u64,
    pub(super) redriven_at: Option<Timestamp>,
}

impl Service {
    /// A Map Run has begun.
    pub(super) fn map_run_started(
        &mut self,
        parent: ExecutionId,
        key: TaskKey,
        started: &MapRunStarted,
        at: Timestamp,
    ) -> Result<(), KeptError> {
        let (Some(run), Some(execution)) = (self.runs.get_mut(&parent), self.engine.execution(parent)) else {
            return Ok(());
        };
        let row = MapRunRow {
            arn: started.map_run_arn.clone(),
            parent,
            key,
            execution_arn: execution.identity.arn.clone(),
            state_machine_arn: execution.identity.state_machine_arn.clone(),
            status: MapRunStatus::Running,
            started_at: at,
            stopped_at: None,
            limits: MapRunLimits {
                max_concurrency: started.max_concurrency,
                tolerated_failure_count: started.tolerated_failure_count,
                tolerated_failure_percentage: started.tolerated_failure_percentage,
            },
            counts: MapRunCounts::default(),
            redrive_count: 0,
            redriven_at: None,
        };
        let value = Some(row.arn.as_bytes().to_vec());
        self.journal.row(RowChange { table: MAP_RUNS_OPEN, key: open_key(parent, key), value: value.clone() });
        let key_of = list_key(&row.execution_arn, Some((row.started_at, key.scheduled_event_id)));
        self.journal.row(RowChange { table: MAP_RUNS_OF, key: key_of, value });
        run.map_runs.insert(key, row.clone());
        self.write_map_run(&row)
    }

    /// A Map Run runs again. Its row was read when the redrive was asked for.
    pub(super) fn map_run_redriven(
        &mut self,
        parent: ExecutionId,
        redriven: &MapRunRedriven,
        at: Timestamp,
    ) -> Result<(), KeptError> {
        let Some(run) = self.runs.get_mut(&parent) else { return Ok(()) };
        let Some(row) = run.map_runs.values_mut().find(|row| row.arn == redriven.map_run_arn) else { return Ok(()) };
        row.status = MapRunStatus::Running;
        row.stopped_at = None;
        row.redrive_count = redriven.redrive_count;
        row.redriven_at = Some(at);
        let row = row.clone();
        let value = Some(row.arn.as_bytes().to_vec());
        self.journal.row(RowChange { table: MAP_RUNS_OPEN, key: open_key(parent, row.key), value });
        self.write_map_run(&row)
    }

    /// A Map Run is over.
    pub(super) fn map_run_ended(
        &mut self,
        parent: ExecutionId,
        key: TaskKey,
        counts: MapRunCounts,
        status: MapRunStatus,
        at: Timestamp,
    ) -> Result<(), KeptError> {
        let Some(row) = self.runs.get_mut(&parent).and_then(|run| run.map_runs.remove(&key)) else { return Ok(()) };
        self.journal.row(RowChange { table: MAP_RUNS_OPEN, key: open_key(parent, key), value: None });
        self.write_map_run(&MapRunRow { status, stopped_at: Some(at), counts, ..row })
    }

    /// Takes out the Map Runs of an execution that is forgotten.
    pub(super) fn forget_map_runs(&mut self, execution_arn: &str) -> Result<(), KeptError> {
        let low = list_key(execution_arn, None);
        // The byte after the ARN is 0, so 1 is above all of its rows.
        let high = [execution_arn.as_bytes(), &[1]].concat();
        let keys = (Bound::Included(&*low), Bound::Excluded(&*high));
        for (key, arn) in self.index.scan(MAP_RUNS_OF, keys, Order::Ascending, usize::MAX)? {
            self.journal.row(RowChange { table: MAP_RUNS_OF, key, value: None });
            self.journal.row(RowChange { table: MAP_RUNS, key: arn, value: None });
        }
        Ok(())
    }

    fn write_map_run(&mut self, row: &MapRunRow) -> Result<(), KeptError> {
        let value = Some(self.journal.value_of(MAP_RUN, row)?);
        self.journal.row(RowChange { table: MAP_RUNS, key: row.arn.as_bytes().to_vec(), value });
        Ok(())
    }

    pub(super) fn describe_map_run(
        &self,
        place: &Place,
        input: &DescribeMapRunInput,
    ) -> Result<DescribeMapRunOutput, Refusal> {
        let row = self.find_map_run(place, &input.map_run_arn)?;
        let counts = self.engine.map_run_counts(row.parent, row.key).unwrap_or(row.counts);
        let (items, executions) = (counts.items, counts.executions);
        let is_over = row.status != MapRunStatus::Running;
        Ok(DescribeMapRunOutput {
            map_run_arn: row.arn,
            execution_arn: row.execution_arn,
            status: row.status,
            start_date: row.started_at,
            stop_date: row.stopped_at,
            max_concurrency: number(row.limits.max_concurrency),
            tolerated_failure_percentage: row.limits.tolerated_failure_percentage.unwrap_or(0.0),
            tolerated_failure_count: number(row.limits.tolerated_failure_count.unwrap_or(0)),
            item_counts: MapRunItemCounts {
                pending: number(items.pending),
                running: number(items.running),
                succeeded: number(items.succeeded),
                failed: number(items.failed),
                timed_out: number(items.timed_out),
                aborted: number(items.aborted),
                total: number(items.total()),
                results_written: results_written(&items, is_over),
                failures_not_redrivable: Some(0),
                pending_redrive: Some(number(items.pending_redrive)),
            },
            execution_counts: MapRunExecutionCounts {
                pending: number(executions.pending),
                running: number(executions.running),
                succeeded: number(executions.succeeded),
                failed: number(executions.failed),
                timed_out: number(executions.timed_out),
                aborted: number(executions.aborted),
                total: number(executions.total()),
                results_written: results_written(&executions, is_over),
                failures_not_redrivable: Some(0),
                pending_redrive: Some(number(executions.pending_redrive)),
            },
            redrive_count: Some(number(row.redrive_count)),
            redrive_date: row.redriven_at,
        })
    }

    pub(super) fn list_map_runs(
        &self,
        place: &Place,
        input: &ListMapRunsInput,
        now: Timestamp,
    ) -> Result<ListMapRunsOutput, Refusal> {
        let execution = ExecutionRef::parse(&input.execution_arn)?;
        let own = execution.account == place.account && execution.region == place.region;
        if !own || self.execution_id(&input.execution_arn)?.is_none() {
            return Err(Refusal::execution_does_not_exist(&input.execution_arn));
        }
        let arguments = [&*input.execution_arn];
        let Place { account, region } = place;
        let listing = Listing { account, region, action: Action::ListMapRuns, arguments: &arguments };
        let first = list_key(&input.execution_arn, None);
        let mut end = first.clone();
        end.pop();
        end.push(1);
        let before = match &input.next_token {
            None => end,
            Some(token) => {
                let position = self.seal.open(&listing, token, now)?;
                let (at, event) = position.split_once('/').ok_or_else(Refusal::invalid_token)?;
                let at = Timestamp(at.parse().map_err(|_| Refusal::invalid_token())?);
                list_key(&input.execution_arn, Some((at, event.parse().map_err(|_| Refusal::invalid_token())?)))
            }
        };
        let size = page_size(input.max_results);
        let keys = (Bound::Included(&*first), Bound::Excluded(&*before));
        let found = self.index.scan(MAP_RUNS_OF, keys, Order::Descending, size + 1).map_err(KeptError::Store)?;
        let has_more = found.len() > size;
        let mut rows = Vec::with_capacity(size);
        for (_, arn) in found.iter().take(size) {
            let arn = String::from_utf8_lossy(arn);
            rows.push(
                read_map_run(&*self.index, &arn)?.ok_or_else(|| KeptError::Missing(format!("the Map Run {arn}")))?,
            );
        }
        let next_token = rows.last().filter(|_| has_more).map(|row| {
            let position = format!("{}/{}", row.started_at.0, row.key.scheduled_event_id);
            self.seal.seal(&listing, &position, now).into()
        });
        let map_runs = rows
            .into_iter()
            .map(|row| MapRunListItem {
                execution_arn: row.execution_arn,
                state_machine_arn: children_of(&row.state_machine_arn, &row.arn),
                map_run_arn: row.arn,
                start_date: row.started_at,
                stop_date: row.stopped_at,
            })
            .collect();
        Ok(ListMapRunsOutput { map_runs, next_token })
    }

    /// Changes what a Map Run may do from now on. One that is over is left as it is.
    pub(super) fn update_map_run(
        &mut self,
        place: &Place,
        input: &UpdateMapRunInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<UpdateMapRunOutput, Refusal> {
        let mut row = self.find_map_run(place, &input.map_run_arn)?;
        let asked = [input.max_concurrency, input.tolerated_failure_count];
        if asked.iter().all(Option::is_none) && input.tolerated_failure_percentage.is_none() {
            return Err(Refusal::new(
                stepwell_spec::Exception::ValidationException,
                "Must specify at least one of maxConcurrency, toleratedFailureCount, or toleratedFailurePercentage.",
            ));
        }
        if row.status != MapRunStatus::Running {
            return Ok(UpdateMapRunOutput {});
        }
        let limits = &mut row.limits;
        if let Some(max) = input.max_concurrency {
            limits.max_concurrency = u64::try_from(max).unwrap_or(0);
        }
        if let Some(count) = input.tolerated_failure_count {
            limits.tolerated_failure_count = u64::try_from(count).ok();
        }
        limits.tolerated_failure_percentage =
            input.tolerated_failure_percentage.or(limits.tolerated_failure_percentage);
        self.write_map_run(&row)?;
        self.engine.update_map_run(row.parent, row.key, row.limits);
        let parent = row.parent;
        if let Some(run) = self.runs.get_mut(&parent) {
            run.map_runs.insert(row.key, row);
        }
        self.command(parent, Command::Continue, at, outs);
        Ok(UpdateMapRunOutput {})
    }

    /// Whether there is such a Map Run.
    pub(super) fn has_map_run(&self, arn: &str) -> Result<bool, KeptError> {
        Ok(self.index.get(MAP_RUNS, arn.as_bytes())?.is_some())
    }

    /// A Map Run of the caller's, as it was last written down.
    fn find_map_run(&self, place: &Place, arn: &str) -> Result<MapRunRow, Refusal> {
        let asked = MapRunRef::parse(arn)?;
        let own = asked.account == place.account && asked.region == place.region;
        let row = if own { read_map_run(&*self.index, arn)? } else { None };
        let row = row.ok_or_else(|| Refusal::resource_not_found(arn))?;
        // What is in memory is newer than what is durable.
        let newer = self.runs.get(&row.parent).and_then(|run| run.map_runs.get(&row.key));
        Ok(newer.cloned().unwrap_or(row))
    }
}

/// Every Map Run that is open.
pub(super) fn open_map_runs(index: &dyn Index) -> Result<Vec<MapRunRow>, KeptError> {
    let mut open = Vec::new();
    let mut past: Option<Vec<u8>> = None;
    loop {
        let low = past.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = index.scan(MAP_RUNS_OPEN, (low, Bound::Unbounded), Order::Ascending, ROWS_PER_READ)?;
        for (_, arn) in &rows {
            let arn = String::from_utf8_lossy(arn);
            open.push(read_map_run(index, &arn)?.ok_or_else(|| KeptError::Missing(format!("the Map Run {arn}")))?);
        }
        match rows.into_iter().next_back() {
            Some((key, _)) => past = Some(key),
            None => return Ok(open),
        }
    }
}

impl Service {
    /// A Map Run as it was last written down, in memory or not.
    pub(super) fn map_run_row(&self, arn: &str) -> Result<Option<MapRunRow>, KeptError> {
        read_map_run(&*self.index, arn)
    }
}

fn read_map_run(index: &dyn Index, arn: &str) -> Result<Option<MapRunRow>, KeptError> {
    let Some(value) = index.get(MAP_RUNS, arn.as_bytes())? else { return Ok(None) };
    let broken = |what: String| RowError::Broken { table: MAP_RUNS, key: arn.to_owned(), what };
    let failed = |error: stepwell_store::DecodeError| broken(error.to_string());
    let mut decoder = Decoder::new(&value).map_err(failed)?;
    let entry = decoder.next_entry().map_err(failed)?.ok_or_else(|| broken("it is empty".to_owned()))?;
    Ok(Some(entry.note().map_err(failed)?))
}

fn open_key(parent: ExecutionId, key: TaskKey) -> Vec<u8> {
    [&parent.0.to_be_bytes()[..], &key.thread.0.to_be_bytes(), &key.scheduled_event_id.to_be_bytes()].concat()
}

fn list_key(execution_arn: &str, place: Option<(Timestamp, u64)>) -> Vec<u8> {
    let mut key = [execution_arn.as_bytes(), &[0]].concat();
    if let Some((at, event)) = place {
        key.extend_from_slice(&(at.0 ^ i64::MIN).to_be_bytes());
        key.extend_from_slice(&event.to_be_bytes());
    }
    key
}

/// Seen on AWS: the state machine that a Map Run is listed with is that of its children, `…:stateMachine:NAME/LABEL`.
fn children_of(state_machine_arn: &Text, map_run_arn: &str) -> Text {
    match map_run_arn.rsplit('/').next().and_then(|end| end.split(':').next()) {
        Some(label) => format!("{state_machine_arn}/{label}").into(),
        None => state_machine_arn.clone(),
    }
}

/// Results are written once, at the end, and where all of them go into the state's output.
fn results_written(counts: &Counts, is_over: bool) -> i64 {
    if is_over { number(counts.succeeded) } else { 0 }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Stored for MapRunRow {
    fn store(&self, sink: &mut impl FieldSink) {
        for text in [&self.arn, &self.execution_arn, &self.state_machine_arn] {
            text.store(sink);
        }
        self.parent.0.store(sink);
        self.key.thread.0.store(sink);
        self.key.scheduled_event_id.store(sink);
        status_number(self.status).store(sink);
        self.started_at.store(sink);
        self.stopped_at.store(sink);
        self.limits.max_concurrency.store(sink);
        self.limits.tolerated_failure_count.store(sink);
        self.limits.tolerated_failure_percentage.store(sink);
        for counts in [self.counts.executions, self.counts.items] {
            let Counts { pending, running, succeeded, failed, timed_out, aborted, pending_redrive } = counts;
            for count in [pending, running, succeeded, failed, timed_out, aborted, pending_redrive] {
                count.store(sink);
            }
        }
        self.redrive_count.store(sink);
        self.redriven_at.store(sink);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        let (arn, execution_arn, state_machine_arn) = (source.text()?, source.text()?, source.text()?);
        let parent = ExecutionId(source.number()?);
        let key = TaskKey { thread: ThreadId(u32::restore(source)?), scheduled_event_id: source.number()? };
        let status = source.number()?;
        let status = status_of_number(status).ok_or_else(|| source.out_of_range(status))?;
        let (started_at, stopped_at) = (source.time()?, Option::restore(source)?);
        let limits = MapRunLimits {
            max_concurrency: source.number()?,
            tolerated_failure_count: Option::restore(source)?,
            tolerated_failure_percentage: Option::restore(source)?,
        };
        let mut counts = || -> Result<Counts, S::Error> {
            Ok(Counts {
                pending: source.number()?,
                running: source.number()?,
                succeeded: source.number()?,
                failed: source.number()?,
                timed_out: source.number()?,
                aborted: source.number()?,
                pending_redrive: source.number()?,
            })
        };
        let counts = MapRunCounts { executions: counts()?, items: counts()? };
        Ok(MapRunRow {
            arn,
            parent,
            key,
            execution_arn,
            state_machine_arn,
            status,
            started_at,
            stopped_at,
            limits,
            counts,
            redrive_count: source.number()?,
            redriven_at: Option::restore(source)?,
        })
    }
}

/// What a number means never changes.
fn status_number(status: MapRunStatus) -> u64 {
    match status {
        MapRunStatus::Running => 0,
        MapRunStatus::Succeeded => 1,
        MapRunStatus::Failed => 2,
        MapRunStatus::Aborted => 3,
    }
}

fn status_of_number(number: u64) -> Option<MapRunStatus> {
    MapRunStatus::ALL.iter().copied().find(|status| status_number(*status) == number)
}
