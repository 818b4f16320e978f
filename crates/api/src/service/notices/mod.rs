//! What listeners are told of executions: log events, as a state machine's logging configuration asks for them, and changes
//! of status.
//!
//! Owns what each kind looks like and which records lead to one. Does not know who listens, or where a notice goes.

mod log_events;
mod status_changes;

use stepwell_engine::ExecutionId;
use stepwell_interpreter::Moment;
use stepwell_spec::Record;

use super::Service;

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

impl Service {
    /// Makes the notices that a record leads to, its execution being as the step left it.
    pub(super) fn take_notice(&self, id: ExecutionId, record: &Record, at: Moment, notices: &mut Vec<Notice>) {
        if self.heard == Heard::default() {
            return;
        }
        let (Some(run), Some(execution)) = (self.runs.get(&id), self.engine.execution(id)) else { return };
        if let Some(configuration) = run.machine.logging_configuration.as_ref().filter(|_| self.heard.log_events) {
            let event = log_events::log_event(configuration, &run.machine.name, execution, record);
            notices.extend(event.map(Notice::LogEvent));
        }
        if self.heard.status_changes {
            let change = status_changes::status_change(execution, record, at.entropy ^ id.0.rotate_left(32));
            notices.extend(change.map(Notice::StatusChange));
        }
    }
}
