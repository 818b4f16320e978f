//! Map Runs: the sets of child executions that distributed Map states start.

use super::declare::{choices, structures};
use super::scalars::{
    ARN, LONG_ARN, LONG_OBJECT, MAP_RUN_LIST, MAX_CONCURRENCY, PAGE_SIZE, PAGE_TOKEN, REDRIVE_COUNT, TIMESTAMP,
    TOLERATED_FAILURE_COUNT, TOLERATED_FAILURE_PERCENTAGE, UNSIGNED_LONG,
};
use super::{Structure, Text};
use crate::timestamp::Timestamp;

choices! {
    /// Where a Map Run is in its life.
    MapRunStatus {
        Running = "RUNNING",
        Succeeded = "SUCCEEDED",
        Failed = "FAILED",
        Aborted = "ABORTED",
    }
}

structures! {
    /// What `DescribeMapRun` asks for.
    DescribeMapRunInput {
        map_run_arn: Text = "mapRunArn" LONG_ARN,
    }
    /// What `DescribeMapRun` answers.
    DescribeMapRunOutput {
        map_run_arn: Text = "mapRunArn" LONG_ARN,
        execution_arn: Text = "executionArn" ARN,
        status: MapRunStatus = "status" MapRunStatus::SHAPE,
        start_date: Timestamp = "startDate" TIMESTAMP,
        stop_date: Option<Timestamp> = "stopDate" TIMESTAMP,
        max_concurrency: i64 = "maxConcurrency" MAX_CONCURRENCY,
        tolerated_failure_percentage: f64 = "toleratedFailurePercentage" TOLERATED_FAILURE_PERCENTAGE,
        tolerated_failure_count: i64 = "toleratedFailureCount" TOLERATED_FAILURE_COUNT,
        item_counts: MapRunItemCounts = "itemCounts" MapRunItemCounts::SHAPE,
        execution_counts: MapRunExecutionCounts = "executionCounts" MapRunExecutionCounts::SHAPE,
        redrive_count: Option<i64> = "redriveCount" REDRIVE_COUNT,
        redrive_date: Option<Timestamp> = "redriveDate" TIMESTAMP,
    }
    /// Items of a Map Run, by what became of them.
    MapRunItemCounts {
        pending: i64 = "pending" UNSIGNED_LONG,
        running: i64 = "running" UNSIGNED_LONG,
        succeeded: i64 = "succeeded" UNSIGNED_LONG,
        failed: i64 = "failed" UNSIGNED_LONG,
        timed_out: i64 = "timedOut" UNSIGNED_LONG,
        aborted: i64 = "aborted" UNSIGNED_LONG,
        total: i64 = "total" UNSIGNED_LONG,
        results_written: i64 = "resultsWritten" UNSIGNED_LONG,
        failures_not_redrivable: Option<i64> = "failuresNotRedrivable" LONG_OBJECT,
        pending_redrive: Option<i64> = "pendingRedrive" LONG_OBJECT,
    }
    /// Child executions of a Map Run, by what became of them.
    MapRunExecutionCounts {
        pending: i64 = "pending" UNSIGNED_LONG,
        running: i64 = "running" UNSIGNED_LONG,
        succeeded: i64 = "succeeded" UNSIGNED_LONG,
        failed: i64 = "failed" UNSIGNED_LONG,
        timed_out: i64 = "timedOut" UNSIGNED_LONG,
        aborted: i64 = "aborted" UNSIGNED_LONG,
        total: i64 = "total" UNSIGNED_LONG,
        results_written: i64 = "resultsWritten" UNSIGNED_LONG,
        failures_not_redrivable: Option<i64> = "failuresNotRedrivable" LONG_OBJECT,
        pending_redrive: Option<i64> = "pendingRedrive" LONG_OBJECT,
    }
    /// What `ListMapRuns` asks for.
    ListMapRunsInput {
        execution_arn: Text = "executionArn" ARN,
        max_results: Option<i64> = "maxResults" PAGE_SIZE,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
    }
    /// What `ListMapRuns` answers.
    ListMapRunsOutput {
        map_runs: Vec<MapRunListItem> = "mapRuns" MAP_RUN_LIST,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
    }
    /// One Map Run of a listing.
    MapRunListItem {
        execution_arn: Text = "executionArn" ARN,
        map_run_arn: Text = "mapRunArn" LONG_ARN,
        state_machine_arn: Text = "stateMachineArn" ARN,
        start_date: Timestamp = "startDate" TIMESTAMP,
        stop_date: Option<Timestamp> = "stopDate" TIMESTAMP,
    }
    /// What `UpdateMapRun` asks for.
    UpdateMapRunInput {
        map_run_arn: Text = "mapRunArn" LONG_ARN,
        max_concurrency: Option<i64> = "maxConcurrency" MAX_CONCURRENCY,
        tolerated_failure_percentage: Option<f64> = "toleratedFailurePercentage" TOLERATED_FAILURE_PERCENTAGE,
        tolerated_failure_count: Option<i64> = "toleratedFailureCount" TOLERATED_FAILURE_COUNT,
    }
    /// What `UpdateMapRun` answers.
    UpdateMapRunOutput {}
}
