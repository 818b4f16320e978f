//! Where bodies too large for a table stand: a file each, named by a number of ours, or memory.
//!
//! No name of a file stems from a key, a bucket or anything else a client says.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Files in one folder of the shelf, so that no folder holds millions.
const FILES_IN_A_FOLDER: u64 = 1024;

#[derive(Debug)]
pub(crate) enum Shelf {
    Files(PathBuf),
    Memory(Mutex<BTreeMap<u64, Arc<Vec<Bytes>>>>),
}

/// A body that is being written.
#[derive(Debug)]
pub(crate) enum Draft {
    File { file: File, path: PathBuf },
    Memory(Vec<Bytes>),
}

/// A body that is being read.
#[derive(Debug)]
pub(crate) enum Open {
    File(File),
    Memory(Arc<Vec<Bytes>>),
}

impl Shelf {
    pub(super) fn in_directory(directory: &Path) -> io::Result<Shelf> {
        make_folder(directory)?;
        Ok(Shelf::Files(directory.to_owned()))
    }

    pub(super) fn in_memory() -> Shelf {
        Shelf::Memory(Mutex::default())
    }

    fn path(directory: &Path, number: u64) -> PathBuf {
        directory.join(format!("{:08x}", number / FILES_IN_A_FOLDER)).join(format!("{number:016x}"))
    }

    /// Begins a body. Nothing refers to it yet; should nothing ever, the next opening removes it.
    pub(crate) fn draft(&self, number: u64) -> io::Result<Draft> {
        match self {
            Shelf::Memory(_) => Ok(Draft::Memory(Vec::new())),
            Shelf::Files(directory) => {
                let path = Shelf::path(directory, number);
                if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
                    make_folder(folder)?;
                    sync_folder(directory)?;
                }
                let mut options = File::options();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                Ok(Draft::File { file: options.open(&path)?, path })
            }
        }
    }

    /// Makes a body durable.
    pub(crate) fn finish(&self, number: u64, draft: Draft) -> io::Result<()> {
        match (self, draft) {
            (_, Draft::File { file, path }) => {
                file.sync_all()?;
                path.parent().map_or(Ok(()), sync_folder)
            }
            (Shelf::Memory(bodies), Draft::Memory(bytes)) => {
                bodies.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::new(bytes));
                Ok(())
            }
            (Shelf::Files(_), Draft::Memory(_)) => Err(io::Error::other("a body of memory for a shelf of files")),
        }
    }

    pub(crate) fn open(&self, number: u64) -> io::Result<Open> {
        match self {
            Shelf::Files(directory) => Ok(Open::File(File::open(Shelf::path(directory, number))?)),
            Shelf::Memory(bodies) => {
                let bodies = bodies.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(Open::Memory(bodies.get(&number).cloned().ok_or(io::ErrorKind::NotFound)?))
            }
        }
    }

    /// Takes a body away. One that is not there any more is no failure.
    pub(crate) fn remove(&self, number: u64) -> io::Result<()> {
        match self {
            Shelf::Files(directory) => match fs::remove_file(Shelf::path(directory, number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
            Shelf::Memory(bodies) => {
                bodies.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
                Ok(())
            }
        }
    }

    /// Numbers of everything that stands here.
    pub(super) fn numbers(&self) -> io::Result<Vec<u64>> {
        let Shelf::Files(directory) = self else { return Ok(Vec::new()) };
        let mut numbers = Vec::new();
        for folder in fs::read_dir(directory)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let name = file?.file_name();
                numbers.extend(name.to_str().and_then(|name| u64::from_str_radix(name, 16).ok()));
            }
        }
        Ok(numbers)
    }
}

impl Draft {
    pub(crate) fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        match self {
            Draft::File { file, .. } => file.write_all(&bytes),
            Draft::Memory(kept) => {
                kept.push(bytes);
                Ok(())
            }
        }
    }
}

impl Open {
    /// At most so many bytes from there on; fewer only at the end.
    pub(crate) fn read(&mut self, at: u64, length: usize) -> io::Result<Bytes> {
        match self {
            Open::File(file) => {
                file.seek(SeekFrom::Start(at))?;
                let mut bytes = Vec::with_capacity(length);
                file.take(length as u64).read_to_end(&mut bytes)?;
                Ok(bytes.into())
            }
            Open::Memory(chunks) => {
                let mut at = usize::try_from(at).map_err(io::Error::other)?;
                for chunk in chunks.iter() {
                    if at < chunk.len() {
                        return Ok(chunk.slice(at..chunk.len().min(at + length)));
                    }
                    at -= chunk.len();
                }
                Ok(Bytes::new())
            }
        }
    }
}

/// Only for us, as all data.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
