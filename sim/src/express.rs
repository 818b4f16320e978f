//! Express executions (I22): asked for and waited for, they run once at most, are answered once at most, and nothing of them is kept; asked
//! for alone, they run once at least. A name is nobody's own.
//!
//! Of one that is waited for, its caller's answer is all there is to see; of the others nothing is shown, so that their frames are read.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_api::{NewFrame, ServiceTask};
use stepwell_engine::ExecutionId;
use stepwell_json::Json;
use stepwell_sim_disk::Random;
use stepwell_spec::Text;
use stepwell_spec::shapes::{StartSyncExecutionOutput, SyncExecutionStatus};

use crate::calls::Ask;
use crate::history;
use crate::machines::{ACCOUNT, Kind, REGION};
use crate::poison::is_poison;
use crate::world::World;

/// What stands in the input of one that is waited for, and in nothing that is kept.
const UNKEPT: &str = "kept-by-nobody";

/// How long an Express execution may run, and how long its task.
const LIFE_MS: i64 = 300_000;
const TASK_MS: i64 = 20_000;

/// Seconds that the execution waits behind its task: the last are more than it has.
const WAITS: [u64; 5] = [1, 2, 5, 30, 400];

/// What is known of Express executions.
#[derive(Debug, Default)]
pub(crate) struct Express {
    /// Services so far: none outlives its process, nor a panic.
    life: u64,
    /// The service in which a task of one that is waited for was asked for, by its ARN.
    lives: BTreeMap<Text, u64>,
    /// The engine's names of those in this service that are waited for.
    unkept: BTreeSet<ExecutionId>,
    /// The engine's names of the others.
    ids: BTreeMap<Text, u64>,
    /// Those whose end was answered.
    answered: BTreeSet<Text>,
}

impl Express {
    /// The service is another: all that were waited for are gone.
    pub(crate) fn lose(&mut self) {
        self.life += 1;
        self.unkept.clear();
    }

    /// A task was asked for.
    pub(crate) fn note_task(&mut self, task: &ServiceTask) -> Result<(), String> {
        if task.request.input.get("keep").is_none() {
            return Ok(());
        }
        self.unkept.insert(task.execution);
        let arn = &task.identity.arn;
        match *self.lives.entry(arn.clone()).or_insert(self.life) == self.life {
            true => Ok(()),
            false => Err(format!("I22: {arn} runs on in another process")),
        }
    }

    /// The engine's name of one that is kept, out of the row that its start wrote.
    pub(crate) fn note_id(&mut self, arn: &Text, value: Option<&[u8]>) {
        let id = value.and_then(|value| value.first_chunk()).map(|id| u64::from_be_bytes(*id));
        self.ids.extend(id.map(|id| (arn.clone(), id)));
    }

    /// Whether this is one that is waited for.
    pub(crate) fn is_unkept(&self, id: ExecutionId) -> bool {
        self.unkept.contains(&id)
    }

    /// I22: nothing is kept of one that is waited for.
    pub(crate) fn check_frame(&self, frame: &NewFrame) -> Result<(), String> {
        if let Some(id) = frame.executions.iter().find(|id| self.is_unkept(ExecutionId(**id))) {
            return Err(format!("I22: execution {id} is waited for, and kept"));
        }
        let values = frame.rows.iter().filter_map(|row| row.value.as_deref());
        let mut kept = std::iter::once(&*frame.payload).chain(values);
        match kept.any(|bytes| bytes.windows(UNKEPT.len()).any(|some| some == UNKEPT.as_bytes())) {
            true => Err("I22: the input of an execution that is waited for is kept".to_owned()),
            false => Ok(()),
        }
    }
}

/// How one ended.
#[derive(Debug, Default)]
struct Ending {
    status: &'static str,
    output: Option<Json>,
    error: Option<Text>,
    cause: Option<Text>,
    took_ms: i64,
}

/// What an execution that breaks fails with.
const BROKEN: (&str, &str) = ("Broken", "It was asked to.");

/// The states of an Express machine that counts down, and breaks if it is asked to.
pub(crate) fn states() -> String {
    let (error, cause) = BROKEN;
    format!(
        r#""Count":{{"Type":"Pass","Parameters":{{"n.$":"States.MathAdd($.n, -1)","break.$":"$.break"}},"Next":"More"}},
        "More":{{"Type":"Choice","Choices":[{{"Variable":"$.n","NumericGreaterThan":0,"Next":"Count"}},
        {{"Variable":"$.break","BooleanEquals":true,"Next":"Break"}}],"Default":"Done"}},
        "Break":{{"Type":"Fail","Error":"{error}","Cause":"{cause}"}},
        "Done":{{"Type":"Pass","Parameters":{{"n.$":"$.n"}},"End":true}}"#
    )
}

