//! Requests that are wrong in one way or several, made of requests that are right; and what a server may say to them.
//!
//! ```text
//! stock   what exists, and for each action the requests that are granted then
//! kinds   what can be wrong with a request, a row each
//! ```
//!
//! Knows no service: it asks whoever it is given, so that the same requests meet the API and a server's socket.

mod kinds;
mod stock;

use std::collections::BTreeMap;

use stepwell_json::Json;
use stepwell_spec::{Action, Exception, ProtocolError};

use crate::chance::Chance;

pub(crate) use kinds::KINDS;
pub(crate) use stock::Stock;

/// Bytes a request may have.
const BODY_BYTES_MAX: usize = 1_048_576;

/// A request on its way to be wrong.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) action: Action,
    pub(crate) method: &'static str,
    pub(crate) content_type: String,
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
    /// What has been done to it: names of [`KINDS`].
    pub(crate) kinds: Vec<&'static str>,
}

impl Draft {
    /// The request as it should be.
    pub(crate) fn right(action: Action, body: &Json) -> Draft {
        Draft {
            action,
            method: "POST",
            content_type: "application/x-amz-json-1.0".to_owned(),
            target: format!("AWSStepFunctions.{}", action.name()),
            body: body.to_string().into_bytes(),
            kinds: Vec::new(),
        }
    }

    /// The request with one to three things wrong.
    pub(crate) fn wrong(action: Action, body: &Json, chance: &mut Chance) -> Draft {
        let mut draft = Draft::right(action, body);
        let wanted = 1 + [0, 0, 0, 1, 2][chance.below(5)];
        while draft.kinds.len() < wanted {
            // A kind that finds nothing it could change leaves the request as it is.
            let kind = &KINDS[chance.below(KINDS.len())];
            if (kind.one_in == 1 || chance.one_in(kind.one_in)) && (kind.alter)(&mut draft, chance) {
                draft.kinds.push(kind.name);
            }
        }
        draft
    }

    /// What an answer's status and body come to. Panics when they are none that AWS could give to this action.
    pub(crate) fn judge(&self, status: u16, body: &str) -> Verdict {
        let about = || format!("{self}: {status} {body}");
        if status == 200 {
            assert!(Json::parse(body).is_ok_and(|body| body.as_object().is_some()), "{}", about());
            return Verdict::Granted;
        }
        assert!((400..500).contains(&status), "{}", about());
        if body.starts_with('<') {
            return Verdict::Refused("XML".to_owned());
        }
        let json = Json::parse(body).unwrap_or_else(|_| panic!("{}", about()));
        let kind = json.get("__type").and_then(Json::as_str).unwrap_or_else(|| panic!("{}", about()));
        let (namespace, name) = kind.split_once('#').unwrap_or_else(|| panic!("{}", about()));
        assert!(namespace.starts_with("com.amazon"), "{}", about());
        // An altered target may mean another action.
        let action = self.target.split_once('.').and_then(|(_, name)| Action::of(name)).unwrap_or(self.action);
        let is_declared = name == Exception::ValidationException.name()
            || action.facts().throws.iter().any(|exception| exception.name() == name)
            || ProtocolError::ALL.iter().any(|error| error.name() == name);
        assert!(is_declared, "{}", about());
        assert!(body.len() <= 4 * BODY_BYTES_MAX, "{} bytes of an answer", body.len());
        Verdict::Refused(name.to_owned())
    }
}

impl std::fmt::Display for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(2_000)]);
        write!(f, "{} {:?} {} {} {body}", self.method, self.kinds, self.content_type, self.target)
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was not wrong after all.
    Granted,
    /// By the name of the error.
    Refused(String),
}

/// How requests fared, by what was wrong with them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Refused and granted.
    kinds: BTreeMap<&'static str, (u64, u64)>,
    errors: BTreeMap<String, u64>,
    actions: BTreeMap<&'static str, (u64, u64)>,
}

impl Tally {
    pub(crate) fn count(&mut self, draft: &Draft, verdict: &Verdict) {
        let is_granted = *verdict == Verdict::Granted;
        let add = |(refused, granted): &mut (u64, u64)| match is_granted {
            true => *granted += 1,
            false => *refused += 1,
        };
        // With one thing wrong, it is that which was refused.
        if let [kind] = draft.kinds[..] {
            add(self.kinds.entry(kind).or_default());
        }
        add(self.actions.entry(draft.action.name()).or_default());
        if let Verdict::Refused(name) = verdict {
            *self.errors.entry(name.clone()).or_default() += 1;
        }
    }

    /// Says how many there were, and fails when a kind or an action never led to a refusal.
    pub(crate) fn close(&self) {
        let (refused, granted) =
            self.actions.values().fold((0, 0), |(r, g), (refused, granted)| (r + refused, g + granted));
        println!("{refused} refused, {granted} granted; {:?}", self.errors);
        for kind in KINDS {
            let (refused, granted) = self.kinds.get(kind.name).copied().unwrap_or_default();
            assert!(
                refused > 0 || kind.is_harmless && granted > 0,
                "{}: {refused} refused, {granted} granted",
                kind.name
            );
        }
        for action in Action::ALL {
            let (refused, _) = self.actions.get(action.name()).copied().unwrap_or_default();
            assert!(refused > 0, "{} refused nothing", action.name());
        }
    }
}
