//! `eks:call` and `eks:runJob`: the Kubernetes API of a cluster of EKS.
//!
//! Source: Developer Guide, "Call Amazon EKS", for parameters, for the form of failures, which is that of results too, and for
//! where logs are. Which type a PATCH has is not published: that of an object merges, that of a list is a JSON Patch.

mod job;
mod token;

use stepwell_interpreter::Failure;
use stepwell_json::Json;
use stepwell_spec::error;

use crate::task::Task;
use crate::web::{Address, Cluster, WebAnswer, WebCall, WebFault, WebKind, WebOutput, body_of, escaped, pairs, plain};

pub use job::Collecting;
pub(crate) use job::{poll, progress, stop, waits};
pub use token::bearer_token;

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"];

pub(crate) fn call(task: Task<'_>) -> Result<WebCall, Failure> {
    let arguments = &task.request.input;
    if job::is_job(task) {
        let job = arguments.get("Job").filter(|job| !job.is_null()).ok_or_else(|| missing("Job"))?;
        return request(task, "POST", &job::path(task), Vec::new(), Some(job));
    }
    let method = text(arguments, "Method")?;
    if !METHODS.contains(&method) {
        return Err(refused(format!("'{method}' is no method of the Kubernetes API")));
    }
    let body = arguments.get("RequestBody").filter(|body| !body.is_null());
    request(task, method, text(arguments, "Path")?, pairs(arguments.get("QueryParameters")), body)
}

pub(crate) fn result(answer: WebAnswer) -> Result<Json, Failure> {
    match answer {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(shown(&answer)),
        Ok(answer) => Err(Failure::new(&format!("EKS.{}", answer.status), shown(&answer).to_string())),
        Err(fault) => Err(failure(fault)),
    }
}

/// A request of the API of the cluster that a task names.
fn request(
    task: Task<'_>,
    method: &str,
    path: &str,
    query: Vec<(String, String)>,
    body: Option<&Json>,
) -> Result<WebCall, Failure> {
    let arguments = &task.request.input;
    let endpoint = text(arguments, "Endpoint")?;
    let (mut address, mut all) =
        Address::parse(endpoint).map_err(|reason| refused(format!("Endpoint cannot be '{endpoint}': {reason}")))?;
    let (path, asked) = path.split_once('?').unwrap_or((path, ""));
    if !asked.is_empty() {
        return Err(refused("Path holds a query; give it as QueryParameters".to_owned()));
    }
    address.path = format!("{}/{}", address.path.trim_end_matches('/'), escaped(path.trim_start_matches('/')));
    all.extend(query);
    let content_type = match (method, body) {
        (_, None) => None,
        ("PATCH", Some(Json::Array(_))) => Some("application/json-patch+json"),
        ("PATCH", Some(_)) => Some("application/merge-patch+json"),
        (_, Some(_)) => Some("application/json"),
    };
    let headers = [Some(("Accept", "application/json")), content_type.map(|kind| ("Content-Type", kind))];
    Ok(WebCall {
        kind: WebKind::Kubernetes,
        method: method.to_owned(),
        address,
        query: all,
        headers: headers.into_iter().flatten().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        // A text is a document already.
        body: body.map(|body| Json::from(plain(body))),
        form: None,
        connection: None,
        signed: false,
        cluster: Some(Cluster {
            name: text(arguments, "ClusterName")?.to_owned(),
            certificate_authority: text(arguments, "CertificateAuthority")?.to_owned(),
        }),
    })
}

/// An answer, as results and the causes of failures show it.
fn shown(answer: &WebOutput) -> Json {
    Json::object([
        ("ResponseBody", body_of(answer)),
        ("StatusCode", Json::from(i64::from(answer.status))),
        ("StatusText", Json::from(answer.status_text.as_str())),
    ])
}

fn failure(fault: WebFault) -> Failure {
    match fault {
        WebFault::Refused(reason) | WebFault::Misfit(reason) | WebFault::Connection(_, reason) => {
            Failure::new(error::TASK_FAILED, reason)
        }
        WebFault::Socket(reason) => Failure::new("EKS.SdkClientException", reason),
        WebFault::TooLarge => Failure::new(error::DATA_LIMIT_EXCEEDED, "The answer is larger than a payload may be."),
    }
}

fn text<'a>(arguments: &'a Json, name: &str) -> Result<&'a str, Failure> {
    arguments.get(name).and_then(Json::as_str).filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Failure {
    refused(format!("{name} is missing"))
}

fn refused(reason: String) -> Failure {
    Failure::new(error::RUNTIME, reason)
}

#[cfg(test)]
mod tests;
