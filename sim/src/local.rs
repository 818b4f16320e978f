//! Local services beside the engine, in a shard of the store of their own: who asks them for what, and what is known of them.
//!
//! What they must answer a naive model says ([`queues`]). It is a function of the questions alone, so that after a crash it is made
//! again out of those whose frames are there; an answer that somebody heard of a question that is gone is a broken promise.

mod answers;
mod asking;
mod questions;
mod queues;

use std::collections::BTreeMap;

use stepwell_api::{NewFrame, ServiceTask};
use stepwell_integrations::{Task, call_of, outcome_of};
use stepwell_interpreter::{Command, Moment};
use stepwell_json::Json;
use stepwell_protocol::AwsAnswer;
use stepwell_services::{Asker, Services, ServicesOuts, ServicesSettings};
use stepwell_spec::{Text, Timestamp};
use stepwell_store::{RowChange, Store};

use crate::audit::Mirror;
use crate::world::{Mail, World};
pub(crate) use questions::ENDPOINT;
use questions::{QUEUES, Question, STEPS, WORK};
use queues::{Input, Queues};

/// What services are opened with.
pub(crate) fn settings() -> ServicesSettings {
    ServicesSettings { key: [9; 32], endpoint: questions::ENDPOINT.into(), minute_rules: false, is_proved: false }
}

/// Everything about local services.
#[derive(Debug, Default)]
pub(crate) struct Local {
    /// Whether anybody in this seed asks them.
    is_used: bool,
    /// Questions that are not answered, by id, and the task that one is of.
    asked: BTreeMap<u64, Asked>,
    calls: u64,
    queues: Queues,
    entries: Vec<Entry>,
    /// Where answers that have not left stand among the entries, by id.
    unheard: BTreeMap<u64, usize>,
    /// What was given to the store.
    pub(crate) mirror: Mirror,
    /// For each of those frames, how many of the executions' were given before.
    behind: Vec<u64>,
    /// Receipts somebody has, with their queues: good ones and spent ones.
    receipts: Vec<(usize, Text)>,
    /// Texts that were sent.
    texts: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Asked {
    question: Question,
    task: Option<Box<ServiceTask>>,
}

/// One input, and the frame that all that is known of it rests on.
#[derive(Debug)]
struct Entry {
    frame: u64,
    is_heard: bool,
    at: i64,
    input: Input,
    answers: Vec<(u64, AwsAnswer)>,
}

impl World {
    /// Somebody asks a local service.
    fn ask_local(&mut self, question: Question, task: Option<Box<ServiceTask>>) -> u64 {
        self.local.calls += 1;
        let id = self.local.calls;
        self.local.asked.insert(id, Asked { question, task });
        self.mail.push(Mail::Local(id));
        id
    }

    /// The first of what everybody else stands on.
    pub(crate) fn found_local(&mut self) {
        if self.local.is_used {
            self.ask_local(Question::Make(0), None);
        }
    }

    /// A task of this place sends its message, if a queue is what it asks.
    pub(crate) fn send_for_task(&mut self, place: usize) -> bool {
        let outside = &mut self.outside[place];
        let Some(question) = queues::message_of(&outside.task.request.input) else { return false };
        outside.answered += 1;
        let task = Box::new(outside.task.clone());
        self.ask_local(question, Some(task));
        true
    }

    /// A question reaches its service.
    pub(crate) fn take_local(&mut self, id: u64, at: Moment) -> Result<(), String> {
        let Some(Asked { question, task }) = self.local.asked.get(&id).cloned() else { return Ok(()) };
        self.tally.local_calls += 1;
        self.trace.say(format!("{} local call {id}: {}", at.now.0, question.line()));
        let call = match &task {
            None => question.call(),
            Some(task) => call_of(Task { request: &task.request, execution: &task.identity })
                .map_err(|failure| format!("I7: a task's call cannot be made: {failure:?}"))?,
        };
        let outs = self.shell().services.call(Asker::Client, &questions::place(), &call, id, at);
        self.settle_local(Input::Asked(id, question), at.now, outs)
    }

    /// I1: what a task was told it sent was sent, and is known for ever.
    pub(crate) fn check_sent(&self, arn: &Text, output: Option<&str>) -> Result<(), String> {
        let id = output
            .and_then(|text| Json::parse(text).ok())
            .and_then(|output| output.get("id")?.as_str().map(Text::from));
        match id {
            Some(id) if !self.local.queues.ids.values().any(|known| *known == id) => {
                Err(format!("I1: {arn} has sent message {id}, which no queue ever had"))
            }
            _ => Ok(()),
        }
    }

    /// What is due by now with local services happens. `false` when nothing is.
    pub(crate) fn tick_local(&mut self, at: Moment) -> Result<bool, String> {
        if self.shell().services.next_due().is_none_or(|due| due > at.now) {
            return Ok(false);
        }
        let outs = self.shell().services.tick(at);
        self.settle_local(Input::Passed, at.now, outs)?;
        Ok(true)
    }

