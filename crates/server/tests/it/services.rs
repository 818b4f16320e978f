//! Tasks that leave the server: a fake Lambda on a socket of its own, and servers that ask it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use stepwell_json::Json;
use stepwell_server::{Endpoints, Settings, Time};

use crate::executions::{create, ended, json, quoted, start, text};
use crate::{Answer, Running};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who is asked, and answers what the test says when it says so.
struct FakeLambda {
    address: SocketAddr,
    asked: Receiver<Asked>,
}

/// One request: its first line and body, and the connection that waits.
struct Asked {
    line: String,
    body: String,
    answer: Sender<String>,
}

impl FakeLambda {
    fn start() -> FakeLambda {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), sender) = (stream, sender.clone()) else { return };
                std::thread::spawn(move || serve(stream, &sender));
            }
        });
        FakeLambda { address, asked }
    }

    fn endpoints(&self) -> Endpoints {
        let mut endpoints = Endpoints::default();
        for service in ["lambda", "sqs", "sns", "s3"] {
            endpoints.set(service, &format!("http://{}", self.address)).expect("a URL");
        }
        endpoints
    }

    fn next(&self) -> Asked {
        self.asked.recv_timeout(PATIENCE).expect("somebody asks")
    }
}

impl Asked {
    /// Answers with a function's result. Whoever asked may be gone by now.
    fn returns(&self, payload: &str) {
        let head = "HTTP/1.1 200 OK\r\nX-Amz-Executed-Version: $LATEST\r\nx-amzn-RequestId: r-1\r\nContent-Type: application/json\r\n";
        let _ = self.answer.send(format!("{head}Content-Length: {}\r\n\r\n{payload}", payload.len()));
    }

    fn refuses(&self, status: &str, headers: &str, body: &str) {
        let _ = self.answer.send(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()));
    }
}

