//! An event source mapping: which queue's messages go to which function. One row each.

use std::sync::Arc;

use stepwell_json::{Json, Object};
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;

use crate::input::members;
use crate::names::Target;

/// Messages in a batch when nothing else was said.
const BATCH_SIZE: i64 = 10;

/// A mapping.
#[derive(Clone)]
pub(crate) struct Mapping {
    pub(crate) id: Arc<str>,
    pub(crate) function: Target,
    pub(crate) source: Arc<str>,
    /// Members of the model that were given: `BatchSize`, `FunctionResponseTypes`, …
    pub(crate) settings: Object,
    pub(crate) enabled: bool,
    pub(crate) modified: Timestamp,
    pub(crate) tags: Object,
}

impl Mapping {
    fn number(&self, name: &str) -> Option<i64> {
        self.settings.get(name).and_then(Json::as_i64)
    }

    pub(crate) fn batch_size(&self) -> i64 {
        self.number("BatchSize").unwrap_or(BATCH_SIZE)
    }

    pub(crate) fn window_seconds(&self) -> i64 {
        self.number("MaximumBatchingWindowInSeconds").unwrap_or(0)
    }

    pub(crate) fn reports_failures(&self) -> bool {
        let types = self.settings.get("FunctionResponseTypes").and_then(Json::as_array);
        types.is_some_and(|types| types.iter().any(|kind| kind.as_str() == Some("ReportBatchItemFailures")))
    }

    /// Batches at a time.
    pub(crate) fn concurrency(&self) -> usize {
        let most =
            self.settings.get("ScalingConfig").and_then(|of| of.get("MaximumConcurrency")).and_then(Json::as_i64);
        most.and_then(|most| usize::try_from(most).ok()).unwrap_or(5).clamp(1, 5)
    }

    /// The patterns of which a message must match one; none when all do.
    pub(crate) fn filters(&self) -> Vec<Json> {
        let filters = self.settings.get("FilterCriteria").and_then(|of| of.get("Filters")).and_then(Json::as_array);
        let patterns =
            filters.into_iter().flat_map(|filters| filters.iter()).filter_map(|filter| filter.get("Pattern"));
        patterns.filter_map(|pattern| Json::parse(pattern.as_str()?).ok()).collect()
    }

    /// As the API shows it, in a state of its life.
    pub(crate) fn shown(&self, state: &str) -> Json {
        let mut shown = self.settings.to_builder();
        let text = |text: &str| Json::from(text);
        let arn = self.function.key.place.arn("lambda", &format!("event-source-mapping:{}", self.id));
        for (name, value) in [
            ("UUID", text(&self.id)),
            ("EventSourceMappingArn", Json::from(arn)),
            ("EventSourceArn", text(&self.source)),
            ("FunctionArn", Json::from(self.function.to_string())),
            ("LastModified", Json::from_f64(self.modified.seconds()).unwrap_or(Json::Null)),
            ("State", text(state)),
            ("StateTransitionReason", text("USER_INITIATED")),
            ("BatchSize", Json::from(self.batch_size())),
            ("MaximumBatchingWindowInSeconds", Json::from(self.window_seconds())),
        ] {
            shown.insert(name, value);
        }
        if shown.get("FunctionResponseTypes").is_none() {
            shown.insert("FunctionResponseTypes", Json::array(Vec::new()));
        }
        Json::from(shown.build())
    }

    /// The state of a mapping that is at rest.
    pub(crate) fn state(&self) -> &'static str {
        if self.enabled { "Enabled" } else { "Disabled" }
    }

    pub(crate) fn to_json(&self) -> Json {
        let place = &self.function.key.place;
        members([
            ("account", Some(Json::string(place.account.clone()))),
            ("region", Some(Json::string(place.region.clone()))),
            ("function", Some(Json::from(self.function.to_string()))),
            ("source", Some(Json::string(self.source.clone()))),
            ("settings", Some(Json::from(self.settings.clone()))),
            ("enabled", Some(Json::from(self.enabled))),
            ("modified", Some(Json::from(self.modified.0))),
            ("tags", Some(Json::from(self.tags.clone()))),
        ])
    }

    /// Reads a row back; `None` when it is none.
    pub(crate) fn of_json(id: &str, json: &Json) -> Option<Mapping> {
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let place = Place { account: text("account")?.into(), region: text("region")?.into() };
        Some(Mapping {
            id: id.into(),
            function: Target::read(&place, text("function")?, None).ok()?,
            source: text("source")?.into(),
            settings: json.get("settings")?.as_object()?.clone(),
            enabled: json.get("enabled")?.as_bool()?,
            modified: Timestamp(json.get("modified")?.as_i64()?),
            tags: json.get("tags")?.as_object()?.clone(),
        })
    }
}
