//! The thread that brings the index up to date, so that nobody waits for it. Knows nothing of what is in it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use stepwell_store::Index;

/// The way to it.
pub(super) struct IndexKeeper {
    sender: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl IndexKeeper {
    /// Gives an index a thread.
    pub(super) fn start(index: Arc<dyn Index>) -> io::Result<IndexKeeper> {
        let (sender, wakes) = sync_channel(1);
        let thread = std::thread::Builder::new().name("stepwell-index".to_owned()).spawn(move || {
            while wakes.recv().is_ok() {
                if let Err(fault) = index.catch_up() {
                    tracing::warn!(%fault, "the index is behind the log; opening will take longer");
                }
            }
        })?;
        Ok(IndexKeeper { sender, thread })
    }

    /// There is something to write down.
    pub(super) fn wake(&self) {
        // Woken already, it takes this along.
        let _ = self.sender.try_send(());
    }

    /// Writes down what there is, and ends.
    pub(super) fn end(self) {
        // It may be at work, or woken and not there yet: this one comes after.
        let _ = self.sender.send(());
        drop(self.sender);
        // That it could not was said when it could not.
        let _ = self.thread.join();
    }
}
