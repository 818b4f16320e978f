//! A Lambda with a directory of its own and peers that answer what a test says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stepwell_json::Json;
use stepwell_lambda::{Lambda, LambdaSettings};
use stepwell_protocol::{Answering, AwsCall, AwsError, AwsOutput, Fault, Peers, Place, blob_bytes, blob_text};
use stepwell_spec::Timestamp;

/// Answers of the other services: a queue of messages, objects of a bucket, and what was asked.
#[derive(Default)]
pub(crate) struct Others {
    pub(crate) asked: Mutex<Vec<AwsCall>>,
    /// What the next receives give.
    pub(crate) messages: Mutex<Vec<Json>>,
    pub(crate) objects: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Others {
    /// Inputs of calls of an action, until now.
    pub(crate) fn inputs(&self, action: &str) -> Vec<Json> {
        let asked = self.asked.lock().expect("a list");
        asked.iter().filter(|call| *call.action == *action).map(|call| call.input.clone()).collect()
    }
}

impl Peers for Others {
    fn ask(&self, _: &Place, call: AwsCall) -> Answering {
        self.asked.lock().expect("a list").push(call.clone());
        let text = |name: &str| call.input.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let mut wait = Duration::ZERO;
        let answer = match &*call.action {
            "GetQueueUrl" if text("QueueName").starts_with("missing") => {
                Err(("QueueDoesNotExist", "The specified queue does not exist."))
            }
            "GetQueueUrl" => Ok(Json::object([("QueueUrl", Json::from(text("QueueName")))])),
            "ReceiveMessage" => {
                let mut messages = self.messages.lock().expect("a list");
                let many = call.input.get("MaxNumberOfMessages").and_then(Json::as_i64).unwrap_or(1) as usize;
                let many = many.min(messages.len());
                let given: Vec<Json> = messages.drain(..many).collect();
                if given.is_empty() {
                    wait = Duration::from_millis(20);
                }
                Ok(Json::object([("Messages", Json::array(given))]))
            }
            "GetObject" => match self.objects.lock().expect("a list").get(&text("Key")) {
                Some(bytes) => Ok(Json::object([("Body", Json::from(blob_text(bytes)))])),
                None => Err(("NoSuchKey", "The specified key does not exist.")),
            },
            _ => Ok(Json::empty_object()),
        };
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            match answer {
                Ok(output) => Ok(AwsOutput { output, status: 200, request_id: "r".into(), headers: Vec::new() }),
                Err((code, message)) => Err(AwsError {
                    code: code.into(),
                    message: Some(message.into()),
                    status: 400,
                    fault: Fault::Client,
                    request_id: "r".into(),
                    members: Json::empty_object(),
                }),
            }
        })
    }
}

/// A Lambda and what is around it.
pub(crate) struct Room {
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) others: Arc<Others>,
    pub(crate) home: PathBuf,
}

static ROOMS: AtomicU64 = AtomicU64::new(0);

/// A directory nobody else has.
pub(crate) fn home() -> PathBuf {
    let number = ROOMS.fetch_add(1, Ordering::Relaxed);
    let home = std::env::temp_dir().join(format!("stepwell-lambda-test-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&home).expect("a directory");
    home
}

pub(crate) fn settings() -> LambdaSettings {
    LambdaSettings {
        endpoint: Some("http://127.0.0.1:4566".to_owned()),
        retry_delays: [Duration::from_millis(20), Duration::from_millis(20)],
        ..LambdaSettings::default()
    }
}

pub(crate) fn place() -> Place {
    Place { account: "123456789012".into(), region: "us-east-1".into() }
}

impl Room {
    pub(crate) fn new() -> Room {
        Room::with(settings())
    }

    pub(crate) fn with(settings: LambdaSettings) -> Room {
        let home = home();
        Room::at(home, settings)
    }

    /// A Lambda of a directory that is there.
    pub(crate) fn at(home: PathBuf, settings: LambdaSettings) -> Room {
        let others = Arc::new(Others::default());
        let lambda = Lambda::open(Some(&home.join("lambda")), settings, others.clone()).expect("a Lambda");
        lambda.resume();
        Room { lambda: Arc::new(lambda), others, home }
    }

    /// The output of a call, or its error's code and message.
    pub(crate) async fn ask(&self, action: &str, input: &str) -> Result<Json, (String, String)> {
        self.ask_json(action, Json::parse(input).expect("JSON")).await
    }

    pub(crate) async fn ask_json(&self, action: &str, input: Json) -> Result<Json, (String, String)> {
        let call = AwsCall { service: "lambda".into(), action: action.into(), input };
        let answer = self.lambda.call(&place(), call, Timestamp(1_700_000_000_000)).await;
        answer
            .map(|output| output.output)
            .map_err(|error| (error.code.to_string(), error.message.as_deref().unwrap_or_default().to_owned()))
    }

    /// The code of the error a call ends with.
    pub(crate) async fn refused(&self, action: &str, input: &str) -> String {
        self.ask(action, input).await.expect_err(action).0
    }

    /// A function whose code is one file, in a directory of its own.
    pub(crate) async fn function(&self, name: &str, runtime: &str, entry: &str, file: (&str, &str), more: &str) {
        let directory = self.home.join(name);
        write(&directory.join(file.0), file.1);
        let path = directory.display();
        let input = format!(
            r#"{{"FunctionName":"{name}","Runtime":"{runtime}","Handler":"{entry}","Role":"arn:aws:iam::123456789012:role/r",
            "Code":{{"S3Bucket":"hot-reload","S3Key":"{path}"}}{more}}}"#
        );
        self.ask("CreateFunction", &input).await.expect("a function");
    }

    /// Payload and whether it is an error.
    pub(crate) async fn invoke(&self, name: &str, event: &str) -> (Json, bool) {
        let output = self.invoke_whole(name, event, "").await.expect("an answer");
        let payload = output.get("Payload").and_then(Json::as_str).and_then(blob_bytes).expect("a payload");
        let payload = String::from_utf8(payload).expect("text");
        let payload = Json::parse(&payload).unwrap_or_else(|_| Json::from(payload));
        (payload, output.get("FunctionError").is_some())
    }

    /// The whole answer of an invocation.
    pub(crate) async fn invoke_whole(&self, name: &str, event: &str, more: &str) -> Result<Json, (String, String)> {
        let payload = blob_text(event.as_bytes());
        self.ask("Invoke", &format!(r#"{{"FunctionName":"{name}","Payload":"{payload}"{more}}}"#)).await
    }

    /// Ends it, and looks that nothing is left.
    pub(crate) async fn close(self) {
        self.lambda.shut_down().await;
        assert_eq!(self.lambda.processes(), 0);
        assert_eq!(left_below(&self.home), Vec::<String>::new(), "processes that stay");
        std::fs::remove_dir_all(&self.home).expect("a directory");
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} does not come");
}

pub(crate) fn write(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    std::fs::write(path, text).expect("a file");
    if path.file_name().is_some_and(|name| name == "bootstrap") {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
}

/// Processes of this machine whose environment names something below a directory.
pub(crate) fn left_below(home: &Path) -> Vec<String> {
    let home = home.to_string_lossy().into_owned();
    let own = std::process::id().to_string();
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy() != own)
        .filter(|entry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&home)
        })
        .map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default())
        .collect()
}

/// Whether a program is on the PATH; a test that cannot run without it says so.
pub(crate) fn has(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|directory| directory.join(program).is_file()));
    if !found {
        println!("skipped: the program {program} is not on the PATH");
    }
    found
}
