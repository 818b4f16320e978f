//! AWS's quotas as settings of an execution.

use stepwell_spec::quota;

/// What one execution may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of an input, output or result.
    pub payload_bytes_max: usize,
    /// Events in the history; past it the execution fails. Express executions have none.
    pub history_events_max: Option<u64>,
    /// Seconds the execution may run, whatever its definition says.
    pub execution_seconds_max: Option<u64>,
    /// Whether it can be redriven once it has failed, and its context object tells how often it was.
    pub is_redrivable: bool,
    /// Bytes of all variables together.
    pub variables_bytes_max: usize,
    /// Iterations of an inline Map at once.
    pub inline_map_concurrency_max: u64,
    /// Transitions one command may cause before the execution yields, so that none can starve its shard.
    pub transitions_per_burst: u32,
}

impl Settings {
    /// AWS's numbers for Standard executions.
    pub fn standard() -> Settings {
        Settings {
            payload_bytes_max: quota::PAYLOAD_BYTES_MAX,
            history_events_max: Some(quota::HISTORY_EVENTS_MAX),
            execution_seconds_max: Some(quota::STANDARD_EXECUTION_SECONDS_MAX),
            is_redrivable: true,
            variables_bytes_max: quota::VARIABLES_BYTES_MAX,
            inline_map_concurrency_max: quota::INLINE_MAP_CONCURRENCY_MAX,
            transitions_per_burst: 1_000,
        }
    }

    /// AWS's numbers for Express executions: five minutes, and no end to their events.
    pub fn express() -> Settings {
        Settings {
            history_events_max: None,
            execution_seconds_max: Some(quota::EXPRESS_EXECUTION_SECONDS_MAX),
            is_redrivable: false,
            ..Settings::standard()
        }
    }
}
