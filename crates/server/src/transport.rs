//! What answers tasks: the mock file, for executions that were started with a test case, and services for all others.
//!
//! An execution keeps the answers its test case had when it first asked; the file is read again when it has changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stepwell_api::{ServiceRead, ServiceTask, ServiceWrite, TestCase};
use stepwell_asl::ResourceKind;
use stepwell_engine::{Answer, Dispatch, ExecutionId, Transport as _};
use stepwell_integrations::{Task, WebCall, call_of, web_call_of};
use stepwell_interpreter::{Command, Failure};
use stepwell_protocol::AwsCall;
use stepwell_spec::error::{ITEM_READER_FAILED, RESULT_WRITER_FAILED, TASK_FAILED};

use crate::carrier::operation_of;
use crate::endpoints::{Destination, Endpoints};
use crate::local::Local;
use crate::mocks::{MockFile, Mocks};

/// Executions whose mocks are remembered. Older ones start to count their attempts anew, which nobody will see: by then
/// as many younger ones have asked.
const CASES_MAX: usize = 10_000;

/// What becomes of a task.
#[derive(Debug)]
pub(crate) enum Done {
    /// Its execution is told this, in order. Nothing, when a worker will answer.
    Told(Vec<Command>),
    /// A service is asked.
    Asks(AwsCall, Destination),
    /// A job that was started before is asked for.
    Watches,
    /// An address is asked.
    Visits(Box<WebCall>),
}

/// What becomes of a Map Run's items or results.
#[derive(Debug)]
pub(crate) enum Carried {
    /// Its execution is told this. Nothing, when nobody will answer.
    Told(Option<Command>),
    /// S3 is asked there, as often as it takes.
    Goes(Destination),
}

/// Where items come from and results go.
const STORAGE: &str = "s3";

/// Finds what answers a task.
#[derive(Debug)]
pub(crate) struct Transport {
    source: Option<Source>,
    endpoints: Endpoints,
    /// What is not said to be elsewhere is here.
    local: Local,
    cases: BTreeMap<ExecutionId, Mocks>,
}

/// A mock file and when it was last read.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    seen: Option<Stamp>,
    file: MockFile,
}

/// Changes when a file does.
type Stamp = (SystemTime, u64);

impl Transport {
    /// One that knows these mocks and where services are.
    pub(crate) fn new(source: Option<Source>, endpoints: Endpoints, local: Local) -> Transport {
        Transport { source, endpoints, local, cases: BTreeMap::new() }
    }

    /// Does a task's work, or says who does.
    pub(crate) fn run(&mut self, task: &ServiceTask) -> Done {
        let key = task.request.key;
        let is_activity = matches!(task.request.resource.kind, ResourceKind::Activity);
        let answer = match &task.test_case {
            Some(case) => self.run_mock(task, case),
            None if is_activity => Answer::Silence,
            None if task.request.submitted.is_some() => return Done::Watches,
            None => match web_call_of(Task { request: &task.request, execution: &task.identity }) {
                Some(Ok(call)) => return Done::Visits(Box::new(call)),
                Some(Err(Failure { error, cause, .. })) => Answer::Failed { error, cause },
                None => match self.call(task) {
                    Ok((call, destination)) => return Done::Asks(call, destination),
                    Err(answer) => answer,
                },
            },
        };
        let mut commands = Vec::new();
        if is_activity && !matches!(answer, Answer::Silence) {
            commands.push(Command::ActivityStarted { task: key, worker_name: None });
        }
        match answer {
            Answer::Succeeded(output) => commands.push(Command::TaskSucceeded { task: key, output }),
            Answer::SubmittedAndSucceeded { submitted, output } => {
                commands.push(Command::TaskSubmitted { task: key, output: submitted });
                commands.push(Command::TaskSucceeded { task: key, output });
            }
            Answer::Failed { error, cause } => commands.push(Command::TaskFailed { task: key, error, cause }),
            // Mocks answer at once, or never.
            Answer::Silence | Answer::Later(_) => {}
            Answer::Refused(reason) => {
                let (error, cause) = (Some(TASK_FAILED.into()), Some(refusal(task, &reason).into()));
                commands.push(Command::TaskFailed { task: key, error, cause });
            }
        }
        Done::Told(commands)
    }

