//! What is there in the end, held against what was promised.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use stepwell_json::Json;

use crate::client::{Client, object};
use crate::ledger::{Ledger, Started};
use crate::load::{self, KINDS, Kind, Machines, execution_arn, history, machine_arn};
use crate::services;

/// How long everything that was started may take to end once nobody is killed any more.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// What was found.
pub(crate) struct Verdict {
    pub(crate) summary: String,
    pub(crate) faults: Vec<String>,
}

pub(crate) fn judge(address: &str, machines: &Machines, ledger: &Ledger) -> Verdict {
    let all_ended = AtomicBool::new(false);
    let mut faults = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let is_done = || all_ended.load(Ordering::Relaxed);
                load::work_off(&mut Client::new(address), machines, ledger, &is_done);
            });
        }
        faults.extend(wait_for_ends(&mut Client::new(address)));
        all_ended.store(true, Ordering::Relaxed);
        // Workers wait for tasks that do not come: one more each ends their wait.
        for number in 0..2 {
            let input = object(&[("id", &format!("end-{number}"))]).to_string();
            let machine = machine_arn(Kind::Activity.name());
            let body = object(&[("stateMachineArn", &machine), ("input", &input)]);
            if let Err(fault) = Client::new(address).insist("StartExecution", &body) {
                faults.push(format!("a last start was refused: {fault}"));
            }
        }
    });
    let client = &mut Client::new(address);
    let (mut events, mut executions) = (0, 0);
    for started in ledger.started() {
        let arn = execution_arn(started.kind.name(), &started.name);
        match client.insist("DescribeExecution", &object(&[("executionArn", &arn)])) {
            Ok(described) => {
                executions += 1;
                events += judge_execution(client, &started, &arn, &described, ledger, &mut faults);
            }
            Err(fault) if started.is_acknowledged => {
                faults.push(format!("I1: {} was acknowledged and is not there: {fault}", started.name));
            }
            Err(_) => {}
        }
    }
    let (kept, lost) = services::judge(client, ledger);
    faults.extend(lost);
    faults.extend(ledger.take_faults());
    Verdict {
        summary: format!(
            "{executions} executions with {events} events and {kept} things of other services read back, {} faults",
            faults.len()
        ),
        faults,
    }
}

/// What a copy of the data knows.
pub(crate) struct Kept {
    pub(crate) executions: usize,
    pub(crate) events: usize,
    pub(crate) things: usize,
    pub(crate) faults: Vec<String>,
}

/// I1 and I2 over data in which executions have not ended yet: what was promised so far is there.
pub(crate) fn judge_kept(address: &str, promised: &Ledger) -> Kept {
    let client = &mut Client::new(address);
    let mut kept = Kept { executions: 0, events: 0, things: 0, faults: Vec::new() };
    for started in promised.started().into_iter().filter(|started| started.is_acknowledged) {
        let (name, arn) = (&started.name, execution_arn(started.kind.name(), &started.name));
        let described = match client.insist("DescribeExecution", &object(&[("executionArn", &arn)])) {
            Ok(described) => described,
            Err(fault) => {
                kept.faults.push(format!("I1: {name} was acknowledged and is not there: {fault}"));
                continue;
            }
        };
        kept.executions += 1;
        let text = |key: &str| described.get(key).and_then(Json::as_str).unwrap_or_default();
        let (status, output) = (text("status"), Json::parse(text("output")).unwrap_or(Json::Null).to_string());
        if Json::parse(text("input")).ok().as_ref() != Some(&started.input) {
            kept.faults.push(format!("I1: the input is {} in {name}", text("input")));
        }
        if started.is_stopped && status != "ABORTED" {
            kept.faults.push(format!("I1: {name} was stopped and is {status}"));
        }
        let completed = promised.completions(name).acknowledged;
        if completed.iter().any(|completed| status != "SUCCEEDED" || *completed != output) {
            kept.faults.push(format!("I1: {name} was completed and is {status} with {output}"));
        }
        match history(client, &arn) {
            Ok(events) => {
                kept.events += events.len();
                kept.faults.extend(broken_history(&events, status).into_iter().map(|what| format!("{what} in {name}")));
                let seen = promised.history(name);
                if !events.iter().map(Json::to_string).collect::<Vec<_>>().starts_with(&seen) {
                    kept.faults.push(format!("I3: the history of {name} does not begin with what was read before"));
                }
            }
            Err(refused) => kept.faults.push(format!("the history of {name} was refused: {refused}")),
        }
    }
    let (things, lost) = services::judge_kept(client, promised);
    kept.things = things;
    kept.faults.extend(lost);
    kept
}

