//! Threads that read requests and write answers. Each has its connections for good.
//!
//! A runtime that moves work between its threads wakes a second one whenever the first has something to do, in case there is
//! more; with answers that are made elsewhere there hardly ever is. So every thread has a runtime of its own here, and
//! connections go round. What a request leads to that takes long is given to other threads.

use std::future::Future;
use std::io;
use std::net::TcpStream as StdTcpStream;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::awake::{Awake, Lookout};

/// How long what was left may take to be dropped, and files to be written that were begun.
pub(crate) const LEFT_OVER_TIME: Duration = Duration::from_millis(100);

/// Threads for connections, one for each processor.
#[derive(Debug)]
pub(crate) struct Workers {
    workers: Vec<Worker>,
    /// How many connections there have been: the next goes to the next thread.
    taken: AtomicUsize,
}

/// One of them. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    handle: Handle,
    lookout: Lookout,
    /// Dropped for the thread to end.
    _end: oneshot::Sender<()>,
    /// Says nothing, and is closed when the thread has ended.
    ended: Receiver<()>,
}

impl Workers {
    /// Starts them.
    pub(crate) fn start(awake: &Awake) -> io::Result<Workers> {
        let count = available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = (0..count).map(|_| Worker::start(Lookout::new(awake))).collect::<io::Result<_>>()?;
        Ok(Workers { workers, taken: AtomicUsize::new(0) })
    }

    /// The one whose turn it is to get a connection.
    pub(crate) fn next(&self) -> &Worker {
        &self.workers[self.taken.fetch_add(1, Ordering::Relaxed) % self.workers.len()]
    }

    /// Ends them with all that is left of their connections. One that does not end is left alone.
    pub(crate) fn end(self) {
        let until = Instant::now() + LEFT_OVER_TIME * 2;
        // All are told before one is waited for.
        let ended: Vec<Receiver<()>> = self.workers.into_iter().map(|worker| worker.ended).collect();
        for ended in ended {
            // Nothing is ever sent: it is over, or the time is.
            let _ = ended.recv_timeout(until.saturating_duration_since(Instant::now()));
        }
    }
}

impl Worker {
    fn start(lookout: Lookout) -> io::Result<Worker> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, asked_to_end) = oneshot::channel();
        let (running, ended) = channel();
        std::thread::Builder::new().name("stepwell-http".to_owned()).spawn(move || {
            // Dropped however the thread ends, and after the runtime, with which its connections go.
            let _running = running;
            // An error is how it is told: the other end was dropped.
            let _ = runtime.block_on(asked_to_end);
            runtime.shutdown_timeout(LEFT_OVER_TIME);
        })?;
        Ok(Worker { handle, lookout, _end: end, ended })
    }

    /// Takes over a connection that another thread has accepted.
    pub(crate) fn adopt(&self, stream: TcpStream) -> io::Result<TcpStream> {
        let stream: StdTcpStream = stream.into_std()?;
        let _of_this_thread = self.handle.enter();
        TcpStream::from_std(stream)
    }

    /// What keeps it awake.
    pub(crate) fn lookout(&self) -> &Lookout {
        &self.lookout
    }

    /// Does this work on its thread.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(work);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::RecvTimeoutError;

    use super::*;

    #[test]
    fn connections_go_round_and_keep_their_threads() {
        let workers = Workers::start(&Awake::new()).expect("threads");
        let (sender, names) = channel();
        let count = workers.workers.len();
        for _ in 0..count * 2 {
            let sender = sender.clone();
            workers.next().spawn(async move {
                let before = std::thread::current().id();
                tokio::time::sleep(Duration::from_millis(1)).await;
                sender.send((before, std::thread::current().id())).expect("somebody listens");
            });
        }
        let seen: Vec<_> = names.iter().take(count * 2).collect();
        assert!(seen.iter().all(|(before, after)| before == after));
        let of_each = |id| seen.iter().filter(|(before, _)| *before == id).count();
        assert!(seen.iter().all(|(before, _)| of_each(*before) == 2));
    }

    #[test]
    fn what_is_left_ends_with_them() {
        let workers = Workers::start(&Awake::new()).expect("threads");
        let (held, let_go) = channel::<()>();
        workers.next().spawn(async move {
            let _held = held;
            std::future::pending().await
        });
        workers.end();
        assert_eq!(let_go.recv_timeout(Duration::from_secs(10)), Err(RecvTimeoutError::Disconnected));
    }
}
