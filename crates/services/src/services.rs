//! All local services of one process, behind one door: a call or a tick comes in, answers and rows come out.

use std::sync::Arc;

use stepwell_interpreter::{Chance, Moment};
use stepwell_json::Json;
use stepwell_planted::{self as planted, Bug};
use stepwell_protocol::{AwsAnswer, AwsCall, Place};
use stepwell_spec::Timestamp;
use stepwell_store::{Index, RowChange};

use crate::answers::{Refusal, answer};
use crate::deliveries::Delivery;
use crate::events::{Events, Neighbours};
use crate::iam::Iam;
use crate::logs::{LogLine, Logs};
use crate::rows::RowError;
use crate::seal::Seal;
use crate::secrets::Secrets;
use crate::sns::Sns;
use crate::sqs::Sqs;
use crate::sts;

/// What belongs to all of the services.
const ABOUT: &str = "services_about";

/// The key that seals receipt handles and tokens: 32 bytes.
const KEY: &[u8] = b"key";

/// What the services are told when they are opened.
#[derive(Clone, Debug)]
pub struct ServicesSettings {
    /// Seals receipt handles and tokens; drawn by chance. Ignored when a key was kept.
    pub key: [u8; 32],
    /// Where clients reach the services, without a slash at the end: `http://localhost:8083`. Queue URLs begin with it.
    pub endpoint: Arc<str>,
    /// Whether the two rules hold that make AWS refuse for a minute: a deleted queue's name, and a second purge. Nothing
    /// but time is won by them, so a test suite may go without.
    pub minute_rules: bool,
    /// Whether whoever calls has proved who that is. Then a role of another account is only for whom its trust policy names.
    pub is_proved: bool,
}

/// The key that was kept, if any was.
pub(crate) fn kept_key(index: &dyn Index) -> Result<Option<[u8; 32]>, RowError> {
    let Some(kept) = index.get(ABOUT, KEY)? else { return Ok(None) };
    let broken = |kept: Vec<u8>| {
        let what = format!("it has {} bytes", kept.len());
        RowError::Broken { table: ABOUT, key: KEY.escape_ascii().to_string(), what }
    };
    <[u8; 32]>::try_from(kept).map(Some).map_err(broken)
}

/// What one input caused. Nothing of it may leave before the rows are durable.
#[derive(Debug, Default)]
pub struct ServicesOuts {
    /// Answers, each under the id of its call. Some come later than their call.
    pub replies: Vec<(u64, AwsAnswer)>,
    /// What is to be kept.
    pub rows: Vec<RowChange>,
    /// What somebody else delivers.
    pub deliveries: Vec<Delivery>,
}

impl ServicesOuts {
    /// Whether the answers may leave at once: nothing is to be kept or delivered, and everything they may tell of is durable
    /// (`is_even`).
    pub fn says_nothing_new(&self, is_even: bool) -> bool {
        let is_silent = self.rows.is_empty() && self.deliveries.is_empty();
        is_silent && (is_even || planted::is(Bug::LocalReadsEarly))
    }
}

/// Who makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A client or a task.
    Client,
    /// Another service of AWS: it may say of an event that it is AWS's own.
    Service,
}

/// A call on its way through a service.
pub(crate) struct Request<'a> {
    pub(crate) id: u64,
    pub(crate) asker: Asker,
    pub(crate) place: &'a Place,
    pub(crate) call: &'a AwsCall,
    pub(crate) now: Timestamp,
    pub(crate) chance: &'a Chance,
}

/// All local services.
pub struct Services {
    sqs: Sqs,
    sns: Sns,
    logs: Logs,
    iam: Iam,
    secrets: Secrets,
    events: Events,
}

