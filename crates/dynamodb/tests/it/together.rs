//! Calls from many threads at once.

use std::sync::atomic::{AtomicU64, Ordering};

use stepwell_dynamodb::DynamoDb;
use stepwell_interpreter::Moment;
use stepwell_json::Json;
use stepwell_protocol::AwsCall;
use stepwell_spec::Timestamp;

use crate::world::{BEGIN, World, place};

const THREADS: u64 = 16;
const EACH: u64 = 25;

#[test]
fn sixteen_threads_lose_no_count() {
    let mut world = World::in_memory();
    world.table("tab");
    let dynamodb = &world.dynamodb;
    let calls = AtomicU64::new(1000);
    let ask = |action: &str, input: &str| {
        let call =
            AwsCall { service: "dynamodb".into(), action: action.into(), input: Json::parse(input).expect("JSON") };
        let at = Moment { now: Timestamp(BEGIN * 1000), entropy: calls.fetch_add(1, Ordering::Relaxed) };
        DynamoDb::call(dynamodb, &place("123456789012", "us-east-1"), &call, at).expect("an answer")
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let ask = &ask;
            scope.spawn(move || {
                for turn in 0..EACH {
                    ask(
                        "UpdateItem",
                        r#"{"TableName":"tab","Key":{"k":{"S":"sum"}},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}"#,
                    );
                    ask("PutItem", &format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{thread}-{turn}"}}}}}}"#));
                    ask("Scan", r#"{"TableName":"tab","Limit":3}"#);
                }
            });
        }
    });
    let sum = format!(r#"{{"Item":{{"n":{{"N":"{}"}}}}}}"#, THREADS * EACH);
    let count = THREADS * EACH + 1;
    world.play(&[
        ("GetItem", r#"{"TableName":"tab","Key":{"k":{"S":"sum"}},"ProjectionExpression":"n"}"#, &sum),
        ("Scan", r#"{"TableName":"tab","Select":"COUNT"}"#, &format!(r#"{{"Count":{count},"ScannedCount":{count}}}"#)),
    ]);
}
