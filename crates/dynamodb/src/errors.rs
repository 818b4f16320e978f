//! Errors: the library's as AWS's, with the members of their shapes, and those that are ours.

use std::fmt;

use dynoxide::DynoxideError;
use stepwell_interpreter::Chance;
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{AwsError, Fault, Operation, Service, Use, constraint_message};

use crate::names::Names;

/// Why a call was not done.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: String,
    message: Option<String>,
    status: u16,
    /// Members of the error's shape, beside the message.
    members: Json,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message.as_deref().unwrap_or_default())
    }
}

impl Refusal {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Refusal {
        Refusal { code: code.to_owned(), message: Some(message.into()), status: 400, members: Json::empty_object() }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Refusal {
        Refusal::new("ValidationException", message)
    }

    /// An action that AWS has and the local service has not, or that nobody has.
    pub(crate) fn unknown_action(service: &str, action: &str) -> Refusal {
        let message = format!("The action {action} of {service} is not available in the local service.");
        Refusal::new("UnknownOperationException", message)
    }

    /// Tables of other accounts and regions are not seen from here.
    pub(crate) fn elsewhere() -> Refusal {
        Refusal::new("ResourceNotFoundException", "Requested resource not found")
    }

    pub(crate) fn internal(message: impl Into<String>) -> Refusal {
        Refusal { status: 500, ..Refusal::new("InternalServerError", message) }
    }

    /// What the library refused.
    pub(crate) fn of(service: &Service, names: &Names<'_>, action: &str, error: DynoxideError) -> Refusal {
        let error = match (action, error) {
            ("PutItem" | "UpdateItem" | "DeleteItem", DynoxideError::EnvelopedValidation(message)) => {
                return Refusal::validation(format!("1 validation error detected: {}", names.our_text(&message)));
            }
            // Its item goes out as PartiQL's do.
            ("ExecuteStatement", DynoxideError::ConditionalCheckFailedException(message, Some(item))) => {
                DynoxideError::StatementConditionalCheckFailed(message, item)
            }
            (_, error) => error,
        };
        let code = error.error_type();
        let code = code.rsplit('#').next().unwrap_or(code);
        let message = names.our_text(&error.to_string());
        Refusal {
            code: code.to_owned(),
            message: Some(message).filter(|message| !message.is_empty()),
            status: error.status_code(),
            members: members(service, names, code, &error),
        }
    }

    /// An input the library could not read. What it says of one that lacks a member, or has null for it, is not what AWS
    /// says: that stands in the model.
    pub(crate) fn unread(
        service: &Service,
        operation: &Operation,
        names: &Names<'_>,
        input: &Json,
        error: &serde_json::Error,
    ) -> Refusal {
        let message = error.to_string();
        let (marker, said) = MARKERS
            .iter()
            .find_map(|(marker, means)| Some((*means, message.strip_prefix(marker)?)))
            .unwrap_or((Means::Unmarked, &message));
        let plain = without_position(said);
        match marker {
            Means::RequestValidation => {
                Refusal::of(service, names, &operation.name, DynoxideError::EnvelopedValidation(plain.to_owned()))
            }
            Means::Validation => Refusal::validation(plain),
            Means::ValidationAsRead => Refusal::validation(said),
            Means::Serialization => Refusal::serialization(plain),
            Means::SerializationAsRead => Refusal::serialization(said),
            Means::Unmarked if plain.contains("recursion limit exceeded") => Refusal::validation(NESTED_TOO_DEEP),
            Means::Unmarked if plain.contains("empty AttributeValue") => Refusal::validation(EMPTY_VALUE),
            Means::Unmarked if plain.contains("Supplied AttributeValue") => Refusal::validation(plain),
            Means::Unmarked => {
                let part = operation.input.as_ref();
                match part.and_then(|part: &Use| constraint_message(service, part, input)) {
                    Some(message) => Refusal::validation(message),
                    None if plain.contains("missing field") || plain.contains("unknown variant") => {
                        Refusal::validation(plain)
                    }
                    None => Refusal::serialization(plain),
                }
            }
        }
    }

    fn serialization(message: &str) -> Refusal {
        let message = Some(message.to_owned()).filter(|message| !message.is_empty());
        Refusal { message, ..Refusal::new("SerializationException", "") }
    }

    pub(crate) fn into_error(self, chance: &Chance) -> AwsError {
        AwsError {
            code: self.code.into(),
            message: self.message.map(Into::into),
            status: self.status,
            fault: if self.status < 500 { Fault::Client } else { Fault::Server },
            request_id: request_id(chance).into(),
            members: self.members,
        }
    }
}

/// How the library marks, inside an error of reading, which error of DynamoDB's it is.
#[derive(Clone, Copy)]
enum Means {
    Validation,
    ValidationAsRead,
    RequestValidation,
    Serialization,
    SerializationAsRead,
    Unmarked,
}

const MARKERS: &[(&str, Means)] = &[
    ("VALIDATION:", Means::Validation),
    ("VALIDATION_AS_READ:", Means::ValidationAsRead),
    ("VALIDATION_REQUEST:", Means::RequestValidation),
    ("SERIALIZATION:", Means::Serialization),
    ("SERIALIZATION_AS_READ:", Means::SerializationAsRead),
];

const NESTED_TOO_DEEP: &str = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels \
                               beyond supported limit";

const EMPTY_VALUE: &str = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";

/// `… at line 1 column 42` -> `…`
fn without_position(message: &str) -> &str {
    let Some((before, position)) = message.rsplit_once(" at line ") else { return message };
    let is_position = position.split_once(" column ").is_some_and(|(line, column)| {
        [line, column].iter().all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    if is_position { before } else { message }
}

fn members(service: &Service, names: &Names<'_>, code: &str, error: &DynoxideError) -> Json {
    let Ok(Json::Object(said)) = Json::parse(&error.to_json()) else { return Json::empty_object() };
    let Some(shape) = service.error(code) else { return Json::empty_object() };
    let mut members = ObjectBuilder::with_capacity(said.len());
    for (name, value) in &said {
        let is_message = name.eq_ignore_ascii_case("message");
        if let Some(member) = shape.member(name).filter(|_| !is_message && !value.is_null()) {
            members.insert(name.clone(), names.ours(&member.part, value));
        }
    }
    Json::from(members.build())
}

/// As DynamoDB's are: 52 characters of capital letters and digits.
pub(crate) fn request_id(chance: &Chance) -> String {
    const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    (0..52).map(|_| char::from(ALPHABET[(chance.draw() >> 32) as usize % ALPHABET.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::without_position;

    #[test]
    fn positions_go_and_nothing_else_does() {
        for (message, expected) in [
            ("No at line 1 column 42", "No"),
            ("No at line x column 42", "No at line x column 42"),
            ("Look at line 7", "Look at line 7"),
            ("No", "No"),
        ] {
            assert_eq!(without_position(message), expected);
        }
    }
}
