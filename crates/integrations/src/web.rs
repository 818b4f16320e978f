//! Tasks that ask an address instead of an AWS service: what such a call is, and what its answer looks like to a task.
//!
//! Knows no socket and no policy: whether an address may be asked is decided by whoever carries the call.

use std::borrow::Cow;

use stepwell_asl::{Integration, ResourceKind};
use stepwell_interpreter::{Command, Failure, TaskRequest};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::HttpRequest;

use crate::connection::{Authorization, ConnectionFault};
use crate::form::{ArrayFormat, form_of};
use crate::jobs::waits_for_job;
use crate::task::{Task, waits_for_token};
use crate::{api_gateway, http_task, kubernetes};

/// The most a request or an answer may carry: what a payload may.
pub const WEB_BODY_BYTES_MAX: usize = 262_144;

/// A call of an address.
#[derive(Clone, Debug, PartialEq)]
pub struct WebCall {
    /// Which service it is for.
    pub kind: WebKind,
    /// The verb.
    pub method: String,
    /// Where to.
    pub address: Address,
    /// Pairs behind the question mark.
    pub query: Vec<(String, String)>,
    /// Headers of the task, and those that are always sent.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Json>,
    /// The body as a form.
    pub form: Option<ArrayFormat>,
    /// The EventBridge connection that knows how to authorize it.
    pub connection: Option<String>,
    /// Whether it is signed, as API Gateway asks for it.
    pub signed: bool,
    /// The cluster whose API it is for.
    pub cluster: Option<Cluster>,
}

/// Which integration a call is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebKind {
    /// `apigateway:invoke`
    ApiGateway,
    /// `http:invoke`
    Http,
    /// `eks:call` and `eks:runJob`
    Kubernetes,
}

impl WebKind {
    /// The kind of a task that asks an address.
    pub(crate) fn of(integration: &Integration) -> Option<WebKind> {
        match (&*integration.resource_type, &*integration.action) {
            ("apigateway", _) => Some(WebKind::ApiGateway),
            ("http", _) => Some(WebKind::Http),
            ("eks", "call" | "runJob") => Some(WebKind::Kubernetes),
            _ => None,
        }
    }

    fn of_request(request: &TaskRequest) -> Option<WebKind> {
        match &request.resource.kind {
            ResourceKind::Integration(integration) => WebKind::of(integration),
            ResourceKind::LambdaFunction | ResourceKind::Activity => None,
        }
    }
}

/// A cluster of EKS, as a task names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// What its tokens are for.
    pub name: String,
    /// The one authority it is trusted by: PEM in base64.
    pub certificate_authority: String,
}

/// An address taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether it is `https`.
    pub is_secure: bool,
    /// `host` or `host:port`.
    pub authority: String,
    /// The path, percent-encoded; with a slash at its beginning.
    pub path: String,
}

/// What came of it.
pub type WebAnswer = Result<WebOutput, WebFault>;

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebOutput {
    /// The status.
    pub status: u16,
    /// What it is called.
    pub status_text: String,
    /// Headers, as they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebFault {
    /// The address may not be asked, or cannot be.
    Refused(String),
    /// What the task and its connection say cannot be joined.
    Misfit(String),
    /// The connection could not be used, for a reason EventBridge has a name for.
    Connection(ConnectionFault, String),
    /// Nobody answered, or not in time.
    Socket(String),
    /// The answer is larger than a payload may be.
    TooLarge,
}

/// The address a task asks; `None` when it asks an AWS service.
pub fn web_call_of(task: Task<'_>) -> Option<Result<WebCall, Failure>> {
    Some(match WebKind::of_request(task.request)? {
        WebKind::ApiGateway => api_gateway::call(task),
        WebKind::Http => http_task::call(task),
        WebKind::Kubernetes => kubernetes::call(task),
    })
}

/// What the execution is told of the answer.
pub fn web_outcome_of(task: Task<'_>, answer: WebAnswer) -> Command {
    let result = match WebKind::of_request(task.request) {
        Some(WebKind::Http) => http_task::result(answer),
        Some(WebKind::Kubernetes) => kubernetes::result(answer),
        Some(WebKind::ApiGateway) | None => api_gateway::result(answer),
    };
    told(task, result)
}

/// What an execution is told of a result.
fn told(task: Task<'_>, result: Result<Json, Failure>) -> Command {
    let key = task.request.key;
    match result {
        Ok(output) if waits_for_token(&task.request.resource.kind) || waits_for_job(task) => {
            Command::TaskSubmitted { task: key, output }
        }
        Ok(output) => Command::TaskSucceeded { task: key, output },
        Err(Failure { error, cause, .. }) => Command::TaskFailed { task: key, error, cause },
    }
}

