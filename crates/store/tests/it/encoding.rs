//! Records as bytes: every event comes back as it was, and the bytes of yesterday mean today what they meant.

use std::fmt::Write;

use stepwell_json::{Json, Number, REREAD_DEPTH_MAX};
use stepwell_spec::{
    AssignedVariables, BranchesStarted, EVENTS, Event, ExecutionStarted, FieldSink, FieldSource, JsonText,
    MapRunStarted, Onward, Payload, Record, RetryScheduled, StateEntered, StateExited, Stored, TaskCredentials,
    TaskScheduled, TaskSucceeded, Text, Timestamp, WaitScheduled,
};
use stepwell_store::{DecodeError, Decoder, Encoder, Kind, TooDeep, decode};

use stepwell_sim_disk::Random;

/// Gives any fields, so that the table of events itself makes events of every kind.
struct AnyFields<'r> {
    random: &'r mut Random,
    /// Fields that may still be asked for: no event has so many, so a list's length was drawn too large.
    left: usize,
}

impl AnyFields<'_> {
    fn any_json(&mut self, depth: usize) -> Json {
        let random = &mut *self.random;
        match random.below(if depth == 0 { 7 } else { 10 }) {
            0 => Json::Null,
            1 => Json::Bool(random.once_in(2)),
            2 => Json::from(random.draw() as i64),
            3 => Json::from_f64(f64::from_bits(random.draw())).unwrap_or(Json::Null),
            4 => {
                let texts = ["1.0", "-0", "1e400", "18446744073709551616", "0.10", "1E+2", "5e-324"];
                Json::Number(Number::parse(texts[random.below(texts.len())]).expect("a number"))
            }
            5 | 6 => Json::String(self.any_text()),
            7 => Json::array((0..self.random.below(4)).map(|_| self.any_json(depth - 1)).collect()),
            _ => Json::object((0..self.random.below(4)).map(|_| (self.any_text(), self.any_json(depth - 1)))),
        }
    }

    fn any_text(&mut self) -> Text {
        let texts = ["", "a", "b", "\"\\\n\u{1}", "é😀\u{2028}", "arn:aws:states:us-east-1:000000000000:x"];
        match self.random.below(8) {
            place @ 0..6 => texts[place].into(),
            _ => format!("text {}", self.random.draw()).into(),
        }
    }
}

impl FieldSource for AnyFields<'_> {
    type Error = ();

    fn number(&mut self) -> Result<u64, ()> {
        // Half of what asks for a number asks whether something is there.
        Ok(match self.random.below(8) {
            0 => self.random.draw(),
            1 => u64::from(u32::MAX),
            2 => u64::MAX,
            _ => self.random.draw() & 1,
        })
    }

    fn float(&mut self) -> Result<f64, ()> {
        Ok([0.0, -0.0, 12.5, f64::MAX, 1e-300][self.random.below(5)])
    }

    fn time(&mut self) -> Result<Timestamp, ()> {
        Ok(Timestamp([0, -1, 1_700_000_000_123, i64::MAX, i64::MIN, self.random.draw() as i64][self.random.below(6)]))
    }

    fn text(&mut self) -> Result<Text, ()> {
        self.left = self.left.checked_sub(1).ok_or(())?;
        Ok(self.any_text())
    }

    fn json(&mut self) -> Result<Json, ()> {
        self.left = self.left.checked_sub(1).ok_or(())?;
        Ok(self.any_json(3))
    }

    fn is_at_end(&self) -> bool {
        false
    }

    fn out_of_range(&self, _: u64) {}

    fn unknown_event(&self, _: u16) {}
}

fn any_record(tag: u16, random: &mut Random) -> Record {
    // A list's length or a number may be out of range: then others are drawn.
    loop {
        let (id, thread) = (random.draw() >> random.below(64), random.below(1_000) as u32);
        if let Ok(event) = Event::restore(tag, &mut AnyFields { random, left: 40 }) {
            let timestamp = Timestamp(random.draw() as i64 >> random.below(60));
            return Record { id, previous_event_id: id.saturating_sub(1), timestamp, thread, event };
        }
    }
}

