//! The state machines by hand: every state type, and what is known of each beforehand.

use stepwell_json::Json;

use crate::local::ENDPOINT;
use crate::objects;
use stepwell_sim_disk::Random;

use crate::{express, quotas};

/// The account and region everything is in.
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "us-east-1";
/// The activity workers ask for.
pub(crate) const ACTIVITY: &str = "arn:aws:states:us-east-1:123456789012:activity:work";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/sim";

/// What an execution does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Pass, Choice in a loop, Succeed.
    Loop,
    /// One wait.
    Wait,
    /// A task with Retry and Catch.
    Task,
    /// An activity with heartbeat and timeout.
    Activity,
    /// A callback with heartbeat and timeout.
    Callback,
    /// Two activities at a time.
    Twins,
    /// Branches that wait, work and fail.
    Parallel,
    /// An inline Map of tasks and waits.
    Map,
    /// A distributed Map of Standard executions.
    MapRun,
    /// A distributed Map of Express executions.
    ExpressRun,
    /// A nested execution that is waited for.
    Nested,
    /// JSONata, variables, time and chance.
    Jsonata,
    /// Waits longer than it may.
    Late,
    /// Express: as [`Kind::Loop`], and may fail.
    Express,
    /// Express: a task with Retry, Catch and timeout, and a wait.
    ExpressTask,
    /// As many events as a history may have, or a few more.
    Long,
    /// Payloads as large as they may be, or larger.
    Large,
    /// A message to a queue.
    Post,
    /// A callback whose token is sent to a queue.
    Token,
    /// A distributed Map of what is in a file, whose results are written.
    ReadRun,
    /// The same of Express executions and lines, whose results are its output.
    ReadLines,
}

/// All of them that cost little.
pub(crate) const KINDS: [Kind; 19] = [
    Kind::Loop,
    Kind::Wait,
    Kind::Task,
    Kind::Activity,
    Kind::Callback,
    Kind::Twins,
    Kind::Parallel,
    Kind::Map,
    Kind::MapRun,
    Kind::ExpressRun,
    Kind::Nested,
    Kind::Jsonata,
    Kind::Late,
    Kind::Express,
    Kind::ExpressTask,
    Kind::Post,
    Kind::Token,
    Kind::ReadRun,
    Kind::ReadLines,
];

/// How many children of a Map Run may fail, and run at a time.
pub(crate) const TOLERATED: usize = 1;
pub(crate) const AT_ONCE: i64 = 2;

const BEYOND_TOLERANCE: &str = "States.ExceedToleratedFailureThreshold";

/// How an execution that nobody stops may end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// With this output.
    Output(Json),
    /// With any output.
    AnyOutput,
    /// With one output for each item, which is the item where that did not fail.
    Items,
    /// With this error.
    Error(&'static str),
    /// Out of time.
    TimedOut,
    /// Well, with its results elsewhere.
    Written,
}

