//! A queue: its messages, where each of them stands, and what of them changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_planted::{self as planted, Bug};
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;

use super::attributes::{self, Attributes, FIFO, RETENTION};
use super::dead_letters;
use super::duplicates::{Accepted, DuplicateKey};
use super::message::Message;

/// Messages that may be in flight at once, and how far a queue in order looks for a group that is free.
///
/// Source: SQS's developer guide, "message quotas".
pub(super) const IN_FLIGHT_MAX: usize = 120_000;

pub(super) struct Queue {
    pub(super) number: u64,
    pub(super) place: Place,
    pub(super) name: Arc<str>,
    pub(super) arn: Arc<str>,
    pub(super) created_at: Timestamp,
    pub(super) modified_at: Timestamp,
    pub(super) purged_at: Option<Timestamp>,
    pub(super) attributes: Attributes,
    pub(super) tags: BTreeMap<Arc<str>, Arc<str>>,
    /// Every message, by its number: the order in which they were sent.
    pub(super) messages: BTreeMap<u64, Message>,
    /// Those that may be received.
    ready: BTreeSet<u64>,
    /// Those somebody has, with the end of that.
    in_flight: BTreeSet<(Timestamp, u64)>,
    /// Those that were sent with a delay, with the end of it.
    delayed: BTreeSet<(Timestamp, u64)>,
    ages: BTreeSet<(Timestamp, u64)>,
    /// Groups somebody has messages of, and of how many.
    busy_groups: BTreeMap<Arc<str>, usize>,
    pub(super) accepted: BTreeMap<DuplicateKey, Accepted>,
    pub(super) accepted_until: BTreeSet<(Timestamp, DuplicateKey)>,
    pub(super) changed: Changed,
}

/// What changed since rows were written.
#[derive(Default)]
pub(super) struct Changed {
    pub(super) about: bool,
    pub(super) messages: BTreeSet<u64>,
    pub(super) seen: BTreeSet<u64>,
    pub(super) accepted: BTreeSet<DuplicateKey>,
}

/// How many messages stand where.
pub(super) struct Counts {
    pub(super) ready: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
}

/// What a receive comes to.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) received: Vec<u64>,
    pub(super) dead: Vec<u64>,
}

impl Queue {
    pub(super) fn new(number: u64, place: Place, name: Arc<str>, created_at: Timestamp) -> Queue {
        Queue {
            number,
            arn: place.arn("sqs", &name).into(),
            place,
            name,
            created_at,
            modified_at: created_at,
            purged_at: None,
            attributes: Attributes::new(),
            tags: BTreeMap::new(),
            messages: BTreeMap::new(),
            ready: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            delayed: BTreeSet::new(),
            ages: BTreeSet::new(),
            busy_groups: BTreeMap::new(),
            accepted: BTreeMap::new(),
            accepted_until: BTreeSet::new(),
            changed: Changed::default(),
        }
    }

    pub(super) fn is_fifo(&self) -> bool {
        attributes::flag(&self.attributes, FIFO)
    }

    pub(super) fn about_changed(&mut self) {
        self.changed.about = true;
    }

    pub(super) fn counts(&self) -> Counts {
        Counts { ready: self.ready.len(), in_flight: self.in_flight.len(), delayed: self.delayed.len() }
    }

