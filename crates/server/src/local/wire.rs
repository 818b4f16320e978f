//! From the bytes of a request to a call, and from its answer back to bytes.

use stepwell_api::Head;
use stepwell_json::Json;
use stepwell_protocol::{
    AwsCall, AwsError, HttpAnswer, HttpRequest, Misdirected, Peers, Place, Protocol, QUERY_ERROR_CODE, Service,
    decode_request, encode_error, encode_response,
};
use stepwell_services::query_code;

use super::{client_error, unknown_operation};

/// A request as the protocols read it. `None` when its query string is no text.
pub(crate) fn request_of(head: &Head<'_>, body: Vec<u8>) -> Option<HttpRequest> {
    let target = if head.query.is_empty() { head.path.to_owned() } else { format!("{}?{}", head.path, head.query) };
    let headers = head.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpRequest::received(head.method, &target, headers, body)
}

/// Reads a request, asks for what it means, and writes the answer.
pub(super) async fn answer(
    name: &str,
    host: &dyn Peers,
    place: &Place,
    request: HttpRequest,
    request_id: impl Fn() -> String,
) -> HttpAnswer {
    let Some(service) = stepwell_protocol::service(name) else {
        return refusal(name, &unknown_operation(name, "", &request_id()));
    };
    let asked = match decode_request(service, &request) {
        Ok(asked) => asked,
        Err(Misdirected::UnknownOperation(action)) if is_form(&request) => {
            let message = format!("The action {action} is not valid for this endpoint.");
            return encode_error(Protocol::Query, service, &client_error("InvalidAction", &message, &request_id()));
        }
        Err(fault) => return refusal(name, &misdirected(name, fault, &request_id())),
    };
    let call = AwsCall { service: name.into(), action: asked.operation.name.clone(), input: asked.input };
    let error = match host.ask(place, call).await {
        Ok(output) => {
            let written = encode_response(asked.protocol, service, asked.operation, &output.output, &output.request_id);
            match written {
                Ok(mut answer) => {
                    // A status that says something, as a function's 202 does.
                    if asked.operation.status == answer.status && output.status != 200 {
                        answer.status = output.status;
                    }
                    return with_checksum(name, answer);
                }
                Err(unfit) => {
                    tracing::error!(service = name, action = %asked.operation.name, %unfit, "an answer does not fit its model");
                    let message = "The answer could not be written.";
                    AwsError { status: 500, ..client_error("InternalFailure", message, &output.request_id) }
                }
            }
        }
        Err(error) => error,
    };
    with_checksum(name, written_error(asked.protocol, service, error))
}

/// Services that send a checksum of the body, which their SDKs look at.
const SEND_CHECKSUMS: [&str; 2] = ["dynamodb", "dynamodbstreams"];

fn with_checksum(service: &str, mut answer: HttpAnswer) -> HttpAnswer {
    if SEND_CHECKSUMS.contains(&service) {
        let checksum = crc32fast::hash(&answer.body);
        answer.headers.push(("x-amz-crc32".to_owned(), checksum.to_string()));
    }
    answer
}

/// Whether a request is one of the query protocol, whose errors have another shape.
fn is_form(request: &HttpRequest) -> bool {
    request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// An error as its protocol has it. Services that spoke the query protocol first have codes of their own in it, which they
/// still tell everybody.
fn written_error(protocol: Protocol, service: &Service, mut error: AwsError) -> HttpAnswer {
    let query = query_code(&service.names.name, &error.code);
    if query != &*error.code {
        let mut members = error.members.as_object().map(|members| members.to_builder()).unwrap_or_default();
        members.insert(QUERY_ERROR_CODE, Json::string(query));
        error.members = Json::from(members.build());
    }
    encode_error(protocol, service, &error)
}

/// What the service says to a request that means nothing to it.
fn misdirected(name: &str, fault: Misdirected, request_id: &str) -> AwsError {
    match fault {
        Misdirected::UnknownProtocol => {
            client_error("UnknownOperationException", &format!("{name} does not speak like this"), request_id)
        }
        Misdirected::UnknownOperation(action) => unknown_operation(name, &action, request_id),
        Misdirected::Unfit(_, unfit) => client_error("SerializationException", &unfit.to_string(), request_id),
    }
}

/// An error before anything is known of how the request spoke: as the service likes to speak.
pub(crate) fn refusal(name: &str, error: &AwsError) -> HttpAnswer {
    match stepwell_protocol::service(name) {
        Some(service) => encode_error(service.names.protocol(), service, error),
        None => HttpAnswer { status: error.status, headers: Vec::new(), body: Vec::new() },
    }
}
