//! Retry: which Retrier takes a failure, and how long it waits.

use stepwell_asl::Retrier;
use stepwell_planted::{self as planted, Bug};

use crate::failure::Failure;
use crate::moment::Chance;

/// The next attempt at a failed state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NextAttempt {
    /// Which entry of `Retry`.
    pub(crate) retrier: usize,
    /// How long to wait before it.
    pub(crate) delay_ms: u64,
}

/// The next attempt, if a Retrier is for this failure and has attempts left.
///
/// The first Retrier that names the error decides alone; `counts` are the retries made so far, per Retrier.
/// Source: States Language, "Retrying after error".
pub(crate) fn next_attempt(
    retriers: &[Retrier],
    counts: &[u64],
    failure: &Failure,
    chance: &Chance,
) -> Option<NextAttempt> {
    let place = retriers.iter().position(|retrier| failure.is_any_of(&retrier.error_equals))?;
    let retrier = &retriers[place];
    let made = counts.get(place).copied().unwrap_or(0);
    (made < retrier.max_attempts + u64::from(planted::is(Bug::RetryOnceMore)))
        .then(|| NextAttempt { retrier: place, delay_ms: retry_delay_ms(retrier, made + 1, chance) })
}

/// Delay before retry number `attempt` (1 is the first retry).
///
/// Unit: milliseconds, from `IntervalSeconds` × `BackoffRate`^(attempt−1), capped by `MaxDelaySeconds`.
/// Chance: one draw, only under `JitterStrategy: FULL`. Never fails: ranges were checked when the definition was read.
/// Source: States Language, "Retrier".
fn retry_delay_ms(retrier: &Retrier, attempt: u64, chance: &Chance) -> u64 {
    let exponent = i32::try_from(attempt - 1).unwrap_or(i32::MAX);
    let grown = retrier.interval_seconds as f64 * retrier.backoff_rate.powi(exponent);
    let seconds = retrier.max_delay_seconds.map_or(grown, |max| grown.min(max as f64));
    let seconds = if retrier.full_jitter { seconds * chance.fraction() } else { seconds };
    // A float beyond u64 saturates: a delay of ages, never a panic.
    (seconds * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;
    use stepwell_spec::Timestamp;

    fn retrier(names: &[&str]) -> Retrier {
        Retrier {
            error_equals: names.iter().map(|&name| name.into()).collect(),
            interval_seconds: 3,
            max_attempts: 2,
            backoff_rate: 1.5,
            max_delay_seconds: Some(4),
            full_jitter: false,
        }
    }

    fn chance() -> Chance {
        Chance::new(Moment { now: Timestamp(0), entropy: 1 })
    }

    #[test]
    fn delays_grow_to_their_cap() {
        let retrier = retrier(&["States.ALL"]);
        let delays: Vec<u64> = (1..=3).map(|attempt| retry_delay_ms(&retrier, attempt, &chance())).collect();
        assert_eq!(delays, [3_000, 4_000, 4_000]);
        let uncapped = Retrier { max_delay_seconds: None, backoff_rate: 10.0, ..retrier };
        assert_eq!(retry_delay_ms(&uncapped, 3, &chance()), 300_000);
        assert_eq!(retry_delay_ms(&uncapped, 99_999_999, &chance()), u64::MAX);
    }

    #[test]
    fn full_jitter_stays_below_the_delay() {
        let retrier = Retrier { full_jitter: true, ..retrier(&["States.ALL"]) };
        let chance = chance();
        let delays: Vec<u64> = (0..100).map(|_| retry_delay_ms(&retrier, 1, &chance)).collect();
        assert!(delays.iter().all(|&delay| delay <= 3_000));
        assert!(delays.iter().any(|&delay| delay < 1_000) && delays.iter().any(|&delay| delay > 2_000));
    }

    #[test]
    fn the_first_retrier_that_names_the_error_decides_alone() {
        let retriers = [retrier(&["A", "B"]), retrier(&["States.ALL"])];
        let failure = Failure::new("B", "");
        let next = |counts: &[u64]| next_attempt(&retriers, counts, &failure, &chance()).map(|next| next.retrier);
        assert_eq!(next(&[]), Some(0));
        assert_eq!(next(&[1]), Some(0));
        assert_eq!(next(&[2, 0]), None);
        assert_eq!(
            next_attempt(&retriers, &[2, 1], &Failure::new("C", ""), &chance()).map(|next| next.retrier),
            Some(1)
        );
    }
}
