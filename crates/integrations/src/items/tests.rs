//! A bucket in memory, and everything that is read from it: at once, and given up behind every part.

use std::collections::BTreeMap;

use stepwell_asl::{Integration, Pattern, ReaderConfig, Resource, ResourceKind};
use stepwell_interpreter::{TaskKey, TaskRequest, ThreadId};
use stepwell_protocol::{AwsOutput, blob_text};

use super::*;

/// Buckets with their files, answering as S3 does.
#[derive(Default)]
struct Store {
    files: BTreeMap<String, Vec<u8>>,
    /// Entries of a page of a listing.
    page: usize,
    asked: Vec<String>,
}

impl Store {
    fn with(files: &[(&str, &[u8])]) -> Store {
        let files = files.iter().map(|(place, bytes)| ((*place).to_owned(), bytes.to_vec())).collect();
        Store { files, page: 2, asked: Vec::new() }
    }

    fn answer(&mut self, call: &AwsCall) -> AwsAnswer {
        self.asked.push(format!("{} {}", call.action, call.input));
        let text = |name: &str| call.input.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        match &*call.action {
            "GetObject" => self.get(&format!("{}/{}", text("Bucket"), text("Key")), &text("Range"), &text("IfMatch")),
            "ListObjectsV2" => {
                Ok(done(self.list(&text("Bucket"), &text("Prefix"), &text("ContinuationToken"), &text("StartAfter"))))
            }
            other => panic!("{other}"),
        }
    }

    fn get(&self, place: &str, range: &str, if_match: &str) -> AwsAnswer {
        let Some(file) = self.files.get(place) else {
            return Err(fault("NoSuchKey", "The specified key does not exist.", 404));
        };
        let etag = format!("\"{}\"", file.len());
        if !if_match.is_empty() && if_match != etag {
            return Err(fault(
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
                412,
            ));
        }
        let (first, last) = range.trim_start_matches("bytes=").split_once('-').expect("a range");
        let (first, last): (usize, usize) = (first.parse().expect("a number"), last.parse().expect("a number"));
        if first >= file.len() {
            return Err(fault("InvalidRange", "The requested range is not satisfiable", 416));
        }
        let last = last.min(file.len() - 1);
        Ok(done(Json::object([
            ("Body", Json::from(blob_text(&file[first..=last]))),
            ("ETag", Json::from(etag)),
            ("ContentRange", Json::from(format!("bytes {first}-{last}/{}", file.len()))),
        ])))
    }

    fn list(&self, bucket: &str, prefix: &str, token: &str, after: &str) -> Json {
        let start = format!("{bucket}/{prefix}");
        let behind = if token.is_empty() { after } else { token };
        let keys: Vec<(&str, usize)> = self
            .files
            .iter()
            .filter(|(place, _)| place.starts_with(&start))
            .map(|(place, file)| (&place[bucket.len() + 1..], file.len()))
            .filter(|(key, _)| *key > behind)
            .collect();
        let entries = keys.iter().take(self.page).map(|(key, size)| {
            Json::object([
                ("Key", Json::from(*key)),
                ("LastModified", Json::from(1_789_180_622_i64)),
                ("ETag", Json::from(format!("\"{size}\""))),
                ("Size", Json::from(*size as u64)),
                ("StorageClass", Json::from("STANDARD")),
            ])
        });
        let mut page = ObjectBuilder::new();
        page.insert("Contents", Json::array(entries.collect()));
        page.insert("IsTruncated", Json::Bool(keys.len() > self.page));
        if keys.len() > self.page {
            page.insert("NextContinuationToken", Json::from(keys[self.page - 1].0));
        }
        Json::Object(page.build())
    }
}

fn done(output: Json) -> AwsOutput {
    AwsOutput { output, status: 200, request_id: "id".into(), headers: Vec::new() }
}

fn fault(code: &str, message: &str, status: u16) -> AwsError {
    AwsError {
        code: code.into(),
        message: Some(message.into()),
        status,
        fault: Fault::Client,
        request_id: "id".into(),
        members: Json::empty_object(),
    }
}

