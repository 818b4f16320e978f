//! What every store promises, written once. A store joins by a line at the end.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use stepwell_store::{
    ALL_KEYS, Append, EmbeddedStore, HISTORIES, Index, MemoryStore, Options, Order, Outcome, Row, Store, Tail,
};

use crate::scripted::{Scripted, append, check_store};
use stepwell_sim_disk::{Random, SimDisk};

/// Everything. `make` makes an empty store.
fn hold(make: &mut dyn FnMut() -> Box<dyn Store>) {
    an_empty_store_is_empty(&mut *make());
    frames_are_given_back_in_order(&mut *make());
    only_the_next_frame_is_appended(&mut *make());
    a_lower_epoch_writes_nothing(&mut *make());
    a_frame_sees_those_before_it_in_its_batch(&mut *make());
    shards_do_not_see_each_other(&mut *make());
    rows_are_found_by_key_and_range(&mut *make());
    bounds_that_cross_hold_nothing(&mut *make());
    histories_are_paged_both_ways(&mut *make());
    readers_see_what_was_appended_and_nothing_else(&mut *make());
    large_frames_are_frames(&mut *make());
    readers_of_other_threads_see_whole_batches(&mut *make());
    what_is_forgotten_is_no_history_any_more(&mut *make());
    chance_finds_no_difference_to_a_list(make);
}

/// A frame of execution 0: one of none need not be kept longer than its rows.
fn frame(sequence: u64, payload: &str) -> Scripted {
    let payload = payload.as_bytes().to_vec();
    Scripted { epoch: 1, sequence, executions: vec![0], payload, ..Scripted::default() }
}

fn appended(sequence: u64) -> Outcome {
    Outcome::Appended { sequence }
}

fn payloads(store: &dyn Store, shard: u32, after: u64) -> Vec<String> {
    let mut found = Vec::new();
    store
        .read_shard(shard, after, &mut |frame| {
            found.push(String::from_utf8_lossy(frame.payload).into_owned());
            ControlFlow::Continue(())
        })
        .expect("a readable shard");
    found
}

fn an_empty_store_is_empty(store: &mut dyn Store) {
    assert_eq!(store.tail(0), Tail::default());
    assert!(store.shards().is_empty());
    assert!(payloads(store, 0, 0).is_empty());
    let index = store.index();
    assert_eq!(index.get("t", b"k").expect("a get"), None);
    assert!(index.scan("t", ALL_KEYS, Order::Ascending, 10).expect("a scan").is_empty());
    assert!(index.history(0, 0, Order::Ascending, None, 10).expect("a history").is_empty());
    assert!(append(store, &[]).expect("no frames are a batch").is_empty());
}

fn frames_are_given_back_in_order(store: &mut dyn Store) {
    assert_eq!(append(store, &[frame(1, "a"), frame(2, "")]).expect("room"), [appended(1), appended(2)]);
    assert_eq!(append(store, &[frame(3, "c")]).expect("room"), [appended(3)]);
    assert_eq!(payloads(store, 0, 0), ["a", "", "c"]);
    assert_eq!(payloads(store, 0, 1), ["", "c"]);
    assert_eq!(store.tail(0), Tail { epoch: 1, sequence: 3 });
    let mut first = None;
    let stop_at_once = &mut |frame: &stepwell_store::Frame<'_>| {
        assert!(first.is_none(), "reading stops when it is told to");
        first = Some(frame.sequence);
        ControlFlow::Break(())
    };
    store.read_shard(0, 0, stop_at_once).expect("a readable shard");
    assert_eq!(first, Some(1));
}

fn only_the_next_frame_is_appended(store: &mut dyn Store) {
    let conflict = Outcome::Conflict(Tail::default());
    assert_eq!(append(store, &[frame(0, "x"), frame(2, "x"), frame(u64::MAX, "x")]).expect("room"), [conflict; 3]);
    append(store, &[frame(1, "a")]).expect("room");
    let conflict = Outcome::Conflict(Tail { epoch: 1, sequence: 1 });
    assert_eq!(append(store, &[frame(1, "again"), frame(3, "gap")]).expect("room"), [conflict; 2]);
    assert_eq!(payloads(store, 0, 0), ["a"]);
}

