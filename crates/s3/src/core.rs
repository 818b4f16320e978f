//! What all actions share: the store, the ids they draw, and whom they tell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use s3s::crypto::{Checksum as _, Sha256};
use stepwell_protocol::Peers;

use crate::events::{self, Waiting};
use crate::store::Store;

pub(crate) struct Core {
    pub(crate) store: Store,
    pub(crate) peers: Arc<dyn Peers>,
    /// When an event that was not delivered is told again.
    pub(crate) pauses: Vec<Duration>,
    seed: [u8; 32],
    requests: AtomicU64,
    /// Itself, for what goes on when a request is answered.
    own: Weak<Core>,
}

impl Core {
    pub(crate) fn new(store: Store, peers: Arc<dyn Peers>, pauses: Vec<Duration>, seed: [u8; 32]) -> Arc<Core> {
        Arc::new_cyclic(|own| Core { store, peers, pauses, seed, requests: AtomicU64::new(0), own: own.clone() })
    }

    /// Tells these events, after whoever caused them got the answer or not.
    pub(crate) fn deliver(&self, told: Vec<(u64, Waiting)>) {
        let Some(core) = self.own.upgrade().filter(|_| !told.is_empty()) else { return };
        tokio::spawn(async move {
            for (number, waiting) in told {
                events::deliver(&core, number, &waiting).await;
            }
        });
    }

    fn draw(&self, purpose: &str, number: u64) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(&self.seed);
        digest.update(purpose.as_bytes());
        digest.update(&number.to_be_bytes());
        digest.finalize()
    }

    /// The two ids of a request: `x-amz-request-id` and `x-amz-id-2`.
    pub(crate) fn request_ids(&self) -> (Arc<str>, Arc<str>) {
        let drawn = self.draw("request", self.requests.fetch_add(1, Ordering::Relaxed));
        let id: String = drawn[..8].iter().map(|byte| format!("{byte:02X}")).collect();
        (id.into(), STANDARD.encode([&drawn[..], &drawn[8..]].concat()).into())
    }

    /// The id of the version with this sequence; 32 characters.
    pub(crate) fn version_id(&self, sequence: u64) -> String {
        URL_SAFE_NO_PAD.encode(&self.draw("version", sequence)[..24]).replace('-', ".")
    }

    /// The id of an upload; 64 characters.
    pub(crate) fn upload_id(&self, number: u64) -> String {
        let drawn = self.draw("upload", number);
        URL_SAFE_NO_PAD.encode([&drawn[..], &drawn[..16]].concat()).replace('-', ".")
    }
}
