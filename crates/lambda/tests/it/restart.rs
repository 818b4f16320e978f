//! What outlives the process that was told of it.

use stepwell_json::Json;

use crate::own_runtime::echo;
use crate::room::{Room, has, settings, until};

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

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_accepted_goes_on() {
    if !has("python3") {
        return;
    }
    let slow =
        || stepwell_lambda::LambdaSettings { retry_delays: [std::time::Duration::from_secs(600); 2], ..settings() };
    let room = Room::with(slow());
    let fails =
        "import os\ndef handler(event, context):\n    open(event['file'], 'a').write('.')\n    raise ValueError()\n";
    room.function("f", "python3.12", "app.handler", ("app.py", fails), "").await;
    let config = r#"{"FunctionName":"f","MaximumRetryAttempts":1,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:123456789012:failed"}}}"#;
    room.ask("PutFunctionEventInvokeConfig", config).await.expect("done");
    let tries = room.home.join("tries");
    // It may write to what is there, and not make something beside the directory that is hidden from it.
    std::fs::write(&tries, "").expect("a file");
    let event = format!(r#"{{"file":"{}"}}"#, tries.display());
    room.invoke_whole("f", &event, r#","InvocationType":"Event""#).await.expect("accepted");
    until("the first try", || std::fs::read(&tries).is_ok_and(|tries| tries.len() == 1)).await;
    // What the first try came to is kept before anything else happens; the end waits for what is being written.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    room.lambda.shut_down().await;
    let home = room.home.clone();
    drop(room);
    let room = Room::at(home, slow());
    until("the end of the event", || room.others.inputs("SendMessage").len() == 1).await;
    let told = room.others.inputs("SendMessage")[0].to_string();
    assert!(told.contains(r#"\"condition\":\"RetriesExhausted\""#), "{told}");
    assert!(told.contains(r#"\"approximateInvokeCount\":2"#), "{told}");
    assert_eq!(std::fs::read(&tries).expect("a file").len(), 2);
    room.close().await;
}
