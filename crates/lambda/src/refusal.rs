//! Why Lambda does not do what it was asked, in AWS's words.

use stepwell_json::Json;
use stepwell_protocol::{AwsError, Fault};

use crate::clock;

/// The HTTP status of each error; the service's model has them.
const STATUSES: &[(&str, u16)] = &[
    ("InvalidParameterValueException", 400),
    ("InvalidRequestContentException", 400),
    ("InvalidRuntimeException", 502),
    ("InvalidZipFileException", 502),
    ("NotImplementedException", 501),
    ("PreconditionFailedException", 412),
    ("RequestEntityTooLargeException", 413),
    ("RequestTooLargeException", 413),
    ("ResourceConflictException", 409),
    ("ResourceNotFoundException", 404),
    ("ServiceException", 500),
    ("TooManyRequestsException", 429),
    ("UnknownOperationException", 404),
    ("ValidationException", 400),
];

/// A call that is not done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Members of the error beside its message and whose fault it is.
    members: Vec<(&'static str, Json)>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), members: Vec::new() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new("InvalidParameterValueException", message)
    }

    pub(crate) fn missing(message: impl Into<String>) -> Refusal {
        Refusal::new("ResourceNotFoundException", message)
    }

    pub(crate) fn function_not_found(arn: &str) -> Refusal {
        Refusal::missing(format!("Function not found: {arn}"))
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Refusal {
        Refusal::new("ResourceConflictException", message)
    }

    /// The service's own fault.
    pub(crate) fn broken(message: impl Into<String>) -> Refusal {
        Refusal::new("ServiceException", message)
    }

    /// One demand of the model is not met: `place` is the member's path as the API spells it.
    pub(crate) fn constraint(place: &str, value: &str, constraint: &str) -> Refusal {
        let message = format!(
            "1 validation error detected: Value {value} at '{place}' failed to satisfy constraint: Member {constraint}"
        );
        Refusal::new("ValidationException", message)
    }

    /// What Lambda has and this one has not.
    pub(crate) fn not_here(what: impl std::fmt::Display) -> Refusal {
        Refusal::invalid(format!("{what} is not available in the local Lambda."))
    }

    /// An action that AWS has and the local Lambda has not, or that nobody has.
    pub(crate) fn unknown_action(action: &str) -> Refusal {
        let message = format!("The action {action} of lambda is not available in the local service.");
        Refusal::new("UnknownOperationException", message)
    }

    /// The resource changed since it was looked at.
    pub(crate) fn stale() -> Refusal {
        Refusal::new(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
             retrieve the latest Revision Id",
        )
    }

    pub(crate) fn with(mut self, name: &'static str, value: Json) -> Refusal {
        self.members.push((name, value));
        self
    }

    pub(crate) fn into_error(self) -> AwsError {
        let status = STATUSES.iter().find(|(code, _)| *code == self.code).map_or(500, |(_, status)| *status);
        let is_callers = status < 500;
        let whose = Json::from(if is_callers { "User" } else { "Service" });
        let members = [("Type", whose)].into_iter().chain(self.members);
        AwsError {
            code: self.code.into(),
            message: Some(self.message.into()),
            status,
            fault: if is_callers { Fault::Client } else { Fault::Server },
            request_id: clock::uuid().into(),
            members: Json::object(members),
        }
    }
}
