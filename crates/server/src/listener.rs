//! Who is told what happens to executions, once it is durable.
//!
//! A notice is heard once, on the writer's thread, after the answers of the same input have left. When the server is killed
//! between the two it is not heard: like AWS's logs and events, notices are best effort.

use stepwell_api::{Heard, Notice};

/// The targets under which [`LogLines`] writes. Their names stand in the guide.
const LOG_EVENTS: &str = "stepwell::log_events";
const STATUS_CHANGES: &str = "stepwell::status_changes";

/// Is told what happens to executions.
pub trait Listener: Send {
    /// What it listens to, always the same: nothing else is told to it, and of what nobody listens to nothing is made.
    fn hears(&self) -> Heard;

    /// One thing that happened. The next answer waits until this returns.
    fn hear(&mut self, notice: &Notice);
}

/// Writes every notice to the server's own log, as one line of JSON.
///
/// A log event is written as its state machine's owner asked for it, payloads included. Nobody asked for those of a change of
/// status to be in this log: they are left out.
#[derive(Debug)]
pub(crate) struct LogLines;

impl Listener for LogLines {
    fn hears(&self) -> Heard {
        Heard {
            log_events: tracing::enabled!(target: LOG_EVENTS, tracing::Level::INFO),
            status_changes: tracing::enabled!(target: STATUS_CHANGES, tracing::Level::INFO),
        }
    }

    fn hear(&mut self, notice: &Notice) {
        match notice {
            Notice::LogEvent(event) => tracing::info!(target: LOG_EVENTS, "{}", event.message),
            Notice::StatusChange(change) => {
                tracing::info!(target: STATUS_CHANGES, "{}", change.without_data().to_event())
            }
        }
    }
}
