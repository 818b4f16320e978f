//! Errors on the wire: their code, message and members, in each protocol's way.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};

use crate::call::{AwsError, Fault};
use crate::http::{HttpAnswer, header};
use crate::model::{Kind, Location, Operation, Protocol, Service, ShapeId, Use};
use crate::rest::{self, Format, Parts, parse_json};
use crate::xml::Element;
use crate::xml_body::{self, Xml};
use crate::{cbor_body, json_body};

/// The member that holds the code an error has in the query protocol, for services that once spoke it:
/// `AWS.SimpleQueueService.NonExistentQueue`. Beside the members of its shape.
pub const QUERY_ERROR_CODE: &str = "QueryErrorCode";

/// The member that holds the second id a request has in S3. Beside the members of its shape.
pub const EXTENDED_REQUEST_ID: &str = "ExtendedRequestId";

const EXTENDED_REQUEST_ID_HEADER: &str = "x-amz-id-2";
const QUERY_ERROR_HEADER: &str = "x-amzn-query-error";
const ERROR_TYPE_HEADER: &str = "x-amzn-errortype";

/// The header an id of a request comes in.
pub(crate) fn request_id_header(service: &Service) -> &'static str {
    if &*service.names.name == "s3" { "x-amz-request-id" } else { "x-amzn-RequestId" }
}

/// The id of a request: from a header, or as it was found in the body; empty when there is none.
pub(crate) fn request_id(headers: &[(String, String)], found: Option<String>) -> Arc<str> {
    let sent = header(headers, "x-amzn-requestid").or_else(|| header(headers, "x-amz-request-id"));
    sent.map(Arc::from).or(found.map(Arc::from)).unwrap_or_default()
}

/// `ns#Code:http://…` -> `Code`
fn bare(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).trim()
}

/// The status a late error counts as having.
pub(crate) const LATE_STATUS: u16 = 500;

/// Whether an answer began well and is an error all the same: S3 sends the status of long copies before they are done.
pub(crate) fn is_late(service: &Service, operation: &Operation, answer: &HttpAnswer) -> bool {
    let takes_long = matches!(&*operation.name, "CopyObject" | "UploadPartCopy" | "CompleteMultipartUpload");
    &*service.names.name == "s3" && takes_long && Element::parse(&answer.body).is_ok_and(|root| root.name == "Error")
}

/// What an answer says of an error, before the model is asked.
#[derive(Default)]
struct Said {
    code: Option<String>,
    message: Option<String>,
    /// `Sender` or `Receiver`
    kind: Option<String>,
    request_id: Option<String>,
    query_code: Option<String>,
}

/// The error of an answer. What cannot be read is left out; the status says the rest.
pub(crate) fn decode(protocol: Protocol, service: &Service, answer: &HttpAnswer) -> AwsError {
    let tree = match protocol {
        Protocol::Json | Protocol::RestJson => parse_json(&answer.body).ok(),
        Protocol::Cbor => cbor_body::decode_any(&answer.body).ok(),
        Protocol::Query | Protocol::Ec2 | Protocol::RestXml => None,
    };
    let document = match protocol {
        Protocol::Query | Protocol::Ec2 | Protocol::RestXml => Element::parse(&answer.body).ok(),
        Protocol::Json | Protocol::RestJson | Protocol::Cbor => None,
    };
    let element = document.as_ref().and_then(error_element);
    let said = match (&document, &tree) {
        (Some(document), _) => said_in_xml(document, element),
        (None, tree) => said_in_json(answer, tree.as_ref()),
    };
    let code = said.code.filter(|code| !code.is_empty()).unwrap_or_else(|| answer.status.to_string());
    let shape = error_shape(service, &code);
    let members = shape.and_then(|id| members(protocol, service, id, answer, tree.as_ref(), element));
    let mut kept = ObjectBuilder::new();
    for (name, value) in members.iter().filter_map(Json::as_object).flatten() {
        if !name.eq_ignore_ascii_case("message") {
            kept.insert(name.clone(), value.clone());
        }
    }
    if let Some(query_code) = said.query_code {
        kept.insert(QUERY_ERROR_CODE, Json::from(query_code));
    }
    let in_body = element.and_then(|error| error.child_text("HostId"));
    if let Some(id) = answer.header(EXTENDED_REQUEST_ID_HEADER).or(in_body).filter(|id| !id.is_empty()) {
        kept.insert(EXTENDED_REQUEST_ID, Json::from(id));
    }
    let fault = match said.kind.as_deref() {
        Some("Sender") => Fault::Client,
        Some("Receiver") => Fault::Server,
        _ if answer.status >= 500 => Fault::Server,
        _ => Fault::Client,
    };
    AwsError {
        code: code.into(),
        message: said.message.map(Arc::from),
        status: answer.status,
        fault,
        request_id: request_id(&answer.headers, said.request_id),
        members: Json::from(kept.build()),
    }
}

