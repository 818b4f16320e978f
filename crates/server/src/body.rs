//! Reading a request's body within its limits of size and time.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use stepwell_api::BODY_BYTES_MAX;

/// How long a body may take. A client on a slow line sends the largest one in that time at 35 KB/s.
const TIME: Duration = Duration::from_secs(30);

/// How long a body that is not wanted may take. Whoever is to be refused holds a connection no longer than that.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// How much of a body that is too large is read and dropped, so that its sender comes to read the answer.
const DROPPED_BYTES_MAX: usize = 16 * BODY_BYTES_MAX;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// It did not come in time.
    Late,
    /// The connection broke, or the body was not framed as it should be.
    Broken,
    /// It has more bytes than a request may have.
    Large,
}

impl BodyFault {
    /// One word, for counting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            BodyFault::Late => "BodyLate",
            BodyFault::Broken => "BodyBroken",
            BodyFault::Large => "BodyLarge",
        }
    }
}

/// The whole body, of at most so many bytes. One that is too large is read to its end and dropped, and what is kept of it
/// is never more than it may have.
pub(crate) async fn read<B>(body: B, bytes_max: usize) -> Result<Vec<u8>, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    tokio::time::timeout(TIME, take(body, bytes_max)).await.unwrap_or(Err(BodyFault::Late))
}

/// Reads a body nobody wants, so that its sender comes to read the answer. One that does not come is not waited for.
pub(crate) async fn discard<B>(body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    // Late or whole: the answer is the same.
    let _ = tokio::time::timeout(DISCARD_TIME, drop_all(body)).await;
}

async fn take<B>(mut body: B, bytes_max: usize) -> Result<Vec<u8>, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > bytes_max {
        drop_all(body).await;
        return Err(BodyFault::Large);
    }
    let mut bytes = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyFault::Broken)?.into_data() else { continue };
        if bytes.len() + data.len() > bytes_max {
            drop(bytes);
            drop_all(body).await;
            return Err(BodyFault::Large);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

async fn drop_all<B>(mut body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > DROPPED_BYTES_MAX {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;
    use tokio::time::{Instant, Sleep};

    use super::*;

    /// A body of so many bytes, one a second.
    struct Slow {
        left: usize,
        next: Pin<Box<Sleep>>,
    }

    fn slow(bytes: usize) -> Slow {
        Slow { left: bytes, next: Box::pin(tokio::time::sleep(Duration::from_secs(1))) }
    }

    impl Body for Slow {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            std::task::ready!(self.next.as_mut().poll(context));
            self.next.as_mut().reset(Instant::now() + Duration::from_secs(1));
            self.left -= 1;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_has_half_a_minute_in_all() {
        assert_eq!(read(slow(29), BODY_BYTES_MAX).await, Ok(vec![b'x'; 29]));
        let began = Instant::now();
        assert_eq!(read(slow(1_000), BODY_BYTES_MAX).await, Err(BodyFault::Late));
        assert_eq!(began.elapsed(), TIME);
    }

    #[tokio::test]
    async fn a_body_of_just_the_largest_size_is_kept() {
        let check = async |bytes: usize, expected: Result<usize, BodyFault>| {
            let whole = http_body_util::Full::new(Bytes::from(vec![b'x'; bytes]));
            assert_eq!(read(whole, BODY_BYTES_MAX).await.map(|kept| kept.len()), expected, "{bytes}");
            // As it comes when nobody says how long it is.
            let parts = vec![b'x'; bytes];
            let parts: Vec<_> = parts
                .chunks(65_537)
                .map(|part| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(part))))
                .collect();
            let chunked = Parts(parts.into_iter());
            assert_eq!(read(chunked, BODY_BYTES_MAX).await.map(|kept| kept.len()), expected, "{bytes} in parts");
        };
        check(0, Ok(0)).await;
        check(BODY_BYTES_MAX, Ok(BODY_BYTES_MAX)).await;
        check(BODY_BYTES_MAX + 1, Err(BodyFault::Large)).await;
        check(3 * BODY_BYTES_MAX, Err(BodyFault::Large)).await;
    }

    /// A body that does not say how long it is.
    struct Parts(std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>);

    impl Body for Parts {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.next())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_nobody_wants_is_not_waited_for() {
        let began = Instant::now();
        discard(slow(3)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(3));
        discard(slow(1_000)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(3) + DISCARD_TIME);
    }
}
