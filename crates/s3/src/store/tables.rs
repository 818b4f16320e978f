//! The tables of the metadata, and how they are walked. Knows nothing of S3's rules.
//!
//! ```text
//! buckets   name                                   -> Bucket
//! settings  bucket, kind                           -> a configuration of the bucket, as AWS writes it in XML
//! objects   bucket, key                            -> the newest version; every key that has any stands here
//! older     bucket, key, u64::MAX - its sequence   -> a version that is not the newest, newest first
//! bodies    number                                 -> where the bytes are
//! uploads   bucket, key, id                        -> Upload
//! parts     number of the upload, part number      -> Part
//! outbox    number                                 -> an event that is not delivered yet
//! about     name                                   -> the next number
//! ```

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::records::{Body, Bucket, Object, Part, Upload};
use crate::refusal::Refusal;

type Bytes = &'static [u8];
const BUCKETS: TableDefinition<'_, &str, Bytes> = TableDefinition::new("buckets");
const SETTINGS: TableDefinition<'_, (u64, &str), Bytes> = TableDefinition::new("settings");
const OBJECTS: TableDefinition<'_, (u64, Bytes), Bytes> = TableDefinition::new("objects");
const OLDER: TableDefinition<'_, (u64, Bytes, u64), Bytes> = TableDefinition::new("older");
const BODIES: TableDefinition<'_, u64, Bytes> = TableDefinition::new("bodies");
const UPLOADS: TableDefinition<'_, (u64, Bytes, &str), Bytes> = TableDefinition::new("uploads");
const PARTS: TableDefinition<'_, (u64, u16), Bytes> = TableDefinition::new("parts");
const OUTBOX: TableDefinition<'_, u64, Bytes> = TableDefinition::new("outbox");
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");
const NEXT: &str = "next";

/// The tables as they were at one moment.
pub(crate) struct Tables<B, S, O, V, D, U, P, X, A> {
    buckets: B,
    settings: S,
    objects: O,
    older: V,
    bodies: D,
    uploads: U,
    parts: P,
    outbox: X,
    about: A,
    /// Bodies on the shelf that nothing refers to once this is durable.
    pub(crate) freed: Vec<u64>,
}

type ReadOnly<K, V> = redb::ReadOnlyTable<K, V>;

/// To read.
pub(crate) type View = Tables<
    ReadOnly<&'static str, Bytes>,
    ReadOnly<(u64, &'static str), Bytes>,
    ReadOnly<(u64, Bytes), Bytes>,
    ReadOnly<(u64, Bytes, u64), Bytes>,
    ReadOnly<u64, Bytes>,
    ReadOnly<(u64, Bytes, &'static str), Bytes>,
    ReadOnly<(u64, u16), Bytes>,
    ReadOnly<u64, Bytes>,
    ReadOnly<&'static str, u64>,
>;

/// To change.
pub(crate) type Changes<'t> = Tables<
    Table<'t, &'static str, Bytes>,
    Table<'t, (u64, &'static str), Bytes>,
    Table<'t, (u64, Bytes), Bytes>,
    Table<'t, (u64, Bytes, u64), Bytes>,
    Table<'t, u64, Bytes>,
    Table<'t, (u64, Bytes, &'static str), Bytes>,
    Table<'t, (u64, u16), Bytes>,
    Table<'t, u64, Bytes>,
    Table<'t, &'static str, u64>,
>;

/// Every table, opened in a transaction. A function cannot say it: those to read and those to write have no trait in common.
macro_rules! tables_of {
    ($transaction:expr) => {
        Ok(Tables {
            buckets: $transaction.open_table(BUCKETS)?,
            settings: $transaction.open_table(SETTINGS)?,
            objects: $transaction.open_table(OBJECTS)?,
            older: $transaction.open_table(OLDER)?,
            bodies: $transaction.open_table(BODIES)?,
            uploads: $transaction.open_table(UPLOADS)?,
            parts: $transaction.open_table(PARTS)?,
            outbox: $transaction.open_table(OUTBOX)?,
            about: $transaction.open_table(ABOUT)?,
            freed: Vec::new(),
        })
    };
}

