//! What listeners are told of executions: log events, as a state machine's logging configuration asks for them, and changes
//! of status.
//!
//! Owns what each kind looks like and which records lead to one. Does not know who listens, or where a notice goes.

mod log_events;
mod status_changes;

use stepwell_interpreter::Execution;
use stepwell_spec::Record;

use super::registry::MachineRow;

pub use log_events::LogEvent;
pub use status_changes::StatusChange;

/// One thing to be told. It may leave when the frame of its input is durable, and is not told again after a crash.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// An event for a log group.
    LogEvent(LogEvent),
    /// An execution has another status.
    StatusChange(StatusChange),
}

/// The kinds of notices that somebody listens to. Of others nothing is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Log events.
    pub log_events: bool,
    /// Changes of status.
    pub status_changes: bool,
}

impl Heard {
    /// Whether this notice is among it.
    pub fn covers(self, notice: &Notice) -> bool {
        match notice {
            Notice::LogEvent(_) => self.log_events,
            Notice::StatusChange(_) => self.status_changes,
        }
    }

    /// What either hears.
    pub fn or(self, other: Heard) -> Heard {
        Heard {
            log_events: self.log_events || other.log_events,
            status_changes: self.status_changes || other.status_changes,
        }
    }
}

/// Makes the notices that a record leads to, its execution being as the step left it.
pub(super) fn take_notices(
    heard: Heard,
    machine: &MachineRow,
    execution: &Execution,
    record: &Record,
    entropy: u64,
    notices: &mut Vec<Notice>,
) {
    if let Some(configuration) = machine.logging_configuration.as_ref().filter(|_| heard.log_events) {
        let event = log_events::log_event(configuration, &machine.name, execution, record);
        notices.extend(event.map(Notice::LogEvent));
    }
    if heard.status_changes {
        let change = status_changes::status_change(execution, record, entropy);
        notices.extend(change.map(Notice::StatusChange));
    }
}
