//! The local Lambda: one door for calls, one for functions that whoever starts the process names, and one for the end.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_json::Json;
use stepwell_protocol::{AwsAnswer, AwsCall, AwsOutput, Peers, Place};
use stepwell_spec::Timestamp;
use tokio::runtime::Handle;

use crate::actions::{self, Request, functions_named};
use crate::at_work::AtWork;
use crate::book::{Book, OtherRows};
use crate::clock;
use crate::code::{CodeStore, make_private};
use crate::core::Core;
use crate::elsewhere::Caller;
use crate::events::Events;
use crate::function::Code;
use crate::guess::{Fingerprints, guess};
use crate::input::Input;
use crate::invoke;
use crate::poller::Pollers;
use crate::pools::Pools;
use crate::process::{Fences, Nursery, Sandbox, Surroundings, end_below};
use crate::refusal::Refusal;
use crate::runtimes::Programs;
use crate::settings::{LambdaSettings, OpenError};
use crate::throttle::Throttle;

/// A local Lambda.
pub struct Lambda {
    core: Arc<Core>,
    /// Events that were accepted in another life, until they are gone on with.
    accepted: Mutex<OtherRows>,
}

/// Why a directory or a URL cannot be a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterError(String);

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegisterError {}

impl From<Refusal> for RegisterError {
    fn from(refusal: Refusal) -> RegisterError {
        RegisterError(refusal.message)
    }
}

impl Lambda {
    /// Opens what a directory keeps; without one nothing is kept. To be called within a runtime, which does all the work.
    pub fn open(
        directory: Option<&Path>,
        settings: LambdaSettings,
        peers: Arc<dyn Peers>,
    ) -> Result<Lambda, OpenError> {
        if let Some(directory) = directory {
            let error = |error| OpenError::Directory { path: directory.to_path_buf(), error };
            make_private(directory).map_err(error)?;
            // What a server before this one could not end any more.
            if let Ok(scratch) = directory.join("run").canonicalize() {
                end_below(&scratch);
            }
        }
        // Whoever has the file of functions has the directory.
        let (book, rows) = Book::open(directory)?;
        let code = Arc::new(CodeStore::open(directory)?);
        let here = |error| OpenError::Directory { path: code.scratch().to_path_buf(), error };
        let sandbox = Sandbox::new(&settings, code.home()).map_err(here)?;
        let fences = if settings.control_groups { Fences::open(code.scratch()) } else { Fences::default() };
        let runtime = Handle::current();
        let core = Arc::new(Core {
            pools: Pools::new(runtime.clone(), &settings),
            nursery: Nursery::new(runtime.clone(), sandbox, fences),
            surroundings: Surroundings {
                endpoint: settings.endpoint.as_deref().map(Arc::from),
                keys: settings.keys.clone(),
            },
            runtime,
            peers,
            book,
            coding: tokio::sync::Mutex::default(),
            programs: Programs::default(),
            throttle: Throttle::default(),
            events: Events::new(),
            at_work: AtWork::default(),
            pollers: Pollers::default(),
            caller: Caller::new(),
            fingerprints: Fingerprints::default(),
            settings,
            code,
        });
        Ok(Lambda { core, accepted: Mutex::new(rows) })
    }

    /// Goes on with events that were accepted and not done, and reads queues again. To be called once, when the peers answer.
    pub fn resume(&self) {
        let rows = std::mem::take(&mut *self.accepted.lock().unwrap_or_else(PoisonError::into_inner));
        for (row, json) in rows {
            if !self.core.events.resume(&self.core, &row, &json) {
                tracing::warn!(%row, "a row of functions cannot be read");
            }
        }
        self.core.pollers.refresh(&self.core);
    }

    /// Does what a call asks for. The input is in the casing of the service's model; `Payload` and `ZipFile` are base64.
    pub async fn call(&self, place: &Place, call: AwsCall, now: Timestamp) -> AwsAnswer {
        let request = Request { place, input: Input(&call.input), now };
        let answered = match actions::check(&call.action, &call.input) {
            Err(refusal) => Err(refusal),
            Ok(()) if *call.action == *"Invoke" => invoke::invoke(&self.core, request).await,
            Ok(()) => actions::perform(&self.core, &call.action, request).await.map(|output| invoke::Invoked {
                status: status_of(&call.action),
                output,
                request_id: clock::uuid().into(),
            }),
        };
        match answered {
            Ok(invoke::Invoked { status, output, request_id }) => {
                Ok(AwsOutput { output, status, request_id, headers: Vec::new() })
            }
            Err(refusal) => Err(refusal.into_error()),
        }
    }

    /// Makes a directory of this machine a function, whose files are read anew whenever they change. Runtime and entry follow
    /// from the files where none is given. It is not kept: whoever starts the process says so each time.
    pub async fn register_directory(
        &self,
        place: &Place,
        name: &str,
        directory: &Path,
        entry: Option<&str>,
    ) -> Result<(), RegisterError> {
        let path = directory.display();
        let directory = std::fs::canonicalize(directory)
            .map_err(|error| RegisterError(format!("the function {name}: {path}: {error}")))?;
        let Some(guess) = guess(&directory, entry) else {
            return Err(RegisterError(match entry {
                Some(entry) => format!(
                    "the function {name}: {path} has no file for {entry}; it would be FILE.FUNCTION of a .py, .js, .mjs or .cjs file"
                ),
                None => format!(
                    "the function {name}: {path} has none of lambda_function.py, app.py, main.py, index.js, index.mjs, bootstrap; \
                     name the function's entry as DIRECTORY:FILE.FUNCTION"
                ),
            }));
        };
        self.core.programs.of(&guess.runtime).await?;
        let code = Code::Directory(directory);
        functions_named::show(&self.core, place, name, &guess.runtime, &guess.entry, code)?;
        Ok(())
    }

    /// Makes a URL a function: each event is posted to it, and the answer's body is the result.
    pub fn register_url(&self, place: &Place, name: &str, url: &str) -> Result<(), RegisterError> {
        if !crate::elsewhere::is_url(url) {
            return Err(RegisterError(format!("the function {name}: {url} is not an http URL")));
        }
        functions_named::show(
            &self.core,
            place,
            name,
            "provided.al2023",
            "served.elsewhere",
            Code::Elsewhere(url.into()),
        )?;
        Ok(())
    }

    /// Whether a function of this name is there.
    pub fn has_function(&self, place: &Place, name: &str) -> bool {
        let target = crate::names::Target::read(place, name, None);
        target.is_ok_and(|target| self.core.book.find(&target.key).is_some())
    }

    /// How many processes of functions live.
    pub fn processes(&self) -> usize {
        self.core.pools.count()
    }

    /// Whether a function runs, or is going to, for somebody who does not wait for it.
    pub fn is_at_work(&self) -> bool {
        self.core.at_work.is_any()
    }

    /// Ends every process and everything they started, and waits until none is left.
    pub async fn shut_down(&self) {
        self.core.pollers.close();
        self.core.pools.shut_down().await;
        self.core.code.close();
    }
}

/// The status of an action that was done, as the model has it.
fn status_of(action: &str) -> u16 {
    stepwell_protocol::service("lambda")
        .and_then(|service| service.operation(action))
        .map_or(200, |operation| operation.status)
}

/// For those who have no members to tell.
impl fmt::Debug for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lambda").field("processes", &Json::from(self.processes() as u64)).finish_non_exhaustive()
    }
}
