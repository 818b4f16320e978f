//! The conditions of filters, and when they hold.
//!
//! Jayway compares by rules of its own: a number equals a string that reads as that number, an order exists only
//! between two numbers or two strings, and inside lists `1` and `1.0` differ.

use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;
use stepwell_json::{Json, Number};

use crate::evaluate::{Halt, Walk};
use crate::java_text::number_text;
use crate::route::Route;

/// What stands in `[?(…)]`.
#[derive(Debug)]
pub(crate) enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    /// A path alone: whether it leads anywhere.
    Exists {
        path: Route,
        wanted: bool,
    },
    Compare {
        left: Operand,
        operator: Operator,
        right: Operand,
    },
}

/// One side of a comparison.
#[derive(Debug)]
pub(crate) enum Operand {
    Path(Route),
    Literal(Value),
    Pattern(Regex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    SameKindEqual,
    SameKindNotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    Contains,
    Size,
    Empty,
    SubsetOf,
    AnyOf,
    NoneOf,
    /// `all`, `exists`, `type`, `matches`: Jayway reads them in a path but cannot evaluate them there.
    Unusable,
}

/// Every operator by the text it is written as, in lower case.
pub(crate) const OPERATORS: &[(&str, Operator)] = &[
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("===", Operator::SameKindEqual),
    ("!==", Operator::SameKindNotEqual),
    ("<", Operator::Less),
    ("<=", Operator::LessOrEqual),
    (">", Operator::Greater),
    (">=", Operator::GreaterOrEqual),
    ("=~", Operator::Matches),
    ("in", Operator::In),
    ("nin", Operator::NotIn),
    ("contains", Operator::Contains),
    ("size", Operator::Size),
    ("empty", Operator::Empty),
    ("subsetof", Operator::SubsetOf),
    ("anyof", Operator::AnyOf),
    ("noneof", Operator::NoneOf),
    ("all", Operator::Unusable),
    ("exists", Operator::Unusable),
    ("type", Operator::Unusable),
    ("matches", Operator::Unusable),
];

/// A value as a comparison sees it.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// The path led nowhere.
    Undefined,
    Null,
    Bool(bool),
    Number(Number),
    Text(Arc<str>),
    /// An array or object.
    Tree(Json),
}

impl From<Json> for Value {
    fn from(value: Json) -> Value {
        match value {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(value),
            Json::Number(number) => Value::Number(number),
            Json::String(text) => Value::Text(text),
            Json::Array(_) | Json::Object(_) => Value::Tree(value),
        }
    }
}

impl Condition {
    /// The most steps that can follow one another in one of its paths.
    pub(crate) fn reach(&self) -> usize {
        let of_operand = |operand: &Operand| match operand {
            Operand::Path(path) => path.reach(),
            Operand::Literal(_) | Operand::Pattern(_) => 0,
        };
        match self {
            Condition::Any(conditions) | Condition::All(conditions) => {
                conditions.iter().map(Condition::reach).max().unwrap_or(0)
            }
            Condition::Not(condition) => condition.reach(),
            Condition::Exists { path, .. } => path.reach(),
            Condition::Compare { left, right, .. } => of_operand(left).max(of_operand(right)),
        }
    }

    /// Whether the condition holds for this item.
    ///
    /// A path or function that cannot be evaluated makes the whole condition false, as it does in Jayway.
    pub(crate) fn accepts(&self, item: &Json, walk: &Walk<'_>) -> Result<bool, Halt> {
        match self.holds(item, walk) {
            Err(Halt::NotFound(_) | Halt::Invalid(_)) => Ok(false),
            other => other,
        }
    }

