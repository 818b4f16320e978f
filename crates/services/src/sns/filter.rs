//! Filter policies: which messages a subscription takes.
//!
//! A policy is read once more for each message: it is short, and a subscription that changes needs no second state.
//!
//! Source: SNS's developer guide, "Amazon SNS subscription filter policies".

use stepwell_json::{Json, Number, Object, ObjectBuilder};

use crate::patterns::{Language, Pattern, Size};

/// Names of properties a policy may have, and combinations of their values.
const KEYS_MAX: usize = 5;
const COMBINATIONS_MAX: usize = 150;

/// A policy that can be one.
#[derive(Debug)]
pub(super) struct FilterPolicy(Pattern);

impl FilterPolicy {
    /// Reads a policy; only one of bodies may be nested.
    pub(super) fn parse(text: &str, is_of_body: bool) -> Result<FilterPolicy, String> {
        let json = Json::parse(text).map_err(|_| "failed to parse JSON.".to_owned())?;
        let object = json.as_object().ok_or("failed to parse JSON. Filter policy must be an object.")?;
        let language = if is_of_body { Language::BodyFilter } else { Language::AttributeFilter };
        let mut size = Size::default();
        let pattern = Pattern::read(object, language, &mut size)?;
        if size.keys > KEYS_MAX {
            return Err(format!("Filter policy can not have more than {KEYS_MAX} keys"));
        }
        if size.combinations > COMBINATIONS_MAX {
            return Err("Filter policy is too complex".to_owned());
        }
        Ok(FilterPolicy(pattern))
    }

    /// Whether a document matches: a body, or [`of_attributes`].
    pub(super) fn matches(&self, document: &Json) -> bool {
        self.0.matches(Some(document))
    }
}

