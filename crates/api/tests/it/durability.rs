//! A service that is opened anew after every single input does exactly what one does that never stops.
//!
//! Time, chance and the outside world are scripted, so that the two can be compared event by event. A task is answered by
//! what its request says; one that is asked for again after an opening is answered once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use stepwell_api::{Call, NewFrame, Outs, Place, Retention, SHARD, Service, ServiceSettings, ServiceTask};
use stepwell_interpreter::{Chance, Command, Moment, TaskKey};
use stepwell_json::Json;
use stepwell_spec::{Action, Text, Timestamp};
use stepwell_store::{ALL_KEYS, Append, MemoryStore, Order, Outcome, Row, Store};

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

/// A service, what it has kept, and the world around it.
struct World {
    store: MemoryStore,
    service: Service,
    reopens: bool,
    now: Timestamp,
    chance: Chance,
    calls: u64,
    sequence: u64,
    replies: BTreeMap<u64, Result<Json, String>>,
    /// By execution and task, so that it does not matter in which order they were asked for.
    tasks: BTreeMap<(Text, TaskKey), ServiceTask>,
    done: BTreeSet<(Text, TaskKey)>,
    openings: u64,
    retention: Retention,
}

impl World {
    fn new(reopens: bool) -> World {
        World::with_retention(reopens, Retention::default())
    }

    fn with_retention(reopens: bool, retention: Retention) -> World {
        let store = MemoryStore::new();
        let now = Timestamp(1_700_000_000_000);
        let (service, outs) =
            Service::open(&ServiceSettings { key: [7; 32], retention }, store.index(), Moment { now, entropy: 0 })
                .expect("opens");
        let mut world = World {
            store,
            service,
            reopens,
            now,
            chance: Chance::new(Moment { now, entropy: 42 }),
            calls: 0,
            sequence: 0,
            replies: BTreeMap::new(),
            tasks: BTreeMap::new(),
            done: BTreeSet::new(),
            openings: 0,
            retention,
        };
        world.take(outs);
        world
    }

    fn moment(&mut self) -> Moment {
        self.now = self.now.plus_ms(1);
        Moment { now: self.now, entropy: self.chance.draw() }
    }

    fn call(&mut self, action: &str, body: &str) -> Result<Json, String> {
        let id = self.ask(action, body);
        self.replies.remove(&id).unwrap_or_else(|| panic!("{action} is not answered at once"))
    }

    fn ask(&mut self, action: &str, body: &str) -> u64 {
        let request = stepwell_api::decode(Action::of(action).expect(action), body.as_bytes()).expect(body);
        stepwell_api::check(&request).expect(body);
        self.calls += 1;
        let place = Place { account: "000000000000".to_owned(), region: "us-east-1".to_owned() };
        let call = Call { id: self.calls, place, request };
        let at = self.moment();
        let outs = self.service.call(call, at);
        self.input_ended(outs);
        self.calls
    }

    fn input_ended(&mut self, outs: Outs) {
        self.take(outs);
        if self.reopens {
            // What was in memory alone is gone; tasks on their way are asked for again.
            self.tasks.clear();
            self.openings += 1;
            let at = Moment { now: self.now, entropy: self.openings };
            let (service, outs) =
                Service::open(&ServiceSettings { key: [9; 32], retention: self.retention }, self.store.index(), at)
                    .expect("opens again");
            self.service = service;
            assert!(outs.replies.is_empty());
            self.take(outs);
        } else {
            // Nothing has to stay in memory.
            self.service.kept(self.sequence);
        }
    }