    /// Takes what an input led to.
    fn settle_local(&mut self, input: Input, now: Timestamp, outs: ServicesOuts) -> Result<(), String> {
        self.note_local_rows(&outs.rows);
        let local = &mut self.local;
        let told = local.take(&input, now.0, &outs.replies);
        told.map_err(|what| format!("{what} ({input:?})"))?;
        let place = local.entries.len();
        local.unheard.extend(outs.replies.iter().map(|(id, _)| (*id, place)));
        local.note(input, now.0, outs.replies.clone());
        match self.shell().deliver_local(outs) {
            Some(leaving) => self.let_go(leaving),
            None => Ok(()),
        }
    }

    fn note_local_rows(&mut self, rows: &[RowChange]) {
        if !rows.is_empty() {
            self.tally.frames += 1;
            let frame = NewFrame { executions: Vec::new(), rows: rows.to_vec(), payload: Vec::new() };
            self.local.mirror.push(&frame);
            self.local.behind.push(self.mirror.last());
        }
    }

    /// Answers of local services reach who waits for them.
    pub(crate) fn local_answers(&mut self, answers: Vec<(u64, AwsAnswer)>) -> Result<(), String> {
        for (id, answer) in answers {
            let place = self.local.unheard.remove(&id);
            let Some(Asked { question, task }) = self.local.asked.remove(&id) else { continue };
            if let Some(place) = place {
                self.local.entries[place].is_heard = true;
            }
            match task {
                Some(task) => self.task_was_sent(*task, answer),
                None => self.heard_local(question, answer)?,
            }
        }
        Ok(())
    }

    /// The execution is told what the service said.
    fn task_was_sent(&mut self, task: ServiceTask, answer: AwsAnswer) {
        let command = outcome_of(Task { request: &task.request, execution: &task.identity }, answer);
        let given = self.answers.entry((task.identity.arn.clone(), task.request.key.scheduled_event_id)).or_default();
        given.0 |= matches!(command, Command::TaskSucceeded { .. });
        given.1 |= matches!(command, Command::TaskFailed { .. });
        self.mail.push(Mail::Answer(task.execution, command));
    }

