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
//! Nothing is kept, and nothing outside is asked: what a task would call is mocked. Were there something to call, the task
//! that [`TestedState::task`] tells would go there between [`Test::begin`] and [`Test::end`].

mod answer;
mod items;
mod mock;
mod response_fields;
mod setup;
mod subject;

use stepwell_interpreter::{Chance, Failure, Moment, TaskRequest, TestedState};
use stepwell_json::Json;
use stepwell_spec::shapes::{InspectionLevel, TestStateInput, TestStateOutput};
use stepwell_spec::{Text, error};

use super::Place;
use crate::refusal::Refusal;

use answer::Texts;
use mock::Mock;
use subject::Subject;

/// Tests the state that the request tells of.
pub(super) fn test_state(place: &Place, input: &TestStateInput, at: Moment) -> Result<TestStateOutput, Refusal> {
    let chance = Chance::new(at);
    let drawn = || Moment { now: at.now, entropy: chance.draw() };
    let mut test = Test::begin(place, input, &chance, at)?;
    let work = match &test.mock {
        Some(mock) => Some(mock.answer(&test.tested, input.state_configuration.as_ref())),
        None => test.tested.task().map(|task| Err(unanswered(task))),
    };
    if let Some(work) = work {
        test.tested.answer(work, drawn());
    }
    Ok(test.end(input.inspection_level))
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

/// Why a task fails that has no mock: there is nothing to call yet.
fn unanswered(task: &TaskRequest) -> Failure {
    let (name, resource) = (&task.state_name, &task.resource.arn);
    let cause = format!(
        "The state '{name}' calls '{resource}', and no service is configured to answer it: test it with a mock"
    );
    Failure::new(error::TASK_FAILED, cause)
}
