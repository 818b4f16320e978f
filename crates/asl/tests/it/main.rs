//! What the compiler accepts and refuses, as data.

mod corpus;
mod recorded;
