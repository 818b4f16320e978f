//! The actions of Secrets Manager, by name.

use super::{Outcome, Secrets};
use crate::input::Input;
use crate::services::Request;

pub(super) type Action = fn(&mut Secrets, &Request<'_>, Input<'_>) -> Outcome;

const ACTIONS: &[(&str, Action)] = &[
    ("CreateSecret", Secrets::create_secret),
    ("DeleteResourcePolicy", Secrets::delete_resource_policy),
    ("DeleteSecret", Secrets::delete_secret),
    ("DescribeSecret", Secrets::describe_secret),
    ("GetRandomPassword", Secrets::get_random_password),
    ("GetResourcePolicy", Secrets::get_resource_policy),
    ("GetSecretValue", Secrets::get_secret_value),
    ("ListSecretVersionIds", Secrets::list_secret_version_ids),
    ("ListSecrets", Secrets::list_secrets),
    ("PutResourcePolicy", Secrets::put_resource_policy),
    ("PutSecretValue", Secrets::put_secret_value),
    ("RestoreSecret", Secrets::restore_secret),
    ("TagResource", Secrets::tag_resource),
    ("UntagResource", Secrets::untag_resource),
    ("UpdateSecret", Secrets::update_secret),
    ("UpdateSecretVersionStage", Secrets::update_secret_version_stage),
];

pub(super) fn of(name: &str) -> Option<Action> {
    ACTIONS.iter().find(|(action, _)| *action == name).map(|(_, function)| *function)
}
