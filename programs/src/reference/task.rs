//! Task: asks the worker, or waits in vain.

use stepwell_json::Json;

use super::data::Visit;
use super::faults::{Failure, RUNTIME, TIMEOUT};
use super::machine::{Machine, count};
use super::thread::Thread;
use super::{path_flow, query_flow};
use crate::worker;

impl Machine<'_> {
    /// One attempt of a task: its result.
    pub(super) fn task(&mut self, visit: &Visit<'_>, thread: &mut Thread) -> Result<Json, Failure> {
        let argument = visit.argument(thread)?;
        let timeout = seconds("TimeoutSeconds", visit, thread)?;
        let heartbeat = seconds("HeartbeatSeconds", visit, thread)?;
        count(&mut self.tally.attempts, visit.name);
        let resource = visit.text("Resource").expect("a task has a resource");
        let function = resource.rsplit(':').next().unwrap_or(resource);
        if worker::stays_silent(function) {
            let limit = [timeout, heartbeat].into_iter().flatten().min().unwrap_or(TIMEOUT_SECONDS);
            thread.now_ms += limit * 1_000;
            return Err(Failure { is_of_heartbeat: heartbeat == Some(limit), ..Failure::of_executor(TIMEOUT) });
        }
        worker::answer(function, &argument).map_err(|failure| Failure::told(Some(failure.error), Some(failure.cause)))
    }
}

/// `TimeoutSeconds` where a task does not say.
const TIMEOUT_SECONDS: i64 = 99_999_999;

/// A time limit, if there is one.
fn seconds(field: &str, visit: &Visit<'_>, thread: &Thread) -> Result<Option<i64>, Failure> {
    let wrong = || if visit.is_jsonata { query_flow::wrong() } else { Failure::of_executor(RUNTIME) };
    let value = match (visit.field(field), visit.text(&format!("{field}Path"))) {
        (Some(value), _) if visit.is_jsonata => query_flow::value(value, visit, thread, query_flow::Also::Nothing)?,
        (Some(value), _) => value.clone(),
        (None, Some(path)) => path_flow::read(path, visit, thread, visit.input)?,
        (None, None) => return Ok(None),
    };
    let whole = value.as_number().and_then(|number| number.as_integral());
    whole.filter(|seconds| (1..100_000_000).contains(seconds)).ok_or_else(wrong).map(Some)
}