impl WebCall {
    /// The request, with what a connection adds. Where both say something, the connection does. Refuses a text for a body
    /// where the connection has members to add.
    pub fn request(&self, authorization: &Authorization) -> Result<HttpRequest, String> {
        let mut headers = self.headers.clone();
        for (name, value) in &authorization.headers {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            // Those that are always sent stay at the end.
            let end = headers.iter().position(|(known, _)| known == "User-Agent").unwrap_or(headers.len());
            headers.insert(end, (name.clone(), value.clone()));
        }
        let mut query = self.query.clone();
        for (name, value) in &authorization.query {
            query.retain(|(known, _)| known != name);
            query.push((name.clone(), value.clone()));
        }
        if !authorization.body.is_empty() && self.body.as_ref().is_some_and(|body| body.as_object().is_none()) {
            return Err("the request body is text, and the connection has members to add to it".to_owned());
        }
        let body = self.body_with(&authorization.body).map(|body| match (&*body, self.form) {
            (body, Some(format)) => form_of(body, format),
            (Json::String(text), None) => text.to_string(),
            (other, None) => other.to_string(),
        });
        Ok(HttpRequest {
            method: self.method.clone(),
            host_prefix: None,
            path: self.address.path.clone(),
            query,
            headers,
            body: body.map(String::into_bytes).unwrap_or_default(),
        })
    }

    fn body_with(&self, more: &[(String, String)]) -> Option<Cow<'_, Json>> {
        let given = match &self.body {
            Some(Json::Object(members)) => members.to_builder(),
            Some(other) => return Some(Cow::Borrowed(other)),
            None if more.is_empty() => return None,
            None => ObjectBuilder::new(),
        };
        let mut members = given;
        for (name, value) in more {
            members.insert(name.as_str(), Json::from(value.as_str()));
        }
        Some(Cow::Owned(Json::Object(members.build())))
    }
}

impl Address {
    /// Reads `https://host/path?query`; without a scheme it is `https`. Gives the query's pairs beside it.
    pub fn parse(url: &str) -> Result<(Address, Vec<(String, String)>), String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            other => return Err(format!("{other} is not http or https")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.is_empty() {
            return Err("it names no host".to_owned());
        }
        if authority.contains('@') {
            return Err("it must not hold a user or a password".to_owned());
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if !authority.bytes().all(is_plain) {
            return Err("its host has a letter that no host has".to_owned());
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = if path.is_empty() { "/".to_owned() } else { escaped(path) };
        let request = HttpRequest::received("GET", &format!("/?{query}"), Vec::new(), Vec::new());
        let query = request.ok_or("its query is not UTF-8")?.query;
        Ok((Address { is_secure, authority: authority.to_owned(), path }, query))
    }
}

/// A path with what no path may hold escaped; what is escaped already stays.
pub(crate) fn escaped(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-_.~/%!$&'()*+,;=:@".contains(&byte) => {
                text.push(char::from(byte))
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// `{"Headers": …, "ResponseBody": …, "StatusCode": …, "StatusText": …}`, with headers under the names `shown` gives them.
pub(crate) fn output(answer: &WebOutput, body: Json, shown: impl Fn(&str) -> String) -> Json {
    let mut headers: Vec<(String, Vec<Json>)> = Vec::new();
    for (name, value) in &answer.headers {
        let name = shown(name);
        match headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(Json::from(value.as_str())),
            None => headers.push((name, vec![Json::from(value.as_str())])),
        }
    }
    Json::object([
        ("Headers", Json::object(headers.into_iter().map(|(name, values)| (name, Json::array(values))))),
        ("ResponseBody", body),
        ("StatusCode", Json::from(i64::from(answer.status))),
        ("StatusText", Json::from(answer.status_text.as_str())),
    ])
}

/// A body as a task sees it: JSON where it is, text otherwise.
pub(crate) fn body_of(answer: &WebOutput) -> Json {
    let text = String::from_utf8_lossy(&answer.body);
    Json::parse(&text).unwrap_or_else(|_| Json::from(text.into_owned()))
}

/// A value as a header or a query has it: text as it is, anything else as its JSON.
pub(crate) fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `{"name": "value", "other": ["one", "two"]}` as pairs.
pub(crate) fn pairs(value: Option<&Json>) -> Vec<(String, String)> {
    let members = value.and_then(Json::as_object);
    let mut all = Vec::new();
    for (name, value) in members.into_iter().flat_map(|members| members.iter()) {
        match value {
            Json::Null => {}
            Json::Array(values) => all.extend(values.iter().map(|value| (name.to_string(), plain(value)))),
            value => all.push((name.to_string(), plain(value))),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let check = |url: &str, expected: Result<(&str, &str), &str>| {
            let read = Address::parse(url).map(|(address, query)| {
                let scheme = if address.is_secure { "https" } else { "http" };
                let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
                (format!("{scheme}://{}{}", address.authority, address.path), query.join("|"))
            });
            let read = read.as_ref().map(|(url, query)| (url.as_str(), query.as_str())).map_err(String::as_str);
            assert_eq!(read, expected, "{url}");
        };
        check("https://h/a b?x=1&y=a%20b#part", Ok(("https://h/a%20b", "x=1|y=a b")));
        check("h.example", Ok(("https://h.example/", "")));
        check("http://h:81?x", Ok(("http://h:81/", "x=")));
        check("HTTPS://[::1]/", Ok(("https://[::1]/", "")));
        check("https://u:p@h/", Err("it must not hold a user or a password"));
        check("https://h\r\nX: y/", Err("its host has a letter that no host has"));
        check("https://h\\@evil/", Err("it must not hold a user or a password"));
        check("https:///path", Err("it names no host"));
        check("ftp://h/", Err("ftp is not http or https"));
        assert_eq!(escaped("/a\r\nb/%2F/ä"), "/a%0D%0Ab/%2F/%C3%A4");
    }
}