    /// Says where the items of a Map Run are read, or what stands in their place.
    pub(crate) fn read(&mut self, read: &ServiceRead) -> Carried {
        let map_run = read.request.task.key;
        let failed = |reason: String| {
            let cause = Some(reason.into());
            Some(Command::ItemsFailed { map_run, error: Some(ITEM_READER_FAILED.into()), cause })
        };
        match &read.task.test_case {
            Some(case) => {
                let answer = self.run_mock(&read.task, case).of_items(&read.request);
                Carried::Told(answer.unwrap_or_else(|reason| failed(refusal(&read.task, &reason))))
            }
            None => match self.destination(STORAGE) {
                Ok(destination) => Carried::Goes(destination),
                Err(reason) => Carried::Told(failed(refusal(&read.task, &reason))),
            },
        }
    }

    /// Says where the results of a Map Run are written. Those of a test case are as good as written.
    pub(crate) fn write(&self, write: &ServiceWrite) -> Carried {
        if write.task.test_case.is_some() {
            return Carried::Told(Some(write.request.written(Ok(()))));
        }
        match self.destination(STORAGE) {
            Ok(destination) => Carried::Goes(destination),
            Err(reason) => {
                let outcome = Err(Failure::new(RESULT_WRITER_FAILED, refusal(&write.task, &reason)));
                Carried::Told(Some(write.request.written(outcome)))
            }
        }
    }

    /// Where a service is asked, or why nowhere.
    fn destination(&self, service: &str) -> Result<Destination, String> {
        match self.endpoints.get(service) {
            Some(elsewhere @ (Destination::At(_) | Destination::Aws)) => Ok(elsewhere.clone()),
            Some(Destination::Here) | None if self.local.serves(service) => Ok(Destination::Here),
            Some(Destination::Here) | None => Err(format!(
                "no service is configured to answer it; start the server with --endpoint {service}=URL, or mock it"
            )),
        }
    }

    /// What a task asks of whom, or how it ends without.
    fn call(&self, task: &ServiceTask) -> Result<(AwsCall, Destination), Answer> {
        let call = call_of(Task { request: &task.request, execution: &task.identity })
            .map_err(|Failure { error, cause, .. }| Answer::Failed { error, cause })?;
        let service = &call.service;
        let destination = self.destination(service).map_err(Answer::Refused)?;
        match operation_of(&call) {
            Some(_) => Ok((call, destination)),
            None => Err(Answer::Refused(format!("{service} has no operation {}", call.action))),
        }
    }

    fn run_mock(&mut self, task: &ServiceTask, case: &TestCase) -> Answer {
        let TestCase { execution, name: case } = case;
        if !self.cases.contains_key(execution) {
            // The machine of a Map Run's child is `NAME/LABEL`.
            let machine = task.identity.state_machine_name.split('/').next().unwrap_or_default().to_owned();
            let mocks = match &mut self.source {
                Some(source) => source.current().case(&[machine], case),
                None => Err(format!(
                    "its execution was started with the test case '{case}', and the server has no mock file: start it \
                     with --mocks FILE"
                )),
            };
            match mocks {
                Ok(mocks) => self.cases.insert(*execution, mocks),
                Err(reason) => return Answer::Refused(reason),
            };
            if self.cases.len() > CASES_MAX {
                self.cases.pop_first();
            }
        }
        let dispatch = Dispatch { execution: &task.identity, request: &task.request };
        match self.cases.get_mut(execution) {
            Some(mocks) => mocks.run(&dispatch),
            None => Answer::Refused("its mocks are gone".to_owned()),
        }
    }
}

fn refusal(task: &ServiceTask, reason: &str) -> String {
    let request = &task.request;
    format!("The state '{}' calls {}, which cannot be done: {reason}", request.state_name, request.resource.arn)
}

impl Source {
    /// Reads a mock file. Refuses one that cannot be used.
    pub(crate) fn open(path: &Path) -> Result<Source, String> {
        // The stamp comes first: a change while the file is read is then seen later, never missed.
        let seen = stamp(path);
        Ok(Source { path: path.to_owned(), seen, file: read(path)? })
    }

    /// The file as it stands. One that became unusable leaves the last one that was.
    fn current(&mut self) -> &MockFile {
        let seen = stamp(&self.path);
        if seen != self.seen {
            self.seen = seen;
            match read(&self.path) {
                Ok(file) => self.file = file,
                Err(reason) => tracing::warn!(%reason, "the mock file changed and cannot be used; the last one stands"),
            }
        }
        &self.file
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<MockFile, String> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|fault| format!("cannot read {name}: {fault}"))?;
    MockFile::parse(&name, &text)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use stepwell_asl::{Integration, Pattern, Resource};
    use stepwell_interpreter::{Identity, TaskKey, TaskRequest, ThreadId};
    use stepwell_json::Json;

