//! What exists when a bad request comes, and for each action the requests that are granted then.

use stepwell_json::Json;
use stepwell_spec::Action;

/// A name of the requests below, and what it stands for.
type Known = (&'static str, String);

/// Whoever answers requests: the body of what is granted.
pub(crate) type Ask<'a> = &'a mut dyn FnMut(&str, &str) -> Json;

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

const PASS: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
const WAIT: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":100000,"End":true}}}"#;
const FAIL: &str = r#"{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E","Cause":"C"}}}"#;
const MANY: &str = r#"{"StartAt":"M","States":{"M":{"Type":"Map","Label":"L","MaxConcurrency":2,"ItemProcessor":
    {"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"W","States":
    {"W":{"Type":"Wait","Seconds":100000,"End":true}}},"End":true}}}"#;

/// Most of the language in one definition, so that changes within it reach most of it.
const RICH: &str = r#"{"Comment":"c","StartAt":"C","TimeoutSeconds":300,"States":{
    "C":{"Type":"Choice","Choices":[{"And":[{"Variable":"$.n","IsPresent":true},{"Variable":"$.n","NumericGreaterThan":1}],
        "Next":"T"},{"Not":{"Variable":"$.s","StringMatches":"a*\\*"},"Next":"M"}],"Default":"P","OutputPath":"$"},
    "T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"u",
        "MessageBody":{"t.$":"$$.Task.Token","u.$":"States.Format('{} {}', $.n, States.ArrayLength($.a))"}},
        "TimeoutSeconds":30,"HeartbeatSeconds":10,"ResultSelector":{"r.$":"$.x"},"ResultPath":"$.out",
        "Retry":[{"ErrorEquals":["States.Timeout"],"IntervalSeconds":2,"MaxAttempts":3,"BackoffRate":1.5,
        "MaxDelaySeconds":9,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"F"}],
        "Next":"M"},
    "M":{"Type":"Map","ItemsPath":"$.a","ItemSelector":{"i.$":"$$.Map.Item.Value"},"MaxConcurrency":3,
        "ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"J","States":{
        "J":{"Type":"Pass","QueryLanguage":"JSONata","Assign":{"v":"{% $states.input.i %}"},
        "Output":{"o":"{% $v + 1 %}"},"End":true}}},"ToleratedFailurePercentage":5,"Next":"B"},
    "B":{"Type":"Parallel","Branches":[{"StartAt":"X","States":{"X":{"Type":"Wait","SecondsPath":"$.n","End":true}}},
        {"StartAt":"Y","States":{"Y":{"Type":"Succeed","InputPath":null}}}],"Next":"P"},
    "P":{"Type":"Pass","Result":{"k":[1,2.5,"x",null]},"ResultPath":"$.p","Assign":{"w.$":"$.n"},"End":true},
    "F":{"Type":"Fail","ErrorPath":"$.e.Error","CausePath":"States.JsonToString($.e)"}}}"#;

/// What TestState is asked for: a state whose result is mocked.
const TASK: &str = r#"{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$.a"},
    "ResultSelector":{"p.$":"$.Payload"},"ResultPath":"$.r","Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":2}],
    "Catch":[{"ErrorEquals":["States.ALL"],"Next":"E"}],"Next":"N"}"#;

