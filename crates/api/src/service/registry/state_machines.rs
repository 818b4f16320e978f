//! State machines: create, update, describe, list, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_asl::variable_references;
use stepwell_interpreter::Chance;
use stepwell_spec::shapes::{
    CreateStateMachineInput, CreateStateMachineOutput, DeleteStateMachineInput, DeleteStateMachineOutput,
    DescribeStateMachineInput, DescribeStateMachineOutput, IncludedData, ListStateMachinesInput,
    ListStateMachinesOutput, LogLevel, LoggingConfiguration, StateMachineListItem, StateMachineStatus,
    StateMachineType, TracingConfiguration, UpdateStateMachineInput, UpdateStateMachineOutput,
};
use stepwell_spec::{Action, Exception, Timestamp};

use super::encryption::{aws_owned_key, key_of_ones_own};
use super::tags::with_tags;
use super::{FirstVersion, Machine, MachineRow, Page, Registry, kept_in, own_machine_mut, page};
use crate::arns::{MachineRef, Qualifier};
use crate::definitions::compile_definition;
use crate::labels::{Shown, item_processor};
use crate::pages::PageSeal;
use crate::refusal::Refusal;
use crate::service::Place;

impl Registry {
    /// The same request again gets the same answer. Another one for the same name is refused: role and tags may differ,
    /// and nothing else.
    pub(in crate::service) fn create_state_machine(
        &mut self,
        place: &Place,
        input: CreateStateMachineInput,
        now: Timestamp,
    ) -> Result<CreateStateMachineOutput, Refusal> {
        let definition = compile_definition(&input.definition, input.kind)?;
        let arn = place.arn(format_args!("stateMachine:{}", input.name));
        let first = FirstVersion { is_published: input.publish == Some(true), description: input.version_description };
        let mut row = MachineRow {
            number: 0,
            arn: arn.clone(),
            name: input.name,
            definition_text: input.definition,
            definition: Arc::new(definition).into(),
            role_arn: input.role_arn,
            express: input.kind == Some(StateMachineType::Express),
            logging_configuration: Some(logging(input.logging_configuration)),
            tracing_configuration: Some(tracing(input.tracing_configuration)),
            encryption_configuration: key_of_ones_own(input.encryption_configuration),
            revision_id: None,
            created_at: now,
            updated_at: now,
        };
        if let Some(known) = self.machines.get(&arn) {
            if !is_same_machine(&known.current, &row) || known.first != first {
                return Err(Refusal::state_machine_already_exists(&arn));
            }
            let creation_date = known.current.created_at;
            let state_machine_version_arn = first.is_published.then(|| known.version_arn(1));
            return Ok(CreateStateMachineOutput { state_machine_arn: arn, creation_date, state_machine_version_arn });
        }
        self.limits.check_state_machines(&self.machines, place)?;
        row.number = self.revisions.next_number();
        let mut machine = Machine {
            order: row.number,
            current: self.revisions.remember(row),
            first: first.clone(),
            versions: BTreeMap::new(),
            last_version: 0,
            aliases: BTreeMap::new(),
            tags: with_tags(Vec::new(), input.tags.unwrap_or_default()),
        };
        self.changed.revisions.push(machine.current.clone());
        self.changed.machines.insert(arn.clone());
        let state_machine_version_arn =
            first.is_published.then(|| machine.publish(first.description, now, &mut self.changed));
        self.machines.insert(arn.clone(), machine);
        Ok(CreateStateMachineOutput { state_machine_arn: arn, creation_date: now, state_machine_version_arn })
    }

