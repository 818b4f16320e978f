//! Tasks that call this very API: `states:startExecution` and every action of `aws-sdk:sfn`.
//!
//! Such a call is taken after the step that asked for it, never inside it, so that machines which start or redrive one
//! another without end take turns with everybody else. It is answered like any caller's: at once, or with a later input.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use stepwell_asl::{Integration, Pattern, ResourceKind};
use stepwell_engine::{ExecutionId, Input};
use stepwell_interpreter::{Chance, Command, Execution, Moment, TaskKey, TaskRequest};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::shapes::{Kind, Shape};
use stepwell_spec::{Action, Response, Text, Timestamp};

use super::nested::{nested_refusal, place_of, starts_execution};
use super::shard::drawn;
use super::{Call, Outs, Service};
use crate::checks::check;
use crate::protocol::decode;
use crate::refusal::Refusal;

/// Calls taken in one input: past it they wait for the next tick.
const CALLS_PER_INPUT: usize = 64;

/// The first id of our own calls. Ids of others stay below it.
const FIRST_ID: u64 = 1 << 63;

/// What tasks have asked of this API and is not answered yet.
#[derive(Debug, Default)]
pub(super) struct OwnCalls {
    asked: VecDeque<(ExecutionId, TaskRequest)>,
    /// Calls whose answer comes later, by id.
    waiting: BTreeMap<u64, (ExecutionId, TaskRequest)>,
    /// Their ids, by the task that waits.
    ids: BTreeMap<(ExecutionId, TaskKey), u64>,
    answered: VecDeque<(u64, Result<Response, Refusal>)>,
    calls: u64,
}

impl OwnCalls {
    /// A task asks for something.
    pub(super) fn ask(&mut self, execution: ExecutionId, request: TaskRequest) {
        self.asked.push_back((execution, request));
    }

    /// Whether there is something to do at once.
    pub(super) fn has_more(&self) -> bool {
        !self.asked.is_empty() || !self.answered.is_empty()
    }

    /// The task whose call has this id, which waits no more.
    fn take(&mut self, id: u64) -> Option<(ExecutionId, TaskRequest)> {
        let (execution, request) = self.waiting.remove(&id)?;
        self.ids.remove(&(execution, request.key));
        Some((execution, request))
    }

    fn wait(&mut self, id: u64, execution: ExecutionId, request: TaskRequest) {
        self.ids.insert((execution, request.key), id);
        self.waiting.insert(id, (execution, request));
    }

    /// A task is over: what it asked for is not wanted any more. Answers the call that waits for it.
    pub(super) fn cancel(&mut self, execution: ExecutionId, task: TaskKey) -> Option<u64> {
        let id = self.ids.remove(&(execution, task))?;
        self.waiting.remove(&id);
        Some(id)
    }

    /// Tasks of an execution whose calls wait.
    pub(super) fn waiting_of(&self, tasks: RangeInclusive<(ExecutionId, TaskKey)>) -> impl Iterator<Item = TaskKey> {
        self.ids.range(tasks).map(|((_, task), _)| *task)
    }
}

/// Whether a task calls this API.
pub(super) fn is_own_call(integration: &Integration) -> bool {
    starts_execution(integration) || &*integration.resource_type == "aws-sdk:sfn" && action_of(integration).is_some()
}

/// `getActivityTask` is how a definition writes `GetActivityTask`.
fn action_of(integration: &Integration) -> Option<Action> {
    Action::of(&with_first(&integration.action, char::to_ascii_uppercase))
}

