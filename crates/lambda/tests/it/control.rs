//! Functions, versions and aliases: what each action does, and how it is refused.

use stepwell_json::Json;
use stepwell_protocol::blob_text;

use crate::own_runtime::echo;
use crate::room::Room;

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_lives_and_is_gone() {
    let room = Room::new();
    echo(&room, "f", "").await;
    let shown = room.ask("GetFunctionConfiguration", r#"{"FunctionName":"f"}"#).await.expect("a function");
    assert_eq!(text(&shown, "FunctionArn"), "arn:aws:lambda:us-east-1:123456789012:function:f");
    assert_eq!((text(&shown, "State"), text(&shown, "LastModified")), ("Active", "2023-11-14T22:13:20.000+0000"));
    assert_eq!(shown.get("Timeout"), Some(&Json::from(3)));
    let (code, message) = room.ask("GetFunction", r#"{"FunctionName":"g"}"#).await.expect_err("none");
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(message, "Function not found: arn:aws:lambda:us-east-1:123456789012:function:g");
    room.ask("DeleteFunction", r#"{"FunctionName":"f"}"#).await.expect("done");
    assert_eq!(room.refused("DeleteFunction", r#"{"FunctionName":"f"}"#).await, "ResourceNotFoundException");
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_by_name() {
    let room = Room::new();
    echo(&room, "f", "").await;
    let role = "arn:aws:iam::123456789012:role/r";
    let create = |more: &str| format!(r#"{{"FunctionName":"n","Role":"{role}","Handler":"h.h"{more}}}"#);
    let zip = r#","Code":{"ZipFile":"AAAA"}"#;
    for (action, input, code, part) in [
        (
            "CreateFunction",
            create(r#","Runtime":"java21","Code":{"ZipFile":"AAAA"}"#),
            "InvalidParameterValueException",
            "function-url",
        ),
        (
            "CreateFunction",
            create(r#","Runtime":"cobol","Code":{"ZipFile":"AAAA"}"#),
            "InvalidParameterValueException",
            "enum value set",
        ),
        (
            "CreateFunction",
            create(&format!(r#","Runtime":"provided.al2023"{zip}"#)),
            "InvalidParameterValueException",
            "Could not unzip",
        ),
        ("CreateFunction", create(zip), "InvalidParameterValueException", "Runtime and Handler"),
        (
            "CreateFunction",
            create(r#","Runtime":"provided","Code":{}"#),
            "InvalidParameterValueException",
            "Please provide a source",
        ),
        (
            "CreateFunction",
            create(r#","Runtime":"provided","Code":{"S3Bucket":"bucket","S3Key":"none"}"#),
            "InvalidParameterValueException",
            "NoSuchKey",
        ),
        (
            "CreateFunction",
            create(r#","Runtime":"provided","Code":{"S3Bucket":"hot-reload","S3Key":"relative"}"#),
            "InvalidParameterValueException",
            "absolute",
        ),
        (
            "CreateFunction",
            create(r#","Runtime":"provided","Timeout":0,"Code":{}"#),
            "ValidationException",
            "at 'timeout'",
        ),
        (
            "CreateFunction",
            create(r#","Runtime":"provided","Environment":{"Variables":{"AWS_REGION":"x"}},"Code":{}"#),
            "InvalidParameterValueException",
            "AWS_REGION",
        ),
        (
            "CreateFunction",
            create(r#","Runtime":"provided","Layers":["arn:x"],"Code":{}"#),
            "InvalidParameterValueException",
            "Layers",
        ),
        ("CreateFunction", r#"{"FunctionName":"n","Handler":"h"}"#.to_owned(), "ValidationException", "at 'role'"),
        (
            "CreateFunction",
            r#"{"FunctionName":"n","Role":"x","Handler":"h","Runtime":"provided","Code":{}}"#.to_owned(),
            "ValidationException",
            "at 'role'",
        ),
        ("Invoke", r#"{"FunctionName":"g"}"#.to_owned(), "ResourceNotFoundException", "function:g"),
        ("Invoke", r#"{"FunctionName":"f:7"}"#.to_owned(), "ResourceNotFoundException", "function:f:7"),
        (
            "Invoke",
            format!(r#"{{"FunctionName":"f","Payload":"{}"}}"#, blob_text(b"{not")),
            "InvalidRequestContentException",
            "Could not parse",
        ),
        (
            "Invoke",
            r#"{"FunctionName":"f","InvocationType":"Later"}"#.to_owned(),
            "ValidationException",
            "invocationType",
        ),
        (
            "PublishLayerVersion",
            r#"{"LayerName":"l","Content":{}}"#.to_owned(),
            "UnknownOperationException",
            "PublishLayerVersion",
        ),
        ("GetPolicy", r#"{"FunctionName":"f"}"#.to_owned(), "ResourceNotFoundException", "does not exist"),
        (
            "GetAlias",
            r#"{"FunctionName":"f","Name":"x"}"#.to_owned(),
            "ResourceNotFoundException",
            "Cannot find alias arn",
        ),
        (
            "UpdateFunctionConfiguration",
            r#"{"FunctionName":"f","RevisionId":"old"}"#.to_owned(),
            "PreconditionFailedException",
            "Revision",
        ),
    ] {
        let (found, message) = room.ask(action, &input).await.expect_err(&input);
        assert_eq!(found, code, "{input}: {message}");
        assert!(message.contains(part), "{input}: {message}");
    }
    let large = format!(r#"{{"FunctionName":"f","Payload":"{}"}}"#, blob_text(&vec![b'1'; 6_291_457]));
    assert_eq!(room.refused("Invoke", &large).await, "RequestTooLargeException");
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_aliases_name_code() {
    let room = Room::new();
    echo(&room, "f", r#","Publish":true"#).await;
    // Nothing new is no new version.
    let again = room.ask("PublishVersion", r#"{"FunctionName":"f"}"#).await.expect("a version");
    assert_eq!(text(&again, "Version"), "1");
    room.ask("UpdateFunctionConfiguration", r#"{"FunctionName":"f","Timeout":9}"#).await.expect("done");
    let second = room.ask("PublishVersion", r#"{"FunctionName":"f","Description":"two"}"#).await.expect("a version");
    assert_eq!((text(&second, "Version"), second.get("Timeout")), ("2", Some(&Json::from(9))));
    let first =
        room.ask("GetFunctionConfiguration", r#"{"FunctionName":"f","Qualifier":"1"}"#).await.expect("a version");
    assert_eq!(first.get("Timeout"), Some(&Json::from(3)));

    let live = r#"{"FunctionName":"f","Name":"live","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":0.5}}}"#;
    room.ask("CreateAlias", live).await.expect("an alias");
    assert_eq!(room.refused("CreateAlias", live).await, "ResourceConflictException");
    let mut ran = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let output = room.invoke_whole("f:live", "1", "").await.expect("an answer");
        ran.insert(text(&output, "ExecutedVersion").to_owned());
    }
    assert_eq!(ran.into_iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(
        room.refused("DeleteFunction", r#"{"FunctionName":"f","Qualifier":"2"}"#).await,
        "ResourceConflictException"
    );
    let one = r#"{"FunctionName":"f","Name":"live","FunctionVersion":"1","RoutingConfig":{}}"#;
    room.ask("UpdateAlias", one).await.expect("done");
    room.ask("DeleteFunction", r#"{"FunctionName":"f","Qualifier":"2"}"#).await.expect("done");
    let versions = room.ask("ListVersionsByFunction", r#"{"FunctionName":"f"}"#).await.expect("a list");
    let versions = versions.get("Versions").and_then(Json::as_array).expect("a list").clone();
    let names: Vec<&str> = versions.iter().map(|version| text(version, "Version")).collect();
    assert_eq!(names, ["$LATEST", "1"]);
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn code_comes_from_a_bucket() {
    let room = Room::new();
    room.others.objects.lock().expect("a map").insert("code.zip".to_owned(), b"no zip".to_vec());
    let input = |key: &str| {
        format!(
            r#"{{"FunctionName":"f","Runtime":"provided.al2023","Handler":"x","Role":"arn:aws:iam::123456789012:role/r",
            "Code":{{"S3Bucket":"bucket","S3Key":"{key}"}}}}"#
        )
    };
    let (code, message) = room.ask("CreateFunction", &input("code.zip")).await.expect_err("no zip");
    assert_eq!(code, "InvalidParameterValueException");
    assert!(message.starts_with("Could not unzip uploaded file."), "{message}");
    assert_eq!(room.others.inputs("GetObject")[0].to_string(), r#"{"Bucket":"bucket","Key":"code.zip"}"#);
    assert!(std::fs::read_dir(room.home.join("lambda/code")).expect("a directory").next().is_none());
    room.close().await;
}
