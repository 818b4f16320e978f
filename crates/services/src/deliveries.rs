//! What leaves the process for somebody else to deliver.

use std::sync::Arc;

use stepwell_protocol::{AwsCall, Place};

/// Something to be delivered. It may go once the rows it came with are durable, and who carries it tries again
/// for a while; one that a crash loses is not made again.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The subscription or rule it is for.
    pub subscription_arn: Arc<str>,
    /// Where it goes.
    pub target: DeliveryTarget,
    /// What is sent: a request's body, a function's event.
    pub body: Arc<str>,
    /// Headers of the request.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
}

/// Where a delivery goes.
#[derive(Clone, Debug, PartialEq)]
pub enum DeliveryTarget {
    /// A POST to this URL.
    Http(Arc<str>),
    /// An asynchronous invocation of the function with this ARN.
    Lambda(Arc<str>),
    /// A call of another service, which has the body in it.
    Call {
        /// Whose resources it means.
        place: Place,
        /// The call.
        call: AwsCall,
    },
}
