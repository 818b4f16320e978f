//! The named types that are no structures: texts, numbers, flags and lists, with their constraints.
//!
//! Named as AWS names them, in capitals.

use super::{
    ActivityListItem, ExecutionListItem, Kind, LogDestination, MapRunListItem, RoutingConfigurationListItem, Shape,
    StateMachineAliasListItem, StateMachineListItem, StateMachineVersionListItem, Structure, Tag,
    ValidateStateMachineDefinitionDiagnostic,
};

/// What the length of a text counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Unicode characters.
    Characters,
    /// Bytes of UTF-8. The model does not tell; the service says so when it refuses a text.
    Bytes,
}

/// What a whole text must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Printable ASCII without the space.
    Visible,
    /// ASCII.
    Ascii,
    /// Letters, digits, `_`, `-` and `.`, and not digits alone.
    RestrictedName,
}

impl Pattern {
    /// The regular expression of AWS's model.
    pub fn text(self) -> &'static str {
        match self {
            Pattern::Visible => "[!-~]+",
            Pattern::Ascii => r"\p{ASCII}*",
            Pattern::RestrictedName => r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$",
        }
    }

    /// Whether the whole text matches.
    pub fn matches(self, text: &str) -> bool {
        let mut bytes = text.bytes();
        match self {
            Pattern::Visible => !text.is_empty() && bytes.all(|byte| byte.is_ascii_graphic()),
            Pattern::Ascii => text.is_ascii(),
            Pattern::RestrictedName => {
                let is_mark = |byte: u8| matches!(byte, b'_' | b'-' | b'.');
                bytes.all(|byte| byte.is_ascii_alphanumeric() || is_mark(byte))
                    && text.bytes().any(|byte| !byte.is_ascii_digit())
            }
        }
    }
}

const fn of(name: &'static str, kind: Kind) -> Shape {
    Shape { name, kind, sensitive: false }
}

const fn text(name: &'static str) -> Shape {
    of(name, Kind::Text { min: None, max: None, measure: Measure::Characters, pattern: None })
}

const fn integer(name: &'static str, min: Option<i64>, max: Option<i64>) -> Shape {
    of(name, Kind::Integer { min, max })
}

const fn long(name: &'static str, min: Option<i64>) -> Shape {
    of(name, Kind::Long { min })
}

const fn float(name: &'static str, min: f64, max: f64) -> Shape {
    of(name, Kind::Float { min, max })
}

const fn list(name: &'static str, items: &'static Shape, min: Option<u64>, max: Option<u64>) -> Shape {
    of(name, Kind::List { items, min, max })
}

impl Shape {
    const fn at_least(mut self, least: u64) -> Shape {
        if let Kind::Text { min, .. } = &mut self.kind {
            *min = Some(least);
        }
        self
    }

    const fn at_most(mut self, most: u64) -> Shape {
        if let Kind::Text { max, .. } = &mut self.kind {
            *max = Some(most);
        }
        self
    }

    const fn at_most_bytes(mut self, most: u64) -> Shape {
        if let Kind::Text { max, measure, .. } = &mut self.kind {
            *max = Some(most);
            *measure = Measure::Bytes;
        }
        self
    }

    const fn matching(mut self, required: Pattern) -> Shape {
        if let Kind::Text { pattern, .. } = &mut self.kind {
            *pattern = Some(required);
        }
        self
    }

    const fn sensitive(mut self) -> Shape {
        self.sensitive = true;
        self
    }
}

pub(crate) const ALIAS_DESCRIPTION: &Shape = &text("AliasDescription").at_most(256).sensitive();
pub(crate) const ARN: &Shape = &text("Arn").at_least(1).at_most(256);
pub(crate) const CHARACTER_RESTRICTED_NAME: &Shape =
    &text("CharacterRestrictedName").at_least(1).at_most(80).matching(Pattern::RestrictedName);
