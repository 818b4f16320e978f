//! One process: the service and the store, and between them what has happened and is not durable yet.
//!
//! The server has threads here (`crates/server/src/{shard,writer}.rs`); this has a queue that is worked off when the schedule says
//! so. Both share what decides: when an answer may leave at once ([`Outs::says_nothing_new`]), how frames are kept ([`Keeper`]), and
//! whom a panic is laid to ([`Ward`]).

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use stepwell_api::{
    Keeper, Laid, NewFrame, NotKept, Outs, Refusal, Retention, SHARD, Service, ServiceRead, ServiceSettings,
    ServiceTask, ServiceWrite, Ward,
};
use stepwell_engine::ExecutionId;
use stepwell_interpreter::{Chance, Moment, TaskKey};
use stepwell_planted::{self as planted, Bug};
use stepwell_protocol::AwsAnswer;
use stepwell_services::{RowError, Services, ServicesOuts};
use stepwell_spec::{Response, Text, Timestamp};
use stepwell_store::{Append, Check, EmbeddedStore, Index, Options, Outcome, RowChange, Store, StoreError, Tail};

use crate::local;
use stepwell_sim_disk::SimDisk;

/// The shard of the store that local services are kept in, as in the server.
pub(crate) const LOCAL_SHARD: u32 = 1;

/// A reply and the number of the call it is for.
pub(crate) type Reply = (u64, Result<Response, Refusal>);

/// What of one input leaves when it is durable.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    pub(crate) replies: Vec<Reply>,
    pub(crate) tasks: Vec<ServiceTask>,
    pub(crate) cancelled: Vec<(ExecutionId, TaskKey)>,
    pub(crate) reads: Vec<ServiceRead>,
    pub(crate) writes: Vec<ServiceWrite>,
    /// Of local services.
    pub(crate) aws_answers: Vec<(u64, AwsAnswer)>,
}

struct Held {
    frame: Option<(u32, NewFrame)>,
    leaving: Leaving,
}

/// What panics said, and whom each was laid to.
pub(crate) type Panics = Vec<(String, Option<Laid>)>;

/// Why a process was not made.
pub(crate) enum NotOpened {
    Store(StoreError),
    Service(String),
    Local(RowError),
}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotOpened::Store(fault) => fault.fmt(f),
            NotOpened::Service(fault) => fault.fmt(f),
            NotOpened::Local(fault) => fault.fmt(f),
        }
    }
}

/// The process.
pub(crate) struct Shell {
    pub(crate) store: EmbeddedStore,
    pub(crate) service: Service,
    settings: ServiceSettings,
    ward: Ward,
    /// What panicked while the service was opened, and whom that was laid to, until somebody takes it.
    pub(crate) panics: Panics,
    pub(crate) services: Services,
    /// What is to be kept of opening those.
    pub(crate) first_rows: Vec<RowChange>,
    keeper: Keeper,
    queue: VecDeque<Held>,
    /// The number of the last frame that was durable when the process began.
    base: u64,
    /// Frames given to the writer, and those that are durable, by their numbers in the store.
    pub(crate) given: u64,
    pub(crate) kept: u64,
    /// The same of local services.
    base_local: u64,
    given_local: u64,
    pub(crate) kept_local: u64,
    /// The epochs of those who wrote before, by shard.
    epochs_before: [u64; 2],
    told: u64,
    now: Timestamp,
    chance: Chance,
}

/// What keeping what was queued came to.
pub(crate) enum Written {
    /// This may leave.
    Leaves(Vec<Leaving>),
    /// There is no room; the same is tried again.
    NoRoom,
    /// The process ends.
    Broken(String),
}

