//! Rows of the services' tables, all of one format so far, and keys of numbers.

use stepwell_store::{Index, RowChange, json_rows};

pub(crate) use json_rows::{RowError, RowReader, RowWriter};

/// The only format so far.
const FORMAT: u64 = 1;

/// A row to be written.
pub(crate) fn new_row() -> RowWriter {
    RowWriter::row(FORMAT)
}

/// The removal of a row.
pub(crate) fn removal(table: &'static str, key: Vec<u8>) -> RowChange {
    RowChange { table, key, value: None }
}

/// Numbers as a key: in the order of the numbers.
pub(crate) fn key<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Gives every row of a table in the order of the keys.
pub(crate) fn each_row(
    index: &dyn Index,
    table: &'static str,
    each: impl FnMut(&RowReader<'_>) -> Result<(), RowError>,
) -> Result<(), RowError> {
    json_rows::each_row(index, table, FORMAT, each)
}

/// One row of a table, read so; none when it is not there.
pub(crate) fn row_of<T>(
    index: &dyn Index,
    table: &'static str,
    key: &[u8],
    read: impl FnOnce(&RowReader<'_>) -> Result<T, RowError>,
) -> Result<Option<T>, RowError> {
    let Some(value) = index.get(table, key)? else { return Ok(None) };
    read(&RowReader::open(table, key, &value, FORMAT)?).map(Some)
}
