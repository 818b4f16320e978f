//! Tags of state machines and activities.

use stepwell_spec::shapes::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput, UntagResourceInput,
    UntagResourceOutput,
};
use stepwell_spec::{Exception, Text};

use super::Registry;
use crate::arns::TaggedRef;
use crate::refusal::Refusal;
use crate::service::Place;

/// Tags a resource may have.
const TAGS_MAX: usize = 50;

impl Registry {
    /// Adds tags; of a key that is there already the value is replaced.
    pub(in crate::service) fn tag_resource(
        &mut self,
        place: &Place,
        input: TagResourceInput,
    ) -> Result<TagResourceOutput, Refusal> {
        let mut tags = self.tags(place, &input.resource_arn)?.clone();
        for tag in input.tags {
            match tags.iter_mut().find(|known| known.key == tag.key) {
                Some(known) => *known = tag,
                None => tags.push(tag),
            }
        }
        if tags.len() > TAGS_MAX {
            let message = format!("Too many tags: a resource has {TAGS_MAX} at most");
            return Err(Refusal::new(Exception::TooManyTags, message).about(input.resource_arn));
        }
        self.set_tags(&input.resource_arn, tags);
        Ok(TagResourceOutput {})
    }

    pub(in crate::service) fn untag_resource(
        &mut self,
        place: &Place,
        input: &UntagResourceInput,
    ) -> Result<UntagResourceOutput, Refusal> {
        let mut tags = self.tags(place, &input.resource_arn)?.clone();
        tags.retain(|tag| tag.key.as_ref().is_none_or(|key| !input.tag_keys.contains(key)));
        self.set_tags(&input.resource_arn, tags);
        Ok(UntagResourceOutput {})
    }

    pub(in crate::service) fn list_tags_for_resource(
        &self,
        place: &Place,
        input: &ListTagsForResourceInput,
    ) -> Result<ListTagsForResourceOutput, Refusal> {
        Ok(ListTagsForResourceOutput { tags: Some(self.tags(place, &input.resource_arn)?.clone()) })
    }

    /// The tags of a resource of the caller's.
    fn tags(&self, place: &Place, arn: &str) -> Result<&Vec<Tag>, Refusal> {
        let tags = match TaggedRef::parse(arn)? {
            TaggedRef::Machine(machine) => self.own_machine(place, &machine, arn).map(|machine| &machine.tags),
            TaggedRef::Activity(activity) => {
                let own = activity.account == place.account && activity.region == place.region;
                self.activities.get(arn).filter(|_| own).map(|activity| &activity.tags)
            }
        };
        tags.ok_or_else(|| Refusal::resource_not_found(arn))
    }

    /// Gives the resource of this ARN, of whatever kind it is, these tags.
    fn set_tags(&mut self, arn: &Text, tags: Vec<Tag>) {
        let machine = self.machines.get_mut(arn).map(|machine| (&mut machine.tags, &mut self.changed.machines));
        let activity = self.activities.get_mut(arn).map(|row| (&mut row.tags, &mut self.changed.activities));
        if let Some((known, changed)) = machine.or(activity).filter(|(known, _)| **known != tags) {
            *known = tags;
            changed.insert(arn.clone());
        }
    }
}
