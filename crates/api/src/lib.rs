//! The outer half of the API: from the bytes of an HTTP request to a typed, validated request of an action, and from a
//! response or a refusal to AWS's bytes.
//!
//! A server asks [`Signature`] who calls, [`route`] which action is meant, [`decode`] what it asks for, and [`check`] for
//! everything that can be judged without knowing what exists; [`reply`] writes what came of it. Parts of requests that mean
//! more than their text have types of their own: ARNs, routing configurations, page tokens.
//!
//! This crate knows no state and no socket, draws no time and no chance: moments, keys and request ids come in.

mod arns;
mod base64;
mod checks;
mod constraints;
mod definitions;
mod labels;
mod pages;
mod protocol;
mod refusal;
mod serialization;
mod service;
mod sigv4;
mod tokens;

pub use arns::{ActivityRef, ExecutionRef, MachineRef, MapRunRef, Qualifier, TaggedRef};
pub use checks::{check, check_name, check_payload, check_tags, execution_input, task_output};
pub use definitions::{compile_definition, validate_definition};
pub use pages::{Listing, PageSeal, page_size};
pub use protocol::{BODY_BYTES_MAX, Encoding, Head, Reply, decode, reply, route};
pub use refusal::Refusal;
pub use service::{
    ByType, Call, Heard, HttpAnswered, HttpAsked, HttpExchange, Keeper, KeptError, Laid, LogEvent, MachineRow,
    NewFrame, NotKept, Notice, Outs, Place, Registry, Resolved, Retention, RowChange, RowError, SHARD, Service,
    ServiceRead, ServiceSettings, ServiceTask, ServiceWrite, StatusChange, TestCase, Ward, is_test, said,
    told_after_panic,
};
pub use sigv4::{Caller, Credential, Credentials, SERVICE, Signature, is_region};
