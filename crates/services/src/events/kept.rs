//! What is kept of EventBridge: a row for each bus, rule and connection.

use std::collections::BTreeMap;

use stepwell_json::Json;
use stepwell_protocol::Place;

use super::buses::Bus;
use super::connections::Connection;
use super::rules::Rule;
use super::targets::Target;
use crate::answers::texts;
use crate::rows::{KeptError, RowReader, RowWriter};
use crate::shelf::Kept;

fn map(map: &BTreeMap<std::sync::Arc<str>, std::sync::Arc<str>>) -> Json {
    texts(map.iter().map(|(key, value)| (key.clone(), value.clone())))
}

impl Kept for Bus {
    const TABLE: &'static str = "events_buses";

    fn write(&self, row: RowWriter) -> RowWriter {
        row.text("name", &self.name)
            .text_if_any("description", self.description.as_ref())
            .time_if_any("created", self.created)
            .json("tags", map(&self.tags))
    }

    fn read(row: &RowReader<'_>) -> Result<Bus, KeptError> {
        Ok(Bus {
            name: row.text("name")?,
            description: row.text_if_any("description")?,
            created: row.time_if_any("created")?,
            tags: row.text_map("tags")?,
        })
    }
}

impl Kept for Rule {
    const TABLE: &'static str = "events_rules";

    fn write(&self, row: RowWriter) -> RowWriter {
        let targets = self.targets.iter().map(|(id, target)| (id.clone(), target.0.clone()));
        row.text("name", &self.name)
            .text("bus", &self.bus)
            .text("account", &self.place.account)
            .text("region", &self.place.region)
            .text("pattern", &self.pattern)
            .text_if_any("description", self.description.as_ref())
            .text_if_any("role", self.role.as_ref())
            .flag("enabled", self.is_enabled)
            .json("tags", map(&self.tags))
            .json("targets", Json::object(targets))
    }

    fn read(row: &RowReader<'_>) -> Result<Rule, KeptError> {
        let targets = row.json("targets")?;
        let targets = targets.as_object().ok_or_else(|| row.broken("its `targets` is no object"))?;
        Ok(Rule {
            name: row.text("name")?,
            bus: row.text("bus")?,
            place: Place { account: row.text("account")?, region: row.text("region")? },
            pattern: row.text("pattern")?,
            description: row.text_if_any("description")?,
            role: row.text_if_any("role")?,
            is_enabled: row.flag("enabled")?,
            tags: row.text_map("tags")?,
            targets: targets.iter().map(|(id, target)| (id.clone(), Target(target.clone()))).collect(),
        })
    }
}

impl Kept for Connection {
    const TABLE: &'static str = "events_connections";

    fn write(&self, row: RowWriter) -> RowWriter {
        row.text("name", &self.name)
            .text("arn", &self.arn)
            .text("authorization", &self.authorization)
            .json("parameters", self.parameters.clone())
            .text_if_any("secret_arn", self.secret.as_ref().map(|(arn, _)| arn))
            .text_if_any("secret_name", self.secret.as_ref().map(|(_, name)| name))
            .text_if_any("description", self.description.as_ref())
            .time("created", self.created)
            .time("changed", self.changed)
    }

    fn read(row: &RowReader<'_>) -> Result<Connection, KeptError> {
        Ok(Connection {
            name: row.text("name")?,
            arn: row.text("arn")?,
            authorization: row.text("authorization")?,
            parameters: row.json("parameters")?,
            secret: row.text_if_any("secret_arn")?.zip(row.text_if_any("secret_name")?),
            description: row.text_if_any("description")?,
            created: row.time("created")?,
            changed: row.time("changed")?,
        })
    }
}
