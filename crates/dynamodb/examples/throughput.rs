//! How many calls a second a database in a directory takes: `cargo run --release -p stepwell-dynamodb --example throughput DIR`.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stepwell_dynamodb::DynamoDb;
use stepwell_interpreter::Moment;
use stepwell_json::Json;
use stepwell_protocol::{AwsCall, Place};
use stepwell_spec::Timestamp;

const FOR: Duration = Duration::from_secs(3);

fn main() {
    let directory = std::env::args().nth(1).expect("a directory, which is not emptied");
    let dynamodb = DynamoDb::open(Some(Path::new(&directory))).unwrap_or_else(|error| panic!("{error}"));
    let place = Place { account: "123456789012".into(), region: "us-east-1".into() };
    let calls = AtomicU64::new(1);
    let ask = |action: &str, input: String| {
        let input = Json::parse(&input).expect("JSON");
        let call = AwsCall { service: "dynamodb".into(), action: action.into(), input };
        let at = Moment { now: Timestamp(1_700_000_000_000), entropy: calls.fetch_add(1, Ordering::Relaxed) };
        dynamodb.call(&place, &call, at)
    };
    let table = r#"{"TableName":"throughput","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#;
    if let Err(error) = ask("CreateTable", table.to_owned()) {
        assert_eq!(&*error.code, "ResourceInUseException");
    }
    for action in ["PutItem", "GetItem"] {
        for threads in [1, 16] {
            let done = AtomicU64::new(0);
            let begun = Instant::now();
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    let (ask, done) = (&ask, &done);
                    scope.spawn(move || {
                        while begun.elapsed() < FOR {
                            let number = done.fetch_add(1, Ordering::Relaxed);
                            let key = format!(r#"{{"S":"{thread}-{number}"}}"#);
                            let what = match action {
                                "PutItem" => format!(r#""Item":{{"k":{key},"v":{{"S":"{}"}}}}"#, "x".repeat(200)),
                                _ => format!(r#""Key":{{"k":{key}}}"#),
                            };
                            ask(action, format!(r#"{{"TableName":"throughput",{what}}}"#)).expect("an answer");
                        }
                    });
                }
            });
            let rate = done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
            println!("{action}, {threads} threads: {rate:.0} a second");
        }
    }
}