impl Shell {
    /// A process over what is on the disk. Its first outcome is to be delivered like any other.
    pub(crate) fn open(
        disk: &SimDisk,
        segment_bytes: u32,
        retention: Retention,
        at: Moment,
    ) -> Result<(Shell, Outs), NotOpened> {
        let options = Options { segment_bytes, entropy: at.entropy, check: Check::Tail };
        let store = EmbeddedStore::open_on(Arc::new(disk.clone()), options).map_err(NotOpened::Store)?;
        let settings = ServiceSettings { key: [7; 32], retention, ..ServiceSettings::default() };
        let chance = Chance::new(at);
        let mut ward = Ward::default();
        let (opened, panics) = open_service(&mut ward, &settings, &store.index(), at.now, &chance);
        let (service, outs) = opened.map_err(NotOpened::Service)?;
        let (services, first_rows) = Services::open(&local::settings(), &*store.index()).map_err(NotOpened::Local)?;
        let base = store.tail(SHARD).sequence;
        let base_local = store.tail(LOCAL_SHARD).sequence;
        let epochs_before = [SHARD, LOCAL_SHARD].map(|shard| store.tail(shard).epoch);
        let shell = Shell {
            store,
            service,
            settings,
            ward,
            panics,
            services,
            first_rows,
            keeper: Keeper::default(),
            queue: VecDeque::new(),
            base,
            given: base,
            kept: base,
            given_local: base_local,
            kept_local: base_local,
            base_local,
            epochs_before,
            told: 0,
            now: at.now,
            chance,
        };
        Ok((shell, outs))
    }

    /// Opens the service again after a panic, once everything given to the writer is durable. Answers also whom the panic was laid to, and
    /// the execution's ARN where it is known. Fails when the process is to end.
    pub(crate) fn reopen(&mut self, because: &str, somebody_asked: bool) -> Result<(Outs, Laid, Option<Text>), String> {
        let index = self.store.index();
        let laid = self.ward.lay(self.service.last_turn(), &*index, because, somebody_asked);
        let laid = laid.map_err(|fault| fault.to_string())?;
        let arn = match laid {
            Laid::To { execution, .. } => self.service.arn_of(execution),
            Laid::ToStart { .. } | Laid::ToTheGone(_) | Laid::ToNobody => None,
        };
        if !self.ward.sees_a_way_on() {
            return Err("panics that nobody is to blame for end the process".to_owned());
        }
        let (opened, panics) = open_service(&mut self.ward, &self.settings, &index, self.now, &self.chance);
        self.panics.extend(panics);
        let (service, outs) = opened?;
        self.service = service;
        (self.base, self.told) = (self.kept, 0);
        Ok((outs, laid, arn))
    }

    /// Another service over what is durable, opened as another process would. It may panic.
    pub(crate) fn open_beside(&self, entropy: u64) -> Result<(Service, Outs), String> {
        let at = Moment { now: self.now, entropy };
        Service::open(&self.settings, self.store.index(), at).map_err(|fault| fault.to_string())
    }

    /// The moment of an input, with this time on the wall. A clock that runs never goes back.
    pub(crate) fn moment(&mut self, wall: i64) -> Moment {
        let kept = self.kept - self.base;
        if kept > self.told {
            self.told = kept;
            self.service.kept(kept);
        }
        self.now = self.now.max(Timestamp(wall));
        Moment { now: self.now, entropy: self.chance.draw() }
    }

    /// The time this process has come to.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether everything given to the writer is durable.
    pub(crate) fn is_even(&self) -> bool {
        self.kept == self.given && self.kept_local == self.given_local
    }

    /// Durable frames, of all shards.
    pub(crate) fn frames(&self) -> u64 {
        self.kept + self.kept_local
    }

    /// Outcomes that wait for the writer.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Takes what an input led to. What may leave at once does.
    pub(crate) fn deliver(&mut self, outs: Outs) -> Option<Leaving> {
        let at_once = outs.says_nothing_new(self.is_even());
        let Outs { frame, replies, tasks, cancelled, reads, writes, .. } = outs;
        let mut leaving = Leaving { replies, tasks, cancelled, reads, writes, ..Leaving::default() };
        if at_once {
            return Some(leaving);
        }
        let mut early = None;
        if planted::is(Bug::DispatchBeforeDurable) {
            early = Some(Leaving { tasks: std::mem::take(&mut leaving.tasks), ..Leaving::default() });
        }
        self.given += u64::from(frame.is_some());
        self.queue.push_back(Held { frame: frame.map(|frame| (SHARD, frame)), leaving });
        early
    }

