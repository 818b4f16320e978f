//! What outlives the process that was told of it.

use stepwell_json::Json;

use crate::own_runtime::echo;
use crate::room::{Room, settings};

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_was_acknowledged_is_there_again() {
    let room = Room::new();
    echo(&room, "f", r#","Publish":true,"Tags":{"a":"1"}"#).await;
    room.ask("CreateAlias", r#"{"FunctionName":"f","Name":"live","FunctionVersion":"1"}"#).await.expect("an alias");
    room.ask("PutFunctionConcurrency", r#"{"FunctionName":"f","ReservedConcurrentExecutions":5}"#).await.expect("done");
    let permission =
        r#"{"FunctionName":"f","StatementId":"s","Action":"lambda:InvokeFunction","Principal":"s3.amazonaws.com"}"#;
    room.ask("AddPermission", permission).await.expect("done");
    let mapping = r#"{"FunctionName":"f","EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:q","Enabled":false}"#;
    room.ask("CreateEventSourceMapping", mapping).await.expect("a mapping");
    let looks = ["GetFunction", "ListVersionsByFunction", "ListAliases", "GetPolicy", "ListEventSourceMappings"];
    let mut before = Vec::new();
    for look in looks {
        before.push(room.ask(look, r#"{"FunctionName":"f"}"#).await.expect(look));
    }
    let home = room.home.clone();
    // The directory is one process's alone.
    let others = room.others.clone();
    assert!(stepwell_lambda::Lambda::open(Some(&home.join("lambda")), settings(), others).is_err());
    room.lambda.shut_down().await;
    drop(room);
    let room = Room::at(home, settings());
    for (look, before) in looks.iter().zip(before) {
        assert_eq!(
            room.ask(look, r#"{"FunctionName":"f"}"#).await.expect(look).to_string(),
            before.to_string(),
            "{look}"
        );
    }
    assert_eq!(room.invoke("f:live", "1").await.0, Json::from(1));
    room.close().await;
}
