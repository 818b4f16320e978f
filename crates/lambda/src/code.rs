//! Code that was uploaded: each zip once, under the digest of its bytes, and unpacked anew in each life of the server.
//!
//! The zips are what is kept. What is unpacked of them is scratch, so that a power failure in the middle of it costs nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use stepwell_protocol::blob_text;
use tokio::sync::OnceCell;

use crate::archive::{ZipFault, unpack};
use crate::clock;
use crate::refusal::Refusal;
use crate::settings::OpenError;

/// The zips of a directory, and a scratch directory of this life.
#[derive(Debug)]
pub(crate) struct CodeStore {
    home: PathBuf,
    zips: PathBuf,
    scratch: PathBuf,
    /// Made by this process for itself, and taken away at the end.
    own: Option<PathBuf>,
    /// Which zips are unpacked.
    trees: Mutex<BTreeMap<Arc<str>, Arc<OnceCell<PathBuf>>>>,
}

impl CodeStore {
    /// The zips of a directory. Without one they live as long as this.
    pub(crate) fn open(directory: Option<&Path>) -> Result<CodeStore, OpenError> {
        let (home, own) = match directory {
            Some(directory) => (directory.to_path_buf(), None),
            None => {
                let home = passing_directory().join(format!("stepwell-lambda-{}", clock::uuid()));
                (home.clone(), Some(home))
            }
        };
        let (zips, scratch) = (home.join("code"), home.join("run"));
        let tell = |path: &Path| {
            let path = path.to_path_buf();
            move |error| OpenError::Directory { path, error }
        };
        for path in [&zips, &scratch] {
            make_private(path).map_err(tell(path))?;
        }
        // Not taken away and made anew: on a full disk there may be no room for it any more.
        clear(&scratch).map_err(tell(&scratch))?;
        // Processes are told this path, and some of them change their directory.
        let scratch = fs::canonicalize(&scratch).map_err(tell(&scratch))?;
        Ok(CodeStore { home, zips, scratch, own, trees: Mutex::default() })
    }

    /// Where everything is.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// A directory that goes away with this life.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Looks through a zip and keeps it. Gives the digest it is kept under.
    pub(crate) async fn keep(self: &Arc<Self>, zip: Vec<u8>) -> Result<Arc<str>, Refusal> {
        let digest: Arc<str> = clock::hex(&Sha256::digest(&zip)).into();
        let (store, name, zip) = (self.clone(), digest.clone(), Arc::new(zip));
        self.unpacked(&digest, Some(zip.clone())).await.map_err(refused)?;
        tokio::task::spawn_blocking(move || store.write(&name, &zip))
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| {
                tracing::error!(%error, "code could not be written");
                Refusal::broken("The code could not be kept: its storage failed.")
            })?;
        Ok(digest)
    }

    /// The directory a kept zip is unpacked in.
    pub(crate) async fn tree(self: &Arc<Self>, digest: &Arc<str>) -> Result<PathBuf, ZipFault> {
        self.unpacked(digest, None).await
    }

    /// Takes a zip away that no function has any more.
    pub(crate) fn forget(&self, digest: &str) {
        self.lock().remove(digest);
        for gone in [fs::remove_file(self.zip(digest)), fs::remove_dir_all(self.scratch.join(digest))] {
            if let Err(error) = gone
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "code that is not needed stays");
            }
        }
    }

    /// Takes away what lived only as long as this.
    pub(crate) fn close(&self) {
        let path = self.own.as_ref().unwrap_or(&self.scratch);
        if let Err(error) = fs::remove_dir_all(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %path.display(), "scratch space stays");
        }
    }

    pub(crate) fn zip(&self, digest: &str) -> PathBuf {
        self.zips.join(format!("{digest}.zip"))
    }

    async fn unpacked(self: &Arc<Self>, digest: &Arc<str>, zip: Option<Arc<Vec<u8>>>) -> Result<PathBuf, ZipFault> {
        let cell = self.lock().entry(digest.clone()).or_default().clone();
        let unpacking = || async {
            let (store, digest) = (self.clone(), digest.clone());
            let work = move || {
                let zip = match zip {
                    Some(zip) => zip,
                    None => Arc::new(fs::read(store.zip(&digest)).map_err(|error| ZipFault::Disk(error.to_string()))?),
                };
                store.unpack(&digest, &zip)
            };
            tokio::task::spawn_blocking(work).await.map_err(|error| ZipFault::Disk(error.to_string())).flatten()
        };
        cell.get_or_try_init(unpacking).await.cloned()
    }

    fn unpack(&self, digest: &str, zip: &[u8]) -> Result<PathBuf, ZipFault> {
        let tree = self.scratch.join(digest);
        let disk = |error: io::Error| ZipFault::Disk(error.to_string());
        make_private(&tree).map_err(disk)?;
        let done = unpack(zip, &tree);
        if done.is_err() {
            fs::remove_dir_all(&tree).map_err(disk)?;
        }
        done.map(|()| tree)
    }

    /// On disk under its name when this returns, whatever happens to the machine.
    fn write(&self, digest: &str, zip: &[u8]) -> io::Result<()> {
        let path = self.zip(digest);
        if fs::metadata(&path).is_ok_and(|kept| kept.len() == zip.len() as u64) {
            return Ok(());
        }
        let draft = self.zips.join(format!("{digest}.{}", clock::uuid()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(zip)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        fs::File::open(&self.zips)?.sync_all()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Arc<str>, Arc<OnceCell<PathBuf>>>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CodeStore {
    /// What lives as long as this goes with it, though nobody closed it.
    fn drop(&mut self) {
        if self.own.is_some() {
            self.close();
        }
    }
}

fn refused(fault: ZipFault) -> Refusal {
    match fault {
        ZipFault::Disk(reason) => Refusal::broken(ZipFault::Disk(reason).to_string()),
        fault => Refusal::invalid(fault.to_string()),
    }
}

/// Where something may be for a while: not in what functions may write to by name, if there is a place beside it.
fn passing_directory() -> PathBuf {
    let (usual, other) = (std::env::temp_dir(), PathBuf::from("/var/tmp"));
    if usual.starts_with("/tmp") && other.is_dir() { other } else { usual }
}

/// Takes away what is in a directory.
fn clear(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

/// Makes a directory that only its owner may enter.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A digest in hexadecimal letters as the API shows it.
pub(crate) fn digest_text(hex: &str) -> String {
    let bytes: Vec<u8> =
        (0..hex.len() / 2).filter_map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()).collect();
    blob_text(&bytes)
}

/// The digest of bytes as the API shows it.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    blob_text(&Sha256::digest(bytes))
}
