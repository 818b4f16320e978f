//! What a tested state sees around it: an execution that nobody started, its variables, and the items it would read.

use std::sync::Arc;

use stepwell_asl::WorkflowId;
use stepwell_interpreter::{Chance, Identity, Settings, Start, TestSetup, Tokens};
use stepwell_json::Json;
use stepwell_spec::Text;
use stepwell_spec::shapes::TestStateInput;

use super::items::{ItemsRead, read_items};
use super::subject::Subject;
use crate::checks::execution_input;
use crate::refusal::Refusal;
use crate::service::Place;

/// Puts together what the state is tested with.
pub(super) fn setup(
    place: &Place,
    input: &TestStateInput,
    subject: &Subject,
    chance: &Chance,
) -> Result<TestSetup, Refusal> {
    let configuration = input.state_configuration.as_ref();
    let data = configuration.and_then(|configuration| configuration.map_item_reader_data.as_deref());
    let read = data.map(|data| read_items(subject.state(), data)).transpose()?;
    let ItemsRead { items, after_pointer } = read.unwrap_or_default();
    let retry_count = configuration.and_then(|configuration| configuration.retrier_retry_count).unwrap_or(0);
    let start = Start {
        definition: subject.definition.clone(),
        workflow: WorkflowId::ROOT,
        identity: Arc::new(identity(place, input.role_arn.as_ref(), chance)),
        settings: Settings::express(),
        tokens: Tokens::default(),
        input: execution_input(input.input.as_deref())?,
        input_text: input.input.clone(),
    };
    Ok(TestSetup {
        start,
        state: subject.id,
        variables: members(input.variables.as_deref())?,
        retry_count: u64::try_from(retry_count).unwrap_or(0),
        context: input.context.as_deref().map(Json::parse).transpose().map_err(|_| not_an_object())?,
        items,
        after_items_pointer: after_pointer,
    })
}

/// As seen in context objects: an Express execution of a machine, both under names that nobody gave.
fn identity(place: &Place, role_arn: Option<&Text>, chance: &Chance) -> Identity {
    let Place { account, region } = place;
    let (name, machine) = (chance.uuid(), chance.uuid());
    Identity {
        arn: format!("arn:aws:states:{region}:{account}:express:{machine}:{name}").into(),
        name: name.into(),
        role_arn: role_arn.cloned().unwrap_or_else(|| "".into()),
        state_machine_arn: format!("arn:aws:states:{region}:{account}:stateMachine:{machine}").into(),
        state_machine_name: machine.into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        region: region.as_str().into(),
    }
}

/// The variables, in the order they are given.
fn members(text: Option<&str>) -> Result<Vec<(Text, Json)>, Refusal> {
    let Some(text) = text else { return Ok(Vec::new()) };
    match Json::parse(text) {
        Ok(Json::Object(members)) => Ok(members.iter().map(|(name, value)| (name.clone(), value.clone())).collect()),
        Ok(_) | Err(_) => Err(not_an_object()),
    }
}

fn not_an_object() -> Refusal {
    Refusal::invalid_request("Variables and context must be JSON objects")
}
