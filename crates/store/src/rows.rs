//! A change of a table on its way into a frame.

use crate::Row;

/// One change of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The table.
    pub table: &'static str,
    /// The row's key.
    pub key: Vec<u8>,
    /// The value it gets, or none when it is removed.
    pub value: Option<Vec<u8>>,
}

impl RowChange {
    /// The same, as a frame takes it.
    pub fn row(&self) -> Row<'_> {
        Row { table: self.table, key: &self.key, value: self.value.as_deref() }
    }
}
