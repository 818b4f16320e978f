//! Calls of AWS services, as a task, a local service and a client see them: a service, an action, and one JSON tree in the
//! casing of the service's model each way.
//!
//! Knows no socket and no service.

mod blob;
mod call;
mod lambda;

pub use blob::{blob_bytes, blob_text};
pub use call::{AwsAnswer, AwsCall, AwsError, AwsOutput, Fault};
pub use lambda::{WireAnswer, WireRequest, invoke_answer, invoke_request};
