//! The load generator: clients that each have one request at a time under way, for a while.
//!
//! A closed loop: a client asks again when it has been answered, so that a slow server is not buried and the number of
//! clients is the number of requests in flight. All of them share one thread. What a client does is an [`Operation`]; what
//! it cannot do is counted as an error and never as work.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::client::Client;
use crate::connection::Place;
use crate::endpoint::Service;
use crate::histogram::Histogram;

/// How long requests that are under way when the time is over may still take.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// A client that has erred so often in a row gives up.
const ERRORS_IN_A_ROW_MAX: u32 = 50;

/// How long a client waits after an error, lest an endpoint that only errs is asked without pause.
const AFTER_ERROR: Duration = Duration::from_millis(10);

/// How many different errors are shown.
const SAMPLES_MAX: usize = 3;

/// What one client does again and again. Each client has one of its own.
pub(crate) trait Operation: Clone + Send + 'static {
    /// Where its requests go first.
    fn service(&self) -> Service {
        Service::States
    }

    /// Does it once: everything of it is in the time that is measured. An error says what was wrong.
    fn perform(&mut self, client: &mut Client) -> impl Future<Output = Result<(), String>> + Send;
}

/// What could not be done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Errors {
    pub(crate) count: u64,
    /// The first of them that differ.
    pub(crate) samples: Vec<String>,
}

impl Errors {
    pub(crate) fn of(sample: String) -> Errors {
        let mut errors = Errors::default();
        errors.count(sample);
        errors
    }

    pub(crate) fn count(&mut self, sample: String) {
        self.count += 1;
        self.sample(sample);
    }

    /// Counts so many of one kind.
    pub(crate) fn count_many(&mut self, count: u64, sample: String) {
        if count > 0 {
            self.count += count;
            self.sample(sample);
        }
    }

    pub(crate) fn add(&mut self, other: Errors) {
        self.count += other.count;
        other.samples.into_iter().for_each(|sample| self.sample(sample));
    }

    fn sample(&mut self, sample: String) {
        if self.samples.len() < SAMPLES_MAX && !self.samples.contains(&sample) {
            self.samples.push(sample);
        }
    }
}

/// What came of a load.
#[derive(Debug)]
pub(crate) struct Measured<O> {
    /// What was done, errors not among it.
    pub(crate) count: u64,
    pub(crate) errors: Errors,
    /// From the first request to the last answer.
    pub(crate) seconds: f64,
    /// The times of what was done.
    pub(crate) latency: Histogram,
    /// What the clients were left with.
    pub(crate) operations: Vec<O>,
}

impl<O> Measured<O> {
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.count as f64 / self.seconds } else { 0.0 }
    }
}

/// When clients end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time.
    Over(Duration),
    /// When all together have done so many, or erred.
    Done(u64),
}

/// Has so many clients do something.
pub(crate) async fn drive<O: Operation>(
    place: &Arc<Place>,
    clients: usize,
    until: Until,
    operation: &O,
) -> Measured<O> {
    let mut errors = Errors::default();
    let mut connected = Vec::with_capacity(clients);
    for _ in 0..clients {
        let mut client = Client::new(place.clone());
        if let Err(fault) = client.open(operation.service()).await {
            errors.count(fault);
            break;
        }
        connected.push(client);
    }
    let began = Instant::now();
    let total = connected.len() as u64;
    // Clients end with the set, when a run is broken off.
    let mut running = JoinSet::new();
    for (number, client) in connected.into_iter().enumerate() {
        let end = match until {
            Until::Over(time) => End::At(began + time),
            // The first clients take what is left over.
            Until::Done(all) => End::After(all / total + u64::from((number as u64) < all % total)),
        };
        running.spawn(repeat(client, operation.clone(), end));
    }
    let patience = match until {
        Until::Over(time) => time + LAST_ANSWERS,
        Until::Done(_) => Duration::MAX,
    };
    let mut measured =
        Measured { count: 0, errors, seconds: 0.0, latency: Histogram::default(), operations: Vec::new() };
    let mut last = began;
    loop {
        match tokio::time::timeout(patience.saturating_sub(began.elapsed()), running.join_next()).await {
            Ok(None) => break,
            Ok(Some(Ok(done))) => {
                measured.count += done.count;
                measured.errors.add(done.errors);
                measured.latency.add(&done.latency);
                measured.operations.push(done.operation);
                last = last.max(done.last);
            }
            Ok(Some(Err(fault))) => measured.errors.count(format!("a client broke off: {fault}")),
            Err(_) => {
                let waiting = running.len() as u64;
                measured.errors.count_many(waiting, format!("no answer within {} s", LAST_ANSWERS.as_secs()));
                break;
            }
        }
    }
    measured.seconds = (last - began).as_secs_f64();
    measured
}

#[derive(Clone, Copy)]
enum End {
    At(Instant),
    After(u64),
}

struct Done<O> {
    count: u64,
    errors: Errors,
    latency: Histogram,
    last: Instant,
    operation: O,
}

async fn repeat<O: Operation>(mut client: Client, mut operation: O, end: End) -> Done<O> {
    let (mut errors, mut latency) = (Errors::default(), Histogram::default());
    let (mut count, mut errors_in_a_row) = (0, 0);
    let mut now = Instant::now();
    loop {
        let is_over = match end {
            End::At(end) => now >= end,
            End::After(times) => count >= times,
        };
        if is_over || errors_in_a_row >= ERRORS_IN_A_ROW_MAX {
            return Done { count, errors, latency, last: now, operation };
        }
        let outcome = operation.perform(&mut client).await;
        let answered = Instant::now();
        match outcome {
            Ok(()) => {
                latency.record(answered - now);
                count += 1;
                errors_in_a_row = 0;
                now = answered;
            }
            Err(fault) => {
                errors.count(fault);
                errors_in_a_row += 1;
                tokio::time::sleep(AFTER_ERROR).await;
                now = Instant::now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_one_by_one_and_shown_once() {
        let mut errors = Errors::default();
        (0..10).for_each(|number| errors.count(format!("fault {}", number % 4)));
        errors.count_many(5, "fault 0".to_owned());
        errors.count_many(0, "never".to_owned());
        errors.add(Errors::of("fault 1".to_owned()));
        assert_eq!(errors.count, 16);
        assert_eq!(errors.samples, ["fault 0", "fault 1", "fault 2"]);
    }
}
