//! chain: ten Pass states, Standard, started without names.
//!
//! With one client each execution is followed to its end before the next is started, and the time is until it was seen to
//! have succeeded. With more, clients start executions as fast as they are answered, and the time is until the last one has
//! ended; only those that succeeded count.

use std::time::{Duration, Instant};

use stepwell_json::Json;

use super::{Needs, Workload};
use crate::bench::Bench;
use crate::client::{Client, plain_text, text};
use crate::connection::{Place, Prepared};
use crate::endpoint::Service;
use crate::executions;
use crate::histogram::Histogram;
use crate::load::{Operation, Until, drive};
use crate::site::MachineType;

pub(super) const WORKLOAD: Workload = Workload {
    name: "chain",
    about: "ten Pass states, Standard: started and seen to have succeeded",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

/// The input, which is passed on to the end.
pub(crate) const INPUT: &str = r#"{"order":"A-1","quantity":2}"#;

/// Of so many executions a client starts, one is looked at.
const LOOKED_AT_ONE_OF: u64 = 500;

/// How long executions that were started may take to end.
const END: Duration = Duration::from_secs(60);

/// How often an execution is looked at that has not ended when it was started.
const LOOK: Duration = Duration::from_millis(1);

/// A part of the time before the measurement, for caches and for the processor's clock.
const WARM_UP_PART: u32 = 10;

/// Ten Pass states.
pub(crate) fn definition() -> String {
    let states: Vec<String> = (1..=10)
        .map(|number| match number {
            10 => r#""S10":{"Type":"Pass","End":true}"#.to_owned(),
            _ => format!(r#""S{number}":{{"Type":"Pass","Next":"S{}"}}"#, number + 1),
        })
        .collect();
    format!(r#"{{"StartAt":"S1","States":{{{}}}}}"#, states.join(","))
}

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    for &clients in &bench.settings.clients {
        let time = bench.settings.time;
        bench.say(&format!("chain: {clients} clients for {} s", time.as_secs_f64()));
        match clients {
            1 => follow(bench, time).await?,
            _ => start_many(bench, clients, time).await?,
        }
    }
    Ok(())
}

/// One client, each execution to its end.
async fn follow(bench: &mut Bench<'_>, time: Duration) -> Result<(), String> {
    let mut site = bench.site()?;
    let machine = site.state_machine("chain", &definition(), MachineType::Standard).await?;
    let follow = Follow { request: start_request(&site.place, &machine)?, answered: Histogram::default() };
    drive(&site.place, 1, Until::Over(time / WARM_UP_PART), &follow).await;
    let before = bench.begin(&site, 1).await?;
    let measured = drive(&site.place, 1, Until::Over(time), &follow).await;
    let mut line = bench.finish(WORKLOAD.name, &site, before, &measured).await?;
    let mut answered = Histogram::default();
    measured.operations.iter().for_each(|operation| answered.add(&operation.answered));
    line.figures.push(("answered_p50_us", answered.quantile_us(0.5)));
    bench.tell(line);
    site.end()
}

/// Many clients that start executions.
async fn start_many(bench: &mut Bench<'_>, clients: usize, time: Duration) -> Result<(), String> {
    let mut site = bench.site()?;
    let warm = site.state_machine("chain-warm", &definition(), MachineType::Standard).await?;
    let warm = Start::new(start_request(&site.place, &warm)?);
    drive(&site.place, clients, Until::Over(time / WARM_UP_PART), &warm).await;
    let machine = site.state_machine("chain", &definition(), MachineType::Standard).await?;
    let start = Start::new(start_request(&site.place, &machine)?);
    let mut before = bench.begin(&site, clients).await?;
    let began = Instant::now();
    let mut measured = drive(&site.place, clients, Until::Over(time), &start).await;
    let answered_seconds = measured.seconds;
    executions::wait_for_end(&mut site.client, &machine, END).await?;
    // What was acknowledged and not done is no work yet: the clock runs until the last one has ended.
    measured.seconds = began.elapsed().as_secs_f64();
    before.stop(&site);
    let looked_at: Vec<String> = measured.operations.iter().flat_map(|operation| operation.arns.clone()).collect();
    let input = Json::parse(INPUT).map_err(|fault| fault.to_string())?;
    let verdict = executions::verify(&mut site.client, &machine, measured.count, &looked_at, &input).await?;
    measured.count -= verdict.count.min(measured.count);
    measured.errors.add(verdict);
    let mut line = bench.finish(WORKLOAD.name, &site, before, &measured).await?;
    line.figures.push(("answered_seconds", answered_seconds));
    bench.tell(line);
    site.end()
}

/// A StartExecution without a name.
pub(crate) fn start_request(place: &Place, machine: &str) -> Result<Prepared, String> {
    let body = Json::object([("stateMachineArn", Json::from(machine)), ("input", Json::from(INPUT))]);
    place.prepare(Service::States, "StartExecution", body.to_string())
}

/// Starts an execution.
#[derive(Clone)]
pub(crate) struct Start {
    request: Prepared,
    started: u64,
    /// Some of those that were started.
    pub(crate) arns: Vec<String>,
}

impl Start {
    pub(crate) fn new(request: Prepared) -> Start {
        Start { request, started: 0, arns: Vec::new() }
    }
}

impl Operation for Start {
    async fn perform(&mut self, client: &mut Client) -> Result<(), String> {
        let answer = client.send(&self.request).await?;
        let Some(arn) = plain_text(&answer.body, "executionArn") else {
            return Err(format!("StartExecution: no executionArn in {}", answer.text()));
        };
        if self.started.is_multiple_of(LOOKED_AT_ONE_OF) {
            self.arns.push(arn.to_owned());
        }
        self.started += 1;
        Ok(())
    }
}

/// Starts an execution and looks at it until it has ended.
#[derive(Clone)]
struct Follow {
    request: Prepared,
    /// How long the start alone took.
    answered: Histogram,
}

impl Operation for Follow {
    async fn perform(&mut self, client: &mut Client) -> Result<(), String> {
        let began = Instant::now();
        let answer = client.send(&self.request).await?;
        self.answered.record(began.elapsed());
        let Some(arn) = plain_text(&answer.body, "executionArn") else {
            return Err(format!("StartExecution: no executionArn in {}", answer.text()));
        };
        let body = Json::object([("executionArn", Json::from(arn))]);
        loop {
            let execution = client.call("DescribeExecution", &body).await?;
            match text(&execution, "status")?.as_str() {
                "SUCCEEDED" => return Ok(()),
                "RUNNING" if began.elapsed() < END => tokio::time::sleep(LOOK).await,
                status => return Err(format!("an execution is {status} after {} ms", began.elapsed().as_millis())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_chain_of_ten() {
        let definition = Json::parse(&definition()).expect("JSON");
        let states = definition.get("States").and_then(Json::as_object).expect("states");
        let mut names = vec![definition.get("StartAt").and_then(Json::as_str).expect("a start")];
        while let Some(next) = names.last().and_then(|name| states.get(name)?.get("Next")?.as_str()) {
            names.push(next);
        }
        assert_eq!((names.len(), states.len()), (10, 10));
    }
}
