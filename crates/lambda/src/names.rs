//! How callers name functions: a name, an ARN or a part of one, with a version or an alias behind it or beside it.

use std::fmt;
use std::sync::Arc;

use stepwell_protocol::Place;

use crate::refusal::Refusal;

/// The version that can be changed.
pub(crate) const LATEST: &str = "$LATEST";

const NAME_PATTERN: &str = "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?\
    (\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";

/// A function of a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) name: Arc<str>,
}

impl Key {
    /// The ARN without a qualifier.
    pub(crate) fn arn(&self) -> String {
        self.place.arn("lambda", &format!("function:{}", self.name))
    }

    pub(crate) fn qualified_arn(&self, qualifier: &str) -> String {
        format!("{}:{qualifier}", self.arn())
    }
}

/// What a call means: a function, and perhaps which of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) key: Key,
    /// `$LATEST`, a version or an alias.
    pub(crate) qualifier: Option<Arc<str>>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.qualifier {
            Some(qualifier) => f.write_str(&self.key.qualified_arn(qualifier)),
            None => f.write_str(&self.key.arn()),
        }
    }
}

impl Target {
    /// Reads a `FunctionName` and a `Qualifier` of a caller in a place.
    pub(crate) fn read(place: &Place, text: &str, qualifier: Option<&Arc<str>>) -> Result<Target, Refusal> {
        let malformed = |text: &str| {
            Refusal::constraint(
                "functionName",
                &format!("'{text}'"),
                &format!("must satisfy regular expression pattern: {NAME_PATTERN}"),
            )
        };
        let parts = Parts::of(text).ok_or_else(|| malformed(text))?;
        if parts.name.len() > 64 {
            return Err(Refusal::constraint(
                "functionName",
                &format!("'{text}'"),
                "must have length less than or equal to 64",
            ));
        }
        let target = |place: Place, qualifier: Option<Arc<str>>| Target {
            key: Key { place, name: parts.name.into() },
            qualifier,
        };
        let qualifier = match (parts.qualifier, qualifier) {
            (Some(of_name), Some(given)) if *of_name != **given => {
                return Err(Refusal::invalid(
                    "The derived qualifier from the function name does not match the specified qualifier.",
                ));
            }
            (Some(of_name), _) => Some(Arc::from(of_name)),
            (None, given) => given.cloned(),
        };
        if let Some(wrong) = qualifier.as_deref().filter(|qualifier| !is_qualifier(qualifier)) {
            return Err(Refusal::constraint(
                "qualifier",
                &format!("'{wrong}'"),
                "must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)",
            ));
        }
        if let Some(region) = parts.region.filter(|region| **region != *place.region) {
            return Err(Refusal::missing(format!(
                "Functions from '{region}' are not reachable in this region ('{}')",
                place.region
            )));
        }
        match parts.account.filter(|account| **account != *place.account) {
            // Somebody else's function looks as one that is not there.
            Some(account) => {
                let theirs = target(Place { account: account.into(), region: place.region.clone() }, qualifier);
                Err(Refusal::function_not_found(&theirs.to_string()))
            }
            None => Ok(target(place.clone(), qualifier)),
        }
    }
}

struct Parts<'a> {
    region: Option<&'a str>,
    account: Option<&'a str>,
    name: &'a str,
    qualifier: Option<&'a str>,
}

impl Parts<'_> {
    fn of(text: &str) -> Option<Parts<'_>> {
        let mut rest: &[&str] = &text.split(':').collect::<Vec<_>>();
        let mut parts = Parts { region: None, account: None, name: "", qualifier: None };
        if let ["arn", partition, "lambda", after @ ..] = rest {
            if !partition.starts_with("aws") {
                return None;
            }
            rest = after;
        }
        if let [first, after @ ..] = rest
            && is_region(first)
            && !after.is_empty()
        {
            (parts.region, rest) = (Some(*first), after);
        }
        if let [first, after @ ..] = rest
            && first.len() == 12
            && first.bytes().all(|byte| byte.is_ascii_digit())
            && !after.is_empty()
        {
            (parts.account, rest) = (Some(*first), after);
        }
        if let ["function", after @ ..] = rest
            && !after.is_empty()
        {
            rest = after;
        }
        match rest {
            [name] if is_name(name) => parts.name = name,
            [name, qualifier] if is_name(name) && is_qualifier(qualifier) => {
                (parts.name, parts.qualifier) = (*name, Some(*qualifier));
            }
            _ => return None,
        }
        Some(parts)
    }
}

/// `us-east-1`; a function may be called so too, but then nothing stands behind it.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], [first, .., last] if parts.len() >= 3 && first.len() >= 2
        && last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_qualifier(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$'))
}

/// Whether an alias may be called so: anything that cannot be a version.
pub(crate) fn is_alias_name(text: &str) -> bool {
    is_name(text) && text.len() <= 128 && !text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stepwell_protocol::Place;

    use super::Target;

    fn place() -> Place {
        Place { account: "123456789012".into(), region: "us-east-1".into() }
    }

    fn check(text: &str, qualifier: Option<&str>, expected: Result<&str, &str>) {
        let qualifier = qualifier.map(Arc::from);
        let found = Target::read(&place(), text, qualifier.as_ref());
        let found = found.map(|target| target.to_string()).map_err(|refusal| refusal.code);
        assert_eq!(found.as_deref().map_err(|code| *code), expected, "{text} {qualifier:?}");
    }

    #[test]
    fn every_way_to_name_a_function() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
        let qualified = format!("{arn}:2");
        let latest = format!("{arn}:$LATEST");
        for (text, qualifier, expected) in [
            ("f", None, arn),
            ("f:2", None, &*qualified),
            ("f", Some("2"), &*qualified),
            ("f:2", Some("2"), &*qualified),
            ("f:$LATEST", None, &*latest),
            ("function:f", None, arn),
            ("123456789012:function:f", None, arn),
            ("123456789012:f:2", None, &*qualified),
            (arn, None, arn),
            (&*qualified, None, &*qualified),
        ] {
            check(text, qualifier, Ok(expected));
        }
        check("function", None, Ok("arn:aws:lambda:us-east-1:123456789012:function:function"));
    }

    #[test]
    fn what_names_none_is_refused() {
        for text in ["", "bad name", "f:", "a:b:c:d", "arn:aws:sqs:us-east-1:123456789012:f", "f/../g", "f\0"] {
            check(text, None, Err("ValidationException"));
        }
        check(&"f".repeat(65), None, Err("ValidationException"));
        check("f:1", Some("2"), Err("InvalidParameterValueException"));
        check("arn:aws:lambda:us-west-2:123456789012:function:f", None, Err("ResourceNotFoundException"));
        check("arn:aws:lambda:us-east-1:210987654321:function:f", None, Err("ResourceNotFoundException"));
    }
}
