//! A run from its settings to its end: everything that was started is ended and everything that was made is deleted, however
//! it goes.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::bench::{Bench, place_of};
use crate::connection::Place;
use crate::disk::{Folder, time_syncs};
use crate::load::Errors;
use crate::report::{self, Line};
use crate::settings::Settings;
use crate::site::{self, Ledger};
use crate::workloads::{ALL, Workload};

/// How long syncs of either kind are timed, at most.
const SYNCS: Duration = Duration::from_secs(1);

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was measured, for people.
    pub table: String,
    /// How much could not be done. A run with errors has failed.
    pub errors: u64,
    /// Whether it was asked to end before it was over.
    pub was_interrupted: bool,
}

/// Why there was no run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What it was asked to do cannot be done.
    Unusable(String),
    /// The machine does not let it.
    Refused(String),
}

/// The names of all workloads, and what each does.
pub fn workloads() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|workload| (workload.name, workload.about))
}

/// Runs workloads; each measurement is told as a line of JSON as soon as it is there. Ends early when Ctrl-C or SIGTERM asks
/// for it.
pub fn run(settings: &Settings, tell: &mut dyn FnMut(&str)) -> Result<Outcome, Fault> {
    let plan = settings.plan().map_err(Fault::Unusable)?;
    for (name, why) in &plan.left_out {
        eprintln!("{name} is left out: it {why}");
    }
    let refused = |fault: std::io::Error| Fault::Refused(format!("cannot start: {fault}"));
    // One thread for all clients: the other processors are for what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
    let elsewhere = plan.endpoint.map(|endpoint| place_of(settings, endpoint));
    let ledger: Ledger = Rc::default();
    let prefix = prefix().map_err(Fault::Refused)?;
    let mut bench = Bench::new(settings, elsewhere.clone(), ledger.clone(), prefix, tell);
    runtime.block_on(async {
        let asked_to_end = asked_to_end().map_err(refused)?;
        let was_interrupted = tokio::select! {
            outcome = run_all(&mut bench, &plan.workloads, elsewhere.is_none()) => outcome.map(|()| false),
            () = asked_to_end => Ok(true),
        };
        let left = clean_up(elsewhere.as_ref(), &ledger).await;
        let was_interrupted = was_interrupted.map_err(Fault::Refused)?;
        let lines = bench.end().map_err(Fault::Refused)?;
        let errors = lines.iter().map(|line| line.errors.count).sum::<u64>() + left;
        Ok(Outcome { table: report::table(&lines), errors, was_interrupted })
    })
}

async fn run_all(bench: &mut Bench<'_>, workloads: &[&'static Workload], is_own: bool) -> Result<(), String> {
    bench.start_baseline()?;
    if is_own {
        let folder = Folder::new(&bench.settings.folder)?;
        let syncs = time_syncs(folder.path(), SYNCS.min(bench.settings.time))?;
        bench.set_syncs(syncs.times());
        for (variant, latency) in [("append", syncs.append), ("rewrite", syncs.rewrite)] {
            let (count, variant) = (latency.count(), Some(variant.to_owned()));
            bench.tell(Line {
                workload: "sync",
                variant,
                clients: 1,
                count,
                latency: Some(latency),
                ..Line::default()
            });
        }
    }
    for workload in workloads {
        if let Err(fault) = (workload.run)(bench).await {
            bench.say(&format!("{}: {fault}", workload.name));
            bench.tell(Line { workload: workload.name, errors: Errors::of(fault), ..Line::default() });
        }
    }
    Ok(())
}

/// Deletes what was made elsewhere; answers how much could not be.
async fn clean_up(elsewhere: Option<&Arc<Place>>, ledger: &Ledger) -> u64 {
    let Some(place) = elsewhere else { return 0 };
    let left = site::delete(place, ledger).await;
    left.iter().for_each(|left| eprintln!("stepwell bench: {left}"));
    left.len() as u64
}

/// What the names of everything that is made begin with: of this run alone.
fn prefix() -> Result<String, String> {
    let number = getrandom::u32().map_err(|fault| format!("the operating system gives no random numbers: {fault}"))?;
    Ok(format!("bench-{number:08x}"))
}

/// Ready when the process is asked to end. It listens from when this is called.
#[cfg(unix)]
fn asked_to_end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready when the process is asked to end.
#[cfg(not(unix))]
fn asked_to_end() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
