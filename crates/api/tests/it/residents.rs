//! What is in memory is bounded, whatever brings it there.

use stepwell_api::{Call, Place};
use stepwell_spec::Action;

use crate::world::World;

const WAITS: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":36000,"End":true}}}"#;

/// More than there may be in memory.
const EXECUTIONS: usize = 1_500;

fn machine(world: &mut World) -> String {
    let definition = stepwell_json::Json::from(WAITS).to_string();
    let role = "arn:aws:iam::000000000000:role/r";
    let body = format!(r#"{{"name":"m","roleArn":"{role}","definition":{definition}}}"#);
    let made = world.call("CreateStateMachine", &body).expect("a state machine");
    made.get("stateMachineArn").and_then(|arn| arn.as_str()).expect("an ARN").to_owned()
}

#[test]
fn executions_that_are_read_leave_memory_again() {
    let mut world = World::new(false);
    let machine = machine(&mut world);
    let arns: Vec<String> = (0..EXECUTIONS)
        .map(|number| {
            let body = format!(r#"{{"stateMachineArn":"{machine}","name":"e{number}"}}"#);
            let started = world.call("StartExecution", &body).expect("a start");
            started.get("executionArn").and_then(|arn| arn.as_str()).expect("an ARN").to_owned()
        })
        .collect();
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
