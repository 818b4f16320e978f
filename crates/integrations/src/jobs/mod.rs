//! Services with jobs, and what `.sync` asks until a job is over.
//!
//! ```text
//! submit_of -> the call that starts the job            -> TaskSubmitted with its answer
//! poll_of ---> the call that describes it, from that answer as the history has it
//! progress_of -> goes on, or what the execution is told of its end
//! stop_of ---> the call that stops it, when nobody wants its end any more
//! ```
//!
//! Most jobs are a service's; those of Kubernetes are at an address, and asked for there.
//!
//! Everything is found again from the task and the first answer, both of which are kept: a job goes on to be asked for
//! after a restart, and is not started a second time.

mod by_name;
mod table;

use std::sync::Arc;

use stepwell_asl::{Integration, Pattern, ResourceKind};
use stepwell_interpreter::{Command, Failure};
use stepwell_json::{Json, Object};
use stepwell_protocol::{AwsAnswer, AwsCall, AwsError, AwsOutput, Fault, Operation, Service, service};
use stepwell_spec::error;

use crate::aws_sdk::{Times, to_input, to_result};
use crate::failures::Words;
use crate::kubernetes::{self, Collecting};
use crate::metadata::{Header, with_metadata};
use crate::task::{ServiceIntegration, Task, pascal};
use crate::web::{WebAnswer, WebCall};
pub use by_name::{Seeking, Sought};
use table::{JOB_SERVICES, Job, JobAction, JobService, NOT_DONE, Renamed, Shown, Source};

const HEADERS: &[Header] = &[
    ("x-amzn-RequestId", None),
    ("connection", Some("keep-alive")),
    ("Content-Length", None),
    ("Date", None),
    ("Content-Type", None),
];

/// What is asked of a job, and of whom.
#[derive(Clone, Debug)]
pub enum Question {
    /// A service.
    Service(AwsCall),
    /// The API of a cluster.
    Address(Box<WebCall>),
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Reply {
    /// From a service.
    Service(AwsAnswer),
    /// From a cluster.
    Address(WebAnswer),
}

/// What is known of a job's end.
#[derive(Clone, Debug)]
pub enum Progress {
    /// It goes on, or nobody could say: ask again.
    Running,
    /// The execution is told this.
    Over(Command),
    /// It is over, and what it left is read first.
    Collects(Box<Collecting>),
}

/// The service of this name.
pub(crate) fn job_service(name: &str) -> Option<&'static dyn ServiceIntegration> {
    let place = JOB_SERVICES.iter().position(|service| service.name == name)?;
    JOB_SERVICES.get(place).map(|service| service as &dyn ServiceIntegration)
}

/// The service of the model that an action of these services asks.
pub(crate) fn service_of_job(integration: &Integration) -> Option<&'static str> {
    action_of(integration).map(|action| action.operation.0)
}

/// Whether AWS has this action and nothing here does it.
pub(crate) fn is_not_done(integration: &Integration) -> bool {
    NOT_DONE.contains(&(&*integration.resource_type, &*integration.action))
}

/// Whether a task waits for the end of a job that can be asked for.
pub fn waits_for_job(task: Task<'_>) -> bool {
    job_of(task).is_some() || kubernetes::waits(task)
}

/// The question that describes a task's job, from the first answer. None when that answer does not say which job it is.
pub fn poll_of(task: Task<'_>, submitted: &Json) -> Option<Question> {
    if let Some(call) = kubernetes::poll(task, submitted) {
        return Some(Question::Address(Box::new(call)));
    }
    let (action, job) = job_of(task)?;
    request(action, job.describe, task, submitted).map(Question::Service)
}

/// What stops a task's job; none when there is no way to.
pub fn stop_of(task: Task<'_>, submitted: &Json) -> Option<Question> {
    if let Some(call) = kubernetes::stop(task, submitted) {
        return Some(Question::Address(Box::new(call)));
    }
    let (action, job) = job_of(task)?;
    request(action, job.stop?, task, submitted).map(Question::Service)
}

/// What an answer to [`poll_of`] says of a job.
pub fn progress_of(task: Task<'_>, submitted: &Json, reply: Reply) -> Progress {
    match reply {
        Reply::Service(answer) => progress_of_service(task, submitted, answer),
        Reply::Address(answer) => kubernetes::progress(task, answer),
    }
}

