//! How many calls may be with the service at a time. Past that a caller is told to come again, and nothing piles up.

use stepwell_api::Refusal;
use stepwell_spec::Action;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Calls that are answered as soon as they are reached. At some 50 µs each the last of them waits 0.2 seconds, and a client
/// that is told to come again soon loses less than one that waits behind more.
const CALLS_MAX: usize = 4_096;

/// Calls that wait for something to happen: workers for a task, callers for the end of an execution. Fewer than there may
/// be connections, so that workers alone cannot keep everybody else out.
const WAITS_MAX: usize = 8_000;

/// The places in front of the service.
#[derive(Debug)]
pub(crate) struct Queue {
    calls: Semaphore,
    waits: Semaphore,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        Queue { calls: Semaphore::new(CALLS_MAX), waits: Semaphore::new(WAITS_MAX) }
    }

    /// A place until the value is dropped, or a refusal in AWS's words.
    pub(crate) fn enter(&self, action: Action) -> Result<SemaphorePermit<'_>, Refusal> {
        let places = if waits(action) { &self.waits } else { &self.calls };
        places.try_acquire().map_err(|_| Refusal::throttled())
    }
}

fn waits(action: Action) -> bool {
    matches!(action, Action::GetActivityTask | Action::StartSyncExecution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_a_place_left_is_given_again() {
        let queue = Queue::new();
        let mut places: Vec<_> =
            (0..CALLS_MAX).map(|_| queue.enter(Action::StartExecution).expect("a place")).collect();
        let refusal = queue.enter(Action::DescribeExecution).expect_err("full");
        assert_eq!(refusal.name(), "ThrottlingException");
        let mut waits: Vec<_> =
            (0..WAITS_MAX).map(|_| queue.enter(Action::GetActivityTask).expect("a place")).collect();
        assert!(queue.enter(Action::StartSyncExecution).is_err());
        places.pop();
        assert!(queue.enter(Action::GetActivityTask).is_err());
        assert!(queue.enter(Action::DescribeExecution).is_ok());
        waits.pop();
        assert!(queue.enter(Action::GetActivityTask).is_ok());
    }
}
