//! Every action there is: whose it is, what it may change, and the library's function that does it.

use std::future::Future;

use dynoxide::actions;
use dynoxide::actions::vector_lifecycle::VectorIndexLifecycle;
use dynoxide::storage::Storage;
use dynoxide::{DynoxideError, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What an action may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    /// Nothing.
    Nothing,
    /// Items. The library commits as often as it must.
    Items,
    /// Tables, in several statements that the library does not make one; here they are.
    Tables,
    /// A table and its items. The library makes it one.
    Table,
}

/// What an action is done on.
pub(crate) struct On<'a> {
    pub(crate) storage: &'a Storage,
    pub(crate) lifecycle: &'a VectorIndexLifecycle,
}

/// Why an action was not done.
#[derive(Debug)]
pub(crate) enum Undone {
    /// Its input could not be read.
    Unread(serde_json::Error),
    /// It was refused, or failed.
    Refused(DynoxideError),
}

/// One action.
pub(crate) struct Action {
    /// Botocore's name of its service.
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    pub(crate) changes: Changes,
    /// JSON in, JSON out.
    pub(crate) run: fn(&On<'_>, &str) -> std::result::Result<String, Undone>,
}

/// The action of this name, if it can be done here.
pub(crate) fn find(service: &str, name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.service == service && action.name == name)
}

fn run<Q: DeserializeOwned, P: Serialize, F: Future<Output = Result<P>>>(
    input: &str,
    act: impl FnOnce(Q) -> F,
) -> std::result::Result<String, Undone> {
    let request = serde_json::from_str(input).map_err(Undone::Unread)?;
    // The native storage answers at once, so nothing ever waits here.
    let output = pollster::block_on(act(request)).map_err(Undone::Refused)?;
    serde_json::to_string(&output)
        .map_err(|error| Undone::Refused(DynoxideError::InternalServerError(error.to_string())))
}

macro_rules! action {
    ($service:literal $name:literal $changes:ident $module:ident) => {
        Action {
            service: $service,
            name: $name,
            changes: Changes::$changes,
            run: |on, input| run(input, |request| actions::$module::execute(on.storage, request)),
        }
    };
    ($service:literal $name:literal $changes:ident $module:ident lifecycle) => {
        Action {
            service: $service,
            name: $name,
            changes: Changes::$changes,
            run: |on, input| run(input, |request| actions::$module::execute(on.storage, request, on.lifecycle)),
        }
    };
}

const ACTIONS: &[Action] = &[
    action!("dynamodb" "BatchExecuteStatement" Items batch_execute_statement),
    action!("dynamodb" "BatchGetItem" Nothing batch_get_item),
    action!("dynamodb" "BatchWriteItem" Items batch_write_item),
    action!("dynamodb" "CreateTable" Tables create_table),
    action!("dynamodb" "DeleteItem" Items delete_item),
    action!("dynamodb" "DeleteTable" Tables delete_table lifecycle),
    action!("dynamodb" "DescribeTable" Nothing describe_table lifecycle),
    action!("dynamodb" "DescribeTimeToLive" Nothing describe_time_to_live),
    action!("dynamodb" "ExecuteStatement" Items execute_statement),
    action!("dynamodb" "ExecuteTransaction" Items execute_transaction),
    action!("dynamodb" "GetItem" Nothing get_item),
    action!("dynamodb" "ListTables" Nothing list_tables),
    action!("dynamodb" "ListTagsOfResource" Nothing list_tags_of_resource),
    action!("dynamodb" "PutItem" Items put_item),
    action!("dynamodb" "Query" Nothing query),
    action!("dynamodb" "Scan" Nothing scan),
    action!("dynamodb" "SearchVectors" Nothing search_vectors lifecycle),
    action!("dynamodb" "TagResource" Tables tag_resource),
    action!("dynamodb" "TransactGetItems" Nothing transact_get_items),
    action!("dynamodb" "TransactWriteItems" Items transact_write_items),
    action!("dynamodb" "UntagResource" Tables untag_resource),
    action!("dynamodb" "UpdateItem" Items update_item),
    action!("dynamodb" "UpdateTable" Table update_table lifecycle),
    action!("dynamodb" "UpdateTimeToLive" Tables update_time_to_live),
    action!("dynamodbstreams" "DescribeStream" Nothing describe_stream),
    action!("dynamodbstreams" "GetRecords" Nothing get_records),
    action!("dynamodbstreams" "GetShardIterator" Nothing get_shard_iterator),
    action!("dynamodbstreams" "ListStreams" Nothing list_streams),
];

#[cfg(test)]
mod tests {
    use stepwell_protocol::service;

    use super::ACTIONS;

    #[test]
    fn every_action_is_of_the_model() {
        for action in ACTIONS {
            let known = service(action.service).and_then(|service| service.operation(action.name));
            assert!(known.is_some(), "{} {}", action.service, action.name);
        }
    }
}
