//! `http:invoke`: any HTTPS API, authorized by an EventBridge connection.
//!
//! Source: Developer Guide, "Call HTTPS APIs". What an answer's failure says in its cause is not recorded.

use stepwell_interpreter::Failure;
use stepwell_json::Json;
use stepwell_spec::error;

use crate::connection::is_plain_value;
use crate::form::ArrayFormat;
use crate::task::Task;
use crate::web::{Address, WEB_BODY_BYTES_MAX, WebAnswer, WebCall, WebFault, WebKind, WebOutput, output, pairs, plain};

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// Headers a task may not send: it fails with `States.Runtime`.
///
/// Source: Developer Guide, "Call HTTPS APIs", Headers.
const FORBIDDEN: &[&str] = &[
    "a-im",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-md5",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "referer",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
];
const FORBIDDEN_PREFIXES: &[&str] = &["x-forwarded-", "x-amz-", "x-amzn-"];

/// Headers that are always the same, whatever the task says.
const OWN: &[&str] = &["range", "user-agent"];

/// What no text is. Source: the same page, "Unsupported HTTP Task responses".
const BINARY: &[&str] = &["application/octet-stream", "audio/", "image/", "video/"];

pub(crate) fn call(task: Task<'_>) -> Result<WebCall, Failure> {
    let arguments = &task.request.input;
    let text = |name: &str| arguments.get(name).and_then(Json::as_str);
    let method = text("Method").unwrap_or_default();
    if !METHODS.contains(&method) {
        return Err(refused(format!("'{method}' is no method of an HTTP Task")));
    }
    let endpoint = text("ApiEndpoint").ok_or_else(|| refused("ApiEndpoint is missing".to_owned()))?;
    let (address, mut query) =
        Address::parse(endpoint).map_err(|reason| refused(format!("ApiEndpoint cannot be '{endpoint}': {reason}")))?;
    match arguments.get("QueryParameters") {
        // Text is a query already.
        Some(Json::String(text)) => {
            let (_, more) = Address::parse(&format!("https://h/?{text}"))
                .map_err(|reason| refused(format!("QueryParameters cannot be '{text}': {reason}")))?;
            query.extend(more);
        }
        given => query.extend(pairs(given)),
    }
    let body = arguments.get("RequestBody").filter(|body| !body.is_null()).cloned();
    let form = form(arguments.get("Transform"))?;
    let mut headers = Vec::new();
    for (name, value) in joined(arguments.get("Headers")) {
        let lower = name.to_ascii_lowercase();
        if FORBIDDEN.contains(&&*lower) || FORBIDDEN_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
            return Err(refused(format!("the header '{name}' may not be sent")));
        }
        if !is_plain_value(&value) {
            return Err(refused(format!("the header '{name}' has a value that no header has")));
        }
        if !OWN.contains(&&*lower) {
            headers.push((name, value));
        }
    }
    if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        let kind = if form.is_some() { "application/x-www-form-urlencoded" } else { "application/json; charset=UTF-8" };
        headers.push(("Content-Type".to_owned(), kind.to_owned()));
    }
    headers.push(("User-Agent".to_owned(), format!("Amazon|StepFunctions|HttpInvoke|{}", task.execution.region)));
    headers.push(("Range".to_owned(), format!("bytes=0-{WEB_BODY_BYTES_MAX}")));
    Ok(WebCall {
        kind: WebKind::Http,
        method: method.to_owned(),
        address,
        query,
        headers,
        body,
        form,
        connection: connection(arguments),
        signed: false,
        cluster: None,
    })
}

/// `Authentication.ConnectionArn`, or `InvocationConfig.ConnectionArn`.
fn connection(arguments: &Json) -> Option<String> {
    let places = ["Authentication", "InvocationConfig"].into_iter();
    places.filter_map(|place| arguments.get(place)?.get("ConnectionArn")?.as_str()).next().map(str::to_owned)
}

/// `Transform`: whether the body is a form.
fn form(transform: Option<&Json>) -> Result<Option<ArrayFormat>, Failure> {
    let Some(transform) = transform else { return Ok(None) };
    match transform.get("RequestBodyEncoding").and_then(Json::as_str) {
        None | Some("NONE") => return Ok(None),
        Some("URL_ENCODED") => {}
        Some(other) => return Err(refused(format!("RequestBodyEncoding cannot be '{other}'"))),
    }
    let options = transform.get("RequestEncodingOptions").and_then(|options| options.get("ArrayFormat"));
    match options.and_then(Json::as_str) {
        None => Ok(Some(ArrayFormat::default())),
        Some(name) => match ArrayFormat::of(name) {
            Some(format) => Ok(Some(format)),
            None => Err(refused(format!("ArrayFormat cannot be '{name}'"))),
        },
    }
}

