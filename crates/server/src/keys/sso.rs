//! Keys of single sign-on: for the token that `aws sso login` left in `~/.aws/sso/cache`.
//!
//! A token that ends is had anew where its session lets us, and written back, as AWS's tools do; where it does not, somebody
//! has to sign on again.

use std::io::Write;
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};
use stepwell_json::{Json, Object};
use stepwell_protocol::{Fault, Keys};
use stepwell_spec::Timestamp;

use super::shared_files::{Section, SharedFiles};
use super::{EARLY_MS, Found, Lasts, Search, said};
use crate::clock;

/// Who signs on where, and as whom.
pub(super) struct SignOn {
    profile: String,
    account: String,
    role: String,
    region: String,
    /// What names the token's file: the session, or without one the URL.
    cached_as: String,
}

impl SignOn {
    /// What a profile says of it; none when it does not sign on.
    pub(super) fn of(files: &SharedFiles, name: &str, profile: &Section) -> Result<Option<SignOn>, String> {
        let session = profile.get("sso_session");
        if session.is_none() && !profile.contains_key("sso_start_url") {
            return Ok(None);
        }
        let place = match session {
            Some(session) => files.session(session).ok_or_else(|| {
                format!("the profile '{name}' names the sso-session '{session}', which the config file does not have")
            })?,
            None => profile,
        };
        let text = |section: &Section, wanted: &str| {
            let text = section.get(wanted).cloned();
            text.ok_or_else(|| format!("the profile '{name}' signs on and has no {wanted}"))
        };
        let start_url = text(place, "sso_start_url")?;
        Ok(Some(SignOn {
            profile: name.to_owned(),
            account: text(profile, "sso_account_id")?,
            role: text(profile, "sso_role_name")?,
            region: text(place, "sso_region")?,
            cached_as: session.cloned().unwrap_or(start_url),
        }))
    }

    pub(super) async fn keys(&self, search: &Search<'_>) -> Result<Found, String> {
        let token = self.token(search).await?;
        let input = Json::object([
            ("accountId", Json::from(self.account.as_str())),
            ("roleName", Json::from(self.role.as_str())),
            ("accessToken", Json::from(token)),
        ]);
        let given = search.ask(("sso", "GetRoleCredentials"), input, Some(&self.region), None).await;
        let given = given.map_err(|error| match error.fault {
            Fault::Client if error.status == 401 => self.over(&said(&error)),
            Fault::Client | Fault::Server | Fault::Unreached => format!("single sign-on gave none: {}", said(&error)),
        })?;
        let given = given.output.get("roleCredentials").cloned().unwrap_or(Json::Null);
        let text = |name: &str| {
            let text = given.get(name).and_then(Json::as_str).map(str::to_owned);
            text.ok_or_else(|| format!("single sign-on answered without {name}"))
        };
        let end = given.get("expiration").and_then(Json::as_i64).ok_or("single sign-on answered without expiration")?;
        Ok(Found {
            keys: Keys {
                access_key_id: text("accessKeyId")?,
                secret_access_key: text("secretAccessKey")?,
                session_token: Some(text("sessionToken")?),
            },
            lasts: Lasts::Until(Timestamp(end)),
        })
    }

    /// The token as it stands, or a new one for one that ends soon.
    async fn token(&self, search: &Search<'_>) -> Result<String, String> {
        let folder = search.folder().ok_or("HOME is not set, and tokens are below it")?.join("sso").join("cache");
        let digest: String = Sha1::digest(self.cached_as.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let path = folder.join(format!("{digest}.json"));
        let unread = |fault: &dyn std::fmt::Display| self.over(&format!("{}: {fault}", path.display()));
        let cached = std::fs::read_to_string(&path).map_err(|fault| unread(&fault))?;
        let cached = Json::parse(&cached).map_err(|_| unread(&"it is not JSON"))?;
        let text = |name: &str| cached.get(name).and_then(Json::as_str);
        let token = text("accessToken").ok_or_else(|| unread(&"it has no accessToken"))?;
        let end = text("expiresAt").map(|end| end.replace("UTC", "Z")).unwrap_or_default();
        let end = Timestamp::parse(&end).map_err(|_| unread(&"its expiresAt is no moment"))?;
        let now = clock::wall();
        if now.plus_ms(EARLY_MS) < end {
            return Ok(token.to_owned());
        }
        match self.renewed(search, &cached, &path).await {
            Ok(token) => Ok(token),
            Err(_) if now < end => Ok(token.to_owned()),
            Err(reason) => Err(self.over(&reason)),
        }
    }

    /// Asks for the next token, and writes it where the last one was.
    async fn renewed(&self, search: &Search<'_>, cached: &Json, path: &Path) -> Result<String, String> {
        let text = |name: &str| cached.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let (Some(id), Some(secret), Some(renewal), Json::Object(members)) =
            (text("clientId"), text("clientSecret"), text("refreshToken"), cached)
        else {
            return Err("the token has ended".to_owned());
        };
        let input = Json::object([
            ("clientId", Json::from(id)),
            ("clientSecret", Json::from(secret)),
            ("grantType", Json::from("refresh_token")),
            ("refreshToken", Json::from(renewal)),
        ]);
        let given = search.ask(("sso-oidc", "CreateToken"), input, Some(&self.region), None).await;
        let given = given.map_err(|error| said(&error))?.output;
        let token = given.get("accessToken").and_then(Json::as_str).ok_or("there is no accessToken in the answer")?;
        let lasts = given.get("expiresIn").and_then(Json::as_i64).and_then(|seconds| u64::try_from(seconds).ok());
        let end = clock::wall().plus_ms(lasts.unwrap_or_default().saturating_mul(1_000)).to_string();
        // Without its fraction, as AWS's tools write it.
        let end = format!("{}Z", end.split('.').next().unwrap_or_default());
        let mut renewed = Object::with(members, "accessToken", Json::from(token));
        renewed = Object::with(&renewed, "expiresAt", Json::from(end));
        if let Some(renewal) = given.get("refreshToken") {
            renewed = Object::with(&renewed, "refreshToken", renewal.clone());
        }
        if let Err(fault) = write(path, &Json::Object(renewed).to_string()) {
            tracing::warn!(path = %path.display(), %fault, "a new token of single sign-on could not be kept");
        }
        Ok(token.to_owned())
    }

    /// What is said when somebody has to sign on again.
    fn over(&self, reason: &str) -> String {
        format!("{reason}; run: aws sso login --profile {}", self.profile)
    }
}

/// Replaces a file that its owner alone may read.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut fresh = PathBuf::from(path);
    fresh.set_extension(format!("json.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&fresh)?.write_all(text.as_bytes())?;
    std::fs::rename(&fresh, path)
}
