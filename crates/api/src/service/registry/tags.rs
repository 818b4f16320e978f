//! Tags of state machines and activities.

use stepwell_spec::shapes::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput, UntagResourceInput,
    UntagResourceOutput,
};
use stepwell_spec::{Exception, Text, quota};

use super::Registry;
use crate::arns::TaggedRef;
use crate::refusal::Refusal;
use crate::service::Place;

impl Registry {
    /// Adds tags; of a key that is there already the value is replaced.
    pub(in crate::service) fn tag_resource(
        &mut self,
        place: &Place,
        input: TagResourceInput,
    ) -> Result<TagResourceOutput, Refusal> {
        let (arn, tags) = self.tagged(place, &input.resource_arn)?;
        let tags = with_tags(tags.to_vec(), input.tags);
        if tags.len() > quota::RESOURCE_TAGS_MAX {
            let message = format!("Too many tags: a resource has {} at most", quota::RESOURCE_TAGS_MAX);
            return Err(Refusal::new(Exception::TooManyTags, message).about(input.resource_arn));
        }
        self.set_tags(arn, tags);
        Ok(TagResourceOutput {})
    }

    pub(in crate::service) fn untag_resource(
        &mut self,
        place: &Place,
        input: &UntagResourceInput,
    ) -> Result<UntagResourceOutput, Refusal> {
        let (arn, tags) = self.tagged(place, &input.resource_arn)?;
        let mut tags = tags.to_vec();
        tags.retain(|tag| tag.key.as_ref().is_none_or(|key| !input.tag_keys.contains(key)));
        self.set_tags(arn, tags);
        Ok(UntagResourceOutput {})
    }

    pub(in crate::service) fn list_tags_for_resource(
        &self,
        place: &Place,
        input: &ListTagsForResourceInput,
    ) -> Result<ListTagsForResourceOutput, Refusal> {
        let (_, tags) = self.tagged(place, &input.resource_arn)?;
        Ok(ListTagsForResourceOutput { tags: Some(tags.to_vec()) })
    }

    /// A resource of the caller's: the ARN it is kept under, and its tags.
    fn tagged(&self, place: &Place, arn: &str) -> Result<(Text, &[Tag]), Refusal> {
        let found = match TaggedRef::parse(arn)? {
            TaggedRef::Machine(asked) => {
                self.own_machine(place, &asked).map(|machine| (machine.current.arn.clone(), &*machine.tags))
            }
            TaggedRef::Activity(asked) => self.own_activity(place, &asked).map(|row| (arn.into(), &*row.tags)),
        };
        found.ok_or_else(|| Refusal::resource_not_found(arn))
    }

    /// Gives the resource kept under this ARN, of whatever kind it is, these tags.
    fn set_tags(&mut self, arn: Text, tags: Vec<Tag>) {
        let machine = self.machines.get_mut(&arn).map(|machine| (&mut machine.tags, &mut self.changed.machines));
        let activity = self.activities.get_mut(&arn).map(|row| (&mut row.tags, &mut self.changed.activities));
        if let Some((known, changed)) = machine.or(activity).filter(|(known, _)| **known != tags) {
            *known = tags;
            changed.insert(arn);
        }
    }
}

/// The tags with these added. Keys are unique: of a key that comes again the last value counts, in the first one's place.
pub(super) fn with_tags(mut tags: Vec<Tag>, added: Vec<Tag>) -> Vec<Tag> {
    for tag in added {
        match tags.iter_mut().find(|known| known.key == tag.key) {
            Some(known) => *known = tag,
            None => tags.push(tag),
        }
    }
    tags
}
