//! Pages: every entry comes once, whatever is deleted between two of them.

use stepwell_spec::Text;
use stepwell_spec::shapes::{
    DeleteActivityInput, DeleteStateMachineAliasInput, DeleteStateMachineInput, DeleteStateMachineVersionInput,
    ListActivitiesInput, ListStateMachineAliasesInput, ListStateMachineVersionsInput, ListStateMachinesInput,
    UpdateStateMachineInput,
};

use super::{World, arn, create, definition, route, update};
use crate::refusal::Refusal;

/// One page: the ARNs on it, and the token of the next.
type Page = Result<(Vec<Text>, Option<Text>), Refusal>;

/// One of the four listings: how to make an entry, list a page and delete an entry.
struct Kind {
    name: &'static str,
    make: fn(&mut World, u64),
    list: fn(&World, Option<i64>, Option<Text>) -> Page,
    delete: fn(&mut World, Text),
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "state machines",
        // Lists go by age, not by name.
        make: |world, n| drop(world.create(create(&format!("m{}", 9 - n))).expect("created")),
        list: |world, max_results, next_token| {
            let asked = ListStateMachinesInput { max_results, next_token };
            let listed = world.registry.list_state_machines(&world.place, &asked, &world.seal, world.now)?;
            Ok((listed.state_machines.into_iter().map(|item| item.state_machine_arn).collect(), listed.next_token))
        },
        delete: |world, state_machine_arn| {
            let asked = DeleteStateMachineInput { state_machine_arn };
            world.registry.delete_state_machine(&world.place, &asked).expect("deleted");
        },
    },
    Kind {
        name: "activities",
        make: |world, n| drop(world.create_activity(&format!("a{n}")).expect("created")),
        list: |world, max_results, next_token| {
            let asked = ListActivitiesInput { max_results, next_token };
            let listed = world.registry.list_activities(&world.place, &asked, &world.seal, world.now)?;
            Ok((listed.activities.into_iter().map(|item| item.activity_arn).collect(), listed.next_token))
        },
        delete: |world, activity_arn| {
            world.registry.delete_activity(&world.place, &DeleteActivityInput { activity_arn }).expect("deleted");
        },
    },
    Kind {
        name: "versions",
        make: |world, n| {
            if n == 0 {
                world.create(create("m")).expect("created");
            }
            let publish = UpdateStateMachineInput { definition: Some(definition(n + 1)), ..update("m") };
            world.update(UpdateStateMachineInput { publish: Some(true), ..publish }).expect("updated");
        },
        list: |world, max_results, next_token| {
            let state_machine_arn = arn("stateMachine:m");
            let asked = ListStateMachineVersionsInput { state_machine_arn, next_token, max_results };
            let listed = world.registry.list_state_machine_versions(&world.place, &asked, &world.seal, world.now)?;
            let versions = listed.state_machine_versions.into_iter();
            Ok((versions.map(|item| item.state_machine_version_arn).collect(), listed.next_token))
        },
        delete: |world, state_machine_version_arn| {
            let asked = DeleteStateMachineVersionInput { state_machine_version_arn };
            world.registry.delete_state_machine_version(&world.place, &asked).expect("deleted");
        },
    },
    Kind {
        name: "aliases",
        make: |world, n| {
            if n == 0 {
                world.create(create("m")).expect("created");
                world.publish(None).expect("published");
            }
            world.create_alias(&format!("x{n}"), vec![route("m:1", 100)]).expect("created");
        },
        list: |world, max_results, next_token| {
            let state_machine_arn = arn("stateMachine:m");
            let asked = ListStateMachineAliasesInput { state_machine_arn, next_token, max_results };
            let listed = world.registry.list_state_machine_aliases(&world.place, &asked, &world.seal, world.now)?;
            let aliases = listed.state_machine_aliases.into_iter();
            Ok((aliases.map(|item| item.state_machine_alias_arn).collect(), listed.next_token))
        },
        delete: |world, state_machine_alias_arn| {
            let asked = DeleteStateMachineAliasInput { state_machine_alias_arn };
            world.registry.delete_state_machine_alias(&world.place, &asked).expect("deleted");
        },
    },
];

#[test]
fn every_entry_comes_once_whatever_is_deleted_meanwhile() {
    for Kind { name, make, list, delete } in KINDS {
        for size in 1..=7 {
            // Deleted after the first page: nothing, the first entry of all, the last one of the page, the next one.
            for deleted in [None, Some(0), Some(size as usize - 1), Some(size as usize)] {
                let mut world = World::new();
                (0..6).for_each(|n| make(&mut world, n));
                let (all, none) = list(&world, None, None).expect(name);
                assert_eq!((all.len(), none), (6, None), "{name}");
                let (mut seen, mut next) = list(&world, Some(size), None).expect(name);
                let gone = deleted.and_then(|place| all.get(place)).cloned();
                if let Some(gone) = gone.clone() {
                    delete(&mut world, gone);
                }
                while let Some(token) = next {
                    let (page, further) = list(&world, Some(size), Some(token)).expect(name);
                    assert!(page.len() <= size as usize && (further.is_none() || !page.is_empty()), "{name}");
                    seen.extend(page);
                    next = further;
                }
                let still_there = |arn: &&Text| Some(*arn) != gone.as_ref() || seen.contains(arn);
                let expected: Vec<&Text> = all.iter().filter(still_there).collect();
                assert_eq!(seen.iter().collect::<Vec<_>>(), expected, "{name} by {size}, without {gone:?}");
            }
        }
    }
}

#[test]
fn a_token_leads_on_in_its_own_listing_only() {
    let mut tokens = Vec::new();
    for Kind { name, make, list, .. } in KINDS {
        let mut world = World::new();
        (0..3).for_each(|n| make(&mut world, n));
        tokens.push(list(&world, Some(1), None).expect(name).1.expect("a token"));
    }
    for (place, Kind { name, make, list, .. }) in KINDS.into_iter().enumerate() {
        let mut world = World::new();
        (0..3).for_each(|n| make(&mut world, n));
        for (from, token) in tokens.iter().enumerate() {
            let answer = list(&world, None, Some(token.clone())).map(|(page, _)| page.len());
            let expected = if from == place { Ok(2) } else { Err(Refusal::invalid_token()) };
            assert_eq!(answer, expected, "token {from} in {name}");
        }
    }
}
