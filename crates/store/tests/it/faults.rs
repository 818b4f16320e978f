//! A disk that is full or fails, and a directory that is somebody else's.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stepwell_store::{Check, EmbeddedStore, Options, Outcome, Store, StoreError, Tail};

use crate::scripted::{Scripted, append, frames_of};
use stepwell_sim_disk::{Fault, Random, SimDisk};

const OPTIONS: Options = Options { segment_bytes: 4_096, entropy: 5, check: Check::Tail };

fn open(disk: &SimDisk) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open_on(Arc::new(disk.clone()), OPTIONS)
}

fn next(store: &EmbeddedStore, bytes: usize) -> Scripted {
    Scripted { epoch: 1, sequence: store.tail(0).sequence + 1, payload: vec![7; bytes], ..Scripted::default() }
}

#[test]
fn a_batch_is_one_sync_however_large() {
    let disk = SimDisk::new(Random::new(1));
    let mut store = EmbeddedStore::open_on(Arc::new(disk.clone()), Options { segment_bytes: 1 << 20, ..OPTIONS })
        .expect("a new store");
    let before = disk.syncs();
    let frames: Vec<Scripted> = (0..500)
        .map(|shard| Scripted { shard, epoch: 1, sequence: 1, payload: vec![1; 100], ..Scripted::default() })
        .collect();
    append(&mut store, &frames).expect("room");
    assert_eq!(disk.syncs() - before, 1);
    // Nothing to write is nothing to sync.
    append(&mut store, &frames).expect("conflicts only");
    assert_eq!(disk.syncs() - before, 1);
}

/// After a failed sync the next one on the same file says success. Who believes it loses what was never written.
#[test]
fn after_a_failed_sync_nothing_is_acknowledged_any_more() {
    for seed in 0..50 {
        let disk = SimDisk::new(Random::new(seed));
        let mut store = open(&disk).expect("a new store");
        let first = next(&store, 100);
        append(&mut store, std::slice::from_ref(&first)).expect("room");
        // The write goes well, the sync does not.
        disk.plan(2, Fault::Fails);
        let second = next(&store, 1_200);
        let error = append(&mut store, std::slice::from_ref(&second)).expect_err("the disk failed");
        assert!(matches!(&error, StoreError::Poisoned { because } if because.contains("sync")), "{error}");
        assert_eq!(store.tail(0), Tail { epoch: 1, sequence: 1 });
        let later = append(&mut store, std::slice::from_ref(&second)).expect_err("poisoned");
        assert!(matches!(later, StoreError::Poisoned { .. }), "{later}");
        assert!(frames_of(&store).is_err() && store.tend().is_err() && store.index().catch_up().is_err());
        drop(store);
        // The process starts again on the same system, which shows bytes the disk may not have.
        disk.restart_process();
        let mut store = open(&disk).expect("a store");
        let seen = frames_of(&store).expect("readable shards");
        let third = next(&store, 10);
        append(&mut store, std::slice::from_ref(&third)).expect("room");
        drop(store);
        disk.lose_power();
        let store = open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let found = frames_of(&store).expect("readable shards").remove(&0).expect("a shard");
        assert_eq!(found[0], first, "seed {seed}");
        assert!(found.starts_with(&seen[&0]), "seed {seed}: what the second life saw is gone");
        assert_eq!(found.last(), Some(&third), "seed {seed}");
    }
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let disk = SimDisk::new(Random::new(1));
    let mut store = open(&disk).expect("a new store");
    let (mut refused, mut kept) = (0, 0);
    for cycle in 0..100 {
        disk.set_room(Some(1_000 + cycle * 60));
        loop {
            let frame = next(&store, 500);
            match append(&mut store, std::slice::from_ref(&frame)) {
                Ok(_) => kept += 1,
                Err(error) => {
                    assert!(error.is_full(), "{error}");
                    assert!(error.to_string().starts_with("the disk is full: no room for disk/"), "{error}");
                    refused += 1;
                    break;
                }
            }
        }
        assert_eq!(frames_of(&store).expect("a full disk can be read")[&0].len(), kept);
        if cycle % 10 == 0 {
            drop(store);
            disk.set_room(None);
            store = open(&disk).expect("a store");
        }
        disk.set_room(None);
        let frame = next(&store, 500);
        append(&mut store, std::slice::from_ref(&frame)).expect("there is room again");
        kept += 1;
    }
    assert_eq!(refused, 100);
    assert_eq!(frames_of(&store).expect("readable shards")[&0].len(), kept);
}

