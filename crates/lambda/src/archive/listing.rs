//! The central directory of a zip: which entries there are, where, how large. Knows no path and no file.

use crate::archive::{ENTRIES_MAX, ZipFault};

const END: [u8; 4] = [b'P', b'K', 5, 6];
const END_BYTES: usize = 22;
const COMMENT_BYTES_MAX: usize = 65_535;
const ENTRY: [u8; 4] = [b'P', b'K', 1, 2];
const LOCAL: [u8; 4] = [b'P', b'K', 3, 4];
const ENCRYPTED: u16 = 1;

/// The kinds of files a Unix mode tells apart.
const MODE_KIND: u32 = 0o170_000;
const MODE_LINK: u32 = 0o120_000;
const MODE_DIRECTORY: u32 = 0o040_000;
const MODE_FILE: u32 = 0o100_000;

/// How an entry is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Stored,
    Deflated,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Directory,
    File { executable: bool },
    Link,
}

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: EntryKind,
    pub(crate) packing: Packing,
    pub(crate) crc: u32,
    pub(crate) unpacked_bytes: u64,
    /// The packed bytes.
    pub(crate) packed: &'a [u8],
}

/// Every entry of a zip, in the order of its directory.
pub(crate) fn entries(zip: &[u8]) -> Result<Vec<Entry<'_>>, ZipFault> {
    if zip.is_empty() {
        return Err(ZipFault::Empty);
    }
    let (end, at) = end_of(zip).ok_or(ZipFault::Unreadable("it has no end record"))?;
    let count = usize::from(short(end, 10).unwrap_or_default());
    let (bytes, start) = (long(end, 12).unwrap_or_default() as usize, long(end, 16).unwrap_or_default() as usize);
    if count == usize::from(u16::MAX) || start == u32::MAX as usize {
        return Err(ZipFault::Unreadable("zip64 is not read"));
    }
    if count > ENTRIES_MAX {
        return Err(ZipFault::TooMany);
    }
    // Something may stand before the first entry, such as a script that unpacks it; all offsets are from there.
    let before = at.checked_sub(bytes).and_then(|begins| begins.checked_sub(start));
    let before = before.ok_or(ZipFault::Unreadable("its directory does not fit into it"))?;
    let body = zip.get(before..).unwrap_or_default();
    let mut rest = body.get(start..start + bytes).ok_or(ZipFault::Unreadable("its directory does not fit into it"))?;
    let mut entries = Vec::with_capacity(count.min(rest.len() / 46));
    for _ in 0..count {
        let (entry, after) = entry(body, rest)?;
        entries.push(entry);
        rest = after;
    }
    if entries.iter().all(|entry| entry.kind == EntryKind::Directory) {
        return Err(ZipFault::Empty);
    }
    Ok(entries)
}

/// The end record and where it stands: the last one whose comment reaches to the end.
fn end_of(zip: &[u8]) -> Option<(&[u8], usize)> {
    let last = zip.len().checked_sub(END_BYTES)?;
    let first = last.saturating_sub(COMMENT_BYTES_MAX);
    (first..=last).rev().find_map(|at| {
        let record = zip.get(at..)?;
        let fits = record.starts_with(&END) && usize::from(short(record, 20)?) == record.len() - END_BYTES;
        fits.then_some((record, at))
    })
}

fn entry<'a>(body: &'a [u8], rest: &'a [u8]) -> Result<(Entry<'a>, &'a [u8]), ZipFault> {
    let damaged = ZipFault::Unreadable("its directory is damaged");
    let read = || {
        if !rest.starts_with(&ENTRY) {
            return None;
        }
        let lengths = [short(rest, 28)?, short(rest, 30)?, short(rest, 32)?].map(usize::from);
        let [name, extra, comment] = lengths;
        let name = rest.get(46..46 + name)?;
        Some((name, rest.get(46 + name.len() + extra + comment..)?))
    };
    let (name, after) = read().ok_or(damaged)?;
    let name = std::str::from_utf8(name).map_err(|_| ZipFault::Unreadable("a name is not UTF-8"))?;
    // All of the fixed part was there, or `read` had failed.
    let (short, long) = (|at| short(rest, at).unwrap_or_default(), |at| long(rest, at).unwrap_or_default());
    if short(8) & ENCRYPTED != 0 {
        return Err(ZipFault::Unreadable("an entry is encrypted"));
    }
    let packing = match short(10) {
        0 => Packing::Stored,
        8 => Packing::Deflated,
        _ => return Err(ZipFault::Unreadable("an entry is packed otherwise than by deflate")),
    };
    let (packed, unpacked, offset) = (long(20), long(24), long(42));
    if [packed, unpacked, offset].contains(&u32::MAX) {
        return Err(ZipFault::Unreadable("zip64 is not read"));
    }
    // The high half of the attributes is a Unix mode where whoever made the zip had one.
    let mode = long(38) >> 16;
    let kind = match mode & MODE_KIND {
        MODE_LINK => EntryKind::Link,
        MODE_DIRECTORY => EntryKind::Directory,
        0 | MODE_FILE if name.ends_with('/') => EntryKind::Directory,
        0 | MODE_FILE => EntryKind::File { executable: mode & 0o111 != 0 },
        _ => return Err(ZipFault::Unreadable("an entry is neither file, directory nor link")),
    };
    let packed = data(body, offset as usize, packed as usize).ok_or(ZipFault::Unreadable("an entry is damaged"))?;
    let entry = Entry { name, kind, packing, crc: long(16), unpacked_bytes: u64::from(unpacked), packed };
    Ok((entry, after))
}

/// The packed bytes of an entry, behind its own head.
fn data(body: &[u8], offset: usize, bytes: usize) -> Option<&[u8]> {
    let head = body.get(offset..)?;
    if !head.starts_with(&LOCAL) {
        return None;
    }
    let begins = 30 + usize::from(short(head, 26)?) + usize::from(short(head, 28)?);
    head.get(begins..begins.checked_add(bytes)?)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
