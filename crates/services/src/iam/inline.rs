//! Policies that a role, a user or a group has of its own.

use stepwell_json::Json;

use super::entities::{Kind, check_name};
use super::{Iam, Outcome, documents, no_such_entity, page_of};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;

/// Characters of a policy's name. Source: IAM's API reference, PutRolePolicy.
const NAME_MAX: usize = 128;

impl Iam {
    pub(super) fn put_inline(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let (name, document) = (input.required("PolicyName")?, input.required("PolicyDocument")?);
        check_name("PolicyName", name, NAME_MAX)?;
        self.found(kind, request, input)?;
        documents::check(document, false)?;
        self.found_mut(kind, request, input)?.inline.insert(name.clone(), document.clone());
        Ok(Json::empty_object())
    }

    pub(super) fn get_inline(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = input.required("PolicyName")?;
        let entity = self.found(kind, request, input)?;
        let document = entity.inline.get(name).ok_or_else(|| no_policy(kind, name))?;
        Ok(Json::object([
            (kind.row().parameter, Json::String(entity.name.clone())),
            ("PolicyName", Json::String(name.clone())),
            ("PolicyDocument", documents::shown(document)),
        ]))
    }

    pub(super) fn list_inline(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let entity = self.found(kind, request, input)?;
        page_of("PolicyNames", input, entity.inline.keys().map(|name| &**name), |name| Some(Json::from(name)))
    }

    pub(super) fn delete_inline(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = input.required("PolicyName")?;
        if !self.found(kind, request, input)?.inline.contains_key(name) {
            return Err(no_policy(kind, name));
        }
        self.found_mut(kind, request, input)?.inline.remove(name);
        Ok(Json::empty_object())
    }
}

fn no_policy(kind: Kind, name: &str) -> Refusal {
    no_such_entity(format!("The {} policy with name {name} cannot be found.", kind.row().called))
}
