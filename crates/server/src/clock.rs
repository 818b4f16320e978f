//! The one place where time and chance come from: every `Moment` is made here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stepwell_interpreter::{Chance, Moment};
use stepwell_spec::Timestamp;

use crate::settings::Time;

/// The longest sleep before the clock is looked at again: a machine that was suspended, or whose clock was set, notices.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A clock that never goes back. Its clones are the same clock, so that everything on it passes together.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    time: Time,
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug)]
struct Hands {
    now: Timestamp,
    /// How far it is ahead of the wall: the sum of its jumps.
    ahead_ms: u64,
    chance: Chance,
}

impl Clock {
    /// A clock that draws all chance from this seed.
    pub(crate) fn new(time: Time, seed: u64) -> Clock {
        let now = wall();
        let hands = Hands { now, ahead_ms: 0, chance: Chance::new(Moment { now, entropy: seed }) };
        Clock { time, hands: Arc::new(Mutex::new(hands)) }
    }

    /// The time and fresh entropy.
    pub(crate) fn moment(&self) -> Moment {
        let mut hands = self.hands();
        hands.now = hands.now.max(wall().plus_ms(hands.ahead_ms));
        Moment { now: hands.now, entropy: hands.chance.draw() }
    }

    /// Whether waiting may be skipped.
    pub(crate) fn skips(&self) -> bool {
        self.time == Time::Skip
    }

    /// Makes it this time, as if it had passed. A time that has passed changes nothing.
    pub(crate) fn jump_to(&self, due: Timestamp) {
        let left_ms = due.0.saturating_sub(self.moment().now.0);
        let mut hands = self.hands();
        hands.ahead_ms = hands.ahead_ms.saturating_add(u64::try_from(left_ms).unwrap_or(0));
    }

    /// How long to sleep towards this time before the clock is looked at again.
    pub(crate) fn sleep_towards(&self, due: Timestamp) -> Duration {
        let left_ms = due.0.saturating_sub(self.moment().now.0);
        Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)).min(LOOK_AGAIN)
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        // Whoever broke off in the middle left a time that has come and a chance that can be drawn from.
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time on the wall.
pub(crate) fn wall() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_kept_and_never_undone() {
        let clock = Clock::new(Time::Skip, 7);
        let began = clock.moment().now;
        let later = began.plus_ms(31_536_000_000);
        assert_eq!(clock.sleep_towards(later), LOOK_AGAIN);
        clock.jump_to(later);
        let jumped = clock.moment().now;
        assert!(jumped >= later && jumped < later.plus_ms(60_000), "{jumped}");
        assert_eq!(clock.sleep_towards(later), Duration::ZERO);
        clock.jump_to(began);
        assert!(clock.moment().now >= jumped);
    }

    #[test]
    fn every_moment_has_its_own_entropy() {
        let clock = Clock::new(Time::Real, 7);
        assert_ne!(clock.moment().entropy, clock.moment().entropy);
    }
}
