//! How long things took: counts in buckets whose width grows with what they hold.
//!
//! Every reading is within 1/64 of what was recorded, from a nanosecond to a quarter of an hour, in 18 KB and without an
//! allocation when something is recorded.

use std::time::Duration;

/// Buckets of each power of two: 2^6, hence the 1/64.
const PARTS_BITS: u32 = 6;
const PARTS: u64 = 1 << PARTS_BITS;

/// What is longer counts as this: 2^40 ns, some 18 minutes.
const LONGEST_NS: u64 = 1 << 40;

const BUCKETS: usize = ((40 - PARTS_BITS + 1) as usize + 1) * PARTS as usize;

/// Times, counted.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    longest_ns: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: vec![0; BUCKETS], count: 0, longest_ns: 0 }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(LONGEST_NS);
        if let Some(count) = self.counts.get_mut(bucket(ns)) {
            *count += 1;
        }
        self.count += 1;
        self.longest_ns = self.longest_ns.max(ns);
    }

    /// Adds what another one has counted.
    pub(crate) fn add(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.longest_ns = self.longest_ns.max(other.longest_ns);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The time within which this share of all came, in microseconds. Zero when nothing was recorded.
    pub(crate) fn quantile_us(&self, share: f64) -> f64 {
        let rank = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut before = 0;
        for (index, count) in self.counts.iter().enumerate() {
            before += count;
            if before >= rank {
                return middle(index).min(self.longest_ns as f64) / 1e3;
            }
        }
        0.0
    }

    /// The longest, in microseconds.
    pub(crate) fn longest_us(&self) -> f64 {
        self.longest_ns as f64 / 1e3
    }
}

/// Where a time is counted. The first 64 buckets hold one nanosecond each; from there on each power of two has 64.
fn bucket(ns: u64) -> usize {
    if ns < PARTS {
        return ns as usize;
    }
    let power = 63 - ns.leading_zeros() - PARTS_BITS;
    (u64::from(power + 1) * PARTS + (ns >> power) - PARTS) as usize
}

/// The middle of what a bucket holds, in nanoseconds.
fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return bucket as f64;
    }
    let power = bucket / PARTS - 1;
    let first = (bucket % PARTS + PARTS) << power;
    first as f64 + (1_u64 << power) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_read_back_within_a_64th() {
        for ns in (0..300).chain([1_000, 4_095, 4_096, 123_456, 9_999_999, 60_000_000_000, LONGEST_NS]) {
            let read = middle(bucket(ns));
            assert!((read - ns as f64).abs() <= ns as f64 / 64.0, "{ns} is read as {read}");
            assert!(bucket(ns) < BUCKETS, "{ns}");
        }
    }

    #[test]
    fn buckets_follow_one_another() {
        let buckets: Vec<usize> = (0..100_000).map(bucket).collect();
        assert!(buckets.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1));
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.quantile_us(0.5), histogram.is_empty()), (0.0, true));
        (1..=1_000).for_each(|us| histogram.record(Duration::from_micros(us)));
        for (share, expected) in [(0.0, 1.0), (0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (1.0, 1_000.0)] {
            let read = histogram.quantile_us(share);
            assert!((read - expected).abs() <= expected / 64.0, "{share}: {read}");
        }
        assert_eq!(histogram.longest_us(), 1_000.0);
    }

    #[test]
    fn two_together_are_as_one() {
        let (mut one, mut other, mut both) = (Histogram::default(), Histogram::default(), Histogram::default());
        for us in 1..500_u64 {
            let part = if us.is_multiple_of(3) { &mut one } else { &mut other };
            part.record(Duration::from_micros(us * us));
            both.record(Duration::from_micros(us * us));
        }
        one.add(&other);
        assert_eq!((&one.counts, one.count, one.longest_ns), (&both.counts, both.count, both.longest_ns));
    }

    #[test]
    fn what_takes_for_ever_is_counted_as_the_longest() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.quantile_us(0.5), LONGEST_NS as f64 / 1e3);
    }
}
