//! What leaves the writer, when, and what never does.

use std::ops::ControlFlow;
use std::sync::mpsc::{Sender, channel};

use stepwell_api::{Heard, StatusChange};
use stepwell_interpreter::ResultsRequest;
use stepwell_json::Json;
use stepwell_spec::Timestamp;
use stepwell_store::{Append, Frame, Index, MemoryStore, Outcome, StoreError, Tail};

use super::*;
use crate::awake::Awake;
use crate::egress::Egress;
use crate::endpoints::Endpoints;
use crate::tls::Tls;

/// A store that keeps so many batches and then fails. It says what it has kept.
struct Failing {
    store: MemoryStore,
    batches: usize,
    says: Sender<String>,
}

impl Store for Failing {
    fn append_batch(&mut self, batch: &[Append<'_>], outcomes: &mut Vec<Outcome>) -> Result<(), StoreError> {
        self.batches = self.batches.checked_sub(1).ok_or(StoreError::Index { what: "it is gone".to_owned() })?;
        self.store.append_batch(batch, outcomes)?;
        batch.iter().try_for_each(|append| self.says.send(format!("{} is kept", append.sequence))).expect("heard");
        Ok(())
    }

    fn tail(&self, shard: u32) -> Tail {
        self.store.tail(shard)
    }

    fn shards(&self) -> Vec<u32> {
        self.store.shards()
    }

    fn read_shard(
        &self,
        shard: u32,
        after: u64,
        each: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store.read_shard(shard, after, each)
    }

    fn index(&self) -> Arc<dyn Index> {
        self.store.index()
    }

    fn tend(&mut self) -> Result<(), StoreError> {
        self.store.tend()
    }
}

/// Says what it hears.
struct Echo(Sender<String>);

impl Listener for Echo {
    fn hears(&self) -> Heard {
        Heard { log_events: false, status_changes: true }
    }

