//! The list of integrations.

use stepwell_asl::Integration;

use crate::jobs::{is_not_done, job_service};
use crate::task::ServiceIntegration;
use crate::{aws_sdk, dynamodb, events, lambda, sns, sqs};

/// Every service with an integration of its own, by the name `Resource` has for it.
const ALL: &[(&str, &dyn ServiceIntegration)] = &[
    ("dynamodb", &dynamodb::DynamoDb),
    ("events", &events::Events),
    ("lambda", &lambda::Invoke),
    ("sns", &sns::Sns),
    ("sqs", &sqs::Sqs),
];

/// What carries a task of this Resource.
pub(crate) fn integration_of(integration: &Integration) -> Option<&'static dyn ServiceIntegration> {
    if integration.resource_type.starts_with("aws-sdk:") {
        return Some(&aws_sdk::AwsSdk);
    }
    let own = ALL.iter().find(|(name, _)| *name == &*integration.resource_type).map(|(_, service)| *service);
    own.or_else(|| job_service(&integration.resource_type).filter(|_| !is_not_done(integration)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_that_a_definition_may_use() {
        assert!(ALL.is_sorted_by_key(|(name, _)| *name));
        for (name, _) in ALL {
            assert!(stepwell_spec::service(name).is_some(), "{name}");
        }
    }
}
