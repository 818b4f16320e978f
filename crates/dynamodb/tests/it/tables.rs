//! Tables, their tags, and the actions there are not.

use crate::world::World;

const TABLE: &str = r#"{"TableName":"tab","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
    "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST",
    "Tags":[{"Key":"a","Value":"b"}]}"#;

#[test]
fn a_table_lives() {
    let mut world = World::in_memory();
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/tab";
    world.play(&[
        ("ListTables", "{}", r#"{"TableNames":[]}"#),
        (
            "DescribeTable",
            r#"{"TableName":"tab"}"#,
            "ResourceNotFoundException: Requested resource not found: Table: tab not found",
        ),
        (
            "CreateTable",
            TABLE,
            r#"{"TableDescription":{"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],…"#,
        ),
        ("CreateTable", TABLE, "ResourceInUseException: Table already exists: tab"),
        ("ListTables", "{}", r#"{"TableNames":["tab"]}"#),
        ("ListTagsOfResource", &format!(r#"{{"ResourceArn":"{arn}"}}"#), r#"{"Tags":[{"Key":"a","Value":"b"}]}"#),
        ("TagResource", &format!(r#"{{"ResourceArn":"{arn}","Tags":[{{"Key":"c","Value":"d"}}]}}"#), "{}"),
        ("UntagResource", &format!(r#"{{"ResourceArn":"{arn}","TagKeys":["a"]}}"#), "{}"),
        ("ListTagsOfResource", &format!(r#"{{"ResourceArn":"{arn}"}}"#), r#"{"Tags":[{"Key":"c","Value":"d"}]}"#),
        ("UpdateTable", r#"{"TableName":"tab","DeletionProtectionEnabled":true}"#, "{…"),
        ("DeleteTable", r#"{"TableName":"tab"}"#, "ValidationException: …"),
        ("UpdateTable", r#"{"TableName":"tab","DeletionProtectionEnabled":false}"#, "{…"),
        ("DeleteTable", r#"{"TableName":"tab"}"#, r#"{"TableDescription":{…"#),
        (
            "DeleteTable",
            r#"{"TableName":"tab"}"#,
            "ResourceNotFoundException: Requested resource not found: Table: tab not found",
        ),
        ("CreateTable", TABLE, "{…"),
    ]);
}

#[test]
fn a_table_has_the_place_and_the_time_of_its_making() {
    let mut world = World::in_memory();
    world.now = 1_234_567_890;
    world.table("tab");
    world.now += 5;
    let described = world.ask("DescribeTable", r#"{"TableName":"tab"}"#);
    for part in [
        r#""CreationDateTime":1234567890.0"#,
        r#""TableArn":"arn:aws:dynamodb:us-east-1:123456789012:table/tab""#,
        r#""TableStatus":"ACTIVE""#,
        r#""BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST""#,
    ] {
        assert!(described.contains(part), "{part} in {described}");
    }
    let by_arn = world.ask("DescribeTable", r#"{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/tab"}"#);
    assert_eq!(by_arn, described);
}

#[test]
fn names_and_schemas_are_checked() {
    let mut world = World::in_memory();
    let with_name = |name: &str| TABLE.replace("\"tab\"", &format!("\"{name}\""));
    world.play(&[
        ("CreateTable", &with_name("t"), "ValidationException: 1 validation error detected: Value 't' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"),
        ("CreateTable", &with_name("a b c"), "ValidationException: 1 validation error detected: Value 'a b c' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ("CreateTable", &with_name("a\\u0000b"), "ValidationException: …"),
        ("CreateTable", &TABLE.replace("PAY_PER_REQUEST", "FREE"), "ValidationException: …"),
        ("CreateTable", &TABLE.replace("\"AttributeType\":\"S\"", "\"AttributeType\":\"M\""), "ValidationException: …"),
        ("CreateTable", r#"{"TableName":"tab"}"#, "ValidationException: …"),
        ("ListTables", "{}", r#"{"TableNames":[]}"#),
        ("ListTables", r#"{"Limit":0}"#, "ValidationException: …"),
    ]);
}

#[test]
fn names_that_the_database_cannot_have_are_refused() {
    let mut world = World::in_memory();
    for name in ["_tables", "_Config", "sqlite_master"] {
        let expected = format!("ValidationException: The local service cannot have a table of the name {name}.");
        world.play(&[("CreateTable", &TABLE.replace("\"tab\"", &format!("\"{name}\"")), &expected)]);
    }
    // These are anybody's.
    for name in ["call_time", "dynoxide", "stamp_table", "sqlite", "tables", "Tab"] {
        world.table(name);
        let input = format!(r#"{{"TableName":"{name}","Item":{{"k":{{"S":"1"}}}}}}"#);
        world.play(&[("PutItem", &input, "{}")]);
    }
    world.play(&[
        (
            "CreateTable",
            TABLE,
            "ResourceInUseException: Table already exists: Tab, which the local service cannot tell from tab",
        ),
        ("ListTables", "{}", r#"{"TableNames":["Tab","call_time","dynoxide","sqlite","stamp_table","tables"]}"#),
    ]);
}

#[test]
fn lists_go_page_by_page() {
    let mut world = World::in_memory();
    for name in ["ccc", "aaa", "bbb"] {
        world.table(name);
    }
    world.play(&[
        ("ListTables", r#"{"Limit":2}"#, r#"{"LastEvaluatedTableName":"bbb","TableNames":["aaa","bbb"]}"#),
        ("ListTables", r#"{"Limit":2,"ExclusiveStartTableName":"bbb"}"#, r#"{"TableNames":["ccc"]}"#),
    ]);
}

#[test]
fn what_cannot_be_done_here_is_named() {
    let mut world = World::in_memory();
    for action in ["CreateBackup", "DescribeLimits", "CreateGlobalTable", "NoSuchAction"] {
        let expected = format!(
            "UnknownOperationException: The action {action} of dynamodb is not available in the local service."
        );
        world.play(&[(action, "{}", &expected)]);
    }
}
