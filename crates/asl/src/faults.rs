//! Collects faults while a definition is read, up to a bound, and turns them into diagnostics.

use stepwell_json::Span;

use crate::diagnostics::{AwsVoice, Code, Diagnostic};
use crate::source::Source;
use crate::trail::{At, Trail};

/// Diagnostics one compilation lists. Nobody reads more, and a hostile text must not make a larger answer than itself.
pub(crate) const LISTED_MAX: usize = 1_000;

/// One fault, before it is written out.
pub(crate) struct Fault {
    code: Code,
    at: At,
    span: Span,
    message: String,
    suggestion: Option<String>,
    aws: Option<(&'static str, String, Location)>,
}

/// Where AWS says a fault is.
enum Location {
    At(At),
    Written(String),
    Nowhere,
}

impl Fault {
    /// A fault of the value at `at`, to be pointed out at `span`.
    pub(crate) fn new(code: Code, at: At, span: Span, message: impl Into<String>) -> Fault {
        Fault { code, at, span, message: message.into(), suggestion: None, aws: None }
    }

    /// How to mend it.
    pub(crate) fn suggest(mut self, suggestion: Option<String>) -> Fault {
        self.suggestion = suggestion;
        self
    }

    /// `did you mean "…"?`, if there is a near name.
    pub(crate) fn did_you_mean(self, near: Option<&str>) -> Fault {
        self.suggest(near.map(|near| format!("did you mean \"{near}\"?")))
    }

    /// AWS's words for a value that does not fit the schema.
    pub(crate) fn schema(self, message: impl Into<String>) -> Fault {
        self.aws("SCHEMA_VALIDATION_FAILED", message)
    }

    /// AWS's words, with a code of their own.
    pub(crate) fn aws(mut self, code: &'static str, message: impl Into<String>) -> Fault {
        self.aws = Some((code, message.into(), Location::At(self.at)));
        self
    }

    /// AWS points somewhere else than we do.
    pub(crate) fn aws_at(mut self, at: At) -> Fault {
        if let Some((_, _, location)) = &mut self.aws {
            *location = Location::At(at);
        }
        self
    }

    /// AWS points below the place, in words of its own.
    pub(crate) fn aws_location(mut self, written: String) -> Fault {
        if let Some((_, _, location)) = &mut self.aws {
            *location = Location::Written(written);
        }
        self
    }

    /// AWS does not say where.
    pub(crate) fn aws_nowhere(mut self) -> Fault {
        if let Some((_, _, location)) = &mut self.aws {
            *location = Location::Nowhere;
        }
        self
    }
}

/// The faults so far.
pub(crate) struct Faults<'a> {
    source: &'a Source,
    listed: Vec<Diagnostic>,
    unlisted: usize,
    has_errors: bool,
}

impl<'a> Faults<'a> {
    pub(crate) fn new(source: &'a Source) -> Faults<'a> {
        Faults { source, listed: Vec::new(), unlisted: 0, has_errors: false }
    }

    pub(crate) fn add(&mut self, fault: Fault, trail: &Trail<'_>) {
        if self.is_full() {
            self.has_errors |= fault.code.severity() == crate::Severity::Error;
            self.unlisted += 1;
            return;
        }
        // What a tag of another schema stands for is not known: only the tag is a fault, not the value below it.
        let is_below_tag =
            self.source.tagged.iter().any(|tag| tag.span.start <= fault.span.start && fault.span.end <= tag.span.end);
        if is_below_tag && fault.code != Code::UnsupportedYaml {
            return;
        }
        let severity = fault.code.severity();
        self.has_errors |= severity == crate::Severity::Error;
        let aws = fault.aws.map(|(code, message, location)| {
            let location = match location {
                Location::At(at) => Some(trail.location(at)),
                Location::Written(written) => Some(written),
                Location::Nowhere => None,
            };
            AwsVoice { code, message, location }
        });
        self.listed.push(Diagnostic {
            code: fault.code,
            severity,
            pointer: trail.pointer(fault.at),
            span: fault.span,
            position: self.source.position(fault.span.start),
            message: fault.message,
            suggestion: fault.suggestion,
            aws,
        });
    }

    /// Whether further faults are only counted.
    pub(crate) fn is_full(&self) -> bool {
        self.listed.len() >= LISTED_MAX
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// The diagnostics in the order of the text; the last one says when not all are listed.
    pub(crate) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.listed.sort_by_key(|diagnostic| diagnostic.span.start);
        if self.unlisted > 0 {
            let end = self.source.text().len();
            self.listed.push(Diagnostic {
                code: Code::MoreFaults,
                severity: Code::MoreFaults.severity(),
                pointer: stepwell_json::Pointer::root(),
                span: Span::new(end, end),
                position: self.source.position(end),
                message: format!("{} more faults are not listed", self.unlisted),
                suggestion: None,
                aws: None,
            });
        }
        self.listed
    }
}
