//! The walk: from state to state, through retries and Catchers, until a workflow ends.

use stepwell_json::Json;

use super::data::{Exit, Visit};
use super::faults::{Failure, Failures, NO_CHOICE_MATCHED, RUNTIME, Retrier, delay_ms};
use super::outcome::{Outcome, Range, Run, Tally};
use super::query_flow::{self, Also};
use super::thread::Thread;
use super::{choice, path_flow, timestamp};

/// Visits of states after which a run is given up.
const VISITS_MAX: u64 = 5_000;

/// How far two moments must be from each other before one is surely the first: tasks take time, and so does a crash.
pub(super) const MARGIN_MS: i64 = 15 * DAY_MS;

/// When every execution ends.
const YEAR_MS: i64 = 365 * DAY_MS;

const DAY_MS: i64 = 86_400_000;

/// Where a run could have gone more than one way, and which way it went.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    /// The way taken, and how many there were.
    taken: Vec<(usize, usize)>,
    /// How many of them are given.
    given: usize,
    /// How many have been asked for.
    asked: usize,
}

impl Decisions {
    /// One of so many ways.
    pub(super) fn choose(&mut self, ways: usize) -> usize {
        let at = self.asked;
        self.asked += 1;
        if at < self.given {
            return self.taken[at].0;
        }
        self.taken.push((0, ways));
        0
    }

    /// To the ways that were not taken yet. `false` when there are no others.
    pub(super) fn advance(&mut self) -> bool {
        self.asked = 0;
        while let Some((way, ways)) = self.taken.pop() {
            if way + 1 < ways {
                self.taken.push((way + 1, ways));
                self.given = self.taken.len();
                return true;
            }
        }
        false
    }
}

/// One run of one definition.
pub(super) struct Machine<'a> {
    definition: &'a Json,
    pub(super) decisions: Decisions,
    pub(super) tally: Tally,
    visits: u64,
}

impl<'a> Machine<'a> {
    pub(super) fn new(definition: &'a Json, decisions: Decisions) -> Machine<'a> {
        Machine { definition, decisions, tally: Tally::default(), visits: 0 }
    }

    /// Runs once. There are two ends where it ends at about the time of its timeout. Says whether it stayed within bounds.
    pub(super) fn execute(&mut self, input: &Json) -> (Vec<Run>, bool) {
        let mut thread = Thread::of_execution(input, 0);
        let outcome = match self.workflow(self.definition, input.clone(), &mut thread) {
            Ok(output) => Outcome::Succeeded(output),
            Err(failure) => failure.into_outcome(),
        };
        let limit_ms =
            self.definition.get("TimeoutSeconds").and_then(Json::as_i64).map_or(YEAR_MS, |limit| limit * 1_000);
        let limit_ms = limit_ms.min(YEAR_MS);
        let elapsed_ms = thread.now_ms;
        let mut runs = Vec::new();
        if elapsed_ms < limit_ms + MARGIN_MS {
            runs.push(Run { outcome, tally: self.tally.clone(), elapsed_ms });
        }
        if elapsed_ms > limit_ms - MARGIN_MS {
            let tally = std::mem::take(&mut self.tally).at_most();
            runs.push(Run { outcome: Outcome::TimedOut, tally, elapsed_ms: limit_ms });
        }
        (runs, self.visits <= VISITS_MAX)
    }

    /// Runs a workflow: the machine's own, a branch, an iteration.
    pub(super) fn workflow(&mut self, workflow: &Json, input: Json, thread: &mut Thread) -> Result<Json, Failure> {
        let text = |of: &'_ Json, name: &str| of.get(name).and_then(Json::as_str).map(str::to_owned);
        let mut name = text(workflow, "StartAt").expect("a workflow starts somewhere");
        let mut data = input;
        loop {
            self.visits += 1;
            if self.visits > VISITS_MAX {
                return Err(Failure::of_executor(RUNTIME));
            }
            let state = workflow.get("States").and_then(|states| states.get(&name)).expect("a state of the workflow");
            count(&mut self.tally.visits, &name);
            let (output, next) = self.state(&name, state, &data, thread)?;
            data = output;
            match next {
                Some(next) => name = next,
                None => return Ok(data),
            }
        }
    }

    /// Enters a state, tries it as often as its Retriers want, and leaves it: its output, and where to go.
    fn state(
        &mut self,
        name: &str,
        state: &Json,
        input: &Json,
        thread: &mut Thread,
    ) -> Result<(Json, Option<String>), Failure> {
        let language = state.get("QueryLanguage").or_else(|| self.definition.get("QueryLanguage"));
        let is_jsonata = language.and_then(Json::as_str) == Some("JSONata");
        let none = Json::array(Vec::new());
        let retriers = state.get("Retry").unwrap_or(&none).as_array().expect("Retry is a list");
        let catchers = state.get("Catch").unwrap_or(&none).as_array().expect("Catch is a list");
        let mut retried = vec![0; retriers.len()];
        loop {
            let visit = Visit { name, state, input, retry_count: retried.iter().sum(), is_jsonata };
            let failure = match self.attempt(&visit, thread) {
                Ok((exit, next)) => {
                    thread.assign(exit.assigned);
                    return Ok((exit.output, next.map(str::to_owned)));
                }
                Err(failures) => self.one_of(failures),
            };
            if let Some(place) = retriers.iter().position(|retrier| failure.is_in(retrier)) {
                let retrier = Retrier::of(&retriers[place]);
                if retried[place] < retrier.max_attempts {
                    retried[place] += 1;
                    thread.now_ms += delay_ms(&retrier, retried[place]);
                    continue;
                }
            }
            let Some(catcher) = catchers.iter().find(|catcher| failure.is_in(catcher)) else { return Err(failure) };
            let exit = visit.leave_caught(catcher, &failure, thread).map_err(|failures| self.one_of(failures))?;
            thread.assign(exit.assigned);
            let next = catcher.get("Next").and_then(Json::as_str).expect("a Catcher leads somewhere");
            return Ok((exit.output, Some(next.to_owned())));
        }
    }

    /// The failure that is told.
    fn one_of(&mut self, failures: Failures) -> Failure {
        let Failures(mut failures) = failures;
        let way = if failures.len() > 1 { self.decisions.choose(failures.len()) } else { 0 };
        failures.swap_remove(way)
    }

    /// One attempt: what the state is left with and where it leads, or its failure.
    fn attempt<'s>(&mut self, visit: &Visit<'s>, thread: &mut Thread) -> Result<(Exit, Option<&'s str>), Failures> {
        let next = visit.text("Next");
        let exit = match visit.text("Type").expect("a state has a type") {
            "Pass" => pass(visit, thread)?,
            "Succeed" => return Ok((visit.leave(thread)?, None)),
            "Fail" => return Err(fail(visit, thread)?.into()),
            "Choice" => return choose(visit, thread),
            "Wait" => {
                let until_ms = wait_end_ms(visit, thread)?;
                thread.now_ms = thread.now_ms.max(until_ms);
                visit.leave(thread)?
            }
            "Task" => {
                let result = self.task(visit, thread)?;
                visit.leave_with(result, thread)?
            }
            "Parallel" => {
                let results = self.parallel(visit, thread)?;
                visit.leave_with(results, thread)?
            }
            "Map" => {
                let results = self.map(visit, thread)?;
                visit.leave_with(results, thread)?
            }
            unknown => panic!("no type of states: {unknown}"),
        };
        Ok((exit, next))
    }
}

