//! Answers for Task states from a mock configuration file, in the format of Step Functions Local.
//!
//! ```text
//! {"StateMachines": {"order": {"TestCases": {"HappyPath": {"Charge": "ChargeOnce"}}}},
//!  "MockedResponses": {"ChargeOnce": {"0": {"Throw": {"Error": "…", "Cause": "…"}}, "1-2": {"Return": {…}}}}}
//! ```
//!
//! A state's answer is picked by how often the state has asked before: `"0"` is the first time, `"1-2"` the second and
//! third.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use stepwell_asl::{Definition, Map, Pattern, ResourceKind, StateKind};
use stepwell_engine::{Answer, Dispatch, Transport};
use stepwell_json::{Json, Object};
use stepwell_spec::Text;

/// A mock configuration file.
#[derive(Clone, Debug)]
pub struct MockFile {
    /// What it is called, for messages.
    name: String,
    config: Json,
}

/// The answers of one test case, for one execution: they know how often each state has asked.
#[derive(Debug, Default)]
pub struct Mocks {
    /// Where they came from, for messages.
    origin: Option<Origin>,
    /// Answers by state name.
    responses: BTreeMap<String, Vec<Response>>,
    /// How often each state has asked.
    asked: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Origin {
    file: String,
    machine: String,
    case: String,
}

#[derive(Debug)]
struct Response {
    attempts: RangeInclusive<u64>,
    answer: MockedAnswer,
}

#[derive(Clone, Debug)]
enum MockedAnswer {
    Return(Json),
    Throw { error: Option<Text>, cause: Option<Text> },
}

impl MockFile {
    /// Reads the text of a file. `name` stands in messages.
    ///
    /// Refuses what is not JSON or has no state machines; the rest is judged when a test case is asked for.
    pub fn parse(name: &str, text: &str) -> Result<MockFile, String> {
        let config = Json::parse(text).map_err(|fault| format!("{name} is not JSON: {fault}"))?;
        object(&config, "StateMachines").map_err(|reason| format!("{name}: {reason}"))?;
        Ok(MockFile { name: name.to_owned(), config })
    }

    /// The answers of a test case of the state machine that has one of these names.
    pub fn case(&self, machine_names: &[String], case: &str) -> Result<Mocks, String> {
        self.mocks(machine_names, |machines, names| named(machines, names, "state machine"), Some(case))
    }

    /// The same for somebody who may leave out what is clear: the only state machine there is needs no name that fits, and
    /// the only test case needs none.
    pub fn clear_case(&self, machine_names: &[String], case: Option<&str>) -> Result<Mocks, String> {
        self.mocks(machine_names, |machines, names| pick(machines, names, "state machine"), case)
    }

    fn mocks(
        &self,
        machine_names: &[String],
        find_machine: impl for<'a> Fn(&'a Object, &[String]) -> Result<(&'a str, &'a Json), String>,
        case: Option<&str>,
    ) -> Result<Mocks, String> {
        let fault = |reason: String| format!("{}: {reason}", self.name);
        let machines = object(&self.config, "StateMachines").map_err(fault)?;
        let (machine, entry) = find_machine(machines, machine_names).map_err(fault)?;
        let cases = object(entry, "TestCases").map_err(fault)?;
        let wanted: Vec<String> = case.map(str::to_owned).into_iter().collect();
        let (case, states) = match case {
            Some(_) => named(cases, &wanted, "test case").map_err(fault)?,
            None => pick(cases, &wanted, "test case").map_err(fault)?,
        };
        let responses_by_name = object(&self.config, "MockedResponses").map_err(fault)?;
        let states = states.as_object().ok_or_else(|| fault(format!("test case '{case}' must be an object")))?;
        let mut responses = BTreeMap::new();
        for (state, response_name) in states {
            let read = read_responses(responses_by_name, response_name)
                .map_err(|reason| fault(format!("state '{state}' of test case '{case}': {reason}")))?;
            responses.insert(state.to_string(), read);
        }
        let origin = Origin { file: self.name.clone(), machine: machine.to_owned(), case: case.to_owned() };
        Ok(Mocks { origin: Some(origin), responses, asked: BTreeMap::new() })
    }
}

impl Mocks {
    /// Refuses a case that names a state the definition does not have, or one that is no Task state: a mistake.
    pub fn check(&self, definition: &Definition) -> Result<(), String> {
        let file = self.origin.as_ref().map_or("the mocks", |origin| &origin.file);
        self.responses
            .keys()
            .try_for_each(|state| check_state(definition, state))
            .map_err(|reason| format!("{file}: {reason}"))
    }

    fn how_to_mend(&self, state: &str) -> String {
        match &self.origin {
            Some(Origin { file, machine, case }) => format!(
                "add \"{state}\": \"<response>\" to StateMachines/{machine}/TestCases/{case} in {file}, and the response \
                 to MockedResponses"
            ),
            None => format!(
                "give one with --mocks FILE, where FILE is\n  {{\"StateMachines\": {{\"<name>\": {{\"TestCases\": \
                 {{\"<case>\": {{\"{state}\": \"Answer\"}}}}}}}},\n   \"MockedResponses\": {{\"Answer\": {{\"0\": \
                 {{\"Return\": {{}}}}}}}}}}"
            ),
        }
    }
}

