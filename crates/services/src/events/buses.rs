//! Event buses. The default one is there without having been created.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_protocol::Place;
use stepwell_spec::{Arn, Timestamp};

use super::{Events, Outcome, invalid, is_name, misnamed, not_found, page_of, tags, time};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::services::Request;

pub(super) const DEFAULT: &str = "default";

const NAME_MAX: usize = 256;

/// An event bus.
pub(super) struct Bus {
    pub(super) name: Arc<str>,
    pub(super) description: Option<Arc<str>>,
    pub(super) created: Option<Timestamp>,
    pub(super) tags: BTreeMap<Arc<str>, Arc<str>>,
}

pub(super) fn arn_of(place: &Place, name: &str) -> String {
    place.arn("events", &format!("event-bus/{name}"))
}

/// The place and name of a bus that is named by its name or its ARN.
pub(super) fn placed(place: &Place, name_or_arn: &str) -> (Place, Arc<str>) {
    match Arn::parse(name_or_arn).filter(|arn| arn.service == "events") {
        Some(arn) => {
            let place = Place { account: arn.account.into(), region: arn.region.into() };
            (place, arn.resource.strip_prefix("event-bus/").unwrap_or(arn.resource).into())
        }
        None => (place.clone(), name_or_arn.into()),
    }
}

impl Events {
    /// Whether a bus is there.
    pub(super) fn has_bus(&self, place: &Place, name: &str) -> bool {
        name == DEFAULT || self.buses.contains(&arn_of(place, name))
    }

    /// The bus a call means: the default one unless it says another.
    pub(super) fn bus_in(&self, request: &Request<'_>, input: Input<'_>) -> Result<(Place, Arc<str>), Refusal> {
        let (place, name) = match input.text("EventBusName")? {
            Some(name) => placed(request.place, name),
            None => (request.place.clone(), DEFAULT.into()),
        };
        if self.has_bus(&place, &name) { Ok((place, name)) } else { Err(no_bus(&name)) }
    }

    pub(super) fn create_event_bus(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = input.required("Name")?;
        if !is_name(name, NAME_MAX) {
            return Err(misnamed("name", name, NAME_MAX));
        }
        if input.text("EventSourceName")?.is_some() {
            return Err(invalid("Partner event sources are not available in the local service."));
        }
        if self.has_bus(request.place, name) {
            return Err(Refusal::new("ResourceAlreadyExistsException", format!("Event bus {name} already exists.")));
        }
        let arn = arn_of(request.place, name);
        let description = input.text("Description")?.cloned();
        let bus = Bus {
            name: name.clone(),
            description: description.clone(),
            created: Some(request.now),
            tags: tags::read(input)?,
        };
        self.buses.insert(arn.as_str(), bus);
        Ok(members([("EventBusArn", Some(Json::from(arn))), ("Description", description.map(Json::String))]))
    }

    pub(super) fn describe_event_bus(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let (place, name) = match input.text("Name")? {
            Some(name) => placed(request.place, name),
            None => (request.place.clone(), DEFAULT.into()),
        };
        if !self.has_bus(&place, &name) {
            return Err(no_bus(&name));
        }
        Ok(self.shown_bus(&place, &name))
    }

    fn shown_bus(&self, place: &Place, name: &str) -> Json {
        let arn = arn_of(place, name);
        let bus = self.buses.get(&arn);
        let created = bus.and_then(|bus| bus.created);
        members([
            ("Name", Some(Json::from(name))),
            ("Arn", Some(Json::from(arn))),
            ("Description", bus.and_then(|bus| bus.description.clone()).map(Json::String)),
            ("CreationTime", created.map(time)),
            ("LastModifiedTime", created.map(time)),
        ])
    }

    pub(super) fn list_event_buses(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let prefix = input.text("NamePrefix")?.map_or("", |prefix| prefix);
        let made = self.buses.below(arn_of(request.place, "")).map(|(_, bus)| &*bus.name);
        let mut names: Vec<&str> = made.filter(|name| *name != DEFAULT).chain([DEFAULT]).collect();
        names.retain(|name| name.starts_with(prefix));
        names.sort_unstable();
        page_of("EventBuses", input, names.into_iter(), |name| Some(self.shown_bus(request.place, name)))
    }

    /// Deletes a bus without rules. One that is gone is deleted.
    pub(super) fn delete_event_bus(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let (place, name) = placed(request.place, input.required("Name")?);
        if &*name == DEFAULT {
            return Err(invalid("Cannot delete event bus default."));
        }
        if self.rules_of(&place, &name).next().is_some() {
            return Err(invalid(format!("Cannot delete event bus {name}: it has rules.")));
        }
        self.buses.remove(&arn_of(&place, &name));
        Ok(Json::empty_object())
    }
}

pub(super) fn no_bus(name: &str) -> Refusal {
    not_found(format!("Event bus {name} does not exist."))
}
