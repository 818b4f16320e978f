//! CloudWatch Logs: log groups, their streams, and the events in them.
//!
//! What all groups together hold is bounded: past the bound the events that came first are dropped. Does not know who
//! writes: a caller of PutLogEvents, and the engine through [`crate::Services::log`].

mod actions;
mod events;
mod groups;
mod kept;
mod pattern;
mod reading;
mod streams;
mod tags;

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_store::RowChange;

use crate::answers::{Refusal, answer};
use crate::input::Input;
use crate::services::{Request, ServicesOuts};
use crate::shelf::Shelf;
use events::Events;
pub use events::LogLine;
use groups::LogGroup;
use streams::LogStream;

/// The local CloudWatch Logs.
pub(crate) struct Logs {
    /// By ARN, without `:*`.
    groups: Shelf<LogGroup>,
    /// By ARN, which begins with the group's.
    streams: Shelf<LogStream>,
    events: Events,
    /// The next number of a stream or event.
    next: u64,
    next_kept: u64,
    rows: Vec<RowChange>,
}

type Outcome = Result<Json, Refusal>;

impl Logs {
    pub(crate) fn call(&mut self, request: &Request<'_>, outs: &mut ServicesOuts) {
        let outcome = match actions::of(&request.call.action) {
            Some(action) => action(self, request, Input(&request.call.input)),
            None => Err(Refusal::unknown_action("logs", &request.call.action)),
        };
        let outcome = outcome.map_err(|refusal| refusal.named(&["MissingRequiredParameterException"], INVALID));
        outs.replies.push((request.id, answer(outcome, request.chance)));
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// The ARN of the group a call means: by name or, where the action allows it, by name or ARN.
    fn group_of(&self, request: &Request<'_>, input: Input<'_>) -> Result<Arc<str>, Refusal> {
        let arn = match (input.text("logGroupName")?, input.text("logGroupIdentifier")?) {
            (Some(_), Some(_)) => {
                return Err(invalid("LogGroup name and LogGroup ARN are mutually exclusive parameters."));
            }
            (None, None) => return Err(invalid("Both log group name and log group identifier cannot be empty.")),
            (None, Some(arn)) if arn.starts_with("arn:") => arn.trim_end_matches(":*").to_owned(),
            (Some(name), None) | (None, Some(name)) => {
                groups::check_name(name)?;
                groups::arn_of(request.place, name)
            }
        };
        if self.groups.contains(&arn) { Ok(arn.into()) } else { Err(no_group()) }
    }
}

const INVALID: &str = "InvalidParameterException";

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(INVALID, message)
}

fn no_group() -> Refusal {
    Refusal::new("ResourceNotFoundException", "The specified log group does not exist.")
}

fn no_stream() -> Refusal {
    Refusal::new("ResourceNotFoundException", "The specified log stream does not exist.")
}
