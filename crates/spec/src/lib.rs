//! What AWS published about Step Functions, as tables: one row, many readers.
//!
//! History events, error names, quotas, throttles, the fields of the language, its operators, its service integrations and the
//! actions of its API are data here, with the names, JSON keys, texts and numbers AWS gave them. Nothing in this crate
//! decides anything.

mod actions;
mod arn;
mod errors;
mod events;
mod exceptions;
mod fields;
mod operators;
mod quotas;
mod results;
mod sdk_names;
mod services;
pub mod shapes;
mod stored;
mod task_parameters;
mod throttles;
mod timestamp;

pub use actions::{Action, ActionFacts, Request, Response};
pub use arn::{Arn, PARTITIONS, partition_of};
pub use errors::{ERRORS, ErrorRow, error};
pub use events::*;
pub use exceptions::{Exception, KmsKeyState, ProtocolError, ValidationExceptionReason};
pub use fields::{
    Dialect, FIELDS, Field, FieldGroup, FieldType, GROUPS, GroupRule, Place, STATE_TYPES, field, fields_of, groups_of,
};
pub use operators::{OperandType, Operator, Relation, Trait};
pub use quotas::{QUOTAS, Quota, quota};
pub use results::{ResponseField, ResponseFields, ResponseItems, ResponseKind, ResponseShape, Responses, result_of};
pub use sdk_names::{SdkService, sdk_service, sdk_services};
pub use services::{ActionRow, ITEM_READERS, RESULT_WRITERS, SERVICES, ServiceRow, service};
pub use stored::{FieldSink, FieldSource, Stored};
pub use task_parameters::{ParameterFormat, ParameterRow, TASK_PARAMETERS};
pub use throttles::{Bucket, LARGE_REGIONS, THROTTLES, ThrottleRow};
pub use timestamp::{Timestamp, TimestampError};
