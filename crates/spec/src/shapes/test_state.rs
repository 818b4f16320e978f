//! Definitions without executions: trying one state, and validating.

use super::declare::{choices, structures};
use super::scalars::{
    ARN, DEFINITION, EXCEPTION_HANDLER_INDEX, HTTP_BODY, HTTP_HEADERS, HTTP_METHOD, HTTP_PROTOCOL, HTTP_STATUS_CODE,
    HTTP_STATUS_MESSAGE, INSPECTION_MAX_CONCURRENCY, INSPECTION_TOLERATED_FAILURE_COUNT,
    INSPECTION_TOLERATED_FAILURE_PERCENTAGE, MAP_ITERATION_FAILURE_COUNT, RETRIER_RETRY_COUNT,
    RETRY_BACKOFF_INTERVAL_SECONDS, REVEAL_SECRETS, SENSITIVE_CAUSE, SENSITIVE_DATA, SENSITIVE_ERROR, STATE_NAME,
    TEST_STATE_STATE_NAME, URL, VALIDATE_STATE_MACHINE_DEFINITION_CODE,
    VALIDATE_STATE_MACHINE_DEFINITION_DIAGNOSTIC_LIST, VALIDATE_STATE_MACHINE_DEFINITION_LOCATION,
    VALIDATE_STATE_MACHINE_DEFINITION_MAX_RESULT, VALIDATE_STATE_MACHINE_DEFINITION_MESSAGE,
    VALIDATE_STATE_MACHINE_DEFINITION_TRUNCATED,
};
use super::{StateMachineType, Structure, Text};

choices! {
    /// How much a test of a state tells.
    InspectionLevel {
        Info = "INFO",
        Debug = "DEBUG",
        Trace = "TRACE",
    }
    /// How strictly a mocked result is held against the service's model.
    MockResponseValidationMode {
        Strict = "STRICT",
        Present = "PRESENT",
        None = "NONE",
    }
    /// What came of a tested state.
    TestExecutionStatus {
        Succeeded = "SUCCEEDED",
        Failed = "FAILED",
        Retriable = "RETRIABLE",
        CaughtError = "CAUGHT_ERROR",
    }
    /// Whether a fault refuses the definition.
    ValidateStateMachineDefinitionSeverity {
        Error = "ERROR",
        Warning = "WARNING",
    }
    /// Whether a definition is accepted.
    ValidateStateMachineDefinitionResultCode {
        Ok = "OK",
        Fail = "FAIL",
    }
}

