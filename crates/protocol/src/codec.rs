//! A client's half of every protocol, and a server's: trees to requests and back, trees to answers and back.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};

use crate::call::{AwsAnswer, AwsError, AwsOutput, Fault};
use crate::errors;
use crate::form_body::{self, Dialect};
use crate::http::{HttpAnswer, HttpRequest, header, set_default};
use crate::model::{Kind, Location, Operation, Protocol, Service, Use};
use crate::rest::{self, Format, Parts, parse_json};
use crate::unfit::Unfit;
use crate::xml::Element;
use crate::xml_body::{self, Xml};
use crate::{cbor_body, json_body, percent, route};

/// The code of an error that no service sent: the answer could not be read.
pub const UNREADABLE: &str = "SdkClientException";

/// Why a request means nothing to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misdirected {
    /// The service does not speak like this.
    UnknownProtocol,
    /// It speaks so, but has no such operation; the name, where the request says one.
    UnknownOperation(String),
    /// The input does not fit the operation.
    Unfit(Arc<str>, Unfit),
}

/// What a request asks for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// How it came, and how the answer must go.
    pub protocol: Protocol,
    /// The operation.
    pub operation: &'a Operation,
    /// Its input.
    pub input: Json,
}

/// The operation a request of a REST protocol is for, by its method, path and query alone.
pub fn asked_operation<'a>(service: &'a Service, request: &HttpRequest) -> Option<&'a Operation> {
    route::find(service, request).map(|(operation, _)| operation)
}

/// The request of a call, in the protocol the service prefers. `token` draws an idempotency token, a UUID, for each member
/// that is one and is missing.
pub fn encode_request(
    service: &Service,
    operation: &Operation,
    input: &Json,
    token: &mut dyn FnMut() -> String,
) -> Result<HttpRequest, Unfit> {
    encode_request_as(service.names.protocol(), service, operation, input, token)
}

/// The same in this protocol.
pub fn encode_request_as(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    input: &Json,
    token: &mut dyn FnMut() -> String,
) -> Result<HttpRequest, Unfit> {
    let input = match &operation.input {
        Some(part) => with_tokens(service, part, input, token)?,
        None => Json::empty_object(),
    };
    let mut request = HttpRequest { method: "POST".to_owned(), path: "/".to_owned(), ..HttpRequest::default() };
    request.host_prefix = host_prefix(service, operation, &input)?;
    match protocol {
        Protocol::Json => json_request(service, operation, &input, &mut request)?,
        Protocol::Cbor => cbor_request(service, operation, &input, &mut request)?,
        Protocol::Query => form_request(service, Dialect::Query, operation, &input, &mut request)?,
        Protocol::Ec2 => form_request(service, Dialect::Ec2, operation, &input, &mut request)?,
        Protocol::RestJson => rest_request(service, Format::Json, operation, &input, &mut request)?,
        Protocol::RestXml => rest_request(service, Format::Xml, operation, &input, &mut request)?,
    }
    if service.names.query_compatible && matches!(protocol, Protocol::Json | Protocol::Cbor) {
        set_default(&mut request.headers, "x-amzn-query-mode", "true");
    }
    Ok(request)
}

fn with_tokens(service: &Service, part: &Use, input: &Json, token: &mut dyn FnMut() -> String) -> Result<Json, Unfit> {
    let object = input.as_object().ok_or_else(|| Unfit::new("expected an object"))?;
    let missing = |name: &str| object.get(name).is_none_or(Json::is_null);
    let mut filled: Option<ObjectBuilder> = None;
    for member in service.members(part) {
        if member.part.idempotency_token && missing(&member.name) {
            filled.get_or_insert_with(|| object.to_builder()).insert(member.name.clone(), Json::from(token()));
        }
    }
    Ok(filled.map_or_else(|| input.clone(), |filled| Json::from(filled.build())))
}

fn host_prefix(service: &Service, operation: &Operation, input: &Json) -> Result<Option<String>, Unfit> {
    let Some(template) = &operation.host_prefix else { return Ok(None) };
    let mut prefix = template.to_string();
    for member in operation.input.iter().flat_map(|part| service.members(part)).filter(|one| one.part.host_label) {
        let value = input.get(&member.name).and_then(Json::as_str).unwrap_or("");
        let fits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        if !fits {
            return Err(Unfit::new("expected letters, digits, hyphens or periods, for the host").below(&member.name));
        }
        prefix = prefix.replace(&format!("{{{}}}", member.name), value);
    }
    Ok(Some(prefix))
}

