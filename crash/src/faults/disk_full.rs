//! A disk that fills under load, and has room again: what writes is refused so that clients ask again, what reads is
//! answered, nothing acknowledged is lost, and the server goes on within five seconds of there being room, as it stands.
//!
//! In the last cycle it is killed while the disk is full and started again on the full disk, and then ended as a user would
//! and started without a byte of room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stepwell_json::Json;

use crate::Chance;
use crate::client::{Client, Said, object, take_told_to_ask_again};
use crate::field::{Broken, Field, Load, Outcome, Times, one};
use crate::load::{execution_arn, machine_arn, state_machine};
use crate::mount::Mount;
use crate::server::{Launch, Server};

/// Room for a segment of the log, the next one, the index and the other services.
const MEGABYTES: u64 = 220;

/// What takes room.
const BULK: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","Result":1,"End":true}}}"#;

/// How long it may take until a write is refused: the room that is kept ready has to be used up first.
const REFUSED_WITHIN: Duration = Duration::from_secs(60);

const GOES_ON_WITHIN: Duration = Duration::from_secs(5);

/// How long reads are tried while the disk is full.
const READ_FOR: Duration = Duration::from_secs(2);

/// The size of an input that uses up room.
const INPUT_BYTES: usize = 100_000;

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    let cycles = field.times.unwrap_or(10);
    let mut chance = Chance(field.seed);
    let disk = Mount::memory(&field.directory.join("disk"), MEGABYTES).map_err(one)?;
    let mut launch = Launch::new(&field.binary, &field.directory);
    launch.data = disk.path().join("data");
    let mut server = launch.start().map_err(one)?;
    let address = server.address();
    // Now: there may be no room for it later.
    state_machine(&mut Client::new(address), "bulk", BULK).map_err(one)?;
    let mut load = Load::start(address, field.clients, &mut chance)?;
    let mut reads = Vec::new();
    let mut pauses = Vec::new();
    for cycle in 1..=cycles {
        let fail = |what: String| one(format!("cycle {cycle}: {what}"));
        std::thread::sleep(Duration::from_millis(chance.between(300, 1_500)));
        let ballast = disk.fill("ballast", chance.between(0, 3 << 20)).map_err(fail)?;
        let writer = Writer::start(address);
        if !writer.is_refused_within(REFUSED_WITHIN) {
            return Err(fail(format!("nothing was refused within {} s", REFUSED_WITHIN.as_secs())));
        }
        writer.end();
        reads.extend(read_for(address, READ_FOR, &load).map_err(fail)?);
        if let Some(status) = server.ended().map_err(fail)? {
            return Err(fail(format!("the server ended, {status}: {}", launch.last_words())));
        }
        if cycle == cycles {
            server.kill().map_err(fail)?;
            server = start_again(&launch, &load).map_err(|fault| fail(format!("killed, on the full disk: {fault}")))?;
            server.end().map_err(fail)?;
            // What it gave back at its end is gone as well.
            let _rest = disk.fill("rest", 0).map_err(fail)?;
            server = start_again(&launch, &load).map_err(|fault| fail(format!("ended, on the full disk: {fault}")))?;
        }
        drop(ballast);
        let began = Instant::now();
        let mut client = Client::new(address);
        let start = object(&[("stateMachineArn", &machine_arn("bulk")), ("input", "{}")]);
        loop {
            match client.ask("StartExecution", &start) {
                Said::Yes(_) => break,
                Said::No(name) => return Err(fail(format!("a start was refused for good: {name}"))),
                Said::Again(_) | Said::Nothing if began.elapsed() < GOES_ON_WITHIN => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                said => {
                    return Err(fail(format!("there is room again for {} s, and {said:?}", GOES_ON_WITHIN.as_secs())));
                }
            }
        }
        pauses.push(began.elapsed());
    }
    let told = take_told_to_ask_again();
    let verdict = load.judge(address)?;
    server.end().map_err(one)?;
    let refused: u64 = told.values().sum();
    let broken_off = told.get("InternalFailure").copied().unwrap_or_default();
    if broken_off > 0 {
        return Err(one(format!("{broken_off} calls were answered InternalFailure")));
    }
    let names: Vec<&str> = told.keys().map(String::as_str).collect();
    Ok(Outcome::Held(format!(
        "filled and freed {cycles} times; {refused} writes refused by {}; reads meanwhile {}; went on after p50 {} ms, max \
         {} ms; {verdict}",
        names.join(", "),
        Times::of(reads).shown(),
        Times::of(pauses.clone()).per_mille(500).as_millis(),
        Times::of(pauses).per_mille(1_000).as_millis(),
    )))
}

/// Starts a server where there is no room, which answers what is there.
fn start_again(launch: &Launch, load: &Load) -> Result<Server, String> {
    let server = launch.start()?;
    read_for(server.address(), READ_FOR, load)?;
    Ok(server)
}

/// Describes, lists and reads histories.
fn read_for(address: &str, time: Duration, load: &Load) -> Result<Vec<Duration>, String> {
    let mut client = Client::new(address);
    let (began, mut times) = (Instant::now(), Vec::new());
    let started: Vec<_> = load.ledger.started().into_iter().filter(|started| started.is_acknowledged).collect();
    let newest = started.iter().rev().take(200).cycle();
    for known in newest {
        if began.elapsed() > time {
            break;
        }
        let arn = execution_arn(known.kind.name(), &known.name);
        let asked = [
            ("DescribeExecution", object(&[("executionArn", &arn)])),
            ("GetExecutionHistory", object(&[("executionArn", &arn)])),
            ("ListExecutions", object(&[("stateMachineArn", &machine_arn(known.kind.name()))])),
        ];
        for (action, body) in asked {
            let began = Instant::now();
            match client.ask(action, &body) {
                Said::Yes(_) => times.push(began.elapsed()),
                said => return Err(format!("{action} on the full disk: {said:?}")),
            }
        }
    }
    Ok(times)
}

/// Uses up room with large inputs until it is refused.
struct Writer {
    refused: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Writer {
    fn start(address: &'static str) -> Writer {
        let (refused, ends) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let threads = (0..4).map(|_| {
            let (refused, ends) = (refused.clone(), ends.clone());
            std::thread::spawn(move || {
                let mut client = Client::new(address);
                let input = Json::from("x".repeat(INPUT_BYTES)).to_string();
                let body = object(&[("stateMachineArn", &machine_arn("bulk")), ("input", &input)]);
                while !ends.load(Ordering::Relaxed) {
                    if let Said::Again(name) = client.ask("StartExecution", &body)
                        && name == "ThrottlingException"
                    {
                        refused.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(20));
                    }
                }
            })
        });
        let threads = threads.collect();
        Writer { refused, ends, threads }
    }

    fn is_refused_within(&self, time: Duration) -> bool {
        let began = Instant::now();
        while self.refused.load(Ordering::Relaxed) == 0 {
            if began.elapsed() > time {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    fn end(self) {
        self.ends.store(true, Ordering::Relaxed);
        for thread in self.threads {
            // What one of them met is nothing that is promised.
            let _ = thread.join();
        }
    }
}