impl Transport for Mocks {
    fn run(&mut self, task: &Dispatch<'_>) -> Answer {
        let state = task.request.state_name.to_string();
        let Some(responses) = self.responses.get(&state) else {
            return Answer::Refused(format!("it has no mock; {}", self.how_to_mend(&state)));
        };
        let attempt = self.asked.entry(state.clone()).or_insert(0);
        let this_attempt = *attempt;
        *attempt += 1;
        let Some(response) = responses.iter().find(|response| response.attempts.contains(&this_attempt)) else {
            return Answer::Refused(format!(
                "its mock has no answer for attempt {this_attempt} (the first is 0): add \"{this_attempt}\" to the response"
            ));
        };
        answer(&response.answer, &task.request.resource.kind)
    }
}

/// Shapes a mocked answer as the resource's own answer would be.
fn answer(mocked: &MockedAnswer, kind: &ResourceKind) -> Answer {
    match (mocked, kind) {
        (MockedAnswer::Throw { error, cause }, _) => Answer::Failed { error: error.clone(), cause: cause.clone() },
        // A function called by its own ARN gives its payload alone; mocks are written as the service answers.
        (MockedAnswer::Return(value), ResourceKind::LambdaFunction) => {
            Answer::Succeeded(value.get("Payload").unwrap_or(value).clone())
        }
        (MockedAnswer::Return(value), ResourceKind::Activity) => Answer::Succeeded(value.clone()),
        (MockedAnswer::Return(value), ResourceKind::Integration(integration)) => match integration.pattern {
            Pattern::RequestResponse => Answer::Succeeded(value.clone()),
            Pattern::Sync | Pattern::Sync2 | Pattern::WaitForTaskToken => {
                Answer::SubmittedAndSucceeded { submitted: value.clone(), output: value.clone() }
            }
        },
    }
}

fn object<'a>(of: &'a Json, key: &str) -> Result<&'a Object, String> {
    of.get(key).and_then(Json::as_object).ok_or_else(|| format!("there is no object \"{key}\""))
}

/// The entry with one of these names, or the only entry.
fn pick<'a>(entries: &'a Object, names: &[String], what: &str) -> Result<(&'a str, &'a Json), String> {
    match (named(entries, names, what), entries.len()) {
        (Ok(found), _) => Ok(found),
        (Err(_), 1) => entries.at(0).map(|(name, entry)| (&**name, entry)).ok_or_else(String::new),
        (Err(reason), _) => Err(reason),
    }
}

fn named<'a>(entries: &'a Object, names: &[String], what: &str) -> Result<(&'a str, &'a Json), String> {
    let found = entries.iter().find(|(name, _)| names.iter().any(|wanted| **wanted == ***name));
    found.map(|(name, entry)| (&**name, entry)).ok_or_else(|| {
        let there = entries.keys().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        match names {
            [] => format!("say which {what} with #NAME: there are {there}"),
            names => format!("there is no {what} named '{}': there are {there}", names.join("' or '")),
        }
    })
}

fn check_state(definition: &Definition, name: &str) -> Result<(), String> {
    let Some(state) = definition.find(name) else {
        return Err(format!("the mocks name a state '{name}' that the definition does not have"));
    };
    match &definition.state(state).kind {
        StateKind::Task(_) => Ok(()),
        // What its ItemReader reads.
        StateKind::Map(map) if reads_items(map) => Ok(()),
        StateKind::Pass(_)
        | StateKind::Choice(_)
        | StateKind::Wait(_)
        | StateKind::Succeed
        | StateKind::Fail(_)
        | StateKind::Parallel(_)
        | StateKind::Map(_) => Err(format!("the mocks name the state '{name}', which is not a Task state")),
    }
}

fn reads_items(map: &Map) -> bool {
    map.mode.distributed().is_some_and(|distributed| distributed.item_reader.is_some())
}

fn read_responses(responses: &Object, name: &Json) -> Result<Vec<Response>, String> {
    let name = name.as_str().ok_or("the name of a response must be a string")?;
    let response = responses
        .get(name)
        .and_then(Json::as_object)
        .ok_or_else(|| format!("there is no response '{name}' in MockedResponses"))?;
    response
        .iter()
        .map(|(attempts, answer)| {
            let attempts = read_attempts(attempts)
                .ok_or_else(|| format!("response '{name}': \"{attempts}\" is no attempt such as \"0\" or \"1-3\""))?;
            Ok(Response { attempts, answer: read_answer(name, answer)? })
        })
        .collect()
}

fn read_attempts(text: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some(first..=last)
}

fn read_answer(name: &str, answer: &Json) -> Result<MockedAnswer, String> {
    match (answer.get("Return"), answer.get("Throw")) {
        (Some(value), None) => Ok(MockedAnswer::Return(value.clone())),
        (None, Some(thrown)) => {
            let text = |key: &str| thrown.get(key).and_then(Json::as_str).map(Text::from);
            Ok(MockedAnswer::Throw { error: text("Error"), cause: text("Cause") })
        }
        _ => Err(format!("response '{name}': each attempt must have either \"Return\" or \"Throw\"")),
    }
}
