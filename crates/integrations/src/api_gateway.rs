//! `apigateway:invoke`: an API that API Gateway serves.
//!
//! Source: Developer Guide, "Call API Gateway"; the form of results is recorded.

use stepwell_interpreter::Failure;
use stepwell_json::Json;
use stepwell_spec::error;

use crate::connection::is_plain_value;
use crate::task::Task;
use crate::web::{Address, WebAnswer, WebCall, WebFault, WebKind, body_of, escaped, output, pairs, plain};

const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// Headers a task may not send. Source: Developer Guide, "Call API Gateway", Request format.
const FORBIDDEN: &[&str] = &[
    "authorization",
    "connection",
    "content-md5",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];
const FORBIDDEN_PREFIXES: &[&str] = &["x-forwarded", "x-amz", "x-amzn"];

/// Headers whose names are not spelled as most are, as recorded.
const SPELLED: &[&str] = &["x-amz-apigw-id", "x-amzn-RequestId"];

/// How a local emulator is asked for an API by its path.
const EMULATED: &str = "/restapis/";

pub(crate) fn call(task: Task<'_>) -> Result<WebCall, Failure> {
    let arguments = &task.request.input;
    let text = |name: &str| arguments.get(name).and_then(Json::as_str);
    let method = text("Method").unwrap_or_default();
    if !METHODS.contains(&method) {
        return Err(refused(format!("'{method}' is no method of an API")));
    }
    let endpoint = text("ApiEndpoint").ok_or_else(|| refused("ApiEndpoint is missing".to_owned()))?;
    let (mut address, mut query) =
        Address::parse(endpoint).map_err(|reason| refused(format!("ApiEndpoint cannot be '{endpoint}': {reason}")))?;
    let mut path = address.path.trim_end_matches('/').to_owned();
    let is_emulated = path.contains(EMULATED);
    for part in [text("Stage"), is_emulated.then_some("_user_request_"), text("Path")].into_iter().flatten() {
        path.push('/');
        path.push_str(&escaped(part.trim_start_matches('/')));
    }
    address.path = if path.is_empty() { "/".to_owned() } else { path };
    query.extend(pairs(arguments.get("QueryParameters")));
    let mut headers = Vec::new();
    for (name, value) in pairs(arguments.get("Headers")) {
        let lower = name.to_ascii_lowercase();
        if FORBIDDEN.contains(&&*lower) || FORBIDDEN_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
            return Err(refused(format!("the header '{name}' may not be sent")));
        }
        if !is_plain_value(&value) {
            return Err(refused(format!("the header '{name}' has a value that no header has")));
        }
        headers.push((name, value));
    }
    let body = arguments.get("RequestBody").filter(|body| !body.is_null()).cloned();
    if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let signed = match arguments.get("AuthType").map(plain).as_deref() {
        None | Some("NO_AUTH") => false,
        Some("IAM_ROLE" | "RESOURCE_POLICY") => true,
        Some(other) => return Err(refused(format!("AuthType cannot be '{other}'"))),
    };
    let allows_null = arguments.get("AllowNullValues").and_then(Json::as_bool).unwrap_or(false);
    // Text is sent as JSON has it: an API takes a JSON document.
    let body =
        body.map(|body| if allows_null { body } else { without_nulls(&body) }).map(|body| Json::from(body.to_string()));
    Ok(WebCall {
        kind: WebKind::ApiGateway,
        method: method.to_owned(),
        address,
        query,
        headers,
        body,
        form: None,
        connection: None,
        signed,
        cluster: None,
    })
}

pub(crate) fn result(answer: WebAnswer) -> Result<Json, Failure> {
    match answer {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(output(&answer, body_of(&answer), spelled)),
        Ok(answer) => {
            let cause = String::from_utf8_lossy(&answer.body).into_owned();
            Err(Failure::new(&format!("ApiGateway.{}", answer.status), cause))
        }
        Err(WebFault::Refused(reason) | WebFault::Misfit(reason) | WebFault::Connection(_, reason)) => {
            Err(Failure::new(error::TASK_FAILED, reason))
        }
        Err(WebFault::Socket(reason)) => Err(Failure::new("ApiGateway.SdkClientException", reason)),
        Err(WebFault::TooLarge) => {
            Err(Failure::new(error::DATA_LIMIT_EXCEEDED, "The answer is larger than a payload may be."))
        }
    }
}

