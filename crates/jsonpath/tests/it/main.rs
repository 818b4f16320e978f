//! Tests against material too large to stand beside the code.

mod corpus;
