//! A frame's body as bytes: which executions it belongs to, what it changes in the tables, and its payload.
//!
//! ```text
//! body   executions: count | number*
//!        rows:       count | (key length | table, 0, key | 0, or value length + 1 | value)*
//!        payload:    the rest
//! ```
//!
//! What surrounds a body in a segment is `segment.rs`.

use crate::bytes::{put_number, take, take_counted, take_number};
use crate::{Append, Tail};

/// One change of a table: a value for a key, or none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The table's name: no zero bytes in it.
    pub table: &'a str,
    /// The key; keys are ordered by their bytes.
    pub key: &'a [u8],
    /// The value; `None` takes the key out.
    pub value: Option<&'a [u8]>,
}

/// The table of histories. It is not one that is written or read; but who takes a row out of it forgets an execution:
/// what a frame of the same shard has of it, this one and all before, is no part of its history any more. The key is the
/// execution's number in eight bytes, the highest first.
pub const HISTORIES: &str = "histories";

impl<'a> Row<'a> {
    /// The row of a key that begins with its table's name and a zero.
    pub(crate) fn of_full_key(full_key: &'a [u8], value: Option<&'a [u8]>) -> Option<Row<'a>> {
        let zero = full_key.iter().position(|&byte| byte == 0)?;
        let table = std::str::from_utf8(&full_key[..zero]).ok()?;
        Some(Row { table, key: &full_key[zero + 1..], value })
    }
}

/// A frame as it is read: borrowed from what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The shard it belongs to.
    pub shard: u32,
    /// The epoch of its writer.
    pub epoch: u64,
    /// Its number in the shard.
    pub sequence: u64,
    /// The payload.
    pub payload: &'a [u8],
    executions: &'a [u8],
    rows: &'a [u8],
}

/// A frame that stands on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFrame {
    pub(crate) shard: u32,
    pub(crate) tail: Tail,
    pub(crate) body: Vec<u8>,
}

impl KeptFrame {
    /// The frame. Its body was checked when this was made.
    pub fn frame(&self) -> Frame<'_> {
        Frame::of_body(self.shard, self.tail, &self.body).expect("a kept frame's body was read once before")
    }

    pub(crate) fn read(shard: u32, tail: Tail, body: Vec<u8>) -> Option<KeptFrame> {
        Frame::of_body(shard, tail, &body)?;
        Some(KeptFrame { shard, tail, body })
    }
}

impl<'a> Frame<'a> {
    /// Reads a body. `None` when it is none.
    pub(crate) fn of_body(shard: u32, tail: Tail, body: &'a [u8]) -> Option<Frame<'a>> {
        let mut rest = body;
        let count = take_number(&mut rest)?;
        let before = rest;
        for _ in 0..count {
            take_number(&mut rest)?;
        }
        let executions = &before[..before.len() - rest.len()];
        let count = take_number(&mut rest)?;
        let before = rest;
        for _ in 0..count {
            take_row(&mut rest)?;
        }
        let rows = &before[..before.len() - rest.len()];
        Some(Frame { shard, epoch: tail.epoch, sequence: tail.sequence, payload: rest, executions, rows })
    }

    /// The executions it has records of.
    pub fn executions(&self) -> impl Iterator<Item = u64> + use<'a> {
        let mut rest = self.executions;
        std::iter::from_fn(move || take_number(&mut rest))
    }

    /// The changes of tables, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        self.keyed_rows().filter_map(|(full_key, value)| Row::of_full_key(full_key, value))
    }

    /// The changes of tables as the index keeps them: a key begins with its table's name and a zero.
    pub(crate) fn keyed_rows(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut rest = self.rows;
        std::iter::from_fn(move || take_row(&mut rest))
    }
}

/// The execution that is forgotten by a change of this full key.
pub(crate) fn forgotten_by(full_key: &[u8]) -> Option<u64> {
    let key = full_key.strip_prefix(HISTORIES.as_bytes())?.strip_prefix(&[0])?;
    Some(u64::from_be_bytes(key.try_into().ok()?))
}

/// Key and value of a row; the value's length is written one too high, so that none is zero.
fn take_row<'a>(bytes: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let key = take_counted(bytes)?;
    let value = match take_number(bytes)? {
        0 => None,
        above => Some(take(bytes, usize::try_from(above - 1).ok()?)?),
    };
    Some((key, value))
}

/// Appends a body.
pub(crate) fn put_body(append: &Append<'_>, out: &mut Vec<u8>) {
    put_number(out, append.executions.len() as u64);
    for &execution in append.executions {
        put_number(out, execution);
    }
    put_number(out, append.rows.len() as u64);
    for row in append.rows {
        put_number(out, (row.table.len() + 1 + row.key.len()) as u64);
        put_full_key(row.table, row.key, out);
        match row.value {
            None => put_number(out, 0),
            Some(value) => {
                put_number(out, value.len() as u64 + 1);
                out.extend_from_slice(value);
            }
        }
    }
    out.extend_from_slice(append.payload);
}

/// Bytes the body will have, or somewhat more.
pub(crate) fn body_bytes_max(append: &Append<'_>) -> usize {
    const NUMBER_MAX: usize = 10;
    let rows = append.rows.iter().map(|row| {
        let value = row.value.map_or(0, <[u8]>::len);
        2 * NUMBER_MAX + row.table.len() + 1 + row.key.len() + value
    });
    let fixed = NUMBER_MAX * (2 + append.executions.len()) + append.payload.len();
    rows.fold(fixed, usize::saturating_add)
}

/// A key with its table before it: a table's keys stand together, in their order.
pub(crate) fn put_full_key(table: &str, key: &[u8], out: &mut Vec<u8>) {
    assert!(!table.as_bytes().contains(&0), "a table's name has no zero bytes");
    out.extend_from_slice(table.as_bytes());
    out.push(0);
    out.extend_from_slice(key);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back_and_cut_ones_do_not() {
        let rows = [
            Row { table: "t", key: b"k", value: Some(b"") },
            Row { table: "t", key: b"", value: None },
            Row { table: "other", key: b"\0\x01", value: Some(b"value") },
        ];
        let append =
            Append { shard: 3, epoch: 1, sequence: 9, executions: &[0, 300, u64::MAX], rows: &rows, payload: b"" };
        let mut body = Vec::new();
        put_body(&append, &mut body);
        assert!(body.len() <= body_bytes_max(&append));
        let tail = Tail { epoch: 1, sequence: 9 };
        let frame = Frame::of_body(3, tail, &body).expect("a body");
        assert_eq!(frame.executions().collect::<Vec<_>>(), [0, 300, u64::MAX]);
        assert_eq!(frame.rows().collect::<Vec<_>>(), rows);
        for end in 0..body.len() {
            assert_eq!(Frame::of_body(3, tail, &body[..end]), None, "cut at {end}");
        }
        body.extend_from_slice(b"payload");
        assert_eq!(Frame::of_body(3, tail, &body).expect("a body").payload, b"payload");
    }
}