    fn hear(&mut self, notice: &Notice) {
        let Notice::StatusChange(change) = notice else { panic!("not listened to: {notice:?}") };
        self.0.send(format!("{} is heard", change.id)).expect("heard");
    }
}

fn outcomes(id: &str, has_frame: bool) -> Outcomes {
    let frame = NewFrame { executions: vec![7], rows: Vec::new(), payload: vec![1] };
    let change = StatusChange {
        id: id.to_owned(),
        account: "000000000000".to_owned(),
        region: "us-east-1".into(),
        time: Timestamp(0),
        execution_arn: "arn:aws:states:us-east-1:000000000000:execution:m:e".into(),
        detail: Json::empty_object(),
    };
    let notices = vec![Notice::StatusChange(change)];
    Outcomes { frame: has_frame.then_some((SHARD, frame)), notices, ..Outcomes::default() }
}

/// What is said when this is given to a writer whose store keeps so many batches, one after the other.
fn said(batches: usize, given: &[(&str, bool)]) -> Vec<String> {
    let (says, said) = channel();
    let store = Box::new(Failing { store: MemoryStore::new(), batches, says: says.clone() });
    let transport = Transport::new(None, Endpoints::default(), Local::nowhere());
    // There is no call for it to carry.
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let listeners: Vec<Box<dyn Listener>> = vec![Box::new(Echo(says.clone())), Box::new(Echo(says))];
    let local = Local::nowhere();
    let carrier = Carrier::new(Endpoints::default(), local.clone(), Arc::new(Tls::default()), Egress::default());
    let pace = Pace::of(crate::settings::Time::Real);
    let outside = Outside { transport, runtime: runtime.handle().clone(), carrier, pace, local, listeners };
    let mut writer = Writer::start(store, outside, Answers::unread(), Awake::new()).expect("a thread");
    let mut lines = Vec::new();
    for (id, has_frame) in given {
        if !writer.give(outcomes(id, *has_frame)) {
            break;
        }
        // Two listeners say the last of it, or the writer has broken off and nobody says anything more.
        let is_last = |line: &String| *line == format!("{id} is heard");
        while lines.iter().filter(|line| is_last(line)).count() < 2 {
            match said.recv() {
                Ok(line) => lines.push(line),
                Err(_) => break,
            }
        }
    }
    writer.end();
    lines
}

#[test]
fn every_listener_hears_what_is_durable_once_and_in_order() {
    assert_eq!(
        said(2, &[("a", true), ("b", false), ("c", true)]),
        ["1 is kept", "a is heard", "a is heard", "b is heard", "b is heard", "2 is kept", "c is heard", "c is heard"]
    );
}

/// What is said when these are given to a writer whose results go to this address: all of it, once there is something. `given_one` is
/// called after each of them.
fn said_of_results(url: &str, given: Vec<Outcomes>, mut given_one: impl FnMut()) -> Vec<String> {
    let mut endpoints = Endpoints::default();
    endpoints.set("s3", url).expect("a URL");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let local = Local::nowhere();
    let carrier = Carrier::new(endpoints.clone(), local.clone(), Arc::new(Tls::default()), Egress::default());
    let (answers, heard) = Answers::heard();
    let outside = Outside {
        transport: Transport::new(None, endpoints, Local::nowhere()),
        runtime: runtime.handle().clone(),
        carrier,
        pace: Pace::of(crate::settings::Time::Real),
        local,
        listeners: Vec::new(),
    };
    let mut writer = Writer::start(Box::new(MemoryStore::new()), outside, answers, Awake::new()).expect("a thread");
    for outcomes in given {
        assert!(writer.give(outcomes));
        given_one();
    }
    let mut said = Vec::new();
    for _ in 0..2_000 {
        said.extend(heard());
        if !said.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    writer.end();
    said
}

/// Results of one Map Run that are to be written.
fn results() -> ServiceWrite {
    let mut task = crate::transport::tests::task(7, "M", None, stepwell_asl::ResourceKind::LambdaFunction);
    task.request.input = Json::parse(r#"{"Bucket":"b","Prefix":"p"}"#).expect("JSON");
    let request = ResultsRequest {
        task: task.request.clone(),
        map_run_arn: "arn:aws:states:us-east-1:000000000000:mapRun:m/L:run".into(),
        as_lines: false,
        is_trial: false,
        redrive_count: 0,
    };
    ServiceWrite { task, request, results: Vec::new() }
}

/// A Map Run that has failed gives up what it reads and writes its results: both under its one name.
#[test]
fn what_is_asked_anew_under_a_name_that_is_given_up_goes_on() {
    let write = results();
    let cancelled = vec![(write.task.execution, write.task.request.key)];
    let outcomes = Outcomes { writes: vec![write], cancelled, ..Outcomes::default() };
    // Nobody is there, which is an answer as well.
    assert_eq!(said_of_results("http://127.0.0.1:9", vec![outcomes], || {}), ["Answers(7)"]);
}

/// A service that was opened again after a panic asks for what it knows of, which may be another part of the same.
#[test]
fn what_is_asked_anew_takes_the_place_of_what_is_on_its_way() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (connected, first) = channel();
    std::thread::spawn(move || {
        // Who comes first is never answered, everybody else at once, if badly.
        let _kept = listener.accept();
        connected.send(()).expect("waited for");
        while let Ok((stream, _)) = listener.accept() {
            drop(stream);
        }
    });
    let write = || Outcomes { writes: vec![results()], ..Outcomes::default() };
    let mut is_first = true;
    // The second is given when the first has its connection.
    let given_one = || {
        if std::mem::take(&mut is_first) {
            first.recv_timeout(Duration::from_secs(30)).expect("somebody comes");
        }
    };
    assert_eq!(said_of_results(&url, vec![write(), write()], given_one), ["Answers(7)"]);
}

#[test]
fn what_is_not_durable_is_never_heard() {
    assert_eq!(said(1, &[("a", true), ("b", true), ("c", false)]), ["1 is kept", "a is heard", "a is heard"]);
}
