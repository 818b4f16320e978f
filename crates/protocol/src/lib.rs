//! Calls of AWS services, as a task, a local service and a client see them: a service, an action, and one JSON tree in the
//! casing of the service's model each way.
//!
//! Knows no socket and no service.

mod access_key;
mod blob;
mod call;
mod cbor_body;
mod checksum;
mod codec;
mod errors;
mod form_body;
mod http;
mod input;
mod json_body;
mod model;
mod peers;
mod percent;
mod place;
mod rest;
mod route;
mod scalars;
mod sigv4;
mod suggest;
mod table;
mod times;
mod unfit;
mod unpack;
mod validate;
mod xml;
mod xml_body;

pub use access_key::{access_key_of, account_of_access_key};
pub use blob::{blob_bytes, blob_text};
pub use call::{AwsAnswer, AwsCall, AwsError, AwsOutput, Fault};
pub use checksum::add_checksum;
pub use codec::{
    Asked, Misdirected, UNREADABLE, asked_operation, decode_request, decode_response, decode_response_as, encode_error,
    encode_request, encode_request_as, encode_response, wants_query_errors,
};
pub use errors::{EXTENDED_REQUEST_ID, QUERY_ERROR_CODE};
pub use http::{HttpAnswer, HttpRequest};
pub use input::{Input, Misread, TextPairs};
pub use model::{
    ErrorTraits, Kind, Location, Member, Operation, Protocol, Service, ServiceName, Shape, ShapeId, TimeFormat, Use,
};
pub use peers::{Answering, Peers};
pub use percent::{decode as percent_decode, encode as percent_encode};
pub use place::Place;
pub use sigv4::{Keys, Payload, Scope, presign, sign};
pub use table::{
    operation_of_sdk, sdk_action, service, service_of_sdk, services, similar_actions, similar_services, unpacked_anew,
};
pub use unfit::Unfit;
pub use validate::{constraint_message, validate};
