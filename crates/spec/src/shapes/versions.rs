//! Versions and aliases of state machines.

use super::Text;
use super::declare::structures;
use super::scalars::{
    ALIAS_DESCRIPTION, ARN, CHARACTER_RESTRICTED_NAME, LONG_ARN, NAME, PAGE_SIZE, PAGE_TOKEN, REVISION_ID,
    ROUTING_CONFIGURATION_LIST, STATE_MACHINE_ALIAS_LIST, STATE_MACHINE_VERSION_LIST, TIMESTAMP, VERSION_DESCRIPTION,
    VERSION_WEIGHT,
};
use crate::timestamp::Timestamp;

structures! {
    /// What `PublishStateMachineVersion` asks for.
    PublishStateMachineVersionInput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        revision_id: Option<Text> = "revisionId" REVISION_ID,
        description: Option<Text> = "description" VERSION_DESCRIPTION,
    }
    /// What `PublishStateMachineVersion` answers.
    PublishStateMachineVersionOutput {
        creation_date: Timestamp = "creationDate" TIMESTAMP,
        state_machine_version_arn: Text = "stateMachineVersionArn" ARN,
    }
    /// What `ListStateMachineVersions` asks for.
    ListStateMachineVersionsInput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
        max_results: Option<i64> = "maxResults" PAGE_SIZE,
    }
    /// What `ListStateMachineVersions` answers.
    ListStateMachineVersionsOutput {
        state_machine_versions: Vec<StateMachineVersionListItem> = "stateMachineVersions" STATE_MACHINE_VERSION_LIST,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
    }
    /// One version of a listing.
    StateMachineVersionListItem {
        state_machine_version_arn: Text = "stateMachineVersionArn" LONG_ARN,
        creation_date: Timestamp = "creationDate" TIMESTAMP,
    }
    /// What `DeleteStateMachineVersion` asks for.
    DeleteStateMachineVersionInput {
        state_machine_version_arn: Text = "stateMachineVersionArn" LONG_ARN,
    }
    /// What `DeleteStateMachineVersion` answers.
    DeleteStateMachineVersionOutput {}
    /// What `CreateStateMachineAlias` asks for.
    CreateStateMachineAliasInput {
        description: Option<Text> = "description" ALIAS_DESCRIPTION,
        name: Text = "name" CHARACTER_RESTRICTED_NAME,
        routing_configuration: Vec<RoutingConfigurationListItem> = "routingConfiguration" ROUTING_CONFIGURATION_LIST,
    }
    /// A version an alias routes to, and how often.
    RoutingConfigurationListItem {
        state_machine_version_arn: Text = "stateMachineVersionArn" ARN,
        weight: i64 = "weight" VERSION_WEIGHT,
    }
    /// What `CreateStateMachineAlias` answers.
    CreateStateMachineAliasOutput {
        state_machine_alias_arn: Text = "stateMachineAliasArn" ARN,
        creation_date: Timestamp = "creationDate" TIMESTAMP,
    }
    /// What `UpdateStateMachineAlias` asks for.
    UpdateStateMachineAliasInput {
        state_machine_alias_arn: Text = "stateMachineAliasArn" ARN,
        description: Option<Text> = "description" ALIAS_DESCRIPTION,
        routing_configuration: Option<Vec<RoutingConfigurationListItem>> = "routingConfiguration" ROUTING_CONFIGURATION_LIST,
    }
    /// What `UpdateStateMachineAlias` answers.
    UpdateStateMachineAliasOutput {
        update_date: Timestamp = "updateDate" TIMESTAMP,
    }
    /// What `DescribeStateMachineAlias` asks for.
    DescribeStateMachineAliasInput {
        state_machine_alias_arn: Text = "stateMachineAliasArn" ARN,
    }
    /// What `DescribeStateMachineAlias` answers.
    DescribeStateMachineAliasOutput {
        state_machine_alias_arn: Option<Text> = "stateMachineAliasArn" ARN,
        name: Option<Text> = "name" NAME,
        description: Option<Text> = "description" ALIAS_DESCRIPTION,
        routing_configuration: Option<Vec<RoutingConfigurationListItem>> = "routingConfiguration" ROUTING_CONFIGURATION_LIST,
        creation_date: Option<Timestamp> = "creationDate" TIMESTAMP,
        update_date: Option<Timestamp> = "updateDate" TIMESTAMP,
    }
    /// What `ListStateMachineAliases` asks for.
    ListStateMachineAliasesInput {
        state_machine_arn: Text = "stateMachineArn" ARN,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
        max_results: Option<i64> = "maxResults" PAGE_SIZE,
    }
    /// What `ListStateMachineAliases` answers.
    ListStateMachineAliasesOutput {
        state_machine_aliases: Vec<StateMachineAliasListItem> = "stateMachineAliases" STATE_MACHINE_ALIAS_LIST,
        next_token: Option<Text> = "nextToken" PAGE_TOKEN,
    }
    /// One alias of a listing.
    StateMachineAliasListItem {
        state_machine_alias_arn: Text = "stateMachineAliasArn" LONG_ARN,
        creation_date: Timestamp = "creationDate" TIMESTAMP,
    }
    /// What `DeleteStateMachineAlias` asks for.
    DeleteStateMachineAliasInput {
        state_machine_alias_arn: Text = "stateMachineAliasArn" ARN,
    }
    /// What `DeleteStateMachineAlias` answers.
    DeleteStateMachineAliasOutput {}
}
