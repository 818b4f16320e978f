//! Events for CloudWatch Logs, as AWS writes them.
//!
//! Which level writes which event is a column of the table of events.

use stepwell_interpreter::Execution;
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::shapes::{LogLevel, LoggingConfiguration};
use stepwell_spec::{Event, Record, Text, Timestamp, quota};

/// An event for a log group.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEvent {
    /// ARN of the log group, `:*` at its end.
    pub log_group_arn: Text,
    /// The stream in it.
    pub log_stream_name: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What happened: the object whose text is the event's message.
    pub message: Json,
}

/// Parts of an event's details that are cut when they are too long for a log.
const CUT: [(&str, &str); 2] = [("input", "inputDetails"), ("output", "outputDetails")];

/// What a record of an execution gives the log of its state machine; nothing when the level does not ask for it.
pub(super) fn log_event(
    configuration: &LoggingConfiguration,
    machine_name: &str,
    execution: &Execution,
    record: &Record,
) -> Option<LogEvent> {
    if !writes(configuration.level.unwrap_or(LogLevel::Off), &record.event) {
        return None;
    }
    let destination = configuration.destinations.as_deref()?.first()?;
    let log_group_arn = destination.cloud_watch_logs_log_group.as_ref()?.log_group_arn.clone()?;
    Some(LogEvent {
        log_group_arn,
        log_stream_name: log_stream_name(machine_name, execution.started_at),
        timestamp: record.timestamp,
        message: message(execution, record, configuration.include_execution_data == Some(true)),
    })
}

/// Whether logging at this level writes the event.
fn writes(level: LogLevel, event: &Event) -> bool {
    match event.row().logged_at {
        None => false,
        Some(quietest) => level != LogLevel::Off && level <= quietest,
    }
}

/// Numbers are written as text. An event that has no details of its own has empty ones.
fn message(execution: &Execution, record: &Record, with_data: bool) -> Json {
    let details = record.event.details(with_data).map_or_else(Json::empty_object, |(_, details)| within_limit(details));
    let number = |number: u64| Json::from(number.to_string());
    let mut message = ObjectBuilder::with_capacity(7);
    message.insert("id", number(record.id));
    message.insert("type", Json::from(record.event.row().name));
    message.insert("details", details);
    message.insert("previous_event_id", number(record.previous_event_id));
    message.insert("event_timestamp", Json::from(record.timestamp.0.to_string()));
    message.insert("execution_arn", Json::String(execution.identity.arn.clone()));
    message.insert("redrive_count", number(execution.redrive_count));
    Json::Object(message.build())
}

/// `states/NAME/YYYY-MM-DD-HH-MM/00000000`. The minute is that of the execution's start, so that all of its events stand in
/// one stream; what AWS counts behind it is not known.
fn log_stream_name(machine_name: &str, started_at: Timestamp) -> String {
    let minute = started_at.to_string().replace(['T', ':'], "-");
    format!("states/{machine_name}/{}/00000000", minute.get(..16).unwrap_or_default())
}

/// The details with what is too long cut.
///
/// Source: Developer Guide, "CloudWatch Logs payloads".
fn within_limit(details: Json) -> Json {
    let Json::Object(members) = &details else { return details };
    let mut cut: Option<ObjectBuilder> = None;
    for (key, about) in CUT {
        let Some(Json::String(text)) = members.get(key) else { continue };
        if is_within_limit(text) {
            continue;
        }
        let cut = cut.get_or_insert_with(|| members.to_builder());
        cut.insert(key, Json::from(beginning_within_limit(text)));
        cut.insert(about, Json::object([("truncated", Json::Bool(true))]));
    }
    match cut {
        None => details,
        Some(cut) => Json::Object(cut.build()),
    }
}

/// Whether a payload's text, escaped, has room in a message.
fn is_within_limit(text: &Text) -> bool {
    escaped_bytes(text) <= quota::ESCAPED_PAYLOAD_BYTES_MAX
}

/// Bytes of a text as it stands between quotes.
pub(super) fn escaped_bytes(text: &Text) -> usize {
    Json::String(text.clone()).serialized_bytes() - 2
}

/// As much of the text as has room.
fn beginning_within_limit(text: &str) -> &str {
    let mut bytes = 0;
    let end = text.char_indices().find(|(_, character)| {
        bytes += Json::from(character.to_string()).serialized_bytes() - 2;
        bytes > quota::ESCAPED_PAYLOAD_BYTES_MAX
    });
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwell_spec::{Payload, StateEntered, StateExited};

    #[test]
    fn a_level_writes_what_quieter_ones_write_and_more() {
        let entered = |name: &str| {
            let input = Payload::from(Json::Null);
            let details = StateEntered { name: name.into(), input, state: 0 };
            if name == "fail" { Event::FailStateEntered(details) } else { Event::PassStateEntered(details) }
        };
        let aborted = Event::ExecutionAborted(stepwell_spec::ExecutionAborted { error: None, cause: None });
        let kept = Event::WaitScheduled(stepwell_spec::WaitScheduled { until: Timestamp(0) });
        let check = |event: &Event, expected: [bool; 4]| {
            let levels = [LogLevel::All, LogLevel::Error, LogLevel::Fatal, LogLevel::Off];
            assert_eq!(levels.map(|level| writes(level, event)), expected, "{event:?}");
        };
        check(&entered("pass"), [true, false, false, false]);
        check(&entered("fail"), [true, true, false, false]);
        check(&aborted, [true, true, true, false]);
        check(&kept, [false, false, false, false]);
    }

    #[test]
    fn streams_are_named_after_the_machine_and_the_minute() {
        assert_eq!(log_stream_name("m", Timestamp(1_700_000_000_123)), "states/m/2023-11-14-22-13/00000000");
    }

    #[test]
    fn long_payloads_are_cut_where_their_escaped_text_is_too_long() {
        let max = quota::ESCAPED_PAYLOAD_BYTES_MAX;
        // What the payload is made of, how often it is there, and how much of it is left.
        let check = |unit: &str, times: usize, left: usize| {
            let value = Json::from(unit.repeat(times));
            let event = Event::PassStateExited(StateExited {
                name: "P".into(),
                output: Payload { value, text: Some(unit.repeat(times).into()) },
                assigned_variables: stepwell_spec::AssignedVariables::default(),
                onward: stepwell_spec::Onward::End,
            });
            let details = event.details(true).map(|(_, details)| within_limit(details)).expect("details");
            let output = details.get("output").and_then(Json::as_str).expect("an output");
            let truncated = details.get("outputDetails").and_then(|details| details.get("truncated")?.as_bool());
            assert_eq!((output.len(), truncated), (unit.len() * left, Some(left < times)), "{unit}");
            assert!(output.chars().all(|character| unit.starts_with(character)));
        };
        check("a", 1, 1);
        check("a", max, max);
        check("a", max + 1, max);
        check("\"", max / 2, max / 2);
        check("\"", max / 2 + 1, max / 2);
        check("é", max / 2 + 7, max / 2);
        check("😀", max / 4 + 1, max / 4);
    }
}
