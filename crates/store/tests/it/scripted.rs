//! Frames made up by chance, and what a store that was given them must answer.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use stepwell_store::{ALL_KEYS, Append, HISTORIES, Index, KeptFrame, Order, Outcome, Row, Store, StoreError, Tail};

use stepwell_sim_disk::Random;

/// A frame with everything in it its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scripted {
    pub(crate) shard: u32,
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    pub(crate) executions: Vec<u64>,
    pub(crate) rows: Vec<ScriptedRow>,
    pub(crate) payload: Vec<u8>,
}

/// Table, key, value.
pub(crate) type ScriptedRow = (&'static str, Vec<u8>, Option<Vec<u8>>);

pub(crate) const TABLES: [&str; 2] = ["machines", "names"];

impl Scripted {
    /// The next frame of a shard.
    pub(crate) fn next(tail: Tail, shard: u32, bytes_max: usize, random: &mut Random) -> Scripted {
        let epoch = if random.once_in(20) { tail.epoch + 1 } else { tail.epoch.max(1) };
        let mut executions: Vec<u64> = (0..random.below(3)).map(|_| random.below(6) as u64).collect();
        executions.sort_unstable();
        executions.dedup();
        let rows = (0..random.below(3)).map(|_| {
            let key = vec![random.below(3) as u8, random.below(3) as u8];
            let value = (!random.once_in(4)).then(|| random.draw().to_le_bytes()[..random.below(9)].to_vec());
            (TABLES[random.below(2)], key, value)
        });
        let rows = rows.collect();
        // Never 512 zeroes in a row: a missing sector would be hard to tell from them.
        let payload = (0..random.below(bytes_max)).map(|_| random.draw() as u8 | 1).collect();
        Scripted { shard, epoch, sequence: tail.sequence + 1, executions, rows, payload }
    }

    /// The same, which once in `times` forgets an execution beside.
    pub(crate) fn forgetting(mut self, times: usize, random: &mut Random) -> Scripted {
        if random.once_in(times) {
            self.rows.push((HISTORIES, (random.below(6) as u64).to_be_bytes().to_vec(), None));
        }
        self
    }

    /// The executions it forgets.
    fn forgotten(&self) -> impl Iterator<Item = u64> {
        let rows = self.rows.iter().filter(|(table, _, _)| *table == HISTORIES);
        rows.map(|(_, key, _)| u64::from_be_bytes(key[..].try_into().expect("eight bytes")))
    }

    /// Whether this is what may be left of a frame.
    fn is_left_of(&self, whole: &Scripted) -> bool {
        let Scripted { shard, epoch, sequence, executions, rows, payload } = self;
        (*shard, *epoch, *sequence) == (whole.shard, whole.epoch, whole.sequence)
            && executions.iter().all(|execution| whole.executions.contains(execution))
            && rows.iter().all(|row| whole.rows.contains(row))
            && (*payload == whole.payload || executions.is_empty() && payload.is_empty())
    }

    pub(crate) fn rows(&self) -> Vec<Row<'_>> {
        let rows = self.rows.iter();
        rows.map(|(table, key, value)| Row { table, key, value: value.as_deref() }).collect()
    }

    /// The frame that was kept, as one of these.
    pub(crate) fn of(frame: &stepwell_store::Frame<'_>) -> Scripted {
        let tables = || TABLES.into_iter().chain([HISTORIES]);
        let table = |name: &str| tables().find(|table| *table == name).expect("a table of ours");
        Scripted {
            shard: frame.shard,
            epoch: frame.epoch,
            sequence: frame.sequence,
            executions: frame.executions().collect(),
            rows: frame.rows().map(|row| (table(row.table), row.key.to_vec(), row.value.map(<[u8]>::to_vec))).collect(),
            payload: frame.payload.to_vec(),
        }
    }
}

/// Appends frames as one batch.
pub(crate) fn append(store: &mut dyn Store, frames: &[Scripted]) -> Result<Vec<Outcome>, StoreError> {
    let rows: Vec<Vec<Row<'_>>> = frames.iter().map(Scripted::rows).collect();
    let batch: Vec<Append<'_>> = frames
        .iter()
        .zip(&rows)
        .map(|(frame, rows)| Append {
            shard: frame.shard,
            epoch: frame.epoch,
            sequence: frame.sequence,
            executions: &frame.executions,
            rows,
            payload: &frame.payload,
        })
        .collect();
    let mut outcomes = Vec::new();
    store.append_batch(&batch, &mut outcomes)?;
    assert_eq!(outcomes.len(), frames.len());
    Ok(outcomes)
}

