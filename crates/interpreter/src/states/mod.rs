//! The eight state types: what happens when one is entered, and when what it waits for comes back.

pub(crate) mod choice;
pub(crate) mod fail;
pub(crate) mod map;
pub(crate) mod map_run;
pub(crate) mod parallel;
pub(crate) mod pass;
pub(crate) mod succeed;
pub(crate) mod task;
pub(crate) mod wait;

use stepwell_asl::{MapMode, StateKind};

use crate::decide::Burst;
use crate::execution::ThreadId;

/// Begins the work of the state a thread is in: after it was entered, and again at each retry.
pub(crate) fn begin(burst: &mut Burst<'_>, thread: ThreadId) {
    let definition = burst.definition();
    let state = definition.state(burst.execution.active(thread).state);
    match &state.kind {
        StateKind::Pass(pass) => pass::enter(burst, thread, state, pass),
        StateKind::Task(task) => task::enter(burst, thread, state, task),
        StateKind::Choice(choice) => choice::enter(burst, thread, state, choice),
        StateKind::Wait(wait) => wait::enter(burst, thread, state, wait),
        StateKind::Succeed => succeed::enter(burst, thread, state),
        StateKind::Fail(fail) => fail::enter(burst, thread, fail),
        StateKind::Parallel(_) => parallel::enter(burst, thread, state),
        StateKind::Map(map) => match &map.mode {
            MapMode::Inline => map::enter(burst, thread, state, map),
            MapMode::Distributed(distributed) => map_run::enter(burst, thread, state, map, distributed),
        },
    }
}

/// Goes on with the branches or iterations of a redriven state: starts what has free slots, leaves when all are done.
/// What runs below it is resumed on its own.
pub(crate) fn resume_children(burst: &mut Burst<'_>, thread: ThreadId) {
    let definition = burst.definition();
    match definition.state(burst.execution.active(thread).state).kind {
        StateKind::Parallel(_) => parallel::branch_ended(burst, thread),
        StateKind::Map(_) => map::go_on(burst, thread),
        StateKind::Pass(_)
        | StateKind::Task(_)
        | StateKind::Choice(_)
        | StateKind::Wait(_)
        | StateKind::Succeed
        | StateKind::Fail(_) => {}
    }
}
