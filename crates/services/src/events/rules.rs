//! Rules: which events of a bus go to targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_protocol::Place;

use super::targets::Target;
use super::{Events, Outcome, invalid, is_name, misnamed, not_found, page_of, tags};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::patterns::{Language, Pattern, Size};
use crate::services::Request;

const NAME_MAX: usize = 64;

/// Characters of a pattern. Source: EventBridge's API reference, PutRule.
const PATTERN_MAX: usize = 4_096;

/// Members that every event has, and TestEventPattern asks for. Source: EventBridge's API reference, TestEventPattern.
const EVENT_MEMBERS: [&str; 6] = ["id", "account", "source", "time", "region", "resources"];

/// A rule.
pub(super) struct Rule {
    pub(super) name: Arc<str>,
    pub(super) bus: Arc<str>,
    pub(super) place: Place,
    pub(super) pattern: Arc<str>,
    pub(super) description: Option<Arc<str>>,
    pub(super) role: Option<Arc<str>>,
    pub(super) is_enabled: bool,
    pub(super) tags: BTreeMap<Arc<str>, Arc<str>>,
    /// By id.
    pub(super) targets: BTreeMap<Arc<str>, Target>,
}

pub(super) fn key(place: &Place, bus: &str, name: &str) -> String {
    format!("{}/{}/{bus}/{name}", place.account, place.region)
}

impl Rule {
    pub(super) fn arn(&self) -> String {
        let bus = if &*self.bus == super::buses::DEFAULT { String::new() } else { format!("{}/", self.bus) };
        self.place.arn("events", &format!("rule/{bus}{}", self.name))
    }

    /// Whether an event is one for this rule.
    pub(super) fn takes(&self, event: &Json) -> bool {
        // It was checked when it was put.
        self.is_enabled && read_pattern(&self.pattern).is_ok_and(|pattern| pattern.matches(Some(event)))
    }

    fn shown(&self) -> Json {
        let text = |text: &Arc<str>| Json::String(text.clone());
        members([
            ("Name", Some(text(&self.name))),
            ("Arn", Some(Json::from(self.arn()))),
            ("EventPattern", Some(text(&self.pattern))),
            ("State", Some(Json::from(if self.is_enabled { "ENABLED" } else { "DISABLED" }))),
            ("Description", self.description.as_ref().map(text)),
            ("RoleArn", self.role.as_ref().map(text)),
            ("EventBusName", Some(text(&self.bus))),
        ])
    }
}

/// Reads an event pattern.
fn read_pattern(text: &str) -> Result<Pattern, Refusal> {
    let refused = |what: &str| {
        Refusal::new("InvalidEventPatternException", format!("Event pattern is not valid. Reason: {what}"))
    };
    let json = Json::parse(text).map_err(|_| refused("it is no JSON"))?;
    let object = json.as_object().filter(|object| !object.is_empty());
    let object = object.ok_or_else(|| refused("Filter is not an object"))?;
    if text.chars().count() > PATTERN_MAX {
        return Err(invalid(format!("An event pattern has at most {PATTERN_MAX} characters.")));
    }
    Pattern::read(object, Language::Events, &mut Size::default()).map_err(|what| refused(&what))
}

pub(super) fn test_event_pattern(input: Input<'_>) -> Outcome {
    let pattern = read_pattern(input.required("EventPattern")?)?;
    let event = Json::parse(input.required("Event")?).ok().filter(|event| event.as_object().is_some());
    let event = event.ok_or_else(|| invalid("Parameter Event is not valid."))?;
    let has_all = EVENT_MEMBERS.iter().all(|name| event.get(name).is_some()) && event.get("detail-type").is_some();
    if !has_all {
        return Err(invalid("Parameter Event is not valid."));
    }
    Ok(Json::object([("Result", Json::Bool(pattern.matches(Some(&event))))]))
}

impl Events {
    pub(super) fn rules_of(&self, place: &Place, bus: &str) -> impl Iterator<Item = (&Arc<str>, &Rule)> {
        self.rules.below(key(place, bus, ""))
    }

