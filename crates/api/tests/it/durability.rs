//! A service that is opened anew after every single input does exactly what one does that never stops.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_api::Notice;
use stepwell_interpreter::Command;
use stepwell_json::Json;

use crate::world::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

pub(crate) fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::as_str).unwrap_or_else(|| panic!("no {key} in {json}"))
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

pub(crate) fn create(world: &mut World, name: &str, definition: &str) -> String {
    create_of_type(world, "STANDARD", name, definition)
}

pub(crate) fn create_of_type(world: &mut World, of_type: &str, name: &str, definition: &str) -> String {
    let logging = r#"{"level":"ALL","destinations":[{"cloudWatchLogsLogGroup":{"logGroupArn":"arn:aws:logs:us-east-1:000000000000:log-group:g:*"}}]}"#;
    let definition = quoted(definition);
    let body = format!(
        r#"{{"name":"{name}","type":"{of_type}","roleArn":"{ROLE}","definition":{definition},"loggingConfiguration":{logging}}}"#
    );
    text(&world.call("CreateStateMachine", &body).expect("created"), "stateMachineArn").to_owned()
}

pub(crate) fn start(world: &mut World, machine: &str, name: &str, input: &str) -> String {
    let body = format!(r#"{{"stateMachineArn":"{machine}","name":"{name}","input":{}}}"#, quoted(input));
    text(&world.call("StartExecution", &body).expect("started"), "executionArn").to_owned()
}

/// Everything the API shows of an execution, and its history in pages of three.
pub(crate) fn shown(world: &mut World, execution: &str) -> String {
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

pub(crate) const WORKER: &str = r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":2}]"#;

/// A scenario: what is done to a world, and what of it is to be the same.
pub(crate) type Scenario = fn(&mut World) -> Vec<String>;

pub(crate) fn both(scenario: Scenario) -> Vec<String> {
    let (mut steady, mut reopened) = (World::new(false), World::new(true));
    let (expected, seen) = (scenario(&mut steady), scenario(&mut reopened));
    for (seen, expected) in seen.iter().zip(&expected) {
        let differs = seen.lines().zip(expected.lines()).find(|(seen, expected)| seen != expected);
        assert_eq!(differs, None);
    }
    assert_eq!(seen, expected);
    assert_eq!(told(&reopened), told(&steady));
    assert!(reopened.openings > 3, "{}", reopened.openings);
    seen
}

/// What listeners were told of each execution: its events in short, each once, and how it stood.
fn told(world: &World) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let mut told: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for notice in &world.notices {
        match notice {
            Notice::LogEvent(event) => {
                let (events, _) = told.entry(text(&event.message, "execution_arn").to_owned()).or_default();
                let id = text(&event.message, "id");
                assert_eq!(id, (events.len() + 1).to_string(), "each event once, and in its order");
                events.push(text(&event.message, "type").to_owned());
            }
            Notice::StatusChange(change) => {
                let (_, changes) = told.entry(change.execution_arn.to_string()).or_default();
                changes.push(text(&change.detail, "status").to_owned());
            }
        }
    }
    told
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

/// A Map state that reads its items and writes its results. `children` is what each child is.
fn map_of_a_file(arguments: &str, kind: &str, children: &str) -> String {
    format!(
        r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","MaxConcurrency":4,"Label":"L","End":true,
            "ItemReader":{{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{{"InputType":"JSON"}},"Parameters":{{{arguments}}}}},
            "ItemSelector":{{"n.$":"$$.Map.Item.Value.n","at.$":"$$.Map.Item.Index"}},
            "ResultWriter":{{"Resource":"arn:aws:states:::s3:putObject","Parameters":{{"Bucket":"out","Prefix":"p"}}}},
            "ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"{kind}"}},"StartAt":"W","States":{{
            "W":{{"Type":"Wait","Seconds":2,"Next":"T"}},"T":{children},"End":true}}}}}}}}}}}}"#
    )
}

