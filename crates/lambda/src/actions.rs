//! What each action does. What AWS has beyond these is refused by name.

mod account;
mod aliases;
mod concurrency;
mod functions;
pub(crate) mod functions_named;
mod invoke_configs;
mod mappings;
mod pages;
mod policy;
mod tags;
mod updates;
mod versions;

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_protocol::{Place, validate};
use stepwell_spec::Timestamp;

use crate::core::Core;
use crate::input::{Input, lower_first};
use crate::names::Target;
use crate::refusal::Refusal;

/// A call on its way.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) place: &'a Place,
    pub(crate) input: Input<'a>,
    pub(crate) now: Timestamp,
}

impl Request<'_> {
    /// What `FunctionName` and `Qualifier` mean.
    pub(crate) fn target(&self) -> Result<Target, Refusal> {
        Target::read(self.place, self.input.required("FunctionName")?, self.input.text("Qualifier")?)
    }
}

/// Does an action that is not an invocation.
pub(crate) async fn perform(core: &Arc<Core>, action: &str, request: Request<'_>) -> Result<Json, Refusal> {
    match action {
        "CreateFunction" => functions::create(core, request).await,
        "GetFunction" => functions::get(core, request),
        "GetFunctionConfiguration" => functions::get_configuration(core, request),
        "ListFunctions" => functions::list(core, request),
        "DeleteFunction" => functions::delete(core, request).await,
        "UpdateFunctionCode" => updates::code(core, request).await,
        "UpdateFunctionConfiguration" => updates::configuration(core, request).await,
        "PublishVersion" => versions::publish(core, request).await,
        "ListVersionsByFunction" => versions::list(core, request),
        "CreateAlias" => aliases::create(core, request).await,
        "UpdateAlias" => aliases::update(core, request).await,
        "GetAlias" => aliases::get(core, request),
        "ListAliases" => aliases::list(core, request),
        "DeleteAlias" => aliases::delete(core, request).await,
        "TagResource" => tags::tag(core, request).await,
        "UntagResource" => tags::untag(core, request).await,
        "ListTags" => tags::list(core, request),
        "AddPermission" => policy::add(core, request).await,
        "RemovePermission" => policy::remove(core, request).await,
        "GetPolicy" => policy::get(core, request),
        "PutFunctionConcurrency" => concurrency::put(core, request).await,
        "GetFunctionConcurrency" => concurrency::get(core, request),
        "DeleteFunctionConcurrency" => concurrency::delete(core, request).await,
        "PutFunctionEventInvokeConfig" => invoke_configs::put(core, request, false).await,
        "UpdateFunctionEventInvokeConfig" => invoke_configs::put(core, request, true).await,
        "GetFunctionEventInvokeConfig" => invoke_configs::get(core, request),
        "ListFunctionEventInvokeConfigs" => invoke_configs::list(core, request),
        "DeleteFunctionEventInvokeConfig" => invoke_configs::delete(core, request).await,
        "CreateEventSourceMapping" => mappings::create(core, request).await,
        "UpdateEventSourceMapping" => mappings::update(core, request).await,
        "GetEventSourceMapping" => mappings::get(core, request),
        "ListEventSourceMappings" => mappings::list(core, request),
        "DeleteEventSourceMapping" => mappings::delete(core, request).await,
        "GetAccountSettings" => account::settings(core, request),
        other => Err(Refusal::unknown_action(other)),
    }
}

/// Holds an input against what the model demands of it: what must be there, lengths and ranges.
pub(crate) fn check(action: &str, input: &Json) -> Result<(), Refusal> {
    let Some(service) = stepwell_protocol::service("lambda") else { return Ok(()) };
    let Some(part) = service.operation(action).and_then(|operation| operation.input.as_ref()) else { return Ok(()) };
    let Some(unfit) = validate(service, part, input).into_iter().next() else { return Ok(()) };
    let place: Vec<String> = unfit.path.split('.').map(lower_first).collect();
    let value = unfit.path.split('.').try_fold(input, |value, name| value.get(name));
    let value = match value {
        // Code and payloads are not repeated.
        Some(Json::String(text)) if text.len() <= 256 => format!("'{text}'"),
        Some(Json::Number(number)) => format!("'{number}'"),
        None => "null".to_owned(),
        Some(_) => "at fault".to_owned(),
    };
    let constraint = unfit.reason.strip_prefix("must ").map_or(unfit.reason.clone(), |rest| format!("must {rest}"));
    Err(Refusal::constraint(&place.join("."), &value, &constraint))
}
