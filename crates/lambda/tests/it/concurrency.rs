//! Many invocations at a time: none is lost, no process too many lives, and limits are told as AWS tells them.

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_lambda::LambdaSettings;

use crate::own_runtime::echo;
use crate::room::{Room, settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_a_time_are_all_answered() {
    let room = Arc::new(Room::with(LambdaSettings { processes_max: 8, ..settings() }));
    for name in ["a", "b", "c"] {
        echo(&room, name, "").await;
    }
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..1_000 {
        let room = room.clone();
        calls.spawn(async move {
            let name = ["a", "b", "c"][number % 3];
            (number, room.invoke(name, &number.to_string()).await, room.lambda.processes())
        });
    }
    let mut answered = 0;
    while let Some(call) = calls.join_next().await {
        let (number, (payload, is_error), processes) = call.expect("an answer");
        assert_eq!((payload.to_string(), is_error), (number.to_string(), false));
        assert!(processes <= 10, "{processes} processes");
        answered += 1;
    }
    assert_eq!(answered, 1_000);
    Arc::into_inner(room).expect("nobody else has it").close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_functions_than_processes_take_turns() {
    let room = Room::with(LambdaSettings { processes_max: 2, ..settings() });
    for number in 0..6 {
        echo(&room, &format!("f{number}"), "").await;
    }
    for round in 0..3 {
        for number in 0..6 {
            assert_eq!(room.invoke(&format!("f{number}"), &round.to_string()).await.0, Json::from(round));
            // One that has none gets one at once, and another is on its way out.
            assert!(room.lambda.processes() <= 5, "{} processes", room.lambda.processes());
        }
    }
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_concurrency_is_a_limit() {
    let room = Arc::new(Room::new());
    echo(&room, "f", "").await;
    let none = r#"{"FunctionName":"f","ReservedConcurrentExecutions":0}"#;
    room.ask("PutFunctionConcurrency", none).await.expect("done");
    let (code, message) = room.invoke_whole("f", "1", "").await.expect_err("throttled");
    assert_eq!((&*code, &*message), ("TooManyRequestsException", "Rate Exceeded."));
    room.ask("DeleteFunctionConcurrency", r#"{"FunctionName":"f"}"#).await.expect("done");
    assert_eq!(room.invoke("f", "1").await.0, Json::from(1));
    let all = r#"{"FunctionName":"f","ReservedConcurrentExecutions":901}"#;
    assert_eq!(room.refused("PutFunctionConcurrency", all).await, "InvalidParameterValueException");
    Arc::into_inner(room).expect("nobody else has it").close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_a_limit_too() {
    let room = Arc::new(Room::with(LambdaSettings { concurrency_max: 3, ..settings() }));
    room.function("f", "provided.al2023", "x", ("bootstrap", "#!/bin/sh\nsleep 60\n"), r#","Timeout":1"#).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let room = room.clone();
        calls.spawn(async move { room.invoke_whole("f", "1", "").await.map_err(|(code, _)| code) });
    }
    let mut throttled = 0;
    while throttled < 2 {
        match calls.join_next().await.expect("two that are refused").expect("an answer") {
            Err(code) => {
                assert_eq!(code, "TooManyRequestsException");
                throttled += 1;
            }
            Ok(_) => panic!("none of them answers before it is told to end"),
        }
    }
    // The end comes while three run, and is told to each.
    room.lambda.shut_down().await;
    while let Some(call) = calls.join_next().await {
        assert!(call.expect("an answer").expect("a document").get("FunctionError").is_some());
    }
    Arc::into_inner(room).expect("nobody else has it").close().await;
}
