//! Executions that panic, by their names, and what must hold then (I24): nobody else changes, and after three panics each is left alone,
//! whatever becomes of the process; it is shown as that and can be stopped.
//!
//! What a panic leads to is decided where the server decides it ([`Ward`](stepwell_api::Ward)). This does around it what the server's
//! thread does (`crates/server/src/shard/reopening.rs`): what was given to the writer is made durable, the service is opened again, and
//! those who waited are told.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use stepwell_api::{Laid, Outs, Service, said, told_after_panic};
use stepwell_interpreter::Moment;
use stepwell_spec::Text;
use stepwell_spec::shapes::{DescribeExecutionOutput, ExecutionStatus};

use crate::calls::Ask;
use crate::express;
use crate::machines::Kind;
use crate::world::{Mail, World};

/// Where in their lives executions panic, as `crates/engine/src/poison.rs` has it.
const PLACES: [&str; 4] = ["timer", "answer", "start", "load"];
const PLACES_OF_NESTED: [&str; 2] = ["timer", "load"];

/// Panics until an execution is left alone, and until its log is not even read any more.
const STRIKES: u32 = 3;
const READS: u32 = 6;

/// Stops that are tried of one execution before it counts as one that cannot be stopped.
const STOPS: u32 = 8;

/// What is known of executions that panic.
#[derive(Debug, Default)]
pub(crate) struct Poison {
    /// Panics of each in this process, by name.
    strikes: BTreeMap<String, u32>,
    /// Those that are left alone, and the frame that says so.
    left_alone: BTreeMap<String, u64>,
    /// Panics of starts, by the machine as it is now.
    starts: BTreeMap<Kind, u32>,
    /// Machines of which starts have been refused in this process.
    refused: BTreeSet<Kind>,
    /// How often each was stopped in the end.
    stops: BTreeMap<Text, u32>,
    /// Whether anything has panicked so far.
    is_met: bool,
}

impl Poison {
    /// A process begins over what is durable up to this frame.
    pub(crate) fn recover(&mut self, tail: u64) {
        self.strikes.clear();
        self.starts.clear();
        self.refused.clear();
        self.left_alone.retain(|_, frame| *frame <= tail);
    }

    /// Something is asked for that an execution may be left alone no more after.
    pub(crate) fn hear(&mut self, ask: &Ask) {
        match ask {
            Ask::Stop(arn) => {
                self.left_alone.remove(name_of(arn));
                self.strikes.remove(name_of(arn));
            }
            Ask::Create(kind) | Ask::Update(kind, _) | Ask::Delete(kind) => drop(self.starts.remove(kind)),
            _ => {}
        }
    }

    /// Whether a call may be answered with `InternalFailure` although nothing is wrong with the disk.
    pub(crate) fn excuses(&self, ask: &Ask) -> bool {
        match ask {
            Ask::Start { kind, name, .. } | Ask::StartSync { kind, name, .. } => {
                // Whether it is the same start again is to be read of the one before.
                self.refused.contains(kind) || name.starts_with("poison-load")
            }
            Ask::Stop(arn)
            | Ask::Describe(arn)
            | Ask::MapRuns(arn)
            | Ask::History { arn, .. }
            | Ask::Redrive { arn, .. } => is_poison(arn),
            // Nobody knows here whose they are.
            Ask::DescribeMapRun(_) | Ask::Complete { .. } | Ask::Beat { .. } => self.is_met,
            _ => false,
        }
    }

    /// One more panic of an execution. Answers whether it is left alone from now on.
    fn strike(&mut self, name: &str) -> Result<bool, String> {
        let is_read = name.starts_with("poison-load");
        if self.left_alone.contains_key(name) && !is_read {
            return Err(format!("I24: {name} is left alone, and panics"));
        }
        let strikes = self.strikes.entry(name.to_owned()).or_default();
        *strikes += 1;
        match *strikes > READS {
            true => Err(format!("I24: {name} panics for the {strikes}. time")),
            false => Ok(*strikes >= STRIKES),
        }
    }

