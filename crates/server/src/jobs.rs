//! Jobs that tasks wait for: started, asked for until they are over, and stopped when nobody wants their end any more.
//!
//! A start is never given up halfway, so that what began can be stopped. Between two questions nothing is held but a timer.

use std::sync::Arc;
use std::time::Duration;

use stepwell_api::ServiceTask;
use stepwell_engine::ExecutionId;
use stepwell_integrations::{
    Progress, Question, Reply, Task, WebAnswer, WebCall, WebFault, outcome_of, poll_of, progress_of, stop_of,
    web_outcome_of,
};
use stepwell_interpreter::Command;
use stepwell_json::Json;
use stepwell_protocol::{AwsError, Fault};
use stepwell_spec::error;
use tokio::sync::{Notify, Semaphore};

use crate::carrier::{Asker, Carrier};
use crate::endpoints::Destination;
use crate::settings::Time;
use crate::shard::Answers;
use crate::web;

/// How often a job is asked for: the first pause, and the longest, towards which pauses grow by half.
///
/// AWS begins with a minute or is told by events; local jobs are short, and their users wait for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    first: Duration,
    longest: Duration,
}

impl Pace {
    /// Where time is skipped, a job's own time is the only one that passes.
    pub(crate) fn of(time: Time) -> Pace {
        let (first, longest) = match time {
            Time::Real => (500, 10_000),
            Time::Skip => (20, 250),
        };
        Pace { first: Duration::from_millis(first), longest: Duration::from_millis(longest) }
    }

    fn after(self, pause: Duration) -> Duration {
        (pause * 3 / 2).min(self.longest)
    }
}

/// One job on its way.
pub(crate) struct Watch {
    pub(crate) task: ServiceTask,
    pub(crate) carrier: Carrier,
    pub(crate) asker: Asker,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) answers: Answers,
    /// Told when nobody wants the job's end any more.
    pub(crate) cancelled: Arc<Notify>,
    pub(crate) pace: Pace,
}

/// What begins a job.
pub(crate) enum Start {
    /// This question, of a service there or of an address.
    Asks(Question, Option<Destination>),
    /// It has begun.
    Begun,
}

/// How a watch ended.
pub(crate) enum Ended {
    /// The execution is told this.
    Told(Command),
    /// Nobody wants to know.
    Cancelled,
}

impl Watch {
    /// Starts the job, unless it was started before, and asks for it until it is over.
    pub(crate) async fn run(self, start: Start) -> Ended {
        let submitted = match (start, self.task.request.submitted.clone()) {
            (_, Some(submitted)) => submitted,
            (Start::Asks(question, destination), None) => match self.start(&question, destination.as_ref()).await {
                Ok(submitted) => submitted,
                Err(ended) => return ended,
            },
            (Start::Begun, None) => return self.lost(),
        };
        let Some(poll) = poll_of(self.as_task(), &submitted) else { return self.lost() };
        let mut pause = self.pace.first;
        let mut was_unreached = false;
        loop {
            tokio::select! {
                biased;
                () = self.cancelled.notified() => return self.stop(&submitted).await,
                () = tokio::time::sleep(pause) => {}
            }
            let reply = tokio::select! {
                biased;
                () = self.cancelled.notified() => return self.stop(&submitted).await,
                reply = self.ask(&poll, None) => reply,
            };
            if let Some(reason) = unreached(&reply)
                && !std::mem::replace(&mut was_unreached, true)
            {
                tracing::warn!(action = said(&poll), reason, "a job cannot be asked for; it is asked for again");
            }
            let mut collecting = match progress_of(self.as_task(), &submitted, reply) {
                Progress::Running => {
                    pause = self.pace.after(pause);
                    continue;
                }
                Progress::Over(command) => return Ended::Told(command),
                Progress::Collects(collecting) => collecting,
            };
            while let Some(call) = collecting.next_call(self.as_task()) {
                tokio::select! {
                    biased;
                    // What is over needs no end.
                    () = self.cancelled.notified() => return Ended::Cancelled,
                    answer = self.visit(&call) => collecting.take(answer),
                }
            }
            return Ended::Told(collecting.told());
        }
    }

