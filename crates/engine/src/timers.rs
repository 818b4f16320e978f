//! Timers of all executions, by the time they are due.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_interpreter::{ThreadId, TimerKey, TimerPurpose};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::Timestamp;

use crate::step::ExecutionId;

/// What is due when. Each timer fires once; setting it again moves it.
#[derive(Clone, Debug, Default)]
pub struct Timers {
    due: BTreeSet<(Timestamp, ExecutionId, TimerKey)>,
    times: BTreeMap<(ExecutionId, TimerKey), Timestamp>,
}

impl Timers {
    /// Sets a timer, or moves it.
    pub fn set(&mut self, execution: ExecutionId, timer: TimerKey, at: Timestamp) {
        self.cancel(execution, timer);
        self.due.insert((at, execution, timer));
        self.times.insert((execution, timer), at);
    }

    /// Takes a timer away. One that is not set is no fault: it may have fired.
    pub fn cancel(&mut self, execution: ExecutionId, timer: TimerKey) {
        if let Some(at) = self.times.remove(&(execution, timer)) {
            self.due.remove(&(at, execution, timer));
        }
    }

    /// Takes all timers of an execution away.
    pub fn cancel_all(&mut self, execution: ExecutionId) {
        let last = TimerKey { thread: ThreadId(u32::MAX), event_id: u64::MAX, purpose: TimerPurpose::ExecutionTimeout };
        // A timer's key begins with its thread, and the root thread is the lowest.
        let first = TimerKey { thread: ThreadId::ROOT, event_id: 0, purpose: TimerPurpose::Wait };
        for (own, at) in self.times.extract_if((execution, first)..=(execution, last), |_, _| true) {
            self.due.remove(&(at, own.0, own.1));
        }
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _, _)| *at)
    }

    /// Whose timer [`Timers::take_due`] would take.
    pub fn first_due(&self, now: Timestamp) -> Option<ExecutionId> {
        self.due.first().filter(|(at, _, _)| *at <= early(now)).map(|(_, execution, _)| *execution)
    }

    /// Takes the first timer that is due by now.
    pub fn take_due(&mut self, now: Timestamp) -> Option<(ExecutionId, TimerKey)> {
        let &(at, execution, timer) = self.due.first()?;
        if at > early(now) {
            return None;
        }
        if !planted::is(Bug::TimersStay) {
            self.cancel(execution, timer);
        }
        Some((execution, timer))
    }

    /// All of them, by execution and key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ExecutionId, TimerKey, Timestamp)> {
        self.times.iter().map(|(&(execution, timer), &at)| (execution, timer, at))
    }

    /// Number of timers set.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}

/// What counts as the time by which a timer is due.
fn early(now: Timestamp) -> Timestamp {
    if planted::is(Bug::TimersEarly) { now.plus_ms(500) } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timer(event_id: u64) -> TimerKey {
        TimerKey { thread: ThreadId::ROOT, event_id, purpose: TimerPurpose::Wait }
    }

    #[test]
    fn timers_fire_once_in_order_and_never_early() {
        let mut timers = Timers::default();
        let (a, b) = (ExecutionId(1), ExecutionId(2));
        timers.set(a, timer(1), Timestamp(30));
        timers.set(b, timer(1), Timestamp(10));
        timers.set(a, timer(2), Timestamp(20));
        timers.set(a, timer(1), Timestamp(15));
        assert_eq!(timers.next_due(), Some(Timestamp(10)));
        assert_eq!(timers.take_due(Timestamp(9)), None);
        assert_eq!(timers.take_due(Timestamp(15)), Some((b, timer(1))));
        assert_eq!(timers.take_due(Timestamp(15)), Some((a, timer(1))));
        assert_eq!(timers.take_due(Timestamp(15)), None);
        timers.cancel(a, timer(1));
        timers.cancel_all(a);
        assert!(timers.is_empty() && timers.next_due().is_none());
    }
}
