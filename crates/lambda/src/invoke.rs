//! Invocations: which version, whether there is room, and who runs it.

use std::sync::Arc;

use hyper::body::Bytes;
use stepwell_json::Json;
use stepwell_protocol::{blob_bytes, blob_text};
use tokio::sync::oneshot;

use crate::actions::Request;
use crate::clock;
use crate::core::Core;
use crate::elsewhere;
use crate::function::{Code, Function, Version};
use crate::input::members;
use crate::names::{LATEST, Target};
use crate::process::{Invocation, Launch, Outcome, PoolId};
use crate::refusal::Refusal;
use crate::runtimes;

/// An event of a call that waits for the answer.
const EVENT_BYTES_MAX: usize = 6_291_456;

/// An event of a call that does not wait.
const QUEUED_BYTES_MAX: usize = 1_048_576;

/// What of the log an answer shows.
const LOG_BYTES: usize = 4_096;

/// What is told of a call, beside its status.
pub(crate) struct Invoked {
    pub(crate) status: u16,
    pub(crate) output: Json,
    pub(crate) request_id: Arc<str>,
}

/// One event for a function.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) target: Target,
    pub(crate) request_id: Arc<str>,
    pub(crate) event: Bytes,
    pub(crate) client_context: Option<Arc<str>>,
}

/// What came of running one.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) version: Arc<str>,
    pub(crate) outcome: Outcome,
}

/// `Invoke`, of all three types.
pub(crate) async fn invoke(core: &Arc<Core>, request: Request<'_>) -> Result<Invoked, Refusal> {
    let input = request.input;
    let target = request.target()?;
    let kind = input.text("InvocationType")?.map_or("RequestResponse", |kind| kind);
    if input.text("DurableExecutionName")?.is_some() {
        return Err(Refusal::not_here("A durable execution (DurableExecutionName)"));
    }
    let event = match input.text("Payload")? {
        Some(payload) => blob_bytes(payload).ok_or_else(|| Refusal::invalid("Payload is not base64."))?,
        None => Vec::new(),
    };
    let too_large = |limit: usize| {
        let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        Refusal::new("RequestTooLargeException", message)
    };
    if event.len() > EVENT_BYTES_MAX {
        return Err(too_large(EVENT_BYTES_MAX));
    }
    let event = checked(event)?;
    let client_context = match input.text("ClientContext")? {
        Some(text) => Some(client_context(text)?),
        None => None,
    };
    let request_id: Arc<str> = clock::uuid().into();
    let function = core.book.function(&target)?;
    let call = Call { target, request_id: request_id.clone(), event: event.into(), client_context };
    let told = |status, output| Ok(Invoked { status, output, request_id });
    match kind {
        "RequestResponse" => {
            let ran = run(core, &call).await?;
            let wants_log = input.text("LogType")?.is_some_and(|kind| **kind == *"Tail");
            let tail = &ran.outcome.log_tail;
            let log = wants_log.then(|| Json::from(blob_text(&tail[tail.len().saturating_sub(LOG_BYTES)..])));
            let output = members([
                ("StatusCode", Some(Json::from(200))),
                ("FunctionError", ran.outcome.is_error.then(|| Json::from("Unhandled"))),
                ("LogResult", log),
                ("Payload", Some(Json::from(blob_text(&ran.outcome.payload)))),
                ("ExecutedVersion", Some(Json::from(ran.version))),
            ]);
            told(200, output)
        }
        "Event" => {
            if call.event.len() > QUEUED_BYTES_MAX {
                let (bytes, limit) = (call.event.len(), QUEUED_BYTES_MAX);
                return Err(Refusal::new(
                    "RequestTooLargeException",
                    format!("{bytes} byte payload is too large for the Event invocation type (limit {limit} bytes)"),
                ));
            }
            chosen(&function, &call.target)?;
            core.events.accept(core, call).await?;
            told(202, members([("StatusCode", Some(Json::from(202)))]))
        }
        "DryRun" => {
            chosen(&function, &call.target)?;
            told(204, members([("StatusCode", Some(Json::from(204)))]))
        }
        other => Err(Refusal::constraint(
            "invocationType",
            &format!("'{other}'"),
            "must satisfy enum value set: [Event, RequestResponse, DryRun]",
        )),
    }
}

/// The event, when it is JSON; nothing is an empty object.
fn checked(event: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    if event.is_empty() {
        return Ok(b"{}".to_vec());
    }
    let says = |reason: String| {
        Refusal::new(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: Could not parse payload into json: {reason}"),
        )
    };
    let text = str::from_utf8(&event).map_err(|error| says(error.to_string()))?;
    Json::parse(text).map_err(|error| says(error.to_string()))?;
    Ok(event)
}

