//! What the server counts, in Prometheus's text format.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use stepwell_api::Refusal;
use stepwell_spec::{Action, Response};

/// How a request ended.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Ok,
    /// The request was at fault.
    Refused,
    /// The server was.
    Failed,
}

const OUTCOMES: [(Outcome, &str); 3] =
    [(Outcome::Ok, "ok"), (Outcome::Refused, "refused"), (Outcome::Failed, "failed")];

/// Counters since the start.
#[derive(Debug)]
pub(crate) struct Metrics {
    began: Instant,
    /// By action, the last row for requests that mean none, and by outcome.
    requests: Vec<[AtomicU64; OUTCOMES.len()]>,
}

impl Metrics {
    /// Everything at zero.
    pub(crate) fn new() -> Metrics {
        Metrics {
            began: Instant::now(),
            requests: std::iter::repeat_with(Default::default).take(Action::ALL.len() + 1).collect(),
        }
    }

    /// Counts a request that was answered.
    pub(crate) fn count(&self, action: Option<Action>, answer: &Result<Response, Refusal>) {
        let outcome = match answer {
            Ok(_) => Outcome::Ok,
            Err(refusal) if refusal.status() >= 500 => Outcome::Failed,
            Err(_) => Outcome::Refused,
        };
        self.requests[row(action)][outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// All of it. Pairs of action and outcome that never came up are left out.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        describe(&mut text, "stepwell_requests_total", "counter", "Requests answered, by action and outcome.");
        for action in Action::ALL.iter().copied().map(Some).chain([None]) {
            let name = action.map_or("none", |action| action.facts().name);
            for (outcome, word) in OUTCOMES {
                let count = self.requests[row(action)][outcome as usize].load(Ordering::Relaxed);
                if count > 0 {
                    line(&mut text, &format!("stepwell_requests_total{{action=\"{name}\",outcome=\"{word}\"}}"), count);
                }
            }
        }
        describe(&mut text, "stepwell_uptime_seconds", "gauge", "Seconds since the server started.");
        line(&mut text, "stepwell_uptime_seconds", self.began.elapsed().as_secs());
        text
    }
}

fn row(action: Option<Action>) -> usize {
    action.map_or(Action::ALL.len(), |action| action as usize)
}

fn describe(text: &mut String, name: &str, kind: &str, meaning: &str) {
    let _ = writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, value: u64) {
    let _ = writeln!(text, "{name} {value}");
}

#[cfg(test)]
mod tests {
    use stepwell_spec::ProtocolError;

    use super::*;

    #[test]
    fn what_was_counted_is_shown_and_nothing_else() {
        let metrics = Metrics::new();
        metrics.count(None, &Err(Refusal::silent(ProtocolError::UnknownOperationException)));
        metrics.count(Some(Action::TestState), &Err(Refusal::silent(ProtocolError::InternalFailure)));
        metrics.count(Some(Action::TestState), &Err(Refusal::silent(ProtocolError::InternalFailure)));
        let text = metrics.to_text();
        let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("stepwell_requests")).collect();
        assert_eq!(
            samples,
            [
                "stepwell_requests_total{action=\"TestState\",outcome=\"failed\"} 2",
                "stepwell_requests_total{action=\"none\",outcome=\"refused\"} 1",
            ]
        );
    }

    #[test]
    fn every_action_has_a_row_of_its_own() {
        for (index, action) in Action::ALL.iter().enumerate() {
            assert_eq!(*action as usize, index);
        }
    }
}
