//! One state on its own: entered as in an execution, answered by whoever tests it, and asked what came of it.
//!
//! ```text
//! enter ----> it ends at once, or waits for an answer
//! answer ---> it is left, retried, caught or failed; nothing behind it is entered
//! outcome --> what it is left with, and what was seen on the way
//! ```
//!
//! The state runs by the same functions as in any execution. Only three things are put in their place here: branches and
//! iterations, whose work is the answer's; time, for a Wait state has waited when it is entered; and what expressions
//! see of an execution, when the test says so.

use std::cell::RefCell;
use std::sync::Arc;

use stepwell_asl::{MapMode, StateId, StateKind};
use stepwell_json::Json;
use stepwell_spec::{Event, ExecutionStarted, Text, error};

use crate::command::Command;
use crate::decide::Burst;
use crate::effect::TaskRequest;
use crate::execution::{Execution, Identity, MapItems, Phase, Start, Status, ThreadId, Work};
use crate::failure::Failure;
use crate::inspection::Inspection;
use crate::moment::Moment;
use crate::states;

/// What a state is tested with.
#[derive(Clone, Debug)]
pub struct TestSetup {
    /// The execution it is in, as far as it can tell. The input is the state's as well.
    pub start: Start,
    /// Which state of the definition.
    pub state: StateId,
    /// The variables there are.
    pub variables: Vec<(Text, Json)>,
    /// How often the state was retried for the failure it will be answered with.
    pub retry_count: u64,
    /// The context object its expressions see, when it is not to be the execution's.
    pub context: Option<Json>,
    /// What `ItemReader` reads, an array or an object; nothing when absent.
    pub items: Option<Json>,
    /// What `ReaderConfig.ItemsPointer` makes of a file, where that was applied.
    pub after_items_pointer: Option<Json>,
}

/// A state being tested.
#[derive(Debug)]
pub struct TestedState {
    execution: Execution,
    rehearsal: Rehearsal,
    retry_count: u64,
    assigned: Vec<(Text, Json)>,
    /// When it last moved.
    at: Moment,
}

/// What came of a tested state.
#[derive(Clone, Debug, PartialEq)]
pub enum TestOutcome {
    /// It was left with this output.
    Succeeded {
        /// Its output.
        output: Json,
        /// Where it leads, unless it ends its workflow.
        next: Option<StateId>,
    },
    /// It failed, and a Catcher took that.
    Caught {
        /// What the Catcher passes on.
        output: Json,
        /// Where it leads.
        next: StateId,
        /// Why it failed.
        failure: Failure,
    },
    /// It failed, and would be tried again after a while.
    Retriable {
        /// Why it failed.
        failure: Failure,
        /// How long it would wait, in milliseconds.
        delay_ms: u64,
    },
    /// It failed for good.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// What stands for the world while a state is tested, and what is seen of the state.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    pub(crate) context: Option<Json>,
    pub(crate) items: Option<Json>,
    seen: RefCell<Inspection>,
}

impl Rehearsal {
    pub(crate) fn observe(&self, see: impl FnOnce(&mut Inspection)) {
        see(&mut self.seen.borrow_mut());
    }
}

impl TestedState {
    /// Enters the state, and goes on until it has ended or waits for an answer.
    pub fn enter(setup: TestSetup, at: Moment) -> TestedState {
        let TestSetup { start, state, variables, retry_count, context, items, after_items_pointer } = setup;
        let seen = RefCell::new(Inspection { after_items_pointer, ..Inspection::default() });
        let rehearsal = Rehearsal { context, items, seen };
        let execution = Execution::new(start, at.now);
        let mut tested = TestedState { execution, rehearsal, retry_count, assigned: Vec::new(), at };
        tested.play(at, |burst| {
            let started = ExecutionStarted {
                input: burst.execution.shown_input(),
                role_arn: burst.execution.identity.role_arn.clone(),
                state_machine_alias_arn: None,
                state_machine_version_arn: None,
                timeout_at: None,
            };
            burst.record(ThreadId::ROOT, 0, Event::ExecutionStarted(started));
            let input = burst.execution.input.clone();
            let thread = burst.execution.root_mut();
            thread.variables = variables;
            thread.phase = Phase::Ready { state, input };
            burst.record_entry(ThreadId::ROOT);
            count_retries(burst.execution, 0, retry_count);
            begin(burst);
        });
        tested
    }

