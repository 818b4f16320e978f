//! Machines at the edge of what AWS allows (I20): histories of some 25,000 events, payloads of some 262,144 bytes. What is within ends as
//! any other, what is beyond ends in the failure that AWS names, and nothing is stuck or beyond.

use stepwell_json::Json;
use stepwell_sim_disk::Random;
use stepwell_spec::quota::{HISTORY_EVENTS_MAX, PAYLOAD_BYTES_MAX};

use crate::history::Event;
use crate::machines::{End, Kind};

/// Attempts of the task.
const ATTEMPTS: u64 = 3;

/// Sizes of the result of a task: small; doubled to the very limit, and just over; the limit itself, and a byte more.
const RESULT_BYTES: [usize; 5] = [500, 131_075, 131_076, PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX + 1];

/// A Map whose iterations fill the history, then a task and a wait around the quota.
pub(crate) fn long_states(task: &str, catch: &str, caught: &str) -> String {
    format!(
        r#""Each":{{"Type":"Map","ItemsPath":"$.items","ItemProcessor":{{"StartAt":"Note","States":{{"Note":{{"Type":"Pass","End":true}}}}}},
        "ResultPath":null,"Next":"Work"}},
        "Work":{{{task},"Parameters":{{"fail.$":"$.fail"}},{catch},"Next":"Pause"}},"Pause":{{"Type":"Wait","Seconds":1,"End":true}},{caught}"#
    )
}

pub(crate) fn long_input(random: &mut Random) -> Json {
    let items = random.between(HISTORY_EVENTS_MAX / 4 - 8, HISTORY_EVENTS_MAX / 4 + 1);
    let fail = Json::from([0, 1, 2, 9][random.below(4)]);
    Json::object([("items", Json::array(vec![Json::from(0); items as usize])), ("fail", fail)])
}

/// The events of an execution with this input that nobody stops: as many as it would have without a quota.
fn long_events(input: &Json) -> u64 {
    let items = input.get("items").and_then(Json::as_array).map_or(0, |items| items.len()) as u64;
    let attempts = attempts(input);
    // ExecutionStarted; of the Map, the task, and the Wait or Pass behind it: Entered and Exited, of the Map also Started and Succeeded;
    // ExecutionSucceeded.
    1 + 4 + 4 * items + 2 + 3 * attempts + 2 + 1
}

fn attempts(input: &Json) -> u64 {
    let failures = input.get("fail").and_then(Json::as_i64).unwrap_or(0) as u64;
    (failures + 1).min(ATTEMPTS)
}

fn is_caught(input: &Json) -> bool {
    input.get("fail").and_then(Json::as_i64).unwrap_or(0) as u64 >= ATTEMPTS
}

pub(crate) fn long_ends(input: &Json) -> Vec<End> {
    if long_events(input) > HISTORY_EVENTS_MAX {
        return vec![End::Error("States.Runtime")];
    }
    let output = match is_caught(input) {
        true => Json::object([("caught", Json::from("Again"))]),
        false => Json::object([("fail", input.get("fail").cloned().unwrap_or(Json::Null))]),
    };
    vec![End::Output(output)]
}

/// A task with a large result, and a state that doubles it.
pub(crate) fn large_states(task: &str, catch: &str, caught: &str) -> String {
    format!(
        r#""Work":{{{task},{catch},"Next":"Double"}},"Double":{{"Type":"Pass","Parameters":{{"aa.$":"$.text","b.$":"$.text"}},"End":true}},{caught}"#
    )
}

pub(crate) fn large_input(random: &mut Random) -> Json {
    Json::object([("bytes", Json::from(RESULT_BYTES[random.below(RESULT_BYTES.len())] as u64))])
}

/// The result of a task whose input asks for one of some size.
pub(crate) fn large_result(input: &Json) -> Option<Json> {
    let bytes = usize::try_from(input.get("bytes")?.as_i64()?).ok()?;
    let around = text_of("").serialized_bytes();
    Some(text_of(&"x".repeat(bytes - around)))
}

fn text_of(text: &str) -> Json {
    Json::object([("text", Json::from(text))])
}

pub(crate) fn large_ends(input: &Json) -> Vec<End> {
    let Some(result) = large_result(input) else { return Vec::new() };
    if result.serialized_bytes() > PAYLOAD_BYTES_MAX {
        return vec![End::Output(Json::object([("caught", Json::from("States.DataLimitExceeded"))]))];
    }
    let text = result.get("text").cloned().unwrap_or(Json::Null);
    let doubled = Json::object([("aa", text.clone()), ("b", text)]);
    match doubled.serialized_bytes() > PAYLOAD_BYTES_MAX {
        true => vec![End::Error("States.DataLimitExceeded")],
        false => vec![End::Output(doubled)],
    }
}

/// I20: no history is longer than it may be, and one that ends in the quota's failure is exactly as long.
pub(crate) fn check_length(events: &[Event]) -> Result<(), String> {
    let count = events.len() as u64;
    if count > HISTORY_EVENTS_MAX {
        return Err(format!("I20: a history has {count} events"));
    }
    let is_full = events.last().is_some_and(|event| event.is_failed_by("States.Runtime"));
    if is_full && count < HISTORY_EVENTS_MAX {
        return Err(format!("I20: a history is full with {count} events"));
    }
    Ok(())
}

/// Whether the execution with this ARN has one of those histories, which are read in large pages only.
pub(crate) fn is_long(arn: &str) -> bool {
    arn.contains(&format!(":execution:{}:", Kind::Long.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_of_their_size_and_stand_at_both_sides_of_the_limit() {
        let ends: Vec<bool> = RESULT_BYTES
            .iter()
            .map(|&bytes| {
                let input = Json::object([("bytes", Json::from(bytes as u64))]);
                assert_eq!(large_result(&input).map(|result| result.serialized_bytes()), Some(bytes));
                matches!(large_ends(&input)[..], [End::Output(ref output)] if output.get("aa").is_some())
            })
            .collect();
        assert_eq!(ends, [true, true, false, false, false]);
    }

    #[test]
    fn long_histories_stand_at_both_sides_of_the_quota() {
        let mut random = Random::new(1);
        let events: Vec<u64> = (0..200).map(|_| long_events(&long_input(&mut random))).collect();
        assert!(events.contains(&HISTORY_EVENTS_MAX) || events.contains(&(HISTORY_EVENTS_MAX - 1)));
        assert!(events.contains(&(HISTORY_EVENTS_MAX + 1)));
    }
}
