//! Lambda: a function's own ARN, and `lambda:invoke`.
//!
//! A function that failed answers its caller well, with what it died of: the error's type becomes the error name, all of the
//! document the cause.

use stepwell_asl::Integration;
use stepwell_interpreter::{Failure, TaskRequest};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{AwsAnswer, AwsCall, AwsError, AwsOutput, blob_bytes, blob_text};

use crate::failures::Words;
use crate::metadata::{Header, with_metadata};
use crate::task::{ServiceIntegration, Task, aws_call};

const WORDS: Words = Words {
    prefix: "Lambda",
    service: "AWSLambda",
    otherwise: "AWSLambdaException",
    modelled: &[
        "EC2AccessDenied",
        "EC2Throttled",
        "EC2Unexpected",
        "EFSIO",
        "EFSMountConnectivity",
        "EFSMountFailure",
        "EFSMountTimeout",
        "ENILimitReached",
        "InvalidParameterValue",
        "InvalidRequestContent",
        "InvalidRuntime",
        "InvalidSecurityGroupID",
        "InvalidSubnetID",
        "InvalidZipFile",
        "KMSAccessDenied",
        "KMSDisabled",
        "KMSInvalidState",
        "KMSNotFound",
        "RecursiveInvocation",
        "RequestTooLarge",
        "ResourceConflict",
        "ResourceNotFound",
        "ResourceNotReady",
        "Service",
        "SnapStart",
        "SnapStartNotReady",
        "SnapStartTimeout",
        "SubnetIPAddressLimitReached",
        "TooManyRequests",
        "UnsupportedMediaType",
    ],
};

const HEADERS: &[Header] = &[
    ("X-Amz-Log-Result", None),
    ("X-Amz-Executed-Version", None),
    ("x-amzn-Remapped-Content-Length", Some("0")),
    ("Connection", Some("keep-alive")),
    ("x-amzn-RequestId", None),
    ("Content-Length", None),
    ("Date", None),
    ("X-Amzn-Trace-Id", None),
    ("Content-Type", None),
];

/// The call of a function by its own ARN: the task's input is the event.
pub(crate) fn function_call(request: &TaskRequest) -> AwsCall {
    let mut input = ObjectBuilder::new();
    input.insert("FunctionName", Json::String(request.resource.arn.clone()));
    input.insert("Payload", blob(&request.input.to_string()));
    AwsCall { service: "lambda".into(), action: "Invoke".into(), input: Json::Object(input.build()) }
}

/// What such a task sees: what the function returned, and nothing about how it came.
pub(crate) fn function_output(answer: AwsAnswer) -> Result<Json, Failure> {
    let answer = answer.map_err(|fault| WORDS.failure(&fault))?;
    check_function(&answer)?;
    Ok(payload(&answer).unwrap_or_else(|| Json::from("")))
}

/// `lambda:invoke`.
pub(crate) struct Invoke;

impl ServiceIntegration for Invoke {
    fn call(&self, task: Task<'_>, integration: &Integration) -> Result<AwsCall, Failure> {
        let arguments = &task.request.input;
        let input = match (arguments, arguments.get("Payload")) {
            // A function that is given nothing sees an empty event.
            (Json::Object(members), Some(Json::Null)) => {
                let mut members = members.to_builder();
                members.remove("Payload");
                Json::Object(members.build())
            }
            (Json::Object(members), Some(payload)) => Json::Object(members.with("Payload", blob(&text_of(payload)))),
            _ => arguments.clone(),
        };
        Ok(aws_call("lambda", integration, input))
    }

    fn output(&self, _: &Integration, answer: AwsOutput) -> Result<Json, Failure> {
        check_function(&answer)?;
        let mut members = answer.output.as_object().map(stepwell_json::Object::to_builder).unwrap_or_default();
        members.remove("Payload");
        if let Some(payload) = payload(&answer) {
            members.insert("Payload", payload);
        }
        Ok(with_metadata(Some(&members.build()), &answer, HEADERS))
    }

    fn failure(&self, _: &Integration, fault: &AwsError) -> Failure {
        WORDS.failure(fault)
    }
}

/// Whether the function itself failed.
fn check_function(answer: &AwsOutput) -> Result<(), Failure> {
    if answer.output.get("FunctionError").is_none() {
        return Ok(());
    }
    let document = payload_text(answer).unwrap_or_default();
    let parsed = Json::parse(&document).ok();
    Err(match parsed.as_ref().and_then(|document| document.get("errorType")).and_then(Json::as_str) {
        // The document is shown as it reads, not as the runtime happened to space it.
        Some(error) => Failure::new(error, parsed.as_ref().map_or_else(|| document.clone(), Json::to_string)),
        None => Failure::new(
            "Lambda.Unknown",
            format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: {document}"
            ),
        ),
    })
}

/// What the function returned. What is no JSON, as a runtime of one's own may answer, is text.
fn payload(answer: &AwsOutput) -> Option<Json> {
    let text = payload_text(answer)?;
    Some(Json::parse(&text).unwrap_or_else(|_| Json::from(text)))
}