/// How a service takes a call.
type Door = fn(&mut Services, &Request<'_>, &mut ServicesOuts);

/// The services, by the names of their models.
const DOORS: &[(&str, Door)] = &[
    ("events", |services, request, outs| {
        let Services { events, sqs, logs, secrets, .. } = services;
        events.call(request, &mut Neighbours { sqs, logs, secrets }, outs);
    }),
    ("iam", |services, request, outs| services.iam.call(request, outs)),
    ("logs", |services, request, outs| services.logs.call(request, outs)),
    ("secretsmanager", |services, request, outs| services.secrets.call(request, outs)),
    ("sns", |services, request, outs| services.sns.call(request, &mut services.sqs, outs)),
    ("sqs", |services, request, outs| services.sqs.call(request, outs)),
    ("sts", |services, request, outs| sts::call(&services.iam, request, outs)),
];

impl Services {
    /// The services there are, by botocore's names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        DOORS.iter().map(|(name, _)| *name)
    }

    /// The services with everything that was kept, and what is to be kept of opening them.
    pub fn open(settings: &ServicesSettings, index: &dyn Index) -> Result<(Services, Vec<RowChange>), RowError> {
        let (key, rows) = match kept_key(index)? {
            Some(key) => (key, Vec::new()),
            None => {
                let row = RowChange { table: ABOUT, key: KEY.to_vec(), value: Some(settings.key.to_vec()) };
                (settings.key, vec![row])
            }
        };
        let seal = Seal::new(&key);
        let services = Services {
            sqs: Sqs::open(settings, seal.clone(), index)?,
            sns: Sns::open(settings, seal, index)?,
            logs: Logs::open(index)?,
            iam: Iam::open(settings.is_proved, &key, index)?,
            secrets: Secrets::open(index)?,
            events: Events::open(index)?,
        };
        Ok((services, rows))
    }

    /// Takes a call. Its answer stands under `id`, in what is given back or in what a later input gives.
    pub fn call(&mut self, asker: Asker, place: &Place, call: &AwsCall, id: u64, at: Moment) -> ServicesOuts {
        let chance = Chance::new(at);
        let request = Request { id, asker, place, call, now: at.now, chance: &chance };
        let mut outs = ServicesOuts::default();
        match DOORS.iter().find(|(name, _)| *name == &*call.service) {
            Some((_, door)) => door(self, &request, &mut outs),
            None => {
                let refusal = Refusal::unknown_service(&call.service, &call.action);
                outs.replies.push((id, answer(Err(refusal), &chance)));
            }
        }
        self.finish(at.now, &chance, &mut outs);
        outs
    }

    /// Takes what the engine has to say to log groups. What is for a group that is not there is passed over, as on AWS.
    pub fn log(&mut self, lines: &[LogLine], at: Moment) -> ServicesOuts {
        let mut outs = ServicesOuts::default();
        self.logs.log(lines, at.now);
        self.finish(at.now, &Chance::new(at), &mut outs);
        outs
    }

    /// Takes an event of AWS's own, as the one of an execution whose status changed, for the default bus of the place.
    pub fn hear(&mut self, place: &Place, event: &Json, at: Moment) -> ServicesOuts {
        let chance = Chance::new(at);
        let mut outs = ServicesOuts::default();
        let Services { events, sqs, logs, secrets, .. } = self;
        events.hear(place, event, &mut Neighbours { sqs, logs, secrets }, at.now, &chance);
        self.finish(at.now, &chance, &mut outs);
        outs
    }

    /// Whether a rule could take such an event.
    pub fn hears(&self) -> bool {
        self.events.hears()
    }

    /// Time has passed.
    pub fn tick(&mut self, at: Moment) -> ServicesOuts {
        let chance = Chance::new(at);
        let mut outs = ServicesOuts::default();
        self.sqs.tick(at.now);
        self.finish(at.now, &chance, &mut outs);
        outs
    }

    /// When the next tick has something to do that somebody waits for.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.sqs.next_due()
    }

    /// When something comes about that somebody waits for, if nothing else happens before: a delayed message. Under virtual
    /// time the clock may go there at once. It may not go to the end of a long poll, nor to where a message that somebody
    /// works on is seen again: time would run away from everybody who is not asleep.
    pub fn next_jump(&self) -> Option<Timestamp> {
        self.sqs.next_jump()
    }

    /// Nobody waits for the answer of this call any more.
    pub fn forget_call(&mut self, id: u64) {
        self.sqs.forget_call(id);
    }

    fn finish(&mut self, now: Timestamp, chance: &Chance, outs: &mut ServicesOuts) {
        // Before the services that it reaches.
        self.events.finish(outs);
        self.sqs.finish(now, chance, outs);
        self.sns.finish(outs);
        self.logs.write_rows(outs);
        self.iam.write_rows(&mut outs.rows);
        self.secrets.write_rows(&mut outs.rows);
    }
}
