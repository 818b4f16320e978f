//! `dynamodb:getItem`, `putItem`, `updateItem` and `deleteItem`: typed attributes in and out, as the service has them.

use stepwell_asl::Integration;
use stepwell_interpreter::Failure;
use stepwell_json::Json;
use stepwell_protocol::{AwsCall, AwsError, AwsOutput};

use crate::failures::Words;
use crate::metadata::{Header, with_metadata};
use crate::task::{ServiceIntegration, Task, aws_call};

const WORDS: Words = Words {
    prefix: "DynamoDB",
    service: "AmazonDynamoDBv2",
    otherwise: "AmazonDynamoDBException",
    modelled: &[
        "ConditionalCheckFailed",
        "InternalServerError",
        "ItemCollectionSizeLimitExceeded",
        "ProvisionedThroughputExceeded",
        "ReplicatedWriteConflict",
        "RequestLimitExceeded",
        "ResourceNotFound",
        "TransactionConflict",
    ],
};

const HEADERS: &[Header] = &[
    ("Server", Some("Server")),
    ("Connection", Some("keep-alive")),
    ("x-amzn-RequestId", None),
    ("x-amz-crc32", None),
    ("Content-Length", None),
    ("Date", None),
    ("Content-Type", None),
];

pub(crate) struct DynamoDb;

impl ServiceIntegration for DynamoDb {
    fn call(&self, task: Task<'_>, integration: &Integration) -> Result<AwsCall, Failure> {
        Ok(aws_call("dynamodb", integration, task.request.input.clone()))
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

    #[test]
    fn items_go_as_they_are() {
        for (action, expected) in
            [("getItem", "GetItem"), ("putItem", "PutItem"), ("updateItem", "UpdateItem"), ("deleteItem", "DeleteItem")]
        {
            let arguments = r#"{"TableName":"t","Key":{"id":{"S":"1"}}}"#;
            assert_eq!(
                asked(&format!("arn:aws:states:::dynamodb:{action}"), arguments),
                format!("dynamodb.{expected} {arguments}")
            );
        }
    }

    #[test]
    fn answers_and_refusals() {
        let get = "arn:aws:states:::dynamodb:getItem";
        let got = told(get, answer(r#"{"Item":{"id":{"S":"1"}}}"#, &[("x-amz-crc32", "7")]));
        assert!(
            got.starts_with(r#"{"Item":{"id":{"S":"1"}},"SdkHttpMetadata":{"AllHttpHeaders":{"Server":["Server"],"#),
            "{got}"
        );
        assert!(got.contains(r#""x-amz-crc32":"7""#), "{got}");
        // As recorded.
        let message =
            "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null";
        assert_eq!(
            told(get, refusal("ValidationException", message, 400)),
            format!(
                "DynamoDB.AmazonDynamoDBException: {message} (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: \
                 ValidationException; Request ID: id-1; Proxy: null)"
            )
        );
        let refused = told(get, refusal("ConditionalCheckFailedException", "The conditional request failed", 400));
        assert!(
            refused.starts_with("DynamoDB.ConditionalCheckFailedException: The conditional request failed (Service: "),
            "{refused}"
        );
    }
}
