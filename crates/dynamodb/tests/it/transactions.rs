//! Transactions: all or nothing, why not, and once for each token.

use crate::world::World;

#[test]
fn a_transaction_is_all_or_nothing() {
    let mut world = World::in_memory();
    world.table("tab");
    world.play(&[
        ("PutItem", r#"{"TableName":"tab","Item":{"k":{"S":"old"},"v":{"N":"1"}}}"#, "{}"),
        (
            "TransactWriteItems",
            r#"{"TransactItems":[{"Put":{"TableName":"tab","Item":{"k":{"S":"new"}}}},
                {"Update":{"TableName":"tab","Key":{"k":{"S":"old"}},"UpdateExpression":"SET v = :v","ConditionExpression":"v = :other",
                 "ExpressionAttributeValues":{":v":{"N":"2"},":other":{"N":"7"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}]}"#,
            r#"TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed] {"CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed","Item":{"k":{"S":"old"},"v":{"N":"1"}},"Message":"The conditional request failed"}]}"#,
        ),
        ("Scan", r#"{"TableName":"tab","Select":"COUNT"}"#, r#"{"Count":1,"ScannedCount":1}"#),
        (
            "TransactWriteItems",
            r#"{"TransactItems":[{"Put":{"TableName":"tab","Item":{"k":{"S":"new"}}}},{"Delete":{"TableName":"tab","Key":{"k":{"S":"old"}}}}]}"#,
            "{}",
        ),
        (
            "TransactGetItems",
            r#"{"TransactItems":[{"Get":{"TableName":"tab","Key":{"k":{"S":"new"}}}},{"Get":{"TableName":"tab","Key":{"k":{"S":"old"}}}}]}"#,
            r#"{"Responses":[{"Item":{"k":{"S":"new"}}},{}]}"#,
        ),
        (
            "TransactWriteItems",
            r#"{"TransactItems":[{"Put":{"TableName":"tab"}}]}"#,
            "ValidationException: 1 validation error detected: Value null at 'transactItems.1.member.put.item' failed to satisfy constraint: Member must not be null",
        ),
    ]);
}

#[test]
fn a_token_makes_two_requests_one() {
    let mut world = World::in_memory();
    world.table("tab");
    let add = |token: &str, by: u32| {
        format!(
            r#"{{"ClientRequestToken":"{token}","TransactItems":[{{"Update":{{"TableName":"tab","Key":{{"k":{{"S":"1"}}}},
                "UpdateExpression":"ADD n :by","ExpressionAttributeValues":{{":by":{{"N":"{by}"}}}}}}}}]}}"#
        )
    };
    let get = r#"{"TableName":"tab","Key":{"k":{"S":"1"}},"ProjectionExpression":"n"}"#;
    world.play(&[
        ("TransactWriteItems", &add("a", 1), "{}"),
        ("TransactWriteItems", &add("a", 1), "{}"),
        ("TransactWriteItems", &add("b", 1), "{}"),
        ("GetItem", get, r#"{"Item":{"n":{"N":"2"}}}"#),
        ("TransactWriteItems", &add("a", 2), "IdempotentParameterMismatchException: …"),
    ]);
    world.now += 600;
    world.play(&[("TransactWriteItems", &add("a", 1), "{}"), ("GetItem", get, r#"{"Item":{"n":{"N":"3"}}}"#)]);
}
