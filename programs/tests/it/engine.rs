//! A program, run by the engine: under virtual time, with the workers as its transport.

use std::sync::Arc;

use stepwell_asl::{Options, ResourceKind, Source, WorkflowId, compile};
use stepwell_engine::{Answer, Dispatch, Engine, Transport, VirtualClock, run_to_end};
use stepwell_interpreter::{Failure, Identity, Moment, Settings, Start, Status, Tokens};
use stepwell_json::Json;
use stepwell_programs::reference::{Cause, Counts, Outcome};
use stepwell_programs::{Program, worker};
use stepwell_spec::{Event, Record, Timestamp};

/// What the engine made of a program.
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) visits: Counts,
    pub(crate) attempts: Counts,
    /// Events of the execution and its children.
    pub(crate) events: usize,
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
    let (mut visits, mut attempts) = (Counts::new(), Counts::new());
    let mut events = 0;
    // Which state an attempt belongs to is told by the dispatch; the event alone does not name it.
    let mut transport = Workers { attempts: &mut attempts };
    let mut observe = |_, record: &Record| {
        events += usize::from(record.id > 0);
        if let Some(name) = entered(&record.event) {
            *visits.entry(name).or_default() += 1;
        }
    };
    let id = run_to_end(&mut engine, start, &mut transport, &mut VirtualClock::new(at), &mut observe);
    let id = id.map_err(|stopped| format!("{stopped:?}"))?;
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
    Ok(Ran { outcome, visits, attempts, events })
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

/// The state an event says was entered.
fn entered(event: &Event) -> Option<String> {
    let name = event.row().name;
    let (_, details) = name.ends_with("StateEntered").then(|| event.details(true))??;
    details.get("name").and_then(Json::as_str).map(str::to_owned)
}

/// The workers, at once.
struct Workers<'a> {
    attempts: &'a mut Counts,
}

impl Transport for Workers<'_> {
    fn run(&mut self, task: &Dispatch<'_>) -> Answer {
        let request = task.request;
        *self.attempts.entry(request.state_name.to_string()).or_default() += 1;
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
            Err(failure) => {
                Answer::Failed { error: Some(failure.error.into()), cause: Some(failure.cause.into()) }
            }
        }
    }
}