fn progress_of_service(task: Task<'_>, submitted: &Json, answer: AwsAnswer) -> Progress {
    let (Some((action, job)), ResourceKind::Integration(integration)) = (job_of(task), &task.request.resource.kind)
    else {
        return Progress::Running;
    };
    let key = task.request.key;
    let failed =
        |Failure { error, cause, .. }: Failure| Progress::Over(Command::TaskFailed { task: key, error, cause });
    let answer = match answer {
        Ok(answer) => answer,
        Err(fault) if job.may_be_gone && is_gone(&fault) => {
            return Progress::Over(Command::TaskSucceeded { task: key, output: last_seen(submitted) });
        }
        Err(fault) if may_pass(&fault) => return Progress::Running,
        Err(fault) => match job_row(integration) {
            Some(service) => return failed(service.failure(integration, &fault)),
            None => return Progress::Running,
        },
    };
    let Some(described) = find(&answer.output, job.at) else {
        // A service may know a new job a moment later than it says.
        return Progress::Running;
    };
    let state = find(described, job.state).and_then(Json::as_str).unwrap_or_default();
    let has_succeeded = job.succeeded.contains(&state);
    if !has_succeeded && !job.failed.contains(&state) {
        return Progress::Running;
    }
    if action.operation == ("ecs", "RunTask") && !all_stopped(&answer.output) {
        return Progress::Running;
    }
    let has_succeeded =
        has_succeeded && (action.operation != ("ecs", "RunTask") || containers_succeeded(&answer.output));
    let shown = shown(action, job, task, submitted, &answer.output);
    match has_succeeded {
        true => Progress::Over(Command::TaskSucceeded { task: key, output: shown }),
        false => failed(Failure::new(error::TASK_FAILED, shown.to_string())),
    }
}

/// The row of a task's job.
fn job_of(task: Task<'_>) -> Option<(&'static JobAction, &'static Job)> {
    let ResourceKind::Integration(integration) = &task.request.resource.kind else { return None };
    match integration.pattern {
        Pattern::Sync | Pattern::Sync2 => {}
        Pattern::RequestResponse | Pattern::WaitForTaskToken => return None,
    }
    let action = action_of(integration)?;
    Some((action, action.job.as_ref()?))
}

fn job_row(integration: &Integration) -> Option<&'static JobService> {
    JOB_SERVICES.iter().find(|service| *service.name == *integration.resource_type)
}

fn action_of(integration: &Integration) -> Option<&'static JobAction> {
    job_row(integration)?.actions.iter().find(|action| *action.name == *integration.action)
}

fn model_of(action: &JobAction, operation: &str) -> Option<(&'static Service, &'static Operation)> {
    let service = service(action.operation.0)?;
    Some((service, service.operation(operation)?))
}

impl ServiceIntegration for JobService {
    fn call(&self, task: Task<'_>, integration: &Integration) -> Result<AwsCall, Failure> {
        let Some(action) = action_of(integration) else { return Err(crate::task::unknown(task.request)) };
        let arguments = renamed(&task.request.input, action.given);
        let input = match model_of(action, action.operation.1) {
            Some((service, Operation { input: Some(part), .. })) => to_input(service, part, &arguments),
            Some((_, Operation { input: None, .. })) | None => arguments,
        };
        Ok(AwsCall { service: action.operation.0.into(), action: action.operation.1.into(), input })
    }

    fn output(&self, integration: &Integration, answer: AwsOutput) -> Result<Json, Failure> {
        let Some(action) = action_of(integration) else { return Ok(answer.output) };
        let output = seen(action, action.operation.1, &answer.output, Times::Seconds);
        let output = parsed(restored(&output, action.answered), action.json);
        // A task that goes on must have begun: what ECS could not place is a failure then.
        let has_failures = output.get("Failures").and_then(Json::as_array).is_some_and(|failures| !failures.is_empty());
        if action.operation == ("ecs", "RunTask") && has_failures && integration.pattern != Pattern::RequestResponse {
            return Err(Failure::new("AmazonECS.Unknown", output.to_string()));
        }
        Ok(with_metadata(output.as_object(), &answer, HEADERS))
    }

    fn failure(&self, integration: &Integration, fault: &AwsError) -> Failure {
        let words = Words { prefix: self.prefix, service: self.words, otherwise: "", modelled: &[] };
        let model = action_of(integration).and_then(|action| service(action.operation.0));
        words.failure_of(model, fault)
    }
}

