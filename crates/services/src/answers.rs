//! Answers of local services: outputs, refusals, and the codes the older of two protocols has for them.

use std::sync::Arc;

use stepwell_interpreter::Chance;
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{AwsAnswer, AwsError, AwsOutput, Fault};

/// Why a call was not done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    /// The code as the service's model has it, or the JSON protocol where no shape is modelled.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) status: u16,
}

impl Refusal {
    /// The request's fault, status 400.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), status: 400 }
    }

    pub(crate) fn with_status(self, status: u16) -> Refusal {
        Refusal { status, ..self }
    }

    /// Under another code, when it has one of these. A service whose model has no shape for a member that is missing or of
    /// another type says so its own way.
    pub(crate) fn named(self, codes: &[&str], code: &'static str) -> Refusal {
        if codes.contains(&self.code) { Refusal { code, ..self } } else { self }
    }

    /// A required member is not there.
    pub(crate) fn missing(name: &str) -> Refusal {
        Refusal::new("MissingRequiredParameterException", format!("The request must contain the parameter {name}."))
    }

    /// A member has a type the model does not give it.
    pub(crate) fn mistyped(name: &str, expected: &str) -> Refusal {
        Refusal::new("SerializationException", format!("The value of {name} is not {expected}."))
    }

    /// An action that AWS has and this stand-in has not, or that nobody has.
    pub(crate) fn unknown_action(service: &str, action: &str) -> Refusal {
        let message = format!("The action {action} of {service} is not available in the local service.");
        // What services say that once spoke the query protocol, and what those say that never did.
        let code = if matches!(service, "sqs" | "sns" | "iam" | "sts") {
            "InvalidAction"
        } else {
            "UnknownOperationException"
        };
        Refusal::new(code, message)
    }

    /// A service that has no stand-in.
    pub(crate) fn unknown_service(service: &str, action: &str) -> Refusal {
        let message = format!("There is no local service {service}, so the action {action} cannot be done.");
        Refusal::new("InvalidAction", message)
    }
}

/// The answer to a call, under an id of the request.
pub(crate) fn answer(outcome: Result<Json, Refusal>, chance: &Chance) -> AwsAnswer {
    let request_id: Arc<str> = chance.uuid().into();
    match outcome {
        Ok(output) => Ok(AwsOutput { output, status: 200, request_id, headers: Vec::new() }),
        Err(Refusal { code, message, status }) => Err(AwsError {
            code: code.into(),
            message: Some(message.into()),
            status,
            fault: if status < 500 { Fault::Client } else { Fault::Server },
            request_id,
            members: Json::empty_object(),
        }),
    }
}

/// Codes of errors in the query protocol, where they are not the name of the shape. A service that spoke it before it
/// spoke JSON tells both: `x-amzn-query-error: CODE;Sender`.
///
/// Source: SQS's and SNS's API references, "Errors" of each action.
const QUERY_CODES: &[(&str, &str, &str)] = &[
    ("sqs", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    ("sqs", "QueueNameExists", "QueueAlreadyExists"),
    ("sqs", "QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently"),
    ("sqs", "PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress"),
    ("sqs", "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
    ("sqs", "BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
    ("sqs", "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
    ("sqs", "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
    ("sqs", "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
    ("sqs", "TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
    ("sqs", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"),
    ("sqs", "InvalidParameterValueException", "InvalidParameterValue"),
    ("sqs", "MissingRequiredParameterException", "MissingParameter"),
    ("sns", "BatchEntryIdsNotDistinctException", "BatchEntryIdsNotDistinct"),
    ("sns", "BatchRequestTooLongException", "BatchRequestTooLong"),
    ("sns", "EmptyBatchRequestException", "EmptyBatchRequest"),
    ("sns", "InvalidBatchEntryIdException", "InvalidBatchEntryId"),
    ("sns", "InvalidParameterException", "InvalidParameter"),
    ("sns", "InvalidParameterValueException", "ParameterValueInvalid"),
    ("sns", "NotFoundException", "NotFound"),
    ("sns", "ResourceNotFoundException", "ResourceNotFound"),
    ("sns", "TagLimitExceededException", "TagLimitExceeded"),
    ("sns", "TooManyEntriesInBatchRequestException", "TooManyEntriesInBatchRequest"),
];

/// What an error of this code is called in the query protocol.
pub fn query_code<'a>(service: &str, code: &'a str) -> &'a str {
    let found = QUERY_CODES.iter().find(|(of, name, _)| *of == service && *name == code);
    found.map_or(code, |(_, _, query)| query)
}

/// An object of the members that are there.
pub(crate) fn members<const N: usize>(members: [(&'static str, Option<Json>); N]) -> Json {
    let mut object = ObjectBuilder::with_capacity(N);
    for (name, value) in members {
        if let Some(value) = value {
            object.insert(name, value);
        }
    }
    Json::Object(object.build())
}

/// An object of texts.
pub(crate) fn texts<K: Into<Arc<str>>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (K, V)>) -> Json {
    Json::object(pairs.into_iter().map(|(name, text)| (name, Json::string(text))))
}
