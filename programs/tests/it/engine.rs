//! A program, run by the engine: under virtual time, with the workers as its transport.

use std::sync::Arc;

use stepwell_asl::{Options, ResourceKind, Source, WorkflowId, compile};
use stepwell_engine::{Answer, Dispatch, Engine, Transport, VirtualClock, run_to_end};
use stepwell_interpreter::{Failure, Identity, Moment, Settings, Start, Status, Tokens};
use stepwell_json::Json;
use stepwell_programs::reference::{Cause, Counts, Outcome};
use stepwell_programs::{Program, worker};
use stepwell_spec::{Record, Timestamp};

use crate::history::Histories;

/// What the engine made of a program.
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) visits: Counts,
    pub(crate) attempts: Counts,
    /// Events of the execution and its children.
    pub(crate) events: u64,
    /// From the start to the end.
    pub(crate) elapsed_ms: i64,
}

/// Whether it can be run at all.
pub(crate) fn is_valid(program: &Program) -> bool {
    let compilation = compile(&Source::json(program.definition.as_str()), &Options::default());
    compilation.definition.is_some() && Json::parse(&program.input).is_ok()
}

/// Runs it. The seed draws what the engine may draw.
pub(crate) fn run(program: &Program) -> Result<Ran, String> {
    let compilation = compile(&Source::json(program.definition.as_str()), &Options::default());
    let definition = Arc::new(compilation.definition.ok_or("not valid")?);
    let input = Json::parse(&program.input).map_err(|fault| fault.to_string())?;
    let at = Moment { now: Timestamp(1_767_225_600_000), entropy: program.seed };
    let start = Start {
        definition,
        workflow: WorkflowId::ROOT,
        identity: Arc::new(identity()),
        settings: Settings::standard(),
        tokens: Tokens::default(),
        input,
        input_text: Some(program.input.as_str().into()),
    };
    let mut engine = Engine::new();
    let mut histories = Histories::default();
    let mut dispatched = Counts::new();
    let mut transport = Workers { dispatched: &mut dispatched };
    let mut observe = |id, record: &Record| histories.hear(id, record);
    let id = run_to_end(&mut engine, start, &mut transport, &mut VirtualClock::new(at), &mut observe);
    let id = id.map_err(|stopped| format!("{stopped:?}"))?;
    histories.finish();
    if let Some(fault) = histories.fault {
        return Err(format!("the history is wrong: {fault}"));
    }
    // A task that is given up in the step it was scheduled in goes nowhere.
    let scheduled = |name: &String| histories.attempts.get(name).copied().unwrap_or(0);
    if let Some((name, count)) = dispatched.iter().find(|(name, count)| **count > scheduled(name)) {
        return Err(format!(
            "the task of '{name}' was scheduled {} times, and dispatched {count} times",
            scheduled(name)
        ));
    }
    let execution = engine.execution(id).ok_or("the execution is gone")?;
    let failed = |failure: &Failure| Outcome::Failed {
        error: failure.error.as_deref().map(str::to_owned),
        cause: Cause::Is(failure.cause.as_deref().map(str::to_owned)),
    };
    let outcome = match &execution.status {
        Status::Succeeded(output) => Outcome::Succeeded(output.clone()),
        Status::Failed(failure) => failed(failure),
        Status::TimedOut(_) => Outcome::TimedOut,
        Status::Aborted(_) | Status::Running => return Err(format!("ended as {}", execution.status.name())),
    };
    let Histories { visits, attempts, events, last_ms, .. } = histories;
    Ok(Ran { outcome, visits, attempts, events, elapsed_ms: last_ms - at.now.0 })
}

fn identity() -> Identity {
    Identity {
        arn: "arn:aws:states:us-east-1:123456789012:execution:random:one".into(),
        name: "one".into(),
        role_arn: "arn:aws:iam::123456789012:role/random".into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:random".into(),
        state_machine_name: "random".into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        region: "us-east-1".into(),
    }
}

/// The workers, at once.
struct Workers<'a> {
    /// How often each state's task came here.
    dispatched: &'a mut Counts,
}

impl Transport for Workers<'_> {
    fn run(&mut self, task: &Dispatch<'_>) -> Answer {
        let request = task.request;
        *self.dispatched.entry(request.state_name.to_string()).or_default() += 1;
        let arn: &str = match &request.resource.kind {
            ResourceKind::LambdaFunction | ResourceKind::Activity => &request.resource.arn,
            ResourceKind::Integration(_) => return Answer::Refused("no worker".to_owned()),
        };
        let name = arn.rsplit(':').next().unwrap_or(arn);
        if worker::stays_silent(name) {
            return Answer::Silence;
        }
        match worker::answer(name, &request.input) {
            Ok(output) => Answer::Succeeded(output),
            Err(failure) => Answer::Failed { error: Some(failure.error.into()), cause: Some(failure.cause.into()) },
        }
    }
}