    /// What the state was entered with.
    pub fn input(&self) -> &Json {
        &self.execution.input
    }

    /// The execution it is in, as far as anybody can tell.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.execution.identity
    }

    /// The task that wants to be done, while one does.
    pub fn task(&self) -> Option<&TaskRequest> {
        match &self.execution.find_active(ThreadId::ROOT)?.work {
            Work::Task(task) => Some(&task.request),
            Work::None
            | Work::Until { .. }
            | Work::Retry { .. }
            | Work::Children(_)
            | Work::MapRun(_)
            | Work::MapRunOver(_) => None,
        }
    }

    /// Number of items of a Map state that waits for an answer.
    pub fn items(&self) -> Option<usize> {
        match &self.execution.find_active(ThreadId::ROOT)?.work {
            Work::Children(children) => children.map.as_ref().map(|map| MapItems::count(&map.items)),
            Work::MapRun(run) => Some(run.request.inputs.len()),
            Work::None | Work::Until { .. } | Work::Retry { .. } | Work::Task(_) | Work::MapRunOver(_) => None,
        }
    }

    /// Variables the state assigned as it was left.
    pub fn assigned(&self) -> &[(Text, Json)] {
        &self.assigned
    }

    /// What has been seen of the state so far.
    pub fn inspection(&self) -> Inspection {
        self.rehearsal.seen.borrow().clone()
    }

    /// Gives what the state's work comes to: a task's result, or the outputs of all branches or iterations. Changes nothing
    /// when the state waits for no answer.
    pub fn answer(&mut self, answer: Result<Json, Failure>, at: Moment) {
        let Some(active) = self.execution.find_active(ThreadId::ROOT) else { return };
        let definition = self.execution.definition.clone();
        let state = definition.state(active.state);
        let work = match &active.work {
            Work::Task(task) => Open::Task(task.request.key),
            Work::MapRun(run) => Open::MapRun(run.request.key),
            Work::Children(_) => Open::Children,
            Work::None | Work::Until { .. } | Work::Retry { .. } | Work::MapRunOver(_) => return,
        };
        if let Err(failure) = &answer
            && let Some(retrier) = state.retriers().iter().position(|retrier| failure.is_any_of(&retrier.error_equals))
        {
            count_retries(&mut self.execution, retrier, self.retry_count);
        }
        self.play(at, |burst| match (work, answer) {
            (Open::Task(task), Ok(output)) => burst.decide(Command::TaskSucceeded { task, output }),
            (Open::Task(task), Err(Failure { error, cause, .. })) => {
                burst.decide(Command::TaskFailed { task, error, cause });
            }
            (Open::MapRun(map_run), outcome) => burst.decide(Command::MapRunEnded { map_run, outcome }),
            (Open::Children, Ok(outputs)) => match &state.kind {
                StateKind::Parallel(parallel) => {
                    states::parallel::finish(burst, ThreadId::ROOT, state, parallel, &outputs);
                }
                StateKind::Map(map) => states::map::finish(burst, ThreadId::ROOT, state, map, &outputs),
                StateKind::Pass(_)
                | StateKind::Task(_)
                | StateKind::Choice(_)
                | StateKind::Wait(_)
                | StateKind::Succeed
                | StateKind::Fail(_) => {}
            },
            (Open::Children, Err(failure)) => {
                let of_branch = matches!(state.kind, StateKind::Parallel(_));
                burst.fail(ThreadId::ROOT, Failure { of_branch, ..failure });
            }
        });
    }

    /// What came of it; `None` while it waits for an answer.
    pub fn outcome(&self) -> Option<TestOutcome> {
        let failure = self.rehearsal.seen.borrow().failure.clone();
        let left = |output: &Json, next: Option<StateId>| match (failure.clone(), next) {
            (Some(failure), Some(next)) => TestOutcome::Caught { output: output.clone(), next, failure },
            (_, next) => TestOutcome::Succeeded { output: output.clone(), next },
        };
        match &self.execution.status {
            Status::Succeeded(output) => return Some(left(output, None)),
            Status::Failed(failure) | Status::TimedOut(failure) | Status::Aborted(failure) => {
                return Some(TestOutcome::Failed { failure: failure.clone() });
            }
            Status::Running => {}
        }
        match &self.execution.thread(ThreadId::ROOT).phase {
            Phase::Ready { state, input } => Some(left(input, Some(*state))),
            Phase::Ended(output) => Some(left(output, None)),
            Phase::In(active) => match active.work {
                Work::Retry { at, .. } => Some(TestOutcome::Retriable {
                    failure: failure.unwrap_or_default(),
                    delay_ms: u64::try_from(at.0 - self.at.now.0).unwrap_or(0),
                }),
                Work::None
                | Work::Until { .. }
                | Work::Task(_)
                | Work::Children(_)
                | Work::MapRun(_)
                | Work::MapRunOver(_) => None,
            },
        }
    }

    /// Lets the state move, and keeps what it assigned if it was left.
    fn play(&mut self, at: Moment, act: impl FnOnce(&mut Burst<'_>)) {
        self.at = at;
        let mut burst = Burst::new(&mut self.execution, at);
        burst.rehearsal = Some(&self.rehearsal);
        act(&mut burst);
        for record in burst.finish().records {
            if let Event::PassStateExited(exited)
            | Event::TaskStateExited(exited)
            | Event::ChoiceStateExited(exited)
            | Event::WaitStateExited(exited)
            | Event::SucceedStateExited(exited)
            | Event::ParallelStateExited(exited)
            | Event::MapStateExited(exited) = record.event
            {
                self.assigned = exited.assigned_variables.0;
            }
        }
    }
}

