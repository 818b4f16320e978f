//! What stands for a state's work: a result or an error, and whether the work could have come to that.

use stepwell_asl::{Pattern, ResourceKind, StateKind};
use stepwell_interpreter::{Failure, TestedState};
use stepwell_json::Json;
use stepwell_spec::shapes::{MockInput, MockResponseValidationMode, TestStateConfiguration};
use stepwell_spec::{Responses, error, result_of};

use super::response_fields::check_fields;
use super::subject::Subject;
use crate::refusal::Refusal;

/// What a state's work is said to come to.
pub(super) enum Mock {
    Result(Json),
    Error(Failure),
}

impl Mock {
    /// Reads a mock, and refuses a result that the state's work cannot have. Messages are recorded unless said otherwise.
    pub(super) fn read(mock: &MockInput, subject: &Subject) -> Result<Mock, Refusal> {
        if let Some(error_output) = &mock.error_output {
            let mut failure = Failure::default();
            failure.error.clone_from(&error_output.error);
            failure.cause.clone_from(&error_output.cause);
            return Ok(Mock::Error(failure));
        }
        let text = mock.result.as_deref().unwrap_or_default();
        let result = Json::parse(text).map_err(|_| Refusal::invalid_request("Mocked result must be valid JSON"))?;
        match &subject.state().kind {
            StateKind::Map(map) => {
                let is_written = map.mode.distributed().is_some_and(|mode| mode.result_writer.is_some());
                if is_written && result.as_object().is_none() {
                    // Not recorded.
                    return Err(Refusal::invalid_request("Mocked result must be a JSON object."));
                }
                if !is_written {
                    check_array(&result)?;
                }
            }
            StateKind::Parallel(parallel) => {
                let count = check_array(&result)?;
                if count != parallel.branches.len() {
                    return Err(Refusal::invalid_request(
                        "Mocked result must contain the same number of items as number of Parallel branches.",
                    ));
                }
            }
            StateKind::Task(task) => {
                check_response(&task.resource.kind, &result, mock.field_validation_mode)?;
            }
            StateKind::Pass(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_) => {}
        }
        Ok(Mock::Result(result))
    }

    /// What the state's work comes to. A Map state's iterations have failed too often when the configuration says so.
    pub(super) fn answer(
        &self,
        tested: &TestedState,
        configuration: Option<&TestStateConfiguration>,
    ) -> Result<Json, Failure> {
        match self {
            Mock::Error(failure) => Err(failure.clone()),
            Mock::Result(result) => {
                let failed = configuration.and_then(|it| it.map_iteration_failure_count).unwrap_or(0);
                let failed = u64::try_from(failed).unwrap_or(0);
                if exceeds_threshold(tested, failed) {
                    let cause = "The specified tolerated failure threshold was exceeded";
                    return Err(Failure::new(error::EXCEED_TOLERATED_FAILURE_THRESHOLD, cause));
                }
                Ok(result.clone())
            }
        }
    }
}

/// Whether more iterations failed than the state tolerates. Seen on AWS: one that says nothing tolerates them all here.
fn exceeds_threshold(tested: &TestedState, failed: u64) -> bool {
    let seen = tested.inspection();
    let items = tested.items().unwrap_or(0);
    let share = if items == 0 { 0.0 } else { failed as f64 * 100.0 / items as f64 };
    seen.tolerated_failure_count.is_some_and(|most| failed > most)
        || seen.tolerated_failure_percentage.is_some_and(|most| share > most)
}

fn check_array(result: &Json) -> Result<usize, Refusal> {
    match result.as_array() {
        Some(items) => Ok(items.len()),
        None => Err(Refusal::invalid_request("Mocked result must be an array.")),
    }
}

/// Holds a task's result against the API that gives it, as far as that is known.
///
/// What a function, an activity's worker or whoever sends a token back says is theirs; an API endpoint has no model.
fn check_response(kind: &ResourceKind, result: &Json, mode: Option<MockResponseValidationMode>) -> Result<(), Refusal> {
    let is_strict = match mode {
        None | Some(MockResponseValidationMode::Strict) => true,
        Some(MockResponseValidationMode::Present) => false,
        Some(MockResponseValidationMode::None) => return Ok(()),
    };
    let ResourceKind::Integration(integration) = kind else { return Ok(()) };
    let (resource_type, action) = (&*integration.resource_type, &*integration.action);
    let waits_for_job = match integration.pattern {
        Pattern::WaitForTaskToken => return Ok(()),
        Pattern::RequestResponse => false,
        Pattern::Sync | Pattern::Sync2 => true,
    };
    let operation = match resource_type.strip_prefix("aws-sdk:") {
        Some(service) => Responses::of(service).zip(capitalized(action)),
        None => result_of(resource_type, action, waits_for_job)
            .and_then(|(service, operation)| Responses::of(service).zip(Some(operation.to_owned()))),
    };
    let Some((responses, operation)) = operation else { return Ok(()) };
    let Some(fields) = responses.operation(&operation) else { return Ok(()) };
    // `.sync:2` gives as JSON what the API gives as text.
    let parsed: &[&str] = if integration.pattern == Pattern::Sync2 { &["Input", "Output"] } else { &[] };
    check_fields(responses, fields, result, is_strict, parsed)
        .map_err(|fault| Refusal::invalid_request(format!("Mock result schema validation error: {fault}")))
}

/// An operation's own name, of which definitions write the first letter small.
fn capitalized(action: &str) -> Option<String> {
    let first = action.chars().next()?;
    Some(first.to_uppercase().chain(action.chars().skip(1)).collect())
}
