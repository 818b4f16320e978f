//! The keys that calls are signed with: those of the environment, those of AWS's shared files, and those of roles.
//!
//! Not read: keys of a container or an instance, single sign-on, `credential_process`, and profiles that assume a role.
//! `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` say the same as any of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_json::Json;
use stepwell_protocol::{Keys, Place};
use stepwell_spec::Timestamp;

use crate::clock;

/// How long before they end the keys of a role are given up.
const EARLY_MS: u64 = 5 * 60_000;

/// Roles whose keys are remembered.
const ROLES_MAX: usize = 1_000;

/// Where keys come from.
#[derive(Debug)]
pub(crate) struct KeyChain {
    /// The environment.
    variable: fn(&str) -> Option<String>,
    roles: Mutex<BTreeMap<Arc<str>, (Keys, Timestamp)>>,
}

impl KeyChain {
    pub(crate) fn new() -> KeyChain {
        KeyChain::of(|name| std::env::var(name).ok())
    }

    /// One with an environment of its own.
    pub(crate) fn of(variable: fn(&str) -> Option<String>) -> KeyChain {
        KeyChain { variable, roles: Mutex::default() }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn environment_keys(&self) -> Option<Keys> {
        Some(Keys {
            access_key_id: self.variable("AWS_ACCESS_KEY_ID")?,
            secret_access_key: self.variable("AWS_SECRET_ACCESS_KEY")?,
            session_token: self.variable("AWS_SESSION_TOKEN"),
        })
    }

    fn shared_file(&self, from: &str, name: &str) -> Option<PathBuf> {
        let home = || self.variable("HOME").or_else(|| self.variable("USERPROFILE"));
        self.variable(from).map(PathBuf::from).or_else(|| Some(PathBuf::from(home()?).join(".aws").join(name)))
    }

    /// The keys for an emulator: those of the environment. Without any, the access key id is the account whose resources
    /// are meant, which is how emulators tell accounts apart.
    pub(crate) fn emulated(&self, place: &Place) -> Keys {
        self.environment_keys().unwrap_or_else(|| Keys {
            access_key_id: place.account.to_string(),
            secret_access_key: "stepwell".to_owned(),
            session_token: None,
        })
    }

    /// The server's own keys, for AWS itself.
    pub(crate) fn own(&self) -> Result<Keys, String> {
        if let Some(keys) = self.environment_keys() {
            return Ok(keys);
        }
        let profile = self.variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        for (path, heading) in [
            (self.shared_file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), profile.clone()),
            (self.shared_file("AWS_CONFIG_FILE", "config"), heading_of(&profile)),
        ] {
            // A file that is not there holds no keys.
            let text = path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
            if let Some(keys) = keys_in(&text, &heading) {
                return Ok(keys);
            }
        }
        Err(format!(
            "Unable to load credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the profile '{profile}' \
             keys in ~/.aws/credentials"
        ))
    }

    /// The keys of a role that were had before and are still good.
    pub(crate) fn assumed(&self, role_arn: &str) -> Option<Keys> {
        let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let (keys, until) = roles.get(role_arn)?;
        (clock::wall().plus_ms(EARLY_MS) < *until).then(|| keys.clone())
    }

    /// Remembers the keys of a role from the answer of `AssumeRole`.
    pub(crate) fn assume(&self, role_arn: &Arc<str>, answer: &Json) -> Result<Keys, String> {
        let given = answer.get("Credentials");
        let text = |name: &str| {
            let value = given.and_then(|given| given.get(name)).and_then(Json::as_str);
            value.map(str::to_owned).ok_or_else(|| format!("AssumeRole answered without {name}"))
        };
        let keys = Keys {
            access_key_id: text("AccessKeyId")?,
            secret_access_key: text("SecretAccessKey")?,
            session_token: Some(text("SessionToken")?),
        };
        let until = given.and_then(|given| given.get("Expiration")).and_then(Json::as_f64);
        let until = Timestamp((until.unwrap_or_default() * 1000.0) as i64);
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        if roles.len() >= ROLES_MAX {
            roles.pop_first();
        }
        roles.insert(role_arn.clone(), (keys.clone(), until));
        Ok(keys)
    }
}