fn said_in_json(answer: &HttpAnswer, tree: Option<&Json>) -> Said {
    let text = |name: &str| tree.and_then(|tree| tree.get(name)).and_then(Json::as_str);
    let code = answer.header(ERROR_TYPE_HEADER).or_else(|| text("__type")).or_else(|| text("code"));
    let message = text("message").or_else(|| text("Message")).or_else(|| text("errorMessage"));
    let query = answer.header(QUERY_ERROR_HEADER).and_then(|value| value.split_once(';'));
    Said {
        code: code.map(|code| bare(code).to_owned()),
        message: message.map(str::to_owned),
        kind: query.map(|(_, kind)| kind.to_owned()),
        query_code: query.map(|(code, _)| code.to_owned()).filter(|code| !code.is_empty()),
        request_id: None,
    }
}

/// `<Error>` wherever a protocol puts it.
fn error_element(root: &Element) -> Option<&Element> {
    if root.name == "Error" {
        return Some(root);
    }
    root.child("Error").or_else(|| root.child("Errors")?.child("Error"))
}

fn said_in_xml(root: &Element, error: Option<&Element>) -> Said {
    let text = |name: &str| error.and_then(|error| error.child_text(name)).map(str::to_owned);
    let id = ["RequestId", "RequestID", "requestId"].iter().find_map(|name| root.child_text(name));
    Said {
        code: text("Code"),
        message: text("Message").or_else(|| text("message")),
        kind: text("Type"),
        request_id: id.map(str::to_owned),
        query_code: None,
    }
}

fn error_shape(service: &Service, code: &str) -> Option<ShapeId> {
    let named = |id: &&ShapeId| &*service.shape(**id).name == code;
    let coded = |id: &&ShapeId| service.shape(**id).code() == code;
    service.errors.iter().find(coded).or_else(|| service.errors.iter().find(named)).copied()
}

fn members(
    protocol: Protocol,
    service: &Service,
    shape: ShapeId,
    answer: &HttpAnswer,
    tree: Option<&Json>,
    element: Option<&Element>,
) -> Option<Json> {
    let part = Use::of(shape);
    let parts = || Parts {
        headers: answer.headers.clone(),
        status: Some(answer.status),
        body: answer.body.clone(),
        ..Parts::default()
    };
    match protocol {
        Protocol::Json => json_body::decode(service, &part, tree?).ok(),
        Protocol::RestJson => rest::collect(service, Format::Json, &part, &parts()).ok(),
        Protocol::Cbor => cbor_body::decode(service, &part, &answer.body).ok(),
        Protocol::Query | Protocol::RestXml => Xml { service, naming: xml_body::QUERY }.value(&part, element?).ok(),
        Protocol::Ec2 => Xml { service, naming: xml_body::EC2 }.value(&part, element?).ok(),
    }
}

/// The answer that carries an error.
pub(crate) fn encode(protocol: Protocol, service: &Service, error: &AwsError) -> HttpAnswer {
    let mut answer = HttpAnswer { status: error.status, ..HttpAnswer::default() };
    let mut set = |name: &str, value: &str| answer.headers.push((name.to_owned(), value.to_owned()));
    set(request_id_header(service), &error.request_id);
    let query_code = error.members.get(QUERY_ERROR_CODE).and_then(Json::as_str);
    let kind = if error.fault == Fault::Server { "Receiver" } else { "Sender" };
    match protocol {
        Protocol::Json | Protocol::Cbor | Protocol::RestJson => {
            let content_type = match protocol {
                Protocol::Json => format!("application/x-amz-json-{}", service.names.json_version),
                Protocol::Cbor => "application/cbor".to_owned(),
                _ => "application/json".to_owned(),
            };
            set("Content-Type", &content_type);
            match protocol {
                Protocol::RestJson => set("x-amzn-ErrorType", &error.code),
                Protocol::Cbor => set("smithy-protocol", "rpc-v2-cbor"),
                _ => {}
            }
            if service.names.query_compatible {
                set(QUERY_ERROR_HEADER, &format!("{};{kind}", query_code.unwrap_or(&error.code)));
            }
            let (tree, headers) = error_tree(protocol, service, error);
            answer.headers.extend(headers);
            answer.body = match protocol {
                // An error is texts and numbers of no declared kind here; those of its shape were made to fit before.
                Protocol::Cbor => cbor_body::encode_any(&tree),
                _ => tree.to_string().into_bytes(),
            };
        }
        Protocol::Query | Protocol::Ec2 | Protocol::RestXml => {
            let modelled = error_shape(service, &error.code).map(|id| service.shape(id).code());
            let code = query_code.or(modelled).unwrap_or(&error.code);
            write_xml(&error_document(protocol, service, error, code, kind), &mut answer);
        }
    }
    answer
}

