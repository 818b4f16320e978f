//! What all of the parts share, and what belongs to none of them.

use std::sync::Arc;

use stepwell_protocol::{Peers, Place};
use tokio::runtime::Handle;

use crate::at_work::AtWork;
use crate::book::Book;
use crate::code::CodeStore;
use crate::elsewhere::Caller;
use crate::events::Events;
use crate::function::{Code, Function};
use crate::guess::Fingerprints;
use crate::names::Key;
use crate::poller::Pollers;
use crate::pools::Pools;
use crate::process::{Nursery, Surroundings};
use crate::runtimes::Programs;
use crate::settings::LambdaSettings;
use crate::throttle::Throttle;

/// A local Lambda, as its parts see it.
pub(crate) struct Core {
    pub(crate) settings: LambdaSettings,
    pub(crate) runtime: Handle,
    pub(crate) peers: Arc<dyn Peers>,
    pub(crate) book: Book,
    pub(crate) code: Arc<CodeStore>,
    /// Held from when code is kept until a function has it, so that nobody takes it for unused in between.
    pub(crate) coding: tokio::sync::Mutex<()>,
    pub(crate) programs: Programs,
    pub(crate) nursery: Nursery,
    pub(crate) surroundings: Surroundings,
    pub(crate) pools: Pools,
    pub(crate) throttle: Throttle,
    pub(crate) events: Events,
    /// What nobody waits for, of events and of queues.
    pub(crate) at_work: AtWork,
    pub(crate) pollers: Pollers,
    pub(crate) caller: Caller,
    pub(crate) fingerprints: Fingerprints,
}

impl Core {
    /// What is reserved in a place, but for one function.
    pub(crate) fn reserved(&self, place: &Place, but: Option<&Key>) -> u64 {
        let functions = self.book.functions(place);
        functions.iter().filter(|function| Some(&function.key) != but).filter_map(|function| function.reserved).sum()
    }

    /// Ends processes and takes code away that a change made useless. The lock on code is held.
    pub(crate) fn forget_unused(&self, before: &Function, after: Option<&Function>) {
        self.pools.keep_only(&before.key, after);
        before.versions().for_each(|version| self.forget_code(&version.code));
    }

    /// Takes code away that no version has.
    pub(crate) fn forget_code(&self, code: &Code) {
        if let Code::Zip { digest, .. } = code
            && !self.book.has_code(code)
        {
            self.code.forget(digest);
        }
    }
}
