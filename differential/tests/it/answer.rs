//! What an engine says to a case, and when two say the same.

use std::fmt;

use stepwell_json::Json;

/// What an engine says.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Undefined,
    Function,
    Value(Json),
    /// The code of an error.
    Error(String),
    /// Nothing that another engine could be held to: a bound of its own, a fault of its own.
    Unheld(String),
}

impl Answer {
    /// Whether the answers are one; so they are if one of them cannot be held against the other.
    pub(crate) fn agrees(&self, other: &Answer) -> bool {
        match (self, other) {
            (Answer::Unheld(_), _) | (_, Answer::Unheld(_)) => true,
            (Answer::Undefined, Answer::Undefined) | (Answer::Function, Answer::Function) => true,
            (Answer::Value(left), Answer::Value(right)) => same(left, right),
            (Answer::Error(left), Answer::Error(right)) => left == right,
            _ => false,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Undefined => f.write_str("undefined"),
            Answer::Function => f.write_str("a function"),
            Answer::Value(value) => write!(f, "{value}"),
            Answer::Error(code) => write!(f, "error {code}"),
            Answer::Unheld(why) => write!(f, "nothing ({why})"),
        }
    }
}

/// The same value: members in any order, numbers up to the last bits, which a machine's power function decides.
fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => {
            let (left, right) = (left.as_f64(), right.as_f64());
            left == right || (left - right).abs() <= left.abs() * 1e-14
        }
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}
