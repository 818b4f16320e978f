//! State machines, versions, aliases, activities and tags: what exists besides executions.

use std::sync::Arc;

use stepwell_asl::Definition;
use stepwell_spec::Text;

/// All of it, of every account and region.
#[derive(Debug, Default)]
pub struct Registry {}

/// One revision of a state machine, as executions started from it see it.
#[derive(Debug)]
pub struct MachineRow {
    /// The ARN without a version or alias.
    pub arn: Text,
    /// Its name.
    pub name: Text,
    /// The definition's text as it was given.
    pub definition_text: Text,
    /// The same, compiled.
    pub definition: Arc<Definition>,
    /// The role its executions run under.
    pub role_arn: Text,
    /// Whether it is an Express state machine.
    pub express: bool,
}

/// What an execution is started from.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The revision.
    pub machine: Arc<MachineRow>,
    /// ARN of the version, when one was asked for or an alias led to it.
    pub version_arn: Option<Text>,
    /// ARN of the alias that was asked for.
    pub alias_arn: Option<Text>,
}
