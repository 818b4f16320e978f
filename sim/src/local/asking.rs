//! What clients of queues and workers who wait at them do.

use stepwell_json::Json;
use stepwell_spec::Text;

use super::questions::{HEARD, LATER, ORDERED, QUEUES, Question, RAW_SUBSCRIPTION, STEPS, WORK};
use crate::world::{Mail, World};

/// Messages at once at most: what is checked goes over all of them.
const MESSAGES_MAX: usize = 40;

impl World {
    /// Somebody does something with queues.
    pub(crate) fn local_turn(&mut self) {
        let queue = [WORK, LATER, ORDERED, HEARD][self.random.below(4)];
        let is_room = self.local.queues.len() < MESSAGES_MAX;
        match self.random.below(100) {
            0..24 if is_room => self.send_any(queue),
            24..30 if is_room => {
                let text = self.new_text();
                self.ask_local(Question::Publish(text), None);
            }
            30..35 if is_room => {
                let text = self.new_text();
                self.ask_local(Question::Put(text), None);
            }
            0..68 => {
                let (any, dead) = (self.random.below(QUEUES.len()), self.random.below(2));
                let queue = [queue, queue, WORK, any, dead][self.random.below(5)];
                let most = [1, 1, 3, 10][self.random.below(4)];
                let wait = [0, 0, 20][self.random.below(3)];
                let hidden = [None, None, None, Some(0), Some(2), Some(600)][self.random.below(6)];
                let id = self.ask_local(Question::Receive { queue, most, wait, hidden }, None);
                if wait > 0 && self.random.once_in(4) {
                    self.leave_poll(id);
                }
            }
            68..82 => {
                // Any receipt there ever was, also a spent one.
                if let Some((queue, handle)) = self.any_receipt() {
                    self.ask_local(Question::Delete { queue, handle }, None);
                }
            }
            82..90 => {
                if let Some((queue, handle)) = self.any_receipt() {
                    let seconds = [0, 1, 30, 43_200][self.random.below(4)];
                    self.ask_local(Question::Hide { queue, handle, seconds }, None);
                }
            }
            90..97 => {
                let queue = self.random.below(QUEUES.len());
                self.ask_local(Question::Count(queue), None);
            }
            _ => self.sweep(),
        }
    }

    /// What is done now and then: queues are emptied, made once more, deleted, and dead letters sent back.
    fn sweep(&mut self) {
        let (choice, which) = (self.random.below(6), self.random.below(2));
        match choice {
            0 => drop(self.ask_local(Question::Purge([LATER, HEARD][which]), None)),
            1 | 2 => drop(self.ask_local(Question::MoveBack(which), None)),
            3 => {
                let step = self.random.below(STEPS);
                if step != RAW_SUBSCRIPTION && self.local.queues.has(STEPS - 1) {
                    self.ask_local(Question::Make(step), None);
                }
            }
            4 if self.local.queues.has(STEPS - 1) => drop(self.ask_local(Question::Drop(LATER), None)),
            _ => {}
        }
    }

    fn new_text(&mut self) -> Text {
        self.local.texts += 1;
        format!("t{}", self.local.texts).into()
    }

    fn any_receipt(&mut self) -> Option<(usize, Text)> {
        let all = &self.local.receipts;
        let recent = if self.random.percent(60) { all.len().saturating_sub(5) } else { 0 };
        self.random.one_of(&all[recent..]).cloned()
    }

    fn send_any(&mut self, queue: usize) {
        let is_fifo = QUEUES[queue].is_fifo;
        if !is_fifo && self.random.once_in(5) {
            let texts = (0..self.random.between(2, 4)).map(|_| self.new_text()).collect();
            self.ask_local(Question::SendAll { queue, texts }, None);
            return;
        }
        let text = self.new_text();
        let (mut delay, mut group, mut id) = (None, None, None);
        if is_fifo {
            group = Some(["a", "b"][self.random.below(2)].into());
            // Some are sent again that were sent before, within the time that it is known and after it.
            id = self.random.once_in(2).then(|| format!("d{}", self.random.below(6)).into());
        } else if self.random.once_in(4) {
            delay = Some([0, 1, 60][self.random.below(3)]);
        }
        let question = Question::Send { queue, text, delay, group, id };
        if self.random.percent(self.knobs.race_percent) {
            // Nobody answered in time, so that it is sent once more.
            self.tally.repeated_calls += 1;
            self.ask_local(question.clone(), None);
        }
        self.ask_local(question, None);
    }

    /// Somebody who waits for a message does not wait any longer.
    fn leave_poll(&mut self, id: u64) {
        self.mail.push(Mail::LocalGone(id));
    }

    /// A caller of a local service is gone.
    pub(crate) fn local_caller_leaves(&mut self, id: u64) {
        if self.local.asked.remove(&id).is_some() {
            self.tally.gone_callers += 1;
            self.trace.say(format!("local caller {id} is gone"));
            self.shell().services.forget_call(id);
            self.local.note_gone(id);
        }
    }

    /// A worker has a message. What is in it may be the token of a task.
    pub(super) fn work_on(&mut self, queue: usize, message: &Json) {
        let text = |name: &str| message.get(name).and_then(Json::as_str);
        let (Some(body), Some(handle)) = (text("Body"), text("ReceiptHandle")) else { return };
        let handle = Text::from(handle);
        self.local.receipts.push((queue, handle.clone()));
        let token = Json::parse(body).ok().and_then(|body| body.get("token")?.as_str().map(Text::from));
        if let Some(token) = token {
            self.take_token(token, String::new());
        }
        match self.random.below(10) {
            _ if self.calm => drop(self.ask_local(Question::Delete { queue, handle }, None)),
            // Some do what they have to; the others are gone, and somebody else will have it again.
            0..3 => drop(self.ask_local(Question::Delete { queue, handle }, None)),
            3..6 if queue == WORK => drop(self.ask_local(Question::Delete { queue, handle }, None)),
            6 => {
                let seconds = [0, 5, 90][self.random.below(3)];
                self.ask_local(Question::Hide { queue, handle, seconds }, None);
            }
            _ => {}
        }
    }
}
