//! Members of a call's input, read by name. What has not the kind its model gives it is refused as what it is.

use std::sync::Arc;

use stepwell_json::{Json, Object};

use crate::refusal::Refusal;

/// An object of the input. A member that is null counts as absent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(pub(crate) &'a Json);

impl<'a> Input<'a> {
    pub(crate) fn member(self, name: &str) -> Option<&'a Json> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(self, name: &str) -> Result<Option<&'a Arc<str>>, Refusal> {
        match self.member(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(mistyped(name, "a string")),
        }
    }

    pub(crate) fn required(self, name: &str) -> Result<&'a Arc<str>, Refusal> {
        self.text(name)?.ok_or_else(|| Refusal::constraint(&lower_first(name), "null", "must not be null"))
    }

    pub(crate) fn integer(self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_i64().map(Some).ok_or_else(|| mistyped(name, "an integer"))
    }

    pub(crate) fn flag(self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.member(name) {
            None => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(mistyped(name, "a boolean")),
        }
    }

    pub(crate) fn object(self, name: &str) -> Result<Option<&'a Object>, Refusal> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_object().map(Some).ok_or_else(|| mistyped(name, "a map"))
    }

    /// The items of a list; none when it is absent.
    pub(crate) fn items(self, name: &str) -> Result<&'a [Json], Refusal> {
        match self.member(name) {
            None => Ok(&[]),
            Some(value) => value.as_array().map(|items| &**items).ok_or_else(|| mistyped(name, "a list")),
        }
    }

    /// A member of a member.
    pub(crate) fn below(self, name: &str) -> Input<'a> {
        static NOTHING: Json = Json::Null;
        Input(self.member(name).unwrap_or(&NOTHING))
    }
}

fn mistyped(name: &str, expected: &str) -> Refusal {
    Refusal::new("ValidationException", format!("The value of {name} is not {expected}."))
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
