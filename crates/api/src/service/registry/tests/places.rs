//! Accounts, regions and partitions: what is elsewhere is not there.

use stepwell_spec::shapes::{DescribeActivityInput, ListStateMachinesInput};

use super::{World, arn, create};
use crate::service::Place;

#[test]
fn what_is_elsewhere_is_not_there() {
    let mut world = World::new();
    world.create_activity("a").expect("created");
    world.create(create("m")).expect("created");
    let elsewhere = |region: &str, account: &str| Place { account: account.into(), region: region.into() };
    let places = [
        (elsewhere("us-east-1", "123456789012"), true),
        (elsewhere("us-east-1", "000000000000"), false),
        (elsewhere("eu-west-1", "123456789012"), false),
    ];
    for (place, is_there) in places {
        world.place = place;
        // One of the same name here makes no difference.
        let here = world.create_activity("a").expect("created").activity_arn;
        let described = world.registry.describe_activity(&world.place, &DescribeActivityInput { activity_arn: here });
        assert!(described.is_ok(), "{:?}", world.place);
        let activity_arn = arn("activity:a");
        let described = world.registry.describe_activity(&world.place, &DescribeActivityInput { activity_arn });
        assert_eq!(described.is_ok(), is_there, "{:?}", world.place);
        for resource in ["stateMachine:m", "activity:a"] {
            assert_eq!(world.tags(&arn(resource)).is_ok(), is_there, "{resource} {:?}", world.place);
        }
        assert_eq!(world.describe(&arn("stateMachine:m")).is_ok(), is_there, "{:?}", world.place);
        let all = ListStateMachinesInput { max_results: None, next_token: None };
        let World { registry, place, seal, now } = &world;
        let machines = registry.list_state_machines(place, &all, seal, *now).expect("a list");
        assert_eq!(machines.state_machines.len(), usize::from(is_there), "{place:?}");
    }
}

#[test]
fn arns_are_in_their_regions_partition() {
    let mut world = World::new();
    world.place.region = "cn-north-1".into();
    let created = world.create(create("m")).expect("created").state_machine_arn;
    assert_eq!(&*created, "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:m");
    assert_eq!(world.describe(&created).expect("described").state_machine_arn, created);
    let created = world.create_activity("a").expect("created").activity_arn;
    assert_eq!(&*created, "arn:aws-cn:states:cn-north-1:123456789012:activity:a");
    assert_eq!(world.tags(&created), Ok(Vec::new()));
}
