//! Roles, users, groups and instance profiles: what they have in common, and a row for what they have not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_json::Json;
use stepwell_spec::Timestamp;

use super::{Iam, documents, exists_already, invalid, no_such_entity, tags, time};
use crate::answers::{Refusal, members};
use crate::input::Input;
use crate::services::Request;

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Role,
    User,
    Group,
    Profile,
}

/// What is different about a kind.
pub(super) struct Row {
    kind: Kind,
    /// In ARNs and keys.
    pub(super) resource: &'static str,
    /// The parameter that names one.
    pub(super) parameter: &'static str,
    /// The member of an output that holds one, and the one that holds many.
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    /// The member that says its id, and what an id begins with.
    id: &'static str,
    pub(super) id_prefix: &'static str,
    name_max: usize,
    /// In sentences.
    pub(super) called: &'static str,
}

const KINDS: [Row; 4] = [
    Row {
        kind: Kind::Role,
        resource: "role",
        parameter: "RoleName",
        one: "Role",
        many: "Roles",
        id: "RoleId",
        id_prefix: "AROA",
        name_max: 64,
        called: "role",
    },
    Row {
        kind: Kind::User,
        resource: "user",
        parameter: "UserName",
        one: "User",
        many: "Users",
        id: "UserId",
        id_prefix: "AIDA",
        name_max: 64,
        called: "user",
    },
    Row {
        kind: Kind::Group,
        resource: "group",
        parameter: "GroupName",
        one: "Group",
        many: "Groups",
        id: "GroupId",
        id_prefix: "AGPA",
        name_max: 128,
        called: "group",
    },
    Row {
        kind: Kind::Profile,
        resource: "instance-profile",
        parameter: "InstanceProfileName",
        one: "InstanceProfile",
        many: "InstanceProfiles",
        id: "InstanceProfileId",
        id_prefix: "AIPA",
        name_max: 128,
        called: "instance profile",
    },
];

impl Kind {
    pub(super) fn row(self) -> &'static Row {
        let [role, user, group, profile] = &KINDS;
        match self {
            Kind::Role => role,
            Kind::User => user,
            Kind::Group => group,
            Kind::Profile => profile,
        }
    }

    pub(super) fn of_resource(resource: &str) -> Option<Kind> {
        KINDS.iter().find(|row| row.resource == resource).map(|row| row.kind)
    }
}

pub(super) type Texts = BTreeMap<Arc<str>, Arc<str>>;

/// A role, a user, a group or an instance profile.
pub(super) struct Entity {
    pub(super) kind: Kind,
    pub(super) account: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) path: Arc<str>,
    pub(super) arn: Arc<str>,
    pub(super) id: Arc<str>,
    pub(super) created: Timestamp,
    pub(super) tags: Texts,
    /// Policies of its own, by name.
    pub(super) inline: Texts,
    /// ARNs of policies.
    pub(super) attached: BTreeSet<Arc<str>>,
    pub(super) boundary: Option<Arc<str>>,
    /// Who may assume a role.
    pub(super) trust: Option<Arc<str>>,
    pub(super) description: Option<Arc<str>>,
    pub(super) max_session_seconds: u64,
    /// Names of a group's users or an instance profile's role.
    pub(super) members: BTreeSet<Arc<str>>,
}

pub(super) fn key(account: &str, kind: Kind, name: &str) -> String {
    // AWS compares names without regard to case.
    format!("{account}/{}/{}", kind.row().resource, name.to_lowercase())
}

impl Entity {
    pub(super) fn key(&self) -> String {
        key(&self.account, self.kind, &self.name)
    }

