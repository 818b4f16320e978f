//! What a secret is: names, versions, and the stages that say which version is meant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_protocol::Place;
use stepwell_spec::Timestamp;

use super::{INVALID, invalid};
use crate::answers::Refusal;
use crate::input::Input;
use crate::tags::{TAGS_MAX, Tags};

/// The stages that Secrets Manager moves by itself.
pub(super) const CURRENT: &str = "AWSCURRENT";
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";

/// Bytes of a value, and versions of a secret. Source: Secrets Manager quotas.
const VALUE_BYTES_MAX: usize = 65_536;
const VERSIONS_MAX: usize = 100;

/// A secret.
pub(super) struct Secret {
    pub(super) arn: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) description: Option<Arc<str>>,
    pub(super) kms_key: Option<Arc<str>>,
    pub(super) policy: Option<Arc<str>>,
    /// The service that has it, when it is a service's.
    pub(super) owner: Option<Arc<str>>,
    pub(super) tags: Tags,
    pub(super) created: Timestamp,
    pub(super) changed: Timestamp,
    /// The day it was last asked for.
    pub(super) accessed: Option<Timestamp>,
    /// When it is gone.
    pub(super) deleted: Option<Timestamp>,
    /// By id.
    pub(super) versions: BTreeMap<Arc<str>, Version>,
}

/// A version of a secret.
pub(super) struct Version {
    pub(super) value: Value,
    pub(super) created: Timestamp,
    pub(super) stages: BTreeSet<Arc<str>>,
}

/// What is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Arc<str>),
    /// Bytes, as base64.
    Binary(Arc<str>),
}

impl Value {
    /// The value of a call, when it has one.
    pub(super) fn read(input: Input<'_>) -> Result<Option<Value>, Refusal> {
        let value = match (input.text("SecretString")?, input.text("SecretBinary")?) {
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "You can't specify both a binary secret value and a string secret value in the same secret.",
                ));
            }
            (Some(text), None) => Value::Text(text.clone()),
            (None, Some(bytes)) => Value::Binary(bytes.clone()),
            (None, None) => return Ok(None),
        };
        let bytes = match &value {
            Value::Text(text) => text.len(),
            Value::Binary(bytes) => bytes.len() / 4 * 3,
        };
        if bytes > VALUE_BYTES_MAX {
            return Err(invalid(format!("A secret value has at most {VALUE_BYTES_MAX} bytes.")));
        }
        Ok(Some(value))
    }

    pub(super) fn shown(&self) -> (&'static str, Json) {
        match self {
            Value::Text(text) => ("SecretString", Json::String(text.clone())),
            Value::Binary(bytes) => ("SecretBinary", Json::String(bytes.clone())),
        }
    }
}

pub(super) fn key(place: &Place, name: &str) -> String {
    format!("{}/{}/{name}", place.account, place.region)
}

impl Secret {
    /// The version in a stage.
    pub(super) fn in_stage(&self, stage: &str) -> Option<&Arc<str>> {
        self.versions.iter().find(|(_, version)| version.stages.contains(stage)).map(|(id, _)| id)
    }

    /// Takes a stage from whichever version has it, and gives it to this one.
    pub(super) fn move_stage(&mut self, stage: &Arc<str>, to: &str) {
        let from = self.in_stage(stage).cloned();
        if from.as_deref() == Some(to) {
            return;
        }
        if let Some(version) = from.as_ref().and_then(|from| self.versions.get_mut(from)) {
            version.stages.remove(stage);
        }
        if let Some(version) = self.versions.get_mut(to) {
            version.stages.insert(stage.clone());
        }
        // What was current is previous.
        if let Some(from) = from.filter(|_| &**stage == CURRENT) {
            self.move_stage(&PREVIOUS.into(), &from);
        }
    }

    /// Adds a version in these stages.
    pub(super) fn add_version(&mut self, id: &Arc<str>, value: Value, stages: &[Arc<str>], now: Timestamp) {
        self.versions.insert(id.clone(), Version { value, created: now, stages: BTreeSet::new() });
        for stage in stages {
            self.move_stage(stage, id);
        }
        self.changed = now;
        while self.versions.len() > VERSIONS_MAX {
            let in_no_stage = self.versions.iter().filter(|(_, version)| version.stages.is_empty());
            let Some(oldest) = in_no_stage.min_by_key(|(_, version)| version.created).map(|(id, _)| id.clone()) else {
                break;
            };
            self.versions.remove(&oldest);
        }
    }

    /// Stages by version. Those in none are left out unless they are asked for.
    pub(super) fn stages(&self) -> Json {
        let staged = self.versions.iter().filter(|(_, version)| !version.stages.is_empty());
        Json::object(staged.map(|(id, version)| (id.clone(), shown_stages(version))))
    }
}

pub(super) fn shown_stages(version: &Version) -> Json {
    Json::array(version.stages.iter().map(|stage| Json::String(stage.clone())).collect())
}

pub(super) fn read_tags(input: Input<'_>) -> Result<Tags, Refusal> {
    let list = input.list("Tags")?.map(|list| list.iter()).into_iter().flatten();
    // Unlike elsewhere a tag may have no value.
    let read = |tag| {
        let value = Input(tag).text("Value")?.cloned().unwrap_or_else(|| "".into());
        Ok((Input(tag).required("Key")?.clone(), value))
    };
    let tags: Tags = list.map(read).collect::<Result<_, Refusal>>()?;
    check_tags(&tags)?;
    Ok(tags)
}

pub(super) fn check_tags(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() <= TAGS_MAX { Ok(()) } else { Err(invalid(format!("A secret has at most {TAGS_MAX} tags."))) }
}

/// Source: Secrets Manager's API reference, CreateSecret, `Name`.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let is_spelled = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/_+=.@!".contains(&byte));
    if is_spelled && (1..=512).contains(&name.len()) {
        return Ok(());
    }
    let message =
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
    Err(Refusal::new(if name.is_empty() { INVALID } else { "ValidationException" }, message))
}
