//! Functions in Node.

use stepwell_json::Json;

use crate::room::{Room, has, write};

const COMMON: &str = r#"
exports.handler = async (event, context) => {
  switch (event.do) {
    case "echo": return event;
    case "raise": { const error = new RangeError("no " + event.item); error.name = "OutOfStock"; throw error; }
    case "text": throw "just text";
    case "nothing": return undefined;
    case "reject": Promise.reject(new Error("nobody waits")); await new Promise((done) => setTimeout(done, 2000)); return 1;
    case "context": return [context.functionName, context.memoryLimitInMB, context.awsRequestId.length,
      context.getRemainingTimeInMillis() > 0, context.callbackWaitsForEmptyEventLoop];
    case "exit": process.exit(3);
    case "sleep": await new Promise((done) => setTimeout(done, 60000)); return 1;
  }
};
exports.callback = (event, context, callback) => {
  let done = false;
  setTimeout(() => { done = true; }, 100);
  if (event.quick) context.callbackWaitsForEmptyEventLoop = false;
  if (event.fail) return callback(new Error("by callback"));
  callback(null, { get late() { return done; } });
};
exports.silent = () => {};
exports.nested = { deeper: async () => "nested" };
"#;

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

async fn function(room: &Room, name: &str, entry: &str) {
    room.function(name, "nodejs22.x", entry, ("index.js", COMMON), r#","Timeout":1"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn async_functions_answer() {
    if !has("node") {
        return;
    }
    let room = Room::new();
    function(&room, "f", "index.handler").await;
    let event = r#"{"do":"echo","n":1.5,"text":"ä😀","list":[null,true]}"#;
    assert_eq!(room.invoke("f", event).await, (Json::parse(event).expect("JSON"), false));
    assert_eq!(room.invoke("f", r#"{"do":"nothing"}"#).await.0, Json::Null);
    assert_eq!(room.invoke("f", r#"{"do":"context"}"#).await.0.to_string(), r#"["f","128",36,true,true]"#);
    assert_eq!(room.lambda.processes(), 1);
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_and_nested_names_answer() {
    if !has("node") {
        return;
    }
    let room = Room::new();
    for name in ["callback", "silent", "nested.deeper"] {
        function(&room, name.split('.').next().unwrap_or_default(), &format!("index.{name}")).await;
    }
    // The event loop is emptied before the answer, unless the function says it need not be.
    assert_eq!(room.invoke("callback", "{}").await.0.to_string(), r#"{"late":true}"#);
    assert_eq!(room.invoke("callback", r#"{"quick":true}"#).await.0.to_string(), r#"{"late":false}"#);
    let (document, is_error) = room.invoke("callback", r#"{"fail":true}"#).await;
    assert_eq!((is_error, text(&document, "errorMessage")), (true, "by callback"));
    assert_eq!(room.invoke("silent", "{}").await, (Json::Null, false));
    assert_eq!(room.invoke("nested", "{}").await.0, Json::from("nested"));
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_told_as_lambda_tells_them() {
    if !has("node") {
        return;
    }
    let room = Room::new();
    function(&room, "f", "index.handler").await;
    let (document, is_error) = room.invoke("f", r#"{"do":"raise","item":"pens"}"#).await;
    assert!(is_error);
    let names: Vec<&str> = document.as_object().expect("an object").keys().map(|name| &**name).collect();
    assert_eq!(names, ["errorType", "errorMessage", "trace"]);
    assert_eq!((text(&document, "errorType"), text(&document, "errorMessage")), ("OutOfStock", "no pens"));
    let (document, _) = room.invoke("f", r#"{"do":"text"}"#).await;
    assert_eq!(document.to_string(), r#"{"errorType":"string","errorMessage":"just text","trace":[]}"#);
    let (document, _) = room.invoke("f", r#"{"do":"reject"}"#).await;
    assert_eq!(text(&document, "errorType"), "Runtime.UnhandledPromiseRejection");
    assert_eq!(text(&document, "errorMessage"), "Error: nobody waits");
    let (document, _) = room.invoke("f", r#"{"do":"exit"}"#).await;
    assert!(text(&document, "errorMessage").ends_with("exit status 3"), "{document}");
    let (document, _) = room.invoke("f", r#"{"do":"sleep"}"#).await;
    assert_eq!(text(&document, "errorType"), "Sandbox.Timedout");
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_of_both_kinds_are_found() {
    if !has("node") {
        return;
    }
    let room = Room::new();
    let module = "import { sep } from 'node:path';\nexport const handler = async () => `module${sep}`;\n";
    room.function("mjs", "nodejs22.x", "index.handler", ("index.mjs", module), "").await;
    room.function("typed", "nodejs22.x", "src/index.handler", ("src/index.js", module), "").await;
    write(&room.home.join("typed/package.json"), r#"{"type":"module"}"#);
    room.function(
        "cjs",
        "nodejs22.x",
        "index.handler",
        ("index.cjs", "exports.handler = () => Promise.resolve('common');"),
        "",
    )
    .await;
    room.function(
        "default",
        "nodejs22.x",
        "index.handler",
        ("index.mjs", "export default { handler: async () => 1 };"),
        "",
    )
    .await;
    assert_eq!(room.invoke("mjs", "{}").await.0, Json::from("module/"));
    assert_eq!(room.invoke("typed", "{}").await.0, Json::from("module/"));
    assert_eq!(room.invoke("cjs", "{}").await.0, Json::from("common"));
    assert_eq!(room.invoke("default", "{}").await.0, Json::from(1));
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_loaded_says_why() {
    if !has("node") {
        return;
    }
    let room = Room::new();
    for (name, entry, code, error_type, message) in [
        (
            "import",
            "index.handler",
            "require('no-such-thing')",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'no-such-thing'",
        ),
        ("file", "other.handler", "", "Runtime.ImportModuleError", "Error: Cannot find module 'other'"),
        (
            "missing",
            "index.other",
            "exports.handler = 1",
            "Runtime.HandlerNotFound",
            "index.other is undefined or not exported",
        ),
        ("syntax", "index.handler", "exports.handler = (", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
        ("malformed", "index", "", "Runtime.MalformedHandlerName", "Bad handler"),
        ("raises", "index.handler", "throw new TypeError('at load')", "TypeError", "at load"),
    ] {
        room.function(name, "nodejs22.x", entry, ("index.js", code), "").await;
        let (document, is_error) = room.invoke(name, "{}").await;
        assert!(is_error, "{name}");
        assert_eq!(text(&document, "errorType"), error_type, "{document}");
        assert!(text(&document, "errorMessage").starts_with(message), "{document}");
    }
    room.close().await;
}
