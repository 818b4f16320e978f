//! What queues must do, naively: every question is answered by looking at all messages there are, at the moment it is asked.
//!
//! Owns the rules of queues, and what a topic and a bus put into them. Knows no store and no row: after a crash it is made again
//! out of the questions that were durable.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_spec::Text;

use super::questions::{HEARD, LATER, QUEUES, Question, RAW_SUBSCRIPTION, RULE, SUBSCRIPTION, TARGET, TOPIC, queue_of};

/// How long a queue in order remembers what it has accepted.
const REMEMBERED_MS: i64 = 5 * 60 * 1_000;

/// How long a message may be hidden in all.
const HIDDEN_MS_MAX: i64 = 43_200 * 1_000;

/// What happens to services.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Asked(u64, Question),
    /// Whoever asked this is gone.
    Gone(u64),
    /// Time has passed.
    Passed,
    /// A process began over what is kept.
    Opened,
}

/// What must be answered.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    Done,
    Refused(&'static str),
    /// The messages, by their numbers.
    Sent(Vec<u64>),
    Received(usize, Vec<Shown>),
    /// How many may be received, are hidden, and are delayed.
    Counted([usize; 3]),
}

/// A message as somebody receives it.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) number: u64,
    pub(super) message: Message,
}

/// How a text stands in the body of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    /// In the document of a topic.
    Notification,
    /// In an event.
    Event,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) text: Text,
    pub(super) form: Form,
    pub(super) group: Option<Text>,
    pub(super) sent_at: i64,
    pub(super) visible_at: i64,
    pub(super) receives: u64,
    received_at: Option<i64>,
    /// The queue it came from as a dead letter.
    pub(super) source: Option<usize>,
    /// It was not to be received when somebody looked last.
    waits: bool,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    /// In the order they came.
    messages: BTreeMap<u64, Message>,
    /// By what makes a message a repeated one: which it repeats, and until when that counts.
    accepted: BTreeMap<Text, (u64, i64)>,
}

#[derive(Clone, Debug)]
struct Poll {
    id: u64,
    queue: usize,
    most: usize,
    hidden: Option<i64>,
    until: i64,
}

/// A message on its way into a queue.
struct Draft {
    text: Text,
    form: Form,
    delay: i64,
    group: Option<Text>,
    /// What makes one that comes later the same message.
    id: Option<Text>,
}

impl Draft {
    fn of(queue: usize, text: &Text) -> Draft {
        Draft { text: text.clone(), form: Form::Plain, delay: QUEUES[queue].delay, group: None, id: None }
    }
}

/// Where a receipt leads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receipt {
    pub(super) queue: usize,
    pub(super) number: u64,
    pub(super) receive: u64,
}

/// All queues.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    queues: Vec<Queue>,
    /// What was made.
    made: BTreeSet<usize>,
    next: u64,
    polls: Vec<Poll>,
    /// Queues of this input.
    touched: BTreeSet<usize>,
    /// What receipts that were given out mean.
    pub(super) receipts: BTreeMap<Text, Receipt>,
    /// Ids of messages, as far as somebody has seen them.
    pub(super) ids: BTreeMap<u64, Text>,
}

impl Default for Queues {
    fn default() -> Queues {
        Queues {
            queues: vec![Queue::default(); QUEUES.len()],
            made: BTreeSet::new(),
            next: 1,
            polls: Vec::new(),
            touched: BTreeSet::new(),
            receipts: BTreeMap::new(),
            ids: BTreeMap::new(),
        }
    }
}

impl Queues {
    /// Takes an input. Answers what everybody must be told who is told something by it.
    pub(super) fn take(&mut self, input: &Input, now: i64) -> Vec<(u64, Expected)> {
        let mut expected = Vec::new();
        match input {
            Input::Asked(id, question) => {
                if let Some(answer) = self.answer(*id, question, now) {
                    expected.push((*id, answer));
                }
            }
            Input::Gone(id) => {
                self.polls.retain(|poll| poll.id != *id);
                return expected;
            }
            Input::Passed => {}
            Input::Opened => {
                self.polls.clear();
                for message in self.queues.iter_mut().flat_map(|queue| queue.messages.values_mut()) {
                    message.waits = true;
                }
                return expected;
            }
        }
        self.serve(now, &mut expected);
        self.touched.clear();
        expected
    }

