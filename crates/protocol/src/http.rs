//! A request and an answer as HTTP carries them.

use crate::percent;

/// A request to a service, without its host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpRequest {
    /// The verb.
    pub method: String,
    /// What stands before the endpoint's host: `data.`
    pub host_prefix: Option<String>,
    /// The path, percent-encoded.
    pub path: String,
    /// The query string's pairs, decoded.
    pub query: Vec<(String, String)>,
    /// Headers. Names are compared without regard to case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A service's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// Headers. Names are compared without regard to case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A request as a server receives it: the target is path and query string. None when the query is not UTF-8.
    pub fn received(method: &str, target: &str, headers: Vec<(String, String)>, body: Vec<u8>) -> Option<HttpRequest> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = percent::pairs(query)?;
        Some(HttpRequest { method: method.to_owned(), host_prefix: None, path: path.to_owned(), query, headers, body })
    }

    /// Path and query string, as the first line of a request has them.
    pub fn target(&self) -> String {
        match self.query.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, percent::joined(&self.query)),
        }
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

impl HttpAnswer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Sets a header that is not there yet.
pub(crate) fn set_default(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    if header(headers, name).is_none() {
        headers.push((name.to_owned(), value.to_owned()));
    }
}
