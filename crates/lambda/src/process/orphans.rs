//! The end of everything a process started: its group, and what left the group but carries its mark.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::process::nursery::Held;

/// Ends a group of processes; one that is gone is.
pub(crate) fn kill_group(group: Option<u32>) {
    if let Some(group) = group.and_then(|group| Pid::from_raw(i32::try_from(group).ok()?)) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Ends what is left of a process and takes its private directory away.
pub(crate) async fn end_group(group: Option<u32>, held: Held, private: &Path) {
    kill_group(group);
    let private = private.to_path_buf();
    let swept = tokio::task::spawn_blocking(move || {
        held.end(group);
        if let Err(error) = fs::remove_dir_all(&private) {
            tracing::warn!(%error, path = %private.display(), "a private directory stays");
        }
    });
    if let Err(error) = swept.await {
        tracing::warn!(%error, "what a process left behind could not be looked for");
    }
}

/// Ends processes that a server before this one left behind when it was killed: their marks begin with this directory.
pub(crate) fn end_below(scratch: &Path) {
    end_marked(&format!("{}={}/", super::MARKER, scratch.display()));
}

/// Ends every process with an environment that has something that begins so. What hides its environment is not found.
pub(crate) fn end_marked(marker: &str) {
    let Ok(processes) = fs::read_dir("/proc") else { return };
    for process in processes.flatten() {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // Somebody else's environment cannot be read, and need not be.
        let Ok(environment) = fs::read(process.path().join("environ")) else { continue };
        let is_marked = environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(marker.as_bytes()));
        if is_marked && let Some(pid) = Pid::from_raw(id) {
            tracing::info!(id, "ends a process that a function left behind");
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
