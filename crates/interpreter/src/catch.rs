//! Catch: which Catcher takes a failure, and what it passes on.

use stepwell_asl::{DataFlow, State};
use stepwell_spec::Onward;

use crate::data_flow::{self, Leaving};
use crate::failure::Failure;
use crate::query::Location;
use crate::scope::{States, Surroundings};

/// What the state leaves with when a Catcher takes the failure; `None` when there is none for it.
///
/// Only the Catcher's own `Assign` runs, not the state's. JSONPath: the error output goes where `ResultPath` says, `$`
/// by default. JSONata: `Output`, by default the error output itself.
/// Source: States Language, "Fallback states"; Developer Guide, "Handling errors".
pub(crate) fn caught(around: &Surroundings<'_>, state: &State, failure: &Failure) -> Option<Result<Leaving, Failure>> {
    let catchers = state.catchers();
    let place = catchers.iter().position(|catcher| failure.is_any_of(&catcher.error_equals))?;
    let catcher = &catchers[place];
    let error_output = failure.error_output();
    let input = &around.active().input;
    let onward = Onward::State(catcher.next.0);
    let leave = || match &state.data_flow {
        DataFlow::JsonPath(_) => {
            let assigned = data_flow::assign_from_path(around, catcher.assign.as_ref(), &error_output)?;
            let output = data_flow::place_result(around, &catcher.result_path, input, error_output.clone())?;
            data_flow::finish(around, state, output, assigned, onward)
        }
        DataFlow::Jsonata(_) => {
            let states = States::new(around, input).with_error_output(&error_output);
            let catch = Location::Field("Catch");
            let entry = Location::Item(&catch, place);
            let output_location = Location::Member(&entry, "Output");
            let output = data_flow::evaluate_output(catcher.output.as_ref(), &output_location, &states, &error_output)?;
            let assign_location = Location::Member(&entry, "Assign");
            let assigned = data_flow::assign_from_query(catcher.assign.as_ref(), &assign_location, &states)?;
            data_flow::finish(around, state, output, assigned, onward)
        }
    };
    Some(leave())
}
