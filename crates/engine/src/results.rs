//! Results of child executions: what a Map Run's outputs, and the files that a `ResultWriter` writes, are made of.
//!
//! Source: Developer Guide, "ResultWriter (Map)": the transformations, and the executions as they show them.

use stepwell_asl::{Definition, ResultWriter};
use stepwell_interpreter::{ChildResult, Execution, Failure, Identity, MapRunRequest, ResultKind, Status};
use stepwell_json::{Json, ObjectBuilder};

/// How results are shown, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResultShape {
    /// Whether they are written outside.
    pub(crate) is_written: bool,
    /// Whether each is a line of its own.
    pub(crate) as_lines: bool,
    /// Whether they are shown with the execution around them.
    whole_executions: bool,
    /// Whether an array becomes its items.
    flat: bool,
}

impl ResultShape {
    pub(crate) fn of(definition: &Definition, request: &MapRunRequest) -> ResultShape {
        let distributed = definition.state(request.state).kind.distributed_map();
        let writer = distributed.and_then(|(_, distributed)| distributed.result_writer.as_ref());
        let Some(ResultWriter { resource, output_type, transformation, .. }) = writer else {
            return ResultShape::default();
        };
        let is_written = resource.is_some();
        ResultShape {
            is_written,
            as_lines: output_type.as_deref() == Some("JSONL"),
            whole_executions: match transformation.as_deref() {
                Some(name) => name == "NONE",
                None => is_written,
            },
            flat: transformation.as_deref() == Some("FLATTEN"),
        }
    }

    /// What an execution that has ended came to.
    pub(crate) fn result(&self, execution: &Execution) -> ChildResult {
        match &execution.status {
            Status::Succeeded(output) if !self.whole_executions => {
                ChildResult { kind: ResultKind::Succeeded, value: output.clone() }
            }
            Status::Succeeded(_) => ChildResult { kind: ResultKind::Succeeded, value: described(execution) },
            Status::Running | Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_) => {
                ChildResult { kind: ResultKind::Failed, value: described(execution) }
            }
        }
    }

    /// The results that one is.
    pub(crate) fn parts_of<'a>(&self, result: &'a ChildResult) -> impl Iterator<Item = Json> + use<'a> {
        let items = match &result.value {
            Json::Array(items) if self.flat && result.kind == ResultKind::Succeeded => Some(items),
            _ => None,
        };
        let whole = items.is_none().then(|| result.value.clone());
        whole.into_iter().chain(items.into_iter().flat_map(|items| items.iter().cloned()))
    }
}

/// An execution that has ended, as `DescribeExecution` describes it, under names with capitals.
fn described(execution: &Execution) -> Json {
    let identity = &execution.identity;
    let included = || Json::object([("Included", Json::Bool(true))]);
    let mut child = ObjectBuilder::new();
    let (output, failure) = match &execution.status {
        Status::Running => (None, None),
        Status::Succeeded(output) => (Some(output), None),
        Status::Failed(failure) | Status::TimedOut(failure) | Status::Aborted(failure) => (None, Some(failure)),
    };
    if let Some(Failure { error, cause, .. }) = failure {
        for (name, text) in [("Cause", cause), ("Error", error)] {
            if let Some(text) = text {
                child.insert(name, Json::String(text.clone()));
            }
        }
    }
    child.insert("ExecutionArn", Json::String(identity.arn.clone()));
    child.insert("Input", Json::from(execution.input.to_string()));
    child.insert("InputDetails", included());
    child.insert("Name", Json::String(identity.name.clone()));
    if let Some(output) = output {
        child.insert("Output", Json::from(output.to_string()));
        child.insert("OutputDetails", included());
    }
    child.insert("RedriveCount", Json::from(execution.redrive_count));
    if output.is_some() {
        child.insert("RedriveStatus", Json::from("NOT_REDRIVABLE"));
        child.insert("RedriveStatusReason", Json::from("Execution is SUCCEEDED and cannot be redriven"));
    }
    child.insert("StartDate", Json::from(execution.started_at.to_string()));
    child.insert("StateMachineArn", Json::String(identity.state_machine_arn.clone()));
    child.insert("Status", Json::from(execution.status.name()));
    if let Some(at) = execution.stopped_at {
        child.insert("StopDate", Json::from(at.to_string()));
    }
    Json::Object(child.build())
}

/// A child that was not started.
pub(crate) fn pending_child(of: &Identity, input: &Json) -> Json {
    Json::object([
        ("Input", Json::from(input.to_string())),
        ("InputDetails", Json::object([("Included", Json::Bool(true))])),
        ("StateMachineArn", Json::String(of.state_machine_arn.clone())),
        ("Status", Json::from("PENDING")),
    ])
}
