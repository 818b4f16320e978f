//! Walking a document along a route.

use std::cell::Cell;
use std::sync::Arc;

use stepwell_json::{Json, Object};

use crate::condition::Condition;
use crate::error::{PathError, PathErrorKind};
use crate::java_text::value_text;
use crate::route::{QuotedNames, Route, Start, Step, item_at};

/// Steps one evaluation may take: values visited, compared and found. A fraction of a second, and enough to compare
/// every one of 2,000 items with every one of 2,000 others.
const STEPS_MAX: usize = 5_000_000;
/// How much text counts as one step where text is searched or made.
const BYTES_PER_STEP: usize = 32;
/// How much of a value a message shows, in characters.
const SHOWN_MAX: usize = 200;

/// Why an evaluation stopped. Jayway lets some of its exceptions pass in some places; the first three differ in where.
#[derive(Debug)]
pub(crate) enum Halt {
    /// A definite path leads nowhere.
    NotFound(String),
    /// Something was applied to what it cannot be applied to; makes a filter's condition false.
    Invalid(String),
    /// An index is beyond the end; ends the search below the array item it happened in.
    Bounds(String),
    /// Anything else; always ends the evaluation.
    Failed(String),
    /// The evaluation took too many steps.
    Spent,
}

impl From<Halt> for PathError {
    fn from(halt: Halt) -> PathError {
        let (kind, message) = match halt {
            Halt::NotFound(message) => (PathErrorKind::NotFound, message),
            Halt::Invalid(message) | Halt::Bounds(message) | Halt::Failed(message) => (PathErrorKind::Invalid, message),
            Halt::Spent => {
                (PathErrorKind::TooExpensive, format!("The path takes more than {STEPS_MAX} steps to evaluate"))
            }
        };
        PathError { kind, message }
    }
}

/// One evaluation.
pub(crate) struct Walk<'a> {
    /// What `$` names.
    pub(crate) document: &'a Json,
    steps_left: Cell<usize>,
}

/// Where an evaluation stands, beside the value it looks at.
#[derive(Clone, Copy)]
struct Place<'a> {
    route: &'a Route,
    /// The step to take next.
    step: usize,
    /// Whether a missing member is an error everywhere; so it is while a filter asks whether a path exists.
    is_required: bool,
}

