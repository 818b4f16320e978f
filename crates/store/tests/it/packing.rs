//! Segments that were packed: the same to whoever reads, in less room, and checked as everything is.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_store::{Check, EmbeddedStore, HISTORIES, Options, Store, StoreError, Tail};

use crate::scripted::{Scripted, append, check_store, frames_of};
use stepwell_sim_disk::{Fault, Random, SimDisk};

const OPTIONS: Options = Options { segment_bytes: 4_096, entropy: 5, check: Check::Tail };

type Frames = BTreeMap<u32, Vec<Scripted>>;

fn open(disk: &SimDisk) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open_on(Arc::new(disk.clone()), OPTIONS)
}

/// A store of some segments, all but the last of which are indexed and not packed yet.
fn filled() -> (SimDisk, EmbeddedStore, Frames) {
    let disk = SimDisk::new(Random::new(4));
    let mut store = open(&disk).expect("a new store");
    let mut random = Random::new(4);
    let mut frames = Frames::new();
    for _ in 0..60 {
        let tail = store.tail(0);
        let mut frame = Scripted::next(tail, 0, 400, &mut random);
        // Much in it is alike, as it is in histories.
        frame.payload.iter_mut().zip((1..8).cycle()).for_each(|(byte, like)| *byte = like);
        append(&mut store, std::slice::from_ref(&frame)).expect("room");
        frames.entry(0).or_default().push(frame);
    }
    store.index().catch_up().expect("an index");
    assert!(names(&disk, ".log").len() >= 4 && names(&disk, ".packed").is_empty());
    (disk, store, frames)
}

fn pack(store: &EmbeddedStore) {
    while store.index().pack_some(0).expect("room") {}
}

fn names(disk: &SimDisk, ending: &str) -> Vec<String> {
    disk.names_ending(ending)
}

fn bytes(disk: &SimDisk) -> usize {
    let names = names(disk, ".log").into_iter().chain(names(disk, ".packed"));
    names.map(|name| disk.bytes(&name).len()).sum()
}

#[test]
fn what_is_packed_is_smaller_and_the_same() {
    let (disk, store, frames) = filled();
    let before = bytes(&disk);
    let segments = names(&disk, ".log");
    pack(&store);
    assert_eq!(names(&disk, ".log"), segments[segments.len() - 1..], "the last is being written");
    assert_eq!(names(&disk, ".packed").len(), segments.len() - 1);
    assert!(bytes(&disk) < before * 2 / 3, "{} of {before}", bytes(&disk));
    assert!(!store.index().pack_some(0).expect("nothing to do"));
    let check = |store: &EmbeddedStore| {
        check_store(store, &frames);
        assert_eq!(store.check().expect("an unharmed log"), frames[&0].len() as u64);
    };
    check(&store);
    drop(store);
    // The index is not needed for it, nor for finding what is packed.
    for has_index in [true, false] {
        if !has_index {
            disk.remove_file("index.redb");
        }
        check(&open(&disk).expect("a store"));
    }
}

#[test]
fn the_youngest_wait_when_they_are_to() {
    let (disk, store, frames) = filled();
    let segments = names(&disk, ".log");
    for leave in [segments.len() as u64, 2, 1, 0] {
        while store.index().pack_some(leave).expect("room") {}
        // The last, which is written to, stays whatever is left.
        let left = segments.len().min(leave as usize + 1);
        assert_eq!(names(&disk, ".log"), segments[segments.len() - left..], "{leave}");
    }
    check_store(&store, &frames);
}

