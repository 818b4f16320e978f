//! Managed policies that are attached to roles, users and groups.

use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Arn;

use super::entities::Kind;
use super::{Iam, Outcome, invalid, no_such_entity, page_of};
use crate::answers::{Refusal, texts};
use crate::input::Input;
use crate::services::Request;

/// Policies that can be attached to one entity. Source: IAM quotas, the largest that can be asked for.
const ATTACHED_MAX: usize = 20;

impl Iam {
    pub(super) fn attach(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let arn = input.required("PolicyArn")?;
        let entity = self.found(kind, request, input)?;
        self.check_attachable(arn)?;
        if !entity.attached.contains(arn) && entity.attached.len() >= ATTACHED_MAX {
            let message = format!("Cannot exceed quota for PoliciesPer{}: {ATTACHED_MAX}", kind.row().one);
            return Err(Refusal::new("LimitExceededException", message).with_status(409));
        }
        self.found_mut(kind, request, input)?.attached.insert(arn.clone());
        Ok(Json::empty_object())
    }

    /// A policy of the account, or one of AWS's own, whose names nobody checks here.
    fn check_attachable(&self, arn: &str) -> Result<(), Refusal> {
        let parsed = Arn::parse(arn).filter(|parsed| parsed.service == "iam" && parsed.resource.starts_with("policy/"));
        let Some(parsed) = parsed else { return Err(invalid(format!("ARN {arn} is not valid."))) };
        if parsed.account == "aws" || self.policies.contains(arn) {
            return Ok(());
        }
        Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
    }

    pub(super) fn detach(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let arn = input.required("PolicyArn")?;
        if !self.found(kind, request, input)?.attached.contains(arn) {
            return Err(no_such_entity(format!("Policy {arn} was not found.")));
        }
        self.found_mut(kind, request, input)?.attached.remove(arn);
        Ok(Json::empty_object())
    }

    pub(super) fn list_attached(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let prefix = input.text("PathPrefix")?.map_or("/", |prefix| prefix);
        let entity = self.found(kind, request, input)?;
        let below = format!("policy{prefix}");
        let arns =
            entity.attached.iter().filter(|arn| Arn::parse(arn).is_some_and(|arn| arn.resource.starts_with(&below)));
        page_of("AttachedPolicies", input, arns.map(|arn| &**arn), |arn| {
            let name: Arc<str> = arn.rsplit('/').next().unwrap_or_default().into();
            Some(texts([("PolicyName", name), ("PolicyArn", arn.into())]))
        })
    }

    /// Who has a policy. All at once: no account here has more than a page of them.
    pub(super) fn list_entities_for_policy(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let arn = input.required("PolicyArn")?;
        let filter = input.text("EntityFilter")?.map(|filter| &**filter);
        let lists = [("PolicyGroups", Kind::Group), ("PolicyUsers", Kind::User), ("PolicyRoles", Kind::Role)];
        let shown = lists.map(|(list, kind)| {
            let row = kind.row();
            let all = self.of_kind(&request.place.account, kind).filter(|(_, entity)| entity.attached.contains(arn));
            let all = all.filter(|_| filter.is_none_or(|filter| filter == row.one));
            let id = match kind {
                Kind::Group => "GroupId",
                Kind::User => "UserId",
                _ => "RoleId",
            };
            let shown =
                all.map(|(_, entity)| texts([(row.parameter, entity.name.clone()), (id, entity.id.clone())])).collect();
            (list, Json::array(shown))
        });
        Ok(Json::object(shown.into_iter().chain([("IsTruncated", Json::Bool(false))])))
    }

    /// How many entities have a policy.
    pub(super) fn attachments(&self, arn: &str) -> usize {
        self.entities.iter().filter(|(_, entity)| entity.attached.contains(arn)).count()
    }
}
