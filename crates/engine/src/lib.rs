//! Many executions: timers, task dispatch, one input at a time.
//!
//! [`Engine::step`] is the only entrance: an [`Input`] and the moment it arrives at, an [`Outbox`] in return. One step is
//! one frame: what it recorded is kept together or not at all, and nothing in the outbox may leave before it is kept.
//! No clock, thread or socket is visible in here; [`run_to_end`] drives an engine with whatever clock and transport it
//! is given.

mod map_runs;
#[cfg(feature = "poison")]
mod poison;
mod ports;
mod results;
mod run;
mod step;
mod timers;

pub use map_runs::{ChildOf, Counts, MapRunCounts, MapRunLimits, items_in};
pub use ports::{Answer, Clock, Dispatch, Transport};
pub use run::{Observer, Stopped, VirtualClock, run_to_end};
pub use step::{Engine, ExecutionId, Input, Outbox};
pub use timers::Timers;
