//! The registry's tables: what their rows hold, how they change, and the registry they make when they are read.
//!
//! ```text
//! revisions   number, 8 bytes, big-endian   a revision of a machine; never removed, for executions keep theirs
//! machines    ARN                           what leads to its revisions: the current one, versions, aliases; tags
//! activities  ARN                           an activity
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use stepwell_spec::Text;
use stepwell_spec::shapes::StateMachineType;
use stepwell_store::{ALL_KEYS, Index, Order};

use super::revisions::Revisions;
use super::{ActivityRow, Alias, FirstVersion, Machine, MachineRow, Registry, Version};
use stepwell_store::RowChange;
use stepwell_store::json_rows::{RowError, RowReader, RowWriter, each_row};

const REVISIONS: &str = "revisions";
const MACHINES: &str = "machines";
const ACTIVITIES: &str = "activities";

/// The format of all three tables' rows.
const FORMAT: u64 = 1;

/// What changed and was not written yet.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) revisions: Vec<Arc<MachineRow>>,
    pub(super) machines: BTreeSet<Text>,
    pub(super) activities: BTreeSet<Text>,
}

impl Registry {
    /// What the store has kept.
    pub fn open(index: &dyn Index) -> Result<Registry, RowError> {
        let mut registry = Registry { revisions: Revisions::after(last_revision(index)?), ..Registry::default() };
        let revisions = &mut registry.revisions;
        each_row(index, MACHINES, FORMAT, |row| {
            let (arn, machine) =
                read_machine(row, row.key(), |number| revision_in_memory_or(revisions, number, index))?;
            registry.machines.insert(arn, machine);
            Ok(())
        })?;
        each_row(index, ACTIVITIES, FORMAT, |row| {
            registry.activities.insert(text_key(row, row.key())?, read_activity(row)?);
            Ok(())
        })?;
        Ok(registry)
    }

    /// What changed since this was last asked, in the order it is to be written.
    pub fn take_changes(&mut self) -> Vec<RowChange> {
        let Changed { revisions, machines, activities } = std::mem::take(&mut self.changed);
        let revisions = revisions.iter().map(|row| RowChange {
            table: REVISIONS,
            key: revision_key(row.number).to_vec(),
            value: Some(write_revision(row)),
        });
        let machines = machines.iter().map(|arn| RowChange {
            table: MACHINES,
            key: arn.as_bytes().to_vec(),
            value: self.machines.get(arn).map(write_machine),
        });
        let activities = activities.iter().map(|arn| RowChange {
            table: ACTIVITIES,
            key: arn.as_bytes().to_vec(),
            value: self.activities.get(arn).map(write_activity),
        });
        revisions.chain(machines).chain(activities).collect()
    }

    /// The revision of this number, from memory or from what the store has kept.
    pub fn revision(&mut self, number: u64, index: &dyn Index) -> Result<Option<Arc<MachineRow>>, RowError> {
        let row = revision_in_memory_or(&mut self.revisions, number, index)?;
        if let Some(row) = &row {
            self.revisions.keep(row.clone());
        }
        Ok(row)
    }
}

fn last_revision(index: &dyn Index) -> Result<u64, RowError> {
    let last = index.scan(REVISIONS, ALL_KEYS, Order::Descending, 1)?;
    let Some((key, value)) = last.first() else { return Ok(0) };
    let row = RowReader::open(REVISIONS, key, value, FORMAT)?;
    revision_number(&row, key)
}

fn revision_in_memory_or(
    revisions: &mut Revisions,
    number: u64,
    index: &dyn Index,
) -> Result<Option<Arc<MachineRow>>, RowError> {
    if let Some(row) = revisions.get(number) {
        return Ok(Some(row));
    }
    let key = revision_key(number);
    let Some(value) = index.get(REVISIONS, &key)? else { return Ok(None) };
    let row = read_revision(&RowReader::open(REVISIONS, &key, &value, FORMAT)?, number)?;
    Ok(Some(revisions.remember(row)))
}

fn revision_key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

fn revision_number(row: &RowReader<'_>, key: &[u8]) -> Result<u64, RowError> {
    let key = key.try_into().map_err(|_| row.broken("its key is not a number of 8 bytes"))?;
    Ok(u64::from_be_bytes(key))
}

fn text_key(row: &RowReader<'_>, key: &[u8]) -> Result<Text, RowError> {
    std::str::from_utf8(key).map(Text::from).map_err(|error| row.broken(format!("its key is not text: {error}")))
}

