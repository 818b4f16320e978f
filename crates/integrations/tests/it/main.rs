//! Whole definitions, seen by whom their tasks ask.

mod corpus;