    /// Whether there is a queue.
    pub(super) fn has(&self, queue: usize) -> bool {
        self.made.contains(&queue)
    }

    /// Whether somebody would receive something there now.
    pub(super) fn has_due(&self, queue: usize, now: i64) -> bool {
        self.queues[queue].messages.values().any(|message| message.visible_at <= now)
    }

    /// When the next message may be received that may not now.
    pub(super) fn next_visible(&self, now: i64) -> Option<i64> {
        let all = self.queues.iter().flat_map(|queue| queue.messages.values());
        all.map(|message| message.visible_at).filter(|at| *at > now).min()
    }

    /// Messages there are in each queue.
    pub(super) fn lengths(&self) -> [usize; QUEUES.len()] {
        std::array::from_fn(|queue| self.queues[queue].messages.len())
    }

    /// Messages there are.
    pub(super) fn len(&self) -> usize {
        self.queues.iter().map(|queue| queue.messages.len()).sum()
    }

    /// Where a text is, for whoever wonders that it is received: when it may be.
    pub(super) fn find(&self, queue: usize, text: &str) -> Option<i64> {
        self.queues[queue].messages.values().find(|message| *message.text == *text).map(|message| message.visible_at)
    }

    fn answer(&mut self, id: u64, question: &Question, now: i64) -> Option<Expected> {
        let named = match question {
            Question::Send { queue, .. }
            | Question::SendAll { queue, .. }
            | Question::Receive { queue, .. }
            | Question::Delete { queue, .. }
            | Question::Hide { queue, .. }
            | Question::Count(queue)
            | Question::Purge(queue)
            | Question::Drop(queue) => Some(*queue),
            Question::MoveBack(queue) if !self.has(*queue) => {
                return Some(Expected::Refused("ResourceNotFoundException"));
            }
            Question::MoveBack(queue) if !self.is_for_dead_letters(*queue) => {
                return Some(Expected::Refused("InvalidParameterValueException"));
            }
            Question::MoveBack(queue) => Some(*queue),
            Question::Make(_) | Question::Publish(_) | Question::Put(_) => None,
        };
        if let Some(queue) = named {
            if !self.has(queue) {
                return Some(Expected::Refused("QueueDoesNotExist"));
            }
            self.touched.insert(queue);
            self.settle(queue, now);
        }
        Some(match question {
            Question::Make(step) => {
                self.made.insert(*step);
                Expected::Done
            }
            Question::Send { queue, text, delay, group, id } => {
                let draft = Draft::of(*queue, text);
                let id = id.clone().or_else(|| Some(text.clone())).filter(|_| QUEUES[*queue].is_fifo);
                let draft = Draft { delay: delay.unwrap_or(draft.delay), group: group.clone(), id, ..draft };
                Expected::Sent(vec![self.send(*queue, draft, now)])
            }
            Question::SendAll { queue, texts } => {
                let send = |text| self.send(*queue, Draft::of(*queue, text), now);
                Expected::Sent(texts.iter().map(send).collect())
            }
            Question::Publish(_) if !self.has(TOPIC) => Expected::Refused("NotFoundException"),
            Question::Publish(text) => {
                for (step, queue, form) in
                    [(SUBSCRIPTION, HEARD, Form::Notification), (RAW_SUBSCRIPTION, LATER, Form::Plain)]
                {
                    if self.has(step) {
                        self.deliver(queue, text, form, now);
                    }
                }
                Expected::Done
            }
            Question::Put(text) => {
                if self.has(RULE) && self.has(TARGET) {
                    self.deliver(HEARD, text, Form::Event, now);
                }
                Expected::Done
            }
            Question::Receive { queue, most, wait, hidden } => {
                let received = self.receive(*queue, *most, *hidden, now);
                if received.is_empty() && *wait > 0 {
                    let until = now + wait * 1_000;
                    self.polls.push(Poll { id, queue: *queue, most: *most, hidden: *hidden, until });
                    return None;
                }
                Expected::Received(*queue, received)
            }
            Question::Delete { queue, handle } => self.delete(*queue, handle, now),
            Question::Hide { queue, handle, seconds } => self.hide(*queue, handle, *seconds, now),
            Question::Count(queue) => {
                let mut counts = [0; 3];
                for message in self.queues[*queue].messages.values() {
                    counts[message.place()] += 1;
                }
                Expected::Counted(counts)
            }
            Question::Purge(queue) => {
                self.queues[*queue].messages.clear();
                Expected::Done
            }
            Question::Drop(queue) => {
                self.queues[*queue] = Queue::default();
                self.made.remove(queue);
                self.receipts.retain(|_, receipt| receipt.queue != *queue);
                Expected::Done
            }
            Question::MoveBack(queue) => {
                self.move_back(*queue, now);
                Expected::Done
            }
        })
    }

