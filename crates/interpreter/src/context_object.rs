//! The context object: `$$` in JSONPath, `$states.context` in JSONata. Built only when an expression reads it.

use stepwell_asl::StateKind;
use stepwell_json::{Json, ObjectBuilder};
use stepwell_spec::Text;

use crate::execution::{Active, Execution, Item, ThreadId};

/// The context object as an expression of the thread's current state sees it.
///
/// `item` stands in for the thread's own while a Map state prepares an iteration; `token` is there for tasks that wait
/// for one.
pub(crate) fn context_object(
    execution: &Execution,
    thread: ThreadId,
    item: Option<&Item>,
    token: Option<&Text>,
) -> Json {
    let mut context = ObjectBuilder::with_capacity(5);
    context.insert("Execution", execution_part(execution));
    if let Some(item) = item.or_else(|| execution.item(thread)) {
        context.insert("Map", Json::object([("Item", item_part(item))]));
    }
    context.insert("StateMachine", state_machine_part(execution));
    if let Some(active) = execution.find_entered(thread) {
        context.insert("State", state_part(execution, active));
    }
    if let Some(token) = token {
        context.insert("Task", Json::object([("Token", Json::String(token.clone()))]));
    }
    Json::Object(context.build())
}

/// The context object that a test gives, with what only the state itself can know.
pub(crate) fn given_context_object(given: &Json, item: Option<&Item>, token: Option<&Text>) -> Json {
    let Json::Object(given) = given else { return given.clone() };
    let mut context = given.to_builder();
    if let Some(item) = item {
        context.insert("Map", Json::object([("Item", item_part(item))]));
    }
    if let Some(token) = token.filter(|_| !given.contains_key("Task")) {
        context.insert("Task", Json::object([("Token", Json::String(token.clone()))]));
    }
    Json::Object(context.build())
}

fn execution_part(execution: &Execution) -> Json {
    let identity = &execution.identity;
    let mut part = ObjectBuilder::with_capacity(7);
    part.insert("Id", Json::String(identity.arn.clone()));
    part.insert("Input", execution.input.clone());
    part.insert("StartTime", Json::from(execution.started_at.to_string()));
    part.insert("Name", Json::String(identity.name.clone()));
    // Only a state that is tested may have no role.
    if !identity.role_arn.is_empty() {
        part.insert("RoleArn", Json::String(identity.role_arn.clone()));
    }
    if execution.settings.is_redrivable {
        part.insert("RedriveCount", Json::from(execution.redrive_count));
    }
    if let Some(at) = execution.redriven_at {
        part.insert("RedriveTime", Json::from(at.to_string()));
    }
    Json::Object(part.build())
}

fn state_machine_part(execution: &Execution) -> Json {
    let identity = &execution.identity;
    Json::object([
        ("Id", Json::String(identity.state_machine_arn.clone())),
        ("Name", Json::String(identity.state_machine_name.clone())),
    ])
}

fn state_part(execution: &Execution, active: &Active) -> Json {
    let state = execution.definition.state(active.state);
    let mut part = ObjectBuilder::with_capacity(3);
    part.insert("Name", Json::String(state.name.clone()));
    part.insert("EnteredTime", Json::from(active.entered_at.to_string()));
    match state.kind {
        StateKind::Task(_) | StateKind::Parallel(_) | StateKind::Map(_) => {
            part.insert("RetryCount", Json::from(active.retry_count()));
        }
        StateKind::Pass(_) | StateKind::Choice(_) | StateKind::Wait(_) | StateKind::Succeed | StateKind::Fail(_) => {}
    }
    Json::Object(part.build())
}

fn item_part(item: &Item) -> Json {
    let mut part = ObjectBuilder::with_capacity(3);
    part.insert("Index", Json::from(item.index));
    if let Some(key) = &item.key {
        part.insert("Key", Json::String(key.clone()));
    }
    part.insert("Value", item.value.clone());
    if let Some(source) = &item.source {
        part.insert("Source", Json::String(source.clone()));
    }
    Json::Object(part.build())
}
