//! Things of one kind that are kept: in the order of their keys, each a row of one table.
//!
//! Knows what was touched since rows were written. Does not know what a thing is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use stepwell_store::{Index, RowChange};

use crate::rows::{KeptError, RowReader, RowWriter, each_row, removal};

/// What can stand on a shelf.
pub(crate) trait Kept: Sized {
    /// Its rows' table.
    const TABLE: &'static str;

    fn write(&self, row: RowWriter) -> RowWriter;

    fn read(row: &RowReader<'_>) -> Result<Self, KeptError>;
}

/// Things by key.
pub(crate) struct Shelf<T> {
    things: BTreeMap<Arc<str>, T>,
    touched: BTreeSet<Arc<str>>,
}

impl<T: Kept> Shelf<T> {
    /// Everything that was kept.
    pub(crate) fn open(index: &dyn Index) -> Result<Shelf<T>, KeptError> {
        let mut things = BTreeMap::new();
        each_row(index, T::TABLE, |row| {
            let key = std::str::from_utf8(row.key_rest(0)).map_err(|error| row.broken(error.to_string()))?;
            things.insert(key.into(), T::read(row)?);
            Ok(())
        })?;
        Ok(Shelf { things, touched: BTreeSet::new() })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.things.get(key)
    }

    /// A thing that may change: it is written at the end of the input.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        let (key, _) = self.things.get_key_value(key)?;
        self.touched.insert(key.clone());
        self.things.get_mut(&key.clone())
    }

    /// Gives things what is kept of them elsewhere. Touches none.
    pub(crate) fn adopt(&mut self, mut give: impl FnMut(&Arc<str>, &mut T)) {
        self.things.iter_mut().for_each(|(key, thing)| give(key, thing));
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.things.contains_key(key)
    }

    pub(crate) fn insert(&mut self, key: impl Into<Arc<str>>, thing: T) {
        let key = key.into();
        self.touched.insert(key.clone());
        self.things.insert(key, thing);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let (key, thing) = self.things.remove_entry(key)?;
        self.touched.insert(key);
        Some(thing)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &T)> {
        self.things.iter()
    }

    /// Things whose keys begin so, in order.
    pub(crate) fn below(&self, prefix: String) -> impl Iterator<Item = (&Arc<str>, &T)> {
        let from: (Bound<&str>, Bound<&str>) = (Bound::Included(&prefix), Bound::Unbounded);
        self.things.range::<str, _>(from).take_while(move |(key, _)| key.starts_with(&prefix))
    }

    /// Writes down what changed since the last time.
    pub(crate) fn write_rows(&mut self, rows: &mut Vec<RowChange>) {
        for key in std::mem::take(&mut self.touched) {
            let bytes = key.as_bytes().to_vec();
            rows.push(match self.things.get(&key) {
                Some(thing) => thing.write(RowWriter::new()).change(T::TABLE, bytes),
                None => removal(T::TABLE, bytes),
            });
        }
    }
}
