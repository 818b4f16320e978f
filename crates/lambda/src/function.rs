//! A function: its latest version, those that were published, aliases, and everything that hangs on it. One row each.
//!
//! Settings of a version are kept as the members of the service's model; what the local Lambda reads of them has a method.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use stepwell_json::{Json, Object, ObjectBuilder};

use crate::input::members;
use crate::names::{Key, LATEST};

/// Everything about one function.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) key: Key,
    pub(crate) latest: Arc<Version>,
    /// In the order they were published.
    pub(crate) published: Vec<Arc<Version>>,
    /// The number the next version gets; numbers of deleted ones are not given again.
    pub(crate) next_version: u64,
    pub(crate) aliases: Vec<Alias>,
    /// Statements that let others in, by qualifier; empty text for the function itself.
    pub(crate) policies: Object,
    /// Invocations at a time that are this function's alone.
    pub(crate) reserved: Option<u64>,
    /// How asynchronous invocations are retried and told of, by qualifier.
    pub(crate) invoke_configs: Object,
    pub(crate) tags: Object,
}

/// A version of a function.
#[derive(Clone)]
pub(crate) struct Version {
    /// `$LATEST` or a number.
    pub(crate) name: Arc<str>,
    /// Members of the model: `Handler`, `Timeout`, …
    pub(crate) settings: Object,
    pub(crate) code: Code,
    pub(crate) revision: Arc<str>,
    pub(crate) modified: Arc<str>,
}

/// Where a version's code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// A zip that was uploaded, by the SHA-256 of its bytes in hexadecimal letters.
    Zip { digest: Arc<str>, bytes: u64 },
    /// A directory of this machine, whose changes take effect at once.
    Directory(PathBuf),
    /// Whoever answers at this URL.
    Elsewhere(Arc<str>),
}

/// A name for one or two versions.
#[derive(Clone)]
pub(crate) struct Alias {
    pub(crate) name: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) description: Arc<str>,
    /// Which other version gets which part of the invocations.
    pub(crate) weights: Object,
    pub(crate) revision: Arc<str>,
}

impl Version {
    fn text(&self, name: &str) -> Option<&str> {
        self.settings.get(name).and_then(Json::as_str)
    }

    fn number(&self, name: &str, default: u64) -> u64 {
        self.settings.get(name).and_then(Json::as_i64).and_then(|number| u64::try_from(number).ok()).unwrap_or(default)
    }

    pub(crate) fn runtime(&self) -> &str {
        self.text("Runtime").unwrap_or_default()
    }

    pub(crate) fn entry(&self) -> &str {
        self.text("Handler").unwrap_or_default()
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.number("Timeout", 3))
    }

    pub(crate) fn memory_megabytes(&self) -> u64 {
        self.number("MemorySize", 128)
    }

    /// The function's own environment.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.settings.get("Environment").and_then(|of| of.get("Variables")).and_then(Json::as_object);
        variables.into_iter().flatten().filter_map(|(name, value)| Some((&**name, value.as_str()?)))
    }

    /// Where asynchronous invocations go that failed for good, when nothing else was said.
    pub(crate) fn dead_letters(&self) -> Option<&str> {
        let target = self.settings.get("DeadLetterConfig").and_then(|of| of.get("TargetArn")).and_then(Json::as_str);
        target.filter(|arn| !arn.is_empty())
    }

    fn to_json(&self) -> Json {
        members([
            ("name", Some(Json::string(self.name.clone()))),
            ("settings", Some(Json::from(self.settings.clone()))),
            ("code", Some(self.code.to_json())),
            ("revision", Some(Json::string(self.revision.clone()))),
            ("modified", Some(Json::string(self.modified.clone()))),
        ])
    }

    fn of_json(json: &Json) -> Option<Version> {
        Some(Version {
            name: json.get("name")?.as_str()?.into(),
            settings: json.get("settings")?.as_object()?.clone(),
            code: Code::of_json(json.get("code")?)?,
            revision: json.get("revision")?.as_str()?.into(),
            modified: json.get("modified")?.as_str()?.into(),
        })
    }
}