fn request(action: &str, arguments: &str, config: ReaderConfig) -> ItemsRequest {
    let integration = Integration {
        resource_type: "s3".into(),
        resource: action.into(),
        action: action.into(),
        pattern: Pattern::RequestResponse,
    };
    ItemsRequest {
        task: TaskRequest {
            key: TaskKey { thread: ThreadId::ROOT, scheduled_event_id: 4 },
            state_name: "M".into(),
            resource: Resource {
                arn: format!("arn:aws:states:::s3:{action}").into(),
                kind: ResourceKind::Integration(integration),
            },
            input: Json::parse(arguments).expect("JSON"),
            token: None,
            role_arn: None,
            retry_count: 0,
            taken: false,
            submitted: None,
        },
        config,
        max_items: None,
        from: None,
    }
}

fn of_type(input_type: &str) -> ReaderConfig {
    ReaderConfig { input_type: Some(input_type.into()), ..ReaderConfig::default() }
}

/// All parts, by one reading or by a new one for each part; or the cause.
fn parts(store: &mut Store, request: &ItemsRequest, anew: bool) -> Result<Vec<Json>, String> {
    let cause = |failure: Failure| failure.cause.as_deref().unwrap_or_default().to_owned();
    let mut request = request.clone();
    let mut reading = Reading::new(&request).map_err(cause)?;
    let mut parts = Vec::new();
    loop {
        match reading.read_on() {
            ReadOn::Asks(call) => {
                let answer = store.answer(&call);
                reading.take(answer).map_err(cause)?;
            }
            ReadOn::Part { items, next } => {
                request.max_items = request.max_items.map(|max| max - count(&items) as u64);
                parts.push(items);
                if next.is_none() {
                    return Ok(parts);
                }
                assert!(reading.is_at(next.as_ref()) && !reading.is_at(None));
                request.from = next;
                if anew {
                    reading = Reading::new(&request).map_err(cause)?;
                }
            }
            ReadOn::Failed(failure) => return Err(cause(failure)),
        }
    }
}

fn count(items: &Json) -> usize {
    items.as_array().map_or_else(|| items.as_object().map_or(0, |members| members.len()), |items| items.len())
}

/// The items in one line.
fn read(store: &mut Store, request: &ItemsRequest) -> String {
    let one = parts(store, request, false);
    assert_eq!(one, parts(store, request, true), "the same in either way");
    match one {
        Ok(parts) => parts.iter().map(Json::to_string).collect::<Vec<_>>().join(" "),
        Err(cause) => cause,
    }
}

