//! Map Runs: the child executions of distributed Map states, how many run at once, and how many may fail.
//!
//! Free slots are what the concurrency leaves over the children that run: derived, never counted apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_asl::Definition;
use stepwell_interpreter::{Command, Execution, Failure, Identity, MapRunRequest, Settings, Start, Status, TaskKey};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::{error, quota};

use crate::step::ExecutionId;

/// Names a Map Run by its parent execution and its place there.
pub(crate) type RunId = (ExecutionId, TaskKey);

/// What a Map Run wants next.
pub(crate) enum Next {
    Nothing,
    /// Its free slots are to be filled.
    StartChildren(RunId),
    /// Its parent is to be told, and these children are to be stopped.
    End {
        parent: ExecutionId,
        command: Command,
        stop: Vec<ExecutionId>,
    },
}

/// The Map Runs of one shard.
#[derive(Debug, Default)]
pub(crate) struct MapRuns {
    runs: BTreeMap<RunId, MapRun>,
    /// Which run a child belongs to, and its place there.
    children: BTreeMap<ExecutionId, (RunId, usize)>,
}

#[derive(Debug)]
struct MapRun {
    request: MapRunRequest,
    definition: Arc<Definition>,
    parent: Arc<Identity>,
    /// Index of the next child to start.
    next: usize,
    running: Vec<ExecutionId>,
    outputs: Vec<Option<Json>>,
    succeeded: usize,
    failed: usize,
}

impl MapRuns {
    /// Takes a Map Run in. One that is known already is only asked for again, after a recovery.
    pub(crate) fn start(&mut self, parent_id: ExecutionId, parent: &Execution, request: MapRunRequest) -> Next {
        let run = (parent_id, request.key);
        if request.inputs.is_empty() {
            let command = Command::MapRunEnded { map_run: request.key, outcome: Ok(Json::array(Vec::new())) };
            return Next::End { parent: parent_id, command, stop: Vec::new() };
        }
        self.runs.entry(run).or_insert_with(|| MapRun {
            outputs: vec![None; request.inputs.len()],
            request,
            definition: parent.definition.clone(),
            parent: parent.identity.clone(),
            next: 0,
            running: Vec::new(),
            succeeded: 0,
            failed: 0,
        });
        Next::StartChildren(run)
    }

    /// Lets a Map Run go; answers the children to stop.
    pub(crate) fn stop(&mut self, parent: ExecutionId, key: TaskKey) -> Vec<ExecutionId> {
        self.runs.remove(&(parent, key)).map(|run| run.running).unwrap_or_default()
    }

    /// Runs of this execution that have free slots and children to fill them.
    pub(crate) fn unfilled(&self, parent: ExecutionId) -> Vec<RunId> {
        let unfilled = |(id, run): (&RunId, &MapRun)| (id.0 == parent && run.has_free_slot()).then_some(*id);
        self.runs.iter().filter_map(unfilled).collect()
    }

    /// The next child to start, if there is a free slot. `name` is its execution's name.
    pub(crate) fn next_child(&self, run: RunId, name: &str) -> Option<Start> {
        let run = self.runs.get(&run)?;
        if !run.has_free_slot() {
            return None;
        }
        let settings = if run.request.express { Settings::express() } else { Settings::standard() };
        Some(Start {
            definition: run.definition.clone(),
            workflow: run.request.processor,
            identity: Arc::new(run.child_identity(name)),
            settings,
            input: run.request.inputs[run.next].clone(),
            input_text: None,
        })
    }

    /// The child that [`MapRuns::next_child`] gave has this id.
    pub(crate) fn child_started(&mut self, id: RunId, child: ExecutionId) {
        if let Some(run) = self.runs.get_mut(&id) {
            self.children.insert(child, (id, run.next));
            run.running.push(child);
            run.next += 1;
        }
    }