    use super::*;

    fn file(answers: &str) -> String {
        format!(
            r#"{{"StateMachines":{{"m":{{"TestCases":{{"c":{{"T":"R"}}}}}}}},"MockedResponses":{{"R":{answers}}}}}"#
        )
    }

    pub(crate) fn task(execution: u64, state: &str, test_case: Option<&str>, kind: ResourceKind) -> ServiceTask {
        let text = |text: &str| -> stepwell_spec::Text { text.into() };
        ServiceTask {
            execution: ExecutionId(execution),
            identity: Arc::new(Identity {
                arn: text("arn:aws:states:us-east-1:000000000000:execution:m:e"),
                name: text("e"),
                role_arn: text("arn:aws:iam::000000000000:role/r"),
                state_machine_arn: text("arn:aws:states:us-east-1:000000000000:stateMachine:m"),
                state_machine_name: text("m"),
                state_machine_version_arn: None,
                state_machine_alias_arn: None,
                region: text("us-east-1"),
            }),
            test_case: test_case.map(|name| TestCase { execution: ExecutionId(execution), name: name.into() }),
            request: TaskRequest {
                key: TaskKey { thread: ThreadId::ROOT, scheduled_event_id: 3 },
                state_name: text(state),
                resource: Resource { arn: "arn:aws:states:::sqs:sendMessage".into(), kind },
                input: Json::empty_object(),
                token: None,
                role_arn: None,
                retry_count: 0,
                taken: false,
                submitted: None,
            },
        }
    }

    fn sqs(pattern: Pattern) -> ResourceKind {
        ResourceKind::Integration(Integration {
            resource_type: "sqs".into(),
            resource: "sendMessage".into(),
            action: "sendMessage".into(),
            pattern,
        })
    }

    /// What the execution is told, in short.
    fn told(transport: &mut Transport, task: &ServiceTask) -> Vec<String> {
        let say = |command: Command| match command {
            Command::ActivityStarted { .. } => "started".to_owned(),
            Command::TaskSubmitted { output, .. } => format!("submitted {output}"),
            Command::TaskSucceeded { output, .. } => format!("succeeded {output}"),
            Command::TaskFailed { error, cause, .. } => {
                format!("failed {}: {}", error.as_deref().unwrap_or("-"), cause.as_deref().unwrap_or("-"))
            }
            other => format!("{other:?}"),
        };
        match transport.run(task) {
            Done::Watches => vec!["watches".to_owned()],
            Done::Visits(call) => vec![format!("visits {}", call.address.authority)],
            Done::Told(commands) => commands.into_iter().map(say).collect(),
            Done::Asks(call, destination) => {
                let whom = match destination {
                    Destination::Here => "here".to_owned(),
                    Destination::At(endpoint) => endpoint.url(""),
                    Destination::Aws => "aws".to_owned(),
                };
                vec![format!("asks {whom} {}.{}", call.service, call.action)]
            }
        }
    }

    fn transport(name: &str, answers: &str) -> (PathBuf, Transport) {
        let path = std::env::temp_dir().join(format!("stepwell-{}-{name}.json", std::process::id()));
        std::fs::write(&path, file(answers)).expect("a file");
        let transport =
            Transport::new(Some(Source::open(&path).expect("a mock file")), Endpoints::default(), Local::nowhere());
        (path, transport)
    }

