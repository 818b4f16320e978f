//! Whom a role's trust policy names: accounts alone. Who of an account calls is not known here.

use stepwell_json::Json;

use super::entities::Entity;

impl Entity {
    /// Whether a statement lets this account, or anybody of it, assume the role. Conditions are not weighed: a statement that
    /// has one lets nobody in.
    pub(super) fn trusts(&self, account: &str) -> bool {
        let policy = self.trust.as_deref().and_then(|policy| Json::parse(policy).ok());
        let statements = policy.as_ref().and_then(|policy| policy.get("Statement"));
        statements.is_some_and(|statements| each(statements).any(|statement| lets_in(statement, account)))
    }
}

fn lets_in(statement: &Json, account: &str) -> bool {
    let is_action = |action: &Json| {
        let action = action.as_str().unwrap_or_default();
        ["sts:AssumeRole", "sts:*", "*"].iter().any(|known| known.eq_ignore_ascii_case(action))
    };
    let is_allowed = statement.get("Effect").and_then(Json::as_str) == Some("Allow")
        && statement.get("Action").is_some_and(|actions| each(actions).any(is_action))
        && statement.get("Condition").is_none();
    let principals = match statement.get("Principal") {
        Some(Json::Object(principals)) => principals.get("AWS"),
        other => other,
    };
    let is_named = |principal: &Json| {
        let principal = principal.as_str().unwrap_or_default();
        principal == "*" || principal == account || principal.split(':').nth(4) == Some(account)
    };
    is_allowed && principals.is_some_and(|principals| each(principals).any(is_named))
}

/// The items of a list, or the one that stands for a list of one.
fn each(value: &Json) -> Box<dyn Iterator<Item = &Json> + '_> {
    match value {
        Json::Array(values) => Box::new(values.iter()),
        one => Box::new(std::iter::once(one)),
    }
}
