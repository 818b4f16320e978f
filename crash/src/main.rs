//! Faults on the real server: killed, out of room, out of memory, with a disk that fails, under loads that would be easy
//! to get wrong. What it had acknowledged must be there, every execution must end, every task must be done once.
//!
//! Run by `cargo xtask crash`. Each fault is a file in [`faults`]. The clients write down what they asked and what they
//! were answered ([`ledger`]); afterwards everything is read back and held against it ([`verdict`]).

mod client;
mod faults;
mod field;
mod ledger;
mod load;
mod mount;
mod server;
mod services;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use crate::faults::{FAULTS, Fault};
use crate::field::{Field, Outcome};

/// What the command line says.
struct Options {
    binary: PathBuf,
    poisoned: Option<PathBuf>,
    directory: PathBuf,
    only: Vec<String>,
    is_smoke: bool,
    times: Option<u64>,
    count: Option<u64>,
    clients: usize,
    seed: u64,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            for fault in &FAULTS {
                println!("{:<12} {}", fault.name, fault.what);
            }
            return ExitCode::SUCCESS;
        }
        Err(reason) => {
            eprintln!("stepwell-crash: {reason}");
            return ExitCode::from(2);
        }
    };
    let mut broken = 0;
    for fault in FAULTS.iter().filter(|fault| options.asks_for(fault)) {
        let began = Instant::now();
        let outcome = run(&options, fault);
        let seconds = began.elapsed().as_secs();
        match outcome {
            Ok(Outcome::Held(numbers)) => {
                println!("{:<12} held: {numbers} ({seconds} s, seed {})", fault.name, options.seed)
            }
            Ok(Outcome::Skipped(why)) => println!("{:<12} skipped: {why}", fault.name),
            Err(faults) => {
                broken += 1;
                println!("{:<12} BROKEN: {} faults ({seconds} s, seed {})", fault.name, faults.len(), options.seed);
                for what in faults.iter().take(30) {
                    eprintln!("FAULT {}: {what}", fault.name);
                }
                eprintln!("the data and what the server said are in {}", options.directory.join(fault.name).display());
                eprintln!(
                    "again: cargo xtask crash --only {} --seed {}{}",
                    fault.name,
                    options.seed,
                    options.repeated()
                );
            }
        }
    }
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(options: &Options, fault: &Fault) -> Result<Outcome, Vec<String>> {
    let directory = options.directory.join(fault.name);
    mount::clean(&directory).and_then(|()| field::empty(&directory)).map_err(field::one)?;
    client::take_told_to_ask_again();
    if fault.mounts
        && let Some(why) = mount::why_not(&directory)
    {
        return Ok(Outcome::Skipped(format!("nothing can be mounted here ({why})")));
    }
    let (smoke_times, smoke_count) = fault.smoke;
    let or_smoke = |asked: Option<u64>, smoke| asked.or_else(|| options.is_smoke.then_some(smoke));
    let field = Field {
        directory,
        binary: options.binary.clone(),
        poisoned: options.poisoned.clone(),
        clients: options.clients,
        seed: options.seed,
        times: or_smoke(options.times, smoke_times),
        count: or_smoke(options.count, smoke_count),
    };
    (fault.run)(&field)
}

impl Options {
    fn asks_for(&self, fault: &Fault) -> bool {
        match self.only.is_empty() {
            true => fault.smoke != (0, 0) || !self.is_smoke,
            false => self.only.iter().any(|name| name == fault.name),
        }
    }

    fn repeated(&self) -> String {
        let named = [("--times", self.times), ("--count", self.count)];
        let given = named.iter().filter_map(|(name, value)| value.map(|value| format!(" {name} {value}")));
        let smoke = if self.is_smoke { " --smoke" } else { "" };
        format!("{}{smoke}", given.collect::<String>())
    }
}

/// Nothing, when only the list of faults is wanted.
fn options() -> Result<Option<Options>, String> {
    let mut options = Options {
        binary: "target/release/stepwell".into(),
        poisoned: None,
        directory: PathBuf::new(),
        only: Vec::new(),
        is_smoke: false,
        times: None,
        count: None,
        clients: 12,
        seed: 1,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--list" => return Ok(None),
            "--smoke" => {
                options.is_smoke = true;
                continue;
            }
            _ => {}
        }
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{word} wants a number, not '{value}'"));
        match word.as_str() {
            "--binary" => options.binary = value.into(),
            "--poisoned" => options.poisoned = Some(value.into()),
            "--data" => options.directory = value.into(),
            "--only" => options.only.extend(value.split(',').map(str::to_owned)),
            "--times" => options.times = Some(number()?),
            "--count" => options.count = Some(number()?),
            "--clients" => options.clients = usize::try_from(number()?).map_err(|error| error.to_string())?,
            "--seed" => options.seed = number()?,
            _ => return Err(format!("there is no option {word}")),
        }
    }
    if options.directory.as_os_str().is_empty() {
        return Err("--data DIR names an empty directory".to_owned());
    }
    if let Some(unknown) = options.only.iter().find(|name| FAULTS.iter().all(|fault| fault.name != **name)) {
        return Err(format!("there is no fault {unknown}; --list lists those there are"));
    }
    Ok(Some(options))
}

/// Repeatable chance (SplitMix64, public domain).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `low` on, below `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low).max(1)
    }
}
