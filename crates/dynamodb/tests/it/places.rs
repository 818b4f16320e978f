//! Accounts and regions do not see each other.

use crate::world::{World, directory, place};

#[test]
fn a_table_is_of_one_account_and_region() {
    let directory = directory("places");
    for directory in [None, Some(directory.as_path())] {
        let mut world = World::open(directory);
        let here = place("123456789012", "us-east-1");
        let elsewhere = [place("123456789012", "eu-west-1"), place("000000000000", "us-east-1")];
        world.table("tab");
        world.play(&[("PutItem", r#"{"TableName":"tab","Item":{"k":{"S":"here"}}}"#, "{}")]);
        for there in elsewhere {
            world.place = there.clone();
            world.play(&[
                ("ListTables", "{}", r#"{"TableNames":[]}"#),
                (
                    "GetItem",
                    r#"{"TableName":"tab","Key":{"k":{"S":"here"}}}"#,
                    "ResourceNotFoundException: Requested resource not found",
                ),
                (
                    "GetItem",
                    r#"{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/tab","Key":{"k":{"S":"here"}}}"#,
                    "ResourceNotFoundException: Requested resource not found",
                ),
            ]);
            world.table("tab");
            let arn = format!(r#""TableArn":"{}""#, there.arn("dynamodb", "table/tab"));
            let described = world.ask("DescribeTable", r#"{"TableName":"tab"}"#);
            assert!(described.contains(&arn), "{arn} in {described}");
            world.play(&[("Scan", r#"{"TableName":"tab","Select":"COUNT"}"#, r#"{"Count":0,"ScannedCount":0}"#)]);
        }
        world.place = here;
        world.play(&[("Scan", r#"{"TableName":"tab","Select":"COUNT"}"#, r#"{"Count":1,"ScannedCount":1}"#)]);
    }
    std::fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn what_is_no_place_writes_no_file() {
    let directory = directory("no-place");
    let mut world = World::open(Some(&directory));
    world.place = place("123456789012", "../outside");
    let table = r#"{"TableName":"tab","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#;
    world.play(&[
        ("ListTables", "{}", r#"{"TableNames":[]}"#),
        ("CreateTable", table, "ValidationException: There is no place 123456789012 in ../outside."),
    ]);
    // Nor does one where no table was made.
    world.place = place("123456789012", "eu-west-1");
    world.play(&[
        ("ListTables", "{}", r#"{"TableNames":[]}"#),
        (
            "PutItem",
            r#"{"TableName":"tab","Item":{"k":{"S":"1"}}}"#,
            "ResourceNotFoundException: Requested resource not found",
        ),
    ]);
    assert_eq!(std::fs::read_dir(&directory).expect("a directory").count(), 0);
    std::fs::remove_dir_all(&directory).expect("removed");
}