    /// As AWS shows it: in a list without tags and boundary.
    pub(super) fn shown(&self, iam: &Iam, whole: bool) -> Json {
        let row = self.kind.row();
        let text = |text: &Arc<str>| Json::String(text.clone());
        let is_role = self.kind == Kind::Role;
        let boundary = self.boundary.as_ref().filter(|_| whole).map(|arn| {
            Json::object([("PermissionsBoundaryType", Json::from("Policy")), ("PermissionsBoundaryArn", text(arn))])
        });
        let roles = (self.kind == Kind::Profile).then(|| {
            let roles = self.members.iter().filter_map(|name| iam.entities.get(&key(&self.account, Kind::Role, name)));
            Json::array(roles.map(|role| role.shown(iam, false)).collect())
        });
        members([
            ("Path", Some(text(&self.path))),
            (row.parameter, Some(text(&self.name))),
            (row.id, Some(text(&self.id))),
            ("Arn", Some(text(&self.arn))),
            ("CreateDate", Some(time(self.created))),
            ("AssumeRolePolicyDocument", self.trust.as_ref().map(|document| documents::shown(document))),
            ("Description", self.description.as_ref().map(text)),
            ("MaxSessionDuration", is_role.then(|| Json::from(self.max_session_seconds))),
            ("PermissionsBoundary", boundary),
            ("Tags", (whole && !self.tags.is_empty()).then(|| tags::shown(&self.tags))),
            ("Roles", roles),
            ("RoleLastUsed", (is_role && whole).then(Json::empty_object)),
        ])
    }
}

impl Iam {
    /// The name a call gives for something of this kind, spelled as a name can be.
    pub(super) fn name_in<'a>(kind: Kind, input: Input<'a>) -> Result<&'a Arc<str>, Refusal> {
        let row = kind.row();
        let name = input.required(row.parameter)?;
        check_name(row.parameter, name, row.name_max)?;
        Ok(name)
    }

    pub(super) fn found(&self, kind: Kind, request: &Request<'_>, input: Input<'_>) -> Result<&Entity, Refusal> {
        let name = Iam::name_in(kind, input)?;
        self.entities.get(&key(&request.place.account, kind, name)).ok_or_else(|| missing(kind, name))
    }

    pub(super) fn found_mut(
        &mut self,
        kind: Kind,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Result<&mut Entity, Refusal> {
        let name = Iam::name_in(kind, input)?;
        self.entities.get_mut(&key(&request.place.account, kind, name)).ok_or_else(|| missing(kind, name))
    }

    pub(super) fn of_kind<'a>(&'a self, account: &str, kind: Kind) -> impl Iterator<Item = (&'a Arc<str>, &'a Entity)> {
        self.entities.below(key(account, kind, ""))
    }
}

pub(super) fn missing(kind: Kind, name: &str) -> Refusal {
    no_such_entity(match kind {
        Kind::Profile => format!("Instance Profile {name} cannot be found."),
        _ => format!("The {} with name {name} cannot be found.", kind.row().called),
    })
}

pub(super) fn already(kind: Kind, name: &str) -> Refusal {
    exists_already(match kind {
        Kind::Profile => format!("Instance Profile {name} already exists."),
        _ => format!("{} with name {name} already exists.", kind.row().one),
    })
}

/// Source: IAM's API reference, `RoleName` and the other names.
pub(super) fn check_name(parameter: &str, name: &str, max: usize) -> Result<(), Refusal> {
    let is_spelled = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte));
    if !name.is_empty() && name.len() <= max && is_spelled {
        return Ok(());
    }
    if name.len() > max {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at '{}' failed to satisfy constraint: Member must have length less \
             than or equal to {max}",
            lower_first(parameter)
        )));
    }
    Err(invalid(format!(
        "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        lower_first(parameter)
    )))
}

/// The path of a call, `/` when it has none.
pub(super) fn path_in(input: Input<'_>) -> Result<Arc<str>, Refusal> {
    let path = input.text("Path")?.cloned().unwrap_or_else(|| "/".into());
    let is_spelled = path.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if path.starts_with('/') && path.ends_with('/') && path.len() <= 512 && is_spelled {
        return Ok(path);
    }
    Err(invalid(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ))
}

fn lower_first(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}
