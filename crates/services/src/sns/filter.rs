//! Filter policies: which messages a subscription takes.
//!
//! A policy is read once more for each message: it is short, and a subscription that changes needs no second state.
//!
//! Source: SNS's developer guide, "Amazon SNS subscription filter policies".

use core::net::IpAddr;
use std::sync::Arc;

use stepwell_json::{Json, Number, Object, ObjectBuilder};

/// Names of properties a policy may have, and combinations of their values.
const KEYS_MAX: usize = 5;
const COMBINATIONS_MAX: usize = 150;

/// The largest number that can be compared.
const NUMBER_MAX: f64 = 1e9;

/// A policy that can be one.
#[derive(Debug)]
pub(super) struct FilterPolicy(Pattern);

#[derive(Debug)]
enum Pattern {
    /// Every property matches.
    All(Vec<(Arc<str>, Pattern)>),
    /// One of them matches.
    Any(Vec<Pattern>),
    /// The property's value, or one of its values, satisfies one of these.
    Value(Vec<Rule>),
}

#[derive(Debug)]
enum Rule {
    Equals(Json),
    Prefix(Arc<str>),
    Suffix(Arc<str>),
    EqualsIgnoringCase(String),
    /// Satisfied by a value that satisfies none of these.
    AnythingBut(Vec<Rule>),
    Numeric(Vec<(Comparison, f64)>),
    Cidr(IpAddr, u8),
    Exists(bool),
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const COMPARISONS: [(&str, Comparison); 5] = [
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    ("<=", Comparison::LessOrEqual),
    (">", Comparison::Greater),
    (">=", Comparison::GreaterOrEqual),
];

/// Reads the rule of an operator from its operand.
type ReadRule = fn(&Json) -> Result<Rule, String>;

const OPERATORS: [(&str, ReadRule); 7] = [
    ("prefix", |operand| text_of("prefix", operand).map(Rule::Prefix)),
    ("suffix", |operand| text_of("suffix", operand).map(Rule::Suffix)),
    ("equals-ignore-case", |operand| {
        text_of("equals-ignore-case", operand).map(|text| Rule::EqualsIgnoringCase(text.to_lowercase()))
    }),
    ("anything-but", anything_but),
    ("numeric", numeric),
    ("cidr", cidr),
    ("exists", |operand| match operand {
        Json::Bool(exists) => Ok(Rule::Exists(*exists)),
        _ => Err("exists match pattern must be either true or false.".to_owned()),
    }),
];

impl FilterPolicy {
    /// Reads a policy; only one of bodies may be nested.
    pub(super) fn parse(text: &str, is_of_body: bool) -> Result<FilterPolicy, String> {
        let json = Json::parse(text).map_err(|_| "failed to parse JSON.".to_owned())?;
        let object = json.as_object().ok_or("failed to parse JSON. Filter policy must be an object.")?;
        let mut size = Size { keys: 0, combinations: 1 };
        let pattern = all(object, is_of_body, &mut size)?;
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

struct Size {
    keys: usize,
    combinations: usize,
}

fn all(object: &Object, may_nest: bool, size: &mut Size) -> Result<Pattern, String> {
    let mut patterns = Vec::with_capacity(object.len());
    for (name, value) in object.iter() {
        let pattern = match value {
            Json::Array(alternatives) if &**name == "$or" && is_choice(alternatives) => {
                let objects = alternatives.iter().filter_map(Json::as_object);
                Pattern::Any(objects.map(|object| all(object, may_nest, size)).collect::<Result<_, _>>()?)
            }
            Json::Array(rules) if rules.is_empty() => return Err("Empty arrays are not allowed".to_owned()),
            Json::Array(rules) => {
                size.keys += 1;
                size.combinations = size.combinations.saturating_mul(rules.len());
                Pattern::Value(rules.iter().map(rule).collect::<Result<_, _>>()?)
            }
            Json::Object(_) if !may_nest => {
                let what = "Filter policy scope MessageAttributes does not support nested filter policy";
                return Err(what.to_owned());
            }
            Json::Object(nested) => all(nested, may_nest, size)?,
            _ => return Err(format!("\"{name}\" must be an object or an array")),
        };
        patterns.push((name.clone(), pattern));
    }
    Ok(Pattern::All(patterns))
}

/// `$or` is an operator only before two or more objects without operators of their own; else it is a name as any.
fn is_choice(alternatives: &[Json]) -> bool {
    let is_plain = |json: &Json| {
        json.as_object()
            .is_some_and(|object| object.keys().all(|name| !OPERATORS.iter().any(|(operator, _)| *operator == &**name)))
    };
    alternatives.len() > 1 && alternatives.iter().all(is_plain)
}

fn rule(json: &Json) -> Result<Rule, String> {
    match json {
        Json::Object(object) => {
            let Some((name, operand)) = object.at(0).filter(|_| object.len() == 1) else {
                return Err("Only one key allowed in match expression".to_owned());
            };
            match OPERATORS.iter().find(|(operator, _)| *operator == &**name) {
                Some((_, read)) => read(operand),
                None => Err(format!("Unrecognized match type {name}")),
            }
        }
        Json::Array(_) => Err("Match value must be String, number, true, false, or null".to_owned()),
        value => Ok(Rule::Equals(value.clone())),
    }
}

fn text_of(operator: &str, operand: &Json) -> Result<Arc<str>, String> {
    match operand {
        Json::String(text) if !text.is_empty() => Ok(text.clone()),
        _ => Err(format!("{operator} match pattern must be a string")),
    }
}

fn anything_but(operand: &Json) -> Result<Rule, String> {
    let rules = match operand {
        Json::Array(values) if !values.is_empty() => values.iter().map(rule).collect::<Result<Vec<_>, _>>()?,
        Json::Array(_) => return Err("Value of anything-but must not be empty".to_owned()),
        value => vec![rule(value)?],
    };
    let is_plain =
        |rule: &Rule| matches!(rule, Rule::Equals(_) | Rule::Prefix(_) | Rule::Suffix(_) | Rule::EqualsIgnoringCase(_));
    if rules.iter().all(is_plain) {
        Ok(Rule::AnythingBut(rules))
    } else {
        Err("Unsupported anything-but pattern".to_owned())
    }
}

fn numeric(operand: &Json) -> Result<Rule, String> {
    let invalid = || "Value of numeric must be an array of comparisons and numbers".to_owned();
    let parts = operand.as_array().filter(|parts| matches!(parts.len(), 2 | 4)).ok_or_else(invalid)?;
    let mut comparisons = Vec::new();
    for pair in parts.chunks(2) {
        let operator = pair[0].as_str().ok_or_else(invalid)?;
        let (_, comparison) = COMPARISONS
            .iter()
            .find(|(name, _)| *name == operator)
            .ok_or_else(|| format!("Unrecognized numeric range operator: {operator}"))?;
        let number = pair[1]
            .as_f64()
            .filter(|number| number.abs() <= NUMBER_MAX)
            .ok_or_else(|| format!("Value of {operator} must be numeric, from -{NUMBER_MAX} to {NUMBER_MAX}"))?;
        comparisons.push((*comparison, number));
    }
    match comparisons[..] {
        [(low, from), (high, to)] => {
            let is_range = matches!(low, Comparison::Greater | Comparison::GreaterOrEqual)
                && matches!(high, Comparison::Less | Comparison::LessOrEqual)
                && from < to;
            if is_range { Ok(Rule::Numeric(comparisons)) } else { Err("Bottom must be less than top".to_owned()) }
        }
        _ => Ok(Rule::Numeric(comparisons)),
    }
}

fn cidr(operand: &Json) -> Result<Rule, String> {
    let invalid = || "Malformed CIDR, one '/' required".to_owned();
    let (address, bits) = operand.as_str().and_then(|text| text.split_once('/')).ok_or_else(invalid)?;
    let address: IpAddr = address.parse().map_err(|_| "Nonstandard IP address".to_owned())?;
    let bits: u8 = bits.parse().map_err(|_| invalid())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    if bits <= most { Ok(Rule::Cidr(address, bits)) } else { Err("Malformed CIDR, mask bits are too many".to_owned()) }
}

impl Pattern {
    fn matches(&self, value: Option<&Json>) -> bool {
        match (self, value) {
            // Of several objects one matches in all of its properties.
            (Pattern::All(_) | Pattern::Any(_), Some(Json::Array(items))) => {
                items.iter().any(|item| self.matches(Some(item)))
            }
            (Pattern::All(patterns), value) => patterns.iter().all(|(name, pattern)| match pattern {
                Pattern::Any(_) => pattern.matches(value),
                _ => pattern.matches(value.and_then(|value| value.get(name))),
            }),
            (Pattern::Any(patterns), value) => patterns.iter().any(|pattern| pattern.matches(value)),
            (Pattern::Value(rules), value) => rules.iter().any(|rule| rule.accepts(value)),
        }
    }
}

impl Rule {
    fn accepts(&self, value: Option<&Json>) -> bool {
        match (self, value) {
            (Rule::Exists(exists), value) => value.is_some() == *exists,
            (_, None) => false,
            (_, Some(Json::Array(items))) => items.iter().any(|item| self.accepts(Some(item))),
            (_, Some(value)) => self.accepts_one(value),
        }
    }

    fn accepts_one(&self, value: &Json) -> bool {
        let text = value.as_str();
        match self {
            Rule::Equals(expected) => value == expected,
            Rule::Prefix(prefix) => text.is_some_and(|text| text.starts_with(&**prefix)),
            Rule::Suffix(suffix) => text.is_some_and(|text| text.ends_with(&**suffix)),
            Rule::EqualsIgnoringCase(expected) => text.is_some_and(|text| text.to_lowercase() == *expected),
            Rule::AnythingBut(rules) => {
                value.as_object().is_none() && !rules.iter().any(|rule| rule.accepts_one(value))
            }
            Rule::Numeric(comparisons) => {
                value.as_f64().is_some_and(|number| comparisons.iter().all(|(how, bound)| how.holds(number, *bound)))
            }
            Rule::Cidr(network, bits) => {
                text.and_then(|text| text.parse().ok()).is_some_and(|address| is_within(address, *network, *bits))
            }
            Rule::Exists(exists) => *exists,
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Comparison::Equal => number == bound,
            Comparison::Less => number < bound,
            Comparison::LessOrEqual => number <= bound,
            Comparison::Greater => number > bound,
            Comparison::GreaterOrEqual => number >= bound,
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
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
