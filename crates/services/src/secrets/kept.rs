//! What is kept of Secrets Manager: a row for each secret, with its versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Timestamp;

use super::secret::{Secret, Value, Version};
use crate::answers::texts;
use crate::rows::{KeptError, RowReader, RowWriter};
use crate::shelf::Kept;

impl Kept for Secret {
    const TABLE: &'static str = "secrets";

    fn write(&self, row: RowWriter) -> RowWriter {
        let versions = self.versions.iter().map(|(id, version)| {
            let stages = version.stages.iter().map(|stage| Json::String(stage.clone())).collect();
            let members =
                [version.value.shown(), ("created", Json::from(version.created.0)), ("stages", Json::array(stages))];
            (id.clone(), Json::object(members))
        });
        row.text("arn", &self.arn)
            .text("name", &self.name)
            .text_if_any("description", self.description.as_ref())
            .text_if_any("kms_key", self.kms_key.as_ref())
            .text_if_any("policy", self.policy.as_ref())
            .text_if_any("owner", self.owner.as_ref())
            .json("tags", texts(self.tags.iter().map(|(key, value)| (key.clone(), value.clone()))))
            .time("created", self.created)
            .time("changed", self.changed)
            .time_if_any("accessed", self.accessed)
            .time_if_any("deleted", self.deleted)
            .json("versions", Json::object(versions))
    }

    fn read(row: &RowReader<'_>) -> Result<Secret, KeptError> {
        let mut versions = BTreeMap::new();
        for (id, version) in row.json("versions")?.as_object().into_iter().flat_map(|versions| versions.iter()) {
            // The row says of a value what it is, and not what: a fault's text may be shown.
            let read = read_version(version).ok_or_else(|| row.broken(format!("its version {id} cannot be read")))?;
            versions.insert(id.clone(), read);
        }
        Ok(Secret {
            arn: row.text("arn")?,
            name: row.text("name")?,
            description: row.text_if_any("description")?,
            kms_key: row.text_if_any("kms_key")?,
            policy: row.text_if_any("policy")?,
            owner: row.text_if_any("owner")?,
            tags: row.text_map("tags")?,
            created: row.time("created")?,
            changed: row.time("changed")?,
            accessed: row.time_if_any("accessed")?,
            deleted: row.time_if_any("deleted")?,
            versions,
        })
    }
}

fn read_version(json: &Json) -> Option<Version> {
    let text = |name: &str| json.get(name).and_then(Json::as_str).map(Arc::<str>::from);
    let value = text("SecretString").map(Value::Text).or_else(|| text("SecretBinary").map(Value::Binary))?;
    let created = Timestamp(json.get("created")?.as_i64()?);
    let stages = json.get("stages")?.as_array()?.iter();
    let stages: BTreeSet<Arc<str>> = stages.map(|stage| stage.as_str().map(Arc::from)).collect::<Option<_>>()?;
    Some(Version { value, created, stages })
}