    /// Starts the job: what was answered, or how the task ends without.
    async fn start(&self, question: &Question, destination: Option<&Destination>) -> Result<Json, Ended> {
        let place = tokio::select! {
            biased;
            () = self.cancelled.notified() => return Err(Ended::Cancelled),
            // The semaphore is never closed.
            place = self.places.acquire() => place,
        };
        let outcome = match self.ask_at_once(question, destination).await {
            Reply::Service(answer) => outcome_of(self.as_task(), answer),
            Reply::Address(answer) => web_outcome_of(self.as_task(), answer),
        };
        drop(place);
        match outcome {
            Command::TaskSubmitted { task, output } => {
                self.answers.send(self.task.execution, vec![Command::TaskSubmitted { task, output: output.clone() }]);
                Ok(output)
            }
            ended => Err(Ended::Told(ended)),
        }
    }

    async fn ask(&self, question: &Question, destination: Option<&Destination>) -> Reply {
        // The semaphore is never closed.
        let _place = self.places.acquire().await;
        self.ask_at_once(question, destination).await
    }

    async fn ask_at_once(&self, question: &Question, destination: Option<&Destination>) -> Reply {
        match (question, destination) {
            (Question::Service(call), Some(destination)) => {
                Reply::Service(self.carrier.carry(destination, call, &self.asker).await)
            }
            (Question::Service(call), None) => Reply::Service(self.carrier.ask(call, &self.asker).await),
            (Question::Address(call), _) => {
                Reply::Address(web::visit(&self.carrier, call, &self.asker, &mut None).await)
            }
        }
    }

    async fn visit(&self, call: &WebCall) -> WebAnswer {
        // The semaphore is never closed.
        let _place = self.places.acquire().await;
        web::visit(&self.carrier, call, &self.asker, &mut None).await
    }

    /// Stops the job, as far as its service lets us.
    async fn stop(&self, submitted: &Json) -> Ended {
        let Some(question) = stop_of(self.as_task(), submitted) else { return Ended::Cancelled };
        let (code, reason) = match self.ask(&question, None).await {
            Reply::Service(Err(fault)) => (fault.code.to_string(), fault.message.as_deref().unwrap_or("").to_owned()),
            Reply::Address(Err(fault)) => ("unreached".to_owned(), format!("{fault:?}")),
            Reply::Address(Ok(answer)) if !(200..300).contains(&answer.status) => {
                (answer.status.to_string(), answer.status_text)
            }
            Reply::Service(Ok(_)) | Reply::Address(Ok(_)) => return Ended::Cancelled,
        };
        tracing::warn!(action = said(&question), code, reason, "a job could not be stopped");
        Ended::Cancelled
    }

    /// The answer that should have named the job did not.
    fn lost(&self) -> Ended {
        let request = &self.task.request;
        let cause = format!("{} did not say which job it began", request.resource.arn);
        let (error, cause) = (Some(error::TASK_FAILED.into()), Some(cause.into()));
        Ended::Told(Command::TaskFailed { task: request.key, error, cause })
    }

    fn as_task(&self) -> Task<'_> {
        Task { request: &self.task.request, execution: &self.task.identity }
    }

    pub(crate) fn execution(&self) -> ExecutionId {
        self.task.execution
    }
}

/// As the log calls a question.
fn said(question: &Question) -> &str {
    match question {
        Question::Service(call) => &call.action,
        Question::Address(call) => &call.method,
    }
}

/// Why nobody answered.
fn unreached(reply: &Reply) -> Option<&str> {
    match reply {
        Reply::Service(Err(AwsError { fault: Fault::Unreached, message, .. })) => {
            Some(message.as_deref().unwrap_or_default())
        }
        Reply::Address(Err(WebFault::Socket(reason))) => Some(reason),
        Reply::Service(_) | Reply::Address(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_growing() {
        let pace = Pace::of(Time::Real);
        let pauses: Vec<u128> = std::iter::successors(Some(pace.first), |pause| Some(pace.after(*pause)))
            .take(10)
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [500, 750, 1125, 1687, 2531, 3796, 5695, 8542, 10_000, 10_000]);
        assert!(Pace::of(Time::Skip).longest < Duration::from_secs(1));
    }
}
