//! The index on disk: where each execution's frames stand, and the rows of the tables, in a redb database that can be
//! made again from the log at any time.
//!
//! News gather in memory and are written in one transaction together with the last frame they stem from. Opening reads
//! what came after that frame from the log. Only what is durable in the log ever gets in here; an index that knows of
//! frames the log does not have is therefore proof that the log has lost something.
//!
//! Three tables: `positions` (shard, execution, first number -> packed entries, one key for each transaction that had
//! frames of the execution), `rows` (table, 0, key -> value), `about` (which log, which format, how far). Every value
//! begins with a checksum over its key and itself, since the database does not check what it reads.

use std::fmt;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use redb::{Builder, Database, ReadTransaction, ReadableDatabase, StorageBackend, TableDefinition};

use crate::disk::{Disk, DiskFile};
use crate::error::StoreError;
use crate::frame::{KeptFrame, put_full_key};
use crate::gathered::{FrameAt, Gathered, pack, unpack};
use crate::log::Segments;
use crate::segment::Position;
use crate::{Index, KeyValue, Keys, Order};

/// The database's file.
pub(crate) const FILE: &str = "index.redb";

/// Version of the tables. An index of another one is made again.
const VERSION: u32 = 1;

/// Bytes of the database kept in memory.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

type Bytes = &'static [u8];
const POSITIONS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("positions");
const ROWS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("rows");
const ABOUT: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("about");
const ABOUT_KEY: &[u8] = b"index";

/// The index of an embedded store.
pub(crate) struct EmbeddedIndex {
    segments: Arc<Segments>,
    /// None after the database failed, until it opens again.
    database: RwLock<Option<Database>>,
    news: RwLock<News>,
    /// Held by whoever writes news down.
    writing: Mutex<()>,
}

/// What is not in the database yet.
#[derive(Default)]
struct News {
    /// What is being written down: in the database or not, so readers look here too.
    leaving: Option<Arc<Gathered>>,
    gathering: Gathered,
}

impl EmbeddedIndex {
    /// Opens the index of a log; answers the last frame it knows, too. An index that is missing, broken, of another log
    /// or of another version is begun anew.
    pub(crate) fn open(segments: Arc<Segments>) -> Result<(EmbeddedIndex, Position), StoreError> {
        let disk = &*segments.disk;
        let there = disk.list().map_err(segments.failed("read", ""))?.iter().any(|name| name == FILE);
        let known = if there { open_known(disk, segments.log) } else { None };
        let (database, last) = match known {
            Some(known) => known,
            None => {
                if there {
                    disk.remove(FILE).map_err(segments.failed("remove", FILE))?;
                }
                let file = disk.create(FILE).map_err(segments.failed("make", FILE))?;
                let database = open_database(file)?;
                let transaction = database.begin_write().map_err(StoreError::index)?;
                write_about(&transaction, segments.log, Position::default())?;
                for table in [POSITIONS, ROWS] {
                    transaction.open_table(table).map_err(StoreError::index)?;
                }
                transaction.commit().map_err(StoreError::index)?;
                (database, Position::default())
            }
        };
        let database = RwLock::new(Some(database));
        Ok((EmbeddedIndex { segments, database, news: RwLock::default(), writing: Mutex::default() }, last))
    }

    /// Changes the news that gather.
    pub(crate) fn gather(&self, change: impl FnOnce(&mut Gathered)) {
        change(&mut self.news.write().unwrap_or_else(PoisonError::into_inner).gathering);
    }

    /// Asks the news that gather.
    pub(crate) fn ask_gathered(&self, ask: impl FnOnce(&Gathered) -> bool) -> bool {
        ask(&self.read_news().gathering)
    }

    fn read_news(&self) -> RwLockReadGuard<'_, News> {
        self.news.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// News and database of one moment.
    fn snapshot(&self) -> Result<(RwLockReadGuard<'_, News>, ReadTransaction), StoreError> {
        self.segments.check()?;
        let news = self.read_news();
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let transaction = match &*database {
            Some(database) => database.begin_read().map_err(StoreError::index)?,
            None => return Err(StoreError::index("it failed before and has not been opened again")),
        };
        Ok((news, transaction))
    }

