//! Keys of a profile of the shared files: its own, or those of a role that another profile may assume.
//!
//! ```text
//! role_arn and source_profile, over and over -> a profile with keys, single sign-on or a program
//!          and credential_source ------------> the environment, the container, the instance
//!          and web_identity_token_file ------> STS
//! ```

use std::path::{Path, PathBuf};

use stepwell_json::Json;
use stepwell_protocol::Keys;

use super::shared_files::{Section, SharedFiles};
use super::{Found, Lasts, Looked, Search, answer, container, environment, instance, process, said, sso, web_identity};

/// Where the keys come from that the first role is assumed with, or that are used as they are.
enum Base {
    Keys(Keys),
    WebIdentity {
        role: String,
        file: PathBuf,
        session: Option<String>,
        region: Option<String>,
    },
    SignOn(sso::SignOn),
    Process(String),
    /// `credential_source`
    Elsewhere(String),
}

/// A role to assume.
struct Role {
    arn: String,
    session: Option<String>,
    external_id: Option<String>,
    seconds: Option<i64>,
    region: Option<String>,
}

pub(super) async fn find(search: &Search<'_>) -> Result<Looked, String> {
    let named = search.variable("AWS_PROFILE");
    let name = named.clone().unwrap_or_else(|| "default".to_owned());
    let files = SharedFiles::read(search)?;
    let chain = match (files.profile(&name), &named) {
        (Some(_), _) => chain_of(&files, &name)?,
        (None, Some(_)) => return Err(missing(search, &name)),
        (None, None) => return Ok(Looked::Nothing(missing(search, &name))),
    };
    let Some((base, mut roles)) = chain else {
        let reason = format!("the profile '{name}' says nothing of keys");
        return if named.is_some() { Err(reason) } else { Ok(Looked::Nothing(reason)) };
    };
    let mut found = keys_of(search, base).await?;
    while let Some(role) = roles.pop() {
        found = assume(search, &role, &found.keys).await?;
    }
    Ok(Looked::Found(found))
}

fn missing(search: &Search<'_>, name: &str) -> String {
    let file = |variable: &str, file: &str| {
        let path = search.shared_file(variable, file).unwrap_or_else(|| Path::new("~/.aws").join(file));
        path.display().to_string()
    };
    format!(
        "there is no profile '{name}' in {} or {}",
        file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        file("AWS_CONFIG_FILE", "config")
    )
}

/// Where a profile's keys begin, and the roles to be assumed with them, the last one first. None when it says nothing of
/// keys.
fn chain_of(files: &SharedFiles, name: &str) -> Result<Option<(Base, Vec<Role>)>, String> {
    let mut roles = Vec::new();
    let mut seen = vec![name.to_owned()];
    let mut name = name.to_owned();
    loop {
        let profile = files.profile(&name).ok_or_else(|| {
            format!("there is no profile '{name}', the source_profile of '{}'", seen[seen.len().saturating_sub(2)])
        })?;
        let text = |name: &str| profile.get(name).cloned();
        let Some(arn) = text("role_arn") else {
            return match (base_of(files, &name, profile)?, roles.is_empty()) {
                (Some(base), _) => Ok(Some((base, roles))),
                (None, true) => Ok(None),
                (None, false) => Err(format!("the profile '{name}', a source_profile, says nothing of keys")),
            };
        };
        let (session, region) = (text("role_session_name"), text("region"));
        if let Some(file) = text("web_identity_token_file") {
            let base = Base::WebIdentity { role: arn, file: PathBuf::from(file), session, region };
            return Ok(Some((base, roles)));
        }
        if profile.contains_key("mfa_serial") {
            return Err(format!("the profile '{name}' asks for a code of a device, which nobody can type here"));
        }
        let seconds = match text("duration_seconds") {
            Some(text) => {
                Some(text.parse().map_err(|_| format!("duration_seconds of the profile '{name}' is no number"))?)
            }
            None => None,
        };
        roles.push(Role { arn, session, external_id: text("external_id"), seconds, region });
        match (text("source_profile"), text("credential_source")) {
            (Some(_), Some(_)) => {
                return Err(format!("the profile '{name}' has a source_profile and a credential_source; give it one"));
            }
            (None, None) => {
                return Err(format!(
                    "the profile '{name}' has a role_arn, and neither source_profile nor credential_source to assume it with"
                ));
            }
            (None, Some(source)) => return Ok(Some((Base::Elsewhere(source), roles))),
            // A role may be assumed with the keys that stand beside it.
            (Some(source), None) if source == name => {
                let keys = static_keys(profile).ok_or_else(|| {
                    format!("the profile '{name}' is its own source_profile, and has no aws_access_key_id")
                })?;
                return Ok(Some((Base::Keys(keys), roles)));
            }
            (Some(source), None) if seen.contains(&source) => {
                seen.push(source);
                return Err(format!("the source_profile of profiles leads in a circle: {}", seen.join(", ")));
            }
            (Some(source), None) => {
                seen.push(source.clone());
                name = source;
            }
        }
    }
}

