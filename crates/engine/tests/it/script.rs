//! A scripted world: how tasks answer and what clients do, by the clock.
//!
//! `script.json` of a golden case:
//!
//! ```text
//! {"input": …, "type": "EXPRESS",
//!  "tasks": {"Charge": [{"fail": {"error": "…", "cause": "…"}}, {"succeed": …}, {"submit": …, "succeed": …}, {}]},
//!  "clients": [{"at_ms": 5000, "stop": {"error": "…", "cause": "…"}},
//!              {"at_ms": 1000, "heartbeat": "Charge"}, {"at_ms": 2000, "succeed": {"state": "Charge", "output": …}},
//!              {"at_ms": 2000, "fail": {"state": "Charge", "error": "…", "cause": "…"}},
//!              {"at_ms": 500, "take": "Activity", "worker": "w1"}, {"at_ms": 9000, "redrive": true}]}
//! ```
//!
//! An `ItemReader` is answered under its state's name, in parts: `{"succeed": [items], "next": where the next part is}`, or
//! `{"fail": …}`; a `ResultWriter` under `STATE/results` with `{}` or `{"fail": …}`, first when it is tried.
//!
//! A task's answers are taken in the order it asks; `{}` is silence. A state without an entry stays silent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use stepwell_asl::{Definition, MachineType, Options, Source, WorkflowId, compile};
use stepwell_engine::{Engine, ExecutionId, Input, Outbox};
use stepwell_interpreter::{Chance, Command, Execution, Failure, Identity, Moment, Settings, Start, TaskKey, Tokens};
use stepwell_json::Json;
use stepwell_spec::{Record, Text, Timestamp};

/// 2026-01-01T00:00:00Z: when every scripted execution starts.
pub(crate) const START: Timestamp = Timestamp(1_767_225_600_000);

/// What a scripted run left behind.
pub(crate) struct Outcome {
    pub(crate) execution: Execution,
    pub(crate) records: Vec<Record>,
    /// Records by step: each is one frame.
    pub(crate) frames: Vec<Vec<Record>>,
}

/// Compiles a definition that must be valid.
pub(crate) fn compiled(text: &str, machine_type: MachineType) -> Arc<Definition> {
    let compilation = compile(&Source::json(text.to_owned()), &Options { machine_type });
    let faults: Vec<String> = compilation.diagnostics.iter().map(|fault| fault.message.clone()).collect();
    Arc::new(compilation.definition.unwrap_or_else(|| panic!("the definition is valid: {faults:#?}")))
}

/// Who every scripted execution is.
pub(crate) fn identity() -> Arc<Identity> {
    Arc::new(Identity {
        arn: "arn:aws:states:us-east-1:123456789012:execution:golden:run".into(),
        name: "run".into(),
        role_arn: "arn:aws:iam::123456789012:role/golden".into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:golden".into(),
        state_machine_name: "golden".into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        region: "us-east-1".into(),
    })
}

/// Runs a definition in a scripted world until nothing more can happen.
pub(crate) fn run(definition: &str, script: &Json) -> Outcome {
    let express = script.get("type").and_then(Json::as_str) == Some("EXPRESS");
    let machine_type = if express { MachineType::Express } else { MachineType::Standard };
    let mut settings = if express { Settings::express() } else { Settings::standard() };
    if let Some(max) = script.get("history_events_max").and_then(Json::as_i64) {
        settings.history_events_max = Some(max.unsigned_abs());
    }
    let start = Start {
        definition: compiled(definition, machine_type),
        workflow: WorkflowId::ROOT,
        identity: identity(),
        settings,
        tokens: Tokens::default(),
        input: script.get("input").cloned().unwrap_or_else(Json::empty_object),
        input_text: None,
    };
    let mut world = World::new(script);
    let mut inputs = VecDeque::from([Input::Start(world.engine.reserve_id(), Box::new(start))]);
    loop {
        let Some(input) = inputs.pop_front().or_else(|| world.wait()) else { break };
        let at = world.moment();
        let outbox = world.engine.step(input, at);
        assert_eq!(world.engine.last_turn(), None, "I24: between two steps nobody is to blame");
        inputs.extend(world.take(outbox));
    }
    let execution = world.engine.execution(ExecutionId(0)).expect("it was started").clone();
    let records = world.frames.iter().flatten().cloned().collect();
    Outcome { execution, records, frames: world.frames }
}

struct World {
    engine: Engine,
    now: Timestamp,
    chance: Chance,
    answers: BTreeMap<String, VecDeque<Json>>,
    clients: VecDeque<(Timestamp, Json)>,
    open: BTreeMap<String, TaskKey>,
    frames: Vec<Vec<Record>>,
}

impl World {
    fn new(script: &Json) -> World {
        let mut answers = BTreeMap::new();
        for (state, list) in script.get("tasks").and_then(Json::as_object).into_iter().flatten() {
            let list = list.as_array().expect("a list of answers");
            answers.insert(state.to_string(), list.iter().cloned().collect());
        }
        let clients = script.get("clients").and_then(Json::as_array).map(|list| list.to_vec()).unwrap_or_default();
        let clients = clients.into_iter().map(|action| {
            let at_ms = action.get("at_ms").and_then(Json::as_i64).expect("at_ms");
            (START.plus_ms(at_ms.unsigned_abs()), action)
        });
        World {
            engine: Engine::new(),
            now: START,
            chance: Chance::new(Moment { now: START, entropy: 7 }),
            answers,
            clients: clients.collect(),
            open: BTreeMap::new(),
            frames: Vec::new(),
        }
    }

