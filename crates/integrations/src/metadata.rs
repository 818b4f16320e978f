//! `SdkHttpMetadata` and `SdkResponseMetadata`: what an optimized integration adds about the HTTP answer.

use std::sync::Arc;

use stepwell_json::{Json, Object, ObjectBuilder};
use stepwell_protocol::AwsOutput;

/// A header of a service's answers: its name as AWS writes it, and what it is where the endpoint does not send it.
pub(crate) type Header = (&'static str, Option<&'static str>);

/// Adds the two to an answer's members. All of them come in the order of their names.
///
/// Headers are those the service sends, in its order; whatever else an endpoint sends is not shown.
pub(crate) fn with_metadata(members: Option<&Object>, answer: &AwsOutput, shown: &[Header]) -> Json {
    let mut headers: Vec<(&str, &str)> =
        shown.iter().filter_map(|(name, otherwise)| Some((*name, header(answer, name).or(*otherwise)?))).collect();
    let list = |text: &str| Json::array(vec![Json::from(text)]);
    let all = Json::object(headers.iter().map(|(name, value)| (*name, list(value))));
    headers.sort_by_key(|(name, _)| name.to_ascii_lowercase());
    let one_each = Json::object(headers.iter().map(|(name, value)| (*name, Json::from(*value))));
    let http = Json::object([
        ("AllHttpHeaders", all),
        ("HttpHeaders", one_each),
        ("HttpStatusCode", Json::from(i64::from(answer.status))),
    ]);
    let response = Json::object([("RequestId", Json::String(answer.request_id.clone()))]);
    let mut members = members.map(Object::to_builder).unwrap_or_default();
    members.insert("SdkHttpMetadata", http);
    members.insert("SdkResponseMetadata", response);
    sorted(&members.build())
}

/// The header of this name, whatever its casing.
pub(crate) fn header<'a>(answer: &'a AwsOutput, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
}

fn sorted(members: &Object) -> Json {
    let mut pairs: Vec<(&Arc<str>, &Json)> = members.iter().collect();
    pairs.sort_by_key(|(name, _)| *name);
    let mut all = ObjectBuilder::with_capacity(pairs.len());
    for (name, value) in pairs {
        all.insert(name.clone(), value.clone());
    }
    Json::Object(all.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tests::answer;

    #[test]
    fn headers_are_those_of_the_service_in_its_order_and_casing() {
        let answer = answer("{}", &[("DATE", "today"), ("server", "Werkzeug"), ("x-b", "2")]).expect("an answer");
        let shown = [("X-B", None), ("connection", Some("keep-alive")), ("X-Missing", None), ("Date", None)];
        let members = Json::object([("Z", Json::from(1)), ("A", Json::from(2))]);
        let Json::Object(members) = members else { panic!("an object") };
        assert_eq!(
            with_metadata(Some(&members), &answer, &shown).to_string(),
            "{\"A\":2,\"SdkHttpMetadata\":{\"AllHttpHeaders\":{\"X-B\":[\"2\"],\"connection\":[\"keep-alive\"],\"Date\":[\"today\"]},\
             \"HttpHeaders\":{\"connection\":\"keep-alive\",\"Date\":\"today\",\"X-B\":\"2\"},\"HttpStatusCode\":200},\
             \"SdkResponseMetadata\":{\"RequestId\":\"id-1\"},\"Z\":1}"
        );
    }
}
