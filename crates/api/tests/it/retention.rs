//! Executions are there for some time after their end, and then they are not.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use stepwell_api::{Call, Place, Retention, SHARD, Service, ServiceSettings};
use stepwell_interpreter::Moment;
use stepwell_json::Json;
use stepwell_spec::Action;
use stepwell_store::{ALL_KEYS, Order, Store};

use crate::durability::{WORKER, both, create, shown, start, text};
use crate::world::{World, answer};

impl World {
    /// Lets days pass, with everything that is due on each of them.
    fn pass_days(&mut self, days: u64) {
        for _ in 0..days {
            self.now = self.now.plus_ms(86_400_000);
            loop {
                let at = self.moment();
                let outs = self.service.tick(at);
                self.input_ended(outs);
                while let Some((name, task)) = self.tasks.pop_first() {
                    if self.done.insert(name) {
                        let at = self.moment();
                        let outs = self.service.complete(task.execution, answer(&task), at);
                        self.input_ended(outs);
                    }
                }
                if self.service.next_due().is_none_or(|due| due > self.now) {
                    break;
                }
            }
        }
    }

    fn is_there(&mut self, execution: &str) -> bool {
        let body = format!(r#"{{"executionArn":"{execution}"}}"#);
        let (described, history) = (self.call("DescribeExecution", &body), self.call("GetExecutionHistory", &body));
        assert_eq!(described.is_ok(), history.is_ok());
        for refusal in described.as_ref().err().into_iter().chain(history.as_ref().err()) {
            assert_eq!(refusal, "ExecutionDoesNotExist");
        }
        described.is_ok()
    }

    /// How many rows there are of executions and Map Runs.
    fn rows(&self) -> BTreeMap<&'static str, usize> {
        let tables = ["executions", "listing", "ended", "map_runs", "map_runs_of", "map_runs_open"];
        let count = |table| self.store.index().scan(table, ALL_KEYS, Order::Ascending, usize::MAX).expect("rows").len();
        tables.into_iter().map(|table| (table, count(table))).filter(|(_, count)| *count > 0).collect()
    }

    /// How many frames the store still has.
    fn frames(&self) -> usize {
        let mut count = 0;
        let each = &mut |_: &stepwell_store::Frame<'_>| {
            count += 1;
            ControlFlow::Continue(())
        };
        self.store.read_shard(SHARD, 0, each).expect("readable");
        count
    }
}

