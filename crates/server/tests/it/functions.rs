//! Functions of this process: tasks and clients reach them, and nothing of them outlives the server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use stepwell_json::Json;
use stepwell_server::{FunctionSource, NamedFunction, Settings, Time};

use crate::Running;
use crate::executions::{create, ended, json, quoted, text};
use crate::outward::Fake;

const CODE: &str = "
class OutOfStock(Exception):
    pass

def handler(event, context):
    if event.get('item') == 'pens':
        raise OutOfStock('no pens')
    return {'got': event}
";

const MACHINE: &str = r#"{"StartAt":"S","States":{
    "S":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke",
        "Parameters":{"FunctionName":"stock","Payload.$":"$"},"OutputPath":"$.Payload",
        "Catch":[{"ErrorEquals":["OutOfStock"],"Next":"C"}],"End":true},
    "C":{"Type":"Pass","Parameters":{"said.$":"States.StringToJson($.Cause)"},"OutputPath":"$.said.errorMessage","End":true}}}"#;

fn settings(name: &str, runs: FunctionSource) -> Settings {
    Settings { functions: vec![NamedFunction { name: name.to_owned(), runs }], ..Settings::default() }
}

fn run(server: &Running, machine: &str, input: &str) -> Json {
    let asked = format!(r#"{{"stateMachineArn":"{machine}","input":{}}}"#, quoted(input));
    ended(server, &text(&json(&server.call("StartExecution", &asked)), "executionArn"))
}

/// Processes that were started for functions of a directory.
fn left(directory: &Path) -> usize {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.map(|process| std::fs::read(process.path().join("environ")).unwrap_or_default());
    let root = format!("LAMBDA_TASK_ROOT={}\0", directory.display());
    names.filter(|environment| String::from_utf8_lossy(environment).contains(&root)).count()
}

#[test]
fn tasks_catch_what_a_function_raises_and_no_process_stays() {
    let has_python = std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|directory| directory.join("python3").is_file()));
    if !has_python {
        println!("skipped: the program python3 is not on the PATH");
        return;
    }
    let directory: PathBuf = std::env::temp_dir().join(format!("stepwell-{}-stock", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let directory = directory.canonicalize().expect("a path");
    std::fs::write(directory.join("app.py"), CODE).expect("a file");
    let server = Running::with(settings("stock", FunctionSource::Directory { path: directory.clone(), entry: None }));
    let machine = create(&server, "orders", "STANDARD", MACHINE);
    let done = run(&server, &machine, r#"{"item":"ink"}"#);
    assert_eq!(text(&done, "output"), r#"{"got":{"item":"ink"}}"#, "{done}");
    let caught = run(&server, &machine, r#"{"item":"pens"}"#);
    assert_eq!(text(&caught, "output"), r#""no pens""#, "{caught}");
    assert_eq!(left(&directory), 1);
    let headers = [("Host", "localhost")];
    let direct = server.ask("POST", "/2015-03-31/functions/stock/invocations", &headers, br#"{"item":"pens"}"#);
    assert_eq!(direct.status, 200, "{direct:?}");
    assert!(direct.body.starts_with(r#"{"errorMessage": "no pens", "errorType": "OutOfStock""#), "{direct:?}");
    server.end().expect("a good end");
    assert_eq!(left(&directory), 0);
    std::fs::remove_dir_all(directory).expect("a directory");
}

#[test]
fn a_function_may_be_served_elsewhere() {
    let elsewhere = Fake::start(|_| crate::outward::json(r#"{"got":"it"}"#));
    let url = format!("http://{}/here", elsewhere.address);
    let server = Running::with(settings("stock", FunctionSource::Url(url)));
    let machine = create(&server, "orders", "STANDARD", MACHINE);
    let done = run(&server, &machine, r#"{"item":"ink"}"#);
    assert_eq!(text(&done, "output"), r#"{"got":"it"}"#, "{done}");
    let asked = elsewhere.next();
    assert!(asked.starts_with("POST /here HTTP/1.1") && asked.ends_with(r#"{"item":"ink"}"#), "{asked}");
}

/// A function that nobody waits for is at work like one that somebody does: no time is skipped meanwhile.
#[test]
fn skipped_time_waits_for_functions_that_nobody_waits_for() {
    let is_done = Arc::new(AtomicBool::new(false));
    let done = is_done.clone();
    let elsewhere = Fake::start(move |_| {
        std::thread::sleep(Duration::from_millis(400));
        done.store(true, Ordering::SeqCst);
        crate::outward::json("{}")
    });
    let url = format!("http://{}/", elsewhere.address);
    let server = Running::with(Settings { time: Time::Skip, ..settings("later", FunctionSource::Url(url)) });
    let machine = r#"{"StartAt":"S","States":{
        "S":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Next":"W",
            "Parameters":{"FunctionName":"later","InvocationType":"Event"}},
        "W":{"Type":"Wait","Seconds":86400,"End":true}}}"#;
    let began = Instant::now();
    let ended = run(&server, &create(&server, "m", "STANDARD", machine), "{}");
    assert_eq!(text(&ended, "status"), "SUCCEEDED", "{ended}");
    assert!(is_done.load(Ordering::SeqCst), "a day has not passed before it was done");
    assert!(began.elapsed() < Duration::from_secs(20), "a day is skipped when it is: {:?}", began.elapsed());
}
