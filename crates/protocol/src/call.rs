//! A call of a service, and what comes of it.

use std::sync::Arc;

use stepwell_json::Json;

/// One call of an AWS service.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsCall {
    /// The service, by botocore's name for it: `sqs`, `lambda`, `stepfunctions`, `events`.
    pub service: Arc<str>,
    /// The operation as the service's model names it: `SendMessage`.
    pub action: Arc<str>,
    /// The input's members under their names in the model: `{"QueueUrl": …}`. A blob is its base64 text.
    pub input: Json,
}

/// What came of a call.
pub type AwsAnswer = Result<AwsOutput, AwsError>;

/// A call that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsOutput {
    /// The output's members under their names in the model. A blob is its base64 text, a time its seconds since 1970.
    pub output: Json,
    /// The HTTP status: 200, mostly.
    pub status: u16,
    /// The service's id of the request.
    pub request_id: Arc<str>,
    /// Headers of the answer, as they came.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
}

/// A call that was refused, or did not reach its service.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsError {
    /// The error's code, without a namespace: `QueueDoesNotExist`, `ResourceNotFoundException`.
    pub code: Arc<str>,
    /// Its message; some have none.
    pub message: Option<Arc<str>>,
    /// The HTTP status.
    pub status: u16,
    /// Whose fault it is.
    pub fault: Fault,
    /// The service's id of the request.
    pub request_id: Arc<str>,
    /// What the error's shape carries beside its message, under the names of the model.
    pub members: Json,
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request's.
    Client,
    /// The service's.
    Server,
    /// Nobody knows: no answer came.
    Unreached,
}