    /// Takes what an input of a local service led to. What may leave at once does.
    pub(crate) fn deliver_local(&mut self, outs: ServicesOuts) -> Option<Leaving> {
        let at_once = outs.says_nothing_new(self.is_even());
        let ServicesOuts { replies, rows, .. } = outs;
        let leaving = Leaving { aws_answers: replies, ..Leaving::default() };
        if at_once {
            return Some(leaving);
        }
        let frame = NewFrame { executions: Vec::new(), rows, payload: Vec::new() };
        let frame = (!frame.rows.is_empty()).then_some((LOCAL_SHARD, frame));
        self.given_local += u64::from(frame.is_some());
        self.queue.push_back(Held { frame, leaving });
        None
    }

    /// Makes up to so many outcomes durable, and lets them go.
    pub(crate) fn write(&mut self, most: usize) -> Written {
        let count = most.min(self.queue.len());
        let frames: Vec<&(u32, NewFrame)> =
            self.queue.iter().take(count).filter_map(|held| held.frame.as_ref()).collect();
        let kept = frames.iter().filter(|(shard, _)| *shard == SHARD).count() as u64;
        let kept_local = frames.len() as u64 - kept;
        match self.keeper.keep(&mut self.store, &frames) {
            Ok(()) => {}
            Err(NotKept::Full(_)) => return Written::NoRoom,
            Err(NotKept::Broken(why)) => return Written::Broken(why),
        }
        self.kept += kept;
        self.kept_local += kept_local;
        Written::Leaves(self.queue.drain(..count).map(|held| held.leaving).collect())
    }

    /// What a writer does when nothing has come for a while.
    pub(crate) fn store_catches_up(&mut self) -> Result<(), StoreError> {
        let index = self.store.index();
        index.catch_up()?;
        while index.pack_some(0)? {}
        Ok(())
    }

    /// What a writer does between batches.
    pub(crate) fn tend(&mut self) -> Result<(), StoreError> {
        self.store.tend()
    }

    /// A writer whose time is over tries to write to a shard. Answers whether it did.
    pub(crate) fn writes_as_a_zombie(&mut self, shard: u32) -> bool {
        let tail = self.store.tail(shard);
        let has_written = if shard == SHARD { self.kept > self.base } else { self.kept_local > self.base_local };
        let epoch = match has_written {
            // The one of the process before.
            true => Some(self.epochs_before[shard as usize]),
            false => tail.epoch.checked_sub(1).filter(|epoch| *epoch > 0),
        };
        let Some(epoch) = epoch else { return false };
        let Tail { sequence, .. } = tail;
        let append = Append { shard, epoch, sequence: sequence + 1, executions: &[], rows: &[], payload: &[] };
        let mut outcomes = Vec::new();
        let done = self.store.append_batch(&[append], &mut outcomes);
        done.is_ok() && outcomes.iter().any(|outcome| matches!(outcome, Outcome::Appended { .. }))
    }
}

/// How often a service may panic while it is opened, and be opened again: more than all executions of a seed may until they are left alone.
const OPENINGS_MAX: usize = 1_000;

/// A service over what is durable, and what panicked before it was there.
fn open_service(
    ward: &mut Ward,
    settings: &ServiceSettings,
    index: &Arc<dyn Index>,
    now: Timestamp,
    chance: &Chance,
) -> (Result<(Service, Outs), String>, Panics) {
    let mut panics = Vec::new();
    let mut openings = 0;
    let open = |ward: &Ward| {
        openings += 1;
        if openings > OPENINGS_MAX {
            return Err("it panics without end whenever it is opened".to_owned());
        }
        let at = Moment { now, entropy: chance.draw() };
        Service::open_after(settings, ward, Arc::clone(index), at).map_err(|fault| fault.to_string())
    };
    let opened =
        ward.open(&**index, open, |because, laid| panics.push((because.to_owned(), laid.as_ref().ok().copied())));
    (opened, panics)
}
