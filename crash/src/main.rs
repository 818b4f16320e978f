//! `kill -9` at random moments, over and over, under a load of starts, waits, callbacks, activities, Parallel, Map, retries,
//! stops, and tasks and clients that leave messages, items and objects in the services beside. What the server had acknowledged must be there, every execution must end, every task must be done once.
//!
//! Run by `cargo xtask crash`. The clients write down what they asked and what they were answered ([`ledger`]); after the
//! last kill everything is read back and held against it ([`verdict`]).

mod client;
mod ledger;
mod load;
mod server;
mod services;
mod verdict;
mod waiting;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::ledger::Ledger;
use crate::server::Server;

/// What the command line says.
struct Options {
    binary: String,
    directory: String,
    kills: u32,
    clients: usize,
    seed: u64,
    /// Measures so many waiting executions instead.
    waiting: usize,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(reason) => {
            eprintln!("stepwell-crash: {reason}");
            return ExitCode::from(2);
        }
    };
    if options.waiting > 0 {
        return match waiting::measure(&options.binary, &options.directory, options.waiting) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                eprintln!("stepwell-crash: {reason}");
                ExitCode::FAILURE
            }
        };
    }
    match run(&options) {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            for fault in faults.iter().take(50) {
                eprintln!("FAULT {fault}");
            }
            eprintln!("{} faults; the data is left in {}", faults.len(), options.directory);
            ExitCode::FAILURE
        }
        Err(reason) => {
            eprintln!("stepwell-crash: {reason}; the data is left in {}", options.directory);
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        binary: "target/release/stepwell".to_owned(),
        directory: String::new(),
        kills: 200,
        clients: 12,
        seed: 1,
        waiting: 0,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{word} wants a number, not '{value}'"));
        match word.as_str() {
            "--binary" => options.binary = value,
            "--data" => options.directory = value,
            "--kills" => options.kills = u32::try_from(number()?).map_err(|error| error.to_string())?,
            "--clients" => options.clients = usize::try_from(number()?).map_err(|error| error.to_string())?,
            "--waiting" => options.waiting = usize::try_from(number()?).map_err(|error| error.to_string())?,
            "--seed" => options.seed = number()?,
            _ => return Err(format!("there is no option {word}")),
        }
    }
    if options.directory.is_empty() {
        return Err("--data DIR names an empty directory".to_owned());
    }
    Ok(options)
}

/// The faults that were found; `Err` when there was no run.
fn run(options: &Options) -> Result<Vec<String>, String> {
    let mut chance = Chance(options.seed);
    let mut server = Server::start(&options.binary, &options.directory)?;
    let ledger = Arc::new(Ledger::default());
    let machines = Arc::new(load::create_machines(&mut Client::new(server.address()))?);
    let ends = Arc::new(AtomicBool::new(false));
    let address = server.address().to_owned();
    let clients: Vec<_> = (0..options.clients)
        .map(|number| {
            let (ledger, machines, ends, address) = (ledger.clone(), machines.clone(), ends.clone(), address.clone());
            let seed = chance.next();
            std::thread::spawn(move || load::run(number, seed, &address, &machines, &ledger, &ends))
        })
        .collect();

    let mut slowest = Duration::ZERO;
    for kill in 1..=options.kills {
        std::thread::sleep(Duration::from_millis(150 + chance.next() % 1_350));
        server.kill()?;
        let began = Instant::now();
        server = Server::start(&options.binary, &options.directory)?;
        slowest = slowest.max(began.elapsed());
        if kill % 10 == 0 || kill == options.kills {
            println!("{kill:>4} kills, {}, slowest start {} ms", ledger.summary(), slowest.as_millis());
        }
    }
    ends.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().map_err(|_| "a client broke off".to_owned())?;
    }
    let began = Instant::now();
    let verdict = verdict::judge(&address, &machines, &ledger);
    println!("{}", verdict.summary);
    println!("judged in {} s", began.elapsed().as_secs());
    server.end()?;
    Ok(verdict.faults)
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
}
