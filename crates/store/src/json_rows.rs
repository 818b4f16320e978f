//! Rows whose values are JSON text: how one is written, and read again.
//!
//! Owns the frame every row has — an object whose first member says its format — and what is told of one that cannot be
//! read. Which tables there are, and what a row of theirs holds, is their owners' affair.

use std::fmt;
use std::ops::Bound;

use stepwell_json::{Json, Number, ObjectBuilder};
use stepwell_spec::shapes::Structure;
use stepwell_spec::{Text, Timestamp};

use crate::{Index, Order, RowChange, StoreError};

/// The member that says how a row is written.
const FORMAT: &str = "format";

/// Rows read at once: a few hundred kilobytes, and a hundred thousand rows are a hundred reads.
const PAGE_ROWS: usize = 1_000;

/// Why rows could not be read. The key is text where it is printable, hexadecimal otherwise.
#[derive(Debug)]
pub enum RowError {
    /// The store failed.
    Store(StoreError),
    /// Written by a newer version of this program.
    Newer {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
        /// The row's format.
        found: u64,
        /// The newest format known here.
        known: u64,
    },
    /// Not what this program writes.
    Broken {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
        /// What is wrong.
        what: String,
    },
}

impl From<StoreError> for RowError {
    fn from(error: StoreError) -> RowError {
        RowError::Store(error)
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RowError::Store(error) => error.fmt(f),
            RowError::Newer { table, key, found, known } => write!(
                f,
                "row {key} of table {table} has format {found}, written by a newer version; this one knows formats up to \
                 {known}"
            ),
            RowError::Broken { table, key, what } => write!(f, "row {key} of table {table} cannot be read: {what}"),
        }
    }
}

impl std::error::Error for RowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RowError::Store(error) => Some(error),
            RowError::Newer { .. } | RowError::Broken { .. } => None,
        }
    }
}

/// Gives every row of a table in the order of the keys. Its format must be one of those up to `known`.
pub fn each_row(
    index: &dyn Index,
    table: &'static str,
    known: u64,
    mut each: impl FnMut(&RowReader<'_>) -> Result<(), RowError>,
) -> Result<(), RowError> {
    let mut past: Option<Vec<u8>> = None;
    loop {
        let from = past.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = index.scan(table, (from, Bound::Unbounded), Order::Ascending, PAGE_ROWS)?;
        for (key, value) in &rows {
            each(&RowReader::open(table, key, value, known)?)?;
        }
        match rows.into_iter().next_back() {
            Some((key, _)) => past = Some(key),
            None => return Ok(()),
        }
    }
}

/// Writes a row, or an object inside of one: members that are not there are left out.
pub struct RowWriter(ObjectBuilder);

impl fmt::Debug for RowWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowWriter").field("members", &self.0.len()).finish()
    }
}

impl RowWriter {
    /// A row of this format.
    pub fn row(format: u64) -> RowWriter {
        RowWriter::inner().number(FORMAT, format)
    }

    /// An object inside of a row.
    pub fn inner() -> RowWriter {
        RowWriter(ObjectBuilder::new())
    }

    /// A text.
    pub fn text(self, name: &'static str, text: &Text) -> RowWriter {
        self.json(name, Json::String(text.clone()))
    }

    /// A text that may be absent.
    pub fn text_if_any(self, name: &'static str, text: Option<&Text>) -> RowWriter {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// A number.
    pub fn number(self, name: &'static str, number: u64) -> RowWriter {
        self.json(name, Json::Number(Number::from(number)))
    }

    /// Written when it is set.
    pub fn flag(self, name: &'static str, flag: bool) -> RowWriter {
        if flag { self.json(name, Json::Bool(true)) } else { self }
    }

    /// In whole milliseconds.
    pub fn time(self, name: &'static str, time: Timestamp) -> RowWriter {
        self.json(name, Json::from(time.0))
    }

    /// A time that may be absent.
    pub fn time_if_any(self, name: &'static str, time: Option<Timestamp>) -> RowWriter {
        match time {
            Some(time) => self.time(name, time),
            None => self,
        }
    }

    /// A structure that may be absent.
    pub fn structure<S: Structure>(self, name: &'static str, structure: Option<&S>) -> RowWriter {
        match structure {
            Some(structure) => self.json(name, structure.to_json()),
            None => self,
        }
    }

    /// Structures, in order.
    pub fn structures<S: Structure>(self, name: &'static str, structures: &[S]) -> RowWriter {
        self.json(name, Json::array(structures.iter().map(S::to_json).collect()))
    }

    /// Objects, in order.
    pub fn list(self, name: &'static str, items: impl Iterator<Item = RowWriter>) -> RowWriter {
        self.json(name, Json::array(items.map(|item| Json::Object(item.0.build())).collect()))
    }

    /// The row's value.
    pub fn into_bytes(self) -> Vec<u8> {
        Json::Object(self.0.build()).to_string().into_bytes()
    }

    /// The row under this key.
    pub fn change(self, table: &'static str, key: Vec<u8>) -> RowChange {
        RowChange { table, key, value: Some(self.into_bytes()) }
    }

    /// Any value.
    pub fn json(mut self, name: &'static str, value: Json) -> RowWriter {
        self.0.insert(name, value);
        self
    }
}

/// Reads a row, or an object inside of one.
#[derive(Debug)]
pub struct RowReader<'a> {
    table: &'static str,
    key: &'a [u8],
    members: Json,
}

