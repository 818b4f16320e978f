//! Executions: start, stop, redrive, describe, list, and their histories.

use std::sync::Arc;

use stepwell_asl::{WorkflowId, variable_references};
use stepwell_engine::{ExecutionId, Input};
use stepwell_interpreter::{Chance, Command, Execution, Failure, Identity, Moment, Settings, Start, Status};
use stepwell_json::Json;
use stepwell_spec::shapes::{
    BillingDetails, CloudWatchEventsExecutionDataDetails, DescribeExecutionInput, DescribeExecutionOutput,
    DescribeStateMachineForExecutionInput, DescribeStateMachineForExecutionOutput, ExecutionListItem,
    ExecutionRedriveStatus, ExecutionStatus, GetExecutionHistoryInput, GetExecutionHistoryOutput, IncludedData,
    ListExecutionsInput, ListExecutionsOutput, RedriveExecutionInput, RedriveExecutionOutput, StartExecutionInput,
    StartExecutionOutput, StartSyncExecutionInput, StartSyncExecutionOutput, StopExecutionInput, StopExecutionOutput,
    SyncExecutionStatus,
};
use stepwell_spec::{Action, Exception, Record, Response, Text, Timestamp, quota};

use super::registry::{MachineRow, Resolved, aws_owned_key};
use super::{Outs, Place, Service};
use crate::arns::{ExecutionRef, MachineRef, Qualifier};
use crate::checks::execution_input;
use crate::pages::{Listing, page_size};
use crate::refusal::Refusal;

/// An execution, beside what the engine knows of it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: ExecutionId,
    /// The revision it was started from, which it keeps.
    pub(super) machine: Arc<MachineRow>,
    pub(super) input_text: Text,
    pub(super) trace_header: Option<Text>,
    /// The case of the mock file that answers its tasks.
    pub(super) test_case: Option<Arc<str>>,
    pub(super) history: Vec<Record>,
}

