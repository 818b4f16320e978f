//! What must be true of every history, whatever happened to its execution: I2, I4, I7, I8, I11, I19, I20, and timers that were not early.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_json::Json;

use crate::machines::Kind;
use crate::quotas;

/// One event as the API shows it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: u64,
    pub(crate) previous: u64,
    pub(crate) at_ms: i64,
    pub(crate) kind: String,
    pub(crate) json: Json,
}

impl Event {
    /// Reads an event.
    pub(crate) fn read(json: &Json) -> Option<Event> {
        let number = |key: &str| json.get(key).and_then(Json::as_i64).and_then(|number| u64::try_from(number).ok());
        let at = json.get("timestamp")?.as_f64()?;
        Some(Event {
            id: number("id")?,
            previous: number("previousEventId")?,
            at_ms: (at * 1_000.0).round() as i64,
            kind: json.get("type")?.as_str()?.to_owned(),
            json: json.clone(),
        })
    }

    /// Whether an execution failed so.
    pub(crate) fn is_failed_by(&self, error: &str) -> bool {
        self.detail("executionFailedEventDetails", "error").and_then(Json::as_str) == Some(error)
    }

    /// Whether a task failed so.
    pub(crate) fn is_task_failed_by(&self, error: &str) -> bool {
        self.detail("taskFailedEventDetails", "error").and_then(Json::as_str) == Some(error)
    }

    /// A member of its details.
    pub(crate) fn detail(&self, details: &str, key: &str) -> Option<&Json> {
        self.json.get(details)?.get(key)
    }

    fn state(&self) -> Option<&str> {
        let entered = self.detail("stateEnteredEventDetails", "name");
        entered.or_else(|| self.detail("stateExitedEventDetails", "name"))?.as_str()
    }

    fn is_outcome(&self) -> bool {
        ["Task", "Activity", "LambdaFunction"].iter().any(|of| {
            self.kind.strip_prefix(of).is_some_and(|rest| matches!(rest, "Succeeded" | "Failed" | "TimedOut"))
        })
    }

    fn is_scheduled(&self) -> bool {
        matches!(&*self.kind, "TaskScheduled" | "ActivityScheduled" | "LambdaFunctionScheduled")
    }

    fn is_terminal(&self) -> bool {
        matches!(&*self.kind, "ExecutionSucceeded" | "ExecutionFailed" | "ExecutionTimedOut" | "ExecutionAborted")
    }

    /// What a task succeeded with.
    pub(crate) fn output(&self) -> Option<&str> {
        let details = ["taskSucceededEventDetails", "activitySucceededEventDetails"];
        details.iter().find_map(|details| self.detail(details, "output"))?.as_str()
    }
}

/// A history that was checked.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Scheduled tasks without an outcome, by the ids of their events, and whether somebody has taken them.
    pub(crate) open: BTreeMap<u64, bool>,
    /// Each task that succeeded: its output, and the events that led to it.
    pub(crate) successes: Vec<(String, Vec<u64>)>,
}

/// Checks a history of an execution that stands so.
pub(crate) fn check(events: &[Event], kind: Kind, status: &str) -> Result<Checked, String> {
    order(events)?;
    quotas::check_length(events)?;
    finality(events, status)?;
    let checked = tasks(events, true)?;
    waits(events)?;
    joins(events)?;
    retries(events, kind)?;
    Ok(checked)
}

/// What must be true of the history of any machine, known or not.
pub(crate) fn check_any(events: &[Event], status: &str) -> Result<(), String> {
    order(events)?;
    finality(events, status)?;
    // An expression that fails as a state is entered hangs on what came before, so that its chain does not tell whose it is.
    tasks(events, false).map(drop)
}