/// I14: everything ends.
fn wait_for_ends(client: &mut Client) -> Vec<String> {
    let began = Instant::now();
    loop {
        let mut open = Vec::new();
        for name in KINDS.iter().map(|kind| kind.name()).chain(["child"]) {
            let body = object(&[("stateMachineArn", &machine_arn(name)), ("statusFilter", "RUNNING")]);
            match client.insist("ListExecutions", &body) {
                Ok(page) => open.extend(page.get("executions").and_then(Json::as_array).into_iter().flat_map(|list| {
                    list.iter()
                        .filter_map(|item| item.get("executionArn")?.as_str().map(str::to_owned))
                        .collect::<Vec<_>>()
                })),
                Err(fault) => return vec![format!("a list was refused: {fault}")],
            }
        }
        if open.is_empty() {
            return Vec::new();
        }
        if began.elapsed() > ENDS_WITHIN {
            return open.iter().map(|arn| format!("I14: {arn} has not ended")).collect();
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Answers how many events it has.
fn judge_execution(
    client: &mut Client,
    started: &Started,
    arn: &str,
    described: &Json,
    ledger: &Ledger,
    faults: &mut Vec<String>,
) -> usize {
    let name = &started.name;
    let text = |key: &str| described.get(key).and_then(Json::as_str).unwrap_or_default();
    let mut fault = |what: String| faults.push(format!("{what} in {name}"));
    if Json::parse(text("input")).ok().as_ref() != Some(&started.input) {
        fault(format!("I1: the input is {}", text("input")));
    }
    let status = text("status");
    let expected = if started.kind == Kind::Stopped { "ABORTED" } else { "SUCCEEDED" };
    let is_due = started.kind != Kind::Stopped || started.is_stopped;
    if is_due && status != expected {
        fault(format!("I1: the status is {status}"));
    }
    let events = match history(client, arn) {
        Ok(events) => events,
        Err(refused) => {
            fault(format!("the history was refused: {refused}"));
            return 0;
        }
    };
    for what in broken_history(&events, status) {
        fault(what);
    }
    let output = Json::parse(text("output")).unwrap_or(Json::Null);
    let items = started.input.get("items").cloned().unwrap_or(Json::Null);
    let is_right = match started.kind {
        Kind::Mixed => {
            let nested = Json::object([("input", items.clone())]);
            let out = Json::array(vec![Json::from(name.as_str()), items, nested]);
            output.get("out") == Some(&out)
        }
        Kind::MapRun => output == items,
        Kind::Services => output == started.input,
        Kind::Stopped => true,
        Kind::Activity | Kind::Callback => {
            let completions = ledger.completions(name);
            if completions.acknowledged.len() > 1 {
                fault(format!("I8: completed {} times", completions.acknowledged.len()));
            }
            let kept = output.to_string();
            completions.tried.contains(&kept) && completions.acknowledged.iter().all(|output| *output == kept)
        }
    };
    if is_due && !is_right {
        fault(format!("I7: the output is {output}"));
    }
    let seen = events.iter().map(Json::to_string).collect();
    ledger.saw_history(name, seen);
    events.len()
}

/// I2, I4, I7, I9 and I11 over one history.
fn broken_history(events: &[Json], status: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let number = |event: &Json, key: &str| event.get(key).and_then(Json::as_i64).unwrap_or(-1);
    let mut before = f64::MIN;
    let mut followed: BTreeMap<(String, i64), u32> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for (event, expected) in events.iter().zip(1..) {
        let (id, previous) = (number(event, "id"), number(event, "previousEventId"));
        let kind = event.get("type").and_then(Json::as_str).unwrap_or_default();
        if id != expected || previous >= id || previous != 0 && !ids.contains(&previous) {
            faults.push(format!("I2: event {expected} has id {id} after {previous}"));
        }
        ids.insert(id);
        let at = event.get("timestamp").and_then(Json::as_f64).unwrap_or(f64::MIN);
        if at < before {
            faults.push(format!("I2: event {id} is earlier than the one before"));
        }
        before = at;
        // What may follow one event but once: a start and an outcome of a task, a branch's join, an exit.
        if kind.ends_with("Started") || kind.ends_with("Succeeded") || kind.ends_with("Exited") {
            let count = followed.entry((kind.to_owned(), previous)).or_default();
            *count += 1;
            if *count > 1 && kind != "MapIterationStarted" && kind != "ParallelStateSucceeded" {
                faults.push(format!("I7: {kind} follows event {previous} twice"));
            }
        }
    }
    let kind = |event: Option<&Json>| event.and_then(|event| event.get("type")?.as_str()).unwrap_or("-").to_owned();
    if kind(events.first()) != "ExecutionStarted" {
        faults.push(format!("I2: it begins with {}", kind(events.first())));
    }
    if status == "RUNNING" {
        return faults;
    }
    let terminal = match status {
        "SUCCEEDED" => "ExecutionSucceeded",
        "FAILED" => "ExecutionFailed",
        "TIMED_OUT" => "ExecutionTimedOut",
        "ABORTED" => "ExecutionAborted",
        _ => "an end",
    };
    if kind(events.last()) != terminal {
        faults.push(format!("I4: it is {status} and ends with {}", kind(events.last())));
    }
    let is_terminal = |event: &&Json| {
        let kind = kind(Some(event));
        ["ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"].contains(&&*kind)
    };
    let ends = events.iter().filter(is_terminal).count();
    if ends != 1 {
        faults.push(format!("I4: it ends {ends} times"));
    }
    faults
}
