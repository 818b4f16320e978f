//! Local stand-ins for the AWS services that workflows call: SQS, SNS, EventBridge, CloudWatch Logs,
//! Secrets Manager, IAM, STS. Pure: moments come in, answers and rows to keep go out.
//!
//! Owns what the services do. Does not know how a call arrives (HTTP, the query and JSON protocols) and when a row is
//! durable: the caller lets nothing of a [`ServicesOuts`] go before its rows are. What leaves the process, as a
//! notification to an HTTP endpoint, is a [`Delivery`] for somebody else to make.

mod answers;
mod deliveries;
mod events;
mod given;
mod iam;
mod input;
mod logs;
mod paging;
mod patterns;
mod rows;
mod seal;
mod secrets;
mod services;
mod shelf;
mod sns;
mod sqs;
mod sts;
mod tags;
mod wildcards;

pub use answers::query_code;
pub use deliveries::{Delivery, DeliveryTarget};
pub use given::{GivenKey, GivenKeys, SessionKey};
pub use logs::LogLine;
pub use services::{Asker, Services, ServicesOuts, ServicesSettings};
pub use stepwell_store::json_rows::RowError;
