//! Executions: start, stop, redrive, describe, list, and their histories.

use stepwell_json::Json;

use super::declare::{choices, structures};
use super::scalars::{
    ARN, BILLED_DURATION, BILLED_MEMORY_USED, CLIENT_TOKEN, EXECUTION_LIST, HISTORY_EVENT_LIST,
    INCLUDE_EXECUTION_DATA_GET_EXECUTION_HISTORY, INCLUDED_DETAILS, LIST_EXECUTIONS_PAGE_TOKEN, LONG_ARN, NAME,
    PAGE_SIZE, PAGE_TOKEN, REDRIVE_COUNT, REVERSE_ORDER, SENSITIVE_CAUSE, SENSITIVE_DATA, SENSITIVE_ERROR, TIMESTAMP,
    TRACE_HEADER, UNSIGNED_INTEGER,
};
use super::{IncludedData, Structure, Text};
use crate::timestamp::Timestamp;

choices! {
    /// How a synchronous execution ended.
    SyncExecutionStatus {
        Succeeded = "SUCCEEDED",
        Failed = "FAILED",
        TimedOut = "TIMED_OUT",
    }
    /// Where an execution is in its life.
    ExecutionStatus {
        Running = "RUNNING",
        Succeeded = "SUCCEEDED",
        Failed = "FAILED",
        TimedOut = "TIMED_OUT",
        Aborted = "ABORTED",
        PendingRedrive = "PENDING_REDRIVE",
    }
    /// Whether an execution can be redriven.
    ExecutionRedriveStatus {
        Redrivable = "REDRIVABLE",
        NotRedrivable = "NOT_REDRIVABLE",
        RedrivableByMapRun = "REDRIVABLE_BY_MAP_RUN",
    }
    /// Lists executions by whether they were redriven.
    ExecutionRedriveFilter {
        Redriven = "REDRIVEN",
        NotRedriven = "NOT_REDRIVEN",
    }
}

