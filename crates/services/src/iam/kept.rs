//! What is kept of IAM: a row for each entity, policy and access key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_json::Json;

use super::entities::{Entity, Kind, Texts};
use super::keys::AccessKey;
use super::managed::{Policy, Version};
use crate::answers::texts;
use crate::rows::{KeptError, RowReader, RowWriter};
use crate::shelf::Kept;

fn map(map: &Texts) -> Json {
    texts(map.iter().map(|(key, value)| (key.clone(), value.clone())))
}

fn list(list: &BTreeSet<Arc<str>>) -> Json {
    Json::array(list.iter().map(|text| Json::String(text.clone())).collect())
}

impl Kept for Entity {
    const TABLE: &'static str = "iam_entities";

    fn write(&self, row: RowWriter) -> RowWriter {
        row.text("kind", &self.kind.row().resource.into())
            .text("account", &self.account)
            .text("name", &self.name)
            .text("path", &self.path)
            .text("arn", &self.arn)
            .text("id", &self.id)
            .time("created", self.created)
            .json("tags", map(&self.tags))
            .json("inline", map(&self.inline))
            .json("attached", list(&self.attached))
            .text_if_any("boundary", self.boundary.as_ref())
            .text_if_any("trust", self.trust.as_ref())
            .text_if_any("description", self.description.as_ref())
            .number("max_session_seconds", self.max_session_seconds)
            .json("members", list(&self.members))
    }

    fn read(row: &RowReader<'_>) -> Result<Entity, KeptError> {
        let kind = row.text("kind")?;
        Ok(Entity {
            kind: Kind::of_resource(&kind).ok_or_else(|| row.broken(format!("there is no kind {kind}")))?,
            account: row.text("account")?,
            name: row.text("name")?,
            path: row.text("path")?,
            arn: row.text("arn")?,
            id: row.text("id")?,
            created: row.time("created")?,
            tags: row.text_map("tags")?,
            inline: row.text_map("inline")?,
            attached: row.texts("attached")?,
            boundary: row.text_if_any("boundary")?,
            trust: row.text_if_any("trust")?,
            description: row.text_if_any("description")?,
            max_session_seconds: row.number("max_session_seconds")?,
            members: row.texts("members")?,
        })
    }
}

impl Kept for Policy {
    const TABLE: &'static str = "iam_policies";

    fn write(&self, row: RowWriter) -> RowWriter {
        let versions = self.versions.iter().map(|(number, version)| {
            let version =
                [("document", Json::String(version.document.clone())), ("created", Json::from(version.created.0))];
            (number.to_string(), Json::object(version))
        });
        row.text("name", &self.name)
            .text("id", &self.id)
            .text("path", &self.path)
            .text_if_any("description", self.description.as_ref())
            .time("created", self.created)
            .time("updated", self.updated)
            .json("tags", map(&self.tags))
            .number("default_version", self.default_version)
            .number("last_version", self.last_version)
            .json("versions", Json::object(versions))
    }

    fn read(row: &RowReader<'_>) -> Result<Policy, KeptError> {
        let mut versions = BTreeMap::new();
        let kept = row.json("versions")?;
        for (number, version) in kept.as_object().into_iter().flat_map(|versions| versions.iter()) {
            let broken = || row.broken(format!("its version {number} cannot be read"));
            let number = number.parse().map_err(|_| broken())?;
            let document = version.get("document").and_then(Json::as_str).ok_or_else(broken)?.into();
            let created = version.get("created").and_then(Json::as_i64).ok_or_else(broken)?;
            versions.insert(number, Version { document, created: stepwell_spec::Timestamp(created) });
        }
        Ok(Policy {
            name: row.text("name")?,
            id: row.text("id")?,
            path: row.text("path")?,
            description: row.text_if_any("description")?,
            created: row.time("created")?,
            updated: row.time("updated")?,
            tags: row.text_map("tags")?,
            default_version: row.number("default_version")?,
            last_version: row.number("last_version")?,
            versions,
        })
    }
}

impl Kept for AccessKey {
    const TABLE: &'static str = "iam_access_keys";

    fn write(&self, row: RowWriter) -> RowWriter {
        row.text("account", &self.account)
            .text("user", &self.user)
            .flag("active", self.is_active)
            .time("created", self.created)
    }

    fn read(row: &RowReader<'_>) -> Result<AccessKey, KeptError> {
        Ok(AccessKey {
            account: row.text("account")?,
            user: row.text("user")?,
            is_active: row.flag("active")?,
            created: row.time("created")?,
        })
    }
}
