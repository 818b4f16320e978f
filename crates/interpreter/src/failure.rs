//! A state's failure: data that Retry and Catch consume.

use stepwell_json::Json;
use stepwell_spec::{ERRORS, Text, error};

/// Why a state failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// The error name; a Fail state may leave it out.
    pub error: Option<Text>,
    /// The cause.
    pub cause: Option<Text>,
    /// Whether it also answers to `States.HeartbeatTimeout`, in every state it comes through.
    pub(crate) missed_heartbeat: bool,
    /// Whether it also answers to `States.BranchFailed`.
    pub(crate) of_branch: bool,
    /// Set when an expression failed: histories say so before anything else.
    pub(crate) evaluation: Option<EvaluationSite>,
    /// Whether the state itself could not go on, rather than its work: Map and Parallel then end without a `…Failed`.
    pub(crate) own_runtime: bool,
}

/// Where an expression failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct EvaluationSite {
    /// The field, as `Output/key`; none when the fault is not in a field.
    pub(crate) location: Option<Text>,
}

impl Failure {
    /// A failure with a name and a cause.
    pub fn new(error: &str, cause: impl Into<Text>) -> Failure {
        Failure { error: Some(error.into()), cause: Some(cause.into()), ..Failure::default() }
    }

    /// The object a Catcher passes on: `{"Error": …, "Cause": …}`. A named failure without a cause has an empty one; a
    /// worker that says nothing at all leaves both null.
    ///
    /// Source: recorded conversation callback/sqs_failure_in_wait_for_task_tok_no_error_field.
    pub(crate) fn error_output(&self) -> Json {
        let text = |part: &Text| Json::String(part.clone());
        let (error, without_cause) = match &self.error {
            Some(error) => (text(error), Json::string("")),
            None => (Json::Null, Json::Null),
        };
        Json::object([("Error", error), ("Cause", self.cause.as_ref().map_or(without_cause, text))])
    }

    /// Whether any of these names, as `ErrorEquals` lists them, is for this failure.
    pub fn is_any_of(&self, names: &[Text]) -> bool {
        names.iter().any(|name| match &**name {
            error::HEARTBEAT_TIMEOUT if self.missed_heartbeat => true,
            error::BRANCH_FAILED if self.of_branch => true,
            name => matches_error(name, self.error.as_deref()),
        })
    }
}

/// Whether a name of `ErrorEquals` is for an error of this name.
///
/// `States.ALL` and `States.TaskFailed` stand for many, as the table of errors says; a task's own names fall under both.
pub fn matches_error(name: &str, error_name: Option<&str>) -> bool {
    let Some(error_name) = error_name else { return name == error::ALL || name == error::TASK_FAILED };
    if name == error_name {
        return true;
    }
    let row = ERRORS.iter().find(|row| row.name == error_name);
    match name {
        error::ALL => row.is_none_or(|row| row.in_all),
        error::TASK_FAILED => row.is_none_or(|row| row.in_task_failed),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_what_the_table_says() {
        for (name, error_name, expected) in [
            ("MyError", "MyError", true),
            ("MyError", "myerror", false),
            ("States.ALL", "MyError", true),
            ("States.TaskFailed", "MyError", true),
            ("States.ALL", "States.Timeout", true),
            ("States.TaskFailed", "States.Timeout", false),
            ("States.ALL", "States.Runtime", false),
            ("States.Runtime", "States.Runtime", true),
            ("States.ALL", "States.DataLimitExceeded", true),
            ("States.Timeout", "States.HeartbeatTimeout", false),
        ] {
            assert_eq!(matches_error(name, Some(error_name)), expected, "{name} for {error_name}");
        }
        assert!(matches_error("States.ALL", None));
    }
}
