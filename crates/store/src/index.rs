//! The index on disk: where each execution's frames stand, and the rows of the tables, in a redb database that can be
//! made again from the log at any time.
//!
//! News gather in memory and are written in one transaction together with the last frame they stem from. Opening reads
//! what came after that frame from the log. Only what is durable in the log ever gets in here; an index that knows of
//! frames the log does not have is therefore proof that the log has lost something.
//!
//! ```text
//! positions  shard, execution, first number -> packed entries; one key for each transaction that had frames of it
//! rows       table, 0, key -> where the row was written, value
//! tails      shard -> epoch, number of its last frame
//! segments   number -> how much stands in it, and how much of that is dead
//! about      which log, which format, how far
//! ```
//!
//! Every value begins with a checksum over its key and itself, since the database does not check what it reads.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use redb::{
    Builder, Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition,
};

use crate::bytes::{put_number, take_number};
use crate::database_file::{DatabaseFile, Failures};
use crate::disk::{Disk, DiskFile};
use crate::error::StoreError;
use crate::frame::{KeptFrame, put_full_key};
use crate::gathered::{FrameAt, Gathered, Name, Things, pack, unpack};
use crate::packing::Packing;
use crate::segment::Position;
use crate::segments::Segments;
use crate::{Index, KeyValue, Keys, Order, Tail};

/// The database's file.
pub(crate) const FILE: &str = "index.redb";

/// Version of the tables. An index of another one is made again.
const VERSION: u32 = 2;

/// Bytes of the database kept in memory.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

type Bytes = &'static [u8];
const POSITIONS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("positions");
const ROWS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("rows");
const TAILS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("tails");
const SEGMENTS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("segments");
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
    packing: Mutex<Packing>,
    known: Mutex<Known>,
    /// Why the database failed.
    failures: Arc<Failures>,
    /// Whether what was to be written down last found no room.
    lacks_room: AtomicBool,
}

/// What is in the database, as far as its writer must know.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// The last frame it knows.
    pub(crate) last: Position,
    /// How far each shard had come with that.
    pub(crate) tails: BTreeMap<u32, Tail>,
    /// What stands in each segment.
    pub(crate) things: BTreeMap<u64, Things>,
}

/// What is alive of a frame.
#[derive(Debug, Default)]
pub(crate) struct Alive {
    /// The executions whose histories have it.
    pub(crate) executions: Vec<u64>,
    /// For each of its rows, in order: the value, if it is the frame that gave the row its value.
    pub(crate) rows: Vec<Option<Vec<u8>>>,
}

/// What is not in the database yet.
#[derive(Default)]
struct News {
    /// What is being written down: in the database or not, so readers look here too.
    leaving: Option<Arc<Gathered>>,
    gathering: Gathered,
}

impl EmbeddedIndex {
    /// Opens the index of a log whose segments are there from `first` on. An index that is missing, broken, of another
    /// log, of another version, or older than what has been removed since, is begun anew.
    pub(crate) fn open(segments: Arc<Segments>, first: u64) -> Result<EmbeddedIndex, StoreError> {
        let disk = &*segments.disk;
        let there = disk.list().map_err(segments.failed("read", ""))?.iter().any(|name| name == FILE);
        let failures = Arc::<Failures>::default();
        let known = if there { open_known(disk, segments.log, &failures) } else { None };
        let is_new_enough = |known: &Known| known.last == Position::default() || known.last.segment >= first;
        let (database, known) = match known.filter(|(_, known)| is_new_enough(known)) {
            Some(known) => known,
            None => {
                if there {
                    disk.remove(FILE).map_err(segments.failed("remove", FILE))?;
                }
                let file = disk.create(FILE).map_err(segments.failed("make", FILE))?;
                let database = open_database(file, &failures)?;
                let transaction = database.begin_write().map_err(StoreError::index)?;
                write_about(&transaction, segments.log, Position::default())?;
                for table in [POSITIONS, ROWS, TAILS, SEGMENTS] {
                    transaction.open_table(table).map_err(StoreError::index)?;
                }
                transaction.commit().map_err(StoreError::index)?;
                (database, Known::default())
            }
        };
        let (news, writing, known) = (RwLock::default(), Mutex::default(), Mutex::new(known));
        let (packing, lacks_room) = (Mutex::default(), AtomicBool::new(false));
        Ok(EmbeddedIndex {
            segments,
            database: RwLock::new(Some(database)),
            news,
            writing,
            packing,
            known,
            failures,
            lacks_room,
        })
    }

