//! Tags of queues.

use stepwell_json::Json;

use super::{Done, Sqs, invalid_value};
use crate::answers::{Refusal, members, texts};
use crate::input::Input;
use crate::services::Request;
use crate::tags::TAGS_MAX;

pub(super) fn check(count: usize) -> Result<(), Refusal> {
    if count <= TAGS_MAX {
        return Ok(());
    }
    Err(invalid_value(&count.to_string(), "Tags", "A queue can have up to 50 tags."))
}

impl Sqs {
    pub(super) fn tag_queue(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let given = input.text_map("Tags")?;
        if given.is_empty() {
            return Err(Refusal::missing("Tags"));
        }
        let mut tags = self.queue(number)?.tags.clone();
        tags.extend(given.into_iter().map(|(key, value)| (key.clone(), value.clone())));
        check(tags.len())?;
        if let Some(queue) = self.queue_mut(number) {
            queue.tags = tags;
            queue.about_changed();
        }
        Ok(Done::Output(Json::empty_object()))
    }

    pub(super) fn untag_queue(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let keys = input.texts("TagKeys")?;
        if keys.is_empty() {
            return Err(Refusal::missing("TagKeys"));
        }
        if let Some(queue) = self.queue_mut(number) {
            for key in keys {
                queue.tags.remove(key);
            }
            queue.about_changed();
        }
        Ok(Done::Output(Json::empty_object()))
    }

    pub(super) fn list_queue_tags(&mut self, request: &Request<'_>, input: Input<'_>) -> Result<Done, Refusal> {
        let number = self.queue_of(request, input)?;
        let tags = &self.queue(number)?.tags;
        let tags = (!tags.is_empty()).then(|| texts(tags.iter().map(|(key, value)| (key.clone(), value.clone()))));
        Ok(Done::Output(members([("Tags", tags)])))
    }
}
