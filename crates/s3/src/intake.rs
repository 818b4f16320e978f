//! Takes bytes in: digests them as they come, and puts them where they stay. A body of a gigabyte passes through in pieces.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::checksums::Algorithm;
use crate::chunks::Garbled;
use crate::refusal::{BAD_DIGEST, ENTITY_TOO_LARGE, INCOMPLETE_BODY, Refusal};
use crate::store::{Body, Draft, Kept, Store};

/// Bodies up to this size stand in the database: one sync instead of three, and no file of a whole block for a few bytes.
pub(crate) const INSIDE_MAX: usize = 16 * 1024;

/// What is digested and written at once: large enough that handing it to another thread costs nothing beside it.
const PIECE: usize = 1024 * 1024;

/// An object, or a part, put in one request: 5 GiB.
pub(crate) const BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// A body that is durable, or will be with the metadata, and that nothing names yet. Dropped, its bytes go. The change that
/// names it owns it: a client that leaves while the change is on its way takes nothing back.
pub(crate) struct Taken {
    pub(crate) number: u64,
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    /// In base 64.
    pub(crate) checksum: String,
    kept: Arc<Kept>,
    /// None: on the shelf.
    inside: Option<Vec<u8>>,
    named: bool,
}

impl Taken {
    /// The body, for metadata that will name it.
    pub(crate) fn body(&mut self) -> Body {
        match self.inside.take() {
            Some(bytes) => Body::Inside(bytes),
            None => Body::Shelved,
        }
    }

    /// A change names it now: it stays. Should the change not become durable after all, the next opening removes it.
    pub(crate) fn keep(mut self) {
        self.named = true;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.named {
            self.kept.remove(self.number);
        }
    }
}

/// Bytes on their way.
pub(crate) enum Source {
    Client(StreamingBlob),
    /// From another object.
    Here(crate::reading::Reading),
    Nothing,
}

impl Source {
    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        match self {
            Source::Client(blob) => {
                let next = poll_fn(|context| Pin::new(&mut *blob).poll_next(context)).await;
                next.transpose().map_err(|error| spoilt(&*error))
            }
            Source::Here(reading) => reading.next().await,
            Source::Nothing => Ok(None),
        }
    }
}

/// Why the bytes of a client end early.
fn spoilt(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Refusal {
    if error.is::<Garbled>() {
        return Refusal::of(INCOMPLETE_BODY).saying("The request body terminated unexpectedly");
    }
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        let sentence = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Refusal::of(("XAmzContentSHA256Mismatch", 400, sentence));
    }
    if text.contains("SignatureMismatch") {
        return Refusal::of(crate::refusal::SIGNATURE_DOES_NOT_MATCH);
    }
    Refusal::of(INCOMPLETE_BODY)
}

/// Digests of what has come so far.
struct Digests {
    md5: Md5,
    checksum: ChecksumHasher,
}

impl Digests {
    fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.checksum.update(bytes);
    }
}

/// What writes on another thread, one piece after the other.
struct Shelving {
    number: u64,
    draft: Draft,
    digests: Digests,
}

type Written = Result<Shelving, std::io::Error>;

/// Takes everything a source gives. `length` is how much that is to be, where somebody says so.
pub(crate) async fn take(
    store: &Store,
    mut source: Source,
    length: Option<u64>,
    algorithm: Algorithm,
) -> Result<Taken, Refusal> {
    if length.is_some_and(|length| length > BYTES_MAX) {
        return Err(too_large(length.unwrap_or_default()));
    }
    let kept = store.kept().clone();
    let number = store.number();
    let mut digests = Some(Digests { md5: Md5::new(), checksum: algorithm.hasher() });
    let mut guard = Taken {
        number,
        size: 0,
        md5: [0; 16],
        checksum: String::new(),
        kept: kept.clone(),
        inside: None,
        named: false,
    };
    let mut pending = BytesMut::new();
    let mut writing: Option<JoinHandle<Written>> = None;
    while let Some(bytes) = source.next().await? {
        guard.size += bytes.len() as u64;
        if guard.size > BYTES_MAX {
            return Err(too_large(guard.size));
        }
        if length.is_some_and(|length| guard.size > length) {
            return Err(Refusal::of(INCOMPLETE_BODY));
        }
        pending.extend_from_slice(&bytes);
        if pending.len() >= PIECE {
            let piece = pending.split().freeze();
            let shelving = shelving(writing.take(), digests.take(), &kept, number).await?;
            writing = Some(spawn_blocking(move || write(shelving, &piece)));
        }
    }
    if length.is_some_and(|length| guard.size != length) {
        return Err(Refusal::of(INCOMPLETE_BODY));
    }
    let digests = match digests {
        Some(mut digests) if pending.len() <= INSIDE_MAX => {
            digests.update(&pending);
            guard.inside = Some(pending.to_vec());
            digests
        }
        digests => {
            let shelving = shelving(writing.take(), digests, &kept, number).await?;
            let piece = pending.freeze();
            let finishing = spawn_blocking(move || {
                let Shelving { number, draft, digests } = write(shelving, &piece)?;
                kept.shelf.finish(number, draft)?;
                Ok::<Digests, std::io::Error>(digests)
            });
            finishing.await.map_err(Refusal::broken)??
        }
    };
    guard.md5 = digests.md5.finalize();
    guard.checksum = algorithm.finish(digests.checksum);
    Ok(guard)
}

fn write(mut shelving: Shelving, piece: &Bytes) -> Written {
    shelving.digests.update(piece);
    if !piece.is_empty() {
        shelving.draft.write(piece.clone())?;
    }
    Ok(shelving)
}

/// What writes the next piece: what wrote the last one, or a new draft.
async fn shelving(
    writing: Option<JoinHandle<Written>>,
    digests: Option<Digests>,
    kept: &Arc<Kept>,
    number: u64,
) -> Result<Shelving, Refusal> {
    match (writing, digests) {
        (Some(writing), _) => Ok(writing.await.map_err(Refusal::broken)??),
        (None, Some(digests)) => {
            let kept = kept.clone();
            let draft = spawn_blocking(move || kept.shelf.draft(number));
            Ok(Shelving { number, draft: draft.await.map_err(Refusal::broken)??, digests })
        }
        (None, None) => Err(Refusal::broken("a body lost its digests")),
    }
}

fn too_large(size: u64) -> Refusal {
    Refusal::of(ENTITY_TOO_LARGE).with("ProposedSize", size).with("MaxSizeAllowed", BYTES_MAX)
}

/// Holds the MD5 a client says against what came.
pub(crate) fn check_md5(claimed: Option<&str>, actual: &[u8; 16]) -> Result<(), Refusal> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let Some(claimed) = claimed else { return Ok(()) };
    match STANDARD.decode(claimed) {
        Ok(bytes) if bytes.len() == 16 && bytes == actual => Ok(()),
        Ok(bytes) if bytes.len() == 16 => {
            let calculated = STANDARD.encode(actual);
            Err(Refusal::of(BAD_DIGEST).with("ExpectedDigest", claimed).with("CalculatedDigest", calculated))
        }
        _ => Err(Refusal::of(crate::refusal::INVALID_DIGEST).with("Content-MD5", claimed)),
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