    fn heard_local(&mut self, question: Question, answer: AwsAnswer) -> Result<(), String> {
        match (question, answer) {
            (Question::Make(step), Ok(_)) => {
                let next = step + 1;
                let is_asked = |asked: &Asked| matches!(asked.question, Question::Make(other) if other == next);
                let is_made = self.local.queues.has(next) || self.local.asked.values().any(is_asked);
                if next < STEPS && !is_made {
                    self.ask_local(Question::Make(next), None);
                }
            }
            // Whoever deletes a queue makes it again.
            (Question::Drop(queue), _) => drop(self.ask_local(Question::Make(queue), None)),
            (Question::Make(step), Err(fault)) => return Err(format!("step {step} is refused: {}", fault.code)),
            (Question::Receive { queue, .. }, Ok(output)) => {
                let messages = output.output.get("Messages").and_then(Json::as_array).cloned();
                for message in messages.iter().flat_map(|messages| messages.iter()) {
                    self.work_on(queue, message);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The process ends, and with it every question on its way. They are asked again by those who know no better.
    pub(crate) fn lose_local(&mut self) -> Vec<Asked> {
        self.local.unheard.clear();
        std::mem::take(&mut self.local.asked).into_values().filter(|asked| asked.task.is_none()).collect()
    }

    pub(crate) fn ask_local_again(&mut self, asked: Vec<Asked>) {
        for Asked { question, .. } in asked {
            if matches!(question, Question::Make(_)) || self.random.percent(50) {
                self.tally.repeated_calls += 1;
                self.ask_local(question, None);
            }
        }
    }

    /// Everything behind the last frames never was.
    pub(crate) fn recover_local(&mut self) -> Result<(), String> {
        let (first, tail) = (self.shell().kept, self.shell().kept_local);
        self.local.recover(first, tail)?;
        self.check_local()
    }

    /// What services want kept of their own opening.
    pub(crate) fn begin_local(&mut self) -> Result<(), String> {
        let rows = std::mem::take(&mut self.shell().first_rows);
        self.note_local_rows(&rows);
        match self.shell().deliver_local(ServicesOuts { rows, ..ServicesOuts::default() }) {
            Some(leaving) => self.let_go(leaving),
            None => Ok(()),
        }
    }

    /// I6: other services over the same rows answer the same, whatever they are asked, down to the last message.
    pub(crate) fn check_local(&mut self) -> Result<(), String> {
        if !self.local.is_used || !self.shell().is_even() {
            return Ok(());
        }
        let index = self.shell().store.index();
        let (mut other, _) = Services::open(&settings(), &*index).map_err(|fault| format!("I6: {fault}"))?;
        let mut queues = self.local.queues.clone();
        queues.take(&Input::Opened, 0);
        let now = self.shell().now();
        for queue in 0..QUEUES.len() {
            // The dead letters of one go to another that was looked at before.
            for round in 0..=queues.len() * 2 + 1 {
                let question = match round {
                    0 => Question::Count(queue),
                    _ => Question::Receive { queue, most: 10, wait: 0, hidden: Some(3_600) },
                };
                let at = Moment { now, entropy: self.random.draw() };
                let outs = other.call(Asker::Client, &questions::place(), &question.call(), 1, at);
                let input = Input::Asked(1, question);
                let expected = queues.take(&input, now.0);
                queues
                    .compare(&expected, &outs.replies, now.0)
                    .map_err(|what| format!("{what} (by services that were opened beside: {input:?})"))?;
                let is_over = matches!(&expected[..], [(_, queues::Expected::Received(_, none))] if none.is_empty());
                if is_over || !queues.has(queue) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// I14: what is left in queues is received in the end, every message of it.
    pub(crate) fn drain_local(&mut self) -> Result<(), String> {
        if !self.local.is_used {
            return Ok(());
        }
        for _ in 0..1_000 {
            let before = self.local.queues.len();
            self.collect(0..QUEUES.len());
            self.deliver_all()?;
            match self.local.queues.len() {
                0 => {
                    for queue in 0..QUEUES.len() {
                        self.ask_local(Question::Count(queue), None);
                    }
                    return self.deliver_all();
                }
                left if left == before => {
                    let now = self.shell().now().0;
                    let next = self.local.queues.next_visible(now);
                    self.wall = self.wall.max(next.unwrap_or(i64::MIN));
                    self.tick()?;
                }
                _ => {}
            }
        }
        Err(format!("I14: {} messages are never received", self.local.queues.len()))
    }

    /// Everything on its way arrives, and what comes of it.
    fn deliver_all(&mut self) -> Result<(), String> {
        self.flush()?;
        while !self.mail.is_empty() {
            let mail = self.mail.remove(0);
            self.take_mail(mail)?;
            self.flush()?;
        }
        Ok(())
    }

    /// Workers ask for the tokens there are.
    pub(crate) fn collect_tokens(&mut self) -> bool {
        self.collect(WORK..WORK + 1)
    }

    /// Asks for what may be received now. `false` when there is nothing.
    fn collect(&mut self, queues: std::ops::Range<usize>) -> bool {
        let now = self.shell().now().0;
        let mut has_asked = false;
        for queue in queues {
            let is_asked =
                |asked: &Asked| matches!(asked.question, Question::Receive { queue: of, wait: 0, .. } if of == queue);
            if self.local.queues.has(queue)
                && self.local.queues.has_due(queue, now)
                && !self.local.asked.values().any(is_asked)
            {
                self.ask_local(Question::Receive { queue, most: 10, wait: 0, hidden: None }, None);
                has_asked = true;
            }
        }
        has_asked
    }
}

impl Local {
    pub(crate) fn new(is_used: bool) -> Local {
        Local { is_used, ..Local::default() }
    }

    /// Lets an input happen to the model, and holds the answers against it.
    fn take(&mut self, input: &Input, now: i64, answers: &[(u64, AwsAnswer)]) -> Result<(), String> {
        let expected = self.queues.take(input, now);
        self.queues.compare(&expected, answers, now)
    }

    /// Roughly what there is of each kind.
    pub(crate) fn state(&self) -> String {
        format!("{:?} {} ", self.queues.lengths().map(|count| count.min(3)), self.asked.len().min(3))
    }

    /// A caller of an open question is gone.
    fn note_gone(&mut self, id: u64) {
        let input = Input::Gone(id);
        self.queues.take(&input, 0);
        self.note(input, 0, Vec::new());
    }

    /// Notes an input whose frame, if it has one, is the last that was given.
    fn note(&mut self, input: Input, at: i64, answers: Vec<(u64, AwsAnswer)>) {
        let frame = self.mirror.last();
        self.entries.push(Entry { frame, is_heard: false, at, input, answers });
    }

    fn recover(&mut self, first: u64, tail: u64) -> Result<(), String> {
        self.mirror.recover(tail)?;
        // I5, I13: what is lost was the last of all that was written, in whichever shard.
        let kept = usize::try_from(tail).unwrap_or(usize::MAX);
        let before = kept.checked_sub(1).and_then(|last| self.behind.get(last)).copied();
        let after = self.behind.get(kept).copied();
        if before.is_some_and(|before| before > first) || after.is_some_and(|after| after < first) {
            return Err(format!(
                "I13: {first} and {tail} frames of the two shards are kept, which never were all there was"
            ));
        }
        self.behind.truncate(kept);
        let lost = self.entries.iter().position(|entry| entry.frame > tail).unwrap_or(self.entries.len());
        if let Some(entry) = self.entries.drain(lost..).find(|entry| entry.is_heard) {
            return Err(format!("I1: an answer is lost: frame {} of {tail} of local services: {entry:?}", entry.frame));
        }
        self.queues = Queues::default();
        for entry in std::mem::take(&mut self.entries) {
            self.take(&entry.input, entry.at, &entry.answers)
                .map_err(|what| format!("the same questions lead elsewhere: {what}"))?;
            self.entries.push(entry);
        }
        self.queues.take(&Input::Opened, 0);
        self.note(Input::Opened, 0, Vec::new());
        Ok(())
    }
}
