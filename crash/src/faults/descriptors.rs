//! Few file descriptors, and more connections than there are: those that have one are served, the process lives, and once
//! the crowd has left everybody is served again. Nothing acknowledged is lost.

use std::time::{Duration, Instant};

use crate::Chance;
use crate::client::Client;
use crate::field::{Broken, Field, Load, Outcome, one};
use crate::server::Launch;

/// Descriptors the process may have. Its own files and the clients of the load need about a hundred.
const DESCRIPTORS: u64 = 128;

/// How long the crowd stays.
const CROWD: Duration = Duration::from_secs(4);

/// How soon everybody must be served again.
const SERVED_WITHIN: Duration = Duration::from_secs(5);

pub(crate) fn run(field: &Field) -> Result<Outcome, Broken> {
    let (times, count) = (field.times.unwrap_or(5), field.count.unwrap_or(250));
    let mut chance = Chance(field.seed);
    let launch =
        Launch { limits: Some(format!("ulimit -n {DESCRIPTORS}")), ..Launch::new(&field.binary, &field.directory) };
    let mut server = launch.start().map_err(one)?;
    let address = server.address();
    let mut load = Load::start(address, field.clients, &mut chance)?;
    let mut slowest = Duration::ZERO;
    for time in 1..=times {
        let fail = |what: String| one(format!("crowd {time}: {what}"));
        std::thread::sleep(Duration::from_millis(chance.between(300, 1_000)));
        let crowd: Vec<Client> = (0..count)
            .map(|_| {
                let mut client = Client::new(address);
                client.connect();
                client
            })
            .collect();
        std::thread::sleep(CROWD);
        drop(crowd);
        let began = Instant::now();
        while !Client::new(address).is_ready() {
            if began.elapsed() > SERVED_WITHIN {
                return Err(fail(format!("not served {} s after it left", SERVED_WITHIN.as_secs())));
            }
            if let Some(status) = server.ended().map_err(fail)? {
                return Err(fail(format!("the server ended, {status}: {}", launch.last_words())));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        slowest = slowest.max(began.elapsed());
    }
    let verdict = load.judge(address)?;
    let refused = launch.said("cannot take a connection");
    server.end().map_err(one)?;
    Ok(Outcome::Held(format!(
        "{times} crowds of {count} on {DESCRIPTORS} descriptors; {refused} connections had to wait; served again after {} ms \
         at most; {verdict}",
        slowest.as_millis()
    )))
}