    /// When the next message may be received that may not now.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        let first = |set: &BTreeSet<(Timestamp, u64)>| set.first().map(|(at, _)| *at);
        [first(&self.in_flight), first(&self.delayed)].into_iter().flatten().min()
    }

    /// When the first of its delayed messages can be received.
    pub(super) fn next_delayed(&self) -> Option<Timestamp> {
        self.delayed.first().map(|(at, _)| *at)
    }

    /// Puts a new message where it stands, and has it written down.
    pub(super) fn add(&mut self, number: u64, message: Message, now: Timestamp) {
        self.changed.messages.insert(number);
        self.changed.seen.insert(number);
        self.restore(number, message, now);
    }

    /// Puts a message where it stands.
    pub(super) fn restore(&mut self, number: u64, message: Message, now: Timestamp) {
        self.ages.insert((message.sent_at, number));
        self.messages.insert(number, message);
        self.file(number, now);
    }

    /// Takes a message away. Its rows go too.
    pub(super) fn remove(&mut self, number: u64) -> Option<Message> {
        self.unfile(number);
        let message = self.messages.remove(&number)?;
        self.ages.remove(&(message.sent_at, number));
        self.changed.messages.insert(number);
        Some(message)
    }

    pub(super) fn clear(&mut self) {
        for number in self.messages.keys().copied().collect::<Vec<_>>() {
            self.remove(number);
        }
    }

    /// Changes where a message's receives stand.
    pub(super) fn see(&mut self, number: u64, now: Timestamp, change: impl FnOnce(&mut super::message::Seen)) {
        self.unfile(number);
        if let Some(message) = self.messages.get_mut(&number) {
            change(&mut message.seen);
            self.changed.seen.insert(number);
        }
        self.file(number, now);
    }

    fn file(&mut self, number: u64, now: Timestamp) {
        let Some(message) = self.messages.get(&number) else { return };
        let at = message.seen.visible_at;
        if message.seen.received_at.is_some() && at > now {
            self.in_flight.insert((at, number));
            if let Some(group) = &message.group {
                *self.busy_groups.entry(group.clone()).or_default() += 1;
            }
        } else if at > now {
            self.delayed.insert((at, number));
        } else {
            self.ready.insert(number);
        }
    }

    fn unfile(&mut self, number: u64) {
        let Some(message) = self.messages.get(&number) else { return };
        let at = message.seen.visible_at;
        self.ready.remove(&number);
        self.delayed.remove(&(at, number));
        if self.in_flight.remove(&(at, number))
            && let Some(group) = &message.group
            && let Some(busy) = self.busy_groups.get_mut(group)
        {
            *busy -= 1;
            if *busy == 0 {
                self.busy_groups.remove(group);
            }
        }
    }

    /// Lets time pass: what is too old goes, what waited may be received.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let kept_ms = i64::try_from(attributes::number(&self.attributes, RETENTION) * 1_000).unwrap_or(i64::MAX);
        while let Some((_, number)) = self.ages.first().copied().filter(|(sent, _)| sent.0 + kept_ms <= now.0) {
            self.remove(number);
        }
        let now = if planted::is(Bug::MessagesEarly) { now.plus_ms(500) } else { now };
        for due in [false, true] {
            loop {
                let waiting = if due { &self.in_flight } else { &self.delayed };
                let Some((_, number)) = waiting.first().copied().filter(|(at, _)| *at <= now) else { break };
                self.unfile(number);
                self.file(number, now);
            }
        }
        self.forget_accepted(now);
    }

    /// Whether somebody who waits could be served.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next messages that may be received, and those on the way to them that were received too often.
    ///
    /// A group of a queue in order gives nothing while somebody has messages of it, nor past one that is still delayed.
    pub(super) fn choose(&self, limit: usize, is_target_there: bool) -> Taken {
        let mut taken = Taken::default();
        let redrive = self.redrive().filter(|_| is_target_there);
        let room = IN_FLIGHT_MAX.saturating_sub(self.in_flight.len());
        let held_back = self.held_back();
        for number in self.ready.iter().take(IN_FLIGHT_MAX) {
            if taken.received.len() >= limit.min(room) {
                break;
            }
            let Some(message) = self.messages.get(number) else { continue };
            if self.is_fifo()
                && let Some(group) = &message.group
                && !planted::is(Bug::GroupsMixed)
                && (self.busy_groups.contains_key(group) || held_back.get(group).is_some_and(|first| first < number))
            {
                continue;
            }
            if dead_letters::is_dead(message.seen.receives, redrive.as_ref()) {
                taken.dead.push(*number);
            } else {
                taken.received.push(*number);
            }
        }
        taken
    }

    /// The first delayed message of each group.
    fn held_back(&self) -> BTreeMap<Arc<str>, u64> {
        let mut first = BTreeMap::new();
        if self.is_fifo() {
            for (_, number) in &self.delayed {
                if let Some(group) = self.messages.get(number).and_then(|message| message.group.clone()) {
                    let least = first.entry(group).or_insert(*number);
                    *least = (*least).min(*number);
                }
            }
        }
        first
    }

    /// Up to so many messages that may be received, in order.
    pub(super) fn first_ready(&self, limit: usize) -> Vec<u64> {
        self.ready.iter().take(limit).copied().collect()
    }

    pub(super) fn is_full(&self) -> bool {
        self.in_flight.len() >= IN_FLIGHT_MAX
    }
}
