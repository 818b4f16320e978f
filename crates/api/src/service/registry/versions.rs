//! Versions, which never change, and aliases, which lead to one or two of them.

use std::collections::BTreeMap;

use stepwell_spec::shapes::{
    CreateStateMachineAliasInput, CreateStateMachineAliasOutput, DeleteStateMachineAliasInput,
    DeleteStateMachineAliasOutput, DeleteStateMachineVersionInput, DeleteStateMachineVersionOutput,
    DescribeStateMachineAliasInput, DescribeStateMachineAliasOutput, ListStateMachineAliasesInput,
    ListStateMachineAliasesOutput, ListStateMachineVersionsInput, ListStateMachineVersionsOutput,
    PublishStateMachineVersionInput, PublishStateMachineVersionOutput, RoutingConfigurationListItem,
    StateMachineAliasListItem, StateMachineVersionListItem, UpdateStateMachineAliasInput,
    UpdateStateMachineAliasOutput,
};
use stepwell_spec::{Action, Exception, Text, Timestamp};

use super::rows::Changed;
use super::{Alias, Machine, Page, Registry, Version, own_machine_mut, page, version_number};
use crate::arns::{MachineRef, Qualifier};
use crate::pages::PageSeal;
use crate::refusal::Refusal;
use crate::service::Place;

/// What a request calls the revision of a state machine that was never updated, which has no id.
///
/// Source: API model, `PublishStateMachineVersion`, `revisionId`.
const INITIAL_REVISION: &str = "INITIAL";

impl Machine {
    /// A version of the current revision: a new one, or the last one when that is of the same revision. Whether there may
    /// be one more, the caller has asked.
    pub(super) fn publish(&mut self, description: Option<Text>, now: Timestamp, changed: &mut Changed) -> Text {
        if !self.is_published() {
            self.last_version += 1;
            let version = Version { row: self.current.clone(), description, created_at: now };
            self.versions.insert(self.last_version, version);
            changed.machines.insert(self.current.arn.clone());
        }
        self.version_arn(self.last_version)
    }

    /// Whether there is a version of the current revision.
    pub(super) fn is_published(&self) -> bool {
        self.versions.get(&self.last_version).is_some_and(|last| last.row.number == self.current.number)
    }

    pub(super) fn version_arn(&self, version: u64) -> Text {
        format!("{}:{version}", self.current.arn).into()
    }

    /// The aliases that lead to a version, in the order of their names.
    fn aliases_of(&self, version: u64) -> impl Iterator<Item = &Alias> {
        let leads_there = move |route: &RoutingConfigurationListItem| {
            version_number(&route.state_machine_version_arn) == Some(version)
        };
        self.aliases.values().filter(move |alias| alias.routing.iter().any(leads_there))
    }
}

impl Registry {
    pub(in crate::service) fn publish_state_machine_version(
        &mut self,
        place: &Place,
        input: PublishStateMachineVersionInput,
        now: Timestamp,
    ) -> Result<PublishStateMachineVersionOutput, Refusal> {
        let arn = &input.state_machine_arn;
        let asked = MachineRef::parse_unqualified(arn)?;
        let machine = own_machine_mut(&mut self.machines, place, &asked);
        let machine = machine.ok_or_else(|| Refusal::state_machine_does_not_exist(arn))?;
        let current = machine.current.revision_id.as_deref().unwrap_or(INITIAL_REVISION);
        if input.revision_id.is_some_and(|asked| &*asked != current) {
            let message =
                "Failed to publish the State Machine version because the provided revision id is not the current one.";
            return Err(Refusal::new(Exception::ConflictException, message));
        }
        if !machine.is_published() {
            self.limits.check_versions(machine)?;
        }
        let state_machine_version_arn = machine.publish(input.description, now, &mut self.changed);
        let creation_date = machine.versions.get(&machine.last_version).map_or(now, |version| version.created_at);
        Ok(PublishStateMachineVersionOutput { creation_date, state_machine_version_arn })
    }