impl Service {
    /// Takes the calls that tasks have asked for, and gives them the answers that have come.
    pub(super) fn take_own_calls(&mut self, at: Moment, outs: &mut Outs) {
        let chance = Chance::new(at);
        for _ in 0..CALLS_PER_INPUT {
            let answered = outs.replies.extract_if(.., |(id, _)| *id >= FIRST_ID);
            self.own_calls.answered.extend(answered);
            if self.fault.is_some() {
                return;
            }
            if let Some((id, outcome)) = self.own_calls.answered.pop_front() {
                if let Some((execution, request)) = self.own_calls.take(id) {
                    self.own_call_answered(execution, &request, outcome, drawn(at, &chance), outs);
                }
            } else if let Some((execution, request)) = self.own_calls.asked.pop_front() {
                self.take_own_call(execution, request, drawn(at, &chance), outs);
            } else {
                return;
            }
        }
        let answered = outs.replies.extract_if(.., |(id, _)| *id >= FIRST_ID);
        self.own_calls.answered.extend(answered);
    }

    fn take_own_call(&mut self, execution: ExecutionId, request: TaskRequest, at: Moment, outs: &mut Outs) {
        let ResourceKind::Integration(integration) = &request.resource.kind else { return };
        let integration = integration.clone();
        if self.quarantine.has(execution) {
            return;
        }
        self.at_work.because_of(execution);
        match self.wake(execution) {
            Ok(true) => {}
            Ok(false) => return,
            Err(fault) => return self.fault = Some(fault),
        }
        // One whose task is over meanwhile asks for nothing.
        let asks = |execution: &&Execution| execution.open_tasks().any(|task| task.key == request.key);
        let Some(identity) = self.engine.execution(execution).filter(asks).map(|execution| execution.identity.clone())
        else {
            return;
        };
        let chance = Chance::new(at);
        if starts_execution(&integration) {
            let inputs = self.start_nested(execution, &identity, &integration, &request, drawn(at, &chance));
            for input in inputs {
                self.run(input, drawn(at, &chance), outs);
            }
            return;
        }
        let Some(action) = action_of(&integration) else { return };
        let asked = to_request(action.facts().request, &request.input).to_string();
        let asked = decode(action, asked.as_bytes()).and_then(|request| check(&request).map(|()| request));
        self.own_calls.calls += 1;
        let id = FIRST_ID + self.own_calls.calls;
        let outcome = match asked {
            // Noted as waiting before it is asked: its answer may come while it is.
            Ok(asked) => {
                let place = place_of(&identity, &request);
                self.own_calls.wait(id, execution, request);
                self.answer(Call { id, place, request: asked }, drawn(at, &chance), outs)
            }
            Err(refusal) => {
                self.own_calls.wait(id, execution, request);
                Some(Err(refusal))
            }
        };
        if let Some(outcome) = outcome {
            self.own_calls.answered.push_back((id, outcome));
        }
    }

    fn own_call_answered(
        &mut self,
        execution: ExecutionId,
        request: &TaskRequest,
        outcome: Result<Response, Refusal>,
        at: Moment,
        outs: &mut Outs,
    ) {
        let ResourceKind::Integration(integration) = &request.resource.kind else { return };
        let task = request.key;
        let command = match outcome {
            Ok(response) => {
                let output = to_output(response.action().facts().response, &response.to_json());
                match integration.pattern {
                    Pattern::WaitForTaskToken => Command::TaskSubmitted { task, output },
                    Pattern::RequestResponse | Pattern::Sync | Pattern::Sync2 => {
                        Command::TaskSucceeded { task, output }
                    }
                }
            }
            Err(refusal) => {
                let (error, cause) = nested_refusal(integration, &refusal, &Chance::new(at));
                Command::TaskFailed { task, error, cause }
            }
        };
        self.run(Input::Command(execution, command), at, outs);
    }
}

