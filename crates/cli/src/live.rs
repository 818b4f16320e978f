//! The live view of a run on a terminal: one line when a state is entered, left, tried again or failed.

use std::io::{IsTerminal, Write};

use stepwell_asl::{Definition, StateId};
use stepwell_interpreter::{Execution, Status};
use stepwell_spec::{Event, Record, Timestamp};

/// Writes the view to stderr when that is a terminal, and nothing otherwise.
pub(crate) struct Live<'a> {
    definition: &'a Definition,
    shown: bool,
    started_at: Option<Timestamp>,
    /// The state each thread is in, for events that do not name it.
    states: std::collections::BTreeMap<u32, StateId>,
}

const DIM: &str = "\u{1b}[2m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const RED: &str = "\u{1b}[31m";
const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

impl<'a> Live<'a> {
    pub(crate) fn new(definition: &'a Definition) -> Live<'a> {
        let shown = std::io::stderr().is_terminal();
        Live { definition, shown, started_at: None, states: std::collections::BTreeMap::new() }
    }

    /// Shows what one record says.
    pub(crate) fn show(&mut self, record: &Record) {
        self.started_at.get_or_insert(record.timestamp);
        if !self.shown {
            return;
        }
        match &record.event {
            Event::PassStateEntered(entered)
            | Event::TaskStateEntered(entered)
            | Event::ChoiceStateEntered(entered)
            | Event::WaitStateEntered(entered)
            | Event::SucceedStateEntered(entered)
            | Event::FailStateEntered(entered)
            | Event::ParallelStateEntered(entered)
            | Event::MapStateEntered(entered) => {
                let state = StateId(entered.state);
                self.states.insert(record.thread, state);
                let kind = self.definition.state(state).kind.name();
                self.line(record, "▸", DIM, &entered.name, kind);
            }
            Event::PassStateExited(exited)
            | Event::TaskStateExited(exited)
            | Event::ChoiceStateExited(exited)
            | Event::WaitStateExited(exited)
            | Event::SucceedStateExited(exited)
            | Event::ParallelStateExited(exited)
            | Event::MapStateExited(exited) => self.line(record, "✓", GREEN, &exited.name.clone(), ""),
            Event::TaskFailed(failed) => self.failed(record, failed.error.as_deref(), failed.cause.as_deref()),
            Event::TaskTimedOut(failed) => self.failed(record, failed.error.as_deref(), failed.cause.as_deref()),
            Event::LambdaFunctionFailed(failed) => {
                self.failed(record, failed.error.as_deref(), failed.cause.as_deref());
            }
            Event::ActivityFailed(failed) => self.failed(record, failed.error.as_deref(), failed.cause.as_deref()),
            Event::EvaluationFailed(failed) => self.failed(record, failed.error.as_deref(), failed.cause.as_deref()),
            Event::RetryScheduled(retry) => {
                let wait_ms = retry.at.0 - record.timestamp.0;
                let name = self.state_name(record);
                self.line(record, "↻", YELLOW, &name, &format!("again in {} s", seconds(wait_ms)));
            }
            _ => {}
        }
    }

    /// Shows how the execution ended.
    pub(crate) fn finish(&self, execution: &Execution) {
        if !self.shown {
            return;
        }
        let colour = match execution.status {
            Status::Succeeded(_) => GREEN,
            Status::Running | Status::Failed(_) | Status::TimedOut(_) | Status::Aborted(_) => RED,
        };
        let took_ms = execution.stopped_at.map_or(0, |stopped| stopped.0 - execution.started_at.0);
        let (name, events) = (execution.status.name(), execution.last_event_id);
        write_line(&format!("{colour}{BOLD}{name}{PLAIN} after {} s, {events} events", seconds(took_ms)));
    }

    fn failed(&self, record: &Record, error: Option<&str>, cause: Option<&str>) {
        let mut fault = error.unwrap_or("").to_owned();
        if let Some(cause) = cause {
            let first_line: String = cause.lines().next().unwrap_or("").chars().take(80).collect();
            fault = format!("{fault}: {first_line}");
        }
        let name = self.state_name(record);
        self.line(record, "✗", RED, &name, &fault);
    }

    fn state_name(&self, record: &Record) -> String {
        self.states.get(&record.thread).map_or_else(String::new, |&state| self.definition.state(state).name.to_string())
    }

    fn line(&self, record: &Record, mark: &str, colour: &str, name: &str, detail: &str) {
        let since_ms = record.timestamp.0 - self.started_at.map_or(record.timestamp.0, |started| started.0);
        let indent = 2 * self.states.get(&record.thread).map_or(0, |&state| depth(self.definition, state));
        write_line(&format!(
            "{DIM}{:>10}s{PLAIN}  {:indent$}{colour}{mark}{PLAIN} {name}  {DIM}{detail}{PLAIN}",
            seconds(since_ms),
            ""
        ));
    }
}

/// The view is a courtesy: a terminal that is gone does not fail the run.
fn write_line(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// How many Parallel and Map states stand around a state.
fn depth(definition: &Definition, state: StateId) -> usize {
    let mut depth = 0;
    let mut state = state;
    while let Some(parent) = definition.workflow(definition.state(state).workflow).parent {
        depth += 1;
        state = parent;
    }
    depth
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}