fn write_revision(row: &Arc<MachineRow>) -> Vec<u8> {
    RowWriter::row(FORMAT)
        .text("arn", &row.arn)
        .text("name", &row.name)
        .text("type", &row.kind().text().into())
        .text("definition", &row.definition_text)
        .text("roleArn", &row.role_arn)
        .structure("loggingConfiguration", row.logging_configuration.as_ref())
        .structure("tracingConfiguration", row.tracing_configuration.as_ref())
        .structure("encryptionConfiguration", row.encryption_configuration.as_ref())
        .text_if_any("revisionId", row.revision_id.as_ref())
        .time("created", row.created_at)
        .time("updated", row.updated_at)
        .into_bytes()
}

fn read_revision(row: &RowReader<'_>, number: u64) -> Result<MachineRow, RowError> {
    let kind = StateMachineType::of(&row.text("type")?);
    Ok(MachineRow {
        number,
        arn: row.text("arn")?,
        name: row.text("name")?,
        definition_text: row.text("definition")?,
        definition: OnceLock::new(),
        role_arn: row.text("roleArn")?,
        express: kind.ok_or_else(|| row.broken("its `type` is unknown"))? == StateMachineType::Express,
        logging_configuration: row.structure("loggingConfiguration")?,
        tracing_configuration: row.structure("tracingConfiguration")?,
        encryption_configuration: row.structure("encryptionConfiguration")?,
        revision_id: row.text_if_any("revisionId")?,
        created_at: row.time("created")?,
        updated_at: row.time("updated")?,
    })
}

fn write_machine(machine: &Machine) -> Vec<u8> {
    let version = |(number, version): (&u64, &Version)| {
        RowWriter::inner()
            .number("number", *number)
            .number("revision", version.row.number)
            .text_if_any("description", version.description.as_ref())
            .time("created", version.created_at)
    };
    let alias = |alias: &Alias| {
        RowWriter::inner()
            .text("name", &alias.name)
            .text_if_any("description", alias.description.as_ref())
            .structures("routing", &alias.routing)
            .time("created", alias.created_at)
            .time("updated", alias.updated_at)
    };
    RowWriter::row(FORMAT)
        .number("order", machine.order)
        .number("revision", machine.current.number)
        .flag("publishedAtCreation", machine.first.is_published)
        .text_if_any("firstDescription", machine.first.description.as_ref())
        .number("lastVersion", machine.last_version)
        .list("versions", machine.versions.iter().map(version))
        .list("aliases", machine.aliases.values().map(alias))
        .structures("tags", &machine.tags)
        .into_bytes()
}

fn read_machine(
    row: &RowReader<'_>,
    key: &[u8],
    mut revision: impl FnMut(u64) -> Result<Option<Arc<MachineRow>>, RowError>,
) -> Result<(Text, Machine), RowError> {
    let mut revision = |number: u64| {
        revision(number)?.ok_or_else(|| row.broken(format!("revision {number}, which it leads to, is missing")))
    };
    let mut versions = BTreeMap::new();
    for version in row.list("versions")? {
        let row = revision(version.number("revision")?)?;
        let (description, created_at) = (version.text_if_any("description")?, version.time("created")?);
        versions.insert(version.number("number")?, Version { row, description, created_at });
    }
    let mut aliases = BTreeMap::new();
    for alias in row.list("aliases")? {
        let alias = Alias {
            name: alias.text("name")?,
            description: alias.text_if_any("description")?,
            routing: alias.structures("routing")?,
            created_at: alias.time("created")?,
            updated_at: alias.time("updated")?,
        };
        aliases.insert(alias.name.clone(), alias);
    }
    let machine = Machine {
        order: row.number("order")?,
        current: revision(row.number("revision")?)?,
        first: FirstVersion {
            is_published: row.flag("publishedAtCreation")?,
            description: row.text_if_any("firstDescription")?,
        },
        versions,
        last_version: row.number("lastVersion")?,
        aliases,
        tags: row.structures("tags")?,
    };
    let arn = text_key(row, key)?;
    match machine.current.arn == arn {
        true => Ok((arn, machine)),
        false => Err(row.broken(format!("its revision is of {}", machine.current.arn))),
    }
}

fn write_activity(activity: &ActivityRow) -> Vec<u8> {
    RowWriter::row(FORMAT)
        .text("name", &activity.name)
        .structure("encryptionConfiguration", activity.encryption_configuration.as_ref())
        .time("created", activity.created_at)
        .structures("tags", &activity.tags)
        .into_bytes()
}

fn read_activity(row: &RowReader<'_>) -> Result<ActivityRow, RowError> {
    Ok(ActivityRow {
        name: row.text("name")?,
        encryption_configuration: row.structure("encryptionConfiguration")?,
        created_at: row.time("created")?,
        tags: row.structures("tags")?,
    })
}
