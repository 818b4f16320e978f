//! A panic planted in executions of certain names: only in builds with the feature `poison`, which tests turn on.
//!
//! | name begins with | panics |
//! |---|---|
//! | `poison-start` | when it starts |
//! | `poison-timer` | when one of its timers fires |
//! | `poison-twice` | the first two times a timer fires in this process |
//! | `poison-answer` | when a task of it is answered |
//! | `poison-load` | whenever it comes into memory from its log |

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use stepwell_interpreter::Command;

/// How often each `poison-twice` has panicked.
static BITES: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

pub(crate) fn at_start(name: &str) {
    bite(name, "poison-start");
}

pub(crate) fn at_load(name: &str) {
    bite(name, "poison-load");
}

pub(crate) fn at_command(name: &str, command: &Command) {
    match command {
        Command::TimerFired(_) => {
            bite(name, "poison-timer");
            if name.starts_with("poison-twice") {
                let mut bites = BITES.lock().unwrap_or_else(PoisonError::into_inner);
                let count = bites.entry(name.to_owned()).or_default();
                *count += 1;
                assert!(*count > 2, "{name} is poison, for the {count}. time");
            }
        }
        Command::TaskSucceeded { .. } | Command::TaskFailed { .. } => bite(name, "poison-answer"),
        _ => {}
    }
}

fn bite(name: &str, prefix: &str) {
    assert!(!name.starts_with(prefix), "{name} is poison");
}
