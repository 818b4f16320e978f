//! The time of the call in hand, where the library asks for the clock.

use std::sync::atomic::{AtomicI64, Ordering};

use dynoxide::storage_backend::Clock;
use stepwell_spec::Timestamp;

/// Stands still until the next call sets it.
#[derive(Debug, Default)]
pub(crate) struct CallClock(AtomicI64);

impl CallClock {
    pub(crate) fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::Relaxed);
    }
}

impl Clock for CallClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed) / 1000).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.load(Ordering::Relaxed) as f64 / 1000.0
    }
}
