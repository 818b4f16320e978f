//! Bytes that are not as they were written: detected, or harmless because nobody was promised them.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_store::{ALL_KEYS, Check, EmbeddedStore, Options, Order, Store, StoreError};

use crate::scripted::{Scripted, append, check_index, frames_of};
use stepwell_sim_disk::{Random, SimDisk};

const INDEX: &str = "index.redb";
const FORMAT: &str = "FORMAT";

type Frames = BTreeMap<u32, Vec<Scripted>>;

const OPTIONS: Options = Options { segment_bytes: 1_280, entropy: 5, check: Check::Tail };

fn open(disk: &SimDisk) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open_on(Arc::new(disk.clone()), OPTIONS)
}

/// Appends so many batches of so many frames of one shard.
fn fill(store: &mut EmbeddedStore, batches: usize, frames: usize, bytes_max: usize, random: &mut Random) {
    for _ in 0..batches {
        let mut tail = store.tail(0);
        let batch: Vec<Scripted> = (0..frames)
            .map(|_| {
                let frame = Scripted::next(tail, 0, bytes_max, random);
                tail = stepwell_store::Tail { epoch: frame.epoch, sequence: frame.sequence };
                frame
            })
            .collect();
        append(store, &batch).expect("room");
    }
}

/// A log of two segments whose index was written down before the first frame: it knows nothing that the log does not.
fn small_log() -> (SimDisk, Frames) {
    let disk = SimDisk::new(Random::new(3));
    let mut store = open(&disk).expect("a new store");
    fill(&mut store, 6, 2, 160, &mut Random::new(3));
    let frames = frames_of(&store).expect("readable shards");
    drop(store);
    assert_eq!(disk.names_ending(".log").len(), 2, "the log should have a sealed segment and an open one");
    (disk, frames)
}

/// What came of opening a store whose files were changed.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    /// It refused, with file and offset or the version it found.
    Refused,
    /// All frames were there.
    Harmless,
}

fn came_of_opening(disk: &SimDisk, expected: &Frames, what: &str) -> Came {
    match open(disk) {
        Err(StoreError::Damaged { file, .. } | StoreError::Newer { file, .. }) => {
            assert!(file.starts_with("disk/"), "{what}: {file}");
            Came::Refused
        }
        Err(error) => panic!("{what}: {error}"),
        Ok(store) => {
            assert_eq!(&frames_of(&store).expect("readable shards"), expected, "{what}: a wrong answer");
            Came::Harmless
        }
    }
}

#[test]
fn every_flipped_bit_of_an_acknowledged_log_is_detected_or_harmless() {
    let (disk, frames) = small_log();
    let (mut refused, mut harmless) = (0, 0);
    for name in disk.names_ending(".log").into_iter().chain([FORMAT.to_owned()]) {
        let good = disk.bytes(&name);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            disk.set_bytes(&name, &bad);
            match came_of_opening(&disk, &frames, &format!("bit {bit} of {name}")) {
                Came::Refused => refused += 1,
                Came::Harmless => harmless += 1,
            }
            disk.set_bytes(&name, &good);
            for spare in disk.names_ending(".spare") {
                disk.remove_file(&spare);
            }
        }
    }
    // Harmless are the zeroes behind a segment's last batch, and the last batch's own mark.
    let zeroes = disk.names_ending(".log").into_iter().map(|name| {
        let bytes = disk.bytes(&name);
        bytes.len() - bytes.iter().rposition(|&byte| byte != 0).expect("frames").next_multiple_of(8)
    });
    assert_eq!(harmless, (zeroes.sum::<usize>() + 16) * 8, "{refused} refused");
}

