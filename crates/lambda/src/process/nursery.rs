//! The thread that starts processes. It gave up the right to gain privileges, and what it starts inherits that.

use std::io;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Order {
    command: Command,
    begun: oneshot::Sender<io::Result<Child>>,
}

/// Starts processes, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Nursery(std::sync::mpsc::Sender<Order>);

impl Nursery {
    /// The thread lives as long as this, and reports ends of processes to the runtime.
    pub(crate) fn open(runtime: Handle) -> io::Result<Nursery> {
        let (sender, orders) = std::sync::mpsc::channel::<Order>();
        std::thread::Builder::new().name("lambda-nursery".to_owned()).spawn(move || {
            give_up_privileges();
            let _inside = runtime.enter();
            while let Ok(Order { mut command, begun }) = orders.recv() {
                // Whoever ordered it may be gone; the process is killed when it is dropped.
                let _ = begun.send(command.spawn());
            }
        })?;
        Ok(Nursery(sender))
    }

    pub(crate) async fn start(&self, command: Command) -> io::Result<Child> {
        let (begun, child) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts processes is gone");
        self.0.send(Order { command, begun }).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

/// After this no program gains rights by being started: set-user-id bits count for nothing.
fn give_up_privileges() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        tracing::warn!(%error, "functions could gain privileges");
    }
}
