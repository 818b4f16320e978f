//! Tests against material too large to stand beside the code, and against hostile material.

mod corpus;
mod definitions;
mod limits;