/// Headers, one of each name.
fn joined(headers: Option<&Json>) -> Vec<(String, String)> {
    let members = headers.and_then(Json::as_object);
    let value = |value: &Json| match value {
        Json::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => plain(other),
    };
    let members = members.into_iter().flat_map(|members| members.iter());
    members.filter(|(_, given)| !given.is_null()).map(|(name, given)| (name.to_string(), value(given))).collect()
}

pub(crate) fn result(answer: WebAnswer) -> Result<Json, Failure> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(WebFault::Refused(reason)) => return Err(Failure::new(error::TASK_FAILED, reason)),
        Err(WebFault::Misfit(reason)) => return Err(refused(reason)),
        Err(WebFault::Connection(fault, reason)) => {
            return Err(Failure::new(&format!("Events.ConnectionResource.{}", fault.name()), reason));
        }
        Err(WebFault::Socket(reason)) => return Err(Failure::new("States.Http.Socket", reason)),
        Err(WebFault::TooLarge) => {
            let reason = format!("The answer is larger than the {WEB_BODY_BYTES_MAX} bytes that a payload may have.");
            return Err(Failure::new(error::DATA_LIMIT_EXCEEDED, reason));
        }
    };
    if !(200..300).contains(&answer.status) {
        let cause = String::from_utf8_lossy(&answer.body).into_owned();
        return Err(Failure::new(&format!("States.Http.StatusCode.{}", answer.status), cause));
    }
    let body = body_of(&answer)?;
    Ok(output(&answer, body, str::to_ascii_lowercase))
}

/// JSON where the answer says so, text otherwise.
fn body_of(answer: &WebOutput) -> Result<Json, Failure> {
    let mut headers = answer.headers.iter();
    let kind = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = kind.map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default();
    if BINARY.iter().any(|binary| kind.starts_with(binary)) {
        return Err(refused(format!("an answer of the type '{kind}' cannot be read as text")));
    }
    let text = std::str::from_utf8(&answer.body).map_err(|_| refused("the answer is no text".to_owned()))?;
    let is_json = kind.split(';').next().is_some_and(|kind| kind.trim().ends_with("json"));
    Ok(match is_json.then(|| Json::parse(text).ok()).flatten() {
        Some(value) => value,
        None => Json::from(text),
    })
}

