//! How a member that cannot be read is told, in Lambda's words.

use stepwell_json::Json;
pub(crate) use stepwell_protocol::Input;
use stepwell_protocol::Misread;

use crate::refusal::Refusal;

impl From<Misread> for Refusal {
    fn from(misread: Misread) -> Refusal {
        match misread {
            Misread::Missing(name) => Refusal::constraint(&lower_first(&name), "null", "must not be null"),
            Misread::Mistyped(name, expected) => {
                Refusal::new("ValidationException", format!("The value of {name} is not {expected}."))
            }
        }
    }
}

/// `FunctionName` -> `functionName`, as refusals spell members.
pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// An object of the members that are there.
pub(crate) fn members<const N: usize>(members: [(&'static str, Option<Json>); N]) -> Json {
    Json::object(members.into_iter().filter_map(|(name, value)| Some((name, value?))))
}
