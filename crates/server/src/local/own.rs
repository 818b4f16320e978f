//! Step Functions itself, as another service of this process asks it: what an event's rule starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stepwell_api::{Call, Place as ApiPlace, Refusal, check, decode};
use stepwell_protocol::{Answering, AwsAnswer, AwsCall, AwsError, AwsOutput, Fault, Peers, Place};
use stepwell_spec::{Action, ProtocolError};
use tokio::sync::Semaphore;

use super::client_error;
use crate::clock::Clock;
use crate::shard::SideDoor;

/// Calls at a time; more wait.
const CALLS_MAX: usize = 1_024;

/// Where the ids of calls begin: those of connections never come so far, and those of tasks lie beyond.
const FIRST: u64 = 1 << 62;

/// The way to the API for services of this process.
pub(crate) struct OwnApi {
    door: SideDoor,
    clock: Clock,
    places: Arc<Semaphore>,
    next: AtomicU64,
}

impl OwnApi {
    pub(crate) fn new(door: SideDoor, clock: Clock) -> OwnApi {
        OwnApi { door, clock, places: Arc::new(Semaphore::new(CALLS_MAX)), next: AtomicU64::new(FIRST) }
    }
}

impl Peers for OwnApi {
    fn ask(&self, place: &Place, call: AwsCall) -> Answering {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let place = ApiPlace { account: place.account.to_string(), region: place.region.to_string() };
        let request_id = stepwell_interpreter::Chance::new(self.clock.moment()).uuid();
        let (door, places) = (self.door.clone(), self.places.clone());
        Box::pin(async move {
            let refused = |refusal: Refusal| {
                let message = refusal.message().unwrap_or_default();
                let fault = if refusal.status() < 500 { Fault::Client } else { Fault::Server };
                let error = client_error(refusal.name(), message, &request_id);
                AwsError { status: refusal.status(), fault, ..error }
            };
            let answer: Result<_, Refusal> = async {
                let unknown = || Refusal::silent(ProtocolError::UnknownOperationException);
                let action = Action::of(&call.action).ok_or_else(unknown)?;
                let request = decode(action, call.input.to_string().as_bytes())?;
                check(&request)?;
                let gone = || Refusal::silent(ProtocolError::ServiceUnavailableException);
                // The semaphore is never closed.
                let in_line = places.acquire_owned().await.map_err(|_| gone())?;
                door.call(Call { id, place, request }, in_line).await.unwrap_or_else(|| Err(gone()))
            }
            .await;
            let answer: AwsAnswer = match answer {
                Ok(response) => Ok(AwsOutput {
                    output: response.to_json(),
                    status: 200,
                    request_id: request_id.as_str().into(),
                    headers: Vec::new(),
                }),
                Err(refusal) => Err(refused(refusal)),
            };
            answer
        })
    }
}
