//! JSON Pointer (RFC 6901): how a diagnostic names a place in a document.

use std::fmt;

use crate::value::Json;

/// A place in a document, such as `/States/Greet/Next`. The empty pointer is the whole document.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(String);

impl Pointer {
    /// The whole document.
    pub fn root() -> Pointer {
        Pointer::default()
    }

    /// The member of this name below this place.
    pub fn key(&self, key: &str) -> Pointer {
        Pointer(format!("{}/{}", self.0, key.replace('~', "~0").replace('/', "~1")))
    }

    /// The item at this index below this place.
    pub fn index(&self, index: usize) -> Pointer {
        Pointer(format!("{}/{index}", self.0))
    }

    /// The pointer's text; empty for the whole document.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value at this place.
    pub fn find<'a>(&self, document: &'a Json) -> Option<&'a Json> {
        self.0.split('/').skip(1).try_fold(document, |value, token| match value {
            Json::Object(members) => members.get(&token.replace("~1", "/").replace("~0", "~")),
            Json::Array(items) if token == "0" || !token.starts_with('0') => items.get(token.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Pointer {
    fn from(text: &str) -> Pointer {
        Pointer(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_find_what_they_name() {
        let document = Json::parse(r#"{"a/b":{"~":[10,20]},"":0}"#).expect("JSON");
        let place = Pointer::root().key("a/b").key("~").index(1);
        assert_eq!(place.as_str(), "/a~1b/~0/1");
        assert_eq!(place.find(&document), Some(&Json::from(20)));
        assert_eq!(Pointer::root().find(&document), Some(&document));
        assert_eq!(Pointer::from("/").find(&document), Some(&Json::from(0)));
        assert_eq!(Pointer::from("/a~1b/~0/01").find(&document), None);
        assert_eq!(Pointer::from("/nope").find(&document), None);
    }
}
