//! Managed policies and their versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::{Arn, Timestamp};

use super::entities::{Texts, check_name, path_in};
use super::{
    Iam, Outcome, arn_of, conflict, documents, exists_already, no_such_entity, page_of, tags, time, unique_id,
};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::services::Request;

/// Versions of one policy. Source: IAM quotas.
const VERSIONS_MAX: usize = 5;

/// Characters of a policy's name. Source: IAM's API reference, CreatePolicy.
const NAME_MAX: usize = 128;

/// A policy of an account.
pub(super) struct Policy {
    pub(super) name: Arc<str>,
    pub(super) id: Arc<str>,
    pub(super) path: Arc<str>,
    pub(super) description: Option<Arc<str>>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) tags: Texts,
    pub(super) default_version: u64,
    /// How many versions there ever were.
    pub(super) last_version: u64,
    pub(super) versions: BTreeMap<u64, Version>,
}

/// What a policy says, or said.
pub(super) struct Version {
    pub(super) document: Arc<str>,
    pub(super) created: Timestamp,
}

impl Policy {
    fn shown(&self, arn: &str, attachments: usize, whole: bool) -> Json {
        let text = |text: &Arc<str>| Json::String(text.clone());
        members([
            ("PolicyName", Some(text(&self.name))),
            ("PolicyId", Some(text(&self.id))),
            ("Arn", Some(Json::from(arn))),
            ("Path", Some(text(&self.path))),
            ("DefaultVersionId", Some(Json::from(format!("v{}", self.default_version)))),
            ("AttachmentCount", Some(Json::from(attachments as u64))),
            ("PermissionsBoundaryUsageCount", Some(Json::from(0))),
            ("IsAttachable", Some(Json::Bool(true))),
            ("Description", self.description.as_ref().filter(|_| whole).map(text)),
            ("CreateDate", Some(time(self.created))),
            ("UpdateDate", Some(time(self.updated))),
            ("Tags", (whole && !self.tags.is_empty()).then(|| tags::shown(&self.tags))),
        ])
    }

    fn shown_version(&self, number: u64, with_document: bool) -> Option<Json> {
        let version = self.versions.get(&number)?;
        Some(members([
            ("Document", with_document.then(|| documents::shown(&version.document))),
            ("VersionId", Some(Json::from(format!("v{number}")))),
            ("IsDefaultVersion", Some(Json::Bool(number == self.default_version))),
            ("CreateDate", Some(time(version.created))),
        ]))
    }
}