pub(crate) const CLIENT_TOKEN: &Shape = &text("ClientToken").at_least(1).at_most(64).matching(Pattern::Visible);
pub(crate) const DEFINITION: &Shape = &text("Definition").at_least(1).at_most(1_048_576).sensitive();
pub(crate) const HTTP_BODY: &Shape = &text("HTTPBody");
pub(crate) const HTTP_HEADERS: &Shape = &text("HTTPHeaders");
pub(crate) const HTTP_METHOD: &Shape = &text("HTTPMethod");
pub(crate) const HTTP_PROTOCOL: &Shape = &text("HTTPProtocol");
pub(crate) const HTTP_STATUS_CODE: &Shape = &text("HTTPStatusCode");
pub(crate) const HTTP_STATUS_MESSAGE: &Shape = &text("HTTPStatusMessage");
pub(crate) const KMS_KEY_ID: &Shape = &text("KmsKeyId").at_least(1).at_most(2_048);
pub(crate) const LIST_EXECUTIONS_PAGE_TOKEN: &Shape = &text("ListExecutionsPageToken").at_least(1).at_most(3_096);
pub(crate) const LONG_ARN: &Shape = &text("LongArn").at_least(1).at_most(2_000);
pub(crate) const MAP_RUN_LABEL: &Shape = &text("MapRunLabel");
pub(crate) const NAME: &Shape = &text("Name").at_least(1).at_most(80);
pub(crate) const PAGE_TOKEN: &Shape = &text("PageToken").at_least(1).at_most(1_024);
pub(crate) const REVISION_ID: &Shape = &text("RevisionId");
pub(crate) const SENSITIVE_CAUSE: &Shape = &text("SensitiveCause").at_least(0).at_most(32_768).sensitive();
pub(crate) const SENSITIVE_DATA: &Shape = &text("SensitiveData").at_most_bytes(262_144).sensitive();
pub(crate) const SENSITIVE_DATA_JOB_INPUT: &Shape = &text("SensitiveDataJobInput").at_most_bytes(1_048_576).sensitive();
pub(crate) const SENSITIVE_ERROR: &Shape = &text("SensitiveError").at_least(0).at_most(256).sensitive();
pub(crate) const STATE_NAME: &Shape = &text("StateName").at_least(1).at_most(80);
pub(crate) const TAG_KEY: &Shape = &text("TagKey").at_least(1).at_most(128);
pub(crate) const TAG_VALUE: &Shape = &text("TagValue").at_least(0).at_most(256);
pub(crate) const TASK_TOKEN: &Shape = &text("TaskToken").at_least(1).at_most(2_048).sensitive();
pub(crate) const TEST_STATE_STATE_NAME: &Shape = &text("TestStateStateName").at_least(1).at_most(80).sensitive();
pub(crate) const TRACE_HEADER: &Shape = &text("TraceHeader").at_least(0).at_most(256).matching(Pattern::Ascii);
pub(crate) const URL: &Shape = &text("URL");
pub(crate) const VALIDATE_STATE_MACHINE_DEFINITION_CODE: &Shape =
    &text("ValidateStateMachineDefinitionCode").sensitive();
pub(crate) const VALIDATE_STATE_MACHINE_DEFINITION_LOCATION: &Shape =
    &text("ValidateStateMachineDefinitionLocation").sensitive();
pub(crate) const VALIDATE_STATE_MACHINE_DEFINITION_MESSAGE: &Shape =
    &text("ValidateStateMachineDefinitionMessage").sensitive();
pub(crate) const VARIABLE_NAME: &Shape = &text("VariableName").sensitive();
pub(crate) const VERSION_DESCRIPTION: &Shape = &text("VersionDescription").at_most(256).sensitive();

pub(crate) const EXCEPTION_HANDLER_INDEX: &Shape = &integer("ExceptionHandlerIndex", Some(0), None).sensitive();
pub(crate) const INSPECTION_MAX_CONCURRENCY: &Shape = &integer("InspectionMaxConcurrency", Some(0), None).sensitive();
pub(crate) const INSPECTION_TOLERATED_FAILURE_COUNT: &Shape =
    &integer("InspectionToleratedFailureCount", Some(0), None).sensitive();
pub(crate) const KMS_DATA_KEY_REUSE_PERIOD_SECONDS: &Shape =
    &integer("KmsDataKeyReusePeriodSeconds", Some(60), Some(900));
pub(crate) const MAP_ITERATION_FAILURE_COUNT: &Shape = &integer("MapIterationFailureCount", Some(0), None);
pub(crate) const MAX_CONCURRENCY: &Shape = &integer("MaxConcurrency", Some(0), None);
pub(crate) const PAGE_SIZE: &Shape = &integer("PageSize", Some(0), Some(1_000));
pub(crate) const REDRIVE_COUNT: &Shape = &integer("RedriveCount", None, None);
pub(crate) const RETRIER_RETRY_COUNT: &Shape = &integer("RetrierRetryCount", Some(0), None);
pub(crate) const RETRY_BACKOFF_INTERVAL_SECONDS: &Shape =
    &integer("RetryBackoffIntervalSeconds", Some(0), None).sensitive();
pub(crate) const UNSIGNED_INTEGER: &Shape = &integer("UnsignedInteger", Some(0), None);
pub(crate) const VALIDATE_STATE_MACHINE_DEFINITION_MAX_RESULT: &Shape =
    &integer("ValidateStateMachineDefinitionMaxResult", Some(0), Some(100));
pub(crate) const VERSION_WEIGHT: &Shape = &integer("VersionWeight", Some(0), Some(100));

pub(crate) const BILLED_DURATION: &Shape = &long("BilledDuration", Some(0));
pub(crate) const BILLED_MEMORY_USED: &Shape = &long("BilledMemoryUsed", Some(0));
pub(crate) const LONG_OBJECT: &Shape = &long("LongObject", None);
pub(crate) const TOLERATED_FAILURE_COUNT: &Shape = &long("ToleratedFailureCount", Some(0));
pub(crate) const UNSIGNED_LONG: &Shape = &long("UnsignedLong", Some(0));

