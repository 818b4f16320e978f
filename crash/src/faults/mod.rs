//! The faults, each a file: what is done to the server, and what must hold all the same.

mod descriptors;
mod disk_full;
mod images;
mod kills;
mod memory;
mod poison;
mod retries;
mod sync;
mod timers;
mod waiting;

use crate::field::{Broken, Field, Outcome};

/// A fault that can be made.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Whether it mounts file systems, as only root may.
    pub(crate) mounts: bool,
    /// How often and how many in a short run; zeroes keep it out of one.
    pub(crate) smoke: (u64, u64),
    pub(crate) run: fn(&Field) -> Result<Outcome, Broken>,
}

pub(crate) const FAULTS: [Fault; 10] = [
    Fault {
        name: "kills",
        what: "kill -9 at random moments under load, --times of them",
        mounts: false,
        smoke: (15, 1),
        run: kills::run,
    },
    Fault {
        name: "images",
        what: "power lost: the file system as it is on its disk in mid-load, --times images of it",
        mounts: true,
        smoke: (2, 1),
        run: images::run,
    },
    Fault {
        name: "sync",
        what: "a sync that fails, and succeeds when it is tried again: --times, by turns in the library call and in the disk",
        mounts: false,
        smoke: (1, 1),
        run: sync::run,
    },
    Fault {
        name: "disk-full",
        what: "a disk that fills and has room again under load, --times",
        mounts: true,
        smoke: (2, 1),
        run: disk_full::run,
    },
    Fault {
        name: "memory",
        what: "a limit on memory, and --count executions with the largest inputs",
        mounts: false,
        smoke: (1, 208),
        run: memory::run,
    },
    Fault {
        name: "descriptors",
        what: "few file descriptors, and more clients than there are",
        mounts: false,
        smoke: (1, 200),
        run: descriptors::run,
    },
    Fault {
        name: "timers",
        what: "--count timers due in the same second",
        mounts: false,
        smoke: (1, 3_000),
        run: timers::run,
    },
    Fault {
        name: "retries",
        what: "--count executions that retry a task which always fails",
        mounts: false,
        smoke: (1, 200),
        run: retries::run,
    },
    Fault {
        name: "poison",
        what: "executions that make the server panic, and loops that never wait, beside healthy ones",
        mounts: false,
        smoke: (1, 4),
        run: poison::run,
    },
    Fault {
        name: "waiting",
        what: "--count executions that wait an hour: what each takes, and how soon the server is back",
        mounts: false,
        smoke: (0, 0),
        run: waiting::run,
    },
];