    /// One more panic of a start.
    fn strike_start(&mut self, kind: Kind) -> Result<(), String> {
        let strikes = self.starts.entry(kind).or_default();
        *strikes += 1;
        if *strikes > STRIKES {
            return Err(format!("I24: a start of {} panics for the {strikes}. time", kind.name()));
        }
        if *strikes == STRIKES {
            self.refused.insert(kind);
        }
        Ok(())
    }
}

/// The name at the end of an execution's ARN.
fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// Who says so of itself. A panic that nobody planted is a fault.
fn name_in(because: &str) -> Result<&str, String> {
    because.strip_suffix(" is poison").ok_or_else(|| format!("I24: panic: {because}"))
}

/// Whether an execution panics now or then.
pub(crate) fn is_poison(arn: &str) -> bool {
    arn.contains(":poison-")
}

/// Whether an execution panics when it is read, so that nothing is certain of what is shown of it.
pub(crate) fn is_unreadable(arn: &str) -> bool {
    arn.contains(":poison-load")
}

impl World {
    /// A name for an execution: of one that panics, now and then. Where few are started none does.
    pub(crate) fn draw_name(&mut self, kind: Kind) -> String {
        self.names += 1;
        let number = self.names;
        let is_poison = kind.executions_max() == usize::MAX && self.random.percent(self.knobs.poison_percent);
        if !is_poison {
            return format!("e{number}");
        }
        // Whoever starts a machine whose starts are refused fails, and is to be left out of it.
        let places = if kind == Kind::Wait { &PLACES_OF_NESTED[..] } else { &PLACES[..] };
        format!("poison-{}-{number}", places[self.random.below(places.len())])
    }

    /// The service takes an input, and what came of it is delivered. `false` when the service, or the process, is another afterwards.
    pub(crate) fn take_in(
        &mut self,
        call: Option<u64>,
        input: impl FnOnce(&mut Service, Moment) -> Outs,
    ) -> Result<bool, String> {
        let at = self.moment();
        let service = &mut self.shell().service;
        match catch_unwind(AssertUnwindSafe(|| input(service, at))) {
            Ok(outs) => self.settle(outs, call),
            Err(panic) => self.panicked(&said(&*panic), call).map(|()| false),
        }
    }

    fn panicked(&mut self, because: &str, call: Option<u64>) -> Result<(), String> {
        self.trace.say(format!("panic: {because}"));
        let name = name_in(because)?;
        let ask = call.and_then(|id| self.asked.get(&id)).cloned();
        // What was given to the writer counts, and only that.
        let crashes = self.tally.crashes;
        self.flush()?;
        if self.tally.crashes > crashes {
            return Ok(());
        }
        let (outs, laid, arn) = match self.shell().reopen(because, call.is_some()) {
            Ok(reopened) => reopened,
            Err(fault) if self.is_disturbed() => return self.crash(&fault),
            Err(fault) => return Err(format!("I24: {fault}")),
        };
        if let Some(arn) = arn.filter(|arn| arn.split(':').all(|part| part != name)) {
            return Err(format!("I24: {arn} is to blame, and {because}"));
        }
        self.tally.service_reopenings += 1;
        let is_left_alone = self.note_panic(name, laid, ask.as_ref())?;
        self.express.lose();
        self.tell_the_waiting(call)?;
        self.answer_late();
        self.take_opening_panics()?;
        if self.settle(outs, None)? && is_left_alone {
            self.poison.left_alone.insert(name.to_owned(), self.mirror.last());
        }
        Ok(())
    }

