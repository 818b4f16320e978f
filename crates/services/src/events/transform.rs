//! What a target gets of an event: all of it, a part, something else, or a template filled in.
//!
//! Source: EventBridge's user guide, "Amazon EventBridge input transformation".

use std::sync::Arc;

use stepwell_json::Json;

use super::targets::Target;

/// What templates may say of the rule beside the event.
pub(super) struct About<'a> {
    pub(super) rule_name: &'a str,
    pub(super) rule_arn: &'a str,
    /// When the event came: `2023-11-14T22:13:20Z`
    pub(super) ingested: &'a str,
}

/// The text a target gets.
pub(super) fn body(target: &Target, event: &Json, about: &About<'_>) -> Arc<str> {
    let text = |name: &str| target.0.get(name).and_then(Json::as_str);
    if let Some(input) = text("Input") {
        return input.into();
    }
    if let Some(path) = text("InputPath") {
        return found(event, path).cloned().unwrap_or(Json::Null).to_string().into();
    }
    match target.0.get("InputTransformer") {
        Some(transformer) => filled(transformer, event, about).into(),
        None => event.to_string().into(),
    }
}

/// The value a path leads to: `$.a.b[0]["c d"]`.
fn found<'a>(json: &'a Json, path: &str) -> Option<&'a Json> {
    let mut left = path.strip_prefix('$')?;
    let mut value = json;
    while !left.is_empty() {
        if let Some(rest) = left.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            value = value.get(&rest[..end])?;
            left = &rest[end..];
        } else {
            let (inside, rest) = left.strip_prefix('[')?.split_once(']')?;
            let name = inside.strip_prefix(['"', '\'']).and_then(|name| name.strip_suffix(['"', '\'']));
            value = match name {
                Some(name) => value.get(name)?,
                None => value.as_array()?.get(inside.parse::<usize>().ok()?)?,
            };
            left = rest;
        }
    }
    Some(value)
}

/// A template with its variables filled in. Within quotes a variable is text; elsewhere it is a value.
fn filled(transformer: &Json, event: &Json, about: &About<'_>) -> String {
    let template = transformer.get("InputTemplate").and_then(Json::as_str).unwrap_or_default();
    let variable = |name: &str| -> Option<Option<Json>> {
        match name {
            "aws.events.rule-name" => Some(Some(Json::from(about.rule_name))),
            "aws.events.rule-arn" => Some(Some(Json::from(about.rule_arn))),
            "aws.events.event.ingestion-time" => Some(Some(Json::from(about.ingested))),
            "aws.events.event.json" => Some(Some(event.clone())),
            "aws.events.event" => {
                let object = event.as_object()?.to_builder();
                let mut without = object;
                without.remove("detail");
                Some(Some(Json::Object(without.build())))
            }
            _ => {
                let path = transformer.get("InputPathsMap")?.get(name)?.as_str()?;
                Some(found(event, path).cloned())
            }
        }
    };
    let mut text = String::with_capacity(template.len());
    let (mut left, mut is_quoted) = (template, false);
    while let Some(character) = left.chars().next() {
        let named = left.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        if let Some((name, rest)) = named
            && let Some(value) = variable(name)
        {
            match (value, is_quoted) {
                (Some(Json::String(value)), true) => {
                    let quoted = stepwell_json::quoted(&value);
                    text.push_str(&quoted[1..quoted.len() - 1]);
                }
                (Some(value), true) => {
                    let quoted = stepwell_json::quoted(&value.to_string());
                    text.push_str(&quoted[1..quoted.len() - 1]);
                }
                (Some(value), false) => text.push_str(&value.to_string()),
                // A variable whose path leads nowhere is not made.
                (None, true) => {}
                (None, false) => text.push_str("\"\""),
            }
            left = rest;
            continue;
        }
        let step =
            if character == '\\' { left.chars().take(2).map(char::len_utf8).sum() } else { character.len_utf8() };
        is_quoted ^= character == '"';
        text.push_str(&left[..step]);
        left = &left[step..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, expected: &str) {
        let event = r#"{"source":"s","resources":["r"],"detail":{"n":7,"text":"a \"b\"","deep":{"c d":[1,2]}}}"#;
        let (target, event) = (Json::parse(target).expect("JSON"), Json::parse(event).expect("JSON"));
        let about = About { rule_name: "rule", rule_arn: "arn", ingested: "now" };
        assert_eq!(&*body(&Target(target.clone()), &event, &about), expected, "{target}");
    }

    #[test]
    fn targets_get_what_they_ask_for() {
        check(r#"{"Input":"{\"fixed\": 1}"}"#, r#"{"fixed": 1}"#);
        check(r#"{"InputPath":"$.detail.deep"}"#, r#"{"c d":[1,2]}"#);
        check(r#"{"InputPath":"$.detail.deep[\"c d\"][1]"}"#, "2");
        check(r#"{"InputPath":"$.none"}"#, "null");
        let paths = r#"{"n":"$.detail.n","t":"$.detail.text","o":"$.detail.deep","x":"$.none"}"#;
        for (template, expected) in [
            (r#"{\"a\": <n>, \"b\": <t>}"#, r#"{"a": 7, "b": "a \"b\""}"#),
            (r#"\"<n> of <t>\""#, r#""7 of a \"b\"""#),
            (r#"{\"o\": <o>, \"x\": <x>}"#, r#"{"o": {"c d":[1,2]}, "x": ""}"#),
            (r#"\"x<x>y\""#, r#""xy""#),
            (r#"\"<aws.events.rule-name> <unknown>\""#, r#""rule <unknown>""#),
            (r#"{\"at\": <aws.events.event.ingestion-time>}"#, r#"{"at": "now"}"#),
            (r#"{\"e\": <aws.events.event>}"#, r#"{"e": {"source":"s","resources":["r"]}}"#),
        ] {
            check(
                &format!(r#"{{"InputTransformer":{{"InputPathsMap":{paths},"InputTemplate":"{template}"}}}}"#),
                expected,
            );
        }
    }
}
