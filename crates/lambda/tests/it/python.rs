//! Functions in Python.

use stepwell_json::Json;
use stepwell_protocol::blob_bytes;

use crate::room::{Room, has, left_below, until, write};

const CODE: &str = r#"
import json, os, subprocess, sys, time, logging
COUNT = 0

class OutOfStock(Exception):
    pass

def handler(event, context):
    global COUNT
    COUNT += 1
    what = event.get("do")
    if what == "echo":
        return event
    if what == "count":
        return COUNT
    if what == "raise":
        raise OutOfStock("no " + event["item"])
    if what == "context":
        left = context.get_remaining_time_in_millis()
        return {"name": context.function_name, "version": context.function_version, "memory": context.memory_limit_in_mb,
                "arn": context.invoked_function_arn, "id": len(context.aws_request_id), "left": 0 < left <= 3000,
                "group": context.log_group_name, "client": context.client_context and context.client_context.custom}
    if what == "environment":
        return dict(os.environ)
    if what == "sleep":
        time.sleep(event["seconds"])
        return "slept"
    if what == "exit":
        os._exit(event["code"])
    if what == "set":
        return {1, 2}
    if what == "bytes":
        return b'{"raw":true}'
    if what == "large":
        return "x" * event["bytes"]
    if what == "print":
        print("printed")
        logging.getLogger().warning("warned")
        sys.stderr.write("to stderr\n")
        return None
    if what == "memory":
        block = bytearray(event["megabytes"] << 20)
        for place in range(0, len(block), 4096):
            block[place] = 1
        time.sleep(5)
        return len(block)
    if what == "daemon":
        subprocess.Popen(["sleep", "600"], start_new_session=True)
        subprocess.Popen(["sleep", "600"])
        return "left behind"
    if what == "directory":
        return [os.getcwd() == os.environ["LAMBDA_TASK_ROOT"], os.environ["TMPDIR"], oct(os.stat(os.environ["TMPDIR"]).st_mode)]
"#;

