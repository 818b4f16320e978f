//! All services AWS has, as botocore's models describe them, and each service's model when somebody asks for it.
//!
//! The file is packed, a service by itself. The names of all services are read at the first question, a model at the first
//! call of its service; both stay. Nothing is read at start.

use std::sync::OnceLock;

use crate::model::{Operation, Service, ServiceName};
use crate::suggest::nearest;
use crate::unpack::{self, Damaged, Head};

static FILE: &[u8] = include_bytes!("../models/aws.models");

struct Entry {
    head: Head,
    service: OnceLock<Service>,
}

fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let heads =
            unpack::heads(FILE).expect("the table of services is part of the program, and a test reads all of it");
        heads.into_iter().map(|head| Entry { head, service: OnceLock::new() }).collect()
    })
}

/// Every service, by name.
pub fn services() -> impl ExactSizeIterator<Item = &'static ServiceName> {
    entries().iter().map(|entry| &entry.head.names)
}

/// The service botocore has under this name: `stepfunctions`.
pub fn service(name: &str) -> Option<&'static Service> {
    let entries = entries();
    let place = entries.binary_search_by(|entry| (*entry.head.names.name).cmp(name)).ok()?;
    Some(entries.get(place)?.unpacked())
}

/// A model read once more, as its first use reads it: for who measures that.
pub fn unpacked_anew(name: &str) -> Option<Service> {
    entries().iter().find(|entry| &*entry.head.names.name == name)?.read().ok()
}

/// The service of `arn:aws:states:::aws-sdk:NAME`, in small letters: `sfn`.
pub fn service_of_sdk(sdk_name: &str) -> Option<&'static Service> {
    entries().iter().find(|entry| &*entry.head.names.sdk_name == sdk_name).map(Entry::unpacked)
}

/// The operation of `arn:aws:states:::aws-sdk:SERVICE:ACTION`, which begins with a small letter, or with a capital as the
/// API has it.
pub fn operation_of_sdk<'a>(service: &'a Service, action: &str) -> Option<&'a Operation> {
    let first = action.chars().next().filter(char::is_ascii_alphabetic)?;
    let mut name = action.to_owned();
    name.replace_range(..1, &first.to_ascii_uppercase().to_string());
    service.operation(&name).or_else(|| service.operation(action))
}

/// An operation's name as `aws-sdk` spells it: `sendMessage`.
pub fn sdk_action(operation: &Operation) -> String {
    let mut name = operation.name.to_string();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    name
}

/// Names of services for `aws-sdk` that look like this one, nearest first, three at most.
pub fn similar_services(sdk_name: &str) -> Vec<&'static str> {
    nearest(
        &sdk_name.to_ascii_lowercase(),
        services().flat_map(|service| {
            // Who writes botocore's name means the service too.
            let other = (service.name != service.sdk_name).then_some((&*service.name, &*service.sdk_name));
            [Some((&*service.sdk_name, &*service.sdk_name)), other].into_iter().flatten()
        }),
    )
}

/// Actions of a service, as `aws-sdk` spells them, that look like this one, nearest first, three at most.
pub fn similar_actions(service: &Service, action: &str) -> Vec<String> {
    let actions: Vec<String> = service.operations.iter().map(sdk_action).collect();
    nearest(action, actions.iter().map(|action| (action.as_str(), action.as_str())))
        .into_iter()
        .map(str::to_owned)
        .collect()
}