structures! {
    /// What `TestState` asks for.
    TestStateInput {
        definition: Text = "definition" DEFINITION,
        role_arn: Option<Text> = "roleArn" ARN,
        input: Option<Text> = "input" SENSITIVE_DATA,
        inspection_level: Option<InspectionLevel> = "inspectionLevel" InspectionLevel::SHAPE,
        reveal_secrets: Option<bool> = "revealSecrets" REVEAL_SECRETS,
        variables: Option<Text> = "variables" SENSITIVE_DATA,
        state_name: Option<Text> = "stateName" TEST_STATE_STATE_NAME,
        mock: Option<MockInput> = "mock" MockInput::SHAPE,
        context: Option<Text> = "context" SENSITIVE_DATA,
        state_configuration: Option<TestStateConfiguration> = "stateConfiguration" TestStateConfiguration::SHAPE,
    }
    /// What stands for the service call of a tested state.
    MockInput {
        result: Option<Text> = "result" SENSITIVE_DATA,
        error_output: Option<MockErrorOutput> = "errorOutput" MockErrorOutput::SHAPE,
        field_validation_mode: Option<MockResponseValidationMode> = "fieldValidationMode" MockResponseValidationMode::SHAPE,
    }
    /// The error a mocked service call fails with.
    MockErrorOutput {
        error: Option<Text> = "error" SENSITIVE_ERROR,
        cause: Option<Text> = "cause" SENSITIVE_CAUSE,
    }
    /// Where in its retries and iterations a tested state is.
    TestStateConfiguration {
        retrier_retry_count: Option<i64> = "retrierRetryCount" RETRIER_RETRY_COUNT,
        error_caused_by_state: Option<Text> = "errorCausedByState" TEST_STATE_STATE_NAME,
        map_iteration_failure_count: Option<i64> = "mapIterationFailureCount" MAP_ITERATION_FAILURE_COUNT,
        map_item_reader_data: Option<Text> = "mapItemReaderData" SENSITIVE_DATA,
    }
    /// What `TestState` answers.
    TestStateOutput {
        output: Option<Text> = "output" SENSITIVE_DATA,
        error: Option<Text> = "error" SENSITIVE_ERROR,
        cause: Option<Text> = "cause" SENSITIVE_CAUSE,
        inspection_data: Option<InspectionData> = "inspectionData" InspectionData::SHAPE,
        next_state: Option<Text> = "nextState" STATE_NAME,
        status: Option<TestExecutionStatus> = "status" TestExecutionStatus::SHAPE,
    }
    /// A tested state's data after each step of its processing, as JSON texts.
    InspectionData sensitive {
        input: Option<Text> = "input" SENSITIVE_DATA,
        after_arguments: Option<Text> = "afterArguments" SENSITIVE_DATA,
        after_input_path: Option<Text> = "afterInputPath" SENSITIVE_DATA,
        after_parameters: Option<Text> = "afterParameters" SENSITIVE_DATA,
        result: Option<Text> = "result" SENSITIVE_DATA,
        after_result_selector: Option<Text> = "afterResultSelector" SENSITIVE_DATA,
        after_result_path: Option<Text> = "afterResultPath" SENSITIVE_DATA,
        request: Option<InspectionDataRequest> = "request" InspectionDataRequest::SHAPE,
        response: Option<InspectionDataResponse> = "response" InspectionDataResponse::SHAPE,
        variables: Option<Text> = "variables" SENSITIVE_DATA,
        error_details: Option<InspectionErrorDetails> = "errorDetails" InspectionErrorDetails::SHAPE,
        after_items_path: Option<Text> = "afterItemsPath" SENSITIVE_DATA,
        after_item_selector: Option<Text> = "afterItemSelector" SENSITIVE_DATA,
        after_item_batcher: Option<Text> = "afterItemBatcher" SENSITIVE_DATA,
        after_items_pointer: Option<Text> = "afterItemsPointer" SENSITIVE_DATA,
        tolerated_failure_count: Option<i64> = "toleratedFailureCount" INSPECTION_TOLERATED_FAILURE_COUNT,
        tolerated_failure_percentage: Option<f64> = "toleratedFailurePercentage" INSPECTION_TOLERATED_FAILURE_PERCENTAGE,
        max_concurrency: Option<i64> = "maxConcurrency" INSPECTION_MAX_CONCURRENCY,
    }
    /// The HTTP request of a tested HTTP Task.
    InspectionDataRequest {
        protocol: Option<Text> = "protocol" HTTP_PROTOCOL,
        method: Option<Text> = "method" HTTP_METHOD,
        url: Option<Text> = "url" URL,
        headers: Option<Text> = "headers" HTTP_HEADERS,
        body: Option<Text> = "body" HTTP_BODY,
    }
    /// The HTTP response to a tested HTTP Task.
    InspectionDataResponse {
        protocol: Option<Text> = "protocol" HTTP_PROTOCOL,
        status_code: Option<Text> = "statusCode" HTTP_STATUS_CODE,
        status_message: Option<Text> = "statusMessage" HTTP_STATUS_MESSAGE,
        headers: Option<Text> = "headers" HTTP_HEADERS,
        body: Option<Text> = "body" HTTP_BODY,
    }
    /// Which Retrier or Catcher took the error of a tested state.
    InspectionErrorDetails {
        catch_index: Option<i64> = "catchIndex" EXCEPTION_HANDLER_INDEX,
        retry_index: Option<i64> = "retryIndex" EXCEPTION_HANDLER_INDEX,
        retry_backoff_interval_seconds: Option<i64> = "retryBackoffIntervalSeconds" RETRY_BACKOFF_INTERVAL_SECONDS,
    }
    /// What `ValidateStateMachineDefinition` asks for.
    ValidateStateMachineDefinitionInput {
        definition: Text = "definition" DEFINITION,
        kind: Option<StateMachineType> = "type" StateMachineType::SHAPE,
        severity: Option<ValidateStateMachineDefinitionSeverity> = "severity" ValidateStateMachineDefinitionSeverity::SHAPE,
        max_results: Option<i64> = "maxResults" VALIDATE_STATE_MACHINE_DEFINITION_MAX_RESULT,
    }
    /// What `ValidateStateMachineDefinition` answers.
    ValidateStateMachineDefinitionOutput {
        result: ValidateStateMachineDefinitionResultCode = "result" ValidateStateMachineDefinitionResultCode::SHAPE,
        diagnostics: Vec<ValidateStateMachineDefinitionDiagnostic> = "diagnostics" VALIDATE_STATE_MACHINE_DEFINITION_DIAGNOSTIC_LIST,
        truncated: Option<bool> = "truncated" VALIDATE_STATE_MACHINE_DEFINITION_TRUNCATED,
    }
    /// One fault of a definition.
    ValidateStateMachineDefinitionDiagnostic {
        severity: ValidateStateMachineDefinitionSeverity = "severity" ValidateStateMachineDefinitionSeverity::SHAPE,
        code: Text = "code" VALIDATE_STATE_MACHINE_DEFINITION_CODE,
        message: Text = "message" VALIDATE_STATE_MACHINE_DEFINITION_MESSAGE,
        location: Option<Text> = "location" VALIDATE_STATE_MACHINE_DEFINITION_LOCATION,
    }
}
