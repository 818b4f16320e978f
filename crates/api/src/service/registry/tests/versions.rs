//! Versions and aliases.

use stepwell_spec::shapes::{
    DeleteStateMachineVersionInput, ListStateMachineAliasesInput, ListStateMachineVersionsInput,
    UpdateStateMachineInput,
};

use super::super::limits::Limits;
use super::{World, arn, create, definition, refused, route, update};
use crate::refusal::Refusal;

/// `m`, with so many versions.
fn published(versions: u64) -> World {
    let mut world = World::new();
    world.create(create("m")).expect("created");
    for comment in 1..=versions {
        world.update(publishing(comment)).expect("updated");
    }
    world
}

fn publishing(comment: u64) -> UpdateStateMachineInput {
    UpdateStateMachineInput { definition: Some(definition(comment)), publish: Some(true), ..update("m") }
}

/// The ARNs of what a listing gives, from behind the machine's name.
fn versions(world: &World) -> Vec<String> {
    let asked =
        ListStateMachineVersionsInput { state_machine_arn: arn("stateMachine:m"), next_token: None, max_results: None };
    let World { registry, place, seal, now } = world;
    let listed = registry.list_state_machine_versions(place, &asked, seal, *now).expect("a list");
    let arns = listed.state_machine_versions.iter().map(|version| &version.state_machine_version_arn);
    arns.map(|arn| arn.rsplit(':').next().unwrap_or_default().to_owned()).collect()
}

fn aliases(world: &World, of: &str) -> Result<Vec<String>, Refusal> {
    let asked = ListStateMachineAliasesInput { state_machine_arn: arn(of), next_token: None, max_results: None };
    let World { registry, place, seal, now } = world;
    let listed = registry.list_state_machine_aliases(place, &asked, seal, *now)?;
    let arns = listed.state_machine_aliases.iter().map(|alias| &alias.state_machine_alias_arn);
    Ok(arns.map(|arn| arn.rsplit(':').next().unwrap_or_default().to_owned()).collect())
}

fn delete_version(world: &mut World, version: &str) -> String {
    let input = DeleteStateMachineVersionInput { state_machine_version_arn: arn(&format!("stateMachine:{version}")) };
    refused(world.registry.delete_state_machine_version(&world.place, &input))
}

#[test]
fn only_the_revision_that_was_meant_is_published() {
    let conflict = "ConflictException: Failed to publish the State Machine version because the provided revision id is \
                    not the current one.";
    let mut world = published(0);
    assert_eq!(refused(world.publish(Some("other"))), conflict);
    assert_eq!(refused(world.publish(Some("INITIAL"))), "");
    assert_eq!(versions(&world), ["1"]);
    assert_eq!(world.publish(Some("INITIAL")), world.publish(None), "the same revision is the same version");
    let updated = world.update(UpdateStateMachineInput { definition: Some(definition(1)), ..update("m") });
    let revision = updated.expect("updated").revision_id.expect("a revision");
    assert_eq!(refused(world.publish(Some("INITIAL"))), conflict);
    assert_eq!(refused(world.publish(Some(&revision))), "");
    assert_eq!(versions(&world), ["2", "1"]);
}

#[test]
fn creating_a_published_machine_again_makes_no_second_version() {
    let mut world = World::new();
    let create = || super::CreateStateMachineInput { publish: Some(true), ..create("m") };
    let created = world.create(create()).expect("created");
    assert_eq!(created.state_machine_version_arn, Some(arn("stateMachine:m:1")));
    // A role does not count, so that the request is the same one although there is a new revision.
    let role_arn = Some("arn:aws:iam::123456789012:role/other".into());
    world.update(UpdateStateMachineInput { role_arn, ..update("m") }).expect("updated");
    world.registry.take_changes();
    assert_eq!(world.create(create()), Ok(created));
    assert!(world.registry.take_changes().is_empty());
    assert_eq!(versions(&world), ["1"]);
}

