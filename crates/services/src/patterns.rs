//! Patterns of documents: filter policies of SNS's subscriptions and event patterns of EventBridge's rules, which are one
//! language but for a few words.
//!
//! Source: SNS's developer guide, "Amazon SNS subscription filter policies"; EventBridge's user guide, "Amazon EventBridge
//! event patterns" and "Comparison operators".

use core::net::IpAddr;
use std::sync::Arc;

use stepwell_json::{Json, Object};

use crate::wildcards;

/// Whose pattern it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// SNS, of messages' attributes: nothing is nested.
    AttributeFilter,
    /// SNS, of messages' bodies.
    BodyFilter,
    /// EventBridge: with wildcards, and letters of either case behind a prefix.
    Events,
}

impl Language {
    /// The largest number that can be compared.
    fn number_max(self) -> f64 {
        if self == Language::Events { 5e9 } else { 1e9 }
    }
}

/// Objects within each other, at most. A document that deep is none that anybody wrote.
const DEPTH_MAX: u32 = 64;

/// A pattern that can be one.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// Every property matches.
    All(Vec<(Arc<str>, Pattern)>),
    /// One of them matches.
    Any(Vec<Pattern>),
    /// The property's value, or one of its values, satisfies one of these.
    Value(Vec<Rule>),
}