    /// Asks what is in the database.
    pub(crate) fn ask_known<T>(&self, ask: impl FnOnce(&Known) -> T) -> T {
        ask(&self.known.lock().unwrap_or_else(PoisonError::into_inner))
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

    /// Opens the database again if it failed. What failed was perhaps a full disk that has room by now.
    fn reopen(&self) -> Result<(), StoreError> {
        if self.database.read().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Ok(());
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            let reopened = open_known(&*self.segments.disk, self.segments.log, &self.failures);
            let (reopened, known) = reopened.ok_or_else(|| self.why(StoreError::index("it cannot be opened again")))?;
            *database = Some(reopened);
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        }
        Ok(())
    }

    /// News and database of one moment.
    fn snapshot(&self) -> Result<(RwLockReadGuard<'_, News>, ReadTransaction), StoreError> {
        self.segments.check()?;
        self.reopen()?;
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
        self.reopen()?;
        // What failed may have been done all the same; what is counted must not be counted twice.
        if self.ask_known(|known| known.last >= leaving.last) {
            return Ok(());
        }
        let written = {
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            let database = database.as_ref().ok_or_else(|| StoreError::index("it is closed"))?;
            shielded(|| write_news(database, self.segments.log, self.segments.first(), leaving))
        };
        match written {
            Ok(things) => {
                let known = &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.last = leaving.last;
                for (&shard, &tail) in &leaving.tails {
                    let known = known.tails.entry(shard).or_default();
                    *known = known.max_by_sequence(tail);
                }
                known.things = known.things.split_off(&self.segments.first());
                known.things.extend(things);
                Ok(())
            }
            Err(error) => {
                // After a failure the database serves nobody any more; opened again it does.
                *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
                Err(self.why(error))
            }
        }
    }

    /// What a failure of the database means. After a failed sync nobody knows what is there, in the log's files as little as
    /// in this one.
    fn why(&self, error: StoreError) -> StoreError {
        let no_room = self.failures.take_room();
        if self.failures.has_sync() {
            return self.segments.poison("sync", FILE, io::Error::other(error.to_string()));
        }
        match no_room {
            true => StoreError::Full { file: self.segments.disk.describe(FILE) },
            false => error,
        }
    }

    /// Whether what was to be written down last found no room.
    pub(crate) fn lacks_room(&self) -> bool {
        self.lacks_room.load(Ordering::Relaxed)
    }

    /// Up to `limit` entries of an execution's frames.
    fn entries(&self, name: Name, order: Order, past: Option<u64>, limit: usize) -> Result<Vec<FrameAt>, StoreError> {
        let (low, high) = match (order, past) {
            (_, None) => (0, u64::MAX),
            (Order::Ascending, Some(past)) => match past.checked_add(1) {
                Some(low) => (low, u64::MAX),
                None => return Ok(Vec::new()),
            },
            (Order::Descending, Some(past)) => match past.checked_sub(1) {
                Some(high) => (0, high),
                None => return Ok(Vec::new()),
            },
        };
        let (news, transaction) = self.snapshot()?;
        // Where a frame stands is what the newest source says. The first entries of every source are the first of all.
        let mut found = BTreeMap::new();
        let mut is_forgotten = false;
        for source in [Some(&news.gathering), news.leaving.as_deref()].into_iter().flatten() {
            if !is_forgotten {
                take_news(source, name, (low, high), order, limit, &mut found);
                is_forgotten = source.forgotten.contains(&name);
            }
        }
        drop(news);
        if !is_forgotten {
            let table = transaction.open_table(POSITIONS).map_err(StoreError::index)?;
            let mut taken = 0;
            let mut take = |chunk: &[FrameAt]| {
                let chunk = chunk.iter().filter(|entry| (low..=high).contains(&entry.0));
                for &(number, position) in chunk {
                    found.entry(number).or_insert(position);
                    taken += 1;
                }
                taken >= limit
            };
            // The chunk that holds the lowest number may begin before it.
            let first = chunk_of(&table, name, low)?.unwrap_or_else(|| position_key(name, low).to_vec());
            let last = position_key(name, high);
            let mut chunks = table.range(&first[..]..=&last[..]).map_err(StoreError::index)?;
            loop {
                let chunk = match order {
                    Order::Ascending => chunks.next(),
                    Order::Descending => chunks.next_back(),
                };
                let Some(chunk) = chunk else { break };
                let (key, value) = chunk.map_err(StoreError::index)?;
                if take(&chunk_entries(key.value(), value.value())?) {
                    break;
                }
            }
        }
        Ok(match order {
            Order::Ascending => found.into_iter().take(limit).collect(),
            Order::Descending => found.into_iter().rev().take(limit).collect(),
        })
    }

