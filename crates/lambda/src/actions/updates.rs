//! Changes of a function's latest version: its code and its configuration.

use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};

use crate::actions::{Request, functions, versions};
use crate::clock;
use crate::configuration;
use crate::core::Core;
use crate::function::Version;
use crate::names::{LATEST, Target};
use crate::refusal::Refusal;

/// The function that is updated: without a qualifier, or with that of the version that can be.
fn target(request: Request<'_>) -> Result<Target, Refusal> {
    let target = request.target()?;
    match target.qualifier.as_deref() {
        None | Some(LATEST) => Ok(target),
        Some(_) => Err(Refusal::invalid("Only the $LATEST version of a function can be updated.")),
    }
}

fn check_revision(request: Request<'_>, version: &Version) -> Result<(), Refusal> {
    match request.input.text("RevisionId")? {
        Some(revision) if *revision != version.revision => Err(Refusal::stale()),
        Some(_) | None => Ok(()),
    }
}

fn renewed(before: &Version, request: Request<'_>) -> Version {
    Version { revision: clock::uuid().into(), modified: clock::modified_text(request.now).into(), ..before.clone() }
}

pub(crate) async fn code(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let input = request.input;
    let target = target(request)?;
    check_revision(request, &core.book.function(&target)?.latest)?;
    let source = functions::source(core, request, input).await?;
    let _coding = core.coding.lock().await;
    let code = functions::kept(core, source).await?;
    let before = core.book.function(&target)?;
    let changed = |version: &Version| Version { code: code.clone(), ..renewed(version, request) };
    let with_architectures = |mut version: Version| {
        if let Some(given) = input.member("Architectures") {
            version.settings = version.settings.with("Architectures", given.clone());
        }
        version
    };
    if input.flag("DryRun")?.unwrap_or(false) {
        let shown = configuration::shown(&target.key, &with_architectures(changed(&before.latest)), false);
        core.forget_code(&code);
        return Ok(Json::from(shown));
    }
    let publish = input.flag("Publish")?.unwrap_or(false);
    let shown = core
        .book
        .edit(&target, |function| {
            check_revision(request, &function.latest)?;
            function.latest = Arc::new(with_architectures(changed(&function.latest)));
            Ok(match publish {
                true => {
                    let published = versions::publish_latest(function, None, request.now);
                    configuration::shown(&target.key, &published, true)
                }
                false => configuration::shown(&target.key, &function.latest, false),
            })
        })
        .await?;
    core.forget_unused(&before, core.book.find(&target.key).as_deref());
    Ok(Json::from(shown))
}

pub(crate) async fn configuration(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = target(request)?;
    let before = core.book.function(&target)?;
    if let Some(runtime) = request.input.text("Runtime")? {
        core.programs.of(runtime).await?;
    }
    let shown = core
        .book
        .edit(&target, |function| {
            check_revision(request, &function.latest)?;
            let settings = configuration::updated(&target.key, &function.latest.settings, request.input)?;
            function.latest = Arc::new(Version { settings, ..renewed(&function.latest, request) });
            Ok(configuration::shown(&target.key, &function.latest, false))
        })
        .await?;
    core.forget_unused(&before, core.book.find(&target.key).as_deref());
    let mut answer: ObjectBuilder = shown.to_builder();
    answer.insert("LastUpdateStatus", Json::from("Successful"));
    Ok(Json::from(answer.build()))
}
