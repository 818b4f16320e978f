//! What is written and read again is the registry that was.

use std::sync::Arc;

use stepwell_interpreter::{Chance, Moment};
use stepwell_spec::shapes::{
    CreateActivityInput, CreateStateMachineAliasInput, CreateStateMachineInput, DeleteActivityInput,
    DeleteStateMachineAliasInput, DeleteStateMachineInput, DeleteStateMachineVersionInput, DescribeActivityInput,
    DescribeStateMachineAliasInput, ListActivitiesInput, ListStateMachineAliasesInput, ListStateMachineVersionsInput,
    ListStateMachinesInput, LogLevel, LoggingConfiguration, PublishStateMachineVersionInput, StateMachineType,
    TagResourceInput, TracingConfiguration, UntagResourceInput, UpdateStateMachineAliasInput, UpdateStateMachineInput,
};
use stepwell_spec::{Text, Timestamp};
use stepwell_store::{Append, Index, MemoryStore, Outcome, Row, Store};

use super::super::{Registry, aws_owned_key};
use super::{ROLE, World, arn, create, definition, route, tag, update};
use crate::refusal::Refusal;
use stepwell_store::RowChange;

impl World {
    fn opened(index: &dyn Index) -> World {
        World { registry: Registry::open(index).expect("rows of our own"), ..World::new() }
    }

    /// Everything that can be seen, as text.
    fn seen(&self) -> String {
        let mut seen = String::new();
        let mut see = |what: &dyn std::fmt::Debug| seen += &format!("{what:?}\n");
        let World { registry, place, seal, now } = self;
        let all = ListStateMachinesInput { max_results: None, next_token: None };
        let machines = registry.list_state_machines(place, &all, seal, *now).expect("a list");
        for machine in &machines.state_machines {
            let machine = &machine.state_machine_arn;
            see(&self.describe(machine));
            see(&self.tags(machine));
            let asked = ListStateMachineVersionsInput {
                state_machine_arn: machine.clone(),
                next_token: None,
                max_results: None,
            };
            let versions = registry.list_state_machine_versions(place, &asked, seal, *now).expect("a list");
            versions
                .state_machine_versions
                .iter()
                .for_each(|version| see(&self.describe(&version.state_machine_version_arn)));
            see(&versions);
            let asked = ListStateMachineAliasesInput {
                state_machine_arn: machine.clone(),
                next_token: None,
                max_results: None,
            };
            let aliases = registry.list_state_machine_aliases(place, &asked, seal, *now).expect("a list");
            for alias in &aliases.state_machine_aliases {
                let asked =
                    DescribeStateMachineAliasInput { state_machine_alias_arn: alias.state_machine_alias_arn.clone() };
                see(&registry.describe_state_machine_alias(place, &asked));
            }
            see(&aliases);
        }
        see(&machines);
        let all = ListActivitiesInput { max_results: None, next_token: None };
        let activities = registry.list_activities(place, &all, seal, *now).expect("a list");
        for activity in &activities.activities {
            let activity_arn = activity.activity_arn.clone();
            see(&self.tags(&activity_arn));
            see(&registry.describe_activity(place, &DescribeActivityInput { activity_arn }));
        }
        see(&activities);
        seen
    }