#[test]
fn executions_are_forgotten_some_time_after_their_end() {
    both(|world| {
        let quick = create(world, "quick", r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#);
        let slow =
            create(world, "slow", r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":10368000,"End":true}}}"#);
        let failing = create(world, "failing", &format!(r#"{{"StartAt":"T","States":{{"T":{WORKER},"End":true}}}}}}"#));
        let executions: Vec<String> = (0..40).map(|i| start(world, &quick, &format!("e{i}"), "{}")).collect();
        let slow = start(world, &slow, "s", "{}");
        let redriven = start(world, &failing, "r", r#"{"fail":9}"#);
        world.pass_days(10);
        world.call("RedriveExecution", &format!(r#"{{"executionArn":"{redriven}"}}"#)).expect("redriven");
        world.pass_days(79);
        assert!(executions.iter().all(|execution| world.is_there(execution)), "89 days are not enough");
        let again = format!(r#"{{"stateMachineArn":"{quick}","name":"e0"}}"#);
        assert_eq!(world.call("StartExecution", &again), Err("ExecutionAlreadyExists".to_owned()));

        world.pass_days(2);
        assert!(!executions.iter().any(|execution| world.is_there(execution)), "91 days are");
        assert!(world.is_there(&slow) && world.is_there(&redriven), "one runs, the other has ended anew");
        let listed = world.call("ListExecutions", &format!(r#"{{"stateMachineArn":"{quick}"}}"#)).expect("listed");
        assert_eq!(listed.to_string(), r#"{"executions":[]}"#);

        world.pass_days(15);
        assert!(world.is_there(&slow) && !world.is_there(&redriven));
        world.pass_days(200);
        assert!(!world.is_there(&slow));
        assert!(world.rows().is_empty(), "{:?}", world.rows());
        assert_eq!(world.frames(), 0, "their frames are gone, too");
        vec![listed.to_string()]
    });
}

#[test]
fn children_stay_while_their_map_run_is_open() {
    both(|world| {
        let definition = r#"{"StartAt":"M","States":{"M":{"Type":"Map","Label":"L","ItemProcessor":{
            "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"W","States":{
            "W":{"Type":"Wait","SecondsPath":"$","End":true}}},"End":true}}}"#;
        let machine = create(world, "m", definition);
        let execution = start(world, &machine, "e", "[0,17280000,1]");
        world.pass_days(199);
        let runs = world.call("ListMapRuns", &format!(r#"{{"executionArn":"{execution}"}}"#)).expect("listed");
        let run = text(&runs.get("mapRuns").and_then(Json::as_array).expect("runs")[0], "mapRunArn").to_owned();
        let children = |world: &mut World| {
            let listed = world.call("ListExecutions", &format!(r#"{{"mapRunArn":"{run}"}}"#));
            listed.map(|listed| listed.to_string().matches("executionArn").count())
        };
        assert_eq!(children(world), Ok(3));
        world.pass_days(2);
        let shown = shown(world, &execution);
        assert!(shown.contains("SUCCEEDED") && shown.contains(r#""output":"[0,17280000,1]""#), "{shown}");
        world.pass_days(88);
        assert!(world.is_there(&execution) && children(world) == Ok(3));
        world.pass_days(3);
        assert!(!world.is_there(&execution));
        assert!(children(world).is_err(), "a Map Run goes with its execution");
        world.pass_days(2);
        assert!(world.rows().is_empty(), "{:?}", world.rows());
        vec![shown]
    });
}

/// Nothing of it is durable yet, and yet it is forgotten: whoever asks next comes later.
#[test]
fn a_name_is_free_as_soon_as_its_execution_is_forgotten() {
    let mut world = World::forgetting_after(Retention(Duration::from_secs(60)), false);
    let machine = create(&mut world, "m", r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#);
    let execution = start(&mut world, &machine, "e", "[1]");
    world.now = world.now.plus_ms(61_000);
    let at = world.moment();
    let forgetting = world.service.tick(at);
    let mut outs = vec![forgetting];
    let place = Place { account: "000000000000".to_owned(), region: "us-east-1".to_owned() };
    for (id, action, body) in [
        (900, "DescribeExecution", format!(r#"{{"executionArn":"{execution}"}}"#)),
        (901, "StartExecution", format!(r#"{{"stateMachineArn":"{machine}","name":"e","input":"[2]"}}"#)),
        (902, "DescribeExecution", format!(r#"{{"executionArn":"{execution}"}}"#)),
    ] {
        let request = stepwell_api::decode(Action::of(action).expect(action), body.as_bytes()).expect("a request");
        let at = world.moment();
        outs.push(world.service.call(Call { id, place: place.clone(), request }, at));
        // Time passes before anything is durable.
        let at = world.moment();
        outs.push(world.service.tick(at));
    }
    outs.into_iter().for_each(|outs| world.take(outs));
    let mut reply = |id| {
        let reply = world.replies.remove(&id).expect("answered");
        reply.map(|response| response.to_json()).map_err(|refusal| refusal.name().to_owned())
    };
    assert_eq!(reply(900), Err("ExecutionDoesNotExist".to_owned()));
    assert!(reply(901).is_ok());
    assert_eq!(text(&reply(902).expect("there"), "output"), "[2]");
    world.service.kept(world.sequence);
    assert!(world.is_there(&execution));
    let at = Moment { now: world.now, entropy: 9 };
    world.service = Service::open(&ServiceSettings::default(), world.store.index(), at).expect("opens").0;
    assert!(world.is_there(&execution), "it was the older one that was forgotten");
}
