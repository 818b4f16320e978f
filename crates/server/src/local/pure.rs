//! The way to the services that live on the shard's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stepwell_json::Json;
use stepwell_protocol::{Answering, AwsCall, AwsError, Fault, Peers, Place};
use stepwell_services::Asker;

use crate::shard::{LocalCall, SideDoor};

/// Services that are pure: a thread has them, and calls cross to it.
pub(crate) struct Pure {
    door: SideDoor,
    /// Calls so far; names the next one.
    calls: Arc<AtomicU64>,
}

impl Pure {
    pub(crate) fn new(door: SideDoor) -> Pure {
        Pure { door, calls: Arc::default() }
    }
}

impl Pure {
    /// Asks as a client, or as another service of this process.
    pub(crate) fn ask_as(&self, asker: Asker, place: &Place, call: AwsCall) -> Answering {
        let id = self.calls.fetch_add(1, Ordering::Relaxed);
        let (door, place) = (self.door.clone(), place.clone());
        Box::pin(async move { door.ask(LocalCall { id, asker, place, call }).await.unwrap_or_else(|| Err(gone())) })
    }
}

impl Peers for Pure {
    fn ask(&self, place: &Place, call: AwsCall) -> Answering {
        self.ask_as(Asker::Client, place, call)
    }
}

/// The thread has ended: the server is about to.
fn gone() -> AwsError {
    AwsError {
        code: "ServiceUnavailable".into(),
        message: Some("The service is ending.".into()),
        status: 503,
        fault: Fault::Server,
        request_id: "".into(),
        members: Json::empty_object(),
    }
}