fn a_lower_epoch_writes_nothing(store: &mut dyn Store) {
    append(store, &[frame(1, "a")]).expect("room");
    append(store, &[Scripted { epoch: 5, ..frame(2, "new owner") }]).expect("room");
    let zombie = append(store, &[Scripted { epoch: 4, ..frame(3, "zombie") }]).expect("room");
    assert_eq!(zombie, [Outcome::Conflict(Tail { epoch: 5, sequence: 2 })]);
    assert_eq!(append(store, &[Scripted { epoch: 5, ..frame(3, "b") }]).expect("room"), [appended(3)]);
    assert_eq!(payloads(store, 0, 0), ["a", "new owner", "b"]);
}

fn a_frame_sees_those_before_it_in_its_batch(store: &mut dyn Store) {
    let batch = [
        frame(1, "a"),
        frame(1, "late"),
        frame(2, "b"),
        Scripted { epoch: 9, ..frame(3, "c") },
        frame(4, "zombie"),
        Scripted { epoch: 9, ..frame(4, "d") },
    ];
    let outcomes = append(store, &batch).expect("room");
    let conflict = |epoch, sequence| Outcome::Conflict(Tail { epoch, sequence });
    assert_eq!(outcomes, [appended(1), conflict(1, 1), appended(2), appended(3), conflict(9, 3), appended(4)]);
    assert_eq!(payloads(store, 0, 0), ["a", "b", "c", "d"]);
}

fn shards_do_not_see_each_other(store: &mut dyn Store) {
    let other = |sequence, payload| Scripted { shard: u32::MAX, executions: vec![1], ..frame(sequence, payload) };
    let own = |sequence, payload| Scripted { executions: vec![1], ..frame(sequence, payload) };
    append(store, &[own(1, "a"), other(1, "x"), own(2, "b"), other(2, "y")]).expect("room");
    assert_eq!(payloads(store, 0, 0), ["a", "b"]);
    assert_eq!(payloads(store, u32::MAX, 0), ["x", "y"]);
    assert_eq!(store.shards(), [0, u32::MAX]);
    let history = store.index().history(u32::MAX, 1, Order::Ascending, None, 10).expect("a history");
    let found: Vec<_> = history.iter().map(|kept| kept.frame().payload.to_vec()).collect();
    assert_eq!(found, [b"x", b"y"]);
}

