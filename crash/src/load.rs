//! The load: what the clients do while the server is killed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stepwell_json::Json;

use crate::Chance;
use crate::client::{Client, Said, object};
use crate::ledger::{Ledger, Started};
use crate::services;

const ROLE: &str = "arn:aws:iam::000000000000:role/crash";

/// What an execution does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Waits in one branch, maps in another, nests in a third.
    Mixed,
    /// An activity whose worker fails some attempts.
    Activity,
    /// A callback whose token goes out in another execution's input.
    Callback,
    /// A distributed Map of waiting children.
    MapRun,
    /// Waits until it is stopped.
    Stopped,
    /// Leaves an item, an object and a message.
    Services,
}

pub(crate) const KINDS: [Kind; 6] =
    [Kind::Mixed, Kind::Activity, Kind::Callback, Kind::MapRun, Kind::Stopped, Kind::Services];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Mixed => "mixed",
            Kind::Activity => "activity",
            Kind::Callback => "callback",
            Kind::MapRun => "maprun",
            Kind::Stopped => "stopped",
            Kind::Services => "services",
        }
    }
}

/// What the load works with.
pub(crate) struct Machines {
    activity: String,
}

pub(crate) fn machine_arn(name: &str) -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{name}")
}

pub(crate) fn execution_arn(machine: &str, name: &str) -> String {
    format!("arn:aws:states:us-east-1:000000000000:execution:{machine}:{name}")
}

