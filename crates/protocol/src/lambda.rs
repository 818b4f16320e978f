//! One call by hand: `Invoke` of Lambda, over its REST API. The only call that tasks of every workflow need.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};

use crate::blob::{blob_bytes, blob_text};
use crate::call::{AwsAnswer, AwsCall, AwsError, AwsOutput, Fault};

/// A request of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// `POST`.
    pub method: &'static str,
    /// Path and query, escaped.
    pub path: String,
    /// Headers beside those that every request has.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireAnswer {
    /// The status.
    pub status: u16,
    /// The headers, as they came.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl WireAnswer {
    fn header(&self, name: &str) -> Option<&Arc<str>> {
        self.headers.iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Where members of the input go that are headers.
const INPUT_HEADERS: &[(&str, &str)] = &[
    ("InvocationType", "X-Amz-Invocation-Type"),
    ("LogType", "X-Amz-Log-Type"),
    ("ClientContext", "X-Amz-Client-Context"),
    ("TenantId", "X-Amz-Tenant-Id"),
];

/// Members of the output that are headers.
const OUTPUT_HEADERS: &[(&str, &str)] = &[
    ("ExecutedVersion", "X-Amz-Executed-Version"),
    ("FunctionError", "X-Amz-Function-Error"),
    ("LogResult", "X-Amz-Log-Result"),
];

/// The request of an invocation; the error that AWS's client has for what cannot be one.
pub fn invoke_request(call: &AwsCall) -> Result<WireRequest, AwsError> {
    let text = |member: &str| match call.input.get(member) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) => {
            Err(invalid(&format!("The {member} holds a control character")))
        }
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(invalid(&format!("The {member} must be a string, not {other}"))),
    };
    let function = text("FunctionName")?.filter(|name| !name.is_empty());
    let function = function.ok_or_else(|| invalid("FunctionName cannot be empty"))?;
    let mut path = format!("/2015-03-31/functions/{}/invocations", escaped(&function));
    if let Some(qualifier) = text("Qualifier")? {
        path.push_str("?Qualifier=");
        path.push_str(&escaped(&qualifier));
    }
    let mut headers = Vec::new();
    for (member, header) in INPUT_HEADERS {
        if let Some(value) = text(member)? {
            headers.push((*header, value.to_string()));
        }
    }
    let body = match text("Payload")? {
        Some(payload) => blob_bytes(&payload).ok_or_else(|| invalid("The Payload is no base64"))?,
        None => Vec::new(),
    };
    Ok(WireRequest { method: "POST", path, headers, body })
}

/// What came of an invocation.
pub fn invoke_answer(answer: WireAnswer) -> AwsAnswer {
    let request_id = answer.header("x-amzn-RequestId").cloned().unwrap_or_else(|| "".into());
    if !(200..300).contains(&answer.status) {
        return Err(refusal(&answer, request_id));
    }
    let mut output = ObjectBuilder::new();
    output.insert("StatusCode", Json::from(i64::from(answer.status)));
    for (member, header) in OUTPUT_HEADERS {
        if let Some(value) = answer.header(header) {
            output.insert(*member, Json::String(value.clone()));
        }
    }
    output.insert("Payload", Json::from(blob_text(&answer.body)));
    let WireAnswer { status, headers, .. } = answer;
    Ok(AwsOutput { output: Json::Object(output.build()), status, request_id, headers })
}

/// The error is named by a header, `CODE:URL`, or by the document; its message has two spellings.
fn refusal(answer: &WireAnswer, request_id: Arc<str>) -> AwsError {
    let members = std::str::from_utf8(&answer.body).ok().and_then(|text| Json::parse(text).ok());
    let members = members.filter(|members| members.as_object().is_some()).unwrap_or_else(Json::empty_object);
    let text = |member: &str| members.get(member).and_then(Json::as_str);
    let named = answer.header("x-amzn-ErrorType").map(|code| &**code).or(text("__type")).or(text("code"));
    let code =
        named.map(|code| code.split(':').next().unwrap_or(code)).map(|code| code.rsplit('#').next().unwrap_or(code));
    let fault = if answer.status >= 500 { Fault::Server } else { Fault::Client };
    let code = code.filter(|code| !code.is_empty()).unwrap_or(match fault {
        Fault::Server => "ServiceException",
        Fault::Client | Fault::Unreached => "UnknownError",
    });
    let message = text("Message").or(text("message")).map(Into::into);
    AwsError { code: code.into(), message, status: answer.status, fault, request_id, members }
}