#[test]
fn a_write_that_finds_no_room_is_taken_back() {
    let disk = SimDisk::new(Random::new(1));
    let mut store = open(&disk).expect("a new store");
    for _ in 0..20 {
        let frame = next(&store, 300);
        // A file system that copies on write may find no room even where there was some.
        disk.plan(1, Fault::NoRoom);
        let error = append(&mut store, std::slice::from_ref(&frame)).expect_err("no room");
        assert!(error.is_full(), "{error}");
        let other = Scripted { payload: vec![9; 40], ..frame };
        assert_eq!(
            append(&mut store, std::slice::from_ref(&other)).expect("room"),
            [Outcome::Appended { sequence: other.sequence }]
        );
    }
    drop(store);
    disk.lose_power();
    let found = frames_of(&open(&disk).expect("a store")).expect("readable shards");
    assert!(found[&0].len() == 20 && found[&0].iter().all(|frame| frame.payload == [9; 40]));
}

#[test]
fn what_was_refused_does_not_come_back() {
    let new = SimDisk::new(Random::new(1));
    drop(open(&new).expect("a new store"));
    for seed in 0..1_000 {
        let disk = new.copy(Random::new(seed));
        let mut store = open(&disk).expect("a store");
        disk.plan(1, Fault::NoRoom);
        // In half of the cases the process dies while it takes the batch back.
        let dies = seed % 2 == 0;
        if dies {
            disk.plan(2 + seed / 2 % 4, Fault::Dies);
        }
        let frames: Vec<Scripted> = (1..=9).map(|sequence| Scripted { sequence, ..next(&store, 60) }).collect();
        let error = append(&mut store, &frames).expect_err("no room");
        assert_eq!(error.is_full(), !dies, "seed {seed}: {error}");
        drop(store);
        disk.lose_power();
        let store = open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let found = frames_of(&store).expect("readable shards");
        assert!(dies || found.is_empty(), "seed {seed}: {} frames that were refused", found[&0].len());
    }
}

/// Opening mends what the life before left half done. When it is cut short in that, the next opening mends it.
#[test]
fn opening_that_is_cut_short_harms_nothing() {
    let new = SimDisk::new(Random::new(1));
    let mut store = open(&new).expect("a new store");
    let first = next(&store, 100);
    append(&mut store, std::slice::from_ref(&first)).expect("room");
    drop(store);
    for seed in 0..1_200 {
        let disk = new.copy(Random::new(seed));
        let mut store = open(&disk).expect("a store");
        // The write goes well, the sync makes some of it durable and says so to nobody.
        disk.plan(2, Fault::Fails);
        let frames: Vec<Scripted> = (2..=4).map(|sequence| Scripted { sequence, ..next(&store, 500) }).collect();
        append(&mut store, &frames).expect_err("the disk failed");
        drop(store);
        match seed % 3 {
            0 => disk.lose_power(),
            _ => disk.restart_process(),
        }
        disk.plan(1 + seed % 16, Fault::Dies);
        let _ = open(&disk);
        disk.lose_power();
        let store = open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let found = frames_of(&store).expect("readable shards").remove(&0).expect("a shard");
        assert_eq!(found[0], first, "seed {seed}");
        assert_eq!(found[1..], frames[..found.len() - 1], "seed {seed}");
    }
}

#[test]
fn an_index_that_finds_no_room_loses_nothing() {
    let mut found_no_room = 0;
    let disk = SimDisk::new(Random::new(1));
    let mut store = open(&disk).expect("a new store");
    let with_row = |store: &EmbeddedStore, value: u8| Scripted {
        executions: vec![1],
        rows: vec![("names", vec![value], Some(vec![value; 50]))],
        ..next(store, 10)
    };
    for value in 0..40 {
        let frame = with_row(&store, value);
        append(&mut store, &[frame]).expect("room");
        disk.plan(1 + u64::from(value) % 7, if value % 2 == 0 { Fault::NoRoom } else { Fault::Fails });
        let written = store.index().catch_up();
        disk.forget_plan();
        assert_eq!(
            store.index().get("names", &[value]).expect("a get"),
            Some(vec![value; 50]),
            "who reads opens it again"
        );
        // What has no room is told apart.
        if written.is_err_and(|error| error.is_full()) {
            assert!(!store.has_room());
            found_no_room += 1;
        }
        // Whether it is written down or not, and after a failure as soon as it can be.
        store.index().catch_up().expect("an index that works again");
        assert!(store.has_room());
        for known in 0..=value {
            let found = store.index().get("names", &[known]).expect("a get");
            assert_eq!(found, Some(vec![known; 50]), "{known} after {value}");
        }
    }
    assert!(found_no_room > 5, "{found_no_room}");
    drop(store);
    let store = open(&disk).expect("a store");
    assert_eq!(store.index().get("names", &[39]).expect("a get"), Some(vec![39; 50]));
}

