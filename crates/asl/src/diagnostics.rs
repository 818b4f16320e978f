//! What is wrong with a definition, in two voices: ours, for people at their desk, and AWS's, for the API.
//!
//! Owns the codes and the shape of a diagnostic. Knows nothing of how faults are found.

use std::fmt;

use stepwell_json::{Pointer, Position, Span};

/// Whether a definition with such a fault is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It is refused.
    Error,
    /// It is accepted, and most likely not what was meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// One fault of a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// What kind of fault it is.
    pub code: Code,
    /// Whether it refuses the definition.
    pub severity: Severity,
    /// The faulty value; the object, for a field that is missing.
    pub pointer: Pointer,
    /// Where in the text to point, in bytes.
    pub span: Span,
    /// Line and column of the span's start, from 1.
    pub position: Position,
    /// What is wrong, in one sentence without full stop.
    pub message: String,
    /// How it can be mended, if there is a good guess: `did you mean "Next"?`
    pub suggestion: Option<String>,
    /// What AWS says to it; none for warnings of our own.
    pub aws: Option<AwsVoice>,
}

/// A fault as `ValidateStateMachineDefinition` reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsVoice {
    /// `SCHEMA_VALIDATION_FAILED`, `MISSING_TRANSITION_TARGET`.
    pub code: &'static str,
    /// The text.
    pub message: String,
    /// `/States/Greet/Next`, in AWS's way of writing it: `[0]` for items. Some faults have none.
    pub location: Option<String>,
}

impl fmt::Display for Diagnostic {
    /// `3:5: error[missing-target]: there is no state "B" here; did you mean "b"?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{line}:{column}: {}[{}]: {}", self.severity, self.code, self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// The message of AWS's `InvalidDefinition` exception for these diagnostics; warnings are left out.
///
/// `Invalid State Machine Definition: 'CODE: message at location, CODE: message at location'`
pub fn invalid_definition_message(diagnostics: &[Diagnostic]) -> String {
    let faults: Vec<String> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .filter_map(|diagnostic| diagnostic.aws.as_ref())
        .map(|voice| {
            // Observed: where there is no location, the service prints Java's word for that.
            let location = voice.location.as_deref().unwrap_or("null");
            format!("{}: {} at {location}", voice.code, voice.message)
        })
        .collect();
    format!("Invalid State Machine Definition: '{}'", faults.join(", "))
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal $severity:ident;)+) => {
        /// The kinds of faults. Names are stable: tools may rely on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every kind.
            pub const ALL: &[Code] = &[$(Code::$variant,)+];

            /// Its stable name, in kebab case.
            pub fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)+
                }
            }

            /// Whether faults of this kind refuse a definition.
            pub fn severity(self) -> Severity {
                match self {
                    $(Code::$variant => Severity::$severity,)+
                }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Code::$variant => concat!($($doc,)+).trim_ascii(),)+
                }
            }
        }
    };
}

