//! Rows of the services' tables: an object of JSON text whose first member says its format, and keys of numbers.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::Timestamp;
use stepwell_store::{Index, Order, RowChange, StoreError};

/// The member that says how a row is written.
const FORMAT: &str = "format";

/// The only format so far.
const KNOWN: u64 = 1;

/// Rows read at once: a hundred thousand rows are a hundred reads.
const PAGE_ROWS: usize = 1_000;

/// Why what was kept could not be read.
#[derive(Debug)]
pub enum KeptError {
    /// The store failed.
    Store(StoreError),
    /// A row that this version does not understand.
    Row {
        /// The table.
        table: &'static str,
        /// The row's key, printable.
        key: String,
        /// What is wrong.
        what: String,
    },
}

impl From<StoreError> for KeptError {
    fn from(error: StoreError) -> KeptError {
        KeptError::Store(error)
    }
}

impl fmt::Display for KeptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeptError::Store(error) => error.fmt(f),
            KeptError::Row { table, key, what } => write!(f, "row {key} of table {table} cannot be read: {what}"),
        }
    }
}

impl std::error::Error for KeptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            KeptError::Store(error) => Some(error),
            KeptError::Row { .. } => None,
        }
    }
}

/// Writes a row. What is absent is left out.
pub(crate) struct RowWriter(ObjectBuilder);

impl RowWriter {
    pub(crate) fn new() -> RowWriter {
        RowWriter(ObjectBuilder::new()).number(FORMAT, KNOWN)
    }

    pub(crate) fn text(self, name: &'static str, text: &Arc<str>) -> RowWriter {
        self.json(name, Json::String(text.clone()))
    }

    pub(crate) fn text_if_any(self, name: &'static str, text: Option<&Arc<str>>) -> RowWriter {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    pub(crate) fn number(self, name: &'static str, number: u64) -> RowWriter {
        self.json(name, Json::from(number))
    }

    pub(crate) fn time(self, name: &'static str, time: Timestamp) -> RowWriter {
        self.json(name, Json::from(time.0))
    }

    pub(crate) fn time_if_any(self, name: &'static str, time: Option<Timestamp>) -> RowWriter {
        match time {
            Some(time) => self.time(name, time),
            None => self,
        }
    }

    pub(crate) fn flag(self, name: &'static str, flag: bool) -> RowWriter {
        if flag { self.json(name, Json::Bool(true)) } else { self }
    }

    pub(crate) fn json(mut self, name: &'static str, value: Json) -> RowWriter {
        self.0.insert(name, value);
        self
    }

    pub(crate) fn change(self, table: &'static str, key: Vec<u8>) -> RowChange {
        RowChange { table, key, value: Some(Json::Object(self.0.build()).to_string().into_bytes()) }
    }
}

/// The removal of a row.
pub(crate) fn removal(table: &'static str, key: Vec<u8>) -> RowChange {
    RowChange { table, key, value: None }
}

/// Numbers as a key: in the order of the numbers.
pub(crate) fn key<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Reads a row.
pub(crate) struct RowReader<'a> {
    table: &'static str,
    key: &'a [u8],
    members: Json,
}

