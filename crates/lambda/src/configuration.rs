//! A version's settings: what may be set, what it is when it was not, and how an answer shows it.

use std::path::Path;
use std::sync::Arc;

use stepwell_json::{Json, Object, ObjectBuilder};

use crate::code;
use crate::function::{Code, Version};
use crate::input::{Input, members};
use crate::names::{Key, LATEST};
use crate::refusal::Refusal;

/// Members of a configuration that are kept as they were given.
const KEPT: &[&str] = &[
    "Runtime",
    "Role",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "VpcConfig",
    "DeadLetterConfig",
    "Environment",
    "KMSKeyArn",
    "TracingConfig",
    "EphemeralStorage",
    "SnapStart",
    "LoggingConfig",
    "Architectures",
    "PackageType",
    "RuntimeConfig",
];

/// Members that mean something Lambda does and the local one does not, and what that is. Given empty they mean nothing.
const NOT_HERE: &[(&str, &str)] = &[
    ("Layers", "A layer"),
    ("FileSystemConfigs", "A file system"),
    ("ImageConfig", "A container image"),
    ("CodeSigningConfigArn", "Code signing"),
    ("CapacityProviderConfig", "A capacity provider"),
    ("DurableConfig", "A durable function"),
    ("TenancyConfig", "Tenant isolation"),
    ("AcceleratorConfig", "An accelerator"),
];

/// Variables that are Lambda's own.
const RESERVED_VARIABLES: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// What all variables of a function may come to.
const VARIABLES_BYTES_MAX: usize = 4_096;

const ROLE_PATTERN: &str = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";

/// The settings of a function that is created.
pub(crate) fn created(key: &Key, input: Input<'_>) -> Result<Object, Refusal> {
    let group = format!("/aws/lambda/{}", key.name);
    let defaults = [
        ("Description", Json::from("")),
        ("Timeout", Json::from(3)),
        ("MemorySize", Json::from(128)),
        ("TracingConfig", members([("Mode", Some(Json::from("PassThrough")))])),
        ("EphemeralStorage", members([("Size", Some(Json::from(512)))])),
        ("Architectures", Json::array(vec![Json::from("x86_64")])),
        ("PackageType", Json::from("Zip")),
    ];
    let mut settings = ObjectBuilder::new();
    for (name, value) in defaults {
        settings.insert(name, value);
    }
    set(&mut settings, input, &group)?;
    Ok(settings.build())
}

/// The same with what an update gives in place of what was there.
pub(crate) fn updated(key: &Key, before: &Object, input: Input<'_>) -> Result<Object, Refusal> {
    let mut settings = before.to_builder();
    set(&mut settings, input, &format!("/aws/lambda/{}", key.name))?;
    Ok(settings.build())
}

fn set(settings: &mut ObjectBuilder, input: Input<'_>, group: &str) -> Result<(), Refusal> {
    for (name, what) in NOT_HERE {
        let is_empty = |value: &Json| match value {
            Json::Array(items) => items.is_empty(),
            Json::Object(object) => object.is_empty(),
            Json::String(text) => text.is_empty(),
            _ => false,
        };
        if input.member(name).is_some_and(|value| !is_empty(value)) {
            return Err(Refusal::not_here(format_args!("{what} ({name})")));
        }
    }
    if let Some(role) = input.text("Role")?.filter(|role| !is_role(role)) {
        return Err(Refusal::constraint(
            "role",
            &format!("'{role}'"),
            &format!("must satisfy regular expression pattern: {ROLE_PATTERN}"),
        ));
    }
    check_variables(input)?;
    check_dead_letters(input)?;
    for name in KEPT {
        if let Some(value) = input.member(name) {
            settings.insert(*name, value.clone());
        }
    }
    let logging = input.below("LoggingConfig");
    let format = logging.text("LogFormat")?.cloned().unwrap_or_else(|| "Text".into());
    if settings.get("LoggingConfig").is_none() || input.member("LoggingConfig").is_some() {
        let group = logging.text("LogGroup")?.cloned().unwrap_or_else(|| group.into());
        let of = |name| logging.text(name).map(|text| text.cloned().map(Json::from));
        let level = |name: &'static str| of(name);
        let logging = members([
            ("LogFormat", Some(Json::from(format))),
            ("ApplicationLogLevel", level("ApplicationLogLevel")?),
            ("SystemLogLevel", level("SystemLogLevel")?),
            ("LogGroup", Some(Json::from(group))),
        ]);
        settings.insert("LoggingConfig", logging);
    }
    let apply_on = input.below("SnapStart").text("ApplyOn")?.cloned().unwrap_or_else(|| "None".into());
    if settings.get("SnapStart").is_none() || input.member("SnapStart").is_some() {
        let snap = members([("ApplyOn", Some(Json::from(apply_on))), ("OptimizationStatus", Some(Json::from("Off")))]);
        settings.insert("SnapStart", snap);
    }
    Ok(())
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts[..], ["arn", partition, "iam", "", account, resource]
        if partition.starts_with("aws")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && resource.strip_prefix("role").is_some_and(|name| name.trim_start_matches('/').chars().next().is_some()
                && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "+=,.@-_/".contains(letter))))
}

