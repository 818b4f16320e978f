//! express: the chain of ten Pass states as an Express state machine, answered when it is over (StartSyncExecution).

use std::time::Duration;

use stepwell_json::Json;

use super::chain;
use super::{Needs, Workload};
use crate::bench::Bench;
use crate::load::{Until, drive};
use crate::site::MachineType;
use crate::sync::SyncStart;

pub(super) const WORKLOAD: Workload = Workload {
    name: "express",
    about: "ten Pass states, Express: answered when they are over",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

/// A part of the time before the measurement.
const WARM_UP_PART: u32 = 10;

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    for &clients in &bench.settings.clients {
        let time = bench.settings.time;
        bench.say(&format!("express: {clients} clients for {} s", time.as_secs_f64()));
        measure(bench, clients, time).await?;
    }
    Ok(())
}

async fn measure(bench: &mut Bench<'_>, clients: usize, time: Duration) -> Result<(), String> {
    let mut site = bench.site()?;
    let machine = site.state_machine("express", &chain::definition(), MachineType::Express).await?;
    let input = Json::parse(chain::INPUT).map_err(|fault| fault.to_string())?;
    let start = SyncStart::new(&site.place, &machine, chain::INPUT)?.expecting(input);
    drive(&site.place, clients, Until::Over(time / WARM_UP_PART), &start).await;
    let before = bench.begin(&site, clients).await?;
    let measured = drive(&site.place, clients, Until::Over(time), &start).await;
    let line = bench.finish(WORKLOAD.name, &site, before, &measured).await?;
    bench.tell(line);
    site.end()
}
