//! State machines, versions, aliases, activities and tags: what exists besides executions.
//!
//! This file owns what the rows are and how they are found; what each group of actions does to them stands in the file
//! named after it.

mod activities;
mod encryption;
mod limits;
mod revisions;
mod rows;
mod state_machines;
mod tags;
#[cfg(test)]
mod tests;
mod versions;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::str::FromStr;
use std::sync::Arc;

use stepwell_interpreter::Chance;
use stepwell_spec::shapes::{EncryptionConfiguration, RoutingConfigurationListItem, Tag};
use stepwell_spec::{Action, Text, Timestamp};

use super::Place;
use crate::arns::{ActivityRef, MachineRef, Qualifier, states_arn};
use crate::pages::{Listing, PageSeal, page_size};
use crate::refusal::Refusal;

use limits::Limits;
use revisions::Revisions;
use rows::Changed;

pub(super) use encryption::aws_owned_key;
pub use revisions::MachineRow;

/// All of it, of every account and region.
#[derive(Debug, Default)]
pub struct Registry {
    machines: BTreeMap<Text, Machine>,
    activities: BTreeMap<Text, ActivityRow>,
    revisions: Revisions,
    changed: Changed,
    limits: Limits,
}

/// A state machine with its versions and aliases.
#[derive(Debug)]
struct Machine {
    /// Its place in the order of creation: its first revision's number.
    order: u64,
    current: Arc<MachineRow>,
    /// What was asked for at its creation, beside the revision.
    first: FirstVersion,
    versions: BTreeMap<u64, Version>,
    last_version: u64,
    aliases: BTreeMap<Text, Alias>,
    tags: Vec<Tag>,
}

/// Whether a state machine was published when it was created, and as what: a repeated creation must ask for the same.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FirstVersion {
    is_published: bool,
    description: Option<Text>,
}

#[derive(Debug)]
struct Version {
    row: Arc<MachineRow>,
    description: Option<Text>,
    created_at: Timestamp,
}

#[derive(Clone, Debug)]
struct Alias {
    name: Text,
    description: Option<Text>,
    routing: Vec<RoutingConfigurationListItem>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug)]
struct ActivityRow {
    name: Text,
    created_at: Timestamp,
    encryption_configuration: Option<EncryptionConfiguration>,
    tags: Vec<Tag>,
}

/// What an execution is started from.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The revision.
    pub machine: Arc<MachineRow>,
    /// ARN of the version, when one was asked for or an alias led to it.
    pub version_arn: Option<Text>,
    /// ARN of the alias that was asked for.
    pub alias_arn: Option<Text>,
}

impl Place {
    /// The ARN of a resource in this place: `stateMachine:NAME`.
    pub(in crate::service) fn arn(&self, resource: impl fmt::Display) -> Text {
        states_arn(&self.region, &self.account, resource).into()
    }

    /// Whether what is in this region and account is here.
    pub(in crate::service) fn owns(&self, region: &str, account: &str) -> bool {
        self.region == region && self.account == account
    }
}

impl Registry {
    /// What an execution is started from: the current revision, a version, or what an alias draws.
    pub fn resolve(&self, place: &Place, asked: &MachineRef, chance: &Chance) -> Result<Resolved, Refusal> {
        let arn = machine_arn(asked);
        let missing = || Refusal::state_machine_does_not_exist(&qualified_arn(asked));
        let machine = self.own_machine_of(place, asked, &arn).ok_or_else(missing)?;
        let version_arn = |version: u64| Text::from(format!("{arn}:{version}"));
        match &asked.qualifier {
            None => Ok(Resolved { machine: machine.current.clone(), version_arn: None, alias_arn: None }),
            Some(Qualifier::Version(version)) => {
                let row = machine.versions.get(version).ok_or_else(missing)?.row.clone();
                Ok(Resolved { machine: row, version_arn: Some(version_arn(*version)), alias_arn: None })
            }
            Some(Qualifier::Alias(name)) => {
                let alias = machine.aliases.get(name.as_str()).ok_or_else(missing)?;
                let version = alias.draw(chance).ok_or_else(missing)?;
                let row = machine.versions.get(&version).ok_or_else(missing)?.row.clone();
                let alias_arn = Some(format!("{arn}:{name}").into());
                Ok(Resolved { machine: row, version_arn: Some(version_arn(version)), alias_arn })
            }
        }
    }

