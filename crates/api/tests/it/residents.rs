//! What is in memory is bounded, whatever brings it there.

use stepwell_api::{Call, Place};
use stepwell_spec::Action;

use crate::durability::{create, start};
use crate::world::World;

const WAITS: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":36000,"End":true}}}"#;

/// More than there may be in memory.
const EXECUTIONS: usize = 1_500;

#[test]
fn executions_that_are_read_leave_memory_again() {
    let mut world = World::new(false);
    let machine = create(&mut world, "m", WAITS);
    let arns: Vec<String> =
        (0..EXECUTIONS).map(|number| start(&mut world, &machine, &format!("e{number}"), "{}")).collect();
    let most = world.service.in_memory();
    assert!(most < EXECUTIONS, "{most} wait in memory");
    for action in ["DescribeExecution", "GetExecutionHistory"] {
        for (id, arn) in (1_000_000..).zip(&arns) {
            let request = stepwell_api::decode(
                Action::of(action).expect(action),
                format!(r#"{{"executionArn":"{arn}"}}"#).as_bytes(),
            );
            let place = Place { account: "000000000000".to_owned(), region: "us-east-1".to_owned() };
            let at = world.moment();
            // As a server does it: nothing new is durable.
            let outs = world.service.call(Call { id, place, request: request.expect(action) }, at);
            assert!(outs.frame.is_none() && outs.replies.iter().all(|(_, reply)| reply.is_ok()), "{action} of {arn}");
            assert!(world.service.in_memory() <= most, "{} are in memory", world.service.in_memory());
        }
    }
}
