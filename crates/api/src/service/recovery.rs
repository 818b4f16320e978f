//! Opening: what is kept comes back, and everything that is open is asked for again under the same names.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use stepwell_engine::{Engine, ExecutionId};
use stepwell_interpreter::{Chance, Moment};
use stepwell_planted::{self as planted, Bug};
use stepwell_store::Index;

use super::journal::{Journal, KeptError};
use super::map_runs::open_map_runs;
use super::quarantine::{Quarantine, Ward};
use super::registry::Registry;
use super::retention::Forgetting;
use super::shard::drawn;
use super::{ActivityQueues, Outs, Service, ServiceSettings, listings};
use crate::pages::PageSeal;
use crate::tokens::TokenSeal;
use stepwell_store::RowChange;
use stepwell_store::json_rows::RowError;

/// Facts about the whole: the key that seals page tokens and task tokens, and how far names are given away.
const ABOUT: &str = "about";
const SEAL_KEY: &[u8] = b"seal";
const NAMES_KEY: &[u8] = b"names";
const FORMAT_KEY: &[u8] = b"format";

/// What rows and notes mean. It is in the store as soon as anything else is.
const FORMAT: u64 = 2;

/// Names of executions that are given away at a time, so that the row is not written for every one.
const NAMES_AT_A_TIME: u64 = 65_536;

/// Rows read at a time.
const ROWS_PER_READ: usize = 1_024;

impl Service {
    /// Opens a service over what is kept. What comes out is to be treated like the outcome of any input: a frame to keep
    /// first, then tasks to be done, some of them for the second time.
    pub fn open(settings: &ServiceSettings, index: Arc<dyn Index>, at: Moment) -> Result<(Service, Outs), KeptError> {
        Service::open_after(settings, &Ward::default(), index, at)
    }

    /// As [`Service::open`], after panics that were laid to these.
    pub fn open_after(
        settings: &ServiceSettings,
        ward: &Ward,
        index: Arc<dyn Index>,
        at: Moment,
    ) -> Result<(Service, Outs), KeptError> {
        ward.at_work.clear();
        let mut journal = Journal::default();
        let (quarantine, changes) = Quarantine::open(&*index, ward, at.now)?;
        changes.into_iter().for_each(|change| journal.row(change));
        let key = match index.get(ABOUT, SEAL_KEY)? {
            Some(key) => {
                let found = index.get(ABOUT, FORMAT_KEY)?.map(|value| fact(FORMAT_KEY, &value)).transpose()?;
                // The first format said nothing of itself.
                let found = found.map_or(1, u64::from_be_bytes);
                if found != FORMAT {
                    return Err(KeptError::Format { found, known: FORMAT });
                }
                fact(SEAL_KEY, &key)?
            }
            None => {
                let value = Some(FORMAT.to_be_bytes().to_vec());
                journal.row(RowChange { table: ABOUT, key: FORMAT_KEY.to_vec(), value });
                let value = Some(settings.key.to_vec());
                journal.row(RowChange { table: ABOUT, key: SEAL_KEY.to_vec(), value });
                settings.key
            }
        };
        let names_given = match index.get(ABOUT, NAMES_KEY)? {
            Some(value) => u64::from_be_bytes(fact(NAMES_KEY, &value)?),
            None => 0,
        };
        let mut service = Service {
            registry: Registry::open(&*index)?,
            seal: PageSeal::new(&key),
            tokens: Arc::new(TokenSeal::new(&key)),
            engine: Engine::new(),
            index,
            journal,
            names_given,
            runs: Default::default(),
            input_bytes: 0,
            arns: Default::default(),
            resting: VecDeque::new(),
            activities: ActivityQueues::default(),
            waiting_for_end: Default::default(),
            yielded: VecDeque::new(),
            bursts_in_a_row: 0,
            dispatched: BTreeSet::new(),
            tests: Default::default(),
            own_calls: Default::default(),
            awaited: BTreeSet::new(),
            kept: 0,
            forgetting: Forgetting::after(settings.retention),
            touched: BTreeSet::new(),
            heard: settings.heard,
            quarantine,
            at_work: ward.at_work.clone(),
            fault: None,
        };
        service.engine.reserve_ids_below(ExecutionId(names_given));
        if let Some(ended) = listings::last_end(&*service.index)? {
            service.engine.not_before(ended);
        }
        let mut outs = Outs::default();
        service.resume(at, &mut outs)?;
        let at = service.not_before(at);
        service.finish(at, &mut outs);
        match outs.fault.take() {
            Some(fault) => Err(fault),
            None => Ok((service, outs)),
        }
    }

