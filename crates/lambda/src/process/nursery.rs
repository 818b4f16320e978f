//! Starts processes, each on a thread of its own that puts itself behind the walls first, and sees to it that nothing a process
//! starts outlives it.

use std::io;
use std::sync::Arc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::function::Version;
use crate::process::fence::{Fence, Fences};
use crate::process::sandbox::{Ground, Sandbox};
use crate::process::strays::Strays;
use crate::process::{limits, orphans};

/// Where processes of functions come from.
#[derive(Clone, Debug)]
pub(crate) struct Nursery {
    runtime: Handle,
    sandbox: Sandbox,
    fences: Fences,
    strays: Strays,
}

/// What holds a process together with what it started.
#[derive(Debug)]
pub(crate) struct Held {
    fence: Fence,
    strays: Strays,
    /// What its environment has, and that of what it starts.
    marker: String,
}

impl Nursery {
    /// Reports ends of processes to the runtime.
    pub(crate) fn new(runtime: Handle, sandbox: Sandbox, fences: Fences) -> Nursery {
        let strays = if fences.hold() { Strays::default() } else { Strays::take_in() };
        Nursery { runtime, sandbox, fences, strays }
    }

    /// Starts a process that waits for the end of its input before it becomes its program, and lets it.
    pub(crate) async fn start(
        &self,
        mut command: Command,
        ground: Ground,
        version: Arc<Version>,
        marker: String,
    ) -> io::Result<(Child, Held)> {
        let (begun, child) = oneshot::channel();
        let (runtime, sandbox, strays) = (self.runtime.clone(), self.sandbox.clone(), self.strays);
        let mark = marker.clone();
        let start = move || {
            let _inside = runtime.enter();
            let started = sandbox.enter(&ground).and_then(|()| strays.except(mark, || command.spawn()));
            // Whoever ordered it may be gone; the process is killed when it is dropped.
            let _ = begun.send(started);
        };
        std::thread::Builder::new().name("lambda-start".to_owned()).spawn(start)?;
        let gone = |_| io::Error::other("the thread that starts a process is gone");
        let mut child = child.await.map_err(gone)??;
        // Not on the thread that started it, which may not do this any more; it can take milliseconds.
        let (fences, process, gate) = (self.fences.clone(), child.id(), child.stdin.take());
        let hold = move || {
            let fence = fences.make(&version);
            if let Some(process) = process {
                fence.take(process);
                if !fence.has_bound() {
                    limits::bound_processes(process);
                }
            }
            drop(gate);
            fence
        };
        let fence = tokio::task::spawn_blocking(hold).await.map_err(io::Error::other)?;
        Ok((child, Held { fence, strays: self.strays, marker }))
    }
}

impl Held {
    /// Ends everything that a process which is gone left behind. Waits for it.
    pub(crate) fn end(self, process: Option<u32>) {
        self.fence.end();
        orphans::end_marked(&self.marker);
        self.strays.end_those_of(process);
    }
}