    /// What follows from the end of an execution; `None` when it was nobody's child.
    pub(crate) fn child_ended(&mut self, child: ExecutionId, execution: &Execution) -> Option<Next> {
        let (id, index) = self.children.remove(&child)?;
        // A run that was stopped or has failed waits for nobody.
        let Some(run) = self.runs.get_mut(&id) else { return Some(Next::Nothing) };
        run.running.retain(|running| *running != child);
        match &execution.status {
            Status::Succeeded(output) => {
                run.succeeded += 1;
                run.outputs[index] = Some(output.clone());
            }
            Status::Running => {}
            Status::Failed(failure) | Status::TimedOut(failure) | Status::Aborted(failure) => {
                run.failed += 1;
                run.outputs[index] = Some(failed_child(execution, failure));
            }
        }
        let outcome = if run.is_beyond_tolerance() {
            let cause = "The specified tolerated failure threshold was exceeded";
            Err(Failure::new(error::EXCEED_TOLERATED_FAILURE_THRESHOLD, cause))
        } else if run.succeeded + run.failed == run.outputs.len() {
            Ok(Json::Array(run.outputs.iter().flatten().cloned().collect()))
        } else {
            return Some(Next::StartChildren(id));
        };
        let stop = self.stop(id.0, id.1);
        Some(Next::End { parent: id.0, command: Command::MapRunEnded { map_run: id.1, outcome }, stop })
    }

    /// What a child is told when its Map Run is over before it is.
    pub(crate) fn stop_command() -> Command {
        Command::Stop { error: None, cause: None }
    }
}

/// What stands in the place of the output of a child that failed and was tolerated: the execution, as the API describes it.
///
/// Source: Developer Guide, "ResultWriter", transformation COMPACT.
fn failed_child(execution: &Execution, failure: &Failure) -> Json {
    let identity = &execution.identity;
    let mut child = ObjectBuilder::new();
    if let Some(cause) = &failure.cause {
        child.insert("Cause", Json::String(cause.clone()));
    }
    if let Some(error) = &failure.error {
        child.insert("Error", Json::String(error.clone()));
    }
    child.insert("ExecutionArn", Json::String(identity.arn.clone()));
    child.insert("Input", Json::from(execution.input.to_string()));
    child.insert("InputDetails", Json::object([("Included", Json::Bool(true))]));
    child.insert("Name", Json::String(identity.name.clone()));
    child.insert("RedriveCount", Json::from(execution.redrive_count));
    child.insert("StartDate", Json::from(execution.started_at.to_string()));
    child.insert("StateMachineArn", Json::String(identity.state_machine_arn.clone()));
    child.insert("Status", Json::from(execution.status.name()));
    if let Some(at) = execution.stopped_at {
        child.insert("StopDate", Json::from(at.to_string()));
    }
    Json::Object(child.build())
}

impl MapRun {
    fn has_free_slot(&self) -> bool {
        let asked = usize::try_from(self.request.max_concurrency).unwrap_or(usize::MAX);
        let most = if asked == 0 { quota::DISTRIBUTED_MAP_CONCURRENCY_MAX } else { asked };
        self.next < self.outputs.len() && self.running.len() < most.min(quota::DISTRIBUTED_MAP_CONCURRENCY_MAX)
    }

    /// Either threshold breaks the run; with neither given, the first failure does.
    fn is_beyond_tolerance(&self) -> bool {
        let failed = self.failed as u64;
        let share = failed as f64 * 100.0 / self.outputs.len() as f64;
        match (self.request.tolerated_failure_count, self.request.tolerated_failure_percentage) {
            (None, None) => failed > 0,
            (count, percentage) => {
                count.is_some_and(|count| failed > count) || percentage.is_some_and(|percentage| share > percentage)
            }
        }
    }

    /// `…:stateMachine:NAME/LABEL` and `…:execution:NAME/LABEL:EXECUTION`.
    fn child_identity(&self, name: &str) -> Identity {
        let label = self.request.arn.rsplit('/').next().and_then(|part| part.split(':').next()).unwrap_or_default();
        let state_machine_arn = format!("{}/{label}", self.parent.state_machine_arn);
        Identity {
            arn: format!("{}:{name}", state_machine_arn.replacen(":stateMachine:", ":execution:", 1)).into(),
            name: name.into(),
            role_arn: self.parent.role_arn.clone(),
            state_machine_name: format!("{}/{label}", self.parent.state_machine_name).into(),
            state_machine_arn: state_machine_arn.into(),
            state_machine_version_arn: None,
            state_machine_alias_arn: None,
            region: self.parent.region.clone(),
        }
    }
}
