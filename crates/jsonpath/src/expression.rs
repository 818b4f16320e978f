//! A field that takes a path or an intrinsic function call.

use std::cell::OnceCell;
use std::sync::Arc;

use stepwell_json::{DEPTH_MAX, Json};

use crate::error::{EvaluationError, EvaluationErrorKind, PathError, PathErrorKind, SyntaxError};
use crate::intrinsics::{IntrinsicRow, Invocation};
use crate::path::{Path, Root};
use crate::scope::Scope;

/// A compiled path or intrinsic function call.
#[derive(Clone, Debug)]
pub struct ValueExpression(Value);

#[derive(Clone, Debug)]
enum Value {
    Path(Path),
    Call(Arc<Call>),
}

#[derive(Debug)]
struct Call {
    text: Box<str>,
    invocation: Invocation,
}

impl ValueExpression {
    /// Compiles a text that starts with `$` as a path, and any other as a call of an intrinsic function.
    pub fn parse(text: &str) -> Result<ValueExpression, SyntaxError> {
        if text.starts_with('$') {
            return Ok(ValueExpression(Value::Path(Path::parse(text)?)));
        }
        let invocation = Invocation::parse(text)?;
        Ok(ValueExpression(Value::Call(Arc::new(Call { text: text.into(), invocation }))))
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        match &self.0 {
            Value::Path(path) => path.text(),
            Value::Call(call) => &call.text,
        }
    }

    /// The path, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Value::Path(path) => Some(path),
            Value::Call(_) => None,
        }
    }

    /// The outermost intrinsic function, if it is a call.
    pub fn intrinsic(&self) -> Option<&'static IntrinsicRow> {
        match &self.0 {
            Value::Path(_) => None,
            Value::Call(call) => Some(call.invocation.row()),
        }
    }

    /// Names of the variables it reads, sorted, each once.
    pub fn variables(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        self.collect_variables(&mut names);
        sorted_once(names)
    }

    /// Its value. The error's `field` is empty: only the caller knows where the expression stands.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Json, EvaluationError> {
        self.evaluate_in(&Sight::new(scope))
    }

    pub(crate) fn evaluate_in(&self, sight: &Sight<'_>) -> Result<Json, EvaluationError> {
        let value = match &self.0 {
            Value::Path(path) => sight.read(path),
            Value::Call(call) => call.invocation.evaluate(sight),
        };
        let value = match value {
            Ok(value) if value.depth() > DEPTH_MAX => Err(Failure::too_deep()),
            other => other,
        };
        value.map_err(|failure| EvaluationError {
            kind: failure.kind,
            field: String::new(),
            expression: self.text().to_owned(),
            argument: failure.path.filter(|_| self.path().is_none()),
            message: failure.message,
        })
    }

    pub(crate) fn collect_variables(&self, names: &mut Vec<Arc<str>>) {
        match &self.0 {
            Value::Path(path) => names.extend(variable_of(path)),
            Value::Call(call) => call.invocation.for_each_path(&mut |path| names.extend(variable_of(path))),
        }
    }
}

fn variable_of(path: &Path) -> Option<Arc<str>> {
    match path.root() {
        Root::Variable(name) => Some(name.clone()),
        Root::Input | Root::Context => None,
    }
}

/// The names in order, each once.
pub(crate) fn sorted_once(mut names: Vec<Arc<str>>) -> Vec<Arc<str>> {
    names.sort();
    names.dedup();
    names
}

/// A scope during one evaluation: the context object is asked for once at most.
pub(crate) struct Sight<'a> {
    pub(crate) scope: &'a dyn Scope,
    context: OnceCell<Json>,
}

impl<'a> Sight<'a> {
    pub(crate) fn new(scope: &'a dyn Scope) -> Sight<'a> {
        Sight { scope, context: OnceCell::new() }
    }

    pub(crate) fn read(&self, path: &Path) -> Result<Json, Failure> {
        let value = match path.root() {
            Root::Context => path.select(self.context.get_or_init(|| self.scope.context())),
            Root::Input | Root::Variable(_) => path.read_in(self.scope),
        };
        value.map_err(|error| Failure::of_path(path, error))
    }
}

/// A failure inside an expression, before it is known which.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: EvaluationErrorKind,
    path: Option<String>,
    message: String,
}

impl Failure {
    /// An intrinsic function refuses its arguments.
    pub(crate) fn intrinsic(message: impl Into<String>) -> Failure {
        Failure { kind: EvaluationErrorKind::Intrinsic, path: None, message: message.into() }
    }

    /// An expression would make more data than it is allowed.
    pub(crate) fn too_large(bytes_max: usize) -> Failure {
        let message = format!("The expression makes more than {bytes_max} bytes of text");
        Failure { kind: EvaluationErrorKind::TooExpensive, path: None, message }
    }

    fn too_deep() -> Failure {
        let message = format!("The value nests deeper than {DEPTH_MAX} levels");
        Failure { kind: EvaluationErrorKind::TooExpensive, path: None, message }
    }

    fn of_path(path: &Path, error: PathError) -> Failure {
        let kind = match error.kind {
            PathErrorKind::NotFound => EvaluationErrorKind::PathNotFound,
            PathErrorKind::Invalid => EvaluationErrorKind::PathInvalid,
            PathErrorKind::NullDocument => EvaluationErrorKind::NullDocument,
            PathErrorKind::UndefinedVariable => EvaluationErrorKind::UndefinedVariable,
            PathErrorKind::TooExpensive => EvaluationErrorKind::TooExpensive,
        };
        Failure { kind, path: Some(path.text().to_owned()), message: error.message }
    }
}
