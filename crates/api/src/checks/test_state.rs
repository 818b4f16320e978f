//! What a test of a state may combine. What depends on the state under test is judged where it is run.

use stepwell_json::Json;
use stepwell_spec::shapes::TestStateInput;

use super::execution_input;
use crate::arns::check_role_arn;
use crate::refusal::Refusal;

pub(super) fn check(request: &TestStateInput) -> Result<(), Refusal> {
    request.role_arn.as_deref().map_or(Ok(()), check_role_arn)?;
    execution_input(request.input.as_deref())?;
    for text in [&request.variables, &request.context].into_iter().flatten() {
        if Json::parse(text).ok().is_none_or(|json| json.as_object().is_none()) {
            return Err(Refusal::invalid_request("Variables and context must be JSON objects"));
        }
    }
    request
        .context
        .as_deref()
        .and_then(|text| Json::parse(text).ok())
        .map_or(Ok(()), |context| check_context(&context))?;
    let Some(mock) = &request.mock else {
        return match request.context.is_some() {
            true => Err(Refusal::invalid_request("Context can only be specified together with a mock")),
            false => Ok(()),
        };
    };
    if request.reveal_secrets == Some(true) {
        return Err(Refusal::invalid_request("TestState does not support RevealSecrets when a mock is specified."));
    }
    // Not recorded: that there must be one, and that an error must have a name.
    if mock.result.is_some() == mock.error_output.is_some() {
        let message = "A test mock should have only one of the following fields: [result, errorOutput].";
        return Err(Refusal::invalid_request(message));
    }
    if mock.error_output.as_ref().is_some_and(|output| output.error.is_none()) {
        return Err(Refusal::invalid_request("Error must be specified when mocking an error output"));
    }
    match mock.result.as_deref().map(Json::parse) {
        Some(Err(_)) => Err(Refusal::invalid_request("Mocked result must be valid JSON")),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// A test may stand in for these parts of the context object.
const CONTEXT_FIELDS: [&str; 4] = ["Execution", "State", "StateMachine", "Task"];

fn check_context(context: &Json) -> Result<(), Refusal> {
    let fields = context.as_object().into_iter().flat_map(|object| object.keys());
    for field in fields {
        let why = match &**field {
            "Map" => "'Map' field is not supported when mocking a Context object".to_owned(),
            field if !CONTEXT_FIELDS.contains(&field) => format!("Field '{field}' is not allowed"),
            _ => continue,
        };
        return Err(Refusal::invalid_request(format!("Invalid Context object provided: {why}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwell_spec::shapes::Structure;

    #[test]
    fn mocks_contexts_and_secrets_do_not_always_go_together() {
        let told = |text: &str| {
            let request = TestStateInput::from_json(&Json::parse(text).expect(text)).expect(text);
            check(&request).err().map(|refusal| refusal.to_string()).unwrap_or_default()
        };
        assert_eq!(told(r#"{"definition":"{}","mock":{"result":"{}"},"context":"{}"}"#), "");
        assert_eq!(
            told(r#"{"definition":"{}","mock":{"result":"{}"},"revealSecrets":true}"#),
            "ValidationException: TestState does not support RevealSecrets when a mock is specified."
        );
        assert_eq!(
            told(r#"{"definition":"{}","mock":{"result":"not JSON"}}"#),
            "ValidationException: Mocked result must be valid JSON"
        );
        assert_eq!(
            told(r#"{"definition":"{}","mock":{},"context":"{\"Pokedex\":{}}"}"#),
            "ValidationException: Invalid Context object provided: Field 'Pokedex' is not allowed"
        );
        assert_eq!(
            told(r#"{"definition":"{}","mock":{},"context":"{\"Map\":{}}"}"#),
            "ValidationException: Invalid Context object provided: 'Map' field is not supported when mocking a Context object"
        );
        assert!(told(r#"{"definition":"{}","input":"{"}"#).starts_with("InvalidExecutionInput"));
        assert!(told(r#"{"definition":"{}","context":"{}"}"#).contains("together with a mock"));
        assert!(told(r#"{"definition":"{}","variables":"[]"}"#).contains("JSON objects"));
        assert!(told(r#"{"definition":"{}","mock":{"result":"1","errorOutput":{}}}"#).contains("only one of"));
        assert!(told(r#"{"definition":"{}","mock":{}}"#).contains("only one of"));
        assert!(told(r#"{"definition":"{}","mock":{"errorOutput":{"cause":"c"}}}"#).contains("Error must be"));
    }
}
