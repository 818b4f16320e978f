//! How often callers may call: a token bucket for each account, region and action.
//!
//! What a bucket may hold is AWS's to say, or the operator's. The buckets of callers that have been quiet for long are
//! forgotten: by then they are full again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use stepwell_api::{Place, Refusal};
use stepwell_spec::{Action, Bucket};

/// Buckets remembered in one generation. Two generations of buckets, at about 200 bytes each, are 26 MB, however many
/// accounts are named.
const GENERATION_MAX: usize = 65_536;

/// How often callers may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Throttling {
    /// Whether AWS's numbers hold.
    pub aws: bool,
    /// Actions with numbers of their own, which go before AWS's.
    pub actions: BTreeMap<Action, Bucket>,
}

impl Throttling {
    fn bucket(&self, action: Action, region: &str) -> Option<Bucket> {
        let own = self.actions.get(&action).copied();
        own.or_else(|| if self.aws { Bucket::of(action, region) } else { None })
    }

    fn is_off(&self) -> bool {
        !self.aws && self.actions.is_empty()
    }
}

/// What is left in the buckets.
#[derive(Debug)]
pub(crate) struct Throttle {
    throttling: Throttling,
    began: Instant,
    levels: Mutex<Levels>,
}

#[derive(Debug, Default)]
struct Levels {
    /// Buckets used since the generations last changed.
    young: BTreeMap<Key, Level>,
    /// Buckets used in the generation before.
    old: BTreeMap<Key, Level>,
}

type Key = (String, String, Action);

/// Tokens in millionths, so that whole numbers are exact, at a time since the throttle began.
#[derive(Clone, Copy, Debug)]
struct Level {
    micro_tokens: u64,
    at: Duration,
}

const TOKEN: u64 = 1_000_000;

impl Throttle {
    pub(crate) fn new(throttling: Throttling) -> Throttle {
        Throttle { throttling, began: Instant::now(), levels: Mutex::default() }
    }

    /// Takes a token for this call, or refuses it in AWS's words.
    pub(crate) fn admit(&self, place: &Place, action: Action) -> Result<(), Refusal> {
        if self.throttling.is_off() {
            return Ok(());
        }
        self.admit_at(place, action, self.began.elapsed())
    }

    fn admit_at(&self, place: &Place, action: Action, now: Duration) -> Result<(), Refusal> {
        let Some(bucket) = self.throttling.bucket(action, &place.region) else { return Ok(()) };
        // What is behind the lock is whole between any two statements, so a panic elsewhere spoils nothing.
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        match levels.of((place.account.clone(), place.region.clone(), action), bucket, now).take(bucket, now) {
            true => Ok(()),
            false => Err(Refusal::throttled()),
        }
    }
}

impl Levels {
    fn of(&mut self, key: Key, bucket: Bucket, now: Duration) -> &mut Level {
        let level = self.old.remove(&key);
        if self.young.len() >= GENERATION_MAX && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        let full = || Level { micro_tokens: u64::from(bucket.size) * TOKEN, at: now };
        self.young.entry(key).or_insert_with(|| level.unwrap_or_else(full))
    }
}

impl Level {
    fn take(&mut self, bucket: Bucket, now: Duration) -> bool {
        let micros = u64::try_from(now.saturating_sub(self.at).as_micros()).unwrap_or(u64::MAX);
        let refilled = micros.saturating_mul(u64::from(bucket.refill_per_second));
        self.micro_tokens = self.micro_tokens.saturating_add(refilled).min(u64::from(bucket.size) * TOKEN);
        self.at = self.at.max(now);
        let left = self.micro_tokens.checked_sub(TOKEN);
        self.micro_tokens = left.unwrap_or(self.micro_tokens);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(account: &str, region: &str) -> Place {
        Place { account: account.to_owned(), region: region.to_owned() }
    }

    /// How many of so many calls at this time are let in.
    fn admitted(throttle: &Throttle, place: &Place, action: Action, calls: usize, ms: u64) -> usize {
        let now = Duration::from_millis(ms);
        (0..calls).filter(|_| throttle.admit_at(place, action, now).is_ok()).count()
    }

    #[test]
    fn a_bucket_empties_and_refills() {
        let throttle = Throttle::new(Throttling { aws: true, ..Throttling::default() });
        let there = place("123456789012", "eu-central-1");
        let starts = |calls, ms| admitted(&throttle, &there, Action::StartExecution, calls, ms);
        assert_eq!(starts(1_000, 0), 800);
        assert_eq!(starts(10, 6), 0);
        assert_eq!(starts(10, 7), 1);
        assert_eq!(starts(1_000, 1_007), 150);
        assert_eq!(starts(2_000, 100_000_000), 800);
        let refusal = throttle.admit_at(&there, Action::StartExecution, Duration::ZERO).expect_err("empty");
        assert_eq!((refusal.name(), refusal.message()), ("ThrottlingException", Some("Rate exceeded")));
    }

    #[test]
    fn buckets_are_of_one_account_region_and_action() {
        let throttle = Throttle::new(Throttling { aws: true, ..Throttling::default() });
        let take = |account: &str, region: &str, action| admitted(&throttle, &place(account, region), action, 2_000, 0);
        assert_eq!(take("1", "us-east-1", Action::StartExecution), 1_300);
        assert_eq!(take("1", "us-east-1", Action::StartExecution), 0);
        assert_eq!(take("2", "us-east-1", Action::StartExecution), 1_300);
        assert_eq!(take("1", "eu-central-1", Action::StartExecution), 800);
        assert_eq!(take("1", "us-east-1", Action::StopExecution), 1_000);
        assert_eq!(take("1", "us-east-1", Action::StartSyncExecution), 2_000);
    }

    #[test]
    fn own_numbers_go_before_those_of_aws() {
        let own = BTreeMap::from([(Action::StartExecution, Bucket { size: 2, refill_per_second: 1 })]);
        let here = place("1", "us-east-1");
        for (aws, others) in [(true, 100), (false, 2_000)] {
            let throttle = Throttle::new(Throttling { aws, actions: own.clone() });
            assert_eq!(admitted(&throttle, &here, Action::StartExecution, 10, 0), 2);
            assert_eq!(admitted(&throttle, &here, Action::CreateActivity, 2_000, 0), others);
        }
        let off = Throttle::new(Throttling::default());
        assert!((0..10_000).all(|_| off.admit(&here, Action::CreateActivity).is_ok()));
    }

    #[test]
    fn however_many_accounts_are_named_few_are_remembered() {
        let throttle = Throttle::new(Throttling { aws: true, ..Throttling::default() });
        let victim = place("victim", "us-east-1");
        assert_eq!(admitted(&throttle, &victim, Action::CreateActivity, 100, 0), 100);
        for account in 0..GENERATION_MAX * 4 {
            throttle.admit_at(&place(&account.to_string(), "r"), Action::CreateActivity, Duration::ZERO).expect("new");
            // Whoever keeps calling is not forgotten, and so not let in again.
            if account % 10_000 == 0 {
                assert_eq!(admitted(&throttle, &victim, Action::CreateActivity, 1, 0), 0);
            }
        }
        let levels = throttle.levels.lock().expect("no panic");
        assert!(levels.young.len() <= GENERATION_MAX && levels.old.len() <= GENERATION_MAX);
    }
}