impl<'a> RowReader<'a> {
    /// The row of this value, whose format must be one of those up to `known`.
    pub fn open(table: &'static str, key: &'a [u8], value: &[u8], known: u64) -> Result<RowReader<'a>, RowError> {
        let broken = |what: String| RowError::Broken { table, key: shown(key), what };
        let text = std::str::from_utf8(value).map_err(|error| broken(error.to_string()))?;
        let members = Json::reread(text).map_err(|error| broken(error.to_string()))?;
        let row = RowReader { table, key, members };
        match row.number(FORMAT)? {
            0 => Err(row.broken("there is no format 0")),
            found if found > known => Err(RowError::Newer { table, key: shown(key), found, known }),
            _ => Ok(row),
        }
    }

    /// What is told of this row when it makes no sense.
    pub fn broken(&self, what: impl Into<String>) -> RowError {
        RowError::Broken { table: self.table, key: shown(self.key), what: what.into() }
    }

    /// The key, or that of the row this is inside of.
    pub fn key(&self) -> &'a [u8] {
        self.key
    }

    /// The numbers of eight bytes the key begins with.
    pub fn key_numbers<const N: usize>(&self) -> Result<[u64; N], RowError> {
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
    pub fn key_rest(&self, numbers: usize) -> &'a [u8] {
        self.key.get(numbers * 8..).unwrap_or_default()
    }

    /// Any value.
    pub fn json(&self, name: &str) -> Result<Json, RowError> {
        self.members.get(name).cloned().ok_or_else(|| self.broken(format!("it has no `{name}`")))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Text, RowError> {
        self.text_if_any(name)?.ok_or_else(|| self.broken(format!("it has no `{name}`")))
    }

    /// A text that may be absent.
    pub fn text_if_any(&self, name: &str) -> Result<Option<Text>, RowError> {
        match self.members.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.broken(format!("its `{name}` is not text"))),
        }
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<u64, RowError> {
        let number = self.members.get(name).and_then(Json::as_i64).and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| self.broken(format!("it has no number `{name}`")))
    }

    /// Set or not; one that is not there is not set.
    pub fn flag(&self, name: &str) -> Result<bool, RowError> {
        match self.members.get(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.broken(format!("its `{name}` is not true or false"))),
        }
    }

    /// A number that may be absent.
    pub fn number_if_any(&self, name: &str) -> Result<Option<u64>, RowError> {
        self.members.get(name).map(|_| self.number(name)).transpose()
    }

    /// A time.
    pub fn time(&self, name: &str) -> Result<Timestamp, RowError> {
        let ms = self.members.get(name).and_then(Json::as_i64);
        ms.map(Timestamp).ok_or_else(|| self.broken(format!("it has no time `{name}`")))
    }

    /// A time that may be absent.
    pub fn time_if_any(&self, name: &str) -> Result<Option<Timestamp>, RowError> {
        self.members.get(name).map(|_| self.time(name)).transpose()
    }

    /// The texts of a list.
    pub fn texts<L: FromIterator<Text>>(&self, name: &str) -> Result<L, RowError> {
        let read = |item: &Json| match item {
            Json::String(text) => Ok(text.clone()),
            _ => Err(self.broken(format!("an item of its `{name}` is not text"))),
        };
        self.items(name)?.iter().map(read).collect()
    }

    /// The texts of an object, in the order of their names.
    pub fn text_map<M: FromIterator<(Text, Text)>>(&self, name: &str) -> Result<M, RowError> {
        let value = self.json(name)?;
        let Some(object) = value.as_object() else { return Err(self.broken(format!("its `{name}` is no object"))) };
        let read = |(key, value): (&Text, &Json)| match value {
            Json::String(text) => Ok((key.clone(), text.clone())),
            _ => Err(self.broken(format!("a member of its `{name}` is not text"))),
        };
        object.iter().map(read).collect()
    }

    /// A structure that may be absent.
    pub fn structure<S: Structure>(&self, name: &str) -> Result<Option<S>, RowError> {
        let read = |json| S::from_json(json).ok_or_else(|| self.broken(format!("its `{name}` cannot be read")));
        self.members.get(name).map(read).transpose()
    }

    /// Structures, in order.
    pub fn structures<S: Structure>(&self, name: &str) -> Result<Vec<S>, RowError> {
        let read = |json| S::from_json(json).ok_or_else(|| self.broken(format!("an item of `{name}` cannot be read")));
        self.items(name)?.iter().map(read).collect()
    }

    /// The objects of a list.
    pub fn list(&self, name: &str) -> Result<Vec<RowReader<'a>>, RowError> {
        let item = |json: &Json| RowReader { table: self.table, key: self.key, members: json.clone() };
        Ok(self.items(name)?.iter().map(item).collect())
    }

    fn items(&self, name: &str) -> Result<&[Json], RowError> {
        let items = self.members.get(name).and_then(Json::as_array);
        items.map(|items| &**items).ok_or_else(|| self.broken(format!("it has no list `{name}`")))
    }
}