/// What AWS's client refuses before it asks anybody.
fn invalid(reason: &str) -> AwsError {
    AwsError {
        code: "SdkClientException".into(),
        message: Some(reason.into()),
        status: 0,
        fault: Fault::Unreached,
        request_id: "".into(),
        members: Json::empty_object(),
    }
}

/// A segment of a path: nothing in it leads elsewhere.
fn escaped(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || byte == b'.' && !is_dots(text) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

/// `.` and `..` mean folders, in any path that is normalised on its way.
fn is_dots(text: &str) -> bool {
    matches!(text, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(input: &str) -> AwsCall {
        AwsCall { service: "lambda".into(), action: "Invoke".into(), input: Json::parse(input).expect("JSON") }
    }

    fn came(status: u16, headers: &[(&str, &str)], body: &str) -> AwsAnswer {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        invoke_answer(WireAnswer { status, headers, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn requests_are_those_of_the_rest_api() {
        let check = |input: &str, path: &str, headers: &[(&str, &str)], body: &str| {
            let request = invoke_request(&call(input)).expect("a request");
            let told: Vec<(&str, &str)> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!((request.method, request.path.as_str(), told.as_slice()), ("POST", path, headers), "{input}");
            assert_eq!(request.body, body.as_bytes(), "{input}");
        };
        check(r#"{"FunctionName":"f","Payload":"e30="}"#, "/2015-03-31/functions/f/invocations", &[], "{}");
        check(
            r#"{"FunctionName":"arn:aws:lambda:us-east-1:1:function:f:live","Payload":null}"#,
            "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af%3Alive/invocations",
            &[],
            "",
        );
        check(
            r#"{"LogType":"Tail","FunctionName":"a/../b","Qualifier":"$LATEST","InvocationType":"Event","ClientContext":"e30="}"#,
            "/2015-03-31/functions/a%2F..%2Fb/invocations?Qualifier=%24LATEST",
            &[("X-Amz-Invocation-Type", "Event"), ("X-Amz-Log-Type", "Tail"), ("X-Amz-Client-Context", "e30=")],
            "",
        );
        check(r#"{"FunctionName":".."}"#, "/2015-03-31/functions/%2E%2E/invocations", &[], "");
    }

    #[test]
    fn what_cannot_be_asked_is_refused_here() {
        for (input, expected) in [
            ("{}", "FunctionName cannot be empty"),
            (r#"{"FunctionName":""}"#, "FunctionName cannot be empty"),
            (r#"{"FunctionName":7}"#, "The FunctionName must be a string, not 7"),
            (r#"{"FunctionName":"f","LogType":"a\r\nb: c"}"#, "The LogType holds a control character"),
            (r#"{"FunctionName":"f","Payload":"?"}"#, "The Payload is no base64"),
        ] {
            let fault = invoke_request(&call(input)).expect_err(input);
            assert_eq!((fault.message.as_deref(), fault.fault), (Some(expected), Fault::Unreached), "{input}");
        }
    }

    #[test]
    fn answers_have_the_members_of_the_model() {
        let headers =
            [("x-amz-executed-version", "3"), ("X-Amz-Function-Error", "Unhandled"), ("x-amzn-requestid", "r")];
        let answer = came(200, &headers, "{}").expect("an answer");
        assert_eq!(
            answer.output.to_string(),
            r#"{"StatusCode":200,"ExecutedVersion":"3","FunctionError":"Unhandled","Payload":"e30="}"#
        );
        assert_eq!((answer.status, &*answer.request_id), (200, "r"));
        assert_eq!(came(202, &[], "").expect("taken").output.to_string(), r#"{"StatusCode":202,"Payload":""}"#);
    }

    #[test]
    fn refusals_are_named_in_any_of_the_ways_there_are() {
        let check = |status: u16, headers: &[(&str, &str)], body: &str, expected: (&str, Option<&str>, Fault)| {
            let fault = came(status, headers, body).expect_err("refused");
            assert_eq!((&*fault.code, fault.message.as_deref(), fault.fault), expected, "{body}");
            assert_eq!(fault.status, status);
        };
        let named = [("x-amzn-ErrorType", "ResourceNotFoundException:http://internal.amazon.com/")];
        let message = r#"{"Type":"User","Message":"Function not found: f"}"#;
        check(404, &named, message, ("ResourceNotFoundException", Some("Function not found: f"), Fault::Client));
        check(400, &[], r#"{"__type":"a.b#Odd","message":"m"}"#, ("Odd", Some("m"), Fault::Client));
        check(502, &[], "<html>", ("ServiceException", None, Fault::Server));
        check(404, &[], "[1]", ("UnknownError", None, Fault::Client));
    }
}
