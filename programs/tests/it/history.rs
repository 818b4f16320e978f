//! What must hold of a history whatever the program is.

use std::collections::BTreeMap;

use stepwell_engine::ExecutionId;
use stepwell_json::Json;
use stepwell_programs::reference::Counts;
use stepwell_spec::{Event, Record};

/// Listens to the records of executions, and checks them as they come.
#[derive(Default)]
pub(crate) struct Histories {
    executions: BTreeMap<ExecutionId, History>,
    pub(crate) visits: Counts,
    pub(crate) attempts: Counts,
    pub(crate) events: u64,
    /// The time of the last event.
    pub(crate) last_ms: i64,
    /// The first thing that does not hold.
    pub(crate) fault: Option<String>,
}

#[derive(Default)]
struct History {
    last_id: u64,
    last_time: i64,
    is_over: bool,
    /// The state each thread of control is in.
    states: BTreeMap<u32, State>,
}

struct State {
    name: String,
    /// Attempts that were scheduled, and how many of them came to something.
    scheduled: u64,
    concluded: u64,
}

impl Histories {
    pub(crate) fn hear(&mut self, id: ExecutionId, record: &Record) {
        if record.id == 0 {
            return;
        }
        self.events += 1;
        self.last_ms = self.last_ms.max(record.timestamp.0);
        let history = self.executions.entry(id).or_default();
        let kind = record.event.row().name;
        if let Err(reason) = history.hear(kind, record, &mut self.visits, &mut self.attempts)
            && self.fault.is_none()
        {
            self.fault = Some(format!("{kind} {} of {id:?}: {reason}", record.id));
        }
    }

    /// Whether every history has its end.
    pub(crate) fn finish(&mut self) {
        let open = self.executions.iter().find(|(_, history)| !history.is_over);
        if let (Some((id, _)), None) = (open, &self.fault) {
            self.fault = Some(format!("the history of {id:?} has no end"));
        }
    }
}

impl History {
    fn hear(&mut self, kind: &str, record: &Record, visits: &mut Counts, attempts: &mut Counts) -> Result<(), String> {
        let check = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        check(!self.is_over, "something happens after the end")?;
        check(record.id == self.last_id + 1, "its id is not the next one")?;
        check(record.previous_event_id < record.id, "what led to it comes later")?;
        check(record.timestamp.0 >= self.last_time, "time goes back")?;
        check((record.id == 1) == (kind == "ExecutionStarted"), "a history starts with its start")?;
        self.last_id = record.id;
        self.last_time = record.timestamp.0;
        let thread = record.thread;
        if kind.ends_with("StateEntered") {
            let name = text(&record.event, "name").ok_or("no name")?;
            *visits.entry(name.clone()).or_default() += 1;
            let before = self.states.insert(thread, State { name, scheduled: 0, concluded: 0 });
            return check(before.is_none(), "the thread is in another state");
        }
        if kind.ends_with("StateExited") {
            let state = self.states.remove(&thread).ok_or("the thread is in no state")?;
            check(state.scheduled == state.concluded, "an attempt came to nothing")?;
            return check(text(&record.event, "name").as_deref() == Some(&*state.name), "it is another state's");
        }
        if ["ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"].contains(&kind) {
            self.is_over = true;
            return Ok(());
        }
        let of_task = ["Task", "LambdaFunction", "Activity"].iter().find_map(|kinds| kind.strip_prefix(kinds));
        let Some(what) = of_task else { return Ok(()) };
        if what == "StateAborted" {
            return check(self.states.remove(&thread).is_some(), "the thread is in no state");
        }
        let state = self.states.get_mut(&thread).ok_or("the thread is in no state")?;
        match what {
            "Scheduled" => {
                check(state.scheduled == state.concluded, "the attempt before is not over")?;
                state.scheduled += 1;
                *attempts.entry(state.name.clone()).or_default() += 1;
                Ok(())
            }
            "Started" => check(state.scheduled == state.concluded + 1, "nothing was scheduled"),
            "Succeeded" | "Failed" | "TimedOut" => {
                state.concluded += 1;
                check(state.scheduled == state.concluded, "the attempt came to something before")
            }
            other => Err(format!("not expected: {other}")),
        }
    }
}

/// A text of an event's details.
fn text(event: &Event, member: &str) -> Option<String> {
    let (_, details) = event.details(true)?;
    details.get(member).and_then(Json::as_str).map(str::to_owned)
}
