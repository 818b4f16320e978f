//! The crate from outside: our own golden cases, the limits, and the reference's suite when it is at hand.

mod golden;
mod interface;
mod limits;
mod suite;