    /// A new revision, unless nothing changes: then the answer is that of the update that made the current one.
    pub(in crate::service) fn update_state_machine(
        &mut self,
        place: &Place,
        input: UpdateStateMachineInput,
        now: Timestamp,
        chance: &Chance,
    ) -> Result<UpdateStateMachineOutput, Refusal> {
        let asked = MachineRef::parse_unqualified(&input.state_machine_arn)?;
        let missing = || Refusal::state_machine_does_not_exist(&input.state_machine_arn);
        let machine = own_machine_mut(&mut self.machines, place, &asked).ok_or_else(missing)?;
        let publish = input.publish == Some(true);
        let changes_something = input.definition.is_some()
            || input.role_arn.is_some()
            || input.logging_configuration.is_some()
            || input.tracing_configuration.is_some()
            || input.encryption_configuration.is_some();
        if !changes_something && !publish {
            let message = "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration \
                           must be specified";
            return Err(Refusal::new(Exception::MissingRequiredParameter, message));
        }
        let mut row = MachineRow::clone(&machine.current);
        if let Some(text) = input.definition {
            row.definition = Arc::new(compile_definition(&text, Some(row.kind()))?).into();
            row.definition_text = text;
        }
        row.role_arn = input.role_arn.unwrap_or(row.role_arn);
        if input.logging_configuration.is_some() {
            row.logging_configuration = Some(logging(input.logging_configuration));
        }
        if input.tracing_configuration.is_some() {
            row.tracing_configuration = Some(tracing(input.tracing_configuration));
        }
        if input.encryption_configuration.is_some() {
            row.encryption_configuration = key_of_ones_own(input.encryption_configuration);
        }
        let is_changed = !is_same_machine(&machine.current, &row) || machine.current.role_arn != row.role_arn;
        if publish && (is_changed || !machine.is_published()) {
            self.limits.check_versions(machine)?;
        }
        // From here on nothing is refused: what is refused changes nothing.
        if is_changed {
            row.revision_id = Some(chance.uuid().into());
            row.updated_at = now;
            row.number = self.revisions.next_number();
            let replaced = std::mem::replace(&mut machine.current, self.revisions.remember(row));
            self.revisions.keep(replaced);
            self.changed.revisions.push(machine.current.clone());
            self.changed.machines.insert(machine.current.arn.clone());
        }
        let state_machine_version_arn =
            publish.then(|| machine.publish(input.version_description, now, &mut self.changed));
        Ok(UpdateStateMachineOutput {
            update_date: machine.current.updated_at,
            revision_id: machine.current.revision_id.clone(),
            state_machine_version_arn,
        })
    }

    pub(in crate::service) fn describe_state_machine(
        &self,
        place: &Place,
        input: &DescribeStateMachineInput,
    ) -> Result<DescribeStateMachineOutput, Refusal> {
        let asked = MachineRef::parse(&input.state_machine_arn)?;
        let missing = || Refusal::state_machine_does_not_exist(&input.state_machine_arn);
        // A machine behind an alias is any of its versions; describing draws nothing.
        let chance = Chance::new(stepwell_interpreter::Moment { now: Timestamp(0), entropy: 0 });
        let resolved = self.resolve(place, &asked, &chance).map_err(|_| missing())?;
        let row = &resolved.machine;
        let version = match &asked.qualifier {
            Some(Qualifier::Version(version)) => {
                self.machines.get(&row.arn).and_then(|machine| machine.versions.get(version))
            }
            Some(Qualifier::Alias(_)) | None => None,
        };
        let shown = match (&asked.label, input.included_data) {
            // To find the state its definition must be read, so that this shows it in any case.
            (Some(label), _) => item_processor(row.definition()?, &row.definition_text, label).ok_or_else(missing)?,
            (None, Some(IncludedData::MetadataOnly)) => {
                Shown { definition: "{}".into(), express: row.express, variable_references: Vec::new() }
            }
            (None, Some(IncludedData::AllData) | None) => Shown {
                definition: row.definition_text.clone(),
                express: row.express,
                variable_references: variable_references(row.definition()?),
            },
        };
        Ok(DescribeStateMachineOutput {
            state_machine_arn: input.state_machine_arn.clone(),
            name: row.name.clone(),
            status: Some(StateMachineStatus::Active),
            definition: shown.definition,
            role_arn: row.role_arn.clone(),
            kind: if shown.express { StateMachineType::Express } else { StateMachineType::Standard },
            creation_date: version.map_or(row.created_at, |version| version.created_at),
            logging_configuration: row.logging_configuration.clone(),
            tracing_configuration: row.tracing_configuration.clone(),
            label: asked.label.as_deref().map(Into::into),
            revision_id: row.revision_id.clone(),
            description: version.and_then(|version| version.description.clone()),
            encryption_configuration: Some(row.encryption_configuration.clone().unwrap_or_else(aws_owned_key)),
            variable_references: Some(shown.variable_references).filter(|references| !references.is_empty()),
        })
    }

