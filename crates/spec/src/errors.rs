//! Error names of the States Language: who may catch each, and what it means.

/// One error name that Step Functions itself reports.
#[derive(Clone, Copy, Debug)]
pub struct ErrorRow {
    /// The name, as `ErrorEquals` spells it.
    pub name: &'static str,
    /// Whether `States.ALL` stands for it.
    pub in_all: bool,
    /// Whether `States.TaskFailed` stands for it.
    pub in_task_failed: bool,
    /// When it is reported.
    pub meaning: &'static str,
}

/// The names, for use in code: one constant each.
pub mod error {
    /// Stands for every name except `States.Runtime`.
    pub const ALL: &str = "States.ALL";
    /// A state, task or execution took longer than it may.
    pub const TIMEOUT: &str = "States.Timeout";
    /// A task gave no sign of life in time.
    pub const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
    /// Stands for every failure of a task except a timeout.
    pub const TASK_FAILED: &str = "States.TaskFailed";
    /// A task may not do what it tries to.
    pub const PERMISSIONS: &str = "States.Permissions";
    /// `ResultPath` cannot be applied to the input.
    pub const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
    /// A path in `Parameters` finds nothing.
    pub const PARAMETER_PATH_FAILURE: &str = "States.ParameterPathFailure";
    /// A branch of a Parallel state failed.
    pub const BRANCH_FAILED: &str = "States.BranchFailed";
    /// No rule of a Choice state applies and it has no `Default`.
    pub const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
    /// An intrinsic function failed.
    pub const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
    /// More items of a Map Run failed than tolerated.
    pub const EXCEED_TOLERATED_FAILURE_THRESHOLD: &str = "States.ExceedToleratedFailureThreshold";
    /// `ItemReader` could not read its items.
    pub const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";
    /// `ResultWriter` could not write the results.
    pub const RESULT_WRITER_FAILED: &str = "States.ResultWriterFailed";
    /// A JSONata expression failed or gave a value of the wrong type.
    pub const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
    /// An input, output or result is larger than 256 KiB.
    pub const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
    /// The execution cannot go on.
    pub const RUNTIME: &str = "States.Runtime";
}

const fn row(name: &'static str, in_all: bool, in_task_failed: bool, meaning: &'static str) -> ErrorRow {
    ErrorRow { name, in_all, in_task_failed, meaning }
}

/// Every name of the language. A name that is not here is a task's own: both wildcards stand for it.
pub const ERRORS: &[ErrorRow] = &[
    row(
        error::ALL,
        true,
        true,
        "Stands for every error name but States.Runtime; last and alone in a Retrier or Catcher.",
    ),
    row(error::TIMEOUT, true, false, "A task or an execution took longer than TimeoutSeconds."),
    row(error::HEARTBEAT_TIMEOUT, true, true, "A task sent no heartbeat for HeartbeatSeconds."),
    row(error::TASK_FAILED, true, true, "Stands for every failure of a task except States.Timeout."),
    row(error::PERMISSIONS, true, true, "A task has not the privileges it needs."),
    row(error::RESULT_PATH_MATCH_FAILURE, true, true, "ResultPath cannot be applied to the state's input."),
    row(error::PARAMETER_PATH_FAILURE, true, true, "A path in a payload template finds nothing."),
    row(error::BRANCH_FAILED, true, true, "A branch of a Parallel state failed."),
    row(error::NO_CHOICE_MATCHED, true, true, "No Choice rule applies and there is no Default."),
    row(error::INTRINSIC_FAILURE, true, true, "An intrinsic function failed."),
    row(error::EXCEED_TOLERATED_FAILURE_THRESHOLD, true, true, "A Map Run had more failed items than tolerated."),
    row(error::ITEM_READER_FAILED, true, true, "ItemReader could not read its items."),
    row(error::RESULT_WRITER_FAILED, true, true, "ResultWriter could not write the results."),
    row(error::QUERY_EVALUATION_ERROR, true, true, "A JSONata expression failed, or gave nothing or a wrong type."),
    row(error::DATA_LIMIT_EXCEEDED, true, true, "An input, output or result exceeds 262,144 bytes."),
    row(error::RUNTIME, false, true, "The execution met something it cannot process, such as a path without a value."),
];
