//! Reading a request's body within its limits of size and time.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use stepwell_api::BODY_BYTES_MAX;

/// How long a body may take. A client on a slow line sends the largest one in that time at 35 KB/s.
const TIME: Duration = Duration::from_secs(30);

/// How much of a body that is too large is read and dropped, so that its sender comes to read the answer.
const DROPPED_BYTES_MAX: usize = 16 * BODY_BYTES_MAX;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// It did not come in time.
    Late,
    /// The connection broke, or the body was not framed as it should be.
    Broken,
}

/// The body, or so much of it that it is seen to be too large: one byte more than it may have, and never more.
pub(crate) async fn read<B>(body: B) -> Result<Vec<u8>, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    tokio::time::timeout(TIME, take(body)).await.unwrap_or(Err(BodyFault::Late))
}

async fn take<B>(mut body: B) -> Result<Vec<u8>, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(announced.min(BODY_BYTES_MAX + 1));
    let mut dropped = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyFault::Broken)?.into_data() else { continue };
        let wanted = data.len().min(BODY_BYTES_MAX + 1 - bytes.len());
        bytes.extend_from_slice(&data[..wanted]);
        dropped += data.len() - wanted;
        if dropped > DROPPED_BYTES_MAX {
            break;
        }
    }
    Ok(bytes)
}
