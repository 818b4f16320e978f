//! Client request tokens: a transaction that comes again within ten minutes is answered, not done again.
//!
//! Kept in memory: after a restart a repeated transaction is done again.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Timestamp;

/// Source: TransactWriteItems, "ClientRequestToken".
const REMEMBERED_MS: i64 = 10 * 60 * 1000;

/// An action and a token: one token may be used for each action.
type Key = (&'static str, Arc<str>);

/// What a token says of a call.
pub(crate) enum Known {
    /// It has not been used.
    New,
    /// It was used for the same: this was the answer.
    Done(Json),
    /// It was used for something else.
    Mismatch,
}

/// Tokens of a database.
#[derive(Default)]
pub(crate) struct Tokens {
    /// What was asked, as a digest, and the answer.
    used: BTreeMap<Key, (u64, Json)>,
    /// When each was used, the oldest first.
    order: VecDeque<(Timestamp, Key)>,
}

impl Tokens {
    /// Looks a call up by its token. `asked` is what must be the same.
    pub(crate) fn find(&mut self, action: &'static str, token: &Arc<str>, asked: &Json, now: Timestamp) -> Known {
        while let Some((at, key)) = self.order.front()
            && now.0.saturating_sub(at.0) >= REMEMBERED_MS
        {
            self.used.remove(key);
            self.order.pop_front();
        }
        match self.used.get(&(action, token.clone())) {
            None => Known::New,
            Some((digest, answered)) if *digest == digest_of(asked) => Known::Done(answered.clone()),
            Some(_) => Known::Mismatch,
        }
    }

    /// Remembers an answer.
    pub(crate) fn keep(
        &mut self,
        action: &'static str,
        token: &Arc<str>,
        asked: &Json,
        answered: Json,
        now: Timestamp,
    ) {
        let key = (action, token.clone());
        self.used.insert(key.clone(), (digest_of(asked), answered));
        self.order.push_back((now, key));
    }
}

/// The same for equal trees, whatever the order of their members.
fn digest_of(value: &Json) -> u64 {
    let mut hasher = DefaultHasher::new();
    feed(value, &mut hasher);
    hasher.finish()
}

fn feed(value: &Json, hasher: &mut DefaultHasher) {
    match value {
        Json::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            members.len().hash(hasher);
            for (name, value) in members {
                name.hash(hasher);
                feed(value, hasher);
            }
        }
        Json::Array(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| feed(item, hasher));
        }
        scalar => scalar.to_string().hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stepwell_json::Json;
    use stepwell_spec::Timestamp;

    use super::{Known, Tokens};

    #[test]
    fn a_token_means_one_thing_for_ten_minutes() {
        let mut tokens = Tokens::default();
        let token: Arc<str> = "t".into();
        let asked = Json::parse(r#"[{"a":{"S":"x"},"b":1}]"#).expect("JSON");
        let turned = Json::parse(r#"[{"b":1,"a":{"S":"x"}}]"#).expect("JSON");
        let other = Json::parse(r#"[{"b":1,"a":{"S":"y"}}]"#).expect("JSON");
        tokens.keep("TransactWriteItems", &token, &asked, Json::from(7), Timestamp(0));
        let mut find = |action, asked: &Json, now| match tokens.find(action, &token, asked, Timestamp(now)) {
            Known::New => "new",
            Known::Done(answered) if answered == Json::from(7) => "done",
            Known::Done(_) => "another answer",
            Known::Mismatch => "mismatch",
        };
        assert_eq!(find("TransactWriteItems", &turned, 599_999), "done");
        assert_eq!(find("TransactWriteItems", &other, 599_999), "mismatch");
        assert_eq!(find("ExecuteTransaction", &asked, 599_999), "new");
        assert_eq!(find("TransactWriteItems", &other, 600_000), "new");
    }
}