/// The payload as text, unless it is empty.
pub(crate) fn payload_text(answer: &AwsOutput) -> Option<String> {
    let bytes = blob_bytes(answer.output.get("Payload")?.as_str()?)?;
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// A payload as it is sent: text is JSON already, as far as anybody looks before the function.
pub(crate) fn text_of(payload: &Json) -> String {
    payload.as_str().map_or_else(|| payload.to_string(), str::to_owned)
}

/// Text as a blob.
pub(crate) fn blob(text: &str) -> Json {
    Json::from(blob_text(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tests::{answer, asked, refusal, told, unreached};

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f:live";
    const INVOKE: &str = "arn:aws:states:::lambda:invoke";

    /// An answer of a function that returned this.
    fn returned(payload: &str, error: bool) -> AwsAnswer {
        let mut output = ObjectBuilder::new();
        output.insert("StatusCode", Json::from(200));
        output.insert("ExecutedVersion", Json::from("$LATEST"));
        if error {
            output.insert("FunctionError", Json::from("Unhandled"));
        }
        output.insert("Payload", blob(payload));
        answer(&Json::Object(output.build()).to_string(), &[("x-amz-executed-version", "$LATEST"), ("Server", "S")])
    }

    #[test]
    fn a_function_gets_the_input_as_its_event() {
        let event = blob("{\"a\":0.0}");
        assert_eq!(
            asked(FUNCTION, "{\"a\":0.0}"),
            format!(r#"lambda.Invoke {{"FunctionName":"{FUNCTION}","Payload":{event}}}"#)
        );
    }

    #[test]
    fn what_it_returns_is_the_result() {
        for payload in ["0.0", "\"text\"", "null", "{\"b\":1,\"a\":[true]}", "\"ä\""] {
            assert_eq!(told(FUNCTION, returned(payload, false)), payload);
        }
        assert_eq!(told(FUNCTION, returned("no JSON", false)), "\"no JSON\"");
        assert_eq!(told(FUNCTION, returned("", false)), "\"\"");
    }

    #[test]
    fn invoke_sends_json_as_it_is_and_text_as_what_it_says() {
        for (payload, sent) in [("{\"a\":1}", "{\"a\":1}"), ("\"t\"", "t"), ("\"0\"", "0"), ("1.50", "1.50")] {
            let expected = format!(r#"lambda.Invoke {{"FunctionName":"f","Payload":{},"LogType":"Tail"}}"#, blob(sent));
            assert_eq!(
                asked(INVOKE, &format!(r#"{{"FunctionName":"f","Payload":{payload},"LogType":"Tail"}}"#)),
                expected
            );
        }
        assert_eq!(asked(INVOKE, r#"{"FunctionName":"f","Payload":null}"#), r#"lambda.Invoke {"FunctionName":"f"}"#);
        assert_eq!(
            asked(INVOKE, r#"{"FunctionName":"f","Qualifier":"2","InvocationType":"Event"}"#),
            r#"lambda.Invoke {"FunctionName":"f","Qualifier":"2","InvocationType":"Event"}"#
        );
    }

    #[test]
    fn invoke_answers_with_all_there_is() {
        let http = "\"SdkHttpMetadata\":{\"AllHttpHeaders\":{\"X-Amz-Executed-Version\":[\"$LATEST\"],\
                    \"x-amzn-Remapped-Content-Length\":[\"0\"],\"Connection\":[\"keep-alive\"]},\"HttpHeaders\":{\"Connection\":\
                    \"keep-alive\",\"X-Amz-Executed-Version\":\"$LATEST\",\"x-amzn-Remapped-Content-Length\":\"0\"},\
                    \"HttpStatusCode\":200},\"SdkResponseMetadata\":{\"RequestId\":\"id-1\"},\"StatusCode\":200";
        let expected = format!("{{\"ExecutedVersion\":\"$LATEST\",\"Payload\":{{\"a\":1}},{http}}}");
        assert_eq!(told(INVOKE, returned("{\"a\":1}", false)), expected);
        let submitted = told(&format!("{INVOKE}.waitForTaskToken"), returned("{\"a\":1}", false));
        assert_eq!(submitted, format!("submitted {expected}"));
        // An event has no result.
        let event = told(INVOKE, returned("", false));
        assert_eq!(event, format!("{{\"ExecutedVersion\":\"$LATEST\",{http}}}"));
    }

    #[test]
    fn a_function_that_failed_names_its_error() {
        let document = r#"{"errorMessage":"No.","errorType":"CustomError","stackTrace":[]}"#;
        for resource in [FUNCTION, INVOKE, "arn:aws:states:::lambda:invoke.waitForTaskToken"] {
            assert_eq!(told(resource, returned(document, true)), format!("CustomError: {document}"));
            let spaced = document.replace(':', ": ");
            assert_eq!(told(resource, returned(&spaced, true)), format!("CustomError: {document}"));
            let untyped = r#"{"errorMessage":"Task timed out after 3.00 seconds"}"#;
            assert_eq!(
                told(resource, returned(untyped, true)),
                format!(
                    "Lambda.Unknown: The cause could not be determined because Lambda did not return an error type. Returned \
                     payload: {untyped}"
                )
            );
        }
    }

    #[test]
    fn lambda_itself_refuses() {
        let about = "(Service: AWSLambda; Status Code: 404; Error Code:";
        for (code, name) in [
            ("ResourceNotFoundException", "ResourceNotFoundException"),
            ("TooManyRequestsException", "TooManyRequestsException"),
            ("AccessDeniedException", "AWSLambdaException"),
        ] {
            for resource in [FUNCTION, INVOKE] {
                let expected = format!("Lambda.{name}: No. {about} {code}; Request ID: id-1; Proxy: null)");
                assert_eq!(told(resource, refusal(code, "No.", 404)), expected);
            }
        }
        assert_eq!(told(FUNCTION, unreached("Nobody.")), "Lambda.SdkClientException: Nobody.");
    }
}