pub(crate) fn create_machines(client: &mut Client) -> Result<Machines, String> {
    let answer = client.insist("CreateActivity", &object(&[("name", "work")]))?;
    let activity = answer.get("activityArn").and_then(Json::as_str).unwrap_or_default().to_owned();
    let child = machine_arn("child");
    let task = format!(
        r#"{{"Type":"Task","Resource":"{activity}","TimeoutSeconds":15,"HeartbeatSeconds":10,"End":true,
        "Retry":[{{"ErrorEquals":["Crash.Again","States.Timeout"],"IntervalSeconds":1,"MaxAttempts":30,"BackoffRate":1.0}}]}}"#
    );
    let callback = format!(
        r#"{{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.waitForTaskToken","End":true,
        "Parameters":{{"StateMachineArn":"{child}","Name.$":"$.id","Input":{{"token.$":"$$.Task.Token"}}}}}}"#
    );
    let nested = format!(
        r#"{{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","ResultSelector":{{"input.$":"$.Input"}},"End":true,
        "Parameters":{{"StateMachineArn":"{child}","Input.$":"$.items"}}}}"#
    );
    let mixed = format!(
        r#"{{"Type":"Parallel","ResultPath":"$.out","Next":"Last","Branches":[
        {{"StartAt":"Wait","States":{{"Wait":{{"Type":"Wait","SecondsPath":"$.wait","Next":"Passed"}},"Passed":{{"Type":"Pass","OutputPath":"$.id","End":true}}}}}},
        {{"StartAt":"Map","States":{{"Map":{{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":2,"End":true,
            "ItemProcessor":{{"StartAt":"Item","States":{{"Item":{{"Type":"Wait","Seconds":1,"End":true}}}}}}}}}}}},
        {{"StartAt":"Nested","States":{{"Nested":{nested}}}}}]}}"#
    );
    let map = r#"{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":2,"End":true,"Label":"run","ItemProcessor":{
        "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"Child",
        "States":{"Child":{"Type":"Wait","Seconds":1,"End":true}}}}"#;
    let one = |state: &str| format!(r#"{{"StartAt":"Only","States":{{"Only":{state}}}}}"#);
    let machines = [
        ("child", one(r#"{"Type":"Pass","End":true}"#)),
        ("mixed", format!(r#"{{"StartAt":"All","States":{{"All":{mixed},"Last":{{"Type":"Pass","End":true}}}}}}"#)),
        ("activity", one(&task)),
        ("callback", one(&callback)),
        ("maprun", one(map)),
        ("services", services::states()),
        ("stopped", one(r#"{"Type":"Wait","Seconds":100000,"End":true}"#)),
    ];
    services::create(client)?;
    for (name, definition) in machines {
        state_machine(client, name, &definition)?;
    }
    Ok(Machines { activity })
}

pub(crate) fn state_machine(client: &mut Client, name: &str, definition: &str) -> Result<(), String> {
    let body = object(&[("name", name), ("definition", definition), ("roleArn", ROLE)]);
    let created = client.insist("CreateStateMachine", &body);
    created.map(drop).map_err(|fault| format!("cannot create {name}: {fault}"))
}

/// What one client does until it is told to end.
pub(crate) fn run(number: usize, seed: u64, address: &str, machines: &Machines, ledger: &Ledger, ends: &AtomicBool) {
    let mut client = Client::new(address);
    let mut chance = Chance(seed);
    if number.is_multiple_of(4) {
        return work(number, &mut client, &mut chance, machines, ledger, ends);
    }
    let mut count = 0;
    while !ends.load(Ordering::Relaxed) {
        count += 1;
        let kind = KINDS[(chance.next() % KINDS.len() as u64) as usize];
        let name = format!("{}-{number}-{count}", kind.name());
        start(&mut client, &mut chance, kind, &name, ledger);
        match kind {
            Kind::Callback => call_back(&mut client, &mut chance, &name, ledger),
            Kind::Stopped => stop(&mut client, &name, ledger),
            Kind::Services => services::leave(&mut client, &mut chance, &format!("left-{name}"), ledger),
            Kind::Mixed | Kind::Activity | Kind::MapRun => {}
        }
        read_history(&mut client, kind, &name, ledger);
        std::thread::sleep(Duration::from_millis(chance.next() % 40));
    }
}

fn start(client: &mut Client, chance: &mut Chance, kind: Kind, name: &str, ledger: &Ledger) {
    let items: Vec<Json> = (0..chance.next() % 5).map(Json::from).collect();
    let input = Json::object([
        ("id", Json::from(name)),
        ("items", Json::array(items)),
        ("wait", Json::from(chance.next() % 4)),
        ("failures", Json::from(chance.next() % 3)),
    ]);
    let machine = machine_arn(kind.name());
    let body = object(&[("stateMachineArn", &machine), ("name", name), ("input", &input.to_string())]);
    let started = |is_acknowledged| Started {
        kind,
        name: name.to_owned(),
        input: input.clone(),
        is_acknowledged,
        is_stopped: false,
    };
    ledger.start(started(false));
    // A start with the same name and input may be asked again: it is the same execution, or one that has ended.
    match client.insist("StartExecution", &body) {
        Ok(_) => ledger.start(started(true)),
        Err(name) if name == "ExecutionAlreadyExists" => ledger.start(started(true)),
        Err(fault) => ledger.fault(format!("the start of {name} was refused: {fault}")),
    }
}

fn stop(client: &mut Client, name: &str, ledger: &Ledger) {
    let arn = execution_arn(Kind::Stopped.name(), name);
    match client.insist("StopExecution", &object(&[("executionArn", &arn), ("error", "Crash.Stopped")])) {
        Ok(_) => ledger.stopped(name),
        Err(fault) => ledger.fault(format!("the stop of {name} was refused: {fault}")),
    }
}

/// Finds the token in the input of the execution it was sent to, and completes the task: two answers race for it.
fn call_back(client: &mut Client, chance: &mut Chance, name: &str, ledger: &Ledger) {
    let child = execution_arn("child", name);
    let Ok(described) = client.insist("DescribeExecution", &object(&[("executionArn", &child)])) else {
        return ledger.fault(format!("I5: {name} was started, and the execution that its token went to was not"));
    };
    let input = described.get("input").and_then(Json::as_str).and_then(|input| Json::parse(input).ok());
    let Some(token) = input.as_ref().and_then(|input| input.get("token")).and_then(Json::as_str) else {
        return ledger.fault(format!("{name} has no token"));
    };
    if chance.next().is_multiple_of(3) {
        // A sign of life does no harm; that it is lost neither.
        client.ask("SendTaskHeartbeat", &object(&[("taskToken", token)]));
    }
    complete(client, token, name, &Json::from(format!("{name} first")), ledger);
    complete(client, token, name, &Json::from(format!("{name} second")), ledger);
}

/// Completes a task until there is an answer.
fn complete(client: &mut Client, token: &str, name: &str, output: &Json, ledger: &Ledger) {
    let output = output.to_string();
    ledger.try_completion(name, &output);
    let body = object(&[("taskToken", token), ("output", &output)]);
    match client.insist("SendTaskSuccess", &body) {
        Ok(_) => ledger.completed(name, &output),
        // Somebody was first, or an earlier asking of ours was done and its answer lost.
        Err(fault) if fault == "TaskTimedOut" => {}
        Err(fault) => ledger.fault(format!("I8: a completion of {name} was refused: {fault}")),
    }
}

/// A worker of the activity.
fn work(
    number: usize,
    client: &mut Client,
    chance: &mut Chance,
    machines: &Machines,
    ledger: &Ledger,
    ends: &AtomicBool,
) {
    let mut count = 0;
    // Executions go on after the last kill, and so do their workers.
    while !ends.load(Ordering::Relaxed) {
        work_once(number, &mut count, client, chance, &machines.activity, ledger);
    }
}

/// Works until nothing has come for a while.
pub(crate) fn work_off(client: &mut Client, machines: &Machines, ledger: &Ledger, is_done: &dyn Fn() -> bool) {
    let (mut chance, mut count) = (Chance(99), 0);
    while !is_done() {
        work_once(999, &mut count, client, &mut chance, &machines.activity, ledger);
    }
}

fn work_once(
    number: usize,
    count: &mut u64,
    client: &mut Client,
    chance: &mut Chance,
    activity: &str,
    ledger: &Ledger,
) {
    let poll = object(&[("activityArn", activity), ("workerName", &format!("worker-{number}"))]);
    let Said::Yes(task) = client.ask("GetActivityTask", &poll) else {
        return std::thread::sleep(Duration::from_millis(20));
    };
    let text = |key: &str| task.get(key).and_then(Json::as_str).map(str::to_owned);
    let (Some(token), Some(input)) = (text("taskToken"), text("input")) else { return };
    let Ok(input) = Json::parse(&input) else { return ledger.fault("a task's input is not JSON".to_owned()) };
    let name = input.get("id").and_then(Json::as_str).unwrap_or_default();
    let failures = input.get("failures").and_then(Json::as_i64).unwrap_or(0);
    *count += 1;
    if chance.next() % 4 < u64::try_from(failures).unwrap_or(0) {
        let body = object(&[("taskToken", &token), ("error", "Crash.Again"), ("cause", "as it was told")]);
        match client.insist("SendTaskFailure", &body) {
            Ok(_) => {}
            Err(fault) if fault == "TaskTimedOut" => {}
            Err(fault) => ledger.fault(format!("I8: a failure of {name} was refused: {fault}")),
        }
        return;
    }
    complete(client, &token, name, &Json::from(format!("{name} by {number} as {count}")), ledger);
}

/// Reads a history while all this goes on.
fn read_history(client: &mut Client, kind: Kind, name: &str, ledger: &Ledger) {
    if let Ok(events) = history(client, &execution_arn(kind.name(), name)) {
        ledger.saw_history(name, events.iter().map(Json::to_string).collect());
    }
}

/// A history in pages.
pub(crate) fn history(client: &mut Client, arn: &str) -> Result<Vec<Json>, String> {
    let mut events = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut members = vec![("executionArn", Json::from(arn)), ("maxResults", Json::from(7))];
        members.extend(token.take().map(|token| ("nextToken", Json::from(token))));
        let page = client.insist("GetExecutionHistory", &Json::object(members))?;
        events
            .extend(page.get("events").and_then(Json::as_array).into_iter().flat_map(|events| events.iter().cloned()));
        match page.get("nextToken").and_then(Json::as_str) {
            Some(next) => token = Some(next.to_owned()),
            None => return Ok(events),
        }
    }
}
