//! What each command prints when it works.

use stepwell_json::Json;

use crate::{Scratch, stepwell, stepwell_with_stdin};

const HELLO: &str = r#"{"StartAt":"Hello","States":{"Hello":{"Type":"Pass","Parameters":{"greeting.$":"States.Format('Hello, {}!', $.name)"},"End":true}}}"#;

#[test]
fn run_prints_the_output_alone() {
    let file = Scratch::new("hello.asl.json", HELLO);
    let ran = stepwell(&["run", file.path(), "--input", r#"{"name":"Ada"}"#]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "{\"greeting\":\"Hello, Ada!\"}\n", ""));
}

#[test]
fn run_reads_input_from_a_file_and_from_stdin() {
    let file = Scratch::new("hello.asl.json", HELLO);
    let input = Scratch::new("input.json", r#"{"name":"Bo"}"#);
    let ran = stepwell(&["run", file.path(), "--input", &format!("@{}", input.path())]);
    assert_eq!(ran.stdout, "{\"greeting\":\"Hello, Bo!\"}\n");
    let ran = stepwell_with_stdin(&["run", file.path(), "--input", "-"], r#"{"name":"Cy"}"#);
    assert_eq!(ran.stdout, "{\"greeting\":\"Hello, Cy!\"}\n");
}

#[test]
fn run_reads_yaml() {
    let file = Scratch::new(
        "hello.asl.yaml",
        "StartAt: Hello\nStates:\n  Hello:\n    Type: Pass\n    Result: {a: 1}\n    End: true\n",
    );
    let ran = stepwell(&["run", file.path()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "{\"a\":1}\n"), "{}", ran.stderr);
}

#[test]
fn run_skips_time() {
    let year = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":31000000,"End":true}}}"#;
    let file = Scratch::new("year.asl.json", year);
    let ran = stepwell(&["run", file.path(), "--history"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let history = Json::parse(&ran.stdout).expect("JSON");
    let events = history.get("events").and_then(Json::as_array).expect("events");
    let times: Vec<f64> = events.iter().filter_map(|event| event.get("timestamp")?.as_f64()).collect();
    assert!((times[2] - times[1] - 31_000_000.0).abs() < 1.0, "{times:?}");
}

#[test]
fn run_says_no_more_than_a_bare_fail_state_does() {
    let file = Scratch::new("f.asl.json", r#"{"StartAt":"F","States":{"F":{"Type":"Fail"}}}"#);
    let ran = stepwell(&["run", file.path()]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, "FAILED\n"));
}

#[test]
fn run_tells_why_a_child_of_a_map_run_failed() {
    let machine = r#"{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":{
        "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"F",
        "States":{"F":{"Type":"Fail","Error":"Torn","CausePath":"$.page"}}}}}}"#;
    let file = Scratch::new("m.asl.json", machine);
    let ran = stepwell(&["run", file.path(), "--input", r#"[{"page":"page 1"},{"page":"page 2"}]"#]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("FAILED States.ExceedToleratedFailureThreshold: "), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("\nthe first child execution to fail: FAILED Torn: page 1\n"), "{}", ran.stderr);
}

#[test]
fn run_takes_real_time_when_told_to() {
    let file = Scratch::new("w.asl.json", r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"End":true}}}"#);
    let ran = stepwell(&["run", file.path(), "--time", "real", "--history"]);
    let history = Json::parse(&ran.stdout).expect("JSON");
    let events = history.get("events").and_then(Json::as_array).expect("events");
    let times: Vec<f64> = events.iter().filter_map(|event| event.get("timestamp")?.as_f64()).collect();
    assert!(times[2] - times[1] >= 1.0, "never early: {times:?}");
}

#[test]
fn the_same_seed_draws_the_same() {
    let draws = r#"{"StartAt":"A","QueryLanguage":"JSONata","States":{"A":{"Type":"Pass","Output":"{% [$uuid(), $random()] %}","End":true}}}"#;
    let file = Scratch::new("draws.asl.json", draws);
    let run = |seed: &str| stepwell(&["run", file.path(), "--seed", seed]).stdout;
    assert_eq!(run("7"), run("7"));
    assert_ne!(run("7"), run("8"));
}

#[test]
fn a_failed_execution_exits_with_1_and_says_why() {
    let file =
        Scratch::new("f.asl.json", r#"{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E.X","Cause":"because"}}}"#);
    let ran = stepwell(&["run", file.path()]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (1, "", "FAILED E.X: because\n"));
    let forever = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"Z"}],"Default":"A"},"Z":{"Type":"Succeed"}}}"#;
    let file = Scratch::new("forever.asl.json", forever);
    let ran = stepwell(&["run", file.path()]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("maximum number of history events (25000)"), "{}", ran.stderr);
}

#[test]
fn an_express_loop_meets_its_five_minutes() {
    let forever = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"Z"}],"Default":"A"},"Z":{"Type":"Succeed"}}}"#;
    let file = Scratch::new("forever.asl.json", forever);
    let ran = stepwell(&["run", file.path(), "--type", "express"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, "TIMED_OUT States.Timeout\n"));
}

