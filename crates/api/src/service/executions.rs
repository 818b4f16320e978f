//! Executions: start, stop, redrive, describe, list, and their histories.

use std::ops::ControlFlow;
use std::sync::Arc;

use stepwell_asl::{WorkflowId, variable_references};
use stepwell_engine::{ExecutionId, Input};
use stepwell_interpreter::{Chance, Command, Execution, Failure, Identity, Moment, Settings, Start, Status, Tokens};
use stepwell_json::Json;
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::shapes::{
    BillingDetails, CloudWatchEventsExecutionDataDetails, DescribeExecutionInput, DescribeExecutionOutput,
    DescribeStateMachineForExecutionInput, DescribeStateMachineForExecutionOutput, ExecutionRedriveFilter,
    ExecutionRedriveStatus, ExecutionStatus, GetExecutionHistoryInput, GetExecutionHistoryOutput, IncludedData,
    ListExecutionsInput, ListExecutionsOutput, StartExecutionInput, StartExecutionOutput, StartSyncExecutionInput,
    StartSyncExecutionOutput, StopExecutionInput, StopExecutionOutput, SyncExecutionStatus,
};
use stepwell_spec::{Action, Exception, Record, Response, Text, Timestamp};
use stepwell_store::Order;

use super::beginnings::read_history;
use super::journal::KeptError;
use super::quarantine::QUARANTINED;
use super::redrives::not_redrivable;
use super::registry::{Resolved, aws_owned_key};
use super::residents::Run;
use super::shard::drawn;
use super::{Outs, Place, Service, listings};
use crate::arns::{ExecutionRef, MachineRef, MapRunRef, Qualifier};
use crate::checks::execution_input;
use crate::pages::{Listing, page_size};
use crate::refusal::Refusal;