impl View {
    pub(super) fn open(transaction: &ReadTransaction) -> Result<View, redb::TableError> {
        tables_of!(transaction)
    }
}

impl<'t> Changes<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Changes<'t>, redb::TableError> {
        tables_of!(transaction)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(Refusal::broken)
}

fn written<T: Serialize>(value: &T) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(value).map_err(Refusal::broken)
}

/// The smallest text of bytes that is greater than everything that begins with this one; None when there is none.
pub(crate) fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

impl<B, S, O, V, D, U, P, X, A> Tables<B, S, O, V, D, U, P, X, A>
where
    B: ReadableTable<&'static str, Bytes>,
    S: ReadableTable<(u64, &'static str), Bytes>,
    O: ReadableTable<(u64, Bytes), Bytes>,
    V: ReadableTable<(u64, Bytes, u64), Bytes>,
    D: ReadableTable<u64, Bytes>,
    U: ReadableTable<(u64, Bytes, &'static str), Bytes>,
    P: ReadableTable<(u64, u16), Bytes>,
    X: ReadableTable<u64, Bytes>,
    A: ReadableTable<&'static str, u64>,
{
    pub(crate) fn bucket_if_any(&self, name: &str) -> Result<Option<Bucket>, Refusal> {
        self.buckets.get(name)?.map(|row| read(row.value())).transpose()
    }

    /// The bucket, or AWS's refusal.
    pub(crate) fn bucket(&self, name: &str) -> Result<Bucket, Refusal> {
        self.bucket_if_any(name)?.ok_or_else(|| Refusal::no_such_bucket(name))
    }

    /// Buckets in the order of their names, from this one on, for as long as the visitor says so.
    pub(crate) fn buckets_from(&self, first: &str, mut visit: impl FnMut(&str, Bucket) -> bool) -> Result<(), Refusal> {
        for row in self.buckets.range(first..)? {
            let (name, bucket) = row?;
            if !visit(name.value(), read(bucket.value())?) {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn setting(&self, bucket: u64, kind: &str) -> Result<Option<Vec<u8>>, Refusal> {
        Ok(self.settings.get((bucket, kind))?.map(|row| row.value().to_vec()))
    }

    pub(crate) fn newest(&self, bucket: u64, key: &[u8]) -> Result<Option<Object>, Refusal> {
        self.objects.get((bucket, key))?.map(|row| read(row.value())).transpose()
    }

    /// Versions of a key that are not the newest, newest first, behind the one with this sequence.
    pub(crate) fn older(&self, bucket: u64, key: &[u8], below: Option<u64>) -> Result<Vec<Object>, Refusal> {
        let first = below.map_or(0, |sequence| u64::MAX - sequence + 1);
        let mut found = Vec::new();
        for row in self.older.range((bucket, key, first)..=(bucket, key, u64::MAX))? {
            found.push(read(row?.1.value())?);
        }
        Ok(found)
    }

    /// The version of a key with this id.
    pub(crate) fn version(&self, bucket: u64, key: &[u8], version: &str) -> Result<Option<Object>, Refusal> {
        match self.newest(bucket, key)? {
            Some(newest) if newest.version == version => Ok(Some(newest)),
            Some(_) => Ok(self.older(bucket, key, None)?.into_iter().find(|object| object.version == version)),
            None => Ok(None),
        }
    }

    /// The first key at or behind this one, with its newest version.
    pub(crate) fn next_object(&self, bucket: u64, first: &[u8]) -> Result<Option<(Vec<u8>, Object)>, Refusal> {
        let Some(row) = self.objects.range((bucket, first)..)?.next() else { return Ok(None) };
        let (key, object) = row?;
        let (owner, key) = key.value();
        if owner != bucket { Ok(None) } else { Ok(Some((key.to_vec(), read(object.value())?))) }
    }

    /// Keys at or behind this one with their newest versions, for as long as the visitor says so.
    pub(crate) fn objects_from(
        &self,
        bucket: u64,
        first: &[u8],
        mut visit: impl FnMut(&[u8], Object) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        for row in self.objects.range((bucket, first)..)? {
            let (key, object) = row?;
            let (owner, key) = key.value();
            if owner != bucket || !visit(key, read(object.value())?)? {
                break;
            }
        }
        Ok(())
    }

    /// Where the bytes of a body are.
    pub(crate) fn body(&self, number: u64) -> Result<Body, Refusal> {
        let row = self.bodies.get(number)?;
        let row = row.ok_or_else(|| Refusal::broken(format_args!("body {number} is missing")))?;
        Body::read(row.value())
    }

    /// Numbers of bodies on the shelf.
    pub(crate) fn shelved(&self) -> Result<Vec<u64>, Refusal> {
        let mut numbers = Vec::new();
        for row in self.bodies.iter()? {
            let (number, body) = row?;
            if Body::read(body.value())? == Body::Shelved {
                numbers.push(number.value());
            }
        }
        Ok(numbers)
    }

    pub(crate) fn upload(&self, bucket: u64, key: &[u8], id: &str) -> Result<Option<Upload>, Refusal> {
        self.uploads.get((bucket, key, id))?.map(|row| read(row.value())).transpose()
    }

    /// Uploads behind this key and id, for as long as the visitor says so.
    pub(crate) fn uploads_from(
        &self,
        bucket: u64,
        key: &[u8],
        id: &str,
        mut visit: impl FnMut(&[u8], &str, Upload) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        for row in self.uploads.range((bucket, key, id)..)? {
            let (at, upload) = row?;
            let (owner, key, id) = at.value();
            if owner != bucket || !visit(key, id, read(upload.value())?)? {
                break;
            }
        }
        Ok(())
    }

    /// Parts of an upload behind this part number, in order.
    pub(crate) fn parts(&self, upload: u64, behind: u16) -> Result<Vec<(u16, Part)>, Refusal> {
        let mut parts = Vec::new();
        let Some(first) = behind.checked_add(1) else { return Ok(parts) };
        for row in self.parts.range((upload, first)..=(upload, u16::MAX))? {
            let (at, part) = row?;
            parts.push((at.value().1, read(part.value())?));
        }
        Ok(parts)
    }

    /// Events that are not delivered yet.
    pub(crate) fn waiting_events(&self) -> Result<Vec<(u64, Vec<u8>)>, Refusal> {
        let mut events = Vec::new();
        for row in self.outbox.iter()? {
            let (number, event) = row?;
            events.push((number.value(), event.value().to_vec()));
        }
        Ok(events)
    }

    /// The number of the next event.
    pub(crate) fn next_event(&self) -> Result<u64, Refusal> {
        Ok(self.outbox.last()?.map_or(1, |(number, _)| number.value() + 1))
    }

    /// The first number nothing has.
    pub(crate) fn next_number(&self) -> Result<u64, Refusal> {
        let counted = self.about.get(NEXT)?.map_or(1, |row| row.value());
        let bodies = self.bodies.last()?.map_or(1, |(number, _)| number.value() + 1);
        Ok(counted.max(bodies))
    }
}

impl Changes<'_> {
    pub(crate) fn put_bucket(&mut self, name: &str, bucket: &Bucket) -> Result<(), Refusal> {
        self.buckets.insert(name, written(bucket)?.as_slice())?;
        Ok(())
    }

    /// Removes an empty bucket and what is set for it.
    pub(crate) fn remove_bucket(&mut self, name: &str, bucket: &Bucket) -> Result<(), Refusal> {
        self.buckets.remove(name)?;
        self.settings.retain_in((bucket.number, "")..(bucket.number + 1, ""), |_, _| false)?;
        Ok(())
    }

    pub(crate) fn put_setting(&mut self, bucket: u64, kind: &str, value: Option<&[u8]>) -> Result<(), Refusal> {
        match value {
            Some(value) => drop(self.settings.insert((bucket, kind), value)?),
            None => drop(self.settings.remove((bucket, kind))?),
        }
        Ok(())
    }

    pub(crate) fn put_newest(&mut self, bucket: u64, key: &[u8], object: &Object) -> Result<(), Refusal> {
        self.objects.insert((bucket, key), written(object)?.as_slice())?;
        Ok(())
    }

    pub(crate) fn remove_newest(&mut self, bucket: u64, key: &[u8]) -> Result<(), Refusal> {
        self.objects.remove((bucket, key))?;
        Ok(())
    }

    pub(crate) fn put_older(&mut self, bucket: u64, key: &[u8], object: &Object) -> Result<(), Refusal> {
        let place = (bucket, key, u64::MAX - object.sequence);
        self.older.insert(place, written(object)?.as_slice())?;
        Ok(())
    }

    pub(crate) fn remove_older(&mut self, bucket: u64, key: &[u8], sequence: u64) -> Result<(), Refusal> {
        self.older.remove((bucket, key, u64::MAX - sequence))?;
        Ok(())
    }

    pub(crate) fn put_body(&mut self, number: u64, body: &Body) -> Result<(), Refusal> {
        self.bodies.insert(number, body.written()?.as_slice())?;
        Ok(())
    }

    /// Forgets a body and everything it is made of.
    pub(crate) fn remove_body(&mut self, number: u64) -> Result<(), Refusal> {
        let body = self.body(number)?;
        self.bodies.remove(number)?;
        match body {
            Body::Inside(_) => {}
            Body::Shelved => self.freed.push(number),
            Body::Pieces(pieces) => {
                for piece in pieces {
                    self.remove_body(piece.body)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn put_upload(&mut self, bucket: u64, key: &[u8], id: &str, upload: &Upload) -> Result<(), Refusal> {
        self.uploads.insert((bucket, key, id), written(upload)?.as_slice())?;
        Ok(())
    }

    /// Forgets an upload and the names of its parts, and gives the parts.
    pub(crate) fn remove_upload(
        &mut self,
        bucket: u64,
        key: &[u8],
        id: &str,
        upload: &Upload,
    ) -> Result<Vec<(u16, Part)>, Refusal> {
        let parts = self.parts(upload.number, 0)?;
        self.uploads.remove((bucket, key, id))?;
        self.parts.retain_in((upload.number, 0)..=(upload.number, u16::MAX), |_, _| false)?;
        Ok(parts)
    }

    /// Puts a part in the place of what had its number.
    pub(crate) fn put_part(&mut self, upload: u64, number: u16, part: &Part) -> Result<(), Refusal> {
        let earlier = self.parts.insert((upload, number), written(part)?.as_slice())?;
        let earlier: Option<Part> = earlier.map(|row| read(row.value())).transpose()?;
        if let Some(earlier) = earlier {
            self.remove_body(earlier.body)?;
        }
        Ok(())
    }

    pub(crate) fn put_event(&mut self, number: u64, event: &[u8]) -> Result<(), Refusal> {
        self.outbox.insert(number, event)?;
        Ok(())
    }

    pub(crate) fn remove_event(&mut self, number: u64) -> Result<(), Refusal> {
        self.outbox.remove(number)?;
        Ok(())
    }

    /// Says that numbers up to this one are in use.
    pub(crate) fn count_to(&mut self, number: u64) -> Result<(), Refusal> {
        let known = self.about.get(NEXT)?.map_or(0, |row| row.value());
        if number >= known {
            self.about.insert(NEXT, number + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn behind_a_prefix() {
        for (prefix, expected) in [
            (&b"a"[..], Some(&b"b"[..])),
            (b"a/", Some(b"a0")),
            (b"a\xff", Some(b"b")),
            (b"\xff\xff", None),
            (b"", None),
        ] {
            assert_eq!(behind(prefix).as_deref(), expected, "{prefix:?}");
        }
    }
}
