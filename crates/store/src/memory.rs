//! A store that forgets when it is dropped. The plainest thing that keeps the promises of the port.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::error::StoreError;
use crate::frame::{Frame, HISTORIES, KeptFrame, body_bytes_max, put_body};
use crate::{Append, FRAME_BYTES_MAX, Index, KeyValue, Keys, Order, Outcome, Store, Tail};

/// A store in memory.
#[derive(Default)]
pub struct MemoryStore {
    kept: Arc<Memory>,
}

#[derive(Default)]
struct Memory(RwLock<Kept>);

#[derive(Default)]
struct Kept {
    shards: BTreeMap<u32, Shard>,
    /// By shard and execution: the numbers of its frames.
    histories: BTreeMap<(u32, u64), BTreeSet<u64>>,
    tables: BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>,
}

#[derive(Default)]
struct Shard {
    tail: Tail,
    /// By number, with how many executions remember it. One that all have forgotten is gone.
    frames: BTreeMap<u64, (usize, KeptFrame)>,
}

impl fmt::Debug for MemoryStore {
    /// Nothing of what is kept: it is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
}

impl Memory {
    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Kept> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn tail(&self, shard: u32) -> Tail {
        self.shards.get(&shard).map(|shard| shard.tail).unwrap_or_default()
    }

    fn append(&mut self, append: &Append<'_>) -> Outcome {
        let tail = self.tail(append.shard);
        let Some(next) = tail.followed_by(append.epoch, append.sequence) else { return Outcome::Conflict(tail) };
        if body_bytes_max(append) > FRAME_BYTES_MAX {
            return Outcome::TooLarge;
        }
        let mut body = Vec::new();
        put_body(append, &mut body);
        let shard = self.shards.entry(append.shard).or_default();
        shard.tail = next;
        let remembered = append.executions.len();
        if remembered > 0 {
            shard.frames.insert(append.sequence, (remembered, KeptFrame { shard: append.shard, tail: next, body }));
        }
        for &execution in append.executions {
            self.histories.entry((append.shard, execution)).or_default().insert(append.sequence);
        }
        for row in append.rows {
            let forgotten = row.key.try_into().ok().filter(|_| row.table == HISTORIES && row.value.is_none());
            if let Some(execution) = forgotten {
                self.forget(append.shard, u64::from_be_bytes(execution));
                continue;
            }
            let table = self.tables.entry(row.table.to_owned()).or_default();
            match row.value {
                Some(value) => table.insert(row.key.to_vec(), value.to_vec()),
                None => table.remove(row.key),
            };
        }
        Outcome::Appended { sequence: append.sequence }
    }
}

impl Kept {
    fn forget(&mut self, shard: u32, execution: u64) {
        let numbers = self.histories.remove(&(shard, execution)).unwrap_or_default();
        let Some(shard) = self.shards.get_mut(&shard) else { return };
        for number in numbers {
            let Some((remembered, _)) = shard.frames.get_mut(&number) else { continue };
            *remembered -= 1;
            if *remembered == 0 {
                shard.frames.remove(&number);
            }
        }
    }
}

impl Store for MemoryStore {
    fn append_batch(&mut self, batch: &[Append<'_>], outcomes: &mut Vec<Outcome>) -> Result<(), StoreError> {
        let mut kept = self.kept.write();
        outcomes.clear();
        outcomes.extend(batch.iter().map(|append| kept.append(append)));
        Ok(())
    }

    fn tail(&self, shard: u32) -> Tail {
        self.kept.read().tail(shard)
    }

    fn shards(&self) -> Vec<u32> {
        self.kept.read().shards.keys().copied().collect()
    }

    fn read_shard(
        &self,
        shard: u32,
        after: u64,
        each: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let kept = self.kept.read();
        let frames = kept.shards.get(&shard).into_iter().flat_map(|shard| &shard.frames);
        for (_, (_, frame)) in frames.filter(|(number, _)| **number > after) {
            if each(&frame.frame()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn index(&self) -> Arc<dyn Index> {
        self.kept.clone()
    }

    fn tend(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Index for Memory {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().tables.get(table).and_then(|table| table.get(key)).cloned())
    }

    fn scan(&self, table: &str, keys: Keys<'_>, order: Order, limit: usize) -> Result<Vec<KeyValue>, StoreError> {
        let is_empty = match keys {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        };
        let kept = self.read();
        let Some(table) = kept.tables.get(table).filter(|_| !is_empty) else { return Ok(Vec::new()) };
        let rows = table.range::<[u8], _>(keys).map(|(key, value)| (key.clone(), value.clone()));
        Ok(match order {
            Order::Ascending => rows.take(limit).collect(),
            Order::Descending => rows.rev().take(limit).collect(),
        })
    }

    fn history(
        &self,
        shard: u32,
        execution: u64,
        order: Order,
        past: Option<u64>,
        limit: usize,
    ) -> Result<Vec<KeptFrame>, StoreError> {
        let kept = self.read();
        let Some(numbers) = kept.histories.get(&(shard, execution)) else { return Ok(Vec::new()) };
        let Some(shard) = kept.shards.get(&shard) else { return Ok(Vec::new()) };
        let frame = |number: &u64| shard.frames.get(number).map(|(_, frame)| frame.clone());
        let past = past.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(match order {
            Order::Ascending => numbers.range((past, Bound::Unbounded)).take(limit).filter_map(frame).collect(),
            Order::Descending => numbers.range((Bound::Unbounded, past)).rev().take(limit).filter_map(frame).collect(),
        })
    }

    fn is_behind(&self) -> bool {
        false
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
