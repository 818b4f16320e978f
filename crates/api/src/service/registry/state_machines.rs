//! State machines: create, update, describe, list, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_asl::variable_references;
use stepwell_interpreter::Chance;
use stepwell_spec::shapes::{
    CreateStateMachineInput, CreateStateMachineOutput, DeleteStateMachineInput, DeleteStateMachineOutput,
    DescribeStateMachineInput, DescribeStateMachineOutput, ListStateMachinesInput, ListStateMachinesOutput, LogLevel,
    LoggingConfiguration, StateMachineListItem, StateMachineStatus, StateMachineType, TracingConfiguration,
    UpdateStateMachineInput, UpdateStateMachineOutput,
};
use stepwell_spec::{Action, Exception, Timestamp};

use super::{Machine, MachineRow, Page, Registry, aws_owned_key, own_machine_mut, page};
use crate::arns::{MachineRef, Qualifier};
use crate::definitions::compile_definition;
use crate::pages::PageSeal;
use crate::refusal::Refusal;
use crate::service::Place;

impl Registry {
    pub(in crate::service) fn create_state_machine(
        &mut self,
        place: &Place,
        input: CreateStateMachineInput,
        now: Timestamp,
    ) -> Result<CreateStateMachineOutput, Refusal> {
        let definition = compile_definition(&input.definition, input.kind)?;
        let arn = place.arn(format_args!("stateMachine:{}", input.name));
        let mut row = MachineRow {
            number: 0,
            arn: arn.clone(),
            name: input.name,
            definition_text: input.definition,
            definition: Arc::new(definition).into(),
            role_arn: input.role_arn,
            express: input.kind == Some(StateMachineType::Express),
            logging_configuration: Some(input.logging_configuration.map_or_else(logging_off, with_defaults)),
            tracing_configuration: Some(
                input.tracing_configuration.unwrap_or(TracingConfiguration { enabled: Some(false) }),
            ),
            encryption_configuration: input.encryption_configuration,
            revision_id: None,
            created_at: now,
            updated_at: now,
        };
        let publish = input.publish == Some(true);
        if let Some(known) = self.machines.get_mut(&arn) {
            if !is_same_machine(&known.current, &row) {
                return Err(Refusal::state_machine_already_exists(&arn));
            }
            let creation_date = known.current.created_at;
            let state_machine_version_arn =
                publish.then(|| known.publish(input.version_description, now, &mut self.changed));
            return Ok(CreateStateMachineOutput { state_machine_arn: arn, creation_date, state_machine_version_arn });
        }
        row.number = self.revisions.next_number();
        let mut machine = Machine {
            order: row.number,
            current: self.revisions.remember(row),
            versions: BTreeMap::new(),
            last_version: 0,
            aliases: BTreeMap::new(),
            tags: input.tags.unwrap_or_default(),
        };
        let state_machine_version_arn =
            publish.then(|| machine.publish(input.version_description, now, &mut self.changed));
        self.changed.revisions.push(machine.current.clone());
        self.changed.machines.insert(arn.clone());
        self.machines.insert(arn.clone(), machine);
        Ok(CreateStateMachineOutput { state_machine_arn: arn, creation_date: now, state_machine_version_arn })
    }

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
        row.logging_configuration = input.logging_configuration.map(with_defaults).or(row.logging_configuration);
        row.tracing_configuration = input.tracing_configuration.or(row.tracing_configuration);
        row.encryption_configuration = input.encryption_configuration.or(row.encryption_configuration);
        // The same again makes no new revision.
        if !is_same_machine(&machine.current, &row) || machine.current.role_arn != row.role_arn {
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
            update_date: now,
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
        let references = variable_references(row.definition()?);
        Ok(DescribeStateMachineOutput {
            state_machine_arn: input.state_machine_arn.clone(),
            name: row.name.clone(),
            status: Some(StateMachineStatus::Active),
            definition: row.definition_text.clone(),
            role_arn: row.role_arn.clone(),
            kind: row.kind(),
            creation_date: version.map_or(row.created_at, |version| version.created_at),
            logging_configuration: row.logging_configuration.clone(),
            tracing_configuration: row.tracing_configuration.clone(),
            label: None,
            revision_id: row.revision_id.clone(),
            description: version.and_then(|version| version.description.clone()),
            encryption_configuration: Some(row.encryption_configuration.clone().unwrap_or_else(aws_owned_key)),
            variable_references: (!references.is_empty()).then_some(references),
        })
    }

    pub(in crate::service) fn list_state_machines(
        &self,
        place: &Place,
        input: &ListStateMachinesInput,
        seal: &PageSeal,
        now: Timestamp,
    ) -> Result<ListStateMachinesOutput, Refusal> {
        let prefix = place.arn("stateMachine:");
        let own = self.machines.iter().filter(|(arn, _)| arn.starts_with(&*prefix));
        let mut machines: Vec<&Machine> = own.map(|(_, machine)| machine).collect();
        machines.sort_by_key(|machine| machine.order);
        let asked = (input.max_results, input.next_token.as_deref());
        let Page { rows, next_token } = page(&machines, (Action::ListStateMachines, place, ""), asked, seal, now)?;
        let state_machines = rows.iter().map(|machine| list_item(&machine.current)).collect();
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
        && known.logging_configuration == asked.logging_configuration
        && known.tracing_configuration == asked.tracing_configuration
        && known.encryption_configuration == asked.encryption_configuration
}

fn logging_off() -> LoggingConfiguration {
    LoggingConfiguration { level: Some(LogLevel::Off), include_execution_data: Some(false), destinations: None }
}

fn with_defaults(given: LoggingConfiguration) -> LoggingConfiguration {
    LoggingConfiguration {
        level: given.level.or(Some(LogLevel::Off)),
        include_execution_data: given.include_execution_data.or(Some(false)),
        destinations: given.destinations,
    }
}

fn list_item(row: &MachineRow) -> StateMachineListItem {
    StateMachineListItem {
        state_machine_arn: row.arn.clone(),
        name: row.name.clone(),
        kind: row.kind(),
        creation_date: row.created_at,
    }
}
