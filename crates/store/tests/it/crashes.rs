//! Lives that end at random, on a disk that loses and tears what was not synced: whatever was acknowledged is there when
//! the next life begins, nothing is there by half, and nothing that was refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_store::{EmbeddedStore, Options, Outcome, Store, StoreError, Tail};

use crate::scripted::{Scripted, append, check_index, frames_of};
use crate::sim_disk::{Fault, Random, SimDisk};

/// What the frames of a store must be.
#[derive(Default)]
struct Expected {
    /// Acknowledged, or seen after a crash.
    kept: BTreeMap<u32, Vec<Scripted>>,
    /// Of the batch that was not answered: there or not, from the first on.
    unanswered: Vec<Scripted>,
}

#[derive(Default, Debug)]
struct Tally {
    lives: usize,
    frames: usize,
    unanswered_kept: usize,
    unanswered_lost: usize,
    power_losses: usize,
    failed_openings: usize,
    poisoned: usize,
    full: usize,
}

impl Expected {
    fn check(&mut self, store: &dyn Store, tally: &mut Tally, seed: u64) {
        let mut found = frames_of(store).expect("a store that opened can be read");
        for (shard, kept) in &self.kept {
            let frames = found.get(shard).map(Vec::as_slice).unwrap_or_default();
            assert!(frames.len() >= kept.len(), "seed {seed}: acknowledged frames of shard {shard} are lost");
            assert!(frames.starts_with(kept), "seed {seed}: acknowledged frames of shard {shard} are others");
        }
        let mut more = 0;
        for (shard, frames) in &found {
            let known = self.kept.get(shard).map_or(0, Vec::len);
            let unanswered = self.unanswered.iter().filter(|frame| frame.shard == *shard);
            for (frame, expected) in frames[known..].iter().zip(unanswered.map(Some).chain(std::iter::repeat(None))) {
                assert_eq!(Some(frame), expected, "seed {seed}: a frame that nobody appended");
                more += 1;
            }
        }
        check_index(&*store.index(), &found);
        tally.unanswered_kept += more;
        tally.unanswered_lost += self.unanswered.len() - more;
        self.unanswered.clear();
        self.kept.clear();
        self.kept.append(&mut found);
    }

    fn tail(&self, shard: u32) -> Tail {
        let last = self.kept.get(&shard).and_then(|frames| frames.last());
        last.map(|frame| Tail { epoch: frame.epoch, sequence: frame.sequence }).unwrap_or_default()
    }
}

fn open(disk: &SimDisk, segment_bytes: u32) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open_on(Arc::new(disk.clone()), Options { segment_bytes, entropy: 77 })
}

/// A few lives of one store.
fn live(seed: u64, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let disk = SimDisk::new(seed);
    let segment_bytes = [512, 2_000, 6_000, 40_000][random.below(4)];
    let shards = 1 + random.below(2) as u32;
    let mut expected = Expected::default();
    for _ in 0..3 {
        tally.lives += 1;
        if random.once_in(4) {
            disk.plan(1 + random.below(30), Fault::Dies);
        }
        let mut store = match open(&disk, segment_bytes) {
            Ok(store) => store,
            Err(error) => {
                let is_honest = matches!(error, StoreError::Io { .. } | StoreError::Index { .. });
                assert!(is_honest, "seed {seed}: {error}");
                tally.failed_openings += 1;
                end_life(&disk, &mut random, tally);
                open(&disk, segment_bytes).unwrap_or_else(|error| panic!("seed {seed}: {error}"))
            }
        };
        disk.forget_plan();
        expected.check(&store, tally, seed);
        let fault = [Fault::Dies, Fault::Dies, Fault::Dies, Fault::Fails, Fault::NoRoom][random.below(5)];
        disk.plan(1 + random.below(40), fault);
        for _ in 0..1 + random.below(15) {
            if !one_batch(&mut store, &mut expected, shards, &mut random, tally) {
                break;
            }
        }
        drop(store);
        end_life(&disk, &mut random, tally);
    }
    let store = open(&disk, segment_bytes).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    expected.check(&store, tally, seed);
}

/// Appends a batch, and does what is done between batches. False when the store is of no more use.
fn one_batch(
    store: &mut EmbeddedStore,
    expected: &mut Expected,
    shards: u32,
    random: &mut Random,
    tally: &mut Tally,
) -> bool {
    let mut tails: Vec<Tail> = (0..shards).map(|shard| expected.tail(shard)).collect();
    let bytes_max = [30, 300, 3_000][random.below(3)];
    let batch: Vec<Scripted> = (0..1 + random.below(6))
        .map(|_| {
            let shard = random.below(shards as usize);
            let frame = Scripted::next(tails[shard], shard as u32, bytes_max, random);
            tails[shard] = Tail { epoch: frame.epoch, sequence: frame.sequence };
            frame
        })
        .collect();
    match append(store, &batch) {
        Ok(outcomes) => {
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Appended { .. })));
            tally.frames += batch.len();
            for frame in batch {
                expected.kept.entry(frame.shard).or_default().push(frame);
            }
        }
        Err(StoreError::Poisoned { .. }) => {
            tally.poisoned += 1;
            expected.unanswered = batch;
            assert!(matches!(append(store, &[]), Err(StoreError::Poisoned { .. })));
            assert!(store.index().get("t", b"k").is_err());
            assert!(store.tend().is_err());
            return false;
        }
        // Nothing was written, so that the same frames may be appended again or others in their place.
        Err(error) => tally.full += usize::from(error.is_full()),
    }
    if random.once_in(3) && store.tend().is_err() && store.index().get("t", b"k").is_err() {
        return false;
    }
    if random.once_in(6) {
        let _ = store.index().catch_up();
    }
    true
}

fn end_life(disk: &SimDisk, random: &mut Random, tally: &mut Tally) {
    if random.once_in(3) {
        disk.restart_process();
    } else {
        tally.power_losses += 1;
        disk.lose_power();
    }
}

#[test]
fn what_was_acknowledged_is_there_after_any_crash() {
    let count = std::env::var("STEPWELL_CRASH_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(500);
    let first = std::env::var("STEPWELL_CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut tally = Tally::default();
    for seed in first..first + count {
        live(seed, &mut tally);
    }
    println!("{tally:?}");
    if count >= 500 {
        let rare = [tally.unanswered_kept, tally.unanswered_lost, tally.failed_openings, tally.poisoned, tally.full];
        assert!(rare.iter().all(|&count| count > 10), "the seeds no longer reach everything: {tally:?}");
    }
}