    /// The key of the rule a call names.
    pub(super) fn rule_in(&self, request: &Request<'_>, input: Input<'_>, parameter: &str) -> Result<String, Refusal> {
        let name = input.required(parameter)?;
        let (place, bus) = self.bus_in(request, input)?;
        let key = key(&place, &bus, name);
        if self.rules.contains(&key) { Ok(key) } else { Err(no_rule(name, &bus)) }
    }

    pub(super) fn put_rule(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = input.required("Name")?;
        if !is_name(name, NAME_MAX) {
            return Err(misnamed("name", name, NAME_MAX));
        }
        let (place, bus) = self.bus_in(request, input)?;
        let said = |member: &str| input.text(member).map(|text| text.filter(|text| !text.is_empty()));
        let (pattern, schedule) = (said("EventPattern")?, said("ScheduleExpression")?);
        if schedule.is_some() {
            return Err(invalid("Rules with a ScheduleExpression are not available in the local service."));
        }
        let pattern =
            pattern.ok_or_else(|| invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."))?;
        read_pattern(pattern)?;
        let is_enabled = match input.text("State")?.map(|state| &**state) {
            None | Some("ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS") => true,
            Some("DISABLED") => false,
            Some(other) => return Err(invalid(format!("A rule is ENABLED or DISABLED, not {other}."))),
        };
        let tags = tags::read(input)?;
        let key = key(&place, &bus, name);
        let old = self.rules.remove(&key);
        let (tags, targets) = old.map_or((tags, BTreeMap::new()), |old| (old.tags, old.targets));
        let rule = Rule {
            name: name.clone(),
            bus,
            place,
            pattern: pattern.clone(),
            description: input.text("Description")?.cloned(),
            role: input.text("RoleArn")?.cloned(),
            is_enabled,
            tags,
            targets,
        };
        let arn = rule.arn();
        self.rules.insert(key, rule);
        Ok(Json::object([("RuleArn", Json::from(arn))]))
    }

    pub(super) fn describe_rule(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.rule_in(request, input, "Name")?;
        let rule = self.rules.get(&key).ok_or_else(|| not_found("Rule does not exist."))?;
        let shown = rule.shown();
        let creator = Json::String(rule.place.account.clone());
        Ok(shown.as_object().map_or(Json::Null, |object| Json::Object(object.with("CreatedBy", creator))))
    }

    pub(super) fn list_rules(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let (place, bus) = self.bus_in(request, input)?;
        let prefix = input.text("NamePrefix")?.map_or("", |prefix| prefix);
        let rules = self.rules_of(&place, &bus).filter(|(_, rule)| rule.name.starts_with(prefix));
        page_of("Rules", input, rules.map(|(key, _)| &**key), |key| Some(self.rules.get(key)?.shown()))
    }

    pub(super) fn list_rule_names_by_target(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let arn = input.required("TargetArn")?;
        let (place, bus) = self.bus_in(request, input)?;
        let rules = self.rules_of(&place, &bus);
        let rules = rules.filter(|(_, rule)| rule.targets.values().any(|target| target.arn() == Some(&**arn)));
        page_of("RuleNames", input, rules.map(|(key, _)| &**key), |key| {
            Some(Json::String(self.rules.get(key)?.name.clone()))
        })
    }

    pub(super) fn enable_rule(&mut self, request: &Request<'_>, input: Input<'_>, is_enabled: bool) -> Outcome {
        let key = self.rule_in(request, input, "Name")?;
        if let Some(rule) = self.rules.get_mut(&key) {
            rule.is_enabled = is_enabled;
        }
        Ok(Json::empty_object())
    }

    /// Deletes a rule without targets. One that is gone is deleted.
    pub(super) fn delete_rule(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = input.required("Name")?;
        let (place, bus) = self.bus_in(request, input)?;
        let key = key(&place, &bus, name);
        if self.rules.get(&key).is_some_and(|rule| !rule.targets.is_empty()) {
            return Err(invalid("Rule can't be deleted since it has targets."));
        }
        self.rules.remove(&key);
        Ok(Json::empty_object())
    }
}

fn no_rule(name: &str, bus: &str) -> Refusal {
    not_found(format!("Rule {name} does not exist on EventBus {bus}."))
}
