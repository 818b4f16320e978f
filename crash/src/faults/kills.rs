//! `kill -9` at random moments, over and over, under a load of starts, waits, callbacks, activities, Parallel, Map,
//! retries, stops, and tasks and clients that leave messages, items and objects in the services beside.

use std::time::{Duration, Instant};

use crate::Chance;
use crate::client::take_told_to_ask_again;
use crate::field::{Broken, Field, Load, Outcome, Times, one};
use crate::server::Launch;

/// Milliseconds a server lives: short lives meet more of what an opening does, long ones more of everything else.
const SHORT: (u64, u64) = (10, 150);
const LONG: (u64, u64) = (150, 900);

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    let kills = field.times.unwrap_or(200);
    let mut chance = Chance(field.seed);
    let launch = Launch::new(&field.binary, &field.directory);
    let mut server = launch.start().map_err(one)?;
    let address = server.address();
    let mut load = Load::start(address, field.clients, &mut chance)?;
    let mut starts = Vec::new();
    let began = Instant::now();
    for kill in 1..=kills {
        let (low, high) = if chance.next().is_multiple_of(2) { SHORT } else { LONG };
        std::thread::sleep(Duration::from_millis(chance.between(low, high)));
        server.kill().map_err(one)?;
        server = launch.start().map_err(|fault| one(format!("after kill {kill}: {fault}")))?;
        starts.push(server.age());
        if kill % 100 == 0 {
            println!("{kill:>4} kills in {} s, {}", began.elapsed().as_secs(), load.ledger.summary());
        }
    }
    let took = began.elapsed().as_secs();
    let acknowledged = load.ledger.summary();
    let verdict = load.judge(address)?;
    server.end().map_err(one)?;
    // A server that lives or is gone has no reason to break off in the middle of an answer.
    let broken_off: Vec<String> = take_told_to_ask_again()
        .into_iter()
        .filter(|(name, _)| name != "ServiceUnavailableException")
        .map(|(name, count)| format!("{count} calls were answered {name}"))
        .collect();
    if !broken_off.is_empty() {
        return Err(broken_off);
    }
    let starts = Times::of(starts);
    Ok(Outcome::Held(format!(
        "{kills} kills in {took} s; {acknowledged}; {verdict}; ready again after p50 {} ms, max {} ms",
        starts.per_mille(500).as_millis(),
        starts.per_mille(1_000).as_millis()
    )))
}
