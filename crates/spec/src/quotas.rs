//! Limits that AWS sets, as numbers with their unit and source.

/// One limit.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Stable name.
    pub name: &'static str,
    /// AWS's number.
    pub value: u64,
    /// What is counted.
    pub unit: &'static str,
    /// Where AWS says so.
    pub source: &'static str,
}

/// The numbers, for use in code: one constant each.
pub mod quota {
    /// Bytes of one input, output or result, as compact JSON in UTF-8.
    pub const PAYLOAD_BYTES_MAX: usize = 262_144;
    /// Bytes of a payload, escaped, that a log event has room for, and an event of EventBridge for input and output.
    pub const ESCAPED_PAYLOAD_BYTES_MAX: usize = 253_952;
    /// Events in the history of one Standard execution.
    pub const HISTORY_EVENTS_MAX: u64 = 25_000;
    /// Characters of a definition.
    pub const DEFINITION_CHARACTERS_MAX: usize = 1_048_576;
    /// Characters of a state's name.
    pub const STATE_NAME_CHARACTERS_MAX: usize = 80;
    /// Characters of a variable's name.
    pub const VARIABLE_NAME_CHARACTERS_MAX: usize = 80;
    /// Bytes of one variable.
    pub const VARIABLE_BYTES_MAX: usize = 262_144;
    /// Bytes of all variables of one execution.
    pub const VARIABLES_BYTES_MAX: usize = 10_485_760;
    /// Iterations of an inline Map that run at once.
    pub const INLINE_MAP_CONCURRENCY_MAX: u64 = 40;
    /// Child executions of one Map Run that run at once.
    pub const DISTRIBUTED_MAP_CONCURRENCY_MAX: usize = 10_000;
    /// Seconds of a Wait, a timeout or an interval.
    pub const SECONDS_MAX: u64 = 99_999_999;
    /// Seconds of `MaxDelaySeconds`.
    pub const RETRY_DELAY_SECONDS_MAX: u64 = 31_622_400;
    /// Seconds a Standard execution may run.
    pub const STANDARD_EXECUTION_SECONDS_MAX: u64 = 31_536_000;
    /// Seconds an Express execution may run.
    pub const EXPRESS_EXECUTION_SECONDS_MAX: u64 = 300;
    /// Characters of a Map state's label.
    pub const MAP_LABEL_CHARACTERS_MAX: usize = 40;
    /// Characters of a task token.
    pub const TASK_TOKEN_CHARACTERS_MAX: usize = 2_048;
    /// State machines of one account in one region.
    pub const STATE_MACHINES_MAX: usize = 100_000;
    /// Activities of one account in one region.
    pub const ACTIVITIES_MAX: usize = 100_000;
    /// Versions of one state machine.
    pub const VERSIONS_MAX: usize = 1_000;
    /// Aliases of one state machine.
    pub const ALIASES_MAX: usize = 100;
    /// Tags of one state machine or activity.
    pub const RESOURCE_TAGS_MAX: usize = 50;
}

const fn row(name: &'static str, value: u64, unit: &'static str, source: &'static str) -> Quota {
    Quota { name, value, unit, source }
}

const GUIDE: &str = "Developer Guide, Service quotas";
const NOTICES: &str = "Developer Guide, CloudWatch Logs payloads, EventBridge payloads";
const MODEL: &str = "API model";

/// Every limit, for the reference page and for settings.
pub const QUOTAS: &[Quota] = &[
    row("payload", quota::PAYLOAD_BYTES_MAX as u64, "bytes", GUIDE),
    row(
        "payload in a log event or an EventBridge event",
        quota::ESCAPED_PAYLOAD_BYTES_MAX as u64,
        "escaped bytes",
        NOTICES,
    ),
    row("history", quota::HISTORY_EVENTS_MAX, "events", GUIDE),
    row("definition", quota::DEFINITION_CHARACTERS_MAX as u64, "characters", MODEL),
    row("state name", quota::STATE_NAME_CHARACTERS_MAX as u64, "characters", MODEL),
    row("variable name", quota::VARIABLE_NAME_CHARACTERS_MAX as u64, "characters", GUIDE),
    row("variable", quota::VARIABLE_BYTES_MAX as u64, "bytes", GUIDE),
    row("variables of an execution", quota::VARIABLES_BYTES_MAX as u64, "bytes", GUIDE),
    row("inline Map concurrency", quota::INLINE_MAP_CONCURRENCY_MAX, "iterations", GUIDE),
    row("distributed Map concurrency", quota::DISTRIBUTED_MAP_CONCURRENCY_MAX as u64, "child executions", GUIDE),
    row("wait, timeout, retry interval", quota::SECONDS_MAX, "seconds", "States Language"),
    row("retry delay", quota::RETRY_DELAY_SECONDS_MAX, "seconds", "States Language"),
    row("Standard execution", quota::STANDARD_EXECUTION_SECONDS_MAX, "seconds", GUIDE),
    row("Express execution", quota::EXPRESS_EXECUTION_SECONDS_MAX, "seconds", GUIDE),
    row("Map label", quota::MAP_LABEL_CHARACTERS_MAX as u64, "characters", "States Language"),
    row("task token", quota::TASK_TOKEN_CHARACTERS_MAX as u64, "characters", MODEL),
    row("state machines of an account in a region", quota::STATE_MACHINES_MAX as u64, "state machines", GUIDE),
    row("activities of an account in a region", quota::ACTIVITIES_MAX as u64, "activities", GUIDE),
    row("versions of a state machine", quota::VERSIONS_MAX as u64, "versions", MODEL),
    row("aliases of a state machine", quota::ALIASES_MAX as u64, "aliases", MODEL),
    row("tags of a resource", quota::RESOURCE_TAGS_MAX as u64, "tags", MODEL),
];
