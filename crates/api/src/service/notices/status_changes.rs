//! Changes of an execution's status, as AWS raises them on EventBridge's default bus.
//!
//! Standard executions raise them, Express ones do not.

use stepwell_interpreter::{Chance, Execution, Moment, Settings};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::shapes::{ExecutionRedriveStatus, ExecutionStatus};
use stepwell_spec::{Arn, Event, Record, Text, Timestamp, quota};

use super::log_events::escaped_bytes;
use crate::service::redrives::not_redrivable_as;

/// An execution has another status.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusChange {
    /// Names the event: a UUID.
    pub id: String,
    /// Whose execution it is.
    pub account: String,
    /// Where it runs.
    pub region: Text,
    /// When the status changed.
    pub time: Timestamp,
    /// The execution's ARN.
    pub execution_arn: Text,
    /// How the execution stands: as `DescribeExecution` shows it, with times in milliseconds and `null` for what is not there.
    pub detail: Json,
}

impl StatusChange {
    /// The event as rules of EventBridge see it.
    pub fn to_event(&self) -> Json {
        let time = self.time.to_string();
        Json::object([
            ("version", Json::from("0")),
            ("id", Json::from(self.id.as_str())),
            ("detail-type", Json::from("Step Functions Execution Status Change")),
            ("source", Json::from("aws.states")),
            ("account", Json::from(self.account.as_str())),
            ("time", Json::from(format!("{}Z", time.get(..19).unwrap_or_default()))),
            ("region", Json::String(self.region.clone())),
            ("resources", Json::array(vec![Json::String(self.execution_arn.clone())])),
            ("detail", self.detail.clone()),
        ])
    }

    /// The same without what came from the execution's data: input, output and cause.
    pub fn without_data(&self) -> StatusChange {
        let Json::Object(detail) = &self.detail else { return self.clone() };
        let mut detail = detail.to_builder();
        for key in ["input", "output", "cause"] {
            detail.insert(key, Json::Null);
        }
        for key in ["inputDetails", "outputDetails"] {
            if detail.get(key).is_some_and(|details| !details.is_null()) {
                detail.insert(key, included(false));
            }
        }
        StatusChange { detail: Json::Object(detail.build()), ..self.clone() }
    }
}

/// The change of status that a record of an execution is, if it is one.
pub(super) fn status_change(execution: &Execution, record: &Record, entropy: u64) -> Option<StatusChange> {
    let status = status_after(&record.event)?;
    if execution.settings == Settings::express() {
        return None;
    }
    let identity = &execution.identity;
    let chance = Chance::new(Moment { now: record.timestamp, entropy: entropy ^ record.id });
    Some(StatusChange {
        id: chance.uuid(),
        account: Arn::parse(&identity.arn).map(|arn| arn.account.to_owned()).unwrap_or_default(),
        region: identity.region.clone(),
        time: record.timestamp,
        execution_arn: identity.arn.clone(),
        detail: detail(execution, record, status),
    })
}

/// The status that an event leads to; `None` for events in the midst of an execution.
fn status_after(event: &Event) -> Option<ExecutionStatus> {
    match event {
        Event::ExecutionStarted(_) | Event::ExecutionRedriven(_) => Some(ExecutionStatus::Running),
        Event::ExecutionSucceeded(_) => Some(ExecutionStatus::Succeeded),
        Event::ExecutionFailed(_) => Some(ExecutionStatus::Failed),
        Event::ExecutionTimedOut(_) => Some(ExecutionStatus::TimedOut),
        Event::ExecutionAborted(_) => Some(ExecutionStatus::Aborted),
        _ => None,
    }
}