#[test]
fn a_file_is_read_in_ranges_and_given_in_parts() {
    let rows: String = std::iter::once("n,text\n".to_owned())
        .chain((0..40_000).map(|row| format!("{row},the text of row {row} is as long as many are\n")))
        .collect();
    let lines: String = (0..2_500).map(|line| format!("{{\"n\":{line}}}\n")).collect();
    let list = format!("{{\"a\":[{}]}}", lines.trim_end().replace('\n', ","));
    let mut store = Store::with(&[
        ("b/rows.csv", rows.as_bytes()),
        ("b/lines", lines.as_bytes()),
        ("b/list", list.as_bytes()),
        ("b/none", b""),
    ]);
    let of = |key: &str, config| request("getObject", &format!(r#"{{"Bucket":"b","Key":"{key}"}}"#), config);
    let pointed = ReaderConfig { items_pointer: Some("/a".into()), ..of_type("JSON") };
    for (request, expected) in [
        (of("rows.csv", of_type("CSV")), 40_000),
        (of("lines", of_type("JSONL")), 2_500),
        (of("list", pointed), 2_500),
        (of("none", of_type("CSV")), 0),
        (ItemsRequest { max_items: Some(1_234), ..of("rows.csv", of_type("CSV")) }, 1_234),
    ] {
        for anew in [false, true] {
            let parts = parts(&mut store, &request, anew).expect("items");
            assert!(parts.iter().all(|part| count(part) <= PART_ITEMS_MAX), "{request:?}");
            assert_eq!(parts.iter().map(count).sum::<usize>(), expected, "{anew} {request:?}");
            let all = parts.iter().flat_map(|part| part.as_array().into_iter().flat_map(|part| part.iter()));
            for (place, item) in all.enumerate() {
                let n = item.get("n").map(|n| n.as_str().map_or_else(|| n.to_string(), str::to_owned));
                assert_eq!(n, Some(place.to_string()), "each once, in order");
            }
        }
    }
    assert!(store.asked[0].contains(r#""Range":"bytes=0-1048575""#), "{}", store.asked[0]);
    assert!(store.asked[1].contains(r#""IfMatch":"#), "{}", store.asked[1]);
}

#[test]
fn what_cannot_be_read_is_told() {
    let mut store = Store::with(&[("b/k", b"7"), ("b/broken", b"[1,")]);
    let mut check = |key: &str, config: ReaderConfig, expected: &str| {
        let arguments = format!(r#"{{"Bucket":"b","Key":"{key}"}}"#);
        assert_eq!(read(&mut store, &request("getObject", &arguments, config)), expected);
    };
    check("gone", of_type("CSV"), "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: id)");
    check("k", of_type("JSON"), "Attempting to map over non-iterable node.");
    check("broken", of_type("JSON"), "The file is not JSON: it ends too early.");
    check("k", of_type("PARQUET"), "Files of the type PARQUET cannot be read here.");
    check("k", of_type("MANIFEST"), "The manifest of an S3 inventory has no text 'fileFormat'.");
}

#[test]
fn a_file_that_changes_is_not_read_on() {
    let rows = format!("a\n{}", "1\n".repeat(3_000));
    let mut store = Store::with(&[("b/k", rows.as_bytes())]);
    let first = request("getObject", r#"{"Bucket":"b","Key":"k"}"#, of_type("CSV"));
    let mut reading = Reading::new(&first).expect("a reading");
    let next = loop {
        match reading.read_on() {
            ReadOn::Asks(call) => reading.take(store.answer(&call)).expect("an answer"),
            ReadOn::Part { next, .. } => break next,
            ReadOn::Failed(failure) => panic!("{failure:?}"),
        }
    };
    store.files.insert("b/k".to_owned(), b"a\n1\n".to_vec());
    let cause = parts(&mut store, &ItemsRequest { from: next, ..first }, false).expect_err("changed");
    assert_eq!(cause, "The file was changed while it was read.");
}

#[test]
fn a_listing_gives_its_entries_whatever_its_pages() {
    let mut store = Store::with(&[("b/p/1", b"x"), ("b/p/2", b"xy"), ("b/p/3", b""), ("b/q", b"no"), ("c/p/1", b"no")]);
    let listed = request("listObjectsV2", r#"{"Bucket":"b","Prefix":"p/"}"#, ReaderConfig::default());
    let entry = |key: &str, size: usize| {
        format!(
            r#"{{"Etag":"\"{size}\"","Key":"p/{key}","LastModified":1.789180622E9,"Size":{size},"StorageClass":"STANDARD"}}"#
        )
    };
    assert_eq!(read(&mut store, &listed), format!("[{},{},{}]", entry("1", 1), entry("2", 2), entry("3", 0)));
    let few = ItemsRequest { max_items: Some(1), ..listed.clone() };
    assert_eq!(read(&mut store, &few), format!("[{}]", entry("1", 1)));
    let none = request("listObjectsV2", r#"{"Bucket":"b","Prefix":"none"}"#, ReaderConfig::default());
    assert_eq!(read(&mut store, &none), "[]");

    // More entries than a part has: the second part begins behind the last key of the first.
    let files: BTreeMap<String, Vec<u8>> = (0..2_005).map(|file| (format!("m/{file:05}"), vec![b'x'])).collect();
    let mut store = Store { files, page: 300, asked: Vec::new() };
    let many = request("listObjectsV2", r#"{"Bucket":"m"}"#, ReaderConfig::default());
    for anew in [false, true] {
        let parts = parts(&mut store, &many, anew).expect("entries");
        assert_eq!(parts.iter().map(count).collect::<Vec<_>>(), [1_000, 1_000, 5]);
    }
    assert!(store.asked.iter().any(|asked| asked.contains(r#""StartAfter":"00999""#)));
}

#[test]
fn listed_objects_are_read_one_after_the_other() {
    let many: String = (0..1_500).map(|line| format!("{line}\n")).collect();
    let mut store =
        Store::with(&[("b/1", many.as_bytes()), ("b/2/", b""), ("b/3", b"\"x\"\n"), ("b/4", many.as_bytes())]);
    let config = ReaderConfig { transformation: Some("LOAD_AND_FLATTEN".into()), ..of_type("JSONL") };
    let all = request("listObjectsV2", r#"{"Bucket":"b"}"#, config);
    for anew in [false, true] {
        let parts = parts(&mut store, &all, anew).expect("items");
        let items: Vec<&Json> =
            parts.iter().flat_map(|part| part.as_array().into_iter().flat_map(|part| part.iter())).collect();
        assert_eq!(items.len(), 3_001, "{anew}");
        assert_eq!((items[1_499].to_string(), items[1_500].to_string()), ("1499".to_owned(), "\"x\"".to_owned()));
        assert_eq!((items[1_501].to_string(), items[3_000].to_string()), ("0".to_owned(), "1499".to_owned()));
    }
    // An object's members have names, an array's items have none: they are never in one part.
    let mut store = Store::with(&[("b/1", br#"{"k":1}"#), ("b/2", b"[2,3]"), ("b/3", br#"{"k":4}"#)]);
    let config = ReaderConfig { transformation: Some("LOAD_AND_FLATTEN".into()), ..of_type("JSON") };
    let mixed = request("listObjectsV2", r#"{"Bucket":"b"}"#, config);
    assert_eq!(read(&mut store, &mixed), r#"{"k":1} [2,3] {"k":4}"#);
}

#[test]
fn manifests_lead_to_their_files() {
    let manifest = br#"{"destinationBucket":"arn:aws:s3:::d","fileFormat":"CSV","fileSchema":"Bucket, Key, Size",
        "files":[{"key":"1.csv"},{"key":"2.csv"}]}"#;
    let many: String = (0..1_200).map(|row| format!("\"b\",\"key {row}\",\"{row}\"\n")).collect();
    let mut store = Store::with(&[
        ("b/manifest.json", manifest),
        ("d/1.csv", many.as_bytes()),
        ("d/2.csv", b"\"b\",\"z\",\"0\"\n"),
    ]);
    let inventory = request("getObject", r#"{"Bucket":"b","Key":"manifest.json"}"#, of_type("MANIFEST"));
    for anew in [false, true] {
        let parts = parts(&mut store, &inventory, anew).expect("items");
        assert_eq!(parts.iter().map(count).collect::<Vec<_>>(), [1_000, 201]);
        assert_eq!(
            parts[1].as_array().and_then(|part| part.last()).map(Json::to_string).as_deref(),
            Some(r#"{"Bucket":"b","Key":"z","Size":"0"}"#)
        );
    }
    let mut store =
        Store::with(&[("b/m.csv", b"s3://u/1\ns3://u/2\n"), ("u/1", b"{\"a\":1}\n"), ("u/2", b"{\"a\":2}\n")]);
    let config = ReaderConfig { manifest_type: Some("ATHENA_DATA".into()), ..of_type("JSONL") };
    let unloaded = request("getObject", r#"{"Bucket":"b","Key":"m.csv"}"#, config);
    assert_eq!(read(&mut store, &unloaded), r#"[{"a":1},{"a":2}]"#);
}

#[test]
fn parts_may_be_small() {
    let mut store = Store::with(&[("b/rows", b"1\n2\n3\n4\n5\n")]);
    let mut request = request("getObject", r#"{"Bucket":"b","Key":"rows"}"#, of_type("JSONL"));
    let mut parts = Vec::new();
    loop {
        let mut reading = Reading::new(&request).expect("a reading").in_parts_of(2);
        let (items, next) = loop {
            match reading.read_on() {
                ReadOn::Asks(call) => reading.take(store.answer(&call)).expect("an answer"),
                ReadOn::Part { items, next } => break (items, next),
                ReadOn::Failed(failure) => panic!("{failure:?}"),
            }
        };
        parts.push(items.to_string());
        request.from = next;
        if request.from.is_none() {
            break;
        }
    }
    assert_eq!(parts, ["[1,2]", "[3,4]", "[5]"]);
}
