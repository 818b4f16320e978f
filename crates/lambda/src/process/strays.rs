//! What lost its parent and was left to this process: daemons of functions, where no control group holds them.
//!
//! This process takes in every descendant whose parent is gone, so none gets out of its sight. One that still carries the mark of a
//! process that lives may go on; one whose process is gone, or who hides its mark, is ended.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::process::Child;

/// How often new ones are looked for: each that is ended may leave its own.
const ROUNDS: u32 = 100;

/// Processes that were started here on purpose, and their marks. One list for all that this process runs: the system leaves strays to
/// it as a whole.
static OWN: Mutex<BTreeMap<u32, String>> = Mutex::new(BTreeMap::new());

/// Whether strays are taken in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strays {
    are_taken_in: bool,
}

/// What the system tells of a process.
struct About {
    is_dead: bool,
    group: i32,
    /// How many walls are around it.
    walls: u64,
}

impl Strays {
    /// Takes strays in from now on.
    pub(crate) fn take_in() -> Strays {
        #[cfg(target_os = "linux")]
        match rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
            Ok(()) => return Strays { are_taken_in: true },
            Err(error) => tracing::warn!(%error, "what functions leave behind may not be found"),
        }
        Strays::default()
    }

    /// Starts a process that is none, with a mark of its own.
    pub(crate) fn except(self, mark: String, start: impl FnOnce() -> io::Result<Child>) -> io::Result<Child> {
        // Held until it is written down, for whoever looks for strays in between.
        let mut own = own();
        let child = start()?;
        if let Some(process) = child.id() {
            own.insert(process, mark);
        }
        Ok(child)
    }

    /// A process is gone, and was waited for. Ends what it left behind.
    pub(crate) fn end_those_of(self, process: Option<u32>) {
        if let Some(process) = process {
            own().remove(&process);
        }
        if self.are_taken_in && (0..ROUNDS).all(|_| end_some()) {
            tracing::warn!("processes that functions left behind do not end");
        }
    }
}

fn own() -> MutexGuard<'static, BTreeMap<u32, String>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the strays that are there now. Whether there were any.
fn end_some() -> bool {
    let children = children_of(std::process::id());
    // After the children, so that each of them that was started on purpose is known.
    let own = own().clone();
    let Some(here) = about(std::process::id()) else { return false };
    let mut found = false;
    for child in children.into_iter().filter(|child| !own.contains_key(child)) {
        let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw) else { continue };
        let Some(there) = about(child) else { continue };
        if there.is_dead && there.group != here.group {
            // Somebody who waits for it would be its parent.
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        } else if there.walls > here.walls && !has_mark_of(child, &own) {
            tracing::info!(id = child, "ends a process that a function left behind");
            let _ = kill_process(pid, Signal::KILL);
            let _ = waitpid(Some(pid), WaitOptions::empty());
            found = true;
        }
    }
    found
}

fn has_mark_of(process: u32, own: &BTreeMap<u32, String>) -> bool {
    let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| own.values().any(|mark| variable == mark.as_bytes()))
}

/// The children of a process, whichever of its threads started them.
pub(crate) fn children_of(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let children = threads.map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    children.flat_map(|line| line.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

fn about(process: u32) -> Option<About> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let told = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    // Behind the name, which can be anything: state, parent, group.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let is_dead = fields.next()? == "Z";
    let group = fields.nth(1)?.parse().ok()?;
    Some(About { is_dead, group, walls: told("NoNewPrivs:") + told("Seccomp_filters:") })
}
