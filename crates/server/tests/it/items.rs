//! Map Runs over files: a fake S3 on a socket of its own, and servers that read from it and write to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use stepwell_json::Json;
use stepwell_server::{Endpoints, Settings};

use crate::Running;
use crate::executions::{create, ended, start, text};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Buckets on a socket.
struct FakeS3 {
    address: SocketAddr,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By bucket and key.
    files: BTreeMap<String, Vec<u8>>,
    /// Methods and paths, in order; with the range.
    asked: Vec<String>,
    /// Requests with this in them wait.
    held: Option<String>,
    /// So many requests are refused at first, as by a service that is not well.
    unwell: u32,
}

impl FakeS3 {
    fn start(files: &[(&str, &str)]) -> FakeS3 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let kept = Arc::new(Kept::default());
        let files = files.iter().map(|(place, text)| ((*place).to_owned(), text.as_bytes().to_vec()));
        kept.state.lock().expect("whole").files = files.collect();
        let shared = kept.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), kept) = (stream, shared.clone()) else { return };
                std::thread::spawn(move || while serve(&stream, &kept).is_some() {});
            }
        });
        FakeS3 { address, kept }
    }

    fn settings(&self, data: Option<PathBuf>) -> Settings {
        let mut endpoints = Endpoints::default();
        endpoints.set("s3", &format!("http://{}", self.address)).expect("a URL");
        Settings { endpoints, data, ..Settings::default() }
    }

    fn with<T>(&self, see: impl FnOnce(&mut State) -> T) -> T {
        let seen = see(&mut self.kept.state.lock().expect("whole"));
        self.kept.changed.notify_all();
        seen
    }

    /// Waits until this was asked.
    fn until_asked(&self, what: &str) {
        let state = self.kept.state.lock().expect("whole");
        let is_not = |state: &mut State| !state.asked.iter().any(|asked| asked.contains(what));
        let (state, timeout) = self.kept.changed.wait_timeout_while(state, PATIENCE, is_not).expect("whole");
        assert!(!timeout.timed_out(), "{what}: {:?}", state.asked);
    }

    /// A file that ends like this.
    fn file(&self, end: &str) -> Json {
        let found =
            self.with(|state| state.files.iter().find(|(key, _)| key.ends_with(end)).map(|(_, file)| file.clone()));
        let file = String::from_utf8(found.unwrap_or_else(|| panic!("{end} was not written"))).expect("text");
        Json::parse(&file).expect("JSON")
    }
}

/// One request. `None` when the other side has gone away.
fn serve(stream: &TcpStream, kept: &Kept) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut line, mut length, mut range) = (String::new(), 0, None);
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim_end().to_ascii_lowercase();
        match header.split_once(':') {
            None => break,
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            Some(("range", value)) => range = Some(value.trim().trim_start_matches("bytes=").to_owned()),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (method, path) = line.split_once(' ')?;
    let place = path.split(' ').next()?.trim_start_matches('/').to_owned();
    let asked = format!("{method} {place} {}", range.as_deref().unwrap_or_default());
    let mut state = kept.state.lock().ok()?;
    state.asked.push(asked.clone());
    kept.changed.notify_all();
    let is_held = |state: &mut State| state.held.as_ref().is_some_and(|held| asked.contains(held.as_str()));
    let mut state = kept.changed.wait_while(state, is_held).ok()?;
    let xml = |code: &str, message: &str| format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let (status, headers, answer) = if state.unwell > 0 {
        state.unwell -= 1;
        ("503 Slow Down", String::new(), xml("SlowDown", "Please reduce your request rate.").into_bytes())
    } else if method == "PUT" && !place.starts_with("gone/") {
        state.files.insert(place, body);
        ("200 OK", String::new(), Vec::new())
    } else if let (Some(file), Some((first, last))) =
        (state.files.get(&place), range.as_deref().and_then(|range| range.split_once('-')))
    {
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        let part = file[first..=last.min(file.len() - 1)].to_vec();
        let headers = format!("ETag: \"e\"\r\nContent-Range: bytes {first}-{last}/{}\r\n", file.len());
        ("206 Partial Content", headers, part)
    } else if place.starts_with("gone/") {
        ("404 Not Found", String::new(), xml("NoSuchBucket", "The specified bucket does not exist").into_bytes())
    } else {
        ("404 Not Found", String::new(), xml("NoSuchKey", "The specified key does not exist.").into_bytes())
    };
    drop(state);
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}x-amz-request-id: r-1\r\nContent-Length: {}\r\n\r\n", answer.len());
    let mut stream = stream;
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer)).ok()
}

/// A Map state over `b/rows.csv` whose results go to this bucket.
fn machine(to: &str) -> String {
    let writer = match to {
        "" => String::new(),
        to => format!(
            r#""ResultWriter":{{"Resource":"arn:aws:states:::s3:putObject","Parameters":{{"Bucket":"{to}","Prefix":"runs"}}}},"#
        ),
    };
    format!(
        r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","Label":"L","End":true,{writer}
            "ItemReader":{{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}},
                "Parameters":{{"Bucket":"b","Key":"rows.csv"}}}},
            "ItemBatcher":{{"MaxItemsPerBatch":50}},
            "ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"}},"StartAt":"P","States":{{
                "P":{{"Type":"Pass","Parameters":{{"n.$":"$.Items[*].n"}},"End":true}}}}}}}}}}}}"#
    )
}