    /// Notes a panic, and whom it was laid to. Answers whether that one is left alone now.
    fn note_panic(&mut self, name: &str, laid: Laid, ask: Option<&Ask>) -> Result<bool, String> {
        self.tally.panics += 1;
        self.poison.is_met = true;
        match (laid, ask) {
            // Nothing is shown of it.
            (Laid::To { .. }, _) if express::is_its_name(name) => Ok(false),
            (Laid::To { .. }, _) => self.poison.strike(name),
            (Laid::ToStart { .. }, Some(Ask::Start { kind, .. })) => self.poison.strike_start(*kind).map(|()| false),
            (Laid::ToTheGone(_), _) if express::is_its_name(name) => Ok(false),
            (Laid::ToStart { .. } | Laid::ToTheGone(_) | Laid::ToNobody, _) => {
                Err(format!("I24: {name} panics, and {laid}"))
            }
        }
    }

    /// Panics that met an opening have been laid to somebody by then.
    pub(crate) fn take_opening_panics(&mut self) -> Result<(), String> {
        for (because, laid) in std::mem::take(&mut self.shell().panics) {
            self.trace.say(format!("panic while opening: {because}"));
            let laid = laid.ok_or_else(|| "I24: a panic is laid to nobody, and the service is opened".to_owned())?;
            self.note_panic(name_in(&because)?, laid, None)?;
        }
        Ok(())
    }

    /// Everybody whose call went with the service.
    fn tell_the_waiting(&mut self, at_hand: Option<u64>) -> Result<(), String> {
        let is_on_its_way = |id: &u64| self.mail.iter().any(|mail| matches!(mail, Mail::Call(of) if of == id));
        let waiting: Vec<u64> = self.asked.keys().copied().filter(|id| !is_on_its_way(id)).collect();
        for id in waiting {
            let Some(ask) = self.asked.remove(&id) else { continue };
            let answer = told_after_panic(ask.request().action(), at_hand == Some(id));
            let repeats = answer.is_err() && self.random.percent(50);
            self.heard(ask.clone(), answer)?;
            if repeats {
                self.tally.repeated_calls += 1;
                self.ask(ask);
            }
        }
        Ok(())
    }

    /// What does tasks goes on, whatever became of the service; it is asked for all of them again.
    fn answer_late(&mut self) {
        for place in 0..self.outside.len() {
            if self.random.percent(50) {
                self.tally.duplicates += 1;
                self.answer(place);
            }
        }
        self.outside.clear();
        self.move_objects_late();
    }

    /// I24: nobody is shown as left alone but who panics, and while it runs.
    pub(crate) fn check_left_alone(&self, arn: &str, described: &DescribeExecutionOutput) -> Result<bool, String> {
        let is_left_alone = described.error.as_deref() == Some("Stepwell.Quarantined");
        match is_left_alone && (!is_poison(arn) || described.status != ExecutionStatus::Running) {
            true => Err(format!("I24: {arn} is {} and shown as left alone", described.status.text())),
            false => Ok(is_left_alone),
        }
    }

    /// Nothing moves any more. I24: what still runs is left alone, shown as that, and can be stopped. Answers whether something was asked.
    pub(crate) fn stop_what_is_left_alone(&mut self, running: &[Text]) -> Result<bool, String> {
        let mut asked = false;
        for arn in running.iter().filter(|arn| is_poison(arn)) {
            let stops = self.poison.stops.entry(arn.clone()).or_default();
            *stops += 1;
            if *stops > STOPS {
                return Err(format!("I24: {arn} cannot be stopped"));
            }
            if !is_unreadable(arn) {
                let described = self.describe(arn)?;
                if !self.check_left_alone(arn, &described)? {
                    return Err(format!("I14: {arn} waits for nothing"));
                }
            }
            self.ask(Ask::Stop(arn.clone()));
            asked = true;
        }
        Ok(asked)
    }

    /// Whether an execution may run for ever: its log cannot be read, so that nothing stops it.
    pub(crate) fn is_beyond_help(&self, arn: &str) -> bool {
        is_unreadable(arn) && self.poison.stops.get(arn).is_some_and(|stops| *stops >= STOPS)
    }
}
