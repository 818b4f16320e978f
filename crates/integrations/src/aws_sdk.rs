//! `aws-sdk:SERVICE:ACTION`: any action of any service, in the words of version 2 of AWS's SDK for Java.
//!
//! The service's model says what everything is called and what it is. Names of members begin with a capital, in arguments and
//! results, whatever the model has; a blob is the text it holds, and a time is text.

use stepwell_asl::Integration;
use stepwell_interpreter::Failure;
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{
    AwsCall, AwsError, AwsOutput, EXTENDED_REQUEST_ID, Fault, Kind, Location, Operation, Service, Use, blob_bytes,
    operation_of_sdk, service_of_sdk,
};
use stepwell_spec::Timestamp;

use crate::failures::bare;
use crate::lambda::{blob, text_of};
use crate::task::{ServiceIntegration, Task, pascal};

pub(crate) struct AwsSdk;

impl ServiceIntegration for AwsSdk {
    fn call(&self, task: Task<'_>, integration: &Integration) -> Result<AwsCall, Failure> {
        let arguments = &task.request.input;
        // What no model knows is asked for as it stands; whoever carries the call says that there is no such thing.
        let Some((service, operation)) = model_of(integration) else {
            let service = sdk_name(integration).into();
            return Ok(AwsCall { service, action: pascal(&integration.action), input: arguments.clone() });
        };
        let input = match &operation.input {
            Some(part) => to_input(service, part, arguments),
            None => Json::empty_object(),
        };
        Ok(AwsCall { service: service.names.name.clone(), action: operation.name.clone(), input })
    }

    fn output(&self, integration: &Integration, answer: AwsOutput) -> Result<Json, Failure> {
        Ok(match model_of(integration) {
            Some((service, Operation { output: Some(part), .. })) => {
                to_result(service, part, &answer.output, Times::Text)
            }
            Some((_, Operation { output: None, .. })) => Json::empty_object(),
            None => answer.output,
        })
    }

    fn failure(&self, integration: &Integration, fault: &AwsError) -> Failure {
        let class = match service_of_sdk(sdk_name(integration)) {
            Some(service) => service.names.client.clone(),
            None => pascal(sdk_name(integration)),
        };
        let message = fault.message.as_deref().unwrap_or("null");
        if fault.fault == Fault::Unreached {
            return Failure::new(&format!("{class}.SdkClientException"), message);
        }
        let extended = match fault.members.get(EXTENDED_REQUEST_ID).and_then(Json::as_str) {
            Some(id) => format!(", Extended Request ID: {id}"),
            None => String::new(),
        };
        let cause = format!(
            "{message} (Service: {class}, Status Code: {}, Request ID: {}{extended})",
            fault.status, fault.request_id
        );
        // What the model does not have is no class of the SDK, but the service's own.
        let bare = bare(&fault.code);
        let is_modelled = |service: &Service| {
            service.error(&fault.code).is_some() || service.error(&format!("{bare}Exception")).is_some()
        };
        let name = match service_of_sdk(sdk_name(integration)) {
            Some(service) if !is_modelled(service) => &class,
            Some(_) | None => bare,
        };
        Failure::new(&format!("{class}.{name}Exception"), cause)
    }
}

/// `s3` of `aws-sdk:s3`.
fn sdk_name(integration: &Integration) -> &str {
    integration.resource_type.strip_prefix("aws-sdk:").unwrap_or(&integration.resource_type)
}

fn model_of(integration: &Integration) -> Option<(&'static Service, &'static Operation)> {
    let service = service_of_sdk(sdk_name(integration))?;
    Some((service, operation_of_sdk(service, &integration.action)?))
}

/// How times are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    /// `1970-01-01T00:00:07.000Z`
    Text,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// Arguments under the names of the model. A member that the model does not have stays, so that it is refused by name.
pub(crate) fn to_input(service: &Service, part: &Use, value: &Json) -> Json {
    match (&service.shape(part.shape).kind, value) {
        (Kind::Structure(members), Json::Object(given)) => {
            let mut input = ObjectBuilder::new();
            for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                match members.iter().find(|member| is_spelled(&member.name, name)) {
                    Some(member) => input.insert(member.name.clone(), to_input(service, &member.part, value)),
                    None => input.insert(name.clone(), value.clone()),
                }
            }
            Json::Object(input.build())
        }
        (Kind::List(items), Json::Array(values)) => {
            Json::array(values.iter().map(|value| to_input(service, items, value)).collect())
        }
        (Kind::Map(_, values), Json::Object(given)) => {
            Json::object(given.iter().map(|(name, value)| (name.clone(), to_input(service, values, value))))
        }
        // As recorded of S3: text is JSON too, in quotes.
        (Kind::Blob, value) if part.streaming => blob(&value.to_string()),
        (Kind::Blob, value) => blob(&text_of(value)),
        (Kind::Timestamp, Json::String(text)) => match Timestamp::parse(text) {
            Ok(time) => Json::from_f64(time.seconds()).unwrap_or_else(|| value.clone()),
            // What is no time is refused by whoever carries the call.
            Err(_) => value.clone(),
        },
        _ => value.clone(),
    }
}