/// The same with an index that knows every frame: what opening does not read, the full check finds, and so does whoever
/// reads it.
#[test]
fn every_flipped_bit_of_an_indexed_log_is_detected_or_harmless() {
    let disk = SimDisk::new(Random::new(3));
    let mut store = open(&disk).expect("a new store");
    fill(&mut store, 20, 2, 160, &mut Random::new(3));
    store.index().catch_up().expect("an index");
    let frames = frames_of(&store).expect("readable shards");
    drop(store);
    let names = disk.names_ending(".log");
    let last = names.last().expect("segments").clone();
    assert!(names.len() >= 4, "{names:?}");
    for name in &names {
        let good = disk.bytes(name);
        let end = good.iter().rposition(|&byte| byte != 0).expect("frames") + 1;
        for bit in (0..end * 8).filter(|bit| bit % 11 == 0) {
            let what = format!("bit {bit} of {name}");
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            disk.set_bytes(name, &bad);
            // The mark of the last batch says what its frames say too.
            let is_redundant = *name == last && bit / 8 >= end - 16;
            let checked = EmbeddedStore::open_on(
                Arc::new(disk.copy(Random::new(1))),
                Options { check: Check::Everything, ..OPTIONS },
            );
            assert_eq!(
                matches!(checked, Err(StoreError::Damaged { .. } | StoreError::Newer { .. })),
                !is_redundant,
                "{what}"
            );
            match open(&disk.copy(Random::new(1))) {
                Err(StoreError::Damaged { file, .. } | StoreError::Newer { file, .. }) => {
                    assert!(file.ends_with(name) && (*name == last || bit / 8 < 64), "{what}: {file}");
                }
                Err(error) => panic!("{what}: {error}"),
                Ok(_) if is_redundant => {}
                Ok(store) => {
                    assert!(*name != last && bit / 8 >= 64, "{what} was not found by opening");
                    assert!(matches!(store.check(), Err(StoreError::Damaged { .. })), "{what}");
                    assert!(matches!(frames_of(&store), Err(StoreError::Damaged { .. })), "{what}");
                    check_what_can_be_read(&store, &frames, &what);
                }
            }
        }
        disk.set_bytes(name, &good);
    }
}

/// Every history is as it was, or refused.
fn check_what_can_be_read(store: &EmbeddedStore, frames: &Frames, what: &str) {
    for execution in 0..6 {
        match store.index().history(0, execution, Order::Ascending, None, usize::MAX) {
            Err(StoreError::Damaged { .. }) => {}
            Err(error) => panic!("{what}: {error}"),
            Ok(history) => {
                let expected = frames[&0].iter().filter(|frame| frame.executions.contains(&execution));
                assert!(history.iter().map(|kept| Scripted::of(&kept.frame())).eq(expected.cloned()), "{what}");
            }
        }
    }
}

#[test]
fn opening_reads_no_more_when_the_log_is_longer() {
    let mut read = Vec::new();
    for batches in [40, 400] {
        let disk = SimDisk::new(Random::new(3));
        let mut store = open(&disk).expect("a new store");
        fill(&mut store, batches, 2, 160, &mut Random::new(3));
        store.index().catch_up().expect("an index");
        fill(&mut store, 2, 2, 160, &mut Random::new(3));
        drop(store);
        let segments = disk.names_ending(".log").len();
        let before = disk.bytes_read(".log");
        let store = open(&disk).expect("a store");
        // Of every segment its header, and of the last once more.
        read.push(disk.bytes_read(".log") - before - (segments + 1) * 64);
        assert_eq!(store.tail(0).sequence, 2 * (batches as u64 + 2));
        let before = disk.bytes_read(".log");
        store.check().expect("an unharmed log");
        assert!(disk.bytes_read(".log") - before > (segments - 1) * 640, "the full check reads everything");
    }
    assert!(read.iter().all(|&read| (1_280..=3 * 1_280).contains(&read)), "{read:?}");
}

