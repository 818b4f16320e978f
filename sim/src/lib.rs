//! The service over its store under virtual time, a seeded scheduler and injected faults.
//!
//! Everything that runs is the real thing — `stepwell_api::Service` over `stepwell_store::EmbeddedStore` — and everything around it is
//! made here: the disk, the clock, chance, clients, workers, and what goes wrong with each. One seed is one course of events, the same
//! on every machine. Knows no thread, no time and no file; what must hold is checked after every step, and all of it at recoveries and in
//! the end.

mod audit;
mod calls;
mod clients;
mod damage;
mod express;
mod history;
mod latency;
mod ledger;
mod local;
mod machines;
mod objects;
mod poison;
mod programs;
mod quotas;
mod shell;
mod tally;
mod trace;
mod workers;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use tally::Tally;

#[cfg(feature = "planted")]
pub use stepwell_planted::Bug;

use programs::Trial;
use world::World;

/// What one seed led to.
#[derive(Debug)]
pub struct Course {
    /// The same for the same seed: a hash over everything that happened.
    pub hash: u64,
    /// What was tried.
    pub tally: Tally,
    /// What did not hold.
    pub violation: Option<Violation>,
}

/// Something that must hold, and did not.
#[derive(Debug)]
pub struct Violation {
    /// The step at which that was seen.
    pub step: u64,
    /// What: it begins with the invariant's id.
    pub what: String,
    /// The last steps before.
    pub trace: Vec<String>,
}

/// Runs one seed to its end, or to the first thing that does not hold. One in four is a random program; the others are clients,
/// workers and machines whose every answer is known.
pub fn run(seed: u64) -> Course {
    if seed.is_multiple_of(4) {
        let mut trial = Trial::new(seed);
        let what = unbroken(|| trial.live());
        let (trace, step) = (trial.trace.last_lines(), trial.step);
        let violation = what.map(|what| Violation { step, what, trace });
        return Course { hash: trial.trace.hash(), tally: trial.take_tally(), violation };
    }
    let mut world = World::new(seed);
    let what = unbroken(|| world.live());
    let (trace, step) = (world.trace.last_lines(), world.step);
    let violation = what.map(|what| Violation { step, what, trace });
    Course { hash: world.trace.hash(), tally: world.take_tally(), violation }
}

/// What did not hold. A panic of a program is one that nobody planted.
fn unbroken(live: impl FnOnce() -> Result<(), String>) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(live)) {
        Ok(Ok(())) => None,
        Ok(Err(what)) => Some(what),
        Err(panic) => Some(format!("I24: panic: {}", stepwell_api::said(&*panic))),
    }
}

/// Plants a bug in this thread, and runs seeds until one of them finds it.
#[cfg(feature = "planted")]
pub fn hunt(bug: Bug, seeds: std::ops::Range<u64>) -> Option<(u64, Violation)> {
    stepwell_planted::plant(Some(bug));
    let mut found =
        seeds.map(|seed| (seed, run(seed).violation)).filter_map(|(seed, violation)| Some((seed, violation?)));
    let first = found.next();
    stepwell_planted::plant(None);
    first
}