    /// What is alive of frames of one segment.
    pub(crate) fn alive(&self, frames: &[(Position, &KeptFrame)]) -> Result<Vec<Alive>, StoreError> {
        shielded(|| {
            let (news, transaction) = self.snapshot()?;
            let positions = transaction.open_table(POSITIONS).map_err(StoreError::index)?;
            let rows = transaction.open_table(ROWS).map_err(StoreError::index)?;
            let sources: Vec<&Gathered> =
                [Some(&news.gathering), news.leaving.as_deref()].into_iter().flatten().collect();
            let mut chunks = BTreeMap::new();
            let mut alive = Vec::with_capacity(frames.len());
            for &(position, kept) in frames {
                let frame = kept.frame();
                let mut found = Alive::default();
                for execution in frame.executions() {
                    let name = (frame.shard, execution);
                    let at = match news_of_frame(&sources, name, frame.sequence) {
                        Some(at) => at,
                        None => kept_position(&positions, name, frame.sequence, &mut chunks)?,
                    };
                    if at == Some(position) {
                        found.executions.push(execution);
                    }
                }
                for (key, _) in frame.keyed_rows() {
                    let changed = sources.iter().find_map(|source| source.rows.get(key));
                    let (at, value) = match changed {
                        Some((at, value)) => (*at, value.clone()),
                        None => match rows.get(key).map_err(StoreError::index)? {
                            Some(row) => {
                                let (at, value) = placed_value(key, row.value())?;
                                (at, Some(value.to_vec()))
                            }
                            None => (Position::default(), None),
                        },
                    };
                    found.rows.push(value.filter(|_| at == position));
                }
                alive.push(found);
            }
            Ok(alive)
        })
    }

    /// As [`Index::get`].
    fn row(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut full_key = Vec::new();
        put_full_key(table, key, &mut full_key);
        let (news, transaction) = self.snapshot()?;
        let leaving = news.leaving.as_ref().and_then(|leaving| leaving.rows.get(&full_key));
        if let Some((_, value)) = news.gathering.rows.get(&full_key).or(leaving) {
            return Ok(value.clone());
        }
        drop(news);
        let rows = transaction.open_table(ROWS).map_err(StoreError::index)?;
        match rows.get(&full_key[..]).map_err(StoreError::index)? {
            Some(row) => Ok(Some(placed_value(&full_key, row.value())?.1.to_vec())),
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
            Ok((key.value().to_vec(), Some(placed_value(key.value(), value.value())?.1.to_vec())))
        });
        let of_news = |gathered: &Gathered| {
            let rows = gathered.rows.range::<[u8], _>(range);
            rows.map(|(key, (_, value))| Ok((key.clone(), value.clone()))).collect::<Vec<_>>()
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
        loop {
            let first = self.segments.first();
            let entries = shielded(|| self.entries((shard, execution), order, past, limit))?;
            let read = |&(number, position): &FrameAt| self.segments.read_frame(position, shard, number);
            let frames: Result<Vec<KeptFrame>, StoreError> = entries.iter().map(read).collect();
            // A segment that was removed in between is no loss: what was alive in it stands elsewhere by now.
            if frames.is_ok() || self.segments.first() == first {
                return frames;
            }
        }
    }

    fn is_behind(&self) -> bool {
        self.ask_gathered(Gathered::is_large)
    }