codes! {
    /// The text is longer than a definition may be.
    DefinitionTooLong "definition-too-long" Error;
    /// The text is not JSON.
    InvalidJson "invalid-json" Error;
    /// The text is not YAML, or not of the kind that stands for JSON.
    InvalidYaml "invalid-yaml" Error;
    /// The text uses YAML that a definition cannot have: tags, merge keys, several documents.
    UnsupportedYaml "unsupported-yaml" Error;
    /// The whole text is something else than an object.
    NotAnObject "not-an-object" Error;
    /// No object has a field of this name.
    UnknownField "unknown-field" Error;
    /// The field exists, but not for this kind of object.
    MisplacedField "misplaced-field" Error;
    /// A field must be there.
    MissingField "missing-field" Error;
    /// One of several fields must be there.
    MissingOneOf "missing-one-of" Error;
    /// Only one of several fields may be there.
    ExclusiveFields "exclusive-fields" Error;
    /// The field belongs to the other query language.
    WrongQueryLanguage "wrong-query-language" Error;
    /// A JSONata state machine cannot have JSONPath states.
    QueryLanguageDowngrade "query-language-downgrade" Error;
    /// The value is of the wrong JSON type.
    WrongType "wrong-type" Error;
    /// The value is none of those allowed.
    WrongValue "wrong-value" Error;
    /// The number is too small or too large.
    OutOfRange "out-of-range" Error;
    /// The value must not be empty.
    EmptyValue "empty-value" Error;
    /// The text is not a path.
    InvalidPath "invalid-path" Error;
    /// The path is not one that names a single place.
    InvalidReferencePath "invalid-reference-path" Error;
    /// The text is neither a path nor a call of an intrinsic function.
    InvalidExpression "invalid-expression" Error;
    /// A template has the same member with and without `.$`.
    DuplicateTemplateField "duplicate-template-field" Error;
    /// The text is not a JSONata expression.
    InvalidJsonata "invalid-jsonata" Error;
    /// The expression asks for a context, of which a workflow has none: `$states.input` is the input.
    UnsupportedJsonata "unsupported-jsonata" Error;
    /// The time is not written as RFC 3339 has it.
    InvalidTimestamp "invalid-timestamp" Error;
    /// The text is not an ARN.
    InvalidResource "invalid-resource" Error;
    /// The ARN names nothing a Task can call, or nothing it can wait for in this way.
    UnknownResource "unknown-resource" Error;
    /// An Express workflow cannot have this.
    UnsupportedInExpress "unsupported-in-express" Error;
    /// An activity takes no credentials.
    CredentialsOnActivity "credentials-on-activity" Error;
    /// There is no state of this name in the workflow.
    MissingTarget "missing-target" Error;
    /// No other state leads to this one.
    UnreachableState "unreachable-state" Error;
    /// The state machine has no state to end in.
    NoTerminalState "no-terminal-state" Error;
    /// Another state of the machine has this name.
    DuplicateStateName "duplicate-state-name" Error;
    /// A state's name is empty or too long.
    InvalidStateName "invalid-state-name" Error;
    /// `States.ALL` stands beside other names, or before other entries.
    StatesAllNotAlone "states-all-not-alone" Error;
    /// The heartbeat would never be missed before the timeout.
    HeartbeatNotShorter "heartbeat-not-shorter" Error;
    /// The name cannot be a variable's.
    InvalidVariableName "invalid-variable-name" Error;
    /// The variable `states` cannot be assigned.
    ReservedVariableName "reserved-variable-name" Error;
    /// A branch or an iteration cannot assign a variable of the workflow around it.
    OuterVariableAssigned "outer-variable-assigned" Error;
    /// Child executions cannot read variables of the workflow that starts them.
    OuterVariableUnreadable "outer-variable-unreadable" Error;
    /// The label is too long or has characters an ARN cannot have.
    InvalidLabel "invalid-label" Error;
    /// Another Map state has this label.
    DuplicateLabel "duplicate-label" Error;
    /// An object has the same field twice; the last one counts.
    DuplicateField "duplicate-field" Warning;
    /// The state is only reached from states that are not reached themselves.
    UnreachableCycle "unreachable-cycle" Warning;
    /// A branch or an item processor has no state to end in.
    EndlessBranch "endless-branch" Warning;
    /// No state assigns the variable.
    UnassignedVariable "unassigned-variable" Warning;
    /// The field has no effect on an inline Map.
    DistributedOnlyField "distributed-only-field" Warning;
    /// A text that looks like a path or an intrinsic function is passed on as it is.
    MissingDollar "missing-dollar" Warning;
    /// A text that looks like a path is compared or reported as it is.
    MissingPath "missing-path" Warning;
    /// `Result` is passed on as it is, its paths included.
    StaticResult "static-result" Warning;
    /// A JSONata expression stands where none is evaluated.
    UnevaluatedJsonata "unevaluated-jsonata" Warning;
    /// No error of this name exists.
    UnknownErrorName "unknown-error-name" Warning;
    /// There are more faults than are listed.
    MoreFaults "more-faults" Warning;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_kebab_case() {
        for (place, code) in Code::ALL.iter().enumerate() {
            assert!(Code::ALL[..place].iter().all(|other| other.name() != code.name()), "{code}");
            assert!(code.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
            assert!(code.meaning().ends_with('.'), "{code}: {:?}", code.meaning());
        }
    }

    #[test]
    fn the_exception_lists_errors_with_their_places() {
        let fault = |code: Code, message: &str, location: Option<&str>| Diagnostic {
            code,
            severity: code.severity(),
            pointer: Pointer::root(),
            span: Span::default(),
            position: Position { line: 1, column: 1 },
            message: String::new(),
            suggestion: None,
            aws: Some(AwsVoice {
                code: "SCHEMA_VALIDATION_FAILED",
                message: message.to_owned(),
                location: location.map(str::to_owned),
            }),
        };
        let diagnostics = [
            fault(Code::MissingField, "These fields are required: [States]", Some("/")),
            fault(Code::MissingDollar, "left out", Some("/x")),
            fault(Code::NoTerminalState, "Workflow has no terminal state", None),
        ];
        assert_eq!(
            invalid_definition_message(&diagnostics),
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /, \
             SCHEMA_VALIDATION_FAILED: Workflow has no terminal state at null'"
        );
    }
}
