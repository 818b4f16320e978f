//! While there is no room on the disk: what only reads is answered, what would write is refused and asked again by its
//! client, and timers and answers of tasks wait.

use std::time::Duration;

use stepwell_api::Refusal;
use stepwell_json::Json;
use stepwell_protocol::{AwsError, Fault};
use stepwell_spec::{Action, ProtocolError};

use super::{LocalCall, Message, Next, Shard};
use std::sync::mpsc::RecvTimeoutError;

/// How long to wait for a message before it is looked whether there is room again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

const MESSAGE: &str = "There is no room on the disk of the server. Nothing was done; try again.";

impl Shard {
    /// One message. `false` when there is nothing more to do here.
    pub(super) fn turn_while_full(&mut self) -> bool {
        match self.messages.recv_timeout(LOOK_AGAIN) {
            Ok(Message::Call(call, caller)) if !only_reads(call.request.action()) => {
                caller.answer(Err(Refusal::protocol(ProtocolError::ThrottlingException, MESSAGE)));
                true
            }
            Ok(Message::Ask(asked, caller)) if !is_reading(&asked) => {
                caller.answer(Err(full()));
                true
            }
            Ok(message) => self.take(Next::Message(message)),
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }
}

/// Whether an action leaves everything as it is.
fn only_reads(action: Action) -> bool {
    let name = action.facts().name;
    let is_named_so = ["Describe", "List", "Validate"].iter().any(|verb| name.starts_with(verb));
    is_named_so || action == Action::GetExecutionHistory
}

/// Whether an action of a local service does, by the verbs that AWS gives such.
fn is_reading(asked: &LocalCall) -> bool {
    let verbs = ["Describe", "Get", "List", "BatchGet", "Filter", "Test", "Simulate"];
    verbs.iter().any(|verb| asked.call.action.starts_with(verb))
}

fn full() -> AwsError {
    AwsError {
        code: "ServiceUnavailable".into(),
        message: Some(MESSAGE.into()),
        status: 503,
        fault: Fault::Server,
        request_id: "".into(),
        members: Json::empty_object(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_is_known_by_its_name() {
        let reading: Vec<&str> =
            Action::ALL.iter().filter(|action| only_reads(**action)).map(|action| action.facts().name).collect();
        let expected = [
            "DescribeActivity",
            "DescribeExecution",
            "DescribeMapRun",
            "DescribeStateMachine",
            "DescribeStateMachineAlias",
            "DescribeStateMachineForExecution",
            "GetExecutionHistory",
            "ListActivities",
            "ListExecutions",
            "ListMapRuns",
            "ListStateMachineAliases",
            "ListStateMachineVersions",
            "ListStateMachines",
            "ListTagsForResource",
            "ValidateStateMachineDefinition",
        ];
        let sorted: std::collections::BTreeSet<&str> = reading.into_iter().collect();
        assert_eq!(sorted, expected.into_iter().collect());
    }
}