fn json_request(
    service: &Service,
    operation: &Operation,
    input: &Json,
    request: &mut HttpRequest,
) -> Result<(), Unfit> {
    let body = match &operation.input {
        Some(part) => json_body::encode(service, part, input)?,
        None => Json::empty_object(),
    };
    let target = format!("{}.{}", service.names.target_prefix, operation.name);
    request.headers.push(("X-Amz-Target".to_owned(), target));
    request.headers.push(("Content-Type".to_owned(), json_type(service)));
    request.body = body.to_string().into_bytes();
    Ok(())
}

fn json_type(service: &Service) -> String {
    format!("application/x-amz-json-{}", service.names.json_version)
}

fn cbor_request(
    service: &Service,
    operation: &Operation,
    input: &Json,
    request: &mut HttpRequest,
) -> Result<(), Unfit> {
    request.path = format!("/service/{}/operation/{}", service.names.target_prefix, operation.name);
    request.headers.push(("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned()));
    request.headers.push(("Accept".to_owned(), "application/cbor".to_owned()));
    if let Some(part) = &operation.input {
        request.body = cbor_body::encode(service, part, input)?;
        request.headers.push(("Content-Type".to_owned(), "application/cbor".to_owned()));
    }
    Ok(())
}

fn form_request(
    service: &Service,
    dialect: Dialect,
    operation: &Operation,
    input: &Json,
    request: &mut HttpRequest,
) -> Result<(), Unfit> {
    let mut pairs = vec![
        ("Action".to_owned(), operation.name.to_string()),
        ("Version".to_owned(), service.names.api_version.to_string()),
    ];
    if let Some(part) = &operation.input {
        form_body::encode(service, dialect, part, input, &mut pairs)?;
    }
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    request.headers.push(("Content-Type".to_owned(), form.to_owned()));
    request.body = percent::joined(&pairs).into_bytes();
    Ok(())
}

fn rest_request(
    service: &Service,
    format: Format,
    operation: &Operation,
    input: &Json,
    request: &mut HttpRequest,
) -> Result<(), Unfit> {
    let parts = match &operation.input {
        Some(part) => {
            let root = service.shape(part.shape).name.clone();
            rest::distribute(service, format, part, input, &root)?
        }
        None => Parts::default(),
    };
    request.method = operation.method.to_string();
    (request.path, request.query) = route::fill(&operation.uri, &parts.labels)?;
    request.query.extend(parts.query);
    request.headers = parts.headers;
    request.body = parts.body;
    if let Some(content_type) = parts.content_type {
        set_default(&mut request.headers, "Content-Type", content_type);
    }
    Ok(())
}

/// What a service answered. An answer that cannot be read is an error of nobody's, [`UNREADABLE`].
pub fn decode_response(service: &Service, operation: &Operation, answer: &HttpAnswer) -> AwsAnswer {
    decode_response_as(service.names.protocol(), service, operation, answer)
}

/// The same in this protocol.
pub fn decode_response_as(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    answer: &HttpAnswer,
) -> AwsAnswer {
    if answer.status >= 300 {
        return Err(errors::decode(protocol, service, answer));
    }
    if protocol == Protocol::RestXml && errors::is_late(service, operation, answer) {
        let answer = HttpAnswer { status: errors::LATE_STATUS, ..answer.clone() };
        return Err(errors::decode(protocol, service, &answer));
    }
    let read = match &operation.output {
        None => Ok((Json::empty_object(), None)),
        Some(part) => output(protocol, service, operation, part, answer),
    };
    let request_id = |found: Option<String>| errors::request_id(&answer.headers, found);
    match read {
        Ok((output, found)) => Ok(AwsOutput {
            output,
            status: answer.status,
            request_id: request_id(found),
            headers: answer.headers.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect(),
        }),
        Err(unfit) => Err(AwsError {
            code: UNREADABLE.into(),
            message: Some(format!("The answer to {} cannot be read: {unfit}", operation.name).into()),
            status: answer.status,
            fault: Fault::Unreached,
            request_id: request_id(None),
            members: Json::empty_object(),
        }),
    }
}

/// The output, and the id of the request where the body has it.
fn output(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    part: &Use,
    answer: &HttpAnswer,
) -> Result<(Json, Option<String>), Unfit> {
    let of_rest = || Parts {
        headers: answer.headers.clone(),
        status: Some(answer.status),
        body: answer.body.clone(),
        ..Parts::default()
    };
    match protocol {
        Protocol::Json => Ok((json_body::decode(service, part, &parse_json(&answer.body)?)?, None)),
        Protocol::Cbor if answer.body.is_empty() => Ok((Json::empty_object(), None)),
        Protocol::Cbor => Ok((cbor_body::decode(service, part, &answer.body)?, None)),
        Protocol::RestJson => Ok((rest::collect(service, Format::Json, part, &of_rest())?, None)),
        Protocol::RestXml => Ok((rest::collect(service, Format::Xml, part, &of_rest())?, None)),
        Protocol::Query => {
            let root = Element::parse(&answer.body)?;
            let metadata = root.child("ResponseMetadata").and_then(|element| element.child_text("RequestId"));
            let xml = Xml { service, naming: xml_body::QUERY };
            let value = match root.child(&result_wrapper(operation, part)) {
                Some(result) => xml.value(part, result)?,
                None => xml.value(part, &root)?,
            };
            Ok((value, metadata.map(str::to_owned)))
        }
        Protocol::Ec2 => {
            let root = Element::parse(&answer.body)?;
            let value = Xml { service, naming: xml_body::EC2 }.value(part, &root)?;
            Ok((value, root.child_text("requestId").map(str::to_owned)))
        }
    }
}

fn result_wrapper(operation: &Operation, part: &Use) -> String {
    part.result_wrapper.as_deref().map_or_else(|| format!("{}Result", operation.name), str::to_owned)
}

/// What a request asks of a service.
pub fn decode_request<'a>(service: &'a Service, request: &HttpRequest) -> Result<Asked<'a>, Misdirected> {
    let protocol = spoken(service, request).ok_or(Misdirected::UnknownProtocol)?;
    let named = |name: &str| service.operation(name).ok_or_else(|| Misdirected::UnknownOperation(name.to_owned()));
    let unfit = |operation: &Operation| {
        let name = operation.name.clone();
        move |unfit| Misdirected::Unfit(name, unfit)
    };
    let asked = |operation: &'a Operation, read: &dyn Fn(&Use) -> Result<Json, Unfit>| {
        let input = operation.input.as_ref().map_or_else(|| Ok(Json::empty_object()), read);
        Ok(Asked { protocol, operation, input: input.map_err(unfit(operation))? })
    };
    match protocol {
        Protocol::Json => {
            let target = request.header("x-amz-target").unwrap_or_default();
            let operation = named(target.rsplit_once('.').map_or(target, |(_, name)| name))?;
            asked(operation, &|part| json_body::decode(service, part, &parse_json(&request.body)?))
        }
        Protocol::Cbor => {
            let operation = named(request.path.rsplit('/').next().unwrap_or_default())?;
            asked(operation, &|part| match request.body.is_empty() {
                true => Ok(Json::empty_object()),
                false => cbor_body::decode(service, part, &request.body),
            })
        }
        Protocol::Query | Protocol::Ec2 => {
            let pairs = form(request).ok_or(Misdirected::UnknownProtocol)?;
            let action = pairs.iter().find(|(name, _)| name == "Action").map_or("", |(_, value)| value.as_str());
            let dialect = if protocol == Protocol::Ec2 { Dialect::Ec2 } else { Dialect::Query };
            asked(named(action)?, &|part| form_body::decode(service, dialect, part, &pairs))
        }
        Protocol::RestJson | Protocol::RestXml => {
            let format = if protocol == Protocol::RestXml { Format::Xml } else { Format::Json };
            let (operation, labels) =
                route::find(service, request).ok_or_else(|| Misdirected::UnknownOperation(String::new()))?;
            let parts = Parts {
                labels,
                query: own_query(operation, &request.query),
                headers: request.headers.clone(),
                body: request.body.clone(),
                ..Parts::default()
            };
            asked(operation, &|part| rest::collect(service, format, part, &parts))
        }
    }
}