/// Appends a frame that only changes rows.
fn put(store: &mut dyn Store, rows: &[Row<'_>]) {
    let Tail { epoch, sequence } = store.tail(0);
    let append = Append { shard: 0, epoch: epoch.max(1), sequence: sequence + 1, executions: &[], rows, payload: b"" };
    let mut outcomes = Vec::new();
    store.append_batch(&[append], &mut outcomes).expect("room");
    assert_eq!(outcomes, [appended(sequence + 1)]);
}

fn keys(index: &dyn Index, table: &str, keys: stepwell_store::Keys<'_>, order: Order, limit: usize) -> Vec<String> {
    let rows = index.scan(table, keys, order, limit).expect("a scan");
    rows.iter().map(|(key, value)| format!("{}={}", key.escape_ascii(), value.escape_ascii())).collect()
}

fn rows_are_found_by_key_and_range(store: &mut dyn Store) {
    let row = |key: &'static [u8], value: &'static [u8]| Row { table: "t", key, value: Some(value) };
    put(store, &[row(b"b", b"1"), row(b"a", b"2"), row(b"", b"empty"), row(b"c\0", b"4"), row(b"\xff\xff", b"5")]);
    put(
        store,
        &[Row { table: "s", key: b"z", value: Some(b"other") }, Row { table: "t2", key: b"a", value: Some(b"") }],
    );
    store.index().catch_up().expect("an index");
    // What is changed after that must win over what is on disk, and what is taken out must be gone.
    put(store, &[row(b"b", b"9"), Row { table: "t", key: b"a", value: None }, row(b"bb", b"6")]);
    put(store, &[row(b"bb", b"7"), Row { table: "t", key: b"none", value: None }]);
    let index = store.index();
    let check = |range, order, limit, expected: &[&str]| {
        assert_eq!(keys(&*index, "t", range, order, limit), expected, "{range:?} {order:?} {limit}");
    };
    for _ in 0..2 {
        check(ALL_KEYS, Order::Ascending, 9, &["=empty", "b=9", "bb=7", "c\\x00=4", "\\xff\\xff=5"]);
        check(ALL_KEYS, Order::Descending, 2, &["\\xff\\xff=5", "c\\x00=4"]);
        check((Bound::Excluded(b"b"), Bound::Excluded(b"c\0")), Order::Ascending, 9, &["bb=7"]);
        check((Bound::Included(b"b"), Bound::Included(b"c\0")), Order::Descending, 9, &["c\\x00=4", "bb=7", "b=9"]);
        check((Bound::Excluded(b"b"), Bound::Unbounded), Order::Ascending, 1, &["bb=7"]);
        check(ALL_KEYS, Order::Ascending, 0, &[]);
        assert_eq!(index.get("t", b"b").expect("a get").as_deref(), Some(&b"9"[..]));
        assert_eq!(index.get("t", b"a").expect("a get"), None);
        assert_eq!(index.get("t", b"").expect("a get").as_deref(), Some(&b"empty"[..]));
        assert_eq!(keys(&*index, "s", ALL_KEYS, Order::Ascending, 9), ["z=other"]);
        assert_eq!(keys(&*index, "t2", ALL_KEYS, Order::Descending, 9), ["a="]);
        index.catch_up().expect("an index");
    }
}

fn bounds_that_cross_hold_nothing(store: &mut dyn Store) {
    put(store, &[Row { table: "t", key: b"b", value: Some(b"1") }]);
    let index = store.index();
    for range in [
        (Bound::Included(&b"c"[..]), Bound::Included(&b"a"[..])),
        (Bound::Excluded(b"b"), Bound::Excluded(b"b")),
        (Bound::Included(b"b"), Bound::Excluded(b"b")),
        (Bound::Excluded(b"b"), Bound::Included(b"b")),
    ] {
        assert!(keys(&*index, "t", range, Order::Ascending, 9).is_empty(), "{range:?}");
    }
}

fn histories_are_paged_both_ways(store: &mut dyn Store) {
    let mut random = Random::new(7);
    for _ in 0..6 {
        let frames: Vec<Scripted> = (0..5u64)
            .map(|i| Scripted { executions: vec![i % 2, 5], ..frame(store.tail(0).sequence + 1 + i, "p") })
            .collect();
        append(store, &frames).expect("room");
        if random.once_in(2) {
            store.index().catch_up().expect("an index");
        }
    }
    let index = store.index();
    let numbers = |execution, order, past, limit| -> Vec<u64> {
        let page = index.history(0, execution, order, past, limit).expect("a history");
        page.iter().map(|kept| kept.frame().sequence).collect()
    };
    let all: Vec<u64> = (1..=30).collect();
    assert_eq!(numbers(5, Order::Ascending, None, 99), all);
    assert_eq!(numbers(5, Order::Ascending, Some(0), 3), [1, 2, 3]);
    for past in 0..=31u64 {
        let expected: Vec<u64> = all.iter().copied().filter(|&number| number > past).take(4).collect();
        assert_eq!(numbers(5, Order::Ascending, Some(past), 4), expected, "past {past}");
        let expected: Vec<u64> = all.iter().rev().copied().filter(|&number| number < past).take(4).collect();
        assert_eq!(numbers(5, Order::Descending, Some(past), 4), expected, "past {past}");
    }
    assert_eq!(numbers(5, Order::Descending, None, 2), [30, 29]);
    assert!(numbers(6, Order::Ascending, None, 9).is_empty());
    assert!(numbers(5, Order::Ascending, None, 0).is_empty());
}

fn readers_see_what_was_appended_and_nothing_else(store: &mut dyn Store) {
    let index: Arc<dyn Index> = store.index();
    let with_row =
        Scripted { executions: vec![3], rows: vec![("names", b"k".to_vec(), Some(b"v".to_vec()))], ..frame(1, "a") };
    let refused = Scripted {
        executions: vec![3],
        rows: vec![("names", b"refused".to_vec(), Some(b"v".to_vec()))],
        ..frame(9, "a")
    };
    append(store, &[refused, with_row]).expect("room");
    assert_eq!(index.get("names", b"k").expect("a get").as_deref(), Some(&b"v"[..]));
    assert_eq!(index.get("names", b"refused").expect("a get"), None);
    assert_eq!(index.history(0, 3, Order::Ascending, None, 9).expect("a history").len(), 1);
}

#[expect(clippy::disallowed_methods, reason = "readers are other threads")]
fn readers_of_other_threads_see_whole_batches(store: &mut dyn Store) {
    const BATCHES: u64 = 60;
    const FRAMES: u64 = 7;
    let (index, writing) = (store.index(), store.index());
    let read_until_the_end = || {
        let mut seen = 0;
        while seen < (BATCHES * FRAMES) as usize {
            let row = index.get("names", b"count").expect("a get");
            let count = row.map_or(0, |value| u64::from_le_bytes(value.try_into().expect("eight bytes")));
            let page = index.history(0, 1, Order::Ascending, None, usize::MAX).expect("a history");
            assert!(page.iter().map(|kept| kept.frame().sequence).eq(1..=page.len() as u64));
            assert!(page.len() >= seen && page.len() as u64 >= count, "what was seen stays");
            assert_eq!(page.len() as u64 % FRAMES, 0, "a batch is seen when all of it is durable");
            let last = index.history(0, 1, Order::Descending, None, 1).expect("a history");
            assert!(last.first().map_or(0, |kept| kept.frame().sequence) >= page.len() as u64);
            seen = page.len();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(read_until_the_end);
        scope.spawn(read_until_the_end);
        scope.spawn(|| (0..20).for_each(|_| writing.catch_up().expect("an index")));
        for batch in 0..BATCHES {
            let frames: Vec<Scripted> = (1..=FRAMES)
                .map(|place| batch * FRAMES + place)
                .map(|sequence| Scripted {
                    executions: vec![1],
                    rows: vec![("names", b"count".to_vec(), Some(sequence.to_le_bytes().to_vec()))],
                    ..frame(sequence, "p")
                })
                .collect();
            append(store, &frames).expect("room");
            store.tend().expect("a store in order");
        }
    });
}

/// Larger than a segment of the stores under test, and than what is read of a frame at first.
fn large_frames_are_frames(store: &mut dyn Store) {
    let large =
        |sequence, letter: u8| Scripted { executions: vec![1], payload: vec![letter; 300_000], ..frame(sequence, "") };
    append(store, &[frame(1, "small"), large(2, b'a'), large(3, b'b'), frame(4, "small")]).expect("room");
    append(store, &[large(5, b'c')]).expect("room");
    let lengths: Vec<usize> = payloads(store, 0, 0).iter().map(String::len).collect();
    assert_eq!(lengths, [5, 300_000, 300_000, 5, 300_000]);
    let history = store.index().history(0, 1, Order::Ascending, None, 9).expect("a history");
    assert!(history.iter().map(|kept| kept.frame().payload[0]).eq(*b"abc"));
}

fn chance_finds_no_difference_to_a_list(make: &mut dyn FnMut() -> Box<dyn Store>) {
    for seed in 0..20 {
        let mut store = make();
        let mut random = Random::new(seed);
        let shards_count = if seed % 2 == 0 { 1 } else { 3 };
        let mut shards: BTreeMap<u32, Vec<Scripted>> = BTreeMap::new();
        for _ in 0..30 {
            let mut tails: Vec<Tail> = (0..shards_count).map(|shard| store.tail(shard)).collect();
            let mut batch = Vec::new();
            for _ in 0..random.below(8) {
                let shard = random.below(shards_count as usize);
                let next = Scripted::next(tails[shard], shard as u32, 400, &mut random).forgetting(6, &mut random);
                tails[shard] = Tail { epoch: next.epoch, sequence: next.sequence };
                batch.push(next);
            }
            let outcomes = append(&mut *store, &batch).expect("room");
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Appended { .. })));
            for frame in batch {
                shards.entry(frame.shard).or_default().push(frame);
            }
            if random.once_in(4) {
                store.tend().expect("a store in order");
            }
            if random.once_in(8) {
                store.index().catch_up().expect("an index");
            }
        }
        check_store(&*store, &shards);
    }
}