fn order(events: &[Event]) -> Result<(), String> {
    let mut before = i64::MIN;
    for (event, expected) in events.iter().zip(1..) {
        if event.id != expected {
            return Err(format!("I2: event {expected} has the id {}", event.id));
        }
        // What fails as the first state is entered hangs on nothing.
        let may_hang_free = matches!(&*event.kind, "ExecutionRedriven" | "EvaluationFailed" | "ExecutionFailed");
        if event.previous >= event.id || event.previous == 0 && event.id > 2 && !may_hang_free {
            return Err(format!("I2: event {} follows {}", event.id, event.previous));
        }
        if event.at_ms < before {
            return Err(format!("I2: event {} is {} ms earlier than the one before", event.id, before - event.at_ms));
        }
        before = event.at_ms;
    }
    match events.first() {
        Some(first) if first.kind == "ExecutionStarted" => Ok(()),
        first => Err(format!("I2: a history begins with {:?}", first.map(|event| &event.kind))),
    }
}

fn finality(events: &[Event], status: &str) -> Result<(), String> {
    let mut ended: Option<&Event> = None;
    for event in events {
        match ended {
            Some(end) if event.kind != "ExecutionRedriven" => {
                return Err(format!("I4: {} stands behind {}", event.kind, end.kind));
            }
            None if event.kind == "ExecutionRedriven" => {
                return Err(format!("I4: event {} redrives what has not ended", event.id));
            }
            _ => {}
        }
        ended = event.is_terminal().then_some(event);
    }
    let told = match ended.map(|end| &*end.kind) {
        None => "RUNNING",
        Some("ExecutionSucceeded") => "SUCCEEDED",
        Some("ExecutionFailed") => "FAILED",
        Some("ExecutionTimedOut") => "TIMED_OUT",
        Some(_) => "ABORTED",
    };
    // A history that was read while it grew may be older than its status.
    if ended.is_some() && told != status && status != "RUNNING" {
        return Err(format!("I4: it is {status} and its history says {told}"));
    }
    Ok(())
}

/// The event before, and the one before that, up to the first.
fn chain(events: &[Event], event: &Event) -> impl Iterator<Item = usize> {
    let mut at = event.previous;
    std::iter::from_fn(move || {
        let place = usize::try_from(at).ok()?.checked_sub(1)?;
        at = events.get(place)?.previous;
        Some(place)
    })
}

fn tasks(events: &[Event], is_known: bool) -> Result<Checked, String> {
    let mut checked = Checked::default();
    let mut once = BTreeSet::new();
    let mut outcomes: BTreeMap<u64, u64> = BTreeMap::new();
    let mut redriven = 0;
    for event in events {
        if event.kind == "ExecutionRedriven" || event.is_terminal() {
            // What was open is given up.
            redriven = event.id;
            checked.open.clear();
        }
        if event.is_scheduled() {
            checked.open.insert(event.id, false);
        }
        if event.kind == "TaskStateAborted" {
            // Whose task it was the chain says.
            let mine: Vec<u64> = chain(events, event).map(|place| events[place].id).collect();
            checked.open.retain(|id, _| !mine.contains(id));
        }
        if is_known && matches!(&*event.kind, "ParallelStateFailed" | "MapStateFailed") {
            let enters = |place: &usize| matches!(&*events[*place].kind, "ParallelStateEntered" | "MapStateEntered");
            let entered = chain(events, event).find(enters);
            let is_within = |id: &u64| {
                let task = events.get((*id as usize).wrapping_sub(1));
                entered.is_some() && task.is_some_and(|task| chain(events, task).any(|place| Some(place) == entered))
            };
            if let Some((task, _)) = checked.open.iter().find(|(id, _)| is_within(id)) {
                return Err(format!("I11: {} {}, and the task of event {task} goes on", event.kind, event.id));
            }
        }
        let starts = matches!(&*event.kind, "TaskStarted" | "ActivityStarted" | "TaskSubmitted");
        if !starts && !event.is_outcome() {
            continue;
        }
        let path: Vec<usize> = chain(events, event).collect();
        let scheduled = path.iter().map(|place| &events[*place]).find(|event| event.is_scheduled());
        let Some(scheduled) = scheduled else {
            return Err(format!("I7: {} {} belongs to no task", event.kind, event.id));
        };
        if scheduled.id <= redriven && events[redriven as usize - 1].kind == "ExecutionRedriven" {
            return Err(format!("I8: {} {} belongs to a task from before the redrive", event.kind, event.id));
        }
        if starts {
            if !once.insert((event.kind.clone(), scheduled.id)) {
                return Err(format!("I7: {} twice for the task of event {}", event.kind, scheduled.id));
            }
            if event.kind != "TaskStarted"
                && let Some(is_taken) = checked.open.get_mut(&scheduled.id)
            {
                *is_taken = true;
            }
            continue;
        }
        if let Some(first) = outcomes.insert(scheduled.id, event.id) {
            return Err(format!(
                "I7: events {first} and {} are outcomes of the task of event {}",
                event.id, scheduled.id
            ));
        }
        checked.open.remove(&scheduled.id);
        if let Some(output) = event.output() {
            let ids = path.iter().map(|place| events[*place].id).collect();
            checked.successes.push((output.to_owned(), ids));
        }
    }
    Ok(checked)
}