#[test]
fn what_exceeds_a_quota_changes_nothing() {
    let mut world = published(2);
    world.registry.limits = Limits { versions: 2, aliases: 1, ..Limits::default() };
    world.create_alias("x", vec![route("m:2", 100)]).expect("created");
    let before = world.describe(&arn("stateMachine:m")).expect("described");
    world.registry.take_changes();
    let full = "ServiceQuotaExceededException: A state machine may have 2 versions at most";
    assert_eq!(refused(world.update(publishing(3))), full);
    assert_eq!(world.describe(&arn("stateMachine:m")), Ok(before), "the update is not made either");
    let many = "ServiceQuotaExceededException: A state machine may have 1 aliases at most";
    assert_eq!(refused(world.create_alias("y", vec![route("m:1", 100)])), many);
    assert!(world.registry.take_changes().is_empty());
    // What makes nothing new is not refused.
    assert_eq!(refused(world.publish(None)), "");
    assert_eq!(refused(world.update(publishing(2))), "");
    assert_eq!(refused(world.create_alias("x", vec![route("m:2", 100)])), "");
    assert!(world.registry.take_changes().is_empty());
    // Without publishing, the update is made; publishing it is not.
    let unpublished = UpdateStateMachineInput { publish: None, ..publishing(3) };
    assert_eq!(refused(world.update(unpublished)), "");
    assert_eq!(refused(world.publish(None)), full);
    // Room for one more.
    assert_eq!(delete_version(&mut world, "m:1"), "");
    assert_eq!(refused(world.publish(None)), "");
    assert_eq!(versions(&world), ["3", "2"]);
}

#[test]
fn a_version_that_aliases_lead_to_is_not_deleted() {
    let mut world = published(3);
    world.create_alias("b", vec![route("m:1", 100)]).expect("created");
    world.create_alias("a", vec![route("m:2", 1), route("m:1", 99)]).expect("created");
    world.create_alias("c", vec![route("m:2", 100)]).expect("created");
    let told = "ConflictException: Version to be deleted must not be referenced by an alias. Current list of aliases \
                referencing this version: ";
    assert_eq!(delete_version(&mut world, "m:1"), format!("{told}[a, b]"));
    assert_eq!(delete_version(&mut world, "m:2"), format!("{told}[a, c]"));
    assert_eq!(delete_version(&mut world, "m:3"), "");
    assert_eq!(delete_version(&mut world, "m:3"), "", "it is deleted already");
    assert_eq!(versions(&world), ["2", "1"]);
}

#[test]
fn an_alias_is_the_same_in_whatever_order_its_routes_are_given() {
    let conflict = "ConflictException: Failed to create alias because an alias with the same name and a different \
                    routing configuration already exists.";
    let mut world = published(3);
    let routes = || vec![route("m:1", 30), route("m:2", 70)];
    let created = world.create_alias("x", routes()).expect("created");
    world.registry.take_changes();
    world.now = world.now.plus_ms(1);
    assert_eq!(world.create_alias("x", routes().into_iter().rev().collect()), Ok(created));
    for other in
        [vec![route("m:1", 70), route("m:2", 30)], vec![route("m:1", 30), route("m:3", 70)], vec![route("m:2", 100)]]
    {
        assert_eq!(refused(world.create_alias("x", other)), conflict);
    }
    assert!(world.registry.take_changes().is_empty());
}

#[test]
fn aliases_are_listed_of_a_machine_or_of_one_version() {
    let mut world = published(3);
    world.create_alias("b", vec![route("m:1", 100)]).expect("created");
    world.create_alias("a", vec![route("m:2", 50), route("m:1", 50)]).expect("created");
    let check = |of: &str, expected: Result<&[&str], &str>| {
        let listed = aliases(&world, &format!("stateMachine:{of}"));
        let listed = listed.map_err(|refusal| refusal.name());
        assert_eq!(listed, expected.map(|names| names.iter().map(|&name| name.to_owned()).collect()), "{of}");
    };
    check("m", Ok(&["a", "b"]));
    check("m:1", Ok(&["a", "b"]));
    check("m:2", Ok(&["a"]));
    check("m:3", Ok(&[]));
    check("m:4", Err("ResourceNotFound"));
    check("m:a", Err("ValidationException"));
    check("m/label", Err("ValidationException"));
    check("n", Err("StateMachineDoesNotExist"));
    check("n:1", Err("StateMachineDoesNotExist"));
}

#[test]
fn a_machine_that_is_not_there_has_no_versions() {
    assert_eq!(versions(&World::new()), [""; 0]);
}