impl Code {
    fn to_json(&self) -> Json {
        match self {
            Code::Zip { digest, bytes } => {
                members([("zip", Some(Json::string(digest.clone()))), ("bytes", Some(Json::from(*bytes)))])
            }
            Code::Directory(path) => members([("directory", Some(Json::from(path.to_string_lossy().into_owned())))]),
            Code::Elsewhere(url) => members([("url", Some(Json::string(url.clone())))]),
        }
    }

    fn of_json(json: &Json) -> Option<Code> {
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        match (text("zip"), text("directory"), text("url")) {
            (Some(digest), _, _) => {
                let bytes = u64::try_from(json.get("bytes")?.as_i64()?).ok()?;
                Some(Code::Zip { digest: digest.into(), bytes })
            }
            (_, Some(path), _) => Some(Code::Directory(path.into())),
            (_, _, url) => Some(Code::Elsewhere(url?.into())),
        }
    }
}

impl Function {
    pub(crate) fn version(&self, name: &str) -> Option<&Arc<Version>> {
        if name == LATEST {
            return Some(&self.latest);
        }
        self.published.iter().find(|version| *version.name == *name)
    }

    pub(crate) fn alias(&self, name: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| *alias.name == *name)
    }

    /// Every version, `$LATEST` first.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &Arc<Version>> {
        std::iter::once(&self.latest).chain(&self.published)
    }

    /// The row it is kept as.
    pub(crate) fn to_json(&self) -> Json {
        let alias = |alias: &Alias| {
            members([
                ("name", Some(Json::string(alias.name.clone()))),
                ("version", Some(Json::string(alias.version.clone()))),
                ("description", Some(Json::string(alias.description.clone()))),
                ("weights", Some(Json::from(alias.weights.clone()))),
                ("revision", Some(Json::string(alias.revision.clone()))),
            ])
        };
        members([
            ("latest", Some(self.latest.to_json())),
            ("published", Some(Json::array(self.published.iter().map(|version| version.to_json()).collect()))),
            ("nextVersion", Some(Json::from(self.next_version))),
            ("aliases", Some(Json::array(self.aliases.iter().map(alias).collect()))),
            ("policies", Some(Json::from(self.policies.clone()))),
            ("reserved", self.reserved.map(Json::from)),
            ("invokeConfigs", Some(Json::from(self.invoke_configs.clone()))),
            ("tags", Some(Json::from(self.tags.clone()))),
        ])
    }

    /// Reads a row back; `None` when it is none.
    pub(crate) fn of_json(key: Key, json: &Json) -> Option<Function> {
        let list = |name: &str| json.get(name).and_then(Json::as_array);
        let object = |name: &str| json.get(name).and_then(Json::as_object).cloned();
        let alias = |json: &Json| {
            let text = |name: &str| Some(Arc::from(json.get(name)?.as_str()?));
            Some(Alias {
                name: text("name")?,
                version: text("version")?,
                description: text("description")?,
                weights: json.get("weights")?.as_object()?.clone(),
                revision: text("revision")?,
            })
        };
        Some(Function {
            key,
            latest: Arc::new(Version::of_json(json.get("latest")?)?),
            published: list("published")?
                .iter()
                .map(|one| Version::of_json(one).map(Arc::new))
                .collect::<Option<_>>()?,
            next_version: u64::try_from(json.get("nextVersion")?.as_i64()?).ok()?,
            aliases: list("aliases")?.iter().map(alias).collect::<Option<_>>()?,
            policies: object("policies")?,
            reserved: json.get("reserved").and_then(Json::as_i64).and_then(|number| u64::try_from(number).ok()),
            invoke_configs: object("invokeConfigs")?,
            tags: object("tags")?,
        })
    }
}

/// An object without these members.
pub(crate) fn without(object: &Object, name: &str) -> Object {
    let mut builder: ObjectBuilder = object.to_builder();
    builder.remove(name);
    builder.build()
}
