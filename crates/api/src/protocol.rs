//! AWS JSON: which action a request means, what it asks for, and how it is answered.
//!
//! Owns the headers, the limits and the order of the checks. Knows no socket: a request is its head and its bytes.

use stepwell_json::Json;
use stepwell_spec::{Action, ProtocolError, Request, Response};

use crate::refusal::Refusal;
use crate::{constraints, serialization};

/// Bytes the body of a request may have. AWS's quota is 1 MB for the whole request.
pub const BODY_BYTES_MAX: usize = 1_048_576;

const TARGET_PREFIX: &str = "AWSStepFunctions";

/// What AWS answers when it cannot even say which service is asked.
const NO_OPERATION: &str = "Unable to determine service/operation name to be authorized";

/// The head of an HTTP request.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// `POST`
    pub method: &'a str,
    /// Path without the query, as it was sent.
    pub path: &'a str,
    /// What stands after the `?`, as it was sent; empty when there is none.
    pub query: &'a str,
    /// Names, in any case, and values, in the order they came.
    pub headers: &'a [(&'a str, &'a str)],
}

impl<'a> Head<'a> {
    /// The value of a header, when it stands there exactly once.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Every value of a header.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// How an answer is written: as the request was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-amz-json-1.0`
    Json10,
    /// `application/x-amz-json-1.1`
    Json11,
    /// The request was none of AWS JSON; it is refused in XML.
    Xml,
}

impl Encoding {
    /// The encoding a request asks for by its content type.
    pub fn of(head: &Head<'_>) -> Encoding {
        let content_type = head.header("content-type").unwrap_or_default();
        match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/x-amz-json-1.0" => Encoding::Json10,
            "application/x-amz-json-1.1" => Encoding::Json11,
            _ => Encoding::Xml,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Encoding::Json10 => "application/x-amz-json-1.0",
            Encoding::Json11 => "application/x-amz-json-1.1",
            Encoding::Xml => "text/xml",
        }
    }
}

/// The action a request means.
///
/// Refuses everything but a `POST` of AWS JSON with one `X-Amz-Target: AWSStepFunctions.<Action>`, so that no form of a
/// foreign web page can mean an action.
pub fn route(head: &Head<'_>) -> Result<Action, Refusal> {
    let target = head.header("x-amz-target").unwrap_or_default();
    let unknown = || Refusal::silent(ProtocolError::UnknownOperationException);
    if head.method != "POST" || Encoding::of(head) == Encoding::Xml {
        let is_named = head.method == "POST" && target.contains('.');
        let nameless = || Refusal::protocol(ProtocolError::AccessDeniedException, NO_OPERATION);
        return Err(if is_named { unknown() } else { nameless() });
    }
    let (service, action) = target.split_once('.').ok_or_else(unknown)?;
    if service != TARGET_PREFIX {
        return Err(unknown());
    }
    Action::of(action).ok_or_else(unknown)
}

/// What a request asks for: its body read, its types and constraints judged.
///
/// Refuses a body that is too large or not a JSON object, members of the wrong JSON type (`SerializationException`, the
/// first one found), and members that break constraints of the model (`ValidationException`, all of them).
pub fn decode(action: Action, body: &[u8]) -> Result<Request, Refusal> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Refusal::request_too_large());
    }
    let unreadable = || Refusal::silent(ProtocolError::SerializationException);
    let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
    let json = Json::parse(text).map_err(|_| unreadable())?;
    if json.as_object().is_none() {
        return Err(unreadable());
    }
    let shape = action.facts().request;
    serialization::check(shape, &json)?;
    constraints::check(shape, &json)?;
    // Types and constraints hold, so that nothing is left to be wrong; should it be, the request is at fault.
    Request::from_json(action, &json).ok_or_else(unreadable)
}

/// The bytes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values. The length of the body is the transport's to say.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Writes what came of a request. `request_id` is a UUID, drawn by the caller.
pub fn reply(outcome: &Result<Response, Refusal>, encoding: Encoding, request_id: &str) -> Reply {
    let (status, body) = match outcome {
        Ok(response) => (200, response.to_json().to_string()),
        Err(refusal) => match encoding {
            Encoding::Json10 | Encoding::Json11 => (refusal.status(), refusal.to_json().to_string()),
            Encoding::Xml => in_xml(refusal),
        },
    };
    let headers =
        vec![("content-type", encoding.content_type().to_owned()), ("x-amzn-requestid", request_id.to_owned())];
    Reply { status, headers, body }
}

