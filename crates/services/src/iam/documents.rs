//! Policy documents: read far enough to refuse what AWS refuses, shown as AWS shows them.

use stepwell_json::Json;
use stepwell_protocol::percent_encode;

use crate::answers::Refusal;

/// Characters a document may have, white space left out. Source: IAM quotas, managed policies, the largest.
const CHARACTERS_MAX: usize = 10_240;

/// Whether a text can be a policy. One that says who may assume a role names principals and no resources.
pub(super) fn check(document: &str, is_trust: bool) -> Result<(), Refusal> {
    let json = Json::parse(document).map_err(|_| malformed("This policy contains invalid Json"))?;
    let Some(policy) = json.as_object() else { return Err(malformed("Syntax errors in policy.")) };
    if document.chars().filter(|character| !character.is_whitespace()).count() > CHARACTERS_MAX {
        let message = format!("Cannot exceed quota for PolicySize: {CHARACTERS_MAX}");
        return Err(Refusal::new("LimitExceededException", message).with_status(409));
    }
    if policy.get("Version").is_some_and(|version| !matches!(version.as_str(), Some("2012-10-17" | "2008-10-17"))) {
        return Err(malformed("Syntax errors in policy."));
    }
    let statements = match policy.get("Statement") {
        Some(Json::Array(statements)) => statements.iter().collect(),
        Some(statement @ Json::Object(_)) => vec![statement],
        _ => return Err(malformed("Syntax errors in policy.")),
    };
    statements.into_iter().try_for_each(|statement| check_statement(statement, is_trust))
}

fn check_statement(statement: &Json, is_trust: bool) -> Result<(), Refusal> {
    let has = |names: [&str; 2]| names.iter().any(|name| statement.get(name).is_some());
    if !matches!(statement.get("Effect").and_then(Json::as_str), Some("Allow" | "Deny")) {
        return Err(malformed("Syntax errors in policy."));
    }
    if !has(["Action", "NotAction"]) {
        return Err(malformed("Policy statement must contain actions."));
    }
    match (is_trust, has(["Principal", "NotPrincipal"]), has(["Resource", "NotResource"])) {
        (true, _, true) => Err(malformed("Has prohibited field Resource")),
        (true, false, _) => Err(malformed("Missing required field Principal")),
        (false, true, _) => Err(malformed("Policy document should not specify a principal.")),
        (false, false, false) => Err(malformed("Policy statement must contain resources.")),
        _ => Ok(()),
    }
}

fn malformed(message: &str) -> Refusal {
    Refusal::new("MalformedPolicyDocumentException", message)
}

/// A document as outputs have it.
pub(super) fn shown(document: &str) -> Json {
    Json::from(percent_encode(document, b""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_apart() {
        let allow = |more: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow"{more}}}]}}"#);
        for (document, is_trust, expected) in [
            (allow(r#","Action":"*","Resource":"*""#), false, true),
            (r#"{"Statement":{"Effect":"Deny","NotAction":"a:b","NotResource":"*"}}"#.to_owned(), false, true),
            (allow(r#","Action":"sts:AssumeRole","Principal":{"Service":"x"}"#), true, true),
            (allow(r#","Action":"*""#), false, false),
            (allow(r#","Action":"*","Resource":"*","Principal":"*""#), false, false),
            (allow(r#","Action":"sts:AssumeRole""#), true, false),
            (allow(r#","Action":"sts:AssumeRole","Principal":"*","Resource":"*""#), true, false),
            (allow(r#","Resource":"*""#), false, false),
            (r#"{"Version":"2012-10-17"}"#.to_owned(), false, false),
            (r#"{"Version":"2013","Statement":[]}"#.to_owned(), false, false),
            (r#"{"Statement":[{"Action":"*","Resource":"*"}]}"#.to_owned(), false, false),
            ("[]".to_owned(), false, false),
            ("nonsense".to_owned(), false, false),
        ] {
            assert_eq!(check(&document, is_trust).is_ok(), expected, "{document}");
        }
        let large = allow(&format!(r#","Action":"{}","Resource":"*""#, "x".repeat(CHARACTERS_MAX)));
        assert_eq!(check(&large, false).map_err(|refusal| refusal.code), Err("LimitExceededException"));
    }

    #[test]
    fn documents_are_shown_percent_encoded() {
        assert_eq!(shown(r#"{"a": "é~"}"#), Json::from("%7B%22a%22%3A%20%22%C3%A9~%22%7D"));
    }
}
