//! A compiled path: what it starts from, what it selects, and what it may be used for.

use std::fmt;
use std::sync::Arc;

use stepwell_json::Json;

use crate::compile::compile_path;
use crate::error::{PathError, PathErrorKind, SyntaxError};
use crate::evaluate::Walk;
use crate::route::{Route, Step};
use crate::scope::Scope;

/// What a path starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// `$`: the state's input, or what takes its place there.
    Input,
    /// `$$`: the context object.
    Context,
    /// `$name`: a variable.
    Variable(Arc<str>),
}

/// A compiled path. Cloning it copies a pointer.
#[derive(Clone)]
pub struct Path(Arc<PathNode>);

struct PathNode {
    text: Box<str>,
    root: Root,
    route: Route,
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({:?})", self.text())
    }
}

impl PartialEq for Path {
    /// Paths are equal when their texts are.
    fn eq(&self, other: &Path) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Path {}

impl Path {
    /// Compiles `$.a`, `$$.Execution.Id`, `$name[0]` and everything else Jayway JsonPath can read.
    ///
    /// Fails with Jayway's words on what it cannot read, and on text beyond our limits: 256 steps, 16 levels of nesting.
    pub fn parse(text: &str) -> Result<Path, SyntaxError> {
        let (root, root_bytes) = parse_root(text)?;
        let route = compile_path(text, root_bytes)?;
        Ok(Path(Arc::new(PathNode { text: text.into(), root, route })))
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What it starts from.
    pub fn root(&self) -> &Root {
        &self.0.root
    }

    /// Whether it names one place: it then has that place's value or fails, and otherwise has a list.
    pub fn is_definite(&self) -> bool {
        self.0.route.is_definite()
    }

    /// Whether it is made of names and indices from the start only, so that it can serve as a reference path.
    pub fn is_reference(&self) -> bool {
        let is_narrow = |step: &Step| match step {
            Step::Name(_) => true,
            Step::Index(index) => *index >= 0,
            Step::Names(_)
            | Step::Indices(_)
            | Step::Slice(..)
            | Step::Wildcard
            | Step::Descend
            | Step::Filter(_)
            | Step::Function(_) => false,
        };
        self.0.route.is_plain && self.steps().iter().all(is_narrow)
    }

    /// Whether nothing follows the root.
    pub fn is_root(&self) -> bool {
        self.steps().is_empty()
    }

    /// The path's value in this document, which stands for its root whatever that is, exactly as Jayway reads it.
    ///
    /// A definite path has one value or fails. An indefinite one has a list, but fails when a name before its first
    /// indefinite step is missing; see [`Path::select`] for what AWS makes of that. No path can be read in `null`, not
    /// even `$`: fields for which `$` only means "everything" ask [`Path::is_root`] instead.
    pub fn read(&self, document: &Json) -> Result<Json, PathError> {
        if document.is_null() {
            return Err(PathError {
                kind: PathErrorKind::NullDocument,
                message: "Unable to apply Path transformation to null or empty input.".to_owned(),
            });
        }
        match self.0.route.follow(document) {
            Some(value) => Ok(value.clone()),
            None => Walk::new(document).read(&self.0.route, document).map_err(PathError::from),
        }
    }

    /// As [`Path::read`], but an indefinite path that leads nowhere is an empty list, as AWS was seen to have it:
    /// `$.item.items[*]` of `{}` is `[]`.
    pub fn select(&self, document: &Json) -> Result<Json, PathError> {
        match self.read(document) {
            Err(error) if error.kind == PathErrorKind::NotFound && !self.is_definite() => Ok(Json::array(Vec::new())),
            other => other,
        }
    }

    /// The path's value, read by [`Path::select`] in the document its root names.
    pub fn read_in(&self, scope: &dyn Scope) -> Result<Json, PathError> {
        match self.root() {
            Root::Input => self.select(scope.input()),
            Root::Context => self.select(&scope.context()),
            Root::Variable(name) => match scope.variable(name) {
                // A variable may well be null.
                Some(value) if self.is_root() => Ok(value),
                Some(value) => self.select(&value),
                None => Err(PathError {
                    kind: PathErrorKind::UndefinedVariable,
                    message: format!("The variable '${name}' is not defined"),
                }),
            },
        }
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0.route.steps
    }
}

/// The root a text starts with, and how many bytes it takes.
fn parse_root(text: &str) -> Result<(Root, usize), SyntaxError> {
    let Some(rest) = text.strip_prefix('$') else {
        return Err(SyntaxError { message: "Path must start with '$'".to_owned(), offset: 0 });
    };
    if rest.starts_with('$') {
        return Ok((Root::Context, 2));
    }
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let name = &rest[..length];
    match name.chars().next() {
        Some(first) if first.is_alphabetic() || first == '_' => Ok((Root::Variable(name.into()), 1 + length)),
        // A digit cannot start a variable's name; the compiler of steps says that it cannot follow the root either.
        _ => Ok((Root::Input, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots() {
        let variable = |name: &str| Root::Variable(name.into());
        for (text, root, is_root) in [
            ("$", Root::Input, true),
            ("$.a", Root::Input, false),
            ("$['a']", Root::Input, false),
            ("$$", Root::Context, true),
            ("$$.Execution.Id", Root::Context, false),
            ("$$[0]", Root::Context, false),
            ("$name", variable("name"), true),
            ("$name.a[0]", variable("name"), false),
            ("$name['a']", variable("name"), false),
            ("$_x9", variable("_x9"), true),
            ("$größe", variable("größe"), true),
        ] {
            let path = Path::parse(text).expect(text);
            assert_eq!((path.root(), path.is_root(), path.text()), (&root, is_root, text));
        }
    }

    #[test]
    fn what_is_no_path() {
        for (text, offset, message) in [
            ("", 0, "Path must start with '$'"),
            ("a", 0, "Path must start with '$'"),
            (" $.a", 0, "Path must start with '$'"),
            ("@.a", 0, "Path must start with '$'"),
            ("$1", 1, "Illegal character at position 1 expected '.' or '['"),
            ("$$23", 2, "Illegal character at position 2 expected '.' or '['"),
            ("$$a", 2, "Illegal character at position 2 expected '.' or '['"),
            ("$$$", 2, "Illegal character at position 2 expected '.' or '['"),
            ("$a-b", 2, "Illegal character at position 2 expected '.' or '['"),
            ("$a(1)", 2, "Illegal character at position 2 expected '.' or '['"),
            ("$.ä.b[x]", 6, "Could not parse token starting at position 6. Expected ?, ', 0-9, * "),
            ("$.a[?(@.b == $.c[)]", 16, "Square brackets does not match in filter "),
            ("$.a[?(@.b == c)]", 13, "Failed to parse filter: [?(@.b == c)], error on position: 10, char: c"),
            ("$.a[?($$.b)]", 7, "Illegal character at position 1 expected '.' or '['"),
        ] {
            let error = Path::parse(text).expect_err(text);
            assert_eq!((error.offset, &*error.message), (offset, message), "{text}");
        }
    }

    #[test]
    fn kinds_of_paths() {
        for (text, is_definite, is_reference) in [
            ("$", true, true),
            ("$.a['b c'][0]", true, true),
            ("$$.Map.Item.Value", true, true),
            ("$name.a", true, true),
            ("$.a[-1]", true, false),
            ("$['a','b']", true, false),
            ("$.a.length()", true, false),
            ("$.a,b", true, false),
            ("$.a[", true, false),
            ("$['a','b'].c", false, false),
            ("$.a[0,1]", false, false),
            ("$.a[1:]", false, false),
            ("$.a[*]", false, false),
            ("$..a", false, false),
            ("$.a[?(@.b)]", false, false),
        ] {
            let path = Path::parse(text).expect(text);
            assert_eq!((path.is_definite(), path.is_reference()), (is_definite, is_reference), "{text}");
        }
    }

    #[test]
    fn aws_has_an_empty_list_where_jayway_fails() {
        for (text, document) in [
            ("$[*]", "{}"),
            ("$.item.items[*]", "{}"),
            ("$.item.items[1:5]", "{}"),
            ("$.items[:1].itemValue", "{}"),
            ("$.a[?(@.b)]", "{}"),
            ("$.a[0:1]", r#"{"a":1}"#),
        ] {
            let document = Json::parse(document).expect("JSON");
            let value = Path::parse(text).expect(text).select(&document);
            assert_eq!(value, Ok(Json::array(Vec::new())), "{text}");
        }
    }

    #[test]
    fn nothing_is_read_in_null() {
        for text in ["$", "$.a", "$[*]", "$.length()"] {
            let error = Path::parse(text).expect(text).select(&Json::Null).expect_err(text);
            assert_eq!(error.kind, PathErrorKind::NullDocument);
        }
    }

    #[test]
    fn values_are_shared() {
        let document = Json::parse(r#"{"a":[{"b":[1,2]}]}"#).expect("JSON");
        let array = |value: &Json| value.as_array().cloned().expect("an array");
        let value = Path::parse("$.a[0].b").expect("a path").read(&document).expect("a value");
        let list = Path::parse("$..b").expect("a path").read(&document).expect("a list");
        assert!(array(&value).is_same(&array(&list)[0].as_array().cloned().expect("an array")));
    }
}