/// The states of an Express machine with a task.
pub(crate) fn task_states(task: &str, catch: &str, caught: &str) -> String {
    format!(
        r#""Work":{{{task},"TimeoutSeconds":20,{catch},"Next":"Rest"}},"Rest":{{"Type":"Wait","SecondsPath":"$.wait","End":true}},{caught}"#
    )
}

/// An input for one of these machines.
pub(crate) fn input(kind: Kind, random: &mut Random) -> Json {
    match kind {
        Kind::ExpressTask => Json::object([
            ("fail", Json::from([0, 0, 0, 1, 2, 9][random.below(6)])),
            ("wait", Json::from(WAITS[random.below(WAITS.len())])),
        ]),
        _ => Json::object([("n", Json::from(random.between(1, 12))), ("break", Json::Bool(random.once_in(3)))]),
    }
}

/// The same, for one that is waited for.
fn unkept(input: &Json, number: u64) -> Json {
    let members = input.as_object().into_iter().flat_map(|members| members.iter());
    let keep = (Text::from("keep"), Json::from(format!("{UNKEPT}-{number}")));
    Json::object(members.map(|(name, value)| (name.clone(), value.clone())).chain([keep]))
}

/// Whether a name is one that Express executions are given here.
pub(crate) fn is_its_name(name: &str) -> bool {
    name.rsplit('-').next().is_some_and(|last| last.starts_with('x'))
}

/// Whether an execution with this input may end so.
fn may_end(kind: Kind, input: &Json, ending: &Ending) -> bool {
    let Ending { status, output, error, cause, took_ms } = ending;
    let number = |key: &str| input.get(key).and_then(Json::as_i64).unwrap_or(0);
    let caught = output.as_ref().and_then(|output| output.get("caught")?.as_str());
    let (wait_ms, fails) = (number("wait") * 1_000, number("fail") > 2);
    let breaks = input.get("break") == Some(&Json::Bool(true));
    match (kind, *status, caught) {
        (Kind::ExpressTask, "TIMED_OUT", _) => *took_ms >= LIFE_MS,
        (Kind::ExpressTask, "SUCCEEDED", Some("Again")) => fails,
        (Kind::ExpressTask, "SUCCEEDED", Some("States.Timeout")) => *took_ms >= TASK_MS,
        (Kind::ExpressTask, "SUCCEEDED", _) => {
            output.as_ref() == Some(input) && !fails && *took_ms >= wait_ms && wait_ms < LIFE_MS
        }
        (Kind::Express, "SUCCEEDED", _) => !breaks && *output == Some(Json::object([("n", Json::from(0))])),
        (Kind::Express, "FAILED", _) => {
            breaks && (error.as_deref(), cause.as_deref()) == (Some(BROKEN.0), Some(BROKEN.1))
        }
        _ => false,
    }
}

impl World {
    /// Somebody starts an Express execution, and waits for it or does not; sometimes twice under one name.
    pub(crate) fn start_express(&mut self, kind: Kind) {
        self.names += 1;
        let is_poison = kind == Kind::ExpressTask && self.random.percent(self.knobs.poison_percent);
        let name = match (is_poison, self.random.once_in(2)) {
            (true, true) => format!("poison-timer-x{}", self.names),
            (true, false) => format!("poison-answer-x{}", self.names),
            (false, _) => format!("x{}", self.names),
        };
        let times = 1 + u64::from(self.random.percent(self.knobs.race_percent));
        self.tally.repeated_calls += times - 1;
        for _ in 0..times {
            let input = input(kind, &mut self.random);
            let is_waited_for = self.random.once_in(2);
            self.marks += 1;
            let input = if is_waited_for { unkept(&input, self.marks) } else { input };
            let (name, text) = (name.clone(), input.to_string().into());
            self.ask(match is_waited_for {
                true => Ask::StartSync { kind, name, input, text },
                false => Ask::Start { kind, name, input, text },
            });
        }
    }

