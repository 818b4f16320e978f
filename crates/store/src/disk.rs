//! The few file operations the store needs, as a trait: a directory of the operating system here, a disk that tears
//! writes and loses what was not synced in the tests. Knows names and bytes, and nothing of what they mean.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::StoreError;

/// One flat directory of files.
pub trait Disk: Debug + Send + Sync {
    /// The names in it, in any order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A new, empty file. Fails when there is one of this name.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// A file that is there, to read and write.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name. Durable after [`Disk::sync_names`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Takes a name away. Durable after [`Disk::sync_names`].
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes the names durable.
    fn sync_names(&self) -> io::Result<()>;
    /// The name as people know it: with the directory before it.
    fn describe(&self, name: &str) -> String;
}

/// An open file.
pub trait DiskFile: Debug + Send + Sync {
    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Fills `bytes` from this offset on. Fails when the file ends before.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;
    /// Writes all of `bytes` from this offset on.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written durable. After a failure nobody knows what is: never try it again on this file.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file, or lengthens it with zeroes.
    fn set_length(&self, length: u64) -> io::Result<()>;
}

/// A directory of the operating system, locked for as long as this value lives.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Kept open to sync its names: there may be no descriptor left when that is due.
    #[cfg(unix)]
    names: File,
    _lock: File,
}

/// Held locked while a store is open. It stays behind, empty.
const LOCK: &str = "LOCK";

impl Directory {
    /// Opens a directory, making it (mode 0700) where there is none, and locks it.
    ///
    /// `is_ours` says which names a store of ours may have; a directory with others and none of `must_have` is refused,
    /// and left as it is.
    pub(crate) fn open(path: &Path, must_have: &str, is_ours: fn(&str) -> bool) -> Result<Directory, StoreError> {
        let shown = path.display().to_string();
        make_directory(path).map_err(StoreError::io("make the directory", &shown))?;
        let read = |error| StoreError::io("read the directory", &shown)(error);
        let names = names_in(path).map_err(read)?;
        if !names.iter().any(|name| name == must_have)
            && let Some(file) = names.into_iter().find(|name| name != LOCK && name != "lost+found" && !is_ours(name))
        {
            return Err(StoreError::NotAStore { directory: shown, file });
        }
        restrict(path, 0o700).map_err(StoreError::io("restrict access to", &shown))?;
        let lock_path = path.join(LOCK);
        let open = options().create(true).truncate(false).open(&lock_path);
        let lock = open.map_err(StoreError::io("open", lock_path.display().to_string()))?;
        #[cfg(unix)]
        let names = File::open(path).map_err(StoreError::io("open the directory", &shown))?;
        match lock.try_lock() {
            Ok(()) => Ok(Directory {
                path: path.to_owned(),
                #[cfg(unix)]
                names,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { directory: shown }),
            Err(TryLockError::Error(error)) => Err(StoreError::io("lock", lock_path.display().to_string())(error)),
        }
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        names_in(&self.path)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(options().create_new(true).open(self.path.join(name))?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(options().open(self.path.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    #[cfg(unix)]
    fn sync_names(&self) -> io::Result<()> {
        self.names.sync_all()
    }

    #[cfg(windows)]
    fn sync_names(&self) -> io::Result<()> {
        sync_directory(&self.path)
    }

    fn describe(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        positioned::read(self, offset, bytes)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        positioned::write(self, offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

fn names_in(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

#[cfg(unix)]
mod positioned {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;

    pub(super) fn read(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        file.read_exact_at(bytes, offset)
    }

    pub(super) fn write(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }
}

#[cfg(windows)]
mod positioned {
    use std::fs::File;
    use std::io;
    use std::os::windows::fs::FileExt;

    pub(super) fn read(file: &File, mut offset: u64, mut bytes: &mut [u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match file.seek_read(bytes, offset)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => (offset, bytes) = (offset + count as u64, &mut bytes[count..]),
            }
        }
        Ok(())
    }

    pub(super) fn write(file: &File, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match file.seek_write(bytes, offset)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => (offset, bytes) = (offset + count as u64, &bytes[count..]),
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

#[cfg(windows)]
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

/// Makes the directory and those above it, and its name durable.
fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    sync_directory(parent.unwrap_or(Path::new(".")))
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::metadata(path)?.permissions();
    if permissions.mode() & 0o777 == mode {
        Ok(())
    } else {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }
}

/// Access is the parent folder's affair there.
#[cfg(windows)]
fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A directory cannot be opened as a file there; the file system journals names by itself.
#[cfg(windows)]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
