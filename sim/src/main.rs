//! The command behind `cargo xtask sim`: seeds for a while, one seed with its trace, or every planted bug until a seed finds it.
//!
//! The only file here that has a clock and threads: the seeds themselves know neither.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stepwell_sim::{Course, Tally, run};

struct Options {
    seed: u64,
    seeds: u64,
    minutes: f64,
    trace: bool,
    threads: usize,
    planted: bool,
    bug: Option<String>,
}

fn main() -> ExitCode {
    let options = match read_options() {
        Ok(options) => options,
        Err(what) => {
            eprintln!("stepwell-sim: {what}");
            return ExitCode::FAILURE;
        }
    };
    // What panics is told with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    if options.planted {
        return hunt_all(&options);
    }
    match search(&options) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn read_options() -> Result<Options, String> {
    let mut options =
        Options { seed: 1, seeds: u64::MAX, minutes: 1.0, trace: false, threads: 2, planted: false, bug: None };
    let mut words = std::env::args().skip(1);
    let mut has_minutes = false;
    while let Some(word) = words.next() {
        let mut number = || -> Result<f64, String> {
            let value = words.next().ok_or_else(|| format!("{word} wants a number"))?;
            value.parse().map_err(|_| format!("{word} wants a number, not `{value}`"))
        };
        match &*word {
            "--seed" => options.seed = number()? as u64,
            "--seeds" => options.seeds = number()? as u64,
            "--minutes" => (options.minutes, has_minutes) = (number()?, true),
            "--threads" => options.threads = number()? as usize,
            "--trace" => options.trace = true,
            "--planted" => options.planted = true,
            "--bug" => {
                options.planted = true;
                options.bug = words.next();
            }
            _ => return Err(format!("unknown option `{word}`")),
        }
    }
    if options.seeds < u64::MAX && !has_minutes {
        options.minutes = f64::MAX;
    }
    Ok(options)
}

/// Runs seed after seed. `false` when one of them did not hold.
fn search(options: &Options) -> bool {
    let began = Instant::now();
    let next = AtomicU64::new(options.seed);
    let last = options.seed.saturating_add(options.seeds);
    let found = AtomicBool::new(false);
    let all: Mutex<(Tally, Option<(u64, Course)>)> = Mutex::new((Tally::default(), None));
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                let is_time_left =
                    || options.minutes == f64::MAX || began.elapsed() < Duration::from_secs_f64(options.minutes * 60.0);
                while !found.load(Ordering::Relaxed) && is_time_left() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        return;
                    }
                    let mut course = run(seed);
                    let tally = std::mem::take(&mut course.tally);
                    let mut all = all.lock().expect("nobody panics with the tally in hand");
                    all.0.add(tally);
                    let is_first = all.1.as_ref().is_none_or(|(other, _)| seed < *other);
                    if (course.violation.is_some() || options.trace) && is_first {
                        found.store(course.violation.is_some(), Ordering::Relaxed);
                        all.1 = Some((seed, course));
                    }
                }
            });
        }
    });
    let (tally, course) = all.into_inner().expect("nobody panics with the tally in hand");
    let seconds = began.elapsed().as_secs_f64();
    println!("{tally}");
    println!("{:.0} s, {:.0} faults/s", seconds, tally.faults() as f64 / seconds);
    let Some((seed, course)) = course else { return true };
    let Some(violation) = course.violation else { return true };
    for line in violation.trace.iter().rev().take(if options.trace { 120 } else { 30 }).rev() {
        println!("  {line}");
    }
    println!("seed {seed}, step {}: {}", violation.step, violation.what);
    println!("again: cargo xtask sim --seed {seed} --seeds 1");
    false
}

/// Seeds that a planted bug may outlive.
#[cfg(feature = "planted")]
const SEEDS_PER_BUG: u64 = 1_000;

/// Plants one bug after the other, and says which seed finds it.
#[cfg(feature = "planted")]
fn hunt_all(options: &Options) -> ExitCode {
    use stepwell_sim::{Bug, hunt};
    let began = Instant::now();
    let is_asked_for = |bug: &Bug| options.bug.as_ref().is_none_or(|name| format!("{bug:?}") == *name);
    let bugs: Vec<Bug> = Bug::ALL.iter().copied().filter(is_asked_for).collect();
    let count = options.seeds.min(SEEDS_PER_BUG);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let outlived = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                while let Some(&bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match hunt(bug, options.seed..options.seed + count) {
                        Some((seed, violation)) => {
                            let what: String = violation.what.chars().take(110).collect();
                            println!("| `{bug:?}` | {} | {what} |", seed - options.seed + 1);
                            if options.trace {
                                violation.trace.iter().for_each(|line| println!("  {line}"));
                            }
                        }
                        None => {
                            outlived.fetch_add(1, Ordering::Relaxed);
                            println!("| `{bug:?}` | – | {} |", bug.text());
                        }
                    }
                }
            });
        }
    });
    let outlived = outlived.into_inner();
    let found = bugs.len() as u64 - outlived;
    println!("{found} of {} planted bugs found, in {:.0} s", bugs.len(), began.elapsed().as_secs_f64());
    if outlived == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(not(feature = "planted"))]
fn hunt_all(_: &Options) -> ExitCode {
    eprintln!("stepwell-sim: bugs can be planted in a build with `--features planted` only");
    ExitCode::FAILURE
}
