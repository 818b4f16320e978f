//! `aws-sdk:SERVICE:ACTION`: any action of any service, in the words of version 2 of AWS's SDK for Java.
//!
//! Names of members begin with a capital, in arguments and results. Services whose model has them so, and those are most,
//! need nothing done; the others take what a task writes with the first letter lowered, all the way down.

use stepwell_asl::Integration;
use stepwell_interpreter::Failure;
use stepwell_json::{Json, Object};
use stepwell_protocol::{AwsCall, AwsError, AwsOutput, Fault};

use crate::failures::bare;
use crate::lambda::{blob, payload_text, text_of};
use crate::task::{ServiceIntegration, Task, pascal};

/// A service whose names cannot be told from each other: as `Resource` spells it, as its model is called, as the SDK's
/// classes are.
type Names = (&'static str, &'static str, &'static str);

/// Services with names that differ by more than a capital. Source: the SDK's service identifiers, and botocore's.
const NAMES: &[Names] = &[
    ("apigateway", "apigateway", "ApiGateway"),
    ("autoscaling", "autoscaling", "AutoScaling"),
    ("bedrockruntime", "bedrock-runtime", "BedrockRuntime"),
    ("cloudformation", "cloudformation", "CloudFormation"),
    ("cloudtrail", "cloudtrail", "CloudTrail"),
    ("cloudwatch", "cloudwatch", "CloudWatch"),
    ("cloudwatchlogs", "logs", "CloudWatchLogs"),
    ("codebuild", "codebuild", "CodeBuild"),
    ("cognitoidentityprovider", "cognito-idp", "CognitoIdentityProvider"),
    ("costexplorer", "ce", "CostExplorer"),
    ("databrew", "databrew", "DataBrew"),
    ("dynamodb", "dynamodb", "DynamoDb"),
    ("ecr", "ecr", "Ecr"),
    ("eventbridge", "events", "EventBridge"),
    ("mediaconvert", "mediaconvert", "MediaConvert"),
    ("rdsdata", "rds-data", "RdsData"),
    ("redshiftdata", "redshift-data", "RedshiftData"),
    ("sagemaker", "sagemaker", "SageMaker"),
    ("secretsmanager", "secretsmanager", "SecretsManager"),
    ("servicequotas", "service-quotas", "ServiceQuotas"),
    ("sesv2", "sesv2", "SesV2"),
    ("sfn", "stepfunctions", "Sfn"),
];

/// Services whose model has the first letter of a member's name small.
const SMALL_FIRST: &[&str] =
    &["apigateway", "batch", "codebuild", "ecr", "ecs", "eks", "logs", "rds-data", "stepfunctions"];

pub(crate) struct AwsSdk;

impl ServiceIntegration for AwsSdk {
    fn call(&self, task: Task<'_>, integration: &Integration) -> Result<AwsCall, Failure> {
        let (service, _) = names(integration);
        let arguments = &task.request.input;
        let input = match (service.as_str(), &*integration.action, arguments, arguments.get("Payload")) {
            ("lambda", "invoke", Json::Object(members), Some(payload)) => {
                Json::Object(members.with("Payload", blob(&text_of(payload))))
            }
            (service, ..) if SMALL_FIRST.contains(&service) => renamed(arguments, char::to_ascii_lowercase),
            _ => arguments.clone(),
        };
        Ok(AwsCall { service: service.into(), action: pascal(&integration.action), input })
    }

    fn output(&self, integration: &Integration, answer: AwsOutput) -> Result<Json, Failure> {
        let (service, _) = names(integration);
        Ok(match (service.as_str(), &*integration.action, &answer.output) {
            // A blob is shown as the text it holds.
            ("lambda", "invoke", Json::Object(members)) => {
                Json::Object(members.with("Payload", Json::from(payload_text(&answer).unwrap_or_default())))
            }
            (service, ..) if SMALL_FIRST.contains(&service) => renamed(&answer.output, char::to_ascii_uppercase),
            _ => answer.output,
        })
    }

    fn failure(&self, integration: &Integration, fault: &AwsError) -> Failure {
        let (_, class) = names(integration);
        let message = fault.message.as_deref().unwrap_or("null");
        if fault.fault == Fault::Unreached {
            return Failure::new(&format!("{class}.SdkClientException"), message);
        }
        let cause =
            format!("{message} (Service: {class}, Status Code: {}, Request ID: {})", fault.status, fault.request_id);
        Failure::new(&format!("{class}.{}Exception", bare(&fault.code)), cause)
    }
}

/// As the service's model is called, and as the SDK's classes are.
fn names(integration: &Integration) -> (String, String) {
    let sdk = integration.resource_type.strip_prefix("aws-sdk:").unwrap_or(&integration.resource_type);
    match NAMES.iter().find(|(name, ..)| *name == sdk) {
        Some((_, service, class)) => ((*service).to_owned(), (*class).to_owned()),
        None => (sdk.to_owned(), pascal(sdk).to_string()),
    }
}

fn renamed(value: &Json, first: fn(&char) -> char) -> Json {
    match value {
        Json::Object(members) => Json::Object(renamed_members(members, first)),
        Json::Array(values) => Json::array(values.iter().map(|value| renamed(value, first)).collect()),
        _ => value.clone(),
    }
}

fn renamed_members(members: &Object, first: fn(&char) -> char) -> Object {
    let rename = |name: &str| {
        let mut letters = name.chars();
        letters.next().map(|letter| first(&letter)).into_iter().chain(letters).collect::<String>()
    };
    members.iter().map(|(name, value)| (rename(name), renamed(value, first))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tests::{answer, asked, refusal, told, unreached};

    fn resource(named: &str) -> String {
        format!("arn:aws:states:::aws-sdk:{named}")
    }

    #[test]
    fn services_and_members_have_the_names_of_the_model() {
        assert!(NAMES.is_sorted_by_key(|(name, ..)| *name));
        for (named, arguments, expected) in [
            ("s3:getObject", r#"{"Bucket":"b"}"#, r#"s3.GetObject {"Bucket":"b"}"#),
            ("eventbridge:putEvents", r#"{"Entries":[]}"#, r#"events.PutEvents {"Entries":[]}"#),
            (
                "ecs:runTask",
                r#"{"Overrides":{"A":[{"Name":"N"}]}}"#,
                r#"ecs.RunTask {"overrides":{"a":[{"name":"N"}]}}"#,
            ),
            ("sfn:listActivities", r#"{"MaxResults":1}"#, r#"stepfunctions.ListActivities {"maxResults":1}"#),
            (
                "lambda:invoke",
                r#"{"FunctionName":"f","Payload":{"a":1}}"#,
                r#"lambda.Invoke {"FunctionName":"f","Payload":"eyJhIjoxfQ=="}"#,
            ),
            (
                "lambda:invoke",
                r#"{"FunctionName":"f","Payload":"1"}"#,
                r#"lambda.Invoke {"FunctionName":"f","Payload":"MQ=="}"#,
            ),
        ] {
            assert_eq!(asked(&resource(named), arguments), expected);
        }
    }

    #[test]
    fn answers_begin_with_capitals() {
        let described = r#"{"tasks":[{"lastStatus":"RUNNING"}]}"#;
        assert_eq!(told(&resource("ecs:runTask"), answer(described, &[])), r#"{"Tasks":[{"LastStatus":"RUNNING"}]}"#);
        let query = r#"{"Count":1,"Items":[{"id":{"S":"1"}}]}"#;
        assert_eq!(told(&resource("dynamodb:query"), answer(query, &[])), query);
        assert_eq!(told(&resource("sqs:sendMessage.waitForTaskToken"), answer("{}", &[])), "submitted {}");
        // A function's failure is an answer like any other.
        let failed = r#"{"StatusCode":200,"FunctionError":"Unhandled","Payload":"eyJhIjoxfQ=="}"#;
        let expected = r#"{"StatusCode":200,"FunctionError":"Unhandled","Payload":"{\"a\":1}"}"#;
        assert_eq!(told(&resource("lambda:invoke"), answer(failed, &[])), expected);
    }

    #[test]
    fn errors_are_classes_of_the_service() {
        // As recorded, but for the extended request id.
        assert_eq!(
            told(&resource("s3:listObjects"), refusal("NoSuchBucket", "The specified bucket does not exist", 404)),
            "S3.NoSuchBucketException: The specified bucket does not exist (Service: S3, Status Code: 404, Request ID: id-1)"
        );
        let refused = told(&resource("dynamodb:getItem"), refusal("ResourceNotFoundException", "No.", 400));
        assert!(refused.starts_with("DynamoDb.ResourceNotFoundException: No. (Service: DynamoDb, Status"), "{refused}");
        assert_eq!(told(&resource("sqs:sendMessage"), unreached("Nobody.")), "Sqs.SdkClientException: Nobody.");
    }
}