#[test]
fn what_is_packed_leaves_when_it_is_forgotten() {
    let (disk, mut store, _) = filled();
    pack(&store);
    let first = names(&disk, ".packed")[0].clone();
    for round in 0..80u64 {
        let Tail { epoch, sequence } = store.tail(0);
        let rows = (0..6u64).map(|execution| (HISTORIES, execution.to_be_bytes().to_vec(), None)).collect();
        let payload = vec![7; 300];
        let frame = Scripted { shard: 0, epoch, sequence: sequence + 1, executions: vec![100 + round], rows, payload };
        append(&mut store, &[frame]).expect("room");
        store.index().catch_up().expect("an index");
        store.tend().expect("a store in order");
    }
    assert!(!names(&disk, ".packed").contains(&first), "{:?}", names(&disk, ".packed"));
    store.check().expect("an unharmed log");
    drop(store);
    open(&disk).expect("a store").check().expect("an unharmed log");
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_packed_segment_is_detected() {
    let (disk, store, frames) = filled();
    pack(&store);
    drop(store);
    let is_damage = |error: &StoreError| matches!(error, StoreError::Damaged { .. } | StoreError::Newer { .. });
    for name in names(&disk, ".packed") {
        let good = disk.bytes(&name);
        let flipped = (0..good.len() * 8).filter(|bit| *bit < 600 || bit % 7 == 0).map(|bit| {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            (format!("bit {bit} of {name}"), bad)
        });
        let cut = (0..good.len()).step_by(5).map(|length| (format!("{name} cut at {length}"), good[..length].to_vec()));
        for (what, bad) in flipped.chain(cut) {
            disk.set_bytes(&name, &bad);
            let everything = Options { check: Check::Everything, ..OPTIONS };
            let checked = EmbeddedStore::open_on(Arc::new(disk.copy(Random::new(1))), everything);
            assert!(checked.as_ref().is_err_and(is_damage), "{what}: {checked:?}");
            // Whoever reads it at last is told; the rest is as it was.
            match open(&disk.copy(Random::new(1))) {
                Err(error) => assert!(is_damage(&error), "{what}: {error}"),
                Ok(store) => assert!(frames_of(&store).as_ref().is_err_and(is_damage), "{what}"),
            }
        }
        disk.set_bytes(&name, &good);
    }
    assert_eq!(frames_of(&open(&disk).expect("a store")).expect("readable shards"), frames);
}

#[test]
fn a_packed_segment_without_what_came_after_it_is_a_loss() {
    let (disk, store, _) = filled();
    pack(&store);
    drop(store);
    disk.remove_file(&names(&disk, ".log")[0]);
    for has_index in [true, false] {
        if !has_index {
            disk.remove_file("index.redb");
        }
        let refused = open(&disk).expect_err("segments are missing");
        assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    }
    let packed = names(&disk, ".packed");
    disk.remove_file(&packed[1]);
    let refused = open(&disk).expect_err("segments are missing");
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
}

/// At any operation of the disk: what was written is there, packed or not, and the next life packs the rest.
#[test]
fn packing_that_fails_or_ends_anywhere_loses_nothing() {
    let mut seen = BTreeMap::new();
    for fault in [Fault::Dies, Fault::Fails, Fault::NoRoom] {
        for after in 1..60 {
            let (disk, store, frames) = filled();
            disk.plan(after, fault);
            let outcome = loop {
                match store.index().pack_some(0) {
                    Ok(true) => {}
                    Ok(false) => break "ended",
                    Err(StoreError::Poisoned { .. }) => break "poisoned",
                    Err(_) => break "failed",
                }
            };
            *seen.entry((fault as u8, outcome)).or_insert(0) += 1;
            if outcome == "ended" && !disk.has_died() {
                disk.forget_plan();
                check_store(&store, &frames);
                pack(&store);
            }
            drop(store);
            disk.restart_process();
            disk.lose_power();
            let store = open(&disk).unwrap_or_else(|error| panic!("{fault:?} after {after}: {error}"));
            check_store(&store, &frames);
            pack(&store);
            check_store(&store, &frames);
            assert_eq!(names(&disk, ".log").len(), 1, "{fault:?} after {after}");
            assert!(names(&disk, ".spare").len() <= 1);
        }
    }
    let kinds: Vec<&str> = seen.keys().map(|(_, outcome)| *outcome).collect();
    assert!(["ended", "poisoned", "failed"].iter().all(|kind| kinds.contains(kind)), "{seen:?}");
}
