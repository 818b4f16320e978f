//! Tags of roles, users, instance profiles and policies.

use stepwell_json::Json;

use super::entities::{Kind, Texts};
use super::{Iam, Outcome, invalid};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;
use crate::tags::{self, TAGS_MAX};

pub(super) fn read(input: Input<'_>) -> Result<Texts, Refusal> {
    let list = input.list("Tags")?.map(|list| list.iter()).into_iter().flatten();
    let mut tags = Texts::new();
    for tag in list {
        let (key, value) = (Input(tag).required("Key")?, Input(tag).required("Value")?);
        if tags.insert(key.clone(), value.clone()).is_some() {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Refusal::new("InvalidInputException", message));
        }
    }
    check(&tags)?;
    Ok(tags)
}

fn check(tags: &Texts) -> Result<(), Refusal> {
    if tags.keys().any(|key| key.is_empty() || key.chars().count() > 128) {
        return Err(invalid("A tag's key has from 1 to 128 characters."));
    }
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    let message = format!("The number of tags has reached the maximum limit of {TAGS_MAX}.");
    Err(Refusal::new("LimitExceededException", message).with_status(409))
}

pub(super) fn shown(tags: &Texts) -> Json {
    tags::listed(tags)
}

/// Adds the tags of a call to those that are there.
pub(super) fn add(tags: &mut Texts, input: Input<'_>) -> Outcome {
    let mut all = tags.clone();
    all.extend(read(input)?);
    check(&all)?;
    *tags = all;
    Ok(Json::empty_object())
}

/// Takes away the tags a call names.
pub(super) fn remove(tags: &mut Texts, input: Input<'_>) -> Outcome {
    for key in input.texts("TagKeys")? {
        tags.remove(key);
    }
    Ok(Json::empty_object())
}

/// All tags at once: there are never more than a page has room for.
pub(super) fn list(tags: &Texts) -> Outcome {
    Ok(Json::object([("Tags", shown(tags)), ("IsTruncated", Json::Bool(false))]))
}

impl Iam {
    pub(super) fn tag(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        add(&mut self.found_mut(kind, request, input)?.tags, input)
    }

    pub(super) fn untag(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        remove(&mut self.found_mut(kind, request, input)?.tags, input)
    }

    pub(super) fn list_tags(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        list(&self.found(kind, request, input)?.tags)
    }
}