    fn is_for_dead_letters(&self, queue: usize) -> bool {
        let leads_there = |source: &usize| QUEUES[*source].dead_letters.is_some_and(|(target, _)| target == queue);
        self.made.iter().filter(|step| **step < QUEUES.len()).any(leads_there)
    }

    /// What is too old goes, and what waited long enough may be received.
    fn settle(&mut self, queue: usize, now: i64) {
        let kept_ms = QUEUES[queue].retention * 1_000;
        let Queue { messages, accepted } = &mut self.queues[queue];
        messages.retain(|_, message| message.sent_at + kept_ms > now);
        for message in messages.values_mut() {
            message.waits &= message.visible_at > now;
        }
        accepted.retain(|_, (_, until)| *until > now);
    }

    fn send(&mut self, queue: usize, draft: Draft, now: i64) -> u64 {
        let Draft { text, form, delay, group, id } = draft;
        if let Some((number, _)) = id.as_ref().and_then(|id| self.queues[queue].accepted.get(id)) {
            return *number;
        }
        let number = self.take_number();
        if let Some(id) = id {
            self.queues[queue].accepted.insert(id, (number, now + REMEMBERED_MS));
        }
        let message = Message {
            text,
            form,
            group,
            sent_at: now,
            visible_at: now + delay * 1_000,
            receives: 0,
            received_at: None,
            source: None,
            waits: delay > 0,
        };
        self.queues[queue].messages.insert(number, message);
        number
    }

    /// A topic or a bus sends.
    fn deliver(&mut self, queue: usize, text: &Text, form: Form, now: i64) {
        if !self.has(queue) {
            return;
        }
        self.touched.insert(queue);
        self.settle(queue, now);
        self.send(queue, Draft { form, ..Draft::of(queue, text) }, now);
    }

    fn receive(&mut self, from: usize, most: usize, hidden: Option<i64>, now: i64) -> Vec<Shown> {
        let rules = QUEUES[from];
        let messages = &self.queues[from].messages;
        let is_blocked = |number: u64, group: &Option<Text>| {
            rules.is_fifo
                && messages.iter().any(|(other, message)| {
                    message.group == *group && message.waits && (message.received_at.is_some() || *other < number)
                })
        };
        let (mut chosen, mut dead) = (Vec::new(), Vec::new());
        for (number, message) in messages {
            if chosen.len() >= most {
                break;
            }
            if message.waits || is_blocked(*number, &message.group) {
                continue;
            }
            match rules.dead_letters.filter(|(target, _)| self.has(*target)) {
                Some((_, receives)) if message.receives >= receives => dead.push(*number),
                _ => chosen.push(*number),
            }
        }
        for number in dead {
            self.bury(from, number, now);
        }
        let visible_at = now + hidden.unwrap_or(rules.visibility) * 1_000;
        let mut received = Vec::new();
        for number in chosen {
            if let Some(message) = self.queues[from].messages.get_mut(&number) {
                message.receives += 1;
                message.received_at = Some(now);
                message.visible_at = visible_at;
                message.waits = visible_at > now;
                received.push(Shown { number, message: message.clone() });
                self.touched.insert(from);
            }
        }
        received
    }

    /// A message that was received too often goes to the queue for such.
    fn bury(&mut self, source: usize, number: u64, now: i64) {
        let Some((target, _)) = QUEUES[source].dead_letters else { return };
        let Some(mut message) = self.queues[source].messages.remove(&number) else { return };
        (message.visible_at, message.received_at, message.waits) = (now, None, false);
        message.source = Some(source);
        if QUEUES[target].is_fifo {
            message.sent_at = now;
        }
        self.put(target, message, number);
        self.touched.extend([source, target]);
    }

    /// Puts a message that had this number elsewhere at the end of a queue. Its id stays the same.
    fn put(&mut self, queue: usize, message: Message, number: u64) {
        let moved = self.take_number();
        if let Some(id) = self.ids.get(&number).cloned() {
            self.ids.insert(moved, id);
        }
        self.queues[queue].messages.insert(moved, message);
    }