    pub(in crate::service) fn list_state_machine_versions(
        &self,
        place: &Place,
        input: &ListStateMachineVersionsInput,
        seal: &PageSeal,
        now: Timestamp,
    ) -> Result<ListStateMachineVersionsOutput, Refusal> {
        let asked = MachineRef::parse_unqualified(&input.state_machine_arn)?;
        // Of a machine that is not there the list is empty: the action has no exception for it.
        let versions = self.own_machine(place, &asked).into_iter().flat_map(|machine| {
            let newest_first = machine.versions.iter().rev();
            newest_first.map(move |(number, version)| (u64::MAX - number, (machine.version_arn(*number), version)))
        });
        let about = (Action::ListStateMachineVersions, place, &*input.state_machine_arn);
        let asked = (input.max_results, input.next_token.as_deref());
        let Page { rows, next_token } = page(versions, about, asked, seal, now)?;
        let item = |(state_machine_version_arn, version): (Text, &Version)| StateMachineVersionListItem {
            state_machine_version_arn,
            creation_date: version.created_at,
        };
        Ok(ListStateMachineVersionsOutput { state_machine_versions: rows.into_iter().map(item).collect(), next_token })
    }

    /// One that is not there is deleted already; one that an alias leads to stays.
    pub(in crate::service) fn delete_state_machine_version(
        &mut self,
        place: &Place,
        input: &DeleteStateMachineVersionInput,
    ) -> Result<DeleteStateMachineVersionOutput, Refusal> {
        let arn = &input.state_machine_version_arn;
        let (asked, number) = MachineRef::parse_version(arn)?;
        if let Some(machine) = own_machine_mut(&mut self.machines, place, &asked) {
            let leading: Vec<&str> = machine.aliases_of(number).map(|alias| &*alias.name).collect();
            if !leading.is_empty() {
                let message = format!(
                    "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this \
                     version: [{}]",
                    leading.join(", ")
                );
                return Err(Refusal::new(Exception::ConflictException, message));
            }
            if let Some(version) = machine.versions.remove(&number) {
                self.changed.machines.insert(machine.current.arn.clone());
                self.revisions.keep(version.row);
            }
        }
        Ok(DeleteStateMachineVersionOutput {})
    }

    pub(in crate::service) fn create_state_machine_alias(
        &mut self,
        place: &Place,
        input: CreateStateMachineAliasInput,
        now: Timestamp,
    ) -> Result<CreateStateMachineAliasOutput, Refusal> {
        let machine = routed_machine(&mut self.machines, place, &input.routing_configuration)?;
        let state_machine_alias_arn: Text = format!("{}:{}", machine.current.arn, input.name).into();
        if let Some(known) = machine.aliases.get(&input.name) {
            if !are_same_routes(&known.routing, &input.routing_configuration) || known.description != input.description
            {
                let message = "Failed to create alias because an alias with the same name and a different routing \
                               configuration already exists.";
                return Err(Refusal::new(Exception::ConflictException, message));
            }
            return Ok(CreateStateMachineAliasOutput { state_machine_alias_arn, creation_date: known.created_at });
        }
        self.limits.check_aliases(machine)?;
        let CreateStateMachineAliasInput { name, description, routing_configuration: routing } = input;
        let alias = Alias { name: name.clone(), description, routing, created_at: now, updated_at: now };
        machine.aliases.insert(name, alias);
        self.changed.machines.insert(machine.current.arn.clone());
        Ok(CreateStateMachineAliasOutput { state_machine_alias_arn, creation_date: now })
    }

    pub(in crate::service) fn update_state_machine_alias(
        &mut self,
        place: &Place,
        input: UpdateStateMachineAliasInput,
        now: Timestamp,
    ) -> Result<UpdateStateMachineAliasOutput, Refusal> {
        if let Some(routing) = &input.routing_configuration {
            routed_machine(&mut self.machines, place, routing)?;
        }
        let (asked, name) = MachineRef::parse_alias(&input.state_machine_alias_arn)?;
        let missing = || Refusal::resource_not_found(&input.state_machine_alias_arn);
        let machine = own_machine_mut(&mut self.machines, place, &asked).ok_or_else(missing)?;
        let alias = machine.aliases.get_mut(name.as_str()).ok_or_else(missing)?;
        alias.description = input.description.or(alias.description.take());
        alias.routing = input.routing_configuration.unwrap_or_else(|| std::mem::take(&mut alias.routing));
        alias.updated_at = now;
        self.changed.machines.insert(machine.current.arn.clone());
        Ok(UpdateStateMachineAliasOutput { update_date: now })
    }