#[derive(Debug)]
pub(crate) enum Rule {
    Equals(Json),
    Prefix(Arc<str>),
    Suffix(Arc<str>),
    PrefixIgnoringCase(String),
    SuffixIgnoringCase(String),
    EqualsIgnoringCase(String),
    /// Stars stand for anything.
    Wildcard(Arc<str>),
    /// Satisfied by a value that satisfies none of these.
    AnythingBut(Vec<Rule>),
    Numeric(Vec<(Comparison, f64)>),
    Cidr(IpAddr, u8),
    Exists(bool),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Comparison {
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
type ReadRule = fn(&Json, Language) -> Result<Rule, String>;

const OPERATORS: [(&str, ReadRule); 8] = [
    ("prefix", |operand, language| {
        in_any_case("prefix", operand, language, Rule::PrefixIgnoringCase)
            .unwrap_or_else(|| text_of("prefix", operand).map(Rule::Prefix))
    }),
    ("suffix", |operand, language| {
        in_any_case("suffix", operand, language, Rule::SuffixIgnoringCase)
            .unwrap_or_else(|| text_of("suffix", operand).map(Rule::Suffix))
    }),
    ("equals-ignore-case", |operand, _| {
        text_of("equals-ignore-case", operand).map(|text| Rule::EqualsIgnoringCase(text.to_lowercase()))
    }),
    ("wildcard", |operand, language| match language {
        Language::Events => wildcard(operand),
        Language::AttributeFilter | Language::BodyFilter => Err("Unrecognized match type wildcard".to_owned()),
    }),
    ("anything-but", anything_but),
    ("numeric", numeric),
    ("cidr", |operand, _| cidr(operand)),
    ("exists", |operand, _| match operand {
        Json::Bool(exists) => Ok(Rule::Exists(*exists)),
        _ => Err("exists match pattern must be either true or false.".to_owned()),
    }),
];

/// How large a pattern is.
pub(crate) struct Size {
    pub(crate) keys: usize,
    pub(crate) combinations: usize,
}

impl Default for Size {
    fn default() -> Size {
        Size { keys: 0, combinations: 1 }
    }
}

impl Pattern {
    pub(crate) fn read(object: &Object, language: Language, size: &mut Size) -> Result<Pattern, String> {
        all(object, language, 0, size)
    }
}

fn all(object: &Object, language: Language, depth: u32, size: &mut Size) -> Result<Pattern, String> {
    if depth > DEPTH_MAX {
        return Err("Pattern is nested too deep".to_owned());
    }
    let mut patterns = Vec::with_capacity(object.len());
    for (name, value) in object.iter() {
        let pattern = match value {
            Json::Array(alternatives) if &**name == "$or" && is_choice(alternatives) => {
                let objects = alternatives.iter().filter_map(Json::as_object);
                let read = objects.map(|object| all(object, language, depth + 1, size));
                Pattern::Any(read.collect::<Result<_, _>>()?)
            }
            Json::Array(rules) if rules.is_empty() => return Err("Empty arrays are not allowed".to_owned()),
            Json::Array(rules) => {
                size.keys += 1;
                size.combinations = size.combinations.saturating_mul(rules.len());
                Pattern::Value(rules.iter().map(|json| rule(json, language)).collect::<Result<_, _>>()?)
            }
            Json::Object(_) if language == Language::AttributeFilter => {
                let what = "Filter policy scope MessageAttributes does not support nested filter policy";
                return Err(what.to_owned());
            }
            Json::Object(nested) if nested.is_empty() && language == Language::Events => {
                return Err("Empty objects are not allowed".to_owned());
            }
            Json::Object(nested) => all(nested, language, depth + 1, size)?,
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

fn rule(json: &Json, language: Language) -> Result<Rule, String> {
    match json {
        Json::Object(object) => {
            let Some((name, operand)) = object.at(0).filter(|_| object.len() == 1) else {
                return Err("Only one key allowed in match expression".to_owned());
            };
            match OPERATORS.iter().find(|(operator, _)| *operator == &**name) {
                Some((_, read)) => read(operand, language),
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

/// `{"prefix": {"equals-ignore-case": "x"}}`; none when the operand is no such object.
fn in_any_case(
    operator: &str,
    operand: &Json,
    language: Language,
    made: fn(String) -> Rule,
) -> Option<Result<Rule, String>> {
    let object = operand.as_object().filter(|_| language == Language::Events)?;
    let inner = object.get("equals-ignore-case").filter(|_| object.len() == 1);
    Some(match inner {
        Some(inner) => text_of(operator, inner).map(|text| made(text.to_lowercase())),
        None => Err(format!("{operator} match pattern must be a string")),
    })
}

fn wildcard(operand: &Json) -> Result<Rule, String> {
    let text = text_of("wildcard", operand)?;
    if text.contains("**") {
        return Err("Consecutive wildcard characters are not allowed".to_owned());
    }
    Ok(Rule::Wildcard(text))
}

fn anything_but(operand: &Json, language: Language) -> Result<Rule, String> {
    let rules = match operand {
        Json::Array(values) if !values.is_empty() => {
            values.iter().map(|json| rule(json, language)).collect::<Result<Vec<_>, _>>()?
        }
        Json::Array(_) => return Err("Value of anything-but must not be empty".to_owned()),
        // Of EventBridge's operators, each may have several operands here.
        Json::Object(object) if language == Language::Events => match object.at(0).filter(|_| object.len() == 1) {
            Some((operator, Json::Array(values))) if !values.is_empty() => values
                .iter()
                .map(|value| rule(&Json::object([(operator.clone(), value.clone())]), language))
                .collect::<Result<Vec<_>, _>>()?,
            _ => vec![rule(operand, language)?],
        },
        value => vec![rule(value, language)?],
    };
    let is_plain =
        |rule: &Rule| !matches!(rule, Rule::AnythingBut(_) | Rule::Numeric(_) | Rule::Cidr(..) | Rule::Exists(_));
    if rules.iter().all(is_plain) {
        Ok(Rule::AnythingBut(rules))
    } else {
        Err("Unsupported anything-but pattern".to_owned())
    }
}

fn numeric(operand: &Json, language: Language) -> Result<Rule, String> {
    let max = language.number_max();
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
            .filter(|number| number.abs() <= max)
            .ok_or_else(|| format!("Value of {operator} must be numeric, from -{max} to {max}"))?;
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
    pub(crate) fn matches(&self, value: Option<&Json>) -> bool {
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
            Rule::PrefixIgnoringCase(prefix) => text.is_some_and(|text| text.to_lowercase().starts_with(prefix)),
            Rule::SuffixIgnoringCase(suffix) => text.is_some_and(|text| text.to_lowercase().ends_with(suffix)),
            Rule::Wildcard(pattern) => text.is_some_and(|text| wildcards::matches(pattern, text)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str) -> Result<Pattern, String> {
        let json = Json::parse(pattern).expect("JSON");
        Pattern::read(json.as_object().expect("an object"), Language::Events, &mut Size::default())
    }

    fn check(rules: &str, value: &str, expected: bool) {
        let pattern = read(&format!(r#"{{"k":{rules}}}"#)).unwrap_or_else(|what| panic!("{rules}: {what}"));
        let document = Json::parse(&format!(r#"{{"k":{value}}}"#)).expect("JSON");
        assert_eq!(pattern.matches(Some(&document)), expected, "{rules} on {value}");
    }

    #[test]
    fn events_have_words_that_filters_have_not() {
        for (rules, value, expected) in [
            (r#"[{"wildcard":"a*c"}]"#, r#""abc""#, true),
            (r#"[{"wildcard":"a*c"}]"#, r#""abd""#, false),
            (r#"[{"prefix":{"equals-ignore-case":"AB"}}]"#, r#""abc""#, true),
            (r#"[{"suffix":{"equals-ignore-case":".PNG"}}]"#, r#""a.png""#, true),
            (r#"[{"suffix":{"equals-ignore-case":".PNG"}}]"#, r#""a.gif""#, false),
            (r#"[{"anything-but":{"wildcard":"*/a/*"}}]"#, r#""x/a/b""#, false),
            (r#"[{"anything-but":{"wildcard":["*/a/*","*/b/*"]}}]"#, r#""x/b/c""#, false),
            (r#"[{"anything-but":{"wildcard":["*/a/*","*/b/*"]}}]"#, r#""x/c/d""#, true),
            (r#"[{"anything-but":{"prefix":["a","b"]}}]"#, r#""bc""#, false),
            (r#"[{"anything-but":{"suffix":"c"}}]"#, r#""bd""#, true),
            (r#"[{"anything-but":{"equals-ignore-case":["A","b"]}}]"#, r#""a""#, false),
            (r#"[{"anything-but":{"equals-ignore-case":"A"}}]"#, r#""c""#, true),
            (r#"[{"anything-but":[1,"x"]}]"#, r#""x""#, false),
            (r#"[null]"#, "null", true),
            (r#"[""]"#, r#""""#, true),
            (r#"[{"numeric":[">",0,"<=",4e9]}]"#, "4e9", true),
        ] {
            check(rules, value, expected);
        }
    }

    #[test]
    fn what_cannot_be_a_pattern_is_refused() {
        for pattern in [
            r#"{"k":"x"}"#,
            r#"{"k":[]}"#,
            r#"{"k":{}}"#,
            r#"{"k":[{"wildcard":"a**b"}]}"#,
            r#"{"k":[{"wildcard":1}]}"#,
            r#"{"k":[{"prefix":{"equals-ignore-case":1}}]}"#,
            r#"{"k":[{"prefix":{"x":"a"}}]}"#,
            r#"{"k":[{"anything-but":{"numeric":["=",1]}}]}"#,
            r#"{"k":[{"anything-but":{"anything-but":"x"}}]}"#,
            r#"{"k":[{"numeric":["=",6e9]}]}"#,
        ] {
            assert!(read(pattern).is_err(), "{pattern}");
        }
        let deep = format!("{}[1]{}", r#"{"k":"#.repeat(100), "}".repeat(100));
        assert!(read(&deep).is_err());
    }
}