#[test]
fn every_shortened_file_is_detected() {
    let (disk, frames) = small_log();
    for name in disk.names_ending(".log") {
        let good = disk.bytes(&name);
        for length in 0..good.len() {
            disk.set_bytes(&name, &good[..length]);
            let came = came_of_opening(&disk, &frames, &format!("{name} cut to {length} bytes"));
            assert_eq!(came, Came::Refused, "{name} cut to {length} bytes");
        }
        disk.set_bytes(&name, &good);
    }
}

#[test]
fn a_missing_segment_is_detected() {
    let disk = SimDisk::new(Random::new(3));
    let mut store = open(&disk).expect("a new store");
    fill(&mut store, 20, 2, 160, &mut Random::new(3));
    drop(store);
    let segments = disk.names_ending(".log");
    assert!(segments.len() > 3);
    for name in &segments[..segments.len() - 1] {
        let damaged = disk.copy(Random::new(1));
        damaged.remove_file(name);
        let error = open(&damaged).expect_err("a gap");
        assert!(matches!(&error, StoreError::Damaged { what, .. } if what.contains("missing")), "{name}: {error}");
    }
    let damaged = disk.copy(Random::new(1));
    damaged.remove_file(FORMAT);
    assert!(matches!(open(&damaged).expect_err("no format"), StoreError::Damaged { .. }));
    // Two segments in each other's place.
    let swapped = disk.copy(Random::new(1));
    swapped.set_bytes(&segments[0], &disk.bytes(&segments[1]));
    swapped.set_bytes(&segments[1], &disk.bytes(&segments[0]));
    assert!(matches!(open(&swapped).expect_err("swapped"), StoreError::Damaged { .. }));
}

/// A log of acknowledged batches, one more that was not acknowledged, and where that one begins.
fn log_with_unanswered_batch() -> (SimDisk, Frames, Frames, String, usize) {
    let disk = SimDisk::new(Random::new(9));
    let options = Options { segment_bytes: 8_192, ..OPTIONS };
    let mut store = EmbeddedStore::open_on(Arc::new(disk.clone()), options).expect("a new store");
    let mut random = Random::new(9);
    fill(&mut store, 3, 2, 300, &mut random);
    let acknowledged = frames_of(&store).expect("readable shards");
    let name = disk.names_ending(".log").remove(0);
    let start = disk.bytes(&name).iter().rposition(|&byte| byte != 0).expect("frames") / 8 * 8 + 8;
    fill(&mut store, 1, 5, 900, &mut random);
    let all = frames_of(&store).expect("readable shards");
    (disk, acknowledged, all, name, start)
}

/// Opens a store whose last batch was torn: all that was acknowledged is there, and of the rest whole frames in order.
/// Then goes on, and opens once more: nothing of the torn batch comes back.
fn check_torn(disk: &SimDisk, acknowledged: &Frames, all: &Frames, what: &str) {
    let mut store = open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = frames_of(&store).expect("readable shards").remove(&0).expect("a shard");
    assert!(found.len() >= acknowledged[&0].len() && all[&0].starts_with(&found), "{what}");
    let other = Scripted { payload: b"another".to_vec(), ..Scripted::next(store.tail(0), 0, 9, &mut Random::new(1)) };
    append(&mut store, std::slice::from_ref(&other)).expect("room");
    drop(store);
    let store = open(disk).unwrap_or_else(|error| panic!("{what}, opened again: {error}"));
    let again = frames_of(&store).expect("readable shards").remove(&0).expect("a shard");
    assert_eq!(again.len(), found.len() + 1, "{what}: something came back");
    assert!(again.starts_with(&found) && again.last() == Some(&other), "{what}");
}

#[test]
fn a_batch_torn_at_any_byte_is_cut() {
    let (disk, acknowledged, all, name, start) = log_with_unanswered_batch();
    let whole = disk.bytes(&name);
    let end = whole.iter().rposition(|&byte| byte != 0).expect("frames") + 1;
    for torn_at in start..=end {
        let mut torn = whole.clone();
        torn[torn_at..].fill(0);
        disk.set_bytes(&name, &torn);
        check_torn(&disk, &acknowledged, &all, &format!("torn at byte {torn_at}"));
    }
}

