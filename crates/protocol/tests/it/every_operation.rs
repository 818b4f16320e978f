//! What a client writes a server reads, and back, for inputs and outputs drawn from the shapes.

use std::collections::BTreeMap;

use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{
    Fault, HttpAnswer, HttpRequest, Kind, Location, Operation, Protocol, Service, Use, blob_text, decode_request,
    decode_response, decode_response_as, encode_error, encode_request_as, encode_response, service, services,
};

/// Services whose operations are all tried.
const WHOLE: [&str; 19] = [
    "sqs",
    "sns",
    "dynamodb",
    "lambda",
    "sts",
    "iam",
    "s3",
    "stepfunctions",
    "events",
    "scheduler",
    "batch",
    "ecs",
    "glue",
    "athena",
    "secretsmanager",
    "ssm",
    "ec2",
    "codebuild",
    "cloudwatch",
];

/// Of the others every so manieth operation.
const STRIDE: usize = 23;

const DEPTH_MAX: u32 = 4;

/// The same numbers for the same seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count
    }

    fn of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    fn structure(&mut self, service: &Service, part: &Use, depth: u32) -> Json {
        let shape = service.shape(part.shape);
        let members = service.members(part);
        let mut object = ObjectBuilder::new();
        let only = if shape.union && !members.is_empty() { Some(self.below(members.len())) } else { None };
        for (place, member) in members.iter().enumerate() {
            let shape = service.shape(member.part.shape);
            let nests = matches!(shape.kind, Kind::Structure(_) | Kind::List(_) | Kind::Map(..)) && !shape.document;
            let needed = member.part.required || member.part.host_label || member.part.location == Location::Uri;
            let wanted = needed || member.part.idempotency_token || self.below(3) == 0;
            let wanted = only.map_or(wanted, |only| only == place);
            let too_deep = nests && depth >= DEPTH_MAX && !(needed && depth < DEPTH_MAX * 2);
            if !wanted || shape.event_stream || too_deep {
                continue;
            }
            let value = self.value(service, &member.part, depth + 1);
            // Emptiness has no form in a form, and none in XML that is flattened.
            let empty = value.as_object().is_some_and(|object| object.is_empty());
            if !empty {
                object.insert(member.name.clone(), value);
            }
        }
        Json::from(object.build())
    }

    fn value(&mut self, service: &Service, part: &Use, depth: u32) -> Json {
        let shape = service.shape(part.shape);
        if shape.document {
            return Json::parse("{\"any\":[1,\"two\",{\"three\":null}]}").expect("JSON");
        }
        match &shape.kind {
            Kind::Structure(_) => self.structure(service, part, depth),
            Kind::List(item) => {
                let count = 1 + self.below(3);
                Json::array((0..count).map(|_| self.value(service, item, depth + 1)).collect())
            }
            Kind::Map(_, of) => {
                let keys = if part.location == Location::Headers { ["one", "two-b"] } else { ["one", "two b/é"] };
                let count = 1 + self.below(keys.len());
                Json::object(keys.into_iter().take(count).map(|key| (key, self.value(service, of, depth + 1))))
            }
            Kind::String => Json::from(self.text(part, &shape.choices)),
            Kind::Boolean => Json::from(self.below(2) == 0),
            Kind::Integer => Json::from(self.of(&[0_i64, 1, -1, 42, 2_147_483_647])),
            Kind::Long => Json::from(self.of(&[0_i64, -7, 1 << 40, 9_007_199_254_740_991])),
            Kind::Float => Json::from_f64(self.of(&[0.5, -1.25, 1024.0])).expect("a number"),
            Kind::Double => Json::from_f64(self.of(&[0.1, -1.25, 1e15, 0.000_001])).expect("a number"),
            Kind::Timestamp => Json::from(self.of(&[0_i64, 1_440_938_160, 951_782_400, 4_102_444_800])),
            Kind::Blob => {
                let bytes: Vec<u8> = (0..1 + self.below(7)).map(|_| self.below(256) as u8).collect();
                Json::from(blob_text(&bytes))
            }
        }
    }

    fn text(&mut self, part: &Use, choices: &[std::sync::Arc<str>]) -> String {
        if !choices.is_empty() && self.below(4) > 0 {
            return self.of(choices).to_string();
        }
        let plain = part.host_label || matches!(part.location, Location::Header | Location::Headers);
        let texts: &[&str] = match plain {
            true => &["abc", "x-1"],
            false => {
                &["a", "Some text", "a/b?c#d+e%20&f=g", "<1 & \"é\">\r\n\t.", "日本\u{1F980}", "arn:aws:x:y:1:z/w"]
            }
        };
        self.of(texts).to_owned()
    }
}

