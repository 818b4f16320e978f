//! Commits on their way to the disk: calls that end together wait for one sync.
//!
//! SQLite writes a commit into its log and does not wait. A commit's number is drawn while the database is held; the call
//! waits here afterwards, while others go on. Who only reads waits for what it may have seen.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What puts on the disk all that was written before it began.
type Sync = Box<dyn Fn() -> io::Result<()> + Send + std::marker::Sync>;

/// Commits of one database.
pub(crate) struct Syncing {
    sync: Sync,
    /// The number of the last commit.
    committed: AtomicU64,
    progress: Mutex<Progress>,
    turned: Condvar,
}

#[derive(Default)]
struct Progress {
    /// The last commit that is on the disk.
    synced: u64,
    /// Whether somebody syncs.
    is_running: bool,
    /// A disk that failed once may say that all is well the next time, and have lost what it was given: nothing is
    /// acknowledged any more.
    failed: Option<String>,
}

impl Syncing {
    pub(crate) fn new(sync: Sync) -> Syncing {
        Syncing { sync, committed: AtomicU64::new(0), progress: Mutex::default(), turned: Condvar::new() }
    }

    /// Something was committed, or may have been.
    pub(crate) fn count_commit(&self) {
        self.committed.fetch_add(1, Ordering::SeqCst);
    }

    /// The number of the last commit.
    pub(crate) fn last_commit(&self) -> u64 {
        self.committed.load(Ordering::SeqCst)
    }

    /// Returns when this commit is on the disk.
    pub(crate) fn wait_for(&self, commit: u64) -> Result<(), String> {
        let mut progress = self.progress();
        loop {
            if let Some(reason) = &progress.failed {
                return Err(reason.clone());
            }
            if progress.synced >= commit {
                return Ok(());
            }
            if progress.is_running {
                progress = self.turned.wait(progress).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            progress.is_running = true;
            drop(progress);
            let covered = self.last_commit();
            let done = (self.sync)();
            progress = self.progress();
            progress.is_running = false;
            match done {
                Ok(()) => progress.synced = covered,
                Err(error) => progress.failed = Some(format!("The disk did not take what was written: {error}")),
            }
            self.turned.notify_all();
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::Syncing;

    #[test]
    fn calls_that_end_together_share_a_sync_and_none_returns_before_its_own() {
        let (written, on_disk, syncs) =
            (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let sync = {
            let (written, on_disk, syncs) = (written.clone(), on_disk.clone(), syncs.clone());
            move || {
                let covered = written.load(Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(2));
                on_disk.fetch_max(covered, Ordering::SeqCst);
                syncs.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        };
        let syncing = Syncing::new(Box::new(sync));
        let (threads, each) = (8, 20);
        let held = std::sync::Mutex::new(());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..each {
                        let guard = held.lock().expect("held");
                        let mine = written.fetch_add(1, Ordering::SeqCst) + 1;
                        syncing.count_commit();
                        let commit = syncing.last_commit();
                        drop(guard);
                        syncing.wait_for(commit).expect("synced");
                        assert!(on_disk.load(Ordering::SeqCst) >= mine);
                    }
                });
            }
        });
        let syncs = syncs.load(Ordering::SeqCst);
        assert!(syncs < threads * each / 2, "{syncs} syncs for {} commits", threads * each);
    }

    #[test]
    fn nothing_to_sync_is_nothing_to_wait_for() {
        let syncing = Syncing::new(Box::new(|| panic!("synced")));
        assert_eq!(syncing.wait_for(syncing.last_commit()), Ok(()));
    }

    #[test]
    fn a_disk_that_failed_is_not_believed_again() {
        let turns = AtomicU64::new(0);
        let syncing = Syncing::new(Box::new(move || match turns.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(()),
            1 => Err(io::Error::other("broken")),
            _ => Ok(()),
        }));
        let wait = || {
            syncing.count_commit();
            syncing.wait_for(syncing.last_commit())
        };
        assert_eq!(wait(), Ok(()));
        for _ in 0..2 {
            assert_eq!(wait(), Err("The disk did not take what was written: broken".to_owned()));
        }
    }
}
