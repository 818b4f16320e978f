//! State machines: create, change, describe, list, delete.

use super::declare::{choices, structures};
use super::scalars::{
    ARN, DEFINITION, ENABLED, INCLUDE_EXECUTION_DATA, KMS_DATA_KEY_REUSE_PERIOD_SECONDS, KMS_KEY_ID,
    LOG_DESTINATION_LIST, LONG_ARN, MAP_RUN_LABEL, NAME, PAGE_SIZE, PAGE_TOKEN, PUBLISH, REVISION_ID,
    STATE_MACHINE_LIST, TAG_LIST, TIMESTAMP, VARIABLE_REFERENCES, VERSION_DESCRIPTION,
};
use super::{Structure, Tag, Text};
use crate::timestamp::Timestamp;

choices! {
    /// How a state machine runs.
    StateMachineType {
        Standard = "STANDARD",
        Express = "EXPRESS",
    }
    /// Which events are logged.
    LogLevel {
        All = "ALL",
        Error = "ERROR",
        Fatal = "FATAL",
        Off = "OFF",
    }
    /// Whose key encrypts.
    EncryptionType {
        AwsOwnedKey = "AWS_OWNED_KEY",
        CustomerManagedKmsKey = "CUSTOMER_MANAGED_KMS_KEY",
    }
    /// Whether payloads and definitions are shown.
    IncludedData {
        AllData = "ALL_DATA",
        MetadataOnly = "METADATA_ONLY",
    }
    /// Whether a state machine is on its way out.
    StateMachineStatus {
        Active = "ACTIVE",
        Deleting = "DELETING",
    }
}