    fn take_number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Dead letters that may be received go back as if they were sent anew, up to the first that came from nowhere.
    fn move_back(&mut self, from: usize, now: i64) {
        let ready = self.queues[from].messages.iter().filter(|(_, message)| !message.waits);
        for number in ready.map(|(number, _)| *number).collect::<Vec<u64>>() {
            let source = self.queues[from].messages.get(&number).and_then(|message| message.source);
            let Some(target) = source.filter(|source| self.has(*source)) else { return };
            let Some(mut message) = self.queues[from].messages.remove(&number) else { return };
            (message.sent_at, message.visible_at, message.receives) = (now, now, 0);
            (message.received_at, message.source) = (None, None);
            self.put(target, message, number);
            self.touched.insert(target);
        }
    }

    /// A receipt leads to its message; in a queue in order only while nobody else may receive it.
    fn delete(&mut self, queue: usize, handle: &Text, now: i64) -> Expected {
        let Some(receipt) = self.receipts.get(handle).copied() else {
            return Expected::Refused("ReceiptHandleIsInvalid");
        };
        let messages = &mut self.queues[queue].messages;
        if let Some(message) = messages.get(&receipt.number) {
            let is_held = message.visible_at > now && message.receives == receipt.receive;
            if QUEUES[queue].is_fifo && !is_held {
                return Expected::Refused("InvalidParameterValueException");
            }
            messages.remove(&receipt.number);
        }
        Expected::Done
    }

    fn hide(&mut self, queue: usize, handle: &Text, seconds: i64, now: i64) -> Expected {
        let Some(receipt) = self.receipts.get(handle).copied() else {
            return Expected::Refused("ReceiptHandleIsInvalid");
        };
        let refused = Expected::Refused("InvalidParameterValueException");
        let Some(message) = self.queues[queue].messages.get_mut(&receipt.number) else { return refused };
        let Some(received_at) = message.received_at.filter(|_| message.visible_at > now) else { return refused };
        let is_anothers = QUEUES[queue].is_fifo && message.receives != receipt.receive;
        if is_anothers || now - received_at > HIDDEN_MS_MAX - seconds * 1_000 {
            return refused;
        }
        message.visible_at = now + seconds * 1_000;
        message.waits = message.visible_at > now;
        Expected::Done
    }

    /// Whoever waits and need not any more is answered, in the order they came. A dead letter may be what somebody waits for who
    /// came earlier.
    fn serve(&mut self, now: i64, expected: &mut Vec<(u64, Expected)>) {
        loop {
            let before = (expected.len(), self.next);
            for poll in std::mem::take(&mut self.polls) {
                if !self.has(poll.queue) {
                    expected.push((poll.id, Expected::Refused("QueueDoesNotExist")));
                    continue;
                }
                let is_due = poll.until <= now;
                let wakes = |message: &Message| message.waits && message.visible_at <= now;
                let is_stirred =
                    self.touched.contains(&poll.queue) || self.queues[poll.queue].messages.values().any(wakes);
                let mut received = Vec::new();
                if is_due || is_stirred {
                    self.touched.insert(poll.queue);
                    self.settle(poll.queue, now);
                    received = self.receive(poll.queue, poll.most, poll.hidden, now);
                }
                if received.is_empty() && !is_due {
                    self.polls.push(poll);
                } else {
                    expected.push((poll.id, Expected::Received(poll.queue, received)));
                }
            }
            if (expected.len(), self.next) == before {
                return;
            }
        }
    }
}

impl Message {
    /// Where it stands: it may be received, somebody has it, or it is delayed.
    fn place(&self) -> usize {
        match (self.waits, self.received_at) {
            (false, _) => 0,
            (true, Some(_)) => 1,
            (true, None) => 2,
        }
    }
}

/// What a task's message is to whoever looks at its arguments: which queue, and what it says.
pub(super) fn message_of(input: &stepwell_json::Json) -> Option<Question> {
    let queue = queue_of(input.get("QueueUrl")?.as_str()?)?;
    let text = input.get("MessageBody")?;
    let text: Text = text.as_str().map_or_else(|| text.to_string().into(), Text::from);
    Some(Question::Send { queue, text, delay: None, group: None, id: None })
}