    fn take(&mut self, outs: Outs) {
        assert!(outs.fault.is_none(), "{:?}", outs.fault);
        if let Some(NewFrame { executions, rows, payload }) = &outs.frame {
            self.sequence += 1;
            let rows: Vec<Row<'_>> =
                rows.iter().map(|row| Row { table: row.table, key: &row.key, value: row.value.as_deref() }).collect();
            let (sequence, mut outcomes) = (self.sequence, Vec::new());
            let append = Append { shard: SHARD, epoch: 1, sequence, executions, rows: &rows, payload };
            self.store.append_batch(&[append], &mut outcomes).expect("appended");
            assert_eq!(outcomes, [Outcome::Appended { sequence }]);
        }
        for (id, reply) in outs.replies {
            let reply = reply.map(|response| response.to_json()).map_err(|refusal| refusal.name().to_owned());
            self.replies.insert(id, reply);
        }
        self.tasks.retain(|_, task| !outs.cancelled.contains(&(task.execution, task.request.key)));
        let tasks = outs.tasks.into_iter().map(|task| ((task.identity.arn.clone(), task.request.key), task));
        self.tasks.extend(tasks);
    }

    /// Lets the world turn until nothing is left to do by itself: tasks first, then time.
    fn turn(&mut self) {
        loop {
            if let Some((name, task)) = self.tasks.pop_first() {
                if self.done.insert(name) {
                    let at = self.moment();
                    let outs = self.service.complete(task.execution, answer(&task), at);
                    self.input_ended(outs);
                }
                continue;
            }
            let Some(due) = self.service.next_due() else { return };
            // A machine's own timeout is a year away.
            if due > Timestamp(1_700_000_000_000).plus_ms(30 * 86_400_000) {
                return;
            }
            self.now = self.now.max(due);
            let at = self.moment();
            let outs = self.service.tick(at);
            self.input_ended(outs);
        }
    }
}

/// What a task's own input says: `{"fail": n}` fails the first `n` attempts, anything else succeeds with the input.
fn answer(task: &ServiceTask) -> Command {
    let request = &task.request;
    let failures = request.input.get("fail").and_then(Json::as_i64).unwrap_or(0);
    if (request.retry_count as i64) < failures {
        let error = Some(format!("E{}", request.retry_count).into());
        return Command::TaskFailed { task: request.key, error, cause: None };
    }
    Command::TaskSucceeded { task: request.key, output: request.input.clone() }
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::as_str).unwrap_or_else(|| panic!("no {key} in {json}"))
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