/// Counts one more.
pub(super) fn count(counts: &mut std::collections::BTreeMap<String, Range>, name: &str) {
    let range = counts.entry(name.to_owned()).or_default();
    range.min += 1;
    range.max += 1;
}

fn pass(visit: &Visit<'_>, thread: &Thread) -> Result<Exit, Failures> {
    if visit.is_jsonata {
        return visit.leave(thread);
    }
    let argument = visit.argument(thread)?;
    visit.leave_with(visit.field("Result").cloned().unwrap_or(argument), thread)
}

/// The failure a Fail state is for, or the one it comes to.
fn fail(visit: &Visit<'_>, thread: &Thread) -> Result<Failure, Failure> {
    let text = |name: &str| -> Result<Option<String>, Failure> {
        let value = match (visit.field(name), visit.text(&format!("{name}Path"))) {
            (Some(value), _) if visit.is_jsonata => query_flow::value(value, visit, thread, Also::Nothing)?,
            (Some(value), _) => value.clone(),
            (None, Some(path)) => path_flow::expression(path, visit, thread, visit.input)?,
            (None, None) => return Ok(None),
        };
        match value.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None if visit.is_jsonata => Err(query_flow::wrong()),
            None => Err(Failure::of_executor(RUNTIME)),
        }
    };
    Ok(Failure::told(text("Error")?, text("Cause")?))
}

fn choose<'s>(visit: &Visit<'s>, thread: &Thread) -> Result<(Exit, Option<&'s str>), Failures> {
    if let Some(rule) = choice::first_rule(visit, thread)? {
        let next = rule.get("Next").and_then(Json::as_str);
        return Ok((visit.leave_by(rule, thread)?, next));
    }
    match visit.text("Default") {
        Some(default) => Ok((visit.leave(thread)?, Some(default))),
        None => Err(Failure::of_executor(NO_CHOICE_MATCHED).into()),
    }
}

/// When a Wait state ends. Times before the start of all programs are over, all others are beyond every execution's end.
fn wait_end_ms(visit: &Visit<'_>, thread: &Thread) -> Result<i64, Failure> {
    let read = |field: &str| match (visit.field(field), visit.text(&format!("{field}Path"))) {
        (Some(value), _) if visit.is_jsonata => Ok(Some(query_flow::value(value, visit, thread, Also::Nothing)?)),
        (Some(value), _) => Ok(Some(value.clone())),
        (None, Some(path)) => {
            let effective = path_flow::effective_input(visit, thread)?;
            path_flow::read(path, visit, thread, &effective).map(Some)
        }
        (None, None) => Ok(None),
    };
    let wrong = || if visit.is_jsonata { query_flow::wrong() } else { Failure::of_executor(RUNTIME) };
    if let Some(seconds) = read("Seconds")? {
        let seconds = seconds.as_number().and_then(|number| number.as_integral());
        let seconds = seconds.filter(|seconds| (0..100_000_000).contains(seconds)).ok_or_else(wrong)?;
        return Ok(thread.now_ms + seconds * 1_000);
    }
    let time = read("Timestamp")?.expect("a Wait state waits for something");
    let time = time.as_str().and_then(timestamp::nanoseconds).ok_or_else(wrong)?;
    Ok(if time < PROGRAMS_START_NS { thread.now_ms } else { thread.now_ms + 2 * YEAR_MS })
}

/// No program is run before 2020.
const PROGRAMS_START_NS: i128 = 1_577_836_800 * 1_000_000_000;
