//! start: how long a server takes from its start on an empty data directory until it is ready, and what it holds when it has
//! nothing to do.

use std::time::{Duration, Instant};

use super::{Needs, Workload};
use crate::bench::Bench;
use crate::histogram::Histogram;
use crate::report::Line;

pub(super) const WORKLOAD: Workload = Workload {
    name: "start",
    about: "from starting the server to its being ready, and its memory when idle",
    needs: Needs::OwnServer,
    run: |bench| Box::pin(run(bench)),
};

/// So often it is started, unless the time is over before.
const STARTS_MAX: u64 = 20;

/// How long it has nothing to do before its memory is read.
const IDLE: Duration = Duration::from_secs(1);

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    bench.say("start: servers on empty data directories");
    let (mut latency, began) = (Histogram::default(), Instant::now());
    let mut memory = None;
    while latency.count() < STARTS_MAX && (latency.is_empty() || began.elapsed() < bench.settings.time) {
        let site = bench.site()?;
        latency.record(site.ready().ok_or("there is no server to start")?);
        if memory.is_none() {
            tokio::time::sleep(IDLE).await;
            memory = site.usage().resident_bytes;
        }
        site.end()?;
    }
    let count = latency.count();
    let seconds = began.elapsed().as_secs_f64();
    let latency = Some(latency);
    bench.tell(Line {
        workload: WORKLOAD.name,
        clients: 1,
        seconds,
        count,
        latency,
        server_resident_bytes: memory,
        ..Line::default()
    });
    Ok(())
}