#[test]
fn eval_prints_the_result() {
    let check = |args: &[&str], stdout: &str| {
        let ran = stepwell(args);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, stdout, ""), "{args:?}");
    };
    check(&["eval", "--jsonata", "$sum(n) * 2", "--input", r#"{"n":[1,2]}"#], "6\n");
    check(&["eval", "--jsonata", "$who & '!'", "--variables", r#"{"who":"Ada"}"#], "\"Ada!\"\n");
    check(&["eval", "--jsonata", "nothing.here", "--input", "{}"], "");
    check(&["eval", "--jsonpath", "$.n[-1:]", "--input", r#"{"n":[1,2]}"#], "[2]\n");
    check(&["eval", "--jsonpath", "$v.a", "--variables", r#"{"v":{"a":1.50}}"#], "1.50\n");
    check(&["eval", "--intrinsic", "States.MathAdd($.n, 1)", "--input", r#"{"n":41}"#], "42\n");
}

#[test]
fn eval_says_code_and_position_of_a_fault() {
    let ran = stepwell(&["eval", "--jsonata", "1 +\n 'a'"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.starts_with("T2002: ") && ran.stderr.contains("(line 1, column 4, position 3)"),
        "{}",
        ran.stderr
    );
    let ran = stepwell(&["eval", "--jsonpath", "$.a", "--input", "{}"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, "No results for path: $['a']\n"));
}

#[test]
fn validate_prints_every_fault_with_its_place() {
    let faulty = "{\n  \"StartAt\": \"Gone\",\n  \"States\": {\n    \"A\": {\"Type\": \"Pass\", \"Nxt\": \"A\", \"End\": true}\n  }\n}\n";
    let file = Scratch::new("faulty.asl.json", faulty);
    let ran = stepwell(&["validate", file.path()]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("faulty.asl.json:2:") && ran.stderr.contains("faulty.asl.json:4:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Next"), "it suggests the field that was meant: {}", ran.stderr);
    let ran = stepwell(&["validate", "--format", "json", file.path()]);
    let faults: Vec<Json> = ran.stdout.lines().map(|line| Json::parse(line).expect("JSON")).collect();
    assert!(faults.len() >= 2, "{}", ran.stdout);
    assert_eq!(faults[0].get("line"), Some(&Json::from(2)));
    let ran = stepwell(&["validate", "--format", "github", file.path()]);
    assert!(ran.stdout.starts_with("::error file="), "{}", ran.stdout);
}

#[test]
fn help_teaches() {
    for command in ["run", "eval", "validate"] {
        let ran = stepwell(&[command, "--help"]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("Examples:"), "{command}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_stops_a_run_cleanly() {
    use std::process::{Command, Stdio};

    let file = Scratch::new("w.asl.json", r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":600,"End":true}}}"#);
    let child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
        .args(["run", file.path(), "--time", "real"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("stepwell starts");
    // The kernel tells when the process listens for SIGINT, the second bit of the mask.
    let listens = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("the process is there");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a mask");
        u64::from_str_radix(mask.trim(), 16).expect("a hexadecimal mask") & 0b10 != 0
    };
    while !listens() {
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let output = child.wait_with_output().expect("stepwell ends");
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(output.stdout, b"");
    assert_eq!(output.stderr, b"stepwell: interrupted; the execution was not finished\n");
}

#[test]
fn run_takes_the_items_of_a_reader_from_the_mocks() {
    let machine = r#"{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemReader":{
        "Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON","MaxItems":2},
        "Parameters":{"Bucket":"b","Key":"k"}},"ItemProcessor":{
        "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"P",
        "States":{"P":{"Type":"Pass","End":true}}}}}}"#;
    let file = Scratch::new("reader.asl.json", machine);
    let mocks = |answer: &str| {
        format!(
            r#"{{"StateMachines":{{"reader":{{"TestCases":{{"c":{{"M":"R"}}}}}}}},"MockedResponses":{{"R":{{"0":{answer}}}}}}}"#
        )
    };
    let run = |answer: &str| {
        let mocks = Scratch::new("reader-mocks.json", &mocks(answer));
        stepwell(&["run", file.path(), "--mocks", &format!("{}#c", mocks.path())])
    };
    assert_eq!(run(r#"{"Return":["a","b","c"]}"#).stdout.split_whitespace().collect::<String>(), r#"["a","b"]"#);
    let refused = run(r#"{"Throw":{"Error":"States.ItemReaderFailed","Cause":"gone"}}"#);
    assert_eq!((refused.code, refused.stderr.as_str()), (1, "FAILED States.ItemReaderFailed: gone\n"));
    let unmocked = stepwell(&["run", file.path()]);
    assert!(unmocked.code == 2 && unmocked.stderr.contains("it has no mock"), "{}", unmocked.stderr);
}