/// What a profile without a role says of keys.
fn base_of(files: &SharedFiles, name: &str, profile: &Section) -> Result<Option<Base>, String> {
    if let Some(sign_on) = sso::SignOn::of(files, name, profile)? {
        return Ok(Some(Base::SignOn(sign_on)));
    }
    if let Some(keys) = static_keys(profile) {
        return Ok(Some(Base::Keys(keys)));
    }
    if ["aws_access_key_id", "aws_secret_access_key"].iter().any(|part| profile.contains_key(*part)) {
        return Err(format!(
            "the profile '{name}' has one of aws_access_key_id and aws_secret_access_key, and needs both"
        ));
    }
    Ok(profile.get("credential_process").cloned().map(Base::Process))
}

fn static_keys(profile: &Section) -> Option<Keys> {
    Some(Keys {
        access_key_id: profile.get("aws_access_key_id")?.clone(),
        secret_access_key: profile.get("aws_secret_access_key")?.clone(),
        session_token: profile.get("aws_session_token").cloned(),
    })
}

async fn keys_of(search: &Search<'_>, base: Base) -> Result<Found, String> {
    let (source, looked) = match base {
        Base::Keys(keys) => return Ok(Found { keys, lasts: Lasts::WhileThere }),
        Base::WebIdentity { role, file, session, region } => {
            return web_identity::assume(search, &file, &role, session.as_deref(), region.as_deref()).await;
        }
        Base::SignOn(sign_on) => return sign_on.keys(search).await,
        Base::Process(command) => return process::run(&command).await,
        Base::Elsewhere(source) => {
            let looked = match source.as_str() {
                "Environment" => environment::find(search),
                "EcsContainer" => container::find(search).await,
                "Ec2InstanceMetadata" => instance::find(search).await,
                other => Err(format!(
                    "'{other}' is no credential_source; there are Environment, EcsContainer and Ec2InstanceMetadata"
                )),
            };
            (source, looked?)
        }
    };
    match looked {
        Looked::Found(found) => Ok(found),
        Looked::Nothing(reason) => Err(format!("the credential_source {source} has no keys: {reason}")),
    }
}

async fn assume(search: &Search<'_>, role: &Role, keys: &Keys) -> Result<Found, String> {
    let mut input = vec![
        ("RoleArn", Json::from(role.arn.as_str())),
        ("RoleSessionName", Json::from(role.session.as_deref().unwrap_or("stepwell"))),
    ];
    input.extend(role.external_id.as_deref().map(|id| ("ExternalId", Json::from(id))));
    input.extend(role.seconds.map(|seconds| ("DurationSeconds", Json::from(seconds))));
    let given = search.ask(("sts", "AssumeRole"), Json::object(input), role.region.as_deref(), Some(keys)).await;
    let given = given.map_err(|error| format!("{} cannot be assumed: {}", role.arn, said(&error)))?;
    answer::of_sts(&given.output)
}