fn what_is_forgotten_is_no_history_any_more(store: &mut dyn Store) {
    let of = |sequence, executions: &[u64], forgets: &[u64]| Scripted {
        executions: executions.to_vec(),
        rows: forgets.iter().map(|execution| (HISTORIES, execution.to_be_bytes().to_vec(), None)).collect(),
        ..frame(sequence, "p")
    };
    let numbers = |store: &dyn Store, execution| -> Vec<u64> {
        let page = store.index().history(0, execution, Order::Ascending, None, 9).expect("a history");
        page.iter().map(|kept| kept.frame().sequence).collect()
    };
    append(store, &[of(1, &[1, 2], &[]), of(2, &[1], &[]), of(3, &[2], &[])]).expect("room");
    store.index().catch_up().expect("an index");
    append(store, &[of(4, &[1, 2, 3], &[]), of(5, &[1], &[1, 9])]).expect("room");
    for _ in 0..2 {
        assert_eq!([1, 2, 3].map(|execution| numbers(store, execution)), [vec![], vec![1, 3, 4], vec![4]]);
        assert!(store.index().history(0, 1, Order::Descending, Some(9), 9).expect("a history").is_empty());
        store.index().catch_up().expect("an index");
    }
    // Its number may come again: as another execution.
    append(store, &[of(6, &[1], &[]), of(7, &[1], &[2])]).expect("room");
    // Of another shard it is another, too.
    append(store, &[Scripted { shard: 1, ..of(1, &[1], &[3]) }]).expect("room");
    for _ in 0..2 {
        assert_eq!([1, 2, 3].map(|execution| numbers(store, execution)), [vec![6, 7], vec![], vec![4]]);
        assert_eq!(store.tail(0), Tail { epoch: 1, sequence: 7 });
        store.index().catch_up().expect("an index");
    }
}

