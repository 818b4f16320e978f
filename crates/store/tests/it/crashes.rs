//! Lives that end at random, on a disk that loses and tears what was not synced: whatever was acknowledged is there when
//! the next life begins, nothing is there by half, and nothing that was refused. Executions are forgotten meanwhile, so
//! that segments are packed, emptied and removed at any point of it, and now and then the index is lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_store::{Check, EmbeddedStore, Options, Outcome, Store, StoreError, Tail};

use crate::scripted::{Scripted, append, check_store};
use stepwell_sim_disk::{Fault, Random, SimDisk};

const INDEX: &str = "index.redb";
const PACKED: &str = ".packed";

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
    lost_indexes: usize,
    segments_gone: usize,
    packed: usize,
    twice_there: usize,
}

impl Expected {
    fn check(&mut self, store: &dyn Store, tally: &mut Tally, seed: u64) {
        let unanswered = std::mem::take(&mut self.unanswered);
        let all = unanswered.len();
        let mut more = 0;
        for frame in unanswered {
            if frame.sequence <= store.tail(frame.shard).sequence {
                more += 1;
                self.kept.entry(frame.shard).or_default().push(frame);
            }
        }
        for shard in store.shards() {
            assert_eq!(store.tail(shard), self.tail(shard), "seed {seed}: shard {shard} ends elsewhere");
        }
        check_store(store, &self.kept);
        tally.unanswered_kept += more;
        tally.unanswered_lost += all - more;
    }

    fn tail(&self, shard: u32) -> Tail {
        let last = self.kept.get(&shard).and_then(|frames| frames.last());
        last.map(|frame| Tail { epoch: frame.epoch, sequence: frame.sequence }).unwrap_or_default()
    }
}

fn open(disk: &SimDisk, segment_bytes: u32) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open_on(Arc::new(disk.clone()), Options { segment_bytes, entropy: 77, check: Check::Tail })
}

/// A few lives of one store.
fn live(seed: u64, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let disk = SimDisk::new(Random::new(seed));
    let segment_bytes = [512, 2_000, 6_000, 40_000][random.below(4)];
    let shards = 1 + random.below(2) as u32;
    let mut expected = Expected::default();
    for _ in 0..3 {
        tally.lives += 1;
        if random.once_in(4) {
            disk.plan(random.between(1, 30), Fault::Dies);
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
        store.check().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let fault = [Fault::Dies, Fault::Dies, Fault::Dies, Fault::Fails, Fault::NoRoom][random.below(5)];
        disk.plan(random.between(1, 120), fault);
        for _ in 0..1 + random.below(30) {
            if !one_batch(&mut store, &disk, &mut expected, shards, &mut random, tally) {
                break;
            }
        }
        drop(store);
        end_life(&disk, &mut random, tally);
    }
    let store = open(&disk, segment_bytes).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    expected.check(&store, tally, seed);
    let names = disk.names_ending(".log").into_iter().chain(disk.names_ending(PACKED));
    let first = names.min().expect("a segment");
    tally.segments_gone += usize::from_str_radix(&first[..16], 16).expect("a number") - 1;
}

/// Appends a batch, and does what is done between batches. False when the store is of no more use.
fn one_batch(
    store: &mut EmbeddedStore,
    disk: &SimDisk,
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
            let frame = Scripted::next(tails[shard], shard as u32, bytes_max, random).forgetting(4, random);
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
    for _ in 0..random.below(4) {
        if store.tend().is_err() && store.index().get("t", b"k").is_err() {
            return false;
        }
    }
    if random.once_in(3) {
        let _ = store.index().catch_up();
        // Some of it, or all there is.
        for _ in 0..[0, 1, 2, 50][random.below(4)] {
            let before = disk.names_ending(PACKED).len();
            if !matches!(store.index().pack_some(0), Ok(true)) {
                break;
            }
            tally.packed += usize::from(disk.names_ending(PACKED).len() > before);
        }
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
    let is_written = |packed: &String| disk.names_ending(&packed.replace(PACKED, ".log")).len() == 1;
    tally.twice_there += disk.names_ending(PACKED).iter().filter(|packed| is_written(packed)).count();
    if random.once_in(6) && !disk.names_ending(INDEX).is_empty() {
        tally.lost_indexes += 1;
        disk.remove_file(INDEX);
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
        let rare = [
            tally.unanswered_kept,
            tally.unanswered_lost,
            tally.failed_openings,
            tally.poisoned,
            tally.full,
            tally.lost_indexes,
            tally.segments_gone,
            tally.packed,
            tally.twice_there,
        ];
        assert!(rare.iter().all(|&count| count > 10), "the seeds no longer reach everything: {tally:?}");
    }
}
