//! Bad input: one clear line, or every fault with its place; exit 2 and no panic.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Scratch, stepwell};

const TASK: &str = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"End":true}}}"#;

/// Exit 2, nothing on stdout, and stderr says this.
fn refused(args: &[&str], says: &str) {
    let ran = stepwell(args);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{args:?}: {}", ran.stderr);
}

#[test]
fn files_and_inputs_that_cannot_be_read() {
    let good = Scratch::new("t.asl.json", TASK);
    refused(&["run", "no/such/file.asl.json"], "cannot read no/such/file.asl.json");
    refused(&["validate", "no/such/file.asl.json"], "cannot read no/such/file.asl.json");
    refused(&["run", good.path(), "--input", "{not json"], "--input is not JSON: line 1, column 2");
    refused(&["run", good.path(), "--input", "@no/such/input.json"], "cannot read no/such/input.json");
    refused(&["eval", "--jsonata", "1", "--variables", "[1]"], "--variables must be a JSON object, not array");
    refused(&["eval", "--jsonata", "1", "--jsonpath", "$"], "cannot be used with");
    refused(&["eval"], "required");
    refused(&["run"], "required");
    refused(&["fly"], "fly");
}

#[test]
fn definitions_that_cannot_be_run() {
    for (text, says) in [
        ("", "line 1"),
        ("{\"StartAt\": ", ":1:"),
        ("[]", ":1:1"),
        (r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}"#, "B"),
        (r#"{"StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"$.[","End":true}}}"#, "InputPath"),
    ] {
        let file = Scratch::new("bad.asl.json", text);
        refused(&["run", file.path()], "cannot be run");
        let ran = stepwell(&["run", file.path()]);
        assert!(ran.stderr.contains("bad.asl.json:") || ran.stderr.contains(says), "{text}: {}", ran.stderr);
        assert_eq!(stepwell(&["validate", file.path()]).code, 1, "{text}");
    }
    let file = Scratch::new("bad.asl.yaml", "StartAt: A\nStates:\n  A: [1\n");
    refused(&["run", file.path()], "cannot be run");
}

#[test]
fn a_task_without_a_mock_says_how_to_give_one() {
    let file = Scratch::new("t.asl.json", TASK);
    refused(&["run", file.path()], "the Task state 'T' cannot be run: it has no mock; give one with --mocks FILE");
}

#[test]
fn mocks_that_do_not_fit() {
    let file = Scratch::new("t.asl.json", TASK);
    let with = |mocks: &str, case: &str, says: &str| {
        let mocks = Scratch::new("mocks.json", mocks);
        refused(&["run", file.path(), "--mocks", &format!("{}{case}", mocks.path())], says);
    };
    let good =
        r#"{"StateMachines":{"t":{"TestCases":{"a":{"T":"R"},"b":{}}}},"MockedResponses":{"R":{"0":{"Return":1}}}}"#;
    with("{", "", "is not JSON");
    with("{}", "", "there is no object \"StateMachines\"");
    with(good, "", "say which test case with #NAME: there are 'a', 'b'");
    with(good, "#c", "there is no test case named 'c': there are 'a', 'b'");
    with(good, "#b", "it has no mock; add \"T\": \"<response>\" to StateMachines/t/TestCases/b");
    with(&good.replace("\"T\":\"R\"", "\"X\":\"R\""), "#a", "name a state 'X' that the definition does not have");
    with(&good.replace("\"R\":{\"0\"", "\"S\":{\"0\""), "#a", "there is no response 'R'");
    with(&good.replace("\"0\"", "\"first\""), "#a", "is no attempt");
    with(&good.replace("Return", "Answer"), "#a", "either \"Return\" or \"Throw\"");
    with(&good.replace("\"0\"", "\"1-2\""), "#a", "no answer for attempt 0");
}

#[test]
fn texts_made_to_hurt_are_refused() {
    let states: Vec<String> = (0..100_000)
        .map(|i| format!(r#""S{i}":{{"Type":"Pass","Next":"S{}","Comment":"{}"}}"#, i + 1, "x".repeat(60)))
        .collect();
    let big = format!(r#"{{"StartAt":"S0","States":{{{}}}}}"#, states.join(","));
    assert!(big.len() > 10_000_000);
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (text, says) in [(big.as_str(), "1048576 are allowed"), (deep.as_str(), "may nest 512 deep")] {
        let file = Scratch::new("hostile.json", text);
        refused(&["run", file.path()], says);
        assert_eq!(stepwell(&["validate", file.path()]).code, 1);
    }
    let deep_input = Scratch::new("deep.json", &deep);
    refused(&["eval", "--jsonata", "$", "--input", &format!("@{}", deep_input.path())], "may nest 512 deep");
    for bomb in [
        "$pad('x', 5e8)",
        "($f := function($n){$f($n + 1)}; $f(0))",
        "($f := function($n){1 + $f($n)}; $f(0))",
        "$sum([1..1e9])",
    ] {
        let ran = stepwell(&["eval", "--jsonata", bomb]);
        assert!(ran.code == 1 && ran.stderr.starts_with('D'), "{bomb}: {}", ran.stderr);
    }
}

#[test]
fn a_server_that_cannot_be_as_told_says_why() {
    refused(&["serve", "--memory", "--listen", "0.0.0.0:0"], "accept the risk with --insecure");
    refused(
        &["serve", "--memory", "--listen", "127.0.0.1:0", "--mocks", "not-there.json"],
        "cannot read not-there.json",
    );
}

/// One line and exit 1: a directory that cannot be opened, whatever the reason.
#[test]
fn a_data_directory_that_cannot_be_used_is_one_line_and_exit_1() {
    let refused = |directory: &str, expected: &str| {
        let ran = stepwell(&["serve", "--listen", "127.0.0.1:0", "--data", directory]);
        let expected = format!("stepwell: cannot open the data directory: {expected}\n");
        assert_eq!((ran.code, ran.stderr), (1, expected));
    };
    let foreign = Scratch::new("letter.txt", "dear");
    let folder = Path::new(foreign.path()).parent().and_then(Path::to_str).expect("UTF-8");
    refused(folder, &format!("{folder} is not a data directory: letter.txt in it is none of ours"));
    let used = format!("{folder}/used");
    let mut server = Command::new(env!("CARGO_BIN_EXE_stepwell"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data", &used])
        .stderr(Stdio::piped())
        .spawn()
        .expect("stepwell starts");
    let mut said = String::new();
    // Kept open: a server that cannot say the rest of its banner ends.
    let mut banner = BufReader::new(server.stderr.take().expect("a pipe"));
    banner.read_line(&mut said).expect("a line");
    assert!(said.contains("listening on") && said.contains(&used), "{said}");
    refused(&used, &format!("the data directory {used} is in use by another process"));
    server.kill().and_then(|()| server.wait()).expect("it ends");
    let format = format!("{used}/FORMAT");
    let newer = std::fs::read_to_string(&format).expect("a format").replace("format 1", "format 9");
    std::fs::write(&format, newer).expect("a format");
    refused(&used, &format!("{format} has format 9, written by a newer version; this one knows formats up to 1"));
}

#[test]
fn a_port_in_use_is_one_line_and_exit_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let ran = stepwell(&["serve", "--memory", "--listen", &address]);
    let expected = format!("stepwell: cannot listen on {address}: the port is in use; choose another with --listen\n");
    assert_eq!((ran.code, ran.stderr), (1, expected));
}
