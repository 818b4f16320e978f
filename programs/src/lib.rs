//! Random programs: valid state machines with an input, workers that answer their tasks, and what must come out.
//!
//! # Random programs
//!
//! [`Program::random`] writes a state machine from a seed: all eight state types in both query languages, mixed where that is
//! allowed; the five JSONPath fields, `Arguments` and `Output`, variables, intrinsic functions, nested `Choice` rules, Retriers
//! and Catchers, waits of seconds and of most of a year, bounded loops, and Parallel and Map states inside each other, Distributed
//! Maps over arrays among them. Some states fail: on purpose, by a task, or because a path leads nowhere.
//!
//! The tasks are functions and activities whose answers [`worker::answer`] gives from the function's name and the input alone. Where
//! a function fails at first, the attempt it is told stands in its input.
//!
//! [`reference::run`] says how such a program may end: a naive interpreter that recurses over the JSON of the definition and knows
//! no events, no engine and no durability. It was written from the States Language and shares only values, paths and expressions
//! with the rest of the house. What depends on how fast branches are is a [set of ways to end](reference::Verdict), each
//! with how often every state was entered and every task tried.
//!
//! So nothing an executor may do (crash and recover, ask a task twice, be slow, reorder branches) may change what the
//! [verdict](reference::Verdict::judge) allows, as long as
//!
//! - every task is answered within [`worker::LATENESS_MAX_SECONDS`], except for [those that nobody
//!   answers](worker::stays_silent),
//! - the clock starts between the years 2020 and 2100, and
//! - nobody stops the execution.
//!
//! [`shrink`] makes a program small for as long as something is still wrong with it.

mod chance;
mod generate;
mod program;
pub mod reference;
pub mod shrink;
pub mod worker;

pub use program::Program;
