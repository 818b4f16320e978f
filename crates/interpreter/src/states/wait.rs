//! Wait: leave at a moment known on entry.
//!
//! ```text
//! enter --(seconds | timestamp)--> WaitStateEntered, SetTimer
//! timer fired ------------------> WaitStateExited -> Next | End
//! stopped ----------------------> WaitStateAborted, CancelTimer
//! ```

use stepwell_asl::{Setting, State, StateKind, Wait, WaitUntil};
use stepwell_json::Json;
use stepwell_spec::{Event, Text, Timestamp, WaitScheduled, quota};

use crate::data_flow::{self, onward};
use crate::decide::Burst;
use crate::effect::{Effect, TimerKey};
use crate::execution::ThreadId;
use crate::failure::Failure;
use crate::query::{self, Location};
use crate::scope::{States, Surroundings};

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, state: &State, wait: &Wait) {
    let around = burst.around(thread);
    let until = data_flow::effective_input(&around, state).and_then(|effective| until(&around, wait, &effective));
    match until {
        Ok(until) => {
            burst.record(thread, 0, Event::WaitScheduled(WaitScheduled { until }));
            let timer = TimerKey::wait(thread, burst.execution.active(thread).entered_event_id);
            burst.effect(Effect::SetTimer(timer, until));
        }
        Err(failure) => burst.fail(thread, failure),
    }
}

/// The time has come.
pub(crate) fn resume(burst: &mut Burst<'_>, thread: ThreadId) {
    let definition = burst.definition();
    let state = definition.state(burst.execution.active(thread).state);
    let StateKind::Wait(wait) = &state.kind else { return };
    let around = burst.around(thread);
    let leaving = data_flow::effective_input(&around, state)
        .and_then(|effective| data_flow::leave_with_input(&around, state, &effective, onward(wait.transition)));
    burst.leave(thread, leaving);
}

fn until(around: &Surroundings<'_>, wait: &Wait, effective: &Json) -> Result<Timestamp, Failure> {
    match &wait.until {
        WaitUntil::Seconds(seconds) => {
            let seconds = seconds_of(around, seconds, effective)?;
            Ok(around.now.plus_ms(seconds.saturating_mul(1000)))
        }
        WaitUntil::Timestamp(timestamp) => timestamp_of(around, timestamp, effective),
    }
}

fn seconds_of(around: &Surroundings<'_>, setting: &Setting<u64>, effective: &Json) -> Result<u64, Failure> {
    let seconds = match setting {
        Setting::Literal(seconds) => *seconds,
        Setting::Query(query) => {
            query::count_setting(query, &Location::Field("Seconds"), &States::new(around, effective))?
        }
        Setting::Path(path) => {
            let text = path.text();
            let value = path.evaluate(&around.over(effective)).map_err(|_| {
                around.runtime_failure(&format!("The SecondsPath parameter does not reference an input value: {text}"))
            })?;
            value.as_number().and_then(|number| u64::try_from(number.as_integral()?).ok()).ok_or_else(|| {
                around.runtime_failure(&format!(
                    "The SecondsPath parameter cannot be parsed as a long value: {text} == {}",
                    shown(&value)
                ))
            })?
        }
    };
    if seconds > quota::SECONDS_MAX {
        let max = quota::SECONDS_MAX;
        return Err(
            around.runtime_failure(&format!("The Seconds value must not be greater than {max} but was: {seconds}"))
        );
    }
    Ok(seconds)
}

fn timestamp_of(around: &Surroundings<'_>, setting: &Setting<Text>, effective: &Json) -> Result<Timestamp, Failure> {
    match setting {
        Setting::Literal(text) => Timestamp::parse(text).map_err(|_| around.runtime_failure(&unparsable(text))),
        Setting::Query(query) => {
            let text = query::text_setting(query, &Location::Field("Timestamp"), &States::new(around, effective))?;
            let location = Location::Field("Timestamp");
            Timestamp::parse(&text).map_err(|_| around.query_failure(Some(&location), &unparsable(&text)))
        }
        Setting::Path(path) => {
            let path_text = path.text();
            let value = path.evaluate(&around.over(effective)).map_err(|_| {
                around.runtime_failure(&format!(
                    "The TimestampPath parameter does not reference an input value: {path_text}"
                ))
            })?;
            value.as_str().and_then(|text| Timestamp::parse(text).ok()).ok_or_else(|| {
                around.runtime_failure(&format!(
                    "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format \
                     string: {path_text} == {}",
                    shown(&value)
                ))
            })
        }
    }
}

fn unparsable(text: &str) -> String {
    format!("The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {text}")
}

/// A value as causes show it: strings without quotes.
fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