impl Place<'_> {
    fn next(self) -> Self {
        Place { step: self.step + 1, ..self }
    }

    /// Whether everything before the step names one place, so that a dead end is an error.
    fn is_definite(self) -> bool {
        self.route.is_definite_before(self.step)
    }

    fn text(self) -> String {
        self.route.text_before(self.step)
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(document: &'a Json) -> Walk<'a> {
        Walk { document, steps_left: Cell::new(STEPS_MAX) }
    }

    /// Counts so many steps.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), Halt> {
        match self.steps_left.get().checked_sub(steps) {
            Some(left) => {
                self.steps_left.set(left);
                Ok(())
            }
            None => Err(Halt::Spent),
        }
    }

    /// Counts the steps that searching or making so much text is worth.
    pub(crate) fn spend_bytes(&self, bytes: usize) -> Result<(), Halt> {
        self.spend(bytes / BYTES_PER_STEP)
    }

    /// The route's value: that of the one place it names, or else the list of all it finds.
    pub(crate) fn read(&self, route: &Route, start: &Json) -> Result<Json, Halt> {
        if let Some(value) = route.follow(start) {
            self.spend(1)?;
            return Ok(value.clone());
        }
        let mut found = self.collect(route, start)?;
        if !route.is_definite() {
            return Ok(Json::array(found));
        }
        found.pop().ok_or_else(|| Halt::NotFound(format!("No results for path: {}", route.text())))
    }

    /// The value of a path inside a filter.
    pub(crate) fn read_inner(&self, route: &Route, item: &Json) -> Result<Json, Halt> {
        match route.start {
            Start::Item => self.read(route, item),
            Start::Document => self.read(route, self.document),
        }
    }

    /// Finds whether a path leads anywhere in this item; every name on its way has to be there.
    pub(crate) fn read_required(&self, route: &Route, item: &Json) -> Result<(), Halt> {
        self.spend(1)?;
        if route.follow(item).is_some() {
            return Ok(());
        }
        let mut found = Vec::new();
        self.visit(Place { route, step: 0, is_required: true }, item, &mut found)?;
        if route.is_definite() && found.is_empty() {
            return Err(Halt::NotFound(format!("No results for path: {}", route.text())));
        }
        Ok(())
    }

    /// Everything the route finds.
    pub(crate) fn collect(&self, route: &Route, start: &Json) -> Result<Vec<Json>, Halt> {
        let mut found = Vec::new();
        self.visit(Place { route, step: 0, is_required: false }, start, &mut found)?;
        Ok(found)
    }

    fn visit(&self, place: Place<'_>, value: &Json, found: &mut Vec<Json>) -> Result<(), Halt> {
        self.spend(1)?;
        let Some(step) = place.route.steps.get(place.step) else {
            found.push(value.clone());
            return Ok(());
        };
        match step {
            Step::Name(name) => match value {
                Json::Object(members) => self.visit_member(place, members, name, found),
                _ => not_an_object(place, std::slice::from_ref(name), value),
            },
            Step::Names(names) => match value {
                Json::Object(members) if place.route.is_last(place.step) => pick(place, members, names, found),
                Json::Object(members) => {
                    names.iter().try_for_each(|name| self.visit_member(place, members, name, found))
                }
                _ => not_an_object(place, names, value),
            },
            Step::Index(index) => match array_of(place, step, value)? {
                Some(items) => self.visit_item(place, items, *index, found),
                None => Ok(()),
            },
            Step::Indices(indices) => match array_of(place, step, value)? {
                Some(items) => indices.iter().try_for_each(|index| self.visit_item(place, items, *index, found)),
                None => Ok(()),
            },
            Step::Slice(from, to) => match array_of(place, step, value)? {
                Some(items) => slice_range(items.len(), *from, *to)
                    .try_for_each(|index| self.visit_item(place, items, index, found)),
                None => Ok(()),
            },
            Step::Wildcard => self.visit_all(place, value, found),
            Step::Descend => self.visit_below(place, value, found),
            Step::Filter(condition) => self.visit_accepted(place, condition, value, found),
            Step::Function(call) => {
                let result = call.evaluate(value, self)?;
                if !place.route.is_last(place.step) {
                    found.push(result.clone());
                }
                self.visit(place.next(), &result, found)
            }
        }
    }

    fn visit_member(
        &self,
        place: Place<'_>,
        members: &Object,
        name: &Arc<str>,
        found: &mut Vec<Json>,
    ) -> Result<(), Halt> {
        match members.get(name) {
            Some(member) => self.visit(place.next(), member, found),
            None => missing(place, name),
        }
    }

    fn visit_item(&self, place: Place<'_>, items: &[Json], index: i64, found: &mut Vec<Json>) -> Result<(), Halt> {
        match item_at(items, index) {
            Some(item) => self.visit_within(place, item, found),
            None => Ok(()),
        }
    }

    /// Goes on inside an array item, where running beyond the end of some array only ends the search.
    fn visit_within(&self, place: Place<'_>, item: &Json, found: &mut Vec<Json>) -> Result<(), Halt> {
        match self.visit(place.next(), item, found) {
            Err(Halt::Bounds(_)) => Ok(()),
            other => other,
        }
    }

    fn visit_all(&self, place: Place<'_>, value: &Json, found: &mut Vec<Json>) -> Result<(), Halt> {
        match value {
            Json::Object(members) => members.values().try_for_each(|member| self.visit(place.next(), member, found)),
            Json::Array(items) => items.iter().try_for_each(|item| match self.visit_within(place, item, found) {
                Err(Halt::NotFound(_)) if !place.is_required => Ok(()),
                other => other,
            }),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
        }
    }

    fn visit_accepted(
        &self,
        place: Place<'_>,
        condition: &Condition,
        value: &Json,
        found: &mut Vec<Json>,
    ) -> Result<(), Halt> {
        match value {
            Json::Array(items) => {
                for item in items.iter() {
                    if condition.accepts(item, self)? {
                        self.visit_within(place, item, found)?;
                    }
                }
                Ok(())
            }
            Json::Object(_) => {
                if condition.accepts(value, self)? {
                    self.visit(place.next(), value, found)?;
                }
                Ok(())
            }
            _ if !place.is_definite() => Ok(()),
            _ => Err(Halt::Invalid(format!(
                "Filter: [?] can not be applied to primitives. Current context is: {}",
                shown(value)
            ))),
        }
    }

    /// Takes the next step at this value and at everything below it, parents first. The stack is on the heap, so that
    /// nested descents do not add up on the thread's.
    fn visit_below(&self, place: Place<'_>, value: &Json, found: &mut Vec<Json>) -> Result<(), Halt> {
        let place = place.next();
        let Some(step) = place.route.steps.get(place.step) else {
            return Err(Halt::Failed("Current path token is a leaf".to_owned()));
        };
        let mut waiting = vec![value];
        while let Some(value) = waiting.pop() {
            self.spend(1)?;
            match value {
                Json::Array(items) => {
                    if self.suits(place, step, value)? {
                        self.visit(place, value, found)?;
                    }
                    waiting.extend(items.iter().rev());
                }
                Json::Object(members) => {
                    if self.suits(place, step, value)? {
                        self.visit(place, value, found)?;
                    }
                    let from = waiting.len();
                    waiting.extend(members.values());
                    waiting[from..].reverse();
                }
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
            }
        }
        Ok(())
    }

    /// Whether the step after a descent is worth taking at this array or object.
    fn suits(&self, place: Place<'_>, step: &Step, value: &Json) -> Result<bool, Halt> {
        Ok(match (step, value) {
            (Step::Name(name), Json::Object(members)) => members.contains_key(name),
            (Step::Names(names), Json::Object(members)) => {
                !place.route.is_last(place.step) || names.iter().all(|name| members.contains_key(name))
            }
            (Step::Index(_) | Step::Indices(_) | Step::Slice(..), Json::Array(_)) => true,
            (Step::Wildcard, _) => true,
            (Step::Filter(condition), _) => condition.accepts(value, self)?,
            _ => false,
        })
    }
}

