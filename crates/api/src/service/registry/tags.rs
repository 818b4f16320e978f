//! Tags of state machines and activities.

use stepwell_spec::Exception;
use stepwell_spec::shapes::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput, UntagResourceInput,
    UntagResourceOutput,
};

use super::{Registry, machine_arn};
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
        let tags = self.tags_mut(place, &input.resource_arn)?;
        let mut changed = tags.clone();
        for tag in input.tags {
            match changed.iter_mut().find(|known| known.key == tag.key) {
                Some(known) => *known = tag,
                None => changed.push(tag),
            }
        }
        if changed.len() > TAGS_MAX {
            let message = format!("Too many tags: a resource has {TAGS_MAX} at most");
            return Err(Refusal::new(Exception::TooManyTags, message).about(input.resource_arn));
        }
        *tags = changed;
        Ok(TagResourceOutput {})
    }

    pub(in crate::service) fn untag_resource(
        &mut self,
        place: &Place,
        input: &UntagResourceInput,
    ) -> Result<UntagResourceOutput, Refusal> {
        let tags = self.tags_mut(place, &input.resource_arn)?;
        tags.retain(|tag| tag.key.as_ref().is_none_or(|key| !input.tag_keys.contains(key)));
        Ok(UntagResourceOutput {})
    }

    pub(in crate::service) fn list_tags_for_resource(
        &mut self,
        place: &Place,
        input: &ListTagsForResourceInput,
    ) -> Result<ListTagsForResourceOutput, Refusal> {
        let tags = self.tags_mut(place, &input.resource_arn)?.clone();
        Ok(ListTagsForResourceOutput { tags: Some(tags) })
    }

    fn tags_mut(&mut self, place: &Place, arn: &str) -> Result<&mut Vec<Tag>, Refusal> {
        let missing = || Refusal::resource_not_found(arn);
        match TaggedRef::parse(arn)? {
            TaggedRef::Machine(machine) => {
                let own = machine.account == place.account && machine.region == place.region;
                let row = self.machines.get_mut(machine_arn(&machine).as_str()).filter(|_| own);
                row.map(|row| &mut row.tags).ok_or_else(missing)
            }
            TaggedRef::Activity(activity) => {
                let own = activity.account == place.account && activity.region == place.region;
                let row = self.activities.get_mut(arn).filter(|_| own);
                row.map(|row| &mut row.tags).ok_or_else(missing)
            }
        }
    }
}