/// Requests that are granted. `@name` is known, `"@name"` in quotes a text that is known.
const REQUESTS: &[(Action, &str)] = &[
    (Action::CreateStateMachine, r#"{"name":"new","definition":"@rich","roleArn":"@role"}"#),
    (
        Action::CreateStateMachine,
        r#"{"name":"new","definition":"@pass","roleArn":"@role","type":"EXPRESS","publish":true,"versionDescription":"v",
        "tags":[{"key":"k","value":"v"}],"tracingConfiguration":{"enabled":true},"loggingConfiguration":{"level":"ALL",
        "includeExecutionData":true,"destinations":[{"cloudWatchLogsLogGroup":{"logGroupArn":
        "arn:aws:logs:us-east-1:000000000000:log-group:g:*"}}]},"encryptionConfiguration":{"type":"AWS_OWNED_KEY"}}"#,
    ),
    (Action::UpdateStateMachine, r#"{"stateMachineArn":"@machine","definition":"@rich"}"#),
    (
        Action::UpdateStateMachine,
        r#"{"stateMachineArn":"@machine","definition":"@pass","roleArn":"@role","publish":true,"versionDescription":"v",
        "tracingConfiguration":{"enabled":true},"loggingConfiguration":{"level":"OFF"}}"#,
    ),
    (Action::DescribeStateMachine, r#"{"stateMachineArn":"@machine","includedData":"METADATA_ONLY"}"#),
    (Action::DescribeStateMachine, r#"{"stateMachineArn":"@machine:1"}"#),
    (Action::ListStateMachines, r#"{"maxResults":1,"nextToken":"@machinesToken"}"#),
    (Action::DeleteStateMachine, r#"{"stateMachineArn":"@machine"}"#),
    (
        Action::ValidateStateMachineDefinition,
        r#"{"definition":"@rich","type":"STANDARD","severity":"WARNING","maxResults":10}"#,
    ),
    (Action::PublishStateMachineVersion, r#"{"stateMachineArn":"@machine","description":"d"}"#),
    (Action::ListStateMachineVersions, r#"{"stateMachineArn":"@machine","maxResults":1,"nextToken":"@versionsToken"}"#),
    (Action::DeleteStateMachineVersion, r#"{"stateMachineVersionArn":"@machine:3"}"#),
    (
        Action::CreateStateMachineAlias,
        r#"{"name":"other","description":"d","routingConfiguration":[{"stateMachineVersionArn":"@machine:1","weight":40},
        {"stateMachineVersionArn":"@machine:2","weight":60}]}"#,
    ),
    (
        Action::UpdateStateMachineAlias,
        r#"{"stateMachineAliasArn":"@machine:live","description":"d",
        "routingConfiguration":[{"stateMachineVersionArn":"@machine:2","weight":100}]}"#,
    ),
    (Action::DescribeStateMachineAlias, r#"{"stateMachineAliasArn":"@machine:live"}"#),
    (Action::ListStateMachineAliases, r#"{"stateMachineArn":"@machine","maxResults":1,"nextToken":"@aliasesToken"}"#),
    (Action::DeleteStateMachineAlias, r#"{"stateMachineAliasArn":"@machine:live"}"#),
    (
        Action::CreateActivity,
        r#"{"name":"new","tags":[{"key":"k","value":"v"}],"encryptionConfiguration":{"type":"AWS_OWNED_KEY"}}"#,
    ),
    (Action::DescribeActivity, r#"{"activityArn":"@activity"}"#),
    (Action::ListActivities, r#"{"maxResults":1,"nextToken":"@activitiesToken"}"#),
    (Action::DeleteActivity, r#"{"activityArn":"@activity"}"#),
    (Action::GetActivityTask, r#"{"activityArn":"@activity","workerName":"w"}"#),
    (Action::TagResource, r#"{"resourceArn":"@machine","tags":[{"key":"k","value":"v"},{"key":"l","value":""}]}"#),
    (Action::UntagResource, r#"{"resourceArn":"@activity","tagKeys":["k","missing"]}"#),
    (Action::ListTagsForResource, r#"{"resourceArn":"@machine"}"#),
    (
        Action::StartExecution,
        r#"{"stateMachineArn":"@machine","name":"new","input":"{\"a\":[1,{\"b\":2}]}","traceHeader":"t"}"#,
    ),
    (Action::StartExecution, r#"{"stateMachineArn":"@machine:live"}"#),
    (Action::StartExecution, r#"{"stateMachineArn":"@machine:1","input":"[]"}"#),
    (
        Action::StartSyncExecution,
        r#"{"stateMachineArn":"@express","name":"new","input":"{\"a\":1}","traceHeader":"t","includedData":"ALL_DATA"}"#,
    ),
    (Action::StopExecution, r#"{"executionArn":"@running","error":"E","cause":"C"}"#),
    (Action::RedriveExecution, r#"{"executionArn":"@failed","clientToken":"t"}"#),
    (Action::DescribeExecution, r#"{"executionArn":"@running","includedData":"ALL_DATA"}"#),
    (Action::DescribeStateMachineForExecution, r#"{"executionArn":"@failed","includedData":"ALL_DATA"}"#),
    (
        Action::ListExecutions,
        r#"{"stateMachineArn":"@machine","statusFilter":"RUNNING","maxResults":1,"nextToken":"@executionsToken"}"#,
    ),
    (Action::ListExecutions, r#"{"mapRunArn":"@run","maxResults":1,"redriveFilter":"NOT_REDRIVEN"}"#),
    (
        Action::GetExecutionHistory,
        r#"{"executionArn":"@failed","maxResults":1,"reverseOrder":true,"includeExecutionData":false,
        "nextToken":"@historyToken"}"#,
    ),
    (Action::SendTaskSuccess, r#"{"taskToken":"@token","output":"{\"a\":[1]}"}"#),
    (Action::SendTaskFailure, r#"{"taskToken":"@token","error":"E","cause":"C"}"#),
    (Action::SendTaskHeartbeat, r#"{"taskToken":"@token"}"#),
    (Action::DescribeMapRun, r#"{"mapRunArn":"@run"}"#),
    (Action::ListMapRuns, r#"{"executionArn":"@mapping","maxResults":1}"#),
    (
        Action::UpdateMapRun,
        r#"{"mapRunArn":"@run","maxConcurrency":3,"toleratedFailurePercentage":12.5,"toleratedFailureCount":2}"#,
    ),
    (
        Action::TestState,
        r#"{"definition":"@task","roleArn":"@role","input":"{\"a\":{\"b\":1}}","inspectionLevel":"DEBUG",
        "variables":"{\"v\":1}","context":"{\"Execution\":{\"Name\":\"n\"}}","mock":{"result":"{\"Payload\":{\"x\":1}}",
        "fieldValidationMode":"PRESENT"},"stateConfiguration":{"retrierRetryCount":1}}"#,
    ),
    (
        Action::TestState,
        r#"{"definition":"@task","input":"{\"a\":1}","mock":{"errorOutput":{"error":"E","cause":"C"}}}"#,
    ),
    (Action::TestState, r#"{"definition":"@rich","stateName":"P","input":"{\"n\":1}","inspectionLevel":"INFO"}"#),
    (Action::TestState, r#"{"definition":"@rich","stateName":"M","input":"{\"a\":[1]}","mock":{"result":"[1]"}}"#),
];

/// What exists.
pub(crate) struct Stock {
    known: Vec<Known>,
}

impl Stock {
    /// Makes one of everything.
    pub(crate) fn new(ask: Ask<'_>) -> Stock {
        let mut stock = Stock { known: Vec::new() };
        for (name, text) in [("role", ROLE), ("pass", PASS), ("rich", RICH), ("task", TASK)] {
            stock.know(name, text);
        }
        let machine = stock.machine(ask, "m", WAIT, "STANDARD");
        stock.know("machine", &machine);
        for (version, definition) in [FAIL, PASS, WAIT].into_iter().enumerate() {
            let definition = stepwell_json::quoted(definition);
            let body = format!(r#"{{"stateMachineArn":"{machine}","definition":{definition},"publish":true}}"#);
            let published = text(&ask("UpdateStateMachine", &body), "stateMachineVersionArn");
            assert_eq!(published, format!("{machine}:{}", version + 1));
        }
        for name in ["live", "blue"] {
            let route = format!(r#"[{{"stateMachineVersionArn":"{machine}:2","weight":100}}]"#);
            ask("CreateStateMachineAlias", &format!(r#"{{"name":"{name}","routingConfiguration":{route}}}"#));
        }
        let express = stock.machine(ask, "express", PASS, "EXPRESS");
        stock.know("express", &express);

        for name in ["running", "second"] {
            let running = stock.execution(ask, &machine, name, "{}");
            stock.know(name, &running);
        }
        let failing = stock.machine(ask, "failing", FAIL, "STANDARD");
        let failed = stock.execution(ask, &failing, "failed", "{}");
        stock.know("failed", &failed);

        let many = stock.machine(ask, "many", MANY, "STANDARD");
        let mapping = stock.execution(ask, &many, "mapping", "[1,2,3,4,5]");
        stock.know("mapping", &mapping);

        for name in ["a", "b"] {
            let body = format!(r#"{{"name":"{name}","tags":[{{"key":"k","value":"v"}}]}}"#);
            let activity = text(&ask("CreateActivity", &body), "activityArn");
            if name == "a" {
                stock.know("activity", &activity);
            }
        }
        let activity = stock.of("activity");
        let by_hand = format!(
            r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{activity}","HeartbeatSeconds":90000,"End":true}}}}}}"#
        );
        let by_hand = stock.machine(ask, "by-hand", &by_hand, "STANDARD");
        for name in ["taken", "queued"] {
            stock.execution(ask, &by_hand, name, "{}");
        }

        let runs = format!(r#"{{"executionArn":"{mapping}"}}"#);
        let seen = until(ask, "ListMapRuns", &runs, |seen| !list(seen, "mapRuns").is_empty());
        let run = text(&list(&seen, "mapRuns")[0], "mapRunArn");
        stock.know("run", &run);
        let described = format!(r#"{{"executionArn":"{failed}"}}"#);
        until(ask, "DescribeExecution", &described, |seen| text(seen, "status") == "FAILED");
        let poll = format!(r#"{{"activityArn":"{activity}"}}"#);
        let token = text(&ask("GetActivityTask", &poll), "taskToken");
        stock.know("token", &token);

        for (name, action, body) in [
            ("machinesToken", "ListStateMachines", r#"{"maxResults":1}"#.to_owned()),
            ("activitiesToken", "ListActivities", r#"{"maxResults":1}"#.to_owned()),
            (
                "versionsToken",
                "ListStateMachineVersions",
                format!(r#"{{"stateMachineArn":"{machine}","maxResults":1}}"#),
            ),
            ("aliasesToken", "ListStateMachineAliases", format!(r#"{{"stateMachineArn":"{machine}","maxResults":1}}"#)),
            (
                "executionsToken",
                "ListExecutions",
                format!(r#"{{"stateMachineArn":"{machine}","statusFilter":"RUNNING","maxResults":1}}"#),
            ),
            (
                "historyToken",
                "GetExecutionHistory",
                format!(
                    r#"{{"executionArn":"{failed}","maxResults":1,"reverseOrder":true,"includeExecutionData":false}}"#
                ),
            ),
        ] {
            let token = text(&ask(action, &body), "nextToken");
            stock.know(name, &token);
        }
        stock
    }

    /// Requests of this action that are granted as long as nothing has changed.
    pub(crate) fn requests(&self, action: Action) -> Vec<Json> {
        let of = REQUESTS.iter().filter(|(of, _)| *of == action);
        of.map(|(_, template)| Json::parse(&self.filled(template)).unwrap_or_else(|_| panic!("{template}"))).collect()
    }

    fn filled(&self, template: &str) -> String {
        // Longer names first: one may begin with another.
        let mut known: Vec<&Known> = self.known.iter().collect();
        known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        known.into_iter().fold(template.to_owned(), |text, (name, value)| {
            let quoted = stepwell_json::quoted(value);
            text.replace(&format!("@{name}"), &quoted[1..quoted.len() - 1])
        })
    }

    fn know(&mut self, name: &'static str, value: &str) {
        self.known.push((name, value.to_owned()));
    }

    fn of(&self, name: &str) -> String {
        self.known.iter().find(|(of, _)| *of == name).expect("known").1.clone()
    }

    fn machine(&self, ask: Ask<'_>, name: &str, definition: &str, kind: &str) -> String {
        let definition = stepwell_json::quoted(definition);
        let body = format!(r#"{{"name":"{name}","definition":{definition},"roleArn":"{ROLE}","type":"{kind}"}}"#);
        text(&ask("CreateStateMachine", &body), "stateMachineArn")
    }

    fn execution(&self, ask: Ask<'_>, machine: &str, name: &str, input: &str) -> String {
        let input = stepwell_json::quoted(input);
        let body = format!(r#"{{"stateMachineArn":"{machine}","name":"{name}","input":{input}}}"#);
        text(&ask("StartExecution", &body), "executionArn")
    }
}

/// What is answered once it is as it should be.
fn until(ask: Ask<'_>, action: &str, body: &str, is_so: impl Fn(&Json) -> bool) -> Json {
    for _ in 0..1_000 {
        let seen = ask(action, body);
        if is_so(&seen) {
            return seen;
        }
        std::thread::yield_now();
    }
    panic!("{action} {body} never comes to it");
}

fn text(json: &Json, name: &str) -> String {
    json.get(name).and_then(Json::as_str).unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

fn list(json: &Json, name: &str) -> Vec<Json> {
    json.get(name).and_then(Json::as_array).map(|items| items.to_vec()).unwrap_or_default()
}
