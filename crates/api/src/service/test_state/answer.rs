//! What TestState answers: status, output, and what was seen on the way as far as the inspection level tells it.

use stepwell_asl::{DataFlow, StateId, StateKind};
use stepwell_interpreter::{Failure, Inspection, TestOutcome};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::Text;
use stepwell_spec::shapes::{
    InspectionData, InspectionErrorDetails, InspectionLevel, TestExecutionStatus, TestStateInput, TestStateOutput,
};

use super::Test;
use super::mock::Mock;
use super::subject::Subject;

/// How values become texts again.
///
/// Seen on AWS: what came in and is passed on whole is shown to the letter, and other arrays with a space behind each
/// comma.
pub(super) struct Texts {
    given: Vec<(Json, Text)>,
}

impl Texts {
    /// With what the request gives as text.
    pub(super) fn of(request: &TestStateInput, input: &Json, mock: Option<&Mock>) -> Texts {
        let result_text = request.mock.as_ref().and_then(|mock| mock.result.clone());
        let result = match mock {
            Some(Mock::Result(result)) => Some(result),
            Some(Mock::Error(_)) | None => None,
        };
        let given = [(Some(input), request.input.clone()), (result, result_text)];
        let given = given.into_iter().filter_map(|(value, text)| Some((value?.clone(), text?)));
        Texts { given: given.collect() }
    }

    fn text(&self, value: &Json) -> Text {
        if let Some((_, text)) = self.given.iter().find(|(given, _)| given == value) {
            return text.clone();
        }
        match value {
            Json::Array(items) => {
                let items: Vec<String> = items.iter().map(Json::to_string).collect();
                format!("[{}]", items.join(", ")).into()
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
                value.to_string().into()
            }
        }
    }
}

/// The answer to a test that has come to its end.
pub(super) fn answer(level: Option<InspectionLevel>, test: &Test) -> TestStateOutput {
    let Test { subject, mock: _, texts, variables, tested } = test;
    let outcome = tested.outcome();
    let name = |id: StateId| subject.definition.state(id).name.clone();
    let (status, output, next, failure) = match &outcome {
        Some(TestOutcome::Succeeded { output, next }) => (TestExecutionStatus::Succeeded, Some(output), *next, None),
        Some(TestOutcome::Caught { output, next, failure }) => {
            (TestExecutionStatus::CaughtError, Some(output), Some(*next), Some(failure))
        }
        Some(TestOutcome::Retriable { failure, .. }) => (TestExecutionStatus::Retriable, None, None, Some(failure)),
        Some(TestOutcome::Failed { failure }) => (TestExecutionStatus::Failed, None, None, Some(failure)),
        None => unreachable!("a state that may be tested without a mock waits for no answer but a task's"),
    };
    let inspection_data = match level {
        None | Some(InspectionLevel::Info) => None,
        Some(InspectionLevel::Debug | InspectionLevel::Trace) => {
            let seen = tested.inspection();
            Some(InspectionData {
                error_details: failure.and_then(|failure| error_details(subject, failure, outcome.as_ref())),
                variables: shown_variables(variables, tested.assigned()),
                ..data(subject, seen, texts, tested.input())
            })
        }
    };
    TestStateOutput {
        output: output.map(|output| texts.text(output)),
        error: failure.and_then(|failure| failure.error.clone()),
        cause: failure.and_then(|failure| failure.cause.clone()),
        inspection_data,
        next_state: next.map(name),
        status: Some(status),
    }
}

/// What was seen of the state's data, as far as AWS shows it for this type of state.
fn data(subject: &Subject, seen: Inspection, texts: &Texts, input: &Json) -> InspectionData {
    let state = subject.state();
    let (shows_work_input, shows_result) = match &state.kind {
        // Seen on AWS: a fixed result is shown instead of what the input would have become.
        StateKind::Pass(pass) => (pass.result.is_none(), pass.result.is_some()),
        StateKind::Task(_) => (true, true),
        // Seen on AWS for Map: what iterations came to is not shown by itself.
        StateKind::Map(_) | StateKind::Parallel(_) => (true, false),
        StateKind::Choice(_) | StateKind::Wait(_) | StateKind::Succeed | StateKind::Fail(_) => (true, true),
    };
    let text = |value: Option<Json>| value.map(|value| texts.text(&value));
    let number = |value: Option<u64>| value.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
    InspectionData {
        input: Some(texts.text(input)),
        after_arguments: text(seen.after_arguments),
        after_input_path: text(seen.after_input_path.filter(|_| shows_work_input)),
        after_parameters: text(seen.after_parameters.filter(|_| shows_work_input)),
        result: text(seen.result.filter(|_| shows_result)),
        after_result_selector: text(seen.after_result_selector),
        after_result_path: text(seen.after_result_path),
        request: None,
        response: None,
        variables: None,
        error_details: None,
        after_items_path: text(seen.after_items_path.filter(|_| matches!(state.data_flow, DataFlow::JsonPath(_)))),
        after_item_selector: text(seen.after_item_selector),
        after_item_batcher: text(seen.after_item_batcher),
        after_items_pointer: text(seen.after_items_pointer),
        tolerated_failure_count: number(seen.tolerated_failure_count),
        tolerated_failure_percentage: seen.tolerated_failure_percentage,
        max_concurrency: number(seen.max_concurrency),
    }
}

/// The variables after the state, unless there are none.
fn shown_variables(before: &[(Text, Json)], assigned: &[(Text, Json)]) -> Option<Text> {
    let mut variables = ObjectBuilder::new();
    for (name, value) in before.iter().chain(assigned) {
        variables.insert(name.clone(), value.clone());
    }
    let variables = variables.build();
    (!variables.is_empty()).then(|| Json::Object(variables).to_string().into())
}

/// Which Retrier and which Catcher are for the failure; nothing when neither is.
///
/// Seen on AWS: a Retrier that has no attempts left is told as well, without an interval.
fn error_details(
    subject: &Subject,
    failure: &Failure,
    outcome: Option<&TestOutcome>,
) -> Option<InspectionErrorDetails> {
    let state = subject.state();
    let index = |place: Option<usize>| place.and_then(|place| i64::try_from(place).ok());
    let retry_index = index(state.retriers().iter().position(|retrier| failure.is_any_of(&retrier.error_equals)));
    let (catch_index, interval) = match outcome {
        Some(TestOutcome::Caught { .. }) => {
            (index(state.catchers().iter().position(|catcher| failure.is_any_of(&catcher.error_equals))), None)
        }
        // Whole seconds are what there is a field for; jitter draws fractions.
        Some(TestOutcome::Retriable { delay_ms, .. }) => (None, i64::try_from(delay_ms.div_ceil(1000)).ok()),
        Some(TestOutcome::Succeeded { .. } | TestOutcome::Failed { .. }) | None => (None, None),
    };
    (retry_index.is_some() || catch_index.is_some()).then_some(InspectionErrorDetails {
        catch_index,
        retry_index,
        retry_backoff_interval_seconds: interval,
    })
}
