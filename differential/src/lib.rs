//! Random JSONata expressions over random inputs, and a way to make small what two engines tell apart.
//!
//! [`grammar`] writes an [`expression`] as a tree, so that [`reduce`] can take pieces out of it and what is left is still
//! an expression. The same seed gives the same [`case`]. Nothing here knows an engine; the tests bring them.

pub mod case;
pub mod chance;
pub mod expression;
pub mod grammar;
pub mod input;
pub mod reduce;