    /// Whether there is such an activity.
    pub fn has_activity(&self, arn: &str) -> bool {
        self.activities.contains_key(arn)
    }

    /// A state machine of the caller's.
    fn own_machine(&self, place: &Place, asked: &MachineRef) -> Option<&Machine> {
        self.own_machine_of(place, asked, &machine_arn(asked))
    }

    /// The same, when its ARN is known already.
    fn own_machine_of(&self, place: &Place, asked: &MachineRef, arn: &str) -> Option<&Machine> {
        place.owns(&asked.region, &asked.account).then(|| self.machines.get(arn)).flatten()
    }

    /// An activity of the caller's.
    fn own_activity(&self, place: &Place, asked: &ActivityRef) -> Option<&ActivityRow> {
        let arn = states_arn(&asked.region, &asked.account, format_args!("activity:{}", asked.name));
        place.owns(&asked.region, &asked.account).then(|| self.activities.get(arn.as_str())).flatten()
    }
}

fn own_machine_mut<'a>(
    machines: &'a mut BTreeMap<Text, Machine>,
    place: &Place,
    asked: &MachineRef,
) -> Option<&'a mut Machine> {
    place.owns(&asked.region, &asked.account).then(|| machines.get_mut(machine_arn(asked).as_str())).flatten()
}

impl Alias {
    /// The version one execution goes to, by the aliases' weights.
    fn draw(&self, chance: &Chance) -> Option<u64> {
        let drawn = (chance.fraction() * 100.0) as i64;
        let mut upto = 0;
        let hit = self.routing.iter().find(|route| {
            upto += route.weight;
            drawn < upto
        });
        version_number(&hit?.state_machine_version_arn)
    }
}

/// The number at the end of a version's ARN.
fn version_number(arn: &str) -> Option<u64> {
    arn.rsplit(':').next()?.parse().ok()
}

/// The ARN of the state machine itself.
fn machine_arn(machine: &MachineRef) -> String {
    states_arn(&machine.region, &machine.account, format_args!("stateMachine:{}", machine.name))
}

fn qualified_arn(machine: &MachineRef) -> String {
    let qualifier = machine.qualifier.as_ref().map(|qualifier| format!(":{qualifier}"));
    format!("{}{}", machine_arn(machine), qualifier.unwrap_or_default())
}

/// The rows of one kind that are kept in this place, in the order of their ARNs.
fn kept_in<'a, R>(rows: &'a BTreeMap<Text, R>, place: &Place, kind: &str) -> impl Iterator<Item = (&'a Text, &'a R)> {
    let prefix = place.arn(kind);
    let from = rows.range::<str, _>((Bound::Included(&*prefix), Bound::Unbounded));
    from.take_while(move |(arn, _)| arn.starts_with(&*prefix))
}

/// One page of a list, and the token of the next one.
struct Page<T> {
    rows: Vec<T>,
    next_token: Option<Text>,
}

/// The page that a request asks for, of rows in the order of their keys.
///
/// A token holds the last key of its page: the next page begins behind it, whatever was added or deleted meanwhile.
fn page<K: fmt::Display + FromStr + Ord, T>(
    rows: impl Iterator<Item = (K, T)>,
    (action, place, about): (Action, &Place, &str),
    (max_results, token): (Option<i64>, Option<&str>),
    seal: &PageSeal,
    now: Timestamp,
) -> Result<Page<T>, Refusal> {
    let arguments = [about];
    let listing = Listing { account: &place.account, region: &place.region, action, arguments: &arguments };
    let past: Option<K> = match token {
        None => None,
        Some(token) => Some(seal.open(&listing, token, now)?.parse().map_err(|_| Refusal::invalid_token())?),
    };
    let mut rest = rows.filter(|(key, _)| past.as_ref().is_none_or(|past| key > past));
    let (mut last, mut rows) = (None, Vec::new());
    for (key, row) in rest.by_ref().take(page_size(max_results)) {
        last = Some(key);
        rows.push(row);
    }
    let last = last.filter(|_| rest.next().is_some());
    let next_token = last.map(|last| seal.seal(&listing, &last.to_string(), now).into());
    Ok(Page { rows, next_token })
}