/// Requests of one connection, one after the other, until either side goes away.
fn serve(stream: TcpStream, asked: &Sender<Asked>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).expect("a header");
            let header = header.trim_end().to_ascii_lowercase();
            match header.strip_prefix("content-length:") {
                _ if header.is_empty() => break,
                Some(text) => length = text.trim().parse().expect("a length"),
                None => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let (answer, answers) = channel();
        let body = String::from_utf8(body).expect("text");
        if asked.send(Asked { line: line.trim_end().to_owned(), body, answer }).is_err() {
            return;
        }
        let Ok(answer) = answers.recv() else { return };
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn task(resource: &str, more: &str) -> String {
    format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{resource}"{more},"End":true}}}}}}"#)
}

fn asking(lambda: &FakeLambda) -> Running {
    Running::with(Settings { endpoints: lambda.endpoints(), ..Settings::default() })
}

/// The events of an execution, by name.
fn events(server: &Running, execution: &str) -> Vec<String> {
    let history = json(&server.call("GetExecutionHistory", &format!(r#"{{"executionArn":"{execution}"}}"#)));
    let events = history.get("events").and_then(Json::as_array).expect("events").clone();
    events.iter().map(|event| text(event, "type")).collect()
}

#[test]
fn a_function_gets_the_input_and_gives_the_output() {
    let lambda = FakeLambda::start();
    let server = asking(&lambda);
    let execution = start(&server, &create(&server, "m", "STANDARD", &task(FUNCTION, r#","Parameters":{"a":1.50}"#)));
    let asked = lambda.next();
    let path = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
    assert_eq!(asked.line, format!("POST /2015-03-31/functions/{path}/invocations HTTP/1.1"));
    assert_eq!(asked.body, r#"{"a":1.50}"#);
    asked.returns(r#"{"done":true}"#);
    assert_eq!(text(&ended(&server, &execution), "output"), r#"{"done":true}"#);
    let expected = ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"];
    assert_eq!(events(&server, &execution)[2..5], expected);
}

#[test]
fn invoke_tells_all_there_is_and_errors_have_the_names_of_aws() {
    let lambda = FakeLambda::start();
    let server = asking(&lambda);
    let more = r#","Parameters":{"FunctionName":"f","Qualifier":"2","Payload":{"a":1}}"#;
    let machine = create(&server, "m", "STANDARD", &task("arn:aws:states:::lambda:invoke", more));
    let ran = |answer: &dyn Fn(&Asked)| {
        let execution = start(&server, &machine);
        let asked = lambda.next();
        assert_eq!(asked.line, "POST /2015-03-31/functions/f/invocations?Qualifier=2 HTTP/1.1");
        answer(&asked);
        ended(&server, &execution)
    };
    let output = text(&ran(&|asked| asked.returns("{\"b\":2}")), "output");
    assert!(output.starts_with(r#"{"ExecutedVersion":"$LATEST","Payload":{"b":2},"SdkHttpMetadata":{"#), "{output}");
    let failed = |answer: &dyn Fn(&Asked)| {
        let ended = ran(answer);
        (text(&ended, "error"), text(&ended, "cause"))
    };
    let document = r#"{"errorType":"Oops","errorMessage":"No."}"#;
    let raised = failed(&|asked| asked.refuses("200 OK", "X-Amz-Function-Error: Unhandled\r\n", document));
    assert_eq!(raised, ("Oops".to_owned(), document.to_owned()));
    let error = "x-amzn-ErrorType: ResourceNotFoundException\r\nx-amzn-RequestId: r-2\r\n";
    let missing = failed(&|asked| asked.refuses("404 Not Found", error, r#"{"Message":"Function not found: f"}"#));
    let cause = "Function not found: f (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: \
                 r-2; Proxy: null)";
    assert_eq!(missing, ("Lambda.ResourceNotFoundException".to_owned(), cause.to_owned()));
}

#[test]
fn nobody_there_is_an_error_a_catcher_can_name() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut endpoints = Endpoints::default();
    endpoints.set("lambda", &format!("http://{nobody}")).expect("a URL");
    let server = Running::with(Settings { endpoints, ..Settings::default() });
    let execution = start(&server, &create(&server, "m", "STANDARD", &task(FUNCTION, "")));
    let ended = ended(&server, &execution);
    assert_eq!(text(&ended, "error"), "Lambda.SdkClientException");
    let cause = format!("Unable to execute HTTP request: Connect to {nobody} failed: Connection refused");
    assert_eq!(text(&ended, "cause"), cause);
}

#[test]
fn an_answer_that_breaks_off_is_none() {
    let lambda = FakeLambda::start();
    let server = asking(&lambda);
    let machine = create(&server, "m", "STANDARD", &task(FUNCTION, ""));
    let cause = |answer: &dyn Fn(Asked)| {
        let execution = start(&server, &machine);
        answer(lambda.next());
        let ended = ended(&server, &execution);
        assert_eq!(text(&ended, "error"), "Lambda.SdkClientException");
        text(&ended, "cause")
    };
    // The connection ends with whoever was to answer.
    let silent = cause(&drop);
    assert_eq!(silent, format!("Unable to execute HTTP request: {} failed to respond", lambda.address));
    let large = cause(&|asked| asked.returns(&format!("\"{}\"", "x".repeat(7 * 1024 * 1024))));
    assert_eq!(large, "Unable to execute HTTP request: the answer has more than 6356992 bytes");
}

#[test]
fn time_is_not_skipped_while_a_function_runs() {
    let lambda = FakeLambda::start();
    let server = Running::with(Settings { endpoints: lambda.endpoints(), time: Time::Skip, ..Settings::default() });
    let machine = create(&server, "m", "STANDARD", &task(FUNCTION, r#","TimeoutSeconds":3600"#));
    let execution = start(&server, &machine);
    let asked = lambda.next();
    let described =
        |server: &Running| server.call("DescribeExecution", &format!(r#"{{"executionArn":"{execution}"}}"#));
    for _ in 0..20 {
        assert_eq!(text(&json(&described(&server)), "status"), "RUNNING");
    }
    asked.returns("1");
    assert_eq!(text(&ended(&server, &execution), "output"), "1");
}

#[test]
fn a_call_nobody_wants_any_more_is_given_up() {
    let lambda = FakeLambda::start();
    let server = asking(&lambda);
    let execution = start(&server, &create(&server, "m", "STANDARD", &task(FUNCTION, r#","TimeoutSeconds":1"#)));
    let asked = lambda.next();
    assert_eq!(text(&ended(&server, &execution), "error"), "States.Timeout");
    asked.returns("1");
    // The next call has a connection of its own: the first was closed with its call.
    let execution = start(&server, &create(&server, "n", "STANDARD", &task(FUNCTION, "")));
    lambda.next().returns("2");
    assert_eq!(text(&ended(&server, &execution), "output"), "2");
}

#[test]
fn a_state_is_tested_with_its_service() {
    let lambda = FakeLambda::start();
    let server = asking(&lambda);
    let definition = quoted(&format!(r#"{{"Type":"Task","Resource":"{FUNCTION}","End":true}}"#));
    let body = format!(r#"{{"definition":{definition},"roleArn":"arn:aws:iam::000000000000:role/r","input":"[1]"}}"#);
    let test = |answer: fn(&Asked)| -> Answer {
        std::thread::scope(|scope| {
            let said = scope.spawn(|| server.call("TestState", &body));
            let asked = lambda.next();
            assert_eq!(asked.body, "[1]");
            answer(&asked);
            said.join().expect("an answer")
        })
    };
    assert_eq!(test(|asked| asked.returns("7")).body, r#"{"output":"7","status":"SUCCEEDED"}"#);
    // A failure that does not say what it is has the name of all that the model does not have.
    let failed = test(|asked| asked.refuses("500 Oops", "", ""));
    assert!(failed.body.contains(r#""error":"Lambda.AWSLambdaException""#), "{failed:?}");
}

/// Each service is asked in its own protocol, and its answer is read.
#[test]
fn services_are_asked_in_their_protocols() {
    let service = FakeLambda::start();
    let server = asking(&service);
    let check = |name: &str, resource: &str, arguments: &str, asked: (&str, &str), answer: &str, expected: &str| {
        let state = format!(
            r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"arn:aws:states:::{resource}","Parameters":{arguments},"End":true}}}}}}"#
        );
        let execution = start(&server, &create(&server, name, "STANDARD", &state));
        let came = service.next();
        assert!(came.line.starts_with(asked.0), "{}", came.line);
        assert_eq!(came.body, asked.1);
        came.refuses("200 OK", "x-amzn-RequestId: r-1\r\n", answer);
        let shown = ended(&server, &execution);
        let output = Json::parse(&text(&shown, "output")).expect("JSON");
        assert_eq!(output.get("MessageId").or(output.get("Body")).and_then(Json::as_str), Some(expected), "{shown}");
    };
    check(
        "json",
        "sqs:sendMessage",
        r#"{"QueueUrl":"http://q/1/q","MessageBody":{"a":1}}"#,
        ("POST / ", r#"{"QueueUrl":"http://q/1/q","MessageBody":"{\"a\":1}"}"#),
        r#"{"MessageId":"m-1"}"#,
        "m-1",
    );
    check(
        "query",
        "sns:publish",
        r#"{"TopicArn":"arn:aws:sns:us-east-1:000000000000:t","Message":"hi"}"#,
        (
            "POST / ",
            "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3At&Message=hi",
        ),
        "<PublishResponse><PublishResult><MessageId>m-2</MessageId></PublishResult></PublishResponse>",
        "m-2",
    );
    check("rest", "aws-sdk:s3:getObject", r#"{"Bucket":"b","Key":"a b"}"#, ("GET /b/a%20b", ""), "text", "text");
}

/// A directory of this test's own.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("services-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    path
}

#[test]
fn a_task_in_flight_is_asked_for_again_after_a_restart_and_ends_once() {
    let lambda = FakeLambda::start();
    let data = directory("restart");
    let settings = || Settings { endpoints: lambda.endpoints(), data: Some(data.clone()), ..Settings::default() };
    let first = Running::with(settings());
    let execution = start(&first, &create(&first, "m", "STANDARD", &task(FUNCTION, "")));
    let unanswered = lambda.next();
    let began = Instant::now();
    first.end().expect("it ends");
    assert!(began.elapsed() < PATIENCE, "an open call does not hold the server");
    let second = Running::with(settings());
    let again = lambda.next();
    assert_eq!(again.line, unanswered.line);
    // The answer to the first came too late for anybody.
    unanswered.returns("\"late\"");
    again.returns("\"once\"");
    assert_eq!(text(&ended(&second, &execution), "output"), "\"once\"");
    let succeeded = events(&second, &execution).iter().filter(|event| *event == "LambdaFunctionSucceeded").count();
    assert_eq!(succeeded, 1);
    assert!(lambda.asked.try_recv().is_err(), "nobody asks a third time");
}

#[test]
fn a_callback_is_submitted_by_the_answer_and_ended_by_its_token() {
    let lambda = FakeLambda::start();
    let data = directory("callback");
    let settings = || Settings { endpoints: lambda.endpoints(), data: Some(data.clone()), ..Settings::default() };
    let first = Running::with(settings());
    let more = r#","Parameters":{"FunctionName":"f","Payload":{"token.$":"$$.Task.Token"}}"#;
    let resource = "arn:aws:states:::lambda:invoke.waitForTaskToken";
    let execution = start(&first, &create(&first, "m", "STANDARD", &task(resource, more)));
    let asked = lambda.next();
    asked.returns("null");
    while !events(&first, &execution).contains(&"TaskSubmitted".to_owned()) {
        std::thread::yield_now();
    }
    // It was taken: a server that starts again does not ask a second time.
    first.end().expect("it ends");
    let second = Running::with(settings());
    let token = text(&Json::parse(&asked.body).expect("JSON"), "token");
    let done = format!(r#"{{"taskToken":{},"output":"8"}}"#, quoted(&token));
    assert_eq!(second.call("SendTaskSuccess", &done).status, 200);
    assert_eq!(text(&ended(&second, &execution), "output"), "8");
    assert!(lambda.asked.try_recv().is_err(), "it is asked once");
}

#[test]
fn calls_of_a_service_have_a_bound_and_all_come_to_their_end() {
    let lambda = FakeLambda::start();
    let server = asking(&lambda);
    let machine = create(&server, "m", "STANDARD", &task(FUNCTION, ""));
    let executions: Vec<String> = (0..300).map(|_| start(&server, &machine)).collect();
    let open: Vec<Asked> = (0..256).map(|_| lambda.next()).collect();
    assert!(lambda.asked.try_recv().is_err(), "one more waits for an answer");
    for asked in &open {
        asked.returns("1");
    }
    for _ in 256..300 {
        lambda.next().returns("1");
    }
    for execution in &executions {
        assert_eq!(text(&ended(&server, execution), "output"), "1");
    }
}