    pub(in crate::service) fn describe_state_machine_alias(
        &self,
        place: &Place,
        input: &DescribeStateMachineAliasInput,
    ) -> Result<DescribeStateMachineAliasOutput, Refusal> {
        let arn = &input.state_machine_alias_arn;
        let (asked, name) = MachineRef::parse_alias(arn)?;
        let machine = self.own_machine(place, &asked);
        let alias = machine.and_then(|machine| machine.aliases.get(name.as_str()));
        let alias = alias.ok_or_else(|| Refusal::resource_not_found(arn))?.clone();
        Ok(DescribeStateMachineAliasOutput {
            state_machine_alias_arn: Some(arn.clone()),
            name: Some(alias.name),
            description: alias.description,
            routing_configuration: Some(alias.routing),
            creation_date: Some(alias.created_at),
            update_date: Some(alias.updated_at),
        })
    }

    pub(in crate::service) fn list_state_machine_aliases(
        &self,
        place: &Place,
        input: &ListStateMachineAliasesInput,
        seal: &PageSeal,
        now: Timestamp,
    ) -> Result<ListStateMachineAliasesOutput, Refusal> {
        let arn = &input.state_machine_arn;
        let asked = match MachineRef::parse_version(arn) {
            Ok((asked, _)) => asked,
            Err(_) => MachineRef::parse_unqualified(arn)?,
        };
        let machine = self.own_machine(place, &asked).ok_or_else(|| Refusal::state_machine_does_not_exist(arn))?;
        let aliases: Vec<&Alias> = match asked.qualifier {
            None => machine.aliases.values().collect(),
            Some(Qualifier::Version(version)) if machine.versions.contains_key(&version) => {
                machine.aliases_of(version).collect()
            }
            Some(_) => return Err(Refusal::resource_not_found(arn)),
        };
        let by_name = aliases.into_iter().map(|alias| (alias.name.to_string(), alias));
        let about = (Action::ListStateMachineAliases, place, &**arn);
        let page_asked = (input.max_results, input.next_token.as_deref());
        let Page { rows, next_token } = page(by_name, about, page_asked, seal, now)?;
        let item = |alias: &Alias| StateMachineAliasListItem {
            state_machine_alias_arn: format!("{}:{}", machine.current.arn, alias.name).into(),
            creation_date: alias.created_at,
        };
        Ok(ListStateMachineAliasesOutput { state_machine_aliases: rows.into_iter().map(item).collect(), next_token })
    }

    /// One that is not there is deleted already.
    pub(in crate::service) fn delete_state_machine_alias(
        &mut self,
        place: &Place,
        input: &DeleteStateMachineAliasInput,
    ) -> Result<DeleteStateMachineAliasOutput, Refusal> {
        let (asked, name) = MachineRef::parse_alias(&input.state_machine_alias_arn)?;
        let machine = own_machine_mut(&mut self.machines, place, &asked);
        if let Some(machine) = machine.filter(|machine| machine.aliases.contains_key(name.as_str())) {
            machine.aliases.remove(name.as_str());
            self.changed.machines.insert(machine.current.arn.clone());
        }
        Ok(DeleteStateMachineAliasOutput {})
    }
}

/// The machine all of these versions belong to; every one must exist.
fn routed_machine<'a>(
    machines: &'a mut BTreeMap<Text, Machine>,
    place: &Place,
    routing: &[RoutingConfigurationListItem],
) -> Result<&'a mut Machine, Refusal> {
    let first = routing.first().map_or("", |route| &*route.state_machine_version_arn);
    let (asked, _) = MachineRef::parse_version(first)?;
    let machine = own_machine_mut(machines, place, &asked).ok_or_else(|| Refusal::resource_not_found(first))?;
    for route in routing {
        let arn = &route.state_machine_version_arn;
        if version_number(arn).is_none_or(|number| !machine.versions.contains_key(&number)) {
            return Err(Refusal::resource_not_found(arn));
        }
    }
    Ok(machine)
}

/// Whether both lead to the same versions with the same weights, in whatever order.
fn are_same_routes(known: &[RoutingConfigurationListItem], asked: &[RoutingConfigurationListItem]) -> bool {
    known.len() == asked.len() && known.iter().all(|route| asked.contains(route))
}