/// I10: nothing that waited left early.
fn waits(events: &[Event]) -> Result<(), String> {
    for event in events {
        if event.kind != "WaitStateExited" {
            continue;
        }
        let Some(entered) = chain(events, event).map(|place| &events[place]).find(|one| one.kind == "WaitStateEntered")
        else {
            return Err(format!("I7: event {} leaves a Wait state that was not entered", event.id));
        };
        let input = entered.detail("stateEnteredEventDetails", "input").and_then(Json::as_str).unwrap_or_default();
        let of_input = Json::parse(input).ok().and_then(|input| input.get("wait").and_then(Json::as_i64));
        let seconds = match entered.state() {
            Some("Rest") => of_input,
            Some("Pause") => Some(1),
            _ => None,
        };
        // A redrive enters no state anew and counts from its own time.
        let redriven = events[entered.id as usize..event.id as usize].iter().any(|one| one.kind == "ExecutionRedriven");
        if let Some(seconds) = seconds.filter(|_| !redriven)
            && event.at_ms < entered.at_ms + seconds * 1_000
        {
            let early = entered.at_ms + seconds * 1_000 - event.at_ms;
            return Err(format!("I10: event {} leaves its Wait state {early} ms early", event.id));
        }
    }
    Ok(())
}

/// I11: a Parallel or Map state ends once, and nothing of its branches moves behind that.
fn joins(events: &[Event]) -> Result<(), String> {
    let mut closed: BTreeMap<u64, u64> = BTreeMap::new();
    for event in events {
        if event.kind == "ExecutionRedriven" {
            closed.clear();
        }
        let closes = matches!(
            &*event.kind,
            "ParallelStateExited"
                | "ParallelStateFailed"
                | "ParallelStateSucceeded"
                | "MapStateExited"
                | "MapStateFailed"
        );
        let enters = |place: &usize| matches!(&*events[*place].kind, "ParallelStateEntered" | "MapStateEntered");
        let Some(entered) = chain(events, event).find(enters).map(|place| events[place].id) else { continue };
        if closes {
            closed.entry(entered).or_insert(event.id);
            continue;
        }
        let Some(&end) = closed.get(&entered) else { continue };
        // What follows the state itself hangs on its end.
        let follows = chain(events, event).any(|place| events[place].id >= end);
        let is_terminal = event.is_terminal();
        if !follows && !is_terminal && !event.kind.contains("Aborted") {
            return Err(format!("I11: {} {} moves a branch of what ended with event {end}", event.kind, event.id));
        }
    }
    Ok(())
}

/// I19: as often as the Retrier says.
fn retries(events: &[Event], kind: Kind) -> Result<(), String> {
    let Some(most) = kind.attempts_max() else { return Ok(()) };
    let mut attempts = 0;
    for event in events {
        if event.kind == "ExecutionRedriven" {
            attempts = 0;
        }
        attempts += u64::from(event.is_scheduled());
        if attempts > most {
            return Err(format!("I19: event {} is attempt {attempts} of {most}", event.id));
        }
    }
    Ok(())
}
