//! How much may be on its way to the service at a time. Past that a caller is told to come again, and nothing piles up.

use std::sync::Arc;

use stepwell_api::Refusal;
use stepwell_spec::Action;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Calls that are answered as soon as they are reached. At some 50 µs each the last of them waits 0.2 seconds, and a client
/// that is told to come again soon loses less than one that waits behind more.
const CALLS_MAX: usize = 4_096;

/// Calls that wait for something to happen: workers for a task, callers for the end of an execution. Fewer than there may
/// be connections, so that workers alone cannot keep everybody else out.
const WAITS_MAX: usize = 8_000;

/// Kibibytes that all bodies together may have: 256 of the largest, or more of small ones than there may be connections.
const BODIES_KIB_MAX: usize = 262_144;

/// Calls of local services at a time, long polls and functions at work among them.
const LOCAL_CALLS_MAX: usize = 8_000;

/// The places in front of the service.
#[derive(Debug)]
pub(crate) struct Queue {
    local_calls: Semaphore,
    calls: Arc<Semaphore>,
    waits: Arc<Semaphore>,
    bodies_kib: Semaphore,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        Queue {
            local_calls: Semaphore::new(LOCAL_CALLS_MAX),
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            waits: Arc::new(Semaphore::new(WAITS_MAX)),
            bodies_kib: Semaphore::new(BODIES_KIB_MAX),
        }
    }

    /// Room for a body until the value is dropped, or a refusal in AWS's words. `announced` is the length the body says it
    /// has; one that does not say may be as long as any: `bytes_max`.
    pub(crate) fn room(&self, announced: Option<u64>, bytes_max: usize) -> Result<SemaphorePermit<'_>, Refusal> {
        let bytes = announced.map_or(bytes_max, |bytes| usize::try_from(bytes).unwrap_or(bytes_max));
        let kib = u32::try_from(bytes.min(bytes_max).div_ceil(1_024)).unwrap_or(u32::MAX);
        self.bodies_kib.try_acquire_many(kib.max(1)).map_err(|_| Refusal::throttled())
    }

    /// A place for a call of a local service until the value is dropped; none when there are too many.
    pub(crate) fn enter_local(&self) -> Option<SemaphorePermit<'_>> {
        self.local_calls.try_acquire().ok()
    }

    /// A place until the value is dropped, or a refusal in AWS's words. It goes with the call: a caller that leaves gives its
    /// place back when the service has heard of it, not before.
    pub(crate) fn enter(&self, action: Action) -> Result<OwnedSemaphorePermit, Refusal> {
        let places = if waits(action) { &self.waits } else { &self.calls };
        places.clone().try_acquire_owned().map_err(|_| Refusal::throttled())
    }
}

fn waits(action: Action) -> bool {
    matches!(action, Action::GetActivityTask | Action::StartSyncExecution | Action::TestState)
}

#[cfg(test)]
mod tests {
    use stepwell_api::BODY_BYTES_MAX;

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

    #[test]
    fn bodies_have_room_for_as_long_as_they_are_kept() {
        let queue = Queue::new();
        let large: Vec<_> = (0..255).map(|_| queue.room(Some(u64::MAX), BODY_BYTES_MAX).expect("room")).collect();
        let small: Vec<_> = (0..1_024).map(|_| queue.room(Some(7), BODY_BYTES_MAX).expect("room")).collect();
        assert_eq!(queue.room(Some(0), BODY_BYTES_MAX).expect_err("full").name(), "ThrottlingException");
        drop(small);
        let unsaid = queue.room(None, BODY_BYTES_MAX).expect("room");
        assert!(queue.room(Some(1), BODY_BYTES_MAX).is_err());
        drop((large, unsaid));
        assert_eq!(queue.bodies_kib.available_permits(), BODIES_KIB_MAX);
    }
}
