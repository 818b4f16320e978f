//! Values: CreateSecret, GetSecretValue, PutSecretValue, UpdateSecret and stages.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Timestamp;

use super::secret::{CURRENT, Secret, Value, check_name, key, read_tags, shown_stages};
use super::{Outcome, Secrets, impossible, invalid, no_secret, time};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::services::Request;

/// Letters behind an ARN, so that a secret that is created anew has another one.
const ARN_LETTERS: usize = 6;

const DAY_MS: i64 = 86_400_000;

impl Secrets {
    pub(super) fn create_secret(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = input.required("Name")?;
        check_name(name)?;
        let (value, version) = (Value::read(input)?, version_of(request, input)?);
        let tags = read_tags(input)?;
        let key = key(request.place, name);
        if let Some(there) = self.secrets.get(&key) {
            if there.deleted.is_some() {
                return Err(impossible(
                    "You can't create this secret because a secret with this name is already scheduled for deletion.",
                ));
            }
            let is_same = there.versions.get(&version).is_some_and(|there| Some(&there.value) == value.as_ref());
            if !is_same {
                let message = format!("The operation failed because the secret {name} already exists.");
                return Err(Refusal::new("ResourceExistsException", message));
            }
            return Ok(made(there, Some(&version)));
        }
        let mut secret = Secret { tags, ..new_secret(request, name) };
        secret.description = input.text("Description")?.cloned();
        secret.kms_key = input.text("KmsKeyId")?.cloned();
        let has_value = value.is_some();
        if let Some(value) = value {
            secret.add_version(&version, value, &[CURRENT.into()], request.now);
        }
        let answer = made(&secret, has_value.then_some(&version));
        self.secrets.insert(key, secret);
        Ok(answer)
    }

    /// A secret that another service keeps here. Gives its ARN.
    pub(crate) fn keep_for(&mut self, owner: &str, request: &Request<'_>, name: &str, value: &Json) -> Arc<str> {
        let (key, name) = (key(request.place, name), Arc::from(name));
        let mut secret = match self.secrets.remove(&key) {
            Some(secret) => secret,
            None => Secret { owner: Some(owner.into()), ..new_secret(request, &name) },
        };
        let value = Value::Text(value.to_string().into());
        secret.add_version(&request.chance.uuid().into(), value, &[CURRENT.into()], request.now);
        let arn = secret.arn.clone();
        self.secrets.insert(key, secret);
        arn
    }

    /// What another service keeps here is not needed any more.
    pub(crate) fn forget_for(&mut self, arn: &str) {
        let key = self.secrets.iter().find(|(_, secret)| &*secret.arn == arn).map(|(key, _)| key.clone());
        if let Some(key) = key {
            self.secrets.remove(&key);
        }
    }

    pub(super) fn get_secret_value(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.key_of(request, input)?;
        let secret = self.living(&key)?;
        let (id, stage) = (input.text("VersionId")?, input.text("VersionStage")?);
        let none = |what: String| {
            let message = format!("Secrets Manager can't find the specified secret value for {what}");
            Refusal::new("ResourceNotFoundException", message)
        };
        let found = match (id, stage) {
            (Some(id), stage) => {
                let version = secret.versions.get_key_value(id).ok_or_else(|| none(format!("VersionId: {id}")))?;
                if stage.is_some_and(|stage| !version.1.stages.contains(stage)) {
                    return Err(impossible(
                        "You provided a VersionStage that is not associated to the provided VersionId.",
                    ));
                }
                version
            }
            (None, stage) => {
                let stage = stage.map_or(CURRENT, |stage| stage);
                let id = secret.in_stage(stage).ok_or_else(|| none(format!("staging label: {stage}")))?;
                secret.versions.get_key_value(id).ok_or_else(no_secret)?
            }
        };
        let (id, version) = found;
        let answer = Json::object([
            ("ARN", Json::String(secret.arn.clone())),
            ("Name", Json::String(secret.name.clone())),
            ("VersionId", Json::String(id.clone())),
            version.value.shown(),
            ("VersionStages", shown_stages(version)),
            ("CreatedDate", time(version.created)),
        ]);
        let today = Timestamp(request.now.0 - request.now.0.rem_euclid(DAY_MS));
        if secret.accessed != Some(today) {
            self.living_mut(&key)?.accessed = Some(today);
        }
        Ok(answer)
    }

    pub(super) fn put_secret_value(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.key_of(request, input)?;
        let value =
            Value::read(input)?.ok_or_else(|| invalid("You must provide either SecretString or SecretBinary."))?;
        let stages: Vec<Arc<str>> = match input.list("VersionStages")? {
            Some(_) => input.texts("VersionStages")?.into_iter().cloned().collect(),
            None => vec![CURRENT.into()],
        };
        let version = version_of(request, input)?;
        self.add_value(&key, &version, value, &stages, request)?;
        let secret = self.living(&key)?;
        let staged = secret.versions.get(&version).map(shown_stages);
        Ok(members([
            ("ARN", Some(Json::String(secret.arn.clone()))),
            ("Name", Some(Json::String(secret.name.clone()))),
            ("VersionId", Some(Json::String(version.clone()))),
            ("VersionStages", staged),
        ]))
    }