    /// A name for an execution that is about to start.
    pub(super) fn new_execution_id(&mut self) -> ExecutionId {
        let id = self.engine.reserve_id();
        self.give_names_up_to(id);
        id
    }

    /// Names up to this one are taken: what is written down runs ahead of them.
    pub(super) fn give_names_up_to(&mut self, id: ExecutionId) {
        if id.0 >= self.names_given {
            self.names_given = id.0 + NAMES_AT_A_TIME;
            let value = Some(self.names_given.to_be_bytes().to_vec());
            self.journal.row(RowChange { table: ABOUT, key: NAMES_KEY.to_vec(), value });
        }
    }

    /// Takes up every execution that runs. Map Runs come first, with their children so far: what those have done decides
    /// what a Map Run asks for, and one that goes on must find its Map Run there.
    fn resume(&mut self, at: Moment, outs: &mut Outs) -> Result<(), KeptError> {
        let chance = Chance::new(at);
        for row in open_map_runs(&*self.index.clone())? {
            let parent = row.parent;
            // Its children end without it.
            if self.quarantine.has(parent) || planted::is(Bug::MapRunForgotten) {
                continue;
            }
            match self.restore_map_run(row, None) {
                Err(KeptError::Quarantined(because)) => self.quarantine_with_child(parent, because, at),
                restored => restored?,
            }
        }
        let mut past: Option<Vec<u8>> = None;
        loop {
            let rows = listings::running(&*self.index, past.as_deref(), ROWS_PER_READ)?;
            for (_, id) in &rows {
                self.resume_execution(*id, drawn(at, &chance), outs)?;
            }
            match rows.into_iter().next_back() {
                Some((key, _)) => past = Some(key),
                None => return Ok(()),
            }
        }
    }

    /// Asks again for everything one execution waits for.
    fn resume_execution(&mut self, id: ExecutionId, at: Moment, outs: &mut Outs) -> Result<(), KeptError> {
        if self.quarantine.has(id) {
            return Ok(());
        }
        self.at_work.because_of(id);
        if !self.wake(id)? {
            return Err(KeptError::Missing(format!("the log of execution {}", id.0)));
        }
        let taken: Vec<_> =
            self.engine.execution(id).into_iter().flat_map(|execution| execution.open_tasks()).collect();
        if let Some(execution) = self.engine.execution(id) {
            outs.resumed.count(execution);
        }
        self.awaited.extend(taken.iter().filter(|task| task.is_called_back()).map(|task| (id, task.key)));
        let outbox = self.engine.resume(id, at);
        self.take(outbox, at, outs);
        // What only waits has nothing to do here. Its log is durable, so it may go at once.
        let is_still = !self.touched.contains(&id) && self.runs.get(&id).is_some_and(|run| run.last_frame == 0);
        if is_still {
            self.release(id);
        }
        Ok(())
    }
}

/// The value of a fact, which has one length.
fn fact<const N: usize>(key: &[u8], value: &[u8]) -> Result<[u8; N], RowError> {
    value.try_into().map_err(|_| RowError::Broken {
        table: ABOUT,
        key: key.escape_ascii().to_string(),
        what: format!("it should have {N} bytes and has {}", value.len()),
    })
}
