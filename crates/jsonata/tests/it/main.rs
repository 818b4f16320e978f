//! The crate from outside: our own golden cases, the limits, and the reference's suite when it is at hand.

#![expect(clippy::disallowed_methods, reason = "tests measure time and use threads, which the crate itself must not")]

mod golden;
mod interface;
mod limits;
mod suite;