    /// One action out of all, as `draws` says; its answer as text.
    fn act(&mut self, draws: &Chance) -> String {
        let chance = &self.chance();
        let World { registry, place, now, .. } = self;
        let (place, now) = (&*place, *now);
        let upto = |below: u64| draws.draw() % below;
        let machine = format!("m{}", upto(3));
        let version = format!("{machine}:{}", 1 + upto(4));
        let resource = if upto(3) == 0 { format!("activity:a{}", upto(3)) } else { format!("stateMachine:{machine}") };
        let publish = (upto(3) == 0).then_some(true);
        let description = (upto(2) == 0).then(|| Text::from(format!("d{}", upto(3))));
        let routing = match upto(2) {
            0 => vec![route(&version, 100)],
            _ => vec![route(&format!("{machine}:1"), 30), route(&format!("{machine}:2"), 70)],
        };
        let alias = format!("x{}", upto(2));
        let version_description = description.clone().filter(|_| publish.is_some());
        fn told<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> String {
            format!("{answer:?}")
        }
        match upto(14) {
            0 | 1 => told(registry.create_state_machine(
                place,
                CreateStateMachineInput {
                    definition: definition(upto(2)),
                    kind: (upto(2) == 0).then_some(StateMachineType::Express),
                    tags: (upto(2) == 0).then(|| vec![tag(upto(3), upto(3))]),
                    publish,
                    version_description,
                    ..create(&machine)
                },
                now,
            )),
            2..=4 => told(registry.update_state_machine(
                place,
                UpdateStateMachineInput {
                    definition: Some(definition(upto(3))),
                    role_arn: (upto(2) == 0).then(|| format!("{ROLE}{}", upto(2)).into()),
                    logging_configuration: (upto(2) == 0).then(|| LoggingConfiguration {
                        level: Some(LogLevel::Off),
                        include_execution_data: Some(upto(2) == 0),
                        destinations: None,
                    }),
                    tracing_configuration: (upto(2) == 0).then(|| TracingConfiguration { enabled: Some(upto(2) == 0) }),
                    publish,
                    version_description,
                    ..update(&machine)
                },
                now,
                chance,
            )),
            5 => {
                let state_machine_arn = arn(&format!("stateMachine:{machine}"));
                match upto(4) {
                    0 => told(registry.delete_state_machine(place, &DeleteStateMachineInput { state_machine_arn })),
                    _ => told(registry.publish_state_machine_version(
                        place,
                        PublishStateMachineVersionInput { state_machine_arn, revision_id: None, description },
                        now,
                    )),
                }
            }
            6 => told(registry.delete_state_machine_version(
                place,
                &DeleteStateMachineVersionInput { state_machine_version_arn: arn(&format!("stateMachine:{version}")) },
            )),
            7 => told(registry.create_state_machine_alias(
                place,
                CreateStateMachineAliasInput { description, name: alias.into(), routing_configuration: routing },
                now,
            )),
            8 => told(registry.update_state_machine_alias(
                place,
                UpdateStateMachineAliasInput {
                    state_machine_alias_arn: arn(&format!("stateMachine:{machine}:{alias}")),
                    description,
                    routing_configuration: (upto(2) == 0).then_some(routing),
                },
                now,
            )),
            9 => told(registry.delete_state_machine_alias(
                place,
                &DeleteStateMachineAliasInput {
                    state_machine_alias_arn: arn(&format!("stateMachine:{machine}:{alias}")),
                },
            )),
            10 => told(registry.create_activity(
                place,
                CreateActivityInput {
                    name: format!("a{}", upto(3)).into(),
                    tags: (upto(2) == 0).then(|| vec![tag(upto(3), upto(3))]),
                    encryption_configuration: (upto(4) == 0).then(aws_owned_key),
                },
                now,
            )),
            11 => {
                told(registry.delete_activity(
                    place,
                    &DeleteActivityInput { activity_arn: arn(&format!("activity:a{}", upto(3))) },
                ))
            }
            12 => told(registry.tag_resource(
                place,
                TagResourceInput { resource_arn: arn(&resource), tags: vec![tag(upto(3), upto(3))] },
            )),
            _ => told(registry.untag_resource(
                place,
                &UntagResourceInput { resource_arn: arn(&resource), tag_keys: vec![format!("k{}", upto(3)).into()] },
            )),
        }
    }
}

fn write(store: &mut MemoryStore, changes: &[RowChange]) {
    let rows: Vec<Row<'_>> = changes
        .iter()
        .map(|change| Row { table: change.table, key: &change.key, value: change.value.as_deref() })
        .collect();
    let sequence = store.tail(0).sequence + 1;
    let append = Append { shard: 0, epoch: 1, sequence, executions: &[], rows: &rows, payload: b"" };
    let mut outcomes = Vec::new();
    store.append_batch(&[append], &mut outcomes).expect("memory does not fail");
    assert_eq!(outcomes, [Outcome::Appended { sequence }]);
}

/// One registry lives on, another is opened anew again and again: nobody can tell them apart.
#[test]
fn a_registry_that_is_read_again_is_the_same() {
    for seed in 0..40 {
        let draws = Chance::new(Moment { now: Timestamp(0), entropy: seed });
        let mut store = MemoryStore::new();
        let (mut living, mut reopened) = (World::new(), World::new());
        for step in 0..120 {
            let before = living.seen();
            let entropy = draws.draw();
            let chance = || Chance::new(Moment { now: Timestamp(0), entropy });
            living.now = Timestamp(1_700_000_000_000 + step);
            reopened.now = living.now;
            let answer = living.act(&chance());
            assert_eq!(reopened.act(&chance()), answer, "seed {seed}, step {step}");
            let changes = living.registry.take_changes();
            assert_eq!(reopened.registry.take_changes(), changes, "seed {seed}, step {step}: {answer}");
            let seen = living.seen();
            assert_eq!(seen == before, changes.is_empty(), "seed {seed}, step {step}: {answer}\n{changes:?}");
            assert!(answer.starts_with("Ok") || changes.is_empty(), "seed {seed}, step {step}: {answer}");
            write(&mut store, &changes);
            if draws.draw().is_multiple_of(4) {
                reopened = World::opened(&*store.index());
            }
            assert_eq!(reopened.seen(), seen, "seed {seed}, step {step}: {answer}");
        }
    }
}