/// A key for people: text where all of it is printable, hexadecimal otherwise.
fn shown(key: &[u8]) -> String {
    match std::str::from_utf8(key) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => format!("{text:?}"),
        _ => key.iter().fold("0x".to_owned(), |shown, byte| shown + &format!("{byte:02x}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Append, MemoryStore, Row, Store};

    #[test]
    fn rows_are_read_as_they_were_written() {
        let text = Text::from("é\u{1}\"\\");
        let inner = RowWriter::inner().number("n", u64::from(u32::MAX));
        let value = RowWriter::row(1)
            .text("text", &text)
            .text_if_any("none", None)
            .flag("set", true)
            .flag("unset", false)
            .time("time", Timestamp(-1))
            .list("list", [inner].into_iter())
            .into_bytes();
        assert_eq!(
            String::from_utf8(value.clone()).as_deref(),
            Ok("{\"format\":1,\"text\":\"é\\u0001\\\"\\\\\",\"set\":true,\"time\":-1,\"list\":[{\"n\":4294967295}]}")
        );
        let row = RowReader::open("t", b"key", &value, 1).expect("a row");
        assert_eq!(row.text("text").ok(), Some(text));
        assert_eq!(row.text_if_any("none").ok(), Some(None));
        assert_eq!(
            (row.flag("set").ok(), row.flag("unset").ok(), row.flag("text").ok()),
            (Some(true), Some(false), None)
        );
        assert_eq!(row.time("time").ok(), Some(Timestamp(-1)));
        let list = row.list("list").expect("a list");
        assert_eq!(list.iter().map(|item| item.number("n").ok()).collect::<Vec<_>>(), [Some(4_294_967_295)]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_table_and_key() {
        let check = |key: &[u8], value: &str, expected: &str| {
            let told = RowReader::open("things", key, value.as_bytes(), 1).and_then(|row| {
                row.text("name")?;
                row.time("made")?;
                row.list("parts").map(drop)
            });
            assert_eq!(told.map_err(|error| error.to_string()), Err(expected.to_owned()));
        };
        check(
            b"arn:x",
            r#"{"format":2}"#,
            "row \"arn:x\" of table things has format 2, written by a newer version; this one knows formats up to 1",
        );
        let broken = |what: &str| format!("row \"k\" of table things cannot be read: {what}");
        check(b"k", r#"{"format":0}"#, &broken("there is no format 0"));
        check(b"k", "{}", &broken("it has no number `format`"));
        check(b"k", "[]", &broken("it has no number `format`"));
        check(b"k", r#"{"format":1.5}"#, &broken("it has no number `format`"));
        check(b"k", r#"{"format":1}"#, &broken("it has no `name`"));
        check(b"k", r#"{"format":1,"name":7}"#, &broken("its `name` is not text"));
        check(b"k", r#"{"format":1,"name":"n","made":"now"}"#, &broken("it has no time `made`"));
        check(b"k", r#"{"format":1,"name":"n","made":1,"parts":{}}"#, &broken("it has no list `parts`"));
        let cut = r#"{"format":1"#;
        let syntax = Json::parse(cut).expect_err("cut off").to_string();
        check(&[0, 7], cut, &format!("row 0x0007 of table things cannot be read: {syntax}"));
        let told = RowReader::open("things", b"", &[0xff], 1).err().map(|error| error.to_string());
        assert!(told.is_some_and(|told| told.starts_with("row 0x of table things cannot be read: invalid utf-8")));
    }

    #[test]
    fn every_row_of_a_large_table_comes_once() {
        let mut store = MemoryStore::new();
        let keys: Vec<[u8; 4]> = (0..2 * PAGE_ROWS as u32 + 1).map(u32::to_be_bytes).collect();
        let rows: Vec<Row<'_>> =
            keys.iter().map(|key| Row { table: "t", key, value: Some(b"{\"format\":1}") }).collect();
        let append = Append { shard: 0, epoch: 1, sequence: 1, executions: &[], rows: &rows, payload: b"" };
        store.append_batch(&[append], &mut Vec::new()).expect("appended");
        let mut seen = Vec::new();
        each_row(&*store.index(), "t", 1, |row| {
            seen.push(row.key().to_vec());
            Ok(())
        })
        .expect("read");
        assert_eq!(seen, keys);
        each_row(&*store.index(), "none", 1, |_| unreachable!("an empty table")).expect("read");
    }
}
