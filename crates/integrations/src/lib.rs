//! Tasks as calls of AWS services: one file for each optimized integration. Pure: a call goes out, an answer comes back.
//!
//! ```text
//! call_of ----> the call a task's arguments ask for, or why there is none
//! outcome_of -> what its execution is told of the answer
//! poll_of, progress_of, stop_of: what a task that waits for a job asks until it is over
//! web_call_of, web_outcome_of: the same for tasks that ask an address instead of an AWS service
//! ```
//!
//! Requests and answers are in the casing of the service's model; what a task sees of them, in which order and under which
//! error names, is what AWS's histories show. Knows no socket: who carries a call, and where to, is not decided here.

mod all;
mod api_gateway;
mod aws_sdk;
mod connection;
mod dynamodb;
mod events;
mod failures;
mod form;
mod http_task;
mod items;
mod jobs;
mod kubernetes;
mod lambda;
mod metadata;
mod reach;
mod results;
mod sns;
mod sqs;
mod task;
mod web;

pub use connection::{
    Authorization, Connection, ConnectionFault, TokenRequest, connection_of, describe_connection, read_secret,
    with_token,
};
pub use form::ArrayFormat;
pub use items::{ReadOn, Reading};
pub use jobs::{Progress, Question, Reply, Seeking, Sought, poll_of, progress_of, stop_of, waits_for_job};
pub use kubernetes::{Collecting, bearer_token};
pub use reach::{Reach, reach_of};
pub use results::Writing;
pub use task::{Task, call_of, outcome_of, place_of};
pub use web::{
    Address, Cluster, WEB_BODY_BYTES_MAX, WebAnswer, WebCall, WebFault, WebKind, WebOutput, web_call_of, web_outcome_of,
};
