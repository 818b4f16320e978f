//! What a process may take of the machine, and how much it takes.
//!
//! A shell sets the limits before it becomes the program, so that not one instruction of a function runs without them, and
//! without code between fork and exec in this process.

use std::fs;

#[cfg(target_os = "linux")]
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::function::Version;
use crate::process::fence::PROCESSES_MAX;
use crate::process::strays::children_of;

/// Sets what is handed to it as limits, waits for the end of its input and becomes the rest: until then it can be put where it
/// belongs. A system that lacks one of the limits goes without it.
pub(crate) const SCRIPT: &str =
    "ulimit -c 0; ulimit -n 1024; ulimit -d \"$1\"; ulimit -f \"$2\"; shift 2; read -r _; exec \"$@\" </dev/null";

const MEGABYTE: u64 = 1024 * 1024;

/// What a runtime has for itself beyond the function's memory: interpreters map far more than they use.
const RUNTIME_BYTES: u64 = 1024 * MEGABYTE;

/// What a process may have in memory beyond what its function was given. On AWS the runtime counts as well, but there it
/// shares its libraries with nobody; 64 MB is what node alone takes.
const RESIDENT_SLACK_BYTES: u64 = 64 * MEGABYTE;

/// Processes and threads of the same user that may come while a process lives: all functions share them.
#[cfg(target_os = "linux")]
const TASKS_BESIDE: u64 = 2 * PROCESSES_MAX;

/// Kilobytes of memory that may be written to: the wall behind which no single allocation goes.
pub(crate) fn data_kilobytes(version: &Version) -> u64 {
    (version.memory_megabytes() * MEGABYTE + RUNTIME_BYTES) / 1024
}

/// Half kilobytes of one file.
pub(crate) fn file_blocks(version: &Version) -> u64 {
    let size = version.settings.get("EphemeralStorage").and_then(|of| of.get("Size")).and_then(|size| size.as_i64());
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(512) * MEGABYTE / 512
}

/// What a process and its children may have in memory.
pub(crate) fn resident_bytes_max(version: &Version) -> u64 {
    version.memory_megabytes() * MEGABYTE + RESIDENT_SLACK_BYTES
}

/// What a process and its descendants have of the machine.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) bytes: u64,
    pub(crate) processes: u64,
}

/// What a process and its descendants have now, counted no further than to more processes than there may be; nothing where the
/// system does not tell. What descendants share with files is left out, for most of them share it with their parent.
pub(crate) fn taken(process: u32) -> Taken {
    let mut taken = Taken { bytes: kilobytes(process, "VmRSS:") * 1024, processes: 1 };
    let mut known = children_of(process);
    while let Some(process) = known.pop()
        && taken.processes <= PROCESSES_MAX
    {
        taken.processes += 1;
        taken.bytes += kilobytes(process, "RssAnon:") * 1024;
        known.extend(children_of(process));
    }
    taken
}

/// Bounds how many processes the server's user may have, as seen from this one: what there is now, and room beside it. Where
/// control groups count them, or for root, whom the kernel does not bound, this is not needed or not there.
pub(crate) fn bound_processes(process: u32) {
    #[cfg(target_os = "linux")]
    if let (Some(tasks), Some(pid)) = (tasks(), i32::try_from(process).ok().and_then(Pid::from_raw)) {
        let now = getrlimit(Resource::Nproc);
        let bound = now.maximum.unwrap_or(u64::MAX).min(tasks + TASKS_BESIDE);
        // One that ended meanwhile needs none.
        let _ = prlimit(Some(pid), Resource::Nproc, Rlimit { current: Some(bound), maximum: Some(bound) });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = process;
}

/// How many processes and threads the machine has.
#[cfg(target_os = "linux")]
fn tasks() -> Option<u64> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    load.split(' ').nth(3)?.split_once('/')?.1.parse().ok()
}

/// The most a process ever had in memory.
pub(crate) fn peak_bytes(process: u32) -> u64 {
    kilobytes(process, "VmHWM:") * 1024
}

fn kilobytes(process: u32, which: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
}
