//! disk: what a chain of ten, with its history of 22 events, takes on the disk of a server that has ended.

use std::time::Duration;

use super::chain;
use super::{Needs, Workload};
use crate::bench::Bench;
use crate::disk::{Taken, taken};
use crate::executions;
use crate::load::{Until, drive};
use crate::site::MachineType;
use crate::starts::Start;

pub(super) const WORKLOAD: Workload = Workload {
    name: "disk",
    about: "bytes on disk for each chain of ten, with its history of 22 events",
    needs: Needs::OwnServer,
    run: |bench| Box::pin(run(bench)),
};

/// How many, and the runs that are long enough for them. What a store takes ahead is still a large part of what the fewer of them take,
/// and nothing of theirs is old enough to be packed; for the more of them neither matters.
const EXECUTIONS: [(&str, u64, Duration); 2] =
    [("young", 50_000, Duration::from_secs(10)), ("packed", 500_000, Duration::from_secs(60))];

/// How often, and after how long each time, it is looked whether the server has packed what it has.
const RESTS_MAX: u32 = 240;
const REST: Duration = Duration::from_millis(250);

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    let time = bench.settings.time;
    let (fewest, _, shortest) = EXECUTIONS[0];
    if time < shortest {
        return measure(bench, fewest, Until::Over(time)).await;
    }
    for (variant, count, _) in EXECUTIONS.into_iter().filter(|(_, _, run)| *run <= time) {
        measure(bench, variant, Until::Done(count)).await?;
    }
    Ok(())
}

async fn measure(bench: &mut Bench<'_>, variant: &str, until: Until) -> Result<(), String> {
    let clients = bench.settings.clients.iter().copied().max().unwrap_or(1);
    bench.say(&format!("disk: chains of ten started by {clients} clients, {variant}"));
    let empty = {
        let mut site = bench.site()?;
        site.state_machine("disk", &chain::definition(), MachineType::Standard).await?;
        read(site.end_and_keep()?.path())?
    };
    let mut site = bench.site()?;
    let machine = site.state_machine("disk", &chain::definition(), MachineType::Standard).await?;
    let start = Start::new(executions::start_request(&site.place, &machine, chain::INPUT)?);
    let before = bench.begin(&site, clients).await?;
    let mut measured = drive(&site.place, clients, until, &start).await;
    executions::wait_for_end(&mut site.client, &machine, executions::END).await?;
    let verdict = executions::failed(&mut site.client, &machine).await?;
    measured.count -= verdict.count.min(measured.count);
    measured.errors.add(verdict);
    let mut line = bench.finish(WORKLOAD.name, &site, before, &measured).await?;
    line.variant = Some(variant.to_owned());
    if let Some(folder) = site.data() {
        rest(&folder).await?;
    }
    let full = read(site.end_and_keep()?.path())?;
    if measured.count > 0 {
        let each = |full: u64, empty: u64| full.saturating_sub(empty) as f64 / measured.count as f64;
        line.figures.push(("bytes_per_execution", each(full.bytes, empty.bytes)));
        line.figures.push(("allocated_bytes_per_execution", each(full.allocated, empty.allocated)));
    }
    bench.tell(line);
    Ok(())
}

/// Waits until the server has packed what it packs when nobody asks for anything.
async fn rest(folder: &std::path::Path) -> Result<(), String> {
    for _ in 0..RESTS_MAX {
        let names = std::fs::read_dir(folder).map_err(|fault| format!("cannot read {}: {fault}", folder.display()))?;
        let unpacked = names.flatten().filter(|entry| entry.path().extension().is_some_and(|ending| ending == "log"));
        if unpacked.count() <= 1 {
            return Ok(());
        }
        tokio::time::sleep(REST).await;
    }
    Err(format!("the server has not packed {} within {} s", folder.display(), (REST * RESTS_MAX).as_secs()))
}

fn read(folder: &std::path::Path) -> Result<Taken, String> {
    taken(folder).map_err(|fault| format!("cannot read {}: {fault}", folder.display()))
}
