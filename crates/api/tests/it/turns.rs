//! Executions that never stop moving take turns, and nobody who asks something waits for more than one of them.

use stepwell_json::Json;

use crate::world::World;

const ENDLESS: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"C":{"Type":"Succeed"},
    "B":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":true,"Next":"A"}],"Default":"C"}}}"#;
const SHORT: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;

/// The quota of a history, which an endless one ends with.
const EVENTS_MAX: i64 = 25_000;

fn machine(world: &mut World, name: &str, of_type: &str, definition: &str) -> String {
    let (definition, role) = (Json::from(definition), "arn:aws:iam::000000000000:role/r");
    let body = format!(r#"{{"name":"{name}","type":"{of_type}","roleArn":"{role}","definition":{definition}}}"#);
    text(&world.call("CreateStateMachine", &body).expect("a state machine"), "stateMachineArn")
}

fn start(world: &mut World, machine: &str) -> String {
    let started = world.call("StartExecution", &format!(r#"{{"stateMachineArn":"{machine}"}}"#)).expect("a start");
    text(&started, "executionArn")
}

fn text(answer: &Json, member: &str) -> String {
    answer.get(member).and_then(Json::as_str).expect(member).to_owned()
}

fn status(world: &mut World, execution: &str) -> String {
    text(
        &world.call("DescribeExecution", &format!(r#"{{"executionArn":"{execution}"}}"#)).expect("it is there"),
        "status",
    )
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
    let endless = machine(&mut world, "endless", "STANDARD", ENDLESS);
    let short = machine(&mut world, "short", "STANDARD", SHORT);
    let first = start(&mut world, &endless);
    let alone = events(&mut world, &first);
    let others = [start(&mut world, &endless), start(&mut world, &endless)];
    let beside = others.each_ref().map(|other| events(&mut world, other));
    assert!(beside.iter().all(|beside| *beside * 7 < alone && alone < EVENTS_MAX), "{alone}, {beside:?}");
    let mut before = alone;
    while status(&mut world, &first) == "RUNNING" {
        tick(&mut world);
        let now = events(&mut world, &first);
        assert!(before < now && now - before <= beside[0], "{before}, {now}, {beside:?}");
        before = now;
        assert_eq!(others.each_ref().map(|other| events(&mut world, other)), beside);
        let healthy = start(&mut world, &short);
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
    let express = machine(&mut world, "express", "EXPRESS", ENDLESS);
    let standard = machine(&mut world, "standard", "STANDARD", ENDLESS);
    start(&mut world, &express);
    let other = start(&mut world, &standard);
    for _ in 0..1_000 {
        if status(&mut world, &other) != "RUNNING" {
            return;
        }
        tick(&mut world);
    }
    panic!("it had no turn");
}