#[test]
fn revisions_are_found_by_number_wherever_they_are() {
    let mut world = World::new();
    let mut store = MemoryStore::new();
    world.create(create("m")).expect("created");
    for comment in 1..200 {
        let input = UpdateStateMachineInput { definition: Some(definition(comment)), ..update("m") };
        world.update(input).expect("updated");
    }
    let input = DeleteStateMachineInput { state_machine_arn: arn("stateMachine:m") };
    write(&mut store, &world.registry.take_changes());
    world.registry.delete_state_machine(&world.place, &input).expect("deleted");
    write(&mut store, &world.registry.take_changes());
    let index = store.index();
    let mut opened = World::opened(&*index);
    for world in [&mut world, &mut opened] {
        for number in 1..=200 {
            let row = world.registry.revision(number, &*index).expect("readable").expect("never forgotten");
            assert_eq!((row.number, &row.definition_text), (number, &definition(number - 1)));
            assert_eq!(row.definition().expect("valid").comment.as_deref(), Some(&*(number - 1).to_string()));
            let again = world.registry.revision(number, &*index).expect("readable").expect("never forgotten");
            assert!(Arc::ptr_eq(&row, &again), "one revision is one row while somebody holds it");
        }
        for number in [0, 201, u64::MAX] {
            assert!(world.registry.revision(number, &*index).expect("readable").is_none(), "{number}");
        }
    }
    // Numbers of deleted machines are not given again.
    opened.create(create("m")).expect("created");
    let changes = opened.registry.take_changes();
    assert_eq!(changes[0].key, 201u64.to_be_bytes());
}

#[test]
fn broken_and_newer_rows_are_told_with_table_and_key() {
    let mut world = World::new();
    world.create(create("m")).expect("created");
    world.create_activity("a").expect("created");
    let good = world.registry.take_changes();
    let check = |place: usize, alter: &dyn Fn(String) -> Option<String>, expected: &str| {
        let mut changes = good.clone();
        let value = String::from_utf8(changes[place].value.take().expect("a value")).expect("text");
        changes[place].value = alter(value).map(String::into_bytes);
        let mut store = MemoryStore::new();
        write(&mut store, &changes);
        let told = Registry::open(&*store.index()).expect_err(expected).to_string();
        assert_eq!(told, expected);
    };
    let newer = |text: String| Some(text.replace(r#""format":1"#, r#""format":2"#));
    let format = "has format 2, written by a newer version; this one knows formats up to 1";
    let machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m";
    let of_machine = |what: &str| format!("row \"{machine}\" of table machines {what}");
    check(0, &newer, &format!("row 0x0000000000000001 of table revisions {format}"));
    check(1, &newer, &of_machine(format));
    check(2, &newer, &format!("row \"arn:aws:states:us-east-1:123456789012:activity:a\" of table activities {format}"));
    check(0, &|_| None, &of_machine("cannot be read: revision 1, which it leads to, is missing"));
    check(
        0,
        &|text| Some(text.replace("stateMachine:m", "stateMachine:n")),
        &of_machine("cannot be read: its revision is of arn:aws:states:us-east-1:123456789012:stateMachine:n"),
    );
    check(
        0,
        &|text| Some(text.replace("STANDARD", "QUICK")),
        "row 0x0000000000000001 of table revisions cannot be read: its `type` is unknown",
    );
    check(1, &|text| Some(text.replace("aliases", "names")), &of_machine("cannot be read: it has no list `aliases`"));
}

#[test]
fn a_stored_definition_that_no_longer_compiles_is_a_failure_and_no_panic() {
    let mut world = World::new();
    world.create(create("m")).expect("created");
    let mut changes = world.registry.take_changes();
    let value = String::from_utf8(changes[0].value.take().expect("a value")).expect("text");
    changes[0].value = Some(value.replace("Pass", "Trespass").into_bytes());
    let mut store = MemoryStore::new();
    write(&mut store, &changes);
    let world = World::opened(&*store.index());
    let refusal = world.describe(&arn("stateMachine:m")).expect_err("not a definition");
    assert_eq!((refusal.name(), refusal.status()), ("InternalFailure", 500));
    assert!(refusal.message().is_some_and(|told| told.contains("stateMachine:m does not compile")), "{refusal}");
}
