//! Access keys of users. Where requests are proved, they prove them as long as they are active.

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Timestamp;
use stepwell_store::Index;

use super::entities::{Entity, Kind};
use super::{Iam, Outcome, invalid, no_such_entity, page_of, time};
use crate::answers::{Refusal, members, texts};
use crate::input::Input;
use crate::rows::{RowError, row_of};
use crate::services::Request;
use crate::shelf::Kept;

/// Keys of one user. Source: IAM quotas.
const KEYS_MAX: usize = 2;

/// An access key. Its secret is told once and not kept.
pub(super) struct AccessKey {
    pub(super) account: Arc<str>,
    pub(super) user: Arc<str>,
    pub(super) is_active: bool,
    pub(super) created: Timestamp,
}

impl AccessKey {
    fn shown(&self, id: &str, secret: Option<String>) -> Json {
        members([
            ("UserName", Some(Json::String(self.user.clone()))),
            ("AccessKeyId", Some(Json::from(id))),
            ("Status", Some(Json::from(if self.is_active { "Active" } else { "Inactive" }))),
            ("SecretAccessKey", secret.map(Json::from)),
            ("CreateDate", Some(time(self.created))),
        ])
    }
}

/// Whether there is a key of this id in a store, and it is active.
pub(crate) fn is_active_key(index: &dyn Index, id: &str) -> Result<bool, RowError> {
    let key = row_of(index, AccessKey::TABLE, id.as_bytes(), AccessKey::read)?;
    Ok(key.is_some_and(|key| key.is_active))
}

impl Iam {
    pub(super) fn keys_of<'a>(&'a self, user: &'a Entity) -> impl Iterator<Item = (&'a Arc<str>, &'a AccessKey)> {
        self.keys.iter().filter(|(_, key)| key.account == user.account && key.user == user.name)
    }

    pub(super) fn create_access_key(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let user = self.found(Kind::User, request, input)?;
        if self.keys_of(user).count() >= KEYS_MAX {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {KEYS_MAX}");
            return Err(Refusal::new("LimitExceededException", message).with_status(409));
        }
        let (id, secret) = self
            .mint
            .lasting(&request.place.account, request.chance.draw())
            .ok_or_else(|| invalid("The account has no twelve digits."))?;
        let key =
            AccessKey { account: user.account.clone(), user: user.name.clone(), is_active: true, created: request.now };
        let shown = key.shown(&id, Some(secret));
        self.keys.insert(id, key);
        Ok(Json::object([("AccessKey", shown)]))
    }

    pub(super) fn list_access_keys(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let user = self.found(Kind::User, request, input)?;
        page_of("AccessKeyMetadata", input, self.keys_of(user).map(|(id, _)| &**id), |id| {
            Some(self.keys.get(id)?.shown(id, None))
        })
    }

    fn key_in(&self, request: &Request<'_>, input: Input<'_>) -> Result<Arc<str>, Refusal> {
        let id = input.required("AccessKeyId")?;
        let is_meant = |key: &AccessKey| match input.text("UserName") {
            Ok(Some(user)) => key.user == *user,
            _ => true,
        };
        let found = self.keys.get(id).filter(|key| key.account == request.place.account && is_meant(key));
        found.map(|_| id.clone()).ok_or_else(|| no_such_entity(format!("The Access Key with id {id} cannot be found.")))
    }

    pub(super) fn update_access_key(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let id = self.key_in(request, input)?;
        let is_active = match &**input.required("Status")? {
            "Active" => true,
            "Inactive" => false,
            other => return Err(invalid(format!("A key's status is Active or Inactive, not {other}."))),
        };
        if let Some(key) = self.keys.get_mut(&id) {
            key.is_active = is_active;
        }
        Ok(Json::empty_object())
    }

    pub(super) fn delete_access_key(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let id = self.key_in(request, input)?;
        self.keys.remove(&id);
        Ok(Json::empty_object())
    }

    /// Uses are not counted, so that a key was never used.
    pub(super) fn get_access_key_last_used(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let id = self.key_in(request, input)?;
        let user = self.keys.get(&id).map(|key| Json::String(key.user.clone()));
        let never = texts([("ServiceName", "N/A"), ("Region", "N/A")]);
        Ok(members([("UserName", user), ("AccessKeyLastUsed", Some(never))]))
    }
}
