//! Who does the tasks: services that answer, twice, late or never, and workers that hold tokens and do with them what they like.

use stepwell_api::ServiceTask;
use stepwell_interpreter::Command;
use stepwell_json::Json;
use stepwell_spec::Text;

use crate::calls::Ask;
use crate::quotas;
use crate::world::{Mail, World};

/// A task the world was asked for.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) task: ServiceTask,
    pub(crate) answered: u64,
    pub(crate) is_cancelled: bool,
}

/// A token somebody has.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) text: Text,
    /// The worker who took the task of an activity; nobody's name for a callback.
    pub(crate) worker: String,
    /// It was taken, as far as anybody knows.
    pub(crate) is_spent: bool,
    /// It was refused.
    pub(crate) is_over: bool,
}

impl Outside {
    /// What the task comes to: its input says how often it fails first.
    fn outcome(&self) -> Command {
        let request = &self.task.request;
        let key = request.key;
        if request.is_called_back() {
            return Command::TaskSubmitted { task: key, output: Json::object([("sent", Json::Bool(true))]) };
        }
        if let Some(output) = quotas::large_result(&request.input) {
            return Command::TaskSucceeded { task: key, output };
        }
        let failures = request.input.get("fail").and_then(Json::as_i64).unwrap_or(0);
        match (request.retry_count as i64) < failures {
            true => Command::TaskFailed { task: key, error: Some("Again".into()), cause: None },
            false => Command::TaskSucceeded { task: key, output: request.input.clone() },
        }
    }
}

impl World {
    /// What workers do.
    pub(crate) fn workers_turn(&mut self) {
        let is_faulty = self.random.percent(self.knobs.worker_fault_percent);
        match self.random.below(10) {
            0..5 => self.answer_any(is_faulty),
            5..8 => {
                if is_faulty {
                    self.misuse_a_token();
                } else {
                    self.complete_any();
                }
            }
            _ => self.poll(),
        }
    }

    fn poll(&mut self) {
        let polls = self.asked.values().filter(|ask| matches!(ask, Ask::Poll { .. })).count();
        if polls < 3 {
            self.marks += 1;
            let worker = format!("w{}", self.marks);
            let id = self.ask(Ask::Poll { worker });
            if self.random.once_in(6) {
                self.mail.push(Mail::Gone(id));
            }
        }
    }

    /// A task outside is answered: once, twice, or a while after it was.
    fn answer_any(&mut self, is_faulty: bool) {
        let open: Vec<usize> = (0..self.outside.len()).filter(|place| self.outside[*place].answered == 0).collect();
        let done: Vec<usize> = (0..self.outside.len()).filter(|place| self.outside[*place].answered > 0).collect();
        if is_faulty && let Some(&place) = self.random.one_of(&done) {
            self.tally.duplicates += 1;
            self.answer(place);
            return;
        }
        let Some(&place) = self.random.one_of(&open) else { return };
        if is_faulty && self.random.once_in(3) {
            // It never comes: whoever waits for it is told when the world calms down.
            self.tally.late_or_lost += 1;
            return;
        }
        self.answer(place);
        if is_faulty {
            self.tally.duplicates += 1;
            self.answer(place);
        }
    }

    pub(crate) fn answer(&mut self, place: usize) {
        if self.send_for_task(place) {
            return;
        }
        let outside = &mut self.outside[place];
        outside.answered += 1;
        let (execution, command) = (outside.task.execution, outside.outcome());
        let of = (outside.task.identity.arn.clone(), outside.task.request.key.scheduled_event_id);
        let given = self.answers.entry(of).or_default();
        given.0 |= matches!(command, Command::TaskSucceeded { .. });
        given.1 |= matches!(command, Command::TaskFailed { .. });
        self.mail.push(Mail::Answer(execution, command));
    }

    /// Somebody has a token now.
    pub(crate) fn take_token(&mut self, text: Text, worker: String) {
        if let Some(known) = self.tokens.iter_mut().find(|known| known.text == text) {
            // A callback that was sent again after a crash.
            known.worker = worker;
            return;
        }
        self.tokens.push(Token { text, worker, is_spent: false, is_over: false });
    }

    /// A token that is good, as far as anybody knows, is used.
    pub(crate) fn complete_any(&mut self) {
        let open: Vec<usize> = (0..self.tokens.len())
            .filter(|place| !self.tokens[*place].is_spent && !self.tokens[*place].is_over)
            .collect();
        let Some(&token) = self.random.one_of(&open) else { return };
        if self.random.once_in(4) {
            let text = self.tokens[token].text.clone();
            self.ask(Ask::Beat { text });
            return;
        }
        let is_good = !self.random.once_in(5);
        self.complete(token, is_good);
    }

    pub(crate) fn complete(&mut self, token: usize, is_good: bool) {
        self.marks += 1;
        let (text, mark) = (self.tokens[token].text.clone(), format!("m{}", self.marks).into());
        self.ask(Ask::Complete { token, text, mark, is_good });
    }

    /// A token is used that was used before, that is long over, twice at once, or that was never given out.
    fn misuse_a_token(&mut self) {
        if self.tokens.is_empty() {
            return;
        }
        let token = self.random.below(self.tokens.len());
        match self.random.below(4) {
            0 => {
                self.tally.foreign_tokens += 1;
                let mut text = self.tokens[token].text.to_string();
                let at = self.random.below(text.len());
                let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
                text.replace_range(at..=at, other);
                self.ask(Ask::Forged(text.into()));
            }
            1 => {
                self.tally.duplicates += 1;
                self.complete(token, true);
                self.complete(token, true);
            }
            _ => {
                self.tally.spent_tokens += 1;
                self.complete(token, true);
            }
        }
    }
}
