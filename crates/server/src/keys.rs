//! The keys that calls are signed with: the server's own, from wherever AWS's SDKs look for them, and those of roles.
//!
//! Owns the order in which places are looked at, and how long what was found there is kept. What a place looks like is known
//! in its own file. Nothing here shows a secret, and no message repeats what a place answered.

mod answer;
mod container;
mod environment;
mod instance;
mod process;
mod profile;
mod shared_files;
mod sso;
#[cfg(test)]
mod tests;
mod web_identity;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_json::Json;
use stepwell_protocol::{AwsAnswer, AwsCall, AwsError, Keys, Place};
use stepwell_spec::Timestamp;

use crate::carrier::Carrier;
use crate::clock;

/// How long before they end keys are given up. Instances and containers have new ones by then.
const EARLY_MS: u64 = 5 * 60_000;

/// How long nobody looks again where nothing was found: a machine without keys waits a second for its metadata.
const FAILED_MS: u64 = 5_000;

/// Roles whose keys are remembered.
const ROLES_MAX: usize = 1_000;

/// A place where keys may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Environment,
    WebIdentity,
    Profile,
    Container,
    Instance,
}

/// Where keys are looked for, in this order; the first that has something to say of them decides.
///
/// Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers", in the order of the SDK for Java 2.x.
const CHAIN: [Source; 5] =
    [Source::Environment, Source::WebIdentity, Source::Profile, Source::Container, Source::Instance];

impl Source {
    /// As messages call it.
    fn name(self) -> &'static str {
        match self {
            Source::Environment => "the environment",
            Source::WebIdentity => "a web identity",
            Source::Profile => "the shared files",
            Source::Container => "the container",
            Source::Instance => "the instance",
        }
    }

    /// Looks there. Fails when keys should be there and cannot be had: what stands behind it is then not asked, so that
    /// nobody acts as somebody else than who was meant.
    async fn find(self, search: &Search<'_>) -> Result<Looked, String> {
        match self {
            Source::Environment => environment::find(search),
            Source::WebIdentity => web_identity::find(search).await,
            Source::Profile => profile::find(search).await,
            Source::Container => container::find(search).await,
            Source::Instance => instance::find(search).await,
        }
    }
}

/// What came of looking at a place.
enum Looked {
    Found(Found),
    /// It has none, for this reason.
    Nothing(String),
}

/// Keys that were found.
#[derive(Clone)]
struct Found {
    keys: Keys,
    lasts: Lasts,
}

/// How long keys may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    /// As long as they stand where they were found, where looking costs nothing.
    WhileThere,
    /// As long as the server runs.
    Always,
    Until(Timestamp),
}

impl Lasts {
    fn is_fresh(self, now: Timestamp) -> bool {
        match self {
            Lasts::WhileThere => false,
            Lasts::Always => true,
            Lasts::Until(end) => now.plus_ms(EARLY_MS) < end,
        }
    }

    fn is_good(self, now: Timestamp) -> bool {
        match self {
            Lasts::WhileThere => false,
            Lasts::Always => true,
            Lasts::Until(end) => now < end,
        }
    }
}

/// What a search looks with.
struct Search<'a> {
    chain: &'a KeyChain,
    carrier: &'a Carrier,
    /// Where STS is asked.
    place: &'a Place,
}

impl Search<'_> {
    /// A variable of the environment that says something.
    fn variable(&self, name: &str) -> Option<String> {
        self.chain.variable(name)
    }

    /// A file below `~/.aws`, or where the variable says it is.
    fn shared_file(&self, variable: &str, name: &str) -> Option<PathBuf> {
        self.variable(variable).map(PathBuf::from).or_else(|| Some(self.folder()?.join(name)))
    }

    /// `~/.aws`
    fn folder(&self) -> Option<PathBuf> {
        let home = self.variable("HOME").or_else(|| self.variable("USERPROFILE"))?;
        Some(PathBuf::from(home).join(".aws"))
    }

    /// Asks one of AWS's services, with these keys or, where anybody may ask, without.
    async fn ask(
        &self,
        (service, action): (&str, &str),
        input: Json,
        region: Option<&str>,
        keys: Option<&Keys>,
    ) -> AwsAnswer {
        let call = AwsCall { service: service.into(), action: action.into(), input };
        let region = region.map_or_else(|| self.place.region.clone(), Arc::from);
        let place = Place { account: self.place.account.clone(), region };
        Box::pin(self.carrier.ask_aws(&call, &place, keys)).await
    }
}