fn rows(count: usize, bytes: usize) -> String {
    let text = "x".repeat(bytes);
    std::iter::once("n,text\n".to_owned()).chain((0..count).map(|n| format!("{n},{text}\n"))).collect()
}

/// Numbers of the items in a list of results.
fn numbers(results: &Json) -> Vec<u64> {
    let results = results.as_array().expect("a list").iter();
    let outputs = results.map(|result| Json::parse(&text(result, "Output")).expect("JSON"));
    let numbers = outputs.flat_map(|output| output.get("n").and_then(Json::as_array).expect("numbers").to_vec());
    numbers.map(|n| n.as_str().expect("text").parse().expect("a number")).collect()
}

#[test]
fn the_rows_of_a_file_become_children_and_their_results_files() {
    let s3 = FakeS3::start(&[("b/rows.csv", &rows(2_500, 600))]);
    s3.with(|state| state.unwell = 2);
    let server = Running::with(s3.settings(None));
    let execution = start(&server, &create(&server, "m", "STANDARD", &machine("out")));
    let output = Json::parse(&text(&ended(&server, &execution), "output")).expect("JSON");
    let details = output.get("ResultWriterDetails").expect("details");
    assert_eq!(text(details, "Bucket"), "out");
    let manifest = s3.file(&text(details, "Key"));
    assert_eq!(text(&manifest, "DestinationBucket"), "out");
    let files = manifest.get("ResultFiles").and_then(|files| files.get("SUCCEEDED")).and_then(Json::as_array);
    let results = s3.file(&text(&files.expect("files")[0], "Key"));
    let numbers = numbers(&results);
    assert_eq!(numbers.len(), 2_500);
    assert_eq!(numbers.into_iter().collect::<BTreeSet<_>>().len(), 2_500, "each item once");
    let ranges = s3.with(|state| state.asked.iter().filter(|asked| asked.starts_with("GET")).count());
    assert_eq!(ranges, 2, "a range of a mebibyte, and the rest");
}

#[test]
fn what_cannot_be_read_or_written_fails_the_map_run() {
    let s3 = FakeS3::start(&[]);
    let server = Running::with(s3.settings(None));
    let check = |name: &str, to: &str, error: &str, cause: &str| {
        let shown = ended(&server, &start(&server, &create(&server, name, "STANDARD", &machine(to))));
        assert_eq!((text(&shown, "error"), text(&shown, "cause")), (error.to_owned(), cause.to_owned()));
    };
    let cause = "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: r-1)";
    check("reader", "", "States.ItemReaderFailed", cause);
    let cause = "An error occurred while executing the state 'M' (entered at the event id #2). Failed to write a test \
                 manifest into the specified output bucket. Message from S3: The specified bucket does not exist \
                 (Service: S3, Status Code: 404, Request ID: r-1)";
    check("writer", "gone", "States.ResultWriterFailed", cause);
    // Without an endpoint it is the S3 of the same server that is asked.
    let alone = Running::start();
    let shown = ended(&alone, &start(&alone, &create(&alone, "m", "STANDARD", &machine(""))));
    assert_eq!(text(&shown, "error"), "States.ItemReaderFailed");
    assert!(
        text(&shown, "cause").contains("bucket") && text(&shown, "cause").contains("(Service: S3, Status Code: 4"),
        "{shown}"
    );
}

#[test]
fn a_server_that_starts_again_reads_on_from_where_it_was() {
    let s3 = FakeS3::start(&[("b/rows.csv", &rows(3_000, 600))]);
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("items-restart");
    let _ = std::fs::remove_dir_all(&data);
    // The second range does not come before the server has ended.
    s3.with(|state| state.held = Some("rows.csv 1048576-".to_owned()));
    let first = Running::with(s3.settings(Some(data.clone())));
    let execution = start(&first, &create(&first, "m", "STANDARD", &machine("out")));
    s3.until_asked("rows.csv 1048576-");
    first.end().expect("it ends");
    s3.with(|state| state.held = None);
    let second = Running::with(s3.settings(Some(data)));
    let output = Json::parse(&text(&ended(&second, &execution), "output")).expect("JSON");
    assert!(output.get("ResultWriterDetails").is_some(), "{output}");
    let numbers = numbers(&s3.file("SUCCEEDED_0.json"));
    assert_eq!(numbers.len(), 3_000);
    assert_eq!(numbers.into_iter().collect::<BTreeSet<_>>().len(), 3_000, "each item once");
    let asked = s3.with(|state| std::mem::take(&mut state.asked));
    let beginnings = asked.iter().filter(|asked| asked.contains("rows.csv 0-")).count();
    assert_eq!(beginnings, 1, "what was recorded is not read again: {asked:?}");
}
