//! Event source mappings: created, changed, looked at and deleted. Their state changes at once; answers name the change, as on
//! AWS, where it takes a while.

use std::sync::Arc;

use stepwell_json::{Json, Object, ObjectBuilder};

use crate::actions::{Request, pages};
use crate::clock;
use crate::core::Core;
use crate::destinations::queue_url;
use crate::mapping::Mapping;
use crate::names::Target;
use crate::pattern;
use crate::refusal::Refusal;

/// Members that are kept and mean something for a queue.
const KEPT: &[&str] = &[
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "FunctionResponseTypes",
    "FilterCriteria",
    "ScalingConfig",
    "KMSKeyArn",
];

/// Batches of more than this need a window.
const BATCH_WITHOUT_WINDOW_MAX: i64 = 10;
const FIFO_BATCH_MAX: i64 = 10;
const BATCH_MAX: i64 = 10_000;
const FILTERS_MAX: usize = 5;

fn settings(request: Request<'_>, source: &str, before: &Object) -> Result<Object, Refusal> {
    let mut settings: ObjectBuilder = before.to_builder();
    for name in KEPT {
        if let Some(value) = request.input.member(name) {
            settings.insert(*name, value.clone());
        }
    }
    let settings = settings.build();
    let number = |name: &str| settings.get(name).and_then(Json::as_i64);
    let (batch, window) = (number("BatchSize").unwrap_or(10), number("MaximumBatchingWindowInSeconds").unwrap_or(0));
    let is_fifo = source.ends_with(".fifo");
    if is_fifo && window > 0 {
        return Err(Refusal::invalid("Batching window is not supported for FIFO queues"));
    }
    if batch > if is_fifo { FIFO_BATCH_MAX } else { BATCH_MAX } {
        return Err(Refusal::invalid(format!("BatchSize {batch} is more than a queue of this kind gives at a time.")));
    }
    if batch > BATCH_WITHOUT_WINDOW_MAX && window == 0 {
        return Err(Refusal::invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ));
    }
    let filters = settings.get("FilterCriteria").and_then(|of| of.get("Filters")).and_then(Json::as_array);
    let filters = filters.map(|filters| filters.to_vec()).unwrap_or_default();
    if filters.len() > FILTERS_MAX {
        return Err(Refusal::invalid(format!("Filter criteria can have at most {FILTERS_MAX} filters.")));
    }
    for filter in &filters {
        let text = filter.get("Pattern").and_then(Json::as_str).unwrap_or("{}");
        let parsed = Json::parse(text).ok().filter(pattern::is_pattern);
        if parsed.is_none() {
            return Err(Refusal::invalid("Invalid filter pattern definition."));
        }
    }
    Ok(settings)
}

/// The function a mapping is for, with its version or alias where it is there.
fn function(core: &Core, request: Request<'_>) -> Result<Target, Refusal> {
    let target = Target::read(request.place, request.input.required("FunctionName")?, None)?;
    let function = core.book.function(&target)?;
    match target.qualifier.as_deref() {
        Some(qualifier) if function.version(qualifier).is_none() && function.alias(qualifier).is_none() => {
            Err(Refusal::function_not_found(&target.to_string()))
        }
        Some(_) | None => Ok(target),
    }
}

pub(crate) async fn create(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let input = request.input;
    let Some(source) = input.text("EventSourceArn")?.cloned() else {
        return Err(Refusal::not_here("An event source that is not a queue (no EventSourceArn)"));
    };
    let service = source.split(':').nth(2).unwrap_or_default();
    if service != "sqs" {
        return Err(Refusal::not_here(format_args!("An event source of the service {service}")));
    }
    let function = function(core, request)?;
    let nothing = ObjectBuilder::new().build();
    let mapping = Mapping {
        id: clock::uuid().into(),
        settings: settings(request, &source, &nothing)?,
        function,
        enabled: input.flag("Enabled")?.unwrap_or(true),
        modified: request.now,
        tags: input.object("Tags")?.cloned().unwrap_or(nothing),
        source,
    };
    if let Err(error) = queue_url(core, &mapping.source).await {
        tracing::debug!(code = %error.code, "the queue of a mapping was not found");
        return Err(Refusal::invalid(format!(
            "Error occurred while ReceiveMessage. SQS Error Code: {}. SQS Error Message: {}",
            error.code,
            error.message.as_deref().unwrap_or_default()
        )));
    }
    let shown = mapping.shown("Creating");
    let id = mapping.id.clone();
    core.book
        .change_mapping(&id, |all| {
            let same = all.iter().find(|other| {
                other.source == mapping.source && other.function.key == mapping.function.key
            });
            match same {
                Some(other) => Err(Refusal::conflict(format!(
                    "An event source mapping with SQS arn (\" {} \") and function (\" {} \") already exists. Please update or \
                     delete the existing mapping with UUID {}",
                    mapping.source, mapping.function.key.name, other.id
                ))),
                None => Ok((Some(mapping), ())),
            }
        })
        .await?;
    core.pollers.refresh(core);
    Ok(shown)
}

pub(crate) async fn update(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let input = request.input;
    let before = core.book.mapping(request.place, input.required("UUID")?)?;
    let function = match input.member("FunctionName") {
        Some(_) => function(core, request)?,
        None => before.function.clone(),
    };
    let enabled = input.flag("Enabled")?.unwrap_or(before.enabled);
    let after = Mapping {
        settings: settings(request, &before.source, &before.settings)?,
        function,
        enabled,
        modified: request.now,
        ..(*before).clone()
    };
    let shown = after.shown(match (before.enabled, enabled) {
        (true, false) => "Disabling",
        (false, true) => "Enabling",
        _ => "Updating",
    });
    core.book.change_mapping(&before.id, |_| Ok((Some(after), ()))).await?;
    core.pollers.refresh(core);
    Ok(shown)
}

pub(crate) fn get(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let mapping = core.book.mapping(request.place, request.input.required("UUID")?)?;
    Ok(mapping.shown(mapping.state()))
}

pub(crate) fn list(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let input = request.input;
    let source = input.text("EventSourceArn")?;
    let function = match input.text("FunctionName")? {
        Some(name) => {
            let target = Target::read(request.place, name, None)?;
            core.book.function(&target)?;
            Some(target)
        }
        None => None,
    };
    let all = core.book.mappings();
    let rows = all
        .iter()
        .filter(|mapping| mapping.function.key.place == *request.place)
        .filter(|mapping| source.is_none_or(|source| mapping.source == *source))
        .filter(|mapping| function.as_ref().is_none_or(|target| mapping.function.key == target.key))
        .map(|mapping| (mapping.id.to_string(), mapping.shown(mapping.state())));
    pages::page(request, "EventSourceMappings", rows, 100)
}

pub(crate) async fn delete(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let before = core.book.mapping(request.place, request.input.required("UUID")?)?;
    core.book.change_mapping(&before.id, |_| Ok((None, ()))).await?;
    core.pollers.refresh(core);
    Ok(before.shown("Deleting"))
}