    fn moment(&mut self) -> Moment {
        Moment { now: self.now, entropy: self.chance.draw() }
    }

    /// What happens next when nothing moves: a client acts, or a timer comes due.
    fn wait(&mut self) -> Option<Input> {
        if !self.engine.execution(ExecutionId(0))?.is_running() {
            let (at, action) = self.clients.pop_front()?;
            self.now = self.now.max(at);
            return Some(Input::Command(ExecutionId(0), self.client_command(&action)));
        }
        let client_at = self.clients.front().map(|(at, _)| *at);
        match (client_at, self.engine.next_due()) {
            (Some(at), due) if due.is_none_or(|due| at <= due) => {
                self.now = self.now.max(at);
                let (_, action) = self.clients.pop_front()?;
                Some(Input::Command(ExecutionId(0), self.client_command(&action)))
            }
            (_, Some(due)) => {
                self.now = self.now.max(due);
                Some(Input::Tick)
            }
            (_, None) => None,
        }
    }

    fn client_command(&self, action: &Json) -> Command {
        let text = |of: &Json, key: &str| of.get(key).and_then(Json::as_str).map(Text::from);
        let task = |state: &Json| self.open[state.as_str().expect("a state's name")];
        if action.get("redrive").is_some() {
            Command::Redrive
        } else if let Some(stop) = action.get("stop") {
            Command::Stop { error: text(stop, "error"), cause: text(stop, "cause") }
        } else if let Some(state) = action.get("heartbeat") {
            Command::TaskHeartbeat { task: task(state) }
        } else if let Some(state) = action.get("take") {
            Command::ActivityStarted { task: task(state), worker_name: text(action, "worker") }
        } else if let Some(success) = action.get("succeed") {
            let output = success.get("output").cloned().expect("an output");
            Command::TaskSucceeded { task: task(success.get("state").expect("a state")), output }
        } else if let Some(failure) = action.get("fail") {
            let task = task(failure.get("state").expect("a state"));
            Command::TaskFailed { task, error: text(failure, "error"), cause: text(failure, "cause") }
        } else {
            panic!("no such client action: {action}")
        }
    }

    fn take(&mut self, outbox: Outbox) -> Vec<Input> {
        let mut inputs = Vec::new();
        let own = outbox.records.into_iter().filter(|(id, _)| *id == ExecutionId(0));
        self.frames.push(own.map(|(_, record)| record).collect());
        inputs.extend(outbox.yielded.into_iter().map(|id| Input::Command(id, Command::Continue)));
        let failed = |answer: &Json| {
            let failure = answer.get("fail")?;
            let text = |key: &str| failure.get(key).and_then(Json::as_str).map(Text::from);
            Some((text("error"), text("cause")))
        };
        for (id, request) in outbox.reads {
            let state = request.task.state_name.to_string();
            let Some(answer) = self.answers.get_mut(&state).and_then(VecDeque::pop_front) else { continue };
            let (map_run, from) = (request.task.key, request.from);
            if let Some((error, cause)) = failed(&answer) {
                inputs.push(Input::Command(id, Command::ItemsFailed { map_run, error, cause }));
            } else if let Some(items) = answer.get("succeed").cloned() {
                let next = answer.get("next").cloned();
                inputs.push(Input::Command(id, Command::ItemsRead { map_run, from, items, next }));
            }
        }
        for (id, request, results) in outbox.writes {
            let state = format!("{}/results", request.task.state_name);
            let Some(answer) = self.answers.get_mut(&state).and_then(VecDeque::pop_front) else { continue };
            if let Some(expected) = answer.get("results").and_then(Json::as_array) {
                let kinds: Vec<String> = results.iter().map(|result| format!("{:?}", result.kind)).collect();
                assert_eq!(kinds, expected.iter().filter_map(Json::as_str).collect::<Vec<_>>());
            }
            let outcome = match failed(&answer) {
                None => Ok(()),
                Some((error, cause)) => {
                    Err(Failure::new(error.as_deref().unwrap_or_default(), cause.unwrap_or_default()))
                }
            };
            inputs.push(Input::Command(id, request.written(outcome)));
        }
        for (id, request) in outbox.tasks {
            let state = request.state_name.to_string();
            self.open.insert(state.clone(), request.key);
            let Some(answer) = self.answers.get_mut(&state).and_then(VecDeque::pop_front) else { continue };
            let task = request.key;
            if let Some(output) = answer.get("submit") {
                inputs.push(Input::Command(id, Command::TaskSubmitted { task, output: output.clone() }));
            }
            if let Some(worker) = answer.get("take") {
                let worker_name = worker.as_str().map(Text::from);
                inputs.push(Input::Command(id, Command::ActivityStarted { task, worker_name }));
            }
            if let Some(output) = answer.get("succeed") {
                inputs.push(Input::Command(id, Command::TaskSucceeded { task, output: output.clone() }));
            }
            if let Some(failure) = answer.get("fail") {
                let text = |key: &str| failure.get(key).and_then(Json::as_str).map(Text::from);
                inputs
                    .push(Input::Command(id, Command::TaskFailed { task, error: text("error"), cause: text("cause") }));
            }
        }
        inputs
    }
}