/// All letters of a record: equality of JSON would take `1` for `1.0`.
fn letters(record: &Record) -> String {
    format!("{record:?}")
}

#[test]
fn every_event_comes_back() {
    let mut random = Random::new(11);
    let mut encoder = Encoder::new();
    for round in 0..60 {
        let mut records = Vec::new();
        for row in EVENTS {
            records.push((random.below(5) as u64, any_record(row.tag, &mut random)));
        }
        for (execution, record) in &records {
            encoder.record(*execution, record).expect("no deep values");
        }
        let payload = encoder.finish().bytes.to_vec();
        let decoded = decode(&payload).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(decoded.len(), records.len());
        for ((execution, record), (expected_execution, expected)) in decoded.iter().zip(&records) {
            assert_eq!(execution, expected_execution);
            assert_eq!(letters(record), letters(expected));
            assert_eq!(record, expected);
        }
    }
}

#[test]
fn a_payload_that_is_cut_or_changed_is_refused_or_another_but_no_panic() {
    let mut random = Random::new(12);
    let mut encoder = Encoder::new();
    for row in EVENTS {
        encoder.record(1, &any_record(row.tag, &mut random)).expect("no deep values");
    }
    let payload = encoder.finish().bytes.to_vec();
    for end in 0..payload.len() {
        // A payload may end between two entries. That it is whole, its frame's checksum says.
        let _ = decode(&payload[..end]);
    }
    for _ in 0..5_000 {
        let mut changed = payload.clone();
        let at = random.below(changed.len());
        changed[at] = random.draw() as u8;
        let _ = decode(&changed);
    }
    assert_eq!(decode(b""), Err(DecodeError::Truncated));
}

