//! A local Lambda: functions, their versions and aliases kept in a directory, and run as processes of this machine that
//! speak the Lambda Runtime API, or served by somebody else at a URL.
//!
//! Calls come as trees under the names of the service's model; no socket of the service itself is here. Queues, topics and
//! buckets are reached through [`stepwell_protocol::Peers`].

mod actions;
mod archive;
mod at_work;
mod book;
mod clock;
mod code;
mod configuration;
mod core;
mod destinations;
mod elsewhere;
mod events;
mod function;
mod guess;
mod input;
mod invoke;
mod lambda;
mod ledger;
mod mapping;
mod names;
mod pattern;
mod poller;
mod pools;
mod process;
mod refusal;
mod runtimes;
mod settings;
mod throttle;

pub use lambda::{Lambda, RegisterError};
pub use settings::{FunctionKeys, LambdaSettings, OpenError};
