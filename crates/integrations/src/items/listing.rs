//! What is in a bucket: the pages of a listing, one after the other.

use std::collections::VecDeque;
use std::sync::Arc;

use stepwell_interpreter::Failure;
use stepwell_items::Item;
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{AwsAnswer, AwsCall};

use super::{Step, refused, s3_call};

#[derive(Debug)]
pub(super) struct Listing {
    arguments: Json,
    entries: VecDeque<Json>,
    /// Where the next page is.
    token: Option<Json>,
    /// The key of the last entry that was given. A listing is in the order of its keys.
    after: Option<Arc<str>>,
    is_over: bool,
}

impl Listing {
    /// `place` is what [`Listing::place`] was.
    pub(super) fn new(arguments: &Json, place: Option<&Json>) -> Listing {
        let after = place.and_then(|place| place.get("After")).and_then(Json::as_str).map(Arc::from);
        Listing { arguments: arguments.clone(), entries: VecDeque::new(), token: None, after, is_over: false }
    }

    /// The next entry, as S3 lists it.
    pub(super) fn next_entry(&mut self) -> Result<Option<Json>, AwsCall> {
        match self.entries.pop_front() {
            Some(entry) => {
                self.after = entry.get("Key").and_then(Json::as_str).map(Arc::from);
                Ok(Some(entry))
            }
            None if self.is_over => Ok(None),
            None => Err(self.call()),
        }
    }

    pub(super) fn step(&mut self) -> Step {
        match self.next_entry() {
            Ok(Some(entry)) => Step::Item(Item { key: None, value: item(&entry) }),
            Ok(None) => Step::Over,
            Err(call) => Step::Asks(call),
        }
    }

    fn call(&self) -> AwsCall {
        let place = match (&self.token, &self.after) {
            (Some(token), _) => vec![("ContinuationToken", token.clone())],
            (None, Some(after)) => vec![("StartAfter", Json::String(after.clone()))],
            (None, None) => Vec::new(),
        };
        s3_call("ListObjectsV2", &self.arguments, &place)
    }

    pub(super) fn take(&mut self, answer: AwsAnswer) -> Result<(), Failure> {
        let page = answer.map_err(|fault| refused(&fault))?.output;
        let entries = page.get("Contents").and_then(Json::as_array);
        self.entries.extend(entries.into_iter().flat_map(|entries| entries.iter().cloned()));
        self.token = page.get("NextContinuationToken").filter(|token| !token.is_null()).cloned();
        self.is_over = self.token.is_none() || page.get("IsTruncated").and_then(Json::as_bool) == Some(false);
        Ok(())
    }

    /// The place behind the last entry.
    pub(super) fn place(&self) -> Json {
        Json::object([("After", self.after.clone().map_or(Json::Null, Json::String))])
    }
}

/// An entry as an item. Seen on AWS: these members under these names, the time in seconds as Java writes a fraction.
fn item(entry: &Json) -> Json {
    let mut item = ObjectBuilder::with_capacity(5);
    for (name, listed) in [
        ("Etag", "ETag"),
        ("Key", "Key"),
        ("LastModified", "LastModified"),
        ("Size", "Size"),
        ("StorageClass", "StorageClass"),
    ] {
        let Some(value) = entry.get(listed).filter(|value| !value.is_null()) else { continue };
        item.insert(name, if name == "LastModified" { fraction(value) } else { value.clone() });
    }
    Json::Object(item.build())
}

/// `1.789180622E9`
fn fraction(seconds: &Json) -> Json {
    let Some(number) = seconds.as_f64() else { return seconds.clone() };
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    Json::parse(&format!("{digits}{point}E{exponent}")).unwrap_or_else(|_| seconds.clone())
}
