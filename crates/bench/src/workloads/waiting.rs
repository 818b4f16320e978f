//! waiting: 100,000 executions that wait, and the memory that takes.
//!
//! Runs of less than ten seconds start as many as they can in their time.

use std::time::Duration;

use super::{Needs, Workload};
use crate::bench::Bench;
use crate::executions;
use crate::load::{Until, drive};
use crate::process::Usage;
use crate::site::MachineType;
use crate::starts::Start;

pub(super) const WORKLOAD: Workload = Workload {
    name: "waiting",
    about: "100,000 executions that wait, and the memory each takes",
    needs: Needs::OwnServer,
    run: |bench| Box::pin(run(bench)),
};

const EXECUTIONS: u64 = 100_000;

/// A run that is shorter has no time for all of them.
const WHOLE_RUN: Duration = Duration::from_secs(10);

/// What the server may still be busy with when it has answered.
const SETTLE: Duration = Duration::from_secs(1);

/// Longer than any run.
const DEFINITION: &str =
    r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1000000,"Next":"P"},"P":{"Type":"Pass","End":true}}}"#;

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    let time = bench.settings.time;
    let until = if time < WHOLE_RUN { Until::Over(time) } else { Until::Done(EXECUTIONS) };
    let clients = bench.settings.clients.iter().copied().max().unwrap_or(1);
    bench.say(&format!("waiting: {EXECUTIONS} executions started by {clients} clients"));
    let mut site = bench.site()?;
    let machine = site.state_machine("waiting", DEFINITION, MachineType::Standard).await?;
    let start = Start::new(executions::start_request(&site.place, &machine, "{}")?);
    tokio::time::sleep(SETTLE).await;
    let idle = site.usage();
    let before = bench.begin(&site, clients).await?;
    let mut measured = drive(&site.place, clients, until, &start).await;
    tokio::time::sleep(SETTLE).await;
    let full = site.usage();
    let waiting = executions::count(&mut site.client, &machine, "RUNNING").await?;
    measured.errors.count_many(measured.count.saturating_sub(waiting), "executions do not wait".to_owned());
    measured.count = measured.count.min(waiting);
    let mut line = bench.finish(WORKLOAD.name, &site, before, &measured).await?;
    line.server_resident_bytes = full.resident_bytes;
    let resident = |usage: Usage| usage.resident_bytes.map(|bytes| bytes as f64);
    if let Some((idle, full)) = resident(idle).zip(resident(full)).filter(|_| measured.count > 0) {
        line.figures.push(("resident_bytes_more", full - idle));
        line.figures.push(("resident_bytes_per_execution", (full - idle) / measured.count as f64));
    }
    bench.tell(line);
    site.end()
}