#[test]
fn a_batch_with_any_of_its_sectors_missing_is_cut() {
    let (disk, acknowledged, all, name, start) = log_with_unanswered_batch();
    let whole = disk.bytes(&name);
    let end = whole.iter().rposition(|&byte| byte != 0).expect("frames") + 1;
    let sectors: Vec<usize> = (start / 512..=(end - 1) / 512).collect();
    assert!(sectors.len() >= 4, "{sectors:?}");
    let mut cases: Vec<u64> = (0..1 << sectors.len().min(8)).collect();
    let mut random = Random::new(4);
    cases.extend((0..64).map(|_| random.draw()));
    for present in cases {
        let mut torn = whole.clone();
        for (place, sector) in sectors.iter().enumerate() {
            if present >> place & 1 == 0 {
                torn[(sector * 512).max(start)..((sector + 1) * 512).min(end)].fill(0);
            }
        }
        disk.set_bytes(&name, &torn);
        check_torn(&disk, &acknowledged, &all, &format!("sectors {present:b}"));
    }
}

#[test]
fn an_index_that_is_lost_broken_old_or_foreign_is_made_again() {
    let disk = SimDisk::new(Random::new(3));
    let mut store = open(&disk).expect("a new store");
    let mut random = Random::new(3);
    fill(&mut store, 5, 3, 100, &mut random);
    store.index().catch_up().expect("an index");
    drop(store);
    let old = disk.bytes(INDEX);
    let mut store = open(&disk).expect("a store");
    fill(&mut store, 5, 3, 100, &mut random);
    store.index().catch_up().expect("an index");
    let frames = frames_of(&store).expect("readable shards");
    drop(store);
    let current = disk.bytes(INDEX);

    let foreign = SimDisk::new(Random::new(4));
    let options = Options { entropy: 6, ..OPTIONS };
    let mut store = EmbeddedStore::open_on(Arc::new(foreign.clone()), options).expect("a new store");
    fill(&mut store, 9, 3, 100, &mut random);
    store.index().catch_up().expect("an index");
    drop(store);

    let garbage: Vec<u8> = (0..current.len()).map(|_| random.draw() as u8).collect();
    let mut indexes: Vec<(String, Option<Vec<u8>>)> = vec![
        ("missing".into(), None),
        ("empty".into(), Some(Vec::new())),
        ("old".into(), Some(old)),
        ("foreign".into(), Some(foreign.bytes(INDEX))),
        ("garbage".into(), Some(garbage)),
        ("current".into(), Some(current.clone())),
    ];
    for length in [1, 64, 511, 4_096, current.len() / 2, current.len() - 1] {
        indexes.push((format!("cut to {length}"), Some(current[..length].to_vec())));
    }
    for (what, index) in indexes {
        match &index {
            Some(bytes) => disk.set_bytes(INDEX, bytes),
            None => disk.remove_file(INDEX),
        }
        let store = open(&disk).unwrap_or_else(|error| panic!("{what} index: {error}"));
        check_index(&*store.index(), &frames);
        store.index().catch_up().expect("an index");
        check_index(&*store.index(), &frames);
        drop(store);
        let store = open(&disk).unwrap_or_else(|error| panic!("after a {what} index: {error}"));
        check_index(&*store.index(), &frames);
    }
}

