//! Database files: where a place has its own, how one is begun, and which files are refused.
//!
//! A file is begun under another name and renamed when it is whole, so that whatever bears a database's name is one.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dynoxide::storage::Storage;
use stepwell_protocol::Place;
#[cfg(unix)]
use stepwell_protocol::percent_encode;

/// What the header of our files says they are: SQLite's `application_id`, the bytes `SwDd`.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"SwDd");

const EXTENSION: &str = "sqlite";

/// Why the databases cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The directory or a file in it cannot be read or written.
    Io(PathBuf, io::Error),
    /// A file has a database's name and is none of ours.
    Foreign(PathBuf),
    /// A database cannot be read: damaged, in use by another process, or of a newer version.
    Database(PathBuf, String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Io(path, error) => write!(f, "{}: {error}", path.display()),
            OpenError::Foreign(path) => write!(f, "{}: not a database of the local DynamoDB", path.display()),
            OpenError::Database(path, reason) => {
                write!(f, "{}: the database of the local DynamoDB cannot be opened: {reason}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// The file of a place; `None` where its account or region could not be part of a file's name.
pub(crate) fn path_of(directory: &Path, place: &Place) -> Option<PathBuf> {
    is_place(&place.account, &place.region)
        .then(|| directory.join(format!("{}.{}.{EXTENSION}", place.account, place.region)))
}

fn is_place(account: &str, region: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=64).contains(&region.len())
        && region.bytes().all(plain)
}

/// Every place that has a file.
pub(crate) fn places(directory: &Path) -> Result<Vec<Place>, OpenError> {
    let failed = |error| OpenError::Io(directory.to_owned(), error);
    let mut places = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let parts: Option<Vec<&str>> = name.to_str().map(|name| name.split('.').collect());
        if let Some([account, region, EXTENSION]) = parts.as_deref()
            && is_place(account, region)
        {
            places.push(Place { account: Arc::from(*account), region: Arc::from(*region) });
        }
    }
    places.sort();
    Ok(places)
}

/// Makes the directory, so that it is there after a loss of power.
pub(crate) fn make_directory(directory: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::Io(directory.to_owned(), error);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    // What is in tables is nobody else's business.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(failed)?;
    let above = directory.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync(above)
}

/// The database at this path, begun when there is none.
pub(crate) fn open(path: &Path) -> Result<Storage, OpenError> {
    match path.try_exists().map_err(|error| OpenError::Io(path.to_owned(), error))? {
        true => check(path)?,
        false => begin(path)?,
    }
    let storage = storage(path)?;
    tune(&storage).map_err(|reason| OpenError::Database(path.to_owned(), reason))?;
    Ok(storage)
}

fn storage(path: &Path) -> Result<Storage, OpenError> {
    let text = path.to_str().ok_or_else(|| OpenError::Database(path.to_owned(), "its path is not text".to_owned()))?;
    Storage::new(&name_of(text)).map_err(|error| OpenError::Database(path.to_owned(), error.to_string()))
}

/// What SQLite opens by a file system of its own that lets nobody else in and needs no file for what readers and writers
/// share. On a full disk there would be no room for one, and nothing could be read.
#[cfg(unix)]
fn name_of(path: &str) -> String {
    format!("file:{}?vfs=unix-excl", percent_encode(path, b"/"))
}

#[cfg(not(unix))]
fn name_of(path: &str) -> String {
    path.to_owned()
}

/// What SQLite writes ahead of the database at this path. While the database is open it is one and the same file.
pub(crate) fn open_log(path: &Path) -> Result<File, OpenError> {
    let mut log = path.to_owned().into_os_string();
    log.push("-wal");
    let log = PathBuf::from(log);
    let file = File::options().read(true).write(true).open(&log).map_err(|error| OpenError::Io(log, error))?;
    sync(path.parent().unwrap_or(Path::new(".")))?;
    Ok(file)
}

/// A commit is written into the log, and not yet synced: many are at once (see `syncing.rs`). SQLite syncs the log before it
/// moves it into the database, and the database before it uses the log anew, so the two are never at odds.
fn tune(storage: &Storage) -> Result<(), String> {
    let told = |error: &dyn fmt::Display| error.to_string();
    storage.conn().pragma_update(None, "synchronous", "NORMAL").map_err(|error| told(&error))?;
    let mode: String =
        storage.conn().pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(|error| told(&error))?;
    let level: i64 =
        storage.conn().pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(|error| told(&error))?;
    match (mode.as_str(), level) {
        ("wal", 1) => Ok(()),
        _ => Err(format!("it does not keep what it commits (journal_mode {mode}, synchronous {level})")),
    }
}

fn begin(path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::Io(path.to_owned(), error);
    let unfinished = path.with_extension("begun");
    for suffix in ["", "-wal", "-shm"] {
        let mut leftover = unfinished.clone().into_os_string();
        leftover.push(suffix);
        match fs::remove_file(&leftover) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    let begun = storage(&unfinished)?;
    let told = |error: &dyn fmt::Display| OpenError::Database(path.to_owned(), error.to_string());
    begun.conn().pragma_update(None, "application_id", APPLICATION_ID).map_err(|error| told(&error))?;
    // The last connection moves the write-ahead log into the file and removes it.
    drop(begun);
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(&unfinished, path).map_err(failed)?;
    sync(path.parent().unwrap_or(Path::new(".")))
}

/// Refuses what was not begun here, before anything is written into it.
fn check(path: &Path) -> Result<(), OpenError> {
    let mut header = [0; 72];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) if header.starts_with(b"SQLite format 3\0") && header[68..] == APPLICATION_ID.to_be_bytes() => Ok(()),
        Ok(()) => Err(OpenError::Foreign(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(OpenError::Foreign(path.to_owned())),
        Err(error) => Err(OpenError::Io(path.to_owned(), error)),
    }
}

fn sync(directory: &Path) -> Result<(), OpenError> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|error| OpenError::Io(directory.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use stepwell_protocol::Place;

    use super::{make_directory, open, path_of};

    #[test]
    fn only_an_account_and_a_region_become_a_file() {
        let check = |account: &str, region: &str, expected: Option<&str>| {
            let place = Place { account: account.into(), region: region.into() };
            assert_eq!(path_of(Path::new("d"), &place).as_deref(), expected.map(Path::new), "{account} {region}");
        };
        check("123456789012", "us-east-1", Some("d/123456789012.us-east-1.sqlite"));
        check("123456789012", "../../etc", None);
        check("123456789012", "", None);
        check("123456789012", "US-EAST-1", None);
        check("12345678901", "us-east-1", None);
        check("../456789012", "us-east-1", None);
    }

    #[cfg(unix)]
    #[test]
    fn beside_a_database_is_its_log_alone_whatever_its_directory_is_called() {
        let directory = std::env::temp_dir().join(format!("stepwell-dynamodb-{}-a ?b#c%20d&e=é", std::process::id()));
        make_directory(&directory).expect("a directory");
        let path = directory.join("123456789012.us-east-1.sqlite");
        let database = open(&path).expect("a database");
        let mut names: Vec<_> = std::fs::read_dir(&directory).expect("it is there").flatten().collect();
        names.sort_by_key(std::fs::DirEntry::file_name);
        let log = path.with_extension("sqlite-wal");
        assert_eq!(names.iter().map(std::fs::DirEntry::path).collect::<Vec<_>>(), [path, log]);
        drop(database);
        std::fs::remove_dir_all(&directory).expect("it is taken away");
    }
}