structures! {
    /// What `CreateStateMachine` asks for.
    CreateStateMachineInput {
        name: Text = "name" NAME,
        definition: Text = "definition" DEFINITION,
        role_arn: Text = "roleArn" ARN,
        kind: Option<StateMachineType> = "type" StateMachineType::SHAPE,
        logging_configuration: Option<LoggingConfiguration> = "loggingConfiguration" LoggingConfiguration::SHAPE,
        tags: Option<Vec<Tag>> = "tags" TAG_LIST,
        tracing_configuration: Option<TracingConfiguration> = "tracingConfiguration" TracingConfiguration::SHAPE,
        publish: Option<bool> = "publish" PUBLISH,
        version_description: Option<Text> = "versionDescription" VERSION_DESCRIPTION,
        encryption_configuration: Option<EncryptionConfiguration> = "encryptionConfiguration" EncryptionConfiguration::SHAPE,
    }
    /// Which events of executions are logged, and where.
    LoggingConfiguration {
        level: Option<LogLevel> = "level" LogLevel::SHAPE,
        include_execution_data: Option<bool> = "includeExecutionData" INCLUDE_EXECUTION_DATA,
        destinations: Option<Vec<LogDestination>> = "destinations" LOG_DESTINATION_LIST,
    }
    /// One place logs go to.
    LogDestination {
        cloud_watch_logs_log_group: Option<CloudWatchLogsLogGroup> = "cloudWatchLogsLogGroup" CloudWatchLogsLogGroup::SHAPE,
    }
    /// A log group of CloudWatch Logs.
    CloudWatchLogsLogGroup {
        log_group_arn: Option<Text> = "logGroupArn" ARN,
    }
    /// Whether executions are traced with X-Ray.
    TracingConfiguration {
        enabled: Option<bool> = "enabled" ENABLED,
    }
    /// Which key data is encrypted with at rest.
    EncryptionConfiguration {
        kms_key_id: Option<Text> = "kmsKeyId" KMS_KEY_ID,
        kms_data_key_reuse_period_seconds: Option<i64> = "kmsDataKeyReusePeriodSeconds" KMS_DATA_KEY_REUSE_PERIOD_SECONDS,
        kind: EncryptionType = "type" EncryptionType::SHAPE,
    }
    /// What `CreateStateMachine` answers.
    CreateStateMachineOutput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        creation_date: Timestamp = "creationDate" TIMESTAMP,
        state_machine_version_arn: Option<Text> = "stateMachineVersionArn" ARN,
    }
    /// What `UpdateStateMachine` asks for.
    UpdateStateMachineInput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        definition: Option<Text> = "definition" DEFINITION,
        role_arn: Option<Text> = "roleArn" ARN,
        logging_configuration: Option<LoggingConfiguration> = "loggingConfiguration" LoggingConfiguration::SHAPE,
        tracing_configuration: Option<TracingConfiguration> = "tracingConfiguration" TracingConfiguration::SHAPE,
        publish: Option<bool> = "publish" PUBLISH,
        version_description: Option<Text> = "versionDescription" VERSION_DESCRIPTION,
        encryption_configuration: Option<EncryptionConfiguration> = "encryptionConfiguration" EncryptionConfiguration::SHAPE,
    }
    /// What `UpdateStateMachine` answers.
    UpdateStateMachineOutput {
        update_date: Timestamp = "updateDate" TIMESTAMP,
        revision_id: Option<Text> = "revisionId" REVISION_ID,
        state_machine_version_arn: Option<Text> = "stateMachineVersionArn" ARN,
    }
    /// What `DescribeStateMachine` asks for.
    DescribeStateMachineInput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        included_data: Option<IncludedData> = "includedData" IncludedData::SHAPE,
    }
    /// What `DescribeStateMachine` answers.
    DescribeStateMachineOutput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        name: Text = "name" NAME,
        status: Option<StateMachineStatus> = "status" StateMachineStatus::SHAPE,
        definition: Text = "definition" DEFINITION,
        role_arn: Text = "roleArn" ARN,
        kind: StateMachineType = "type" StateMachineType::SHAPE,
        creation_date: Timestamp = "creationDate" TIMESTAMP,
        logging_configuration: Option<LoggingConfiguration> = "loggingConfiguration" LoggingConfiguration::SHAPE,
        tracing_configuration: Option<TracingConfiguration> = "tracingConfiguration" TracingConfiguration::SHAPE,
        label: Option<Text> = "label" MAP_RUN_LABEL,
        revision_id: Option<Text> = "revisionId" REVISION_ID,
        description: Option<Text> = "description" VERSION_DESCRIPTION,
        encryption_configuration: Option<EncryptionConfiguration> = "encryptionConfiguration" EncryptionConfiguration::SHAPE,
        variable_references: Option<Vec<(Text, Vec<Text>)>> = "variableReferences" VARIABLE_REFERENCES,
    }
    /// What `DescribeStateMachineForExecution` asks for.
    DescribeStateMachineForExecutionInput {
        execution_arn: Text = "executionArn" ARN,
        included_data: Option<IncludedData> = "includedData" IncludedData::SHAPE,
    }
    /// What `DescribeStateMachineForExecution` answers.
    DescribeStateMachineForExecutionOutput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        name: Text = "name" NAME,
        definition: Text = "definition" DEFINITION,
        role_arn: Text = "roleArn" ARN,
        update_date: Timestamp = "updateDate" TIMESTAMP,
        logging_configuration: Option<LoggingConfiguration> = "loggingConfiguration" LoggingConfiguration::SHAPE,
        tracing_configuration: Option<TracingConfiguration> = "tracingConfiguration" TracingConfiguration::SHAPE,
        map_run_arn: Option<Text> = "mapRunArn" LONG_ARN,
        label: Option<Text> = "label" MAP_RUN_LABEL,
        revision_id: Option<Text> = "revisionId" REVISION_ID,
        encryption_configuration: Option<EncryptionConfiguration> = "encryptionConfiguration" EncryptionConfiguration::SHAPE,
        variable_references: Option<Vec<(Text, Vec<Text>)>> = "variableReferences" VARIABLE_REFERENCES,
    }
    /// What `ListStateMachines` asks for.
    ListStateMachinesInput {
        max_results: Option<i64> = "maxResults" PAGE_SIZE,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
    }
    /// What `ListStateMachines` answers.
    ListStateMachinesOutput {
        state_machines: Vec<StateMachineListItem> = "stateMachines" STATE_MACHINE_LIST,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
    }
    /// One state machine of a listing.
    StateMachineListItem {
        state_machine_arn: Text = "stateMachineArn" ARN,
        name: Text = "name" NAME,
        kind: StateMachineType = "type" StateMachineType::SHAPE,
        creation_date: Timestamp = "creationDate" TIMESTAMP,
    }
    /// What `DeleteStateMachine` asks for.
    DeleteStateMachineInput {
        state_machine_arn: Text = "stateMachineArn" ARN,
    }
    /// What `DeleteStateMachine` answers.
    DeleteStateMachineOutput {}
}
