//! What answers tasks: for now the mock file alone.
//!
//! An execution keeps the answers its test case had when it first asked; the file is read again when it has changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stepwell_api::ServiceTask;
use stepwell_asl::ResourceKind;
use stepwell_engine::{Answer, Dispatch, ExecutionId, Transport as _};
use stepwell_interpreter::Command;
use stepwell_spec::error::TASK_FAILED;

use crate::mocks::{MockFile, Mocks};

/// Executions whose mocks are remembered. Older ones start to count their attempts anew, which nobody will see: by then
/// as many younger ones have asked.
const CASES_MAX: usize = 10_000;

/// Answers tasks at once.
#[derive(Debug)]
pub(crate) struct Transport {
    source: Option<Source>,
    cases: BTreeMap<ExecutionId, Mocks>,
}

/// A mock file and when it was last read.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    seen: Option<Stamp>,
    file: MockFile,
}

/// Changes when a file does.
type Stamp = (SystemTime, u64);

impl Transport {
    /// Reads the mock file, if there is one. Refuses one that cannot be used.
    pub(crate) fn open(mocks: Option<&Path>) -> Result<Transport, String> {
        let source = mocks.map(Source::open).transpose()?;
        Ok(Transport { source, cases: BTreeMap::new() })
    }

    /// Does a task's work: what its execution is to be told, in order. Nothing, when a worker will answer.
    pub(crate) fn run(&mut self, task: &ServiceTask) -> Vec<Command> {
        let key = task.request.key;
        let is_activity = matches!(task.request.resource.kind, ResourceKind::Activity);
        let answer = match &task.test_case {
            Some(case) => self.run_mock(task, case),
            None if is_activity => Answer::Silence,
            None => Answer::Refused("no service is configured to answer it".to_owned()),
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
            Answer::Silence => {}
            Answer::Refused(reason) => {
                let request = &task.request;
                let cause = format!(
                    "The state '{}' calls {}, which cannot be done: {reason}",
                    request.state_name, request.resource.arn
                );
                let (error, cause) = (Some(TASK_FAILED.into()), Some(cause.into()));
                commands.push(Command::TaskFailed { task: key, error, cause });
            }
        }
        commands
    }

    fn run_mock(&mut self, task: &ServiceTask, case: &str) -> Answer {
        if !self.cases.contains_key(&task.execution) {
            let mocks = match &mut self.source {
                Some(source) => source.current().case(&[task.identity.state_machine_name.to_string()], case),
                None => Err(format!(
                    "its execution was started with the test case '{case}', and the server has no mock file: start it \
                     with --mocks FILE"
                )),
            };
            match mocks {
                Ok(mocks) => self.cases.insert(task.execution, mocks),
                Err(reason) => return Answer::Refused(reason),
            };
            if self.cases.len() > CASES_MAX {
                self.cases.pop_first();
            }
        }
        let dispatch = Dispatch { execution: &task.identity, request: &task.request };
        match self.cases.get_mut(&task.execution) {
            Some(mocks) => mocks.run(&dispatch),
            None => Answer::Refused("its mocks are gone".to_owned()),
        }
    }
}

impl Source {
    fn open(path: &Path) -> Result<Source, String> {
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
