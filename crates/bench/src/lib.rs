//! The published benchmark: load for Step Functions endpoints, and what came of it.
//!
//! Owns the load generator, the workloads, the baseline they are held against, and the reports. Speaks to what it measures
//! through HTTP alone and knows nothing of how it works, so that what is measured is what any client gets, here or elsewhere.

mod baseline;
mod baseline_load;
mod bench;
mod client;
mod clock;
mod connection;
mod disk;
mod endpoint;
mod executions;
mod histogram;
mod load;
mod process;
mod report;
mod run;
mod settings;
mod site;
mod starts;
mod supply;
mod sync;
mod workloads;

pub use baseline::serve_baseline;
pub use baseline_load::COMMAND as BASELINE_COMMAND;
pub use run::{Fault, Outcome, run, workloads};
pub use settings::Settings;
pub use stepwell_protocol::Keys;
