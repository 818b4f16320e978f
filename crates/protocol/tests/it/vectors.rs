//! Requests as botocore writes them, and answers as it reads them. xtask/src/vectors.py wrote vectors.jsonl.

use std::collections::BTreeMap;

use stepwell_json::Json;
use stepwell_protocol::{
    HttpAnswer, HttpRequest, Operation, Protocol, Service, blob_bytes, decode_request, decode_response_as,
    encode_request_as, service,
};

const VECTORS: &str = include_str!("vectors.jsonl");

pub(crate) fn vectors() -> impl Iterator<Item = Json> {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| Json::parse(line).expect("a vector in JSON"))
}

pub(crate) fn text<'a>(tree: &'a Json, name: &str) -> &'a str {
    tree.get(name).and_then(Json::as_str).unwrap_or_else(|| panic!("no text `{name}`"))
}

fn meant(vector: &Json) -> (&'static Service, &'static Operation, Protocol) {
    let service = service(text(vector, "service")).expect("a service");
    let operation = service.operation(text(vector, "operation")).unwrap_or_else(|| panic!("{vector}"));
    let protocol = match text(vector, "protocol") {
        "json" => Protocol::Json,
        "rest-json" => Protocol::RestJson,
        "rest-xml" => Protocol::RestXml,
        "query" => Protocol::Query,
        "ec2" => Protocol::Ec2,
        "smithy-rpc-v2-cbor" => Protocol::Cbor,
        other => panic!("a protocol `{other}`"),
    };
    (service, operation, protocol)
}

fn pairs(tree: Option<&Json>) -> Vec<(String, String)> {
    let pair = |pair: &Json| {
        let texts: Vec<&str> = pair.as_array().expect("a pair").iter().filter_map(Json::as_str).collect();
        (texts[0].to_owned(), texts[1].to_owned())
    };
    tree.and_then(Json::as_array).expect("pairs").iter().map(pair).collect()
}

fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort();
    pairs
}

pub(crate) fn headers(tree: &Json) -> Vec<(String, String)> {
    let object = tree.get("headers").and_then(Json::as_object).expect("headers");
    object.iter().map(|(name, value)| (name.to_string(), value.as_str().expect("a text").to_owned())).collect()
}

fn form(body: &[u8]) -> Vec<(String, String)> {
    let target = format!("/?{}", std::str::from_utf8(body).expect("a form"));
    HttpRequest::received("POST", &target, Vec::new(), Vec::new()).expect("a form").query
}

pub(crate) fn bytes(tree: &Json) -> Vec<u8> {
    blob_bytes(text(tree, "body")).expect("bytes")
}

/// What botocore wrote is what we write: as trees where the order of members and spaces mean nothing, else byte by byte.
fn check_request(vector: &Json, wanted: &Json) -> Result<(), String> {
    let (service, operation, protocol) = meant(vector);
    let input = vector.get("input").expect("an input");
    let mut token = || "drawn".to_owned();
    let request =
        encode_request_as(protocol, service, operation, input, &mut token).map_err(|unfit| unfit.to_string())?;
    let same = |what: &str, ours: String, theirs: String| match ours == theirs {
        true => Ok(()),
        false => Err(format!("{what}\n    ours   {ours}\n    theirs {theirs}")),
    };
    same("method", request.method.clone(), text(wanted, "method").to_owned())?;
    same("path", request.path.clone(), text(wanted, "path").to_owned())?;
    let prefix = wanted.get("host_prefix").and_then(Json::as_str).map(str::to_owned);
    same("host prefix", format!("{:?}", request.host_prefix), format!("{prefix:?}"))?;
    let query = sorted(request.query.clone());
    same("query", format!("{query:?}"), format!("{:?}", sorted(pairs(wanted.get("query")))))?;
    for (name, value) in headers(wanted) {
        same(&name, format!("{:?}", request.header(&name)), format!("{:?}", Some(value.as_str())))?;
    }
    let json = |bytes: &[u8]| Json::parse(std::str::from_utf8(bytes).ok()?).ok();
    match protocol {
        Protocol::Query | Protocol::Ec2 => {
            same("form", format!("{:?}", form(&request.body)), format!("{:?}", pairs(wanted.get("body"))))
        }
        Protocol::Json | Protocol::RestJson if json(&request.body).is_some() => {
            let (ours, theirs) = (json(&request.body), json(&bytes(wanted)));
            if ours == theirs { Ok(()) } else { same("body", format!("{ours:?}"), format!("{theirs:?}")) }
        }
        _ => same("body", printed(&request.body), printed(&bytes(wanted))),
    }
}

