//! Holding a mocked result against the fields of a service's response.

use stepwell_json::{Json, Kind};
use stepwell_spec::{ResponseFields, ResponseKind, ResponseShape, Responses};

/// The first fault, in AWS's words: `Field 'StatusCode' must be a number`.
///
/// Fields that the service does not have pass, as recorded. `is_strict` asks for those that are always there. What a field
/// of `parsed` holds is not looked at.
pub(super) fn check_fields(
    responses: Responses,
    fields: ResponseFields,
    result: &Json,
    is_strict: bool,
    parsed: &[&str],
) -> Result<(), String> {
    // Not recorded: that a response is no object.
    let object = result.as_object().ok_or("Mocked result must be an object")?;
    for field in fields.iter() {
        match object.get(field.name) {
            None if is_strict && field.required => return Err(format!("Required field '{}' is missing", field.name)),
            None => {}
            Some(_) if parsed.contains(&field.name) => {}
            Some(value) => check_value(responses, field.kind, value, field.name, is_strict)?,
        }
    }
    Ok(())
}

/// `field` is the name of the innermost field around the value, which is the one AWS tells.
fn check_value(
    responses: Responses,
    kind: ResponseKind,
    value: &Json,
    field: &str,
    is_strict: bool,
) -> Result<(), String> {
    let must_be = |what: &str| Err(format!("Field '{field}' must be {what}"));
    match (kind, value.kind()) {
        (ResponseKind::Any, _)
        | (ResponseKind::String, Kind::String)
        | (ResponseKind::Number, Kind::Number)
        | (ResponseKind::Boolean, Kind::Bool)
        // Services give times in either form.
        | (ResponseKind::Timestamp, Kind::String | Kind::Number) => Ok(()),
        (ResponseKind::String, _) => must_be("a string"),
        (ResponseKind::Number, _) => must_be("a number"),
        // From here on, what a value must be is recorded for arrays alone.
        (ResponseKind::Boolean, _) => must_be("a boolean"),
        (ResponseKind::Timestamp, _) => must_be("a string"),
        (ResponseKind::List(items), _) => match value.as_array() {
            Some(array) => array.iter().try_for_each(|item| check_value(responses, items.kind(), item, field, is_strict)),
            None => must_be("an array"),
        },
        (ResponseKind::Map(values), _) => match value.as_object() {
            Some(object) => {
                object.iter().try_for_each(|(_, value)| check_value(responses, values.kind(), value, field, is_strict))
            }
            None => must_be("an object"),
        },
        (ResponseKind::Named(name), found) => match responses.shape(name) {
            Some(ResponseShape::Structure(fields)) if found == Kind::Object => {
                check_fields(responses, fields, value, is_strict, &[])
            }
            Some(ResponseShape::Structure(_)) => must_be("an object"),
            Some(ResponseShape::Choice(texts)) => match value.as_str() {
                Some(text) if texts.split('|').any(|known| known == text) => Ok(()),
                Some(_) => Err(format!("Field '{field}' is not an expected value")),
                None => must_be("a string"),
            },
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_told() {
        let check = |service: &str, operation: &str, strict: bool, result: &str| {
            let responses = Responses::of(service).expect(service);
            let fields = responses.operation(operation).expect(operation);
            let result = Json::parse(result).expect(result);
            check_fields(responses, fields, &result, strict, &["Output"]).err().unwrap_or_default()
        };
        for (service, operation, result, strictly, present) in [
            ("lambda", "Invoke", r#"{"anything":1,"Payload":[1]}"#, "", ""),
            ("lambda", "Invoke", r#"{"StatusCode":"200"}"#, "Field 'StatusCode' must be a number", "same"),
            ("lambda", "Invoke", r#"{"FunctionError":1}"#, "Field 'FunctionError' must be a string", "same"),
            ("lambda", "Invoke", "[]", "Mocked result must be an object", "same"),
            ("sfn", "StartExecution", "{}", "Required field 'ExecutionArn' is missing", ""),
            ("sfn", "StartExecution", r#"{"executionArn":"a"}"#, "Required field 'ExecutionArn' is missing", ""),
            ("sfn", "StartExecution", r#"{"ExecutionArn":"a","StartDate":"b"}"#, "", ""),
            ("sfn", "StartExecution", r#"{"ExecutionArn":"a","StartDate":1.5}"#, "", ""),
            (
                "sfn",
                "StartExecution",
                r#"{"ExecutionArn":"a","StartDate":true}"#,
                "Field 'StartDate' must be a string",
                "same",
            ),
            ("eventbridge", "PutEvents", r#"{"Entries":"x"}"#, "Field 'Entries' must be an array", "same"),
            ("eventbridge", "PutEvents", r#"{"Entries":["x"]}"#, "Field 'Entries' must be an object", "same"),
            (
                "eventbridge",
                "PutEvents",
                r#"{"Entries":[{"EventId":"a"},{"EventId":[]}]}"#,
                "Field 'EventId' must be a string",
                "same",
            ),
            (
                "s3",
                "GetObject",
                r#"{"StorageClass":"Papyrus"}"#,
                "Field 'StorageClass' is not an expected value",
                "same",
            ),
            ("s3", "GetObject", r#"{"StorageClass":"GLACIER"}"#, "", ""),
            ("s3", "GetObject", r#"{"StorageClass":7}"#, "Field 'StorageClass' must be a string", "same"),
            ("s3", "GetObject", r#"{"Metadata":{"a":1}}"#, "Field 'Metadata' must be a string", "same"),
            ("s3", "GetObject", r#"{"Metadata":1}"#, "Field 'Metadata' must be an object", "same"),
            ("s3", "GetObject", r#"{"DeleteMarker":"no"}"#, "Field 'DeleteMarker' must be a boolean", "same"),
            ("sfn", "DescribeExecution", r#"{"Output":{}}"#, "Required field 'ExecutionArn' is missing", ""),
        ] {
            assert_eq!(check(service, operation, true, result), strictly, "{result}");
            let present = if present == "same" { strictly } else { present };
            assert_eq!(check(service, operation, false, result), present, "{result}");
        }
    }
}
