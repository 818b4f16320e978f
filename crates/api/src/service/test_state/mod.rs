//! TestState: one state is entered and left, without an execution that anybody could see.
//!
//! ```text
//! subject  which state, and whether it may be tested as asked
//! mock     what stands for its work, and whether it could be that
//! setup    what the state sees: input, variables, context object, items
//! (the interpreter's TestedState runs it)
//! answer   status, output and what was seen on the way
//! ```
//!
//! Nothing is kept. A task without a mock goes where the tasks of executions go, and the reply comes with its answer; one
//! that calls this very API, or an activity, cannot be tested without.

mod answer;
mod exchange;
mod items;
mod mock;
mod response_fields;
mod setup;
mod subject;

use std::collections::BTreeMap;

use stepwell_asl::ResourceKind;
use stepwell_engine::ExecutionId;
use stepwell_interpreter::{Chance, Command, Failure, Moment, TaskRequest, TestedState};
use stepwell_json::Json;
use stepwell_spec::shapes::{InspectionLevel, TestStateInput, TestStateOutput};
use stepwell_spec::{Response, Text, error};

use super::own_calls::is_own_call;
use super::{Outs, Place, Service, ServiceTask};
use crate::refusal::Refusal;

use answer::Texts;
pub use exchange::{HttpAnswered, HttpAsked, HttpExchange, is_test};
use mock::Mock;
use subject::Subject;

/// The first name of an execution that there is only for a test. Those of others stay below it.
const FIRST_ID: u64 = 1 << 63;

/// Tests whose task is being done outside, under the names their tasks were given.
#[derive(Default)]
pub(super) struct Tests {
    waiting: BTreeMap<ExecutionId, Waiting>,
    begun: u64,
}

/// A test, and who waits for it.
struct Waiting {
    call: u64,
    test: Test,
    level: Option<InspectionLevel>,
    /// Whether secrets may be seen.
    reveals: bool,
    /// What its task asked, if it was an HTTP Task.
    exchange: Option<Box<HttpExchange>>,
}

impl Tests {
    /// Whether none waits for an answer.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Nobody waits for this call any more: the test of it, if it is one.
    pub(super) fn forget(&mut self, call: u64) {
        self.waiting.retain(|_, waiting| waiting.call != call);
    }
}

impl Service {
    /// Tests the state that the request tells of. `None` when the reply comes with the answer of its task.
    pub(super) fn test_state(
        &mut self,
        call: u64,
        place: &Place,
        input: &TestStateInput,
        at: Moment,
        outs: &mut Outs,
    ) -> Option<Result<TestStateOutput, Refusal>> {
        let chance = Chance::new(at);
        let mut test = match Test::begin(place, input, &chance, at) {
            Ok(test) => test,
            Err(refusal) => return Some(Err(refusal)),
        };
        let level = input.inspection_level;
        let work = match (&test.mock, test.tested.task()) {
            (Some(mock), _) => Some(mock.answer(&test.tested, input.state_configuration.as_ref())),
            (None, Some(task)) if goes_outside(task) => {
                let execution = ExecutionId(FIRST_ID + self.tests.begun);
                self.tests.begun += 1;
                let (identity, request) = (test.tested.identity().clone(), task.clone());
                outs.tasks.push(ServiceTask { execution, identity, test_case: None, request });
                let reveals = input.reveal_secrets == Some(true);
                self.tests.waiting.insert(execution, Waiting { call, test, level, reveals, exchange: None });
                return None;
            }
            (None, Some(task)) => Some(Err(unanswered(task))),
            (None, None) => None,
        };
        if let Some(work) = work {
            test.tested.answer(work, Moment { now: at.now, entropy: chance.draw() });
        }
        Some(Ok(test.end(level)))
    }

    /// Takes what a task came to, if it is the task of a test. A test ends with whatever its service says first.
    pub(super) fn test_answered(
        &mut self,
        execution: ExecutionId,
        command: &Command,
        at: Moment,
        outs: &mut Outs,
    ) -> bool {
        if execution.0 < FIRST_ID {
            return false;
        }
        let work = match command {
            Command::TaskSucceeded { output, .. } | Command::TaskSubmitted { output, .. } => Ok(output.clone()),
            Command::TaskFailed { error, cause, .. } => {
                let mut failure = Failure::new("", "");
                (failure.error, failure.cause) = (error.clone(), cause.clone());
                Err(failure)
            }
            _ => return true,
        };
        // One that nobody waits for any more is gone.
        if let Some(Waiting { call, mut test, level, reveals, exchange }) = self.tests.waiting.remove(&execution) {
            test.tested.answer(work, at);
            let mut tested = test.end(level);
            if let (Some(InspectionLevel::Trace), Some(data), Some(exchange)) =
                (level, &mut tested.inspection_data, exchange)
            {
                let (request, response) = exchange::shown(&exchange, reveals);
                (data.request, data.response) = (Some(request), response);
            }
            outs.replies.push((call, Ok(Response::TestState(tested))));
        }
        true
    }
}

/// Whether a task is done by what does the tasks of executions.
fn goes_outside(task: &TaskRequest) -> bool {
    match &task.resource.kind {
        ResourceKind::LambdaFunction => true,
        ResourceKind::Integration(integration) => !is_own_call(integration),
        ResourceKind::Activity => false,
    }
}

/// A state that was entered, and all that is needed to tell what came of it.
struct Test {
    subject: Subject,
    mock: Option<Mock>,
    texts: Texts,
    /// Before the state.
    variables: Vec<(Text, Json)>,
    tested: TestedState,
}

impl Test {
    fn begin(place: &Place, input: &TestStateInput, chance: &Chance, at: Moment) -> Result<Test, Refusal> {
        let subject = Subject::find(input)?;
        subject.check(input)?;
        let mock = input.mock.as_ref().map(|mock| Mock::read(mock, &subject)).transpose()?;
        let setup = setup::setup(place, input, &subject, chance)?;
        let texts = Texts::of(input, &setup.start.input, mock.as_ref());
        let variables = setup.variables.clone();
        let tested = TestedState::enter(setup, Moment { now: at.now, entropy: chance.draw() });
        Ok(Test { subject, mock, texts, variables, tested })
    }

    fn end(self, level: Option<InspectionLevel>) -> TestStateOutput {
        answer::answer(level, &self)
    }
}

/// Why a task fails that has no mock, where nothing outside could be called.
fn unanswered(task: &TaskRequest) -> Failure {
    let (name, resource) = (&task.state_name, &task.resource.arn);
    let cause = format!(
        "The state '{name}' calls '{resource}', and no service is configured to answer it: test it with a mock"
    );
    Failure::new(error::TASK_FAILED, cause)
}
