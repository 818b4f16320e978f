//! Local stand-ins for the AWS services that workflows call: SQS. Pure: moments come in, answers and rows to
//! keep go out.
//!
//! Owns what the services do. Does not know how a call arrives (HTTP, the query and JSON protocols) and when a row is
//! durable: the caller lets nothing of a [`ServicesOuts`] go before its rows are.

mod answers;
mod input;
mod paging;
mod rows;
mod seal;
mod services;
mod sqs;

pub use answers::query_code;
pub use rows::KeptError;
pub use services::{Place, Services, ServicesOuts, ServicesSettings};