fn create(world: &mut World, name: &str, definition: &str) -> String {
    let body = format!(r#"{{"name":"{name}","roleArn":"{ROLE}","definition":{}}}"#, quoted(definition));
    text(&world.call("CreateStateMachine", &body).expect("created"), "stateMachineArn").to_owned()
}

fn start(world: &mut World, machine: &str, name: &str, input: &str) -> String {
    let body = format!(r#"{{"stateMachineArn":"{machine}","name":"{name}","input":{}}}"#, quoted(input));
    text(&world.call("StartExecution", &body).expect("started"), "executionArn").to_owned()
}

/// Everything the API shows of an execution, and its history in pages of three.
fn shown(world: &mut World, execution: &str) -> String {
    let described = world.call("DescribeExecution", &format!(r#"{{"executionArn":"{execution}"}}"#)).expect("there");
    let mut shown = format!("{described}\n");
    for reverse in [false, true] {
        let mut token = String::new();
        let mut ids = Vec::new();
        loop {
            let next = if token.is_empty() { String::new() } else { format!(r#","nextToken":"{token}""#) };
            let body = format!(r#"{{"executionArn":"{execution}","maxResults":3,"reverseOrder":{reverse}{next}}}"#);
            let page = world.call("GetExecutionHistory", &body).expect("a page");
            for event in page.get("events").and_then(Json::as_array).expect("events").iter() {
                ids.push(event.get("id").and_then(Json::as_i64).expect("an id"));
                if !reverse {
                    shown += &format!("{event}\n");
                }
            }
            match page.get("nextToken").and_then(Json::as_str) {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        if reverse {
            ids.reverse();
        }
        assert_eq!(ids, (1..=ids.len() as i64).collect::<Vec<_>>(), "I2");
    }
    shown
}

const WORKER: &str = r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":2}]"#;

/// A scenario: what is done to a world, and what of it is to be the same.
type Scenario = fn(&mut World) -> Vec<String>;

fn both(scenario: Scenario) -> Vec<String> {
    let (mut steady, mut reopened) = (World::new(false), World::new(true));
    let (expected, seen) = (scenario(&mut steady), scenario(&mut reopened));
    for (seen, expected) in seen.iter().zip(&expected) {
        let differs = seen.lines().zip(expected.lines()).find(|(seen, expected)| seen != expected);
        assert_eq!(differs, None);
    }
    assert_eq!(seen, expected);
    assert!(reopened.openings > 3, "{}", reopened.openings);
    seen
}

#[test]
fn parallel_branches_retries_and_inline_maps_go_on() {
    let seen = both(|world| {
        let definition = format!(
            r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","Branches":[
                {{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":5,"Next":"T"}},"T":{WORKER},"End":true}}}}}},
                {{"StartAt":"M","States":{{"M":{{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":2,"ItemProcessor":
                    {{"StartAt":"I","States":{{"I":{WORKER},"End":true}}}}}},"Assign":{{"a.$":"$[0]"}},"End":true}}}}}}],
                "Catch":[{{"ErrorEquals":["States.ALL"],"ResultPath":"$.caught","Next":"E"}}],"Next":"E"}},
                "E":{{"Type":"Pass","End":true}}}}}}"#
        );
        let machine = create(world, "m", &definition);
        let good = start(world, &machine, "good", r#"{"items":[{"fail":1},{},{"fail":2},{}],"fail":2}"#);
        let bad = start(world, &machine, "bad", r#"{"items":[{"fail":9},{}],"fail":0}"#);
        world.turn();
        vec![shown(world, &good), shown(world, &bad)]
    });
    assert!(seen[0].contains("SUCCEEDED") && seen[1].contains("caught"), "{seen:?}");
}

#[test]
fn map_runs_go_on_with_the_children_they_have() {
    let seen = both(|world| {
        let definition = format!(
            r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","MaxConcurrency":2,"ToleratedFailureCount":1,"Label":"L","ItemProcessor":
                {{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},"StartAt":"W","States":{{
                "W":{{"Type":"Wait","Seconds":2,"Next":"T"}},"T":{WORKER},"End":true}}}}}},"End":true}}}}}}"#
        );
        let machine = create(world, "m", &definition);
        let execution = start(world, &machine, "e", r#"[{"fail":1},{"n":2},{"fail":7},{"n":4},{"n":5}]"#);
        world.turn();
        let runs = world.call("ListMapRuns", &format!(r#"{{"executionArn":"{execution}"}}"#)).expect("listed");
        let run = runs.get("mapRuns").and_then(Json::as_array).expect("runs")[0].clone();
        let run = text(&run, "mapRunArn").to_owned();
        let described = world.call("DescribeMapRun", &format!(r#"{{"mapRunArn":"{run}"}}"#)).expect("described");
        let listed = world.call("ListExecutions", &format!(r#"{{"mapRunArn":"{run}"}}"#)).expect("listed");
        vec![shown(world, &execution), described.to_string(), listed.to_string()]
    });
    assert!(seen[0].contains("SUCCEEDED"), "{seen:?}");
    assert!(seen[1].contains(r#""succeeded":4,"failed":1"#), "{}", seen[1]);
    assert_eq!(seen[2].matches("executionArn").count(), 5);
}

#[test]
fn tokens_activities_and_nested_executions_survive() {
    both(|world| {
        let activity = world.call("CreateActivity", r#"{"name":"a"}"#).expect("created");
        let activity = text(&activity, "activityArn").to_owned();
        let child = format!(
            r#"{{"StartAt":"A","States":{{"A":{{"Type":"Task","Resource":"{activity}","HeartbeatSeconds":60,"End":true}}}}}}"#
        );
        let child = create(world, "child", &child);
        let parent = format!(
            r#"{{"StartAt":"N","States":{{"N":{{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2",
                "Parameters":{{"StateMachineArn":"{child}","Name":"c","Input":{{"x":1}}}},"ResultSelector":{{"out.$":"$.Output"}},"Next":"T"}},
                "T":{{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","TimeoutSeconds":100,
                "Parameters":{{"QueueUrl":"q","MessageBody":{{"token.$":"$$.Task.Token"}}}},"ResultPath":null,"End":true}}}}}}"#
        );
        let parent = create(world, "parent", &parent);
        let execution = start(world, &parent, "p", "{}");
        let poll = format!(r#"{{"activityArn":"{activity}","workerName":"w"}}"#);
        let taken = world.call("GetActivityTask", &poll).expect("a task");
        let token = text(&taken, "taskToken").to_owned();
        let beat = format!(r#"{{"taskToken":"{token}"}}"#);
        world.call("SendTaskHeartbeat", &beat).expect("alive");
        world.call("SendTaskSuccess", &format!(r#"{{"taskToken":"{token}","output":"7"}}"#)).expect("done");
        let again = world.call("SendTaskSuccess", &format!(r#"{{"taskToken":"{token}","output":"8"}}"#));
        assert_eq!(again, Err("TaskTimedOut".to_owned()), "a token is good once");
        assert_eq!(world.call("SendTaskHeartbeat", r#"{"taskToken":"forged"}"#), Err("InvalidToken".to_owned()));
        // The callback's token went out with the message.
        let (_, task) = world.tasks.pop_first().expect("a message");
        let message = task.request.input.get("MessageBody").expect("a body");
        let token = text(message, "token").to_owned();
        let submitted = Command::TaskSubmitted { task: task.request.key, output: Json::empty_object() };
        let at = world.moment();
        let outs = world.service.complete(task.execution, submitted, at);
        world.input_ended(outs);
        assert!(world.tasks.is_empty(), "a message that was sent is not sent again");
        let failed = format!(r#"{{"taskToken":"{token}","error":"E","cause":"C"}}"#);
        world.call("SendTaskFailure", &failed).expect("failed");
        let history = shown(world, &execution);
        assert!(history.contains(r#""status":"FAILED""#) && history.contains("TaskSubmitted"), "{history}");
        // Tokens name executions, and names jump with every opening.
        let events = history.lines().filter(|line| !line.contains("token"));
        vec![events.collect(), shown(world, &execution.replace("parent:p", "child:c"))]
    });
}

#[test]
fn stopped_and_redriven_executions_go_on_where_they_failed() {
    let seen = both(|world| {
        let definition = format!(
            r#"{{"StartAt":"A","States":{{"A":{WORKER},"ResultPath":null,"Next":"B"}},
                "B":{{"Type":"Wait","Seconds":10,"Next":"C"}},"C":{WORKER},"End":true}}}}}}"#
        );
        let machine = create(world, "m", &definition);
        let stopped = start(world, &machine, "stopped", "{}");
        let failed = start(world, &machine, "failed", r#"{"fail":3}"#);
        let same = format!(r#"{{"stateMachineArn":"{machine}","name":"stopped","input":"{{}}"}}"#);
        assert_eq!(text(&world.call("StartExecution", &same).expect("idempotent"), "executionArn"), stopped);
        let stop = format!(r#"{{"executionArn":"{stopped}","error":"S","cause":"why"}}"#);
        world.call("StopExecution", &stop).expect("stopped");
        world.turn();
        assert_eq!(world.call("StartExecution", &same), Err("ExecutionAlreadyExists".to_owned()));
        for execution in [&stopped, &failed] {
            world.call("RedriveExecution", &format!(r#"{{"executionArn":"{execution}"}}"#)).expect("redriven");
        }
        world.turn();
        let listed = world.call("ListExecutions", &format!(r#"{{"stateMachineArn":"{machine}"}}"#)).expect("listed");
        let failures = format!(r#"{{"stateMachineArn":"{machine}","statusFilter":"FAILED"}}"#);
        let failures = world.call("ListExecutions", &failures).expect("listed");
        vec![shown(world, &stopped), shown(world, &failed), listed.to_string(), failures.to_string()]
    });
    assert!(seen[0].contains("ExecutionRedriven") && seen[0].contains("SUCCEEDED"), "{}", seen[0]);
    assert!(seen[1].contains(r#""redriveCount":1"#) && seen[1].contains("FAILED"), "{}", seen[1]);
    assert_eq!((seen[2].matches("executionArn").count(), seen[3].matches("executionArn").count()), (2, 1));
}

#[test]
fn what_is_registered_is_there_again() {
    both(|world| {
        let definition = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
        let machine = create(world, "m", definition);
        let execution = start(world, &machine, "first", "{}");
        let other = definition.replace("\"End\"", "\"Result\":1,\"End\"");
        let update = format!(r#"{{"stateMachineArn":"{machine}","definition":{},"publish":true}}"#, quoted(&other));
        world.call("UpdateStateMachine", &update).expect("updated");
        let route = format!(r#"[{{"stateMachineVersionArn":"{machine}:1","weight":100}}]"#);
        let alias = format!(r#"{{"name":"live","routingConfiguration":{route}}}"#);
        world.call("CreateStateMachineAlias", &alias).expect("created");
        let tags = format!(r#"{{"resourceArn":"{machine}","tags":[{{"key":"k","value":"v"}}]}}"#);
        world.call("TagResource", &tags).expect("tagged");
        start(world, &format!("{machine}:live"), "second", "{}");
        let gone = create(world, "gone", definition);
        world.call("DeleteStateMachine", &format!(r#"{{"stateMachineArn":"{gone}"}}"#)).expect("deleted");
        let about = |world: &mut World, action: &str, body: String| match world.call(action, &body) {
            Ok(answer) => answer.to_string(),
            Err(refusal) => refusal,
        };
        let arn = format!(r#"{{"stateMachineArn":"{machine}"}}"#);
        vec![
            about(world, "DescribeStateMachine", arn.clone()),
            about(world, "ListStateMachines", "{}".to_owned()),
            about(world, "ListStateMachineVersions", arn.clone()),
            about(world, "ListStateMachineAliases", arn.clone()),
            about(world, "ListTagsForResource", format!(r#"{{"resourceArn":"{machine}"}}"#)),
            about(world, "ListExecutions", format!(r#"{{"stateMachineArn":"{machine}:live"}}"#)),
            // It keeps the revision it was started from.
            about(world, "DescribeStateMachineForExecution", format!(r#"{{"executionArn":"{execution}"}}"#)),
        ]
    });
}

#[test]
fn a_synchronous_execution_leaves_nothing_behind() {
    let mut world = World::new(false);
    let definition = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
    let body = format!(r#"{{"name":"x","type":"EXPRESS","roleArn":"{ROLE}","definition":{}}}"#, quoted(definition));
    let machine = world.call("CreateStateMachine", &body).expect("created");
    let machine = text(&machine, "stateMachineArn").to_owned();
    let sync = format!(r#"{{"stateMachineArn":"{machine}","input":"[1]"}}"#);
    let first = world.call("StartSyncExecution", &sync).expect("answered");
    assert_eq!(text(&first, "output"), "[1]");
    let frames = world.sequence;
    for _ in 0..100 {
        world.call("StartSyncExecution", &sync).expect("answered");
    }
    assert_eq!(world.sequence, frames, "nothing is kept of it");
}

#[test]
fn a_machine_that_starts_itself_without_end_takes_turns_with_everybody_else() {
    let mut world = World::new(false);
    let own = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution",
        "Parameters":{"StateMachineArn.$":"$$.StateMachine.Id"},"End":true}}}"#;
    let machine = create(&mut world, "m", own);
    start(&mut world, &machine, "first", "{}");
    let list = format!(r#"{{"stateMachineArn":"{machine}","maxResults":1000}}"#);
    let mut count = 0;
    for _ in 0..3 {
        let at = world.moment();
        assert!(world.service.next_due().is_some_and(|due| due <= at.now), "it has more to do");
        let outs = world.service.tick(at);
        world.input_ended(outs);
        let listed = world.call("ListExecutions", &list).expect("listed").to_string();
        let now = listed.matches("executionArn").count();
        assert!(now > count && now < 1_000, "{count} and then {now}");
        count = now;
    }
}

#[test]
fn a_task_may_be_any_action_of_this_api() {
    let seen = both(|world| {
        let activity = world.call("CreateActivity", r#"{"name":"a"}"#).expect("created");
        let activity = text(&activity, "activityArn").to_owned();
        let worker = format!(
            r#"{{"StartAt":"G","States":{{
                "G":{{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:sfn:getActivityTask","Parameters":{{"ActivityArn":"{activity}"}},"Next":"S"}},
                "S":{{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
                    "Parameters":{{"TaskToken.$":"$.TaskToken","Output.$":"$.Input"}},"Next":"L"}},
                "L":{{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:sfn:describeActivity","Parameters":{{"ActivityArn":"{activity}x"}},"End":true}}}}}}"#
        );
        let worker = create(world, "worker", &worker);
        let boss =
            format!(r#"{{"StartAt":"A","States":{{"A":{{"Type":"Task","Resource":"{activity}","End":true}}}}}}"#);
        let boss = create(world, "boss", &boss);
        // The worker waits before there is work.
        let worker = start(world, &worker, "w", "{}");
        let boss = start(world, &boss, "b", r#"{"x":1}"#);
        world.turn();
        let events = shown(world, &worker);
        let events = events.lines().filter(|line| !line.contains("TaskToken") && !line.contains("askFailed"));
        let failed = shown(world, &worker).contains("Sfn.ActivityDoesNotExistException");
        vec![shown(world, &boss), events.skip(1).collect(), failed.to_string()]
    });
    assert!(seen[0].contains(r#""output":"{\"x\":1}""#) && seen[2] == "true", "{seen:?}");
}

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
        assert_eq!(start(world, &quick, "e0", "[1]"), executions[0], "the name is free again");
        assert!(world.is_there(&executions[0]));

        world.pass_days(15);
        assert!(world.is_there(&slow) && !world.is_there(&redriven));
        world.pass_days(200);
        assert!(!world.is_there(&slow) && !world.is_there(&executions[0]));
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
        assert!(world.is_there(&execution));
        world.pass_days(3);
        assert!(!world.is_there(&execution));
        assert!(children(world).is_err(), "a Map Run goes with its execution");
        world.pass_days(100);
        assert!(world.rows().is_empty(), "{:?}", world.rows());
        vec![shown]
    });
}

/// Nothing of it is durable yet, and yet it is forgotten: whoever asks next comes later.
#[test]
fn a_name_is_free_as_soon_as_its_execution_is_forgotten() {
    let mut world = World::with_retention(false, Retention(Duration::from_secs(60)));
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
    assert_eq!(world.replies.remove(&900), Some(Err("ExecutionDoesNotExist".to_owned())));
    assert!(world.replies.remove(&901).is_some_and(|reply| reply.is_ok()));
    let described = world.replies.remove(&902).expect("answered").expect("there");
    assert_eq!(text(&described, "output"), "[2]");
    world.service.kept(world.sequence);
    assert!(world.is_there(&execution));
    let at = Moment { now: world.now, entropy: 9 };
    world.service = Service::open(&ServiceSettings::default(), world.store.index(), at).expect("opens").0;
    assert!(world.is_there(&execution), "it was the older one that was forgotten");
}
