//! Bodies somebody is reading: deleted or replaced meanwhile, their bytes stay until the reader is done.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::Kept;

#[derive(Debug, Default)]
pub(super) struct Holds(BTreeMap<u64, Held>);

#[derive(Debug, Default)]
struct Held {
    readers: usize,
    condemned: bool,
}

impl Holds {
    pub(super) fn take(&mut self, bodies: &[u64]) {
        for body in bodies {
            self.0.entry(*body).or_default().readers += 1;
        }
    }

    /// Whether somebody reads this body, and will remove it.
    pub(super) fn condemn(&mut self, body: u64) -> bool {
        self.0.get_mut(&body).map(|held| held.condemned = true).is_some()
    }

    /// Whether the last reader left a body that is condemned.
    fn release(&mut self, body: u64) -> bool {
        let Some(held) = self.0.get_mut(&body) else { return false };
        held.readers -= 1;
        if held.readers > 0 {
            return false;
        }
        let condemned = held.condemned;
        self.0.remove(&body);
        condemned
    }
}

/// Keeps the bytes of bodies there.
pub(crate) struct Hold {
    kept: Arc<Kept>,
    bodies: Vec<u64>,
}

impl Hold {
    pub(super) fn new(kept: Arc<Kept>, bodies: Vec<u64>) -> Hold {
        Hold { kept, bodies }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holds = self.kept.holds.lock().unwrap_or_else(PoisonError::into_inner);
        for body in &self.bodies {
            if holds.release(*body) {
                self.kept.remove(*body);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Holds;

    #[test]
    fn the_last_reader_removes() {
        let mut holds = Holds::default();
        holds.take(&[1, 2]);
        holds.take(&[1]);
        assert!(holds.condemn(1));
        assert!(!holds.condemn(3), "nobody reads it");
        assert!(!holds.release(1), "somebody still does");
        assert!(holds.release(1));
        assert!(!holds.release(2), "it is not condemned");
        assert!(!holds.condemn(1), "nobody reads it any more");
    }
}
