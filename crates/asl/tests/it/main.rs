//! What the compiler accepts and refuses, as data.

mod bounds;
mod compiled;
mod corpus;
mod golden;
mod recorded;