pub(crate) const INSPECTION_TOLERATED_FAILURE_PERCENTAGE: &Shape =
    &float("InspectionToleratedFailurePercentage", 0.0, 100.0).sensitive();
pub(crate) const TOLERATED_FAILURE_PERCENTAGE: &Shape = &float("ToleratedFailurePercentage", 0.0, 100.0);

pub(crate) const ENABLED: &Shape = &of("Enabled", Kind::Boolean);
pub(crate) const INCLUDE_EXECUTION_DATA: &Shape = &of("IncludeExecutionData", Kind::Boolean);
pub(crate) const INCLUDE_EXECUTION_DATA_GET_EXECUTION_HISTORY: &Shape =
    &of("IncludeExecutionDataGetExecutionHistory", Kind::Boolean);
pub(crate) const PUBLISH: &Shape = &of("Publish", Kind::Boolean);
pub(crate) const REVEAL_SECRETS: &Shape = &of("RevealSecrets", Kind::Boolean);
pub(crate) const REVERSE_ORDER: &Shape = &of("ReverseOrder", Kind::Boolean);
pub(crate) const VALIDATE_STATE_MACHINE_DEFINITION_TRUNCATED: &Shape =
    &of("ValidateStateMachineDefinitionTruncated", Kind::Boolean);
pub(crate) const INCLUDED_DETAILS: &Shape = &of("includedDetails", Kind::Boolean);

pub(crate) const TIMESTAMP: &Shape = &of("Timestamp", Kind::Timestamp);

pub(crate) const ACTIVITY_LIST: &Shape = &list("ActivityList", ActivityListItem::SHAPE, None, None);
pub(crate) const EXECUTION_LIST: &Shape = &list("ExecutionList", ExecutionListItem::SHAPE, None, None);
pub(crate) const HISTORY_EVENT_LIST: &Shape = &list("HistoryEventList", HISTORY_EVENT, None, None);
pub(crate) const LOG_DESTINATION_LIST: &Shape = &list("LogDestinationList", LogDestination::SHAPE, None, None);
pub(crate) const MAP_RUN_LIST: &Shape = &list("MapRunList", MapRunListItem::SHAPE, None, None);
pub(crate) const ROUTING_CONFIGURATION_LIST: &Shape =
    &list("RoutingConfigurationList", RoutingConfigurationListItem::SHAPE, Some(1), Some(2));
pub(crate) const STATE_MACHINE_ALIAS_LIST: &Shape =
    &list("StateMachineAliasList", StateMachineAliasListItem::SHAPE, None, None);
pub(crate) const STATE_MACHINE_LIST: &Shape = &list("StateMachineList", StateMachineListItem::SHAPE, None, None);
pub(crate) const STATE_MACHINE_VERSION_LIST: &Shape =
    &list("StateMachineVersionList", StateMachineVersionListItem::SHAPE, None, None);
pub(crate) const TAG_KEY_LIST: &Shape = &list("TagKeyList", TAG_KEY, None, None);
pub(crate) const TAG_LIST: &Shape = &list("TagList", Tag::SHAPE, None, None);
pub(crate) const VALIDATE_STATE_MACHINE_DEFINITION_DIAGNOSTIC_LIST: &Shape =
    &list("ValidateStateMachineDefinitionDiagnosticList", ValidateStateMachineDefinitionDiagnostic::SHAPE, None, None);
pub(crate) const VARIABLE_NAME_LIST: &Shape = &list("VariableNameList", VARIABLE_NAME, None, None);

pub(crate) const VARIABLE_REFERENCES: &Shape =
    &of("VariableReferences", Kind::Map { names: STATE_NAME, values: VARIABLE_NAME_LIST }).sensitive();

/// What stands in [`super::GetExecutionHistoryOutput::events`].
pub(crate) const HISTORY_EVENT: &Shape = &of("HistoryEvent", Kind::Event);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        let check = |pattern: Pattern, good: &[&str], bad: &[&str]| {
            for text in good {
                assert!(pattern.matches(text), "{} {text:?}", pattern.text());
            }
            for text in bad {
                assert!(!pattern.matches(text), "{} {text:?}", pattern.text());
            }
        };
        check(Pattern::Visible, &["a", "!~", "0-9"], &["", " ", "a b", "é", "\n", "\u{7f}"]);
        check(Pattern::Ascii, &["", "Root=1-2;Sampled=1", "\0"], &["é", "aé"]);
        check(Pattern::RestrictedName, &["a", "1a", "-", "1.2", "A_b-c.D"], &["", "1", "42", "a b", "a\n", "é", "a/b"]);
    }
}