    pub(in crate::service) fn list_state_machines(
        &self,
        place: &Place,
        input: &ListStateMachinesInput,
        seal: &PageSeal,
        now: Timestamp,
    ) -> Result<ListStateMachinesOutput, Refusal> {
        let own = kept_in(&self.machines, place, "stateMachine:");
        let mut by_age: Vec<(u64, &Machine)> = own.map(|(_, machine)| (machine.order, machine)).collect();
        by_age.sort_by_key(|(order, _)| *order);
        let asked = (input.max_results, input.next_token.as_deref());
        let about = (Action::ListStateMachines, place, "");
        let Page { rows, next_token } = page(by_age.into_iter(), about, asked, seal, now)?;
        let state_machines = rows.into_iter().map(|machine| list_item(&machine.current)).collect();
        Ok(ListStateMachinesOutput { state_machines, next_token })
    }

    /// One that is not there is deleted already.
    pub(in crate::service) fn delete_state_machine(
        &mut self,
        place: &Place,
        input: &DeleteStateMachineInput,
    ) -> Result<DeleteStateMachineOutput, Refusal> {
        let asked = MachineRef::parse_unqualified(&input.state_machine_arn)?;
        if let Some(arn) = self.own_machine(place, &asked).map(|machine| machine.current.arn.clone()) {
            let deleted = self.machines.remove(&arn).map(|machine| machine.current);
            deleted.into_iter().for_each(|row| self.revisions.keep(row));
            self.changed.machines.insert(arn);
        }
        Ok(DeleteStateMachineOutput {})
    }
}

/// Whether creating the second after the first is the same request again. Role and tags do not count.
fn is_same_machine(known: &MachineRow, asked: &MachineRow) -> bool {
    known.definition_text == asked.definition_text
        && known.express == asked.express
        && is_same_logging(known.logging_configuration.as_ref(), asked.logging_configuration.as_ref())
        && known.tracing_configuration == asked.tracing_configuration
        && known.encryption_configuration == asked.encryption_configuration
}

/// An empty list of destinations is shown as it was given, and means none.
fn is_same_logging(known: Option<&LoggingConfiguration>, asked: Option<&LoggingConfiguration>) -> bool {
    let meant = |given: Option<&LoggingConfiguration>| {
        let mut meant = logging(given.cloned());
        meant.destinations = meant.destinations.filter(|destinations| !destinations.is_empty());
        meant
    };
    meant(known) == meant(asked)
}

/// Which events are logged, with every default said.
fn logging(given: Option<LoggingConfiguration>) -> LoggingConfiguration {
    let given = given.unwrap_or(LoggingConfiguration { level: None, include_execution_data: None, destinations: None });
    LoggingConfiguration {
        level: given.level.or(Some(LogLevel::Off)),
        include_execution_data: given.include_execution_data.or(Some(false)),
        destinations: given.destinations,
    }
}

/// Whether executions are traced, said in any case.
fn tracing(given: Option<TracingConfiguration>) -> TracingConfiguration {
    TracingConfiguration { enabled: Some(given.and_then(|given| given.enabled).unwrap_or(false)) }
}

fn list_item(row: &MachineRow) -> StateMachineListItem {
    StateMachineListItem {
        state_machine_arn: row.arn.clone(),
        name: row.name.clone(),
        kind: row.kind(),
        creation_date: row.created_at,
    }
}
