//! Revisions of state machines: what an execution is started from and keeps for its life.
//!
//! Each has a number that no other has. Those that a machine or a version leads to are in memory, and so are those that
//! somebody still holds; the others are found in the store, which never forgets one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock, Weak};

use stepwell_asl::Definition;
use stepwell_spec::shapes::{EncryptionConfiguration, LoggingConfiguration, StateMachineType, TracingConfiguration};
use stepwell_spec::{ProtocolError, Text, Timestamp};

use crate::definitions::compile_definition;
use crate::refusal::Refusal;

/// Revisions kept that nothing leads to: a definition may have a megabyte, and those that are asked for are mostly those
/// that were just replaced.
const RECENT_MAX: usize = 64;

/// One revision of a state machine, as executions started from it see it.
#[derive(Clone, Debug)]
pub struct MachineRow {
    /// Its number in the service. Counted up; no other revision of any machine has it.
    pub number: u64,
    /// The ARN without a version or alias.
    pub arn: Text,
    /// Its name.
    pub name: Text,
    /// The definition's text as it was given.
    pub definition_text: Text,
    /// The same, compiled when somebody first asks for it.
    pub(in crate::service) definition: OnceLock<Arc<Definition>>,
    /// The role its executions run under.
    pub role_arn: Text,
    /// Whether it is an Express state machine.
    pub express: bool,
    /// Which events of its executions are logged.
    pub logging_configuration: Option<LoggingConfiguration>,
    /// Whether its executions are traced.
    pub tracing_configuration: Option<TracingConfiguration>,
    /// Which key its data is encrypted with.
    pub encryption_configuration: Option<EncryptionConfiguration>,
    /// The revision; none before the first update.
    pub revision_id: Option<Text>,
    /// When the state machine was created.
    pub created_at: Timestamp,
    /// When this revision was made.
    pub updated_at: Timestamp,
}

impl MachineRow {
    /// The definition, compiled. It was valid when it was stored; that this version of the program no longer compiles it
    /// is a failure of the server.
    pub fn definition(&self) -> Result<&Arc<Definition>, Refusal> {
        if let Some(definition) = self.definition.get() {
            return Ok(definition);
        }
        let compiled = compile_definition(&self.definition_text, Some(self.kind())).map_err(|refusal| {
            let told = refusal.message().unwrap_or_default();
            let message = format!("The stored definition of {} does not compile any more: {told}", self.arn);
            Refusal::protocol(ProtocolError::InternalFailure, message)
        })?;
        Ok(self.definition.get_or_init(|| Arc::new(compiled)))
    }

    /// Standard or Express.
    pub(super) fn kind(&self) -> StateMachineType {
        if self.express { StateMachineType::Express } else { StateMachineType::Standard }
    }
}

/// The revisions in memory, by number.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    /// The highest number given so far.
    last: u64,
    /// Those that somebody may still hold.
    held: BTreeMap<u64, Weak<MachineRow>>,
    /// Those used last, so that they are held.
    recent: VecDeque<Arc<MachineRow>>,
    /// When `held` has so many, those that nobody holds any more are thrown out.
    sweep_at: usize,
}

impl Revisions {
    /// In which revisions up to this number exist.
    pub(super) fn after(last: u64) -> Revisions {
        Revisions { last, ..Revisions::default() }
    }

    /// A number that no revision has.
    pub(super) fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Remembers a revision as long as somebody holds it.
    pub(super) fn remember(&mut self, row: MachineRow) -> Arc<MachineRow> {
        let row = Arc::new(row);
        if self.held.len() >= self.sweep_at {
            self.held.retain(|_, row| row.strong_count() > 0);
            self.sweep_at = 2 * self.held.len() + RECENT_MAX;
        }
        self.held.insert(row.number, Arc::downgrade(&row));
        row
    }

    /// Holds a revision for a while after its last use here.
    pub(super) fn keep(&mut self, row: Arc<MachineRow>) {
        self.recent.retain(|known| known.number != row.number);
        self.recent.push_back(row);
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
    }

    /// The revision of this number, if it is in memory.
    pub(super) fn get(&self, number: u64) -> Option<Arc<MachineRow>> {
        self.held.get(&number)?.upgrade()
    }
}
