//! What AWS published about Step Functions, as tables.
//!
//! Facts only: names, types, ranges, places. A reader of a table decides what they mean.

mod operators;

pub use operators::{OperandType, Operator, Relation, Trait};
