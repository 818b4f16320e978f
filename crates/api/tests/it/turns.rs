//! Executions that never stop moving take turns, and nobody who asks something waits for more than one of them.

use stepwell_json::Json;

use crate::durability::{create, create_of_type, start, text};
use crate::world::World;

const ENDLESS: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"C":{"Type":"Succeed"},
    "B":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":true,"Next":"A"}],"Default":"C"}}}"#;
const SHORT: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;

/// The quota of a history, which an endless one ends with.
const EVENTS_MAX: i64 = 25_000;

fn status(world: &mut World, execution: &str) -> String {
    let described = world.call("DescribeExecution", &format!(r#"{{"executionArn":"{execution}"}}"#));
    text(&described.expect("it is there"), "status").to_owned()
}

/// How many events an execution has.
fn events(world: &mut World, execution: &str) -> i64 {
    let body = format!(r#"{{"executionArn":"{execution}","reverseOrder":true,"maxResults":1}}"#);
    let page = world.call("GetExecutionHistory", &body).expect("it is there");
    let last = page.get("events").and_then(Json::as_array).and_then(|events| events.first()).expect("an event");
    last.get("id").and_then(Json::as_i64).expect("an id")
}

/// Lets time pass once, without any of it.
fn tick(world: &mut World) {
    let at = world.moment();
    let outs = world.service.tick(at);
    world.input_ended(outs);
}

#[test]
fn beside_others_each_input_is_one_burst_and_they_end_one_after_the_other() {
    let mut world = World::new(false);
    let (endless, short) = (create(&mut world, "endless", ENDLESS), create(&mut world, "short", SHORT));
    let first = start(&mut world, &endless, "first", "{}");
    let alone = events(&mut world, &first);
    let others = ["second", "third"].map(|name| start(&mut world, &endless, name, "{}"));
    let beside = others.each_ref().map(|other| events(&mut world, other));
    assert!(beside.iter().all(|beside| *beside * 7 < alone && alone < EVENTS_MAX), "{alone}, {beside:?}");
    let mut before = alone;
    while status(&mut world, &first) == "RUNNING" {
        tick(&mut world);
        let now = events(&mut world, &first);
        assert!(before < now && now - before <= beside[0], "{before}, {now}, {beside:?}");
        before = now;
        assert_eq!(others.each_ref().map(|other| events(&mut world, other)), beside);
        let healthy = start(&mut world, &short, &format!("after-{now}"), "{}");
        assert_eq!(status(&mut world, &healthy), "SUCCEEDED");
    }
    assert_eq!(before, EVENTS_MAX);
    for other in &others {
        while status(&mut world, other) == "RUNNING" {
            tick(&mut world);
        }
        assert_eq!(events(&mut world, other), EVENTS_MAX);
    }
}

#[test]
fn one_that_has_no_end_does_not_keep_others_from_theirs() {
    let mut world = World::new(false);
    let express = create_of_type(&mut world, "EXPRESS", "express", ENDLESS);
    let standard = create(&mut world, "standard", ENDLESS);
    start(&mut world, &express, "endless", "{}");
    let other = start(&mut world, &standard, "ends", "{}");
    for _ in 0..1_000 {
        if status(&mut world, &other) != "RUNNING" {
            return;
        }
        tick(&mut world);
    }
    panic!("it had no turn");
}
