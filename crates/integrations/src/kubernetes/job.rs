//! Jobs of Kubernetes: begun, asked for until they are over, and their logs read where a task wants them.
//!
//! ```text
//! poll -----> the question whether the job is over, from the first answer as the history has it
//! progress -> goes on, is over, or has logs to be collected first
//! stop -----> the call that deletes the job and its pods, when nobody wants its end any more
//! ```

use std::collections::VecDeque;

use stepwell_asl::{Pattern, ResourceKind};
use stepwell_interpreter::{Command, Failure, TaskKey};
use stepwell_json::{Json, Object};
use stepwell_protocol::percent_encode;
use stepwell_spec::error;

use super::{failure, request, result};
use crate::jobs::Progress;
use crate::task::Task;
use crate::web::{WebAnswer, WebCall, WebFault, WebKind, body_of, pairs};

/// Whether a task begins a job.
pub(super) fn is_job(task: Task<'_>) -> bool {
    match &task.request.resource.kind {
        ResourceKind::Integration(integration) => {
            WebKind::of(integration) == Some(WebKind::Kubernetes) && *integration.action == *"runJob"
        }
        ResourceKind::LambdaFunction | ResourceKind::Activity => false,
    }
}

/// Whether a task waits for the end of a job.
pub(crate) fn waits(task: Task<'_>) -> bool {
    match &task.request.resource.kind {
        ResourceKind::Integration(integration) => {
            is_job(task) && matches!(integration.pattern, Pattern::Sync | Pattern::Sync2)
        }
        ResourceKind::LambdaFunction | ResourceKind::Activity => false,
    }
}

/// Where jobs of the task's namespace are.
pub(super) fn path(task: Task<'_>) -> String {
    format!("/apis/batch/v1/namespaces/{}/jobs", namespace(task))
}

fn namespace(task: Task<'_>) -> String {
    let named = task.request.input.get("Namespace").and_then(Json::as_str).filter(|name| !name.is_empty());
    percent_encode(named.unwrap_or("default"), &[])
}

/// The question whether a task's job is over. None when it does not wait for one, or nobody said which job it is.
pub(crate) fn poll(task: Task<'_>, submitted: &Json) -> Option<WebCall> {
    let path = format!("{}/{}", path(task), percent_encode(name_of(task, submitted)?, &[]));
    request(task, "GET", &path, Vec::new(), None).ok()
}

/// The call that ends a task's job, and its pods with it.
pub(crate) fn stop(task: Task<'_>, submitted: &Json) -> Option<WebCall> {
    let path = format!("{}/{}", path(task), percent_encode(name_of(task, submitted)?, &[]));
    let query = vec![("propagationPolicy".to_owned(), "Background".to_owned())];
    request(task, "DELETE", &path, query, None).ok()
}

fn name_of<'a>(task: Task<'_>, submitted: &'a Json) -> Option<&'a str> {
    if !waits(task) {
        return None;
    }
    submitted.get("ResponseBody")?.get("metadata")?.get("name")?.as_str()
}

/// What an answer to [`poll`] says of a job.
pub(crate) fn progress(task: Task<'_>, answer: WebAnswer) -> Progress {
    let key = task.request.key;
    let failed =
        |Failure { error, cause, .. }: Failure| Progress::Over(Command::TaskFailed { task: key, error, cause });
    let answer = match answer {
        Ok(answer) if answer.status == 429 || answer.status >= 500 => return Progress::Running,
        Ok(answer) => answer,
        Err(WebFault::Socket(_)) => return Progress::Running,
        Err(fault) => return failed(failure(fault)),
    };
    if !(200..300).contains(&answer.status) {
        return match result(Ok(answer)) {
            Ok(_) => Progress::Running,
            Err(fault) => failed(fault),
        };
    }
    let job = body_of(&answer);
    let is_so = |kind: &str| {
        let conditions = job.get("status").and_then(|status| status.get("conditions")).and_then(Json::as_array);
        let is_true = |condition: &Json| {
            let says = |name: &str, value: &str| condition.get(name).and_then(Json::as_str) == Some(value);
            says("type", kind) && says("status", "True")
        };
        conditions.is_some_and(|conditions| conditions.iter().any(is_true))
    };
    let (succeeded, has_failed) = (is_so("Complete"), is_so("Failed"));
    if !succeeded && !has_failed {
        return Progress::Running;
    }
    let options = task.request.input.get("LogOptions");
    let wants = |name: &str| options.and_then(|options| options.get(name)).and_then(Json::as_bool) == Some(true);
    let mut collecting = Collecting {
        task: key,
        job,
        succeeded,
        pods: None,
        containers: VecDeque::new(),
        is_raw: wants("RawLogs"),
        logs: Vec::new(),
        unlisted: None,
    };
    if !wants("RetrieveLogs") {
        return Progress::Over(collecting.end(None));
    }
    let name = collecting.job.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Json::as_str);
    let selector = format!("job-name={}", name.unwrap_or_default());
    let pods = format!("/api/v1/namespaces/{}/pods", namespace(task));
    match request(task, "GET", &pods, vec![("labelSelector".to_owned(), selector)], None) {
        Ok(call) => {
            collecting.pods = Some(call);
            Progress::Collects(Box::new(collecting))
        }
        Err(fault) => failed(fault),
    }
}

