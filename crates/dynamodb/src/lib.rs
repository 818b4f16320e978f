//! The local DynamoDB: calls in, answers out, tables and items in a database of their own for each account and region.
//!
//! Expressions, indexes, transactions and PartiQL are the library's, [`dynoxide`]. Ours are the places, the time, what is kept
//! when, the shape of answers, and the errors. Knows no HTTP and no other service.

mod actions;
mod clock;
mod database;
mod dynamodb;
mod errors;
mod expiry;
mod files;
mod names;
mod syncing;
mod tokens;

pub use dynamodb::DynamoDb;
pub use files::OpenError;