fn check_variables(input: Input<'_>) -> Result<(), Refusal> {
    let Some(variables) = input.below("Environment").object("Variables")? else { return Ok(()) };
    let reserved: Vec<&str> =
        variables.keys().map(|name| &**name).filter(|name| RESERVED_VARIABLES.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(Refusal::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
             this request: {}",
            reserved.join(", ")
        )));
    }
    for (name, value) in variables {
        let mut letters = name.chars();
        let fits = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && name.len() > 1
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        // A value with NUL cannot be handed to any process.
        if !fits || value.as_str().is_none_or(|text| text.contains('\0')) {
            return Err(Refusal::constraint(
                "environment.variables",
                &format!("'{name}'"),
                "must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
            ));
        }
    }
    let bytes: usize =
        variables.iter().map(|(name, value)| name.len() + value.as_str().unwrap_or_default().len()).sum();
    if bytes > VARIABLES_BYTES_MAX {
        return Err(Refusal::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the 4KB limit. String measured: {}",
            Json::from(variables.clone())
        )));
    }
    Ok(())
}

fn check_dead_letters(input: Input<'_>) -> Result<(), Refusal> {
    let Some(arn) = input.below("DeadLetterConfig").text("TargetArn")?.filter(|arn| !arn.is_empty()) else {
        return Ok(());
    };
    match arn.split(':').nth(2) {
        Some("sqs" | "sns") => Ok(()),
        _ => Err(Refusal::invalid(format!(
            "The provided target arn {arn} is not valid: a dead-letter queue is a queue of SQS or a topic of SNS."
        ))),
    }
}

/// A version as `GetFunctionConfiguration` shows it. `qualified` tells whether the ARN names the version.
pub(crate) fn shown(key: &Key, version: &Version, qualified: bool) -> Object {
    let arn = if qualified { key.qualified_arn(&version.name) } else { key.arn() };
    let mut shown = ObjectBuilder::new();
    let mut put = |name: &'static str, value: Json| shown.insert(name, value);
    put("FunctionName", Json::string(key.name.clone()));
    put("FunctionArn", Json::from(arn));
    for (name, value) in &version.settings {
        shown.insert(name.clone(), value.clone());
    }
    let mut put = |name: &'static str, value: Json| shown.insert(name, value);
    let (bytes, digest) = match &version.code {
        Code::Zip { digest, bytes } => (*bytes, code::digest_text(digest)),
        Code::Directory(path) => (0, code::digest_of(Path::new(path).as_os_str().as_encoded_bytes())),
        Code::Elsewhere(url) => (0, code::digest_of(url.as_bytes())),
    };
    put("CodeSize", Json::from(bytes));
    put("CodeSha256", Json::from(digest));
    put("LastModified", Json::string(version.modified.clone()));
    put("Version", Json::string(version.name.clone()));
    put("RevisionId", Json::string(version.revision.clone()));
    put("State", Json::from("Active"));
    if *version.name == *LATEST {
        put("LastUpdateStatus", Json::from("Successful"));
    }
    shown.build()
}

/// The log group a version writes to.
pub(crate) fn log_group(key: &Key, version: &Version) -> Arc<str> {
    let of = version.settings.get("LoggingConfig").and_then(|config| config.get("LogGroup")).and_then(Json::as_str);
    of.map_or_else(|| format!("/aws/lambda/{}", key.name).into(), Arc::from)
}