/// All frames of a store, by shard, in order.
pub(crate) fn frames_of(store: &dyn Store) -> Result<BTreeMap<u32, Vec<Scripted>>, StoreError> {
    let mut shards = BTreeMap::new();
    for shard in store.shards() {
        let mut frames = Vec::new();
        store.read_shard(shard, 0, &mut |frame| {
            frames.push(Scripted::of(frame));
            ControlFlow::Continue(())
        })?;
        let last = frames.last().map(|frame| Tail { epoch: frame.epoch, sequence: frame.sequence });
        assert_eq!(last, Some(store.tail(shard)));
        assert!(frames.iter().map(|frame| frame.sequence).eq(1..=frames.len() as u64));
        shards.insert(shard, frames);
    }
    Ok(shards)
}

/// Checks all that a store must still have of these frames, which are all that were kept.
pub(crate) fn check_store(store: &dyn Store, shards: &BTreeMap<u32, Vec<Scripted>>) {
    assert!(store.shards().into_iter().eq(shards.keys().copied()));
    for (&shard, frames) in shards {
        let last = frames.last().map(|frame| Tail { epoch: frame.epoch, sequence: frame.sequence });
        assert_eq!(Some(store.tail(shard)), last, "shard {shard}");
        let mut found: BTreeMap<u64, Vec<Scripted>> = BTreeMap::new();
        let each = &mut |frame: &stepwell_store::Frame<'_>| {
            found.entry(frame.sequence).or_default().push(Scripted::of(frame));
            ControlFlow::Continue(())
        };
        store.read_shard(shard, 0, each).expect("a readable shard");
        for (&sequence, copies) in &found {
            assert!(copies.iter().all(|copy| copy.is_left_of(&frames[sequence as usize - 1])), "{copies:?}");
        }
        for (&execution, numbers) in &histories(frames) {
            let is_found = |number: &u64| {
                let copies = found.get(number).map(Vec::as_slice).unwrap_or_default();
                copies.iter().any(|copy| copy.executions.contains(&execution))
            };
            assert!(numbers.iter().all(is_found), "shard {shard}, execution {execution}: a frame is gone");
        }
    }
    check_index(&*store.index(), shards);
}

/// The numbers of the frames that each execution is remembered by.
fn histories(frames: &[Scripted]) -> BTreeMap<u64, Vec<u64>> {
    let mut histories: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for frame in frames {
        for &execution in &frame.executions {
            histories.entry(execution).or_default().push(frame.sequence);
        }
        for execution in frame.forgotten() {
            histories.remove(&execution);
        }
    }
    histories
}

/// Checks everything that can be found otherwise than by position against the frames in the order they were kept.
///
/// Rows are of the shards together, so the frames must come in the log's order; shards whose rows clash are not used.
pub(crate) fn check_index(index: &dyn Index, shards: &BTreeMap<u32, Vec<Scripted>>) {
    let mut tables: BTreeMap<(&str, Vec<u8>), Vec<u8>> = BTreeMap::new();
    for (&shard, frames) in shards {
        let mut histories = histories(frames);
        for frame in frames {
            for (table, key, value) in &frame.rows {
                match value {
                    Some(value) => tables.insert((table, key.clone()), value.clone()),
                    None => tables.remove(&(*table, key.clone())),
                };
            }
        }
        for execution in 0..7 {
            let expected = histories.remove(&execution).unwrap_or_default();
            check_history(index, shard, execution, &expected, frames);
        }
    }
    if shards.len() > 1 {
        return;
    }
    for table in TABLES {
        let expected = tables.iter().filter(|((name, _), _)| *name == table);
        let expected: Vec<_> = expected.map(|((_, key), value)| (key.clone(), value.clone())).collect();
        for (key, value) in &expected {
            assert_eq!(index.get(table, key).expect("a get").as_ref(), Some(value));
        }
        let found = index.scan(table, ALL_KEYS, Order::Ascending, usize::MAX).expect("a scan");
        assert_eq!(found, expected, "{table}");
    }
}

fn check_history(index: &dyn Index, shard: u32, execution: u64, expected: &[u64], frames: &[Scripted]) {
    let as_scripted = |kept: &KeptFrame| Scripted::of(&kept.frame());
    for (order, limit) in [(Order::Ascending, 2), (Order::Descending, 3), (Order::Ascending, usize::MAX)] {
        let (mut found, mut past) = (Vec::new(), None);
        loop {
            let page = index.history(shard, execution, order, past, limit).expect("a history");
            let Some(last) = page.last() else { break };
            past = Some(last.frame().sequence);
            found.extend(page.iter().map(as_scripted));
            assert!(found.len() <= expected.len(), "{order:?} {execution}: pages without end");
        }
        if order == Order::Descending {
            found.reverse();
        }
        let numbers: Vec<u64> = found.iter().map(|frame| frame.sequence).collect();
        assert_eq!(numbers, expected, "shard {shard}, execution {execution}, {order:?}");
        for frame in &found {
            let whole = &frames[frame.sequence as usize - 1];
            assert!(frame.is_left_of(whole) && frame.executions.contains(&execution), "{frame:?} of {whole:?}");
        }
    }
}
