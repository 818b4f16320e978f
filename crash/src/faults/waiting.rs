//! Many executions that wait an hour: the memory each takes, and how soon a server that was killed is ready again.

use std::time::{Duration, Instant};

use crate::client::{Client, object};
use crate::field::{Broken, Field, Outcome, one};
use crate::load::{machine_arn, state_machine};
use crate::server::Launch;

/// Clients that start executions at the same time.
const CLIENTS: usize = 32;

/// How long a server is left alone before its memory is read: what is due to be written down is.
const SETTLE: Duration = Duration::from_secs(8);

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    measure(field).map(Outcome::Held).map_err(one)
}

fn measure(field: &Field) -> Result<String, String> {
    let count = usize::try_from(field.count.unwrap_or(100_000)).map_err(|error| error.to_string())?;
    let launch = Launch::new(&field.binary, &field.directory);
    let server = launch.start()?;
    let address = server.address();
    let wait = r#"{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":3600,"End":true}}}"#;
    state_machine(&mut Client::new(address), "waiting", wait)?;
    std::thread::sleep(SETTLE);
    let empty = server.resident_bytes()?;
    let began = Instant::now();
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| std::thread::spawn(move || start_many(address, number, count / CLIENTS))).collect();
    let mut started = 0;
    for client in clients {
        started += client.join().map_err(|_| "a client broke off".to_owned())??;
    }
    let took = began.elapsed();
    std::thread::sleep(SETTLE);
    let full = server.resident_bytes()?;
    let each = full.saturating_sub(empty) / (started as u64).max(1);
    server.kill()?;
    let server = launch.start()?;
    let ready = server.age();
    let list = object(&[("stateMachineArn", &machine_arn("waiting")), ("statusFilter", "RUNNING")]);
    Client::new(address).insist("ListExecutions", &list)?;
    std::thread::sleep(SETTLE);
    let again = server.resident_bytes()?;
    server.end()?;
    Ok(format!(
        "{started} executions started by {CLIENTS} clients in {:.1} s; {} MiB empty, {} MiB with them, {each} bytes each; \
         ready {} ms after kill -9, then {} MiB",
        took.as_secs_f64(),
        empty >> 20,
        full >> 20,
        ready.as_millis(),
        again >> 20,
    ))
}

fn start_many(address: &str, number: usize, count: usize) -> Result<usize, String> {
    let mut client = Client::new(address);
    let machine = machine_arn("waiting");
    for index in 0..count {
        let name = format!("{number}-{index}");
        let input = format!(r#"{{"order":"{name}","customer":{{"id":{index},"mail":"someone@example.com"}}}}"#);
        client
            .insist("StartExecution", &object(&[("stateMachineArn", &machine), ("name", &name), ("input", &input)]))?;
    }
    Ok(count)
}
