//! `sns:publish`.

use stepwell_asl::Integration;
use stepwell_interpreter::Failure;
use stepwell_json::Json;
use stepwell_protocol::{AwsCall, AwsError, AwsOutput};

use crate::failures::Words;
use crate::metadata::{Header, with_metadata};
use crate::task::{ServiceIntegration, Task, aws_call, with_text};

const WORDS: Words = Words {
    prefix: "SNS",
    service: "AmazonSNS",
    otherwise: "AmazonSNSException",
    modelled: &[
        "AuthorizationError",
        "EndpointDisabled",
        "InternalError",
        "InvalidParameter",
        "InvalidParameterValue",
        "InvalidSecurity",
        "KMSAccessDenied",
        "KMSDisabled",
        "KMSInvalidState",
        "KMSNotFound",
        "KMSOptInRequired",
        "KMSThrottling",
        "NotFound",
        "PlatformApplicationDisabled",
    ],
};

const HEADERS: &[Header] = &[
    ("x-amzn-RequestId", None),
    ("connection", Some("keep-alive")),
    ("Content-Length", None),
    ("Date", None),
    ("Content-Type", None),
];

pub(crate) struct Sns;

impl ServiceIntegration for Sns {
    fn call(&self, task: Task<'_>, integration: &Integration) -> Result<AwsCall, Failure> {
        Ok(aws_call("sns", integration, with_text(&task.request.input, "Message")))
    }

    fn output(&self, _: &Integration, answer: AwsOutput) -> Result<Json, Failure> {
        Ok(with_metadata(answer.output.as_object(), &answer, HEADERS))
    }

    fn failure(&self, _: &Integration, fault: &AwsError) -> Failure {
        WORDS.failure(fault)
    }
}

#[cfg(test)]
mod tests {
    use crate::task::tests::{answer, asked, refusal, told};

    const PUBLISH: &str = "arn:aws:states:::sns:publish";

    #[test]
    fn messages_are_text() {
        for (arguments, expected) in [
            (r#"{"TopicArn":"t","Message":{"a":1}}"#, r#"sns.Publish {"TopicArn":"t","Message":"{\"a\":1}"}"#),
            (r#"{"TopicArn":"t","Message":"m"}"#, r#"sns.Publish {"TopicArn":"t","Message":"m"}"#),
        ] {
            assert_eq!(asked(PUBLISH, arguments), expected);
        }
    }

    #[test]
    fn answers_and_refusals() {
        let told_of = told(PUBLISH, answer(r#"{"MessageId":"m"}"#, &[("Content-Type", "text/xml")]));
        assert!(
            told_of.starts_with(r#"{"MessageId":"m","SdkHttpMetadata":{"AllHttpHeaders":{"connection""#),
            "{told_of}"
        );
        assert!(told_of.contains(r#""Content-Type":["text/xml"]"#), "{told_of}");
        // As recorded.
        assert_eq!(
            told(
                PUBLISH,
                refusal(
                    "InvalidParameter",
                    "Invalid parameter: The MessageGroupId parameter is required for FIFO topics",
                    400
                )
            ),
            "SNS.InvalidParameterException: Invalid parameter: The MessageGroupId parameter is required for FIFO topics \
             (Service: AmazonSNS; Status Code: 400; Error Code: InvalidParameter; Request ID: id-1; Proxy: null)"
        );
        assert!(told(PUBLISH, refusal("Odd", "", 400)).starts_with("SNS.AmazonSNSException: "));
    }
}