/// Without what a form cannot say: structures with nothing in them.
fn filled(protocol: Protocol, value: Json) -> Json {
    if !matches!(protocol, Protocol::Query | Protocol::Ec2) {
        return value;
    }
    let empty = |value: &Json| {
        value.as_object().is_some_and(|object| object.is_empty())
            || value.as_array().is_some_and(|items| items.is_empty())
    };
    match &value {
        Json::Object(object) => Json::object(
            object
                .iter()
                .map(|(name, value)| (name.clone(), filled(protocol, value.clone())))
                .filter(|(_, value)| !empty(value)),
        ),
        Json::Array(items) => {
            Json::array(items.iter().map(|item| filled(protocol, item.clone())).filter(|item| !empty(item)).collect())
        }
        _ => value,
    }
}

fn operations() -> impl Iterator<Item = (&'static Service, &'static Operation)> {
    services().flat_map(|names| {
        let service = service(&names.name).expect("a service of the list");
        let stride = if WHOLE.contains(&&*names.name) { 1 } else { STRIDE };
        // Two deprecated ones of S3 read the same element twice.
        let current = service.operations.iter().filter(|operation| !operation.deprecated);
        current.step_by(stride).map(move |operation| (service, operation))
    })
}

/// All a service speaks, and what SQS speaks although its model is silent about it.
fn protocols(service: &Service) -> Vec<Protocol> {
    let mut protocols = service.names.protocols.clone();
    if &*service.names.name == "sqs" {
        protocols.push(Protocol::Query);
    }
    protocols
}

fn streams(service: &Service, part: &Use) -> bool {
    service.members(part).iter().any(|member| service.shape(member.part.shape).event_stream)
}

/// Faults by service, at most a few of each, with how many operations were tried.
#[derive(Default)]
struct Tally {
    tried: usize,
    faults: BTreeMap<String, Vec<String>>,
}

impl Tally {
    fn fault(&mut self, service: &Service, operation: &Operation, what: String) {
        let faults = self.faults.entry(service.names.name.to_string()).or_default();
        faults.push(format!("{} {}: {what}", service.names.name, operation.name));
    }

    fn done(self, least: usize) {
        let count: usize = self.faults.values().map(Vec::len).sum();
        let shown: Vec<&str> = self.faults.values().flat_map(|each| each.iter().take(2)).map(String::as_str).collect();
        assert!(count == 0, "{count} of {}\n{}", self.tried, shown.join("\n"));
        assert!(self.tried >= least, "{} operations", self.tried);
    }
}

#[test]
fn inputs_arrive() {
    let mut tally = Tally::default();
    let mut draw = Draw(7);
    for (service, operation) in operations() {
        let Some(part) = operation.input.as_ref().filter(|part| !streams(service, part)) else { continue };
        for protocol in protocols(service) {
            tally.tried += 1;
            let input = filled(protocol, draw.structure(service, part, 0));
            let request = match encode_request_as(protocol, service, operation, &input, &mut || "drawn".to_owned()) {
                Ok(request) => request,
                Err(unfit) => {
                    tally.fault(service, operation, format!("{unfit} in {input}"));
                    continue;
                }
            };
            let received = HttpRequest::received(
                &request.method,
                &request.target(),
                request.headers.clone(),
                request.body.clone(),
            );
            match decode_request(service, &received.expect("a request")) {
                Ok(asked) if asked.protocol != protocol => {
                    tally.fault(service, operation, format!("{protocol:?} taken for {:?}", asked.protocol));
                }
                Ok(asked) if asked.operation.name != operation.name => {
                    // Some models tell operations apart by hosts only.
                    if asked.operation.uri != operation.uri {
                        tally.fault(
                            service,
                            operation,
                            format!("taken for {}: {}", asked.operation.name, request.target()),
                        );
                    }
                }
                Ok(asked) if same(&asked.input, &input) => {}
                Ok(asked) => {
                    let body = String::from_utf8_lossy(&request.body);
                    tally.fault(service, operation, format!("\n  sent {input}\n  read {}\n  body {body}", asked.input));
                }
                Err(fault) => tally.fault(service, operation, format!("{fault:?}")),
            }
        }
    }
    tally.done(3_000);
}

