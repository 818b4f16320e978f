//! If-Match and the like, of a request that reads and of one that writes.

use s3s::dto::{ETag, ETagCondition, Timestamp};

use crate::convert::time;
use crate::refusal::{NOT_MODIFIED, Refusal};
use crate::store::Object;

/// What a reader demands.
pub(crate) struct Demands<'a> {
    pub(crate) if_match: Option<&'a ETagCondition>,
    pub(crate) if_none_match: Option<&'a ETagCondition>,
    pub(crate) if_modified_since: Option<&'a Timestamp>,
    pub(crate) if_unmodified_since: Option<&'a Timestamp>,
}

/// Which demand does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// The client has what it asks for.
    NotModified,
    /// By the name of the condition.
    Failed(&'static str),
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag,
    }
}

impl Demands<'_> {
    /// The first demand that does not hold, in the order of RFC 9110, 13.2.2: a condition on the ETag that holds makes the
    /// one on the time idle.
    pub(crate) fn unmet(&self, object: &Object) -> Option<Unmet> {
        let modified = time(object.modified);
        match (self.if_match, self.if_unmodified_since) {
            (Some(condition), _) if !matches(condition, object) => return Some(Unmet::Failed("If-Match")),
            (None, Some(since)) if modified > *since => return Some(Unmet::Failed("If-Unmodified-Since")),
            _ => {}
        }
        match (self.if_none_match, self.if_modified_since) {
            (Some(condition), _) if matches(condition, object) => Some(Unmet::NotModified),
            (None, Some(since)) if modified <= *since => Some(Unmet::NotModified),
            _ => None,
        }
    }

    /// Refuses a reader whose demands do not hold.
    pub(crate) fn check(&self, object: &Object) -> Result<(), Refusal> {
        match self.unmet(object) {
            None => Ok(()),
            Some(Unmet::Failed(name)) => Err(Refusal::condition(name)),
            Some(Unmet::NotModified) => {
                let mut headers = http::HeaderMap::new();
                let modified = crate::convert::written(&time(object.modified), s3s::dto::TimestampFormat::HttpDate);
                for (name, text) in [("etag", Some(format!("\"{}\"", object.etag))), ("last-modified", modified)] {
                    if let Some(Ok(value)) = text.map(|text| http::HeaderValue::from_str(&text)) {
                        headers.insert(name, value);
                    }
                }
                Err(Refusal::of(NOT_MODIFIED).with_headers(headers))
            }
        }
    }
}

/// Refuses a writer whose demands on what is there do not hold.
pub(crate) fn check_write(
    key: &str,
    there: Option<&Object>,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> Result<(), Refusal> {
    let there = there.filter(|object| !object.is_marker());
    match (if_match, there) {
        (Some(_), None) => return Err(Refusal::no_such_key(key)),
        (Some(condition), Some(object)) if !matches(condition, object) => return Err(Refusal::condition("If-Match")),
        _ => {}
    }
    match (if_none_match, there) {
        (Some(condition), Some(object)) if matches(condition, object) => Err(Refusal::condition("If-None-Match")),
        _ => Ok(()),
    }
}

/// An ETag as a client says it, with or without quotes.
pub(crate) fn same_etag(said: Option<&ETag>, actual: &str) -> bool {
    said.is_some_and(|said| said.value().trim_matches('"') == actual)
}

#[cfg(test)]
mod tests {
    use s3s::dto::{ETag, ETagCondition};

    use super::{Demands, Unmet};
    use crate::convert::time;
    use crate::store::{Object, Said};

    #[test]
    fn the_tag_comes_before_the_time() {
        let object = Object {
            version: "null".to_owned(),
            sequence: 1,
            modified: 10_500,
            size: 0,
            etag: "a".to_owned(),
            body: Some(1),
            parts: 0,
            checksum: None,
            said: Said::default(),
        };
        let tag = |value: &str| ETagCondition::ETag(ETag::Strong(value.to_owned()));
        let (same, other, any) = (tag("a"), tag("b"), ETagCondition::Any);
        let (before, at) = (time(9_000), time(10_000));
        let check = |if_match, if_none_match, if_modified_since, if_unmodified_since, expected| {
            let demands = Demands { if_match, if_none_match, if_modified_since, if_unmodified_since };
            assert_eq!(demands.unmet(&object), expected);
        };
        check(Some(&same), None, None, None, None);
        check(Some(&any), None, None, None, None);
        check(Some(&other), None, None, None, Some(Unmet::Failed("If-Match")));
        check(Some(&same), None, None, Some(&before), None);
        check(None, None, None, Some(&before), Some(Unmet::Failed("If-Unmodified-Since")));
        check(None, None, None, Some(&at), None);
        check(None, Some(&same), None, None, Some(Unmet::NotModified));
        check(None, Some(&other), Some(&at), None, None);
        check(None, None, Some(&at), None, Some(Unmet::NotModified));
        check(None, None, Some(&before), None, None);
    }
}
