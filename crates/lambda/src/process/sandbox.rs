//! What a function is kept from: files that are not its own, other processes, and calls of the system that no function needs.
//!
//! The thread that starts a process puts itself behind these walls first, and what it starts inherits them; nothing takes them
//! down again. So no code runs between fork and exec, and the server's own threads stay free. What the system has not is left
//! out and told of once.

#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod rights;
#[cfg(target_os = "linux")]
mod syscalls;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::settings::LambdaSettings;

/// The walls around the functions of a server.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    is_on: bool,
    /// What no function may look into, with symbolic links followed.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    hidden: Arc<[PathBuf]>,
    has_told: Arc<AtomicBool>,
}

/// What is inside of the walls, for one process.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(crate) struct Ground {
    /// The function's code, which it may read and run.
    pub(crate) task: PathBuf,
    /// What reads events for it.
    pub(crate) runtime: PathBuf,
    /// Where it may write.
    pub(crate) temporary: PathBuf,
}

impl Sandbox {
    /// Around functions that are kept in `home`.
    pub(crate) fn new(settings: &LambdaSettings, home: &Path) -> io::Result<Sandbox> {
        let hidden: io::Result<Arc<[PathBuf]>> =
            settings.hidden.iter().map(PathBuf::as_path).chain([home]).map(Path::canonicalize).collect();
        Ok(Sandbox { is_on: settings.sandbox, hidden: hidden?, has_told: Arc::default() })
    }

    /// Puts the thread that calls this behind the walls, for ever, and what it starts with it.
    pub(crate) fn enter(&self, ground: &Ground) -> io::Result<()> {
        let mut limits = Vec::new();
        give_up_privileges(&mut limits);
        if self.is_on {
            self.put_up(ground, &mut limits)?;
        }
        if !limits.is_empty() && !self.has_told.swap(true, Ordering::Relaxed) {
            tracing::warn!("what the sandbox of functions cannot do here: {}", limits.join("; "));
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn put_up(&self, ground: &Ground, limits: &mut Vec<String>) -> io::Result<()> {
        files::restrict(&self.hidden, ground, limits)?;
        rights::give_up()?;
        syscalls::restrict(limits)
    }

    #[cfg(not(target_os = "linux"))]
    fn put_up(&self, _: &Ground, limits: &mut Vec<String>) -> io::Result<()> {
        limits.push("keep them from anything: on this system they can do what the server's user can".to_owned());
        Ok(())
    }
}

/// After this no program gains rights by being started: set-user-id bits count for nothing.
fn give_up_privileges(limits: &mut Vec<String>) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        limits.push(format!("keep functions from gaining privileges ({error})"));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = limits;
}
