//! Tags of topics.

use std::sync::Arc;

use stepwell_json::Json;

use super::topics::Topic;
use super::{Outcome, Sns};
use crate::answers::Refusal;
use crate::input::Input;
use crate::tags::{self, TAGS_MAX, Tags};

/// The tags of a call.
pub(super) fn read(input: Input<'_>) -> Result<Tags, Refusal> {
    let tags = tags::read(input)?;
    check(&tags)?;
    Ok(tags)
}

fn check(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    Err(Refusal::new("TagLimitExceededException", "Could not complete request: tag quota of per resource exceeded"))
}

impl Sns {
    fn tagged(&self, input: Input<'_>) -> Result<&Topic, Refusal> {
        let arn = input.required("ResourceArn")?;
        let none = || Refusal::new("ResourceNotFoundException", "Resource does not exist").with_status(404);
        self.topics.get(arn).ok_or_else(none)
    }

    pub(super) fn tag_resource(&mut self, input: Input<'_>) -> Outcome {
        let topic = self.tagged(input)?;
        let mut tags = topic.tags.clone();
        tags.extend(read(input)?);
        check(&tags)?;
        self.set_tags(topic.arn.clone(), tags);
        Ok(Json::empty_object())
    }

    pub(super) fn untag_resource(&mut self, input: Input<'_>) -> Outcome {
        let topic = self.tagged(input)?;
        let mut tags = topic.tags.clone();
        for key in input.texts("TagKeys")? {
            tags.remove(key);
        }
        self.set_tags(topic.arn.clone(), tags);
        Ok(Json::empty_object())
    }

    fn set_tags(&mut self, arn: Arc<str>, tags: Tags) {
        if let Some(topic) = self.topic_mut(&arn) {
            topic.tags = tags;
        }
    }

    pub(super) fn list_tags_for_resource(&mut self, input: Input<'_>) -> Outcome {
        Ok(Json::object([("Tags", tags::listed(&self.tagged(input)?.tags))]))
    }
}