    /// I22: an answer says what the machine may come to, once.
    pub(crate) fn check_sync_answer(
        &mut self,
        (kind, name, input, text): (Kind, &str, &Json, &Text),
        output: &StartSyncExecutionOutput,
    ) -> Result<(), String> {
        let arn = &output.execution_arn;
        let beginning = format!("arn:aws:states:{REGION}:{ACCOUNT}:express:{}:{name}:", kind.name());
        if !arn.starts_with(&beginning) || !self.express.answered.insert(arn.clone()) {
            return Err(format!("I22: {arn} was answered before, or is not {name}'s"));
        }
        if output.input.as_ref() != Some(text) || output.name.as_deref() != Some(name) {
            return Err(format!("I22: {arn} has {:?} for its input", output.input));
        }
        let status = match output.status {
            SyncExecutionStatus::Succeeded => "SUCCEEDED",
            SyncExecutionStatus::Failed => "FAILED",
            SyncExecutionStatus::TimedOut => "TIMED_OUT",
        };
        let ending = Ending {
            status,
            output: output.output.as_deref().and_then(|text| Json::parse(text).ok()),
            error: output.error.clone(),
            cause: output.cause.clone(),
            took_ms: output.stop_date.0 - output.start_date.0,
        };
        let is_done = |((of, _), given): (&(Text, u64), &(bool, bool))| of == arn && given.0;
        let has_done = ending.output.as_ref() != Some(input) || self.answers.iter().any(is_done);
        if !may_end(kind, input, &ending) || !has_done {
            return Err(format!("I22: {arn} with {text} ended as {ending:?}"));
        }
        self.tally.sync_answers += 1;
        Ok(())
    }

    /// Every Express execution that is kept. I22, I14: in the end all of them have run.
    pub(crate) fn check_express(&mut self) -> Result<(), String> {
        let all: Vec<(Text, (Kind, Json))> =
            self.ledger.express.iter().map(|(arn, known)| (arn.clone(), known.clone())).collect();
        for (arn, (kind, input)) in all {
            let events = match self.express.ids.get(&arn) {
                Some(&id) => self.mirror.events_of(id)?,
                None => return Err(format!("I22: {arn} began and nothing of it is kept")),
            };
            self.read_prefix(&arn, &events)?;
            let (first, last) = match (events.first(), events.last()) {
                (Some(first), Some(last)) => (first, last),
                _ => return Err(format!("I22: {arn} began and nothing happened to it")),
            };
            let status = match &*last.kind {
                "ExecutionSucceeded" => "SUCCEEDED",
                "ExecutionTimedOut" => "TIMED_OUT",
                "ExecutionFailed" => "FAILED",
                _ => "RUNNING",
            };
            history::check(&events, kind, status).map_err(|what| format!("{what} ({arn})"))?;
            self.check_outcomes(&arn, &events)?;
            if is_poison(&arn) || status == "RUNNING" && !self.calm {
                continue;
            }
            let detail = |details: &str, key: &str| last.detail(details, key).and_then(Json::as_str);
            let output = detail("executionSucceededEventDetails", "output");
            let ending = Ending {
                status,
                output: output.and_then(|text| Json::parse(text).ok()),
                error: detail("executionFailedEventDetails", "error").map(Text::from),
                cause: detail("executionFailedEventDetails", "cause").map(Text::from),
                took_ms: last.at_ms - first.at_ms,
            };
            if !may_end(kind, &input, &ending) {
                return Err(format!("I22: {arn} with {input} is behind {} as {ending:?}", last.kind));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_says_how_its_execution_may_end() {
        let json = |text: &str| Json::parse(text).expect("JSON");
        let check = |input: &str, status: &'static str, output: &str, took_ms: i64| {
            let ending = Ending { status, output: Json::parse(output).ok(), took_ms, ..Ending::default() };
            may_end(Kind::ExpressTask, &json(input), &ending)
        };
        assert!(check(r#"{"fail":0,"wait":2}"#, "SUCCEEDED", r#"{"fail":0,"wait":2}"#, 2_000));
        assert!(!check(r#"{"fail":0,"wait":2}"#, "SUCCEEDED", r#"{"fail":0,"wait":2}"#, 1_999));
        assert!(!check(r#"{"fail":9,"wait":2}"#, "SUCCEEDED", r#"{"fail":9,"wait":2}"#, 9_000));
        assert!(check(r#"{"fail":9,"wait":2}"#, "SUCCEEDED", r#"{"caught":"Again"}"#, 6_000));
        assert!(!check(r#"{"fail":0,"wait":2}"#, "SUCCEEDED", r#"{"caught":"States.Timeout"}"#, 19_999));
        assert!(check(r#"{"fail":0,"wait":400}"#, "TIMED_OUT", "", 300_000));
        assert!(!check(r#"{"fail":0,"wait":400}"#, "TIMED_OUT", "", 299_999));
        assert!(!check(r#"{"fail":0,"wait":2}"#, "FAILED", "", 300_000));
        assert!(is_its_name("x7") && is_its_name("poison-timer-x7") && !is_its_name("poison-timer-7"));
    }
}
