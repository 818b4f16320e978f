//! How roles, users, groups and instance profiles come, change and go.

use std::collections::BTreeSet;
use std::sync::Arc;

use stepwell_json::Json;

use super::entities::{Entity, Kind, Texts, already, check_name, key, path_in};
use super::{Iam, Outcome, arn_of, conflict, documents, invalid, page_of, tags, unique_id};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;

/// How long a session of a role lasts at most, in seconds: unless it is said, and what may be said.
const SESSION_SECONDS: u64 = 3_600;
const SESSION_SECONDS_MAX: u64 = 43_200;

impl Iam {
    pub(super) fn create(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = Iam::name_in(kind, input)?.clone();
        let path = path_in(input)?;
        let trust = match kind {
            Kind::Role => {
                let document = input.required("AssumeRolePolicyDocument")?;
                documents::check(document, true)?;
                Some(document.clone())
            }
            Kind::User | Kind::Group | Kind::Profile => None,
        };
        let entity = Entity {
            tags: tags::read(input)?,
            boundary: input.text("PermissionsBoundary")?.cloned(),
            trust,
            description: input.text("Description")?.cloned(),
            max_session_seconds: session_seconds(input)?.unwrap_or(SESSION_SECONDS),
            ..self.new_entity(kind, request, &name, &path)
        };
        self.add(kind, entity)
    }

    fn new_entity(&self, kind: Kind, request: &Request<'_>, name: &Arc<str>, path: &Arc<str>) -> Entity {
        let row = kind.row();
        Entity {
            kind,
            account: request.place.account.clone(),
            name: name.clone(),
            path: path.clone(),
            arn: arn_of(request, &format!("{}{path}{name}", row.resource)).into(),
            id: unique_id(row.id_prefix, request.chance),
            created: request.now,
            tags: Texts::new(),
            inline: Texts::new(),
            attached: BTreeSet::new(),
            boundary: None,
            trust: None,
            description: None,
            max_session_seconds: SESSION_SECONDS,
            members: BTreeSet::new(),
        }
    }

    fn add(&mut self, kind: Kind, entity: Entity) -> Outcome {
        let key = entity.key();
        if self.entities.contains(&key) {
            return Err(already(kind, &entity.name));
        }
        let shown = entity.shown(self, true);
        self.entities.insert(key, entity);
        Ok(Json::object([(kind.row().one, shown)]))
    }

    /// A role that a service is to have: its name and path follow from the service's.
    pub(super) fn create_service_linked_role(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let service = input.required("AWSServiceName")?;
        let first = service.split('.').next().unwrap_or_default();
        if !service.ends_with(".amazonaws.com") || first.is_empty() {
            return Err(Refusal::new("InvalidInputException", format!("{service} is no service that has a role.")));
        }
        let mut letters = first.chars();
        let stem: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        let suffix = input.text("CustomSuffix")?.map(|suffix| format!("_{suffix}")).unwrap_or_default();
        let name: Arc<str> = format!("AWSServiceRoleFor{stem}{suffix}").into();
        check_name("RoleName", &name, 64)?;
        if self.entities.contains(&key(&request.place.account, Kind::Role, &name)) {
            let message =
                format!("Service role name {name} has been taken in this account, please try a different suffix.");
            return Err(Refusal::new("InvalidInputException", message));
        }
        let statement = Json::object([
            ("Effect", Json::from("Allow")),
            ("Principal", Json::object([("Service", Json::String(service.clone()))])),
            ("Action", Json::from("sts:AssumeRole")),
        ]);
        let trust = Json::object([("Version", Json::from("2012-10-17")), ("Statement", Json::array(vec![statement]))]);
        let path = format!("/aws-service-role/{service}/").into();
        let entity = Entity {
            trust: Some(trust.to_string().into()),
            description: input.text("Description")?.cloned(),
            ..self.new_entity(Kind::Role, request, &name, &path)
        };
        self.add(Kind::Role, entity)
    }

