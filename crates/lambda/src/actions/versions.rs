//! Versions: snapshots of the latest one, numbered from 1.

use std::sync::Arc;

use stepwell_json::{Json, Object};
use stepwell_spec::Timestamp;

use crate::actions::{Request, pages};
use crate::clock;
use crate::code::digest_text;
use crate::configuration;
use crate::core::Core;
use crate::function::{Code, Function, Version};
use crate::refusal::Refusal;

/// Publishes the latest version. Nothing new since the last one gives that one again.
pub(crate) fn publish_latest(function: &mut Function, description: Option<Arc<str>>, now: Timestamp) -> Arc<Version> {
    let latest = &function.latest;
    let settings = match description {
        Some(description) => latest.settings.with("Description", Json::from(description)),
        None => latest.settings.clone(),
    };
    let undescribed = |settings: &Object| settings.with("Description", Json::from(""));
    let last = function
        .published
        .last()
        .filter(|last| last.code == latest.code && undescribed(&last.settings) == undescribed(&settings));
    if let Some(last) = last {
        return last.clone();
    }
    let version = Arc::new(Version {
        name: function.next_version.to_string().into(),
        settings,
        code: latest.code.clone(),
        revision: clock::uuid().into(),
        modified: clock::modified_text(now).into(),
    });
    function.next_version += 1;
    function.published.push(version.clone());
    version
}

pub(crate) async fn publish(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let input = request.input;
    let (description, revision) = (input.text("Description")?.cloned(), input.text("RevisionId")?);
    let expected = input.text("CodeSha256")?;
    let published = core
        .book
        .edit(&target, |function| {
            if revision.is_some_and(|revision| *revision != function.latest.revision) {
                return Err(Refusal::stale());
            }
            if let (Some(expected), Code::Zip { digest, .. }) = (expected, &function.latest.code) {
                let current = digest_text(digest);
                if **expected != *current {
                    return Err(Refusal::invalid(format!(
                        "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({current}). Please try \
                         again with the CodeSHA256 in $LATEST."
                    )));
                }
            }
            Ok(publish_latest(function, description, request.now))
        })
        .await?;
    Ok(Json::from(configuration::shown(&target.key, &published, true)))
}

pub(crate) fn list(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let function = core.book.function(&target)?;
    let row = |version: &Arc<Version>| {
        (version.name.to_string(), Json::from(configuration::shown(&function.key, version, true)))
    };
    pages::page(request, "Versions", function.versions().map(row), 50)
}