fn printed(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| format!("{bytes:x?}"))
}

fn check_answer(vector: &Json, wanted: &Json) -> Result<(), String> {
    let (service, operation, protocol) = meant(vector);
    let status = wanted.get("status").and_then(Json::as_i64).and_then(|status| u16::try_from(status).ok());
    let answer = HttpAnswer { status: status.expect("a status"), headers: headers(wanted), body: bytes(wanted) };
    let read = decode_response_as(protocol, service, operation, &answer);
    match (read, wanted.get("output"), wanted.get("error")) {
        (Ok(read), Some(output), _) if read.output == *output => Ok(()),
        (Ok(read), Some(output), _) => {
            Err(format!("output of {}\n    ours   {}\n    theirs {output}", printed(&answer.body), read.output))
        }
        (Err(error), _, Some(wanted)) => {
            let ours = Json::object([
                ("code", Json::from(error.code.clone())),
                ("message", Json::from(error.message.clone().unwrap_or_default())),
                ("members", error.members.clone()),
            ]);
            if ours == *wanted { Ok(()) } else { Err(format!("error\n    ours   {ours}\n    theirs {wanted}")) }
        }
        (read, ..) => Err(format!("{read:?}")),
    }
}

/// Runs all vectors of one kind, and tells every fault at once.
fn check(kind: &str, check: fn(&Json, &Json) -> Result<(), String>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for vector in vectors() {
        let Some(wanted) = vector.get(kind) else { continue };
        *counts.entry(text(&vector, "protocol").to_owned()).or_default() += 1;
        if let Err(fault) = check(&vector, wanted) {
            faults.push(format!("{} {}: {fault}", text(&vector, "service"), text(&vector, "operation")));
        }
    }
    assert!(faults.is_empty(), "{} of {counts:?}\n{}", faults.len(), faults.join("\n"));
    assert!(counts.len() == 6 && counts.values().all(|count| *count >= 20), "{counts:?}");
}

#[test]
fn requests_are_those_of_botocore() {
    check("request", check_request);
}

#[test]
fn answers_are_read_as_by_botocore() {
    check("answer", check_answer);
}

/// A server understands what botocore writes: the input is the one it was written from.
#[test]
fn requests_of_botocore_are_understood() {
    check("request", |vector, wanted| {
        let (service, operation, protocol) = meant(vector);
        if protocol != service.names.protocol() {
            return Ok(());
        }
        let body = match protocol {
            Protocol::Query | Protocol::Ec2 => {
                let query = pairs(wanted.get("body"));
                HttpRequest { query, ..HttpRequest::default() }.target().split_off(1).into_bytes()
            }
            _ => bytes(wanted),
        };
        let request = HttpRequest {
            method: text(wanted, "method").to_owned(),
            host_prefix: None,
            path: text(wanted, "path").to_owned(),
            query: pairs(wanted.get("query")),
            headers: headers(wanted),
            body,
        };
        let asked = decode_request(service, &request).map_err(|fault| format!("{fault:?}"))?;
        let input = vector.get("input").expect("an input");
        match (asked.operation.name == operation.name, asked.input == *input) {
            (true, true) => Ok(()),
            (true, false) => Err(format!("input\n    ours   {}\n    theirs {input}", asked.input)),
            (false, _) => Err(format!("taken for {}", asked.operation.name)),
        }
    });
}
