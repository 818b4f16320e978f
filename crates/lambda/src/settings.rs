//! What a local Lambda is told, and why one could not be opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A process of a small function takes this much of the machine.
const PROCESS_BYTES: u64 = 64 * 1024 * 1024;

/// More processes than this help nobody: each has descriptors, threads and a place in the process table.
const PROCESSES_MAX: u64 = 128;

/// What a local Lambda is told.
#[derive(Clone, Debug)]
pub struct LambdaSettings {
    /// Where functions reach the services, as `AWS_ENDPOINT_URL`; none leaves the variable out.
    pub endpoint: Option<String>,
    /// The keys functions have for the services; none gives them their account for one, which only those take who ask nobody
    /// to prove it.
    pub keys: Option<FunctionKeys>,
    /// Invocations that run or wait at a time, in each account and region. AWS gives 1,000.
    pub concurrency_max: u64,
    /// Processes that live at a time. A function whose turn it is always gets one, so that functions which wait for each
    /// other cannot hold each other up.
    pub processes_max: usize,
    /// Processes that start at a time: starting is what takes the processor.
    pub starting_max: usize,
    /// How long a process without work is kept.
    pub idle: Duration,
    /// How long after the first and the second failure an asynchronous invocation is tried again.
    pub retry_delays: [Duration; 2],
    /// Whether queues are asked to wait for messages. Where their time is not that of the wall, waiting would move it.
    pub long_polls: bool,
    /// Whether functions are kept from the files in `hidden`, from writing outside of their temporary directories, and from other
    /// processes, as far as the system can.
    pub sandbox: bool,
    /// Files and directories no function may look into, beside what the local Lambda keeps itself.
    pub hidden: Vec<PathBuf>,
    /// Whether each process gets a control group where this process may make one. Without them, what functions leave behind is
    /// found by this process's taking it in.
    pub control_groups: bool,
}

/// Makes keys of an account: id, secret and token. None when it cannot have any.
#[derive(Clone)]
pub struct FunctionKeys(Arc<MakeKeys>);

/// What makes keys of an account.
type MakeKeys = dyn Fn(&str) -> Option<[String; 3]> + Send + Sync;

impl FunctionKeys {
    /// What makes them.
    pub fn new(make: impl Fn(&str) -> Option<[String; 3]> + Send + Sync + 'static) -> FunctionKeys {
        FunctionKeys(Arc::new(make))
    }

    pub(crate) fn of(&self, account: &str) -> Option<[String; 3]> {
        (self.0)(account)
    }
}

impl fmt::Debug for FunctionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionKeys").finish_non_exhaustive()
    }
}

impl Default for LambdaSettings {
    fn default() -> LambdaSettings {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let fitting = (memory_bytes().unwrap_or(4 << 30) / 2 / PROCESS_BYTES).clamp(8, PROCESSES_MAX);
        LambdaSettings {
            endpoint: None,
            keys: None,
            concurrency_max: 1000,
            processes_max: usize::try_from(fitting).unwrap_or(usize::MAX),
            starting_max: cores * 2,
            idle: Duration::from_secs(300),
            retry_delays: [Duration::from_secs(60), Duration::from_secs(120)],
            long_polls: true,
            sandbox: true,
            hidden: Vec::new(),
            control_groups: true,
        }
    }
}

/// What the machine has of memory, where it can be asked.
fn memory_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Why a local Lambda could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// A directory could not be made or read.
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file of functions could not be read.
    Ledger {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Directory { path, error } => {
                write!(f, "functions cannot be kept in {}: {error}", path.display())
            }
            OpenError::Ledger { path, reason } => {
                write!(f, "functions cannot be read from {}: {reason}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}
