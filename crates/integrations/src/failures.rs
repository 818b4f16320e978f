//! How a task fails when its call did: names and causes as optimized integrations word them.
//!
//! The words are those of version 1 of AWS's SDK for Java, in which those integrations are written: an error that the
//! service's model has is a class of its own, any other is the service's.

use stepwell_interpreter::Failure;
use stepwell_protocol::{AwsError, Fault, Service};

/// What a service is called in errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// What error names begin with: `DynamoDB`.
    pub(crate) prefix: &'static str,
    /// As causes name the service: `AmazonDynamoDBv2`.
    pub(crate) service: &'static str,
    /// The error name for what is not modelled: `AmazonDynamoDBException`.
    pub(crate) otherwise: &'static str,
    /// Errors the model has for the calls that tasks make, without `Exception`.
    pub(crate) modelled: &'static [&'static str],
}

impl Words {
    pub(crate) fn failure(&self, fault: &AwsError) -> Failure {
        let message = fault.message.as_deref().unwrap_or("null");
        if fault.fault == Fault::Unreached {
            return self.unreached(message);
        }
        let code = &*fault.code;
        let bare = bare(code);
        let name = match self.modelled.contains(&bare) {
            true => format!("{}.{bare}Exception", self.prefix),
            false => format!("{}.{}", self.prefix, self.otherwise),
        };
        let cause = format!(
            "{message} (Service: {}; Status Code: {}; Error Code: {code}; Request ID: {}; Proxy: null)",
            self.service, fault.status, fault.request_id
        );
        Failure::new(&name, cause)
    }

    /// The same for a service whose model says which errors it has; any other is called by the service's words.
    pub(crate) fn failure_of(&self, model: Option<&Service>, fault: &AwsError) -> Failure {
        let bare = bare(&fault.code);
        let is_modelled = model.is_some_and(|model| {
            model.error(&fault.code).is_some() || model.error(&format!("{bare}Exception")).is_some()
        });
        let failure = self.failure(fault);
        if fault.fault == Fault::Unreached {
            return failure;
        }
        let name = if is_modelled { bare } else { self.service };
        Failure::new(&format!("{}.{name}Exception", self.prefix), failure.cause.unwrap_or_default())
    }

    /// No answer came, for this reason.
    pub(crate) fn unreached(&self, reason: &str) -> Failure {
        Failure::new(&format!("{}.SdkClientException", self.prefix), reason)
    }
}

/// An error's code without the ending that classes have.
pub(crate) fn bare(code: &str) -> &str {
    code.strip_suffix("Exception").unwrap_or(code)
}
