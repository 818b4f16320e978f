//! The codec as its users see it.

mod every_operation;
mod signatures;
mod sqs_query;
mod vectors;
