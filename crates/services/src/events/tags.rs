//! Tags of rules and buses.

use stepwell_json::Json;
use stepwell_protocol::Place;
use stepwell_spec::Arn;

use super::buses::{self, Bus, DEFAULT};
use super::{Events, Outcome, invalid, not_found, rules};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;
use crate::tags::{self, TAGS_MAX, Tags};

pub(super) fn read(input: Input<'_>) -> Result<Tags, Refusal> {
    let tags = tags::read(input)?;
    check(&tags)?;
    Ok(tags)
}

fn check(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() <= TAGS_MAX { Ok(()) } else { Err(invalid(format!("A resource has at most {TAGS_MAX} tags."))) }
}

impl Events {
    fn tags_mut(&mut self, input: Input<'_>) -> Result<&mut Tags, Refusal> {
        let text = input.required("ResourceARN")?;
        let arn = Arn::parse(text).filter(|arn| arn.service == "events");
        let arn = arn.ok_or_else(|| {
            invalid(format!("Parameter {text} is not valid. Reason: Provided Arn is not in correct format."))
        })?;
        let place = Place { account: arn.account.into(), region: arn.region.into() };
        let missing = || not_found(format!("{text} does not exist."));
        if let Some(rule) = arn.resource.strip_prefix("rule/") {
            let (bus, name) = rule.split_once('/').unwrap_or((DEFAULT, rule));
            return Ok(&mut self.rules.get_mut(&rules::key(&place, bus, name)).ok_or_else(missing)?.tags);
        }
        let name = arn.resource.strip_prefix("event-bus/").ok_or_else(missing)?;
        if !self.has_bus(&place, name) {
            return Err(missing());
        }
        let key = buses::arn_of(&place, name);
        if !self.buses.contains(&key) {
            let bus = Bus { name: DEFAULT.into(), description: None, created: None, tags: Tags::new() };
            self.buses.insert(key.as_str(), bus);
        }
        Ok(&mut self.buses.get_mut(&key).ok_or_else(missing)?.tags)
    }

    pub(super) fn tag_resource(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        let tags = self.tags_mut(input)?;
        let mut all = tags.clone();
        all.extend(read(input)?);
        check(&all)?;
        *tags = all;
        Ok(Json::empty_object())
    }

    pub(super) fn untag_resource(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        let keys = input.texts("TagKeys")?;
        self.tags_mut(input)?.retain(|key, _| !keys.contains(&key));
        Ok(Json::empty_object())
    }

    pub(super) fn list_tags_for_resource(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        Ok(Json::object([("Tags", tags::listed(self.tags_mut(input)?))]))
    }
}
