//! `stepwell run`: one execution of a workflow from a file.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use stepwell_asl::{Definition, Options, WorkflowId, compile};
use stepwell_engine::{Clock, Engine, ExecutionId, Stopped, Transport, VirtualClock, run_to_end};
use stepwell_interpreter::{Chance, Execution, Failure, Identity, Moment, Settings, Start, Status, Tokens};
use stepwell_json::Json;
use stepwell_server::{MockFile, Mocks};
use stepwell_spec::error::EXCEED_TOLERATED_FAILURE_THRESHOLD;
use stepwell_spec::{Event, Record, Timestamp};

use crate::Unusable;
use crate::args::{Format, MachineType, RunArgs, Time};
use crate::eval::this_moment;
use crate::files::{read_definition, read_json, read_text};
use crate::live::Live;
use crate::report;

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Unusable> {
    let definition = Arc::new(load(args)?);
    let input = read_json(&args.input, "--input")?;
    let names = machine_names(&args.file);
    let mocks = match &args.mocks {
        Some(given) => read_mocks(given, &names, &definition)?,
        None => Mocks::default(),
    };
    let mut transport = transport(args, mocks)?;
    let at = this_moment(args.seed);
    let mut clock: Box<dyn Clock> = match args.time {
        Time::Skip => Box::new(VirtualClock::new(at)),
        Time::Real => Box::new(RealClock::new(at)),
    };
    let interrupted = catch_ctrl_c()?;
    let mut clock = InterruptibleClock { inner: clock.as_mut(), interrupted };
    let start = Start {
        definition: definition.clone(),
        workflow: WorkflowId::ROOT,
        identity: Arc::new(identity(&names[0], args.machine_type, at)),
        settings: settings(args.machine_type),
        tokens: Tokens::default(),
        input: input.value,
        input_text: Some(input.text.trim().into()),
    };

    let mut engine = Engine::new();
    let mut live = Live::new(&definition);
    let mut history: Vec<Record> = Vec::new();
    let mut own = None;
    let mut first_failed_child = None;
    // The children of a Map Run have histories of their own.
    let mut observe = |id: ExecutionId, record: &Record| {
        if *own.get_or_insert(id) != id {
            if first_failed_child.is_none() {
                first_failed_child = child_fault(&record.event);
            }
            return;
        }
        live.show(record);
        if args.history && record.id > 0 {
            history.push(record.clone());
        }
    };
    let outcome = run_to_end(&mut engine, start, &mut *transport, &mut clock, &mut observe);
    if args.history {
        print_json(&history_json(&history));
    }
    match outcome {
        Ok(id) => {
            let Some(execution) = engine.execution(id) else { return Ok(ExitCode::FAILURE) };
            live.finish(execution);
            Ok(conclude(execution, args.history, first_failed_child.as_deref()))
        }
        Err(Stopped::Refused(state, reason)) => {
            Err(Unusable(format!("the Task state '{state}' cannot be run: {reason}")))
        }
        Err(Stopped::Stuck(states)) => {
            Err(Unusable(format!("the execution waits for an answer nobody will give: {}", states.join(", "))))
        }
        Err(Stopped::Interrupted) => {
            eprintln!("stepwell: interrupted; the execution was not finished");
            Ok(ExitCode::from(130))
        }
    }
}

/// The type as the validator names it.
pub(crate) fn asl_machine_type(machine_type: MachineType) -> stepwell_asl::MachineType {
    match machine_type {
        MachineType::Standard => stepwell_asl::MachineType::Standard,
        MachineType::Express => stepwell_asl::MachineType::Express,
    }
}

fn load(args: &RunArgs) -> Result<Definition, Unusable> {
    let file = read_definition(&args.file)?;
    let options = Options { machine_type: asl_machine_type(args.machine_type) };
    let compilation = compile(&file.source, &options);
    match compilation.definition {
        Some(definition) => Ok(definition),
        None => {
            report::print(&file, &compilation.diagnostics, Format::Human);
            let errors = report::count_errors(&compilation.diagnostics);
            let plural = if errors == 1 { "" } else { "s" };
            Err(Unusable(format!("{} has {errors} error{plural} and cannot be run", file.name)))
        }
    }
}

