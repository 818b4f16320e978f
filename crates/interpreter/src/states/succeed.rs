//! Succeed: ends its workflow well.
//!
//! ```text
//! enter --> SucceedStateEntered, SucceedStateExited -> End
//! ```

use stepwell_asl::State;
use stepwell_spec::Onward;

use crate::data_flow;
use crate::decide::Burst;
use crate::execution::ThreadId;

pub(crate) fn enter(burst: &mut Burst<'_>, thread: ThreadId, state: &State) {
    let around = burst.around(thread);
    let leaving = data_flow::effective_input(&around, state)
        .and_then(|effective| data_flow::leave_with_input(&around, state, &effective, Onward::End));
    burst.leave(thread, leaving);
}
