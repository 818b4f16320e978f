//! Small machines, and every way they may end.

use stepwell_json::Json;

use super::run_json;

/// The ends of a machine whose states these are, the first of them first; each as it is told.
fn check(states: &str, input: &str, expected: &[&str]) {
    let states = Json::parse(states).expect(states);
    let start = states.as_object().and_then(|states| states.keys().next()).expect("a state").to_string();
    let definition = Json::object([("StartAt", Json::from(start)), ("States", states.clone())]);
    let verdict = run_json(&definition, &Json::parse(input).expect(input));
    let ends: Vec<String> = verdict.runs.iter().map(|run| run.outcome.to_string()).collect();
    assert_eq!(ends, expected, "{states}");
    assert!(verdict.is_complete);
}

#[test]
fn data_goes_its_way() {
    for (states, input, expected) in [
        (
            r#"{"A":{"Type":"Pass","InputPath":"$.o","Parameters":{"v.$":"$.n"},"ResultPath":"$.r","OutputPath":"$.r","End":true}}"#,
            r#"{"o":{"n":1}}"#,
            r#"Succeeded {"v":1}"#,
        ),
        (r#"{"A":{"Type":"Pass","ResultPath":null,"Result":1,"End":true}}"#, "[2]", "Succeeded [2]"),
        (r#"{"A":{"Type":"Pass","InputPath":null,"End":true}}"#, "[2]", "Succeeded {}"),
        (
            r#"{"A":{"Type":"Pass","Assign":{"x.$":"$.n","y":2},"Next":"B"},"B":{"Type":"Pass","QueryLanguage":"JSONata",
                "Assign":{"x":"{% $y %}","y":"{% $x %}"},"Next":"C"},"C":{"Type":"Succeed","QueryLanguage":"JSONata","Output":["{% $x %}","{% $y %}"]}}"#,
            r#"{"n":1}"#,
            "Succeeded [2,1]",
        ),
        (
            r#"{"M":{"Type":"Map","ItemsPath":"$.l","ItemSelector":{"i.$":"$$.Map.Item.Index","n.$":"$.n"},
                "Iterator":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}},"End":true}}"#,
            r#"{"l":["a","b"],"n":7}"#,
            r#"Succeeded [{"i":0,"n":7},{"i":1,"n":7}]"#,
        ),
    ] {
        check(states, input, &[expected]);
    }
}

#[test]
fn failures_are_retried_then_caught() {
    let flaky = |failures: u32, more: &str| {
        format!(
            r#"{{"T":{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:flaky",
                "Parameters":{{"attempt.$":"$$.State.RetryCount","failures":{failures},"error":"E","value":1}},{more}"End":true}},
                "C":{{"Type":"Pass","Result":"caught","End":true}}}}"#
        )
    };
    let retry = r#""Retry":[{"ErrorEquals":["F"]},{"ErrorEquals":["States.TaskFailed"],"MaxAttempts":2}],"#;
    let catch = r#""Catch":[{"ErrorEquals":["States.Timeout"],"Next":"C"},{"ErrorEquals":["States.ALL"],"Next":"C"}],"#;
    check(&flaky(2, retry), "{}", &[r#"Succeeded {"value":1,"attempt":2}"#]);
    check(&flaky(3, retry), "{}", &["Failed E: attempt 2 of 3 that fail"]);
    check(&flaky(3, &format!("{retry}{catch}")), "{}", &[r#"Succeeded "caught""#]);
    check(&flaky(1, catch), "{}", &[r#"Succeeded "caught""#]);
}

#[test]
fn what_cannot_be_caught() {
    let catch = r#""Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}],"#;
    let task = |parameters: &str| {
        format!(
            r#"{{"T":{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:echo",
                "Parameters":{parameters},{catch}"End":true}}}}"#
        )
    };
    check(&task(r#"{"v.$":"$.missing"}"#), "{}", &["Failed States.Runtime, whatever the cause"]);
}

#[test]
fn whoever_fails_at_about_the_same_time_may_be_first() {
    let parallel = |seconds: u32| {
        format!(
            r#"{{"P":{{"Type":"Parallel","Branches":[
                {{"StartAt":"A","States":{{"A":{{"Type":"Fail","Error":"A","Cause":"a"}}}}}},
                {{"StartAt":"W","States":{{"W":{{"Type":"Wait","Seconds":{seconds},"Next":"B"}},"B":{{"Type":"Fail","Error":"B","Cause":"b"}}}}}}
                ],"End":true}}}}"#
        )
    };
    check(&parallel(10), "{}", &["Failed A: a", "Failed B: b"]);
    check(&parallel(8_640_000), "{}", &["Failed A: a"]);
}

#[test]
fn a_year_is_the_end() {
    let wait = |seconds: u32| format!(r#"{{"W":{{"Type":"Wait","Seconds":{seconds},"End":true}}}}"#);
    check(&wait(8_640_000), "{}", &["Succeeded {}"]);
    check(&wait(99_999_999), "{}", &["TimedOut"]);
    check(&wait(31_536_000), "{}", &["Succeeded {}", "TimedOut"]);
}

#[test]
fn children_may_fail_as_far_as_is_tolerated() {
    let map = |tolerated: &str| {
        format!(
            r#"{{"M":{{"Type":"Map","ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},
                "StartAt":"C","States":{{"C":{{"Type":"Choice","Choices":[{{"Variable":"$","NumericGreaterThan":2,"Next":"F"}}],"Default":"S"}},
                "F":{{"Type":"Fail","Error":"Big"}},"S":{{"Type":"Succeed"}}}}}},{tolerated}"End":true}}}}"#
        )
    };
    let exceeded = "Failed States.ExceedToleratedFailureThreshold, whatever the cause";
    check(&map(""), "[1,2,3]", &[exceeded]);
    check(&map(r#""ToleratedFailureCount":1,"#), "[1,2,3]", &["Succeeded [1,2,\"\u{fffc}\"]"]);
    check(&map(r#""ToleratedFailurePercentage":30,"#), "[1,2,3]", &[exceeded]);
    check(&map(r#""ItemBatcher":{"MaxItemsPerBatch":2},"ItemSelector":{"n":1},"#), "[]", &["Succeeded []"]);
}
