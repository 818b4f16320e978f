//! Patterns that choose messages: of an object, every member must match one of the things listed for it.

use stepwell_json::{Json, Object};

/// Levels of a pattern.
const DEPTH_MAX: u32 = 50;

/// Ways to match that are known, beside a value itself.
const WAYS: [&str; 7] = ["prefix", "suffix", "equals-ignore-case", "anything-but", "numeric", "exists", "wildcard"];

/// Whether this is a pattern that can be held against something.
pub(crate) fn is_pattern(pattern: &Json) -> bool {
    pattern.as_object().is_some_and(|object| is_object(object, 0))
}

fn is_object(object: &Object, depth: u32) -> bool {
    depth < DEPTH_MAX
        && object.iter().all(|(name, value)| match value {
            Json::Array(items) if **name == *"$or" => {
                items.len() > 1
                    && items.iter().all(|item| item.as_object().is_some_and(|item| is_object(item, depth + 1)))
            }
            Json::Array(items) => !items.is_empty() && items.iter().all(is_way),
            Json::Object(below) => is_object(below, depth + 1),
            _ => false,
        })
}

fn is_way(way: &Json) -> bool {
    match way {
        Json::Object(way) => {
            way.len() == 1 && way.iter().all(|(name, value)| WAYS.contains(&&**name) && fits(name, value))
        }
        Json::Array(_) => false,
        _ => true,
    }
}

