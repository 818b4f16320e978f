//! `sqs:sendMessage`.

use stepwell_asl::Integration;
use stepwell_interpreter::Failure;
use stepwell_json::Json;
use stepwell_protocol::{AwsCall, AwsError, AwsOutput};

use crate::failures::Words;
use crate::metadata::{Header, with_metadata};
use crate::task::{ServiceIntegration, Task, aws_call, with_text};

const WORDS: Words = Words {
    prefix: "SQS",
    service: "AmazonSQS",
    otherwise: "AmazonSQSException",
    modelled: &["InvalidMessageContents", "QueueDoesNotExist", "UnsupportedOperation"],
};

const HEADERS: &[Header] = &[
    ("x-amzn-RequestId", None),
    ("connection", Some("keep-alive")),
    ("Content-Length", None),
    ("Date", None),
    ("Content-Type", None),
];

pub(crate) struct Sqs;

impl ServiceIntegration for Sqs {
    fn call(&self, task: Task<'_>, integration: &Integration) -> Result<AwsCall, Failure> {
        let arguments = &task.request.input;
        if let Some(host) = arguments.get("QueueUrl").and_then(Json::as_str).and_then(nobodys_host) {
            let reason = format!("Unable to execute HTTP request: {host}: Name or service not known");
            return Err(WORDS.unreached(&reason));
        }
        Ok(aws_call("sqs", integration, with_text(arguments, "MessageBody")))
    }

    fn output(&self, _: &Integration, answer: AwsOutput) -> Result<Json, Failure> {
        Ok(with_metadata(answer.output.as_object(), &answer, HEADERS))
    }

    fn failure(&self, _: &Integration, fault: &AwsError) -> Failure {
        WORDS.failure(fault)
    }
}

/// The host of a queue's URL that no name server can know: a queue is asked where its URL says, and a bare name is none.
fn nobodys_host(url: &str) -> Option<&str> {
    match url.split_once("://") {
        None => url.split('/').next(),
        Some((_, host)) => (!host.contains(['/', '.', ':']) && host != "localhost").then_some(host),
    }
}

#[cfg(test)]
mod tests {
    use crate::task::tests::{answer, asked, refusal, told, unreached};

    const SEND: &str = "arn:aws:states:::sqs:sendMessage";

    #[test]
    fn bodies_are_text() {
        for (arguments, expected) in [
            (
                r#"{"QueueUrl":"https://h/0/q","MessageBody":{"a":[1]}}"#,
                r#"sqs.SendMessage {"QueueUrl":"https://h/0/q","MessageBody":"{\"a\":[1]}"}"#,
            ),
            (
                r#"{"QueueUrl":"http://h/0/q","MessageBody":"t","DelaySeconds":3}"#,
                r#"sqs.SendMessage {"QueueUrl":"http://h/0/q","MessageBody":"t","DelaySeconds":3}"#,
            ),
            (
                r#"{"QueueUrl":"no-such-queue","MessageBody":"t"}"#,
                "SQS.SdkClientException: Unable to execute HTTP request: no-such-queue: Name or service not known",
            ),
            (
                r#"{"QueueUrl":"http://no-such-queue","MessageBody":"t"}"#,
                "SQS.SdkClientException: Unable to execute HTTP request: no-such-queue: Name or service not known",
            ),
        ] {
            assert_eq!(asked(SEND, arguments), expected);
            assert_eq!(asked(&format!("{SEND}.waitForTaskToken"), arguments), expected);
        }
    }

    #[test]
    fn answers_carry_the_http_answer() {
        let headers = [("Content-Length", "106"), ("content-type", "application/x-amz-json-1.0")];
        let sent = || answer(r#"{"MessageId":"m","MD5OfMessageBody":"5"}"#, &headers);
        let expected = "{\"MD5OfMessageBody\":\"5\",\"MessageId\":\"m\",\"SdkHttpMetadata\":{\"AllHttpHeaders\":\
                        {\"connection\":[\"keep-alive\"],\"Content-Length\":[\"106\"],\"Content-Type\":[\"application/x-amz-json-1.0\"]},\
                        \"HttpHeaders\":{\"connection\":\"keep-alive\",\"Content-Length\":\"106\",\"Content-Type\":\
                        \"application/x-amz-json-1.0\"},\"HttpStatusCode\":200},\"SdkResponseMetadata\":{\"RequestId\":\"id-1\"}}";
        assert_eq!(told(SEND, sent()), expected);
        assert_eq!(told(&format!("{SEND}.waitForTaskToken"), sent()), format!("submitted {expected}"));
    }

    #[test]
    fn refusals_are_named_by_the_model() {
        let about = "(Service: AmazonSQS; Status Code: 400; Error Code:";
        for (code, name) in
            [("QueueDoesNotExist", "QueueDoesNotExistException"), ("MissingParameter", "AmazonSQSException")]
        {
            let expected = format!("SQS.{name}: No. {about} {code}; Request ID: id-1; Proxy: null)");
            assert_eq!(told(SEND, refusal(code, "No.", 400)), expected);
        }
        assert_eq!(told(SEND, unreached("No way.")), "SQS.SdkClientException: No way.");
    }
}
