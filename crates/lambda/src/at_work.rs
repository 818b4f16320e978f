//! What runs although nobody waits for its answer: events that were accepted and are not done, and batches of queues.
//!
//! Time that is skipped must not run away from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much there is of it. Clones count the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct AtWork(Arc<AtomicUsize>);

/// One of it, for as long as the value is there.
#[derive(Debug)]
pub(crate) struct OneAtWork(AtWork);

impl AtWork {
    pub(crate) fn begin(&self) -> OneAtWork {
        self.0.fetch_add(1, Ordering::Relaxed);
        OneAtWork(self.clone())
    }

    pub(crate) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for OneAtWork {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