impl Service {
    pub(super) fn start_execution(
        &mut self,
        place: &Place,
        input: &StartExecutionInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<StartExecutionOutput, Refusal> {
        let (started, first) = self.prepare_start(place, input, at)?;
        if let Some(first) = first {
            self.run(first, drawn(at, &Chance::new(at)), outs);
        }
        Ok(started)
    }

    /// Takes an execution in: the answer to its start, and the input that makes it run. No input when it runs already.
    pub(super) fn prepare_start(
        &mut self,
        place: &Place,
        input: &StartExecutionInput,
        at: Moment,
    ) -> Result<(StartExecutionOutput, Option<Input>), Refusal> {
        let chance = Chance::new(at);
        let machine = MachineRef::parse(&input.state_machine_arn)?;
        let resolved = self.registry.resolve(place, &machine, &chance)?;
        let name = input.name.clone().unwrap_or_else(|| chance.uuid_at(at.now).into());
        let arn = execution_arn(place, &resolved, &name, &chance);
        // A name that was just drawn is nobody's.
        let known = if input.name.is_some() { self.execution_id(&arn)? } else { None };
        if let Some(known) = known {
            self.wake(known)?;
            return self.started_before(known, &arn, input).map(|started| (started, None));
        }
        let trace_header = input.trace_header.clone();
        let begun = Begun { machine, resolved, name, arn: arn.clone(), trace_header };
        let (_, first) = self.begin(place, begun, input.input.as_ref())?;
        Ok((StartExecutionOutput { execution_arn: arn, start_date: at.now }, Some(first)))
    }

    /// The same name again: the same answer while the execution runs and its input is the same.
    fn started_before(
        &self,
        known: ExecutionId,
        arn: &Text,
        input: &StartExecutionInput,
    ) -> Result<StartExecutionOutput, Refusal> {
        let input_text = input.input.as_deref().unwrap_or("{}");
        match (self.engine.execution(known), self.runs.get(&known)) {
            (Some(execution), Some(run))
                if execution.is_running() && (&*run.input_text == input_text || planted::is(Bug::InputUnchecked)) =>
            {
                Ok(StartExecutionOutput { execution_arn: arn.clone(), start_date: execution.started_at })
            }
            _ => Err(Refusal::execution_already_exists(arn)),
        }
    }

    pub(super) fn start_sync_execution(
        &mut self,
        call: u64,
        place: &Place,
        input: &StartSyncExecutionInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<(), Refusal> {
        let chance = Chance::new(at);
        let machine = MachineRef::parse(&input.state_machine_arn)?;
        let resolved = self.registry.resolve(place, &machine, &chance)?;
        if !resolved.machine.express {
            return Err(Refusal::state_machine_type_not_supported());
        }
        let name = input.name.clone().unwrap_or_else(|| chance.uuid_at(at.now).into());
        let arn = execution_arn(place, &resolved, &name, &chance);
        let trace_header = input.trace_header.clone();
        let begun = Begun { machine, resolved, name, arn, trace_header };
        let (id, first) = self.begin(place, begun, input.input.as_ref())?;
        if let Some(run) = self.runs.get_mut(&id) {
            run.is_kept = planted::is(Bug::SyncKept);
        }
        self.waiting_for_end.insert(id, call);
        self.run(first, drawn(at, &chance), outs);
        Ok(())
    }

    fn begin(
        &mut self,
        place: &Place,
        begun: Begun,
        input_text: Option<&Text>,
    ) -> Result<(ExecutionId, Input), Refusal> {
        let Begun { machine, resolved, name, arn, trace_header } = begun;
        let input = execution_input(input_text.map(|text| &**text))?;
        let input_text = input_text.cloned().unwrap_or_else(|| "{}".into());
        let express = resolved.machine.express;
        self.quarantine.admit_start(resolved.machine.number)?;
        self.at_work.starting(resolved.machine.number);
        let id = self.new_execution_id();
        let start = Start {
            definition: resolved.machine.definition()?.clone(),
            workflow: WorkflowId::ROOT,
            identity: Arc::new(Identity {
                arn: arn.clone(),
                name,
                role_arn: resolved.machine.role_arn.clone(),
                state_machine_arn: resolved.machine.arn.clone(),
                state_machine_name: resolved.machine.name.clone(),
                state_machine_version_arn: resolved.version_arn,
                state_machine_alias_arn: resolved.alias_arn,
                region: place.region.as_str().into(),
            }),
            settings: if express { Settings::express() } else { Settings::standard() },
            tokens: Tokens::issued_by(self.tokens.clone(), id.0),
            input,
            input_text: Some(input_text.clone()),
        };
        let test_case = machine.test_case.as_deref().map(Arc::from);
        self.house(id, Run::new(resolved.machine, input_text, trace_header, test_case, None));
        self.arns.insert(arn, id);
        Ok((id, Input::Start(id, Box::new(start))))
    }

    /// The answer to `StartSyncExecution`, once the execution has ended.
    pub(super) fn sync_outcome(&self, id: ExecutionId) -> Result<Response, Refusal> {
        let (Some(execution), Some(run)) = (self.engine.execution(id), self.runs.get(&id)) else {
            return Err(Refusal::execution_does_not_exist(""));
        };
        let (status, error, cause, output) = match &execution.status {
            Status::Succeeded(output) => (SyncExecutionStatus::Succeeded, None, None, Some(output.to_string().into())),
            Status::TimedOut(Failure { error, cause, .. }) => {
                (SyncExecutionStatus::TimedOut, error.clone(), cause.clone(), None)
            }
            Status::Failed(Failure { error, cause, .. }) | Status::Aborted(Failure { error, cause, .. }) => {
                (SyncExecutionStatus::Failed, error.clone(), cause.clone(), None)
            }
            Status::Running => (SyncExecutionStatus::Failed, None, None, None),
        };
        let stop_date = execution.stopped_at.unwrap_or(execution.started_at);
        // Billed by the 100 milliseconds begun, and by 64 MB.
        let took_ms = (stop_date.0 - execution.started_at.0).max(1);
        Ok(Response::StartSyncExecution(StartSyncExecutionOutput {
            execution_arn: execution.identity.arn.clone(),
            state_machine_arn: Some(run.machine.arn.clone()),
            name: Some(execution.identity.name.clone()),
            start_date: execution.started_at,
            stop_date,
            status,
            error,
            cause,
            input: Some(run.input_text.clone()),
            input_details: Some(included()),
            output_details: output.is_some().then(included),
            output,
            trace_header: run.trace_header.clone(),
            billing_details: Some(BillingDetails {
                billed_memory_used_in_mb: Some(64),
                billed_duration_in_milliseconds: Some(
                    took_ms.div_euclid(100) * 100 + 100 * i64::from(took_ms % 100 > 0),
                ),
            }),
        }))
    }

    pub(super) fn stop_execution(
        &mut self,
        place: &Place,
        input: &StopExecutionInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<StopExecutionOutput, Refusal> {
        let id = self.find(place, &input.execution_arn)?;
        let (error, cause) = (input.error.clone(), input.cause.clone());
        self.command(id, Command::Stop { error, cause }, at, outs);
        let stopped_at = self.engine.execution(id).and_then(|execution| execution.stopped_at);
        Ok(StopExecutionOutput { stop_date: stopped_at.unwrap_or(at.now) })
    }

    pub(super) fn describe_execution(
        &mut self,
        place: &Place,
        input: &DescribeExecutionInput,
        now: Timestamp,
    ) -> Result<DescribeExecutionOutput, Refusal> {
        let id = self.find(place, &input.execution_arn)?;
        let (Some(run), Some(execution)) = (self.runs.get(&id), self.engine.execution(id)) else {
            return Err(Refusal::execution_does_not_exist(&input.execution_arn));
        };
        let with_data = input.included_data != Some(IncludedData::MetadataOnly);
        let shown = CloudWatchEventsExecutionDataDetails { included: Some(with_data) };
        let output = match &execution.status {
            Status::Succeeded(output) => Some(Text::from(output.to_string())),
            Status::Running | Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_) => None,
        };
        let failure = failure_of(execution);
        // One that has ended shows its end, whatever it panics over since.
        let (error, cause) = match self.quarantine.cause(id).filter(|_| execution.is_running()) {
            Some(cause) => (Some(QUARANTINED.into()), Some(cause)),
            None => failure.map_or((None, None), |failure| (failure.error.clone(), failure.cause.clone())),
        };
        let is_pending = self.engine.is_pending_redrive(id);
        let reason = not_redrivable(execution, now);
        let identity = &execution.identity;
        Ok(DescribeExecutionOutput {
            execution_arn: identity.arn.clone(),
            state_machine_arn: run.machine.arn.clone(),
            name: Some(identity.name.clone()),
            status: if is_pending { ExecutionStatus::PendingRedrive } else { status_of(execution) },
            start_date: execution.started_at,
            stop_date: execution.stopped_at,
            input: with_data.then(|| run.input_text.clone()),
            input_details: Some(shown.clone()),
            output_details: output.is_some().then_some(shown),
            output: output.filter(|_| with_data),
            trace_header: run.trace_header.clone(),
            map_run_arn: run.child_of.as_ref().map(|child| child.map_run_arn.clone()),
            error,
            cause,
            state_machine_version_arn: identity.state_machine_version_arn.clone(),
            state_machine_alias_arn: identity.state_machine_alias_arn.clone(),
            redrive_count: Some(i64::try_from(execution.redrive_count).unwrap_or(i64::MAX)),
            redrive_date: execution.redriven_at,
            redrive_status: Some(match reason {
                None if run.child_of.is_some() => ExecutionRedriveStatus::RedrivableByMapRun,
                None => ExecutionRedriveStatus::Redrivable,
                Some(_) => ExecutionRedriveStatus::NotRedrivable,
            }),
            redrive_status_reason: reason.map(Text::from),
        })
    }

    pub(super) fn describe_state_machine_for_execution(
        &mut self,
        place: &Place,
        input: &DescribeStateMachineForExecutionInput,
    ) -> Result<DescribeStateMachineForExecutionOutput, Refusal> {
        let id = self.find(place, &input.execution_arn)?;
        let Some(run) = self.runs.get(&id) else {
            return Err(Refusal::execution_does_not_exist(&input.execution_arn));
        };
        let machine = &run.machine;
        let references = variable_references(machine.definition()?);
        Ok(DescribeStateMachineForExecutionOutput {
            state_machine_arn: machine.arn.clone(),
            name: machine.name.clone(),
            definition: machine.definition_text.clone(),
            role_arn: machine.role_arn.clone(),
            update_date: machine.updated_at,
            logging_configuration: machine.logging_configuration.clone(),
            tracing_configuration: machine.tracing_configuration.clone(),
            map_run_arn: run.child_of.as_ref().map(|child| child.map_run_arn.clone()),
            label: run
                .child_of
                .as_ref()
                .and_then(|child| MapRunRef::parse(&child.map_run_arn).ok())
                .map(|run| run.label.into()),
            revision_id: machine.revision_id.clone(),
            encryption_configuration: Some(machine.encryption_configuration.clone().unwrap_or_else(aws_owned_key)),
            variable_references: (!references.is_empty()).then_some(references),
        })
    }

    pub(super) fn list_executions(
        &mut self,
        place: &Place,
        input: &ListExecutionsInput,
        now: Timestamp,
    ) -> Result<ListExecutionsOutput, Refusal> {
        let (owner, asked) = self.listed_owner(place, input, now)?;
        let filter = input.status_filter.map_or("", |status| status.text());
        let redrive_filter = input.redrive_filter.map_or("", |filter| filter.text());
        let about = input.state_machine_arn.as_deref().or(input.map_run_arn.as_deref()).unwrap_or_default();
        let arguments = [about, filter, redrive_filter];
        let Place { account, region } = place;
        let listing = Listing { account, region, action: Action::ListExecutions, arguments: &arguments };
        let before = match &input.next_token {
            None => None,
            Some(token) => Some(read_place(&self.seal.open(&listing, token, now)?)?),
        };
        let is_asked_for = |row: &listings::Row| {
            let listed = &row.listed;
            let qualified = match &asked {
                None => true,
                Some(Qualifier::Version(_)) => listed.identity.version_arn.as_deref() == Some(about),
                Some(Qualifier::Alias(_)) => listed.identity.alias_arn.as_deref() == Some(about),
            };
            qualified
                && match input.redrive_filter {
                    None => true,
                    Some(ExecutionRedriveFilter::Redriven) => listed.redrive_count > 0,
                    Some(ExecutionRedriveFilter::NotRedriven) => listed.redrive_count == 0,
                }
        };
        let size = page_size(input.max_results);
        let mut rows = Vec::new();
        for status in listings::LISTED_STATUSES {
            if input.status_filter.is_none_or(|asked| asked == status) {
                rows.extend(self.listed_rows(status, &owner, before, size + 1, &is_asked_for)?);
            }
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.place));
        let has_more = rows.len() > size;
        rows.truncate(size);
        let next_token = rows.last().filter(|_| has_more).map(|row| {
            let position = format!("{}/{}", row.place.started_at.0, row.place.id.0);
            Text::from(self.seal.seal(&listing, &position, now))
        });
        let shown = |row: listings::Row| Ok(row.shown(&*self.revision(row.listed.revision)?));
        let executions = rows.into_iter().map(shown).collect::<Result<_, KeptError>>()?;
        Ok(ListExecutionsOutput { executions, next_token })
    }

    /// Whose executions are asked for: a state machine's, with a version or alias of it, or a Map Run's.
    fn listed_owner(
        &self,
        place: &Place,
        input: &ListExecutionsInput,
        now: Timestamp,
    ) -> Result<(Text, Option<Qualifier>), Refusal> {
        match (&input.state_machine_arn, &input.map_run_arn) {
            (Some(arn), None) => {
                let asked = MachineRef::parse(arn)?;
                let resolved = self.registry.resolve(place, &asked, &Chance::new(Moment { now, entropy: 0 }))?;
                if resolved.machine.express {
                    return Err(Refusal::state_machine_type_not_supported());
                }
                Ok((resolved.machine.arn.clone(), asked.qualifier))
            }
            (None, Some(arn)) => {
                let asked = MapRunRef::parse(arn)?;
                if asked.account != place.account || asked.region != place.region || !self.has_map_run(arn)? {
                    return Err(Refusal::resource_not_found(arn));
                }
                Ok((arn.clone(), None))
            }
            (Some(_), Some(_)) | (None, None) => Err(Refusal::new(
                Exception::ValidationException,
                "Must specify exactly one of stateMachineArn or mapRunArn.",
            )),
        }
    }

    /// Rows of one status that are asked for.
    fn listed_rows(
        &self,
        status: ExecutionStatus,
        owner: &str,
        mut before: Option<listings::Place>,
        limit: usize,
        is_asked_for: &dyn Fn(&listings::Row) -> bool,
    ) -> Result<Vec<listings::Row>, Refusal> {
        let mut found = Vec::new();
        loop {
            let rows = listings::page(&*self.index, status, owner, before, limit)?;
            let was_full = rows.len() == limit;
            before = rows.last().map(|row| row.place);
            found.extend(rows.into_iter().filter(is_asked_for));
            if !was_full || found.len() >= limit {
                return Ok(found);
            }
        }
    }

    pub(super) fn get_execution_history(
        &self,
        place: &Place,
        input: &GetExecutionHistoryInput,
        now: Timestamp,
    ) -> Result<GetExecutionHistoryOutput, Refusal> {
        let id = self.execution_id_of(place, &input.execution_arn)?;
        let reverse = input.reverse_order == Some(true);
        let with_data = input.include_execution_data != Some(false);
        let arguments = [&*input.execution_arn, if reverse { "reverse" } else { "" }];
        let action = Action::GetExecutionHistory;
        let Place { account, region } = place;
        let listing = Listing { account, region, action, arguments: &arguments };
        let after = match &input.next_token {
            None => None,
            Some(token) => Some(read_shown(&self.seal.open(&listing, token, now)?)?),
        };
        let (events, more_after) =
            self.history_page(id, reverse, after, page_size(input.max_results), |record| record.to_history(with_data))?;
        let next_token =
            more_after.map(|(frame, event)| Text::from(self.seal.seal(&listing, &format!("{frame}/{event}"), now)));
        Ok(GetExecutionHistoryOutput { events, next_token })
    }

    /// A page of a history, and where it ended when there is more.
    fn history_page(
        &self,
        id: ExecutionId,
        reverse: bool,
        after: Option<Shown>,
        size: usize,
        shown: impl Fn(&Record) -> Json,
    ) -> Result<(Vec<Json>, Option<Shown>), KeptError> {
        let order = if reverse { Order::Descending } else { Order::Ascending };
        // The frame that the page before ended in may have more.
        let past = after.map(|(frame, _)| if reverse { frame + 1 } else { frame - 1 });
        let is_shown_already = |event: u64| {
            after.is_some_and(|(_, last)| {
                if reverse { event >= last } else { event <= last + u64::from(planted::is(Bug::PageSkipsOne)) }
            })
        };
        let mut events = Vec::new();
        let mut last = (0, 0);
        let mut has_more = false;
        // A frame has some events: as many frames as the page has room for are rarely too few.
        let frames_per_read = (size / 2).clamp(8, 256);
        read_history(&*self.index, id, order, past, frames_per_read, |frame, record| {
            if is_shown_already(record.id) {
                return ControlFlow::Continue(());
            }
            if events.len() == size {
                has_more = true;
                return ControlFlow::Break(());
            }
            events.push(shown(record));
            last = (frame, record.id);
            ControlFlow::Continue(())
        })?;
        Ok((events, has_more.then_some(last)))
    }

    /// The name of an execution of the caller's, by its ARN.
    fn execution_id_of(&self, place: &Place, arn: &str) -> Result<ExecutionId, Refusal> {
        let execution = ExecutionRef::parse(arn)?;
        let own = execution.account == place.account && execution.region == place.region;
        let id = if own { self.execution_id(arn)? } else { None };
        id.ok_or_else(|| Refusal::execution_does_not_exist(arn))
    }

    /// The same, with the execution in memory.
    pub(super) fn find(&mut self, place: &Place, arn: &str) -> Result<ExecutionId, Refusal> {
        let id = self.execution_id_of(place, arn)?;
        match self.wake(id)? {
            true => Ok(id),
            false => Err(KeptError::Missing(format!("the log of {arn}")).into()),
        }
    }
}

/// `START/NAME`: where a page of executions ended.
fn read_place(position: &str) -> Result<listings::Place, Refusal> {
    let (started_at, id) = position.split_once('/').ok_or_else(Refusal::invalid_token)?;
    let started_at = Timestamp(started_at.parse().map_err(|_| Refusal::invalid_token())?);
    Ok(listings::Place { started_at, id: ExecutionId(id.parse().map_err(|_| Refusal::invalid_token())?) })
}

/// The last event of a page: the number of its frame, and its id.
type Shown = (u64, u64);

/// `FRAME/EVENT`: where a page of a history ended.
fn read_shown(position: &str) -> Result<Shown, Refusal> {
    let (frame, event) = position.split_once('/').ok_or_else(Refusal::invalid_token)?;
    let frame: u64 = frame.parse().map_err(|_| Refusal::invalid_token())?;
    let event = event.parse().map_err(|_| Refusal::invalid_token())?;
    if frame == 0 { Err(Refusal::invalid_token()) } else { Ok((frame, event)) }
}

/// An execution about to begin.
struct Begun {
    machine: MachineRef,
    resolved: Resolved,
    name: Text,
    arn: Text,
    trace_header: Option<Text>,
}

/// Express executions of one name are told apart by a UUID.
fn execution_arn(place: &Place, resolved: &Resolved, name: &str, chance: &Chance) -> Text {
    let machine = &resolved.machine.name;
    match resolved.machine.express {
        true if planted::is(Bug::ExpressNamesMeet) => place.arn(format_args!("express:{machine}:{name}:same")),
        true => place.arn(format_args!("express:{machine}:{name}:{}", chance.uuid())),
        false => place.arn(format_args!("execution:{machine}:{name}")),
    }
}

pub(super) fn status_of(execution: &Execution) -> ExecutionStatus {
    match execution.status {
        Status::Running => ExecutionStatus::Running,
        Status::Succeeded(_) => ExecutionStatus::Succeeded,
        Status::Failed(_) => ExecutionStatus::Failed,
        Status::TimedOut(_) => ExecutionStatus::TimedOut,
        Status::Aborted(_) => ExecutionStatus::Aborted,
    }
}

/// Error and cause, as an execution that failed shows them. One that ran out of time shows none, as recorded.
fn failure_of(execution: &Execution) -> Option<&Failure> {
    match &execution.status {
        Status::Failed(failure) | Status::Aborted(failure) => Some(failure),
        Status::Running | Status::Succeeded(_) | Status::TimedOut(_) => None,
    }
}

fn included() -> CloudWatchEventsExecutionDataDetails {
    CloudWatchEventsExecutionDataDetails { included: Some(true) }
}