/// A request of one of a job's operations. None when what it needs is not there.
fn request(
    action: &JobAction,
    (operation, members): (&'static str, &'static [(&'static str, Source)]),
    task: Task<'_>,
    submitted: &Json,
) -> Option<AwsCall> {
    let input: Option<Vec<(&str, Json)>> =
        members.iter().map(|(member, from)| Some((*member, value_from(*from, task, submitted)?))).collect();
    Some(AwsCall { service: action.operation.0.into(), action: operation.into(), input: Json::object(input?) })
}

fn value_from(from: Source, task: Task<'_>, submitted: &Json) -> Option<Json> {
    match from {
        Source::Answer(path) => match path.split(|part| *part == "*").collect::<Vec<_>>()[..] {
            [before, after] => {
                let items = find(submitted, before)?.as_array()?;
                let values: Vec<Json> = items.iter().filter_map(|item| find(item, after).cloned()).collect();
                (!values.is_empty()).then(|| Json::array(values))
            }
            _ => find(submitted, path).cloned(),
        },
        Source::AnswerInList(path) => Some(Json::array(vec![find(submitted, path)?.clone()])),
        Source::Argument(name) => task.request.input.get(name).cloned(),
        Source::Text(text) => Some(Json::from(text)),
    }
}

/// The value at a path of names, and of places in lists.
fn find<'a>(value: &'a Json, path: &[&str]) -> Option<&'a Json> {
    path.iter().try_fold(value, |value, part| match value {
        Json::Array(items) => items.get(part.parse::<usize>().ok()?),
        value => value.get(part),
    })
}

/// An answer of an operation as a task sees it.
fn seen(action: &JobAction, operation: &str, answer: &Json, times: Times) -> Json {
    match model_of(action, operation) {
        Some((service, Operation { output: Some(part), .. })) => to_result(service, part, answer, times),
        Some((_, Operation { output: None, .. })) => Json::empty_object(),
        None => answer.clone(),
    }
}

/// What a task sees of a job that is over.
fn shown(action: &JobAction, job: &Job, task: Task<'_>, submitted: &Json, answer: &Json) -> Json {
    let seen = seen(action, job.describe.0, answer, Times::Milliseconds);
    let path: Vec<Arc<str>> = job.at.iter().map(|part| pascal(part)).collect();
    let path: Vec<&str> = path.iter().map(|part| &**part).collect();
    let job_seen = find(&seen, &path).cloned().unwrap_or(Json::Null);
    match job.shown {
        Shown::Job => job_seen,
        Shown::Under(name) => Json::object([(name, job_seen)]),
        Shown::UnderWith(name, id, from) => {
            let id_seen = value_from(from, task, submitted).unwrap_or(Json::Null);
            Json::object([(name, job_seen), (id, id_seen)])
        }
    }
}

/// What is left to show of what is gone: what the service said of it when it was to go.
fn last_seen(submitted: &Json) -> Json {
    let Json::Object(members) = submitted else { return submitted.clone() };
    let mut members = members.to_builder();
    members.remove("SdkHttpMetadata");
    members.remove("SdkResponseMetadata");
    Json::Object(members.build())
}

fn all_stopped(answer: &Json) -> bool {
    let tasks = answer.get("tasks").and_then(Json::as_array);
    tasks.is_some_and(|tasks| tasks.iter().all(|task| task.get("lastStatus").and_then(Json::as_str) == Some("STOPPED")))
}

/// Whether every container of every task ran and ended well. Which of them are essential only the task definition knows.
fn containers_succeeded(answer: &Json) -> bool {
    let tasks = answer.get("tasks").and_then(Json::as_array).into_iter().flat_map(|tasks| tasks.iter());
    let mut containers =
        tasks.flat_map(|task| task.get("containers").and_then(Json::as_array).into_iter().flat_map(|list| list.iter()));
    containers.all(|container| container.get("exitCode").and_then(Json::as_i64) == Some(0))
}

/// Whether what was asked for is not there.
fn is_gone(fault: &AwsError) -> bool {
    fault.fault == Fault::Client && (fault.status == 404 || fault.code.starts_with("ResourceNotFound"))
}

/// Whether asking again may help.
fn may_pass(fault: &AwsError) -> bool {
    let code = &*fault.code;
    let is_throttled = fault.status == 429 || code.contains("Throttl") || code.contains("TooManyRequests");
    is_throttled || matches!(fault.fault, Fault::Server | Fault::Unreached)
}

/// Arguments under the names of the model.
fn renamed(arguments: &Json, names: &[Renamed]) -> Json {
    let Json::Object(members) = arguments else { return arguments.clone() };
    Json::object(members.iter().map(|(name, value)| match names.iter().find(|known| known.task == &**name) {
        Some(known) if known.in_list => (Arc::from(known.model), Json::array(vec![value.clone()])),
        Some(known) => (Arc::from(known.model), value.clone()),
        None => (name.clone(), value.clone()),
    }))
}

/// An answer under the names a task has.
fn restored(answer: &Json, names: &[Renamed]) -> Json {
    let Json::Object(members) = answer else { return answer.clone() };
    Json::object(members.iter().map(|(name, value)| match names.iter().find(|known| known.model == &**name) {
        Some(known) if known.in_list => {
            (Arc::from(known.task), value.as_array().and_then(|items| items.first()).cloned().unwrap_or(Json::Null))
        }
        Some(known) => (Arc::from(known.task), value.clone()),
        None => (name.clone(), value.clone()),
    }))
}

/// With these members as the JSON they hold.
fn parsed(answer: Json, names: &[&str]) -> Json {
    names.iter().fold(answer, |answer, name| {
        let value = answer.get(name).and_then(Json::as_str).and_then(|text| Json::parse(text).ok());
        match (value, &answer) {
            (Some(value), Json::Object(members)) => Json::Object(Object::with(members, *name, value)),
            _ => answer,
        }
    })
}

#[cfg(test)]
mod tests;