impl Kind {
    /// The machine's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Loop => "loop",
            Kind::Wait => "wait",
            Kind::Task => "task",
            Kind::Activity => "activity",
            Kind::Callback => "callback",
            Kind::Twins => "twins",
            Kind::Parallel => "parallel",
            Kind::Map => "map",
            Kind::MapRun => "maprun",
            Kind::ExpressRun => "expressrun",
            Kind::Nested => "nested",
            Kind::Jsonata => "jsonata",
            Kind::Late => "late",
            Kind::Express => "express",
            Kind::ExpressTask => "expresstask",
            Kind::Long => "long",
            Kind::Large => "large",
            Kind::Post => "post",
            Kind::Token => "token",
            Kind::ReadRun => "readrun",
            Kind::ReadLines => "readlines",
        }
    }

    /// Whether its executions are Express ones.
    pub(crate) fn is_express(self) -> bool {
        matches!(self, Kind::Express | Kind::ExpressTask)
    }

    /// How many of its executions a seed has, at most.
    pub(crate) fn executions_max(self) -> usize {
        match self {
            Kind::Long => 1,
            Kind::Large => 3,
            _ => usize::MAX,
        }
    }

    /// Whether it does nothing without local services.
    pub(crate) fn needs_queues(self) -> bool {
        matches!(self, Kind::Post | Kind::Token)
    }

    /// Whether it is a distributed Map.
    pub(crate) fn has_map_runs(self) -> bool {
        matches!(self, Kind::MapRun | Kind::ExpressRun | Kind::ReadRun | Kind::ReadLines)
    }

    /// Whether its children are found in lists.
    pub(crate) fn has_standard_children(self) -> bool {
        matches!(self, Kind::MapRun | Kind::ReadRun)
    }

    /// Whether its items are in a file.
    pub(crate) fn reads_items(self) -> bool {
        matches!(self, Kind::ReadRun | Kind::ReadLines)
    }

    /// Whether its results go to files.
    pub(crate) fn writes_results(self) -> bool {
        self == Kind::ReadRun
    }

    /// The machine's ARN.
    pub(crate) fn arn(self) -> String {
        format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{}", self.name())
    }

    /// The ARN of an execution.
    pub(crate) fn execution_arn(self, name: &str) -> String {
        format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:{}:{name}", self.name())
    }

    /// The definition.
    pub(crate) fn definition(self) -> String {
        let retry = r#""Retry":[{"ErrorEquals":["Again"],"IntervalSeconds":2,"MaxAttempts":2,"BackoffRate":2.0}]"#;
        let catch = r#""Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.caught","Next":"Caught"}]"#;
        let caught = r#""Caught":{"Type":"Pass","Parameters":{"caught.$":"$.caught.Error"},"End":true}"#;
        let task = format!(r#""Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage",{retry}"#);
        let by_worker = r#""TimeoutSeconds":60,"HeartbeatSeconds":20,
            "Retry":[{"ErrorEquals":["States.Timeout","Again"],"IntervalSeconds":1,"MaxAttempts":2,"BackoffRate":1.0}]"#;
        let activity = format!(r#""Type":"Task","Resource":"{ACTIVITY}",{by_worker}"#);
        let run = |kind: &str, items: &str| {
            format!(
                r#""Run":{{"Type":"Map",{items},"MaxConcurrency":{AT_ONCE},"ToleratedFailureCount":{TOLERATED},"Label":"run",
                "ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"{kind}"}},"StartAt":"Pause","States":{{
                "Pause":{{"Type":"Wait","Seconds":1,"Next":"Work"}},"Work":{{{task},"End":true}}}}}},"End":true}}"#
            )
        };
        let reader = |kind: &str| {
            format!(
                r#""ItemReader":{{"Resource":"arn:aws:states:::s3:getObject","Parameters":{{"Bucket":"in","Key.$":"$.key"}},
                "ReaderConfig":{{"InputType":"{kind}","MaxItemsPath":"$.most"}}}}"#
            )
        };
        let queue = |name: &str| format!(r#""QueueUrl":"{ENDPOINT}/{ACCOUNT}/{name}""#);
        let (start, states) = match self {
            Kind::Loop => (
                "Count",
                r#""Count":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, -1)"},"Next":"More"},
                "More":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericGreaterThan":0,"Next":"Count"}],"Default":"Done"},
                "Done":{"Type":"Succeed"}"#
                    .to_owned(),
            ),
            Kind::Wait => (
                "Rest",
                r#""Rest":{"Type":"Wait","SecondsPath":"$.wait","Next":"After"},"After":{"Type":"Pass","End":true}"#.to_owned(),
            ),
            Kind::Task => ("Work", format!(r#""Work":{{{task},{catch},"End":true}},{caught}"#)),
            Kind::Activity => ("Work", format!(r#""Work":{{{activity},{catch},"End":true}},{caught}"#)),
            Kind::Callback => (
                "Ask",
                format!(
                    r#""Ask":{{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{{"token.$":"$$.Task.Token"}},
                    {by_worker},{catch},"End":true}},{caught}"#
                ),
            ),
            Kind::Twins => (
                "Both",
                format!(
                    r#""Both":{{"Type":"Parallel","Branches":[{{"StartAt":"One","States":{{"One":{{{activity},"End":true}}}}}},
                    {{"StartAt":"Two","States":{{"Two":{{{activity},"End":true}}}}}}],{catch},"End":true}},{caught}"#
                ),
            ),
            Kind::Parallel => (
                "All",
                format!(
                    r#""All":{{"Type":"Parallel","Branches":[
                    {{"StartAt":"Rest","States":{{"Rest":{{"Type":"Wait","SecondsPath":"$.wait","Next":"Rested"}},"Rested":{{"Type":"Pass","Result":"rested","End":true}}}}}},
                    {{"StartAt":"Work","States":{{"Work":{{{task},"ResultPath":null,"Next":"Worked"}},"Worked":{{"Type":"Pass","Result":"worked","End":true}}}}}},
                    {{"StartAt":"Which","States":{{"Which":{{"Type":"Choice","Choices":[{{"Variable":"$.break","BooleanEquals":true,"Next":"Pause"}}],"Default":"Fine"}},
                        "Pause":{{"Type":"Wait","Seconds":2,"Next":"Break"}},"Break":{{"Type":"Fail","Error":"Broken"}},"Fine":{{"Type":"Pass","Result":"fine","End":true}}}}}}],
                    {catch},"End":true}},{caught}"#
                ),
            ),
            Kind::Map => (
                "Each",
                format!(
                    r#""Each":{{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":{AT_ONCE},"ItemProcessor":{{"StartAt":"Work","States":{{
                    "Work":{{{task},"Next":"Pause"}},"Pause":{{"Type":"Wait","Seconds":1,"End":true}}}}}},{catch},"End":true}},{caught}"#
                ),
            ),
            Kind::MapRun => ("Run", run("STANDARD", r#""ItemsPath":"$.items""#)),
            Kind::ExpressRun => ("Run", run("EXPRESS", r#""ItemsPath":"$.items""#)),
            Kind::ReadRun => {
                let writer =
                    r#""ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"out","Prefix":"runs"}}"#;
                ("Run", run("STANDARD", &format!("{},{writer}", reader("JSON"))))
            }
            Kind::ReadLines => ("Run", run("EXPRESS", &reader("JSONL"))),
            Kind::Nested => (
                "Inner",
                format!(
                    r#""Inner":{{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","OutputPath":"$.Output",
                    "Parameters":{{"StateMachineArn":"{}","Input.$":"$"}},"End":true}}"#,
                    Kind::Wait.arn()
                ),
            ),
            Kind::Jsonata => (
                "Set",
                r#""Set":{"Type":"Pass","QueryLanguage":"JSONata","Assign":{"n":"{% $states.input.n + 1 %}","at":"{% $now() %}","by":"{% $uuid() %}"},"Next":"Rest"},
                "Rest":{"Type":"Wait","QueryLanguage":"JSONata","Seconds":"{% $states.input.wait %}","Next":"Tell"},
                "Tell":{"Type":"Pass","QueryLanguage":"JSONata","Output":{"n":"{% $n %}","same":"{% $at = $at and $length($by) = 36 %}"},"End":true}"#
                    .to_owned(),
            ),
            Kind::Post => (
                "Send",
                format!(
                    r#""Send":{{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{{{},"MessageBody.$":"$"}},
                    "ResultSelector":{{"id.$":"$.MessageId"}},{catch},"End":true}},{caught}"#,
                    queue("later")
                ),
            ),
            Kind::Token => (
                "Ask",
                format!(
                    r#""Ask":{{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                    "Parameters":{{{},"MessageBody":{{"token.$":"$$.Task.Token"}}}},{by_worker},{catch},"End":true}},{caught}"#,
                    queue("work")
                ),
            ),
            Kind::Late => ("Rest", r#""Rest":{"Type":"Wait","Seconds":30,"End":true}"#.to_owned()),
            Kind::Express => ("Count", express::states()),
            Kind::ExpressTask => ("Work", express::task_states(&task, catch, caught)),
            Kind::Long => ("Each", quotas::long_states(&task, catch, caught)),
            Kind::Large => ("Work", quotas::large_states(&task, catch, caught)),
        };
        let timeout = if self == Kind::Late { r#""TimeoutSeconds":10,"# } else { "" };
        format!(r#"{{{timeout}"StartAt":"{start}","States":{{{states}}}}}"#)
    }

    /// An input for one execution.
    pub(crate) fn input(self, random: &mut Random) -> Json {
        let fail = |random: &mut Random| Json::from([0, 0, 0, 1, 2, 9][random.below(6)]);
        let wait = |random: &mut Random| Json::from([1, 2, 5, 30, 3_600][random.below(5)]);
        match self {
            Kind::Loop => Json::object([("n", Json::from(random.between(1, 12)))]),
            Kind::Wait | Kind::Nested => Json::object([("wait", wait(random))]),
            Kind::Task => Json::object([("fail", fail(random))]),
            Kind::Activity | Kind::Callback | Kind::Twins | Kind::Late | Kind::Post | Kind::Token => {
                Json::object([("id", Json::from(random.draw() >> 40))])
            }
            Kind::Parallel => Json::object([
                ("wait", Json::from(random.between(1, 6))),
                ("fail", fail(random)),
                ("break", Json::Bool(random.once_in(3))),
            ]),
            Kind::ReadRun => objects::input(random, "json"),
            Kind::ReadLines => objects::input(random, "jsonl"),
            Kind::Map | Kind::MapRun | Kind::ExpressRun => {
                let count = random.between(1, 6);
                let item = |n: u64| {
                    let fail = if random.once_in(5) { Json::from(9_u64) } else { Json::from(random.between(0, 1)) };
                    Json::object([("item", Json::from(n)), ("fail", fail)])
                };
                Json::object([("items", Json::array((0..count).map(item).collect()))])
            }
            Kind::Jsonata => Json::object([("n", Json::from(random.between(0, 99))), ("wait", Json::from(2_u64))]),
            Kind::Express | Kind::ExpressTask => express::input(self, random),
            Kind::Long => quotas::long_input(random),
            Kind::Large => quotas::large_input(random),
        }
    }

    /// How an execution with this input may end, when nobody stops it and workers do what they should or fail to.
    pub(crate) fn ends(self, input: &Json) -> Vec<End> {
        let number = |key: &str| input.get(key).and_then(Json::as_i64).unwrap_or(0);
        let caught = |error: &str| End::Output(Json::object([("caught", Json::from(error))]));
        let items = input.get("items").and_then(Json::as_array);
        let failing = items.map_or(0, |items| items.iter().filter(|item| is_bad(item)).count());
        match self {
            Kind::Loop => vec![End::Output(Json::object([("n", Json::from(0))]))],
            Kind::Wait => vec![End::Output(input.clone())],
            // The machine it starts may be deleted.
            Kind::Nested => {
                vec![End::Output(input.clone()), End::Error("StepFunctions.StateMachineDoesNotExistException")]
            }
            Kind::Task if number("fail") > 2 => vec![caught("Again")],
            Kind::Task => vec![End::Output(input.clone())],
            Kind::Activity | Kind::Callback | Kind::Twins | Kind::Post | Kind::Token => vec![End::AnyOutput],
            // Whether its files were had and taken is held against what was said of them.
            Kind::ReadRun | Kind::ReadLines => {
                let mut ends = vec![End::Error("States.ItemReaderFailed")];
                match self {
                    Kind::ReadRun => {
                        ends.push(End::Error("States.ResultWriterFailed"));
                        ends.extend((failing <= TOLERATED).then_some(End::Written));
                        ends.extend((failing > TOLERATED).then_some(End::Error(BEYOND_TOLERANCE)));
                    }
                    _ => ends.extend([End::Items, End::Error(BEYOND_TOLERANCE)]),
                }
                ends
            }
            Kind::Parallel => {
                let mut ends = Vec::new();
                let breaks = input.get("break") == Some(&Json::Bool(true));
                if breaks {
                    ends.push(caught("Broken"));
                }
                if number("fail") > 2 {
                    ends.push(caught("Again"));
                }
                if ends.is_empty() {
                    let all = ["rested", "worked", "fine"].map(Json::from).to_vec();
                    ends.push(End::Output(Json::array(all)));
                }
                ends
            }
            Kind::Map if failing > 0 => vec![caught("Again")],
            Kind::MapRun if failing > TOLERATED => vec![End::Error(BEYOND_TOLERANCE)],
            // Where time jumps by more than five minutes, those run out of it.
            Kind::ExpressRun => vec![End::Items, End::Error(BEYOND_TOLERANCE)],
            Kind::Map => vec![End::Output(input.get("items").cloned().unwrap_or(Json::Null))],
            Kind::MapRun => vec![End::Items],
            Kind::Jsonata => {
                vec![End::Output(Json::object([("n", Json::from(number("n") + 1)), ("same", Json::Bool(true))]))]
            }
            Kind::Late => vec![End::TimedOut],
            // How long they took has its say.
            Kind::Express | Kind::ExpressTask => Vec::new(),
            Kind::Long => quotas::long_ends(input),
            Kind::Large => quotas::large_ends(input),
        }
    }

    /// Whether these outputs fit the items of a Map Run.
    pub(crate) fn fits_items(self, input: &Json, outputs: &Json) -> bool {
        let (Some(items), Some(outputs)) = (input.get("items").and_then(Json::as_array), outputs.as_array()) else {
            return false;
        };
        let fits = |item: &Json, output: &Json| {
            is_bad(item) || matches!(self, Kind::ExpressRun | Kind::ReadLines) || item == output
        };
        items.len() == outputs.len() && items.iter().zip(outputs.iter()).all(|(item, output)| fits(item, output))
    }

    /// How often one visit of a Task state may be tried, at most: its own attempts, of all its items together.
    pub(crate) fn attempts_max(self) -> Option<u64> {
        match self {
            Kind::Task | Kind::Activity | Kind::Callback | Kind::Token | Kind::ExpressTask | Kind::Long => Some(3),
            Kind::Post => Some(1),
            _ => None,
        }
    }
}

/// Whether an item fails more often than it is tried.
fn is_bad(item: &Json) -> bool {
    item.get("fail").and_then(Json::as_i64).unwrap_or(0) > 2
}
