//! linear: the rate of chains of ten when the store is empty, and when it holds what a long life leaves behind.
//!
//! One server, three times: with nothing in it; with 100,000 executions that have ended and 10,000 that wait; with a million
//! and 100,000. Runs of less than ten seconds hold a thousandth of that, which shows that it works and nothing else.

use std::time::Duration;

use super::chain;
use super::{Needs, Workload};
use crate::bench::Bench;
use crate::executions;
use crate::load::{Until, drive};
use crate::site::{MachineType, Site};
use crate::starts::Start;

pub(super) const WORKLOAD: Workload = Workload {
    name: "linear",
    about: "the chain's rate beside 10^5 and 10^6 ended and 10^4 and 10^5 waiting executions (--long)",
    needs: Needs::Long,
    run: |bench| Box::pin(run(bench)),
};

/// What the store holds: ended, and waiting.
const HELD: [(u64, u64); 3] = [(0, 0), (100_000, 10_000), (1_000_000, 100_000)];

/// A run that is shorter has no time for all of them, and divides them by this.
const WHOLE_RUN: Duration = Duration::from_secs(10);
const SHORT_RUN_PART: u64 = 1_000;

/// What fills the store: so many at a time.
const FILLING_CLIENTS: usize = 64;

const WAITS: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1000000,"End":true}}}"#;

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    let time = bench.settings.time;
    let clients = bench.settings.clients.iter().copied().max().unwrap_or(1);
    let mut site = bench.site()?;
    let ends = site.state_machine("ended", &chain::definition(), MachineType::Standard).await?;
    let waits = site.state_machine("waiting", WAITS, MachineType::Standard).await?;
    let (mut ended, mut waiting, mut empty_rate) = (0, 0, None);
    let part = if time < WHOLE_RUN { SHORT_RUN_PART } else { 1 };
    for (held_ended, held_waiting) in HELD {
        ended += fill(bench, &mut site, &ends, chain::INPUT, (held_ended / part).saturating_sub(ended)).await?;
        waiting += fill(bench, &mut site, &waits, "{}", (held_waiting / part).saturating_sub(waiting)).await?;
        executions::wait_for_end(&mut site.client, &ends, executions::END).await?;
        bench.say(&format!(
            "linear: {clients} clients for {} s beside {ended} ended and {waiting} waiting",
            time.as_secs_f64()
        ));
        let (rate, done) = measure(bench, &mut site, clients, time, (ended, waiting), empty_rate).await?;
        empty_rate.get_or_insert(rate);
        ended += done;
    }
    site.end()
}

/// Starts so many executions.
async fn fill(bench: &Bench<'_>, site: &mut Site, machine: &str, input: &str, count: u64) -> Result<u64, String> {
    if count == 0 {
        return Ok(0);
    }
    bench.say(&format!("linear: filling the store with {count} executions"));
    let start = Start::new(executions::start_request(&site.place, machine, input)?);
    let filled = drive(&site.place, FILLING_CLIENTS, Until::Done(count), &start).await;
    match filled.errors.samples.first() {
        None => Ok(filled.count),
        Some(sample) => Err(format!("cannot fill the store: {sample}")),
    }
}

/// Measures chains of ten; answers their rate and how many were done.
async fn measure(
    bench: &mut Bench<'_>,
    site: &mut Site,
    clients: usize,
    time: Duration,
    (ended, waiting): (u64, u64),
    empty_rate: Option<f64>,
) -> Result<(f64, u64), String> {
    let machine = site.state_machine("linear", &chain::definition(), MachineType::Standard).await?;
    let start = Start::new(executions::start_request(&site.place, &machine, chain::INPUT)?);
    let before = bench.begin(site, clients).await?;
    let mut measured = drive(&site.place, clients, Until::Over(time), &start).await;
    executions::wait_for_end(&mut site.client, &machine, executions::END).await?;
    let verdict = executions::failed(&mut site.client, &machine).await?;
    measured.count -= verdict.count.min(measured.count);
    measured.errors.add(verdict);
    let mut line = bench.finish(WORKLOAD.name, site, before, &measured).await?;
    line.variant = Some(format!("{ended}+{waiting}"));
    let (rate, done) = (line.rate(), line.count);
    if let Some(empty_rate) = empty_rate.filter(|rate| *rate > 0.0) {
        line.figures.push(("ratio_to_empty", rate / empty_rate));
    }
    bench.tell(line);
    Ok((rate, done))
}
