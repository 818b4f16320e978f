//! Reference paths: the narrow paths that name one place to put a value.

use stepwell_json::{DEPTH_MAX, Json, ObjectBuilder};

use crate::error::{PutError, SyntaxError};
use crate::path::{Path, Root};
use crate::route::Step;

/// A compiled reference path, such as `ResultPath` takes: `$`, or names and indices after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferencePath(Path);

impl ReferencePath {
    /// Compiles a path of names and indices from `$`. Fails on any other path: it could name several places, or none
    /// that can be written to.
    pub fn parse(text: &str) -> Result<ReferencePath, SyntaxError> {
        let path = Path::parse(text)?;
        let message = match path.root() {
            Root::Input if path.is_reference() => return Ok(ReferencePath(path)),
            Root::Input => "A reference path has only names and indices",
            Root::Context => "The context object cannot be written to",
            Root::Variable(_) => "A variable is set by Assign, not by a path",
        };
        Err(SyntaxError { message: message.to_owned(), offset: 0 })
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// The same place, as a path to read.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The document with the value at this place. Only the objects and arrays on the way are copied.
    ///
    /// A name that is missing is added, with objects for the names after it. An index has to be that of an item, or the
    /// one after the last, which appends. Fails where a scalar, or an array in place of an object or the other way
    /// round, stands in the way, and where the result would nest deeper than any document may.
    pub fn put(&self, document: &Json, value: Json) -> Result<Json, PutError> {
        let result = put(self.0.steps(), Some(document), value)?;
        if result.depth() > DEPTH_MAX {
            return Err(PutError { message: format!("The result nests deeper than {DEPTH_MAX} levels") });
        }
        Ok(result)
    }
}

/// `at` with the value where the steps lead; the recursion is as deep as a path has steps.
fn put(steps: &[Step], at: Option<&Json>, value: Json) -> Result<Json, PutError> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(value);
    };
    match (step, at) {
        (Step::Name(name), Some(Json::Object(members))) => {
            let member = put(rest, members.get(name), value)?;
            Ok(Json::Object(members.with(name.clone(), member)))
        }
        (Step::Name(name), None) => {
            let mut members = ObjectBuilder::new();
            members.insert(name.clone(), put(rest, None, value)?);
            Ok(Json::Object(members.build()))
        }
        (Step::Index(index), Some(Json::Array(items))) => {
            let place = usize::try_from(*index).ok().filter(|place| *place <= items.len());
            let place = place.ok_or_else(|| out_of_the_way(step, at))?;
            let item = put(rest, items.get(place), value)?;
            let mut items = items.to_vec();
            if place == items.len() {
                items.push(item);
            } else {
                items[place] = item;
            }
            Ok(Json::array(items))
        }
        _ => Err(out_of_the_way(step, at)),
    }
}

fn out_of_the_way(step: &Step, at: Option<&Json>) -> PutError {
    let step = match step {
        Step::Name(name) => name.to_string(),
        other => other.to_string(),
    };
    let found = at.map_or_else(|| "nothing".to_owned(), Json::to_string);
    PutError { message: format!("Unable to apply step \"{step}\" to input {found}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, document: &str, expected: Result<&str, &str>) {
        let document = Json::parse(document).expect("JSON");
        let path = ReferencePath::parse(path).expect(path);
        let result = path.put(&document, Json::from(7)).map(|result| result.to_string());
        assert_eq!(result.as_deref().map_err(|error| &*error.message), expected, "{}", path.text());
    }

    #[test]
    fn values_are_put() {
        for (path, document, expected) in [
            ("$", r#"{"a":1}"#, Ok("7")),
            ("$", "null", Ok("7")),
            ("$.a", r#"{"a":1,"b":2}"#, Ok(r#"{"a":7,"b":2}"#)),
            ("$.c", r#"{"a":1}"#, Ok(r#"{"a":1,"c":7}"#)),
            ("$['a b']['c.d']", "{}", Ok(r#"{"a b":{"c.d":7}}"#)),
            ("$.a.b.c", r#"{"a":{"x":1}}"#, Ok(r#"{"a":{"x":1,"b":{"c":7}}}"#)),
            ("$.a[1]", r#"{"a":[1,2,3]}"#, Ok(r#"{"a":[1,7,3]}"#)),
            ("$[0].b", r#"[{"a":1}]"#, Ok(r#"[{"a":1,"b":7}]"#)),
            ("$.a[1]", r#"{"a":[1]}"#, Ok(r#"{"a":[1,7]}"#)),
            ("$.a[0].b", r#"{"a":[]}"#, Ok(r#"{"a":[{"b":7}]}"#)),
            ("$.a[2]", r#"{"a":[1]}"#, Err(r#"Unable to apply step "[2]" to input [1]"#)),
            ("$.a[0]", "{}", Err(r#"Unable to apply step "[0]" to input nothing"#)),
            ("$.a.b", r#"{"a":1}"#, Err(r#"Unable to apply step "b" to input 1"#)),
            ("$.a.b", r#"{"a":null}"#, Err(r#"Unable to apply step "b" to input null"#)),
            ("$.a", "\"text\"", Err(r#"Unable to apply step "a" to input "text""#)),
            ("$.a", "[1]", Err(r#"Unable to apply step "a" to input [1]"#)),
            ("$[0]", "{}", Err(r#"Unable to apply step "[0]" to input {}"#)),
        ] {
            check(path, document, expected);
        }
    }

    #[test]
    fn what_is_not_on_the_way_is_shared() {
        let document = Json::parse(r#"{"big":{"a":[1,2,3]},"small":1}"#).expect("JSON");
        let path = ReferencePath::parse("$.small").expect("a reference path");
        let result = path.put(&document, Json::Null).expect("a place");
        let (Some(Json::Object(before)), Some(Json::Object(after))) = (document.get("big"), result.get("big")) else {
            panic!("objects");
        };
        assert!(before.is_same(after));
    }

    #[test]
    fn only_narrow_paths_are_reference_paths() {
        for path in ["$", "$.a", "$['a'].b[0][12]", "$.a-b", "$['a b']", "$['a,b:?*']"] {
            assert!(ReferencePath::parse(path).is_ok(), "{path}");
        }
        for path in [
            "$.*",
            "$..a",
            "$[-1]",
            "$[0,1]",
            "$[0:1]",
            "$['a','b']",
            "$.a[?(@.b)]",
            "$.a.length()",
            "$$",
            "$$.a",
            "$v",
            "$v.a",
            "",
            "a",
            "$.",
            "$.a[",
        ] {
            assert!(ReferencePath::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let path = ReferencePath::parse(&format!("${}", ".a".repeat(200))).expect("a reference path");
        let once = path.put(&Json::empty_object(), Json::from(1)).expect("200 levels");
        let twice = path.put(&Json::empty_object(), once).expect("400 levels");
        assert!(path.put(&Json::empty_object(), twice).is_err());
    }
}
