//! baseline: what everything else is held against, for as long as everything else is measured.

use super::{Needs, Workload};
use crate::bench::Bench;

pub(super) const WORKLOAD: Workload = Workload {
    name: "baseline",
    about: "a server on the same HTTP stack that answers a constant",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    for &clients in &bench.settings.clients {
        let time = bench.settings.time;
        bench.say(&format!("baseline: {clients} clients for {} s", time.as_secs_f64()));
        bench.tell_baseline(WORKLOAD.name, clients, time).await?;
    }
    Ok(())
}