    fn pack_some(&self, leave: u64) -> Result<bool, StoreError> {
        self.segments.check()?;
        let below = self.ask_known(|known| known.last.segment).saturating_sub(leave);
        self.packing.lock().unwrap_or_else(PoisonError::into_inner).go_on(&self.segments, below)
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
            let written = self.write(&leaving);
            self.lacks_room.store(written.as_ref().is_err_and(StoreError::is_full), Ordering::Relaxed);
            written?;
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

fn position_key((shard, execution): Name, sequence: u64) -> [u8; 20] {
    let mut key = [0; 20];
    key[..4].copy_from_slice(&shard.to_be_bytes());
    key[4..12].copy_from_slice(&execution.to_be_bytes());
    key[12..].copy_from_slice(&sequence.to_be_bytes());
    key
}

/// The first number in a chunk, by its key.
fn first_number(key: &[u8]) -> Result<u64, StoreError> {
    key.last_chunk().map(|number| u64::from_be_bytes(*number)).ok_or_else(broken)
}

fn chunk_entries(key: &[u8], value: &[u8]) -> Result<Vec<FrameAt>, StoreError> {
    unpack(checked(key, value)?).ok_or_else(broken)
}

/// The key of the chunk that holds a number if any does: the last one that begins at or before it.
fn chunk_of(table: &impl ReadableTable<Bytes, Bytes>, name: Name, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let (low, high) = (position_key(name, 0), position_key(name, number));
    let mut chunks = table.range(&low[..]..=&high[..]).map_err(StoreError::index)?;
    match chunks.next_back() {
        Some(chunk) => Ok(Some(chunk.map_err(StoreError::index)?.0.value().to_vec())),
        None => Ok(None),
    }
}

/// Adds the entries of an execution between two numbers that came with these news, at least the first `limit`, unless
/// they are known better.
fn take_news(
    source: &Gathered,
    name: Name,
    (low, high): (u64, u64),
    order: Order,
    limit: usize,
    found: &mut BTreeMap<u64, Position>,
) {
    if let Some(carried) = source.carried.get(&name) {
        for (&number, &position) in carried.range(low..=high) {
            found.entry(number).or_insert(position);
        }
    }
    let appended = source.appended.get(&name).map(Vec::as_slice).unwrap_or_default();
    let from = appended.partition_point(|entry| entry.0 < low);
    let to = appended.partition_point(|entry| entry.0 <= high).max(from);
    let within = &appended[from..to];
    let first = match order {
        Order::Ascending => &within[..limit.min(within.len())],
        Order::Descending => &within[within.len().saturating_sub(limit)..],
    };
    for &(number, position) in first {
        found.entry(number).or_insert(position);
    }
}

/// Where a frame of an execution stands by what is not in the database yet: `None` when nothing is said about it, no
/// position when it is forgotten.
fn news_of_frame(sources: &[&Gathered], name: Name, number: u64) -> Option<Option<Position>> {
    for source in sources {
        let carried = source.carried.get(&name).and_then(|carried| carried.get(&number)).copied();
        let appended = || {
            let appended = source.appended.get(&name)?;
            let place = appended.binary_search_by_key(&number, |entry| entry.0).ok()?;
            Some(appended[place].1)
        };
        if let Some(position) = carried.or_else(appended) {
            return Some(Some(position));
        }
        if source.forgotten.contains(&name) {
            return Some(None);
        }
    }
    None
}

/// Where a frame of an execution stands by what is in the database. `chunks` keeps what was read last of each execution.
fn kept_position(
    table: &ReadOnlyTable<Bytes, Bytes>,
    name: Name,
    number: u64,
    chunks: &mut BTreeMap<Name, Vec<FrameAt>>,
) -> Result<Option<Position>, StoreError> {
    let holds = |chunk: &Vec<FrameAt>| {
        chunk.first().is_some_and(|first| first.0 <= number) && chunk.last().is_some_and(|last| last.0 >= number)
    };
    if !chunks.get(&name).is_some_and(holds) {
        let Some(key) = chunk_of(table, name, number)? else { return Ok(None) };
        let value = table.get(&key[..]).map_err(StoreError::index)?.ok_or_else(broken)?;
        chunks.insert(name, chunk_entries(&key, value.value())?);
    }
    let chunk = chunks.get(&name).map(Vec::as_slice).unwrap_or_default();
    Ok(chunk.binary_search_by_key(&number, |entry| entry.0).ok().map(|place| chunk[place].1))
}

/// The value of a row, and where it was written.
fn placed_value<'v>(key: &[u8], value: &'v [u8]) -> Result<(Position, &'v [u8]), StoreError> {
    let mut value = checked(key, value)?;
    let segment = take_number(&mut value).ok_or_else(broken)?;
    let offset = take_number(&mut value).and_then(|offset| u32::try_from(offset).ok()).ok_or_else(broken)?;
    Ok((Position { segment, offset }, value))
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

/// Writes news down; answers what stands in the segments whose count has changed.
fn write_news(database: &Database, log: u64, first: u64, news: &Gathered) -> Result<BTreeMap<u64, Things>, StoreError> {
    let mut transaction = database.begin_write().map_err(StoreError::index)?;
    // Otherwise opening after a crash would read the whole database.
    transaction.set_quick_repair(true);
    let mut things = news.things.clone();
    let mut died = |position: Position| things.entry(position.segment).or_default().dead += 1;
    {
        let (mut packed, mut buffer) = (Vec::new(), Vec::new());
        let mut table = transaction.open_table(POSITIONS).map_err(StoreError::index)?;
        for &name in &news.forgotten {
            take_out(&mut table, name, &mut died)?;
        }
        for (&name, entries) in &news.appended {
            let key = position_key(name, entries[0].0);
            packed.clear();
            pack(entries, &mut packed);
            table.insert(&key[..], with_checksum(&key, &packed, &mut buffer)).map_err(StoreError::index)?;
        }
        for (&name, carried) in &news.carried {
            put_carried(&mut table, name, carried, &mut died)?;
        }
        let mut table = transaction.open_table(ROWS).map_err(StoreError::index)?;
        for (key, (position, value)) in &news.rows {
            let before = match value {
                Some(value) => {
                    packed.clear();
                    put_number(&mut packed, position.segment);
                    put_number(&mut packed, position.offset.into());
                    packed.extend_from_slice(value);
                    table.insert(&key[..], with_checksum(key, &packed, &mut buffer))
                }
                None => table.remove(&key[..]),
            };
            // A value that has rotten is no loss when it goes; its segment counts as a little more alive.
            let before = before.map_err(StoreError::index)?;
            if let Some(Ok((at, _))) = before.map(|before| placed_value(key, before.value()).map(|(at, _)| (at, ()))) {
                died(at);
            }
        }
        let mut table = transaction.open_table(TAILS).map_err(StoreError::index)?;
        for (shard, tail) in &news.tails {
            let key = shard.to_be_bytes();
            let before = match table.get(&key[..]).map_err(StoreError::index)? {
                Some(before) => read_tail(&key, before.value())?,
                None => Tail::default(),
            };
            let tail = before.max_by_sequence(*tail);
            let value = [tail.epoch.to_le_bytes(), tail.sequence.to_le_bytes()].concat();
            table.insert(&key[..], with_checksum(&key, &value, &mut buffer)).map_err(StoreError::index)?;
        }
        let mut table = transaction.open_table(SEGMENTS).map_err(StoreError::index)?;
        let gone = table.range(..&first.to_be_bytes()[..]).map_err(StoreError::index)?;
        let gone = gone.map(|row| Ok(row.map_err(StoreError::index)?.0.value().to_vec()));
        for key in gone.collect::<Result<Vec<_>, StoreError>>()? {
            table.remove(&key[..]).map_err(StoreError::index)?;
        }
        things = things.split_off(&first);
        for (number, things) in &mut things {
            let key = number.to_be_bytes();
            if let Some(before) = table.get(&key[..]).map_err(StoreError::index)? {
                let before = read_things(&key, before.value())?;
                (things.all, things.dead) = (things.all + before.all, things.dead + before.dead);
            }
            let value = [things.all.to_le_bytes(), things.dead.to_le_bytes()].concat();
            table.insert(&key[..], with_checksum(&key, &value, &mut buffer)).map_err(StoreError::index)?;
        }
    }
    write_about(&transaction, log, news.last)?;
    transaction.commit().map_err(StoreError::index)?;
    Ok(things)
}

/// Takes out everything of an execution.
fn take_out(
    table: &mut Table<'_, Bytes, Bytes>,
    name: Name,
    died: &mut impl FnMut(Position),
) -> Result<(), StoreError> {
    let (low, high) = (position_key(name, 0), position_key(name, u64::MAX));
    let chunks = table.range(&low[..]..=&high[..]).map_err(StoreError::index)?;
    let chunks = chunks.map(|chunk| Ok(chunk.map_err(StoreError::index)?.0.value().to_vec()));
    for key in chunks.collect::<Result<Vec<_>, StoreError>>()? {
        if let Some(chunk) = table.remove(&key[..]).map_err(StoreError::index)? {
            let entries = chunk_entries(&key, chunk.value()).unwrap_or_default();
            entries.into_iter().for_each(|(_, position)| died(position));
        }
    }
    Ok(())
}

/// Writes down where frames of an execution stand that were carried forward.
fn put_carried(
    table: &mut Table<'_, Bytes, Bytes>,
    name: Name,
    carried: &BTreeMap<u64, Position>,
    died: &mut impl FnMut(Position),
) -> Result<(), StoreError> {
    let mut carried = carried.iter().peekable();
    while let Some(&(&number, _)) = carried.peek() {
        let known = chunk_of(table, name, number)?;
        let mut entries = BTreeMap::new();
        let key = match known {
            Some(key) => {
                let chunk = table.get(&key[..]).map_err(StoreError::index)?.ok_or_else(broken)?;
                entries.extend(chunk_entries(&key, chunk.value())?);
                key
            }
            None => position_key(name, number).to_vec(),
        };
        let next = {
            let behind = (Bound::Excluded(&key[..]), Bound::Included(&position_key(name, u64::MAX)[..]));
            let mut chunks = table.range::<&[u8]>(behind).map_err(StoreError::index)?;
            match chunks.next() {
                Some(chunk) => Some(first_number(chunk.map_err(StoreError::index)?.0.value())?),
                None => None,
            }
        };
        while let Some((&number, &position)) = carried.next_if(|(number, _)| next.is_none_or(|next| **number < next)) {
            entries.insert(number, position).into_iter().for_each(&mut *died);
        }
        let (mut packed, mut buffer) = (Vec::new(), Vec::new());
        pack(&entries.into_iter().collect::<Vec<_>>(), &mut packed);
        table.insert(&key[..], with_checksum(&key, &packed, &mut buffer)).map_err(StoreError::index)?;
    }
    Ok(())
}

fn read_things(key: &[u8], value: &[u8]) -> Result<Things, StoreError> {
    let [all, dead] = two_numbers(key, value)?;
    Ok(Things { all, dead })
}

fn read_tail(key: &[u8], value: &[u8]) -> Result<Tail, StoreError> {
    let [epoch, sequence] = two_numbers(key, value)?;
    Ok(Tail { epoch, sequence })
}

/// A value that is two numbers.
fn two_numbers(key: &[u8], value: &[u8]) -> Result<[u64; 2], StoreError> {
    let (first, second) = checked(key, value)?.split_first_chunk::<8>().ok_or_else(broken)?;
    let second = second.try_into().map_err(|_| broken())?;
    Ok([u64::from_le_bytes(*first), u64::from_le_bytes(second)])
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
fn open_known(disk: &dyn Disk, log: u64, failures: &Arc<Failures>) -> Option<(Database, Known)> {
    let opened = shielded(|| {
        let database = open_database(disk.open(FILE).map_err(StoreError::index)?, failures)?;
        let known = read_known(&database, log)?;
        Ok((database, known))
    });
    opened.ok()
}

/// What the index knows, if it is one of this log and version.
fn read_known(database: &Database, log: u64) -> Result<Known, StoreError> {
    let transaction = database.begin_read().map_err(StoreError::index)?;
    let open = |table| transaction.open_table(table).map_err(StoreError::index);
    let last = open(ABOUT)?.get(ABOUT_KEY).map_err(StoreError::index)?.ok_or_else(broken)?;
    let last = read_about(last.value(), log).ok_or_else(broken)?;
    for table in [POSITIONS, ROWS] {
        open(table)?;
    }
    let mut known = Known { last, ..Known::default() };
    for row in open(TAILS)?.iter().map_err(StoreError::index)? {
        let (key, value) = row.map_err(StoreError::index)?;
        let shard = u32::from_be_bytes(key.value().try_into().map_err(|_| broken())?);
        known.tails.insert(shard, read_tail(key.value(), value.value())?);
    }
    for row in open(SEGMENTS)?.iter().map_err(StoreError::index)? {
        let (key, value) = row.map_err(StoreError::index)?;
        let number = u64::from_be_bytes(key.value().try_into().map_err(|_| broken())?);
        known.things.insert(number, read_things(key.value(), value.value())?);
    }
    Ok(known)
}

/// The last frame an index of this log and version knows.
fn read_about(value: &[u8], log: u64) -> Option<Position> {
    let about = checked(ABOUT_KEY, value).ok()?;
    let (version, about) = about.split_first_chunk::<4>()?;
    let (of_log, about) = about.split_first_chunk::<8>()?;
    let (segment, about) = about.split_first_chunk::<8>()?;
    let offset = about.first_chunk::<4>()?;
    let is_ours = u32::from_le_bytes(*version) == VERSION && u64::from_le_bytes(*of_log) == log;
    is_ours.then(|| Position { segment: u64::from_le_bytes(*segment), offset: u32::from_le_bytes(*offset) })
}

fn open_database(file: Arc<dyn DiskFile>, failures: &Arc<Failures>) -> Result<Database, StoreError> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    let file = DatabaseFile::new(file, failures.clone());
    builder.create_with_backend(file).map_err(StoreError::index)
}