/// What an answer is for.
enum Open {
    Task(crate::TaskKey),
    MapRun(crate::TaskKey),
    Children,
}

/// Begins the state's work, up to where it would wait for the world.
fn begin(burst: &mut Burst<'_>) {
    let root = ThreadId::ROOT;
    let definition: Arc<_> = burst.definition();
    let state = definition.state(burst.execution.active(root).state);
    match &state.kind {
        // Its iterations are the answer's: none is started, so all their inputs are made here.
        StateKind::Map(map) if matches!(map.mode, MapMode::Inline) => {
            let around = burst.around(root);
            let started = states::map::started(&around, state, map).and_then(|started| {
                let items = MapItems {
                    items: started.items.clone(),
                    effective_input: started.effective_input.clone(),
                    max_concurrency: started.max_concurrency,
                    next: 0,
                };
                let all = states::map::Part { first: 0, count: MapItems::count(&items.items), source: None };
                states::map::item_inputs(&around, map, &items, &all).map(|_| started)
            });
            match started {
                Ok(started) => {
                    burst.record_next(root, Event::MapStateStarted(started));
                }
                Err(failure) => burst.fail(root, failure),
            }
        }
        StateKind::Wait(_) => {
            states::begin(burst, root);
            pass_time(burst);
        }
        StateKind::Pass(_)
        | StateKind::Task(_)
        | StateKind::Choice(_)
        | StateKind::Succeed
        | StateKind::Fail(_)
        | StateKind::Parallel(_)
        | StateKind::Map(_) => states::begin(burst, root),
    }
}

/// A Wait state is over as soon as it began, unless it takes longer than a test may.
fn pass_time(burst: &mut Burst<'_>) {
    let root = ThreadId::ROOT;
    let Some(Work::Until { at }) = burst.execution.find_active(root).map(|active| &active.work) else { return };
    let limit = burst.execution.settings.execution_seconds_max.map(|seconds| seconds.saturating_mul(1000));
    if limit.is_some_and(|limit| *at > burst.at.now.plus_ms(limit)) {
        let failure = Failure { error: Some(error::TIMEOUT.into()), ..Failure::default() };
        burst.fail(root, failure);
    } else {
        states::wait::resume(burst, root);
    }
}

