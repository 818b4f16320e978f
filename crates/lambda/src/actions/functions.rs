//! Functions: created, looked at, listed and deleted.

use std::path::PathBuf;
use std::sync::Arc;

use stepwell_json::{Json, Object, ObjectBuilder};
use stepwell_protocol::{AwsCall, blob_bytes};

use crate::actions::{Request, pages, versions};
use crate::clock;
use crate::configuration;
use crate::core::Core;
use crate::function::{Code, Function, Version};
use crate::input::{Input, members};
use crate::names::{Key, LATEST, Target};
use crate::refusal::Refusal;

/// What stands for a bucket when the code is a directory of this machine.
const DIRECTORY_BUCKET: &str = "hot-reload";

/// A zip that comes with the call.
const ZIP_BYTES_MAX: usize = 52_428_800;

pub(crate) async fn create(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let input = request.input;
    let Target { key, qualifier } = request.target()?;
    if let Some(qualifier) = qualifier {
        return Err(Refusal::invalid(format!("A function is created without a qualifier, not as {qualifier}.")));
    }
    if input.text("PackageType")?.is_some_and(|kind| **kind == *"Image")
        || input.below("Code").member("ImageUri").is_some()
    {
        return Err(Refusal::not_here("A container image (ImageUri)"));
    }
    let (Some(runtime), Some(_)) = (input.text("Runtime")?, input.text("Handler")?) else {
        return Err(Refusal::invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    };
    let settings = configuration::created(&key, input)?;
    core.programs.of(runtime).await?;
    let exists = || Refusal::conflict(format!("Function already exist: {}", key.name));
    if core.book.find(&key).is_some() {
        return Err(exists());
    }
    let source = source(core, request, input.below("Code")).await?;
    let _coding = core.coding.lock().await;
    let code = kept(core, source).await?;
    let version = Version {
        name: LATEST.into(),
        settings,
        code,
        revision: clock::uuid().into(),
        modified: clock::modified_text(request.now).into(),
    };
    let tags = input.object("Tags")?.cloned().unwrap_or_else(|| ObjectBuilder::new().build());
    let mut function = new_function(key.clone(), version, tags);
    let publish = input.flag("Publish")?.unwrap_or(false);
    let shown = match publish {
        true => {
            let published = versions::publish_latest(&mut function, None, request.now);
            configuration::shown(&key, &published, true)
        }
        false => configuration::shown(&key, &function.latest, false),
    };
    core.book
        .change(&key, |before| match before {
            Some(_) => Err(exists()),
            None => Ok((Some(function), ())),
        })
        .await?;
    Ok(Json::from(shown))
}

/// A function with nothing but its latest version.
pub(crate) fn new_function(key: Key, latest: Version, tags: Object) -> Function {
    let nothing = || ObjectBuilder::new().build();
    Function {
        key,
        latest: Arc::new(latest),
        published: Vec::new(),
        next_version: 1,
        aliases: Vec::new(),
        policies: nothing(),
        reserved: None,
        invoke_configs: nothing(),
        tags,
    }
}

/// Code as a caller gives it.
pub(crate) enum Source {
    Zip(Vec<u8>),
    Directory(PathBuf),
}

/// Reads where code is, and fetches what is in a bucket.
pub(crate) async fn source(core: &Arc<Core>, request: Request<'_>, given: Input<'_>) -> Result<Source, Refusal> {
    if given.member("ImageUri").is_some() {
        return Err(Refusal::not_here("A container image (ImageUri)"));
    }
    if let Some(zip) = given.text("ZipFile")? {
        let zip = blob_bytes(zip).ok_or_else(|| Refusal::invalid("ZipFile is not base64."))?;
        if zip.len() > ZIP_BYTES_MAX {
            return Err(Refusal::new(
                "RequestEntityTooLargeException",
                format!("Request must be smaller than {ZIP_BYTES_MAX} bytes for the function's zip"),
            ));
        }
        return Ok(Source::Zip(zip));
    }
    let (Some(bucket), Some(object)) = (given.text("S3Bucket")?, given.text("S3Key")?) else {
        return Err(Refusal::invalid("Please provide a source for function code."));
    };
    if **bucket == *DIRECTORY_BUCKET {
        return directory(object).map(Source::Directory);
    }
    let input = members([
        ("Bucket", Some(Json::string(bucket.clone()))),
        ("Key", Some(Json::string(object.clone()))),
        ("VersionId", given.text("S3ObjectVersion")?.cloned().map(Json::from)),
    ]);
    let call = AwsCall { service: "s3".into(), action: "GetObject".into(), input };
    match core.peers.ask(request.place, call).await {
        Ok(answer) => answer
            .output
            .get("Body")
            .and_then(Json::as_str)
            .and_then(blob_bytes)
            .map(Source::Zip)
            .ok_or_else(|| Refusal::broken("Amazon S3 gave an object without a body.")),
        Err(error) => Err(Refusal::invalid(format!(
            "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
            error.code,
            error.message.as_deref().unwrap_or_default()
        ))),
    }
}

/// The directory a function is run from.
pub(crate) fn directory(path: &str) -> Result<PathBuf, Refusal> {
    let path = PathBuf::from(path);
    if !path.is_absolute() || !path.is_dir() {
        return Err(Refusal::invalid(format!(
            "S3Key: {} is not the absolute path of a directory of this machine, as S3Bucket {DIRECTORY_BUCKET} asks for.",
            path.display()
        )));
    }
    Ok(path)
}

/// Keeps code that was given.
pub(crate) async fn kept(core: &Arc<Core>, source: Source) -> Result<Code, Refusal> {
    match source {
        Source::Directory(path) => Ok(Code::Directory(path)),
        Source::Zip(zip) => {
            let bytes = zip.len() as u64;
            Ok(Code::Zip { digest: core.code.keep(zip).await?, bytes })
        }
    }
}

/// The version a qualifier means, and the ARN it is shown under.
fn qualified(function: &Function, target: &Target) -> Result<(Arc<Version>, Option<String>), Refusal> {
    let Some(qualifier) = target.qualifier.as_deref() else { return Ok((function.latest.clone(), None)) };
    let named = function.alias(qualifier).map_or(qualifier, |alias| &alias.version);
    let version = function.version(named).ok_or_else(|| Refusal::function_not_found(&target.to_string()))?;
    Ok((version.clone(), Some(target.key.qualified_arn(qualifier))))
}

fn looked_at(core: &Core, request: Request<'_>) -> Result<(Arc<Function>, Arc<Version>, Object), Refusal> {
    let target = request.target()?;
    let function = core.book.function(&target)?;
    let (version, arn) = qualified(&function, &target)?;
    let mut shown = configuration::shown(&target.key, &version, false);
    if let Some(arn) = arn {
        shown = shown.with("FunctionArn", Json::from(arn));
    }
    Ok((function, version, shown))
}

pub(crate) fn get_configuration(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    looked_at(core, request).map(|(_, _, shown)| Json::from(shown))
}

pub(crate) fn get(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let (function, version, shown) = looked_at(core, request)?;
    let location = match &version.code {
        Code::Zip { digest, .. } => format!("file://{}", core.code.zip(digest).display()),
        Code::Directory(path) => format!("file://{}", path.display()),
        Code::Elsewhere(url) => url.to_string(),
    };
    let code = members([("RepositoryType", Some(Json::from("S3"))), ("Location", Some(Json::from(location)))]);
    let reserved = |reserved| members([("ReservedConcurrentExecutions", Some(Json::from(reserved)))]);
    Ok(members([
        ("Configuration", Some(Json::from(shown))),
        ("Code", Some(code)),
        ("Tags", Some(Json::from(function.tags.clone())).filter(|_| !function.tags.is_empty())),
        ("Concurrency", function.reserved.map(reserved)),
    ]))
}

pub(crate) fn list(core: &Core, request: Request<'_>) -> Result<Json, Refusal> {
    let all = match request.input.text("FunctionVersion")?.map(|which| &**which) {
        None => false,
        Some("ALL") => true,
        Some(other) => {
            let place = format!("'{other}'");
            return Err(Refusal::constraint("functionVersion", &place, "must satisfy enum value set: [ALL]"));
        }
    };
    let functions = core.book.functions(request.place);
    let rows = functions.iter().flat_map(|function| {
        let versions: Vec<_> = function.versions().take(if all { usize::MAX } else { 1 }).cloned().collect();
        versions.into_iter().map(move |version| {
            let name = format!("{}:{}", function.key.name, version.name);
            (name, Json::from(configuration::shown(&function.key, &version, all)))
        })
    });
    pages::page(request, "Functions", rows, 50)
}

pub(crate) async fn delete(core: &Arc<Core>, request: Request<'_>) -> Result<Json, Refusal> {
    let target = request.target()?;
    let _coding = core.coding.lock().await;
    let before = core.book.function(&target)?;
    match target.qualifier.as_deref() {
        None => core.book.change(&target.key, |_| Ok((None, ()))).await?,
        Some(LATEST) => {
            return Err(Refusal::invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        Some(qualifier) => {
            core.book
                .edit(&target, |function| {
                    if function.version(qualifier).is_none() {
                        return Err(Refusal::function_not_found(&target.to_string()));
                    }
                    let uses = |alias: &&crate::function::Alias| {
                        *alias.version == *qualifier || alias.weights.contains_key(qualifier)
                    };
                    if let Some(alias) = function.aliases.iter().find(uses) {
                        return Err(Refusal::conflict(format!(
                            "Version {qualifier} of function {} is used by the alias {}.",
                            target.key.name, alias.name
                        )));
                    }
                    function.published.retain(|version| *version.name != *qualifier);
                    Ok(())
                })
                .await?;
        }
    }
    let left = core.book.find(&target.key);
    core.forget_unused(&before, left.as_deref());
    Ok(Json::empty_object())
}
