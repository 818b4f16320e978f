//! What may be asked of an execution.

use stepwell_json::Json;
use stepwell_spec::Text;

use crate::effect::{TaskKey, TimerKey};
use crate::failure::Failure;

/// Asked of an execution, by a client, a timer or a task's answer.
///
/// A command about a task or timer that is no longer open changes nothing and gives an empty decision: late answers,
/// duplicates and races end here.
#[derive(Clone, Debug)]
pub enum Command {
    /// Go on after a burst that yielded.
    Continue,
    /// A timer the execution asked for has come due.
    TimerFired(TimerKey),
    /// A worker took an activity's task.
    ActivityStarted {
        /// Which task.
        task: TaskKey,
        /// What the worker calls itself.
        worker_name: Option<Text>,
    },
    /// The service took the request of a task that goes on (`.sync`, `.waitForTaskToken`).
    TaskSubmitted {
        /// Which task.
        task: TaskKey,
        /// What the service answered.
        output: Json,
    },
    /// A task gave a sign of life.
    TaskHeartbeat {
        /// Which task.
        task: TaskKey,
    },
    /// A task succeeded.
    TaskSucceeded {
        /// Which task.
        task: TaskKey,
        /// Its result.
        output: Json,
    },
    /// A task failed.
    TaskFailed {
        /// Which task.
        task: TaskKey,
        /// The error name.
        error: Option<Text>,
        /// The cause.
        cause: Option<Text>,
    },
    /// The child executions of a distributed Map state have ended.
    MapRunEnded {
        /// Which Map Run.
        map_run: TaskKey,
        /// All their outputs in order, or why the run failed.
        outcome: Result<Json, Failure>,
    },
    /// Items of a Map Run were read.
    ItemsRead {
        /// Which Map Run.
        map_run: TaskKey,
        /// Where they were: a repeated answer comes from a place that is behind.
        from: Option<Json>,
        /// The items: an array, or an object whose members they are.
        items: Json,
        /// Where the next ones are; none when these were the last.
        next: Option<Json>,
    },
    /// Items of a Map Run could not be read.
    ItemsFailed {
        /// Which Map Run.
        map_run: TaskKey,
        /// The error name.
        error: Option<Text>,
        /// The cause.
        cause: Option<Text>,
    },
    /// The results of a Map Run were written, or the place they go to was tried.
    ResultsWritten {
        /// Which Map Run.
        map_run: TaskKey,
        /// Whether that was the trial: one that is answered twice is not the end of what follows it.
        is_trial: bool,
        /// The redrive it was for.
        redrive_count: u64,
        /// Why they were not.
        outcome: Result<(), Failure>,
    },
    /// Continue an execution that failed, timed out or was stopped, from where it did.
    Redrive,
    /// Stop the execution.
    Stop {
        /// The error name its history shows.
        error: Option<Text>,
        /// The cause its history shows.
        cause: Option<Text>,
    },
}