impl RowReader<'_> {
    pub(crate) fn broken(&self, what: impl Into<String>) -> KeptError {
        KeptError::Row { table: self.table, key: self.key.escape_ascii().to_string(), what: what.into() }
    }

    /// The numbers the key begins with.
    pub(crate) fn key_numbers<const N: usize>(&self) -> Result<[u64; N], KeptError> {
        let mut numbers = [0; N];
        let chunks = self.key.as_chunks::<8>().0;
        if chunks.len() < N {
            return Err(self.broken(format!("its key has {} bytes", self.key.len())));
        }
        for (number, bytes) in numbers.iter_mut().zip(chunks) {
            *number = u64::from_be_bytes(*bytes);
        }
        Ok(numbers)
    }

    /// The key's bytes after so many numbers.
    pub(crate) fn key_rest(&self, numbers: usize) -> &[u8] {
        self.key.get(numbers * 8..).unwrap_or_default()
    }

    pub(crate) fn json(&self, name: &str) -> Result<Json, KeptError> {
        self.members.get(name).cloned().ok_or_else(|| self.broken(format!("it has no `{name}`")))
    }

    pub(crate) fn text(&self, name: &str) -> Result<Arc<str>, KeptError> {
        self.text_if_any(name)?.ok_or_else(|| self.broken(format!("it has no `{name}`")))
    }

    pub(crate) fn text_if_any(&self, name: &str) -> Result<Option<Arc<str>>, KeptError> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.broken(format!("its `{name}` is not text"))),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64, KeptError> {
        let number = self.members.get(name).and_then(Json::as_i64).and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| self.broken(format!("it has no number `{name}`")))
    }

    pub(crate) fn number_if_any(&self, name: &str) -> Result<Option<u64>, KeptError> {
        self.members.get(name).map(|_| self.number(name)).transpose()
    }

    pub(crate) fn time(&self, name: &str) -> Result<Timestamp, KeptError> {
        self.time_if_any(name)?.ok_or_else(|| self.broken(format!("it has no time `{name}`")))
    }

    pub(crate) fn time_if_any(&self, name: &str) -> Result<Option<Timestamp>, KeptError> {
        match self.members.get(name) {
            None => Ok(None),
            Some(ms) => match ms.as_i64() {
                Some(ms) => Ok(Some(Timestamp(ms))),
                None => Err(self.broken(format!("its `{name}` is no time"))),
            },
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, KeptError> {
        match self.members.get(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.broken(format!("its `{name}` is not true or false"))),
        }
    }

    /// The texts of a list.
    pub(crate) fn texts<L: FromIterator<Arc<str>>>(&self, name: &str) -> Result<L, KeptError> {
        let value = self.json(name)?;
        let Some(items) = value.as_array() else { return Err(self.broken(format!("its `{name}` is no list"))) };
        let read = |item: &Json| match item {
            Json::String(text) => Ok(text.clone()),
            _ => Err(self.broken(format!("an item of its `{name}` is not text"))),
        };
        items.iter().map(read).collect()
    }

    /// The texts of an object, in the order of their names.
    pub(crate) fn text_map<M: FromIterator<(Arc<str>, Arc<str>)>>(&self, name: &str) -> Result<M, KeptError> {
        let value = self.json(name)?;
        let Some(object) = value.as_object() else { return Err(self.broken(format!("its `{name}` is no object"))) };
        let read = |(key, value): (&Arc<str>, &Json)| match value {
            Json::String(text) => Ok((key.clone(), text.clone())),
            _ => Err(self.broken(format!("a member of its `{name}` is not text"))),
        };
        object.iter().map(read).collect()
    }
}

/// Gives every row of a table in the order of the keys.
pub(crate) fn each_row(
    index: &dyn Index,
    table: &'static str,
    mut each: impl FnMut(&RowReader<'_>) -> Result<(), KeptError>,
) -> Result<(), KeptError> {
    let mut past: Option<Vec<u8>> = None;
    loop {
        let from = past.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = index.scan(table, (from, Bound::Unbounded), Order::Ascending, PAGE_ROWS)?;
        for (key, value) in &rows {
            each(&opened(table, key, value)?)?;
        }
        match rows.into_iter().next_back() {
            Some((key, _)) => past = Some(key),
            None => return Ok(()),
        }
    }
}

fn opened<'a>(table: &'static str, key: &'a [u8], value: &[u8]) -> Result<RowReader<'a>, KeptError> {
    let mut row = RowReader { table, key, members: Json::Null };
    let text = std::str::from_utf8(value).map_err(|error| row.broken(error.to_string()))?;
    row.members = Json::reread(text).map_err(|error| row.broken(error.to_string()))?;
    match row.number(FORMAT)? {
        KNOWN => Ok(row),
        found => Err(row.broken(format!("it has format {found}; this version knows format {KNOWN}"))),
    }
}
