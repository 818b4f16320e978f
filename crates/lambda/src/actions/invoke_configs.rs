//! How asynchronous invocations of a function, version or alias are retried, and who is told of their end.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};

use crate::actions::{Request, pages};
use crate::core::Core;
use crate::destinations;
use crate::function::{Function, without};
use crate::names::{LATEST, Target};
use crate::refusal::Refusal;

fn qualifier(target: &Target) -> &str {
    target.qualifier.as_deref().unwrap_or(LATEST)
}

fn missing(target: &Target) -> Refusal {
    let arn = target.key.qualified_arn(qualifier(target));
    Refusal::missing(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

fn check_qualifier(function: &Function, target: &Target) -> Result<(), Refusal> {
    let qualifier = qualifier(target);
    match function.version(qualifier).is_some() || function.alias(qualifier).is_some() {
        true => Ok(()),
        false => Err(Refusal::function_not_found(&target.to_string())),
    }
}

/// Puts a configuration in the place of what was there; an update changes what it gives and leaves the rest.
pub(crate) async fn put(core: &Arc<Core>, request: Request<'_>, is_update: bool) -> Result<Json, Refusal> {
    let target = request.target()?;
    let input = request.input;
    for which in ["OnSuccess", "OnFailure"] {
        if let Some(arn) = input.below("DestinationConfig").below(which).text("Destination")? {
            destinations::check(arn)?;
        }
    }
    if !is_update
        && ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"]
            .iter()
            .all(|name| input.member(name).is_none())
    {
        return Err(Refusal::invalid("You must specify at least one of error handling or destination setting."));
    }
    core.book
        .edit(&target, |function| {
            check_qualifier(function, &target)?;
            let name = qualifier(&target);
            let before = function.invoke_configs.get(name).and_then(Json::as_object).cloned();
            let mut config = match (is_update, before) {
                (true, None) => return Err(missing(&target)),
                (true, Some(before)) => before.to_builder(),
                (false, _) => ObjectBuilder::new(),
            };
            config.insert("LastModified", Json::from_f64(request.now.seconds()).unwrap_or(Json::Null));
            config.insert("FunctionArn", Json::from(target.key.qualified_arn(name)));
            for member in ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"] {
                if let Some(value) = input.member(member) {
                    config.insert(member, value.clone());
                }
            }
            if config.get("DestinationConfig").is_none() {
                let nowhere = Json::object([("OnSuccess", Json::empty_object()), ("OnFailure", Json::empty_object())]);
                config.insert("DestinationConfig", nowhere);
            }
            let config = Json::from(config.build());
            function.invoke_configs = function.invoke_configs.with(name, config.clone());
            Ok(config)
        })
        .await
}

pub(crate) fn get(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let function = core.book.function(&target)?;
    function.invoke_configs.get(qualifier(&target)).cloned().ok_or_else(|| missing(&target))
}

pub(crate) fn list(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let function = core.book.function(&request.target()?)?;
    let rows = function.invoke_configs.iter().map(|(name, config)| (name.to_string(), config.clone()));
    pages::page(request, "FunctionEventInvokeConfigs", rows, 50)
}

pub(crate) async fn delete(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    core.book
        .edit(&target, |function| {
            let name = qualifier(&target);
            if !function.invoke_configs.contains_key(name) {
                return Err(missing(&target));
            }
            function.invoke_configs = without(&function.invoke_configs, name);
            Ok(Json::empty_object())
        })
        .await
}