    /// Writes what is leaving into the database.
    fn write(&self, leaving: &Gathered) -> Result<(), StoreError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            let reopened = open_known(&*self.segments.disk, self.segments.log).map(|(database, _)| database);
            *database = Some(reopened.ok_or_else(|| StoreError::index("it cannot be opened again"))?);
        }
        drop(database);
        let written = {
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            let database = database.as_ref().ok_or_else(|| StoreError::index("it is closed"))?;
            shielded(|| write_news(database, self.segments.log, leaving))
        };
        if written.is_err() {
            // After a failure the database serves nobody any more; opened again it does.
            *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
        written
    }

    /// Up to `limit` entries of an execution's frames.
    fn entries(
        &self,
        shard: u32,
        execution: u64,
        order: Order,
        past: Option<u64>,
        limit: usize,
    ) -> Result<Vec<FrameAt>, StoreError> {
        let (news, transaction) = self.snapshot()?;
        let table = transaction.open_table(POSITIONS).map_err(StoreError::index)?;
        let of_news = |gathered: &Gathered| gathered.positions.get(&(shard, execution)).cloned().unwrap_or_default();
        let mut recent = news.leaving.as_deref().map(of_news).unwrap_or_default();
        recent.extend(of_news(&news.gathering));
        drop(news);

        let first = position_key(shard, execution, 0);
        let last = position_key(shard, execution, u64::MAX);
        let mut entries: Vec<FrameAt> = Vec::new();
        match order {
            Order::Ascending => {
                let after = past.unwrap_or(0);
                // The chunk that holds the next number begins at or before it.
                let next = position_key(shard, execution, after.saturating_add(1));
                let mut before = table.range(&first[..]..=&next[..]).map_err(StoreError::index)?;
                let begin = match before.next_back() {
                    Some(chunk) => chunk.map_err(StoreError::index)?.0.value().to_vec(),
                    None => first.to_vec(),
                };
                for chunk in table.range(&begin[..]..=&last[..]).map_err(StoreError::index)? {
                    let (key, value) = chunk.map_err(StoreError::index)?;
                    entries.extend(chunk_entries(key.value(), value.value())?.iter().filter(|entry| entry.0 > after));
                    if entries.len() >= limit {
                        break;
                    }
                }
                let known = entries.last().map_or(after, |entry| entry.0);
                entries.extend(recent.iter().filter(|entry| entry.0 > known));
            }
            Order::Descending => {
                let before = past.unwrap_or(u64::MAX);
                entries.extend(recent.iter().rev().filter(|entry| entry.0 < before));
                for chunk in table.range(&first[..]..=&last[..]).map_err(StoreError::index)?.rev() {
                    if entries.len() >= limit {
                        break;
                    }
                    let (key, value) = chunk.map_err(StoreError::index)?;
                    let known = entries.last().map_or(before, |entry| entry.0);
                    let chunk = chunk_entries(key.value(), value.value())?;
                    entries.extend(chunk.iter().rev().filter(|entry| entry.0 < known));
                }
            }
        }
        entries.truncate(limit);
        Ok(entries)
    }

    /// As [`Index::get`].
    fn row(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut full_key = Vec::new();
        put_full_key(table, key, &mut full_key);
        let (news, transaction) = self.snapshot()?;
        let leaving = news.leaving.as_ref().and_then(|leaving| leaving.rows.get(&full_key));
        if let Some(value) = news.gathering.rows.get(&full_key).or(leaving) {
            return Ok(value.clone());
        }
        drop(news);
        let rows = transaction.open_table(ROWS).map_err(StoreError::index)?;
        match rows.get(&full_key[..]).map_err(StoreError::index)? {
            Some(value) => Ok(Some(checked(&full_key, value.value())?.to_vec())),
            None => Ok(None),
        }
    }

    /// As [`Index::scan`].
    fn rows(&self, table: &str, keys: Keys<'_>, order: Order, limit: usize) -> Result<Vec<KeyValue>, StoreError> {
        let Some((lower, upper)) = full_bounds(table, keys) else { return Ok(Vec::new()) };
        let range = (lower.as_ref().map(Vec::as_slice), upper.as_ref().map(Vec::as_slice));
        let (news, transaction) = self.snapshot()?;
        let rows = transaction.open_table(ROWS).map_err(StoreError::index)?;
        let kept = rows.range::<&[u8]>(range).map_err(StoreError::index)?;
        let kept = kept.map(|row| {
            let (key, value) = row.map_err(StoreError::index)?;
            Ok((key.value().to_vec(), Some(checked(key.value(), value.value())?.to_vec())))
        });
        let of_news = |gathered: &Gathered| {
            let rows = gathered.rows.range::<[u8], _>(range);
            rows.map(|(key, value)| Ok((key.clone(), value.clone()))).collect::<Vec<_>>()
        };
        let leaving = news.leaving.as_deref().map(of_news).unwrap_or_default();
        let gathering = of_news(&news.gathering);
        drop(news);
        // The newest source first: of equal keys its row counts.
        let sources: [Box<dyn Iterator<Item = Changed> + '_>; 3] = match order {
            Order::Ascending => [Box::new(gathering.into_iter()), Box::new(leaving.into_iter()), Box::new(kept)],
            Order::Descending => {
                [Box::new(gathering.into_iter().rev()), Box::new(leaving.into_iter().rev()), Box::new(kept.rev())]
            }
        };
        merge(sources, order, table.len() + 1, limit)
    }
}

