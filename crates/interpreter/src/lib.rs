//! One execution of a state machine as a pure function of its log.
//!
//! A [`Command`] comes in with the [`Moment`] it arrives at; [`Execution::decide`] answers with the records that
//! happened and the effects they ask for. Every record is folded into the state by one dull function
//! ([`Execution::evolve`]), also while deciding, so that replaying the log gives the very same execution.
//!
//! Nothing here waits, sleeps, reads a clock or draws chance on its own: time and entropy arrive with the command, and
//! what they produced is in the records.

mod catch;
mod command;
mod context_object;
mod data_flow;
mod decide;
mod effect;
mod evolve;
mod execution;
mod failure;
mod inspection;
mod moment;
mod query;
mod rehearsal;
mod retry;
mod scope;
mod settings;
mod states;
mod tokens;

pub use command::Command;
pub use decide::Decision;
pub use effect::{
    ChildResult, Effect, Inputs, ItemsRequest, MapRunRequest, ResultKind, ResultsRequest, TaskKey, TaskRequest,
    TimerKey, TimerPurpose,
};
pub use execution::{Execution, Identity, Start, Status, ThreadId};
pub use failure::{Failure, matches_error};
pub use inspection::Inspection;
pub use moment::{Chance, Moment};
pub use rehearsal::{TestOutcome, TestSetup, TestedState};
pub use settings::Settings;
pub use states::map_run::{map_label, result_key};
pub use tokens::{TokenIssuer, Tokens};
