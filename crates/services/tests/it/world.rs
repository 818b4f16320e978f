//! Services, what they have kept, and scripted time and chance.

use std::sync::Arc;

use stepwell_interpreter::{Chance, Moment};
use stepwell_json::Json;
use stepwell_protocol::{AwsAnswer, AwsCall, Place};
use stepwell_services::{Asker, Delivery, LogLine, Services, ServicesOuts, ServicesSettings};
use stepwell_spec::Timestamp;
use stepwell_store::{ALL_KEYS, Append, MemoryStore, Order, Outcome, RowChange, Store};

pub(crate) struct World {
    store: MemoryStore,
    services: Services,
    settings: ServicesSettings,
    reopens: bool,
    pub(crate) now: Timestamp,
    chance: Chance,
    calls: u64,
    sequence: u64,
    waiting: usize,
    replies: Vec<(u64, AwsAnswer)>,
    pub(crate) deliveries: Vec<Delivery>,
    /// Everything that was answered and delivered, in order.
    transcript: Vec<String>,
}

/// Runs a scenario in both kinds of services and compares what they said.
pub(crate) fn both(scenario: fn(&mut World)) {
    let run = |reopens| {
        let mut world = World::new(reopens);
        scenario(&mut world);
        world.transcript
    };
    assert_eq!(run(false), run(true));
}

impl World {
    /// One that never stops.
    pub(crate) fn steady() -> World {
        World::new(false)
    }

    fn new(reopens: bool) -> World {
        let store = MemoryStore::new();
        let settings = ServicesSettings {
            key: [7; 32],
            endpoint: "http://localhost:8083".into(),
            minute_rules: true,
            is_proved: false,
        };
        let now = Timestamp(1_700_000_000_000);
        let (services, rows) = Services::open(&settings, &*store.index()).expect("opens");
        let chance = Chance::new(Moment { now, entropy: 42 });
        let mut world = World {
            store,
            services,
            settings,
            reopens,
            now,
            chance,
            calls: 0,
            sequence: 0,
            waiting: 0,
            replies: Vec::new(),
            deliveries: Vec::new(),
            transcript: Vec::new(),
        };
        world.keep(&rows);
        world
    }

    /// What the action answers at once.
    pub(crate) fn ask(&mut self, service: &str, action: &str, input: &str) -> Result<Json, (String, String)> {
        let id = self.send(service, action, input);
        self.reply(id).unwrap_or_else(|| panic!("{action} is not answered at once"))
    }

    /// Makes a call that may be answered later.
    pub(crate) fn send(&mut self, service: &str, action: &str, input: &str) -> u64 {
        self.calls += 1;
        let input = Json::parse(input).unwrap_or_else(|error| panic!("{input}: {error:?}"));
        let call = AwsCall { service: service.into(), action: action.into(), input };
        let place = Place { account: "000000000000".into(), region: "us-east-1".into() };
        let at = self.moment(1);
        let outs = self.services.call(Asker::Client, &place, &call, self.calls, at);
        self.waiting += 1;
        self.take(outs);
        self.calls
    }

    /// Lets the engine say something to log groups.
    pub(crate) fn log(&mut self, lines: &[LogLine]) {
        let at = self.moment(1);
        let outs = self.services.log(lines, at);
        self.take(outs);
    }

    /// Raises an event of AWS's own.
    pub(crate) fn hear(&mut self, event: &str) {
        let at = self.moment(1);
        let place = Place { account: "000000000000".into(), region: "us-east-1".into() };
        let outs = self.services.hear(&place, &Json::parse(event).expect("JSON"), at);
        self.take(outs);
    }

    /// Whether somebody waits for such events.
    pub(crate) fn hears(&self) -> bool {
        self.services.hears()
    }

    /// The answer of a call, when it has come.
    pub(crate) fn reply(&mut self, id: u64) -> Option<Result<Json, (String, String)>> {
        let at = self.replies.iter().position(|(of, _)| *of == id)?;
        let (_, answer) = self.replies.remove(at);
        Some(match answer {
            Ok(output) => Ok(output.output),
            Err(error) => Err((error.code.to_string(), error.message.as_deref().unwrap_or_default().to_owned())),
        })
    }

    /// Lets so many milliseconds pass.
    pub(crate) fn pass_ms(&mut self, ms: u64) {
        let at = self.moment(ms);
        let outs = self.services.tick(at);
        self.take(outs);
    }

    /// Lets time pass until the services want to be told of it. Answers how long that was.
    pub(crate) fn pass_until_due(&mut self) -> Option<i64> {
        let due = self.services.next_due()?;
        let ms = due.0 - self.now.0;
        self.pass_ms(u64::try_from(ms.max(0)).expect("not negative"));
        Some(ms)
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.services.next_due()
    }

    pub(crate) fn forget_call(&mut self, id: u64) {
        self.services.forget_call(id);
        self.waiting -= 1;
    }

    /// How many rows of a table are kept.
    pub(crate) fn rows(&self, table: &str) -> usize {
        self.store.index().scan(table, ALL_KEYS, Order::Ascending, usize::MAX).expect("a scan").len()
    }

    fn moment(&mut self, ms: u64) -> Moment {
        self.now = self.now.plus_ms(ms);
        Moment { now: self.now, entropy: self.chance.draw() }
    }

    fn take(&mut self, outs: ServicesOuts) {
        self.keep(&outs.rows);
        self.waiting -= outs.replies.len();
        self.transcript.extend(outs.replies.iter().map(|reply| format!("{reply:?}")));
        self.transcript.extend(outs.deliveries.iter().map(|delivery| format!("{delivery:?}")));
        self.replies.extend(outs.replies);
        self.deliveries.extend(outs.deliveries);
        // Who waits is connected to a process that does not stop.
        if self.reopens && self.waiting == 0 {
            // The key that was kept counts, not the one of the second opening.
            let settings = ServicesSettings { key: [9; 32], ..self.settings.clone() };
            let (services, rows) = Services::open(&settings, &*self.store.index()).expect("opens again");
            assert_eq!(rows, []);
            self.services = services;
        }
    }

    fn keep(&mut self, rows: &[RowChange]) {
        if rows.is_empty() {
            return;
        }
        self.sequence += 1;
        let rows: Vec<_> = rows.iter().map(RowChange::row).collect();
        let append = Append { shard: 0, epoch: 1, sequence: self.sequence, executions: &[], rows: &rows, payload: &[] };
        let mut outcomes = Vec::new();
        self.store.append_batch(&[append], &mut outcomes).expect("appends");
        assert_eq!(outcomes, [Outcome::Appended { sequence: self.sequence }]);
    }
}

/// The text of a member.
pub(crate) fn text(json: &Json, path: &[&str]) -> Arc<str> {
    let found = path.iter().try_fold(json, |json, name| match name.parse::<usize>() {
        Ok(place) => json.as_array().and_then(|items| items.get(place)),
        Err(_) => json.get(name),
    });
    found.and_then(Json::as_str).unwrap_or_else(|| panic!("no {path:?} in {json:?}")).into()
}
