//! Parallel: runs its branches at once and leaves with all their outputs.
//!
//! ```text
//! enter -------------------> ParallelStateEntered, ParallelStateStarted, one thread per branch
//! the last branch ended ---> ParallelStateSucceeded, ParallelStateExited -> Next | End
//! a branch failed ---------> the others are aborted; retried, caught, or ParallelStateFailed
//! ```

use stepwell_asl::{Parallel, State, StateKind};
use stepwell_json::Json;
use stepwell_spec::{BranchesStarted, Event};

use crate::data_flow::{self, onward};
use crate::decide::Burst;
use crate::execution::{ThreadId, Work};

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, state: &State) {
    let around = burst.around(thread);
    let input = data_flow::effective_input(&around, state)
        .and_then(|effective| data_flow::arguments(&around, state, &effective));
    match input {
        Ok(input) => {
            burst.record_next(thread, Event::ParallelStateStarted);
            burst.record(thread, 0, Event::BranchesStarted(BranchesStarted { input }));
            for branch in burst.execution.children(thread) {
                burst.make_ready(branch);
            }
        }
        Err(failure) => burst.fail(thread, failure),
    }
}

/// One branch has ended; when it was the last, so has the state.
pub(crate) fn branch_ended(burst: &mut Burst<'_>, thread: ThreadId) {
    let definition = burst.definition();
    let active = burst.execution.active(thread);
    let state = definition.state(active.state);
    let (StateKind::Parallel(parallel), Work::Children(children)) = (&state.kind, &active.work) else { return };
    if children.done < children.results.len() {
        return;
    }
    let outputs = Json::Array(children.results.iter().flatten().cloned().collect());
    finish(burst, thread, state, parallel, &outputs);
}

/// Every branch has ended, with these outputs in the branches' order.
pub(crate) fn finish(burst: &mut Burst<'_>, thread: ThreadId, state: &State, parallel: &Parallel, outputs: &Json) {
    burst.record_next(thread, Event::ParallelStateSucceeded);
    let leaving = data_flow::leave_with_result(&burst.around(thread), state, outputs, onward(parallel.transition));
    burst.leave(thread, leaving);
}
