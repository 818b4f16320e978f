//! Tags of functions and event source mappings.

use std::sync::Arc;

use stepwell_json::{Json, Object};

use crate::actions::Request;
use crate::core::Core;
use crate::function::without;
use crate::input::members;
use crate::names::Target;
use crate::refusal::Refusal;

/// How many a resource may have.
const TAGS_MAX: usize = 50;

/// What an ARN names.
enum Tagged {
    Function(Target),
    Mapping(Arc<str>),
}

fn tagged(request: Request<'_>) -> Result<Tagged, Refusal> {
    let arn = request.input.required("Resource")?;
    if let Some((_, id)) = arn.split_once(":event-source-mapping:") {
        return Ok(Tagged::Mapping(id.into()));
    }
    let target = Target::read(request.place, arn, None)?;
    match target.qualifier {
        None => Ok(Tagged::Function(target)),
        Some(_) => Err(Refusal::invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        )),
    }
}

async fn edit(
    core: &Arc<Core>,
    request: Request<'_>,
    change: impl FnOnce(&Object) -> Result<Object, Refusal>,
) -> Result<Json, Refusal> {
    match tagged(request)? {
        Tagged::Function(target) => {
            core.book
                .edit(&target, |function| {
                    function.tags = change(&function.tags)?;
                    Ok(())
                })
                .await?;
        }
        Tagged::Mapping(id) => {
            let mapping = core.book.mapping(request.place, &id)?;
            let tags = change(&mapping.tags)?;
            let changed = crate::mapping::Mapping { tags, ..(*mapping).clone() };
            core.book.change_mapping(&id, |_| Ok((Some(changed), ()))).await?;
        }
    }
    Ok(Json::empty_object())
}

pub(crate) async fn tag(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let given = request
        .input
        .object("Tags")?
        .cloned()
        .ok_or_else(|| Refusal::constraint("tags", "null", "must not be null"))?;
    edit(core, request, |before| {
        let mut tags = before.to_builder();
        for (name, value) in &given {
            tags.insert(name.clone(), value.clone());
        }
        match tags.len() > TAGS_MAX {
            true => Err(Refusal::invalid(format!("A resource has at most {TAGS_MAX} tags."))),
            false => Ok(tags.build()),
        }
    })
    .await
}

pub(crate) async fn untag(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let names = request.input.items("TagKeys")?;
    edit(core, request, |before| {
        Ok(names.iter().filter_map(Json::as_str).fold(before.clone(), |tags, name| without(&tags, name)))
    })
    .await
}

pub(crate) fn list(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let tags = match tagged(request)? {
        Tagged::Function(target) => core.book.function(&target)?.tags.clone(),
        Tagged::Mapping(id) => core.book.mapping(request.place, &id)?.tags.clone(),
    };
    Ok(members([("Tags", Some(Json::from(tags)))]))
}
