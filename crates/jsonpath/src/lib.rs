//! JSONPath as the Amazon States Language has it, reference paths, payload templates and intrinsic functions.
//!
//! Everything is compiled once from its text and then evaluated, any number of times and from any thread, against
//! shared [`stepwell_json::Json`] trees. Results are clones of pointers into those trees; nothing is copied.
//!
//! This crate knows nothing of states or executions: the documents a path can start from come through [`Scope`],
//! and so does chance. It draws no time, keeps nothing between calls, and bounds every evaluation.

mod compile;
mod condition;
mod condition_compile;
mod error;
mod evaluate;
mod expression;
mod function;
#[cfg(test)]
mod golden;
pub mod intrinsics;
mod java_text;
mod literal;
mod path;
mod reference;
mod route;
mod scope;
mod template;

pub use error::{EvaluationError, EvaluationErrorKind, PathError, PathErrorKind, PutError, SyntaxError, TemplateFault};
pub use expression::ValueExpression;
pub use path::{Path, Root};
pub use reference::ReferencePath;
pub use scope::Scope;
pub use template::Template;
