//! A storm of retries: very many executions whose task always fails, and is tried again. Each attempt is there once, the
//! executions end as they should, and others go on.

use std::time::{Duration, Instant};

use stepwell_json::Json;

use crate::client::{Client, object};
use crate::field::{Broken, Field, Outcome, Pulse, one};
use crate::load::{execution_arn, history, machine_arn, state_machine};
use crate::server::Launch;

const CLIENTS: u64 = 8;
const ATTEMPTS: usize = 5;

/// How long all of them may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(300);

/// Histories that are read in full.
const READ: u64 = 500;

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    let count = field.count.unwrap_or(4_000) / CLIENTS * CLIENTS;
    let launch = Launch::new(&field.binary, &field.directory);
    let server = launch.start().map_err(one)?;
    let address = server.address();
    let mut client = Client::new(address);
    // There is no such function: the local Lambda says so, at once.
    let failing = format!(
        r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true,
        "Parameters":{{"FunctionName":"nobody"}},
        "Retry":[{{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":{},"BackoffRate":1.0}}]}}}}}}"#,
        ATTEMPTS - 1
    );
    state_machine(&mut client, "retries", &failing).map_err(one)?;
    let quiet = Pulse::start(address, "quiet", Duration::from_millis(5))?;
    std::thread::sleep(Duration::from_secs(3));
    let quiet = quiet.end()?;
    let pulse = Pulse::start(address, "meanwhile", Duration::from_millis(5))?;
    let began = Instant::now();
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| std::thread::spawn(move || start_many(address, number, count / CLIENTS))).collect();
    for client in clients {
        client.join().map_err(|_| one("a client broke off".to_owned()))?.map_err(one)?;
    }
    let running = object(&[("stateMachineArn", &machine_arn("retries")), ("statusFilter", "RUNNING")]);
    loop {
        let page = client.insist("ListExecutions", &running).map_err(one)?;
        if page.get("executions").and_then(Json::as_array).is_none_or(|list| list.is_empty()) {
            break;
        }
        if began.elapsed() > ENDS_WITHIN {
            return Err(one(format!("I14: not all have ended after {} s", ENDS_WITHIN.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = began.elapsed().as_secs_f64();
    let pulse = pulse.end()?;
    let mut faults = Vec::new();
    for index in 0..READ.min(count) {
        let name = format!("{}-{}", index % CLIENTS, index / CLIENTS);
        let events = history(&mut client, &execution_arn("retries", &name)).map_err(one)?;
        let of =
            |kind: &str| events.iter().filter(|event| event.get("type").and_then(Json::as_str) == Some(kind)).count();
        let (scheduled, failed, ends) = (of("TaskScheduled"), of("TaskFailed"), of("ExecutionFailed"));
        if (scheduled, failed, ends) != (ATTEMPTS, ATTEMPTS, 1) {
            faults.push(format!("I19: {name} has {scheduled} attempts, {failed} failures and {ends} ends"));
        }
    }
    server.end().map_err(one)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Outcome::Held(format!(
        "{count} executions with {ATTEMPTS} attempts each in {took:.1} s; other calls before: {}; meanwhile: {}",
        quiet.shown(),
        pulse.shown(),
    )))
}

fn start_many(address: &str, number: u64, count: u64) -> Result<(), String> {
    let mut client = Client::new(address);
    for index in 0..count {
        let name = format!("{number}-{index}");
        let start = object(&[("stateMachineArn", &machine_arn("retries")), ("name", &name), ("input", "{}")]);
        client.insist("StartExecution", &start)?;
    }
    Ok(())
}
