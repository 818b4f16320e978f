//! Starts processes, each on a thread of its own that puts itself behind the walls first, and sees to it that nothing a process
//! starts outlives it.

use std::io;

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
        version: &Version,
        marker: String,
    ) -> io::Result<(Child, Held)> {
        let held = Held { fence: self.fences.make(version), strays: self.strays, marker: marker.clone() };
        let (begun, child) = oneshot::channel();
        let (runtime, sandbox, strays) = (self.runtime.clone(), self.sandbox.clone(), self.strays);
        let start = move || {
            let _inside = runtime.enter();
            let started = sandbox.enter(&ground).and_then(|()| strays.except(marker, || command.spawn()));
            // Whoever ordered it may be gone; the process is killed when it is dropped.
            let _ = begun.send(started);
        };
        let started = match std::thread::Builder::new().name("lambda-start".to_owned()).spawn(start) {
            Ok(_) => child.await.unwrap_or_else(|_| Err(io::Error::other("the thread that starts a process is gone"))),
            Err(error) => Err(error),
        };
        match started {
            Ok(mut child) => {
                let gate = child.stdin.take();
                if let Some(process) = child.id() {
                    held.fence.take(process);
                    if !self.fences.bound(&held.fence) {
                        limits::bound_processes(process);
                    }
                }
                drop(gate);
                Ok((child, held))
            }
            Err(error) => {
                held.fence.end();
                Err(error)
            }
        }
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