    #[test]
    fn every_kind_of_task_is_told_as_its_service_would() {
        let (path, mut transport) = transport("kinds", r#"{"0-9":{"Return":{"Payload":1}}}"#);
        std::fs::remove_file(path).expect("a file");
        let mut check = |execution: u64, kind: ResourceKind, expected: &[&str]| {
            assert_eq!(told(&mut transport, &task(execution, "T", Some("c"), kind)), expected);
        };
        check(1, sqs(Pattern::RequestResponse), &[r#"succeeded {"Payload":1}"#]);
        let both = [r#"submitted {"Payload":1}"#, r#"succeeded {"Payload":1}"#];
        check(2, sqs(Pattern::WaitForTaskToken), &both);
        check(3, sqs(Pattern::Sync), &both);
        check(4, ResourceKind::LambdaFunction, &["succeeded 1"]);
        check(5, ResourceKind::Activity, &["started", r#"succeeded {"Payload":1}"#]);
    }

    #[test]
    fn each_execution_counts_its_own_attempts() {
        let answers = r#"{"0":{"Throw":{"Error":"E","Cause":"C"}},"1":{"Return":1}}"#;
        let (path, mut transport) = transport("attempts", answers);
        let ask = |transport: &mut Transport, execution: u64| {
            told(transport, &task(execution, "T", Some("c"), sqs(Pattern::RequestResponse))).concat()
        };
        assert_eq!(ask(&mut transport, 1), "failed E: C");
        assert_eq!(ask(&mut transport, 2), "failed E: C");
        assert_eq!(ask(&mut transport, 1), "succeeded 1");
        let beyond = ask(&mut transport, 1);
        assert!(beyond.starts_with("failed States.TaskFailed: The state 'T' calls arn:"), "{beyond}");
        assert!(beyond.contains("no answer for attempt 2"), "{beyond}");
        std::fs::remove_file(path).expect("a file");
    }

    #[test]
    fn a_changed_file_holds_for_executions_that_ask_later() {
        let (path, mut transport) = transport("changes", r#"{"0-9":{"Return":1}}"#);
        let ask = |transport: &mut Transport, execution: u64| {
            told(transport, &task(execution, "T", Some("c"), sqs(Pattern::RequestResponse))).concat()
        };
        assert_eq!(ask(&mut transport, 1), "succeeded 1");
        std::fs::write(&path, file(r#"{"0-9":{"Return":"two"}}"#)).expect("a file");
        assert_eq!(ask(&mut transport, 1), "succeeded 1");
        assert_eq!(ask(&mut transport, 2), "succeeded \"two\"");
        std::fs::write(&path, "{").expect("a file");
        assert_eq!(ask(&mut transport, 3), "succeeded \"two\"");
        std::fs::remove_file(path).expect("a file");
        assert_eq!(ask(&mut transport, 4), "succeeded \"two\"");
    }

    #[test]
    fn what_nobody_answers_fails_with_the_reason_and_how_to_mend_it() {
        let (path, mut transport) = transport("missing", "{}");
        std::fs::remove_file(path).expect("a file");
        let mut none = Transport::new(None, Endpoints::default(), Local::nowhere());
        let check = |transport: &mut Transport, state: &str, case: Option<&str>, says: &str| {
            let told = told(transport, &task(1, state, case, sqs(Pattern::RequestResponse))).concat();
            assert!(told.starts_with("failed States.TaskFailed: The state '"), "{told}");
            assert!(told.contains(says), "{told}");
        };
        check(&mut none, "T", None, "no service is configured to answer it; start the server with --endpoint sqs=URL");
        check(&mut none, "T", Some("c"), "start it with --mocks FILE");
        check(&mut transport, "T", None, "no service is configured to answer it");
        check(&mut transport, "T", Some("other"), "there is no test case named 'other': there are 'c'");
        check(&mut transport, "U", Some("c"), "add \"U\": \"<response>\" to StateMachines/m/TestCases/c");
        assert!(told(&mut none, &task(1, "T", None, ResourceKind::Activity)).is_empty());
    }

    #[test]
    fn services_with_an_endpoint_are_asked() {
        let mut endpoints = Endpoints::default();
        endpoints.set("lambda", "http://l:1").expect("a URL");
        endpoints.set("sqs", "http://q:2").expect("a URL");
        let mut transport = Transport::new(None, endpoints, Local::nowhere());
        let function = task(1, "T", None, ResourceKind::LambdaFunction);
        assert_eq!(told(&mut transport, &function), ["asks http://l:1 lambda.Invoke"]);
        let mocked = told(&mut transport, &task(1, "T", Some("c"), ResourceKind::LambdaFunction)).concat();
        assert!(mocked.contains("start it with --mocks FILE"), "{mocked}");
        let message = task(1, "T", None, sqs(Pattern::RequestResponse));
        assert_eq!(told(&mut transport, &message), ["asks http://q:2 sqs.SendMessage"]);
        let job = told(&mut transport, &task(1, "T", None, sqs(Pattern::Sync))).concat();
        assert!(job.contains("which can only be mocked"), "{job}");
    }
}
