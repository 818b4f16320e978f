//! A connection that is not waited for without end.
//!
//! Hyper's own limit on the time of a head runs from when the last answer was given, so that a client which keeps its
//! connection for later loses it. Here the clock of a head starts with its first byte, and a connection between two
//! requests has a time of its own. Bodies have theirs where they are read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long clients may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From connecting to the first byte.
    pub(crate) silent: Duration,
    /// From the first byte of a head to its last.
    pub(crate) head: Duration,
    /// From an answer to the next request. Longer than SDKs keep a connection they do not use, so that it is they who close
    /// it and no request crosses with the end.
    pub(crate) idle: Duration,
    /// For taking some more of an answer.
    pub(crate) stalled: Duration,
}

impl Patience {
    /// What holds for everybody.
    pub(crate) const USUAL: Patience = Patience {
        silent: Duration::from_secs(10),
        head: Duration::from_secs(10),
        idle: Duration::from_secs(120),
        stalled: Duration::from_secs(60),
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// Nothing has come yet.
    Silent,
    /// A head has begun.
    Head,
    /// A request is being answered.
    Answering,
    /// The last request was answered.
    Idle,
}

/// Whose turn it is on a connection: told by what answers, read by what reads.
#[derive(Clone, Debug)]
pub(crate) struct Turn(Arc<AtomicU8>);

impl Turn {
    /// Of a connection on which nothing has come yet.
    pub(crate) fn new() -> Turn {
        Turn(Arc::new(AtomicU8::new(Phase::Silent as u8)))
    }

    /// A head is complete.
    pub(crate) fn begin_answer(&self) {
        self.set(Phase::Answering);
    }

    /// The answer is made.
    pub(crate) fn end_answer(&self) {
        self.set(Phase::Idle);
    }

    // The connection's task alone reads and writes it.
    fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        let number = self.0.load(Ordering::Relaxed);
        let phases = [Phase::Silent, Phase::Head, Phase::Answering, Phase::Idle];
        phases.into_iter().find(|phase| *phase as u8 == number).unwrap_or(Phase::Idle)
    }
}

/// A stream that ends, or breaks, when its client takes too long.
pub(crate) struct Patient<S> {
    stream: S,
    patience: Patience,
    turn: Turn,
    /// For the phase it was set in.
    reading: Option<(Phase, Pin<Box<Sleep>>)>,
    /// Set while nothing of the answer is taken.
    writing: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, patience: Patience, turn: Turn) -> Patient<S> {
        Patient { stream, patience, turn, reading: None, writing: None }
    }

    /// Ready when the time of this phase is over.
    fn poll_phase(&mut self, context: &mut Context<'_>) -> Poll<Phase> {
        let phase = self.turn.phase();
        if self.reading.as_ref().is_none_or(|(of, _)| *of != phase) {
            self.begin(phase);
        }
        match &mut self.reading {
            Some((_, sleep)) if phase != Phase::Answering => sleep.as_mut().poll(context).map(|()| phase),
            Some(_) | None => Poll::Pending,
        }
    }

    /// Sets the clock for this phase.
    fn begin(&mut self, phase: Phase) {
        let limit = match phase {
            Phase::Silent => self.patience.silent,
            Phase::Head => self.patience.head,
            Phase::Idle => self.patience.idle,
            // Whoever answers sets the limits of that.
            Phase::Answering => return,
        };
        match &mut self.reading {
            Some((of, sleep)) => {
                *of = phase;
                sleep.as_mut().reset(Instant::now() + limit);
            }
            unset @ None => *unset = Some((phase, Box::pin(tokio::time::sleep(limit)))),
        }
    }

    /// What came of writing, unless the client has taken nothing for too long.
    fn written<T>(&mut self, outcome: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.writing = None;
            return outcome;
        }
        let stalled = self.patience.stalled;
        let sleep = self.writing.get_or_insert_with(|| Box::pin(tokio::time::sleep(stalled)));
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its answer")))
    }

    /// Whoever still takes an answer is not idle yet: the clock begins with what they took last. It is polled here because
    /// hyper, which found nothing to read while it answered, only looks again when it is woken.
    fn took(&mut self, context: &mut Context<'_>) {
        if self.turn.phase() == Phase::Idle {
            self.begin(Phase::Idle);
            let _ = self.poll_phase(context);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            let is_more = buffer.filled().len() > before;
            if is_more && matches!(this.turn.phase(), Phase::Silent | Phase::Idle) {
                this.turn.set(Phase::Head);
            }
            return Poll::Ready(outcome);
        }
        match ready!(this.poll_phase(context)) {
            Phase::Head => Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "a head did not come in time"))),
            // Read as the client's own end of the connection, which is what there is to do about it.
            Phase::Silent | Phase::Idle | Phase::Answering => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(context, bytes);
        if outcome.is_ready() {
            this.took(context);
        }
        this.written(outcome, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(context);
        this.written(outcome, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
        this.written(outcome, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(context, parts);
        if outcome.is_ready() {
            this.took(context);
        }
        this.written(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
