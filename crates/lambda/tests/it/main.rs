//! The local Lambda from outside: calls in, answers out, and processes that do not stay.

mod asynchronous;
mod concurrency;
mod control;
mod mappings;
mod node;
mod own_runtime;
mod python;
mod restart;
mod room;
#[cfg(target_os = "linux")]
mod sandbox;
