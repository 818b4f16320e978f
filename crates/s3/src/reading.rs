//! Gives bytes out: a range of a body, in pieces, read on another thread.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use s3s::dto::StreamingBlob;
use tokio::task::spawn_blocking;

use crate::refusal::Refusal;
use crate::store::{Body, Hold, Open, View};

/// What is read at once.
const PIECE: u64 = 512 * 1024;

/// A stretch of bytes in one place.
#[derive(Clone, Debug)]
enum Stretch {
    Inside(Bytes),
    Shelved { body: u64, range: Range<u64> },
}

/// Where a range of a body's bytes is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whereabouts(VecDeque<Stretch>);

impl Whereabouts {
    /// Looks up where this range of a body of this size is.
    pub(crate) fn of(view: &View, body: u64, size: u64, range: Range<u64>) -> Result<Whereabouts, Refusal> {
        let mut found = VecDeque::new();
        match view.body(body)? {
            Body::Pieces(pieces) => {
                let mut at = 0;
                for piece in pieces {
                    let (begin, end) = (at, at + piece.size);
                    at = end;
                    let wanted = range.start.max(begin)..range.end.min(end);
                    if wanted.start < wanted.end {
                        found.push_back(stretch(view, piece.body, wanted.start - begin..wanted.end - begin)?);
                    }
                }
            }
            _ if range.is_empty() || size == 0 => {}
            _ => found.push_back(stretch(view, body, range)?),
        }
        Ok(Whereabouts(found))
    }

    /// The bodies on the shelf this stands in.
    pub(crate) fn shelved(&self) -> Vec<u64> {
        let on_shelf = |stretch: &Stretch| match stretch {
            Stretch::Inside(_) => None,
            Stretch::Shelved { body, .. } => Some(*body),
        };
        self.0.iter().filter_map(on_shelf).collect()
    }
}

fn stretch(view: &View, body: u64, range: Range<u64>) -> Result<Stretch, Refusal> {
    match view.body(body)? {
        Body::Inside(bytes) => {
            let within = |at: u64| usize::try_from(at).ok().filter(|at| *at <= bytes.len());
            match (within(range.start), within(range.end)) {
                (Some(start), Some(end)) => Ok(Stretch::Inside(Bytes::from(bytes).slice(start..end))),
                _ => Err(Refusal::broken("a body is shorter than its object")),
            }
        }
        Body::Shelved => Ok(Stretch::Shelved { body, range }),
        Body::Pieces(_) => Err(Refusal::broken("a part has parts")),
    }
}

/// Bytes that are being given out.
pub(crate) struct Reading {
    left: VecDeque<Stretch>,
    /// The body that was read from last.
    open: Option<(u64, Open)>,
    /// Keeps what is left to read there.
    _hold: Hold,
    kept: std::sync::Arc<crate::store::Kept>,
}

impl Reading {
    pub(crate) fn new(kept: &std::sync::Arc<crate::store::Kept>, whereabouts: Whereabouts, hold: Hold) -> Reading {
        Reading { left: whereabouts.0, open: None, _hold: hold, kept: kept.clone() }
    }

    /// The next bytes; None at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let Some(stretch) = self.left.pop_front() else { return Ok(None) };
        let (body, range) = match stretch {
            Stretch::Inside(bytes) => return Ok(Some(bytes)),
            Stretch::Shelved { body, range } => (body, range),
        };
        let wanted = usize::try_from(PIECE.min(range.end - range.start)).map_err(Refusal::broken)?;
        let open = self.open.take().filter(|(known, _)| *known == body);
        let kept = self.kept.clone();
        let reading = spawn_blocking(move || {
            let mut open = match open {
                Some((_, open)) => open,
                None => kept.shelf.open(body)?,
            };
            let bytes = open.read(range.start, wanted)?;
            Ok::<_, std::io::Error>((open, bytes))
        });
        let (open, bytes) = reading.await.map_err(Refusal::broken)??;
        if bytes.is_empty() {
            return Err(Refusal::broken(format_args!("body {body} is shorter than its object")));
        }
        self.open = Some((body, open));
        let start = range.start + bytes.len() as u64;
        if start < range.end {
            self.left.push_front(Stretch::Shelved { body, range: start..range.end });
        }
        Ok(Some(bytes))
    }

    /// The same as an answer's body.
    pub(crate) fn into_blob(mut self) -> StreamingBlob {
        if self.left.iter().all(|stretch| matches!(stretch, Stretch::Inside(_))) && self.left.len() <= 1 {
            let bytes = match self.left.pop_front() {
                Some(Stretch::Inside(bytes)) => bytes,
                _ => Bytes::new(),
            };
            return StreamingBlob::from(s3s::Body::from(bytes));
        }
        let stream = futures_util::stream::try_unfold(self, |mut reading| async move {
            match reading.next().await {
                Ok(next) => Ok(next.map(|bytes| (bytes, reading))),
                Err(refusal) => Err(std::io::Error::other(refusal.to_string())),
            }
        });
        StreamingBlob::wrap(Box::pin(stream))
    }
}
