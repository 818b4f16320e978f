//! The rest of a body that nobody read to its end: an answer that comes before it would break the connection, and the
//! client would not see why.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// What is read of a body only to be thrown away. A client that sends more waits for an answer before it does.
const BYTES_MAX: usize = 1024 * 1024;

/// A body that is read by somebody else, and afterwards by us.
pub(crate) struct Lent<B>(Arc<Mutex<B>>);

/// Our end of a body that is lent.
pub(crate) struct Rest<B>(Arc<Mutex<B>>);

/// Lends a body.
pub(crate) fn lend<B>(body: B) -> (Lent<B>, Rest<B>) {
    let shared = Arc::new(Mutex::new(body));
    (Lent(shared.clone()), Rest(shared))
}

impl<B: Body<Data = Bytes> + Unpin> Body for Lent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

impl<B: Body<Data = Bytes> + Unpin> Rest<B> {
    /// Throws away what is left, up to a bound.
    pub(crate) async fn discard(self) {
        let next = |context: &mut Context<'_>| {
            let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match body.is_end_stream() {
                true => Poll::Ready(None),
                false => Pin::new(&mut *body).poll_frame(context),
            }
        };
        let mut read = 0;
        while read < BYTES_MAX {
            match poll_fn(next).await {
                Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
                // A client that went away has no need of an answer.
                Some(Err(_)) | None => return,
            }
        }
    }
}
