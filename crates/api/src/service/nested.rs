//! Tasks that start executions: `states:startExecution` in all its patterns, and its AWS SDK twin.

use std::sync::Arc;

use stepwell_asl::{Integration, Pattern};
use stepwell_engine::{ExecutionId, Input};
use stepwell_interpreter::{Chance, Command, Execution, Failure, Identity, Moment, Status, TaskKey, TaskRequest};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::shapes::{ExecutionStatus, StartExecutionInput};
use stepwell_spec::{Arn, Text, error};

use super::beginnings::WAITED_FOR;
use super::redrives::not_redrivable_as;
use super::residents::Run;
use super::{Place, Service};
use crate::checks::check_name;
use crate::refusal::Refusal;

/// A task that started an execution and waits for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ParentTask {
    pub(super) execution: ExecutionId,
    pub(super) key: TaskKey,
    /// `.sync:2`: the child's input and output come as JSON, not as text.
    pub(super) as_json: bool,
}

/// Whether this integration starts an execution of ours.
pub(super) fn starts_execution(integration: &Integration) -> bool {
    &*integration.action == "startExecution" && matches!(&*integration.resource_type, "states" | "aws-sdk:sfn")
}

impl Service {
    /// Starts an execution for a task: what follows from it.
    pub(super) fn start_nested(
        &mut self,
        parent: ExecutionId,
        identity: &Arc<Identity>,
        integration: &Integration,
        request: &TaskRequest,
        at: Moment,
    ) -> Vec<Input> {
        let task = request.key;
        let started =
            start_input(&request.input).and_then(|input| self.prepare_start(&place_of(identity, request), &input, at));
        let (started, first) = match started {
            Ok(started) => started,
            Err(refusal) => {
                let (error, cause) = nested_refusal(integration, &refusal, &Chance::new(at));
                return vec![Input::Command(parent, Command::TaskFailed { task, error, cause })];
            }
        };
        let mut output = ObjectBuilder::new();
        output.insert("ExecutionArn", Json::String(started.execution_arn.clone()));
        if &*integration.resource_type == "states" {
            add_transport_details(&mut output, started.execution_arn.len(), &Chance::new(at).uuid());
        }
        let start_date = match &*integration.resource_type {
            "states" => Json::from_f64(started.start_date.seconds()).unwrap_or(Json::Null),
            _ => Json::from(started.start_date.to_string()),
        };
        output.insert("StartDate", start_date);
        let output = Json::Object(output.build());
        let told = match integration.pattern {
            Pattern::RequestResponse => Command::TaskSucceeded { task, output },
            Pattern::WaitForTaskToken => Command::TaskSubmitted { task, output },
            Pattern::Sync | Pattern::Sync2 => {
                let waiting =
                    ParentTask { execution: parent, key: task, as_json: integration.pattern == Pattern::Sync2 };
                if let Some(child) = self.arns.get(&started.execution_arn).copied() {
                    self.wait_for_end(child, waiting, first.is_none());
                }
                Command::TaskSubmitted { task, output }
            }
        };
        // The parent is told first: a child that ends at once has its end to tell after that.
        [Some(Input::Command(parent, told)), first].into_iter().flatten().collect()
    }

    /// A task waits for the end of an execution: what is to begin says so itself, to what has begun a note is added.
    fn wait_for_end(&mut self, child: ExecutionId, parent: ParentTask, has_begun: bool) {
        let Some(run) = self.runs.get_mut(&child) else { return };
        run.parents.push(parent);
        if has_begun && run.is_kept {
            self.touched.insert(child);
            if let Err(fault) = self.journal.note(child, WAITED_FOR, &parent) {
                self.fault.get_or_insert(fault);
            }
        }
    }

    /// What is to be told to those that wait for an execution's end.
    pub(super) fn nested_ended(&self, child: ExecutionId) -> Vec<Input> {
        let (Some(run), Some(execution)) = (self.runs.get(&child), self.engine.execution(child)) else {
            return Vec::new();
        };
        run.parents.iter().map(|parent| nested_outcome(run, execution, parent)).collect()
    }
}

