//! Whose resources a call means, and where.

use std::sync::Arc;

use stepwell_spec::partition_of;

/// The account and the region a call is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Twelve digits.
    pub account: Arc<str>,
    /// `us-east-1`
    pub region: Arc<str>,
}

impl Place {
    /// The ARN of a resource of a service here: `arn:aws:sqs:us-east-1:123456789012:RESOURCE`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", partition_of(&self.region), self.region, self.account)
    }
}
