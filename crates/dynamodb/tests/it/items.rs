//! Items: written, read, found, and the errors of each action.

use crate::world::World;

#[test]
fn an_item_lives() {
    let mut world = World::in_memory();
    world.table("tab");
    world.play(&[
        ("PutItem", r#"{"TableName":"tab","Item":{"k":{"S":"1"},"n":{"N":"1.50"},"b":{"B":"AQI="},"l":{"L":[{"NULL":true}]}}}"#, "{}"),
        (
            "GetItem",
            r#"{"TableName":"tab","Key":{"k":{"S":"1"}},"ReturnConsumedCapacity":"TOTAL"}"#,
            r#"{"ConsumedCapacity":{"CapacityUnits":0.5,"TableName":"tab"},"Item":{"b":{"B":"AQI="},"k":{"S":"1"},"l":{"L":[{"NULL":true}]},"n":{"N":"1.5"}}}"#,
        ),
        (
            "GetItem",
            r##"{"TableName":"tab","Key":{"k":{"S":"1"}},"ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"n"}}"##,
            r#"{"Item":{"n":{"N":"1.5"}}}"#,
        ),
        (
            "UpdateItem",
            r#"{"TableName":"tab","Key":{"k":{"S":"1"}},"UpdateExpression":"SET n = n + :one REMOVE b","ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":"UPDATED_NEW"}"#,
            r#"{"Attributes":{"n":{"N":"2.5"}}}"#,
        ),
        (
            "DeleteItem",
            r#"{"TableName":"tab","Key":{"k":{"S":"1"}},"ReturnValues":"ALL_OLD"}"#,
            r#"{"Attributes":{"k":{"S":"1"},"l":{"L":[{"NULL":true}]},"n":{"N":"2.5"}}}"#,
        ),
        ("GetItem", r#"{"TableName":"tab","Key":{"k":{"S":"1"}}}"#, "{}"),
        ("DeleteItem", r#"{"TableName":"tab","Key":{"k":{"S":"1"}}}"#, "{}"),
    ]);
}

#[test]
fn what_is_wrong_with_a_write_is_said_as_the_service_says_it() {
    let mut world = World::in_memory();
    world.table("tab");
    let null = |member: &str| {
        format!(
            "ValidationException: 1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        )
    };
    world.play(&[
        // These two were observed on AWS.
        ("PutItem", r#"{"TableName":"tab","Item":null}"#, &null("item")),
        (
            "PutItem",
            r#"{"TableName":"/bad","Item":{"k":{"S":"1"}}}"#,
            "ValidationException: 1 validation error detected: Value '/bad' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ),
        (
            "PutItem",
            r#"{"TableName":"ab","Item":null}"#,
            "ValidationException: 2 validation errors detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3; Value null at 'item' failed to satisfy constraint: Member must not be null",
        ),
        ("GetItem", r#"{"TableName":"tab"}"#, &null("key")),
        ("UpdateItem", r#"{"TableName":"tab"}"#, &null("key")),
        ("DeleteItem", r#"{"TableName":"tab"}"#, &null("key")),
        ("PutItem", r#"{"TableName":"none","Item":{"k":{"S":"1"}}}"#, "ResourceNotFoundException: Requested resource not found"),
        ("GetItem", r#"{"TableName":"none","Key":{"k":{"S":"1"}}}"#, "ResourceNotFoundException: Requested resource not found"),
        ("Query", r#"{"TableName":"none","KeyConditionExpression":"k = :k","ExpressionAttributeValues":{":k":{"S":"b"}}}"#, "ResourceNotFoundException: Requested resource not found"),
        ("Scan", r#"{"TableName":"none"}"#, "ResourceNotFoundException: Requested resource not found"),
        ("PutItem", r#"{"TableName":"tab","Item":{"x":{"S":"1"}}}"#, "ValidationException: One or more parameter values were invalid: Missing the key k in the item"),
        ("PutItem", r#"{"TableName":"tab","Item":{"k":{"N":"1"}}}"#, "ValidationException: One or more parameter values were invalid: Type mismatch for key k expected: S actual: N"),
        ("PutItem", r#"{"TableName":"tab","Item":{"k":{}}}"#, "ValidationException: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ("PutItem", r#"{"TableName":"tab","Item":{"k":{"S":"1","N":"2"}}}"#, "ValidationException: Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"),
        ("PutItem", r#"{"TableName":"tab","Item":{"k":{"S":"1"},"n":{"N":"abc"}}}"#, "ValidationException: 1 validation error detected: The parameter cannot be converted to a numeric value: abc"),
        ("PutItem", r#"{"TableName":"tab","Item":{"k":{"S":7}}}"#, "SerializationException: …"),
        ("GetItem", r#"{"TableName":"tab","Key":{"x":{"S":"1"}}}"#, "ValidationException: The provided key element does not match the schema"),
        ("UpdateItem", r#"{"TableName":"tab","Key":{"k":{"S":"1"}},"UpdateExpression":"SEET"}"#, "ValidationException: 1 validation error detected: Invalid UpdateExpression: Syntax error; token: \"SEET\", near: \"SEET\""),
        ("UpdateItem", r#"{"TableName":"tab","Key":{"k":{"S":"1"}},"UpdateExpression":"SET k = :v","ExpressionAttributeValues":{":v":{"S":"2"}}}"#, "ValidationException: …"),
    ]);
}

#[test]
fn a_condition_that_fails_can_show_the_item() {
    let mut world = World::in_memory();
    world.table("tab");
    let only_new = r#"{"TableName":"tab","Item":{"k":{"S":"1"}},"ConditionExpression":"attribute_not_exists(k)"}"#;
    let shown = only_new.replacen('{', r#"{"ReturnValuesOnConditionCheckFailure":"ALL_OLD","#, 1);
    world.play(&[
        ("PutItem", only_new, "{}"),
        ("PutItem", only_new, "ConditionalCheckFailedException: The conditional request failed"),
        (
            "PutItem",
            &shown,
            r#"ConditionalCheckFailedException: The conditional request failed {"Item":{"k":{"S":"1"}}}"#,
        ),
    ]);
}

#[test]
fn items_nest_thirty_one_levels() {
    let mut world = World::in_memory();
    world.table("tab");
    let mut nested = |levels: usize| {
        let (opened, closed) = (r#"{"L":["#.repeat(levels), "]}".repeat(levels));
        world.ask(
            "PutItem",
            &format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"1"}},"v":{opened}{{"S":""}}{closed}}}}}"#),
        )
    };
    assert_eq!(nested(31), "{}");
    for levels in [32, 100, 200] {
        let answered = nested(levels);
        assert!(answered.starts_with("ValidationException: ") && answered.contains("Nesting Levels"), "{answered}");
    }
}

#[test]
fn queries_and_scans_go_page_by_page() {
    let mut world = World::in_memory();
    let table = r#"{"TableName":"pages","KeySchema":[{"AttributeName":"k","KeyType":"HASH"},{"AttributeName":"s","KeyType":"RANGE"}],
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},{"AttributeName":"s","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
        "BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[{"IndexName":"by-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]}"#;
    assert!(world.ask("CreateTable", table).starts_with('{'));
    for sort in [-10, 2, 3, 10, 200] {
        let put = format!(
            r#"{{"TableName":"pages","Item":{{"k":{{"S":"a"}},"s":{{"N":"{sort}"}},"g":{{"S":"g{}"}}}}}}"#,
            sort % 2
        );
        assert_eq!(world.ask("PutItem", &put), "{}");
    }
    let query = r#""TableName":"pages","KeyConditionExpression":"k = :k","ExpressionAttributeValues":{":k":{"S":"a"}},"ProjectionExpression":"s","Limit":3"#;
    world.play(&[
        (
            "Query",
            &format!("{{{query}}}"),
            r#"{"Count":3,"Items":[{"s":{"N":"-10"}},{"s":{"N":"2"}},{"s":{"N":"3"}}],"LastEvaluatedKey":{"k":{"S":"a"},"s":{"N":"3"}},"ScannedCount":3}"#,
        ),
        (
            "Query",
            &format!(r#"{{{query},"ExclusiveStartKey":{{"k":{{"S":"a"}},"s":{{"N":"3"}}}}}}"#),
            r#"{"Count":2,"Items":[{"s":{"N":"10"}},{"s":{"N":"200"}}],"ScannedCount":2}"#,
        ),
        (
            "Query",
            r#"{"TableName":"pages","IndexName":"by-g","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"g1"}}}"#,
            r#"{"Count":1,"Items":[{"g":{"S":"g1"},"k":{"S":"a"},"s":{"N":"3"}}],"ScannedCount":1}"#,
        ),
        (
            "Scan",
            r#"{"TableName":"pages","FilterExpression":"s > :s","ExpressionAttributeValues":{":s":{"N":"9"}},"Select":"COUNT"}"#,
            r#"{"Count":2,"ScannedCount":5}"#,
        ),
        ("Query", r#"{"TableName":"pages"}"#, "ValidationException: Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."),
        ("Query", r#"{"TableName":"pages","IndexName":"none","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"g1"}}}"#, "ValidationException: The table does not have the specified index: none"),
    ]);
}

#[test]
fn batches_read_and_write() {
    let mut world = World::in_memory();
    world.table("one");
    world.table("two");
    world.play(&[
        (
            "BatchWriteItem",
            r#"{"RequestItems":{"one":[{"PutRequest":{"Item":{"k":{"S":"a"}}}},{"PutRequest":{"Item":{"k":{"S":"b"}}}}],"two":[{"PutRequest":{"Item":{"k":{"S":"c"}}}}]}}"#,
            r#"{"UnprocessedItems":{}}"#,
        ),
        ("BatchWriteItem", r#"{"RequestItems":{"one":[{"DeleteRequest":{"Key":{"k":{"S":"b"}}}}]}}"#, r#"{"UnprocessedItems":{}}"#),
        (
            "BatchGetItem",
            r#"{"RequestItems":{"one":{"Keys":[{"k":{"S":"a"}},{"k":{"S":"b"}}]},"two":{"Keys":[{"k":{"S":"c"}}]}}}"#,
            r#"{"Responses":{"one":[{"k":{"S":"a"}}],"two":[{"k":{"S":"c"}}]},"UnprocessedKeys":{}}"#,
        ),
        ("BatchGetItem", r#"{"RequestItems":{"none":{"Keys":[{"k":{"S":"a"}}]}}}"#, "ResourceNotFoundException: Requested resource not found"),
        (
            "BatchWriteItem",
            r#"{"RequestItems":{"one":[{"DeleteRequest":{"Key":{"k":{"S":"b"}}}},{"DeleteRequest":{"Key":{"k":{"S":"b"}}}}]}}"#,
            "ValidationException: Provided list of item keys contains duplicates",
        ),
    ]);
}
