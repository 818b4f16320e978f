//! What a queue in order remembers for five minutes, so that a message sent twice is there once.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use stepwell_spec::Timestamp;

use super::attributes::{self, SCOPE};
use super::queue::Queue;

/// How long a message's deduplication id is remembered.
pub(super) const REMEMBERED_MS: u64 = 5 * 60 * 1_000;

/// Which message an id stands for, within its scope.
pub(super) type DuplicateKey = [u8; 32];

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) message_id: Arc<str>,
    pub(super) number: u64,
    pub(super) until: Timestamp,
}

/// The id of a message by its content.
pub(super) fn content_id(body: &str) -> Arc<str> {
    super::digests::hexadecimal(&Sha256::digest(body.as_bytes())).into()
}

impl Queue {
    /// The key of an id: for all of the queue, or for a group of it.
    pub(super) fn duplicate_key(&self, id: &str, group: &str) -> DuplicateKey {
        let mut digest = Sha256::new();
        if attributes::value(&self.attributes, SCOPE) == Some("messageGroup") {
            digest.update(group.as_bytes());
        }
        digest.update([0]);
        digest.update(id.as_bytes());
        digest.finalize().into()
    }

    /// The message this one repeats.
    pub(super) fn repeated(&self, key: &DuplicateKey) -> Option<&Accepted> {
        self.accepted.get(key)
    }

    pub(super) fn remember(&mut self, key: DuplicateKey, accepted: Accepted) {
        self.accepted_until.insert((accepted.until, key));
        self.accepted.insert(key, accepted);
        self.changed.accepted.insert(key);
    }

    pub(super) fn forget_accepted(&mut self, now: Timestamp) {
        while let Some((until, key)) = self.accepted_until.first().copied().filter(|(until, _)| *until <= now) {
            self.accepted_until.remove(&(until, key));
            self.accepted.remove(&key);
            self.changed.accepted.insert(key);
        }
    }
}