/// The state was retried so often by this Retrier.
fn count_retries(execution: &mut Execution, retrier: usize, count: u64) {
    if let Phase::In(active) = &mut execution.root_mut().phase {
        active.retries = vec![0; retrier];
        active.retries.push(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::Identity;
    use crate::settings::Settings;
    use stepwell_asl::{Options, Source, WorkflowId, compile_state};
    use stepwell_spec::Timestamp;

    const AT: Moment = Moment { now: Timestamp(1_000), entropy: 7 };

    fn enter(state: &str, retry_count: u64) -> TestedState {
        let compilation = compile_state(&Source::json(state), "S", &Options::default());
        let definition = compilation.definition.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics));
        let text = |text: &str| Text::from(text);
        let identity = Identity {
            arn: text("arn"),
            name: text("name"),
            role_arn: text("role"),
            state_machine_arn: text("machine"),
            state_machine_name: text("machine"),
            state_machine_version_arn: None,
            state_machine_alias_arn: None,
            region: text("region"),
        };
        let start = Start {
            definition: Arc::new(definition),
            workflow: WorkflowId::ROOT,
            identity: Arc::new(identity),
            settings: Settings::express(),
            tokens: crate::tokens::Tokens::default(),
            input: Json::parse(r#"{"n":1}"#).expect("JSON"),
            input_text: None,
        };
        let (state, context, items, after_items_pointer) = (StateId(0), None, None, None);
        let variables = Vec::new();
        TestedState::enter(TestSetup { start, state, variables, retry_count, context, items, after_items_pointer }, AT)
    }

    fn failed(error: &str) -> Result<Json, Failure> {
        Err(Failure::new(error, "c"))
    }

    #[test]
    fn a_task_waits_for_its_answer_and_takes_one() {
        let mut tested = enter(r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Next":"Then"}"#, 0);
        assert_eq!(tested.outcome(), None);
        assert_eq!(tested.task().map(|task| &*task.state_name), Some("S"));
        tested.answer(Ok(Json::from(7_i64)), AT);
        let succeeded = tested.outcome();
        let Some(TestOutcome::Succeeded { output, next: Some(_) }) = &succeeded else { panic!("{succeeded:?}") };
        assert_eq!(*output, Json::from(7_i64));
        tested.answer(failed("E"), AT);
        assert_eq!((tested.outcome(), tested.task()), (succeeded, None));
    }

    #[test]
    fn a_retrier_counts_what_it_is_told() {
        let state = r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true,"Retry":[
            {"ErrorEquals":["Other"],"MaxAttempts":9},{"ErrorEquals":["E"],"MaxAttempts":2}]}"#;
        let delay = |retry_count: u64| {
            let mut tested = enter(state, retry_count);
            tested.answer(failed("E"), Moment { now: Timestamp(5_000), ..AT });
            match tested.outcome() {
                Some(TestOutcome::Retriable { delay_ms, .. }) => Some(delay_ms),
                Some(TestOutcome::Failed { failure }) if failure.error.as_deref() == Some("E") => None,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([delay(0), delay(1), delay(2)], [Some(1_000), Some(2_000), None]);
    }

    /// What is inside a state is the answer's: were it entered, the Fail states would show.
    #[test]
    fn nothing_inside_or_behind_the_state_is_entered() {
        let inner = r#"{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"Inner"}}}"#;
        let map = format!(r#"{{"Type":"Map","ItemsPath":"$.n","ItemProcessor":{inner},"End":true}}"#);
        assert!(matches!(enter(&map, 0).outcome(), Some(TestOutcome::Failed { .. })), "one is no array");
        for state in [
            format!(r#"{{"Type":"Parallel","Branches":[{inner}],"Next":"Then"}}"#),
            format!(
                r#"{{"Type":"Map","QueryLanguage":"JSONata","Items":[1,2,3],"ItemProcessor":{inner},"Next":"Then"}}"#
            ),
        ] {
            let mut tested = enter(&state, 0);
            assert_eq!((tested.outcome(), tested.task()), (None, None), "{state}");
            tested.answer(Ok(Json::array(vec![Json::Null])), AT);
            assert!(matches!(tested.outcome(), Some(TestOutcome::Succeeded { next: Some(_), .. })), "{state}");
        }
    }

    #[test]
    fn an_ordinary_failure_tells_its_place_and_a_tested_one_does_not() {
        let tested = enter(r#"{"Type":"Pass","InputPath":"$.missing","End":true}"#, 0);
        let Some(TestOutcome::Failed { failure }) = tested.outcome() else { panic!("it fails") };
        assert_eq!(failure.cause.as_deref(), Some("Invalid path '$.missing' : No results for path: $['missing']"));
        assert_eq!(tested.inspection().after_input_path, None);
    }
}
