//! `aws-chunked`: the coding in which SDKs send bodies with a checksum behind them.
//!
//! ```text
//! SIZE;chunk-signature=…\r\n BYTES \r\n … 0;…\r\n NAME: VALUE\r\n … \r\n
//! ```
//!
//! Reads it without looking at signatures; where somebody has keys to hold them against, s3s reads it.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A line is at most this long, of all lines behind the last chunk likewise.
const LINES_MAX: usize = 16 * 1024;

/// What came behind a body, once it has.
pub(crate) type Trailers = Arc<Mutex<HeaderMap>>;

/// A body that is not in the coding it says, or ends too soon.
#[derive(Debug)]
pub(crate) struct Garbled(&'static str);

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body is not aws-chunked: {}", self.0)
    }
}

impl std::error::Error for Garbled {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the line with a chunk's size.
    Size,
    /// In a chunk, with so many bytes to come.
    Bytes(u64),
    /// Before the end of line behind a chunk.
    End,
    /// Behind the last chunk.
    Trailers,
    Done,
}

/// The bytes of a coded body.
pub(crate) struct Unchunked<B> {
    inner: B,
    buffer: BytesMut,
    state: State,
    trailers: Trailers,
    /// Bytes of lines behind the last chunk so far.
    lines: usize,
}

impl<B> Unchunked<B> {
    pub(crate) fn new(inner: B, trailers: Trailers) -> Unchunked<B> {
        Unchunked { inner, buffer: BytesMut::new(), state: State::Size, trailers, lines: 0 }
    }

    /// The next line without its end, when it is all there.
    fn line(&mut self) -> Result<Option<Bytes>, Garbled> {
        match self.buffer.windows(2).position(|two| two == b"\r\n") {
            Some(length) => {
                let line = self.buffer.split_to(length).freeze();
                self.buffer.advance(2);
                Ok(Some(line))
            }
            None if self.buffer.len() > LINES_MAX => Err(Garbled("a line is too long")),
            None => Ok(None),
        }
    }

    /// Bytes that have come, or None when more must come first.
    fn step(&mut self) -> Result<Option<Bytes>, Garbled> {
        loop {
            match self.state {
                State::Size => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
                    let size = std::str::from_utf8(size).ok().filter(|size| size.len() <= 15);
                    let size = size.and_then(|size| u64::from_str_radix(size.trim(), 16).ok());
                    let size = size.ok_or(Garbled("a chunk says no size"))?;
                    self.state = if size == 0 { State::Trailers } else { State::Bytes(size) };
                }
                State::Bytes(_) if self.buffer.is_empty() => return Ok(None),
                State::Bytes(left) => {
                    let there = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                    let bytes = self.buffer.split_to(there).freeze();
                    let left = left - there as u64;
                    self.state = if left == 0 { State::End } else { State::Bytes(left) };
                    return Ok(Some(bytes));
                }
                State::End => match self.line()? {
                    None => return Ok(None),
                    Some(line) if line.is_empty() => self.state = State::Size,
                    Some(_) => return Err(Garbled("a chunk is longer than it says")),
                },
                State::Trailers => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    self.lines += line.len();
                    if line.is_empty() {
                        self.state = State::Done;
                    } else if self.lines > LINES_MAX {
                        return Err(Garbled("too much behind the last chunk"));
                    } else {
                        self.keep_trailer(&line)?;
                    }
                }
                State::Done => return Ok(None),
            }
        }
    }

    fn keep_trailer(&mut self, line: &[u8]) -> Result<(), Garbled> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Garbled("a trailer without a name"))?;
        let name = HeaderName::from_bytes(line[..colon].trim_ascii());
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        let (Ok(name), Ok(value)) = (name, value) else { return Err(Garbled("a trailer is no header")) };
        self.trailers.lock().unwrap_or_else(PoisonError::into_inner).append(name, value);
        Ok(())
    }
}

impl<B> Body for Unchunked<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            match self.step() {
                Ok(Some(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Ok(None) => {}
                Err(garbled) => return Poll::Ready(Some(Err(garbled.into()))),
            }
            match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                // Some clients leave out the last end of line.
                None if self.state == State::Done || (self.state == State::Trailers && self.buffer.is_empty()) => {
                    return Poll::Ready(None);
                }
                None => return Poll::Ready(Some(Err(Garbled("it ends too soon").into()))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::PoisonError;

    use bytes::Bytes;
    use http_body_util::{BodyExt as _, StreamBody};

    use super::{Trailers, Unchunked};

    /// The body and a trailer, sent in pieces of this size.
    async fn check(coded: &str, piece: usize, expected: Option<(&str, Option<&str>)>) {
        let pieces: Vec<_> = coded.as_bytes().chunks(piece).map(Bytes::copy_from_slice).collect();
        let frames = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(http_body::Frame::data(piece)));
        let trailers = Trailers::default();
        let body = Unchunked::new(StreamBody::new(futures_util::stream::iter(frames)), trailers.clone());
        let read = body.collect().await.map(|all| String::from_utf8_lossy(&all.to_bytes()).into_owned());
        let trailers = trailers.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = trailers.get("x-amz-checksum-crc32").and_then(|value| value.to_str().ok());
        let actual = read.ok().map(|read| (read, sum));
        let actual = actual.as_ref().map(|(read, sum)| (read.as_str(), *sum));
        assert_eq!(actual, expected, "{coded:?} by {piece}");
    }

    #[tokio::test]
    async fn reads_what_sdks_send() {
        for piece in [1, 3, 1000] {
            check("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", piece, Some(("hello", Some("AAAA")))).await;
            check(
                "4;chunk-signature=ab\r\nhell\r\n1;chunk-signature=cd\r\no\r\n0;chunk-signature=ef\r\n\r\n",
                piece,
                Some(("hello", None)),
            )
            .await;
            check("0\r\n\r\n", piece, Some(("", None))).await;
            check("2\r\n\r\n\r\n0\r\n\r\n", piece, Some(("\r\n", None))).await;
        }
    }

    #[tokio::test]
    async fn refuses_what_is_not_so_coded() {
        for coded in [
            "",
            "5\r\nhel",
            "5\r\nhello\r\n",
            "x\r\n",
            "3\r\nhello\r\n0\r\n\r\n",
            "ffffffffffffffff\r\n",
            "0\r\nno\r\n\r\n",
        ] {
            check(coded, 2, None).await;
        }
    }
}
