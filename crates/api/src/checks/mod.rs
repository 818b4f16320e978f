//! What can be judged of a request without knowing what exists: names, ARNs, payloads, configurations that must fit
//! together.
//!
//! The constraints of the model have been checked before. Each group of actions has its file; [`check`] is the way in.

mod activities;
mod executions;
mod names;
mod state_machines;
mod tags;
mod test_state;
mod versions;

use stepwell_spec::Request;

use crate::arns::{ActivityRef, ExecutionRef, MachineRef, MapRunRef, TaggedRef};
use crate::refusal::Refusal;

pub use activities::task_output;
pub use executions::{check_payload, execution_input};
pub use names::check_name;
pub use tags::check_tags;

/// Refuses a request that cannot be granted whatever exists.
pub fn check(request: &Request) -> Result<(), Refusal> {
    match request {
        Request::CreateStateMachine(request) => state_machines::check_create(request),
        Request::UpdateStateMachine(request) => state_machines::check_update(request),
        Request::DescribeStateMachine(request) => MachineRef::parse(&request.state_machine_arn).map(drop),
        Request::DescribeStateMachineForExecution(request) => {
            ExecutionRef::parse_shown(&request.execution_arn).map(drop)
        }
        Request::ListStateMachines(_) | Request::ListActivities(_) => Ok(()),
        Request::DeleteStateMachine(request) => MachineRef::parse_unqualified(&request.state_machine_arn).map(drop),
        Request::PublishStateMachineVersion(request) => {
            MachineRef::parse_unqualified(&request.state_machine_arn).map(drop)
        }
        Request::ListStateMachineVersions(request) => {
            MachineRef::parse_unqualified(&request.state_machine_arn).map(drop)
        }
        Request::DeleteStateMachineVersion(request) => {
            MachineRef::parse_version(&request.state_machine_version_arn).map(drop)
        }
        Request::CreateStateMachineAlias(request) => versions::check_create_alias(request),
        Request::UpdateStateMachineAlias(request) => versions::check_update_alias(request),
        Request::DescribeStateMachineAlias(request) => {
            MachineRef::parse_alias(&request.state_machine_alias_arn).map(drop)
        }
        Request::ListStateMachineAliases(request) => {
            MachineRef::parse(&request.state_machine_arn)?.refuse_label(&request.state_machine_arn)
        }
        Request::DeleteStateMachineAlias(request) => {
            MachineRef::parse_alias(&request.state_machine_alias_arn).map(drop)
        }
        Request::StartExecution(request) => executions::check_start(request),
        Request::StartSyncExecution(request) => executions::check_start_sync(request),
        Request::StopExecution(request) => ExecutionRef::parse(&request.execution_arn).map(drop),
        Request::RedriveExecution(request) => ExecutionRef::parse(&request.execution_arn).map(drop),
        Request::DescribeExecution(request) => ExecutionRef::parse_shown(&request.execution_arn).map(drop),
        Request::ListExecutions(request) => executions::check_list(request),
        Request::GetExecutionHistory(request) => ExecutionRef::parse(&request.execution_arn).map(drop),
        Request::DescribeMapRun(request) => MapRunRef::parse(&request.map_run_arn).map(drop),
        Request::ListMapRuns(request) => ExecutionRef::parse(&request.execution_arn).map(drop),
        Request::UpdateMapRun(request) => MapRunRef::parse(&request.map_run_arn).map(drop),
        Request::CreateActivity(request) => activities::check_create(request),
        Request::DescribeActivity(request) => ActivityRef::parse(&request.activity_arn).map(drop),
        Request::DeleteActivity(request) => ActivityRef::parse(&request.activity_arn).map(drop),
        Request::GetActivityTask(request) => ActivityRef::parse(&request.activity_arn).map(drop),
        Request::SendTaskSuccess(request) => task_output(&request.output).map(drop),
        // Their tokens are opaque here.
        Request::SendTaskFailure(_) | Request::SendTaskHeartbeat(_) => Ok(()),
        Request::TagResource(request) => {
            TaggedRef::parse(&request.resource_arn)?;
            check_tags(&request.tags, &request.resource_arn)
        }
        Request::UntagResource(request) => TaggedRef::parse(&request.resource_arn).map(drop),
        Request::ListTagsForResource(request) => TaggedRef::parse(&request.resource_arn).map(drop),
        Request::TestState(request) => test_state::check(request),
        // A bad definition is an answer, not a refusal.
        Request::ValidateStateMachineDefinition(_) => Ok(()),
    }
}
