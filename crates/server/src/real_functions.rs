//! Functions of this machine for one execution without a server: what tasks call of Lambda runs, the rest is mocked.
//!
//! Tasks that wait for each other's neighbours do so at the same time: each invocation is a task of the runtime, and its
//! answer comes back through a channel.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use stepwell_asl::{Pattern, ResourceKind};
use stepwell_engine::{Answer, Dispatch, Transport};
use stepwell_integrations::{Task, call_of, outcome_of};
use stepwell_interpreter::Command;
use stepwell_json::Json;
use stepwell_lambda::{Lambda, LambdaSettings};
use stepwell_protocol::{Answering, AwsCall, Peers, Place};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use crate::clock;
use crate::local::client_error;
use crate::mocks::Mocks;
use crate::server::StartError;
use crate::settings::{FunctionSource, NamedFunction};

/// What answers the tasks of one execution.
pub struct RealFunctions {
    mocks: Mocks,
    lambda: Arc<Lambda>,
    /// Functions of this place have been named.
    place: Place,
    tickets: u64,
    at_work: BTreeMap<u64, AbortHandle>,
    sender: Sender<(u64, Answer)>,
    answers: Receiver<(u64, Answer)>,
    runtime: Runtime,
}

impl std::fmt::Debug for RealFunctions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RealFunctions").field("at_work", &self.at_work.keys()).finish_non_exhaustive()
    }
}

impl RealFunctions {
    /// Makes these functions of an account and a region, in their sandbox or out of it; every other task is for the mocks. Refuses a directory that holds no
    /// function, and a runtime this machine has not.
    pub fn open(
        functions: &[NamedFunction],
        account: &str,
        region: &str,
        mocks: Mocks,
        sandbox: bool,
    ) -> Result<RealFunctions, StartError> {
        let refused = |fault: &dyn std::fmt::Display| StartError::Refused(format!("functions cannot run: {fault}"));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|fault| refused(&fault))?;
        let place = Place { account: account.into(), region: region.into() };
        let inside = runtime.enter();
        let settings = LambdaSettings { sandbox, ..LambdaSettings::default() };
        let lambda = Lambda::open(None, settings, Arc::new(Nobody)).map_err(|fault| refused(&fault))?;
        drop(inside);
        for NamedFunction { name, runs } in functions {
            let named = match runs {
                FunctionSource::Directory { path, entry } => {
                    runtime.block_on(lambda.register_directory(&place, name, path, entry.as_deref()))
                }
                FunctionSource::Url(url) => lambda.register_url(&place, name, url),
            };
            named.map_err(|fault| StartError::Unusable(fault.to_string()))?;
        }
        let (sender, answers) = channel();
        let (lambda, tickets, at_work) = (Arc::new(lambda), 0, BTreeMap::new());
        Ok(RealFunctions { mocks, lambda, place, tickets, at_work, sender, answers, runtime })
    }

    /// The invocation a task asks for, when its function is one of these.
    fn invocation(&self, task: &Dispatch<'_>) -> Option<AwsCall> {
        let asked = Task { request: task.request, execution: task.execution };
        let is_lambda = match &task.request.resource.kind {
            ResourceKind::LambdaFunction => true,
            ResourceKind::Integration(integration) => {
                matches!(&*integration.resource_type, "lambda" | "aws-sdk:lambda")
            }
            ResourceKind::Activity => false,
        };
        // What is wrong with its parameters is said by whoever answers otherwise.
        let call = call_of(asked).ok().filter(|call| is_lambda && *call.action == *"Invoke")?;
        let input = call.input.as_object()?;
        let name = bare_name(input.get("FunctionName").and_then(Json::as_str)?).to_owned();
        if !self.lambda.has_function(&self.place, &name) {
            return None;
        }
        let mut input = input.to_builder();
        input.insert("FunctionName", Json::string(name));
        input.remove("Qualifier");
        Some(AwsCall { input: Json::from(input.build()), ..call })
    }
}

/// A function's name without where it is and which of its versions: whoever names a directory means it wherever a workflow
/// would find it.
fn bare_name(function: &str) -> &str {
    let name = match function.split_once(":function:") {
        Some((_, name)) => name,
        None => function,
    };
    name.split(':').next().unwrap_or(name)
}

impl Transport for RealFunctions {
    fn run(&mut self, task: &Dispatch<'_>) -> Answer {
        let Some(call) = self.invocation(task) else { return self.mocks.run(task) };
        if waits_for_token(&task.request.resource.kind) {
            return Answer::Refused(
                "a token comes back through the API, which is there under `stepwell serve` alone".to_owned(),
            );
        }
        self.tickets += 1;
        let ticket = self.tickets;
        let (lambda, sender, place) = (self.lambda.clone(), self.sender.clone(), self.place.clone());
        let (request, execution) = (task.request.clone(), task.execution.clone());
        let work = self.runtime.spawn(async move {
            let answer = lambda.call(&place, call, clock::wall()).await;
            let answer = match outcome_of(Task { request: &request, execution: &execution }, answer) {
                Command::TaskFailed { error, cause, .. } => Answer::Failed { error, cause },
                Command::TaskSucceeded { output, .. } => Answer::Succeeded(output),
                other => Answer::Refused(format!("a function's answer came to {other:?}")),
            };
            // A run that is over wants no answer.
            let _ = sender.send((ticket, answer));
        });
        self.at_work.insert(ticket, work.abort_handle());
        Answer::Later(ticket)
    }

    fn next_answer(&mut self, patience: Duration) -> Option<(u64, Answer)> {
        let (ticket, answer) = self.answers.recv_timeout(patience).ok()?;
        self.at_work.remove(&ticket).map(|_| (ticket, answer))
    }

    fn give_up(&mut self, ticket: u64) {
        if let Some(work) = self.at_work.remove(&ticket) {
            work.abort();
        }
    }
}

impl Drop for RealFunctions {
    /// No process of a function outlives the run.
    fn drop(&mut self) {
        self.runtime.block_on(self.lambda.shut_down());
    }
}

fn waits_for_token(kind: &ResourceKind) -> bool {
    matches!(kind, ResourceKind::Integration(integration) if integration.pattern == Pattern::WaitForTaskToken)
}

/// There are no other services beside a run.
struct Nobody;

impl Peers for Nobody {
    fn ask(&self, _: &Place, call: AwsCall) -> Answering {
        let message = format!("there is no {} without a server; see `stepwell serve`", call.service);
        let error = client_error("UnknownOperationException", &message, "");
        Box::pin(async move { Err(error) })
    }
}

#[cfg(test)]
mod tests {
    use super::bare_name;

    #[test]
    fn a_function_is_known_by_its_name_alone() {
        for named in [
            "charge",
            "charge:live",
            "123456789012:function:charge",
            "arn:aws:lambda:eu-west-1:123456789012:function:charge",
            "arn:aws:lambda:eu-west-1:123456789012:function:charge:$LATEST",
        ] {
            assert_eq!(bare_name(named), "charge", "{named}");
        }
    }
}