/// An answer as the SDK's classes show it.
pub(crate) fn to_result(service: &Service, part: &Use, value: &Json, times: Times) -> Json {
    match (&service.shape(part.shape).kind, value) {
        (Kind::Structure(members), Json::Object(given)) => {
            let mut result = ObjectBuilder::new();
            for (name, value) in given.iter() {
                if let Some(member) = members.iter().find(|member| member.name == *name) {
                    result.insert(pascal(name), to_result(service, &member.part, value, times));
                }
            }
            // The SDK collects headers of a prefix, however few there are.
            let collected = members.iter().filter(|member| member.part.location == Location::Headers);
            for member in collected.filter(|member| given.get(&member.name).is_none()) {
                result.insert(pascal(&member.name), Json::empty_object());
            }
            Json::Object(result.build())
        }
        (Kind::List(items), Json::Array(values)) => {
            Json::array(values.iter().map(|value| to_result(service, items, value, times)).collect())
        }
        (Kind::Map(_, values), Json::Object(given)) => {
            Json::object(given.iter().map(|(name, value)| (name.clone(), to_result(service, values, value, times))))
        }
        (Kind::Blob, Json::String(text)) => match blob_bytes(text) {
            Some(bytes) => Json::from(String::from_utf8_lossy(&bytes).into_owned()),
            None => value.clone(),
        },
        (Kind::Timestamp, value) => match (value.as_f64(), times) {
            (Some(seconds), Times::Text) => Json::from(Timestamp((seconds * 1000.0).round() as i64).to_string()),
            (Some(seconds), Times::Milliseconds) => Json::from((seconds * 1000.0).round() as i64),
            (Some(_), Times::Seconds) | (None, _) => value.clone(),
        },
        _ => value.clone(),
    }
}

/// Whether a task means this member: its name, with a capital or as the model has it.
fn is_spelled(model: &str, given: &str) -> bool {
    model == given || *pascal(model) == *given
}

#[cfg(test)]
mod tests {
    use stepwell_json::Json;
    use stepwell_protocol::{AwsError, EXTENDED_REQUEST_ID};

    use crate::task::tests::{answer, asked, refusal, told, unreached};

    fn resource(named: &str) -> String {
        format!("arn:aws:states:::aws-sdk:{named}")
    }

    #[test]
    fn services_and_members_have_the_names_of_the_model() {
        for (named, arguments, expected) in [
            ("s3:getObject", r#"{"Bucket":"b"}"#, r#"s3.GetObject {"Bucket":"b"}"#),
            ("eventbridge:putEvents", r#"{"Entries":[]}"#, r#"events.PutEvents {"Entries":[]}"#),
            (
                "ecs:runTask",
                r#"{"Overrides":{"ContainerOverrides":[{"Name":"N"}]},"Unknown":{"A":1}}"#,
                r#"ecs.RunTask {"overrides":{"containerOverrides":[{"name":"N"}]},"Unknown":{"A":1}}"#,
            ),
            (
                "s3:putObject",
                r#"{"Bucket":"b","Key":"k","Body":true,"ObjectLockRetainUntilDate":"1970-01-01T00:00:07Z","ACL":null}"#,
                r#"s3.PutObject {"Bucket":"b","Key":"k","Body":"dHJ1ZQ==","ObjectLockRetainUntilDate":7}"#,
            ),
            ("nosuch:doIt", r#"{"a":1}"#, r#"nosuch.DoIt {"a":1}"#),
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
        let object = r#"{"Body":"dHJ1ZQ==","LastModified":7,"ContentLength":4}"#;
        assert_eq!(
            told(&resource("s3:getObject"), answer(object, &[])),
            r#"{"Body":"true","LastModified":"1970-01-01T00:00:07.000Z","ContentLength":4,"Metadata":{}}"#
        );
        assert_eq!(told(&resource("sqs:sendMessage.waitForTaskToken"), answer("{}", &[])), "submitted {}");
        // A function's failure is an answer like any other.
        let failed = r#"{"StatusCode":200,"FunctionError":"Unhandled","Payload":"eyJhIjoxfQ=="}"#;
        let expected = r#"{"StatusCode":200,"FunctionError":"Unhandled","Payload":"{\"a\":1}"}"#;
        assert_eq!(told(&resource("lambda:invoke"), answer(failed, &[])), expected);
    }

    #[test]
    fn errors_are_classes_of_the_service() {
        // As recorded.
        let extended = refusal("NoSuchBucket", "The specified bucket does not exist", 404)
            .map_err(|fault| AwsError { members: Json::object([(EXTENDED_REQUEST_ID, Json::from("x-1"))]), ..fault });
        assert_eq!(
            told(&resource("s3:listObjects"), extended),
            "S3.NoSuchBucketException: The specified bucket does not exist (Service: S3, Status Code: 404, Request ID: id-1, \
             Extended Request ID: x-1)"
        );
        for (named, code, expected) in [
            ("s3:headBucket", "404", "S3.S3Exception"),
            ("s3:putObject", "PreconditionFailed", "S3.S3Exception"),
            ("ec2:startInstances", "IncorrectInstanceState", "Ec2.Ec2Exception"),
            ("lambda:invoke", "500", "Lambda.LambdaException"),
            ("dynamodb:putItem", "ConditionalCheckFailedException", "DynamoDb.ConditionalCheckFailedException"),
            ("nosuch:doIt", "Odd", "Nosuch.OddException"),
        ] {
            let said = told(&resource(named), refusal(code, "No.", 400));
            assert!(said.starts_with(&format!("{expected}: No. (Service: ")), "{said}");
        }
        let refused = told(&resource("dynamodb:getItem"), refusal("ResourceNotFoundException", "No.", 400));
        assert!(refused.starts_with("DynamoDb.ResourceNotFoundException: No. (Service: DynamoDb, Status"), "{refused}");
        assert_eq!(told(&resource("sqs:sendMessage"), unreached("Nobody.")), "Sqs.SdkClientException: Nobody.");
    }
}