#[test]
fn a_value_of_the_index_that_rots_is_not_read() {
    let disk = SimDisk::new(Random::new(3));
    let mut store = open(&disk).expect("a new store");
    let frame = Scripted {
        epoch: 1,
        sequence: 1,
        rows: vec![("names", b"key".to_vec(), Some(b"the value of the row".to_vec()))],
        ..Scripted::default()
    };
    append(&mut store, &[frame]).expect("room");
    store.index().catch_up().expect("an index");
    drop(store);
    let mut index = disk.bytes(INDEX);
    let places: Vec<usize> = (0..index.len()).filter(|&at| index[at..].starts_with(b"the value of the row")).collect();
    assert!(!places.is_empty());
    for at in places {
        index[at] ^= 4;
    }
    disk.set_bytes(INDEX, &index);
    let store = open(&disk).expect("a store");
    for error in [
        store.index().get("names", b"key").expect_err("rotten"),
        store.index().scan("names", ALL_KEYS, Order::Ascending, 9).expect_err("rotten"),
    ] {
        assert!(matches!(&error, StoreError::Index { what } if what.contains(INDEX)), "{error}");
    }
    // As the error says.
    drop(store);
    disk.remove_file(INDEX);
    let store = open(&disk).expect("a store");
    assert!(store.index().get("names", b"key").expect("a get").is_some());
}

#[test]
fn a_log_that_lost_what_its_index_knows_is_refused() {
    let disk = SimDisk::new(Random::new(3));
    let mut store = open(&disk).expect("a new store");
    let mut random = Random::new(3);
    fill(&mut store, 1, 2, 100, &mut random);
    let before: Vec<(String, Vec<u8>)> =
        disk.names_ending(".log").into_iter().map(|name| (name.clone(), disk.bytes(&name))).collect();
    fill(&mut store, 1, 2, 100, &mut random);
    store.index().catch_up().expect("an index");
    drop(store);
    let whole = disk.copy(Random::new(1));
    for (name, bytes) in before {
        disk.set_bytes(&name, &bytes);
    }
    let error = open(&disk).expect_err("acknowledged frames are gone");
    assert!(error.to_string().contains("the index knows it"), "{error}");

    // With all segments from some one on.
    let mut store = open(&whole).expect("a store");
    fill(&mut store, 20, 2, 100, &mut random);
    store.index().catch_up().expect("an index");
    drop(store);
    let segments = whole.names_ending(".log");
    for name in segments[1..].iter().rev() {
        whole.remove_file(name);
        let error = open(&whole).expect_err("acknowledged frames are gone");
        assert!(error.to_string().contains("the index knows it"), "without {name}: {error}");
    }
}

#[test]
fn a_frame_that_rots_while_the_store_is_open_is_not_read() {
    let disk = SimDisk::new(Random::new(3));
    let mut store = open(&disk).expect("a new store");
    let frame = Scripted {
        epoch: 1,
        sequence: 1,
        executions: vec![1],
        payload: b"the payload".to_vec(),
        ..Scripted::default()
    };
    append(&mut store, &[frame]).expect("room");
    let name = disk.names_ending(".log").remove(0);
    let good = disk.bytes(&name);
    let at = good.windows(11).position(|bytes| bytes == b"the payload").expect("the payload");
    let mut bad = good;
    bad[at] ^= 1;
    disk.set_bytes(&name, &bad);
    let error = store.index().history(0, 1, Order::Ascending, None, 9).expect_err("rotten");
    assert!(matches!(error, StoreError::Damaged { offset: 64, .. }), "{error}");
    assert!(matches!(frames_of(&store).expect_err("rotten"), StoreError::Damaged { offset: 64, .. }));
}

#[test]
fn what_a_newer_version_wrote_is_refused() {
    let (disk, _) = small_log();
    let good = String::from_utf8(disk.bytes(FORMAT)).expect("text");
    disk.set_bytes(FORMAT, good.replace("format 1", "format 2").as_bytes());
    let error = open(&disk).expect_err("newer");
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    disk.set_bytes(FORMAT, good.as_bytes());

    let name = disk.names_ending(".log").remove(1);
    let mut segment = disk.bytes(&name);
    segment[8] = 9;
    disk.set_bytes(&name, &segment);
    let error = open(&disk).expect_err("newer");
    assert!(matches!(error, StoreError::Newer { found: 9, known: 2, .. }), "{error}");
}
