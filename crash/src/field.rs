//! A field: a directory for one fault, a server in it, and clients that load it and write down what they were promised.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use stepwell_json::Json;

use crate::Chance;
use crate::client::{Client, Said, object};
use crate::ledger::Ledger;
use crate::load::{self, Machines, machine_arn, state_machine};
use crate::verdict::{self, Verdict};

/// What came of a fault that was made.
pub(crate) enum Outcome {
    /// Everything held: the numbers of it.
    Held(String),
    /// It cannot be made here, and why.
    Skipped(String),
}

/// What a fault is run with.
pub(crate) struct Field {
    /// A directory of its own, empty.
    pub(crate) directory: PathBuf,
    pub(crate) binary: PathBuf,
    /// One with planted panics.
    pub(crate) poisoned: Option<PathBuf>,
    pub(crate) clients: usize,
    pub(crate) seed: u64,
    /// How often, where the fault is one that comes again and again.
    pub(crate) times: Option<u64>,
    /// How many, where it is about many.
    pub(crate) count: Option<u64>,
}

/// What did not hold. The data is left where it is.
pub(crate) type Broken = Vec<String>;

/// A run that could not go on is a fault too.
pub(crate) fn one(fault: String) -> Broken {
    vec![fault]
}

/// Clients at work.
pub(crate) struct Load {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) machines: Arc<Machines>,
    ends: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn start(address: &'static str, clients: usize, chance: &mut Chance) -> Result<Load, Broken> {
        let machines = load::create_machines(&mut Client::new(address)).map_err(one)?;
        let (ledger, machines) = (Arc::new(Ledger::default()), Arc::new(machines));
        let ends = Arc::new(AtomicBool::new(false));
        let clients = (0..clients).map(|number| {
            let (ledger, machines, ends) = (ledger.clone(), machines.clone(), ends.clone());
            let seed = chance.next();
            std::thread::spawn(move || load::run(number, seed, address, &machines, &ledger, &ends))
        });
        let clients = clients.collect();
        Ok(Load { ledger, machines, ends, clients })
    }

    /// Lets the clients finish what they are at. They need a server that answers for that.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        self.ends.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().map_err(|_| one("a client broke off".to_owned()))?;
        }
        Ok(())
    }

    /// Ends the load, waits until everything has ended, and holds all of it against what was promised.
    pub(crate) fn judge(&mut self, address: &str) -> Result<String, Broken> {
        self.end()?;
        let Verdict { summary, faults } = verdict::judge(address, &self.machines, &self.ledger);
        if faults.is_empty() { Ok(summary) } else { Err(faults) }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // A run that breaks off leaves its clients insisting on a server that is gone: the process ends with them.
        self.ends.store(true, Ordering::Relaxed);
    }
}

/// The time of one client's calls, one after the other, while something else goes on.
pub(crate) struct Pulse {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<(Vec<Duration>, Vec<String>)>,
}

impl Pulse {
    /// A client that starts executions which pass, and describes them: as long as it is not ended, with a pause between.
    pub(crate) fn start(address: &'static str, name: &'static str, pause: Duration) -> Result<Pulse, Broken> {
        let machine = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
        state_machine(&mut Client::new(address), name, machine).map_err(one)?;
        let ends = Arc::new(AtomicBool::new(false));
        let until = ends.clone();
        let thread = std::thread::spawn(move || {
            let (mut times, mut faults) = (Vec::new(), Vec::new());
            let mut client = Client::new(address);
            let body = object(&[("stateMachineArn", &machine_arn(name)), ("input", "{\"healthy\":true}")]);
            while !until.load(Ordering::Relaxed) {
                let began = Instant::now();
                match client.ask("StartExecution", &body) {
                    Said::Yes(started) => {
                        times.push(began.elapsed());
                        let arn = started.get("executionArn").and_then(Json::as_str).unwrap_or_default();
                        let asked = object(&[("executionArn", arn)]);
                        match client.insist("DescribeExecution", &asked) {
                            Ok(said) if said.get("status").and_then(Json::as_str) == Some("SUCCEEDED") => {}
                            said => faults.push(format!("a healthy execution is {said:?}")),
                        }
                    }
                    Said::Again(_) => {}
                    said @ (Said::No(_) | Said::Nothing) => faults.push(format!("a healthy start: {said:?}")),
                }
                std::thread::sleep(pause);
            }
            (times, faults)
        });
        Ok(Pulse { ends, thread })
    }

    /// Ends it: how many calls there were, and their times.
    pub(crate) fn end(self) -> Result<Times, Broken> {
        self.ends.store(true, Ordering::Relaxed);
        let (times, faults) = self.thread.join().map_err(|_| one("a client broke off".to_owned()))?;
        if faults.is_empty() { Ok(Times::of(times)) } else { Err(faults) }
    }
}

/// Times in order.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn of(mut times: Vec<Duration>) -> Times {
        times.sort_unstable();
        Times(times)
    }

    /// The time that so many of a thousand do not exceed.
    pub(crate) fn per_mille(&self, per_mille: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get((self.0.len() * per_mille / 1_000).min(last)).copied().unwrap_or_default()
    }

    pub(crate) fn shown(&self) -> String {
        let ms = |per_mille| self.per_mille(per_mille).as_secs_f64() * 1_000.0;
        format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms of {} calls", ms(500), ms(990), ms(1_000), self.0.len())
    }
}

/// A directory with nothing in it.
pub(crate) fn empty(directory: &Path) -> Result<(), String> {
    let emptied = match std::fs::remove_dir_all(directory) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(fault),
        _ => std::fs::create_dir_all(directory),
    };
    emptied.map_err(|fault| format!("cannot empty {}: {fault}", directory.display()))
}
