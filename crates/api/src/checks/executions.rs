//! Starting and listing executions.

use stepwell_json::{Json, SyntaxErrorKind};
use stepwell_spec::shapes::{ListExecutionsInput, StartExecutionInput, StartSyncExecutionInput};
use stepwell_spec::{Exception, quota};

use super::check_name;
use crate::arns::{MachineRef, MapRunRef};
use crate::refusal::Refusal;

pub(super) fn check_start(request: &StartExecutionInput) -> Result<(), Refusal> {
    check_started(&request.state_machine_arn, request.name.as_deref(), request.input.as_deref())
}

pub(super) fn check_start_sync(request: &StartSyncExecutionInput) -> Result<(), Refusal> {
    check_started(&request.state_machine_arn, request.name.as_deref(), request.input.as_deref())
}

fn check_started(machine: &str, name: Option<&str>, input: Option<&str>) -> Result<(), Refusal> {
    MachineRef::parse(machine)?.refuse_label(machine)?;
    name.map_or(Ok(()), check_name)?;
    execution_input(input).map(drop)
}

/// The input of an execution as a tree: `{}` when none is given. Refuses with `InvalidExecutionInput` what is not JSON.
pub fn execution_input(text: Option<&str>) -> Result<Json, Refusal> {
    match text {
        None => Ok(Json::empty_object()),
        Some(text) => check_payload(text).map_err(|why| {
            let message = format!("Invalid State Machine Execution Input: '{why}'");
            Refusal::new(Exception::InvalidExecutionInput, message)
        }),
    }
}

/// A payload as a tree. The failure is what AWS puts between the quotes of its message.
pub fn check_payload(text: &str) -> Result<Json, String> {
    Json::parse(text).map_err(|error| match error.kind {
        SyntaxErrorKind::Empty => "Invalid execution input.".to_owned(),
        _ => error.in_jackson_words(text).what,
    })
}

/// Executions are listed of a state machine or of a Map Run, not of both or neither. The texts are ours.
pub(super) fn check_list(request: &ListExecutionsInput) -> Result<(), Refusal> {
    match (&request.state_machine_arn, &request.map_run_arn) {
        (Some(arn), None) if request.redrive_filter.is_none() => MachineRef::parse(arn).map(drop),
        (Some(_), None) => Err(Refusal::invalid_request("redriveFilter can only be specified with mapRunArn")),
        (None, Some(arn)) => MapRunRef::parse(arn).map(drop),
        (Some(_), Some(_)) => {
            Err(Refusal::invalid_request("Only one of stateMachineArn and mapRunArn can be specified"))
        }
        (None, None) => Err(Refusal::invalid_request("Either stateMachineArn or mapRunArn must be specified")),
    }
}

// The model's limit on a payload is the quota.
const _: () = assert!(quota::PAYLOAD_BYTES_MAX == 262_144);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_json() {
        let check = |text: &str, expected: &str| {
            let told = execution_input(Some(text)).err().map(|refusal| refusal.to_string()).unwrap_or_default();
            let expected = match expected {
                "" => String::new(),
                why => format!("InvalidExecutionInput: Invalid State Machine Execution Input: '{why}'"),
            };
            assert_eq!(told, expected, "{text}");
        };
        for good in ["2", "\"some text\"", "null", "{}", " [1] "] {
            check(good, "");
        }
        check("", "Invalid execution input.");
        check(
            "not some json",
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
        );
        check("{'not': 'json'", "Unexpected character (''' (code 39)): was expecting double-quote to start field name");
        assert_eq!(execution_input(None).map(|input| input.to_string()), Ok("{}".to_owned()));
        assert!(execution_input(Some(&"[".repeat(200_000))).is_err());
    }

    #[test]
    fn executions_are_listed_of_one_thing() {
        let machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m";
        let run = "arn:aws:states:us-east-1:123456789012:mapRun:m/l:id";
        let check = |machine: Option<&str>, run: Option<&str>| {
            check_list(&ListExecutionsInput {
                state_machine_arn: machine.map(Into::into),
                status_filter: None,
                max_results: None,
                next_token: None,
                map_run_arn: run.map(Into::into),
                redrive_filter: None,
            })
            .is_ok()
        };
        assert!(check(Some(machine), None) && check(None, Some(run)));
        assert!(!check(Some(machine), Some(run)) && !check(None, None) && !check(Some(run), None));
    }
}
