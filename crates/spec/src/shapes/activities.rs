//! Activities, and the callbacks by which workers report on tasks.

use super::declare::structures;
use super::scalars::{
    ACTIVITY_LIST, ARN, NAME, PAGE_SIZE, PAGE_TOKEN, SENSITIVE_CAUSE, SENSITIVE_DATA, SENSITIVE_DATA_JOB_INPUT,
    SENSITIVE_ERROR, TAG_LIST, TASK_TOKEN, TIMESTAMP,
};
use super::{EncryptionConfiguration, Structure, Tag, Text};
use crate::timestamp::Timestamp;

structures! {
    /// What `CreateActivity` asks for.
    CreateActivityInput {
        name: Text = "name" NAME,
        tags: Option<Vec<Tag>> = "tags" TAG_LIST,
        encryption_configuration: Option<EncryptionConfiguration> = "encryptionConfiguration" EncryptionConfiguration::SHAPE,
    }
    /// What `CreateActivity` answers.
    CreateActivityOutput {
        activity_arn: Text = "activityArn" ARN,
        creation_date: Timestamp = "creationDate" TIMESTAMP,
    }
    /// What `DescribeActivity` asks for.
    DescribeActivityInput {
        activity_arn: Text = "activityArn" ARN,
    }
    /// What `DescribeActivity` answers.
    DescribeActivityOutput {
        activity_arn: Text = "activityArn" ARN,
        name: Text = "name" NAME,
        creation_date: Timestamp = "creationDate" TIMESTAMP,
        encryption_configuration: Option<EncryptionConfiguration> = "encryptionConfiguration" EncryptionConfiguration::SHAPE,
    }
    /// What `ListActivities` asks for.
    ListActivitiesInput {
        max_results: Option<i64> = "maxResults" PAGE_SIZE,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
    }
    /// What `ListActivities` answers.
    ListActivitiesOutput {
        activities: Vec<ActivityListItem> = "activities" ACTIVITY_LIST,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
    }
    /// One activity of a listing.
    ActivityListItem {
        activity_arn: Text = "activityArn" ARN,
        name: Text = "name" NAME,
        creation_date: Timestamp = "creationDate" TIMESTAMP,
    }
    /// What `DeleteActivity` asks for.
    DeleteActivityInput {
        activity_arn: Text = "activityArn" ARN,
    }
    /// What `DeleteActivity` answers.
    DeleteActivityOutput {}
    /// What `GetActivityTask` asks for.
    GetActivityTaskInput {
        activity_arn: Text = "activityArn" ARN,
        worker_name: Option<Text> = "workerName" NAME,
    }
    /// What `GetActivityTask` answers.
    GetActivityTaskOutput {
        task_token: Option<Text> = "taskToken" TASK_TOKEN,
        input: Option<Text> = "input" SENSITIVE_DATA_JOB_INPUT,
    }
    /// What `SendTaskSuccess` asks for.
    SendTaskSuccessInput {
        task_token: Text = "taskToken" TASK_TOKEN,
        output: Text = "output" SENSITIVE_DATA,
    }
    /// What `SendTaskSuccess` answers.
    SendTaskSuccessOutput {}
    /// What `SendTaskFailure` asks for.
    SendTaskFailureInput {
        task_token: Text = "taskToken" TASK_TOKEN,
        error: Option<Text> = "error" SENSITIVE_ERROR,
        cause: Option<Text> = "cause" SENSITIVE_CAUSE,
    }
    /// What `SendTaskFailure` answers.
    SendTaskFailureOutput {}
    /// What `SendTaskHeartbeat` asks for.
    SendTaskHeartbeatInput {
        task_token: Text = "taskToken" TASK_TOKEN,
    }
    /// What `SendTaskHeartbeat` answers.
    SendTaskHeartbeatOutput {}
}
