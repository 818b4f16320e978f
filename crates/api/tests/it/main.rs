//! The API's outer half from outside: bytes in, bytes out.

mod alterations;
mod bad_requests;
mod chance;
mod conformance;
mod durability;
mod exceptions;
mod flood;
mod formats;
mod generated;
mod golden;
mod notices;
mod residents;
mod retention;
mod round_trip;
mod samples;
mod test_state;
mod turns;
mod world;

use stepwell_api::{Encoding, Head, Refusal, check, compile_definition, decode, route, validate_definition};
use stepwell_spec::{Action, Request, Response};

/// What comes of a request before anything is known of what exists: it passes, is answered, or is refused.
pub(crate) fn ask(action: Action, body: &[u8]) -> Result<Option<Response>, Refusal> {
    let target = format!("AWSStepFunctions.{}", action.name());
    let headers = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", target.as_str())];
    let head = Head { method: "POST", path: "/", query: "", headers: &headers };
    assert_eq!(Encoding::of(&head), Encoding::Json10);
    let request = decode(route(&head)?, body)?;
    check(&request)?;
    if let Request::CreateStateMachine(request) = &request {
        compile_definition(&request.definition, request.kind)?;
    }
    Ok(match request {
        Request::ValidateStateMachineDefinition(request) => Some(validate_definition(&request).into()),
        _ => None,
    })
}