/// Equal, but for a payload that is empty: none is the same there.
fn same(read: &Json, sent: &Json) -> bool {
    if read == sent {
        return true;
    }
    let (Some(read), Some(sent)) = (read.as_object(), sent.as_object()) else { return false };
    let nothing =
        |value: &Json| value.as_str() == Some("") || value.as_object().is_some_and(|object| object.is_empty());
    let all = |one: &stepwell_json::Object, other: &stepwell_json::Object| {
        one.iter().all(|(name, value)| other.get(name).map_or_else(|| nothing(value), |known| known == value))
    };
    all(read, sent) && all(sent, read)
}

#[test]
fn outputs_come_back() {
    let mut tally = Tally::default();
    let mut draw = Draw(11);
    for (service, operation) in operations() {
        let Some(part) = operation.output.as_ref().filter(|part| !streams(service, part)) else { continue };
        let mut output = draw.structure(service, part, 0);
        for member in service.members(part).iter().filter(|member| member.part.location == Location::Status) {
            output = Json::from(output.as_object().expect("an object").with(member.name.clone(), Json::from(202)));
        }
        for protocol in protocols(service) {
            tally.tried += 1;
            let answer = encode_response(protocol, service, operation, &output, "an-id");
            let read = answer.map(|answer| (decode_response_as(protocol, service, operation, &answer), answer));
            match read {
                Ok((Ok(read), _)) if same(&read.output, &output) && &*read.request_id == "an-id" => {}
                Ok((read, answer)) => {
                    let body = String::from_utf8_lossy(&answer.body);
                    tally.fault(service, operation, format!("\n  sent {output}\n  read {read:?}\n  body {body}"));
                }
                Err(unfit) => tally.fault(service, operation, format!("{unfit} in {output}")),
            }
        }
    }
    tally.done(2_000);
}

#[test]
fn errors_come_back() {
    let mut tally = Tally::default();
    for (service, operation) in operations() {
        for id in operation.errors.iter().take(2) {
            tally.tried += 1;
            let shape = service.shape(*id);
            let error = stepwell_protocol::AwsError {
                code: shape.code().into(),
                message: Some("It is <not> there.".into()),
                status: shape.error.as_ref().and_then(|error| error.status).unwrap_or(400),
                fault: Fault::Client,
                request_id: "an-id".into(),
                members: Json::empty_object(),
            };
            for protocol in protocols(service) {
                let answer = encode_error(protocol, service, &error);
                let read = decode_response_as(protocol, service, operation, &answer).expect_err("an error");
                let same = (&read.code, &read.message, read.status) == (&error.code, &error.message, error.status);
                if !same || read.request_id != error.request_id {
                    tally.fault(service, operation, format!("{protocol:?} {read:?}"));
                }
            }
        }
    }
    tally.done(2_000);
}

/// Garbage is refused or ignored; it never panics, and never takes long.
#[test]
fn garbage_is_survived() {
    let mut draw = Draw(3);
    let seeds: [&[u8]; 6] = [
        b"{\"a\":[1,{\"b\":\"\xc3\xa9\"}],\"__type\":\"x#y\"}",
        b"<a b=\"c\"><d>e&amp;</d><Error><Code>x</Code></Error></a>",
        b"Action=Publish&Message.entry.1.key=a&Message.entry.1.value=%C3%A9",
        &[0xbf, 0x61, b'a', 0x9f, 1, 2, 0xff, 0xff],
        b"",
        b"\xff\xfe",
    ];
    let mut tried = 0;
    for (service, operation) in operations().step_by(7) {
        for seed in seeds {
            let mut body = seed.to_vec();
            for _ in 0..draw.below(4) {
                let at = draw.below(body.len() + 1);
                body.insert(at, draw.below(256) as u8);
            }
            let headers = vec![
                ("x-amz-target".to_owned(), format!("x.{}", operation.name)),
                ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
                ("x-amzn-errortype".to_owned(), String::from_utf8_lossy(&body).into_owned()),
            ];
            for status in [200, 400] {
                let answer = HttpAnswer { status, headers: headers.clone(), body: body.clone() };
                let read = decode_response(service, operation, &answer);
                assert!(status == 200 || read.is_err());
            }
            let target = format!("{}?{}", operation.uri, String::from_utf8_lossy(&body));
            if let Some(request) = HttpRequest::received(&operation.method, &target, headers, body) {
                tried += usize::from(decode_request(service, &request).is_ok());
            }
        }
    }
    assert!(tried > 0, "no garbage was taken for anything");
}