structures! {
    /// What `StartExecution` asks for.
    StartExecutionInput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        name: Option<Text> = "name" NAME,
        input: Option<Text> = "input" SENSITIVE_DATA,
        trace_header: Option<Text> = "traceHeader" TRACE_HEADER,
    }
    /// What `StartExecution` answers.
    StartExecutionOutput {
        execution_arn: Text = "executionArn" ARN,
        start_date: Timestamp = "startDate" TIMESTAMP,
    }
    /// What `StartSyncExecution` asks for.
    StartSyncExecutionInput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        name: Option<Text> = "name" NAME,
        input: Option<Text> = "input" SENSITIVE_DATA,
        trace_header: Option<Text> = "traceHeader" TRACE_HEADER,
        included_data: Option<IncludedData> = "includedData" IncludedData::SHAPE,
    }
    /// What `StartSyncExecution` answers.
    StartSyncExecutionOutput {
        execution_arn: Text = "executionArn" ARN,
        state_machine_arn: Option<Text> = "stateMachineArn" ARN,
        name: Option<Text> = "name" NAME,
        start_date: Timestamp = "startDate" TIMESTAMP,
        stop_date: Timestamp = "stopDate" TIMESTAMP,
        status: SyncExecutionStatus = "status" SyncExecutionStatus::SHAPE,
        error: Option<Text> = "error" SENSITIVE_ERROR,
        cause: Option<Text> = "cause" SENSITIVE_CAUSE,
        input: Option<Text> = "input" SENSITIVE_DATA,
        input_details: Option<CloudWatchEventsExecutionDataDetails> = "inputDetails" CloudWatchEventsExecutionDataDetails::SHAPE,
        output: Option<Text> = "output" SENSITIVE_DATA,
        output_details: Option<CloudWatchEventsExecutionDataDetails> = "outputDetails" CloudWatchEventsExecutionDataDetails::SHAPE,
        trace_header: Option<Text> = "traceHeader" TRACE_HEADER,
        billing_details: Option<BillingDetails> = "billingDetails" BillingDetails::SHAPE,
    }
    /// Whether a payload is shown.
    CloudWatchEventsExecutionDataDetails {
        included: Option<bool> = "included" INCLUDED_DETAILS,
    }
    /// What a synchronous execution is billed for.
    BillingDetails {
        billed_memory_used_in_mb: Option<i64> = "billedMemoryUsedInMB" BILLED_MEMORY_USED,
        billed_duration_in_milliseconds: Option<i64> = "billedDurationInMilliseconds" BILLED_DURATION,
    }
    /// What `StopExecution` asks for.
    StopExecutionInput {
        execution_arn: Text = "executionArn" ARN,
        error: Option<Text> = "error" SENSITIVE_ERROR,
        cause: Option<Text> = "cause" SENSITIVE_CAUSE,
    }
    /// What `StopExecution` answers.
    StopExecutionOutput {
        stop_date: Timestamp = "stopDate" TIMESTAMP,
    }
    /// What `RedriveExecution` asks for.
    RedriveExecutionInput {
        execution_arn: Text = "executionArn" ARN,
        client_token: Option<Text> = "clientToken" CLIENT_TOKEN,
    }
    /// What `RedriveExecution` answers.
    RedriveExecutionOutput {
        redrive_date: Timestamp = "redriveDate" TIMESTAMP,
    }
    /// What `DescribeExecution` asks for.
    DescribeExecutionInput {
        execution_arn: Text = "executionArn" ARN,
        included_data: Option<IncludedData> = "includedData" IncludedData::SHAPE,
    }
    /// What `DescribeExecution` answers.
    DescribeExecutionOutput {
        execution_arn: Text = "executionArn" ARN,
        state_machine_arn: Text = "stateMachineArn" ARN,
        name: Option<Text> = "name" NAME,
        status: ExecutionStatus = "status" ExecutionStatus::SHAPE,
        start_date: Timestamp = "startDate" TIMESTAMP,
        stop_date: Option<Timestamp> = "stopDate" TIMESTAMP,
        input: Option<Text> = "input" SENSITIVE_DATA,
        input_details: Option<CloudWatchEventsExecutionDataDetails> = "inputDetails" CloudWatchEventsExecutionDataDetails::SHAPE,
        output: Option<Text> = "output" SENSITIVE_DATA,
        output_details: Option<CloudWatchEventsExecutionDataDetails> = "outputDetails" CloudWatchEventsExecutionDataDetails::SHAPE,
        trace_header: Option<Text> = "traceHeader" TRACE_HEADER,
        map_run_arn: Option<Text> = "mapRunArn" LONG_ARN,
        error: Option<Text> = "error" SENSITIVE_ERROR,
        cause: Option<Text> = "cause" SENSITIVE_CAUSE,
        state_machine_version_arn: Option<Text> = "stateMachineVersionArn" ARN,
        state_machine_alias_arn: Option<Text> = "stateMachineAliasArn" ARN,
        redrive_count: Option<i64> = "redriveCount" REDRIVE_COUNT,
        redrive_date: Option<Timestamp> = "redriveDate" TIMESTAMP,
        redrive_status: Option<ExecutionRedriveStatus> = "redriveStatus" ExecutionRedriveStatus::SHAPE,
        redrive_status_reason: Option<Text> = "redriveStatusReason" SENSITIVE_DATA,
    }
    /// What `ListExecutions` asks for.
    ListExecutionsInput {
        state_machine_arn: Option<Text> = "stateMachineArn" ARN,
        status_filter: Option<ExecutionStatus> = "statusFilter" ExecutionStatus::SHAPE,
        max_results: Option<i64> = "maxResults" PAGE_SIZE,
        next_token: Option<Text> = "nextToken" LIST_EXECUTIONS_PAGE_TOKEN,
        map_run_arn: Option<Text> = "mapRunArn" LONG_ARN,
        redrive_filter: Option<ExecutionRedriveFilter> = "redriveFilter" ExecutionRedriveFilter::SHAPE,
    }
    /// What `ListExecutions` answers.
    ListExecutionsOutput {
        executions: Vec<ExecutionListItem> = "executions" EXECUTION_LIST,
        next_token: Option<Text> = "nextToken" LIST_EXECUTIONS_PAGE_TOKEN,
    }
    /// One execution of a listing.
    ExecutionListItem {
        execution_arn: Text = "executionArn" ARN,
        state_machine_arn: Text = "stateMachineArn" ARN,
        name: Text = "name" NAME,
        status: ExecutionStatus = "status" ExecutionStatus::SHAPE,
        start_date: Timestamp = "startDate" TIMESTAMP,
        stop_date: Option<Timestamp> = "stopDate" TIMESTAMP,
        map_run_arn: Option<Text> = "mapRunArn" LONG_ARN,
        item_count: Option<i64> = "itemCount" UNSIGNED_INTEGER,
        state_machine_version_arn: Option<Text> = "stateMachineVersionArn" ARN,
        state_machine_alias_arn: Option<Text> = "stateMachineAliasArn" ARN,
        redrive_count: Option<i64> = "redriveCount" REDRIVE_COUNT,
        redrive_date: Option<Timestamp> = "redriveDate" TIMESTAMP,
    }
    /// What `GetExecutionHistory` asks for.
    GetExecutionHistoryInput {
        execution_arn: Text = "executionArn" ARN,
        max_results: Option<i64> = "maxResults" PAGE_SIZE,
        reverse_order: Option<bool> = "reverseOrder" REVERSE_ORDER,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
        include_execution_data: Option<bool> = "includeExecutionData" INCLUDE_EXECUTION_DATA_GET_EXECUTION_HISTORY,
    }
    /// What `GetExecutionHistory` answers.
    GetExecutionHistoryOutput {
        events: Vec<Json> = "events" HISTORY_EVENT_LIST,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
    }
}
