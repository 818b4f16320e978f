//! What can go wrong, with the reference's codes.

use std::fmt;

use stepwell_json::Json;

/// A failed parse or evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// The reference's code, such as `T2001`: S is syntax, T is type, D is a value at run time.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
    /// Where, in UTF-16 units from the start of the expression.
    pub position: usize,
    /// The operator, function or name concerned.
    pub token: Option<String>,
    /// The offending value, if JSON can say it.
    pub value: Option<Json>,
    /// Which argument of a function, from 1.
    pub index: Option<usize>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}
