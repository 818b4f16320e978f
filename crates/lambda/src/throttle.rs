//! How many invocations run or wait at a time: of an account's place, and of each function that has some for itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_json::Json;
use stepwell_protocol::Place;

use crate::names::Key;
use crate::refusal::Refusal;

#[derive(Debug, Default)]
pub(crate) struct Throttle(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    /// Of functions without a reservation.
    places: BTreeMap<Place, u64>,
    functions: BTreeMap<Key, u64>,
}

/// A place among the invocations, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    counts: Arc<Mutex<Counts>>,
    key: Key,
    is_reserved: bool,
}

impl Throttle {
    /// A turn, unless as many run as may. `unreserved` is what functions without a reservation share.
    pub(crate) fn turn(&self, key: &Key, reserved: Option<u64>, unreserved: u64) -> Result<Turn, Refusal> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, limit, reason) = match reserved {
            Some(reserved) => (
                counts.functions.entry(key.clone()).or_default(),
                reserved,
                "ReservedFunctionConcurrentInvocationLimitExceeded",
            ),
            None => {
                (counts.places.entry(key.place.clone()).or_default(), unreserved, "ConcurrentInvocationLimitExceeded")
            }
        };
        if *count >= limit {
            return Err(Refusal::new("TooManyRequestsException", "Rate Exceeded.").with("Reason", Json::from(reason)));
        }
        *count += 1;
        Ok(Turn { counts: self.0.clone(), key: key.clone(), is_reserved: reserved.is_some() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { places, functions } = &mut *counts;
        match self.is_reserved {
            true => give_back(functions, &self.key),
            false => give_back(places, &self.key.place),
        }
    }
}

/// One less; none at all takes no room.
fn give_back<K: Ord>(counts: &mut BTreeMap<K, u64>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use stepwell_protocol::Place;

    use super::Throttle;
    use crate::names::Key;

    #[test]
    fn turns_are_given_back() {
        let place = Place { account: "123456789012".into(), region: "us-east-1".into() };
        let key = |name: &str| Key { place: place.clone(), name: name.into() };
        let throttle = Throttle::default();
        let first = throttle.turn(&key("a"), None, 2).expect("a turn");
        let _second = throttle.turn(&key("b"), None, 2).expect("a turn");
        assert_eq!(throttle.turn(&key("a"), None, 2).expect_err("full").code, "TooManyRequestsException");
        // One with a reservation is not in their way, nor they in its.
        let _own = throttle.turn(&key("c"), Some(1), 2).expect("a turn");
        assert!(throttle.turn(&key("c"), Some(1), 2).is_err());
        assert!(throttle.turn(&key("d"), Some(0), 2).is_err());
        drop(first);
        assert!(throttle.turn(&key("a"), None, 2).is_ok());
    }
}
