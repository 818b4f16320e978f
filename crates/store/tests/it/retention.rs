//! Executions that are forgotten: what only they needed goes, and nothing else.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stepwell_store::{Check, EmbeddedStore, HISTORIES, Options, Order, Store, StoreError, Tail};

use crate::scripted::{Scripted, ScriptedRow, append, check_store};
use stepwell_sim_disk::{Random, SimDisk};

const INDEX: &str = "index.redb";

const OPTIONS: Options = Options { segment_bytes: 4_096, entropy: 5, check: Check::Tail };

type Frames = BTreeMap<u32, Vec<Scripted>>;

fn open(disk: &SimDisk) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open_on(Arc::new(disk.clone()), OPTIONS)
}

/// Keeps frames, and remembers them.
struct Life {
    store: EmbeddedStore,
    frames: Frames,
}

impl Life {
    fn begin(disk: &SimDisk) -> Life {
        Life { store: open(disk).expect("a new store"), frames: Frames::new() }
    }

    /// Appends a frame of these executions, and tends to the store.
    fn keep(&mut self, executions: &[u64], rows: Vec<ScriptedRow>) {
        let sequence = self.store.tail(0).sequence + 1;
        let payload = vec![sequence as u8 | 1; 300];
        let frame = Scripted { shard: 0, epoch: 1, sequence, executions: executions.to_vec(), rows, payload };
        append(&mut self.store, std::slice::from_ref(&frame)).expect("room");
        self.frames.entry(0).or_default().push(frame);
        self.store.tend().expect("a store in order");
    }

    /// An execution that comes and goes: four frames, each with a row that stands for it, and the row goes with it.
    fn come_and_go(&mut self, execution: u64) {
        let key = execution.to_be_bytes().to_vec();
        for step in 0..4u8 {
            self.keep(&[execution], vec![("names", key.clone(), Some(vec![step; 20]))]);
        }
        self.keep(&[], vec![(HISTORIES, key.clone(), None), ("names", key, None)]);
    }

    fn check(&self) {
        check_store(&self.store, &self.frames);
        self.store.check().expect("an unharmed log");
    }
}

fn forgets(executions: std::ops::Range<u64>) -> Vec<ScriptedRow> {
    executions.map(|execution| (HISTORIES, execution.to_be_bytes().to_vec(), None)).collect()
}

fn segments(disk: &SimDisk) -> Vec<String> {
    disk.names_ending(".log")
}