/// What a parent is told when the execution it waits for has ended.
fn nested_outcome(run: &Run, execution: &Execution, parent: &ParentTask) -> Input {
    let arn = &execution.identity.arn;
    let mut described = ObjectBuilder::new();
    if let Status::Failed(failure) | Status::TimedOut(failure) | Status::Aborted(failure) = &execution.status {
        let Failure { error, cause, .. } = failure;
        for (key, text) in [("Cause", cause), ("Error", error)] {
            if let Some(text) = text {
                described.insert(key, Json::String(text.clone()));
            }
        }
    }
    let payload = |value: &Json| if parent.as_json { value.clone() } else { Json::from(value.to_string()) };
    let included = || Json::object([("Included", Json::Bool(true))]);
    described.insert("ExecutionArn", Json::String(arn.clone()));
    described.insert("Input", payload(&execution.input));
    described.insert("InputDetails", included());
    described.insert("Name", Json::String(execution.identity.name.clone()));
    if let Status::Succeeded(output) = &execution.status {
        described.insert("Output", payload(output));
        described.insert("OutputDetails", included());
        // Recorded for `.sync` alone: `.sync:2` and causes were recorded before there were redrives.
        if !parent.as_json {
            described.insert("RedriveCount", Json::from(i64::try_from(execution.redrive_count).unwrap_or(i64::MAX)));
            if let Some(reason) = not_redrivable_as(ExecutionStatus::Succeeded, execution.last_event_id) {
                described.insert("RedriveStatus", Json::from("NOT_REDRIVABLE"));
                described.insert("RedriveStatusReason", Json::from(reason));
            }
        }
    }
    let ms = |time: stepwell_spec::Timestamp| Json::from(time.0);
    described.insert("StartDate", ms(execution.started_at));
    described.insert("StateMachineArn", Json::String(run.machine.arn.clone()));
    described.insert("Status", Json::from(execution.status.name()));
    described.insert("StopDate", execution.stopped_at.map_or(Json::Null, ms));
    let described = Json::Object(described.build());
    let task = parent.key;
    let command = match execution.status {
        Status::Succeeded(_) => Command::TaskSucceeded { task, output: described },
        Status::Running | Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_) => Command::TaskFailed {
            task,
            error: Some(error::TASK_FAILED.into()),
            cause: Some(described.to_string().into()),
        },
    };
    Input::Command(parent.execution, command)
}

/// Whose resources a task means: those of the account of its role, and of its execution's when it has none.
pub(super) fn place_of(identity: &Identity, request: &TaskRequest) -> Place {
    let account_of =
        |arn: &str| Arn::parse(arn).map(|arn| arn.account.to_owned()).filter(|account| !account.is_empty());
    let account = request.role_arn.as_deref().and_then(account_of).or_else(|| account_of(&identity.arn));
    Place { account: account.unwrap_or_default(), region: identity.region.to_string() }
}

/// The request of a task that starts an execution. `Input` may be any JSON; text is taken as it is.
fn start_input(arguments: &Json) -> Result<StartExecutionInput, Refusal> {
    let text = |key: &str| arguments.get(key).and_then(Json::as_str).map(Text::from);
    let state_machine_arn = text("StateMachineArn").ok_or_else(|| {
        Refusal::invalid_request(
            "1 validation error detected: Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null",
        )
    })?;
    let input = match arguments.get("Input") {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => Some(text.clone()),
        Some(value) => Some(value.to_string().into()),
    };
    let name = text("Name");
    name.as_deref().map_or(Ok(()), check_name)?;
    Ok(StartExecutionInput { state_machine_arn, name, input, trace_header: text("TraceHeader") })
}

/// Error name and cause as the two kinds of integration word them.
pub(super) fn nested_refusal(
    integration: &Integration,
    refusal: &Refusal,
    chance: &Chance,
) -> (Option<Text>, Option<Text>) {
    let (name, message) = (refusal.name(), refusal.message().unwrap_or_default());
    let name = name.strip_suffix("Exception").unwrap_or(name);
    let status = refusal.status();
    let request_id = chance.uuid();
    let (error, cause) = match &*integration.resource_type {
        "states" => (
            format!("StepFunctions.{name}Exception"),
            format!(
                "{message} (Service: AWSStepFunctions; Status Code: {status}; Error Code: {name}; Request ID: {request_id}; \
                 Proxy: null)"
            ),
        ),
        _ => (
            format!("Sfn.{name}Exception"),
            format!("{message} (Service: Sfn, Status Code: {status}, Request ID: {request_id})"),
        ),
    };
    (Some(error.into()), Some(cause.into()))
}

/// `SdkHttpMetadata` and `SdkResponseMetadata`, as an optimized integration adds them.
fn add_transport_details(output: &mut ObjectBuilder, arn_length: usize, request_id: &str) {
    let length = (arn_length + 74).to_string();
    let list = |text: &str| Json::array(vec![Json::from(text)]);
    let content_type = "application/x-amz-json-1.0";
    let all = Json::object([
        ("x-amzn-RequestId", list(request_id)),
        ("connection", list("keep-alive")),
        ("Content-Length", list(&length)),
        ("Date", list("")),
        ("Content-Type", list(content_type)),
    ]);
    let headers = Json::object([
        ("connection", Json::from("keep-alive")),
        ("Content-Length", Json::from(length.as_str())),
        ("Content-Type", Json::from(content_type)),
        ("Date", Json::from("")),
        ("x-amzn-RequestId", Json::from(request_id)),
    ]);
    let metadata =
        Json::object([("AllHttpHeaders", all), ("HttpHeaders", headers), ("HttpStatusCode", Json::from(200))]);
    output.insert("SdkHttpMetadata", metadata);
    output.insert("SdkResponseMetadata", Json::object([("RequestId", Json::from(request_id))]));
}
