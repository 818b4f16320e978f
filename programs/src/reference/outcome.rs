//! Ways to end, and whether what happened is one of them.

use std::collections::BTreeMap;

use stepwell_json::Json;

/// Stands in outputs where anything may be: text of the executor's own, an ARN, a time.
pub const ANY: &str = "\u{fffc}";

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With this output.
    Succeeded(Json),
    /// With an error.
    Failed {
        /// Its name, if it has one.
        error: Option<String>,
        /// What happened.
        cause: Cause,
    },
    /// It took longer than its `TimeoutSeconds`, or a year.
    TimedOut,
}

/// The cause of a failure.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// There is none, or this one.
    Is(Option<String>),
    /// The executor's own words.
    Any,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

/// How often something happened, by the name of the state. A name that is missing is 0.
pub type Counts = BTreeMap<String, u64>;

/// What an execution did, its children among it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// How often each state was entered.
    pub visits: BTreeMap<String, Range>,
    /// How often the task of each Task state was scheduled: the first attempts and the retries.
    pub attempts: BTreeMap<String, Range>,
}

impl Tally {
    /// Adds what happened elsewhere: all of it, or any part of it.
    pub(super) fn add(&mut self, other: &Tally, is_certain: bool) {
        for (own, others) in [(&mut self.visits, &other.visits), (&mut self.attempts, &other.attempts)] {
            for (name, range) in others {
                let sum = own.entry(name.clone()).or_default();
                sum.min += if is_certain { range.min } else { 0 };
                sum.max += range.max;
            }
        }
    }

    /// As this, but nothing of it needs to have happened.
    pub(super) fn at_most(mut self) -> Tally {
        for range in self.visits.values_mut().chain(self.attempts.values_mut()) {
            range.min = 0;
        }
        self
    }
}

/// A way to end.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The end.
    pub outcome: Outcome,
    /// What happened until then.
    pub tally: Tally,
    /// How long it took without the time of its tasks, in milliseconds.
    pub elapsed_ms: i64,
}

/// The ways a program may end.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// All of them.
    pub runs: Vec<Run>,
    /// Whether these are all: not when a program has too many, or runs for too long.
    pub is_complete: bool,
}

impl Verdict {
    /// Whether an execution may end so. Says what was expected when it may not; says nothing about programs whose ways to end
    /// are not all known.
    pub fn judge(&self, actual: &Outcome) -> Result<(), String> {
        self.judge_run(actual, None)
    }

    /// As [`Verdict::judge`], together with how often the states were entered and the tasks scheduled, children of Map Runs
    /// included.
    pub fn judge_counts(&self, actual: &Outcome, visits: &Counts, attempts: &Counts) -> Result<(), String> {
        self.judge_run(actual, Some((visits, attempts)))
    }

    fn judge_run(&self, actual: &Outcome, counts: Option<(&Counts, &Counts)>) -> Result<(), String> {
        if !self.is_complete {
            return Ok(());
        }
        let mut faults = Vec::new();
        for run in &self.runs {
            match run.differs(actual, counts) {
                None => return Ok(()),
                Some(fault) => faults.push(fault),
            }
        }
        Err(faults.join("\nor "))
    }
}

impl Run {
    fn differs(&self, actual: &Outcome, counts: Option<(&Counts, &Counts)>) -> Option<String> {
        if !self.outcome.allows(actual) {
            return Some(format!("expected {}", self.outcome));
        }
        let (visits, attempts) = counts?;
        let outside = |what: &str, ranges: &BTreeMap<String, Range>, counts: &Counts| {
            let names = ranges.keys().chain(counts.keys());
            names.into_iter().find_map(|name| {
                let range = ranges.get(name).copied().unwrap_or_default();
                let count = counts.get(name).copied().unwrap_or(0);
                let told = || format!("expected {} to {} {what} of '{name}', not {count}", range.min, range.max);
                (count < range.min || count > range.max).then(told)
            })
        };
        outside("visits", &self.tally.visits, visits).or_else(|| outside("attempts", &self.tally.attempts, attempts))
    }
}

