//! How one service asks another.

use std::future::Future;
use std::pin::Pin;

use crate::call::{AwsAnswer, AwsCall};
use crate::place::Place;

/// The answer to a call, some day.
pub type Answering = Pin<Box<dyn Future<Output = AwsAnswer> + Send>>;

/// The other services of the same process, or of wherever calls go. What a function's event source reads its queue
/// through, and a bucket tells a queue through.
pub trait Peers: Send + Sync {
    /// Asks for this, as somebody of the place.
    fn ask(&self, place: &Place, call: AwsCall) -> Answering;
}