/// The context of the client, which comes as base64 and goes on as JSON.
fn client_context(text: &str) -> Result<Arc<str>, Refusal> {
    let decoded = blob_bytes(text).and_then(|bytes| String::from_utf8(bytes).ok());
    let parsed = decoded.as_deref().and_then(|text| Json::parse(text).ok());
    let said =
        || Refusal::new("InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.");
    // Written anew, so that no line of it ends the header it travels in.
    let text = parsed.filter(|json| json.as_object().is_some()).ok_or_else(said)?.to_string();
    Ok(text.chars().flat_map(ascii).collect::<String>().into())
}

fn ascii(letter: char) -> Vec<char> {
    if letter.is_ascii() {
        return vec![letter];
    }
    let mut units = [0; 2];
    letter
        .encode_utf16(&mut units)
        .iter()
        .flat_map(|unit| format!("\\u{unit:04x}").chars().collect::<Vec<_>>())
        .collect()
}

/// The version an invocation is for; an alias with two draws one of them.
fn chosen(function: &Function, target: &Target) -> Result<Arc<Version>, Refusal> {
    let qualifier = target.qualifier.as_deref().unwrap_or(LATEST);
    let name = match function.alias(qualifier) {
        None => qualifier,
        Some(alias) => {
            let drawn = clock::fraction();
            let other =
                alias.weights.iter().next().filter(|(_, weight)| weight.as_f64().is_some_and(|weight| drawn < weight));
            other.map_or(&*alias.version, |(name, _)| name)
        }
    };
    function.version(name).cloned().ok_or_else(|| Refusal::function_not_found(&target.to_string()))
}

/// Runs an event and waits for what comes of it.
pub(crate) async fn run(core: &Arc<Core>, call: &Call) -> Result<Ran, Refusal> {
    let function = core.book.function(&call.target)?;
    let version = chosen(&function, &call.target)?;
    let unreserved = core.settings.concurrency_max.saturating_sub(core.reserved(&function.key.place, None));
    let _turn = core.throttle.turn(&function.key, function.reserved, unreserved)?;
    let outcome = match &version.code {
        Code::Elsewhere(url) => elsewhere::ask(core, url, &version, call).await,
        Code::Zip { .. } | Code::Directory(_) => on_process(core, &function, &version, call).await?,
    };
    Ok(Ran { version: version.name.clone(), outcome })
}

async fn on_process(
    core: &Arc<Core>,
    function: &Function,
    version: &Arc<Version>,
    call: &Call,
) -> Result<Outcome, Refusal> {
    let mut id = PoolId {
        key: function.key.clone(),
        version: version.name.clone(),
        revision: version.revision.clone(),
        generation: 0,
    };
    if let Code::Directory(path) = &version.code {
        id.generation = core.fingerprints.generation(path).await;
        // Processes that saw the directory otherwise finish what they do, and no more.
        core.pools.retire(|other| {
            other.generation != id.generation
                && (&other.key, &other.version, &other.revision) == (&id.key, &id.version, &id.revision)
        });
    }
    let launch = match core.pools.launch_of(&id) {
        Some(launch) => launch,
        None => launch(core, function, version).await?,
    };
    let (answer, outcome) = oneshot::channel();
    let invocation = Invocation {
        request_id: call.request_id.clone(),
        event: call.event.clone(),
        function_arn: call.target.to_string().into(),
        client_context: call.client_context.clone(),
        answer,
    };
    core.pools.invoke(id, || launch, invocation);
    outcome.await.map_err(|_| Refusal::broken("The invocation was lost with its process."))
}

/// What a process of a version is started with.
async fn launch(core: &Arc<Core>, function: &Function, version: &Arc<Version>) -> Result<Arc<Launch>, Refusal> {
    let task = match &version.code {
        Code::Directory(path) => path.clone(),
        Code::Zip { digest, .. } => core.code.tree(digest).await.map_err(|fault| {
            tracing::error!(function = %function.key.name, %fault, "code cannot be unpacked");
            Refusal::new("InvalidZipFileException", "Lambda could not unzip the deployment package.")
        })?,
        Code::Elsewhere(_) => {
            return Err(Refusal::broken("There is nothing to start for a function served elsewhere."));
        }
    };
    Ok(Arc::new(Launch {
        key: function.key.clone(),
        version: version.clone(),
        family: runtimes::family(version.runtime())?,
        program: core.programs.of(version.runtime()).await?,
        task,
        scratch: core.code.scratch().to_path_buf(),
        surroundings: core.surroundings.clone(),
        nursery: core.nursery.clone(),
    }))
}