/// The logs of a job that is over, on their way.
///
/// What cannot be read is told in its place: the job has ended as it has ended.
#[derive(Clone, Debug)]
pub struct Collecting {
    task: TaskKey,
    job: Json,
    succeeded: bool,
    /// The question for the pods of the job, until it is answered.
    pods: Option<WebCall>,
    /// What is still to be read: pod and container.
    containers: VecDeque<(String, String)>,
    /// Whether logs are text, whatever is in them.
    is_raw: bool,
    /// Pod, container, and what is shown of it.
    logs: Vec<(String, String, Json)>,
    /// Why not even the pods are known.
    unlisted: Option<Json>,
}

impl Collecting {
    /// The next question; none when all is there.
    pub fn next_call(&self, task: Task<'_>) -> Option<WebCall> {
        if let Some(call) = &self.pods {
            return Some(call.clone());
        }
        let (pod, container) = self.containers.front()?;
        let path = format!("/api/v1/namespaces/{}/pods/{}/log", namespace(task), percent_encode(pod, &[]));
        let parameters = task.request.input.get("LogOptions").and_then(|options| options.get("LogParameters"));
        let mut query = vec![("container".to_owned(), container.clone())];
        query.extend(pairs(parameters).into_iter().filter(|(name, _)| name != "container"));
        request(task, "GET", &path, query, None).ok()
    }

    /// Takes the answer to it.
    pub fn take(&mut self, answer: WebAnswer) {
        let is_of_pods = self.pods.take().is_some();
        let answer = match answer {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(answer),
            other => Err(match result(other) {
                Err(Failure { error, cause, .. }) => Json::object([
                    ("error", Json::from(error.as_deref().unwrap_or_default())),
                    ("cause", Json::from(cause.as_deref().unwrap_or_default())),
                ]),
                Ok(shown) => shown,
            }),
        };
        if is_of_pods {
            match answer {
                Ok(answer) => self.containers = containers_of(&body_of(&answer)),
                Err(failed) => self.unlisted = Some(failed),
            }
            return;
        }
        let Some((pod, container)) = self.containers.pop_front() else { return };
        let shown = answer.map_or_else(
            |failed| failed,
            |answer| {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                let log = match Json::parse(&text) {
                    Ok(log) if !self.is_raw => log,
                    Ok(_) | Err(_) => Json::from(text),
                };
                Json::object([("log", log)])
            },
        );
        self.logs.push((pod, container, shown));
    }

    /// What the execution is told.
    pub fn told(self) -> Command {
        let mut pods: Vec<(&str, Vec<(&str, Json)>)> = Vec::new();
        for (pod, container, shown) in &self.logs {
            let log = (container.as_str(), shown.clone());
            match pods.iter_mut().find(|(known, _)| known == pod) {
                Some((_, containers)) => containers.push(log),
                None => pods.push((pod, vec![log])),
            }
        }
        let pods =
            pods.into_iter().map(|(pod, containers)| (pod, Json::object([("containers", Json::object(containers))])));
        let logs = self.unlisted.clone().unwrap_or_else(|| Json::object([("pods", Json::object(pods))]));
        self.end(Some(logs))
    }

    fn end(&self, logs: Option<Json>) -> Command {
        let output = match (&self.job, logs) {
            (Json::Object(job), Some(logs)) => Json::Object(Object::with(job, "logs", logs)),
            (job, _) => job.clone(),
        };
        match self.succeeded {
            true => Command::TaskSucceeded { task: self.task, output },
            false => {
                let (error, cause) = (Some(error::TASK_FAILED.into()), Some(output.to_string().into()));
                Command::TaskFailed { task: self.task, error, cause }
            }
        }
    }
}

/// The pods of a list, and the containers of each.
fn containers_of(list: &Json) -> VecDeque<(String, String)> {
    let pods = list.get("items").and_then(Json::as_array).into_iter().flat_map(|pods| pods.iter());
    let named = |value: &Json| value.get("name").and_then(Json::as_str).map(str::to_owned);
    pods.filter_map(|pod| Some((named(pod.get("metadata")?)?, pod.get("spec")?.get("containers")?.as_array()?)))
        .flat_map(|(pod, containers)| {
            containers.iter().filter_map(named).map(|container| (pod.clone(), container)).collect::<Vec<_>>()
        })
        .collect()
}