async fn room(more: &str) -> Room {
    let room = Room::new();
    room.function("f", "python3.12", "app.handler", ("app.py", CODE), more).await;
    room
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_answers_and_its_process_is_used_again() {
    if !has("python3") {
        return;
    }
    let room = room("").await;
    let event = r#"{"do":"echo","n":1.5,"text":"ä\u0000\ud83d\ude00","list":[null,true]}"#;
    assert_eq!(room.invoke("f", event).await, (Json::parse(event).expect("JSON"), false));
    assert_eq!(room.invoke("f", r#"{"do":"count"}"#).await.0, Json::from(2));
    assert_eq!(room.lambda.processes(), 1);
    assert_eq!(room.invoke("f", r#"{"do":"bytes"}"#).await.0.to_string(), r#"{"raw":true}"#);
    let (context, _) = room.invoke("f", r#"{"do":"context"}"#).await;
    assert_eq!(
        context.to_string(),
        r#"{"name":"f","version":"$LATEST","memory":"128","arn":"arn:aws:lambda:us-east-1:123456789012:function:f","id":36,"left":true,"group":"/aws/lambda/f","client":null}"#
    );
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_told_as_lambda_tells_them() {
    if !has("python3") {
        return;
    }
    let room = room("").await;
    let (document, is_error) = room.invoke("f", r#"{"do":"raise","item":"pens"}"#).await;
    assert!(is_error);
    let names: Vec<&str> = document.as_object().expect("an object").keys().map(|name| &**name).collect();
    assert_eq!(names, ["errorMessage", "errorType", "requestId", "stackTrace"]);
    assert_eq!((text(&document, "errorType"), text(&document, "errorMessage")), ("OutOfStock", "no pens"));
    let trace = document.get("stackTrace").and_then(Json::as_array).expect("a trace");
    assert_eq!(trace.len(), 1);
    assert!(trace[0].as_str().expect("a frame").contains("in handler\n    raise OutOfStock"), "{document}");

    let (document, _) = room.invoke("f", r#"{"do":"set"}"#).await;
    assert_eq!(text(&document, "errorType"), "Runtime.MarshalError");
    assert_eq!(
        text(&document, "errorMessage"),
        "Unable to marshal response: Object of type set is not JSON serializable"
    );

    let (document, is_error) = room.invoke("f", r#"{"do":"exit","code":7}"#).await;
    assert!(is_error);
    assert_eq!(text(&document, "errorType"), "Runtime.ExitError");
    assert!(text(&document, "errorMessage").ends_with("Error: Runtime exited with error: exit status 7"), "{document}");
    // The next one has a new process.
    assert_eq!(room.invoke("f", r#"{"do":"count"}"#).await.0, Json::from(1));

    let (document, _) = room.invoke("f", &format!(r#"{{"do":"large","bytes":{}}}"#, 6 * 1024 * 1024 + 200)).await;
    assert_eq!(text(&document, "errorType"), "Function.ResponseSizeTooLarge");
    assert_eq!(room.invoke("f", r#"{"do":"count"}"#).await.0, Json::from(3));
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_says_why() {
    if !has("python3") {
        return;
    }
    let room = Room::new();
    for (name, entry, code, error_type, message) in [
        (
            "import",
            "app.handler",
            "import no_such_thing",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'no_such_thing'",
        ),
        (
            "missing",
            "app.other",
            "def handler(e, c): pass",
            "Runtime.HandlerNotFound",
            "Handler 'other' missing on module 'app'",
        ),
        ("syntax", "app.handler", "def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        (
            "malformed",
            "app",
            "",
            "Runtime.MalformedHandlerName",
            "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
        ),
        ("raises", "app.handler", "raise KeyError('k')", "KeyError", "'k'"),
    ] {
        room.function(name, "python3.12", entry, ("app.py", code), "").await;
        let (document, is_error) = room.invoke(name, "{}").await;
        assert!(is_error, "{name}");
        assert_eq!(text(&document, "errorType"), error_type, "{document}");
        assert!(text(&document, "errorMessage").starts_with(message), "{document}");
    }
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_runs_out() {
    if !has("python3") {
        return;
    }
    let room = room(r#","Timeout":1"#).await;
    assert_eq!(room.invoke("f", r#"{"do":"count"}"#).await.0, Json::from(1));
    let began = std::time::Instant::now();
    let (document, is_error) = room.invoke("f", r#"{"do":"sleep","seconds":60}"#).await;
    assert!(is_error && began.elapsed().as_secs() < 10);
    assert_eq!(text(&document, "errorType"), "Sandbox.Timedout");
    let words: Vec<&str> = text(&document, "errorMessage").splitn(3, ' ').collect();
    assert_eq!((words[0].len(), words[1].len(), words[2]), (24, 36, "Task timed out after 1.00 seconds"));
    assert_eq!(room.invoke("f", r#"{"do":"count"}"#).await.0, Json::from(1));
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_runs_out() {
    if !has("python3") {
        return;
    }
    let room = room(r#","Timeout":20"#).await;
    let (document, is_error) = room.invoke("f", r#"{"do":"memory","megabytes":400}"#).await;
    assert!(is_error);
    assert!(text(&document, "errorMessage").ends_with("Runtime exited with error: signal: killed"), "{document}");
    // What no limit would allow in one piece is refused where it is asked for.
    let (document, _) = room.invoke("f", r#"{"do":"memory","megabytes":10000}"#).await;
    assert_eq!(text(&document, "errorType"), "MemoryError");
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_lambdas_and_the_functions_own() {
    if !has("python3") {
        return;
    }
    let room = room(r#","Environment":{"Variables":{"TABLE":"orders","TZ":"Europe/Berlin"}}"#).await;
    let (environment, _) = room.invoke("f", r#"{"do":"environment"}"#).await;
    for (name, value) in [
        ("TABLE", "orders"),
        ("TZ", "Europe/Berlin"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "123456789012"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.12"),
        ("_HANDLER", "app.handler"),
    ] {
        assert_eq!(text(&environment, name), value, "{name}");
    }
    // Of the server's environment nothing is there but what has the same name.
    for name in ["HOME", "USER", "CARGO", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "SHELL", "PWD_OF_SERVER"] {
        assert!(environment.get(name).is_none(), "{name}");
    }
    assert_eq!(text(&environment, "PATH"), "/usr/local/bin:/usr/bin:/bin:/opt/bin");
    let (directory, _) = room.invoke("f", r#"{"do":"directory"}"#).await;
    let directory = directory.as_array().expect("a list").clone();
    assert_eq!((directory[0].as_bool(), directory[2].as_str()), (Some(true), Some("0o40700")));
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_started_ends_with_it() {
    if !has("python3") {
        return;
    }
    let room = room("").await;
    assert_eq!(room.invoke("f", r#"{"do":"daemon"}"#).await.0, Json::from("left behind"));
    // A program that has just begun has no environment for a moment.
    until("the function and what it left behind", || left_below(&room.home).len() == 3).await;
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_comes_with_the_answer() {
    if !has("python3") {
        return;
    }
    let room = room("").await;
    for _ in 0..20 {
        let output = room.invoke_whole("f", r#"{"do":"print"}"#, r#","LogType":"Tail""#).await.expect("an answer");
        let log = output.get("LogResult").and_then(Json::as_str).and_then(blob_bytes).expect("a log");
        let log = String::from_utf8(log).expect("text");
        let lines: Vec<&str> = log.lines().collect();
        assert!(lines[0].starts_with("START RequestId: ") && lines[0].ends_with(" Version: $LATEST"), "{log}");
        assert_eq!(lines[1], "printed");
        assert!(lines[2].starts_with("[WARNING]\t") && lines[2].ends_with("\twarned"), "{log}");
        assert_eq!(lines[3], "to stderr");
        assert!(lines[4].starts_with("END RequestId: "), "{log}");
        assert!(lines[5].starts_with("REPORT RequestId: ") && lines[5].contains("\tMemory Size: 128 MB\t"), "{log}");
    }
    let quiet = room.invoke_whole("f", r#"{"do":"print"}"#, "").await.expect("an answer");
    assert!(quiet.get("LogResult").is_none());
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_changes_is_read_anew() {
    if !has("python3") {
        return;
    }
    let room = Room::new();
    let file = room.home.join("shop/lambda_function.py");
    write(&file, "def lambda_handler(event, context):\n    return 'one'\n");
    let place = crate::room::place();
    room.lambda.register_directory(&place, "shop", &room.home.join("shop"), None).await.expect("a function");
    assert_eq!(room.invoke("shop", "{}").await.0, Json::from("one"));
    write(&file, "def lambda_handler(event, context):\n    return 'another'\n");
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert_eq!(room.invoke("shop", "{}").await.0, Json::from("another"));
    until("the end of the first process", || room.lambda.processes() == 1).await;
    let fault = room.lambda.register_directory(&place, "shop", &room.home.join("shop"), Some("nothing.there")).await;
    assert!(fault.expect_err("no such file").to_string().contains("nothing.there"));
    room.close().await;
}