/// Why a service gave no keys.
fn said(error: &AwsError) -> String {
    format!("{}: {}", error.code, error.message.as_deref().unwrap_or_default())
}

/// An environment: what a variable says in it.
type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where keys come from.
pub(crate) struct KeyChain {
    /// The environment.
    variable: Box<Variables>,
    /// Held while somebody looks, so that the others wait for what is found.
    own: tokio::sync::Mutex<Option<Kept>>,
    roles: Mutex<BTreeMap<Arc<str>, Found>>,
}

/// What the last search came to.
enum Kept {
    Keys(Found),
    Failed(String, Timestamp),
}

impl std::fmt::Debug for KeyChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyChain").finish_non_exhaustive()
    }
}

impl KeyChain {
    pub(crate) fn new() -> KeyChain {
        KeyChain::of(|name| std::env::var(name).ok())
    }

    /// One with an environment of its own.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> KeyChain {
        KeyChain { variable: Box::new(variable), own: tokio::sync::Mutex::default(), roles: Mutex::default() }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// The keys for an emulator: those of the environment. Without any, the access key id is the account whose resources
    /// are meant, which is how emulators tell accounts apart.
    pub(crate) fn emulated(&self, place: &Place) -> Keys {
        environment::keys(self).unwrap_or_else(|| Keys {
            access_key_id: place.account.to_string(),
            secret_access_key: "stepwell".to_owned(),
            session_token: None,
        })
    }

    /// The server's own keys, for AWS itself: kept until shortly before their end, and then had anew.
    pub(crate) async fn own(&self, carrier: &Carrier, place: &Place) -> Result<Keys, String> {
        let mut kept = self.own.lock().await;
        let now = clock::wall();
        match &*kept {
            Some(Kept::Keys(found)) if found.lasts.is_fresh(now) => return Ok(found.keys.clone()),
            Some(Kept::Failed(reason, at)) if now < at.plus_ms(FAILED_MS) => return Err(reason.clone()),
            Some(_) | None => {}
        }
        match self.search(&Search { chain: self, carrier, place }).await {
            Ok(found) => {
                let keys = found.keys.clone();
                *kept = Some(Kept::Keys(found));
                Ok(keys)
            }
            Err(reason) => match &*kept {
                Some(Kept::Keys(found)) if found.lasts.is_good(now) => {
                    tracing::warn!(%reason, "the server's keys end soon, and no new ones can be had yet");
                    Ok(found.keys.clone())
                }
                Some(_) | None => {
                    *kept = Some(Kept::Failed(reason.clone(), now));
                    Err(reason)
                }
            },
        }
    }

    /// Looks at one place after the other.
    async fn search(&self, search: &Search<'_>) -> Result<Found, String> {
        let mut tried = Vec::new();
        for source in CHAIN {
            let looked = source.find(search).await;
            match looked.map_err(|reason| format!("Unable to load credentials from {}: {reason}", source.name()))? {
                Looked::Found(found) => return Ok(found),
                Looked::Nothing(reason) => tried.push(format!("{}: {reason}", source.name())),
            }
        }
        Err(format!(
            "Unable to load credentials from any of the providers in the chain: {}. Set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY where the server starts, or name a profile with AWS_PROFILE",
            tried.join("; ")
        ))
    }

    /// The keys of a role that were had before and are still good.
    pub(crate) fn assumed(&self, role_arn: &str) -> Option<Keys> {
        let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles.get(role_arn).filter(|found| found.lasts.is_fresh(clock::wall())).map(|found| found.keys.clone())
    }

    /// Remembers the keys of a role from the answer of `AssumeRole`.
    pub(crate) fn assume(&self, role_arn: &Arc<str>, answer: &Json) -> Result<Keys, String> {
        let found = answer::of_sts(answer)?;
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        if roles.len() >= ROLES_MAX {
            roles.pop_first();
        }
        roles.insert(role_arn.clone(), found.clone());
        Ok(found.keys)
    }
}