    /// Goes at once. The task that AWS has is over when it is told of.
    pub(super) fn delete_service_linked_role(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let role = self.found(Kind::Role, request, input)?;
        if !role.path.starts_with("/aws-service-role/") {
            return Err(invalid(format!("{} is no role of a service.", role.name)));
        }
        let (key, task) = (role.key(), format!("task{}{}/{}", role.path, role.name, request.chance.uuid()));
        self.entities.remove(&key);
        Ok(Json::object([("DeletionTaskId", Json::from(task))]))
    }

    pub(super) fn deletion_status(&mut self, _: &Request<'_>, input: Input<'_>) -> Outcome {
        input.required("DeletionTaskId")?;
        Ok(Json::object([("Status", Json::from("SUCCEEDED"))]))
    }

    pub(super) fn get(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        Ok(Json::object([(kind.row().one, self.found(kind, request, input)?.shown(self, true))]))
    }

    pub(super) fn list(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let prefix = input.text("PathPrefix")?.map_or("/", |prefix| prefix);
        let all = self.of_kind(&request.place.account, kind).filter(|(_, entity)| entity.path.starts_with(prefix));
        page_of(kind.row().many, input, all.map(|(key, _)| &**key), |key| {
            Some(self.entities.get(key)?.shown(self, false))
        })
    }

    pub(super) fn update_role(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let (description, seconds) = (input.text("Description")?.cloned(), session_seconds(input)?);
        let role = self.found_mut(Kind::Role, request, input)?;
        role.description = description.or(role.description.take());
        role.max_session_seconds = seconds.unwrap_or(role.max_session_seconds);
        Ok(Json::empty_object())
    }

    pub(super) fn update_role_description(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let description = input.required("Description")?.clone();
        self.found_mut(Kind::Role, request, input)?.description = Some(description);
        self.get(Kind::Role, request, input)
    }

    pub(super) fn update_assume_role_policy(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let document = input.required("PolicyDocument")?.clone();
        self.found(Kind::Role, request, input)?;
        documents::check(&document, true)?;
        self.found_mut(Kind::Role, request, input)?.trust = Some(document);
        Ok(Json::empty_object())
    }

    pub(super) fn put_boundary(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let arn = input.required("PermissionsBoundary")?.clone();
        self.found_mut(kind, request, input)?.boundary = Some(arn);
        Ok(Json::empty_object())
    }

    pub(super) fn delete_boundary(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        self.found_mut(kind, request, input)?.boundary = None;
        Ok(Json::empty_object())
    }

    /// Deletes what nothing hangs on any more.
    pub(super) fn delete(&mut self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let entity = self.found(kind, request, input)?;
        let is_member_of =
            |of: Kind| self.of_kind(&entity.account, of).any(|(_, other)| other.members.contains(&entity.name));
        let hangs = [
            (!entity.attached.is_empty(), "must detach all policies first."),
            (!entity.inline.is_empty(), "must delete policies first."),
            (kind == Kind::Role && is_member_of(Kind::Profile), "must remove roles from instance profile first."),
            (kind == Kind::Profile && !entity.members.is_empty(), "must remove roles from instance profile first."),
            (kind == Kind::Group && !entity.members.is_empty(), "must remove users from group first."),
            (kind == Kind::User && is_member_of(Kind::Group), "must remove users from group first."),
            (kind == Kind::User && self.keys_of(entity).next().is_some(), "must delete access keys first."),
        ];
        if let Some((_, first)) = hangs.iter().find(|(hangs, _)| *hangs) {
            return Err(conflict(format!("Cannot delete entity, {first}")));
        }
        let key = entity.key();
        self.entities.remove(&key);
        Ok(Json::empty_object())
    }
}

fn session_seconds(input: Input<'_>) -> Result<Option<u64>, Refusal> {
    let Some(seconds) = input.integer("MaxSessionDuration")? else { return Ok(None) };
    let known = u64::try_from(seconds).ok().filter(|seconds| (SESSION_SECONDS..=SESSION_SECONDS_MAX).contains(seconds));
    known.map(Some).ok_or_else(|| {
        let (word, bound) =
            if seconds < 3_600 { ("greater", SESSION_SECONDS) } else { ("less", SESSION_SECONDS_MAX) };
        invalid(format!(
            "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must \
             have value {word} than or equal to {bound}"
        ))
    })
}