/// Message attributes as a document: texts, numbers, and the values of arrays. Bytes are there and equal nothing.
pub(super) fn of_attributes(attributes: &Object) -> Json {
    let mut document = ObjectBuilder::with_capacity(attributes.len());
    for (name, attribute) in attributes.iter() {
        let text = attribute.get("StringValue").and_then(Json::as_str);
        let data_type = attribute.get("DataType").and_then(Json::as_str).unwrap_or_default();
        let value = match (data_type, text) {
            ("String.Array", Some(text)) => Json::parse(text).unwrap_or_else(|_| Json::from(text)),
            (number, Some(text)) if number.starts_with("Number") => {
                Number::parse(text).map_or_else(|_| Json::from(text), Json::Number)
            }
            (_, Some(text)) => Json::from(text),
            (_, None) => Json::empty_object(),
        };
        document.insert(name.clone(), value);
    }
    Json::Object(document.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a policy of bodies takes a document.
    fn check(policy: &str, document: &str, expected: bool) {
        let parsed = FilterPolicy::parse(policy, true).unwrap_or_else(|what| panic!("{policy}: {what}"));
        assert_eq!(parsed.matches(&Json::parse(document).expect("JSON")), expected, "{policy} on {document}");
    }

    #[test]
    fn rules_hold_of_values() {
        let cases = [
            (r#"["rugby","tennis"]"#, r#""tennis""#, true),
            (r#"["rugby"]"#, r#""Rugby""#, false),
            (r#"["rugby"]"#, r#"["tennis","rugby"]"#, true),
            (r#"[301.5]"#, "301.50", true),
            (r#"[300]"#, r#""300""#, false),
            (r#"[true,null]"#, "null", true),
            (r#"[{"prefix":"bas"}]"#, r#""baseball""#, true),
            (r#"[{"prefix":"bas"}]"#, r#""rugby""#, false),
            (r#"[{"suffix":"ball"}]"#, r#""baseball""#, true),
            (r#"[{"equals-ignore-case":"TENNIS"}]"#, r#""Tennis""#, true),
            (r#"[{"anything-but":["rugby","tennis"]}]"#, r#""rugby""#, false),
            (r#"[{"anything-but":["rugby","tennis"]}]"#, r#"["rugby","baseball"]"#, true),
            (r#"[{"anything-but":["rugby","tennis"]}]"#, r#"["rugby"]"#, false),
            (r#"[{"anything-but":[100,500]}]"#, "101", true),
            (r#"[{"anything-but":100}]"#, "100", false),
            (r#"[{"anything-but":{"prefix":"order-"}}]"#, r#""order-1""#, false),
            (r#"[{"anything-but":{"suffix":"ball"}}]"#, r#""rugby""#, true),
            (r#"[{"numeric":["=",301.5]}]"#, "3.015e2", true),
            (r#"[{"numeric":["<",0]}]"#, "-1", true),
            (r#"[{"numeric":[">",0,"<=",150]}]"#, "150", true),
            (r#"[{"numeric":[">",0,"<=",150]}]"#, "0", false),
            (r#"[{"cidr":"10.0.0.0/24"}]"#, r#""10.0.0.255""#, true),
            (r#"[{"cidr":"10.0.0.0/24"}]"#, r#""10.1.0.0""#, false),
            (r#"[{"cidr":"0.0.0.0/0"}]"#, r#""10.1.0.0""#, true),
            (r#"[{"cidr":"2001:db8::/32"}]"#, r#""2001:db8::1""#, true),
            (r#"[{"exists":true}]"#, "1", true),
            (r#"[{"exists":false}]"#, "1", false),
            (r#"["a",{"prefix":"b"}]"#, r#""bc""#, true),
        ];
        for (rules, value, expected) in cases {
            check(&format!(r#"{{"k":{rules}}}"#), &format!(r#"{{"k":{value}}}"#), expected);
        }
    }

    #[test]
    fn properties_hold_together_and_alternatives_apart() {
        check(r#"{"a":["x"],"b":["y"]}"#, r#"{"a":"x","b":"y"}"#, true);
        check(r#"{"a":["x"],"b":["y"]}"#, r#"{"a":"x"}"#, false);
        check(r#"{"a":[{"exists":false}]}"#, "{}", true);
        check(r#"{"a":["x",{"exists":false}]}"#, "{}", true);
        check(r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":"x","c":1}}"#, true);
        check(r#"{"a":{"b":["x"],"c":[1]}}"#, r#"{"a":[{"b":"x","c":2},{"b":"y","c":1}]}"#, false);
        check(r#"{"a":{"b":["x"],"c":[1]}}"#, r#"{"a":[{"b":"z"},{"b":"x","c":1}]}"#, true);
        let choice = r#"{"s":["k"],"$or":[{"a":["x"]},{"b":[{"numeric":[">",5]}]}]}"#;
        check(choice, r#"{"s":"k","b":6}"#, true);
        check(choice, r#"{"s":"k","b":5}"#, false);
        check(choice, r#"{"s":"no","a":"x"}"#, false);
        // One alternative is no choice: the name is taken as it stands.
        check(r#"{"$or":["x"]}"#, r#"{"$or":"x"}"#, true);
    }

    #[test]
    fn what_cannot_be_a_policy_is_refused() {
        for policy in [
            "nonsense",
            "[]",
            r#"{"a":"x"}"#,
            r#"{"a":[]}"#,
            r#"{"a":[["x"]]}"#,
            r#"{"a":[{"nonsense":1}]}"#,
            r#"{"a":[{"prefix":1}]}"#,
            r#"{"a":[{"prefix":"a","suffix":"b"}]}"#,
            r#"{"a":[{"numeric":["<"]}]}"#,
            r#"{"a":[{"numeric":["<",2e9]}]}"#,
            r#"{"a":[{"numeric":[">",5,"<",1]}]}"#,
            r#"{"a":[{"cidr":"10.0.0.0"}]}"#,
            r#"{"a":[{"cidr":"10.0.0.0/33"}]}"#,
            r#"{"a":[{"anything-but":{"exists":true}}]}"#,
            r#"{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}"#,
        ] {
            assert!(FilterPolicy::parse(policy, true).is_err(), "{policy}");
        }
        assert!(FilterPolicy::parse(r#"{"a":{"b":["x"]}}"#, false).is_err());
    }

    #[test]
    fn attributes_have_the_values_of_their_types() {
        let attributes = r#"{
            "n":{"DataType":"Number","StringValue":"7"},
            "l":{"DataType":"String.Array","StringValue":"[\"x\",3]"},
            "b":{"DataType":"Binary","BinaryValue":"AQI="}}"#;
        let attributes = Json::parse(attributes).expect("JSON");
        let document = of_attributes(attributes.as_object().expect("an object"));
        assert_eq!(document, Json::parse(r#"{"n":7,"l":["x",3],"b":{}}"#).expect("JSON"));
    }
}
