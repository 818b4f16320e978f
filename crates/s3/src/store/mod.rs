//! What is kept: metadata in a redb database, bodies on a shelf.
//!
//! One thread changes the metadata. What has gathered while it wrote becomes the next transaction, so that many changes
//! share one sync; each is acknowledged when that transaction is durable. A change looks before it writes: once it has
//! written it no longer refuses. Bodies are durable before the metadata that names them, and go after the metadata that
//! forgets them; what a crash leaves in between is swept on opening.

mod holds;
mod records;
mod shelf;
mod tables;
mod writer;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase, TableError};

pub(crate) use holds::Hold;
use holds::Holds;
pub(crate) use records::{Body, Bucket, KeptChecksum, NULL_VERSION, Object, Part, Piece, Said, Upload, Versioning};
pub(crate) use shelf::{Draft, Open, Shelf};
pub(crate) use tables::{Changes, View, behind};
use writer::Writer;

use crate::refusal::Refusal;

/// The database's file.
const FILE: &str = "metadata.redb";
/// The shelf's folder.
const SHELF: &str = "bodies";
/// Bytes of the database kept in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Everything that is kept.
pub(crate) struct Store {
    kept: Arc<Kept>,
    writer: Writer,
}

/// What the writer's thread shares.
pub(crate) struct Kept {
    /// None after the database failed, until it opens again.
    database: RwLock<Option<Database>>,
    directory: Option<std::path::PathBuf>,
    pub(crate) shelf: Shelf,
    holds: Mutex<Holds>,
    next: AtomicU64,
    /// Whether it is to stay closed.
    closed: AtomicBool,
}

impl Store {
    pub(crate) fn open(directory: Option<&Path>) -> Result<Store, io::Error> {
        let shelf = match directory {
            Some(directory) => {
                shelf::make_folder(directory)?;
                Shelf::in_directory(&directory.join(SHELF))?
            }
            None => Shelf::in_memory(),
        };
        let database = open_database(directory)?;
        let kept = Kept {
            database: RwLock::new(Some(database)),
            directory: directory.map(Path::to_owned),
            shelf,
            holds: Mutex::default(),
            next: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        };
        let (next, shelved) = kept
            .view(|view| Ok((view.next_number()?, view.shelved()?)))
            .map_err(|refusal| io::Error::other(refusal.to_string()))?;
        let mut next = next;
        for number in kept.shelf.numbers()? {
            next = next.max(number + 1);
            if shelved.binary_search(&number).is_err() {
                kept.shelf.remove(number)?;
            }
        }
        kept.next.store(next, Ordering::Relaxed);
        let kept = Arc::new(kept);
        let writer = Writer::start(kept.clone())?;
        Ok(Store { kept, writer })
    }

    /// A number nothing else has, or had.
    pub(crate) fn number(&self) -> u64 {
        self.kept.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    /// Reads from the metadata as it is now.
    pub(crate) fn view<T>(&self, read: impl FnOnce(&View) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.kept.view(read)
    }

    /// Reads where a body is, and holds its bytes for as long as the hold lives.
    pub(crate) fn hold<T>(
        &self,
        read: impl FnOnce(&View) -> Result<(T, Vec<u64>), Refusal>,
    ) -> Result<(T, Hold), Refusal> {
        // A body is let go only behind this lock: who looks now sees either that it is there, or that it is not named.
        let mut holds = self.kept.holds.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, bodies) = self.kept.view(read)?;
        holds.take(&bodies);
        Ok((found, Hold::new(self.kept.clone(), bodies)))
    }

    /// Changes the metadata; when this is done, the change is durable.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Changes<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.writer.change(change).await
    }
}

impl Kept {
    fn view<T>(&self, read: impl FnOnce(&View) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| Refusal::broken("the database failed"))?;
        let transaction = database.begin_read()?;
        read(&View::open(&transaction)?)
    }

    /// Nothing names these bodies any more.
    fn let_go(&self, bodies: &[u64]) {
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        for body in bodies {
            if !holds.condemn(*body) {
                self.remove(*body);
            }
        }
    }

    /// Takes a body's bytes away. Should it fail, they stay until the next opening.
    pub(crate) fn remove(&self, body: u64) {
        if let Err(error) = self.shelf.remove(body) {
            tracing::warn!(body, %error, "the bytes of a deleted object are still there");
        }
    }

    /// Closes the database, so that the next opening need not look for what a crash might have left. Nothing can be
    /// asked afterwards.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.database.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Whether the database failed, and did not open again yet.
    fn is_broken(&self) -> bool {
        let is_closed = self.closed.load(Ordering::Relaxed);
        !is_closed && self.database.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Opens the database again after it failed.
    fn reopen(&self) -> Result<(), io::Error> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // In memory there is nothing to go back to, and nothing that fails.
        if self.directory.is_some() && !self.closed.load(Ordering::Relaxed) {
            *database = None;
            *database = Some(open_database(self.directory.as_deref())?);
        }
        Ok(())
    }
}

fn open_database(directory: Option<&Path>) -> Result<Database, io::Error> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    let database = match directory {
        Some(directory) => {
            let path = directory.join(FILE);
            let mut options = std::fs::File::options();
            options.read(true).write(true).create(true).truncate(false);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            builder.create_file(options.open(path)?)
        }
        None => builder.create_with_backend(InMemoryBackend::new()),
    };
    let database = database.map_err(io::Error::other)?;
    make_tables(&database).map_err(io::Error::other)?;
    Ok(database)
}

/// Who reads finds every table there. Where they are nothing is written: a full disk is no reason not to open them.
fn make_tables(database: &Database) -> Result<(), redb::Error> {
    match View::open(&database.begin_read()?) {
        Ok(_) => return Ok(()),
        Err(TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let transaction = database.begin_write()?;
    drop(Changes::open(&transaction)?);
    transaction.commit()?;
    Ok(())
}
