//! Choice: the first rule that holds.

use std::cmp::Ordering;

use stepwell_json::Json;

use super::data::Visit;
use super::faults::Failure;
use super::query_flow::{self, Also};
use super::thread::Thread;
use super::{path_flow, timestamp};

/// The first rule that holds, if one does.
pub(super) fn first_rule<'a>(visit: &Visit<'a>, thread: &Thread) -> Result<Option<&'a Json>, Failure> {
    let rules = visit.field("Choices").and_then(Json::as_array).expect("a Choice state has rules");
    let effective = if visit.is_jsonata { Json::Null } else { path_flow::effective_input(visit, thread)? };
    for rule in rules.iter() {
        let holds = if visit.is_jsonata {
            let condition = rule.get("Condition").expect("a rule has a condition");
            let value = query_flow::value(condition, visit, thread, Also::Nothing)?;
            value.as_bool().ok_or_else(query_flow::wrong)?
        } else {
            Test { visit, thread, document: &effective }.holds(rule)?
        };
        if holds {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

/// A JSONPath rule at work.
struct Test<'a, 'v> {
    visit: &'a Visit<'v>,
    thread: &'a Thread,
    document: &'a Json,
}

impl Test<'_, '_> {
    fn holds(&self, rule: &Json) -> Result<bool, Failure> {
        let nested = |name: &str| rule.get(name).and_then(Json::as_array);
        if let Some(rules) = nested("And") {
            for rule in rules.iter() {
                if !self.holds(rule)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        if let Some(rules) = nested("Or") {
            for rule in rules.iter() {
                if self.holds(rule)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(rule) = rule.get("Not") {
            return Ok(!self.holds(rule)?);
        }
        let (operator, operand) = rule
            .as_object()
            .expect("a rule is an object")
            .iter()
            .find(|(name, _)| !matches!(&***name, "Variable" | "Next" | "Comment" | "Assign"))
            .expect("a rule has an operator");
        let variable = self.read(rule.get("Variable").expect("a rule has a variable"));
        if &**operator == "IsPresent" {
            return Ok(Some(variable.is_ok()) == operand.as_bool());
        }
        let variable = variable?;
        match operator.strip_suffix("Path") {
            Some(operator) => Ok(compares(operator, &variable, &self.read(operand)?)),
            None => Ok(compares(operator, &variable, operand)),
        }
    }

    fn read(&self, path: &Json) -> Result<Json, Failure> {
        match path.as_str().expect("a path is text") {
            "$" => Ok(self.document.clone()),
            path => path_flow::read(path, self.visit, self.thread, self.document),
        }
    }
}

/// Whether a value and an operand stand in the relation; never when one is not of the operator's type.
fn compares(operator: &str, value: &Json, operand: &Json) -> bool {
    let is = |holds: bool| operand.as_bool() == Some(holds);
    match operator {
        "IsNull" => return is(value.is_null()),
        "IsNumeric" => return is(value.as_number().is_some()),
        "IsString" => return is(value.as_str().is_some()),
        "IsBoolean" => return is(value.as_bool().is_some()),
        "IsTimestamp" => return is(value.as_str().and_then(timestamp::nanoseconds).is_some()),
        "StringMatches" => {
            return match (value.as_str(), operand.as_str()) {
                (Some(text), Some(pattern)) => matches(text, pattern),
                _ => false,
            };
        }
        "BooleanEquals" => return value.as_bool().is_some() && value.as_bool() == operand.as_bool(),
        _ => {}
    }
    let times = |value: &Json| value.as_str().and_then(timestamp::nanoseconds);
    let (order, relation) = if let Some(relation) = operator.strip_prefix("String") {
        let order = value.as_str().zip(operand.as_str()).map(|(a, b)| a.encode_utf16().cmp(b.encode_utf16()));
        (order, relation)
    } else if let Some(relation) = operator.strip_prefix("Numeric") {
        (value.as_f64().zip(operand.as_f64()).and_then(|(a, b)| a.partial_cmp(&b)), relation)
    } else {
        let relation = operator.strip_prefix("Timestamp").expect("an operator of the language");
        (times(value).zip(times(operand)).map(|(a, b)| a.cmp(&b)), relation)
    };
    let Some(order) = order else { return false };
    match relation {
        "Equals" => order == Ordering::Equal,
        "LessThan" => order == Ordering::Less,
        "GreaterThan" => order == Ordering::Greater,
        "LessThanEquals" => order != Ordering::Greater,
        "GreaterThanEquals" => order != Ordering::Less,
        unknown => panic!("no operator of the language: {unknown}"),
    }
}

/// Whether a text matches a pattern, in which `*` stands for any text and a backslash takes the next character as it is.
fn matches(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = rest.as_str();
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(&text[at..], rest))
        }
        Some(first) => {
            let literal = if first == '\\' { rest.next().unwrap_or('\\') } else { first };
            text.strip_prefix(literal).is_some_and(|text| matches(text, rest.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{compares, matches};
    use stepwell_json::Json;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*b*", "abc", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("", "a", false),
            ("abc", "abc", true),
        ] {
            assert_eq!(matches(text, pattern), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn values_of_other_types_stand_in_no_relation() {
        let json = |text: &str| Json::parse(text).expect("JSON");
        for (operator, value, operand, expected) in [
            ("NumericEquals", "1", "1.0", true),
            ("NumericLessThan", "\"1\"", "2", false),
            ("StringGreaterThanEquals", "\"b\"", "\"a\"", true),
            ("StringEquals", "1", "\"1\"", false),
            ("BooleanEquals", "null", "false", false),
            ("TimestampLessThan", "\"2024-01-01T00:00:00Z\"", "\"2024-01-01T00:00:00-01:00\"", true),
            ("TimestampEquals", "\"soon\"", "\"soon\"", false),
            ("IsNull", "0", "false", true),
            ("IsTimestamp", "\"2024-01-01T00:00:00Z\"", "true", true),
        ] {
            assert_eq!(compares(operator, &json(value), &json(operand)), expected, "{value} {operator} {operand}");
        }
    }
}
