//! The ways a text can fail to be an expression, and the ways an expression can fail to have a value.

use std::error::Error;
use std::fmt;

use stepwell_json::{Json, Pointer};

/// A text that is not a path or an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong, in the words of the JSONPath library AWS uses where it has any.
    pub message: String,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
}

/// A path that has no value in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// What kind of failure this is.
    pub kind: PathErrorKind,
    /// What happened, in the words of the JSONPath library AWS uses: `No results for path: $['x']`.
    pub message: String,
}

/// Why a path has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathErrorKind {
    /// A definite path leads nowhere.
    NotFound,
    /// A path function or filter cannot work on what it was given.
    Invalid,
    /// The document is `null`, in which no path can be read, not even `$`.
    NullDocument,
    /// The variable the path starts from is not assigned.
    UndefinedVariable,
    /// The evaluation took more steps than one path is allowed.
    TooExpensive,
}

/// A value that cannot be put where a reference path points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutError {
    /// What is in the way.
    pub message: String,
}

/// One thing wrong with a payload template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// The faulty member, within the template.
    pub pointer: Pointer,
    /// The key as written: `value.$`.
    pub field: String,
    /// What is wrong with its value.
    pub message: String,
    /// Where, in bytes from the start of the expression's text.
    pub offset: usize,
}

/// An expression that has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationError {
    /// What kind of failure this is.
    pub kind: EvaluationErrorKind,
    /// The key the expression was written under, `value.$`; empty where the caller alone knows it.
    pub field: String,
    /// The text of the whole expression.
    pub expression: String,
    /// The path that failed, where it is an argument of an intrinsic function.
    pub argument: Option<String>,
    /// What happened, in the words of the path or function that failed. For AWS's sentence see
    /// [`EvaluationError::cause`].
    pub message: String,
}

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationErrorKind {
    /// The path, or a path among an intrinsic function's arguments, leads nowhere. AWS fails with `States.Runtime`.
    PathNotFound,
    /// A path function or filter cannot work on what it was given.
    PathInvalid,
    /// The document a path starts from is `null`. AWS fails with `States.Runtime`.
    NullDocument,
    /// A variable is not assigned.
    UndefinedVariable,
    /// An intrinsic function refused its arguments: `States.IntrinsicFailure`.
    Intrinsic,
    /// The evaluation took more steps, or made more data, than one expression is allowed.
    TooExpensive,
}

impl EvaluationError {
    /// What AWS says happened, when `input` is what `$` named. A cause in the history puts the state's name before it.
    pub fn cause(&self, input: &Json) -> String {
        let problem = match (self.kind, &self.argument) {
            (EvaluationErrorKind::NullDocument, _) => return self.message.clone(),
            (EvaluationErrorKind::PathNotFound, None) => {
                return format!(
                    "The JSONPath '{}' specified for the field '{}' could not be found in the input '{input}'",
                    self.expression, self.field
                );
            }
            (EvaluationErrorKind::PathNotFound, Some(path)) => {
                format!("The JsonPath argument for the field '{path}' could not be found in the input '{input}'")
            }
            (EvaluationErrorKind::PathInvalid, None) => {
                return format!("Invalid path '{}' : {}", self.expression, self.message);
            }
            (EvaluationErrorKind::PathInvalid, Some(path)) => format!("Invalid path '{path}' : {}", self.message),
            (
                EvaluationErrorKind::UndefinedVariable
                | EvaluationErrorKind::Intrinsic
                | EvaluationErrorKind::TooExpensive,
                _,
            ) => self.message.clone(),
        };
        if self.expression.starts_with('$') {
            return problem;
        }
        format!("The function '{}' had the following error: {problem}", self.expression)
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for PutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.message, self.pointer)
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SyntaxError {}
impl Error for PathError {}
impl Error for PutError {}
impl Error for TemplateFault {}
impl Error for EvaluationError {}
