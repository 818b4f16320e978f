//! Tags of log groups, by the older actions that name a group and the newer that name an ARN.

use std::sync::Arc;

use stepwell_json::Json;

use super::{Logs, Outcome, no_group};
use crate::answers::{Refusal, texts};
use crate::input::Input;
use crate::services::Request;
use crate::tags::{TAGS_MAX, Tags};

pub(super) fn read(input: Input<'_>) -> Result<Tags, Refusal> {
    let tags: Tags = input.text_map("tags")?.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    check(&tags)?;
    Ok(tags)
}

fn check(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    Err(Refusal::new("TooManyTagsException", format!("A resource has at most {TAGS_MAX} tags.")))
}

impl Logs {
    fn tagged(&self, input: Input<'_>) -> Result<Arc<str>, Refusal> {
        let arn = input.required("resourceArn")?.trim_end_matches(":*");
        if self.groups.contains(arn) { Ok(arn.into()) } else { Err(no_group()) }
    }

    fn add_tags(&mut self, group: &str, input: Input<'_>) -> Outcome {
        let mut tags = self.groups.get(group).ok_or_else(no_group)?.tags.clone();
        tags.extend(read(input)?);
        check(&tags)?;
        self.groups.get_mut(group).ok_or_else(no_group)?.tags = tags;
        Ok(Json::empty_object())
    }

    fn remove_tags(&mut self, group: &str, keys: &[&Arc<str>]) -> Outcome {
        self.groups.get_mut(group).ok_or_else(no_group)?.tags.retain(|key, _| !keys.contains(&key));
        Ok(Json::empty_object())
    }

    fn show_tags(&self, group: &str) -> Outcome {
        let tags = &self.groups.get(group).ok_or_else(no_group)?.tags;
        Ok(Json::object([("tags", texts(tags.iter().map(|(key, value)| (key.clone(), value.clone()))))]))
    }

    pub(super) fn tag_resource(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        self.add_tags(&self.tagged(input)?, input)
    }

    pub(super) fn untag_resource(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        self.remove_tags(&self.tagged(input)?, &input.texts("tagKeys")?)
    }

    pub(super) fn list_tags_for_resource(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        self.show_tags(&self.tagged(input)?)
    }

    pub(super) fn tag_log_group(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        self.add_tags(&self.group_of(request, input)?, input)
    }

    pub(super) fn untag_log_group(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        self.remove_tags(&self.group_of(request, input)?, &input.texts("tags")?)
    }

    pub(super) fn list_tags_log_group(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        self.show_tags(&self.group_of(request, input)?)
    }
}
