//! Examples with real services: every `examples/services/*/story.json` is told to a server, call by call, with no mocks.
//!
//! ```text
//! {"about": …, "calls": [{"ask": "SERVICE.Action", "with": INPUT, "keep": {"name": "Path.0.InAnswer"},
//!                         "expect": PART | "until": PART | "refused": "Code"}]}
//! ```
//!
//! Inputs and answers are under the names of the service's model. `${name}` stands for what was kept, in a workflow's file
//! too, and `${here}` for the story's folder. `{"$file": F}` is a file's text, `{"$text": X}` is X as JSON text, `{"$blob": X}`
//! its bytes. PART is part of the answer; `until` asks again until it is.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use stepwell_json::Json;
use stepwell_protocol::{
    AwsAnswer, HttpAnswer, Keys, Payload, Scope, blob_bytes, blob_text, decode_response, encode_request, service, sign,
};

use crate::root;

/// How long something may take that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server of its own for one story.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start() -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
            .args(["serve", "--memory", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("stepwell starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        log.read_line(&mut line).expect("a line");
        let (_, rest) = line.split_once("http://").unwrap_or_else(|| panic!("no address in {line}"));
        let address = rest.split(' ').next().expect("an address").trim().to_owned();
        // Read on, so that the server never waits for somebody to take its log.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
        Server { child, address }
    }

    /// One call of a service, signed as an SDK does.
    fn call(&self, name: &str, action: &str, input: &Json) -> AwsAnswer {
        let service = service(name).unwrap_or_else(|| panic!("no service {name}"));
        let operation = service.operation(action).unwrap_or_else(|| panic!("{name} has no {action}"));
        let token = || "11111111-2222-4333-8444-555555555555".to_owned();
        let mut request = encode_request(service, operation, input, &mut { token })
            .unwrap_or_else(|unfit| panic!("{name}.{action}: {unfit}"));
        let keys = Keys {
            access_key_id: "000000000000".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: None,
        };
        let payload = if name == "s3" { Payload::SignedInHeader } else { Payload::Signed };
        let signing_name = &service.names.signing_name;
        let scope = Scope { region: "us-east-1", service: signing_name, timestamp: "20260101T000000Z", payload };
        sign(&mut request, &self.address, &keys, &scope);
        // HTTP/1.0: the body goes to the connection's end.
        let mut head = format!("{} {} HTTP/1.0\r\nHost: {}\r\n", request.method, request.target(), self.address);
        for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", request.body.len()));
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.write_all(head.as_bytes()).expect("the head is taken");
        stream.write_all(&request.body).expect("the body is taken");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        decode_response(service, operation, &read_answer(&answer))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which the story would have noticed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_answer(bytes: &[u8]) -> HttpAnswer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    HttpAnswer { status: status.expect("a status"), headers: headers.collect(), body: bytes[end + 4..].to_vec() }
}

/// A story on its way.
struct Telling {
    folder: PathBuf,
    server: Server,
    kept: BTreeMap<String, String>,
}

impl Telling {
    fn tell(folder: &Path) {
        let text = fs::read_to_string(folder.join("story.json")).expect("a story");
        let story = Json::parse(&text).unwrap_or_else(|fault| panic!("{}: {fault}", folder.display()));
        let here = folder.canonicalize().expect("a folder").display().to_string();
        let kept = BTreeMap::from([("here".to_owned(), here)]);
        let mut telling = Telling { folder: folder.to_owned(), server: Server::start(), kept };
        let calls = story.get("calls").and_then(Json::as_array).expect("calls");
        for (number, call) in calls.iter().enumerate() {
            telling.take(&format!("{}: call {}", folder.display(), number + 1), call);
        }
    }

    fn take(&mut self, about: &str, call: &Json) {
        let asked = call.get("ask").and_then(Json::as_str).expect("what to ask");
        let about = format!("{about}, {asked}");
        let (name, action) = asked.split_once('.').expect("SERVICE.Action");
        let input = self.filled(call.get("with").unwrap_or(&Json::Null));
        let part = call.get("expect").or(call.get("until")).map(|part| self.filled(part));
        let began = Instant::now();
        loop {
            let answer = self.server.call(name, action, &input);
            if let Some(code) = call.get("refused").and_then(Json::as_str) {
                let refusal = answer.expect_err(&about);
                assert_eq!(&*refusal.code, code, "{about}: {refusal:?}");
                return;
            }
            let output = answer.unwrap_or_else(|error| panic!("{about}: {error:?}")).output;
            let is_there = part.as_ref().is_none_or(|part| covers(&output, part));
            let may_wait = call.get("until").is_some() && began.elapsed() < PATIENCE;
            if !is_there && may_wait {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            assert!(is_there, "{about}: {output} has no {}", part.unwrap_or(Json::Null));
            for (name, path) in call.get("keep").and_then(Json::as_object).into_iter().flatten() {
                let path = path.as_str().expect("a path");
                let value = at(&output, path).unwrap_or_else(|| panic!("{about}: {output} has no {path}"));
                self.kept.insert(name.to_string(), value);
            }
            return;
        }
    }

    /// A value with everything in it that stands for something else.
    fn filled(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => Json::string(self.replaced(text)),
            Json::Array(items) => Json::array(items.iter().map(|item| self.filled(item)).collect()),
            Json::Object(members) => {
                if let Some(file) = value.get("$file").and_then(Json::as_str) {
                    let text = fs::read_to_string(self.folder.join(file)).unwrap_or_else(|_| panic!("{file}"));
                    return Json::string(self.replaced(&text));
                }
                if let Some(inner) = value.get("$blob") {
                    return Json::string(blob_text(self.filled(inner).to_string().as_bytes()));
                }
                // In an expectation the text is read, so it stays; in an input it is written.
                if let Some(inner) = value.get("$text") {
                    return Json::string(self.filled(inner).to_string());
                }
                Json::object(members.iter().map(|(name, member)| (name.clone(), self.filled(member))))
            }
            other => other.clone(),
        }
    }

    fn replaced(&self, text: &str) -> String {
        self.kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
    }
}

/// What stands at a dotted path; a text on the way may be JSON.
fn at(value: &Json, path: &str) -> Option<String> {
    let mut here = value.clone();
    for part in path.split('.') {
        if let Some(text) = here.as_str() {
            here = Json::parse(text).ok()?;
        }
        here = match part.parse::<usize>() {
            Ok(place) => here.as_array()?.get(place)?.clone(),
            Err(_) => here.get(part)?.clone(),
        };
    }
    here.as_str().map(str::to_owned)
}

/// Whether a part is in the whole: members that are named, items in their order and as many, texts that are JSON by what
/// they say.
fn covers(whole: &Json, part: &Json) -> bool {
    match (whole, part) {
        (Json::Object(_), Json::Object(members)) => {
            members.iter().all(|(name, member)| whole.get(name).is_some_and(|there| covers(there, member)))
        }
        (Json::Array(there), Json::Array(items)) => {
            there.len() == items.len() && there.iter().zip(items.iter()).all(|(there, item)| covers(there, item))
        }
        (Json::String(there), Json::String(text)) => {
            let structure =
                |text: &str| Json::parse(text).ok().filter(|json| matches!(json, Json::Object(_) | Json::Array(_)));
            let bytes = |text: &str| structure(&String::from_utf8(blob_bytes(text)?).ok()?);
            let pair = structure(there).zip(structure(text)).or_else(|| bytes(there).zip(bytes(text)));
            there == text || pair.is_some_and(|(there, text)| covers(&there, &text))
        }
        (whole, part) => whole == part,
    }
}

fn tell(name: &str) {
    Telling::tell(&root().join("examples/services").join(name));
}

/// One test for each, so that they run at the same time; the last one finds those that were forgotten.
macro_rules! stories {
    ($($test:ident $name:literal;)*) => {
        $(#[test] fn $test() { tell($name); })*

        #[test]
        fn every_story_is_told() {
            let told = [$($name),*];
            let folders = fs::read_dir(root().join("examples/services")).expect("the stories").flatten();
            let mut names: Vec<String> =
                folders.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            assert_eq!(names, told);
        }
    };
}

stories! {
    a_token_comes_back_by_every_road "callbacks";
    a_circuit_breaker_opens_and_closes "circuit-breaker";
    a_human_approves_or_refuses "human-approval";
    a_loan_broker_takes_the_best_of_what_comes_in_time "loan-broker";
    an_order_is_placed_declined_or_sold_out "order-fulfilment";
    a_queue_feeds_executions "queue-work";
    a_trip_is_whole_or_undone "trip-saga";
    uploads_are_put_together_once "upload-aggregation";
}