fn refused(reason: String) -> Failure {
    Failure::new(error::RUNTIME, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Authorization, ConnectionFault};
    use crate::task::tests::{identity, request};

    fn asked(arguments: &str, authorization: &Authorization) -> String {
        let request = request("arn:aws:states:::http:invoke", arguments);
        match call(Task { request: &request, execution: &identity() }) {
            Ok(call) => {
                let sent = match call.request(authorization) {
                    Ok(sent) => sent,
                    Err(reason) => return reason,
                };
                let own = ["User-Agent", "Range"];
                let headers = sent.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
                let headers: Vec<String> = headers.map(|(name, value)| format!("{name}={value}")).collect();
                assert_eq!(sent.header("user-agent"), Some("Amazon|StepFunctions|HttpInvoke|us-east-1"));
                assert_eq!(sent.header("range"), Some("bytes=0-262144"));
                let body = String::from_utf8_lossy(&sent.body);
                format!("{} {} {} {body}", sent.method, sent.target(), headers.join("|"))
            }
            Err(failure) => {
                assert_eq!(failure.error.as_deref(), Some("States.Runtime"));
                failure.cause.as_deref().unwrap_or_default().to_owned()
            }
        }
    }

    #[test]
    fn arguments_make_the_request() {
        let none = Authorization::default();
        for (arguments, expected) in [
            (
                r#"{"ApiEndpoint":"https://h/p?a=1","Method":"GET","QueryParameters":{"b":2,"c":["x","y"]},"Headers":{"A":"1","User-Agent":"me"}}"#,
                "GET /p?a=1&b=2&c=x&c=y A=1 ",
            ),
            (
                r#"{"ApiEndpoint":"https://h","Method":"POST","RequestBody":{"a":[1,2]}}"#,
                r#"POST / Content-Type=application/json; charset=UTF-8 {"a":[1,2]}"#,
            ),
            (
                r#"{"ApiEndpoint":"https://h","Method":"POST","RequestBody":{"a":[1,2]},"Transform":{"RequestBodyEncoding":"URL_ENCODED","RequestEncodingOptions":{"ArrayFormat":"REPEAT"}}}"#,
                "POST / Content-Type=application/x-www-form-urlencoded a=1&a=2",
            ),
            (r#"{"ApiEndpoint":"https://h","Method":"TRACE"}"#, "'TRACE' is no method of an HTTP Task"),
            (
                r#"{"ApiEndpoint":"https://h","Method":"GET","Headers":{"Authorization":"x"}}"#,
                "the header 'Authorization' may not be sent",
            ),
            (
                r#"{"ApiEndpoint":"https://h","Method":"GET","Headers":{"X-Amz-Target":"x"}}"#,
                "the header 'X-Amz-Target' may not be sent",
            ),
            (
                r#"{"ApiEndpoint":"https://h","Method":"GET","Headers":{"A":"x\r\nB: y"}}"#,
                "the header 'A' has a value that no header has",
            ),
        ] {
            assert_eq!(asked(arguments, &none), expected, "{arguments}");
        }
    }

    #[test]
    fn a_connection_has_the_last_word() {
        let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let authorization =
            Authorization { headers: pair("a", "own"), query: pair("q", "own"), body: pair("b", "own") };
        let arguments = r#"{"ApiEndpoint":"https://h","Method":"POST","Headers":{"A":"1"},"QueryParameters":{"q":1,"r":2},"RequestBody":{"b":1,"c":2}}"#;
        assert_eq!(
            asked(arguments, &authorization),
            r#"POST /?r=2&q=own Content-Type=application/json; charset=UTF-8|a=own {"b":"own","c":2}"#
        );
    }

    #[test]
    fn a_text_cannot_be_joined_with_a_connections_members() {
        let body = vec![("b".to_owned(), "own".to_owned())];
        let authorization = Authorization { body, ..Authorization::default() };
        let arguments =
            r#"{"ApiEndpoint":"https://h","Method":"POST","RequestBody":"text","QueryParameters":"a=1&b=x y"}"#;
        let said = asked(arguments, &authorization);
        assert!(said.starts_with("the request body is text"), "{said}");
        assert_eq!(
            asked(arguments, &Authorization::default()),
            "POST /?a=1&b=x%20y Content-Type=application/json; charset=UTF-8 text"
        );
    }

    #[test]
    fn answers_become_results_and_failures() {
        let answer = |status: u16, kind: &str, body: &[u8]| {
            let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
            Ok(WebOutput { status, status_text: "OK".to_owned(), headers, body: body.to_vec() })
        };
        let shown = |answer: WebAnswer| match result(answer) {
            Ok(output) => output.to_string(),
            Err(failure) => {
                format!("{}: {}", failure.error.as_deref().unwrap_or("-"), failure.cause.as_deref().unwrap_or("-"))
            }
        };
        for (given, expected) in [
            (
                answer(200, "application/json; charset=utf-8", b"{\"a\":1}"),
                r#"{"Headers":{"content-type":["application/json; charset=utf-8"]},"ResponseBody":{"a":1},"StatusCode":200,"StatusText":"OK"}"#,
            ),
            (
                answer(201, "text/plain", b"{\"a\":1}"),
                r#"{"Headers":{"content-type":["text/plain"]},"ResponseBody":"{\"a\":1}","StatusCode":201,"StatusText":"OK"}"#,
            ),
            (answer(429, "text/plain", b"slow down"), "States.Http.StatusCode.429: slow down"),
            (answer(302, "text/plain", b""), "States.Http.StatusCode.302: "),
            (
                answer(200, "image/png", b"x"),
                "States.Runtime: an answer of the type 'image/png' cannot be read as text",
            ),
            (answer(200, "text/plain", b"\xff"), "States.Runtime: the answer is no text"),
            (
                Err(WebFault::Connection(ConnectionFault::ResourceNotFound, "No.".to_owned())),
                "Events.ConnectionResource.ResourceNotFound: No.",
            ),
            (Err(WebFault::Socket("timed out".to_owned())), "States.Http.Socket: timed out"),
        ] {
            assert_eq!(shown(given), expected);
        }
    }
}
