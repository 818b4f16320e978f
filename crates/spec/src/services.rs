//! Optimized service integrations: what `arn:aws:states:::SERVICE:ACTION` may name, and how a Task may wait for it.
//!
//! Source: Developer Guide, "Integrating optimized services" and the page of each service. Owns names and patterns; what
//! an integration does with its parameters is elsewhere. AWS SDK integrations (`aws-sdk:…`) are not listed here: every
//! one answers at once or waits for a task token.

/// A service with optimized integrations.
#[derive(Clone, Copy, Debug)]
pub struct ServiceRow {
    /// As `Resource` spells it: `elasticmapreduce`.
    pub name: &'static str,
    /// As people call it: "Amazon EMR".
    pub title: &'static str,
    /// What can be called.
    pub actions: &'static [ActionRow],
}

/// One action of a service. Every action can be called for its response alone.
#[derive(Clone, Copy, Debug)]
pub struct ActionRow {
    /// As `Resource` spells it: `startJobRun`.
    pub name: &'static str,
    /// Whether a Task may wait for the job it starts: `.sync`.
    pub sync: bool,
    /// Whether there is a second version of that, whose output is JSON: `.sync:2`.
    pub sync2: bool,
    /// Whether a Task may wait until somebody sends its token back: `.waitForTaskToken`.
    pub token: bool,
}

impl ServiceRow {
    /// The action of this name.
    pub fn action(&self, name: &str) -> Option<&'static ActionRow> {
        self.actions.iter().find(|action| action.name == name)
    }
}

/// The service of this name.
pub fn service(name: &str) -> Option<&'static ServiceRow> {
    SERVICES.iter().find(|service| service.name == name)
}

/// What `ItemReader.Resource` may name, as `service:action`.
pub const ITEM_READERS: &[&str] = &["s3:getObject", "s3:listObjectsV2"];

/// What `ResultWriter.Resource` may name, as `service:action`.
pub const RESULT_WRITERS: &[&str] = &["s3:putObject"];

const fn service_row(name: &'static str, title: &'static str, actions: &'static [ActionRow]) -> ServiceRow {
    ServiceRow { name, title, actions }
}

const fn response(name: &'static str) -> ActionRow {
    ActionRow { name, sync: false, sync2: false, token: false }
}

const fn job(name: &'static str) -> ActionRow {
    ActionRow { name, sync: true, sync2: false, token: false }
}

const fn callback(name: &'static str) -> ActionRow {
    ActionRow { name, sync: false, sync2: false, token: true }
}

const fn job_or_callback(name: &'static str) -> ActionRow {
    ActionRow { name, sync: true, sync2: false, token: true }
}

/// Every service with optimized integrations.
pub const SERVICES: &[ServiceRow] = &[
    service_row("apigateway", "Amazon API Gateway", &[callback("invoke")]),
    service_row(
        "athena",
        "Amazon Athena",
        &[
            job("startQueryExecution"),
            response("stopQueryExecution"),
            response("getQueryExecution"),
            response("getQueryResults"),
        ],
    ),
    service_row("batch", "AWS Batch", &[job("submitJob")]),
    service_row("bedrock", "Amazon Bedrock", &[callback("invokeModel"), job("createModelCustomizationJob")]),
    service_row("bedrockagentcore", "Amazon Bedrock AgentCore", &[response("invokeHarness")]),
    service_row(
        "codebuild",
        "AWS CodeBuild",
        &[
            job("startBuild"),
            response("stopBuild"),
            response("batchDeleteBuilds"),
            response("batchGetReports"),
            job("startBuildBatch"),
            response("stopBuildBatch"),
            job("retryBuildBatch"),
            response("deleteBuildBatch"),
        ],
    ),
    service_row("databrew", "AWS Glue DataBrew", &[job("startJobRun")]),
    service_row(
        "dynamodb",
        "Amazon DynamoDB",
        &[response("getItem"), response("putItem"), response("updateItem"), response("deleteItem")],
    ),
    service_row("ecs", "Amazon ECS and AWS Fargate", &[job_or_callback("runTask")]),
    service_row(
        "eks",
        "Amazon EKS",
        &[
            job("createCluster"),
            job("deleteCluster"),
            job("createFargateProfile"),
            job("deleteFargateProfile"),
            job("createNodegroup"),
            job("deleteNodegroup"),
            callback("call"),
            job_or_callback("runJob"),
        ],
    ),
    service_row(
        "elasticmapreduce",
        "Amazon EMR",
        &[
            job("createCluster"),
            response("setClusterTerminationProtection"),
            job("terminateCluster"),
            job("addStep"),
            response("cancelStep"),
            response("modifyInstanceFleetByName"),
            response("modifyInstanceGroupByName"),
        ],
    ),
    service_row(
        "emr-containers",
        "Amazon EMR on EKS",
        &[response("createVirtualCluster"), job("deleteVirtualCluster"), job("startJobRun")],
    ),
    service_row(
        "emr-serverless",
        "Amazon EMR Serverless",
        &[
            job("createApplication"),
            job("startApplication"),
            job("stopApplication"),
            job("deleteApplication"),
            job("startJobRun"),
            job("cancelJobRun"),
        ],
    ),
    service_row("events", "Amazon EventBridge", &[callback("putEvents")]),
    service_row("glue", "AWS Glue", &[job("startJobRun")]),
    service_row("http", "HTTPS endpoints", &[response("invoke")]),
    service_row("lambda", "AWS Lambda", &[callback("invoke")]),
    service_row("mediaconvert", "AWS Elemental MediaConvert", &[job("createJob")]),
    service_row(
        "sagemaker",
        "Amazon SageMaker AI",
        &[
            response("createEndpoint"),
            response("createEndpointConfig"),
            job("createHyperParameterTuningJob"),
            job("createLabelingJob"),
            response("createModel"),
            job("createProcessingJob"),
            job("createTrainingJob"),
            job("createTransformJob"),
            response("updateEndpoint"),
        ],
    ),
    service_row("sns", "Amazon SNS", &[callback("publish")]),
    service_row("sqs", "Amazon SQS", &[callback("sendMessage")]),
    service_row(
        "states",
        "AWS Step Functions",
        &[ActionRow { name: "startExecution", sync: true, sync2: true, token: true }],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_and_actions_are_found_by_name() {
        let action = service("states").and_then(|service| service.action("startExecution")).expect("a row");
        assert!(action.sync && action.sync2 && action.token);
        assert!(service("dynamodb").is_some_and(|service| service.action("query").is_none()));
        assert!(service("s3").is_none());
    }

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(SERVICES.is_sorted_by(|one, next| one.name < next.name));
        for service in SERVICES {
            for (place, action) in service.actions.iter().enumerate() {
                assert!(service.actions[..place].iter().all(|other| other.name != action.name), "{}", action.name);
            }
        }
    }
}
