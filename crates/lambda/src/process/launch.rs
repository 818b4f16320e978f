//! How a process is started: which program, where, with what around it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::clock;
use crate::code::make_private;
use crate::function::Version;
use crate::names::Key;
use crate::pools::Pools;
use crate::process::environment::{MARKER, Paths, Surroundings, variables};
use crate::process::nursery::Held;
use crate::process::sandbox::Ground;
use crate::process::{Message, Nursery, api, bootstraps, limits};
use crate::runtimes::Family;

/// What the processes of a pool are started with.
pub(crate) struct Launch {
    pub(crate) key: Key,
    pub(crate) version: Arc<Version>,
    pub(crate) family: Family,
    /// The interpreter, for those that need one.
    pub(crate) program: Option<PathBuf>,
    /// The function's code.
    pub(crate) task: PathBuf,
    pub(crate) scratch: PathBuf,
    pub(crate) surroundings: Surroundings,
    pub(crate) nursery: Nursery,
}

/// A process that has begun.
pub(crate) struct Begun {
    pub(crate) child: Child,
    /// What it writes, errors and all, in the order in which it does.
    pub(crate) output: Receiver,
    /// Who answers its questions.
    pub(crate) api: AbortHandle,
    pub(crate) private: PathBuf,
    /// What else ends with it.
    pub(crate) held: Held,
}

pub(crate) async fn begin(
    pools: &Pools,
    id: u64,
    launch: &Launch,
    inbox: mpsc::UnboundedSender<Message>,
) -> Result<Begun, String> {
    let text = |error: std::io::Error| error.to_string();
    // Looked for first, so that nothing is left of a process that cannot be.
    let runtime = launch.scratch.join("runtime");
    let (program, arguments) = program(launch, &runtime)?;
    bootstraps::ensure(&runtime).map_err(text)?;
    let private = launch.scratch.join(format!("process-{}", clock::hex(&clock::random::<8>())));
    let temporary = private.join("tmp");
    make_private(&temporary).map_err(text)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(text)?;
    let address = listener.local_addr().map_err(text)?.to_string();
    let paths = Paths { task: &launch.task, runtime: &runtime, private: &private, temporary: &temporary };
    let (reader, writer) = std::io::pipe().map_err(text)?;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", limits::SCRIPT, "sh"])
        .arg(limits::data_kilobytes(&launch.version).to_string())
        .arg(limits::file_blocks(&launch.version).to_string())
        .arg(program)
        .args(arguments)
        .env_clear()
        .envs(variables(&launch.surroundings, &launch.key, &launch.version, launch.family, &paths, &address))
        .current_dir(&launch.task)
        .stdin(Stdio::piped())
        .stdout(Stdio::from(writer.try_clone().map_err(text)?))
        .stderr(Stdio::from(writer))
        .process_group(0)
        .kill_on_drop(true);
    let ground = Ground { task: launch.task.clone(), runtime, temporary };
    let marker = format!("{MARKER}={}", private.display());
    let output = Receiver::from_owned_fd(reader.into()).map_err(text)?;
    let (child, held) = launch.nursery.start(command, ground, launch.version.clone(), marker).await.map_err(text)?;
    tracing::debug!(function = %launch.key.name, version = %launch.version.name, id, process = child.id(), "process started");
    let api = pools.runtime().spawn(api::serve(listener, inbox)).abort_handle();
    Ok(Begun { child, output, api, private, held })
}

fn program(launch: &Launch, runtime: &Path) -> Result<(PathBuf, Vec<String>), String> {
    let interpreter = || launch.program.clone().ok_or_else(|| "there is no interpreter".to_owned());
    let script = |name: &str| runtime.join(name).to_string_lossy().into_owned();
    match launch.family {
        Family::Python => Ok((interpreter()?, vec!["-u".to_owned(), script("bootstrap.py")])),
        Family::Node => Ok((interpreter()?, vec![script("bootstrap.mjs")])),
        Family::Provided => {
            let path = launch.task.join("bootstrap");
            match path.metadata() {
                Ok(about) if about.is_file() && about.permissions().mode() & 0o111 != 0 => Ok((path, Vec::new())),
                Ok(_) => Err("fork/exec /var/task/bootstrap: permission denied".to_owned()),
                Err(_) => Err("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned()),
            }
        }
    }
}