    /// Adds a version, once: the same version with the same value is there already.
    fn add_value(
        &mut self,
        key: &str,
        version: &Arc<str>,
        value: Value,
        stages: &[Arc<str>],
        request: &Request<'_>,
    ) -> Result<(), Refusal> {
        let secret = self.living(key)?;
        match secret.versions.get(version) {
            Some(there) if there.value == value => Ok(()),
            Some(_) => {
                let message = format!(
                    "You can't use ClientRequestToken {version} because that value is already in use for a version of secret {}.",
                    secret.arn
                );
                Err(Refusal::new("ResourceExistsException", message))
            }
            None => {
                // The first version is the current one, whatever else it is.
                let first = secret.versions.is_empty().then(|| Arc::from(CURRENT));
                let stages: Vec<_> = stages.iter().cloned().chain(first).collect();
                self.living_mut(key)?.add_version(version, value, &stages, request.now);
                Ok(())
            }
        }
    }

    pub(super) fn update_secret(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.key_of(request, input)?;
        self.living(&key)?;
        let (value, version) = (Value::read(input)?, version_of(request, input)?);
        let has_value = value.is_some();
        if let Some(value) = value {
            self.add_value(&key, &version, value, &[CURRENT.into()], request)?;
        }
        let (description, kms_key) = (input.text("Description")?.cloned(), input.text("KmsKeyId")?.cloned());
        let secret = self.living_mut(&key)?;
        secret.description = description.or(secret.description.take());
        secret.kms_key = kms_key.or(secret.kms_key.take());
        secret.changed = request.now;
        Ok(made(secret, has_value.then_some(&version)))
    }

    pub(super) fn update_secret_version_stage(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let key = self.key_of(request, input)?;
        let stage = input.required("VersionStage")?.clone();
        let (to, from) = (input.text("MoveToVersionId")?.cloned(), input.text("RemoveFromVersionId")?.cloned());
        let secret = self.living(&key)?;
        for id in [&to, &from].into_iter().flatten() {
            if !secret.versions.contains_key(id) {
                let message = format!("Secrets Manager can't find the specified secret value for VersionId: {id}");
                return Err(Refusal::new("ResourceNotFoundException", message));
            }
        }
        let has = secret.in_stage(&stage).cloned();
        match (&has, &from) {
            (Some(has), Some(from)) if has != from => {
                return Err(invalid(format!(
                    "The parameter RemoveFromVersionId must be the version {has} that has {stage}."
                )));
            }
            (Some(has), None) if to.as_ref() != Some(has) => {
                return Err(invalid(format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version \
                     {has}, so you must explicitly reference that version in RemoveFromVersionId."
                )));
            }
            (_, Some(_)) if to.is_none() && &*stage == CURRENT => {
                return Err(invalid(
                    "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
                ));
            }
            _ => {}
        }
        let secret = self.living_mut(&key)?;
        match (to, from) {
            (Some(to), _) => secret.move_stage(&stage, &to),
            (None, Some(from)) => {
                if let Some(version) = secret.versions.get_mut(&from) {
                    version.stages.remove(&stage);
                }
            }
            (None, None) => {}
        }
        secret.changed = request.now;
        Ok(made(secret, None))
    }
}

fn new_secret(request: &Request<'_>, name: &Arc<str>) -> Secret {
    let letters: String = std::iter::repeat_with(|| request.chance.token(1))
        .filter(|letter| !letter.contains(['-', '_']))
        .take(ARN_LETTERS)
        .collect();
    Secret {
        arn: request.place.arn("secretsmanager", &format!("secret:{name}-{letters}")).into(),
        name: name.clone(),
        description: None,
        kms_key: None,
        policy: None,
        owner: None,
        tags: BTreeMap::new(),
        created: request.now,
        changed: request.now,
        accessed: None,
        deleted: None,
        versions: BTreeMap::new(),
    }
}

/// The id of the version a call makes: the token that SDKs send, so that a repeated call makes none.
fn version_of(request: &Request<'_>, input: Input<'_>) -> Result<Arc<str>, Refusal> {
    match input.text("ClientRequestToken")? {
        None => Ok(request.chance.uuid().into()),
        Some(token) if (32..=64).contains(&token.len()) => Ok(token.clone()),
        Some(_) => Err(invalid("ClientRequestToken must be 32-64 characters long.")),
    }
}

fn made(secret: &Secret, version: Option<&Arc<str>>) -> Json {
    members([
        ("ARN", Some(Json::String(secret.arn.clone()))),
        ("Name", Some(Json::String(secret.name.clone()))),
        ("VersionId", version.cloned().map(Json::String)),
    ])
}