#[test]
fn a_value_stands_once_in_a_frame() {
    let payload = Json::object([("order", Json::from("0123456789".repeat(100)))]);
    let same_text = Json::reread(&payload.to_string()).expect("JSON");
    let entered = |input: &Json| {
        Event::PassStateEntered(StateEntered {
            name: "A state with a name".into(),
            input: input.clone().into(),
            state: 0,
        })
    };
    let record = |event| Record { id: 1, previous_event_id: 0, timestamp: Timestamp(0), thread: 0, event };
    let mut encoder = Encoder::new();
    encoder.record(1, &record(entered(&payload))).expect("no deep values");
    let once = encoder.finish().bytes.len();
    for again in [&payload, &same_text] {
        encoder.record(1, &record(entered(&payload))).expect("no deep values");
        for _ in 0..10 {
            encoder.record(1, &record(entered(again))).expect("no deep values");
        }
        let more = encoder.finish().bytes.len() - once;
        assert!(more <= 10 * 14, "{more} bytes for ten events whose texts are there");
    }
    // What was shared is shared again when it is read.
    encoder.record(1, &record(entered(&payload))).expect("no deep values");
    encoder.record(1, &record(entered(&same_text))).expect("no deep values");
    let decoded = decode(encoder.finish().bytes).expect("records");
    let inputs: Vec<&Json> = decoded
        .iter()
        .map(|(_, record)| match &record.event {
            Event::PassStateEntered(entered) => &entered.input.value,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(inputs[0].as_object().expect("an object").is_same(inputs[1].as_object().expect("an object")));
}

#[test]
fn what_is_not_known_is_named() {
    let record = Record {
        id: 1,
        previous_event_id: 0,
        timestamp: Timestamp(0),
        thread: 0,
        event: Event::MapRunFailed(stepwell_spec::MapRunFailed { error: None, cause: None }),
    };
    let mut encoder = Encoder::new();
    encoder.record(1, &record).expect("no deep values");
    let good = encoder.finish().bytes.to_vec();
    assert_eq!(decode(&good).expect("records"), [(1, record.clone())]);
    // version, base, no values, then length, execution, tag x 2, id, previous, time, thread, error, cause
    assert_eq!(good, [1, 0, 0, 8, 1, 92, 1, 0, 0, 0, 0, 0]);

    let mut newer = good.clone();
    newer[0] = 2;
    assert_eq!(decode(&newer), Err(DecodeError::UnknownVersion(2)));
    assert!(DecodeError::UnknownVersion(2).to_string().contains("version 2"));

    let mut unknown = good.clone();
    unknown[5] = 49 * 2;
    assert_eq!(decode(&unknown), Err(DecodeError::UnknownEvent(49)));
    assert!(DecodeError::UnknownEvent(49).to_string().contains("49"));

    let mut longer = good.clone();
    longer[3] += 1;
    longer.push(0);
    assert_eq!(decode(&longer), Err(DecodeError::UnknownFields(46)));

    // An older record may end before an optional field that was added since.
    let mut shorter = good[..good.len() - 1].to_vec();
    shorter[3] -= 1;
    assert_eq!(decode(&shorter).expect("records"), [(1, record)]);
}

#[test]
fn what_nests_too_deep_to_be_read_back_is_not_written() {
    let mut deep = Json::Null;
    for _ in 0..REREAD_DEPTH_MAX {
        deep = Json::array(vec![deep]);
    }
    let record = |input: Json| Record {
        id: 0,
        previous_event_id: 0,
        timestamp: Timestamp(0),
        thread: 0,
        event: Event::BranchesStarted(BranchesStarted { input }),
    };
    let mut encoder = Encoder::new();
    encoder.record(1, &record(deep.clone())).expect("just deep enough");
    assert_eq!(decode(encoder.finish().bytes).expect("records").len(), 1);
    let too_deep = Json::array(vec![deep]);
    assert_eq!(encoder.record(1, &record(too_deep)), Err(TooDeep(REREAD_DEPTH_MAX + 1)));
    encoder.clear();
    encoder.record(1, &record(Json::Null)).expect("as new");
    assert_eq!(decode(encoder.finish().bytes).expect("records").len(), 1);
}

/// Something that is no event.
#[derive(Debug, PartialEq)]
struct Started {
    name: Text,
    input: Json,
    at: Timestamp,
}

impl Stored for Started {
    fn store(&self, sink: &mut impl FieldSink) {
        self.name.store(sink);
        self.input.store(sink);
        self.at.store(sink);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        Ok(Started { name: Stored::restore(source)?, input: Stored::restore(source)?, at: Stored::restore(source)? })
    }
}

#[test]
fn notes_stand_beside_records() {
    let note = Started { name: "mine".into(), input: Json::empty_object(), at: Timestamp(5) };
    let record =
        Record { id: 1, previous_event_id: 0, timestamp: Timestamp(9), thread: 0, event: Event::MapRunSucceeded };
    let mut encoder = Encoder::new();
    encoder.note(3, 1_000, &note).expect("no deep values");
    encoder.record(3, &record).expect("no deep values");
    encoder.note(4, 7, &note).expect("no deep values");
    let payload = encoder.finish();
    assert_eq!(payload.executions, [3, 4]);
    assert_eq!(decode(payload.bytes).expect("records"), [(3, record)]);
    let mut decoder = Decoder::new(payload.bytes).expect("a payload");
    let mut kinds = Vec::new();
    while let Some(entry) = decoder.next_entry().expect("an entry") {
        kinds.push((entry.execution, entry.kind));
        if let Kind::Note(_) = entry.kind {
            assert_eq!(entry.note::<Started>().expect("a note"), note);
        }
    }
    assert_eq!(kinds, [(3, Kind::Note(1_000)), (3, Kind::Event(45)), (4, Kind::Note(7))]);
}

/// A frame as a Task state with a callback leaves it, and one with a little of everything else.
fn golden_frames() -> Vec<(&'static str, Vec<Record>)> {
    let at = Timestamp(1_700_000_000_123);
    let record = |id: u64, thread, event| Record {
        id,
        previous_event_id: id.saturating_sub(1),
        timestamp: at.plus_ms(id),
        thread,
        event,
    };
    let input = Json::reread(r#"{"order":{"id":"4711","price":1.50},"tags":["a",null,true]}"#).expect("JSON");
    let started = ExecutionStarted {
        input: Payload { value: input.clone(), text: Some("{\"order\": {\"id\": \"4711\" …}".into()) },
        role_arn: "arn:aws:iam::000000000000:role/r".into(),
        state_machine_alias_arn: None,
        state_machine_version_arn: Some("arn:aws:states:us-east-1:000000000000:stateMachine:m:1".into()),
        timeout_at: Some(at.plus_ms(60_000)),
    };
    let entered = StateEntered { name: "Ask".into(), input: input.clone().into(), state: 2 };
    let scheduled = TaskScheduled {
        resource_type: "sqs".into(),
        resource: "sendMessage.waitForTaskToken".into(),
        region: "us-east-1".into(),
        parameters: JsonText(Json::object([("MessageBody", input.clone())])),
        timeout_in_seconds: Some(3_600),
        heartbeat_in_seconds: None,
        task_credentials: Some(TaskCredentials { role_arn: "arn:aws:iam::000000000000:role/r".into() }),
        timeout_at: Some(at.plus_ms(3_600_000)),
        heartbeat_at: None,
        token: Some("AQ==".into()),
    };
    let succeeded = TaskSucceeded {
        resource_type: "sqs".into(),
        resource: "sendMessage.waitForTaskToken".into(),
        output: input.clone().into(),
    };
    let exited = StateExited {
        name: "Ask".into(),
        output: input.clone().into(),
        assigned_variables: AssignedVariables(vec![("id".into(), Json::from("4711")), ("n".into(), Json::from(-1))]),
        onward: Onward::State(7),
    };
    let map_run = MapRunStarted {
        map_run_arn: "arn:aws:states:us-east-1:000000000000:mapRun:m/M:1".into(),
        inputs: Json::array(vec![input.clone(), Json::Null]),
        max_concurrency: 0,
        tolerated_failure_count: Some(3),
        tolerated_failure_percentage: Some(12.5),
    };
    vec![
        (
            "task",
            vec![
                record(1, 0, Event::ExecutionStarted(started)),
                record(2, 0, Event::TaskStateEntered(entered)),
                record(3, 0, Event::TaskScheduled(scheduled)),
            ],
        ),
        (
            "rest",
            vec![
                record(300, 0, Event::TaskSucceeded(succeeded)),
                record(301, 0, Event::TaskStateExited(exited)),
                record(0, 4, Event::WaitScheduled(WaitScheduled { until: at })),
                record(0, 70_000, Event::RetryScheduled(RetryScheduled { retrier: 1, at: Timestamp(-1) })),
                record(302, 0, Event::MapRunStarted(map_run)),
                record(303, 0, Event::ParallelStateStarted),
            ],
        ),
    ]
}

/// The file holds the bytes of version 1. It changes only together with the version; `STEPWELL_GOLDEN=write` writes it.
#[test]
fn the_bytes_are_those_of_the_golden_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/golden/payloads-1.txt");
    let mut text = String::new();
    let mut encoder = Encoder::new();
    for (name, records) in golden_frames() {
        for record in &records {
            encoder.record(42, record).expect("no deep values");
        }
        let bytes = encoder.finish().bytes;
        write!(text, "{name}").expect("a String takes every write");
        for (place, byte) in bytes.iter().enumerate() {
            let gap = if place % 32 == 0 { "\n" } else { "" };
            write!(text, "{gap}{byte:02x}").expect("a String takes every write");
        }
        text.push_str("\n\n");
    }
    if std::env::var_os("STEPWELL_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::create_dir_all(std::path::Path::new(path).parent().expect("a folder")).expect("a folder");
        std::fs::write(path, &text).expect("a file that can be written");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file");
    assert_eq!(text, golden, "the encoding has changed: it needs a new version");
    for (frame, (_, records)) in golden.split("\n\n").zip(golden_frames()) {
        let digits: String = frame.lines().skip(1).collect();
        let bytes: Vec<u8> = (0..digits.len() / 2)
            .map(|place| u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).expect("hexadecimal"))
            .collect();
        let decoded: Vec<Record> = decode(&bytes).expect("records").into_iter().map(|(_, record)| record).collect();
        assert_eq!(decoded, records);
    }
}