/// The execution may have gone on since the record: only what never changes is taken from it, and its redrives, of which
/// a step has at most one, at its beginning.
fn detail(execution: &Execution, record: &Record, status: ExecutionStatus) -> Json {
    let identity = &execution.identity;
    let (mut output, mut error, mut cause) = (None, None, None);
    match &record.event {
        Event::ExecutionSucceeded(end) => output = Some(Text::from(end.output.value.to_string())),
        Event::ExecutionFailed(end) => (error, cause) = (end.error.clone(), end.cause.clone()),
        Event::ExecutionAborted(end) => (error, cause) = (end.error.clone(), end.cause.clone()),
        _ => {}
    }
    let input = execution.input_text.clone().unwrap_or_else(|| execution.input.to_string().into());
    let (input, output) = within_limit(input, output);
    let reason = not_redrivable_as(status, record.id);
    let redrive_status = match reason {
        None => ExecutionRedriveStatus::Redrivable,
        Some(_) => ExecutionRedriveStatus::NotRedrivable,
    };
    let text = |text: Option<Text>| text.map_or(Json::Null, Json::String);
    let time = |time: Option<Timestamp>| time.map_or(Json::Null, |time| Json::from(time.0));
    let mut detail = ObjectBuilder::with_capacity(18);
    detail.insert("executionArn", Json::String(identity.arn.clone()));
    detail.insert("stateMachineArn", Json::String(identity.state_machine_arn.clone()));
    detail.insert("name", Json::String(identity.name.clone()));
    detail.insert("status", Json::from(status.text()));
    detail.insert("startDate", time(Some(execution.started_at)));
    detail.insert("stopDate", time((status != ExecutionStatus::Running).then_some(record.timestamp)));
    detail.insert("input", input.shown());
    detail.insert("output", output.shown());
    detail.insert("stateMachineVersionArn", text(identity.state_machine_version_arn.clone()));
    detail.insert("stateMachineAliasArn", text(identity.state_machine_alias_arn.clone()));
    detail.insert("redriveCount", Json::from(execution.redrive_count));
    detail.insert("redriveDate", time(execution.redriven_at));
    detail.insert("redriveStatus", Json::from(redrive_status.text()));
    detail.insert("redriveStatusReason", text(reason.map(Text::from)));
    detail.insert("inputDetails", input.details());
    detail.insert("outputDetails", output.details());
    detail.insert("error", text(error));
    detail.insert("cause", text(cause));
    Json::Object(detail.build())
}

/// A payload in an event.
#[derive(Debug, PartialEq)]
enum Carried {
    /// There is none.
    None,
    /// There is, and it is too large.
    TooLarge,
    /// Its text.
    Text(Text),
}

impl Carried {
    fn shown(&self) -> Json {
        match self {
            Carried::None | Carried::TooLarge => Json::Null,
            Carried::Text(text) => Json::String(text.clone()),
        }
    }

    fn details(&self) -> Json {
        match self {
            Carried::None => Json::Null,
            Carried::TooLarge => included(false),
            Carried::Text(_) => included(true),
        }
    }
}

fn included(is: bool) -> Json {
    Json::object([("included", Json::Bool(is))])
}

/// Input and output as far as an event has room for them: the input goes when both together are too large, the output when
/// it is by itself.
///
/// Source: Developer Guide, "EventBridge payloads".
fn within_limit(input: Text, output: Option<Text>) -> (Carried, Carried) {
    const MAX: usize = quota::ESCAPED_PAYLOAD_BYTES_MAX;
    let output_bytes = output.as_ref().map_or(0, escaped_bytes);
    let input = if escaped_bytes(&input) + output_bytes > MAX { Carried::TooLarge } else { Carried::Text(input) };
    let output = match output {
        None => Carried::None,
        Some(_) if output_bytes > MAX => Carried::TooLarge,
        Some(text) => Carried::Text(text),
    };
    (input, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_leave_an_event_when_they_are_too_large_for_it() {
        const MAX: usize = quota::ESCAPED_PAYLOAD_BYTES_MAX;
        let check = |input: usize, output: Option<usize>, expected: (bool, Option<bool>)| {
            let text = |bytes: usize| Text::from("x".repeat(bytes));
            let (input, output) = within_limit(text(input), output.map(text));
            let is_carried = |carried: &Carried| match carried {
                Carried::None => None,
                Carried::TooLarge => Some(false),
                Carried::Text(_) => Some(true),
            };
            assert_eq!((is_carried(&input), is_carried(&output)), (Some(expected.0), expected.1));
            assert_eq!(input.shown().is_null(), !expected.0);
            assert_eq!(output.details(), expected.1.map_or(Json::Null, included));
        };
        check(2, None, (true, None));
        check(MAX, None, (true, None));
        check(MAX + 1, None, (false, None));
        check(MAX - 7, Some(7), (true, Some(true)));
        check(MAX - 7, Some(8), (false, Some(true)));
        check(2, Some(MAX), (false, Some(true)));
        check(2, Some(MAX + 1), (false, Some(false)));
        // A quote takes two bytes when it is escaped.
        let (input, _) = within_limit("\"".repeat(MAX / 2 + 1).into(), None);
        assert_eq!(input, Carried::TooLarge);
    }
}
