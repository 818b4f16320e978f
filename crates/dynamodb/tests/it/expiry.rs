//! Time to live, on the engine's time alone.

use stepwell_spec::Timestamp;

use crate::world::{BEGIN, World};

const COUNT: &str = r#"{"TableName":"tab","Select":"COUNT"}"#;

fn put(key: &str, attribute: &str, value: &str) -> String {
    format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{key}"}},"{attribute}":{value}}}}}"#)
}

fn counted(count: u32) -> String {
    format!(r#"{{"Count":{count},"ScannedCount":{count}}}"#)
}

fn turn(enabled: bool, attribute: &str) -> String {
    format!(r#"{{"TableName":"tab","TimeToLiveSpecification":{{"Enabled":{enabled},"AttributeName":"{attribute}"}}}}"#)
}

impl World {
    fn due(&self) -> Option<i64> {
        self.dynamodb.next_due().map(|due| due.0 / 1000)
    }

    fn tick(&mut self) {
        let at = self.moment();
        self.dynamodb.tick(at).expect("a sweep");
    }
}

#[test]
fn items_expire_when_their_second_is_over() {
    let mut world = World::in_memory();
    world.table("tab");
    assert_eq!(world.due(), None);
    let second = |after: i64| format!(r#"{{"N":"{}"}}"#, BEGIN + after);
    world.play(&[
        ("PutItem", &put("before", "ttl", &second(100)), "{}"),
        (
            "UpdateTimeToLive",
            &turn(true, "ttl"),
            r#"{"TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}"#,
        ),
        ("PutItem", &put("after", "ttl", &second(50)), "{}"),
        ("PutItem", &put("never", "other", &second(1)), "{}"),
        ("PutItem", &put("text", "ttl", r#"{"S":"1"}"#), "{}"),
        ("PutItem", &put("fraction", "ttl", r#"{"N":"1.5"}"#), "{}"),
        ("PutItem", &put("negative", "ttl", r#"{"N":"-1"}"#), "{}"),
        ("PutItem", &put("far", "ttl", r#"{"N":"99999999999999999999"}"#), "{}"),
    ]);
    assert_eq!(world.due(), Some(BEGIN + 51));
    world.now = BEGIN + 50;
    world.tick();
    world.play(&[("Scan", COUNT, &counted(7))]);
    // A tick deletes, and so does the call that comes first.
    world.now = BEGIN + 51;
    world.tick();
    // The next sweep is not before a minute has passed.
    assert_eq!(world.due(), Some(BEGIN + 111));
    world.play(&[("Scan", COUNT, &counted(6))]);
    world.now = BEGIN + 111;
    world.play(&[("Scan", COUNT, &counted(5))]);
    assert_eq!(world.due(), None);
}

#[test]
fn an_item_that_lives_longer_is_not_expired() {
    let mut world = World::in_memory();
    world.table("tab");
    world.play(&[
        ("UpdateTimeToLive", &turn(true, "it's"), "{…"),
        ("PutItem", &put("1", "it's", &format!(r#"{{"N":"{}"}}"#, BEGIN + 10)), "{}"),
    ]);
    assert_eq!(world.due(), Some(BEGIN + 11));
    let longer = format!(
        r##"{{"TableName":"tab","Key":{{"k":{{"S":"1"}}}},"UpdateExpression":"SET #t = :t","ExpressionAttributeNames":{{"#t":"it's"}},
            "ExpressionAttributeValues":{{":t":{{"N":"{}"}}}}}}"##,
        BEGIN + 1000
    );
    world.play(&[("UpdateItem", &longer, "{}")]);
    assert_eq!(world.due(), Some(BEGIN + 1001));
    world.play(&[("DeleteItem", r#"{"TableName":"tab","Key":{"k":{"S":"1"}}}"#, "{}")]);
    assert_eq!(world.due(), None);
}

#[test]
fn time_to_live_is_turned_on_and_off() {
    let mut world = World::in_memory();
    world.table("tab");
    world.play(&[
        (
            "DescribeTimeToLive",
            r#"{"TableName":"tab"}"#,
            r#"{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}"#,
        ),
        ("UpdateTimeToLive", &turn(false, "ttl"), "ValidationException: TimeToLive is already disabled"),
        ("UpdateTimeToLive", &turn(true, "ttl"), "{…"),
        ("UpdateTimeToLive", &turn(true, "ttl"), "ValidationException: TimeToLive is already enabled"),
        (
            "DescribeTimeToLive",
            r#"{"TableName":"tab"}"#,
            r#"{"TimeToLiveDescription":{"AttributeName":"ttl","TimeToLiveStatus":"ENABLED"}}"#,
        ),
        ("PutItem", &put("1", "ttl", r#"{"N":"7"}"#), "{}"),
    ]);
    assert_eq!(world.due(), Some(8));
    world.play(&[("UpdateTimeToLive", &turn(false, "ttl"), "{…")]);
    assert_eq!(world.due(), None);
    // Another attribute gets an index of its own.
    world.play(&[
        ("PutItem", &put("2", "other", &format!(r#"{{"N":"{}"}}"#, BEGIN + 500)), "{}"),
        ("UpdateTimeToLive", &turn(true, "other"), "{…"),
    ]);
    assert_eq!(world.due(), Some(BEGIN + 500 + 1));
    world.play(&[("DeleteTable", r#"{"TableName":"tab"}"#, "{…")]);
    assert_eq!(world.due(), None);
}

#[test]
fn an_attribute_no_index_can_name_expires_all_the_same() {
    let mut world = World::in_memory();
    world.table("tab");
    world.play(&[
        ("UpdateTimeToLive", &turn(true, "a\\\"b"), "{…"),
        ("PutItem", &put("1", "a\\\"b", &format!(r#"{{"N":"{}"}}"#, BEGIN + 10)), "{}"),
    ]);
    world.now = BEGIN + 200;
    world.play(&[("Scan", COUNT, &counted(0))]);
}

#[test]
fn what_expires_is_known_after_opening() {
    let directory = crate::world::directory("expiry");
    let mut world = World::open(Some(&directory));
    world.table("tab");
    world.play(&[
        ("UpdateTimeToLive", &turn(true, "ttl"), "{…"),
        ("PutItem", &put("1", "ttl", &format!(r#"{{"N":"{}"}}"#, BEGIN + 10)), "{}"),
    ]);
    drop(world);
    let world = World::open(Some(&directory));
    assert_eq!(world.dynamodb.next_due(), Some(Timestamp((BEGIN + 11) * 1000)));
    std::fs::remove_dir_all(&directory).expect("removed");
}
