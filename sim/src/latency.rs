//! A disk that is slow now and then: a batch on its way to it takes up to half a minute, and all that is asked, answered and due meanwhile
//! piles up behind it.
//!
//! What such a batch leads to happens when it is over. A crash before that is one between its write and the end of its sync.

use stepwell_sim_disk::Fault;
use stepwell_spec::Timestamp;

use crate::world::World;

/// The longest that a batch takes.
const LONGEST_MS: u64 = 30_000;

/// A batch that is being written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slow {
    until: Timestamp,
    /// Outcomes it has.
    batch: usize,
}

impl World {
    /// How many outcomes the writer makes durable now: none while the disk is busy with what it was given before.
    pub(crate) fn next_batch(&mut self) -> Option<usize> {
        let now = self.shell().now();
        if let Some(slow) = self.slow {
            if now < slow.until && self.wall < slow.until.0 {
                return None;
            }
            self.slow = None;
            return Some(slow.batch);
        }
        let batch = 1 + self.random.below(self.knobs.batch);
        if self.shell().waiting() == 0 || !self.random.percent(self.knobs.slow_percent) {
            return Some(batch);
        }
        let longest = [50, 2_000, LONGEST_MS][self.random.below(3)];
        let takes_ms = self.random.between(1, longest);
        let batch = batch.min(self.shell().waiting());
        self.tally.slow_writes += 1;
        self.trace.say(format!("the disk takes {takes_ms} ms for {batch}"));
        self.slow = Some(Slow { until: now.plus_ms(takes_ms), batch });
        None
    }

    /// Waits until the disk is done with what it is busy with.
    pub(crate) fn wait_for_the_disk(&mut self) {
        if let Some(slow) = self.slow.take() {
            self.wall = self.wall.max(slow.until.0);
        }
    }

    /// The process dies while the disk is busy: with the write, or with the sync behind it.
    pub(crate) fn die_in_a_slow_write(&mut self) {
        let Some(slow) = self.slow.take() else { return };
        if self.disk.has_died() {
            return;
        }
        self.disk.plan_instead(self.random.between(1, 2), Fault::Dies);
        // What of it is durable nobody hears.
        drop(self.write_some(slow.batch));
        self.tally.crashes_in_window += u64::from(self.disk.has_died());
    }
}
