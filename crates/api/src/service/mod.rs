//! The inner half of the API: what exists, and what each action does to it. Pure: moments come in, replies and tasks go out.
//!
//! One [`Service`] is one shard. A call is answered in the step it comes in, or in a later one when it waits for an
//! execution's end or for an activity's task; the caller knows its call by the id it gave.

mod registry;

use std::sync::Arc;

use stepwell_engine::ExecutionId;
use stepwell_interpreter::{Identity, TaskKey, TaskRequest};
use stepwell_spec::{Request, Response};

use crate::refusal::Refusal;

pub use registry::{MachineRow, Registry, Resolved};

/// Who a request's resources belong to, and where they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
}

/// One request of one caller.
#[derive(Clone, Debug)]
pub struct Call {
    /// What the caller knows it by.
    pub id: u64,
    /// Whose resources it means.
    pub place: Place,
    /// What it asks for.
    pub request: Request,
}

/// What one input led to.
#[derive(Debug, Default)]
pub struct Outs {
    /// Answers, by the id of their calls.
    pub replies: Vec<(u64, Result<Response, Refusal>)>,
    /// Tasks to be done outside, whose answers come back by [`Service::complete`].
    pub tasks: Vec<ServiceTask>,
    /// Tasks whose answers are no longer wanted.
    pub cancelled: Vec<(ExecutionId, TaskKey)>,
}

/// A task on its way to what does it.
#[derive(Clone, Debug)]
pub struct ServiceTask {
    /// The execution it belongs to, by the engine's name for it.
    pub execution: ExecutionId,
    /// The same execution, by AWS's.
    pub identity: Arc<Identity>,
    /// The case of the mock file that answers it, when its execution was started with one.
    pub test_case: Option<Arc<str>>,
    /// The work.
    pub request: TaskRequest,
}
