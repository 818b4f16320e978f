//! A program: a state machine and the input it is started with, both from one seed.

use crate::generate;

/// A random state machine with an input for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The seed it is of.
    pub seed: u64,
    /// The definition, in the Amazon States Language.
    pub definition: String,
    /// The input, as JSON text.
    pub input: String,
}

impl Program {
    /// The program of this seed: the same on every machine.
    ///
    /// Its definition is valid, for Standard workflows. Its tasks are Lambda functions
    /// (`arn:aws:lambda:us-east-1:123456789012:function:NAME`) and activities
    /// (`arn:aws:states:us-east-1:123456789012:activity:NAME`); NAME is one of [`crate::worker::NAMES`].
    pub fn random(seed: u64) -> Program {
        let (definition, input) = generate::machine(seed);
        Program { seed, definition: definition.to_string(), input: input.to_string() }
    }
}
