//! A local S3 to ask, and what is asked of it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use stepwell_protocol::{Answering, AwsCall, AwsError, AwsOutput, Fault, Peers, Place};
use stepwell_s3::{Key, KeyRing, S3, S3Settings};
use stepwell_spec::Timestamp;

/// The moment at which everything happens, unless a test says otherwise.
pub(crate) const NOW: &str = "2026-03-01T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

pub(crate) fn place() -> Place {
    Place { account: "111122223333".into(), region: "us-east-1".into() }
}

/// Other services that keep what they are asked, and know no queue called `none`.
#[derive(Default)]
pub(crate) struct Listeners {
    heard: Mutex<Vec<AwsCall>>,
    /// Whether nobody answers.
    pub(crate) deaf: AtomicBool,
    /// How many more messages find a service that is not well.
    pub(crate) unwell: AtomicUsize,
}

impl Listeners {
    pub(crate) fn heard(&self) -> Vec<AwsCall> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Peers for Listeners {
    fn ask(&self, _place: &Place, call: AwsCall) -> Answering {
        if self.deaf.load(Ordering::Relaxed) {
            return Box::pin(std::future::pending());
        }
        let is_unwell = |left: usize| left.checked_sub(1);
        let fails = &*call.action == "SendMessage"
            && self.unwell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_unwell).is_ok();
        let missing = call.input.to_string().contains("none");
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        Box::pin(async move {
            if missing || fails {
                let (code, status, fault) = match missing {
                    true => ("QueueDoesNotExist", 400, Fault::Client),
                    false => ("ServiceUnavailable", 503, Fault::Server),
                };
                return Err(AwsError {
                    code: code.into(),
                    message: None,
                    status,
                    fault,
                    request_id: "".into(),
                    members: stepwell_json::Json::empty_object(),
                });
            }
            let output = stepwell_json::Json::object([("QueueUrl", stepwell_json::Json::from("http://queue"))]);
            Ok(AwsOutput { output, status: 200, request_id: "".into(), headers: Vec::new() })
        })
    }
}

/// A local S3 and who listens to it.
pub(crate) struct House {
    pub(crate) s3: S3,
    pub(crate) listeners: Arc<Listeners>,
}

/// What came of a request.
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Told {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of an error.
    pub(crate) fn code(&self) -> String {
        let text = self.text();
        let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        code.map(|(code, _)| code.to_owned()).unwrap_or_default()
    }
}

impl House {
    pub(crate) fn open(directory: Option<&Path>, keys: Option<Vec<Key>>) -> House {
        let listeners = Arc::new(Listeners::default());
        let settings = S3Settings {
            directory: directory.map(Path::to_owned),
            seed: [7; 32],
            peers: listeners.clone(),
            pauses: vec![std::time::Duration::from_millis(1); 2],
            keys: keys.map(|keys| Arc::new(keys) as Arc<dyn KeyRing>),
        };
        House { s3: S3::open(settings).expect("a local S3"), listeners }
    }

    pub(crate) fn in_memory() -> House {
        House::open(None, None)
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>, now: Timestamp) -> Told {
        let (parts, body) = self.s3.answer(&place(), request, now).await.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Told { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn ask(&self, method: &str, target: &str, body: impl Into<Bytes>) -> Told {
        let request = Request::builder().method(method).uri(target).header("host", "localhost:4566");
        self.send(request.body(Full::new(body.into())).expect("a request"), at(NOW)).await
    }

    /// The same, for tests of something else.
    pub(crate) async fn must(&self, method: &str, target: &str, body: impl Into<Bytes>) -> Told {
        let told = self.ask(method, target, body).await;
        assert!(told.status.is_success(), "{method} {target}: {} {}", told.status, told.text());
        told
    }
}

/// A folder that goes when the value does.
pub(crate) struct Folder(std::path::PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("stepwell-s3-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// All files below, with their sizes.
    pub(crate) fn files(&self) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        let mut left = vec![self.0.clone()];
        while let Some(folder) = left.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let entry = entry.expect("an entry");
                let kind = entry.file_type().expect("a kind");
                match kind.is_dir() {
                    true => left.push(entry.path()),
                    false => {
                        let path = entry.path();
                        let name = path.strip_prefix(&self.0).expect("below").to_string_lossy().into_owned();
                        found.push((name, entry.metadata().expect("metadata").len()));
                    }
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A key as a path has it.
pub(crate) fn encoded(key: &[u8]) -> String {
    key.iter().map(|byte| format!("%{byte:02X}")).collect()
}