impl Outcome {
    /// Whether the other is this, where [`ANY`] and [`Cause::Any`] of this stand for everything.
    pub fn allows(&self, actual: &Outcome) -> bool {
        match (self, actual) {
            (Outcome::Succeeded(expected), Outcome::Succeeded(actual)) => alike(expected, actual),
            (Outcome::Failed { error, cause }, Outcome::Failed { error: actual, cause: actual_cause }) => {
                error == actual && (*cause == Cause::Any || cause == actual_cause)
            }
            (Outcome::TimedOut, Outcome::TimedOut) => true,
            (Outcome::Succeeded(_) | Outcome::Failed { .. } | Outcome::TimedOut, _) => false,
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Outcome::Succeeded(output) => write!(f, "Succeeded {output}"),
            Outcome::Failed { error, cause } => {
                write!(f, "Failed {}", error.as_deref().unwrap_or("without an error"))?;
                match cause {
                    Cause::Any => f.write_str(", whatever the cause"),
                    Cause::Is(None) => f.write_str(" without a cause"),
                    Cause::Is(Some(cause)) => write!(f, ": {cause}"),
                }
            }
            Outcome::TimedOut => f.write_str("TimedOut"),
        }
    }
}

/// Equality, where [`ANY`] on the left equals everything.
fn alike(expected: &Json, actual: &Json) -> bool {
    match (expected, actual) {
        (Json::String(text), _) if &**text == ANY => true,
        // Something that stands for anything was made part of a text.
        (Json::String(text), Json::String(_)) if text.contains(ANY) => true,
        (Json::Array(expected), Json::Array(actual)) => {
            expected.len() == actual.len() && expected.iter().zip(actual.iter()).all(|(a, b)| alike(a, b))
        }
        (Json::Object(expected), Json::Object(actual)) => {
            expected.len() == actual.len()
                && expected.iter().all(|(key, value)| actual.get(key).is_some_and(|other| alike(value, other)))
        }
        _ => expected == actual,
    }
}

#[cfg(test)]
mod tests {
    use super::{ANY, Cause, Outcome, Range, Run, Tally, Verdict};
    use std::collections::BTreeMap;
    use stepwell_json::Json;

    fn json(text: &str) -> Json {
        Json::parse(text).expect("JSON")
    }

    #[test]
    fn anything_is_anything() {
        let expected = Outcome::Succeeded(json(&format!(r#"{{"a":["{ANY}",1]}}"#)));
        for (actual, allowed) in [
            (r#"{"a":["text",1]}"#, true),
            (r#"{"a":[{"b":[]},1.0]}"#, true),
            (r#"{"a":["text",2]}"#, false),
            (r#"{"a":[1]}"#, false),
            (r#"{"a":["text",1],"b":2}"#, false),
        ] {
            assert_eq!(expected.allows(&Outcome::Succeeded(json(actual))), allowed, "{actual}");
        }
        assert!(!expected.allows(&Outcome::TimedOut));
    }

    #[test]
    fn causes() {
        let failed = |cause: Cause| Outcome::Failed { error: Some("E".to_owned()), cause };
        let told = Cause::Is(Some("c".to_owned()));
        assert!(failed(Cause::Any).allows(&failed(told.clone())));
        assert!(failed(told.clone()).allows(&failed(told.clone())));
        assert!(!failed(Cause::Is(None)).allows(&failed(told)));
    }

    #[test]
    fn counts_stay_within_their_ranges() {
        let tally = Tally { visits: BTreeMap::from([("A".to_owned(), Range { min: 1, max: 2 })]), ..Tally::default() };
        let run = Run { outcome: Outcome::TimedOut, tally, elapsed_ms: 0 };
        let verdict = Verdict { runs: vec![run], is_complete: true };
        let judge = |name: &str, count| {
            verdict.judge_counts(&Outcome::TimedOut, &[(name.to_owned(), count)].into(), &BTreeMap::new()).is_ok()
        };
        assert_eq!([0, 1, 2, 3].map(|count| judge("A", count)), [false, true, true, false]);
        assert!(!judge("B", 1));
    }
}