impl Entry {
    fn unpacked(&'static self) -> &'static Service {
        self.service.get_or_init(|| {
            self.read().expect("the table of services is part of the program, and a test reads all of it")
        })
    }

    fn read(&'static self) -> Result<Service, Damaged> {
        let body = miniz_oxide::inflate::decompress_to_vec_with_limit(self.head.packed, self.head.unpacked_bytes)
            .map_err(|_| Damaged)?;
        unpack::service(&self.head.names, &body)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        entries, operation_of_sdk, sdk_action, service, service_of_sdk, services, similar_actions, similar_services,
    };
    use crate::model::{Kind, Location, Protocol};

    #[test]
    fn every_model_can_be_read() {
        let mut operations = 0;
        for entry in entries() {
            let service = entry.read().unwrap_or_else(|_| panic!("{}", entry.head.names.name));
            assert!(service.operations.is_sorted_by(|one, other| one.name < other.name), "{}", service.names.name);
            assert!(!service.names.protocols.is_empty());
            operations += service.operations.len();
        }
        assert!(
            services().len() > 400 && operations > 19_000,
            "{} services, {operations} operations",
            services().len()
        );
    }

    #[test]
    fn models_say_what_aws_says() {
        let sqs = service("sqs").expect("SQS");
        assert_eq!(sqs.names.protocols, [Protocol::Json]);
        assert_eq!((&*sqs.names.json_version, &*sqs.names.target_prefix), ("1.0", "AmazonSQS"));
        assert!(sqs.names.query_compatible);
        let send = sqs.operation("SendMessage").expect("SendMessage");
        let input = sqs.shape(send.input.as_ref().expect("an input").shape);
        assert!(input.member("QueueUrl").is_some_and(|member| member.part.required));
        assert!(input.member("DelaySeconds").is_some_and(|member| !member.part.required));

        let s3 = service("s3").expect("S3");
        let put = s3.operation("PutObject").expect("PutObject");
        assert_eq!((&*put.method, &*put.uri), ("PUT", "/{Bucket}/{Key+}"));
        let input = s3.shape(put.input.as_ref().expect("an input").shape);
        assert_eq!(input.payload.as_deref(), Some("Body"));
        let metadata = &input.member("Metadata").expect("Metadata").part;
        assert_eq!((metadata.location, metadata.location_name.as_deref()), (Location::Headers, Some("x-amz-meta-")));
        assert!(matches!(s3.shape(metadata.shape).kind, Kind::Map(..)));

        let lambda = service("lambda").expect("Lambda");
        let missing = lambda.error("ResourceNotFoundException").expect("an error");
        assert_eq!(missing.error.as_ref().and_then(|error| error.status), Some(404));
        let runtime = lambda.shapes.iter().find(|shape| &*shape.name == "Runtime").expect("Runtime");
        assert!(runtime.choices.iter().any(|choice| &**choice == "python3.12"));
        assert!(service("nothing").is_none());
    }

    #[test]
    fn services_have_the_names_tasks_call_them_by() {
        for (sdk, name, client) in [
            ("sfn", "stepfunctions", "Sfn"),
            ("eventbridge", "events", "EventBridge"),
            ("cloudwatchlogs", "logs", "CloudWatchLogs"),
            ("elasticloadbalancingv2", "elbv2", "ElasticLoadBalancingV2"),
            ("dynamodb", "dynamodb", "DynamoDb"),
            ("databasemigration", "dms", "DatabaseMigration"),
            ("config", "config", "Config"),
            ("sesv2", "sesv2", "SesV2"),
            ("apigatewayv2", "apigatewayv2", "ApiGatewayV2"),
            ("iotdataplane", "iot-data", "IotDataPlane"),
            ("cognitoidentityprovider", "cognito-idp", "CognitoIdentityProvider"),
            ("costexplorer", "ce", "CostExplorer"),
            ("emrserverless", "emr-serverless", "EmrServerless"),
            ("route53", "route53", "Route53"),
            ("ec2", "ec2", "Ec2"),
        ] {
            let names = service_of_sdk(sdk).unwrap_or_else(|| panic!("{sdk}")).names;
            assert_eq!((&*names.name, &*names.client), (name, client));
        }
        assert!(service_of_sdk("stepfunctions").is_none());
    }

    #[test]
    fn actions_begin_with_a_small_letter_or_as_the_api_has_them() {
        let rds = service("rds").expect("RDS");
        let described = operation_of_sdk(rds, "describeDBInstances").expect("an operation");
        assert_eq!(
            (&*described.name, sdk_action(described)),
            ("DescribeDBInstances", "describeDBInstances".to_owned())
        );
        // As the API spells it, and some definitions.
        assert!(operation_of_sdk(rds, "DescribeDBInstances").is_some());
        for wrong in ["describeDbInstances", "describedbinstances", "", "é"] {
            assert!(operation_of_sdk(rds, wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn what_is_misspelled_is_suggested() {
        assert_eq!(similar_services("dynamodbb").first(), Some(&"dynamodb"));
        assert_eq!(similar_services("stepfunctions").first(), Some(&"sfn"));
        assert_eq!(similar_services("events").first(), Some(&"eventbridge"));
        assert!(similar_services("zzzzzzzzzzzzzzzzzz").is_empty());
        let sqs = service("sqs").expect("SQS");
        assert_eq!(similar_actions(sqs, "sendMesage").first().map(String::as_str), Some("sendMessage"));
        assert_eq!(similar_actions(sqs, "SendMessage").first().map(String::as_str), Some("sendMessage"));
    }
}
