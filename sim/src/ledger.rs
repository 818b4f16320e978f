//! What was promised: every fact an answer told of, with the frame it rests on and whether it was heard.
//!
//! A crash takes the facts that rest on frames which were not durable. One of those that somebody had heard is a broken promise; the
//! others were unknown to everybody, and are wholly gone now.

use std::collections::BTreeMap;

use stepwell_interpreter::TaskKey;
use stepwell_json::Json;
use stepwell_spec::{Text, Timestamp};

use crate::machines::Kind;

/// One thing that an answer told.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    /// A state machine is there.
    Machine { kind: Kind, exists: bool, revision: Option<Text> },
    /// An execution began.
    Started { kind: Kind, arn: Text, input: Json, text: Text, at: Timestamp },
    /// An Express execution began that nobody waits for.
    Begun { kind: Kind, arn: Text, input: Json },
    /// An execution was stopped, or had ended before.
    Stopped { arn: Text },
    /// An execution was redriven.
    Redriven { arn: Text },
    /// A task was completed by its token, with this mark.
    Completed { token: usize, mark: Text },
    /// An execution is there no more: its end is long ago.
    Forgotten { arn: Text },
    /// A task was asked of the world.
    Dispatched { arn: Text, key: TaskKey },
}

#[derive(Debug)]
struct Entry {
    frame: u64,
    is_heard: bool,
    fact: Fact,
}

/// What is known of one execution.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) kind: Kind,
    pub(crate) input: Json,
    pub(crate) text: Text,
    pub(crate) at: Timestamp,
    /// A stop was answered.
    pub(crate) is_stopped: bool,
    /// Redrives that were answered.
    pub(crate) redrives: u64,
}

/// All facts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    pub(crate) executions: BTreeMap<Text, Known>,
    /// Express executions that nobody waits for, with their inputs.
    pub(crate) express: BTreeMap<Text, (Kind, Json)>,
    /// Machines as the last fact about each left them.
    pub(crate) machines: BTreeMap<Kind, (bool, Option<Text>)>,
    /// Completions: the mark each token was answered with.
    pub(crate) completions: BTreeMap<usize, Text>,
}

impl Ledger {
    /// Notes a fact that rests on this frame and those before. Answers its place.
    pub(crate) fn note(&mut self, frame: u64, fact: Fact) -> Result<usize, String> {
        self.fold(&fact)?;
        self.entries.push(Entry { frame, is_heard: false, fact });
        Ok(self.entries.len() - 1)
    }

    /// Somebody heard of it.
    pub(crate) fn hear(&mut self, place: usize) {
        self.entries[place].is_heard = true;
    }

    /// Everything behind this frame never was.
    pub(crate) fn recover(&mut self, tail: u64) -> Result<(), String> {
        let first = self.entries.iter().position(|entry| entry.frame > tail).unwrap_or(self.entries.len());
        for entry in self.entries.drain(first..) {
            // Frames only grow from entry to entry.
            if entry.is_heard {
                let what = match entry.fact {
                    Fact::Dispatched { .. } => "I13: a task left before its frame was durable",
                    _ => "I1: an answer is lost",
                };
                return Err(format!("{what}: frame {} of {tail}: {:?}", entry.frame, entry.fact));
            }
        }
        (self.executions, self.express, self.machines, self.completions) = Default::default();
        let entries = std::mem::take(&mut self.entries);
        let folded = entries.iter().try_for_each(|entry| self.fold(&entry.fact));
        self.entries = entries;
        folded
    }

    /// The tasks that were asked of the world for an execution.
    pub(crate) fn dispatched(&self, arn: &str) -> impl Iterator<Item = TaskKey> {
        self.entries.iter().filter_map(move |entry| match &entry.fact {
            Fact::Dispatched { arn: of, key } if **of == *arn => Some(*key),
            _ => None,
        })
    }

    fn fold(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Machine { kind, exists, revision } => {
                self.machines.insert(*kind, (*exists, revision.clone()));
            }
            Fact::Started { kind, arn, input, text, at } => match self.executions.get(arn) {
                None => {
                    let (input, text) = (input.clone(), text.clone());
                    let known = Known { kind: *kind, input, text, at: *at, is_stopped: false, redrives: 0 };
                    self.executions.insert(arn.clone(), known);
                }
                Some(known) if known.text != *text => {
                    return Err(format!("I16: {arn} was started with {} and then with {text}", known.text));
                }
                Some(known) if known.at != *at => {
                    return Err(format!("I16: {arn} began at {} and then at {at}", known.at));
                }
                Some(_) => {}
            },
            Fact::Begun { kind, arn, input } => {
                if self.express.insert(arn.clone(), (*kind, input.clone())).is_some() {
                    return Err(format!("I22: {arn} began twice"));
                }
            }
            Fact::Stopped { arn } => {
                if let Some(known) = self.executions.get_mut(arn) {
                    known.is_stopped = true;
                }
            }
            Fact::Redriven { arn } => {
                if let Some(known) = self.executions.get_mut(arn) {
                    known.redrives += 1;
                    known.is_stopped = false;
                }
            }
            Fact::Completed { token, mark } => {
                if let Some(before) = self.completions.insert(*token, mark.clone()) {
                    return Err(format!("I8: token {token} completed its task with {before} and again with {mark}"));
                }
            }
            Fact::Forgotten { arn } => {
                self.executions.remove(arn);
                self.express.remove(arn);
            }
            Fact::Dispatched { .. } => {}
        }
        Ok(())
    }
}