/// Reads the mocks of `FILE` or `FILE#CASE`.
fn read_mocks(given: &str, machine_names: &[String], definition: &Definition) -> Result<Mocks, Unusable> {
    let (file, case) = match given.rsplit_once('#') {
        Some((file, case)) => (file, Some(case)),
        None => (given, None),
    };
    let text = read_text(Path::new(file))?;
    let mocks = MockFile::parse(file, &text).and_then(|file| file.clear_case(machine_names, case)).map_err(Unusable)?;
    mocks.check(definition).map_err(Unusable)?;
    Ok(mocks)
}

/// What the state machine may be called: the file's name without its endings, then its folder's.
fn machine_names(file: &Path) -> Vec<String> {
    let file_name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = file_name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("workflow").to_owned();
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = absolute.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    std::iter::once(stem).chain(folder).collect()
}

fn identity(machine_name: &str, machine_type: MachineType, at: Moment) -> Identity {
    let (region, account) = (region(), account());
    let name = Chance::new(at).uuid();
    let arn = match machine_type {
        MachineType::Standard => format!("arn:aws:states:{region}:{account}:execution:{machine_name}:{name}"),
        MachineType::Express => {
            let run = Chance::new(Moment { entropy: at.entropy.rotate_left(32), ..at }).uuid();
            format!("arn:aws:states:{region}:{account}:express:{machine_name}:{name}:{run}")
        }
    };
    Identity {
        arn: arn.into(),
        name: name.into(),
        role_arn: format!("arn:aws:iam::{account}:role/stepwell").into(),
        state_machine_arn: format!("arn:aws:states:{region}:{account}:stateMachine:{machine_name}").into(),
        state_machine_name: machine_name.into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        region: region.into(),
    }
}

/// What answers the tasks: the functions that are named, and the mocks.
#[cfg(feature = "lambda")]
fn transport(args: &RunArgs, mocks: Mocks) -> Result<Box<dyn Transport>, Unusable> {
    if args.function.is_empty() {
        return Ok(Box::new(mocks));
    }
    match stepwell_server::RealFunctions::open(
        &args.function,
        &account(),
        &region(),
        mocks,
        args.function_sandbox.is_on(),
    ) {
        Ok(functions) => Ok(Box::new(functions)),
        Err(fault) => Err(Unusable(fault.to_string())),
    }
}

/// What answers the tasks: the mocks.
#[cfg(not(feature = "lambda"))]
fn transport(_: &RunArgs, mocks: Mocks) -> Result<Box<dyn Transport>, Unusable> {
    Ok(Box::new(mocks))
}

fn region() -> String {
    let region = std::env::var("AWS_REGION").or_else(|_| std::env::var("AWS_DEFAULT_REGION"));
    region.unwrap_or_else(|_| "us-east-1".to_owned())
}

/// The access key id when that is twelve digits, as on the server.
fn account() -> String {
    let key = std::env::var("AWS_ACCESS_KEY_ID").unwrap_or_default();
    if key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit()) { key } else { "000000000000".to_owned() }
}

fn settings(machine_type: MachineType) -> Settings {
    match machine_type {
        MachineType::Standard => Settings::standard(),
        MachineType::Express => Settings::express(),
    }
}

/// Why a child of a Map Run failed, when this event says that it did.
fn child_fault(event: &Event) -> Option<String> {
    if let Event::ExecutionFailed(failed) = event {
        return Some(fault("FAILED", failed.error.as_deref(), failed.cause.as_deref()));
    }
    if let Event::ExecutionTimedOut(failed) = event {
        return Some(fault("TIMED_OUT", failed.error.as_deref(), failed.cause.as_deref()));
    }
    None
}

