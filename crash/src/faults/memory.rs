//! A limit on memory, and more large inputs than it has room for: the process stays within it, as a cgroup counts, and
//! nothing acknowledged is lost. In the end it is killed as the kernel would, and started again.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use stepwell_json::Json;

use crate::client::{Client, object, take_told_to_ask_again};
use crate::field::{Broken, Field, Outcome, one};
use crate::load::{execution_arn, machine_arn, state_machine};
use crate::server::Launch;

const MEGABYTES: u64 = 256;
const CLIENTS: u64 = 16;

/// The largest input there may be, but for its name.
const INPUT_BYTES: usize = 262_000;

/// Of so many inputs one is read back whole; of the others that they are there.
const WHOLE_OF: usize = 10;

/// A control group of version 1, for as long as the value is there.
struct Group(PathBuf);

impl Group {
    fn new() -> Result<Group, String> {
        let path = PathBuf::from(format!("/sys/fs/cgroup/memory/stepwell-crash-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|error| format!("no memory group at {}: {error}", path.display()))?;
        let group = Group(path);
        let limit = (MEGABYTES << 20).to_string();
        let set = std::fs::write(group.0.join("memory.limit_in_bytes"), limit);
        set.map_err(|error| format!("its limit cannot be set: {error}"))?;
        Ok(group)
    }

    fn number(&self, file: &str) -> u64 {
        let text = std::fs::read_to_string(self.0.join(file)).unwrap_or_default();
        text.trim().parse().unwrap_or_default()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel may need a moment to see that its last process is gone.
        for _ in 0..100 {
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("stepwell-crash: {} is left", self.0.display());
    }
}

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    let count = field.count.unwrap_or(10_000) / CLIENTS * CLIENTS;
    let group = match Group::new() {
        Ok(group) => group,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    let procs = group.0.join("cgroup.procs");
    let launch = Launch {
        limits: Some(format!("echo $$ > {}", procs.display())),
        ..Launch::new(&field.binary, &field.directory)
    };
    let mut server = launch.start().map_err(one)?;
    let address = server.address();
    let wait = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":36000,"End":true}}}"#;
    state_machine(&mut Client::new(address), "large", wait).map_err(one)?;
    let began = Instant::now();
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| std::thread::spawn(move || start_many(address, number, count / CLIENTS))).collect();
    let mut highest = 0;
    while clients.iter().any(|client| !client.is_finished()) {
        if let Some(status) = server.ended().map_err(one)? {
            return Err(one(format!(
                "the server ended, {status}, with {} MiB before: {}",
                highest >> 20,
                launch.last_words()
            )));
        }
        highest = highest.max(server.resident_bytes().unwrap_or_default());
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut started = Vec::new();
    for client in clients {
        started.extend(client.join().map_err(|_| one("a client broke off".to_owned()))?.map_err(one)?);
    }
    let took = began.elapsed().as_secs_f64();
    let refused: u64 = take_told_to_ask_again().values().sum();
    server.kill().map_err(one)?;
    let server = launch.start().map_err(one)?;
    let ready = server.age();
    let mut faults = Vec::new();
    let mut client = Client::new(address);
    for (index, name) in started.iter().enumerate() {
        let is_read = index % WHOLE_OF == 0;
        let data = if is_read { "ALL_DATA" } else { "METADATA_ONLY" };
        let asked = object(&[("executionArn", &execution_arn("large", name)), ("includedData", data)]);
        match client.insist("DescribeExecution", &asked) {
            Ok(shown) if is_read && shown.get("input").and_then(Json::as_str) != Some(&input(name)) => {
                faults.push(format!("I1: the input of {name} is another"));
            }
            Ok(_) => {}
            Err(fault) => faults.push(format!("I1: {name} was acknowledged and is not there: {fault}")),
        }
    }
    let failures = group.number("memory.failcnt");
    server.end().map_err(one)?;
    drop(group);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Outcome::Held(format!(
        "{} executions with inputs of {INPUT_BYTES} bytes within {MEGABYTES} MiB in {took:.1} s, {refused} told to ask again; \
         {} MiB resident at most, the limit met {failures} times; ready {} ms after kill -9; all read back",
        started.len(),
        highest >> 20,
        ready.as_millis(),
    )))
}

fn input(name: &str) -> String {
    Json::object([("name", Json::from(name)), ("fill", Json::from("x".repeat(INPUT_BYTES - name.len())))]).to_string()
}

fn start_many(address: &str, number: u64, count: u64) -> Result<Vec<String>, String> {
    let mut client = Client::new(address);
    let mut started = Vec::new();
    for index in 0..count {
        let name = format!("{number}-{index}");
        let machine = machine_arn("large");
        let body = object(&[("stateMachineArn", &machine), ("name", &name), ("input", &input(&name))]);
        client.insist("StartExecution", &body)?;
        started.push(name);
    }
    Ok(started)
}
