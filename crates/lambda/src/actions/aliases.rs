//! Aliases: names for one version, or for two with a part of the invocations each.

use std::sync::Arc;

use stepwell_json::{Json, Object, ObjectBuilder};

use crate::actions::{Request, pages};
use crate::clock;
use crate::core::Core;
use crate::function::{Alias, Function};
use crate::input::members;
use crate::names::{Key, LATEST, Target, is_alias_name};
use crate::refusal::Refusal;

fn shown(key: &Key, alias: &Alias) -> Json {
    let weights = || members([("AdditionalVersionWeights", Some(Json::from(alias.weights.clone())))]);
    members([
        ("AliasArn", Some(Json::from(key.qualified_arn(&alias.name)))),
        ("Name", Some(Json::string(alias.name.clone()))),
        ("FunctionVersion", Some(Json::string(alias.version.clone()))),
        ("Description", Some(Json::string(alias.description.clone()))),
        ("RoutingConfig", (!alias.weights.is_empty()).then(weights)),
        ("RevisionId", Some(Json::string(alias.revision.clone()))),
    ])
}

fn unknown_alias(key: &Key, name: &str) -> Refusal {
    Refusal::missing(format!("Cannot find alias arn: {}", key.qualified_arn(name)))
}

fn check_version(function: &Function, version: &str) -> Result<(), Refusal> {
    match function.version(version) {
        Some(_) => Ok(()),
        None => Err(Refusal::function_not_found(&function.key.qualified_arn(version))),
    }
}

/// The other version and its part.
fn weights(function: &Function, version: &str, request: Request<'_>) -> Result<Option<Object>, Refusal> {
    if request.input.member("RoutingConfig").is_none() {
        return Ok(None);
    }
    let weights = request.input.below("RoutingConfig").object("AdditionalVersionWeights")?.cloned();
    let weights = weights.unwrap_or_else(|| ObjectBuilder::new().build());
    if weights.len() > 1 {
        return Err(Refusal::invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    for (other, weight) in &weights {
        if [&**other, version].contains(&LATEST) {
            return Err(Refusal::invalid("$LATEST is not supported for an alias pointing to more than 1 version"));
        }
        if **other == *version {
            return Err(Refusal::invalid(format!(
                "Invalid function version {other}. Function version {other} is already included in routing configuration."
            )));
        }
        check_version(function, other)?;
        if !weight.as_f64().is_some_and(|weight| (0.0..=1.0).contains(&weight)) {
            return Err(Refusal::constraint(
                "routingConfig.additionalVersionWeights",
                &format!("'{weight}'"),
                "must have value between 0.0 and 1.0",
            ));
        }
    }
    Ok(Some(weights))
}

pub(crate) async fn create(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let input = request.input;
    let (name, version) = (input.required("Name")?.clone(), input.required("FunctionVersion")?.clone());
    if !is_alias_name(&name) {
        return Err(Refusal::constraint(
            "name",
            &format!("'{name}'"),
            "must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
        ));
    }
    let description = input.text("Description")?.cloned().unwrap_or_else(|| "".into());
    core.book
        .edit(&target, |function| {
            if function.alias(&name).is_some() {
                return Err(Refusal::conflict(format!("Alias already exists: {}", target.key.qualified_arn(&name))));
            }
            check_version(function, &version)?;
            let weights = weights(function, &version, request)?.unwrap_or_else(|| ObjectBuilder::new().build());
            let alias = Alias { name, version, description, weights, revision: clock::uuid().into() };
            let shown = shown(&target.key, &alias);
            function.aliases.push(alias);
            Ok(shown)
        })
        .await
}

pub(crate) async fn update(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let input = request.input;
    let name = input.required("Name")?;
    let (version, description) = (input.text("FunctionVersion")?.cloned(), input.text("Description")?.cloned());
    let revision = input.text("RevisionId")?;
    core.book
        .edit(&target, |function| {
            let before = function.alias(name).ok_or_else(|| unknown_alias(&target.key, name))?.clone();
            if revision.is_some_and(|revision| *revision != before.revision) {
                return Err(Refusal::stale());
            }
            let version = version.unwrap_or(before.version);
            check_version(function, &version)?;
            let alias = Alias {
                weights: weights(function, &version, request)?.unwrap_or(before.weights),
                version,
                description: description.unwrap_or(before.description),
                revision: clock::uuid().into(),
                name: before.name,
            };
            let shown = shown(&target.key, &alias);
            let place = function.aliases.iter_mut().find(|known| known.name == alias.name);
            if let Some(place) = place {
                *place = alias;
            }
            Ok(shown)
        })
        .await
}

fn named(request: Request<'_>) -> Result<(Target, Arc<str>), Refusal> {
    Ok((request.target()?, request.input.required("Name")?.clone()))
}

pub(crate) fn get(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let (target, name) = named(request)?;
    let function = core.book.find(&target.key).ok_or_else(|| unknown_alias(&target.key, &name))?;
    let alias = function.alias(&name).ok_or_else(|| unknown_alias(&target.key, &name))?;
    Ok(shown(&target.key, alias))
}

pub(crate) fn list(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let function = core.book.function(&target)?;
    let version = request.input.text("FunctionVersion")?;
    let mut aliases: Vec<&Alias> = function
        .aliases
        .iter()
        .filter(|alias| version.is_none_or(|version| alias.version == *version || alias.weights.contains_key(version)))
        .collect();
    aliases.sort_by(|one, other| one.name.cmp(&other.name));
    let rows = aliases.into_iter().map(|alias| (alias.name.to_string(), shown(&function.key, alias)));
    pages::page(request, "Aliases", rows, 50)
}

pub(crate) async fn delete(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let (target, name) = named(request)?;
    core.book
        .edit(&target, |function| {
            // AWS answers as well when there is no such alias.
            function.aliases.retain(|alias| alias.name != name);
            Ok(Json::empty_object())
        })
        .await
}
