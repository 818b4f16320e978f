//! JSONata as AWS Step Functions has it: parsed once, evaluated many times, bounded and deterministic.
//!
//! An [`Expression`] is compiled from text and evaluated straight over the shared tree of `stepwell-json`: binding an
//! input or a variable clones a pointer. Time and chance come in through the [`Environment`]; [`Limits`] bound steps,
//! depth and the bytes of values made, so that no expression can hang or kill the process.
//!
//! The language is that of the reference implementation, jsonata-js 2.2, without `$eval` and with what Step Functions
//! adds: `$partition`, `$range`, `$hash`, `$random(seed)`, `$uuid` and `$parse`. Where it differs is written in
//! `docs/decisions/0003-own-jsonata.md`. This crate knows nothing of state machines.

mod error;
mod evaluate;
mod functions;
mod lexer;
mod limits;
mod lower;
mod number;
mod parser;
mod picture;
mod program;
mod regex;
mod signature;
mod stack;
mod stringify;
mod syntax;
mod top_level;
mod value;
mod variables;

use std::fmt;
use std::sync::Arc;

use stepwell_json::Json;

pub use error::Error;
pub use functions::names as function_names;
pub use limits::Limits;
pub use top_level::TopLevelReference;

/// A parsed expression. Shared between threads and evaluated as often as one likes.
pub struct Expression {
    text: String,
    program: program::Program,
    reads: variables::Reads,
    top_level: Option<TopLevelReference>,
}

/// What an evaluation gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Nothing: JSONata's undefined.
    Undefined,
    /// A value.
    Value(Json),
    /// A function, which JSON cannot say.
    Function,
}

/// What an evaluation may see.
pub struct Environment<'a> {
    /// `$` and `$$`; `None` is undefined.
    pub input: Option<&'a Json>,
    /// The value of `$name`, asked for at most once per name and evaluation. It is asked for functions of the language
    /// too, which a variable of the same name hides.
    pub variables: &'a dyn Fn(&str) -> Option<Json>,
    /// The moment of `$now()` and `$millis()`: milliseconds since 1970.
    pub now_ms: i64,
    /// The only source of chance: `$random()`, `$uuid()`, `$shuffle()`.
    pub draw: &'a dyn Fn() -> u64,
    /// Bounds of the evaluation.
    pub limits: Limits,
}

impl Expression {
    /// Parses an expression. Fails with the reference's `S…` codes and the position of the fault.
    pub fn parse(text: &str) -> Result<Expression, Error> {
        let compile = || {
            let syntax = parser::parse(text)?;
            let reads = variables::Reads::of(&syntax);
            let top_level = top_level::first_reference(&syntax);
            Ok((lower::lower(syntax)?, reads, top_level))
        };
        let (program, reads, top_level) = compile().map_err(|fault: Box<error::Fault>| fault.into_error())?;
        Ok(Expression { text: text.to_owned(), program, reads, top_level })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Free variables it reads, without `$`, sorted and unique; functions, `$` and `$$` are not among them.
    pub fn variables(&self) -> &[Arc<str>] {
        &self.reads.names
    }

    /// Whether evaluating can read member `member` of free variable `variable`: true when `$variable.member` occurs,
    /// or the variable in any other way than followed by a name.
    pub fn may_read(&self, variable: &str, member: &str) -> bool {
        self.reads.may_read(variable, member)
    }

    /// The first place where it asks for its context outside of any path: a field name, `$` or `$$`.
    pub fn top_level_reference(&self) -> Option<&TopLevelReference> {
        self.top_level.as_ref()
    }

    /// Evaluates. Fails with the reference's `T…` and `D…` codes and the position of the innermost fault.
    pub fn evaluate(&self, environment: &Environment<'_>) -> Result<Outcome, Error> {
        evaluate::evaluate(&self.program, environment).map_err(|fault| fault.into_error())
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}
