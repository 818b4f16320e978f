//! Calls of AWS services: a model unpacked, a request written, an answer read.

use divan::{Bencher, black_box};
use stepwell_json::Json;
use stepwell_protocol::{decode_request, decode_response, encode_request, encode_response, service, unpacked_anew};

const CALLS: [(&str, &str, &str, &str); 4] = [
    ("sqs", "SendMessage", "{\"QueueUrl\":\"http://q/1/q\",\"MessageBody\":\"a body\"}", "{\"MessageId\":\"m\"}"),
    ("sns", "Publish", "{\"TopicArn\":\"arn:aws:sns:us-east-1:1:t\",\"Message\":\"a\"}", "{\"MessageId\":\"m\"}"),
    ("s3", "ListObjectsV2", "{\"Bucket\":\"b\",\"Prefix\":\"p/\"}", "{\"Contents\":[{\"Key\":\"p/a\",\"Size\":3}]}"),
    ("lambda", "Invoke", "{\"FunctionName\":\"f\",\"Payload\":\"e30=\"}", "{\"StatusCode\":200,\"Payload\":\"e30=\"}"),
];

/// From packed bytes to a model.
#[divan::bench(args = ["stepfunctions", "sqs", "lambda", "s3", "ec2"])]
fn load(name: &str) -> usize {
    unpacked_anew(black_box(name)).expect("a service").shapes.len()
}

/// A whole call, but for its transport: client, server, server, client.
#[divan::bench(args = ["sqs", "sns", "s3", "lambda"])]
fn call(bencher: Bencher<'_, '_>, name: &str) {
    let (_, action, input, output) = CALLS.into_iter().find(|call| call.0 == name).expect("a call");
    let service = service(name).expect("a service");
    let operation = service.operation(action).expect("an operation");
    let (input, output) = (Json::parse(input).expect("JSON"), Json::parse(output).expect("JSON"));
    bencher.bench_local(|| {
        let request = encode_request(service, operation, black_box(&input), &mut String::new).expect("a request");
        let asked = decode_request(service, &request).expect("an input");
        let answer = encode_response(asked.protocol, service, asked.operation, &output, "id").expect("an answer");
        decode_response(service, operation, &answer)
    });
}