/// A header's name as AWS shows it: each word with a capital.
fn spelled(name: &str) -> String {
    if let Some(known) = SPELLED.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return (*known).to_owned();
    }
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// Members whose value is null are left out unless `AllowNullValues` says otherwise.
fn without_nulls(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            Json::object(kept.map(|(name, value)| (name.clone(), without_nulls(value))))
        }
        Json::Array(values) => Json::array(values.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

fn refused(reason: String) -> Failure {
    Failure::new(error::RUNTIME, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Authorization;
    use crate::task::tests::{identity, request};
    use crate::web::WebOutput;

    fn asked(arguments: &str) -> String {
        let request = request("arn:aws:states:::apigateway:invoke", arguments);
        match call(Task { request: &request, execution: &identity() }) {
            Ok(call) => {
                let sent = call.request(&Authorization::default()).expect("a request");
                let headers: Vec<String> = sent.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!(
                    "{} {}{} {} {} {}",
                    sent.method,
                    call.address.authority,
                    sent.target(),
                    headers.join("|"),
                    String::from_utf8_lossy(&sent.body),
                    call.signed
                )
            }
            Err(failure) => failure.cause.as_deref().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn parameters_make_the_address() {
        for (arguments, expected) in [
            (
                r#"{"ApiEndpoint":"a.execute-api.us-east-1.amazonaws.com","Method":"GET","Stage":"prod","Path":"bills"}"#,
                "GET a.execute-api.us-east-1.amazonaws.com/prod/bills   false",
            ),
            (
                r#"{"ApiEndpoint":"a","Method":"GET","Stage":"s","Path":"/a b/{c}","QueryParameters":{"q":["1","2"]},"AuthType":"IAM_ROLE"}"#,
                "GET a/s/a%20b/%7Bc%7D?q=1&q=2   true",
            ),
            (
                r#"{"ApiEndpoint":"http://h:1/restapis/x","Method":"POST","Stage":"s","Path":"p","RequestBody":{"m":null,"n":1},"Headers":{"H":["1","2"]}}"#,
                r#"POST h:1/restapis/x/s/_user_request_/p H=1|H=2|Content-Type=application/json {"n":1} false"#,
            ),
            (
                r#"{"ApiEndpoint":"a","Method":"POST","RequestBody":{"m":null},"AllowNullValues":true}"#,
                r#"POST a/ Content-Type=application/json {"m":null} false"#,
            ),
            (
                r#"{"ApiEndpoint":"a","Method":"POST","RequestBody":"Hi"}"#,
                "POST a/ Content-Type=application/json \"Hi\" false",
            ),
            (r#"{"ApiEndpoint":"a","Method":"post"}"#, "'post' is no method of an API"),
            (
                r#"{"ApiEndpoint":"u@a","Method":"GET"}"#,
                "ApiEndpoint cannot be 'u@a': it must not hold a user or a password",
            ),
            (r#"{"Method":"GET"}"#, "ApiEndpoint is missing"),
            (
                r#"{"ApiEndpoint":"a","Method":"GET","Headers":{"X-Amz-Date":["x"]}}"#,
                "the header 'X-Amz-Date' may not be sent",
            ),
            (
                r#"{"ApiEndpoint":"a","Method":"GET","Headers":{"A":["x\r\nB: y"]}}"#,
                "the header 'A' has a value that no header has",
            ),
        ] {
            assert_eq!(asked(arguments), expected, "{arguments}");
        }
    }

    #[test]
    fn answers_are_shown_as_recorded() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let answer = |status: u16, body: &str| {
            let headers = vec![header("content-type", "application/json"), header("x-amzn-requestid", "r")];
            Ok(WebOutput { status, status_text: "OK".to_owned(), headers, body: body.as_bytes().to_vec() })
        };
        let head = r#"{"Headers":{"Content-Type":["application/json"],"x-amzn-RequestId":["r"]},"ResponseBody":"#;
        for (body, shown) in
            [("\"\"", "\"\""), ("\"Hi\"", "\"Hi\""), ("{\"a\":1}", "{\"a\":1}"), ("plain", "\"plain\"")]
        {
            let result = result(answer(200, body)).expect("a result").to_string();
            assert_eq!(result, format!(r#"{head}{shown},"StatusCode":200,"StatusText":"OK"}}"#));
        }
        let failure = result(answer(403, r#"{"message":"Missing Authentication Token"}"#)).expect_err("a failure");
        assert_eq!(failure.error.as_deref(), Some("ApiGateway.403"));
        assert_eq!(failure.cause.as_deref(), Some(r#"{"message":"Missing Authentication Token"}"#));
    }

    #[test]
    fn a_callback_is_submitted_by_the_answer() {
        let request = request("arn:aws:states:::apigateway:invoke.waitForTaskToken", "{}");
        let answer = WebOutput { status: 200, status_text: "OK".to_owned(), headers: Vec::new(), body: Vec::new() };
        let told = crate::web_outcome_of(Task { request: &request, execution: &identity() }, Ok(answer));
        assert!(matches!(told, stepwell_interpreter::Command::TaskSubmitted { .. }), "{told:?}");
    }
}