#[test]
fn the_store_in_memory_holds() {
    hold(&mut || Box::new(MemoryStore::new()));
}

#[test]
fn an_index_that_nobody_writes_down_is_written_at_last() {
    let disk = SimDisk::new(Random::new(1));
    let options = Options { segment_bytes: 1_000_000, ..Options::new(1) };
    let mut store = EmbeddedStore::open_on(Arc::new(disk.clone()), options).expect("a new store");
    let untouched = disk.bytes("index.redb");
    let batches = (0..).map(|batch| (batch * 1_000 + 1..=batch * 1_000 + 1_000).collect::<Vec<u64>>());
    let written_after = batches.take(200).position(|batch| {
        let frames: Vec<Scripted> =
            batch.iter().map(|&number| Scripted { executions: vec![number % 100], ..frame(number, "") }).collect();
        append(&mut store, &frames).expect("room");
        disk.bytes("index.redb") != untouched
    });
    // Four times as much as is worth it.
    assert_eq!(written_after, Some(132));
}

#[test]
fn the_embedded_store_holds_on_a_simulated_disk() {
    for segment_bytes in [256, 4_096, 100_000] {
        hold(&mut || {
            let options = Options { segment_bytes, ..Options::new(1) };
            Box::new(EmbeddedStore::open_on(Arc::new(SimDisk::new(Random::new(1))), options).expect("a new store"))
        });
    }
}

#[test]
fn an_index_says_when_it_is_worth_writing_down() {
    let disk = SimDisk::new(Random::new(1));
    let options = Options { segment_bytes: 200_000, ..Options::new(1) };
    let mut store = EmbeddedStore::open_on(Arc::new(disk.clone()), options).expect("a new store");
    let (mut sequence, mut written_after) = (0, None);
    while sequence < 40_000 {
        let frames: Vec<Scripted> = (1..=1_000)
            .map(|place| Scripted { executions: vec![place % 100], ..frame(sequence + place, "") })
            .collect();
        append(&mut store, &frames).expect("room");
        sequence += 1_000;
        store.tend().expect("a store in order");
        if store.index().is_behind() {
            store.index().catch_up().expect("an index");
            assert!(!store.index().is_behind());
            written_after.get_or_insert(sequence);
        }
    }
    assert_eq!(written_after, Some(33_000));
    let check = |store: &EmbeddedStore| {
        let found = store.index().history(0, 7, Order::Ascending, Some(32_000), 20).expect("a history");
        let numbers: Vec<u64> = found.iter().map(|kept| kept.frame().sequence).collect();
        assert_eq!(numbers, (0..20).map(|i| 32_007 + 100 * i).collect::<Vec<_>>());
    };
    check(&store);
    drop(store);
    // Made again from a log of many segments, it is written at their borders.
    disk.remove_file("index.redb");
    let store = EmbeddedStore::open_on(Arc::new(disk.clone()), options).expect("the store again");
    check(&store);
}