#[test]
fn a_log_of_executions_that_come_and_go_stays_small() {
    let disk = SimDisk::new(Random::new(1));
    let mut life = Life::begin(&disk);
    // One that stays, a row that is never changed again, and a shard that says no more.
    life.keep(&[1], vec![("machines", b"m".to_vec(), Some(b"the definition".to_vec()))]);
    let still = Scripted { shard: 7, epoch: 3, sequence: 1, payload: vec![1; 9], ..Scripted::default() };
    append(&mut life.store, std::slice::from_ref(&still)).expect("room");
    life.frames.insert(7, vec![still]);
    let mut most = 0;
    for round in 0..300 {
        life.come_and_go(100 + round);
        if round % 20 == 0 {
            life.keep(&[1], Vec::new());
            life.store.index().catch_up().expect("an index");
        }
        most = most.max(segments(&disk).len());
    }
    assert!(most <= 14, "{most} segments of {} frames", life.frames[&0].len());
    let first = u64::from_str_radix(&segments(&disk)[0][..16], 16).expect("a number");
    assert!(first > 100, "the oldest segment is {first}");
    life.check();
    // The log alone is enough.
    drop(life.store);
    for what in ["with its index", "without an index"] {
        if what == "without an index" {
            disk.remove_file(INDEX);
        }
        let store = open(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
        check_store(&store, &life.frames);
        assert_eq!(store.tail(7), Tail { epoch: 3, sequence: 1 }, "{what}");
        assert_eq!(store.index().get("machines", b"m").expect("a get").as_deref(), Some(&b"the definition"[..]));
        let index = store.index();
        assert_eq!(index.history(0, 1, Order::Ascending, None, 99).expect("a history").len(), 16, "{what}");
    }
}

/// Segments that are full of life stand before those that are dead: they are not in the way for ever.
#[test]
fn what_lives_does_not_keep_what_is_dead() {
    let disk = SimDisk::new(Random::new(1));
    let mut life = Life::begin(&disk);
    for execution in 0..40 {
        life.keep(&[execution], Vec::new());
    }
    let alive = segments(&disk).len();
    for execution in 1_000..1_200 {
        life.keep(&[execution], Vec::new());
    }
    let most = segments(&disk).len();
    assert!(most > 4 * alive);
    life.keep(&[], forgets(1_000..1_200));
    for _ in 0..120 {
        life.store.index().catch_up().expect("an index");
        life.keep(&[], vec![("names", b"n".to_vec(), Some(Vec::new()))]);
    }
    assert!(segments(&disk).len() <= 4 * alive + 4, "{} of {most} segments, {alive}", segments(&disk).len());
    life.check();
}

#[test]
fn nothing_is_moved_while_nothing_dies() {
    let disk = SimDisk::new(Random::new(1));
    let mut life = Life::begin(&disk);
    for execution in 0..100u64 {
        let key = execution.to_be_bytes().to_vec();
        life.keep(&[execution], vec![("names", key, Some(vec![1; 9]))]);
        life.store.index().catch_up().expect("an index");
    }
    let count = life.store.check().expect("an unharmed log");
    assert_eq!(count, 100, "a frame was carried forward although all of them live");
    assert_eq!(segments(&disk)[0], "0000000000000001.log");
}

/// A life that ends while a segment is being emptied does not make more of what lives.
#[test]
fn what_was_carried_forward_before_a_crash_is_not_carried_twice() {
    let disk = SimDisk::new(Random::new(1));
    let mut life = Life::begin(&disk);
    for execution in 0..20 {
        life.keep(&[execution % 2, 10 + execution], vec![("names", vec![execution as u8], Some(vec![1]))]);
    }
    life.keep(&[], forgets(10..30));
    let mut most = 0;
    for round in 0..160 {
        life.store.index().catch_up().expect("an index");
        life.keep(&[], vec![("names", b"n".to_vec(), Some(Vec::new()))]);
        if ![5, 17].contains(&(round % 23)) {
            continue;
        }
        drop(life.store);
        disk.restart_process();
        life.store = open(&disk).expect("a store");
        let mut copies: BTreeMap<u64, usize> = BTreeMap::new();
        let each = &mut |frame: &stepwell_store::Frame<'_>| {
            *copies.entry(frame.sequence).or_default() += frame.executions().count().min(1);
            ControlFlow::Continue(())
        };
        life.store.read_shard(0, 0, each).expect("a readable shard");
        most = most.max(copies.into_values().max().unwrap_or_default());
    }
    assert!(segments(&disk)[0].as_str() > "0000000000000003.log", "{:?}", segments(&disk));
    assert_eq!(most, 2, "a frame stands in its old place and in its new one");
    life.check();
}

/// A log whose first segments are gone, and copies of them and of the index as they were before.
fn log_that_lost_segments() -> (SimDisk, Frames, Vec<(String, Vec<u8>)>) {
    let disk = SimDisk::new(Random::new(1));
    let mut life = Life::begin(&disk);
    life.keep(&[1], vec![("machines", b"m".to_vec(), Some(b"the definition".to_vec()))]);
    for execution in 2..40 {
        life.keep(&[execution], Vec::new());
    }
    life.store.index().catch_up().expect("an index");
    let before = segments(&disk).into_iter().chain([INDEX.to_owned()]).map(|name| (name.clone(), disk.bytes(&name)));
    let before: Vec<_> = before.collect();
    life.keep(&[], forgets(2..40));
    for _ in 0..100 {
        if segments(&disk)[0] != before[0].0 {
            break;
        }
        life.store.index().catch_up().expect("an index");
        life.keep(&[1], Vec::new());
    }
    life.check();
    let Life { store, frames } = life;
    drop(store);
    // Removes what the last life had no time for.
    drop(open(&disk).expect("a store"));
    (disk, frames, before)
}

#[test]
fn segments_that_come_back_are_removed_again() {
    let (disk, frames, before) = log_that_lost_segments();
    let needed = segments(&disk);
    for (name, bytes) in before.iter().filter(|(name, _)| *name < needed[0]) {
        disk.set_bytes(name, bytes);
        check_store(&open(&disk).expect("a store"), &frames);
        assert_eq!(segments(&disk), needed);
    }
    assert!(before.iter().any(|(name, _)| *name < needed[0]));
}

