//! What services answer: the fields of their responses, as Task states get them.
//!
//! One file per service, made from AWS's service models by `cargo xtask model`. A line is an operation, a structure or a
//! choice:
//!
//! ```text
//! operation PutEvents FailedEntryCount:number Entries:[PutEventsResultEntry]
//! structure PutEventsResultEntry EventId:string ErrorCode:string ErrorMessage:string
//! choice ArchiveState ENABLED|DISABLED
//! ```
//!
//! `!` behind a name means that the field is always there; `[…]` is a list and `{…}` a map of what stands inside. Only the
//! services that have a file are known, and of some only the operations that optimized integrations need.

/// The responses of one service.
#[derive(Clone, Copy, Debug)]
pub struct Responses(&'static str);

/// The fields of a response, or of a structure inside one.
#[derive(Clone, Copy, Debug)]
pub struct ResponseFields(&'static str);

/// One field of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseField {
    /// Its name, as a Task state gets it.
    pub name: &'static str,
    /// Whether it is always there.
    pub required: bool,
    /// What it holds.
    pub kind: ResponseKind,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseKind {
    /// Text.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A point in time.
    Timestamp,
    /// Anything: a payload the service does not look into.
    Any,
    /// A list.
    List(ResponseItems),
    /// An object whose names are data.
    Map(ResponseItems),
    /// What a line of the service describes: a structure or a choice.
    Named(&'static str),
}

/// What the items of a list or the values of a map are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseItems(&'static str);

/// What a line describes.
#[derive(Clone, Copy, Debug)]
pub enum ResponseShape {
    /// An object of these fields.
    Structure(ResponseFields),
    /// One of these texts, with `|` between them.
    Choice(&'static str),
}

impl Responses {
    /// Those of a service, by its name in AWS SDK integrations: `eventbridge`, `sfn`.
    pub fn of(service: &str) -> Option<Responses> {
        let (_, text) = SERVICES.iter().find(|(name, _)| *name == service)?;
        Some(Responses(text))
    }

    /// The response to an operation: `PutEvents`.
    pub fn operation(self, name: &str) -> Option<ResponseFields> {
        self.line("operation ", name).map(ResponseFields)
    }

    /// The structure or choice of this name.
    pub fn shape(self, name: &str) -> Option<ResponseShape> {
        let structure = self.line("structure ", name).map(|fields| ResponseShape::Structure(ResponseFields(fields)));
        structure.or_else(|| self.line("choice ", name).map(ResponseShape::Choice))
    }

    /// What stands behind a name in the line that begins so.
    fn line(self, word: &str, name: &str) -> Option<&'static str> {
        self.0.lines().filter_map(|line| line.strip_prefix(word)).find_map(|line| {
            let (own, rest) = line.split_once(' ').unwrap_or((line, ""));
            (own == name).then_some(rest)
        })
    }
}

impl ResponseFields {
    /// The fields, in the model's order.
    pub fn iter(self) -> impl Iterator<Item = ResponseField> {
        self.0.split(' ').filter_map(|field| {
            let (name, kind) = field.split_once(':')?;
            let plain = name.strip_suffix('!');
            Some(ResponseField { name: plain.unwrap_or(name), required: plain.is_some(), kind: ResponseKind::of(kind) })
        })
    }
}

impl ResponseItems {
    /// What each of them is.
    pub fn kind(self) -> ResponseKind {
        ResponseKind::of(self.0)
    }
}

impl ResponseKind {
    fn of(word: &'static str) -> ResponseKind {
        let inside = |open, close| word.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
        match word {
            "string" => ResponseKind::String,
            "number" => ResponseKind::Number,
            "boolean" => ResponseKind::Boolean,
            "timestamp" => ResponseKind::Timestamp,
            "any" => ResponseKind::Any,
            _ => match (inside('[', ']'), inside('{', '}')) {
                (Some(items), _) => ResponseKind::List(ResponseItems(items)),
                (_, Some(values)) => ResponseKind::Map(ResponseItems(values)),
                (None, None) => ResponseKind::Named(word),
            },
        }
    }
}

/// The operation whose response an optimized integration's result is: the SDK's name of the service, and the operation.
///
/// A job is polled with another operation than it was started with. Source: Developer Guide, the page of each service.
/// Nothing where the result is no operation's response.
pub fn result_of(service: &str, action: &str, waits_for_job: bool) -> Option<(&'static str, &'static str)> {
    let row = RESULTS.iter().find(|row| row.0 == service && row.1 == action)?;
    if waits_for_job { row.4.map(|polled| (row.2, polled)) } else { row.3.map(|operation| (row.2, operation)) }
}

/// Service and action of the integration; the SDK's service, the operation called, and the one that is polled.
type ResultRow = (&'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

const RESULTS: &[ResultRow] = &[
    ("athena", "getQueryExecution", "athena", Some("GetQueryExecution"), None),
    ("athena", "getQueryResults", "athena", Some("GetQueryResults"), None),
    ("athena", "startQueryExecution", "athena", Some("StartQueryExecution"), Some("GetQueryExecution")),
    ("athena", "stopQueryExecution", "athena", Some("StopQueryExecution"), None),
    ("batch", "submitJob", "batch", Some("SubmitJob"), Some("DescribeJobs")),
    (
        "bedrock",
        "createModelCustomizationJob",
        "bedrock",
        Some("CreateModelCustomizationJob"),
        Some("GetModelCustomizationJob"),
    ),
    ("bedrock", "invokeModel", "bedrockruntime", Some("InvokeModel"), None),
    ("codebuild", "batchDeleteBuilds", "codebuild", Some("BatchDeleteBuilds"), None),
    ("codebuild", "batchGetReports", "codebuild", Some("BatchGetReports"), None),
    ("codebuild", "deleteBuildBatch", "codebuild", Some("DeleteBuildBatch"), None),
    ("codebuild", "retryBuildBatch", "codebuild", Some("RetryBuildBatch"), Some("BatchGetBuildBatches")),
    ("codebuild", "startBuild", "codebuild", Some("StartBuild"), Some("BatchGetBuilds")),
    ("codebuild", "startBuildBatch", "codebuild", Some("StartBuildBatch"), Some("BatchGetBuildBatches")),
    ("codebuild", "stopBuild", "codebuild", Some("StopBuild"), None),
    ("codebuild", "stopBuildBatch", "codebuild", Some("StopBuildBatch"), None),
    ("databrew", "startJobRun", "databrew", Some("StartJobRun"), Some("DescribeJobRun")),
    ("dynamodb", "deleteItem", "dynamodb", Some("DeleteItem"), None),
    ("dynamodb", "getItem", "dynamodb", Some("GetItem"), None),
    ("dynamodb", "putItem", "dynamodb", Some("PutItem"), None),
    ("dynamodb", "updateItem", "dynamodb", Some("UpdateItem"), None),
    ("ecs", "runTask", "ecs", Some("RunTask"), Some("DescribeTasks")),
    ("eks", "createCluster", "eks", Some("CreateCluster"), Some("DescribeCluster")),
    ("eks", "createFargateProfile", "eks", Some("CreateFargateProfile"), Some("DescribeFargateProfile")),
    ("eks", "createNodegroup", "eks", Some("CreateNodegroup"), Some("DescribeNodegroup")),
    ("eks", "deleteCluster", "eks", Some("DeleteCluster"), Some("DescribeCluster")),
    ("eks", "deleteFargateProfile", "eks", Some("DeleteFargateProfile"), Some("DescribeFargateProfile")),
    ("eks", "deleteNodegroup", "eks", Some("DeleteNodegroup"), Some("DescribeNodegroup")),
    ("emr-containers", "createVirtualCluster", "emrcontainers", Some("CreateVirtualCluster"), None),
    (
        "emr-containers",
        "deleteVirtualCluster",
        "emrcontainers",
        Some("DeleteVirtualCluster"),
        Some("DescribeVirtualCluster"),
    ),
    ("emr-containers", "startJobRun", "emrcontainers", Some("StartJobRun"), Some("DescribeJobRun")),
    ("emr-serverless", "cancelJobRun", "emrserverless", Some("CancelJobRun"), Some("GetJobRun")),
    ("emr-serverless", "createApplication", "emrserverless", Some("CreateApplication"), Some("GetApplication")),
    ("emr-serverless", "deleteApplication", "emrserverless", Some("DeleteApplication"), Some("GetApplication")),
    ("emr-serverless", "startApplication", "emrserverless", Some("StartApplication"), Some("GetApplication")),
    ("emr-serverless", "startJobRun", "emrserverless", Some("StartJobRun"), Some("GetJobRun")),
    ("emr-serverless", "stopApplication", "emrserverless", Some("StopApplication"), Some("GetApplication")),
    ("events", "putEvents", "eventbridge", Some("PutEvents"), None),
    ("glue", "startJobRun", "glue", Some("StartJobRun"), Some("GetJobRun")),
    ("lambda", "invoke", "lambda", Some("Invoke"), None),
    ("sagemaker", "createEndpoint", "sagemaker", Some("CreateEndpoint"), None),
    ("sagemaker", "createEndpointConfig", "sagemaker", Some("CreateEndpointConfig"), None),
    (
        "sagemaker",
        "createHyperParameterTuningJob",
        "sagemaker",
        Some("CreateHyperParameterTuningJob"),
        Some("DescribeHyperParameterTuningJob"),
    ),
    ("sagemaker", "createLabelingJob", "sagemaker", Some("CreateLabelingJob"), Some("DescribeLabelingJob")),
    ("sagemaker", "createModel", "sagemaker", Some("CreateModel"), None),
    ("sagemaker", "createProcessingJob", "sagemaker", Some("CreateProcessingJob"), Some("DescribeProcessingJob")),
    ("sagemaker", "createTrainingJob", "sagemaker", Some("CreateTrainingJob"), Some("DescribeTrainingJob")),
    ("sagemaker", "createTransformJob", "sagemaker", Some("CreateTransformJob"), Some("DescribeTransformJob")),
    ("sagemaker", "updateEndpoint", "sagemaker", Some("UpdateEndpoint"), None),
    ("sns", "publish", "sns", Some("Publish"), None),
    ("sqs", "sendMessage", "sqs", Some("SendMessage"), None),
    ("states", "startExecution", "sfn", Some("StartExecution"), Some("DescribeExecution")),
];

macro_rules! services {
    ($($name:literal)+) => {
        const SERVICES: &[(&str, &str)] = &[$(($name, include_str!(concat!("results/", $name, ".txt"))),)+];
    };
}

services! {
    "athena" "batch" "bedrock" "bedrockruntime" "codebuild" "databrew" "dynamodb" "ecs" "eks" "emrcontainers"
    "emrserverless" "eventbridge" "glue" "lambda" "s3" "sagemaker" "secretsmanager" "sfn" "sns" "sqs" "ssm" "sts"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::{SERVICES as INTEGRATIONS, service};

    #[test]
    fn every_name_that_a_line_leads_to_has_a_line() {
        fn named(kind: ResponseKind) -> Option<&'static str> {
            match kind {
                ResponseKind::Named(name) => Some(name),
                ResponseKind::List(items) | ResponseKind::Map(items) => named(items.kind()),
                ResponseKind::String
                | ResponseKind::Number
                | ResponseKind::Boolean
                | ResponseKind::Timestamp
                | ResponseKind::Any => None,
            }
        }
        for (service, text) in SERVICES {
            let responses = Responses::of(service).expect(service);
            let mut lines = 0;
            for line in text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("choice ")) {
                let fields = line.splitn(3, ' ').nth(2).unwrap_or_default();
                for field in ResponseFields(fields).iter() {
                    if let Some(name) = named(field.kind) {
                        assert!(responses.shape(name).is_some(), "{service}: {name}");
                    }
                }
                lines += 1;
            }
            assert!(lines > 0, "{service}");
        }
    }

    #[test]
    fn results_are_those_of_integrations_and_of_known_operations() {
        for (name, action, sdk, called, polled) in RESULTS {
            let row = service(name).and_then(|service| service.action(action));
            let row = row.unwrap_or_else(|| panic!("{name}:{action} is no integration"));
            assert!(row.sync || polled.is_none(), "{name}:{action} cannot be waited for");
            for operation in [called, polled].into_iter().flatten() {
                assert!(Responses::of(sdk).and_then(|it| it.operation(operation)).is_some(), "{sdk}:{operation}");
            }
        }
        let without: Vec<&str> = INTEGRATIONS
            .iter()
            .filter(|row| RESULTS.iter().all(|result| result.0 != row.name))
            .map(|row| row.name)
            .collect();
        assert_eq!(without, ["apigateway", "bedrockagentcore", "elasticmapreduce", "http", "mediaconvert"]);
    }

    #[test]
    fn fields_are_read_as_written() {
        let events = Responses::of("eventbridge").expect("a service");
        let fields: Vec<ResponseField> = events.operation("PutEvents").expect("an operation").iter().collect();
        assert_eq!(
            (fields[0].name, fields[0].required, fields[0].kind),
            ("FailedEntryCount", false, ResponseKind::Number)
        );
        let ResponseKind::List(items) = fields[1].kind else { panic!("{:?}", fields[1]) };
        let ResponseKind::Named(entry) = items.kind() else { panic!("{items:?}") };
        assert!(matches!(events.shape(entry), Some(ResponseShape::Structure(_))));
        assert_eq!(result_of("states", "startExecution", true), Some(("sfn", "DescribeExecution")));
        assert_eq!(result_of("sqs", "sendMessage", true), None);
        let started = Responses::of("sfn").and_then(|sfn| sfn.operation("StartExecution")).expect("an operation");
        assert!(started.iter().all(|field| field.required));
    }
}