/// The indices of a slice. With both ends given, a negative start counts from the end item by item, as in Jayway:
/// `[-1:1]` is the last item and the first.
fn slice_range(length: usize, from: Option<i64>, to: Option<i64>) -> std::ops::Range<i64> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { length + index } else { index };
    match (from, to) {
        (Some(from), None) => from_end(from).max(0)..length,
        (None, Some(to)) => 0..from_end(to).min(length),
        (Some(from), Some(to)) => from.max(-length)..to.min(length),
        (None, None) => 0..length,
    }
}

fn missing(place: Place<'_>, name: &str) -> Result<(), Halt> {
    let is_last = place.route.is_last(place.step);
    if is_last && place.is_required {
        return Err(Halt::NotFound(format!("No results for path: {}['{name}']", place.text())));
    }
    if !is_last && (place.is_required || place.next().is_definite()) {
        return Err(Halt::NotFound(format!("Missing property in path {}['{name}']", place.text())));
    }
    Ok(())
}

/// An object of those members that are there.
fn pick(place: Place<'_>, members: &Object, names: &[Arc<str>], found: &mut Vec<Json>) -> Result<(), Halt> {
    if place.is_required
        && let Some(name) = names.iter().find(|name| !members.contains_key(name))
    {
        return Err(Halt::NotFound(format!("Missing property in path {}['{name}']", place.text())));
    }
    let present = names.iter().filter_map(|name| Some((name.clone(), members.get(name)?.clone())));
    found.push(Json::object(present));
    Ok(())
}

fn not_an_object(place: Place<'_>, names: &[Arc<str>], value: &Json) -> Result<(), Halt> {
    if !place.is_definite() {
        return Ok(());
    }
    // Jayway goes on to name Java classes here; the kind of the value says the same.
    Err(Halt::NotFound(format!(
        "Expected to find an object with property [{}] in path {} but found '{}'",
        QuotedNames(names),
        place.text(),
        value.kind().name()
    )))
}

fn array_of<'v>(place: Place<'_>, step: &Step, value: &'v Json) -> Result<Option<&'v [Json]>, Halt> {
    match value {
        Json::Array(items) => Ok(Some(items)),
        _ if !place.is_definite() => Ok(None),
        Json::Null => Err(Halt::NotFound(format!("The path {} is null", place.text()))),
        _ => Err(Halt::NotFound(format!(
            "Filter: {step} can only be applied to arrays. Current context is: {}",
            shown(value)
        ))),
    }
}

/// The value as messages show it, cut off where it gets long.
fn shown(value: &Json) -> String {
    let mut text = value_text(value);
    if let Some((end, _)) = text.char_indices().nth(SHOWN_MAX) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}
