//! Members of a call's input, read by name.

use std::sync::Arc;

use stepwell_json::{Array, Json, Object};

use crate::answers::Refusal;

/// A map's names and texts, in the order they came.
pub(crate) type TextPairs<'a> = Vec<(&'a Arc<str>, &'a Arc<str>)>;

/// An object of the input: all of it, or an entry of a batch. A member that is null counts as absent.
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
            Some(_) => Err(Refusal::mistyped(name, "a string")),
        }
    }

    pub(crate) fn required(self, name: &str) -> Result<&'a Arc<str>, Refusal> {
        self.text(name)?.ok_or_else(|| Refusal::missing(name))
    }

    pub(crate) fn integer(self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_i64().map(Some).ok_or_else(|| Refusal::mistyped(name, "an integer"))
    }

    pub(crate) fn flag(self, name: &str) -> Result<bool, Refusal> {
        match self.member(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refusal::mistyped(name, "a boolean")),
        }
    }

    pub(crate) fn list(self, name: &str) -> Result<Option<&'a Array>, Refusal> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_array().map(Some).ok_or_else(|| Refusal::mistyped(name, "a list"))
    }

    pub(crate) fn object(self, name: &str) -> Result<Option<&'a Object>, Refusal> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_object().map(Some).ok_or_else(|| Refusal::mistyped(name, "a map"))
    }

    /// The texts of a list; none when it is absent.
    pub(crate) fn texts(self, name: &str) -> Result<Vec<&'a Arc<str>>, Refusal> {
        let items = self.list(name)?.map(|list| list.iter()).into_iter().flatten();
        items.map(|item| text_of(name, item)).collect()
    }

    /// The texts of a map; none when it is absent.
    pub(crate) fn text_map(self, name: &str) -> Result<TextPairs<'a>, Refusal> {
        let members = self.object(name)?.map(|object| object.iter()).into_iter().flatten();
        members.map(|(key, value)| Ok((key, text_of(name, value)?))).collect()
    }
}

fn text_of<'a>(name: &str, value: &'a Json) -> Result<&'a Arc<str>, Refusal> {
    match value {
        Json::String(text) => Ok(text),
        _ => Err(Refusal::mistyped(name, "of strings")),
    }
}
