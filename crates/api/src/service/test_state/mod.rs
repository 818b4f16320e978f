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
//! that [`TestedState::task`] tells would go there, and the rest would follow with its answer.

mod answer;
mod items;
mod mock;
mod response_fields;
mod setup;
mod subject;

use stepwell_interpreter::{Chance, Failure, Moment, TestedState};
use stepwell_spec::error;
use stepwell_spec::shapes::{TestStateInput, TestStateOutput};

use super::Place;
use crate::refusal::Refusal;

use answer::Texts;
use mock::Mock;
use subject::Subject;

/// Tests the state that the request tells of.
pub(super) fn test_state(place: &Place, input: &TestStateInput, at: Moment) -> Result<TestStateOutput, Refusal> {
    let chance = Chance::new(at);
    let subject = Subject::find(input)?;
    subject.check(input)?;
    let mock = input.mock.as_ref().map(|mock| Mock::read(mock, &subject)).transpose()?;
    let setup = setup::setup(place, input, &subject, &chance)?;
    let texts = Texts::of(input, &setup.start.input, mock.as_ref());
    let variables = setup.variables.clone();
    let entered_at = Moment { now: at.now, entropy: chance.draw() };
    let mut tested = TestedState::enter(setup, entered_at);
    let work = match &mock {
        Some(mock) => Some(mock.answer(&tested, input.state_configuration.as_ref())),
        None => tested.task().map(|task| {
            let cause = format!(
                "The state '{}' calls '{}', and no service is configured to answer it: test it with a mock",
                task.state_name, task.resource.arn
            );
            Err(Failure::new(error::TASK_FAILED, cause))
        }),
    };
    if let Some(work) = work {
        tested.answer(work, Moment { now: at.now, entropy: chance.draw() });
    }
    Ok(answer::answer(input.inspection_level, &subject, &tested, &texts, variables))
}

#[cfg(test)]
mod tests;
