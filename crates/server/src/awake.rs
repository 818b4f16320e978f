//! Staying awake while few requests are under way.
//!
//! A request crosses three threads: one reads it, one decides, one keeps what was decided, and the first one answers. When it
//! is alone each of them has nothing to do meanwhile. A thread that is put to sleep takes longer to be woken than
//! most of these steps take, and what it needs has left the processor's caches by then. So a thread that would wait looks
//! again for a while, and gives the processor to whoever wants it each time it found nothing. With many requests there is
//! always something to do, and with none everybody sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// Requests under way with which threads stay awake. More of them keep them at work.
const FEW: usize = 4;

/// How long they do for a request: most disks have synced by then.
const ANSWER_TIME: Duration = Duration::from_millis(1);

/// How long they do after the last answer: whoever asks one thing after the other has asked again by then.
const NEXT_TIME: Duration = Duration::from_micros(50);

/// Until when to stay awake. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Awake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What times are counted from.
    began: Instant,
    under_way: AtomicUsize,
    /// In nanoseconds since it began.
    until: AtomicU64,
}

/// A request that is under way as long as the value is.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Inner>);

impl Awake {
    pub(crate) fn new() -> Awake {
        Awake(Arc::new(Inner { began: Instant::now(), under_way: AtomicUsize::new(0), until: AtomicU64::new(0) }))
    }

    /// A request has come.
    pub(crate) fn begin(&self) -> UnderWay {
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        self.0.stay(ANSWER_TIME);
        UnderWay(self.0.clone())
    }

    /// Whether to look again instead of sleeping.
    pub(crate) fn is_due(&self) -> bool {
        self.0.under_way.load(Ordering::Relaxed) <= FEW && self.0.now() < self.0.until.load(Ordering::Relaxed)
    }

    /// What comes within this time. Awake as long as that is due, asleep from then on.
    pub(crate) fn receive<T>(&self, from: &Receiver<T>, time: Duration) -> Result<T, RecvTimeoutError> {
        let began = Instant::now();
        loop {
            match from.try_recv() {
                Ok(message) => return Ok(message),
                Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) if self.is_due() && began.elapsed() < time => yield_now(),
                Err(TryRecvError::Empty) => break,
            }
        }
        from.recv_timeout(time.saturating_sub(began.elapsed()))
    }
}

/// What keeps a thread with a runtime awake. Clones are of the same thread.
#[derive(Clone, Debug)]
pub(crate) struct Lookout {
    awake: Awake,
    /// Whether the runtime has a task that looks.
    is_looking: Arc<AtomicBool>,
}

impl Lookout {
    /// Of one more thread.
    pub(crate) fn new(awake: &Awake) -> Lookout {
        Lookout { awake: awake.clone(), is_looking: Arc::default() }
    }

    /// A request has come on this thread.
    pub(crate) fn begin(&self) -> UnderWay {
        let under_way = self.awake.begin();
        if self.awake.is_due() && !self.is_looking.swap(true, Ordering::Relaxed) {
            let Lookout { awake, is_looking } = self.clone();
            tokio::spawn(async move {
                while awake.is_due() {
                    yield_now();
                    // A runtime with something to do looks what has come without waiting for it.
                    tokio::task::yield_now().await;
                }
                is_looking.store(false, Ordering::Relaxed);
            });
        }
        under_way
    }
}

impl Inner {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn stay(&self, time: Duration) {
        // With many of them nobody looks at it, and all would write to it.
        if self.under_way.load(Ordering::Relaxed) <= FEW {
            self.until.store(self.now() + time.as_nanos() as u64, Ordering::Relaxed);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.stay(NEXT_TIME);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Longer than anything here stays awake, and nothing for a person.
    const LONG: Duration = Duration::from_millis(50);

    #[test]
    fn only_few_requests_keep_it_awake_and_not_for_long() {
        let awake = Awake::new();
        assert!(!awake.is_due());
        // The machine may be slow: what was due for a moment may be over.
        let due_at_once = |awake: &Awake| {
            (0..100).any(|_| {
                let _one = awake.begin();
                awake.is_due()
            })
        };
        assert!(due_at_once(&awake));
        let many: Vec<UnderWay> = (0..=FEW).map(|_| awake.begin()).collect();
        assert!(!awake.is_due());
        drop(many);
        assert!(due_at_once(&awake));
        let _long = awake.begin();
        std::thread::sleep(LONG);
        assert!(!awake.is_due());
    }

    #[test]
    fn nothing_is_lost_between_waking_and_sleeping() {
        let awake = Awake::new();
        let (sender, receiver) = channel();
        let receive = |time| awake.receive(&receiver, time);
        sender.send(1).expect("somebody listens");
        assert_eq!(receive(Duration::MAX), Ok(1));
        let request = awake.begin();
        sender.send(2).expect("somebody listens");
        assert_eq!((receive(Duration::MAX), receive(LONG)), (Ok(2), Err(RecvTimeoutError::Timeout)));
        let late = std::thread::spawn(move || {
            std::thread::sleep(LONG);
            sender.send(3).expect("somebody listens");
        });
        assert_eq!(receive(Duration::MAX), Ok(3));
        late.join().expect("it has sent");
        drop(request);
        assert_eq!(receive(Duration::MAX), Err(RecvTimeoutError::Disconnected));
        let _another = awake.begin();
        assert_eq!(receive(Duration::MAX), Err(RecvTimeoutError::Disconnected));
    }
}
