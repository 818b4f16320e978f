//! What the model asks of an input beyond its kinds: members that must be there, lengths, counts and ranges.
//!
//! Patterns and choices are not looked at: services take values that came after their models.

use stepwell_json::Json;

use crate::blob::blob_bytes;
use crate::model::{Kind, Service, Shape, Use};
use crate::unfit::{DEPTH_MAX, Unfit};

/// A step from the input down.
#[derive(Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Item(usize),
    Key(&'a str),
}

/// A demand of the model that is not met.
struct Unmet<'a> {
    path: Vec<Step<'a>>,
    /// What is there; nothing where something must be.
    value: Option<&'a Json>,
    /// As in "Member must …".
    must: String,
}

/// Every demand of the model that a tree does not meet, in the order of the model.
pub fn validate(service: &Service, part: &Use, value: &Json) -> Vec<Unfit> {
    let unfit = |unmet: Unmet<'_>| {
        unmet.path.iter().rev().fold(Unfit::new(format!("must {}", unmet.must)), |unfit, step| match step {
            Step::Member(name) | Step::Key(name) => unfit.below(name),
            Step::Item(place) => unfit.at(*place),
        })
    };
    unmet(service, part, value).into_iter().map(unfit).collect()
}

/// The same in the words of services whose requests are checked against their model before anything else is: `1 validation
/// error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null`. None when all are met.
pub fn constraint_message(service: &Service, part: &Use, value: &Json) -> Option<String> {
    let faults: Vec<String> = unmet(service, part, value).iter().map(Unmet::as_constraint).collect();
    let plural = if faults.len() == 1 { "" } else { "s" };
    let message = || format!("{} validation error{plural} detected: {}", faults.len(), faults.join("; "));
    (!faults.is_empty()).then(message)
}

impl Unmet<'_> {
    fn as_constraint(&self) -> String {
        let value = match self.value {
            None => "null".to_owned(),
            Some(Json::String(text)) => format!("'{text}'"),
            Some(value) => format!("'{value}'"),
        };
        let path: Vec<String> = self.path.iter().map(|step| step.in_words()).collect();
        format!("Value {value} at '{}' failed to satisfy constraint: Member must {}", path.join("."), self.must)
    }
}

impl Step<'_> {
    /// Members begin with a small letter, and items are counted from one.
    fn in_words(self) -> String {
        match self {
            Step::Member(name) => {
                let mut characters = name.chars();
                let first = characters.next().map(|first| first.to_ascii_lowercase());
                first.into_iter().chain(characters).collect()
            }
            Step::Item(place) => format!("{}.member", place + 1),
            Step::Key(key) => format!("{key}.member"),
        }
    }
}

fn unmet<'a>(service: &'a Service, part: &'a Use, value: &'a Json) -> Vec<Unmet<'a>> {
    let mut faults = Vec::new();
    walk(service, part, value, &mut Vec::new(), &mut faults);
    faults
}

fn walk<'a>(
    service: &'a Service,
    part: &'a Use,
    value: &'a Json,
    path: &mut Vec<Step<'a>>,
    faults: &mut Vec<Unmet<'a>>,
) {
    let shape = service.shape(part.shape);
    if shape.document || path.len() >= DEPTH_MAX as usize {
        return;
    }
    if let Some(must) = out_of_range(shape, value) {
        faults.push(Unmet { path: path.clone(), value: Some(value), must });
    }
    let mut below = |step: Step<'a>, part: &'a Use, value: Option<&'a Json>| {
        path.push(step);
        match value {
            Some(value) => walk(service, part, value, path, faults),
            None => faults.push(Unmet { path: path.clone(), value, must: "not be null".to_owned() }),
        }
        path.pop();
    };
    match (&shape.kind, value) {
        (Kind::Structure(members), Json::Object(object)) => {
            for member in members {
                let value = object.get(&member.name).filter(|value| !value.is_null());
                if value.is_some() || member.part.required {
                    below(Step::Member(&member.name), &member.part, value);
                }
            }
        }
        (Kind::List(item), Json::Array(items)) => {
            for (place, value) in items.iter().enumerate() {
                below(Step::Item(place), item, Some(value));
            }
        }
        (Kind::Map(_, of), Json::Object(object)) => {
            for (key, value) in object {
                below(Step::Key(key), of, Some(value));
            }
        }
        _ => {}
    }
}