#[test]
fn an_index_from_before_segments_went_leads_nowhere_wrong() {
    let (disk, frames, before) = log_that_lost_segments();
    let (name, index) = before.last().expect("an index");
    disk.set_bytes(name, index);
    let store = open(&disk).expect("a store");
    check_store(&store, &frames);
    store.index().catch_up().expect("an index");
    check_store(&store, &frames);
}

#[test]
fn a_needed_segment_that_is_missing_is_missed() {
    let (disk, _, _) = log_that_lost_segments();
    for name in segments(&disk) {
        let damaged = disk.copy(Random::new(1));
        damaged.remove_file(&name);
        let error = open(&damaged).expect_err("a segment is missing");
        assert!(matches!(error, StoreError::Damaged { .. }), "{name}: {error}");
    }
}

/// What has rotten is not written once more with a checksum that is right.
#[test]
fn damage_is_not_carried_forward() {
    let disk = SimDisk::new(Random::new(1));
    let mut life = Life::begin(&disk);
    for execution in 1..40 {
        life.keep(&[execution], Vec::new());
    }
    life.store.index().catch_up().expect("an index");
    let first = segments(&disk).remove(0);
    let mut bytes = disk.bytes(&first);
    bytes[1_000] ^= 1;
    disk.set_bytes(&first, &bytes);
    let sequence = life.store.tail(0).sequence + 1;
    let forgetting = Scripted { epoch: 1, sequence, rows: forgets(2..40), ..Scripted::default() };
    append(&mut life.store, &[forgetting]).expect("room");
    life.store.index().catch_up().expect("an index");
    let error = (0..9).find_map(|_| life.store.tend().err()).expect("damage");
    assert!(matches!(&error, StoreError::Damaged { file, .. } if file.ends_with(&first)), "{error}");
    assert!(segments(&disk).contains(&first), "a damaged segment stays for whoever mends it");
}

/// Lets readers end, whatever else happens.
struct EndAtLast<'a>(&'a AtomicBool);

impl Drop for EndAtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[expect(clippy::disallowed_methods, reason = "readers are other threads")]
#[test]
fn readers_find_what_moves_meanwhile() {
    let disk = SimDisk::new(Random::new(1));
    let mut life = Life::begin(&disk);
    for _ in 0..5 {
        life.keep(&[1], vec![("machines", b"m".to_vec(), Some(b"the definition".to_vec()))]);
    }
    let (index, is_over) = (life.store.index(), AtomicBool::new(false));
    let read_until_the_end = || {
        let mut reads = 0;
        while !is_over.load(Ordering::Acquire) {
            for order in [Order::Ascending, Order::Descending] {
                let history = index.history(0, 1, order, None, 99).expect("a history");
                assert!(history.len() >= 5 && history.iter().all(|kept| kept.frame().payload.len() == 300));
            }
            assert!(index.get("machines", b"m").expect("a get").is_some());
            reads += 1;
        }
        assert!(reads > 0);
    };
    std::thread::scope(|scope| {
        let end = EndAtLast(&is_over);
        let readers = [scope.spawn(read_until_the_end), scope.spawn(read_until_the_end)];
        for round in 0..150 {
            life.come_and_go(100 + round);
            if round % 5 == 0 {
                life.keep(&[1], Vec::new());
                life.store.index().catch_up().expect("an index");
            }
        }
        drop(end);
        readers.into_iter().for_each(|reader| reader.join().expect("a reader that found everything"));
    });
    assert!(segments(&disk)[0].as_str() > "0000000000000020.log");
    life.check();
}

#[test]
fn a_full_disk_is_no_reason_to_stop_making_room() {
    let disk = SimDisk::new(Random::new(1));
    let mut life = Life::begin(&disk);
    for execution in 1..60 {
        life.keep(&[execution], Vec::new());
    }
    life.store.index().catch_up().expect("an index");
    let most = segments(&disk).len();
    disk.set_room(Some(0));
    for _ in 0..9 {
        life.store.tend().expect("nobody needs the room yet");
    }
    disk.set_room(None);
    life.keep(&[], forgets(1..60));
    for _ in 0..60 {
        life.store.index().catch_up().expect("an index");
        life.keep(&[], vec![("names", b"n".to_vec(), Some(Vec::new()))]);
    }
    assert!(segments(&disk).len() < most);
    life.check();
}