/// The query string without what the operation's URI spells out.
fn own_query(operation: &Operation, query: &[(String, String)]) -> Vec<(String, String)> {
    let literal = operation.uri.split_once('?').and_then(|(_, query)| percent::pairs(query)).unwrap_or_default();
    query.iter().filter(|pair| pair.0 != "x-id" && !literal.contains(pair)).cloned().collect()
}

/// The pairs of a form in the body, or in the query string.
fn form(request: &HttpRequest) -> Option<Vec<(String, String)>> {
    let mut pairs = request.query.clone();
    pairs.extend(percent::pairs(std::str::from_utf8(&request.body).ok()?)?);
    Some(pairs)
}

fn spoken(service: &Service, request: &HttpRequest) -> Option<Protocol> {
    if request.header("smithy-protocol") == Some("rpc-v2-cbor") && service.speaks(Protocol::Cbor) {
        return Some(Protocol::Cbor);
    }
    if request.header("x-amz-target").is_some() && service.speaks(Protocol::Json) {
        return Some(Protocol::Json);
    }
    if let Some(rest) = [Protocol::RestJson, Protocol::RestXml].into_iter().find(|rest| service.speaks(*rest)) {
        return Some(rest);
    }
    if service.speaks(Protocol::Ec2) {
        return Some(Protocol::Ec2);
    }
    let is_form =
        request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
            || request.query.iter().any(|(name, _)| name == "Action");
    // Some speak it still although their models do not say so any more.
    (is_form && (service.speaks(Protocol::Query) || service.names.query_compatible)).then_some(Protocol::Query)
}

