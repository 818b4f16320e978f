//! express: the chain of ten Pass states as an Express state machine, answered when it is over (StartSyncExecution).

use std::time::Duration;

use stepwell_json::Json;

use super::chain;
use super::{Needs, Workload};
use crate::bench::Bench;
use crate::site::MachineType;
use crate::sync::SyncStart;

pub(super) const WORKLOAD: Workload = Workload {
    name: "express",
    about: "ten Pass states, Express: answered when they are over",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

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
    let start = SyncStart::new(&site.place, &machine, chain::INPUT, input)?;
    let ran = bench.run(WORKLOAD.name, &site, clients, time, &start).await?;
    bench.tell(ran.line.beside_the_disk());
    site.end()
}
