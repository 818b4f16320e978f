//! What the server counts, in Prometheus's text format.
//!
//! Every label is one of a closed set, so that no client can make the page grow.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use stepwell_api::{ByType, Outs, Refusal};
use stepwell_spec::{Action, Response};

/// The statuses the API answers, and at the end the row of any other.
const STATUSES: [&str; 8] = ["200", "400", "402", "403", "404", "409", "413", "5xx"];

/// Upper bounds of the histogram: microseconds, and seconds as Prometheus writes them. Workers wait for a minute.
const BOUNDS: [(u64, &str); 14] = [
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (10_000_000, "10"),
    (60_000_000, "60"),
];

/// Counters since the start.
#[derive(Debug)]
pub(crate) struct Metrics {
    began: Instant,
    /// By action, the last row for requests that mean none.
    requests: Vec<Requests>,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
    /// Requests of other services, by their name and the status.
    services: Mutex<BTreeMap<(&'static str, u16), u64>>,
    connections: AtomicU64,
    connections_open: AtomicU64,
    executions: [Executions; TYPES.len()],
    panics: AtomicU64,
    quarantined: AtomicU64,
}

/// Executions of one type.
#[derive(Debug, Default)]
struct Executions {
    started: AtomicU64,
    ended: AtomicU64,
    running: AtomicU64,
}

/// What an execution's type is called, and its number among others.
type Type = (&'static str, fn(&ByType) -> u64);

const TYPES: [Type; 2] = [("STANDARD", |count| count.standard), ("EXPRESS", |count| count.express)];

/// A metric of executions: its name, kind and meaning, and where it is counted.
type Column = (&'static str, &'static str, &'static str, fn(&Executions) -> &AtomicU64);

/// Requests that mean one action.
#[derive(Debug, Default)]
struct Requests {
    by_status: [AtomicU64; STATUSES.len()],
    /// How many took at most so long and longer than the bound before; the last of them longer than all bounds.
    by_time: [AtomicU64; BOUNDS.len() + 1],
    time_us: AtomicU64,
}

impl Metrics {
    /// Everything at zero.
    pub(crate) fn new() -> Metrics {
        Metrics {
            began: Instant::now(),
            requests: std::iter::repeat_with(Requests::default).take(Action::ALL.len() + 1).collect(),
            refusals: Mutex::default(),
            services: Mutex::default(),
            connections: AtomicU64::new(0),
            connections_open: AtomicU64::new(0),
            executions: Default::default(),
            panics: AtomicU64::new(0),
            quarantined: AtomicU64::new(0),
        }
    }

    /// Counts a request of the API that was answered.
    pub(crate) fn count(&self, action: Option<Action>, answer: &Result<Response, Refusal>, time: Duration) {
        let status = match answer {
            Ok(_) => 200,
            Err(refusal) => {
                self.count_refusal(refusal.name());
                refusal.status()
            }
        };
        let requests = &self.requests[row(action)];
        requests.by_status[column(status)].fetch_add(1, Ordering::Relaxed);
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.iter().position(|(bound, _)| us <= *bound).unwrap_or(BOUNDS.len());
        requests.by_time[place].fetch_add(1, Ordering::Relaxed);
        requests.time_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Counts a request that was refused, by one word for the reason.
    pub(crate) fn count_refusal(&self, reason: &'static str) {
        *self.refusals.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// Counts a request of another service that was answered. Both are of closed sets: services AWS has, and statuses.
    pub(crate) fn count_service(&self, service: &'static str, status: u16) {
        *self.services.lock().unwrap_or_else(PoisonError::into_inner).entry((service, status)).or_default() += 1;
    }

    /// Counts a connection that was taken.
    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the end of a connection.
    pub(crate) fn disconnected(&self) {
        self.connections_open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts executions that began, went on or ended with one input.
    pub(crate) fn count_executions(&self, outs: &Outs) {
        for ((_, number), executions) in TYPES.iter().zip(&self.executions) {
            let (started, ended) = (number(&outs.started), number(&outs.ended));
            executions.started.fetch_add(started, Ordering::Relaxed);
            executions.ended.fetch_add(ended, Ordering::Relaxed);
            executions.running.fetch_add(started + number(&outs.resumed), Ordering::Relaxed);
            executions.running.fetch_sub(ended, Ordering::Relaxed);
        }
    }

    /// Counts a panic that was caught.
    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// So many executions are in quarantine now.
    pub(crate) fn quarantine(&self, executions: usize) {
        self.quarantined.store(executions as u64, Ordering::Relaxed);
    }

    /// The services are opened again: what runs is counted anew.
    pub(crate) fn restart_executions(&self) {
        self.executions.iter().for_each(|executions| executions.running.store(0, Ordering::Relaxed));
    }

    /// All of it. What never came up is left out.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        self.write_requests(&mut text);
        self.write_times(&mut text);
        describe(&mut text, "stepwell_refusals_total", "counter", "Requests refused, by reason.");
        for (reason, count) in self.refusals.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            line(&mut text, &format!("stepwell_refusals_total{{reason=\"{reason}\"}}"), *count);
        }
        describe(&mut text, "stepwell_service_requests_total", "counter", "Requests of other services, by status.");
        for ((service, status), count) in self.services.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let name = format!("stepwell_service_requests_total{{service=\"{service}\",status=\"{status}\"}}");
            line(&mut text, &name, *count);
        }
        self.write_executions(&mut text);
        describe(&mut text, "stepwell_quarantined_executions", "gauge", "Executions left alone after panics.");
        line(&mut text, "stepwell_quarantined_executions", self.quarantined.load(Ordering::Relaxed));
        describe(&mut text, "stepwell_panics_total", "counter", "Panics caught: each is a fault to report.");
        line(&mut text, "stepwell_panics_total", self.panics.load(Ordering::Relaxed));
        describe(&mut text, "stepwell_connections_total", "counter", "Connections taken.");
        line(&mut text, "stepwell_connections_total", self.connections.load(Ordering::Relaxed));
        describe(&mut text, "stepwell_connections_open", "gauge", "Connections there are now.");
        line(&mut text, "stepwell_connections_open", self.connections_open.load(Ordering::Relaxed));
        describe(&mut text, "stepwell_uptime_seconds", "gauge", "Seconds since the server started.");
        line(&mut text, "stepwell_uptime_seconds", self.began.elapsed().as_secs());
        describe(&mut text, "stepwell_build_info", "gauge", "Always 1; the label tells the version.");
        line(&mut text, concat!("stepwell_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1);
        text
    }

    /// Rows that have counted something, by the name of the action.
    fn rows(&self) -> impl Iterator<Item = (&'static str, &Requests)> {
        let actions = Action::ALL.iter().copied().map(Some).chain([None]);
        let named =
            actions.map(|action| (action.map_or("none", |action| action.facts().name), &self.requests[row(action)]));
        named.filter(|(_, requests)| requests.by_status.iter().any(|count| count.load(Ordering::Relaxed) > 0))
    }

    fn write_requests(&self, text: &mut String) {
        describe(text, "stepwell_requests_total", "counter", "Requests answered, by action and HTTP status.");
        for (action, requests) in self.rows() {
            for (status, count) in STATUSES.iter().zip(&requests.by_status) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    line(text, &format!("stepwell_requests_total{{action=\"{action}\",status=\"{status}\"}}"), count);
                }
            }
        }
    }

    fn write_executions(&self, text: &mut String) {
        let columns: [Column; 3] = [
            ("stepwell_executions_started_total", "counter", "Executions started, by type.", |row| &row.started),
            ("stepwell_executions_ended_total", "counter", "Executions ended, by type.", |row| &row.ended),
            ("stepwell_executions_running", "gauge", "Executions that run now, by type.", |row| &row.running),
        ];
        for (name, kind, meaning, column) in columns {
            describe(text, name, kind, meaning);
            for ((word, _), row) in TYPES.iter().zip(&self.executions) {
                line(text, &format!("{name}{{type=\"{word}\"}}"), column(row).load(Ordering::Relaxed));
            }
        }
    }

    fn write_times(&self, text: &mut String) {
        const NAME: &str = "stepwell_request_seconds";
        describe(text, NAME, "histogram", "Seconds from a request's head to its answer, by action.");
        for (action, requests) in self.rows() {
            let mut sum = 0;
            let bounds = BOUNDS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
            for (bound, count) in bounds.zip(&requests.by_time) {
                sum += count.load(Ordering::Relaxed);
                line(text, &format!("{NAME}_bucket{{action=\"{action}\",le=\"{bound}\"}}"), sum);
            }
            let us = requests.time_us.load(Ordering::Relaxed);
            let _ = writeln!(text, "{NAME}_sum{{action=\"{action}\"}} {}.{:06}", us / 1_000_000, us % 1_000_000);
            line(text, &format!("{NAME}_count{{action=\"{action}\"}}"), sum);
        }
    }
}

fn row(action: Option<Action>) -> usize {
    action.map_or(Action::ALL.len(), |action| action as usize)
}

fn column(status: u16) -> usize {
    let text = status.to_string();
    STATUSES.iter().position(|known| *known == text).unwrap_or(STATUSES.len() - 1)
}

fn describe(text: &mut String, name: &str, kind: &str, meaning: &str) {
    let _ = writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, value: u64) {
    let _ = writeln!(text, "{name} {value}");
}

#[cfg(test)]
mod tests {
    use stepwell_spec::{Exception, ProtocolError};

    use super::*;

    fn samples(metrics: &Metrics, prefix: &str) -> Vec<String> {
        metrics.to_text().lines().filter(|line| line.starts_with(prefix)).map(str::to_owned).collect()
    }

    fn refused(error: ProtocolError) -> Result<Response, Refusal> {
        Err(Refusal::silent(error))
    }

    #[test]
    fn what_was_counted_is_shown_and_nothing_else() {
        let metrics = Metrics::new();
        metrics.count(None, &refused(ProtocolError::UnknownOperationException), Duration::ZERO);
        metrics.count(Some(Action::TestState), &refused(ProtocolError::InternalFailure), Duration::ZERO);
        metrics.count(Some(Action::TestState), &refused(ProtocolError::InternalFailure), Duration::ZERO);
        metrics.count_refusal("Host");
        assert_eq!(
            samples(&metrics, "stepwell_requests"),
            [
                "stepwell_requests_total{action=\"TestState\",status=\"5xx\"} 2",
                "stepwell_requests_total{action=\"none\",status=\"400\"} 1",
            ]
        );
        assert_eq!(
            samples(&metrics, "stepwell_refusals"),
            [
                "stepwell_refusals_total{reason=\"Host\"} 1",
                "stepwell_refusals_total{reason=\"InternalFailure\"} 2",
                "stepwell_refusals_total{reason=\"UnknownOperationException\"} 1",
            ]
        );
    }

    #[test]
    fn times_are_counted_up_to_their_bounds() {
        let metrics = Metrics::new();
        for us in [100, 101, 1_000, 2_000_000, 61_000_000] {
            let answer = refused(ProtocolError::ThrottlingException);
            metrics.count(Some(Action::TestState), &answer, Duration::from_micros(us));
        }
        let check = |bound: &str, expected: u64| {
            let line = format!("stepwell_request_seconds_bucket{{action=\"TestState\",le=\"{bound}\"}} {expected}");
            assert!(metrics.to_text().lines().any(|sample| sample == line), "{line}");
        };
        check("0.0001", 1);
        check("0.00025", 2);
        check("0.001", 3);
        check("1", 3);
        check("10", 4);
        check("60", 4);
        check("+Inf", 5);
        assert_eq!(
            samples(&metrics, "stepwell_request_seconds_sum"),
            ["stepwell_request_seconds_sum{action=\"TestState\"} 63.001201"]
        );
        assert_eq!(
            samples(&metrics, "stepwell_request_seconds_count"),
            ["stepwell_request_seconds_count{action=\"TestState\"} 5"]
        );
    }

    #[test]
    fn connections_come_and_go() {
        let metrics = Metrics::new();
        metrics.connected();
        metrics.connected();
        metrics.disconnected();
        assert_eq!(
            samples(&metrics, "stepwell_connections"),
            ["stepwell_connections_total 2", "stepwell_connections_open 1"]
        );
    }

    #[test]
    fn executions_run_from_their_start_or_return_to_their_end() {
        let metrics = Metrics::new();
        let [both, standard, express] =
            [(2, 1), (1, 0), (0, 1)].map(|(standard, express)| ByType { standard, express });
        metrics.count_executions(&Outs { started: both, ended: express, ..Outs::default() });
        metrics.count_executions(&Outs { resumed: standard, ended: standard, ..Outs::default() });
        let check = |name: &str, standard: u64, express: u64| {
            let name = format!("stepwell_executions_{name}");
            let lines =
                [format!("{name}{{type=\"STANDARD\"}} {standard}"), format!("{name}{{type=\"EXPRESS\"}} {express}")];
            assert_eq!(samples(&metrics, &name), lines);
        };
        check("started_total", 2, 1);
        check("ended_total", 1, 1);
        check("running", 2, 0);
    }

    #[test]
    fn every_action_and_every_status_has_a_place_of_its_own() {
        for (index, action) in Action::ALL.iter().enumerate() {
            assert_eq!(*action as usize, index);
        }
        let statuses = Exception::ALL.iter().map(|row| row.status());
        for status in statuses.chain(ProtocolError::ALL.iter().map(|row| row.status())) {
            let shown = STATUSES[column(status)];
            assert!(shown == status.to_string() || status >= 500 && shown == "5xx", "{status}");
        }
    }
}