fn out_of_range(shape: &Shape, value: &Json) -> Option<String> {
    let (what, size) = match (&shape.kind, value) {
        (Kind::String, Json::String(text)) => ("length", text.chars().count() as f64),
        (Kind::Blob, Json::String(text)) => ("length", blob_bytes(text)?.len() as f64),
        (Kind::List(_), Json::Array(items)) => ("length", items.len() as f64),
        (Kind::Map(..), Json::Object(object)) => ("length", object.len() as f64),
        (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, Json::Number(number)) => ("value", number.as_f64()),
        _ => return None,
    };
    let limit = |text: &Option<std::sync::Arc<str>>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
    let says = |which: &str, limit: &str| Some(format!("have {what} {which} than or equal to {limit}"));
    match (limit(&shape.min), limit(&shape.max)) {
        (Some(least), _) if size < least => says("greater", shape.min.as_deref()?),
        (_, Some(most)) if size > most => says("less", shape.max.as_deref()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use stepwell_json::Json;

    use super::{constraint_message, validate};
    use crate::table::service;

    #[test]
    fn demands_in_the_words_of_services() {
        let check = |name: &str, action: &str, input: &str, expected: Option<&str>| {
            let service = service(name).expect("a service");
            let part = service.operation(action).and_then(|operation| operation.input.as_ref()).expect("an input");
            let message = constraint_message(service, part, &Json::parse(input).expect("JSON"));
            assert_eq!(message.as_deref(), expected, "{input}");
        };
        // Observed on AWS: "Value null at 'item'".
        check(
            "dynamodb",
            "PutItem",
            r#"{"TableName":"table","Item":null}"#,
            Some(
                "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null",
            ),
        );
        check("dynamodb", "PutItem", r#"{"TableName":"table","Item":{}}"#, None);
        check(
            "dynamodb",
            "TransactGetItems",
            r#"{"TransactItems":[{"Get":{"TableName":"","Key":{}}},{}]}"#,
            Some(
                "2 validation errors detected: Value '' at 'transactItems.1.member.get.tableName' failed to satisfy \
                 constraint: Member must have length greater than or equal to 1; Value null at \
                 'transactItems.2.member.get' failed to satisfy constraint: Member must not be null",
            ),
        );
    }

    fn check(name: &str, action: &str, input: &str, expected: &[&str]) {
        let service = service(name).expect("a service");
        let operation = service.operation(action).expect("an operation");
        let part = operation.input.as_ref().expect("an input");
        let faults = validate(service, part, &Json::parse(input).expect("JSON"));
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults, expected, "{input}");
    }

    #[test]
    fn demands_of_the_model_are_held() {
        check("sqs", "SendMessage", r#"{"MessageBody":"b"}"#, &["QueueUrl: must not be null"]);
        check("sqs", "SendMessage", r#"{"QueueUrl":"u","MessageBody":"b"}"#, &[]);
        check(
            "stepfunctions",
            "ListExecutions",
            r#"{"stateMachineArn":"","maxResults":1001}"#,
            &[
                "stateMachineArn: must have length greater than or equal to 1",
                "maxResults: must have value less than or equal to 1000",
            ],
        );
        check(
            "dynamodb",
            "GetItem",
            r#"{"TableName":"table","Key":{"k":{"S":"v"}},"AttributesToGet":[]}"#,
            &["AttributesToGet: must have length greater than or equal to 1"],
        );
        check(
            "sqs",
            "DeleteMessageBatch",
            r#"{"QueueUrl":"u","Entries":[{"Id":"1"}]}"#,
            &["Entries[0].ReceiptHandle: must not be null"],
        );
    }
}
