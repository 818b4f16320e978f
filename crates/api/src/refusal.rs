//! What a request is refused with, in AWS's words.
//!
//! Owns the shape of a refusal and the messages that only need a name. When a request is refused is decided elsewhere.

use std::fmt;

use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::shapes::Text;
use stepwell_spec::{Exception, KmsKeyState, ProtocolError, ValidationExceptionReason};

use crate::protocol::BODY_BYTES_MAX;

/// An answer that is no response: an exception of the model, or an error of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    kind: Kind,
    message: Option<String>,
    /// What the exception carries beside its message: JSON name and text.
    member: Option<(&'static str, Text)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Exception(Exception),
    /// A `ValidationException` of the layer that holds requests against the model, which has a namespace of its own.
    Constraint,
    Protocol(ProtocolError),
}

impl Refusal {
    /// An exception of the model.
    pub fn new(exception: Exception, message: impl Into<String>) -> Refusal {
        Refusal { kind: Kind::Exception(exception), message: Some(message.into()), member: None }
    }

    /// A request that breaks constraints of the model.
    pub(crate) fn constraints(message: String) -> Refusal {
        Refusal { kind: Kind::Constraint, message: Some(message), member: None }
    }

    /// An error of the protocol.
    pub fn protocol(error: ProtocolError, message: impl Into<String>) -> Refusal {
        Refusal { kind: Kind::Protocol(error), message: Some(message.into()), member: None }
    }

    /// An error of the protocol that AWS answers without a message.
    pub fn silent(error: ProtocolError) -> Refusal {
        Refusal { kind: Kind::Protocol(error), message: None, member: None }
    }

    /// This `ValidationException`, with its reason.
    pub fn because(mut self, reason: ValidationExceptionReason) -> Refusal {
        self.member = Some(("reason", reason.text().into()));
        self
    }

    /// This `ResourceNotFound` or `TooManyTags`, with the resource's ARN.
    pub fn about(mut self, resource: impl Into<Text>) -> Refusal {
        self.member = Some(("resourceName", resource.into()));
        self
    }

    /// This `KmsInvalidStateException`, with the key's state.
    pub fn in_state(mut self, state: KmsKeyState) -> Refusal {
        self.member = Some(("kmsKeyState", state.text().into()));
        self
    }

