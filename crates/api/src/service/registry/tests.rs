//! A registry and a place to ask it from, for the tests of what it does.

mod creation;
mod durability;
mod listings;
mod places;
mod versions;

use stepwell_interpreter::{Chance, Moment};
use stepwell_spec::shapes::{
    CreateActivityInput, CreateActivityOutput, CreateStateMachineAliasInput, CreateStateMachineAliasOutput,
    CreateStateMachineInput, CreateStateMachineOutput, DescribeStateMachineInput, DescribeStateMachineOutput,
    ListTagsForResourceInput, PublishStateMachineVersionInput, PublishStateMachineVersionOutput,
    RoutingConfigurationListItem, Tag, UpdateStateMachineInput, UpdateStateMachineOutput,
};
use stepwell_spec::{Text, Timestamp};

use super::{Place, Registry};
use crate::pages::PageSeal;
use crate::refusal::Refusal;

/// What a test asks of a registry, and how: the place, a seal and a moment for each action.
struct World {
    registry: Registry,
    place: Place,
    seal: PageSeal,
    now: Timestamp,
}

const ROLE: &str = "arn:aws:iam::123456789012:role/r";

fn definition(comment: u64) -> Text {
    format!(r#"{{"Comment":"{comment}","StartAt":"A","States":{{"A":{{"Type":"Pass","End":true}}}}}}"#).into()
}

fn arn(resource: &str) -> Text {
    format!("arn:aws:states:us-east-1:123456789012:{resource}").into()
}

fn create(name: &str) -> CreateStateMachineInput {
    CreateStateMachineInput {
        name: name.into(),
        definition: definition(0),
        role_arn: ROLE.into(),
        kind: None,
        logging_configuration: None,
        tags: None,
        tracing_configuration: None,
        publish: None,
        version_description: None,
        encryption_configuration: None,
    }
}

fn update(name: &str) -> UpdateStateMachineInput {
    UpdateStateMachineInput {
        state_machine_arn: arn(&format!("stateMachine:{name}")),
        definition: None,
        role_arn: None,
        logging_configuration: None,
        tracing_configuration: None,
        publish: None,
        version_description: None,
        encryption_configuration: None,
    }
}

fn route(version: &str, weight: i64) -> RoutingConfigurationListItem {
    let state_machine_version_arn = arn(&format!("stateMachine:{version}"));
    RoutingConfigurationListItem { state_machine_version_arn, weight }
}

fn tag(key: u64, value: u64) -> Tag {
    Tag { key: Some(format!("k{key}").into()), value: (value > 0).then(|| format!("v{value}").into()) }
}

impl World {
    fn new() -> World {
        World {
            registry: Registry::default(),
            place: Place { account: "123456789012".into(), region: "us-east-1".into() },
            seal: PageSeal::new(&[7; 32]),
            now: Timestamp(1_700_000_000_000),
        }
    }

    fn chance(&self) -> Chance {
        Chance::new(Moment { now: self.now, entropy: self.now.0 as u64 })
    }

    fn create(&mut self, input: CreateStateMachineInput) -> Result<CreateStateMachineOutput, Refusal> {
        self.registry.create_state_machine(&self.place, input, self.now)
    }

    fn update(&mut self, input: UpdateStateMachineInput) -> Result<UpdateStateMachineOutput, Refusal> {
        let chance = self.chance();
        self.registry.update_state_machine(&self.place, input, self.now, &chance)
    }

    /// Publishes `m`.
    fn publish(&mut self, revision_id: Option<&str>) -> Result<PublishStateMachineVersionOutput, Refusal> {
        let input = PublishStateMachineVersionInput {
            state_machine_arn: arn("stateMachine:m"),
            revision_id: revision_id.map(Into::into),
            description: None,
        };
        self.registry.publish_state_machine_version(&self.place, input, self.now)
    }

    fn create_alias(
        &mut self,
        name: &str,
        routing_configuration: Vec<RoutingConfigurationListItem>,
    ) -> Result<CreateStateMachineAliasOutput, Refusal> {
        let input = CreateStateMachineAliasInput { description: None, name: name.into(), routing_configuration };
        self.registry.create_state_machine_alias(&self.place, input, self.now)
    }

    fn create_activity(&mut self, name: &str) -> Result<CreateActivityOutput, Refusal> {
        let input = CreateActivityInput { name: name.into(), tags: None, encryption_configuration: None };
        self.registry.create_activity(&self.place, input, self.now)
    }

    fn describe(&self, arn: &str) -> Result<DescribeStateMachineOutput, Refusal> {
        let asked = DescribeStateMachineInput { state_machine_arn: arn.into(), included_data: None };
        self.registry.describe_state_machine(&self.place, &asked)
    }

    fn tags(&self, arn: &str) -> Result<Vec<Tag>, Refusal> {
        let asked = ListTagsForResourceInput { resource_arn: arn.into() };
        self.registry.list_tags_for_resource(&self.place, &asked).map(|output| output.tags.unwrap_or_default())
    }
}

/// What somebody was told, as text; nothing when nothing was refused.
fn refused<T>(answer: Result<T, Refusal>) -> String {
    answer.err().map(|refusal| refusal.to_string()).unwrap_or_default()
}