#[test]
fn items_are_read_once_each_and_results_written_whatever_breaks_off() {
    let seen = both(|world| {
        let machine = create(world, "m", &map_of_a_file(r#""Items":10"#, "STANDARD", WORKER));
        let execution = start(world, &machine, "e", "{}");
        world.turn();
        let about = format!(r#"{{"executionArn":"{execution}"}}"#);
        let runs = world.call("ListMapRuns", &about).expect("listed");
        let run = runs.get("mapRuns").and_then(Json::as_array).expect("runs")[0].clone();
        let run = text(&run, "mapRunArn").to_owned();
        let described = world.call("DescribeMapRun", &format!(r#"{{"mapRunArn":"{run}"}}"#)).expect("described");
        let listed = world.call("ListExecutions", &format!(r#"{{"mapRunArn":"{run}"}}"#)).expect("listed");
        let children = listed.get("executions").and_then(Json::as_array).expect("children");
        let inputs: BTreeSet<String> = children
            .iter()
            .map(|child| {
                let about = format!(r#"{{"executionArn":"{}"}}"#, text(child, "executionArn"));
                text(&world.call("DescribeExecution", &about).expect("there"), "input").to_owned()
            })
            .collect();
        assert_eq!(inputs, (0..10).map(|n| format!(r#"{{"n":{n},"at":{n}}}"#)).collect(), "each item once");
        // After an opening something may be asked for again; what was taken is not.
        world.moved.dedup();
        vec![shown(world, &execution), described.to_string(), listed.to_string(), world.moved.join(", ")]
    });
    assert!(seen[0].contains("/manifest.json"), "{}", seen[0]);
    assert!(seen[1].contains(r#""succeeded":10,"failed":0"#), "{}", seen[1]);
    assert_eq!(seen[2].matches(r#""itemCount":1"#).count(), 10, "{}", seen[2]);
    let all = ["Succeeded"; 10].join(" ");
    assert_eq!(seen[3], format!("tried, read 0, read 3, read 6, read 9, wrote {all}"));
}

/// A file that breaks off after three of its eight items, and a redrive.
fn broken_file(world: &mut World, kind: &str) -> Vec<String> {
    let machine = create(world, "m", &map_of_a_file(r#""Items":8,"BreaksAt":3"#, kind, WORKER));
    let execution = start(world, &machine, "e", "{}");
    world.turn();
    let about = format!(r#"{{"executionArn":"{execution}"}}"#);
    let failed = world.call("DescribeExecution", &about).expect("there");
    assert_eq!((text(&failed, "status"), text(&failed, "error")), ("FAILED", "Broken"));
    world.call("RedriveExecution", &about).expect("redriven");
    world.turn();
    world.moved.dedup();
    vec![shown(world, &execution), world.moved.join(", ")]
}

#[test]
fn a_redriven_map_run_reads_on_from_where_it_broke_off() {
    for scenario in [(|world| broken_file(world, "STANDARD")) as Scenario, |world| broken_file(world, "EXPRESS")] {
        let seen = both(scenario);
        assert!(seen[0].contains("MapRunRedriven") && seen[0].contains("/manifest.json"), "{}", seen[0]);
        let all = ["Succeeded"; 8].join(" ");
        assert_eq!(seen[1], format!("tried, read 0, read 3, read 6, wrote {all}"));
    }
}

#[test]
fn results_of_a_map_run_that_failed_are_written_too() {
    let seen = both(|world| {
        let bad = r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"fail":9}"#;
        let machine = create(world, "m", &map_of_a_file(r#""Items":9"#, "STANDARD", bad));
        let execution = start(world, &machine, "e", "{}");
        world.turn();
        vec![shown(world, &execution), world.moved.last().cloned().unwrap_or_default()]
    });
    assert!(seen[0].contains("States.ExceedToleratedFailureThreshold"), "{}", seen[0]);
    // Four ran at a time: the first failed, the others were stopped, and five were never started.
    assert_eq!(seen[1], format!("wrote {} {}", ["Failed"; 4].join(" "), ["Pending"; 5].join(" ")));
}

#[test]
fn a_trial_that_is_answered_twice_is_not_the_end_of_the_results() {
    let seen = both(|world| {
        let machine = create(world, "m", &map_of_a_file(r#""Items":2"#, "STANDARD", WORKER));
        let execution = start(world, &machine, "e", "{}");
        let (of, again) = (world.writes[0].task.execution, world.writes[0].request.written(Ok(())));
        while world.writes.iter().all(|write| write.request.is_trial) {
            assert!(world.step(), "there are results in the end");
        }
        let at = world.moment();
        let outs = world.service.complete(of, again, at);
        world.input_ended(outs);
        let about = format!(r#"{{"executionArn":"{execution}"}}"#);
        let described = world.call("DescribeExecution", &about).expect("there");
        assert_eq!(text(&described, "status"), "RUNNING");
        world.turn();
        vec![shown(world, &execution), world.moved.last().cloned().unwrap_or_default()]
    });
    assert!(seen[0].contains("/manifest.json"), "{}", seen[0]);
    assert_eq!(seen[1], "wrote Succeeded Succeeded");
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
        let submitted = Command::TaskSubmitted { task: task.request.key, output: Json::empty_object() };
        let at = world.moment();
        let outs = world.service.complete(task.execution, submitted, at);
        assert!(outs.frame.is_none(), "what was taken is not taken again");
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

/// A distributed Map whose bad items fail until they are redriven.
fn map_of_bad_items(kind: &str) -> String {
    let redriven = if kind == "STANDARD" { r#""redriven.$":"$$.Execution.RedriveCount""# } else { r#""redriven":1"# };
    format!(
        r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","MaxConcurrency":2,"ToleratedFailureCount":1,"Label":"L","End":true,"ItemProcessor":
            {{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"{kind}"}},"StartAt":"W","States":{{
            "W":{{"Type":"Wait","Seconds":1,"Next":"T"}},
            "T":{{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{{"item.$":"$",{redriven}}},"OutputPath":"$.item.n","End":true}}}}}}}}}}}}"#
    )
}

#[test]
fn a_redriven_map_run_runs_only_what_did_not_succeed() {
    let seen = both(|world| {
        let machine = create(world, "m", &map_of_bad_items("STANDARD"));
        let input = r#"[{"n":0},{"n":1,"bad":1},{"n":2},{"n":3,"bad":1},{"n":4}]"#;
        let execution = start(world, &machine, "e", input);
        world.turn();
        let about = format!(r#"{{"executionArn":"{execution}"}}"#);
        let failed = world.call("DescribeExecution", &about).expect("there");
        assert_eq!(
            (text(&failed, "status"), text(&failed, "error")),
            ("FAILED", "States.ExceedToleratedFailureThreshold")
        );
        let redrive = format!(r#"{{"executionArn":"{execution}","clientToken":"once"}}"#);
        let first = world.call("RedriveExecution", &redrive).expect("redriven");
        assert_eq!(world.call("RedriveExecution", &redrive), Ok(first), "the same token is the same redrive");
        world.turn();
        let runs = world.call("ListMapRuns", &about).expect("listed");
        let runs = runs.get("mapRuns").and_then(Json::as_array).expect("runs").clone();
        assert_eq!(runs.len(), 1, "the Map Run goes on, and no other begins");
        let run = text(&runs[0], "mapRunArn").to_owned();
        let described = world.call("DescribeMapRun", &format!(r#"{{"mapRunArn":"{run}"}}"#)).expect("described");
        let listed = world.call("ListExecutions", &format!(r#"{{"mapRunArn":"{run}"}}"#)).expect("listed");
        let counts: i64 = listed
            .get("executions")
            .and_then(Json::as_array)
            .expect("children")
            .iter()
            .map(|child| child.get("redriveCount").and_then(Json::as_i64).expect("a count"))
            .sum();
        // The two bad ones, and the one that was stopped with the Map Run before it could end.
        assert!((2..=3).contains(&counts), "{listed}");
        vec![shown(world, &execution), described.to_string(), listed.to_string()]
    });
    assert!(seen[0].contains("MapRunRedriven") && seen[0].contains(r#""output":"[0,1,2,3,4]""#), "{}", seen[0]);
    assert!(seen[1].contains(r#""succeeded":5,"failed":0"#) && seen[1].contains(r#""redriveCount":1"#), "{}", seen[1]);
    assert_eq!(seen[2].matches("SUCCEEDED").count(), 5, "{}", seen[2]);
}

#[test]
fn express_children_of_a_redriven_map_run_are_started_anew() {
    let seen = both(|world| {
        let machine = create(world, "m", &map_of_bad_items("EXPRESS"));
        let input = r#"[{"n":0},{"n":1}]"#;
        let execution = start(world, &machine, "e", input);
        let stop = format!(r#"{{"executionArn":"{execution}"}}"#);
        world.call("StopExecution", &stop).expect("stopped");
        world.call("RedriveExecution", &stop).expect("redriven");
        world.turn();
        let runs = world.call("ListMapRuns", &stop).expect("listed");
        let run = text(&runs.get("mapRuns").and_then(Json::as_array).expect("runs")[0], "mapRunArn").to_owned();
        let listed = world.call("ListExecutions", &format!(r#"{{"mapRunArn":"{run}"}}"#)).expect("listed");
        vec![shown(world, &execution), listed.to_string()]
    });
    assert!(seen[0].contains("MapRunRedriven") && seen[0].contains(r#""output":"[0,1]""#), "{}", seen[0]);
    let (aborted, succeeded) = (seen[1].matches("ABORTED").count(), seen[1].matches("SUCCEEDED").count());
    assert_eq!((aborted, succeeded), (2, 2), "{}", seen[1]);
}

#[test]
fn a_callback_that_could_not_be_sent_holds_nobody_up() {
    let mut world = World::new(false);
    let definition = r#"{"StartAt":"T","States":{
        "T":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.waitForTaskToken",
            "Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:000000000000:stateMachine:none","Input":{"t.$":"$$.Task.Token"}},
            "Catch":[{"ErrorEquals":["States.ALL"],"Next":"W"}],"End":true},
        "W":{"Type":"Wait","Seconds":100,"End":true}}}"#;
    let machine = create(&mut world, "m", definition);
    start(&mut world, &machine, "e", "{}");
    assert!(world.service.is_idle(), "nothing is being done: virtual time may jump to the end of the wait");
}

#[test]
fn what_is_said_of_a_time_is_what_is_kept_when_the_clock_is_behind() {
    let mut world = World::new(true);
    let machine = create(&mut world, "m", r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#);
    start(&mut world, &machine, "before", "{}");
    // The machine was switched off, and its clock is an hour behind.
    world.now = stepwell_spec::Timestamp(world.now.0 - 3_600_000);
    world.reopen();
    let body = format!(r#"{{"stateMachineArn":"{machine}","name":"after"}}"#);
    let started = world.call("StartExecution", &body).expect("started");
    let about = format!(r#"{{"executionArn":"{}"}}"#, text(&started, "executionArn"));
    let described = world.call("DescribeExecution", &about).expect("there");
    assert_eq!(started.get("startDate"), described.get("startDate"));
    let before = about.replace(":after", ":before");
    let before = world.call("DescribeExecution", &before).expect("there");
    let at = |json: &Json| json.get("startDate").and_then(Json::as_f64).expect("a time");
    assert!(at(&described) >= at(&before), "time does not go back behind what is kept");
}
