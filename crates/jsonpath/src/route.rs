//! What a compiled path selects, step by step, and how it is written in messages.

use std::fmt;
use std::sync::Arc;

use stepwell_json::Json;

use crate::condition::Condition;
use crate::function::Call;

/// The steps from a starting value to what is selected.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) start: Start,
    pub(crate) steps: Vec<Step>,
    /// How many of the first steps lead to one place only.
    definite_steps: usize,
    /// Whether the text says what it means: nothing overlooked in it, no operator's sign in a bare name.
    pub(crate) is_plain: bool,
}

/// What a route starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// The document that is read.
    Document,
    /// The item a filter looks at.
    Item,
}

/// One step.
#[derive(Debug)]
pub(crate) enum Step {
    /// `.name` or `['name']`
    Name(Arc<str>),
    /// `['a','b']`: at the end an object of those members, elsewhere one after the other.
    Names(Vec<Arc<str>>),
    /// `[0]`; negative ones count from the end.
    Index(i64),
    /// `[0,2]`
    Indices(Vec<i64>),
    /// `[1:3]`, with at least one end.
    Slice(Option<i64>, Option<i64>),
    /// `.*` or `[*]`
    Wildcard,
    /// `..`: this value and everything below it, for the step that follows.
    Descend,
    /// `[?(…)]`
    Filter(Condition),
    /// `.length()`
    Function(Call),
}

impl Route {
    pub(crate) fn new(start: Start, steps: Vec<Step>) -> Route {
        let last = steps.len().saturating_sub(1);
        let is_definite = |(place, step): &(usize, &Step)| match step {
            Step::Name(_) | Step::Index(_) | Step::Function(_) => true,
            Step::Names(_) => *place == last,
            Step::Indices(_) | Step::Slice(..) | Step::Wildcard | Step::Descend | Step::Filter(_) => false,
        };
        let definite_steps = steps.iter().enumerate().take_while(is_definite).count();
        Route { start, steps, definite_steps, is_plain: true }
    }

    /// Whether it names one place.
    pub(crate) fn is_definite(&self) -> bool {
        self.definite_steps == self.steps.len()
    }

    /// Whether everything before this step names one place.
    pub(crate) fn is_definite_before(&self, step: usize) -> bool {
        step <= self.definite_steps
    }

    /// Whether this step is the last.
    pub(crate) fn is_last(&self, step: usize) -> bool {
        step + 1 == self.steps.len()
    }

    /// The most steps that can follow one another in an evaluation: those of this path, and of paths inside it.
    pub(crate) fn reach(&self) -> usize {
        let inner = self.steps.iter().map(|step| match step {
            Step::Filter(condition) => condition.reach(),
            Step::Function(call) => call.reach(),
            Step::Name(_)
            | Step::Names(_)
            | Step::Index(_)
            | Step::Indices(_)
            | Step::Slice(..)
            | Step::Wildcard
            | Step::Descend => 0,
        });
        self.steps.len() + inner.max().unwrap_or(0)
    }

    /// The place before this step, as messages write it; functions do not show in places.
    pub(crate) fn text_before(&self, step: usize) -> String {
        let steps = self.steps[..step].iter().filter(|step| !matches!(step, Step::Function(_)));
        self.text_of(steps)
    }

    /// The whole path, as messages write it.
    pub(crate) fn text(&self) -> String {
        self.text_of(self.steps.iter())
    }

    fn text_of<'a>(&self, steps: impl Iterator<Item = &'a Step>) -> String {
        use fmt::Write as _;
        let mut text = match self.start {
            Start::Item => "@".to_owned(),
            Start::Document => "$".to_owned(),
        };
        for step in steps {
            write!(text, "{step}").expect("a String takes every write");
        }
        text
    }

    /// The value a path of names and indices leads to, without collecting anything; `None` where it leads nowhere
    /// or where the route has other steps.
    pub(crate) fn follow<'a>(&self, document: &'a Json) -> Option<&'a Json> {
        self.steps.iter().try_fold(document, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => item_at(value.as_array()?, *index),
            Step::Names(_)
            | Step::Indices(_)
            | Step::Slice(..)
            | Step::Wildcard
            | Step::Descend
            | Step::Filter(_)
            | Step::Function(_) => None,
        })
    }
}

/// The item at this index; negative ones count from the end.
pub(crate) fn item_at(items: &[Json], index: i64) -> Option<&Json> {
    let place = if index < 0 { i64::try_from(items.len()).ok()?.checked_add(index)? } else { index };
    items.get(usize::try_from(place).ok()?)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Name(name) => write!(f, "['{name}']"),
            Step::Names(names) => write!(f, "[{}]", QuotedNames(names)),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Indices(indices) => {
                let texts: Vec<String> = indices.iter().map(i64::to_string).collect();
                write!(f, "[{}]", texts.join(","))
            }
            Step::Slice(from, to) => {
                let end = |end: &Option<i64>| end.map(|end| end.to_string()).unwrap_or_default();
                write!(f, "[{}:{}]", end(from), end(to))
            }
            Step::Wildcard => f.write_str("[*]"),
            Step::Descend => f.write_str(".."),
            Step::Filter(_) => f.write_str("[?]"),
            Step::Function(call) => {
                write!(f, ".{}({})", call.name, if call.arguments.is_empty() { "" } else { "..." })
            }
        }
    }
}

/// `'a','b'`
pub(crate) struct QuotedNames<'a>(pub(crate) &'a [Arc<str>]);

impl fmt::Display for QuotedNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            write!(f, "{}'{name}'", if place > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}
