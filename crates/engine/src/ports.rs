//! What the engine needs from outside, as traits others implement.

use std::time::Duration;

use stepwell_interpreter::{Command, Failure, Identity, ItemsRequest, Moment, TaskRequest};
use stepwell_json::Json;
use stepwell_spec::{Text, Timestamp, error};

/// A task on its way to the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch<'a> {
    /// The execution it belongs to.
    pub execution: &'a Identity,
    /// The work.
    pub request: &'a TaskRequest,
}

/// What the world answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The task is done.
    Succeeded(Json),
    /// A task that goes on (`.sync`, `.waitForTaskToken`) was taken by its service, and is done by now.
    SubmittedAndSucceeded {
        /// What the service answered to the request.
        submitted: Json,
        /// What the task ended with.
        output: Json,
    },
    /// The task failed.
    Failed {
        /// The error name.
        error: Option<Text>,
        /// The cause.
        cause: Option<Text>,
    },
    /// The transport has taken the task and tells by [`Transport::next_answer`], under this ticket, what came of it.
    Later(u64),
    /// Nobody answers: the task stays open until its timeout, if it has one.
    Silence,
    /// The request cannot be served at all, which is nothing the workflow could handle: why, and how to mend it.
    Refused(String),
}

impl Answer {
    /// What a Map Run is told when this stands in the place of all its items. `None` for silence; for an answer that
    /// cannot be given, the reason.
    pub fn of_items(self, request: &ItemsRequest) -> Result<Option<Command>, String> {
        let map_run = request.task.key;
        let failed = |error, cause| Ok(Some(Command::ItemsFailed { map_run, error, cause }));
        match self {
            Answer::Succeeded(items @ (Json::Array(_) | Json::Object(_)))
            | Answer::SubmittedAndSucceeded { output: items @ (Json::Array(_) | Json::Object(_)), .. } => {
                Ok(Some(Command::ItemsRead { map_run, from: request.from.clone(), items, next: None }))
            }
            Answer::Succeeded(_) | Answer::SubmittedAndSucceeded { .. } => {
                let Failure { error, cause, .. } =
                    Failure::new(error::ITEM_READER_FAILED, "Attempting to map over non-iterable node.");
                failed(error, cause)
            }
            Answer::Failed { error, cause } => failed(error, cause),
            Answer::Silence | Answer::Later(_) => Ok(None),
            Answer::Refused(reason) => Err(reason),
        }
    }
}

/// Carries requests of Task states, and of the readers of Map states, to what answers them: mocks, local services, AWS, the
/// simulator. The interpreter cannot tell them apart.
pub trait Transport {
    /// Does a task's work.
    fn run(&mut self, task: &Dispatch<'_>) -> Answer;

    /// What came of a task that was taken for later, and its ticket. Waits for one as long as this; `None` when none came.
    fn next_answer(&mut self, patience: Duration) -> Option<(u64, Answer)> {
        let _ = patience;
        None
    }

    /// Nobody wants the answer under this ticket any more.
    fn give_up(&mut self, ticket: u64) {
        let _ = ticket;
    }
}

/// Where time and chance come from.
pub trait Clock {
    /// The time and fresh entropy.
    fn moment(&mut self) -> Moment;

    /// Waits until this time, as this clock understands waiting. `false` when the wait was given up.
    fn wait_until(&mut self, time: Timestamp) -> bool;

    /// How long to wait for work outside before the clock is looked at again; the next timer is due then, if there is one.
    /// Work takes real time on every clock, and none passes over it. `None` when the wait was given up.
    fn patience(&mut self, due: Option<Timestamp>) -> Option<Duration>;

    /// An execution yielded after a long burst. A clock that stands still while work is done lets some time pass here.
    /// `false` when the run was given up.
    fn yielded(&mut self) -> bool;
}
