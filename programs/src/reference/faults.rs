//! Failures of states, who catches which, and how long a retry waits.

use stepwell_json::Json;

use super::outcome::{ANY, Cause, Outcome};

/// Not all States Language names are reported here.
pub(super) const RUNTIME: &str = "States.Runtime";
pub(super) const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
pub(super) const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
pub(super) const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
pub(super) const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
pub(super) const TIMEOUT: &str = "States.Timeout";
pub(super) const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
pub(super) const EXCEEDED: &str = "States.ExceedToleratedFailureThreshold";

/// A failure of a state.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) error: Option<String>,
    pub(super) cause: Cause,
    /// Whether a branch of this very state failed with it.
    pub(super) is_of_branch: bool,
    /// Whether it is a timeout because of a heartbeat that was missed.
    pub(super) is_of_heartbeat: bool,
}

impl Failure {
    /// One that the executor reports in its own words.
    pub(super) fn of_executor(error: &str) -> Failure {
        Failure { error: Some(error.to_owned()), cause: Cause::Any, is_of_branch: false, is_of_heartbeat: false }
    }

    /// One that somebody else reports.
    pub(super) fn told(error: Option<String>, cause: Option<String>) -> Failure {
        Failure { error, cause: Cause::Is(cause), is_of_branch: false, is_of_heartbeat: false }
    }

    /// What a Catcher passes on.
    pub(super) fn output(&self) -> Json {
        let cause = match &self.cause {
            Cause::Is(Some(cause)) => cause,
            Cause::Is(None) | Cause::Any => ANY,
        };
        Json::object([("Error", Json::from(self.error.as_deref().unwrap_or(ANY))), ("Cause", Json::from(cause))])
    }

    pub(super) fn into_outcome(self) -> Outcome {
        Outcome::Failed { error: self.error, cause: self.cause }
    }

    /// Whether a Retrier or Catcher is for this failure.
    pub(super) fn is_in(&self, fallback: &Json) -> bool {
        let names = fallback.get("ErrorEquals").and_then(Json::as_array).expect("a fallback names errors");
        let error = self.error.as_deref().unwrap_or("");
        names.iter().filter_map(Json::as_str).any(|name| match name {
            "States.ALL" => error != RUNTIME && error != "States.DataLimitExceeded",
            "States.TaskFailed" => error != TIMEOUT,
            HEARTBEAT_TIMEOUT => self.is_of_heartbeat || error == name,
            "States.BranchFailed" => self.is_of_branch || error == name,
            name => name == error,
        })
    }
}

/// Failures of one moment: what is asked for first is nowhere said, so any of them may be told.
pub(super) struct Failures(pub(super) Vec<Failure>);

impl From<Failure> for Failures {
    fn from(failure: Failure) -> Failures {
        Failures(vec![failure])
    }
}

impl Failures {
    /// Two values that are made at the same time.
    pub(super) fn both<A, B>(first: Result<A, Failure>, second: Result<B, Failure>) -> Result<(A, B), Failures> {
        match (first, second) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Err(first), Err(second)) if first != second => Err(Failures(vec![first, second])),
            (Err(failure), _) | (_, Err(failure)) => Err(failure.into()),
        }
    }
}

/// How long retry number `attempt` (1 is the first) waits at most.
pub(super) fn delay_ms(retrier: &Retrier, attempt: u64) -> i64 {
    let grown = retrier.interval_seconds * retrier.backoff_rate.powi(i32::try_from(attempt - 1).unwrap_or(i32::MAX));
    let seconds = retrier.max_delay_seconds.map_or(grown, |max| grown.min(max));
    (seconds * 1_000.0).round() as i64
}

/// A Retrier with its defaults.
#[derive(Debug)]
pub(super) struct Retrier {
    pub(super) max_attempts: u64,
    interval_seconds: f64,
    backoff_rate: f64,
    max_delay_seconds: Option<f64>,
}

impl Retrier {
    pub(super) fn of(fields: &Json) -> Retrier {
        let number = |name: &str| fields.get(name).and_then(Json::as_f64);
        Retrier {
            max_attempts: number("MaxAttempts").unwrap_or(3.0) as u64,
            interval_seconds: number("IntervalSeconds").unwrap_or(1.0),
            backoff_rate: number("BackoffRate").unwrap_or(2.0),
            max_delay_seconds: number("MaxDelaySeconds"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, RUNTIME, Retrier, TIMEOUT, delay_ms};
    use stepwell_json::Json;

    fn json(text: &str) -> Json {
        Json::parse(text).expect("JSON")
    }

    #[test]
    fn who_catches_what() {
        for (names, error, caught) in [
            (r#"["States.ALL"]"#, "Own", true),
            (r#"["States.ALL"]"#, RUNTIME, false),
            (r#"["States.ALL"]"#, TIMEOUT, true),
            (r#"["States.TaskFailed"]"#, "Own", true),
            (r#"["States.TaskFailed"]"#, TIMEOUT, false),
            (r#"["States.TaskFailed"]"#, RUNTIME, true),
            (r#"["Other","Own"]"#, "Own", true),
            (r#"["States.BranchFailed"]"#, "Own", false),
        ] {
            let fallback = Json::object([("ErrorEquals", json(names))]);
            assert_eq!(Failure::of_executor(error).is_in(&fallback), caught, "{names} {error}");
        }
    }

    #[test]
    fn delays_grow_up_to_their_maximum() {
        let retrier = Retrier::of(&json(r#"{"IntervalSeconds":3,"BackoffRate":2,"MaxDelaySeconds":10}"#));
        assert_eq!([1, 2, 3, 4].map(|attempt| delay_ms(&retrier, attempt)), [3_000, 6_000, 10_000, 10_000]);
        assert_eq!(Retrier::of(&json("{}")).max_attempts, 3);
    }
}
