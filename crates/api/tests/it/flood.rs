//! Bad requests of every action against a service in which there is something: each is answered as AWS would, none breaks
//! anything.
//!
//! `STEPWELL_BAD_REQUESTS` is how many an action gets; `STEPWELL_SEED` another choice of them.

use stepwell_api::{Encoding, Head, decode, reply, route};
use stepwell_interpreter::Moment;
use stepwell_json::Json;
use stepwell_spec::{Action, Response};

use crate::bad_requests::{Draft, Stock, Tally, Verdict};
use crate::chance::Chance;
use crate::world::World;

/// How many, when nobody says.
const REQUESTS: u64 = 300;

/// After so many everything is made anew, so that what they deleted, stopped and answered is there again.
const REQUESTS_PER_STOCK: u64 = 50;

/// What a world may do by itself when its executions are let go on.
const STEPS_MAX: usize = 200;

#[test]
fn bad_requests_are_refused_as_aws_would_and_break_nothing() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect(name));
    let (requests, seed) = (number("STEPWELL_BAD_REQUESTS").unwrap_or(REQUESTS), number("STEPWELL_SEED").unwrap_or(0));
    let mut tally = Tally::default();
    for (place, &action) in Action::ALL.iter().enumerate() {
        let mut chance = Chance::new(seed.wrapping_mul(1_000) + place as u64 + 7);
        let mut done = 0;
        while done < requests {
            let count = REQUESTS_PER_STOCK.min(requests - done);
            flood(action, count, &mut chance, &mut tally);
            done += count;
        }
    }
    tally.close();
}

fn flood(action: Action, count: u64, chance: &mut Chance, tally: &mut Tally) {
    let mut world = World::new(false);
    let stock = stock(&mut world);
    let requests = stock.requests(action);
    for _ in 0..count {
        let draft = Draft::wrong(action, chance.pick(&requests), chance);
        let (status, body) = send(&mut world, &draft);
        tally.count(&draft, &draft.judge(status, &body));
        start_what_was_made(&mut world, &draft, status, &body);
    }
    for _ in 0..STEPS_MAX {
        if !world.step() {
            break;
        }
    }
    // Whatever was kept can be taken up again.
    world.reopen();
    world.call("ListStateMachines", "{}").expect("the service goes on");
}

/// The way of a request through the whole API, and the status and body of its answer.
fn send(world: &mut World, draft: &Draft) -> (u16, String) {
    let headers = [("content-type", &*draft.content_type), ("x-amz-target", &*draft.target)];
    let head = Head { method: draft.method, path: "/", query: "", headers: &headers };
    let outcome = route(&head).and_then(|action| decode(action, &draft.body)).and_then(|request| {
        stepwell_api::check(&request)?;
        let id = world.send(request);
        answer(world, id, draft)
    });
    let answer = reply(&outcome, Encoding::of(&head), "00000000-0000-4000-8000-000000000000");
    (answer.status, answer.body)
}

/// The reply, when it has come. A poll waits for a minute, a synchronous execution for its end.
fn answer(world: &mut World, id: u64, draft: &Draft) -> Result<Response, stepwell_api::Refusal> {
    let wait_until = world.now.plus_ms(60_001);
    loop {
        if let Some(reply) = world.replies.remove(&id) {
            assert!(world.replies.is_empty(), "{draft} is answered twice");
            return reply;
        }
        let due = world.service.next_due().unwrap_or_else(|| panic!("{draft} is never answered"));
        assert!(due <= wait_until, "{draft} is not answered in time");
        world.now = world.now.max(due);
        let at: Moment = world.moment();
        let outs = world.service.tick(at);
        world.input_ended(outs);
    }
}

/// A definition that was accepted after all can be run.
fn start_what_was_made(world: &mut World, draft: &Draft, status: u16, body: &str) {
    if status != 200 || !draft.target.ends_with("teStateMachine") {
        return;
    }
    let answer = Json::parse(body).expect("judged");
    let arn = answer.get("stateMachineArn").or_else(|| answer.get("stateMachineVersionArn"));
    if let Some(machine) = arn.and_then(Json::as_str) {
        let input = r#""{\"n\":2,\"a\":[1,2],\"s\":\"ab\"}""#;
        let started = world.call("StartExecution", &format!(r#"{{"stateMachineArn":"{machine}","input":{input}}}"#));
        started.unwrap_or_else(|name| panic!("{draft}: {name}"));
    }
}

#[test]
fn the_requests_are_right_before_they_are_altered() {
    for &action in Action::ALL {
        let count = {
            let mut world = World::new(false);
            stock(&mut world).requests(action).len()
        };
        assert!(count > 0, "{} has no request", action.name());
        for place in 0..count {
            let mut world = World::new(false);
            let request = stock(&mut world).requests(action).swap_remove(place);
            let draft = Draft::right(action, &request);
            let (status, body) = send(&mut world, &draft);
            assert_eq!(draft.judge(status, &body), Verdict::Granted, "{draft}: {body}");
        }
    }
}

fn stock(world: &mut World) -> Stock {
    Stock::new(&mut |action, body| world.call(action, body).unwrap_or_else(|name| panic!("{action} {body}: {name}")))
}

#[test]
fn an_answer_that_is_not_awss_is_seen() {
    let draft = Draft::right(Action::DescribeActivity, &Json::empty_object());
    let exception = |name: &str| format!(r#"{{"__type":"com.amazonaws.swf.service.v2.model#{name}"}}"#);
    assert_eq!(draft.judge(400, &exception("InvalidArn")), Verdict::Refused("InvalidArn".to_owned()));
    for (status, body) in [
        (500, exception("InvalidArn")),
        (503, exception("ServiceUnavailableException")),
        (0, String::new()),
        (200, "[]".to_owned()),
        (400, "{}".to_owned()),
        (400, "no activity".to_owned()),
        // Not one of this action's.
        (400, exception("StateMachineDoesNotExist")),
        (400, r#"{"__type":"InvalidArn"}"#.to_owned()),
    ] {
        let judged = std::panic::catch_unwind(|| draft.judge(status, &body));
        assert!(judged.is_err(), "{status} {body}: {judged:?}");
    }
}
