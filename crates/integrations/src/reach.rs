//! Whom a task asks: what has to be there for it to be done.

use stepwell_asl::{Integration, ResourceKind};
use stepwell_protocol::{operation_of_sdk, service_of_sdk};

use crate::all::integration_of;
use crate::jobs::service_of_job;
use crate::web::WebKind;

/// Whom a task asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Step Functions itself.
    Itself,
    /// A worker of an activity.
    Worker,
    /// This service, by botocore's name.
    Service(&'static str),
    /// An address of its own.
    Address,
    /// Nobody can be asked: it can be mocked.
    Nobody,
}

/// Whom a task of this kind asks.
pub fn reach_of(kind: &ResourceKind) -> Reach {
    let integration = match kind {
        ResourceKind::LambdaFunction => return Reach::Service("lambda"),
        ResourceKind::Activity => return Reach::Worker,
        ResourceKind::Integration(integration) => integration,
    };
    let Integration { resource_type, action, .. } = integration;
    if let Some(sdk) = resource_type.strip_prefix("aws-sdk:") {
        return match service_of_sdk(sdk) {
            Some(service) if operation_of_sdk(service, action).is_none() => Reach::Nobody,
            Some(service) if &*service.names.name == "stepfunctions" => Reach::Itself,
            Some(service) => Reach::Service(&service.names.name),
            None => Reach::Nobody,
        };
    }
    match &**resource_type {
        "states" => Reach::Itself,
        _ if WebKind::of(integration).is_some() => Reach::Address,
        name => match (service_of_job(integration), integration_of(integration)) {
            (Some(service), _) => Reach::Service(service),
            (None, Some(_)) => {
                stepwell_protocol::service(name).map_or(Reach::Nobody, |service| Reach::Service(&service.names.name))
            }
            (None, None) => Reach::Nobody,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tests::request;

    #[test]
    fn whom_a_task_asks_follows_from_its_resource() {
        for (named, expected) in [
            ("lambda:invoke", Reach::Service("lambda")),
            ("events:putEvents", Reach::Service("events")),
            ("elasticmapreduce:addStep.sync", Reach::Service("emr")),
            ("bedrock:invokeModel", Reach::Service("bedrock-runtime")),
            ("aws-sdk:cloudwatchlogs:putLogEvents", Reach::Service("logs")),
            ("aws-sdk:sfn:startExecution", Reach::Itself),
            ("states:startExecution.sync", Reach::Itself),
            ("http:invoke", Reach::Address),
            ("eks:call", Reach::Address),
            ("eks:createCluster.sync", Reach::Service("eks")),
            ("bedrockagentcore:invokeHarness", Reach::Nobody),
            ("aws-sdk:lookoutvision:startModel", Reach::Nobody),
        ] {
            let request = request(&format!("arn:aws:states:::{named}"), "{}");
            assert_eq!(reach_of(&request.resource.kind), expected, "{named}");
        }
        assert_eq!(reach_of(&ResourceKind::LambdaFunction), Reach::Service("lambda"));
        assert_eq!(reach_of(&ResourceKind::Activity), Reach::Worker);
    }
}
