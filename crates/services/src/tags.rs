//! Tags as most services have them: a list of keys and values. What is said of too many is each service's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_json::Json;

use crate::answers::{Refusal, texts};
use crate::input::Input;

/// Tags of one resource, by key.
pub(crate) type Tags = BTreeMap<Arc<str>, Arc<str>>;

/// Tags a resource may have. Source: each service's quotas, which agree.
pub(crate) const TAGS_MAX: usize = 50;

/// The tags of a call, in its member `Tags`. Of a key that comes twice, the last.
pub(crate) fn read(input: Input<'_>) -> Result<Tags, Refusal> {
    let list = input.list("Tags")?.map(|list| list.iter()).into_iter().flatten();
    list.map(|tag| Ok((Input(tag).required("Key")?.clone(), Input(tag).required("Value")?.clone()))).collect()
}

/// The list that shows them.
pub(crate) fn listed(tags: &Tags) -> Json {
    let pair = |(key, value): (&Arc<str>, &Arc<str>)| texts([("Key", key.clone()), ("Value", value.clone())]);
    Json::array(tags.iter().map(pair).collect())
}