impl Index for EmbeddedIndex {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        shielded(|| self.row(table, key))
    }

    fn scan(&self, table: &str, keys: Keys<'_>, order: Order, limit: usize) -> Result<Vec<KeyValue>, StoreError> {
        shielded(|| self.rows(table, keys, order, limit))
    }

    fn history(
        &self,
        shard: u32,
        execution: u64,
        order: Order,
        past: Option<u64>,
        limit: usize,
    ) -> Result<Vec<KeptFrame>, StoreError> {
        let entries = shielded(|| self.entries(shard, execution, order, past, limit))?;
        entries.into_iter().map(|(number, position)| self.segments.read_frame(position, shard, number)).collect()
    }

    fn catch_up(&self) -> Result<(), StoreError> {
        self.segments.check()?;
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let leaving = {
                let mut news = self.news.write().unwrap_or_else(PoisonError::into_inner);
                if news.leaving.is_none() && !news.gathering.is_empty() {
                    news.leaving = Some(Arc::new(std::mem::take(&mut news.gathering)));
                }
                match &news.leaving {
                    Some(leaving) => leaving.clone(),
                    None => return Ok(()),
                }
            };
            self.write(&leaving)?;
            self.news.write().unwrap_or_else(PoisonError::into_inner).leaving = None;
        }
    }
}

/// A row of a source of a scan: its full key, and its value unless it was taken out.
type Changed = Result<(Vec<u8>, Option<Vec<u8>>), StoreError>;

/// Merges sorted sources; of equal keys the first source's row counts. Keys lose their first `prefix` bytes.
fn merge(
    sources: [Box<dyn Iterator<Item = Changed> + '_>; 3],
    order: Order,
    prefix: usize,
    limit: usize,
) -> Result<Vec<KeyValue>, StoreError> {
    let mut sources = sources.map(Iterator::peekable);
    let mut merged = Vec::new();
    while merged.len() < limit {
        let mut next: Option<Vec<u8>> = None;
        for source in &mut sources {
            match source.peek() {
                None => {}
                Some(Err(_)) => {
                    let Some(Err(error)) = source.next() else { continue };
                    return Err(error);
                }
                Some(Ok((key, _))) => {
                    let comes_first = next.as_ref().is_none_or(|next| match order {
                        Order::Ascending => key < next,
                        Order::Descending => key > next,
                    });
                    if comes_first {
                        next = Some(key.clone());
                    }
                }
            }
        }
        let Some(key) = next else { break };
        let mut value = None;
        for source in &mut sources {
            if let Some(Ok((_, found))) = source.next_if(|row| row.as_ref().is_ok_and(|row| row.0 == key)) {
                value.get_or_insert(found);
            }
        }
        if let Some(Some(value)) = value {
            merged.push((key[prefix..].to_vec(), value));
        }
    }
    Ok(merged)
}

type KeyBound = Bound<Vec<u8>>;

/// A range of keys of one table as a range of full keys. `None` when nothing can lie between the bounds.
fn full_bounds(table: &str, keys: Keys<'_>) -> Option<(KeyBound, KeyBound)> {
    let full = |key: &[u8]| {
        let mut full_key = Vec::new();
        put_full_key(table, key, &mut full_key);
        full_key
    };
    let lower = match keys.0 {
        Bound::Unbounded => Bound::Included(full(b"")),
        bound => bound.map(full),
    };
    let upper = match keys.1 {
        // Behind the zero that ends the table's name.
        Bound::Unbounded => Bound::Excluded([table.as_bytes(), &[1]].concat()),
        bound => bound.map(full),
    };
    let is_empty = match (&lower, &upper) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    };
    (!is_empty).then_some((lower, upper))
}

fn position_key(shard: u32, execution: u64, sequence: u64) -> [u8; 20] {
    let mut key = [0; 20];
    key[..4].copy_from_slice(&shard.to_be_bytes());
    key[4..12].copy_from_slice(&execution.to_be_bytes());
    key[12..].copy_from_slice(&sequence.to_be_bytes());
    key
}

fn chunk_entries(key: &[u8], value: &[u8]) -> Result<Vec<FrameAt>, StoreError> {
    unpack(checked(key, value)?).ok_or_else(broken)
}