    fn holds(&self, item: &Json, walk: &Walk<'_>) -> Result<bool, Halt> {
        walk.spend(1)?;
        match self {
            Condition::Any(conditions) => {
                for condition in conditions {
                    if condition.holds(item, walk)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::All(conditions) => {
                for condition in conditions {
                    if !condition.holds(item, walk)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Not(condition) => Ok(!condition.holds(item, walk)?),
            Condition::Exists { path, wanted } => {
                // Even a path that starts with `$` is looked for in the item here: Jayway does so.
                match walk.read_required(path, item) {
                    Ok(_) => Ok(*wanted),
                    Err(Halt::NotFound(_)) => Ok(!*wanted),
                    Err(halt) => Err(halt),
                }
            }
            Condition::Compare { left, operator, right } => compare(left, *operator, right, item, walk),
        }
    }
}

fn compare(left: &Operand, operator: Operator, right: &Operand, item: &Json, walk: &Walk<'_>) -> Result<bool, Halt> {
    let (left, right) = match (left, right) {
        (Operand::Pattern(pattern), Operand::Path(_) | Operand::Literal(_)) => {
            let text = read(right, item, walk)?;
            return matches_pattern(operator, pattern, &text, walk);
        }
        (Operand::Path(_) | Operand::Literal(_), Operand::Pattern(pattern)) => {
            let text = read(left, item, walk)?;
            return matches_pattern(operator, pattern, &text, walk);
        }
        (Operand::Pattern(_), Operand::Pattern(_)) => return beside_pattern(operator),
        _ => (read(left, item, walk)?, read(right, item, walk)?),
    };
    match operator {
        Operator::Equal => equal(&left, &right, walk),
        Operator::NotEqual => Ok(!equal(&left, &right, walk)?),
        Operator::SameKindEqual => Ok(is_same_kind(&left, &right) && equal(&left, &right, walk)?),
        Operator::SameKindNotEqual => Ok(!is_same_kind(&left, &right) || !equal(&left, &right, walk)?),
        Operator::Less => Ok(order(&left, &right) == Some(Ordering::Less)),
        Operator::LessOrEqual => Ok(order(&left, &right).is_some_and(Ordering::is_le)),
        Operator::Greater => Ok(order(&left, &right) == Some(Ordering::Greater)),
        Operator::GreaterOrEqual => Ok(order(&left, &right).is_some_and(Ordering::is_ge)),
        // Neither side is a pattern.
        Operator::Matches => Ok(false),
        Operator::In => is_in(&left, &right, walk),
        Operator::NotIn => Ok(!is_in(&left, &right, walk)?),
        Operator::Contains => match (&left, &right) {
            (Value::Text(text), Value::Text(part)) => {
                walk.spend_bytes(text.len())?;
                Ok(text.contains(&**part))
            }
            (Value::Tree(Json::Array(items)), _) => any_equal(&right, &elements(items, walk)?, walk),
            _ => Ok(false),
        },
        Operator::Size => Ok(match (&left, &right) {
            (Value::Text(text), Value::Number(size)) => is_count(text.encode_utf16().count(), size),
            (Value::Tree(Json::Array(items)), Value::Number(size)) => is_count(items.len(), size),
            // Objects have the size -1 here.
            (Value::Tree(_), Value::Number(size)) => size.as_f64().trunc() == -1.0,
            _ => false,
        }),
        Operator::Empty => match (&left, &right) {
            (Value::Text(text), Value::Bool(wanted)) => Ok(text.is_empty() == *wanted),
            (Value::Tree(Json::Array(items)), Value::Bool(wanted)) => Ok(items.is_empty() == *wanted),
            (Value::Tree(Json::Object(_)), Value::Bool(_)) => {
                Err(Halt::Failed("The operator 'empty' cannot be applied to an object".to_owned()))
            }
            _ => Ok(false),
        },
        Operator::SubsetOf => {
            let (left, right) = (list_of(&left, walk)?, list_of(&right, walk)?);
            for element in &left {
                if !any_equal(element, &right, walk)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Operator::AnyOf => share_element(&left, &right, walk),
        Operator::NoneOf => Ok(!share_element(&left, &right, walk)?),
        Operator::Unusable => Err(Halt::Invalid("The operator cannot be used in a path".to_owned())),
    }
}

fn read(operand: &Operand, item: &Json, walk: &Walk<'_>) -> Result<Value, Halt> {
    match operand {
        Operand::Literal(value) => Ok(value.clone()),
        Operand::Path(path) => match walk.read_inner(path, item) {
            Ok(value) => Ok(Value::from(value)),
            Err(Halt::NotFound(_)) => Ok(Value::Undefined),
            Err(halt) => Err(halt),
        },
        // Patterns are taken care of before anything is read.
        Operand::Pattern(_) => Ok(Value::Undefined),
    }
}

/// What any operator but `=~` says of a pattern: it equals nothing and is no list.
fn beside_pattern(operator: Operator) -> Result<bool, Halt> {
    match operator {
        Operator::NotEqual | Operator::SameKindNotEqual => Ok(true),
        Operator::In
        | Operator::NotIn
        | Operator::SubsetOf
        | Operator::AnyOf
        | Operator::NoneOf
        | Operator::Unusable => Err(Halt::Invalid("Expected a list".to_owned())),
        Operator::Equal
        | Operator::SameKindEqual
        | Operator::Less
        | Operator::LessOrEqual
        | Operator::Greater
        | Operator::GreaterOrEqual
        | Operator::Matches
        | Operator::Contains
        | Operator::Size
        | Operator::Empty => Ok(false),
    }
}

fn matches_pattern(operator: Operator, pattern: &Regex, value: &Value, walk: &Walk<'_>) -> Result<bool, Halt> {
    if operator != Operator::Matches {
        return beside_pattern(operator);
    }
    let is_match = |text: &str| {
        walk.spend_bytes(text.len())?;
        Ok(pattern.is_match(text))
    };
    match value {
        Value::Text(text) => is_match(text),
        Value::Number(number) => is_match(&number_text(number)),
        Value::Bool(value) => is_match(if *value { "true" } else { "false" }),
        Value::Tree(Json::Array(items)) => {
            for element in elements(items, walk)? {
                if matches_pattern(operator, pattern, &element, walk)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        // Whatever has no text is matched as if it were empty.
        Value::Null | Value::Undefined | Value::Tree(_) => is_match(""),
    }
}

/// Equality as the left side sees it: a number reads the other side as a number, a string as a string.
fn equal(left: &Value, right: &Value, walk: &Walk<'_>) -> Result<bool, Halt> {
    walk.spend(1)?;
    Ok(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::Number(a), Value::Text(b)) => number_in(b).is_some_and(|b| *a == b),
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Text(a), Value::Number(b)) => **a == *number_text(b),
        (Value::Tree(a), Value::Tree(b)) => return same_tree(a, b, walk),
        _ => false,
    })
}

/// The number a string spells in Java's eyes.
fn number_in(text: &str) -> Option<Number> {
    if let Ok(number) = Number::parse(text) {
        return Some(number);
    }
    // Java also takes a plus sign, leading zeros and a bare point.
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let value = text.parse::<f64>().ok().filter(|_| is_plain)?;
    Number::from_f64(value)
}

fn is_same_kind(left: &Value, right: &Value) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right)
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        // Java orders text by UTF-16 code units.
        (Value::Text(a), Value::Text(b)) => Some(a.encode_utf16().cmp(b.encode_utf16())),
        _ => None,
    }
}

/// Equality of two trees as Java sees it: an integer never equals a float.
fn same_tree(left: &Json, right: &Json, walk: &Walk<'_>) -> Result<bool, Halt> {
    walk.spend(1)?;
    match (left, right) {
        (Json::Number(a), Json::Number(b)) => Ok(a.is_integer_text() == b.is_integer_text() && a == b),
        (Json::Array(a), Json::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !same_tree(a, b, walk)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Json::Object(a), Json::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (name, a) in a {
                match b.get(name) {
                    Some(b) if same_tree(a, b, walk)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        _ => Ok(left == right),
    }
}

fn is_count(count: usize, number: &Number) -> bool {
    // Java narrows the number to an integer before it compares.
    i64::try_from(count).is_ok_and(|count| number.as_f64().trunc() == count as f64)
}

/// The elements of an array as a list to look through. Jayway makes no list of arrays or objects.
fn elements(items: &[Json], walk: &Walk<'_>) -> Result<Vec<Value>, Halt> {
    walk.spend(items.len())?;
    let element = |item: &Json| match item {
        Json::Array(_) | Json::Object(_) => Err(Halt::Failed("Could not determine value type".to_owned())),
        _ => Ok(Value::from(item.clone())),
    };
    items.iter().map(element).collect()
}

/// The list a value is; anything but an array makes the condition false.
fn list_of(value: &Value, walk: &Walk<'_>) -> Result<Vec<Value>, Halt> {
    match value {
        Value::Tree(Json::Array(items)) => elements(items, walk),
        _ => Err(Halt::Invalid("Expected a list".to_owned())),
    }
}

fn is_in(left: &Value, right: &Value, walk: &Walk<'_>) -> Result<bool, Halt> {
    match right {
        Value::Tree(Json::Object(_)) => Ok(false),
        _ => any_equal(left, &list_of(right, walk)?, walk),
    }
}

fn any_equal(value: &Value, list: &[Value], walk: &Walk<'_>) -> Result<bool, Halt> {
    for element in list {
        if equal(value, element, walk)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn share_element(left: &Value, right: &Value, walk: &Walk<'_>) -> Result<bool, Halt> {
    let (left, right) = (list_of(left, walk)?, list_of(right, walk)?);
    for element in &left {
        if any_equal(element, &right, walk)? {
            return Ok(true);
        }
    }
    Ok(false)
}
