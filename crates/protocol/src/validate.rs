//! What the model asks of an input beyond its kinds: members that must be there, lengths, counts and ranges.
//!
//! Patterns and choices are not looked at: services take values that came after their models.

use stepwell_json::Json;

use crate::blob::blob_bytes;
use crate::model::{Kind, Service, Shape, Use};
use crate::unfit::{DEPTH_MAX, Unfit};

/// Every demand of the model that a tree does not meet, in the order of the model.
pub fn validate(service: &Service, part: &Use, value: &Json) -> Vec<Unfit> {
    let mut faults = Vec::new();
    walk(service, part, value, 0, &mut faults);
    faults
}

fn walk(service: &Service, part: &Use, value: &Json, depth: u32, faults: &mut Vec<Unfit>) {
    let shape = service.shape(part.shape);
    if shape.document || depth >= DEPTH_MAX {
        return;
    }
    faults.extend(out_of_range(shape, value));
    let below = |faults: &mut Vec<Unfit>, part: &Use, value: &Json, name: &dyn Fn(Unfit) -> Unfit| {
        let mut inner = Vec::new();
        walk(service, part, value, depth + 1, &mut inner);
        faults.extend(inner.into_iter().map(name));
    };
    match (&shape.kind, value) {
        (Kind::Structure(members), Json::Object(object)) => {
            for member in members {
                match object.get(&member.name).filter(|value| !value.is_null()) {
                    Some(value) => below(faults, &member.part, value, &|unfit| unfit.below(&member.name)),
                    None if member.part.required => faults.push(Unfit::new("must not be null").below(&member.name)),
                    None => {}
                }
            }
        }
        (Kind::List(item), Json::Array(items)) => {
            for (place, value) in items.iter().enumerate() {
                below(faults, item, value, &|unfit| unfit.at(place));
            }
        }
        (Kind::Map(_, of), Json::Object(object)) => {
            for (key, value) in object {
                below(faults, of, value, &|unfit| unfit.below(key));
            }
        }
        _ => {}
    }
}

fn out_of_range(shape: &Shape, value: &Json) -> Option<Unfit> {
    let (what, size) = match (&shape.kind, value) {
        (Kind::String, Json::String(text)) => ("length", text.chars().count() as f64),
        (Kind::Blob, Json::String(text)) => ("length", blob_bytes(text)?.len() as f64),
        (Kind::List(_), Json::Array(items)) => ("length", items.len() as f64),
        (Kind::Map(..), Json::Object(object)) => ("length", object.len() as f64),
        (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, Json::Number(number)) => ("value", number.as_f64()),
        _ => return None,
    };
    let limit = |text: &Option<std::sync::Arc<str>>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
    let says =
        |which: &str, limit: &str| Some(Unfit::new(format!("must have {what} {which} than or equal to {limit}")));
    match (limit(&shape.min), limit(&shape.max)) {
        (Some(least), _) if size < least => says("greater", shape.min.as_deref()?),
        (_, Some(most)) if size > most => says("less", shape.max.as_deref()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use stepwell_json::Json;

    use super::validate;
    use crate::table::service;

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