/// A value without its checksum.
fn checked<'v>(key: &[u8], value: &'v [u8]) -> Result<&'v [u8], StoreError> {
    let (found, value) = value.split_first_chunk::<4>().ok_or_else(broken)?;
    if u32::from_le_bytes(*found) == checksum(key, value) { Ok(value) } else { Err(broken()) }
}

fn broken() -> StoreError {
    StoreError::index(format!("{FILE} is not as it was written; without it the index is made again from the log"))
}

fn checksum(key: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    hasher.finalize()
}

/// A value with its checksum, in a buffer that is used again and again.
fn with_checksum<'b>(key: &[u8], value: &[u8], buffer: &'b mut Vec<u8>) -> &'b [u8] {
    buffer.clear();
    buffer.extend_from_slice(&checksum(key, value).to_le_bytes());
    buffer.extend_from_slice(value);
    buffer
}

fn write_news(database: &Database, log: u64, news: &Gathered) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(StoreError::index)?;
    // Otherwise opening after a crash would read the whole database.
    transaction.set_quick_repair(true);
    {
        let mut table = transaction.open_table(POSITIONS).map_err(StoreError::index)?;
        let (mut packed, mut buffer) = (Vec::new(), Vec::new());
        for (&(shard, execution), entries) in &news.positions {
            let key = position_key(shard, execution, entries[0].0);
            packed.clear();
            pack(entries, &mut packed);
            let value = with_checksum(&key, &packed, &mut buffer);
            table.insert(&key[..], value).map_err(StoreError::index)?;
        }
        let mut table = transaction.open_table(ROWS).map_err(StoreError::index)?;
        for (key, value) in &news.rows {
            match value {
                Some(value) => table.insert(&key[..], with_checksum(key, value, &mut buffer)),
                None => table.remove(&key[..]),
            }
            .map_err(StoreError::index)?;
        }
    }
    write_about(&transaction, log, news.last)?;
    transaction.commit().map_err(StoreError::index)
}

fn write_about(transaction: &redb::WriteTransaction, log: u64, last: Position) -> Result<(), StoreError> {
    let mut about = Vec::new();
    about.extend_from_slice(&VERSION.to_le_bytes());
    about.extend_from_slice(&log.to_le_bytes());
    about.extend_from_slice(&last.segment.to_le_bytes());
    about.extend_from_slice(&last.offset.to_le_bytes());
    let mut table = transaction.open_table(ABOUT).map_err(StoreError::index)?;
    let value = with_checksum(ABOUT_KEY, &about, &mut Vec::new()).to_vec();
    table.insert(ABOUT_KEY, &value[..]).map_err(StoreError::index)?;
    Ok(())
}

/// The database asserts what it finds in its file: one that it panics on is a broken one like any other.
fn shielded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(broken()))
}

/// Opens an index that is there, if it can be used for this log.
fn open_known(disk: &dyn Disk, log: u64) -> Option<(Database, Position)> {
    let opened = shielded(|| {
        let database = open_database(disk.open(FILE).map_err(StoreError::index)?)?;
        let last = read_about(&database, log).ok_or_else(broken)?;
        Ok((database, last))
    });
    opened.ok()
}

/// The last frame the index knows, if it is one of this log and version.
fn read_about(database: &Database, log: u64) -> Option<Position> {
    let transaction = database.begin_read().ok()?;
    for table in [POSITIONS, ROWS] {
        transaction.open_table(table).ok()?;
    }
    let table = transaction.open_table(ABOUT).ok()?;
    let value = table.get(ABOUT_KEY).ok()??;
    let about = checked(ABOUT_KEY, value.value()).ok()?;
    let (version, about) = about.split_first_chunk::<4>()?;
    let (of_log, about) = about.split_first_chunk::<8>()?;
    let (segment, about) = about.split_first_chunk::<8>()?;
    let offset = about.first_chunk::<4>()?;
    let is_ours = u32::from_le_bytes(*version) == VERSION && u64::from_le_bytes(*of_log) == log;
    is_ours.then(|| Position { segment: u64::from_le_bytes(*segment), offset: u32::from_le_bytes(*offset) })
}

fn open_database(file: Arc<dyn DiskFile>) -> Result<Database, StoreError> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder.create_with_backend(DatabaseFile(file)).map_err(StoreError::index)
}

/// A file as the database wants it.
struct DatabaseFile(Arc<dyn DiskFile>);

impl fmt::Debug for DatabaseFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StorageBackend for DatabaseFile {
    fn len(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_length(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, data)
    }
}
