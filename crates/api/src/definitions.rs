//! Definitions: compiled for the actions that keep them, and validated for the one action that needs no state at all.

use stepwell_asl::{Compilation, Definition, MachineType, Options, Severity, Source, compile};
use stepwell_spec::shapes::{
    StateMachineType, ValidateStateMachineDefinitionDiagnostic, ValidateStateMachineDefinitionInput,
    ValidateStateMachineDefinitionOutput, ValidateStateMachineDefinitionResultCode,
    ValidateStateMachineDefinitionSeverity as ApiSeverity,
};

use crate::refusal::Refusal;

/// The definition of a state machine of this type. Refuses with `InvalidDefinition`, telling every error.
pub fn compile_definition(text: &str, kind: Option<StateMachineType>) -> Result<Definition, Refusal> {
    let Compilation { definition, diagnostics } =
        compile(&Source::json(text), &Options { machine_type: machine_type(kind) });
    definition.ok_or_else(|| Refusal::invalid_definition(&diagnostics))
}

/// Diagnostics in an answer when the request does not say, or says zero; also the most it may ask for.
const RESULTS_MAX: usize = 100;

/// What is wrong with a definition. Never refuses one: a bad definition is an answer.
///
/// `severity` is the least severe kind that is told, `ERROR` unless asked otherwise. The result is `FAIL` when there is
/// any error, told or not.
pub fn validate_definition(request: &ValidateStateMachineDefinitionInput) -> ValidateStateMachineDefinitionOutput {
    let machine_type = machine_type(request.kind);
    let Compilation { diagnostics, .. } = compile(&Source::json(&*request.definition), &Options { machine_type });
    let fails = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let warnings_too = request.severity == Some(ApiSeverity::Warning);
    let mut told: Vec<ValidateStateMachineDefinitionDiagnostic> = diagnostics
        .iter()
        .filter(|diagnostic| warnings_too || diagnostic.severity == Severity::Error)
        .filter_map(|diagnostic| Some((diagnostic.severity, diagnostic.aws.as_ref()?)))
        .map(|(severity, voice)| ValidateStateMachineDefinitionDiagnostic {
            severity: match severity {
                Severity::Error => ApiSeverity::Error,
                Severity::Warning => ApiSeverity::Warning,
            },
            code: voice.code.into(),
            message: voice.message.as_str().into(),
            location: voice.location.as_deref().map(Into::into),
        })
        .collect();
    let most = request.max_results.and_then(|most| usize::try_from(most).ok()).filter(|&most| most > 0);
    let most = most.unwrap_or(RESULTS_MAX);
    let truncated = told.len() > most;
    told.truncate(most);
    let result = match fails {
        true => ValidateStateMachineDefinitionResultCode::Fail,
        false => ValidateStateMachineDefinitionResultCode::Ok,
    };
    ValidateStateMachineDefinitionOutput { result, diagnostics: told, truncated: Some(truncated) }
}

/// What the API's word for a type means to the compiler; Standard unless said otherwise.
fn machine_type(kind: Option<StateMachineType>) -> MachineType {
    match kind {
        None | Some(StateMachineType::Standard) => MachineType::Standard,
        Some(StateMachineType::Express) => MachineType::Express,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validate(definition: &str, severity: Option<ApiSeverity>, most: Option<i64>) -> (bool, usize, bool) {
        let output = validate_definition(&ValidateStateMachineDefinitionInput {
            definition: definition.into(),
            kind: None,
            severity,
            max_results: most,
        });
        let fails = output.result == ValidateStateMachineDefinitionResultCode::Fail;
        (fails, output.diagnostics.len(), output.truncated == Some(true))
    }

    #[test]
    fn definitions_are_compiled_or_refused_with_every_error() {
        let good = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;
        assert!(compile_definition(good, None).is_ok());
        let refusal = compile_definition(r#"{"StartAt":"A"}"#, Some(StateMachineType::Express)).expect_err("no states");
        assert_eq!(
            refusal.to_string(),
            "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: \
             [States] at /'"
        );
    }

    #[test]
    fn severity_and_the_number_of_results_are_chosen() {
        // A path where none is evaluated: AWS warns of it.
        let warned = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Result":{"x.$":"$.y"},"End":true}}}"#;
        assert_eq!(validate(warned, None, None), (false, 0, false));
        assert_eq!(validate(warned, Some(ApiSeverity::Warning), None), (false, 1, false));
        let states: Vec<String> = (0..150).map(|n| format!(r#""S{n}":{{"Type":"Task","Next":"S{n}"}}"#)).collect();
        let broken = format!(r#"{{"StartAt":"S0","States":{{{}}}}}"#, states.join(","));
        assert_eq!(validate(&broken, None, None), (true, 100, true));
        assert_eq!(validate(&broken, None, Some(0)), (true, 100, true));
        assert_eq!(validate(&broken, None, Some(3)), (true, 3, true));
    }
}