/// What a failed sync left of the index is as little known as what it left of the log.
#[test]
fn after_a_failed_sync_of_the_index_nothing_is_acknowledged_either() {
    let mut poisoned = 0;
    for after in 1..20 {
        let disk = SimDisk::new(Random::new(after));
        let mut store = open(&disk).expect("a new store");
        let frame = Scripted { rows: vec![("names", vec![1], Some(vec![1; 50]))], ..next(&store, 10) };
        append(&mut store, std::slice::from_ref(&frame)).expect("room");
        disk.plan(after, Fault::Fails);
        if let Err(StoreError::Poisoned { because }) = store.index().catch_up() {
            assert!(because.contains("index.redb"), "{because}");
            let second = next(&store, 10);
            let later = append(&mut store, std::slice::from_ref(&second)).expect_err("poisoned");
            assert!(matches!(later, StoreError::Poisoned { .. }), "{later}");
            poisoned += 1;
        }
        drop(store);
        disk.forget_plan();
        disk.restart_process();
        disk.lose_power();
        let store = open(&disk).expect("a store");
        assert_eq!(frames_of(&store).expect("readable shards")[&0][0], frame);
        assert_eq!(store.index().get("names", &[1]).expect("a get"), Some(vec![1; 50]));
    }
    assert!(poisoned > 0, "a sync was among what failed");
}

/// A directory of the system's that goes with the test.
struct TestDirectory(PathBuf);

impl TestDirectory {
    fn new() -> TestDirectory {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("stepwell-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory for the test");
        TestDirectory(path)
    }

    fn data(&self) -> PathBuf {
        self.0.join("above").join("data")
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open_directory(path: &Path) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open(path, OPTIONS)
}

#[test]
fn a_directory_keeps_frames_and_lets_one_process_in() {
    let directory = TestDirectory::new();
    let path = directory.data();
    let mut store = open_directory(&path).expect("a new store");
    for _ in 0..30 {
        let frame = next(&store, 300);
        append(&mut store, &[frame]).expect("room");
        store.tend().expect("a store in order");
    }
    let error = open_directory(&path).expect_err("in use");
    assert_eq!(error.to_string(), format!("the data directory {} is in use by another process", path.display()));
    store.index().catch_up().expect("an index");
    drop(store);
    let store = open_directory(&path).expect("the store again");
    assert_eq!(frames_of(&store).expect("readable shards")[&0].len(), 30);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_look_into_a_directory() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TestDirectory::new();
    let path = directory.data();
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let mut store = open_directory(&path).expect("a new store");
    for _ in 0..30 {
        let frame = next(&store, 300);
        append(&mut store, &[frame]).expect("room");
    }
    assert_eq!(mode(&path), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).expect("a directory") {
        let entry = entry.expect("an entry");
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(names[..2], ["0000000000000001.log", "0000000000000002.log"]);
    assert!(["FORMAT", "LOCK", "index.redb"].iter().all(|name| names.iter().any(|found| found == name)), "{names:?}");
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    drop(open_directory(&path).expect("the store again"));
    assert_eq!(mode(&path), 0o700, "a directory that was opened to others is closed again");
}

#[test]
fn a_directory_of_something_else_is_left_alone() {
    let directory = TestDirectory::new();
    let path = directory.data();
    fs::create_dir_all(&path).expect("a directory");
    fs::write(path.join("thesis.txt"), "years of work").expect("a file");
    let error = open_directory(&path).expect_err("not a store");
    assert!(matches!(&error, StoreError::NotAStore { file, .. } if file == "thesis.txt"), "{error}");
    assert_eq!(fs::read_dir(&path).expect("a directory").count(), 1, "nothing was made in it");
}

#[test]
fn a_directory_that_cannot_be_is_one_clear_line() {
    let directory = TestDirectory::new();
    let file = directory.0.join("file");
    fs::write(&file, "").expect("a file");
    let error = open_directory(&file.join("data")).expect_err("a file is no directory");
    let line = error.to_string();
    assert!(line.starts_with("cannot make the directory ") && !line.contains('\n'), "{line}");
}
