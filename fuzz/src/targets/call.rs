//! A call of an AWS service as it comes from a socket, in every protocol, and what a service answered.

use stepwell_protocol::{HttpAnswer, HttpRequest, decode_request, decode_response, encode_request, service};

use crate::{Behaviour, gist, magnitude};

/// Pieces of requests and answers.
#[rustfmt::skip]
pub const DICTIONARY: &[&str] = &[
    "sqs ", "sns ", "s3 ", "ec2 ", "lambda ", "dynamodb ", "route53 ", "POST /", "GET /", "PUT /", "?", "&", "=", "%2F", "\n",
    "\n\n", ": ", "X-Amz-Target: AmazonSQS.SendMessage", "X-Amz-Target: DynamoDB_20120810.PutItem",
    "Content-Type: application/x-www-form-urlencoded", "smithy-protocol: rpc-v2-cbor", "x-amzn-errortype: ", "Action=Publish",
    "Action=RunInstances", "Message", ".member.1.", ".entry.1.", "key", "value", "<a>", "</a>", "<Error><Code>", "&amp;", "&#0;",
    "<![CDATA[", "]]>", "<!DOCTYPE a>", "xmlns=\"x\"", "{\"", "\":", "null", "1e999", "\"\\ud800\"", "\u{9f}", "\u{0}",
    "/2015-03-31/functions/", "/invocations", "2015-08-30T12:36:00Z", "Sun, 30 Aug 2015 12:36:00 GMT",
];

/// A service's name, a space, then a request: first line, headers, an empty line, a body.
pub fn run(input: &[u8]) -> Behaviour {
    let split = input
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .map_or((input, &b""[..]), |at| (&input[..at], &input[at + 2..]));
    let (head, body) = split;
    let Ok(text) = std::str::from_utf8(head) else { return Behaviour::of("no text") };
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or_default().splitn(3, ' ');
    let (name, method, target) = (words.next(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let Some(service) = name.and_then(service) else { return Behaviour::of("no service") };
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let place = input.len() % service.operations.len().max(1);
    let read = service.operations.get(place).map(|operation| {
        let answers = [200, 404].map(|status| {
            let answer = HttpAnswer { status, headers: headers.clone(), body: body.to_vec() };
            decode_response(service, operation, &answer).map_or_else(|error| gist(&error.code), |_| "read".to_owned())
        });
        (place, answers)
    });
    let Some(request) = HttpRequest::received(method, target, headers, body.to_vec()) else {
        return Behaviour::of(("no request", read));
    };
    match decode_request(service, &request) {
        Ok(asked) => {
            // What was understood can be asked again, but for what only the other side may leave empty.
            let again = encode_request(service, asked.operation, &asked.input, &mut String::new).is_ok();
            let size = magnitude(asked.input.serialized_bytes());
            Behaviour::of((asked.operation.name.clone(), size, again, read))
        }
        Err(fault) => Behaviour::of((gist(&format!("{fault:?}")), read)),
    }
}