/// What a task's arguments ask for, in the API's own casing: `{"ActivityArn": …}` is `{"activityArn": …}`. Where the API
/// wants text, any other value is given as its JSON.
fn to_request(shape: &Shape, value: &Json) -> Json {
    match (&shape.kind, value) {
        (Kind::Structure(_), Json::Object(members)) => {
            let mut request = ObjectBuilder::new();
            for (name, value) in members.iter() {
                let name = with_first(name, char::to_ascii_lowercase);
                match shape.member(&name) {
                    Some(_) if *value == Json::Null => {}
                    Some(member) => request.insert(name, to_request(member.shape, value)),
                    None => request.insert(name, value.clone()),
                }
            }
            Json::Object(request.build())
        }
        (Kind::List { items, .. }, Json::Array(values)) => {
            Json::array(values.iter().map(|value| to_request(items, value)).collect())
        }
        (Kind::Text { .. }, Json::Object(_) | Json::Array(_) | Json::Number(_) | Json::Bool(_)) => {
            Json::from(value.to_string())
        }
        _ => value.clone(),
    }
}

/// What a task gets for an answer: names begin with a capital, times are text.
fn to_output(shape: &Shape, value: &Json) -> Json {
    match (&shape.kind, value) {
        (Kind::Structure(_) | Kind::Event, Json::Object(members)) => {
            let mut output = ObjectBuilder::new();
            for (name, value) in members.iter() {
                let value = match shape.member(name) {
                    Some(member) => to_output(member.shape, value),
                    // What an event holds is not among the shapes.
                    None if &**name == "timestamp" => time_text(value),
                    None => to_output(shape, value),
                };
                output.insert(with_first(name, char::to_ascii_uppercase), value);
            }
            Json::Object(output.build())
        }
        (Kind::List { items, .. }, Json::Array(values)) => {
            Json::array(values.iter().map(|value| to_output(items, value)).collect())
        }
        (Kind::Map { values: shape, .. }, Json::Object(members)) => {
            Json::object(members.iter().map(|(name, value)| (Text::clone(name), to_output(shape, value))))
        }
        (Kind::Timestamp, _) => time_text(value),
        _ => value.clone(),
    }
}

fn time_text(seconds: &Json) -> Json {
    match seconds.as_f64() {
        Some(seconds) => Json::from(Timestamp((seconds * 1000.0).round() as i64).to_string()),
        None => seconds.clone(),
    }
}

fn with_first(name: &str, change: fn(&char) -> char) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| change(&first)).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_and_answers_change_their_casing_and_nothing_else() {
        let check = |action: &str, arguments: &str, expected: &str| {
            let shape = Action::of(action).expect("an action").facts().request;
            assert_eq!(to_request(shape, &Json::parse(arguments).expect("JSON")).to_string(), expected);
        };
        check("SendTaskSuccess", r#"{"TaskToken":"t","Output":{"A":1}}"#, r#"{"taskToken":"t","output":"{\"A\":1}"}"#);
        check(
            "CreateStateMachine",
            r#"{"Name":"n","Tags":[{"Key":"K","Value":"V"}],"Unknown":{"A":1},"Type":null}"#,
            r#"{"name":"n","tags":[{"key":"K","value":"V"}],"unknown":{"A":1}}"#,
        );
        let check = |action: &str, answer: &str, expected: &str| {
            let shape = Action::of(action).expect("an action").facts().response;
            assert_eq!(to_output(shape, &Json::parse(answer).expect("JSON")).to_string(), expected);
        };
        check(
            "StartExecution",
            r#"{"executionArn":"a","startDate":1700000000.123}"#,
            r#"{"ExecutionArn":"a","StartDate":"2023-11-14T22:13:20.123Z"}"#,
        );
        check("DescribeStateMachine", r#"{"variableReferences":{"s":["a"]}}"#, r#"{"VariableReferences":{"s":["a"]}}"#);
        check(
            "GetExecutionHistory",
            r#"{"events":[{"timestamp":1,"id":1,"executionStartedEventDetails":{"input":"{\"a\":1}"}}]}"#,
            r#"{"Events":[{"Timestamp":"1970-01-01T00:00:01.000Z","Id":1,"ExecutionStartedEventDetails":{"Input":"{\"a\":1}"}}]}"#,
        );
    }
}