/// `[default]`, or `[profile NAME]`, as the config file has it.
fn heading_of(profile: &str) -> String {
    if profile == "default" { profile.to_owned() } else { format!("profile {profile}") }
}

/// The keys below a heading of a shared file.
fn keys_in(text: &str, heading: &str) -> Option<Keys> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut is_here = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(named) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            is_here = named.split_whitespace().eq(heading.split_whitespace());
        } else if let (true, Some((name, value))) = (is_here, line.split_once('=')) {
            found.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    Some(Keys {
        access_key_id: found.remove("aws_access_key_id")?,
        secret_access_key: found.remove("aws_secret_access_key")?,
        session_token: found.remove("aws_session_token").filter(|token| !token.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_read_as_awss_tools_write_them() {
        let text = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=s=1\n\n[profile  other]\nregion = x\n\
                    aws_access_key_id=B\naws_secret_access_key=t\naws_session_token=u\n[empty]\n";
        let check = |heading: &str, expected: Option<(&str, &str, Option<&str>)>| {
            let keys = keys_in(text, heading);
            let keys = keys.as_ref().map(|keys| {
                (keys.access_key_id.as_str(), keys.secret_access_key.as_str(), keys.session_token.as_deref())
            });
            assert_eq!(keys, expected, "{heading}");
        };
        check("default", Some(("A", "s=1", None)));
        check(&heading_of("other"), Some(("B", "t", Some("u"))));
        check("other", None);
        check("empty", None);
        assert_eq!(heading_of("default"), "default");
    }

    #[test]
    fn the_environment_goes_before_files_and_files_before_nothing() {
        let key = |chain: &KeyChain| chain.own().map(|keys| keys.access_key_id);
        let set = KeyChain::of(|name| name.starts_with("AWS_").then(|| format!("{name}!")));
        assert_eq!(key(&set).as_deref(), Ok("AWS_ACCESS_KEY_ID!"));
        let none = KeyChain::of(|_| None);
        assert!(key(&none).is_err_and(|fault| fault.starts_with("Unable to load credentials: ")));
        let place = Place { account: "123456789012".into(), region: "us-east-1".into() };
        assert_eq!(none.emulated(&place).access_key_id, "123456789012");
        let from_file = KeyChain::of(|name| match name {
            "AWS_SHARED_CREDENTIALS_FILE" => Some(std::env::temp_dir().join("stepwell-keys").display().to_string()),
            "AWS_PROFILE" => Some("mine".to_owned()),
            _ => None,
        });
        let path = std::env::temp_dir().join("stepwell-keys");
        std::fs::write(&path, "[mine]\naws_access_key_id=F\naws_secret_access_key=s\n").expect("a file");
        assert_eq!(key(&from_file).as_deref(), Ok("F"));
        std::fs::remove_file(path).expect("a file");
    }

    #[test]
    fn a_roles_keys_are_kept_until_shortly_before_their_end() {
        let answer = |seconds: f64| {
            let text = format!(
                r#"{{"Credentials":{{"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":{seconds}}}}}"#
            );
            Json::parse(&text).expect("JSON")
        };
        let now = clock::wall().seconds();
        let chain = KeyChain::new();
        let role: Arc<str> = "arn:aws:iam::222222222222:role/r".into();
        assert!(chain.assumed(&role).is_none());
        assert_eq!(chain.assume(&role, &answer(now + 3600.0)).map(|keys| keys.access_key_id), Ok("A".to_owned()));
        assert_eq!(chain.assumed(&role).and_then(|keys| keys.session_token).as_deref(), Some("T"));
        chain.assume(&role, &answer(now + 60.0)).expect("keys");
        assert!(chain.assumed(&role).is_none(), "they end too soon");
        assert!(chain.assume(&role, &Json::empty_object()).is_err());
    }
}
