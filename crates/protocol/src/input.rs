//! Members of a call's input, read by name. What has not the kind its model gives it is told as what it is; how that is said
//! to a client is a service's own affair.

use std::sync::Arc;

use stepwell_json::{Array, Json, Object};

/// A map's names and texts, in the order they came.
pub type TextPairs<'a> = Vec<(&'a Arc<str>, &'a Arc<str>)>;

/// An object of the input: all of it, or an entry of a list. A member that is null counts as absent.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(pub &'a Json);

/// Why a member cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misread {
    /// It has to be there.
    Missing(Arc<str>),
    /// It is something else than this: `a string`.
    Mistyped(Arc<str>, &'static str),
}

impl<'a> Input<'a> {
    /// A member that is there.
    pub fn member(self, name: &str) -> Option<&'a Json> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text, if any.
    pub fn text(self, name: &str) -> Result<Option<&'a Arc<str>>, Misread> {
        match self.member(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(mistyped(name, "a string")),
        }
    }

    /// A text that has to be there.
    pub fn required(self, name: &str) -> Result<&'a Arc<str>, Misread> {
        self.text(name)?.ok_or_else(|| Misread::Missing(name.into()))
    }

    /// A whole number, if any.
    pub fn integer(self, name: &str) -> Result<Option<i64>, Misread> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_i64().map(Some).ok_or_else(|| mistyped(name, "an integer"))
    }

    /// Yes or no, if it is said.
    pub fn flag(self, name: &str) -> Result<Option<bool>, Misread> {
        match self.member(name) {
            None => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(mistyped(name, "a boolean")),
        }
    }

    /// Whether it is said to be so.
    pub fn is_set(self, name: &str) -> Result<bool, Misread> {
        Ok(self.flag(name)?.unwrap_or(false))
    }

    /// A list, if any.
    pub fn list(self, name: &str) -> Result<Option<&'a Array>, Misread> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_array().map(Some).ok_or_else(|| mistyped(name, "a list"))
    }

    /// The items of a list; none when it is absent.
    pub fn items(self, name: &str) -> Result<&'a [Json], Misread> {
        Ok(self.list(name)?.map_or(&[], |items| &**items))
    }

    /// An object, if any.
    pub fn object(self, name: &str) -> Result<Option<&'a Object>, Misread> {
        let Some(value) = self.member(name) else { return Ok(None) };
        value.as_object().map(Some).ok_or_else(|| mistyped(name, "a map"))
    }

    /// The texts of a list; none when it is absent.
    pub fn texts(self, name: &str) -> Result<Vec<&'a Arc<str>>, Misread> {
        self.items(name)?.iter().map(|item| text_of(name, item)).collect()
    }

    /// The texts of a map; none when it is absent.
    pub fn text_map(self, name: &str) -> Result<TextPairs<'a>, Misread> {
        let members = self.object(name)?.map(Object::iter).into_iter().flatten();
        members.map(|(key, value)| Ok((key, text_of(name, value)?))).collect()
    }

    /// A member of a member; what is absent has none.
    pub fn below(self, name: &str) -> Input<'a> {
        static NOTHING: Json = Json::Null;
        Input(self.member(name).unwrap_or(&NOTHING))
    }
}

fn mistyped(name: &str, expected: &'static str) -> Misread {
    Misread::Mistyped(name.into(), expected)
}

fn text_of<'a>(name: &str, value: &'a Json) -> Result<&'a Arc<str>, Misread> {
    match value {
        Json::String(text) => Ok(text),
        _ => Err(mistyped(name, "of strings")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_what_they_are_read_as_or_told() {
        let json = Json::parse(r#"{"t":"x","n":1,"f":true,"l":["a"],"m":{"k":"v"},"z":null,"o":[1]}"#).expect("JSON");
        let input = Input(&json);
        let mistyped = |name: &str, expected| Err(Misread::Mistyped(name.into(), expected));
        assert_eq!(input.text("t").map(|text| text.map(|text| &**text)), Ok(Some("x")));
        assert_eq!(input.text("n").map(drop), mistyped("n", "a string"));
        assert_eq!((input.text("z").map(|text| text.is_none()), input.member("z").is_none()), (Ok(true), true));
        assert_eq!(input.required("z").map(drop), Err(Misread::Missing("z".into())));
        assert_eq!((input.integer("n"), input.integer("none")), (Ok(Some(1)), Ok(None)));
        assert_eq!(input.integer("t"), Err(Misread::Mistyped("t".into(), "an integer")));
        assert_eq!((input.flag("f"), input.flag("none"), input.is_set("none")), (Ok(Some(true)), Ok(None), Ok(false)));
        assert_eq!(input.is_set("t").map(drop), mistyped("t", "a boolean"));
        assert_eq!((input.items("l").map(<[Json]>::len), input.items("none").map(<[Json]>::len)), (Ok(1), Ok(0)));
        assert_eq!(input.list("m").map(drop), mistyped("m", "a list"));
        assert_eq!(input.object("l").map(drop), mistyped("l", "a map"));
        assert_eq!(input.texts("l").map(|texts| texts.len()), Ok(1));
        assert_eq!(input.texts("o").map(drop), mistyped("o", "of strings"));
        assert_eq!(input.text_map("m").map(|pairs| pairs.len()), Ok(1));
        assert_eq!(input.below("m").required("k").map(|text| &**text), Ok("v"));
        assert!(input.below("none").member("k").is_none());
    }
}