    /// AWS's name of it: what SDKs make an exception type of.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Exception(exception) => exception.name(),
            Kind::Constraint => Exception::ValidationException.name(),
            Kind::Protocol(error) => error.name(),
        }
    }

    /// The exception of the model, if it is one.
    pub fn exception(&self) -> Option<Exception> {
        match self.kind {
            Kind::Exception(exception) => Some(exception),
            Kind::Constraint => Some(Exception::ValidationException),
            Kind::Protocol(_) => None,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self.kind {
            Kind::Exception(exception) => exception.status(),
            Kind::Constraint => Exception::ValidationException.status(),
            Kind::Protocol(error) => error.status(),
        }
    }

    /// The message, if there is one.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The body of the answer: `{"__type":"com.amazonaws.swf.service.v2.model#InvalidArn","message":"Invalid Arn: …"}`
    ///
    /// Source: answers of the service. Step Functions grew out of Simple Workflow, and its types still say so.
    pub fn to_json(&self) -> Json {
        let namespace = match self.kind {
            Kind::Exception(_) => "com.amazonaws.swf.service.v2.model",
            Kind::Constraint => "com.amazon.coral.validate",
            Kind::Protocol(ProtocolError::ThrottlingException) => "com.amazon.coral.availability",
            Kind::Protocol(_) => "com.amazon.coral.service",
        };
        let mut out = ObjectBuilder::new();
        out.insert("__type", Json::from(format!("{namespace}#{}", self.name())));
        if let Some((name, text)) = &self.member {
            out.insert(*name, Json::String(text.clone()));
        }
        if let Some(message) = &self.message {
            out.insert(self.message_key(), Json::from(message.as_str()));
        }
        Json::Object(out.build())
    }

    /// Two errors of the protocol spell the member with a capital letter; SDKs read either.
    fn message_key(&self) -> &'static str {
        match self.kind {
            Kind::Protocol(ProtocolError::SerializationException | ProtocolError::AccessDeniedException) => "Message",
            Kind::Protocol(_) | Kind::Exception(_) | Kind::Constraint => "message",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{}: {message}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

impl std::error::Error for Refusal {}

/// Refusals whose message only needs a name. Words that no recording shows are marked so.
impl Refusal {
    /// The body is larger than a request may be.
    pub fn request_too_large() -> Refusal {
        let message = format!("Request size exceeded {BODY_BYTES_MAX} bytes");
        Refusal::protocol(ProtocolError::RequestEntityTooLargeException, message)
    }

    /// The caller asks too often, or there is too much to do.
    pub fn throttled() -> Refusal {
        Refusal::protocol(ProtocolError::ThrottlingException, "Rate exceeded")
    }

    /// The text is not an ARN of Step Functions.
    pub fn invalid_arn(arn: &str) -> Refusal {
        Refusal::new(Exception::InvalidArn, format!("Invalid Arn: 'Invalid ARN prefix: {arn}'"))
    }

    /// The ARN is of something else than the action is about. `resource_type` is the word behind the account.
    pub fn wrong_resource_type(resource_type: &str) -> Refusal {
        let message = format!("Invalid Arn: 'Resource type not valid in this context: {resource_type}'");
        Refusal::new(Exception::InvalidArn, message)
    }

    /// The text is not the ARN of a role. Not recorded.
    pub fn invalid_role_arn(arn: &str) -> Refusal {
        Refusal::new(Exception::InvalidArn, format!("Invalid Role Arn: '{arn}'"))
    }

    /// The name has characters it must not have.
    pub fn invalid_name(name: &str) -> Refusal {
        Refusal::new(Exception::InvalidName, format!("Invalid Name: '{name}'"))
    }

    /// There is no such state machine.
    pub fn state_machine_does_not_exist(arn: &str) -> Refusal {
        Refusal::new(Exception::StateMachineDoesNotExist, format!("State Machine Does Not Exist: '{arn}'"))
    }

    /// A state machine of this name exists and is another one.
    pub fn state_machine_already_exists(arn: &str) -> Refusal {
        Refusal::new(Exception::StateMachineAlreadyExists, format!("State Machine Already Exists: '{arn}'"))
    }

    /// The action is not for state machines of this type.
    pub fn state_machine_type_not_supported() -> Refusal {
        let message = "This operation is not supported by this type of state machine";
        Refusal::new(Exception::StateMachineTypeNotSupported, message)
    }

    /// There is no such execution.
    pub fn execution_does_not_exist(arn: &str) -> Refusal {
        Refusal::new(Exception::ExecutionDoesNotExist, format!("Execution Does Not Exist: '{arn}'"))
    }

    /// An execution of this name exists, and it has another input or is over. Not recorded.
    pub fn execution_already_exists(arn: &str) -> Refusal {
        Refusal::new(Exception::ExecutionAlreadyExists, format!("Execution Already Exists: '{arn}'"))
    }

    /// There is no such activity.
    pub fn activity_does_not_exist(arn: &str) -> Refusal {
        Refusal::new(Exception::ActivityDoesNotExist, format!("Activity Does Not Exist: '{arn}'"))
    }

    /// There is no such alias, version, Map Run or tagged resource. Not recorded.
    pub fn resource_not_found(arn: &str) -> Refusal {
        Refusal::new(Exception::ResourceNotFound, format!("Resource not found: '{arn}'")).about(arn)
    }

    /// The token is not one of ours, or not for this. Not recorded.
    pub fn invalid_token() -> Refusal {
        Refusal::new(Exception::InvalidToken, "Invalid Token: 'Invalid token'")
    }

    /// The task of this token is over.
    pub fn task_timed_out() -> Refusal {
        Refusal::new(Exception::TaskTimedOut, "Task Timed Out: 'Provided task does not exist anymore'")
    }

    /// The definition is not valid; the message is that of the definition's diagnostics.
    pub fn invalid_definition(diagnostics: &[stepwell_asl::Diagnostic]) -> Refusal {
        Refusal::new(Exception::InvalidDefinition, stepwell_asl::invalid_definition_message(diagnostics))
    }

    /// A rule of the service beyond the model's constraints.
    pub fn invalid_request(message: impl Into<String>) -> Refusal {
        Refusal::new(Exception::ValidationException, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_those_of_the_service() {
        let check = |refusal: Refusal, status: u16, body: &str| {
            assert_eq!((refusal.status(), refusal.to_json().to_string().as_str()), (status, body));
        };
        check(
            Refusal::state_machine_does_not_exist("arn"),
            400,
            r#"{"__type":"com.amazonaws.swf.service.v2.model#StateMachineDoesNotExist","message":"State Machine Does Not Exist: 'arn'"}"#,
        );
        check(
            Refusal::constraints("1 validation error detected: …".to_owned()),
            400,
            r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"1 validation error detected: …"}"#,
        );
        check(
            Refusal::silent(ProtocolError::UnknownOperationException),
            400,
            r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#,
        );
        check(
            Refusal::protocol(ProtocolError::SerializationException, "Unexpected field type"),
            400,
            r#"{"__type":"com.amazon.coral.service#SerializationException","Message":"Unexpected field type"}"#,
        );
        check(
            Refusal::throttled(),
            400,
            r#"{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate exceeded"}"#,
        );
        check(
            Refusal::resource_not_found("arn"),
            400,
            r#"{"__type":"com.amazonaws.swf.service.v2.model#ResourceNotFound","resourceName":"arn","message":"Resource not found: 'arn'"}"#,
        );
    }

    #[test]
    fn every_exception_is_answered_under_its_name_and_status() {
        for &exception in Exception::ALL {
            let refusal = Refusal::new(exception, "why");
            assert_eq!((refusal.name(), refusal.status()), (exception.name(), exception.status()));
            let body = refusal.to_json();
            let kind = body.get("__type").and_then(Json::as_str).expect("a type");
            assert_eq!(kind.rsplit('#').next(), Some(exception.name()));
            assert_eq!(body.get("message").and_then(Json::as_str), Some("why"));
        }
        for &error in ProtocolError::ALL {
            assert_eq!(Refusal::silent(error).status(), error.status());
        }
    }
}
