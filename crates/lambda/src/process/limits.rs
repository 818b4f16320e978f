//! What a process may take of the machine, and how much it takes.
//!
//! A shell sets the limits before it becomes the program, so that not one instruction of a function runs without them, and
//! without code between fork and exec in this process.

use std::fs;

use crate::function::Version;

/// Sets what is handed to it as limits and becomes the rest. A system that lacks one of them goes without it.
pub(crate) const SCRIPT: &str = "ulimit -c 0; ulimit -n 1024; ulimit -d \"$1\"; ulimit -f \"$2\"; shift 2; exec \"$@\"";

const MEGABYTE: u64 = 1024 * 1024;

/// What a runtime has for itself beyond the function's memory: interpreters map far more than they use.
const RUNTIME_BYTES: u64 = 1024 * MEGABYTE;

/// What a process may have in memory beyond what its function was given. On AWS the runtime counts as well, but there it
/// shares its libraries with nobody; 64 MB is what node alone takes.
const RESIDENT_SLACK_BYTES: u64 = 64 * MEGABYTE;

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

/// What a process and its children have in memory now; nothing where the system does not tell.
pub(crate) fn resident_bytes(process: u32) -> u64 {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    std::iter::once(process).chain(children).map(|process| kilobytes(process, "VmRSS:") * 1024).sum()
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
