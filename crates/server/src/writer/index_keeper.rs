//! The thread that brings the index up to date and packs what is behind it, so that nobody waits for either. Knows nothing
//! of what is in them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use stepwell_store::{Index, StoreError};

use crate::shard::Answers;

/// Segments that wait to be packed until there is time for it: a gibibyte. With more of them time is taken, since a server that never
/// rests would never pack any.
const UNPACKED_MAX: u64 = 16;

/// What there is to do.
#[derive(Clone, Copy)]
enum Work {
    /// Write down what is not in the index yet.
    CatchUp,
    /// Make smaller what nobody writes to any more.
    Pack,
}

impl Work {
    /// What it means that it could not be done.
    fn undone(self) -> &'static str {
        match self {
            Work::CatchUp => "the index is behind the log; opening will take longer",
            Work::Pack => "what is kept is not packed until the next start",
        }
    }
}

/// The way to it.
pub(super) struct IndexKeeper {
    sender: SyncSender<()>,
    /// Whether nothing else happens at the moment.
    is_still: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl IndexKeeper {
    /// Gives an index a thread. After a failed sync nothing can be kept any more, which `answers` passes on: whoever is
    /// idle would not notice.
    pub(super) fn start(index: Arc<dyn Index>, answers: Answers) -> io::Result<IndexKeeper> {
        let (sender, wakes) = sync_channel(1);
        let is_still = Arc::<AtomicBool>::default();
        let has_time = is_still.clone();
        let thread = std::thread::Builder::new().name("stepwell-index".to_owned()).spawn(move || {
            let mut can_pack = false;
            while let Some(work) = next(&wakes, can_pack) {
                let done = match work {
                    Work::CatchUp => index.catch_up().map(|()| true),
                    // In steps, so that the index does not fall behind meanwhile.
                    Work::Pack => index.pack_some(if has_time.load(Ordering::Relaxed) { 0 } else { UNPACKED_MAX }),
                };
                can_pack = match done {
                    Ok(is_more) => is_more,
                    Err(fault @ StoreError::Poisoned { .. }) => {
                        tracing::error!(%fault, "the index cannot be kept; nothing more is answered");
                        answers.end();
                        return;
                    }
                    Err(fault) => {
                        tracing::warn!(%fault, "{}", work.undone());
                        false
                    }
                };
            }
        })?;
        Ok(IndexKeeper { sender, is_still, thread })
    }

    /// There is something to write down.
    pub(super) fn wake(&self) {
        // Woken already, it takes this along.
        let _ = self.sender.try_send(());
    }

    /// Nothing has come for a while, so that there is time for everything; or something comes again.
    pub(super) fn rest(&self, is_still: bool) {
        self.is_still.store(is_still, Ordering::Relaxed);
        if is_still {
            self.wake();
        }
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

/// What to do next, once there is something; `None` when it is over.
fn next(wakes: &Receiver<()>, can_pack: bool) -> Option<Work> {
    if !can_pack {
        return wakes.recv().ok().map(|()| Work::CatchUp);
    }
    match wakes.try_recv() {
        Ok(()) => Some(Work::CatchUp),
        Err(TryRecvError::Empty) => Some(Work::Pack),
        Err(TryRecvError::Disconnected) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use stepwell_store::{KeptFrame, KeyValue, Keys, Order};

    use super::*;

    /// An index of which nobody reads.
    struct Fake<P> {
        fault: Option<fn() -> StoreError>,
        pack: P,
    }

    impl<P: Fn(u64) + Send + Sync> Index for Fake<P> {
        fn get(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            unreachable!()
        }

        fn scan(&self, _: &str, _: Keys<'_>, _: Order, _: usize) -> Result<Vec<KeyValue>, StoreError> {
            unreachable!()
        }

        fn history(&self, _: u32, _: u64, _: Order, _: Option<u64>, _: usize) -> Result<Vec<KeptFrame>, StoreError> {
            unreachable!()
        }

        fn is_behind(&self) -> bool {
            unreachable!()
        }

        fn catch_up(&self) -> Result<(), StoreError> {
            self.fault.map_or(Ok(()), |fault| Err(fault()))
        }

        fn pack_some(&self, leave: u64) -> Result<bool, StoreError> {
            (self.pack)(leave);
            Ok(false)
        }
    }

    #[test]
    fn there_is_time_for_everything_when_it_is_still() {
        let (answers, said) = Answers::heard();
        let (sender, leaves) = channel();
        let pack = move |leave| sender.send(leave).expect("somebody listens");
        let keeper = IndexKeeper::start(Arc::new(Fake { fault: None, pack }), answers).expect("a thread");
        let next = || leaves.recv().expect("it packs");
        keeper.wake();
        assert_eq!(next(), UNPACKED_MAX);
        keeper.rest(true);
        assert_eq!(next(), 0);
        keeper.rest(false);
        keeper.wake();
        assert_eq!(next(), UNPACKED_MAX);
        keeper.end();
        assert!(said().is_empty());
    }

    #[test]
    fn a_failed_sync_is_told_to_who_is_idle() {
        let said_after = |fault: fn() -> StoreError| {
            let (answers, said) = Answers::heard();
            let index = Fake { fault: Some(fault), pack: |_| {} };
            let keeper = IndexKeeper::start(Arc::new(index), answers).expect("a thread");
            keeper.wake();
            keeper.end();
            said()
        };
        assert_eq!(said_after(|| StoreError::Poisoned { because: "a sync failed".to_owned() }), ["End"]);
        assert!(said_after(|| StoreError::Full { file: "index.redb".to_owned() }).is_empty());
    }
}
