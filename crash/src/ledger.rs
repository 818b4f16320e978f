//! What the clients asked, and what they were answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stepwell_json::Json;

use crate::load::Kind;

/// An execution that a client knows of.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) input: Json,
    /// Whether its start was acknowledged.
    pub(crate) is_acknowledged: bool,
    /// Whether a stop was acknowledged.
    pub(crate) is_stopped: bool,
}

/// What was said about the completion of a task, by what the output would be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Completions {
    /// Outputs somebody tried to complete it with.
    pub(crate) tried: BTreeSet<String>,
    /// Outputs whose completion was acknowledged.
    pub(crate) acknowledged: Vec<String>,
}

/// What keeps something beside executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Queue,
    Table,
    Bucket,
}

#[derive(Clone, Default)]
struct Pages {
    /// What services acknowledged, by its name.
    kept: BTreeSet<(Service, String)>,
    started: BTreeMap<String, Started>,
    completions: BTreeMap<String, Completions>,
    /// Histories as they were read while the server was killed, by execution's name.
    histories: BTreeMap<String, Vec<String>>,
    faults: Vec<String>,
}

/// Shared by all clients.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Pages>);

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says now, for itself.
    pub(crate) fn copy(&self) -> Ledger {
        Ledger(Mutex::new(self.pages().clone()))
    }

    pub(crate) fn start(&self, started: Started) {
        self.pages().started.insert(started.name.clone(), started);
    }

    pub(crate) fn stopped(&self, name: &str) {
        if let Some(started) = self.pages().started.get_mut(name) {
            started.is_stopped = true;
        }
    }

    /// Somebody is about to complete a task of an execution.
    pub(crate) fn try_completion(&self, name: &str, output: &str) {
        self.pages().completions.entry(name.to_owned()).or_default().tried.insert(output.to_owned());
    }

    pub(crate) fn completed(&self, name: &str, output: &str) {
        self.pages().completions.entry(name.to_owned()).or_default().acknowledged.push(output.to_owned());
    }

    /// A history as it was read: what is read later must begin with it.
    pub(crate) fn saw_history(&self, name: &str, events: Vec<String>) {
        let mut pages = self.pages();
        let before = pages.histories.get(name).cloned().unwrap_or_default();
        let (shorter, longer) = if before.len() <= events.len() { (&before, &events) } else { (&events, &before) };
        let is_prefix = longer.starts_with(shorter);
        // A reader that was slow may come with less than another saw.
        let newest = longer.clone();
        if !is_prefix {
            pages.faults.push(format!("I3: two readings of the history of {name} differ"));
        }
        pages.histories.insert(name.to_owned(), newest);
    }

    /// The longest reading of a history so far.
    pub(crate) fn history(&self, name: &str) -> Vec<String> {
        self.pages().histories.get(name).cloned().unwrap_or_default()
    }

    /// A service acknowledged something.
    pub(crate) fn left(&self, service: Service, name: &str) {
        self.pages().kept.insert((service, name.to_owned()));
    }

    pub(crate) fn kept(&self) -> BTreeSet<(Service, String)> {
        self.pages().kept.clone()
    }

    pub(crate) fn fault(&self, fault: String) {
        self.pages().faults.push(fault);
    }

    pub(crate) fn started(&self) -> Vec<Started> {
        self.pages().started.values().cloned().collect()
    }

    pub(crate) fn completions(&self, name: &str) -> Completions {
        self.pages().completions.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut self.pages().faults)
    }

    pub(crate) fn summary(&self) -> String {
        let pages = self.pages();
        let acknowledged = pages.started.values().filter(|started| started.is_acknowledged).count();
        let completed: usize = pages.completions.values().map(|completions| completions.acknowledged.len()).sum();
        let kept = pages.kept.len();
        format!("{acknowledged} starts, {completed} completions and {kept} things of other services acknowledged")
    }
}