impl Iam {
    fn policy<'a>(&self, input: Input<'a>) -> Result<(&'a Arc<str>, &Policy), Refusal> {
        let arn = input.required("PolicyArn")?;
        Ok((arn, self.policies.get(arn).ok_or_else(|| no_policy(arn))?))
    }

    fn policy_mut(&mut self, input: Input<'_>) -> Result<&mut Policy, Refusal> {
        let arn = input.required("PolicyArn")?;
        self.policies.get_mut(arn).ok_or_else(|| no_policy(arn))
    }

    /// The version a call names.
    fn version_in(&self, input: Input<'_>) -> Result<u64, Refusal> {
        let (arn, policy) = self.policy(input)?;
        let id = input.required("VersionId")?;
        let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
        number
            .filter(|number| policy.versions.contains_key(number))
            .ok_or_else(|| no_such_entity(format!("Policy {arn} version {id} does not exist or is not attachable.")))
    }

    pub(super) fn create_policy(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let (name, document) = (input.required("PolicyName")?, input.required("PolicyDocument")?);
        check_name("PolicyName", name, NAME_MAX)?;
        let path = path_in(input)?;
        documents::check(document, false)?;
        let arn = arn_of(request, &format!("policy{path}{name}"));
        let beginning = arn_of(request, "policy/");
        if self.policies.below(beginning).any(|(_, policy)| policy.name.eq_ignore_ascii_case(name)) {
            return Err(exists_already(format!(
                "A policy called {name} already exists. Duplicate names are not allowed."
            )));
        }
        let first = Version { document: document.clone(), created: request.now };
        let policy = Policy {
            name: name.clone(),
            id: unique_id("ANPA", request.chance),
            path,
            description: input.text("Description")?.cloned(),
            created: request.now,
            updated: request.now,
            tags: tags::read(input)?,
            default_version: 1,
            last_version: 1,
            versions: BTreeMap::from([(1, first)]),
        };
        let shown = policy.shown(&arn, 0, true);
        self.policies.insert(arn, policy);
        Ok(Json::object([("Policy", shown)]))
    }

    pub(super) fn get_policy(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        let (arn, policy) = self.policy(input)?;
        Ok(Json::object([("Policy", policy.shown(arn, self.attachments(arn), true))]))
    }

    /// Policies of the account. AWS's own are not listed.
    pub(super) fn list_policies(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let prefix = input.text("PathPrefix")?.map_or("/", |prefix| prefix);
        let is_ours = input.text("Scope")?.is_none_or(|scope| &**scope != "AWS");
        let only_attached = input.is_set("OnlyAttached")?;
        let all = self.policies.below(arn_of(request, "policy/")).filter(|(arn, policy)| {
            is_ours && policy.path.starts_with(prefix) && (!only_attached || self.attachments(arn) > 0)
        });
        page_of("Policies", input, all.map(|(arn, _)| &**arn), |arn| {
            Some(self.policies.get(arn)?.shown(arn, self.attachments(arn), false))
        })
    }

    pub(super) fn delete_policy(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        let (arn, policy) = self.policy(input)?;
        if self.attachments(arn) > 0 {
            return Err(conflict("Cannot delete a policy attached to entities."));
        }
        if policy.versions.len() > 1 {
            return Err(conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
                 The default version is deleted with the policy.",
            ));
        }
        self.policies.remove(arn);
        Ok(Json::empty_object())
    }

    pub(super) fn create_policy_version(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let document = input.required("PolicyDocument")?.clone();
        let becomes_default = input.is_set("SetAsDefault")?;
        self.policy(input)?;
        documents::check(&document, false)?;
        let policy = self.policy_mut(input)?;
        if policy.versions.len() >= VERSIONS_MAX {
            let message = format!(
                "A managed policy can have up to {VERSIONS_MAX} versions. Before you create a new version, you must delete an \
                 existing version."
            );
            return Err(Refusal::new("LimitExceededException", message).with_status(409));
        }
        policy.last_version += 1;
        let number = policy.last_version;
        policy.versions.insert(number, Version { document, created: request.now });
        policy.updated = request.now;
        if becomes_default {
            policy.default_version = number;
        }
        let shown = policy.shown_version(number, false).unwrap_or(Json::Null);
        Ok(Json::object([("PolicyVersion", shown)]))
    }

    pub(super) fn get_policy_version(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        let number = self.version_in(input)?;
        let (_, policy) = self.policy(input)?;
        Ok(Json::object([("PolicyVersion", policy.shown_version(number, true).unwrap_or(Json::Null))]))
    }

    pub(super) fn list_policy_versions(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        let (_, policy) = self.policy(input)?;
        let shown = policy.versions.keys().rev().filter_map(|number| policy.shown_version(*number, false));
        Ok(Json::object([("Versions", Json::array(shown.collect())), ("IsTruncated", Json::Bool(false))]))
    }

    pub(super) fn set_default_policy_version(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let number = self.version_in(input)?;
        let policy = self.policy_mut(input)?;
        policy.default_version = number;
        policy.updated = request.now;
        Ok(Json::empty_object())
    }

    pub(super) fn delete_policy_version(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        let number = self.version_in(input)?;
        let policy = self.policy_mut(input)?;
        if number == policy.default_version {
            return Err(conflict("Cannot delete the default version of a policy."));
        }
        policy.versions.remove(&number);
        Ok(Json::empty_object())
    }

    pub(super) fn tag_policy(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        tags::add(&mut self.policy_mut(input)?.tags, input)
    }

    pub(super) fn untag_policy(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        tags::remove(&mut self.policy_mut(input)?.tags, input)
    }

    pub(super) fn list_policy_tags(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        tags::list(&self.policy(input)?.1.tags)
    }
}

fn no_policy(arn: &str) -> Refusal {
    match Arn::parse(arn).filter(|arn| arn.service == "iam") {
        Some(_) => no_such_entity(format!("Policy {arn} was not found.")),
        None => super::invalid(format!("ARN {arn} is not valid.")),
    }
}