/// Days after its end that an execution can be redriven.
const REDRIVE_DAYS: u64 = 14;

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
        let name = input.name.clone().unwrap_or_else(|| chance.uuid().into());
        let arn = execution_arn(place, &resolved, &name, &chance);
        if let Some(known) = self.runs.get(&arn) {
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
        known: &Run,
        arn: &Text,
        input: &StartExecutionInput,
    ) -> Result<StartExecutionOutput, Refusal> {
        let execution = self.engine.execution(known.id);
        let same_input = known.input_text.as_ref() == input.input.as_deref().unwrap_or("{}");
        match execution {
            Some(execution) if execution.is_running() && same_input => {
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
        let name = input.name.clone().unwrap_or_else(|| chance.uuid().into());
        let arn = execution_arn(place, &resolved, &name, &chance);
        let trace_header = input.trace_header.clone();
        let begun = Begun { machine, resolved, name, arn, trace_header };
        let (id, first) = self.begin(place, begun, input.input.as_ref())?;
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
            input,
            input_text: Some(input_text.clone()),
        };
        let id = self.engine.reserve_id();
        let test_case = machine.test_case.as_deref().map(Arc::from);
        let machine = resolved.machine;
        self.runs.insert(arn.clone(), Run { id, machine, input_text, trace_header, test_case, history: Vec::new() });
        self.arns.insert(id, arn);
        Ok((id, Input::Start(id, Box::new(start))))
    }

    /// The answer to `StartSyncExecution`, once the execution has ended.
    pub(super) fn sync_outcome(&self, id: ExecutionId) -> Result<Response, Refusal> {
        let run = self.arns.get(&id).and_then(|arn| self.runs.get(arn));
        let (Some(execution), Some(run)) = (self.engine.execution(id), run) else {
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
        let id = self.find(place, &input.execution_arn)?.id;
        let (error, cause) = (input.error.clone(), input.cause.clone());
        self.command(id, Command::Stop { error, cause }, at, outs);
        let stopped_at = self.engine.execution(id).and_then(|execution| execution.stopped_at);
        Ok(StopExecutionOutput { stop_date: stopped_at.unwrap_or(at.now) })
    }

    pub(super) fn redrive_execution(
        &mut self,
        place: &Place,
        input: &RedriveExecutionInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Result<RedriveExecutionOutput, Refusal> {
        let run = self.find(place, &input.execution_arn)?;
        let id = run.id;
        if let Some(reason) = self.engine.execution(id).and_then(|execution| not_redrivable(execution, at.now)) {
            return Err(Refusal::new(Exception::ExecutionNotRedrivable, reason));
        }
        self.command(id, Command::Redrive, at, outs);
        Ok(RedriveExecutionOutput { redrive_date: at.now })
    }

    pub(super) fn describe_execution(
        &self,
        place: &Place,
        input: &DescribeExecutionInput,
    ) -> Result<DescribeExecutionOutput, Refusal> {
        let run = self.find(place, &input.execution_arn)?;
        let Some(execution) = self.engine.execution(run.id) else {
            return Err(Refusal::execution_does_not_exist(&input.execution_arn));
        };
        let with_data = input.included_data != Some(IncludedData::MetadataOnly);
        let shown = CloudWatchEventsExecutionDataDetails { included: Some(with_data) };
        let output = match &execution.status {
            Status::Succeeded(output) => Some(Text::from(output.to_string())),
            Status::Running | Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_) => None,
        };
        let failure = failure_of(execution);
        let reason = not_redrivable(execution, execution.stopped_at.unwrap_or(execution.started_at));
        let identity = &execution.identity;
        Ok(DescribeExecutionOutput {
            execution_arn: identity.arn.clone(),
            state_machine_arn: run.machine.arn.clone(),
            name: Some(identity.name.clone()),
            status: status_of(execution),
            start_date: execution.started_at,
            stop_date: execution.stopped_at,
            input: with_data.then(|| run.input_text.clone()),
            input_details: Some(shown.clone()),
            output_details: output.is_some().then_some(shown),
            output: output.filter(|_| with_data),
            trace_header: run.trace_header.clone(),
            map_run_arn: None,
            error: failure.and_then(|failure| failure.error.clone()),
            cause: failure.and_then(|failure| failure.cause.clone()),
            state_machine_version_arn: identity.state_machine_version_arn.clone(),
            state_machine_alias_arn: identity.state_machine_alias_arn.clone(),
            redrive_count: Some(i64::try_from(execution.redrive_count).unwrap_or(i64::MAX)),
            redrive_date: execution.redriven_at,
            redrive_status: Some(match reason {
                None => ExecutionRedriveStatus::Redrivable,
                Some(_) => ExecutionRedriveStatus::NotRedrivable,
            }),
            redrive_status_reason: reason.map(Text::from),
        })
    }

    pub(super) fn describe_state_machine_for_execution(
        &self,
        place: &Place,
        input: &DescribeStateMachineForExecutionInput,
    ) -> Result<DescribeStateMachineForExecutionOutput, Refusal> {
        let machine = &self.find(place, &input.execution_arn)?.machine;
        let references = variable_references(machine.definition()?);
        Ok(DescribeStateMachineForExecutionOutput {
            state_machine_arn: machine.arn.clone(),
            name: machine.name.clone(),
            definition: machine.definition_text.clone(),
            role_arn: machine.role_arn.clone(),
            update_date: machine.updated_at,
            logging_configuration: machine.logging_configuration.clone(),
            tracing_configuration: machine.tracing_configuration.clone(),
            map_run_arn: None,
            label: None,
            revision_id: machine.revision_id.clone(),
            encryption_configuration: Some(machine.encryption_configuration.clone().unwrap_or_else(aws_owned_key)),
            variable_references: (!references.is_empty()).then_some(references),
        })
    }

    pub(super) fn list_executions(
        &self,
        place: &Place,
        input: &ListExecutionsInput,
        now: Timestamp,
    ) -> Result<ListExecutionsOutput, Refusal> {
        let Some(machine_arn) = &input.state_machine_arn else {
            return Err(Refusal::resource_not_found(input.map_run_arn.as_deref().unwrap_or_default()));
        };
        let asked = MachineRef::parse(machine_arn)?;
        let resolved = self.registry.resolve(place, &asked, &Chance::new(Moment { now, entropy: 0 }))?;
        if resolved.machine.express {
            return Err(Refusal::state_machine_type_not_supported());
        }
        let is_asked_for = |execution: &Execution| match &asked.qualifier {
            None => true,
            Some(Qualifier::Version(_)) => execution.identity.state_machine_version_arn.as_ref() == Some(machine_arn),
            Some(Qualifier::Alias(_)) => execution.identity.state_machine_alias_arn.as_ref() == Some(machine_arn),
        };
        let mut found: Vec<(&Run, &Execution)> = self
            .runs
            .values()
            .filter(|run| run.machine.arn == resolved.machine.arn)
            .filter_map(|run| Some((run, self.engine.execution(run.id)?)))
            .filter(|(_, execution)| is_asked_for(execution))
            .filter(|(_, execution)| input.status_filter.is_none_or(|status| status == status_of(execution)))
            .collect();
        found.sort_by_key(|(run, _)| std::cmp::Reverse(run.id));
        let filter = input.status_filter.map_or("", |status| status.text());
        let arguments = [&**machine_arn, filter];
        let listing = Listing {
            account: &place.account,
            region: &place.region,
            action: Action::ListExecutions,
            arguments: &arguments,
        };
        let from = self.position(&listing, input.next_token.as_deref(), now)?;
        let size = page_size(input.max_results);
        let executions = found.iter().skip(from).take(size).map(|(run, execution)| list_item(run, execution)).collect();
        let next_token =
            (from + size < found.len()).then(|| Text::from(self.seal.seal(&listing, &(from + size).to_string(), now)));
        Ok(ListExecutionsOutput { executions, next_token })
    }

    pub(super) fn get_execution_history(
        &self,
        place: &Place,
        input: &GetExecutionHistoryInput,
        now: Timestamp,
    ) -> Result<GetExecutionHistoryOutput, Refusal> {
        let run = self.find(place, &input.execution_arn)?;
        let reverse = input.reverse_order == Some(true);
        let with_data = input.include_execution_data != Some(false);
        let arguments = [&*input.execution_arn, if reverse { "reverse" } else { "" }];
        let action = Action::GetExecutionHistory;
        let listing = Listing { account: &place.account, region: &place.region, action, arguments: &arguments };
        let from = self.position(&listing, input.next_token.as_deref(), now)?;
        let size = page_size(input.max_results);
        let public = run.history.iter().filter(|record| record.id > 0);
        let count = public.clone().count();
        let shown = |record: &Record| record.to_history(with_data);
        let events: Vec<Json> = if reverse {
            public.rev().skip(from).take(size).map(shown).collect()
        } else {
            public.skip(from).take(size).map(shown).collect()
        };
        let next_token =
            (from + size < count).then(|| Text::from(self.seal.seal(&listing, &(from + size).to_string(), now)));
        Ok(GetExecutionHistoryOutput { events, next_token })
    }

    /// Where a page begins.
    fn position(&self, listing: &Listing<'_>, token: Option<&str>, now: Timestamp) -> Result<usize, Refusal> {
        match token {
            None => Ok(0),
            Some(token) => self.seal.open(listing, token, now)?.parse().map_err(|_| Refusal::invalid_token()),
        }
    }

    /// An execution of the caller's, by its ARN.
    fn find(&self, place: &Place, arn: &str) -> Result<&Run, Refusal> {
        let execution = ExecutionRef::parse(arn)?;
        let own = execution.account == place.account && execution.region == place.region;
        let run = self.runs.get(arn).filter(|_| own);
        run.ok_or_else(|| Refusal::execution_does_not_exist(arn))
    }
}

/// An execution about to begin.
struct Begun {
    machine: MachineRef,
    resolved: Resolved,
    name: Text,
    arn: Text,
    trace_header: Option<Text>,
}

fn drawn(at: Moment, chance: &Chance) -> Moment {
    Moment { now: at.now, entropy: chance.draw() }
}

/// Express executions of one name are told apart by a UUID.
fn execution_arn(place: &Place, resolved: &Resolved, name: &str, chance: &Chance) -> Text {
    let machine = &resolved.machine.name;
    match resolved.machine.express {
        true => place.arn(format_args!("express:{machine}:{name}:{}", chance.uuid())),
        false => place.arn(format_args!("execution:{machine}:{name}")),
    }
}

fn status_of(execution: &Execution) -> ExecutionStatus {
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

/// Why an execution cannot be redriven; `None` when it can. The first two texts are recorded.
fn not_redrivable(execution: &Execution, now: Timestamp) -> Option<String> {
    let name = execution.status.name();
    if matches!(execution.status, Status::Running | Status::Succeeded(_)) {
        return Some(format!("Execution is {name} and cannot be redriven"));
    }
    if execution.last_event_id >= quota::HISTORY_EVENTS_MAX - 1 {
        return Some("Execution history event limit exceeded".to_owned());
    }
    let stopped_at = execution.stopped_at.unwrap_or(now);
    let is_late = now > stopped_at.plus_ms(REDRIVE_DAYS * 86_400_000);
    is_late.then(|| "Execution has exceeded its redrivable period".to_owned())
}

fn list_item(run: &Run, execution: &Execution) -> ExecutionListItem {
    let identity = &execution.identity;
    ExecutionListItem {
        execution_arn: identity.arn.clone(),
        state_machine_arn: run.machine.arn.clone(),
        name: identity.name.clone(),
        status: status_of(execution),
        start_date: execution.started_at,
        stop_date: execution.stopped_at,
        map_run_arn: None,
        item_count: None,
        state_machine_version_arn: identity.state_machine_version_arn.clone(),
        state_machine_alias_arn: identity.state_machine_alias_arn.clone(),
        redrive_count: Some(i64::try_from(execution.redrive_count).unwrap_or(i64::MAX)),
        redrive_date: execution.redriven_at,
    }
}

fn included() -> CloudWatchEventsExecutionDataDetails {
    CloudWatchEventsExecutionDataDetails { included: Some(true) }
}