fn in_xml(refusal: &Refusal) -> (u16, String) {
    let name = refusal.name();
    match refusal.message() {
        None => (404, format!("<{name}/>\n")),
        Some(message) => {
            let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            (403, format!("<{name}>\n  <Message>{message}</Message>\n</{name}>\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(headers: &'a [(&'a str, &'a str)]) -> Head<'a> {
        Head { method: "POST", path: "/", query: "", headers }
    }

    #[test]
    fn requests_are_routed_by_their_target() {
        let check = |headers: &[(&str, &str)], expected: Result<Action, &str>| {
            let routed = route(&head(headers));
            assert_eq!(routed.as_ref().map_err(Refusal::name).copied(), expected, "{headers:?}");
        };
        let json = ("Content-Type", "application/x-amz-json-1.0");
        check(&[json, ("X-Amz-Target", "AWSStepFunctions.StartExecution")], Ok(Action::StartExecution));
        check(
            &[
                ("content-type", "Application/X-Amz-Json-1.0; charset=utf-8"),
                ("x-amz-target", "AWSStepFunctions.TestState"),
            ],
            Ok(Action::TestState),
        );
        let unknown = Err("UnknownOperationException");
        check(&[json], unknown);
        check(&[json, ("X-Amz-Target", "StartExecution")], unknown);
        check(&[json, ("X-Amz-Target", "AWSStepFunctions.startExecution")], unknown);
        check(&[json, ("X-Amz-Target", "DynamoDB_20120810.PutItem")], unknown);
        let target = ("X-Amz-Target", "AWSStepFunctions.ListActivities");
        check(&[json, target, target], unknown);
        check(&[("content-type", "text/plain"), target], unknown);
        check(&[("content-type", "application/json"), target], unknown);
        check(&[target], unknown);
        check(&[("content-type", "application/x-www-form-urlencoded")], Err("AccessDeniedException"));
        let headers = [json, target];
        let get = Head { method: "GET", ..head(&headers) };
        assert_eq!(route(&get).map_err(|refusal| refusal.name()), Err("AccessDeniedException"));
    }

    #[test]
    fn bodies_that_are_no_json_objects_are_refused() {
        for body in
            [&b""[..], b" ", b"{", b"[]", b"null", b"1", b"\xff", b"{}}", b"\xef\xbb\xbf{}", b"{\"a\":\"\\ud800\"}"]
        {
            let refusal = decode(Action::ListActivities, body).expect_err("no JSON object");
            assert_eq!(
                refusal.to_json().to_string(),
                r#"{"__type":"com.amazon.coral.service#SerializationException"}"#
            );
        }
        let deep = "[".repeat(1_000_000);
        assert_eq!(decode(Action::ListActivities, deep.as_bytes()).expect_err("deep").name(), "SerializationException");
        let large = vec![b' '; BODY_BYTES_MAX + 1];
        let refusal = decode(Action::ListActivities, &large).expect_err("large");
        assert_eq!((refusal.name(), refusal.status()), ("RequestEntityTooLargeException", 413));
        assert!(decode(Action::ListActivities, b"{\"unknown\":[1]}").is_ok());
    }

    #[test]
    fn answers_carry_the_encoding_and_the_request_id() {
        let response = Response::DeleteActivity(stepwell_spec::shapes::DeleteActivityOutput {});
        let answer = reply(&Ok(response), Encoding::Json10, "id");
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
        assert_eq!(answer.headers[0], ("content-type", "application/x-amz-json-1.0".to_owned()));
        assert_eq!(answer.headers[1], ("x-amzn-requestid", "id".to_owned()));
        let refusal = Err(Refusal::silent(ProtocolError::UnknownOperationException));
        let answer = reply(&refusal, Encoding::Xml, "id");
        assert_eq!((answer.status, answer.body.as_str()), (404, "<UnknownOperationException/>\n"));
        let refusal = Err(Refusal::protocol(ProtocolError::AccessDeniedException, "a<b"));
        assert_eq!(reply(&refusal, Encoding::Xml, "id").status, 403);
    }
}
