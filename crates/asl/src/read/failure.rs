//! `Retry` and `Catch`.

use std::sync::Arc;

use stepwell_json::{Span, Spanned};
use stepwell_spec::{ERRORS, Place, error};

use super::Compiler;
use super::object::Object;
use crate::definition::{Catcher, QueryLanguage, ResultPath, Retrier};
use crate::diagnostics::Code;
use crate::faults::Fault;
use crate::trail::At;

impl<'a> Compiler<'a> {
    /// `Retry`; faulty entries are left out.
    pub(crate) fn retriers(&mut self, state: &Object<'a>) -> Vec<Retrier> {
        let entries = self.entries(state, "Retry", Place::Retrier);
        let count = entries.len();
        let mut retriers = Vec::with_capacity(count);
        for (index, entry) in entries.into_iter().enumerate() {
            let Some(entry) = entry else { continue };
            let error_equals = self.error_equals(&entry, index + 1 == count);
            self.text(&entry, "Comment");
            let interval_seconds = self.integer(&entry, "IntervalSeconds").unwrap_or(1);
            let max_attempts = self.integer(&entry, "MaxAttempts").unwrap_or(3);
            let backoff_rate = self.number(&entry, "BackoffRate").unwrap_or(2.0);
            let max_delay_seconds = self.integer(&entry, "MaxDelaySeconds");
            let full_jitter = self.text(&entry, "JitterStrategy").is_some_and(|strategy| &*strategy == "FULL");
            retriers.push(Retrier {
                error_equals,
                interval_seconds,
                max_attempts,
                backoff_rate,
                max_delay_seconds,
                full_jitter,
            });
        }
        retriers
    }

    /// `Catch`; faulty entries are left out.
    pub(crate) fn catchers(&mut self, state: &Object<'a>) -> Vec<Catcher> {
        let entries = self.entries(state, "Catch", Place::Catcher);
        let count = entries.len();
        let mut catchers = Vec::with_capacity(count);
        for (index, entry) in entries.into_iter().enumerate() {
            let Some(entry) = entry else { continue };
            let error_equals = self.error_equals(&entry, index + 1 == count);
            self.text(&entry, "Comment");
            let (result_path, output) = match entry.language {
                QueryLanguage::JsonPath => (self.result_path(&entry), None),
                QueryLanguage::Jsonata => (ResultPath::Replace, self.query_template(&entry, "Output")),
            };
            let assign = self.assign(&entry);
            if let Some(next) = self.target(&entry, "Next") {
                catchers.push(Catcher { error_equals, next, result_path, output, assign });
            }
        }
        catchers
    }

    /// The objects of a list field. None stands for an item that is no object.
    pub(crate) fn entries(&mut self, object: &Object<'a>, name: &str, place: Place) -> Vec<Option<Object<'a>>> {
        let Some(member) = object.get(name) else { return Vec::new() };
        let at = self.trail.key(object.at, &member.key);
        let Some(items) = self.items(&member.value, at) else { return Vec::new() };
        let language = object.language;
        let mut entries = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = self.trail.index(at, index);
            entries.push(self.object(place, item, at, item.span, language));
        }
        entries
    }

    /// The items, or a fault when this is no array.
    pub(crate) fn items(&mut self, value: &'a Spanned, at: At) -> Option<&'a [Spanned]> {
        if let Some(items) = value.items() {
            return Some(items);
        }
        self.wrong_type(value, at, "an array", "Array");
        None
    }

    fn error_equals(&mut self, entry: &Object<'a>, is_last: bool) -> Vec<Arc<str>> {
        let Some(names) = self.text_list(entry, "ErrorEquals") else { return Vec::new() };
        let catches_all = names.iter().find(|(name, _, _)| &**name == error::ALL);
        if let Some(&(_, _, span)) = catches_all
            && (names.len() > 1 || !is_last)
        {
            let at = self.trail.key(entry.at, "ErrorEquals");
            let message = if is_last {
                "States.ALL stands for every error, so it stands alone"
            } else {
                "States.ALL stands for every error, so its entry is the last one"
            };
            let fault = Fault::new(Code::StatesAllNotAlone, at, span, message)
                .schema("States.ALL must appear alone and at end of list");
            self.fault(fault);
        }
        for (name, at, span) in &names {
            self.suspect_error_name(name, *at, *span);
        }
        names.into_iter().map(|(name, _, _)| name).collect()
    }

    /// Warns of a name that is nearly one of the language's own. Other names may be those a Fail state makes up.
    fn suspect_error_name(&mut self, name: &str, at: At, span: Span) {
        if !name.starts_with("States.") || name.starts_with("States.Http.") || ERRORS.iter().any(|row| row.name == name)
        {
            return;
        }
        let near = self.suggester.nearest(name, ERRORS.iter().map(|row| row.name));
        if near.is_some() {
            let message = format!("no error is called \"{name}\"");
            self.fault(Fault::new(Code::UnknownErrorName, at, span, message).did_you_mean(near));
        }
    }
}
