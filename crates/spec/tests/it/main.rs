//! The tables against what they were made from.

mod model;
