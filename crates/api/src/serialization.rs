//! Members of the wrong JSON type, in the words of AWS's reader.

use stepwell_json::{Json, Kind as JsonKind};
use stepwell_spec::ProtocolError;
use stepwell_spec::shapes::{Kind, Shape};

use crate::refusal::Refusal;

/// Refuses the first member that has the wrong JSON type. `null` fits everywhere: it stands for nothing.
pub(crate) fn check(shape: &Shape, json: &Json) -> Result<(), Refusal> {
    match fault(shape, json) {
        None => Ok(()),
        Some(message) => Err(Refusal::protocol(ProtocolError::SerializationException, message)),
    }
}

/// Recursion is bounded by the depth of the model.
fn fault(shape: &Shape, json: &Json) -> Option<String> {
    match (&shape.kind, json) {
        (_, Json::Null) | (Kind::Event, _) => None,
        (Kind::Structure(members), Json::Object(object)) => {
            members.iter().find_map(|member| object.get(member.name).and_then(|json| fault(member.shape, json)))
        }
        (Kind::Map { values, .. }, Json::Object(object)) => object.values().find_map(|json| fault(values, json)),
        (Kind::List { items, .. }, Json::Array(array)) => array.iter().find_map(|json| fault(items, json)),
        (Kind::Text { .. } | Kind::Choice(_), Json::String(_)) | (Kind::Boolean, Json::Bool(_)) => None,
        (Kind::Integer { .. }, Json::Number(number)) => {
            let fits = |value: i64| i32::try_from(value).is_ok();
            let value = number.as_integral().or_else(|| whole(number.as_f64()));
            (!value.is_some_and(fits)).then(|| cannot_be("NUMBER_VALUE", "an Integer"))
        }
        (Kind::Long { .. }, Json::Number(number)) => {
            let value = number.as_integral().or_else(|| whole(number.as_f64()));
            value.is_none().then(|| cannot_be("NUMBER_VALUE", "a Long"))
        }
        (Kind::Float { .. } | Kind::Timestamp, Json::Number(number)) => {
            (!number.as_f64().is_finite()).then(|| cannot_be("NUMBER_VALUE", "a Float"))
        }
        (_, Json::Object(_)) => Some("Start of structure or map found where not expected.".to_owned()),
        (_, Json::Array(_)) => Some("Start of list found where not expected.".to_owned()),
        (Kind::Structure(_) | Kind::Map { .. } | Kind::List { .. }, _) => Some("Unexpected field type".to_owned()),
        (Kind::Text { .. } | Kind::Choice(_), scalar) => Some(cannot_be(token(scalar), "a String")),
        (Kind::Boolean, scalar) => Some(cannot_be(token(scalar), "a Boolean")),
        (Kind::Integer { .. }, scalar) => Some(cannot_be(token(scalar), "an Integer")),
        (Kind::Long { .. }, scalar) => Some(cannot_be(token(scalar), "a Long")),
        (Kind::Float { .. }, scalar) => Some(cannot_be(token(scalar), "a Float")),
        (Kind::Timestamp, scalar) => Some(cannot_be(token(scalar), "a Date")),
    }
}

/// The whole part of a number, as AWS's reader takes it; none beyond 64 bits.
fn whole(value: f64) -> Option<i64> {
    let value = value.trunc();
    (value.abs() < i64::MAX as f64).then_some(value as i64)
}

fn cannot_be(token: &str, kind: &str) -> String {
    format!("{token} can not be converted to {kind}")
}

/// The reader's name of a scalar.
fn token(json: &Json) -> &'static str {
    match json.kind() {
        JsonKind::String => "STRING_VALUE",
        JsonKind::Number if json.as_i64().is_none() => "DECIMAL_VALUE",
        JsonKind::Number => "NUMBER_VALUE",
        JsonKind::Bool if json.as_bool() == Some(true) => "TRUE_VALUE",
        JsonKind::Bool => "FALSE_VALUE",
        JsonKind::Null | JsonKind::Array | JsonKind::Object => "VALUE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwell_spec::Action;

    #[test]
    fn wrong_types_are_told_in_the_readers_words() {
        let check = |action: Action, text: &str, expected: Option<&str>| {
            let json = Json::parse(text).expect(text);
            assert_eq!(fault(action.facts().request, &json).as_deref(), expected, "{text}");
        };
        let create = Action::CreateStateMachine;
        check(create, r#"{"name":1}"#, Some("NUMBER_VALUE can not be converted to a String"));
        check(create, r#"{"name":1.5}"#, Some("DECIMAL_VALUE can not be converted to a String"));
        check(create, r#"{"name":true}"#, Some("TRUE_VALUE can not be converted to a String"));
        check(create, r#"{"name":{}}"#, Some("Start of structure or map found where not expected."));
        check(create, r#"{"name":[]}"#, Some("Start of list found where not expected."));
        check(create, r#"{"name":null}"#, None);
        check(create, r#"{"publish":"true"}"#, Some("STRING_VALUE can not be converted to a Boolean"));
        check(create, r#"{"tags":{}}"#, Some("Start of structure or map found where not expected."));
        check(create, r#"{"tags":"a"}"#, Some("Unexpected field type"));
        check(create, r#"{"tags":["a"]}"#, Some("Unexpected field type"));
        check(create, r#"{"tags":[{"key":false}]}"#, Some("FALSE_VALUE can not be converted to a String"));
        check(create, r#"{"loggingConfiguration":[]}"#, Some("Start of list found where not expected."));
        check(create, r#"{"type":"BOGUS","unknown":1}"#, None);
        let list = Action::ListActivities;
        check(list, r#"{"maxResults":"5"}"#, Some("STRING_VALUE can not be converted to an Integer"));
        check(list, r#"{"maxResults":5.7}"#, None);
        check(list, r#"{"maxResults":4000000000}"#, Some("NUMBER_VALUE can not be converted to an Integer"));
        check(list, r#"{"maxResults":1e400}"#, Some("NUMBER_VALUE can not be converted to an Integer"));
        let update = Action::UpdateMapRun;
        check(update, r#"{"toleratedFailureCount":1e40}"#, Some("NUMBER_VALUE can not be converted to a Long"));
        check(update, r#"{"toleratedFailurePercentage":"5"}"#, Some("STRING_VALUE can not be converted to a Float"));
        check(update, r#"{"toleratedFailurePercentage":5}"#, None);
    }
}