/// The body of an error in JSON, and headers its members stand in.
fn error_tree(protocol: Protocol, service: &Service, error: &AwsError) -> (Json, Vec<(String, String)>) {
    let mut tree = ObjectBuilder::new();
    if protocol != Protocol::RestJson {
        tree.insert("__type", Json::from(error.code.clone()));
    }
    let shape = error_shape(service, &error.code);
    let kept = of_shape(&error.members);
    let mut headers = Vec::new();
    if let Some(id) = shape {
        let part = Use::of(id);
        // What does not fit is left out: an error is answered in any case.
        let body = match protocol {
            Protocol::RestJson => rest::distribute(service, Format::Json, &part, &kept, "").ok().map(|parts| {
                headers = parts.headers;
                parse_json(&parts.body).unwrap_or_else(|_| Json::empty_object())
            }),
            _ => json_body::encode(service, &part, &kept).ok(),
        };
        for (name, value) in body.iter().filter_map(Json::as_object).flatten() {
            tree.insert(name.clone(), value.clone());
        }
    }
    if let Some(message) = &error.message {
        let spelled = shape.and_then(|id| match &service.shape(id).kind {
            Kind::Structure(members) => members.iter().find(|member| member.name.eq_ignore_ascii_case("message")),
            _ => None,
        });
        let name = spelled.filter(|member| member.part.location == Location::Body);
        tree.insert(
            name.map_or_else(|| "message".into(), |member| member.wire_name().clone()),
            Json::from(message.clone()),
        );
    }
    (Json::from(tree.build()), headers)
}

/// The members that are of the error's shape.
fn of_shape(members: &Json) -> Json {
    let Some(object) = members.as_object() else { return Json::empty_object() };
    let mut kept = object.to_builder();
    for own in [QUERY_ERROR_CODE, EXTENDED_REQUEST_ID] {
        kept.remove(own);
    }
    Json::from(kept.build())
}

fn error_document(protocol: Protocol, service: &Service, error: &AwsError, code: &str, kind: &str) -> Element {
    let mut inner = match error_shape(service, &error.code) {
        Some(id) => {
            let xml = Xml { service, naming: xml_body::QUERY };
            let element = xml.element("Error", &Use::of(id), &of_shape(&error.members));
            element.unwrap_or_else(|_| Element::new("Error"))
        }
        None => Element::new("Error"),
    };
    let mut said = vec![Element::with_text("Code", code)];
    said.extend(error.message.as_deref().map(|message| Element::with_text("Message", message)));
    if protocol == Protocol::Query || (protocol == Protocol::RestXml && &*service.names.name != "s3") {
        said.insert(0, Element::with_text("Type", kind));
    }
    said.append(&mut inner.children);
    inner.children = said;
    let request_id = |name: &str| Element::with_text(name, &*error.request_id);
    match protocol {
        Protocol::RestXml if &*service.names.name == "s3" => {
            inner.children.push(request_id("RequestId"));
            let extended = error.members.get(EXTENDED_REQUEST_ID).and_then(Json::as_str);
            inner.children.extend(extended.map(|id| Element::with_text("HostId", id)));
            inner
        }
        Protocol::Ec2 => {
            let mut errors = Element::new("Errors");
            errors.children.push(inner);
            let mut root = Element::new("Response");
            root.children.extend([errors, request_id("RequestID")]);
            root
        }
        _ => {
            let mut root = Element::new("ErrorResponse");
            if !service.names.xml_namespace.is_empty() {
                root.attributes.push(("xmlns".to_owned(), service.names.xml_namespace.to_string()));
            }
            root.children.extend([inner, request_id("RequestId")]);
            root
        }
    }
}

/// Makes an element the body of an answer.
pub(crate) fn write_xml(root: &Element, answer: &mut HttpAnswer) {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    root.write(&mut text);
    answer.body = text.into_bytes();
    answer.headers.push(("Content-Type".to_owned(), "text/xml".to_owned()));
}

#[cfg(test)]
mod tests {
    use super::bare;
    use crate::codec::decode_response;
    use crate::http::HttpAnswer;
    use crate::table::service;

    #[test]
    fn codes_lose_what_stands_around_them() {
        for (code, expected) in [
            ("com.amazonaws.sqs#QueueDoesNotExist", "QueueDoesNotExist"),
            ("ResourceNotFoundException:http://internal.amazon.com/", "ResourceNotFoundException"),
            ("aws.a#Code:http://x/", "Code"),
            ("Plain", "Plain"),
        ] {
            assert_eq!(bare(code), expected);
        }
    }

    #[test]
    fn a_copy_can_fail_after_it_began() {
        let s3 = service("s3").expect("S3");
        let copy = s3.operation("CopyObject").expect("an operation");
        let with = |body: &str| {
            let answer = HttpAnswer { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
            decode_response(s3, copy, &answer)
        };
        let error = with("<Error><Code>InternalError</Code><Message>m</Message></Error>").expect_err("an error");
        assert_eq!((&*error.code, error.status), ("InternalError", 500));
        assert_eq!(error.members.to_string(), "{}");
        let error = with("<Error><Code>SlowDown</Code><HostId>h</HostId></Error>").expect_err("an error");
        assert_eq!(error.members.to_string(), r#"{"ExtendedRequestId":"h"}"#);
        let encoded = super::encode(crate::model::Protocol::RestXml, s3, &error);
        assert!(String::from_utf8_lossy(&encoded.body).contains("<HostId>h</HostId>"), "{encoded:?}");
        let copied = with("<CopyObjectResult><ETag>e</ETag></CopyObjectResult>").expect("a copy");
        assert_eq!(copied.output.to_string(), "{\"CopyObjectResult\":{\"ETag\":\"e\"}}");
    }
}
