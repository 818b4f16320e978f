//! Names of state machines, executions and activities.

use crate::refusal::Refusal;

/// Characters a name must not have, beside white space and control characters.
///
/// Source: API reference, `CreateStateMachine`, `name`.
const FORBIDDEN: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";

/// Refuses a name with characters it must not have. Its length is the model's to judge.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    if name.chars().any(is_forbidden) { Err(Refusal::invalid_name(name)) } else { Ok(()) }
}

fn is_forbidden(c: char) -> bool {
    let is_control = matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' | '\u{10ffff}');
    is_control || c.is_whitespace() || FORBIDDEN.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_characters() {
        for good in ["a", "activity-name_123", "activity.name", "ACTIVITY_NAME_ABC", "ünïcode", "(a)@b!=+'"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in FORBIDDEN.chars().chain([' ', '\t', '\u{a0}', '\0', '\u{7f}', '\u{9f}', '\u{ffff}', '\u{10ffff}']) {
            let name = format!("activity{bad}name");
            let refusal = check_name(&name).expect_err(&name);
            assert_eq!(refusal.to_string(), format!("InvalidName: Invalid Name: '{name}'"));
        }
    }
}
