//! Pass: passes its input on, or a fixed result.
//!
//! ```text
//! enter --> PassStateEntered, PassStateExited -> Next | End
//! ```

use stepwell_asl::{DataFlow, Pass, State};

use crate::data_flow::{self, Leaving, onward};
use crate::decide::Burst;
use crate::execution::ThreadId;
use crate::failure::Failure;
use crate::scope::Surroundings;

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, state: &State, pass: &Pass) {
    let leaving = leaving(&burst.around(thread), state, pass);
    burst.leave(thread, leaving);
}

fn leaving(around: &Surroundings<'_>, state: &State, pass: &Pass) -> Result<Leaving, Failure> {
    let effective = data_flow::effective_input(around, state)?;
    let onward = onward(pass.transition);
    match &state.data_flow {
        DataFlow::JsonPath(_) => {
            let arguments = data_flow::arguments(around, state, &effective)?;
            let result = pass.result.as_ref().unwrap_or(&arguments);
            data_flow::leave_with_result(around, state, result, onward)
        }
        DataFlow::Jsonata(_) => data_flow::leave_with_input(around, state, &effective, onward),
    }
}
