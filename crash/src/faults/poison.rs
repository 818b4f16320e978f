//! Executions that make the server panic, and Choice loops that never wait, beside healthy executions: those that panic
//! are left alone after three times, whatever becomes of the process, the loops end at the history's quota, and the
//! healthy ones go on. Wants a binary with planted panics.

use std::time::{Duration, Instant};

use stepwell_json::Json;

use crate::client::{Client, Said, object};
use crate::field::{Broken, Field, Outcome, Pulse, one};
use crate::load::{execution_arn, machine_arn, state_machine};
use crate::server::Launch;

/// How long it may take until all are where they should be.
const SETTLED_WITHIN: Duration = Duration::from_secs(180);

/// How many times the healthy calls' time may be multiplied before it is remarked on.
const TIMES_SLOWER: u32 = 2;

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    let Some(binary) = &field.poisoned else {
        return Ok(Outcome::Skipped("--poisoned names no binary with planted panics".to_owned()));
    };
    let count = field.count.unwrap_or(10);
    let launch = Launch::new(binary, &field.directory);
    let server = launch.start().map_err(one)?;
    let address = server.address();
    let mut client = Client::new(address);
    let wait = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"End":true}}}"#;
    let turns = r#"{"StartAt":"C","States":{"C":{"Type":"Choice","Default":"C","Choices":[
        {"Variable":"$.never","IsPresent":true,"Next":"S"}]},"S":{"Type":"Succeed"}}}"#;
    state_machine(&mut client, "poison", wait).map_err(one)?;
    state_machine(&mut client, "starts", wait).map_err(one)?;
    state_machine(&mut client, "loops", turns).map_err(one)?;

    let quiet = Pulse::start(address, "quiet", Duration::from_millis(5))?;
    std::thread::sleep(Duration::from_secs(3));
    let quiet = quiet.end()?;
    let pulse = Pulse::start(address, "beside", Duration::from_millis(5))?;
    let name = |index: u64| format!("poison-timer-{index}");
    for index in 0..count {
        start(&mut client, "poison", &name(index)).map_err(one)?;
        start(&mut client, "poison", &format!("healthy-{index}")).map_err(one)?;
    }
    for index in 0..5 {
        match client.ask("StartExecution", &start_of("starts", &format!("poison-start-{index}"))) {
            Said::Again(name) if name == "InternalFailure" => {}
            said => return Err(one(format!("a start that panics: {said:?}"))),
        }
    }
    settle("the poison is left alone", || {
        (0..count).try_fold(true, |all, index| Ok(all && is_left_alone(&mut Client::new(address), &name(index))?))
    })?;
    let pulse = pulse.end()?;
    let panics = client.metric("stepwell_panics_total").unwrap_or_default();

    let tight = Pulse::start(address, "tight", Duration::from_millis(5))?;
    let began = Instant::now();
    for index in 0..count {
        start(&mut client, "loops", &format!("loop-{index}")).map_err(one)?;
    }
    settle("the loops end", || {
        (0..count).try_fold(true, |all, index| {
            let shown = describe(&mut Client::new(address), "loops", &format!("loop-{index}"))?;
            Ok(all && shown.get("status").and_then(Json::as_str) == Some("FAILED"))
        })
    })?;
    let loops = began.elapsed().as_secs_f64();
    let tight = tight.end()?;

    // It is durable.
    server.kill().map_err(one)?;
    let server = launch.start().map_err(one)?;
    let mut faults = Vec::new();
    for index in 0..count {
        if !is_left_alone(&mut client, &name(index)).map_err(one)? {
            faults.push(format!("I24: after kill -9 {} is not in quarantine", name(index)));
        }
        let healthy = describe(&mut client, "poison", &format!("healthy-{index}")).map_err(one)?;
        if healthy.get("status").and_then(Json::as_str) != Some("SUCCEEDED") {
            faults.push(format!("I24: healthy-{index} is {healthy}"));
        }
        let stop = object(&[("executionArn", &execution_arn("poison", &name(index)))]);
        if let Err(fault) = client.insist("StopExecution", &stop) {
            faults.push(format!("{} cannot be stopped: {fault}", name(index)));
        }
    }
    if client.metric("stepwell_quarantined_executions") != Some(0) || client.metric("stepwell_panics_total") != Some(0)
    {
        faults.push("a stopped execution is still in quarantine, or panicked again".to_owned());
    }
    if panics != count * 3 + 3 {
        faults.push(format!("{panics} panics of {count} executions and the starts"));
    }
    server.end().map_err(one)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    let slower = |times: &crate::field::Times| match times.per_mille(990) > quiet.per_mille(990) * TIMES_SLOWER {
        true => " (p99 more than twice as long)",
        false => "",
    };
    Ok(Outcome::Held(format!(
        "{count} poisonous executions and their starts, {panics} panics, all left alone after three; {count} loops to the \
         quota in {loops:.1} s; healthy calls alone: {}; beside the poison: {}{}; beside the loops: {}{}",
        quiet.shown(),
        pulse.shown(),
        slower(&pulse),
        tight.shown(),
        slower(&tight),
    )))
}

fn settle(what: &str, mut is_so: impl FnMut() -> Result<bool, String>) -> Result<(), Broken> {
    let began = Instant::now();
    while !is_so().map_err(one)? {
        if began.elapsed() > SETTLED_WITHIN {
            return Err(one(format!("not within {} s: {what}", SETTLED_WITHIN.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn start_of(machine: &str, name: &str) -> Json {
    object(&[("stateMachineArn", &machine_arn(machine)), ("name", name), ("input", "{}")])
}

fn start(client: &mut Client, machine: &str, name: &str) -> Result<(), String> {
    client.insist("StartExecution", &start_of(machine, name)).map(drop)
}

fn describe(client: &mut Client, machine: &str, name: &str) -> Result<Json, String> {
    client.insist("DescribeExecution", &object(&[("executionArn", &execution_arn(machine, name))]))
}

fn is_left_alone(client: &mut Client, name: &str) -> Result<bool, String> {
    let shown = describe(client, "poison", name)?;
    let text = |key: &str| shown.get(key).and_then(Json::as_str);
    Ok(text("status") == Some("RUNNING") && text("error") == Some("Stepwell.Quarantined"))
}