/// `STATUS error: cause`, as far as there is one.
fn fault(status: &str, error: Option<&str>, cause: Option<&str>) -> String {
    let parts = [error, cause].into_iter().flatten().filter(|part| !part.is_empty());
    format!("{status} {}", parts.collect::<Vec<_>>().join(": ")).trim_end().to_owned()
}

fn conclude(execution: &Execution, history: bool, first_failed_child: Option<&str>) -> ExitCode {
    match &execution.status {
        Status::Succeeded(output) => {
            if !history {
                print_json(output);
            }
            ExitCode::SUCCESS
        }
        Status::Failed(failure) | Status::TimedOut(failure) | Status::Aborted(failure) => {
            let Failure { error, cause, .. } = failure;
            eprintln!("{}", fault(execution.status.name(), error.as_deref(), cause.as_deref()));
            if error.as_deref() == Some(EXCEED_TOLERATED_FAILURE_THRESHOLD)
                && let Some(child) = first_failed_child
            {
                eprintln!("the first child execution to fail: {child}");
            }
            ExitCode::FAILURE
        }
        Status::Running => ExitCode::FAILURE,
    }
}

/// People get it indented, programs compact.
fn print_json(value: &Json) {
    if std::io::stdout().is_terminal() { println!("{value:#}") } else { println!("{value}") }
}

fn history_json(history: &[Record]) -> Json {
    let events = history.iter().map(|record| record.to_history(true)).collect();
    Json::object([("events", Json::array(events))])
}

fn catch_ctrl_c() -> Result<Receiver<()>, Unusable> {
    let (sender, receiver) = std::sync::mpsc::channel();
    ctrlc::set_handler(move || {
        // The receiver is gone only when the run is over anyway.
        let _ = sender.send(());
    })
    .map_err(|fault| Unusable(format!("cannot listen for Ctrl-C: {fault}")))?;
    Ok(receiver)
}

/// How long work is waited for before Ctrl-C is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The wall clock.
struct RealClock {
    chance: Chance,
}

impl RealClock {
    fn new(at: Moment) -> RealClock {
        RealClock { chance: Chance::new(at) }
    }
}

impl Clock for RealClock {
    fn moment(&mut self) -> Moment {
        Moment { entropy: self.chance.draw(), ..this_moment(Some(0)) }
    }

    fn wait_until(&mut self, _: Timestamp) -> bool {
        true
    }

    fn patience(&mut self, due: Option<Timestamp>) -> Option<Duration> {
        let left_ms = due.map_or(u64::MAX, |due| u64::try_from(due.0 - self.moment().now.0).unwrap_or(0));
        Some(Duration::from_millis(left_ms).min(LOOK_AGAIN))
    }

    fn yielded(&mut self) -> bool {
        true
    }
}

/// Any clock, until Ctrl-C.
struct InterruptibleClock<'a> {
    inner: &'a mut dyn Clock,
    interrupted: Receiver<()>,
}

impl Clock for InterruptibleClock<'_> {
    fn moment(&mut self) -> Moment {
        self.inner.moment()
    }

    fn wait_until(&mut self, time: Timestamp) -> bool {
        if !self.inner.wait_until(time) {
            return false;
        }
        // A virtual clock has arrived by now; the wall clock has this long to go.
        let left_ms = u64::try_from(time.0 - self.inner.moment().now.0).unwrap_or(0);
        match self.interrupted.recv_timeout(Duration::from_millis(left_ms)) {
            Ok(()) => false,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => true,
        }
    }

    fn patience(&mut self, due: Option<Timestamp>) -> Option<Duration> {
        self.interrupted.try_recv().is_err().then(|| self.inner.patience(due)).flatten()
    }

    fn yielded(&mut self) -> bool {
        self.interrupted.try_recv().is_err() && self.inner.yielded()
    }
}
