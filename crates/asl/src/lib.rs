//! Amazon States Language text to a typed, compiled definition with spans, and all diagnostics at once.
//!
//! [`Source`] holds a text in JSON or YAML; [`compile`] reads it against the table of fields of `stepwell-spec`, compiles
//! every path, template and expression, and judges the graph and the variables. A [`Definition`] comes out when nothing
//! is wrong, and in any case every fault that was found, with its place, in our words and in AWS's.
//!
//! This crate knows nothing of executions. It draws no time and no chance.

mod definition;
mod diagnostics;
mod faults;
mod graph;
mod read;
mod source;
mod suggest;
mod trail;
mod variables;
mod yaml;

pub use definition::*;
pub use diagnostics::{AwsVoice, Code, Diagnostic, Severity, invalid_definition_message};
pub use source::{Format, Source};
pub use variables::variable_references;

/// How a definition is meant to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The type of the state machine it is for.
    pub machine_type: MachineType,
}

/// The two types of state machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MachineType {
    /// Durable, up to a year long.
    #[default]
    Standard,
    /// Fast, up to five minutes long; without jobs, callbacks, activities and distributed Maps.
    Express,
}

/// What came of a text.
#[derive(Debug)]
pub struct Compilation {
    /// The definition; there is one exactly when no diagnostic is an error.
    pub definition: Option<Definition>,
    /// Everything that was found, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles a definition.
///
/// Takes time in proportion to the text. A text beyond 1,048,576 characters is refused unread; at most 1,000 diagnostics
/// are listed, and the last one says when there are more.
pub fn compile(source: &Source, options: &Options) -> Compilation {
    read::compile(source, options)
}

/// Compiles one state that stands without its machine, under this name.
///
/// The definition's first state is it. What it leads to is not looked for: a state of that name stands in for it, which has
/// nothing to do. Faults are told as [`compile`] tells them, with places below the state.
pub fn compile_state(source: &Source, name: &str, options: &Options) -> Compilation {
    read::compile_state(source, name, options)
}