/// The answer that carries this output.
pub fn encode_response(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    output: &Json,
    request_id: &str,
) -> Result<HttpAnswer, Unfit> {
    let mut answer = HttpAnswer { status: 200, ..HttpAnswer::default() };
    answer.headers.push((errors::request_id_header(service).to_owned(), request_id.to_owned()));
    let part = operation.output.as_ref();
    match protocol {
        Protocol::Json => {
            let body = part.map(|part| json_body::encode(service, part, output)).transpose()?;
            answer.headers.push(("Content-Type".to_owned(), json_type(service)));
            answer.body = body.map_or_else(|| b"{}".to_vec(), |body| body.to_string().into_bytes());
        }
        Protocol::Cbor => {
            answer.headers.push(("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned()));
            if let Some(part) = part {
                answer.headers.push(("Content-Type".to_owned(), "application/cbor".to_owned()));
                answer.body = cbor_body::encode(service, part, output)?;
            }
        }
        Protocol::Query => {
            let xml = Xml { service, naming: xml_body::QUERY };
            let mut root = response_root(service, operation);
            if let Some(part) = part {
                root.children.push(xml.element(&result_wrapper(operation, part), part, output)?);
            }
            let mut metadata = Element::new("ResponseMetadata");
            metadata.children.push(Element::with_text("RequestId", request_id));
            root.children.push(metadata);
            errors::write_xml(&root, &mut answer);
        }
        Protocol::Ec2 => {
            let xml = Xml { service, naming: xml_body::EC2 };
            let name = format!("{}Response", operation.name);
            let mut root = match part {
                Some(part) => xml.element(&name, part, output)?,
                None => Element::new(&name),
            };
            root.children.insert(0, Element::with_text("requestId", request_id));
            let namespace = format!("http://ec2.amazonaws.com/doc/{}/", service.names.api_version);
            root.attributes.push(("xmlns".to_owned(), namespace));
            errors::write_xml(&root, &mut answer);
        }
        Protocol::RestJson => rest_answer(service, Format::Json, operation, output, &mut answer)?,
        Protocol::RestXml => rest_answer(service, Format::Xml, operation, output, &mut answer)?,
    }
    Ok(answer)
}

fn response_root(service: &Service, operation: &Operation) -> Element {
    let mut root = Element::new(&format!("{}Response", operation.name));
    if !service.names.xml_namespace.is_empty() {
        root.attributes.push(("xmlns".to_owned(), service.names.xml_namespace.to_string()));
    }
    root
}

fn rest_answer(
    service: &Service,
    format: Format,
    operation: &Operation,
    output: &Json,
    answer: &mut HttpAnswer,
) -> Result<(), Unfit> {
    answer.status = operation.status;
    let Some(part) = &operation.output else { return Ok(()) };
    let root = format!("{}Result", operation.name);
    let parts = rest::distribute(service, format, part, output, &root)?;
    answer.status = parts.status.unwrap_or(answer.status);
    answer.headers.extend(parts.headers);
    answer.body = parts.body;
    if format == Format::Xml && answer.body.is_empty() && has_body(service, part) {
        // Nothing in it, but an element all the same.
        errors::write_xml(&Element::new(&root), answer);
    }
    if let Some(content_type) = parts.content_type {
        set_default(&mut answer.headers, "Content-Type", content_type);
    }
    Ok(())
}

/// Whether an output has a body that is not just one of its members.
fn has_body(service: &Service, part: &Use) -> bool {
    let shape = service.shape(part.shape);
    let in_body = service.members(part).iter().any(|member| member.part.location == Location::Body);
    matches!(shape.kind, Kind::Structure(_)) && shape.payload.is_none() && in_body
}

/// The answer that carries this error.
pub fn encode_error(protocol: Protocol, service: &Service, error: &AwsError) -> HttpAnswer {
    errors::encode(protocol, service, error)
}

/// Whether a header of a request says that its client asks for errors of the query protocol as well.
pub fn wants_query_errors(request: &HttpRequest) -> bool {
    header(&request.headers, "x-amzn-query-mode") == Some("true")
}