fn fits(name: &str, value: &Json) -> bool {
    match name {
        "exists" => value.as_bool().is_some(),
        "numeric" => comparisons(value).is_some(),
        "anything-but" => match value {
            Json::Array(items) => items.iter().all(|item| item.as_str().is_some() || item.as_number().is_some()),
            Json::Object(below) => {
                below.len() == 1
                    && below.iter().all(|(name, value)| {
                        ["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(&&**name)
                            && value.as_str().is_some()
                    })
            }
            value => value.as_str().is_some() || value.as_number().is_some(),
        },
        _ => value.as_str().is_some(),
    }
}

/// Whether a value matches a pattern.
pub(crate) fn matches(pattern: &Json, value: &Json) -> bool {
    let Some(pattern) = pattern.as_object() else { return false };
    pattern.iter().all(|(name, wanted)| match wanted {
        Json::Array(choices) if **name == *"$or" => choices.iter().any(|choice| matches(choice, value)),
        Json::Array(ways) => {
            let found = value.get(name);
            ways.iter().any(|way| match found {
                // Of a list one item is enough.
                Some(Json::Array(items)) => items.iter().any(|item| match_one(way, Some(item))),
                found => match_one(way, found),
            })
        }
        Json::Object(_) => value.get(name).is_some_and(|below| matches(wanted, below)),
        _ => false,
    })
}

fn match_one(way: &Json, value: Option<&Json>) -> bool {
    let Some((name, wanted)) = way.as_object().and_then(|way| way.iter().next()) else {
        return value.is_some_and(|value| same(way, value));
    };
    let text = value.and_then(Json::as_str);
    let compare =
        |holds: fn(&str, &str) -> bool| text.zip(wanted.as_str()).is_some_and(|(text, part)| holds(text, part));
    match &**name {
        "exists" => wanted.as_bool() == Some(value.is_some()),
        "prefix" => compare(|text, part| text.starts_with(part)),
        "suffix" => compare(|text, part| text.ends_with(part)),
        "equals-ignore-case" => compare(|text, part| text.to_lowercase() == part.to_lowercase()),
        "wildcard" => compare(wildcard),
        "numeric" => {
            let number = value.and_then(Json::as_f64);
            number
                .zip(comparisons(wanted))
                .is_some_and(|(number, all)| all.iter().all(|(holds, limit)| holds(&number, limit)))
        }
        "anything-but" => value.is_some_and(|value| match wanted {
            Json::Array(items) => !items.iter().any(|item| same(item, value)),
            Json::Object(_) => !match_one(wanted, Some(value)),
            one => !same(one, value),
        }),
        _ => false,
    }
}

fn same(one: &Json, other: &Json) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

type Comparison = (fn(&f64, &f64) -> bool, f64);

/// `[">", 0, "<=", 5]` as what must hold.
fn comparisons(list: &Json) -> Option<Vec<Comparison>> {
    let items = list.as_array()?;
    if items.is_empty() || items.len() % 2 != 0 || items.len() > 4 {
        return None;
    }
    let pair = |pair: &[Json]| {
        let holds: fn(&f64, &f64) -> bool = match pair.first()?.as_str()? {
            "=" => |one, other| one == other,
            "<" => |one, other| one < other,
            "<=" => |one, other| one <= other,
            ">" => |one, other| one > other,
            ">=" => |one, other| one >= other,
            _ => return None,
        };
        Some((holds, pair.get(1)?.as_f64()?))
    };
    items.chunks(2).map(pair).collect()
}

/// Each `*` stands for any text. The parts between are looked for from the left, which finds them when they are there.
fn wildcard(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use stepwell_json::Json;

    use super::{is_pattern, matches};

    fn check(pattern: &str, value: &str, expected: bool) {
        let (pattern, value) = (Json::parse(pattern).expect("JSON"), Json::parse(value).expect("JSON"));
        assert!(is_pattern(&pattern), "{pattern}");
        assert_eq!(matches(&pattern, &value), expected, "{pattern} of {value}");
    }

    #[test]
    fn values_match_patterns() {
        for (pattern, value, expected) in [
            (r#"{"a":["x"]}"#, r#"{"a":"x"}"#, true),
            (r#"{"a":["x","y"]}"#, r#"{"a":"y","b":1}"#, true),
            (r#"{"a":["x"]}"#, r#"{"a":"z"}"#, false),
            (r#"{"a":["x"]}"#, r#"{}"#, false),
            (r#"{"a":[1]}"#, r#"{"a":1.0}"#, true),
            (r#"{"a":[null]}"#, r#"{"a":null}"#, true),
            (r#"{"a":["x"]}"#, r#"{"a":["w","x"]}"#, true),
            (r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":"x"}}"#, true),
            (r#"{"a":{"b":["x"]}}"#, r#"{"a":"x"}"#, false),
            (r#"{"a":["x"],"b":["y"]}"#, r#"{"a":"x"}"#, false),
            (r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"b":"y"}"#, true),
            (r#"{"a":[{"prefix":"or"}]}"#, r#"{"a":"order"}"#, true),
            (r#"{"a":[{"suffix":"er"}]}"#, r#"{"a":"order"}"#, true),
            (r#"{"a":[{"equals-ignore-case":"ORDER"}]}"#, r#"{"a":"order"}"#, true),
            (r#"{"a":[{"anything-but":["x"]}]}"#, r#"{"a":"y"}"#, true),
            (r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":"x"}"#, false),
            (r#"{"a":[{"anything-but":{"prefix":"x"}}]}"#, r#"{"a":"xy"}"#, false),
            (r#"{"a":[{"anything-but":"x"}]}"#, r#"{}"#, false),
            (r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#, r#"{"a":5}"#, true),
            (r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#, r#"{"a":0}"#, false),
            (r#"{"a":[{"numeric":["=",3]}]}"#, r#"{"a":"3"}"#, false),
            (r#"{"a":[{"exists":true}]}"#, r#"{"a":null}"#, true),
            (r#"{"a":[{"exists":false}]}"#, r#"{"b":1}"#, true),
            (r#"{"a":[{"wildcard":"o*d*r"}]}"#, r#"{"a":"order"}"#, true),
            (r#"{"a":[{"wildcard":"o*x*r"}]}"#, r#"{"a":"order"}"#, false),
            (r#"{"a":[{"wildcard":"ab*ba"}]}"#, r#"{"a":"aba"}"#, false),
        ] {
            check(pattern, value, expected);
        }
    }

    #[test]
    fn what_is_no_pattern_is_none() {
        for pattern in [
            "1",
            r#"{"a":"x"}"#,
            r#"{"a":[]}"#,
            r#"{"a":[["x"]]}"#,
            r#"{"a":[{"cidr":"10.0.0.0/8"}]}"#,
            r#"{"a":[{"numeric":["~",1]}]}"#,
            r#"{"a":[{"prefix":"x","suffix":"y"}]}"#,
        ] {
            assert!(!is_pattern(&Json::parse(pattern).expect("JSON")), "{pattern}");
        }
    }
}
